"""Moodle: the zip of all submissions, and the offline grading worksheet that marks go back into.

Names in the zip: `Ann Lee_1234_assignsubmission_file_/work.ipynb`, or the same without a folder. The worksheet's
titles are in the language of the site. Where they are not English, a column is known by what it holds: the first
by cells like `Participant 1234`; the maximum grade as the last column whose every cell is one and the same number,
with the grade before it; the e-mail address by its sign; the time of submission two columns right of the maximum.
"""

import math
import re
from collections.abc import Callable, Sequence
from datetime import tzinfo

from autograder.core import CourseError, Sheet, sanitize
from autograder.lms._dates import parse_time
from autograder.lms._export import Export
from autograder.lms._gradebook import FilledTable, Marks, Table, fill_marks
from autograder.lms._matching import Claims, Upload, by_name
from autograder.lms._readings import Reading, decide
from autograder.rubric import Report
from autograder.submissions import Submitter

OWNER = re.compile(
    r"_(?P<user>[0-9]+)_assignsubmission_(?P<kind>file|onlinetext)(?=_?[/_]?(?P<rest>.))", re.DOTALL
)
IDENTIFIER = re.compile(r"(?P<word>\D*?)\s*(?P<id>\d+)")
ANONYMOUS = "Participant"
EXPECTED = "expected Moodle's grading worksheet, with the columns Identifier, Grade and Maximum Grade"


def recognises(export: Export) -> bool:
    """Return True if most of the files lie where Moodle puts what is handed in."""
    found = [bool(readings(name)) for name in export.names]
    return 2 * sum(found) > len(found)


def read(export: Export, people: Sequence[Submitter] = ()) -> Claims:
    """Return one submission for each participant or team; typed text counts only where it is all there is.

    people: those of the worksheet, where there is one; they decide between several readings of a file's name.
    """
    options = {name: readings(name) for name in export.names}
    decided = decide({name: found for name, found in options.items() if found}, people)
    others = (name for name, found in options.items() if not found)
    left_out = decided.left_out | dict.fromkeys(others, "not named as Moodle names what is handed in")
    owners: dict[tuple[str, str], list[Reading]] = {}  # a team may have the number of another's participant
    for reading in decided.readings:
        owners.setdefault((reading.user, reading.name), []).append(reading)
    uploads = []
    for own in owners.values():
        taken = [reading for reading in own if reading.kind == "file"] or own
        typed = [reading.whole for reading in own if reading not in taken]
        left_out |= dict.fromkeys(typed, "text that was typed into Moodle, no file")
        uploads.append(upload(taken))
    return Claims("moodle", uploads, left_out, decided.doubts)


def readings(name: str) -> list[Reading]:
    """Return each way to read the name of a file as one that Moodle gave it: ids follow a name without a slash."""
    end = name.find("/") + 1 or len(name)
    owners = [match for match in OWNER.finditer(name) if match.start() < end]
    return [
        Reading(name, name[: match.start()], match["user"], name[match.start("rest") :], kind=match["kind"])
        for match in owners
    ]


def upload(own: list[Reading]) -> Upload:
    """Return one participant's files as an upload."""
    first = own[0]
    name = "" if first.name == ANONYMOUS else first.name
    origin = Submitter("moodle", first.user, sanitize(name), prefix=first.whole.removesuffix(first.file))
    files = {reading.file: reading.whole for reading in own}
    return Upload(origin, files, by_name(first.name, first.user))


def people(sheet: Sheet, zone: tzinfo | None = None) -> list[Submitter] | None:
    """Return the people of a worksheet, with times of submission; None for another table."""
    table = Table(sheet)
    ids = identifiers(table)
    if not ids:
        return None
    name, email = name_column(table), column_of(table, "email address", lambda text: "@" in text)
    time = time_column(table)
    found = []
    for id, row in ids.items():
        called, address, when = (cell(table, row, column) for column in (name, email, time))
        found.append(Submitter("moodle", id, called, email=address, submitted=parse_time(when, zone)))
    return found


def times(sheet: Sheet) -> list[str]:
    """Return the times of submission as they stand in the worksheet."""
    table = Table(sheet)
    return [cell(table, row, time_column(table)) for row in identifiers(table).values()]


