"""Marks and pages of feedback for a platform, in files that it takes back."""

from dataclasses import dataclass, replace
from pathlib import Path

from autograder.core import Course, CourseError, read_sheet
from autograder.grading._cache import write_atomically
from autograder.grading._results import OWN_FILES, SavedResults, read_results
from autograder.lms import _canvas as canvas
from autograder.lms import _moodle as moodle
from autograder.lms import _nbgrader as nbgrader
from autograder.lms import feedback_zip
from autograder.reports import results_json
from autograder.rubric import Report

FEEDBACK = "feedback.zip"
TABLES = {
    "canvas": "the gradebook that Canvas exports (Grades > Export)",
    "moodle": "the grading worksheet that Moodle gives (Download grading worksheet)",
}


@dataclass(frozen=True)
class ExportSummary:
    """What was written, a line each; and whose marks were left alone, with the reason."""

    lines: tuple[str, ...]
    left_alone: tuple[str, ...] = ()


def export(
    course: Course,
    results: Path,
    to: str,
    file: Path | None = None,
    filled: Path | None = None,
    column: str = "",
    unfinished: bool = False,
) -> ExportSummary:
    """Write the marks of the class in `results` for a platform, and a zip of the students' pages.

    file: the table that the platform exported, of which `filled` is to be a copy with the marks. column: Canvas's
    for this assignment, where its title does not tell. unfinished: also marks of which something is to be decided.
    Raises CourseError, in one line, for a table or column that does not fit.
    """
    saved = read_results(results)
    reports = saved.reports
    stopped = ()
    if saved.waiting:
        stopped = (
            f"{saved.waiting} submissions are not graded, as the run stopped: run `grade` again, then export.",
        )
    if to == "gradescope":
        return replace(write_gradescope(saved, results), left_alone=stopped)
    if to == "csv":
        return replace(
            write_generic_table(course, reports, filled or results / "export.csv"), left_alone=stopped
        )
    if file is None:
        raise CourseError(f"--to {to} fills in {TABLES[to]}: name it with --file.")
    filled = filled or results / output_name(file.name, to)
    if filled.resolve() == file.resolve():
        raise CourseError(
            f"{filled} is the table that was exported: name another for --as, it is not overwritten."
        )
    sheet, marks = read_sheet(file), [(report.origin, report) for report in reports]
    if to == "canvas":
        done = canvas.write_grades(
            sheet, marks, *column_titles(course, reports, column), unfinished=unfinished
        )
    else:
        done = moodle.write_grades(sheet, marks, unfinished)
    write_atomically(filled, done.text)
    lines = (
        f"{filled}: {done.written} marks in the column {done.column!r}",
        *done.warnings,
        zip_pages(saved, results),
    )
    return ExportSummary(lines, (*stopped, *done.untouched))


def column_titles(course: Course, reports: list[Report], column: str) -> tuple[str, str]:
    """Return the title of Canvas's column that a person gave, alone; or the assignment's title and name."""
    slug = reports[0].assignment if reports else ""
    return (column, "") if column or not slug else (course.assignment(slug).title, slug)


def output_name(name: str, to: str) -> str:
    """Return a name for the filled table that is none of the results' own."""
    return f"{to}_{name}" if name.casefold() in OWN_FILES else name


def zip_pages(saved: SavedResults, results: Path) -> str:
    """Zip the students' pages as the platform takes them back. Return a line about it."""
    students = [report.student for report in saved.reports]
    found = {student: (saved.folders[student] / "report.html").read_bytes() for student in students}
    archive = feedback_zip(saved.reports, found)
    (results / FEEDBACK).write_bytes(archive)
    return f"{results / FEEDBACK}: a page for each student, named as the platform takes them back"


def write_gradescope(saved: SavedResults, results: Path) -> ExportSummary:
    """Write `results.json` beside each report."""
    for report in saved.reports:
        write_atomically(saved.folders[report.student] / "results.json", results_json(report))
    return ExportSummary((f"{results}/<student>/results.json: {len(saved.reports)} written",))


def write_generic_table(course: Course, reports: list[Report], filled: Path) -> ExportSummary:
    """Write a table with the columns of nbgrader's export, which other systems read."""
    assignment = course.assignment(reports[0].assignment) if reports else None
    write_atomically(filled, nbgrader.grades(reports, assignment))
    return ExportSummary((f"{filled}: {len(reports)} marks, in the columns of nbgrader's export",))
