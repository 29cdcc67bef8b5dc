"""A platform's table of people: full names, logins, addresses and times that its zip does not tell."""

from collections.abc import Iterator
from datetime import tzinfo
from pathlib import Path

from autograder.core import CourseError, read_sheet, sanitize
from autograder.lms._dates import parse_time
from autograder.lms._matching import Roster
from autograder.lms._platforms import ROSTERS

EXPECTED = (
    "expected Canvas's gradebook (Student, ID, ..., Section), Moodle's grading worksheet (Identifier, Full name, ...) "
    "or Gradescope's table (First Name, Last Name, SID, Email, ...)"
)


def read_roster(path: Path | None, zone: tzinfo | None = None) -> Roster:
    """Return the people in the table at `path`. Raises CourseError, in one line, for a table of another kind."""
    if path is None:
        return Roster()
    sheet = read_sheet(path)
    for read_people, read_times in ROSTERS:
        people = read_people(sheet, zone)
        if people is not None:
            times = dict.fromkeys(text for text in read_times(sheet) if text not in ("", "-"))
            unread = [text for text in times if zone and not parse_time(text, zone)]
            return Roster(tuple(people), tuple(unread_line(path, unread)))
    raise CourseError(f"{path} is no table of people that is understood: {EXPECTED}.")


def unread_line(path: Path, unread: list[str]) -> Iterator[str]:
    """Yield a line on times that were not understood, if there are any."""
    if unread:
        several = f" and {len(unread) - 1} more" if len(unread) > 1 else ""
        advice = "these submissions count as in time; settle them with a row `days` in marks.csv"
        yield f"{path}: the time {sanitize(unread[0], 60)!r}{several} is not understood: {advice}."
