"""A platform's table of people: full names, logins, addresses and times that its zip does not tell."""

from collections.abc import Iterable
from datetime import tzinfo
from pathlib import Path

from autograder.course import CourseError
from autograder.handed_in import Origin
from autograder.platforms import canvas, gradescope, moodle
from autograder.platforms.people import Roster
from autograder.spreadsheets import Sheet, read_sheet

EXPECTED = (
    "expected Canvas's gradebook (Student, ID, ..., Section), Moodle's grading worksheet (Identifier, Full name, ...) "
    "or Gradescope's table (First Name, Last Name, SID, Email, ...)"
)


def read_roster(path: Path | None, zone: tzinfo | None = None) -> Roster:
    """The people in the table at `path`. Raises CourseError, in one line, for a table of another kind."""
    if path is None:
        return Roster()
    sheet = read_sheet(path)
    for people in known(sheet, zone):
        if people is not None:
            return Roster(tuple(people))
    raise CourseError(f"{path} is no table of people that is understood: {EXPECTED}.")


def known(sheet: Sheet, zone: tzinfo | None) -> Iterable[list[Origin] | None]:
    """The people in the sheet as each platform reads it."""
    yield gradescope.people(sheet, zone)
    yield canvas.people(sheet)
    yield moodle.people(sheet, zone)
