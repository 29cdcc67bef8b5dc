"""Grading: one submission against a rubric, item by item; what was graded before is kept."""

import platform
import re
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import wraps
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from autograder.core import Assignment, Course, Failure, NeedsReview, digest, item_digests, sanitize
from autograder.core import _devices as devices
from autograder.data import HiddenData
from autograder.grading._reading import ReadSubmission, read_submission
from autograder.models import Predictor
from autograder.rubric import (
    Expected,
    Item,
    Report,
    Score,
    Submission,
    hidden_from,
    questions_path,
    read_cells,
    read_rubric,
    score,
    texts_of,
)
from autograder.sandbox import Isolation, Sandbox, probe, training_sandbox
from autograder.submissions import FileBundle, RawSubmission

ENGINE = Path(__file__).parents[1]
MARKING = (  # what scores rest on: the packages below the reports, and what runs their items
    "core", "data", "submissions", "sandbox", "models", "rubric", "grading/_grader.py", "grading/_reading.py",
)  # fmt: skip
MINUTES = 20.0  # for one submission, unless a person says otherwise; the slowest assignment takes two
MARGIN = 600.0  # seconds beyond that, after which a worker is taken to hang
MAX_TRAININGS = 200  # whose results are kept in memory, for submissions that ask for equal ones
PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "numpy", "pandas", "scikit-learn", "scipy")


class ItemResult(NamedTuple):
    """What an item gave, and the seconds that it took. lasts: whether another run would give the same."""

    score: Score
    seconds: float
    lasts: bool = True


Given = dict[int, ItemResult]  # by the place of the item


class BoundedCache(dict):
    """The values that were set last, at most MOST_TRAININGS."""

    def __setitem__(self, key, value) -> None:
        super().__setitem__(key, value)
        while len(self) > MAX_TRAININGS:
            del self[next(iter(self))]


@dataclass(frozen=True)
class ScorePlan:
    """A submission that was read: its files' checksums, and for each item the key of its score.

    A key is empty where it is not known what the score rests on: this machine could not read it all.
    """

    handed: RawSubmission
    sums: dict[str, str]
    keys: tuple[str, ...]

    @property
    def size(self) -> int:
        """The bytes in memory."""
        return self.handed.source.size

    @property
    def emptied(self) -> "ScorePlan":
        """The same without the files."""
        return replace(self, handed=replace(self.handed, source=FileBundle({})))


@dataclass(frozen=True)
class GradedSubmission:
    """A report, and how it came about: the seconds that each item took, now or when it was graded; which ran now."""

    report: Report
    seconds: dict[str, float]
    ran: tuple[str, ...]


