"""Grading: one submission against a rubric, item by item; what was graded before is kept."""

import hashlib
import platform
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from autograder.course import Assignment
from autograder.dependence import digest, item_codes
from autograder.failure import Failure, plain
from autograder.files import Files
from autograder.handed_in import HandedIn
from autograder.hidden import HiddenData
from autograder.kept import Kept
from autograder.models import Predictor
from autograder.rubric import Item, Report, Score, hidden_from, read_rubric, score
from autograder.sandbox import Sandbox
from autograder.submission import Submission

ENGINE = Path(__file__).parent
BESIDE = {  # parts of the engine that no score rests on: they read a class, render, release, prove
    "answers.py", "bundle.py", "classroom.py", "cli.py", "doctor.py", "exporting.py", "grading.py", "gradescope.py",
    "integrity", "kept.py", "late.py", "marks.py", "packing.py", "platforms", "release.py", "reports", "skeleton.py",
    "spreadsheets.py", "verify",
}  # fmt: skip
MOST_READ = 256 * 2**20  # bytes of a submission that are read to tell whether it has changed
PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "numpy", "pandas", "scikit-learn", "scipy")


@dataclass(frozen=True)
class Graded:
    """A report, and how it came about: the seconds that each item took, now or when it was graded; which ran now."""

    report: Report
    seconds: dict[str, float]
    ran: tuple[str, ...]


@dataclass(frozen=True)
class Grader:
    """Grades submissions of one assignment; holds what they share: items, data, traced models, equal trainings.

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
    trainings: dict[str, tuple] = field(default_factory=dict)

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
        made_with |= {"rubric": digest(assignment.rubric.read_bytes())[:16], "data": identity[:16]}
        codes = item_codes(assignment.rubric)
        return cls(
            assignment.slug, items, source, Predictor(), sandbox, made_with, codes, basis, trainer=trainer
        )

    def grade(self, handed: HandedIn, kept: Kept | None = None) -> Graded:
        """The report on what was handed in. Never raises for what a student handed in.

        Where `kept` holds an item's score that would come out again, the item is not run.
        """
        submission = self.submission(handed)
        sums, whole = checksums(submission)
        state = (whole, signer(submission)) if whole else ()
        scores, seconds, ran = [], {}, []
        for place, item in enumerate(self.items):
            name, key = item.__name__, self.key(state, place)
            known = kept.get(key) if kept else None
            if known is None:
                known = self.timed(item, submission)
                ran.append(name)
                if kept:
                    kept.put(key, *known)
            scores.append(known[0])
            seconds[name] = known[1]
        report = Report(
            plain(handed.student), self.assignment, tuple(scores), describe(self.source), self.versions,
            handed.origin, sums,
        )  # fmt: skip
        return Graded(report, seconds, tuple(ran))

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


def engine_code() -> Iterator[bytes]:
    """The parts of the engine that scores rest on: a mended grader grades anew."""
    for path in sorted(ENGINE.rglob("*.py")):
        if path.relative_to(ENGINE).parts[0] not in BESIDE:
            yield path.read_bytes()


def checksums(submission: Submission) -> tuple[dict[str, str], str]:
    """The SHA-256 of each file that was handed in, by its path; and a digest of them all.

    A file, or a whole submission, that can't be read counts by what is said of it, as it does for the items. The
    digest is empty where there is too much to read it all.
    """
    try:
        files = submission.files
    except Failure as failure:
        return {}, digest(str(failure).encode())
    sums, read = {}, 0
    for name in sorted(files.names):
        sums[name], size = checksum(files, name)
        read += size
        if read > MOST_READ:
            return {}, ""
    whole = digest(*(part.encode("utf-8", "surrogatepass") for pair in sums.items() for part in pair))
    return {plain(name): found for name, found in sums.items()}, whole


def checksum(files: Files, name: str) -> tuple[str, int]:
    """The SHA-256 of a file, as any tool computes it, and its size; why not, for one that can't be read."""
    try:
        content = files.read(name)
        return hashlib.sha256(content).hexdigest(), len(content)
    except Failure as failure:
        return str(failure), 0


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
