"""Grading: one submission against a rubric, and a class against the same; what was graded before is kept."""

import hashlib
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from autograder.answers import FILE as ANSWERS
from autograder.answers import answered, answers_csv, read_answers, rows_of
from autograder.classroom import folder_name, save_report, saved_report, write
from autograder.course import Assignment
from autograder.failure import Failure, plain
from autograder.files import open_files, refuse_size
from autograder.hidden import HiddenData
from autograder.models import Predictor
from autograder.reports.table import grades_csv
from autograder.rubric import Item, Report, hidden_from, read_rubric, score
from autograder.sandbox import Sandbox
from autograder.submission import Submission

ENGINE = Path(__file__).parent
PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "numpy")


@dataclass(frozen=True)
class Grader:
    """Grades submissions of one assignment; holds what they share: items, data, traced models, equal trainings.

    basis: stands for everything but the submission that a mark depends on; equal bases give equal marks.
    trainer: the sandbox for training, where it is another. watch: is told what is being done, in a line.
    """

    assignment: str
    items: tuple[Item, ...]
    source: HiddenData
    predictor: Predictor
    sandbox: Sandbox
    versions: dict[str, str]
    basis: str
    trainer: Sandbox | None = None
    watch: Callable[[str], None] = lambda line: None
    trainings: dict[str, tuple] = field(default_factory=dict)

    @classmethod
    def of(
        cls, assignment: Assignment, source: HiddenData, sandbox: Sandbox, trainer: Sandbox | None = None
    ) -> "Grader":
        made_with = versions() | {"isolation": str(sandbox.isolation)}
        if trainer:
            made_with["trained on"] = trainer.device
        engine = (path.read_bytes() for path in sorted(ENGINE.rglob("*.py")))  # a mended grader grades anew
        parts = source.identity, str(source.practice), str(made_with)
        basis = digest(assignment.rubric.read_bytes(), *map(str.encode, parts), *engine)
        items = read_rubric(assignment.rubric)
        return cls(assignment.slug, items, source, Predictor(), sandbox, made_with, basis, trainer)

    def grade(self, path: Path, student: str) -> Report:
        """The report on the submission at `path`. Never raises for what a student handed in."""
        submission = self.submission(path, student)
        with hidden_from(self.source):
            scores = tuple(score(item, self.watched(submission, item)) for item in self.items)
        data, fingerprint = describe(self.source), self.fingerprint(path, student)
        return Report(plain(student), self.assignment, scores, data, self.versions, fingerprint)

    def submission(self, path: Path, student: str) -> Submission:
        """The submission at `path`, with what it shares with the others."""
        shared = {"trainer": self.trainer, "trainings": self.trainings}
        return Submission(student, path, self.predictor, self.sandbox, **shared)

    def watched(self, submission: Submission, item: Item) -> Submission:
        """The submission as one item sees it: what it says of its progress names both."""
        where = f"{plain(submission.student)}, {item.__name__}"
        self.watch(where)
        return replace(submission, watch=lambda line: self.watch(f"{where}: {line}"))

    def fingerprint(self, path: Path, student: str) -> str:
        """Stands for the submission at `path` and all that its marks depend on; empty where it can't be read."""
        try:
            basis = self.basis.encode(), student.encode()  # some marks rest on numbers drawn from the name
            if not path.is_dir():
                refuse_size(path.name, path.stat().st_size)
                return digest(*basis, path.read_bytes())
            files = open_files(path)
            parts = (part for name in sorted(files.names) for part in (name.encode(), files.read(name)))
            return digest(*basis, *parts)
        except (Failure, OSError, UnicodeError):
            return ""


def grade_class(
    grader: Grader, submissions: dict[str, Path], out: Path, fresh: bool = False
) -> Iterator[Report]:
    """Grades each submission and saves its report at once; the tables are written however the run ends.

    A report in `out` from an earlier run is kept where nothing it depends on has changed, unless `fresh`; what a
    person wrote into `answers.csv` there is taken over always.
    """
    reports, read = [], read_answers(out / ANSWERS)
    out.mkdir(parents=True, exist_ok=True)
    try:
        for student, path in submissions.items():
            folder = out / folder_name(student)
            kept = None if fresh else kept_report(grader, path, student, folder)
            report = answered(kept or grader.grade(path, student), read)
            if report != kept:
                save_report(report, folder)
            reports.append(report)
            yield report
    finally:
        write(out / "grades.csv", grades_csv(reports))
        if rows := rows_of(reports, read):
            write(out / ANSWERS, answers_csv(rows))


def kept_report(grader: Grader, path: Path, student: str, folder: Path) -> Report | None:
    """The saved report, if it is decided and would come out the same today."""
    report = saved_report(folder)
    if report is None or report.status not in ("graded", "to read"):
        return None
    return report if report.fingerprint == grader.fingerprint(path, student) != "" else None


def author(path: Path) -> str:
    """Who signed the work at `path`, for a student's own machine; the folder's name where nobody did."""
    name = path.resolve().name
    try:
        return Submission(name, path, Predictor(), sandbox=None).signature or name
    except Failure:
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


def digest(*parts: bytes) -> str:
    """SHA-256 of several parts, each told from the next."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()