@dataclass(frozen=True)
class Grader:
    """Grades submissions of one assignment; holds what they share: items, data, batches of inputs, equal trainings.

    codes: a digest of the code of each item. basis: stands for the rest that marks depend on, but the submission.
    trainer: the sandbox for training, where it is another. watch: is told what is being done, in a line. expected:
    what helps to find a student's notebook and answers. minutes: of the clock that the items of one submission may
    take.
    """

    assignment: str
    items: tuple[Item, ...]
    source: HiddenData
    predictor: Predictor
    sandbox: Sandbox
    versions: dict[str, str]
    codes: dict[str, str]
    basis: str
    trainer: Sandbox | None = None
    watch: Callable[[str], None] = lambda line: None
    trainings: dict[str, tuple] = field(default_factory=BoundedCache)
    expected: Expected = Expected()
    minutes: float = MINUTES

    @classmethod
    def create(
        cls, assignment: Assignment, source: HiddenData, sandbox: Sandbox, trainer: Sandbox | None = None
    ) -> "Grader":
        items, identity = read_rubric(assignment.rubric), source.identity
        made_with = package_versions() | {"isolation": str(sandbox.isolation)}
        if trainer:
            made_with["trained on"] = trainer.device
        expected = read_expectations(assignment)
        questions = questions_path(assignment.room)
        texts = [path.read_bytes() for path in (assignment.rubric, questions) if path.is_file()]
        found_by = "\n".join(sorted(expected.starter | expected.functions))
        parts = identity, str(source.practice), str(made_with), found_by
        basis = digest(*(part.encode("utf-8", "replace") for part in parts), *texts[1:], *engine_code())
        made_with |= {"rubric": digest(*texts)[:16], "data": identity[:16]}
        codes = item_digests(assignment.rubric)
        shared = {"trainer": trainer, "expected": expected}
        return cls(assignment.slug, items, source, Predictor(), sandbox, made_with, codes, basis, **shared)

    def fingerprint(self) -> dict[str, str]:
        """Return what marks rest on beside the submission, each part named; equal where the same marks come out."""
        fetched = ", ".join(self.source.fetched) or "nothing"
        return self.versions | {"fetched data": fetched, "basis": self.basis}

    def grade(self, handed: RawSubmission) -> GradedSubmission:
        """Return the report on what was handed in. Never raises for what a student handed in."""
        planned = self.plan(read_submission(handed, self.expected))
        return self.graded(planned, self.run(planned.handed, range(len(self.items))), {})

    def plan(self, read: ReadSubmission) -> ScorePlan:
        """Tells by which keys the scores of a submission that was read may be known."""
        keys = tuple(self.key(read.state, place) for place in range(len(self.items)))
        return ScorePlan(read.handed, read.sums, keys)

    def run(self, handed: RawSubmission, places: Iterable[int]) -> Given:
        """Return what the items at these places give, in the time that one submission has."""
        submission, given, before = self.submission(handed), {}, self.clock()
        for place in places:
            if given and self.clock() - before > 60 * self.minutes:
                given |= self.unreached([place], list(given)[-1])
            else:
                given[place] = ItemResult(*self.timed(self.items[place], submission))
        submission.forget()
        return given

    def clock(self) -> float:
        """Seconds, without those in which a training waited for the GPU."""
        return time.monotonic() - (self.trainer.waited if self.trainer else 0.0)

    def unreached(self, places: Iterable[int], last: int) -> Given:
        """Return the scores of items for which the submission's time, used up by the item before, did not suffice."""
        before = self.items[last].__name__
        failure = Failure(
            f"Expected all items to run within {self.minutes:g} minutes, they were stopped after {before}.",
            "Look for a function or a cell that takes long, or never ends.",
        )
        return self.all_raise(places, failure)

    def lost(self, places: Iterable[int], why: str) -> Given:
        """Return what is given where no process lived to tell: a person must look."""
        return self.all_raise(places, NeedsReview(why))

    def all_raise(self, places: Iterable[int], error: Exception) -> Given:
        """Return what the items at these places give if each raises `error`; not to be kept."""

        def raising(submission):
            raise error

        return {
            place: ItemResult(score(wraps(self.items[place])(raising), None), 0.0, lasts=False)
            for place in places
        }

    def graded(self, planned: ScorePlan, ran: Given, known: Given) -> GradedSubmission:
        """Return the report on a submission, from what its items gave now and what is known of earlier runs."""
        given, handed = ran | known, planned.handed
        names = [item.__name__ for item in self.items]
        scores = tuple(given[place].score for place in range(len(names)))
        report = Report(
            sanitize(handed.student), self.assignment, scores, describe(self.source), self.versions,
            handed.origin, planned.sums, doubts=handed.doubts,
        )  # fmt: skip
        seconds = {name: given[place].seconds for place, name in enumerate(names)}
        return GradedSubmission(report, seconds, tuple(names[place] for place in sorted(ran)))

    def key(self, state: tuple[str, ...], place: int) -> str:
        """Stands for all that the score of the item at `place` depends on: `state` is the submission's part of it.

        Empty where that is not known.
        """
        name = self.items[place].__name__
        code = self.codes.get(name) or f"{place} {self.codes['']}"
        return digest(*map(str.encode, (self.basis, name, code, *state))) if state else ""

    def timed(self, item: Item, submission: Submission) -> tuple[Score, float]:
        """Return the item's score on the submission, and the seconds that it took."""
        start = time.perf_counter()
        with hidden_from(self.source):
            given = score(item, self.watched(submission, item))
        return given, time.perf_counter() - start

    def submission(self, handed: RawSubmission) -> Submission:
        """Return what was handed in, with what it shares with the others."""
        shared = {"trainer": self.trainer, "trainings": self.trainings, "expected": self.expected}
        words = {"words": handed.words, "shared": handed.shared, "name": handed.origin.name}
        return Submission(handed.student, handed.source, self.predictor, self.sandbox, **shared, **words)

    def watched(self, submission: Submission, item: Item) -> Submission:
        """Return the submission as one item sees it: what it says of its progress names both."""
        where = f"{sanitize(submission.student)}, {item.__name__}"
        self.watch(where)
        return replace(submission, watch=lambda line: self.watch(f"{where}: {line}"))


