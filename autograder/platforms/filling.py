"""Filling marks into a table that a platform exported: one column, and nothing else."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from autograder.handed_in import Origin
from autograder.platforms.people import Roster
from autograder.rubric import Report
from autograder.spreadsheets import Sheet, number, unmasked

Marks = Sequence[tuple[Origin, Report]]


@dataclass(frozen=True)
class Filled:
    """A filled table: its text, how many marks were written, and a line for each that was not.

    column: the title of the column that was filled. warnings: lines about the table itself, and how many marks of
    before were replaced by others.
    """

    text: str
    written: int
    untouched: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    column: str = ""

    def warned(self, lines: Iterable[str]) -> "Filled":
        """The same with more warnings."""
        return replace(self, warnings=(*lines, *self.warnings))


class Table:
    """A sheet with names for its columns: those of its first row, in small letters."""

    def __init__(self, sheet: Sheet):
        self.sheet = sheet
        self.titles = sheet.texts(0) if sheet.rows else []
        self.header = [title.strip().casefold() for title in self.titles]
        self.rows = range(1, len(sheet.rows))
        self.width = len(self.titles)

    def at(self, row: int, column: int) -> str:
        """The text of a cell; empty where the row is too short."""
        cells = self.sheet.rows[row]
        return unmasked(self.sheet.texts(row)[column]) if column < len(cells) else ""

    def text(self, row: int, title: str) -> str:
        """The text of the cell below this title; empty where there is none."""
        return self.at(row, self.header.index(title)).strip() if title in self.header else ""


def filled(
    sheet: Sheet,
    marks: Marks,
    people: Iterable[Origin],
    rows: dict[str, int],
    column: int,
    comma: bool,
    refuses: Callable[[int, Report], str],
    unfinished: bool,
) -> Filled:
    """The sheet with each mark in its student's row, unless there is a reason against it.

    people: who is in the table. rows: theirs, by id. refuses: says why a row takes no such mark.
    """
    roster = Roster(tuple(people))
    sheet = replace(sheet, rows=[list(cells) for cells in sheet.rows])
    people_found = [roster.find(origin) for origin, _ in marks]
    claims = Counter(person.id for person in people_found if person)
    untouched, written, replaced = [], 0, 0
    for person, (_, report) in zip(people_found, marks, strict=True):
        row = rows[person.id] if person else None
        is_shared = person is not None and claims[person.id] > 1
        if why := reason_against(row, report, is_shared, unfinished) or refuses(row, report):
            untouched.append(f"{report.student}: {why}.")
            continue
        before = number(Table(sheet).at(row, column))
        sheet.fill(row, column, points(report.earned, comma))
        written += 1
        replaced += before == before and before != report.earned
    warnings = (f"{replaced} marks that were in the table are replaced by others.",) if replaced else ()
    return Filled(str(sheet), written, tuple(untouched), warnings, Table(sheet).titles[column].strip())


def reason_against(row: int | None, report: Report, is_shared: bool, unfinished: bool) -> str:
    """Why a mark is not written; empty where nothing speaks against it."""
    if row is None:
        return "not in the table"
    if is_shared:
        return "another submission may be for this row as well, none is written"
    return "" if report.status == "graded" or unfinished else f"not finished ({report.status})"


def points(earned: float, comma: bool) -> str:
    """A mark with its two decimals."""
    text = f"{earned:.2f}"
    return text.replace(".", ",") if comma else text


def decimal_comma(texts: Iterable[str]) -> bool:
    """Whether the numbers among the texts have a comma before their decimals."""
    texts = [text.strip() for text in texts]
    commas, dots = (
        sum(bool(re.fullmatch(rf"\d+{sign}\d+", text)) for text in texts) for sign in (",", r"\.")
    )
    return commas > dots
