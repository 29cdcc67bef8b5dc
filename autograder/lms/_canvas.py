"""Canvas: the zip of all submissions, and the gradebook that marks go back into.

Names in the zip: `doejane_LATE_1234_98765_work.ipynb`, which is name, mark of being late, user, attachment, file.
"""

import re
from collections.abc import Sequence, Set

from autograder.core import CourseError, Sheet, sanitize, split_tokens, unknown_name
from autograder.lms._export import Export
from autograder.lms._gradebook import FilledTable, Marks, Table, fill_marks
from autograder.lms._matching import Claims, Upload, by_name
from autograder.lms._readings import Reading, decide
from autograder.rubric import Report
from autograder.submissions import Submitter

NUMBER = r"(?:0|[1-9][0-9]{0,19})"
OWNER = re.compile(rf"(?<![^_])(?=(?P<user>{NUMBER})_(?P<attachment>{NUMBER})_(?P<rest>.))", re.DOTALL)
TYPED = re.compile(
    rf"(?:(?P<before>.*?)_)?(?P<user>anon_[a-z0-9]+|{NUMBER})_(?P<kind>text|link)(?:-\d+)?\.html",
    re.IGNORECASE | re.DOTALL,
)
ANONYMOUS = re.compile(
    rf"(?:(?P<late>late)_)?(?P<user>anon_[a-z0-9]+)_(?P<attachment>{NUMBER})_(?P<file>.+)",
    re.IGNORECASE | re.DOTALL,
)
KINDS = {"text": "text that was typed into Canvas, no file", "link": "a link to another place, no file"}
TITLE = re.compile(r"(?P<title>.*?) \(\d+\)")
EXPECTED = "expected the gradebook that Canvas exports, with the columns Student, ID and Section"
MIN_ATTACHMENT = 1000  # a Canvas with fewer uploads is new: theirs may be of any size
MAX_SPREAD = 10  # numbers of uploads for one assignment don't differ by a greater factor


def recognises(export: Export) -> bool:
    """Return True if most of the files are named as Canvas does it, and some of them after a person."""
    found = [readings(name) or anonymous(name) for name in export.names]
    persons = [option for options in found for option in options if option.name or "_" in option.user]
    return bool(persons) and 2 * len(list(filter(None, found))) > len(found)


def read(export: Export, people: Sequence[Submitter] = ()) -> Claims:
    """Return one submission for each user; of two files of one name the later attachment counts.

    people: those of the gradebook, where there is one; they decide between several readings of a file's name.
    """
    options = {name: anonymous(name) for name in export.names}
    if any(readings(name) for name, found in options.items() if not found):
        options = plausible_readings({name: readings(name) for name in export.names})
    others = dict.fromkeys(
        (name for name, found in options.items() if not found), "not named as Canvas names what is handed in"
    )
    decided = decide({name: found for name, found in options.items() if found}, people)
    typed = {reading.whole: KINDS[reading.kind] for reading in decided.readings if reading.kind}
    left_out = others | decided.left_out | typed
    called_late = {person.id for person in people if "late" in split_tokens(person.name)}
    users: dict[str, list[Reading]] = {}
    for reading in sorted(decided.readings, key=lambda reading: reading.attachment):
        if reading.file:
            users.setdefault(reading.user.casefold(), []).append(reading)
    uploads = []
    for own in users.values():
        files = {reading.file: reading.whole for reading in own}
        replaced = {reading.whole for reading in own} - set(files.values())
        left_out |= dict.fromkeys(replaced, "replaced by a later one")
        uploads.append(upload(own, files, called_late))
    return Claims("canvas", uploads, left_out, decided.doubts)


def anonymous(name: str) -> list[Reading]:
    """Return the one reading of a file's name in an export without names, where no student chose a part before it."""
    if match := ANONYMOUS.fullmatch(name):
        attachment = int(match["attachment"])
        return [Reading(name, "", match["user"], match["file"], attachment, bool(match["late"]))]
    match = TYPED.fullmatch(name)
    if match and match["user"][0] in "aA" and (match["before"] or "late").casefold() == "late":
        return [Reading(name, "", match["user"], "", kind=match["kind"].casefold())]
    return []