@dataclass(frozen=True)
class GraderFactory:
    """All that a process needs to make a Grader; the seed of the hidden data is part of it.

    isolation: of this machine; None where it is still to be found out. minutes: see `Grader`. trusted, private: see
    `Sandbox`; the course is private always.
    """

    assignment: Assignment
    source: HiddenData
    device: str = "cpu"
    isolation: Isolation | None = None
    trusted: bool = False
    minutes: float = MINUTES
    private: tuple[Path, ...] = ()

    @property
    def patience(self) -> float:
        """The seconds for which a process that runs items may say nothing: it does so with each item and training."""
        return 60 * self.minutes + MARGIN

    @contextmanager
    def open(self, watch: Callable[[str], None] = lambda line: None) -> Iterator[Grader]:
        """Return a Grader, and the sandboxes that it uses for as long as it is open."""
        devices.hide_gpu()
        isolation = self.isolation or probe()
        private = (*self.assignment.private, *self.private)
        with (
            Sandbox(isolation, trusted=self.trusted, private=private) as sandbox,
            training_sandbox(isolation, self.device, private) as trainer,
        ):
            grader = Grader.create(self.assignment, self.source, sandbox, trainer)
            yield replace(grader, watch=watch, minutes=self.minutes)

    def relocate(self, course: Course) -> "GraderFactory":
        """Return the same with another copy of the course, on another machine."""
        there = course.assignment(self.assignment.slug)
        return replace(self, assignment=there, source=self.source.at(course), isolation=None)


def engine_code() -> Iterator[bytes]:
    """Return the parts of the engine that scores rest on: a mended grader grades anew."""
    for path in sorted(ENGINE.rglob("*.py")):
        if path.relative_to(ENGINE).as_posix().startswith(MARKING):
            yield path.read_bytes()


def read_author(path: Path, expected: Expected | None = None) -> str:
    """Who signed the work at `path`, for a student's own machine; the folder's name where nobody did."""
    name = path.resolve().name
    with warnings.catch_warnings(), suppress(Failure, NeedsReview):
        warnings.simplefilter("ignore")
        return (
            Submission(name, path, Predictor(), sandbox=None, expected=expected or Expected()).signature
            or name
        )
    return name


def read_expectations(assignment: Assignment) -> Expected:
    """Return what is known of an assignment before any submission: its name, starter, and the functions of items."""
    called = re.findall(
        r"\.(?:call|value|build)\(\s*[\"'](\w+)", assignment.rubric.read_text(encoding="utf-8")
    )
    starter = frozenset()
    with suppress(OSError, Failure):
        starter = texts_of(read_cells(assignment.starter.name, assignment.starter.read_bytes()))
    return Expected(assignment.slug, frozenset(called), starter)


def describe(source: HiddenData) -> str:
    """One sentence on the data that the marks rest on."""
    if source.practice:
        return "Hidden data are not here: your TA scores what is marked as deferred."
    if source.is_demo:
        return "DEMO DATA, from the public seed, as there is no solutions/secret_seed: not for real marks."
    return f"Scored on hidden data of {f'the term {source.term}' if source.term else 'this term'}."


def package_versions() -> dict[str, str]:
    """Versions of what a mark depends on, without importing any of it."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
