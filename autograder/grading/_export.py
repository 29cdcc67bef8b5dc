"""Exports marks and feedback pages to a learning platform, in the files that it imports."""

from dataclasses import dataclass
from pathlib import Path

from autograder.core import Course, CourseError, read_sheet, write_atomically
from autograder.grading._results import OWN_FILES, read_results
from autograder.lms import _canvas as canvas
from autograder.lms import _moodle as moodle
from autograder.lms import _nbgrader as nbgrader
from autograder.lms import feedback_zip
from autograder.lms._gradebook import FilledTable
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

    Args:
        course: the course.
        results: the folder that a grading run wrote.
        to: "canvas", "moodle", "gradescope" or "csv".
        file: the table that Canvas or Moodle exported.
        filled: where to write the copy of it with the marks.
        column: Canvas's column for this assignment, if its title does not tell.
        unfinished: also export marks of which something is still to be decided.

    Returns:
        Lines for the TA.

    Raises:
        CourseError: a table or a column does not fit.
    """
    saved = read_results(results)
    reports, left_alone = saved.reports, list[str]()
    if saved.waiting:
        advice = "as the run stopped: run `grade` again, then export."
        left_alone.append(f"{saved.waiting} submissions are not graded, {advice}")
    if to == "gradescope":
        for report in reports:
            write_atomically(saved.folders[report.student] / "results.json", results_json(report))
        lines = [f"{results}/<student>/results.json: {len(reports)} written"]
    elif to == "csv":
        filled = filled or results / "export.csv"
        assignment = course.assignment(reports[0].assignment) if reports else course.assignments[0]
        write_atomically(filled, nbgrader.grades(reports, assignment))
        lines = [f"{filled}: {len(reports)} marks, in the columns of nbgrader's export"]
    elif file is None:
        raise CourseError(f"--to {to} fills in {TABLES[to]}: name it with --file.")
    else:
        name = f"{to}_{file.name}" if file.name.casefold() in OWN_FILES else file.name
        filled = filled or results / name
        table = fill_table(course, reports, to, file, filled, column, unfinished)
        pages = {
            report.student: (saved.folders[report.student] / "report.html").read_bytes() for report in reports
        }
        write_atomically(results / FEEDBACK, feedback_zip(reports, pages))
        lines = [f"{filled}: {table.written} marks in the column {table.column!r}", *table.warnings]
        lines.append(f"{results / FEEDBACK}: a page for each student, named as the platform takes them back")
        left_alone += table.untouched
    return ExportSummary(tuple(lines), tuple(left_alone))


def fill_table(
    course: Course, reports: list[Report], to: str, file: Path, filled: Path, column: str, unfinished: bool
) -> FilledTable:
    """Write a copy of a platform's table with the marks."""
    if filled.resolve() == file.resolve():
        raise CourseError(
            f"{filled} is the table that was exported: name another for --as, it is not overwritten."
        )
    sheet, marks = read_sheet(file), [(report.origin, report) for report in reports]
    if to == "canvas":
        slug = reports[0].assignment if reports and not column else ""
        title = course.assignment(slug).title if slug else column
        table = canvas.write_grades(sheet, marks, title, slug, unfinished=unfinished)
    else:
        table = moodle.write_grades(sheet, marks, unfinished)
    write_atomically(filled, table.text)
    return table
