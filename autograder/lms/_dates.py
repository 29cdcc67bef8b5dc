"""When something was handed in: the platforms' ways to write a time, as ISO 8601 with an offset from UTC."""

import re
import unicodedata
import warnings
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from dateutil import parser

from autograder.lms._months import find_month, fold_text

MAX_TEXT = 100  # characters
YEAR_FIRST = re.compile(r"\d{4}-\d\d-\d\d")  # then comes the month
CLOCK = re.compile(
    r"(?P<hour>[0-9]{1,2})[:.h](?P<minute>[0-5][0-9])(?:[:.](?P<second>[0-5][0-9]))?\s*(?!.*[0-9])"
)
EAST_ASIAN = re.compile(r"([0-9]{4})\s*[年년]\s*([0-9]{1,2})\s*[月월]\s*([0-9]{1,2})\s*[日일]")
EAST_ASIAN_WEEKDAY = re.compile(r"\(.*?\)|星期.|週.|周.|.曜日?|.요일")
WORD = re.compile(r"[^\W\d_]+")
HALVES = {
    "am": "am", "pm": "pm", "上午": "am", "下午": "pm", "午前": "am", "午後": "pm", "오전": "am", "오후": "pm",
    "πμ": "am", "μμ": "pm", "öö": "am", "ös": "pm", "de": "am", "du": "pm", "fm": "am", "em": "pm",
}  # fmt: skip
FOLDED_HALVES = {fold_text(word): half for word, half in HALVES.items()}
OCLOCK = {"uhr", "h", "час", "kl", "klo", "ora", "godz", "hrs"}
GAPS = datetime(2000, 1, 1), datetime(2001, 2, 2, 1, 1)  # what stands in for parts that a text leaves out


def parse_time(text: str, zone: tzinfo | None = None) -> str:
    """Return the time that `text` tells, of `zone` where it names none; empty where it can be read in two ways or none.

    Times in other languages are read where the month is written out, or as East Asian dates are.
    """
    text, own_zone = zone_at_the_end(text.strip()[:MAX_TEXT])
    time = read_moment(text) or read_moment(to_english(text))
    return iso(time, own_zone or zone) if time else ""


def read_moment(text: str) -> datetime | None:
    """Return the only time that the text can mean, of no zone where it names none."""
    orders = (False,) if YEAR_FIRST.match(text) else (True, False)
    readings = {reading(text, gap, dayfirst) for gap in GAPS for dayfirst in orders}
    return readings.pop() if len(readings) == 1 else None


def to_english(text: str) -> str:
    """Return a date of another language in a form that is read everywhere; empty if a part of it is not understood."""
    text = "".join(str(unicodedata.decimal(sign, sign)) for sign in unicodedata.normalize("NFKC", text))
    clock = CLOCK.search(text)
    if not clock:
        return ""
    before, after = text[: clock.start()], text[clock.end() :]
    month: int | None
    if date := EAST_ASIAN.search(before):
        year, month, day = map(int, date.groups())
        before, after = "", EAST_ASIAN_WEEKDAY.sub("", before[date.end() :]) + after
    else:
        month, numbers = find_month(WORD.findall(before)), sorted(map(int, re.findall(r"[0-9]+", before)))
        if month is None or len(numbers) != 2 or not numbers[0] <= 31 < 1000 <= numbers[1]:
            return ""
        day, year = numbers
    hour, afternoon = int(clock["hour"]), half_of_day(after)
    if afternoon is None or (afternoon != "24" and hour > 12):
        return ""
    hour = hour if afternoon == "24" else hour % 12 + (12 if afternoon == "pm" else 0)
    seconds = clock["second"] or "00"
    return f"{year:04}-{month:02}-{day:02} {hour:02}:{clock['minute']}:{seconds}"


def half_of_day(text: str) -> str | None:
    """Return "am" or "pm" as the words beside a time say, "24" where there are none; None for words not understood."""
    words = [fold_text(word) for word in WORD.findall(text.replace(".", ""))]
    words = ["".join(words)] if words and all(len(word) == 1 for word in words) else words
    halves = {FOLDED_HALVES[word] for word in words if word in FOLDED_HALVES}
    unknown = [word for word in words if word not in FOLDED_HALVES and word not in OCLOCK]
    if unknown or len(halves) > 1:
        return None
    return halves.pop() if halves else "24"


def iso(time: datetime, zone: tzinfo | None = UTC) -> str:
    """Return a time as text; empty where its offset from UTC is not known."""
    time = time if time.tzinfo or zone is None else time.replace(tzinfo=zone)
    return time.isoformat(timespec="seconds") if time.tzinfo else ""


def zone_at_the_end(text: str) -> tuple[str, ZoneInfo | None]:
    """Return a text that ends with a zone's name, as nbgrader writes it ("America/Los_Angeles"), parted from it."""
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
