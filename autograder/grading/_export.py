"""Exports marks and feedback pages to a learning platform, in the files that it imports."""

from dataclasses import dataclass
from pathlib import Path

from autograder.core import Course, CourseError, read_sheet
from autograder.grading._cache import write_atomically
from autograder.grading._results import OWN_FILES, SavedResults, read_results
from autograder.lms import _canvas as canvas
from autograder.lms import _moodle as moodle
from autograder.lms import _nbgrader as nbgrader
from autograder.lms import feedback_zip
from autograder.reports import results_json

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
    saved, left_alone = read_results(results), []
    if saved.waiting:
        advice = "as the run stopped: run `grade` again, then export."
        left_alone.append(f"{saved.waiting} submissions are not graded, {advice}")
    if to == "gradescope":
        lines = write_gradescope(saved, results)
    elif to == "csv":
        lines = write_generic_table(course, saved, filled or results / "export.csv")
    elif file is None:
        raise CourseError(f"--to {to} fills in {TABLES[to]}: name it with --file.")
    else:
        lines, untouched = fill_table(
            course, saved, to, file, filled or results / output_name(file.name, to), column, unfinished
        )
        lines.append(zip_pages(saved, results))
        left_alone += untouched
    return ExportSummary(tuple(lines), tuple(left_alone))


def fill_table(
    course: Course, saved: SavedResults, to: str, file: Path, filled: Path, column: str, unfinished: bool
) -> tuple[list[str], tuple[str, ...]]:
    """Write a copy of a platform's table with the marks. Return lines about it, and about marks left alone."""
    if filled.resolve() == file.resolve():
        raise CourseError(
            f"{filled} is the table that was exported: name another for --as, it is not overwritten."
        )
    sheet, marks = read_sheet(file), [(report.origin, report) for report in saved.reports]
    if to == "canvas":
        slug = saved.reports[0].assignment if saved.reports and not column else ""
        title = course.assignment(slug).title if slug else column
        table = canvas.write_grades(sheet, marks, title, slug, unfinished=unfinished)
    else:
        table = moodle.write_grades(sheet, marks, unfinished)
    write_atomically(filled, table.text)
    return [
        f"{filled}: {table.written} marks in the column {table.column!r}",
        *table.warnings,
    ], table.untouched


def output_name(name: str, to: str) -> str:
    """Return a name for the filled table that is none of the results' own."""
    return f"{to}_{name}" if name.casefold() in OWN_FILES else name


def zip_pages(saved: SavedResults, results: Path) -> str:
    """Zip the students' pages as the platform imports them. Return a line about it."""
    students = [report.student for report in saved.reports]
    pages = {student: (saved.folders[student] / "report.html").read_bytes() for student in students}
    (results / FEEDBACK).write_bytes(feedback_zip(saved.reports, pages))
    return f"{results / FEEDBACK}: a page for each student, named as the platform takes them back"


def write_gradescope(saved: SavedResults, results: Path) -> list[str]:
    """Write `results.json` beside each report."""
    for report in saved.reports:
        write_atomically(saved.folders[report.student] / "results.json", results_json(report))
    return [f"{results}/<student>/results.json: {len(saved.reports)} written"]


def write_generic_table(course: Course, saved: SavedResults, filled: Path) -> list[str]:
    """Write a table with the columns of nbgrader's export, which other systems read."""
    reports = saved.reports
    assignment = course.assignment(reports[0].assignment) if reports else course.assignments[0]
    write_atomically(filled, nbgrader.grades(reports, assignment))
    return [f"{filled}: {len(reports)} marks, in the columns of nbgrader's export"]
