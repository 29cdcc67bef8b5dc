"""Grading: one submission against a rubric, item by item; what was graded before is kept."""

import platform
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import wraps
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from autograder import devices
from autograder.carried import Carried, carried, checksums
from autograder.course import Assignment, Course
from autograder.dependence import digest, item_codes
from autograder.failure import Failure, Undecided, plain
from autograder.handed_in import HandedIn
from autograder.hidden import HiddenData
from autograder.models import Predictor
from autograder.questions import open_questions
from autograder.rubric import Item, Report, Score, hidden_from, read_rubric, score
from autograder.sandbox import Sandbox, probe, training_sandbox
from autograder.sandbox.confinement import Isolation
from autograder.submission import Submission

ENGINE = Path(__file__).parent
BESIDE = {  # parts of the engine that no score rests on: they read a class, render, release, prove
    "answers.py", "bundle.py", "classroom.py", "cli.py", "cluster.py", "doctor.py", "exporting.py", "grading.py",
    "gradescope.py", "integrity", "kept.py", "late.py", "marks.py", "packing.py", "platforms", "release.py", "reports",
    "skeleton.py", "spreadsheets.py", "verify", "workers.py",
}  # fmt: skip
MOST_TRAININGS = 200  # whose results are kept in memory, for submissions that ask for equal ones
PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "numpy", "pandas", "scikit-learn", "scipy")


Given = dict[int, tuple[Score, float]]  # what items gave, by their place, and the seconds that each took


class Latest(dict):
    """The values that were set last, at most MOST_TRAININGS."""

    def __setitem__(self, key, value) -> None:
        super().__setitem__(key, value)
        while len(self) > MOST_TRAININGS:
            del self[next(iter(self))]


@dataclass(frozen=True)
class Planned:
    """A submission that was read: its files' checksums, and for each item the key of its score.

    A key is empty where it is not known what the score rests on: there is too much to read it all.
    """

    handed: HandedIn
    sums: dict[str, str]
    keys: tuple[str, ...]

    @property
    def is_carried(self) -> bool:
        """Whether another process can run its items."""
        return isinstance(self.handed.source, Carried)

    @property
    def size(self) -> int:
        """The bytes in memory."""
        return self.handed.source.size if self.is_carried else 0

    @property
    def emptied(self) -> "Planned":
        """The same without the files."""
        return replace(self, handed=replace(self.handed, source=Carried({})))


@dataclass(frozen=True)
class Graded:
    """A report, and how it came about: the seconds that each item took, now or when it was graded; which ran now."""

    report: Report
    seconds: dict[str, float]
    ran: tuple[str, ...]


