"""Grades one submission against a rubric, item by item."""

import platform
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import wraps
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple, Self, cast

from autograder.core import Assignment, Course, Failure, NeedsReview, digest, item_digests, sanitize
from autograder.core import _devices as devices
from autograder.data import HiddenData
from autograder.grading._reading import ReadSubmission, open_submission, read_submission
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
    run_item,
    texts_of,
)
from autograder.sandbox import Isolation, Sandbox, probe, training_sandbox
from autograder.submissions import RawSubmission

ENGINE = Path(__file__).parents[1]
IMPORT = re.compile(r"^\s*from autograder\.([\w.]+) import", re.MULTILINE)
CALLED = re.compile(r"\.(?:call|value|build)\(\s*[\"'](\w+)")  # the functions and constants that items use
MINUTES = 20.0  # default for the items of one submission; those of the slowest assignment take two
MARGIN = 600.0  # seconds beyond that, after which a silent worker is killed
MAX_TRAININGS = 200  # results that are shared between submissions with equal trainings
PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "numpy", "pandas", "scikit-learn", "scipy")


class ItemResult(NamedTuple):
    """The score of one item, and the seconds that the item took. is_final: another run would give the same."""

    score: Score
    seconds: float
    is_final: bool = True


@dataclass(frozen=True)
class GradedSubmission:
    """The report on a submission, and how it was made.

    seconds: the time that each item took, now or in the run that its score is cached from. ran: the items that ran now.
    """

    report: Report
    seconds: dict[str, float]
    ran: tuple[str, ...]


class BoundedCache(dict):
    """A dict that holds the MAX_TRAININGS values that were set last."""

    def __setitem__(self, key: str, value: tuple) -> None:
        super().__setitem__(key, value)
        while len(self) > MAX_TRAININGS:
            del self[next(iter(self))]


@dataclass(frozen=True)
class Grader:
    """Grades submissions of one assignment. Make it by `Grader.create` or by a GraderFactory.

    Attributes:
        assignment: the name of the assignment.
        items: the items of its rubric.
        source: the hidden data.
        predictor: predicts, and shares batches of inputs between submissions.
        sandbox: runs the students' code.
        versions: what reports state about the rubric, the data and the packages.
        basis: a digest of all that every score depends on, beside the submission and the item.
        keys: for each item, a digest of all that its score depends on, beside the submission.
        trainer: the sandbox for training, if it is another one.
        watch: called with a line about what is being done.
        trainings: the results of trainings, shared between submissions.
        expected: the facts by which a student's notebook and answers are found.
        minutes: the time for all items of one submission.
    """

    assignment: str
    items: tuple[Item, ...]
    source: HiddenData
    predictor: Predictor
    sandbox: Sandbox
    versions: dict[str, str]
    basis: str
    keys: tuple[str, ...]
    trainer: Sandbox | None = None
    watch: Callable[[str], None] = lambda line: None
    trainings: dict[str, tuple] = field(default_factory=BoundedCache)
    expected: Expected = Expected()
    minutes: float = MINUTES

    @classmethod
    def create(
        cls, assignment: Assignment, source: HiddenData, sandbox: Sandbox, trainer: Sandbox | None = None
    ) -> Self:
        """Return a grader of this assignment. Raises CourseError if its rubric can't be run."""
        items, codes = read_rubric(assignment.rubric), item_digests(assignment.rubric)
        versions = read_package_versions() | {"isolation": str(sandbox.isolation)}
        if trainer:
            versions["trained on"] = trainer.device
        expected = read_expectations(assignment)
        questions = questions_path(assignment.folder)
        answers = [questions.read_bytes()] if questions.is_file() else []
        engine = [path.read_bytes() for path in sorted(find_engine_modules())]
        facts = (
            source.identity,
            str(source.practice),
            str(versions),
            *sorted(expected.starter | expected.functions),
        )
        basis = digest(*(fact.encode("utf-8", "replace") for fact in facts), *answers, *engine)
        keys = []
        for index, item in enumerate(items):
            code = codes.get(item.__name__) or f"{index} {codes['']}"
            keys.append(digest(basis.encode(), item.__name__.encode(), code.encode()))
        rubric = digest(assignment.rubric.read_bytes(), *answers)
        versions |= {"rubric": rubric[:16], "data": source.identity[:16]}
        return cls(
            assignment.slug, items, source, Predictor(), sandbox, versions, basis, tuple(keys), trainer,
            expected=expected,
        )  # fmt: skip

    def fingerprint(self) -> dict[str, str]:
        """Return all that marks depend on beside the submission, by name; equal graders give equal marks."""
        fetched = ", ".join(self.source.fetched) or "nothing"
        return self.versions | {"fetched data": fetched, "basis": self.basis}

    def grade(self, raw: RawSubmission) -> GradedSubmission:
        """Return the report on a submission. Never raises for anything a student submits."""
        read = read_submission(raw, self.expected)
        results = self.run(read.raw, range(len(self.items)))
        return self.make_report(read, results, results)

    def compute_keys(self, read: ReadSubmission) -> tuple[str, ...]:
        """Return the key of each item's score; empty if it is not known what the score depends on."""
        return tuple(digest(key.encode(), read.digest.encode()) if read.digest else "" for key in self.keys)

    def run(self, raw: RawSubmission, indices: Sequence[int]) -> dict[int, ItemResult]:
        """Run the items at these indices, within the time for one submission."""
        submission, start = self.open_submission(raw), self.read_clock()
        results: dict[int, ItemResult] = {}
        for index in indices:
            if results and self.read_clock() - start > 60 * self.minutes:
                failure = Failure(
                    f"Expected all items to run within {self.minutes:g} minutes, "
                    f"they were stopped after {self.items[max(results)].__name__}.",
                    "Look for a function or a cell that takes long, or never ends.",
                )
                results |= self.fail(raw, [rest for rest in indices if rest not in results], failure)
                break
            results[index] = self.run_item(self.items[index], submission)
        submission.discard_child()
        return results

    def read_clock(self) -> float:
        """Return the time in seconds, without that in which a training waited for the GPU."""
        return time.monotonic() - (self.trainer.waited if self.trainer else 0.0)

    def run_item(self, item: Item, submission: Submission) -> ItemResult:
        """Run an item on a submission."""
        where = f"{sanitize(submission.student)}, {item.__name__}"
        self.watch(where)
        start = time.perf_counter()
        with hidden_from(self.source):
            run = run_item(item, submission, lambda line: self.watch(f"{where}: {line}"))
        return ItemResult(run.score, time.perf_counter() - start)

    def fail(self, raw: RawSubmission, indices: Iterable[int], error: Exception) -> dict[int, ItemResult]:
        """Return the results of items that did not run, as if each had raised `error`."""

        def fail_item(submission: Submission) -> None:
            raise error

        submission, results = open_submission(raw, self.expected), {}
        for index in indices:
            item = cast(Item, wraps(self.items[index])(fail_item))  # with the name, docstring and points
            results[index] = ItemResult(run_item(item, submission).score, 0.0, is_final=False)
        return results

    def make_report(
        self, read: ReadSubmission, results: dict[int, ItemResult], ran: Iterable[int]
    ) -> GradedSubmission:
        """Return the report on a submission from the result of each item; those at the indices `ran` ran now."""
        names = [item.__name__ for item in self.items]
        report = Report(
            sanitize(read.raw.student), self.assignment, tuple(results[index].score for index in range(len(names))),
            describe_data(self.source), self.versions, read.raw.origin, read.checksums, doubts=read.raw.doubts,
        )  # fmt: skip
        seconds = {name: results[index].seconds for index, name in enumerate(names)}
        return GradedSubmission(report, seconds, tuple(names[index] for index in sorted(ran)))

    def open_submission(self, raw: RawSubmission) -> Submission:
        """Return a submission for items to look at, with all that it shares with others."""
        return replace(
            open_submission(raw, self.expected),
            predictor=self.predictor, sandbox=self.sandbox, trainer=self.trainer, trainings=self.trainings,
        )  # fmt: skip


