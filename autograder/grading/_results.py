"""The results of a class on disk: a folder for each student's report, and the tables and pages beside them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.core import CourseError, read_table, sanitize
from autograder.grading._cache import write_atomically
from autograder.lms import distinguish, file_name
from autograder.reports import (
    NOT_GRADED,
    Timing,
    class_html,
    grades_csv,
    left_out_csv,
    read_report,
    report_html,
    report_json,
    times_html,
)
from autograder.rubric import Report
from autograder.submissions import RawSubmission, suffix

GRADES, LEFT_OUT = "grades.csv", "left_out.csv"
OWN_FILES = {
    GRADES, LEFT_OUT, "answers.csv", "marks.csv", "index.html", "times.html", "integrity.html", "integrity.csv",
    "feedback.zip", "export.csv", ".scores", ".lock",
}  # fmt: skip


def is_submission(path: Path) -> bool:
    """Return a folder or an archive; a link to one counts, since the TA laid it there."""
    return path.is_dir() or (bool(suffix(path)) and path.is_file())


def require_submission(path: Path) -> Path:
    """`path` itself, or one line that says what it should have been."""
    if not is_submission(path):
        raise CourseError(f"{path} is neither a folder nor a .zip: name what holds your notebook and models.")
    return path


@dataclass(frozen=True)
class SavedResults:
    """A class as a run left it on disk: the reports in the order of `grades.csv`, and each student's folder.

    waiting: how many submissions were not graded when the run stopped early.
    """

    reports: list[Report]
    folders: dict[str, Path]
    waiting: int


def folder_names(students: Iterable[str]) -> dict[str, str]:
    """Return the name of each student's folder among the results of the class.

    All are different, on systems that ignore case as well, and clear of the class's own files.
    """
    own = {student: file_name(student) in OWN_FILES for student in students}
    students = sorted(own, key=lambda student: (own[student], student))
    names = (f"{student}_" if own[student] else student for student in students)
    return dict(zip(students, distinguish(names, file_name), strict=True))


def save_report(report: Report, title: str, folder: Path) -> None:
    """Write `report.html`, then `report.json`: where the second stands, the first is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "report.html", report_html(report, title))
    write_atomically(folder / "report.json", report_json(report))


def save_results(
    reports: Sequence[Report],
    title: str,
    took: Sequence[Timing],
    left_out: Mapping[str, str],
    told: Sequence[str],
    out: Path,
    waiting: Sequence[RawSubmission] = (),
) -> None:
    """Write the table of marks and the pages of the class beside the folders of its reports.

    title: the assignment's. told: what the TA should know of the class, a line each. waiting: the submissions that
    were not graded, as the run stopped early.
    """
    people = [
        *(report.student for report in reports),
        *(sanitize(handed_in.student) for handed_in in waiting),
    ]
    folders = {
        student: name for student, name in folder_names(people).items() if student in people[: len(reports)]
    }
    if waiting:
        told = (describe_partial_run(len(reports), len(people)), *told)
    write_atomically(out / GRADES, grades_csv(reports, waiting))
    write_atomically(out / LEFT_OUT, left_out_csv(left_out))
    write_atomically(out / "times.html", times_html(took, folders))
    write_atomically(out / "index.html", class_html(reports, left_out, folders, title, told))


def describe_partial_run(graded: int, total: int) -> str:
    """Return the line on a run that stopped early."""
    return (
        f"PARTIAL: {graded} of {total} submissions are graded, since the run stopped. Run it again to go on."
    )


def read_results(results: Path) -> SavedResults:
    """Return the class whose grades stand in the folder `results`.

    Raises CourseError where it is no folder of results, or a report of it can't be read.
    """
    if not (results / GRADES).is_file():
        raise CourseError(
            f"{results} holds no {GRADES}: name the folder that `autograder grade` wrote with --out."
        )
    rows = read_table(results / GRADES, ["student"]).rows
    folders = {
        student: results / name for student, name in folder_names(row["student"] for row in rows).items()
    }
    graded = [row["student"] for row in rows if row.get("status") != NOT_GRADED]
    reports = []
    for student in graded:
        path = folders[student] / "report.json"
        try:
            reports.append(read_report(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            raise CourseError(
                f"{path} can't be read: run `autograder grade` again, which writes it."
            ) from None
    return SavedResults(reports, folders, len(rows) - len(graded))