def readings(name: str) -> list[Reading]:
    """Return each way to read the name of a file as one that Canvas gave it, the shortest student's name first."""
    found, end = [], name.find("/") if "/" in name else len(name)
    for match in OWNER.finditer(name, 0, end):
        student, late = split_upload_name(name[: max(0, match.start() - 1)])
        file = name[match.start("rest") :]
        found.append(Reading(name, student, match["user"], file, int(match["attachment"]), late))
    typed = TYPED.fullmatch(name)
    if typed and typed["user"][0] not in "aA" and "/" not in name:
        student, _ = split_upload_name(typed["before"] or "")
        found.append(Reading(name, student, typed["user"], "", kind=typed["kind"].casefold()))
    return found


def split_upload_name(before: str) -> tuple[str, bool]:
    """Return the student's name in what precedes the ids, and whether the mark of being late follows it."""
    if before == "LATE":
        return "", True
    is_late = before.casefold().endswith("_late")
    return (before[: -len("_late")], True) if is_late else (before, False)


def plausible_readings(options: dict[str, list[Reading]]) -> dict[str, list[Reading]]:
    """Return the readings without those that files with one reading rule out.

    A user has one name, and the numbers of a class's uploads lie near each other. No student chooses either number, so
    the right reading always stays.
    """
    sure = [found[0] for found in options.values() if len(found) == 1 and found[0].file]
    names = {reading.user: reading.name for reading in sure}
    numbers = [reading.attachment for reading in sure]
    bounds = (min(numbers) / MAX_SPREAD, max(numbers) * MAX_SPREAD) if numbers else (0, 0)

    def is_plausible(reading: Reading) -> bool:
        if names.get(reading.user, reading.name) != reading.name:
            return False
        is_known = bool(reading.file) and bounds[0] * MAX_SPREAD >= MIN_ATTACHMENT
        return not is_known or bounds[0] <= reading.attachment <= bounds[1]

    return {name: list(filter(is_plausible, found)) or found for name, found in options.items()}


def upload(own: list[Reading], files: dict[str, str], called_late: Set[str]) -> Upload:
    """Return one user's files; feedback goes back under the name of the notebook, where there is one."""
    first = next((reading for reading in own if reading.file.lower().endswith(".ipynb")), own[0])
    name, late = first.name, any(reading.late for reading in own)
    prefix = first.whole.removesuffix(first.file)
    origin = Submitter("canvas", first.user, sanitize(name), prefix=prefix, late=late)
    doubt = "The file names begin with `late`, the mark of being late or a name: settle which in marks.csv."
    is_open = name.casefold() == "late" and first.user not in called_late
    return Upload(origin, files, by_name(name, first.user), doubts=(doubt,) if is_open else ())


def people(sheet: Sheet) -> list[Submitter] | None:
    """Return the people of a gradebook; None for another table."""
    table = in_english(Table(sheet))
    if "id" not in table.header or not {"student", "lastname"} & set(table.header):
        return None
    found = []
    for row in table.rows:
        name = table.text(row, "student") or " ".join(
            filter(None, (table.text(row, "firstname"), table.text(row, "lastname")))
        )
        login = table.account(row, "sis login id")
        email = login if "@" in login else ""
        found.append(
            Submitter("canvas", table.account(row, "id"), sanitize(name), sanitize(login), sanitize(email))
        )
    return [person for person in found if person.id]