@dataclass(frozen=True)
class GraderFactory:
    """All that a process needs to make a Grader. It can be pickled, with the seed of the hidden data.

    Attributes:
        assignment: the assignment.
        source: the hidden data.
        device: "cpu" or "gpu", for training.
        isolation: of this machine; None: it is probed.
        trusted: students' code may run without isolation.
        minutes: the time for all items of one submission.
        private: folders and files to hide from students' code, beside the course's own.
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
        """The seconds after which a silent worker is killed; it reports each item and training."""
        return 60 * self.minutes + MARGIN

    @contextmanager
    def open(self, watch: Callable[[str], None] = lambda line: None) -> Iterator[Grader]:
        """Open a Grader and its sandboxes."""
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
        """Return the same for a copy of the course on another machine."""
        assignment = course.assignment(self.assignment.slug)
        return replace(self, assignment=assignment, source=self.source.at(course), isolation=None)


def find_engine_modules() -> set[Path]:
    """Return the modules that scores depend on: this one, and all that it imports, directly or not.

    A package counts as a whole; of this package only single modules do.
    """
    modules: set[Path] = set()
    pending = {ENGINE / "grading/_grader.py"}
    while pending:
        modules |= pending
        names = {name for path in pending for name in IMPORT.findall(path.read_text(encoding="utf-8"))}
        paths = [ENGINE / name.replace(".", "/") for name in names]
        files = {
            file
            for path in paths
            for file in (path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")])
        }
        pending = files - modules
    return modules


def read_author(path: Path, expected: Expected | None = None) -> str:
    """Return the signature of the work at `path`, on its author's own machine; without one, the folder's name.

    Args:
        path: a folder or an archive.
        expected: the facts by which the notebook is found.
    """
    name = path.resolve().name
    with suppress(Failure, NeedsReview):
        return open_submission(RawSubmission(name, path), expected or Expected()).signature or name
    return name


def read_expectations(assignment: Assignment) -> Expected:
    """Return what is known before any submission: the notebook's name and starter, and what items call.

    Args:
        assignment: the assignment, whose rubric and starter are read.
    """
    called = CALLED.findall(assignment.rubric.read_text(encoding="utf-8"))
    starter: frozenset[str] = frozenset()
    with suppress(OSError, Failure):
        starter = texts_of(read_cells(assignment.starter.name, assignment.starter.read_bytes()))
    return Expected(assignment.slug, frozenset(called), starter)


def describe_data(source: HiddenData) -> str:
    """Return one sentence on the data that the marks rest on."""
    if source.practice:
        return "Hidden data are not here: your TA scores what is marked as deferred."
    if source.is_demo:
        return "DEMO DATA, from the public seed, as there is no solutions/secret_seed: not for real marks."
    return f"Scored on hidden data of {f'the term {source.term}' if source.term else 'this term'}."


def read_package_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that marks depend on, without importing these."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return versions
