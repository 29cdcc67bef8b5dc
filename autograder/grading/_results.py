"""The results of a class on disk: a folder with each student's report, and the tables and pages beside them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.core import CourseError, read_table, sanitize, write_atomically
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


def require_submission(path: Path) -> Path:
    """Return `path`, which shall be a folder or an archive; a link to one counts.

    Args:
        path: what a person names as a submission.

    Raises:
        CourseError: it is neither.
    """
    if not (path.is_dir() or (suffix(path) and path.is_file())):
        raise CourseError(f"{path} is neither a folder nor a .zip: name what holds your notebook and models.")
    return path


@dataclass(frozen=True)
class SavedResults:
    """A class as a run left it on disk.

    reports: in the order of `grades.csv`. folders: each student's. waiting: how many were not graded.
    """

    reports: list[Report]
    folders: dict[str, Path]
    waiting: int


def name_folders(students: Iterable[str]) -> dict[str, str]:
    """Return the name of each student's folder among the results of the class.

    All are different, on systems that ignore case as well, and differ from the class's own files.
    """
    is_taken = {student: file_name(student) in OWN_FILES for student in students}
    students = sorted(is_taken, key=lambda student: (is_taken[student], student))
    names = (f"{student}_" if is_taken[student] else student for student in students)
    return dict(zip(students, distinguish(names, file_name), strict=True))


def save_report(report: Report, title: str, folder: Path) -> None:
    """Write `report.html`, then `report.json`: where the second exists, the first is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "report.html", report_html(report, title))
    write_atomically(folder / "report.json", report_json(report))


def save_results(
    reports: Sequence[Report],
    title: str,
    timings: Sequence[Timing],
    left_out: Mapping[str, str],
    notices: Sequence[str],
    out: Path,
    waiting: Sequence[RawSubmission] = (),
) -> None:
    """Write the table of marks and the pages of the class beside the folders of its reports.

    title: the assignment's. notices: lines for the TA. waiting: submissions that an interrupted run did not grade.
    """
    graded = [report.student for report in reports]
    students = [*graded, *(sanitize(raw.student) for raw in waiting)]
    names = name_folders(students)
    folders = {student: name for student, name in names.items() if student in set(graded)}
    if waiting:
        notices = (describe_partial_run(len(reports), len(students)), *notices)
    write_atomically(out / GRADES, grades_csv(reports, waiting))
    write_atomically(out / LEFT_OUT, left_out_csv(left_out))
    write_atomically(out / "times.html", times_html(timings, folders))
    write_atomically(out / "index.html", class_html(reports, left_out, folders, title, notices))


def describe_partial_run(graded: int, total: int) -> str:
    """Return the line on a run that stopped early.

    Args:
        graded: how many submissions have a report.
        total: how many there are.
    """
    return (
        f"PARTIAL: {graded} of {total} submissions are graded, since the run stopped. Run it again to go on."
    )


def read_results(results: Path) -> SavedResults:
    """Return the class whose results lie in a folder. Raises CourseError if they can't be read."""
    if not (results / GRADES).is_file():
        raise CourseError(
            f"{results} holds no {GRADES}: name the folder that `autograder grade` wrote with --out."
        )
    rows = read_table(results / GRADES, ["student"]).rows
    names = name_folders(row["student"] for row in rows)
    folders = {student: results / name for student, name in names.items()}
    reports = []
    for row in (row for row in rows if row.get("status") != NOT_GRADED):
        path = folders[row["student"]] / "report.json"
        try:
            reports.append(read_report(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            raise CourseError(
                f"{path} can't be read: run `autograder grade` again, which writes it."
            ) from None
    return SavedResults(reports, folders, len(rows) - len(reports))
