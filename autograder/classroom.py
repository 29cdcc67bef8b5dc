"""A class on disk: the submissions in a folder, and the reports in another."""

import os
from pathlib import Path

from autograder.course import CourseError
from autograder.files import suffix
from autograder.reports.page import report_html
from autograder.reports.record import read_report, report_json
from autograder.rubric import Report


def find_submissions(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """Submissions in `folder` by student, each a sub-folder or an archive; and the names of what was left out."""
    expected = "expected one that holds a folder or an archive (.zip, .tar, .tar.gz) for each student"
    if not folder.is_dir():
        raise CourseError(f"{folder} is no folder: {expected}.")
    entries = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__")))
    if any(path.suffix in {".keras", ".ipynb"} for path in entries):
        advice = "Name the folder above it, or use `autograder check`"
        raise CourseError(f"{folder} looks like one submission: {expected}. {advice}.")
    found = {}
    for path in filter(is_submission, entries):
        student = path.name if path.is_dir() else path.name.removesuffix(suffix(path))
        found[path.name if student in found else student] = path
    if not found:
        raise CourseError(f"{folder} holds no submission: {expected}.")
    return found, [path.name for path in entries if path not in found.values()]


def is_submission(path: Path) -> bool:
    """A folder or an archive; a link to one counts, since the TA laid it there."""
    return path.is_dir() or (bool(suffix(path)) and path.is_file())


def require_submission(path: Path) -> Path:
    """`path` itself, or one line that says what it should have been."""
    if not is_submission(path):
        raise CourseError(f"{path} is neither a folder nor a .zip: name what holds your notebook and models.")
    return path


def folder_name(student: str) -> str:
    """The name of the student's folder among the results, clear of the class's own files."""
    return f"{student}_" if student.casefold() in {"grades.csv", "answers.csv", "index.html"} else student


def save_report(report: Report, folder: Path) -> None:
    """Writes `report.html`, then `report.json`: where the second stands, the first is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "report.html", report_html(report))
    write(folder / "report.json", report_json(report))


def saved_report(folder: Path) -> Report | None:
    """The report that an earlier run left in `folder`, if there is one and it can be read."""
    try:
        return read_report((folder / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write(path: Path, text: str) -> None:
    """Writes a file whole or not at all, however the run ends."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8", errors="replace", newline="\n")
    os.replace(draft, path)
