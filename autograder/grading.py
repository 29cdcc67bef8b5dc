"""Grading: one submission against a rubric, and a folder of submissions against the same."""

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from autograder.course import Assignment, CourseError
from autograder.failure import plain
from autograder.hidden import HiddenData
from autograder.models import Predictor
from autograder.reports.page import report_html
from autograder.reports.record import report_json
from autograder.reports.table import grades_csv
from autograder.rubric import Item, Report, hidden_from, read_rubric, score
from autograder.submission import Submission

PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "numpy")


@dataclass(frozen=True)
class Grader:
    """Grades submissions of one assignment; holds what they share: items, hidden data, traced models."""

    assignment: str
    items: tuple[Item, ...]
    source: HiddenData | None
    predictor: Predictor
    versions: dict[str, str]

    @classmethod
    def of(cls, assignment: Assignment, source: HiddenData | None) -> "Grader":
        return cls(assignment.slug, read_rubric(assignment.rubric), source, Predictor(), versions())

    def grade(self, path: Path, student: str) -> Report:
        """The report on the submission at `path`. Never raises for what a student handed in."""
        submission = Submission(student, path, self.predictor)
        with hidden_from(self.source):
            scores = tuple(score(item, submission) for item in self.items)
        return Report(plain(student), self.assignment, scores, describe(self.source), self.versions)


def grade_class(grader: Grader, submissions: dict[str, Path], out: Path) -> Iterator[Report]:
    """Grades each submission and writes its report at once; `grades.csv` is written however the run ends."""
    reports = []
    out.mkdir(parents=True, exist_ok=True)
    try:
        for student, path in submissions.items():
            reports.append(grader.grade(path, student))
            write_report(reports[-1], out / folder_name(student))
            yield reports[-1]
    finally:
        write(out / "grades.csv", grades_csv(reports))


def find_submissions(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """Submissions in `folder` by student, each a sub-folder or a .zip; and the names of what was left out."""
    expected = "expected one that holds a folder or a .zip for each student"
    if not folder.is_dir():
        raise CourseError(f"{folder} is no folder: {expected}.")
    entries = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__")))
    if any(path.suffix in {".keras", ".ipynb"} for path in entries):
        advice = "Name the folder above it, or use `autograder check`"
        raise CourseError(f"{folder} looks like one submission: {expected}. {advice}.")
    found = {}
    for path in filter(is_submission, entries):
        student = path.name if path.is_dir() else path.stem
        found[path.name if student in found else student] = path
    if not found:
        raise CourseError(f"{folder} holds no submission: {expected}.")
    return found, [path.name for path in entries if path not in found.values()]


def is_submission(path: Path) -> bool:
    """A folder or a .zip archive; a link to one counts, since the TA laid it there."""
    return path.is_dir() or (path.suffix.lower() == ".zip" and path.is_file())


def require_submission(path: Path) -> Path:
    """`path` itself, or one line that says what it should have been."""
    if not is_submission(path):
        raise CourseError(f"{path} is neither a folder nor a .zip: name what holds your notebook and models.")
    return path


def folder_name(student: str) -> str:
    """The name of the student's folder under --out, clear of the class's own files."""
    return f"{student}_" if student.casefold() in {"grades.csv", "index.html"} else student


def write_report(report: Report, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "report.json", report_json(report))
    write(folder / "report.html", report_html(report))


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="replace", newline="\n")


def describe(source: HiddenData | None) -> str:
    """One sentence on the data that the marks rest on."""
    if source is None:
        return "Hidden data are not here: your TA scores what is marked as deferred."
    if source.is_demo:
        return "DEMO DATA, from the public seed, as there is no solutions/secret_seed: not for real marks."
    return "Scored on hidden data of this term."


def versions() -> dict[str, str]:
    """Versions of what a mark depends on, without importing any of it."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