@dataclass(frozen=True)
class Grader:
    """Grades submissions of one assignment; holds what they share: items, data, batches of inputs, equal trainings.

    codes: a digest of the code of each item. basis: stands for the rest that marks depend on, but the submission.
    trainer: the sandbox for training, where it is another. watch: is told what is being done, in a line.
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
    trainings: dict[str, tuple] = field(default_factory=Latest)

    @classmethod
    def of(
        cls, assignment: Assignment, source: HiddenData, sandbox: Sandbox, trainer: Sandbox | None = None
    ) -> "Grader":
        items, identity = read_rubric(assignment.rubric), source.identity
        made_with = versions() | {"isolation": str(sandbox.isolation)}
        if trainer:
            made_with["trained on"] = trainer.device
        basis = digest(
            identity.encode(), str(source.practice).encode(), str(made_with).encode(), *engine_code()
        )
        questions = open_questions(assignment.room)
        texts = [path.read_bytes() for path in (assignment.rubric, questions) if path.is_file()]
        basis = digest(basis.encode(), *texts[1:])
        made_with |= {"rubric": digest(*texts)[:16], "data": identity[:16]}
        codes = item_codes(assignment.rubric)
        return cls(
            assignment.slug, items, source, Predictor(), sandbox, made_with, codes, basis, trainer=trainer
        )

    def standing(self) -> dict[str, str]:
        """What marks rest on beside the submission, each part named; equal where the same marks come out."""
        fetched = ", ".join(self.source.fetched) or "nothing"
        return self.versions | {"fetched data": fetched, "basis": self.basis}

    def grade(self, handed: HandedIn) -> Graded:
        """The report on what was handed in. Never raises for what a student handed in."""
        planned = self.plan(handed)
        return self.graded(planned, self.run(planned.handed, range(len(self.items))), {})

    def plan(self, handed: HandedIn) -> "Planned":
        """Reads what was handed in, and tells by which keys its scores may be known."""
        handed = replace(handed, source=carried(handed.source))
        sums, whole = checksums(handed.source)
        state = (whole, signer(self.submission(handed))) if whole else ()
        return Planned(handed, sums, tuple(self.key(state, place) for place in range(len(self.items))))

    def run(self, handed: HandedIn, places: Iterable[int]) -> "Given":
        """What the items at these places give, and the seconds that each took."""
        submission = self.submission(handed)
        given = {place: self.timed(self.items[place], submission) for place in places}
        submission.forget()
        return given

    def lost(self, places: Iterable[int], why: str) -> "Given":
        """The same where no process lived to tell: a person must look."""

        def undecided(submission):
            raise Undecided(why)

        return {place: (score(wraps(self.items[place])(undecided), None), 0.0) for place in places}

    def graded(self, planned: "Planned", ran: "Given", known: "Given") -> Graded:
        """The report on a submission, from what its items gave now and what is known of earlier runs."""
        given, handed = ran | known, planned.handed
        names = [item.__name__ for item in self.items]
        scores = tuple(given[place][0] for place in range(len(names)))
        report = Report(
            plain(handed.student), self.assignment, scores, describe(self.source), self.versions,
            handed.origin, planned.sums,
        )  # fmt: skip
        seconds = {name: given[place][1] for place, name in enumerate(names)}
        return Graded(report, seconds, tuple(names[place] for place in sorted(ran)))

    def key(self, state: tuple[str, ...], place: int) -> str:
        """Stands for all that the score of the item at `place` depends on: `state` is the submission's part of it.

        Empty where that is not known.
        """
        name = self.items[place].__name__
        code = self.codes.get(name) or f"{place} {self.codes['']}"
        return digest(*map(str.encode, (self.basis, name, code, *state))) if state else ""

    def timed(self, item: Item, submission: Submission) -> tuple[Score, float]:
        """The item's score on the submission, and the seconds that it took."""
        start = time.perf_counter()
        with hidden_from(self.source):
            given = score(item, self.watched(submission, item))
        return given, time.perf_counter() - start

    def submission(self, handed: HandedIn) -> Submission:
        """What was handed in, with what it shares with the others."""
        shared = {"trainer": self.trainer, "trainings": self.trainings}
        words = {"words": handed.words, "shared": handed.shared}
        return Submission(handed.student, handed.source, self.predictor, self.sandbox, **shared, **words)

    def watched(self, submission: Submission, item: Item) -> Submission:
        """The submission as one item sees it: what it says of its progress names both."""
        where = f"{plain(submission.student)}, {item.__name__}"
        self.watch(where)
        return replace(submission, watch=lambda line: self.watch(f"{where}: {line}"))


@dataclass(frozen=True)
class Setup:
    """All that a process needs to make a Grader; the seed of the hidden data is part of it.

    isolation: of this machine; None where it is still to be found out. trusted, private: see `Sandbox`; the course
    is private always.
    """

    assignment: Assignment
    source: HiddenData
    device: str = "cpu"
    isolation: Isolation | None = None
    trusted: bool = False
    private: tuple[Path, ...] = ()

    @contextmanager
    def opened(self, watch: Callable[[str], None] = lambda line: None) -> Iterator[Grader]:
        """A Grader, and the sandboxes that it uses for as long as it is open."""
        devices.hide()
        isolation = self.isolation or probe()
        private = (*self.assignment.private, *self.private)
        with (
            Sandbox(isolation, trusted=self.trusted, private=private) as sandbox,
            training_sandbox(isolation, self.device, private) as trainer,
        ):
            yield replace(Grader.of(self.assignment, self.source, sandbox, trainer), watch=watch)

    def moved(self, course: Course) -> "Setup":
        """The same with another copy of the course, on another machine."""
        there = course.assignment(self.assignment.slug)
        return replace(self, assignment=there, source=self.source.at(course), isolation=None)


def engine_code() -> Iterator[bytes]:
    """The parts of the engine that scores rest on: a mended grader grades anew."""
    for path in sorted(ENGINE.rglob("*.py")):
        if path.relative_to(ENGINE).parts[0] not in BESIDE:
            yield path.read_bytes()


def signer(submission: Submission) -> str:
    """Whether the notebook's signature stands for the student, as far as marks depend on it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what there is to remark is said by the items
        try:
            return str(submission.signs(submission.signature))
        except Failure as failure:
            return str(failure)


def author(path: Path) -> str:
    """Who signed the work at `path`, for a student's own machine; the folder's name where nobody did."""
    name = path.resolve().name
    with warnings.catch_warnings(), suppress(Failure):
        warnings.simplefilter("ignore")
        return Submission(name, path, Predictor(), sandbox=None).signature or name
    return name


def describe(source: HiddenData) -> str:
    """One sentence on the data that the marks rest on."""
    if source.practice:
        return "Hidden data are not here: your TA scores what is marked as deferred."
    if source.is_demo:
        return "DEMO DATA, from the public seed, as there is no solutions/secret_seed: not for real marks."
    return f"Scored on hidden data of {f'the term {source.term}' if source.term else 'this term'}."


def versions() -> dict[str, str]:
    """Versions of what a mark depends on, without importing any of it."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
