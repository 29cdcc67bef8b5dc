"""When something was handed in: the platforms' ways to write a time, as ISO 8601 with an offset from UTC."""

import re
import warnings
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from dateutil import parser

LONGEST = 100  # characters
YEAR_FIRST = re.compile(r"\d{4}-\d\d-\d\d")  # then comes the month
GAPS = datetime(2000, 1, 1), datetime(2001, 2, 2, 1, 1)  # what stands in for parts that a text leaves out


def moment(text: str, zone: tzinfo | None = None) -> str:
    """The time that `text` tells, of `zone` where it names none itself; empty where it can be read in two ways."""
    text, own_zone = zone_at_the_end(text.strip()[:LONGEST])
    orders = (False,) if YEAR_FIRST.match(text) else (True, False)
    readings = {reading(text, gap, dayfirst) for gap in GAPS for dayfirst in orders}
    time = readings.pop()
    return "" if readings or time is None else iso(time, own_zone or zone)


def iso(time: datetime, zone: tzinfo | None = UTC) -> str:
    """A time as text; empty where its offset from UTC is not known."""
    time = time if time.tzinfo or zone is None else time.replace(tzinfo=zone)
    return time.isoformat(timespec="seconds") if time.tzinfo else ""


def zone_at_the_end(text: str) -> tuple[str, ZoneInfo | None]:
    """A text that ends with a zone's name, as nbgrader writes it ("America/Los_Angeles"), parted from it."""
    start, _, name = text.rpartition(" ")
    try:
        return (start, ZoneInfo(name)) if "/" in name or name == "UTC" else (text, None)
    except (KeyError, ValueError, OSError):
        return text, None


def reading(text: str, gap: datetime, dayfirst: bool) -> datetime | None:
    """One way to read the text; none where it is no time."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of a zone whose name is not understood
        try:
            time = parser.parse(text, default=gap, dayfirst=dayfirst)
            time.utcoffset()  # a zone a day away is made, and refuses only here
            return time
        except (ValueError, OverflowError, Warning):
            return None
