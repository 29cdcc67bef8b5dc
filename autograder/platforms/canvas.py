"""Canvas: the zip of all submissions, and the gradebook that marks go back into.

Names in the zip: `doejane_LATE_1234_98765_work.ipynb`, which is name, mark of being late, user, attachment, file.
"""

import re
from collections import Counter

from autograder.course import CourseError, unknown
from autograder.failure import plain
from autograder.handed_in import Origin
from autograder.platforms.export import Export
from autograder.platforms.filling import Filled, Marks, Table, decimal_comma, filled
from autograder.platforms.people import Found, Upload, by_user, named
from autograder.spreadsheets import Sheet, number
from autograder.student import tokens

WHO = r"(?:(?!(?:late)_|anon_)(?P<name>[^/]+?)_)?(?:(?P<late>late)_)?(?P<user>anon_[a-z0-9]+|\d+)_"
UPLOAD = re.compile(rf"{WHO}(?P<attachment>\d+)_(?P<file>.+)", re.IGNORECASE | re.DOTALL)
TYPED = re.compile(rf"{WHO}(?P<kind>text|link)(?:-\d+)?\.html", re.IGNORECASE)
KINDS = {"text": "text that was typed into Canvas, no file", "link": "a link to another place, no file"}
TITLE = re.compile(r"(?P<title>.*?) \(\d+\)")
EXPECTED = "expected the gradebook that Canvas exports, with the columns Student, ID and Section"


def recognises(export: Export) -> bool:
    """Whether most of the files are named as Canvas does it, and some of them after a person."""
    found = [UPLOAD.fullmatch(name) or TYPED.fullmatch(name) for name in export.names]
    persons = [
        match for match in found if match and (match["name"] or match["user"].lower().startswith("anon"))
    ]
    return bool(persons) and 2 * len(list(filter(None, found))) > len(found)


def read(export: Export) -> Found:
    """One submission for each user; of two files of one name the later attachment counts."""
    users, others = by_user(export.names, UPLOAD)
    left_out = {name: no_upload(name) for name in others}
    uploads = []
    for matches in users.values():
        own = sorted(named_alike(matches), key=lambda match: int(match["attachment"]))
        files = {match["file"]: match[0] for match in own}
        left_out |= {
            match[0]: "another name than on other files of this user" for match in matches if match not in own
        }
        left_out |= {match[0]: "replaced by a later one" for match in own if files[match["file"]] != match[0]}
        uploads.append(upload(own, files))
    return Found("canvas", uploads, left_out)


def no_upload(name: str) -> str:
    """Why a file is none that a student uploaded."""
    typed = TYPED.fullmatch(name)
    return KINDS[typed["kind"].lower()] if typed else "not named as Canvas names what is handed in"


def named_alike(matches: list[re.Match]) -> list[re.Match]:
    """The files of a user that bear one name, as they do in Canvas.

    Somebody called "x_1234_5" would hand in for the user 1234; such a file's name can be read a second time further on.
    """
    sure = [match for match in matches if not UPLOAD.fullmatch(match["file"])] or matches
    [(name, _)] = Counter(match["name"] for match in sure).most_common(1)
    return [match for match in matches if match["name"] == name]


def upload(matches: list[re.Match], files: dict[str, str]) -> Upload:
    """One user's files; feedback goes back under the name of the notebook, where there is one."""
    match = next((one for one in matches if one["file"].lower().endswith(".ipynb")), matches[0])
    name, late = match["name"] or "", any(one["late"] for one in matches)
    prefix = match[0].removesuffix(match["file"])
    origin = Origin("canvas", match["user"], plain(name), prefix=prefix, late=late)
    return Upload(origin, files, named(name, match["user"]))


def people(sheet: Sheet) -> list[Origin] | None:
    """Who is in a gradebook; none if it is another table."""
    table = Table(sheet)
    if "id" not in table.header or not {"student", "lastname"} & set(table.header):
        return None
    found = []
    for row in table.rows:
        name = table.text(row, "student") or " ".join(
            filter(None, (table.text(row, "firstname"), table.text(row, "lastname")))
        )
        login = table.text(row, "sis login id")
        email = login if "@" in login else ""
        found.append(Origin("canvas", table.text(row, "id"), plain(name), plain(login), plain(email)))
    return [person for person in found if person.id]


def fill(sheet: Sheet, marks: Marks, title: str, slug: str = "", unfinished: bool = False) -> Filled:
    """The gradebook with these marks in the assignment's column, all else byte for byte as it was.

    title: the column as it stands there, with its number or without; or the assignment's title, for the only
    column that is like it, or like its `slug`. An excused student stays so. Raises CourseError, in one line, for
    another table or column.
    """
    table = Table(sheet)
    students = people(sheet)
    if students is None or "section" not in table.header:
        raise CourseError(f"{sheet.path} is no gradebook of Canvas: {EXPECTED}.")
    column = column_of(table, title, slug)
    rows = {table.text(row, "id"): row for row in table.rows if table.text(row, "id")}

    def excused(row: int, _) -> str:
        return "excused in Canvas (EX)" if table.at(row, column).strip().upper() == "EX" else ""

    comma = decimal_comma(table.at(row, column) for row in table.rows)
    result = filled(sheet, marks, students, rows, column, comma, excused, unfinished)
    return result.warned(differing_points(table, column, marks))


def column_of(table: Table, title: str, slug: str) -> int:
    """The number of the assignment's column."""
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
    raise unknown(f"column in {table.sheet.path}", title, [titles[number] for number in offered])


def read_only(table: Table, column: int) -> bool:
    """Whether Canvas computes the column itself; it says so in the title or in one of the first rows."""
    said = [table.at(row, column) for row in (0, *table.rows[:3])]
    return any("(read only)" in text.lower() for text in said)


def same(offered: dict[int, str], wanted: list[str]) -> list[int]:
    """Columns whose title has the words of a wanted one, in order."""
    return [number for number, text in offered.items() if any(tokens(text) == tokens(one) for one in wanted)]


def similar(offered: dict[int, str], wanted: list[str]) -> list[int]:
    """Columns whose title has all words of a wanted one; or the reverse, if these are no mere "a" or "1"."""

    def is_like(text: str, one: str) -> bool:
        a, b = set(tokens(text)), set(tokens(one))
        return b <= a or (a <= b and len("".join(a)) > 3)

    return [number for number, text in offered.items() if any(is_like(text, one) for one in wanted)]


def differing_points(table: Table, column: int, marks: Marks) -> list[str]:
    """A line where Canvas has other points possible than the assignment."""
    known = [number(table.at(row, column)) for row in table.rows[:3] if not table.text(row, "id")]
    known = [points for points in known if points == points]
    possible = {report.possible for _, report in marks}
    if not known or possible <= {known[0]}:
        return []
    given = ", ".join(f"{points:g}" for points in sorted(possible))
    return [
        f"Canvas has {known[0]:g} points possible in {table.titles[column].strip()!r}, the assignment {given}."
    ]
