"""The results of a class on disk: a folder for each student's report, and the tables and pages beside them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder.course import CourseError
from autograder.files import suffix
from autograder.kept import write
from autograder.reports.class_page import Took, class_html, times_html
from autograder.reports.page import report_html
from autograder.reports.record import read_report, report_json
from autograder.reports.table import grades_csv, left_out_csv
from autograder.rubric import Report
from autograder.spreadsheets import records

GRADES, LEFT_OUT = "grades.csv", "left_out.csv"
OWN_FILES = {
    GRADES, LEFT_OUT, "answers.csv", "marks.csv", "index.html", "times.html", "integrity.html", "integrity.csv",
    "feedback.zip", "export.csv",
}  # fmt: skip


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
    return f"{student}_" if student.casefold() in OWN_FILES else student


def save_report(report: Report, title: str, out: Path) -> None:
    """Writes `report.html`, then `report.json`: where the second stands, the first is whole."""
    folder = out / folder_name(report.student)
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "report.html", report_html(report, title))
    write(folder / "report.json", report_json(report))


def save_class(
    reports: Sequence[Report],
    title: str,
    took: Sequence[Took],
    left_out: Mapping[str, str],
    told: Sequence[str],
    out: Path,
) -> None:
    """Writes the table of marks and the pages of the class beside the folders of its reports.

    title: the assignment's. told: what the TA should know of the class, a line each.
    """
    folders = {report.student: folder_name(report.student) for report in reports}
    write(out / GRADES, grades_csv(reports))
    write(out / LEFT_OUT, left_out_csv(left_out))
    write(out / "times.html", times_html(took, folders))
    write(out / "index.html", class_html(reports, left_out, folders, title, told))


def saved_reports(results: Path) -> list[Report]:
    """The reports of the class whose grades stand in the folder `results`, in the order of `grades.csv`.

    Raises CourseError where it is no folder of results, or a report of it can't be read.
    """
    if not (results / GRADES).is_file():
        raise CourseError(
            f"{results} holds no {GRADES}: name the folder that `autograder grade` wrote with --out."
        )
    reports = []
    for row in records(results / GRADES, ["student"]):
        path = results / folder_name(row["student"]) / "report.json"
        try:
            reports.append(read_report(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            raise CourseError(
                f"{path} can't be read: run `autograder grade` again, which writes it."
            ) from None
    return reports