def time_column(table: Table) -> int | None:
    """Return the column of the time of submission: the one of this title, else the second after the maximum grade."""
    highest = maximum_column(table)
    return column_of(table, "last modified (submission)") or (highest and highest + 2)


def write_grades(sheet: Sheet, marks: Marks, unfinished: bool = False) -> FilledTable:
    """Return the worksheet with these marks in its grade column, all else byte for byte as it was.

    Raises CourseError, in one line, for another table.
    """
    table = Table(sheet)
    ids, highest = identifiers(table), maximum_column(table)
    grade = grade_column(table, highest)
    if not ids or not grade or not highest:
        raise CourseError(f"{sheet.path} is no worksheet of Moodle: {EXPECTED}.")

    def too_high(row: int, report: Report) -> str:
        most = table.number(row, highest)
        too_many = f"{report.earned:.2f} is above Moodle's maximum grade {most:g}, and would be skipped"
        return too_many if report.earned > most else ""

    comma = sheet.decimal_comma(table.at(row, column) for row in table.rows for column in (grade, highest))
    result = fill_marks(sheet, marks, people(sheet) or (), ids, grade, comma, too_high, unfinished)
    return result.warned(differing_maximum(table, highest, marks))


def differing_maximum(table: Table, highest: int, marks: Marks) -> list[str]:
    """Return a line where Moodle's maximum grade is another than the assignment's points."""
    maxima = {table.number(row, highest) for row in identifiers(table).values()}
    possible = {report.possible for _, report in marks}
    if possible <= maxima:
        return []
    listed = (", ".join(f"{points:g}" for points in sorted(some)) for some in (maxima, possible))
    return ["Moodle's maximum grade is {}, the assignment has {} points.".format(*listed)]


def identifiers(table: Table) -> dict[str, int]:
    """Return the rows by participant id; none unless the first column has nothing else, with one word before it."""
    found = {
        row: IDENTIFIER.fullmatch(table.at(row, 0).strip())
        for row in table.rows
        if any(table.sheet.texts(row))
    }
    matches = {row: match for row, match in found.items() if match}
    words = {match["word"] for match in matches.values()}
    if len(words) != 1 or len(matches) < len(found) or table.width < 4:
        return {}
    is_english = table.header[:1] == ["identifier"]
    return {match["id"]: row for row, match in matches.items()} if is_english or words != {""} else {}


def column_of(table: Table, title: str, holds: Callable[[str], bool] = lambda text: False) -> int | None:
    """Return the column of this title, else the first of which more than half of the cells hold what it should."""
    if title in table.header:
        return table.header.index(title)
    for column in range(1, table.width):
        if 2 * sum(holds(table.at(row, column)) for row in table.rows) > len(table.rows):
            return column
    return None


def maximum_column(table: Table) -> int | None:
    """Return the column of the maximum grade."""
    if "maximum grade" in table.header:
        return table.header.index("maximum grade")
    rows = identifiers(table).values()
    cells = {column: [table.number(row, column) for row in rows] for column in range(2, table.width)}
    same = [column for column, found in cells.items() if found and all(cell == found[0] for cell in found)]
    return same[-1] if same else None


def grade_column(table: Table, highest: int | None) -> int | None:
    """Return the column of the grade: the one of this title, or, in another language, the one before the maximum."""
    if "grade" in table.header or "maximum grade" in table.header:
        return table.header.index("grade") if "grade" in table.header else None
    if not highest:
        return None
    cells = {table.at(row, highest - 1).strip() for row in identifiers(table).values()}
    is_grade = all(text in ("", "-") or not math.isnan(table.sheet.number(text)) for text in cells)
    return highest - 1 if is_grade else None


def name_column(table: Table) -> int | None:
    """Return the column of full names, which a worksheet without names lacks."""
    if table.header[:1] == ["identifier"]:
        return table.header.index("full name") if "full name" in table.header else None
    names = [table.at(row, 1) for row in identifiers(table).values()]
    return 1 if 2 * len(set(names)) > len(names) else None


def cell(table: Table, row: int, column: int | None) -> str:
    """Return the text of a cell, cleaned; empty where there is no such column."""
    return sanitize(table.at(row, column)) if column is not None else ""