def write_grades(
    sheet: Sheet, marks: Marks, title: str, slug: str = "", unfinished: bool = False
) -> FilledTable:
    """Return the gradebook with these marks in the assignment's column, all else byte for byte as it was.

    title: the column as it stands there, with its number or without; or the assignment's title, for the only
    column that is like it, or like its `slug`. An excused student stays so. Raises CourseError, in one line, for
    another table or column.
    """
    table = in_english(Table(sheet))
    students = people(sheet)
    if students is None or "section" not in table.header:
        raise CourseError(f"{sheet.path} is no gradebook of Canvas: {EXPECTED}.")
    column = column_of(table, title, slug)
    rows = {table.account(row, "id"): row for row in table.rows if table.text(row, "id")}

    def excused(row: int, _: Report) -> str:
        return "excused in Canvas (EX)" if table.at(row, column).strip().upper() in ("EX", "EXCUSED") else ""

    comma = sheet.decimal_comma(table.at(row, column) for row in table.rows)
    result = fill_marks(sheet, marks, students, rows, column, comma, excused, unfinished)
    return result.warned(differing_points(table, column, marks))


def in_english(table: Table) -> Table:
    """Return the table with the titles that are needed, where it is a gradebook in another language.

    It is known by the row of points possible. The last column before the assignments holds the section.
    """
    first = next((number for number, text in enumerate(table.titles) if TITLE.fullmatch(text.strip())), 0)
    is_gradebook = any(table.at(row, 0).strip().casefold() == "points possible" for row in table.rows[:4])
    if is_gradebook and first > 2 and table.header[1] == "id" and "section" not in table.header:
        table.header[0], table.header[first - 1] = "student", "section"
    return table


def column_of(table: Table, title: str, slug: str) -> int:
    """Return the number of the assignment's column."""
    start = table.header.index("section") + 1
    titles = {number: text.strip() for number, text in enumerate(table.titles) if number >= start}
    open_ones = {number: text for number, text in titles.items() if not read_only(table, number)}
    exact = [number for number, text in titles.items() if text == title.strip()]
    if exact and exact[0] not in open_ones:
        raise CourseError(f"{table.sheet.path}: the column {title!r} is read only in Canvas: name another.")
    offered = {
        number: match["title"] for number, text in open_ones.items() if (match := TITLE.fullmatch(text))
    }
    wanted = [text for text in (title, slug) if text]
    for alike in (exact, same(offered, wanted), similar(offered, wanted)):
        if len(alike) == 1:
            return alike[0]
        if alike:
            several = ", ".join(repr(titles[number]) for number in alike)
            raise CourseError(
                f"{table.sheet.path} has {len(alike)} columns for {title!r}: name one of {several}."
            )
    raise unknown_name(f"column in {table.sheet.path}", title, [titles[number] for number in offered])


def read_only(table: Table, column: int) -> bool:
    """Return True if Canvas computes the column itself; it says so in the title or in one of the first rows."""
    texts = [table.at(row, column) for row in (0, *table.rows[:3])]
    return any("(read only)" in text.lower() for text in texts)


def same(offered: dict[int, str], wanted: list[str]) -> list[int]:
    """Return the columns whose title has the words of a wanted one, in order."""
    return [
        number
        for number, text in offered.items()
        if any(split_tokens(text) == split_tokens(title) for title in wanted)
    ]


def similar(offered: dict[int, str], wanted: list[str]) -> list[int]:
    """Return the columns whose title has all words of a wanted one; or the reverse, if these are no mere "a" or "1"."""

    def is_like(text: str, title: str) -> bool:
        a, b = set(split_tokens(text)), set(split_tokens(title))
        return b <= a or (a <= b and len("".join(a)) > 3)

    return [number for number, text in offered.items() if any(is_like(text, title) for title in wanted)]


def differing_points(table: Table, column: int, marks: Marks) -> list[str]:
    """Return a line where Canvas has other points possible than the assignment."""
    known = [table.number(row, column) for row in table.rows[:3] if not table.text(row, "id")]
    known = [points for points in known if points == points]
    possible = {report.possible for _, report in marks}
    if not known or possible <= {known[0]}:
        return []
    given = ", ".join(f"{points:g}" for points in sorted(possible))
    return [
        f"Canvas has {known[0]:g} points possible in {table.titles[column].strip()!r}, the assignment {given}."
    ]
