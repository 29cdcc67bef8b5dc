"""Filling marks into a table that a platform exported: one column, and nothing else."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from autograder.core import Sheet, restore_identifier, unescape_formula
from autograder.rubric import Report
from autograder.submissions import People, Submitter

Marks = Sequence[tuple[Submitter, Report]]


@dataclass(frozen=True)
class FilledTable:
    """A filled table: its text, how many marks were written, and a line for each that was not.

    column: the title of the column that was filled. warnings: lines about the table itself, and how many marks of
    before were replaced by others.
    """

    text: str
    written: int
    untouched: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    column: str = ""

    def warned(self, lines: Iterable[str]) -> "FilledTable":
        """Return the same with more warnings."""
        return replace(self, warnings=(*lines, *self.warnings))


class Table:
    """A sheet with names for its columns: those of its first row, in small letters."""

    def __init__(self, sheet: Sheet):
        self.sheet = sheet
        self.texts = [[unescape_formula(text) for text in sheet.texts(row)] for row in range(len(sheet.rows))]
        self.titles = sheet.texts(0) if sheet.rows else []
        self.header = [" ".join(title.split()).casefold() for title in self.titles]
        self.rows = range(1, len(sheet.rows))
        self.width = len(self.titles)

    def at(self, row: int, column: int) -> str:
        """Return the text of a cell; empty where the row is too short."""
        texts = self.texts[row]
        return texts[column] if column < len(texts) else ""

    def number(self, row: int, column: int) -> float:
        """Return the number in a cell; NaN for what is none, or may be two."""
        return self.sheet.number(self.at(row, column))

    def account(self, row: int, title: str) -> str:
        """Return the id, login or address below this title, as it was before a spreadsheet changed it."""
        return restore_identifier(self.text(row, title), self.sheet.place(row))

    def text(self, row: int, title: str) -> str:
        """Return the text of the cell below this title; empty where there is none."""
        return self.at(row, self.header.index(title)).strip() if title in self.header else ""


def fill_marks(
    sheet: Sheet,
    marks: Marks,
    people: Iterable[Submitter],
    rows: dict[str, int],
    column: int,
    comma: bool,
    refuses: Callable[[int, Report], str],
    unfinished: bool,
) -> FilledTable:
    """Return the sheet with each mark in its student's row, unless there is a reason against it.

    people: who is in the table. rows: theirs, by id. refuses: says why a row takes no such mark.
    """
    roster, table = People(tuple(people)), Table(sheet)
    ids = Counter(person.id for person in roster.people)
    sheet = replace(sheet, rows=[list(cells) for cells in sheet.rows])
    people_found = [roster.find(origin) for origin, _ in marks]
    claims = Counter(person.id for person in people_found if person)
    untouched, written, replaced = [], 0, 0
    for person, (origin, report) in zip(people_found, marks, strict=True):
        row = rows[person.id] if person else None
        is_shared = person is not None and claims[person.id] > 1
        why = "its id is in more than one row of the table" if origin.id and ids[origin.id] > 1 else ""
        why = why or why_not_filled(row, report, is_shared, unfinished)
        if row is not None:
            why = why or refuses(row, report) or strange_values(table, row, column)
        if why or row is None:
            untouched.append(f"{report.student}: {why}.")
            continue
        before = table.number(row, column)
        sheet.fill(row, column, points_text(report.earned, comma))
        written += 1
        replaced += not math.isnan(before) and before != report.earned
    warnings = (f"{replaced} marks that were in the table are replaced by others.",) if replaced else ()
    return FilledTable(str(sheet), written, tuple(untouched), warnings, table.titles[column].strip())


def why_not_filled(row: int | None, report: Report, is_shared: bool, unfinished: bool) -> str:
    """Return why a mark is not written; empty where nothing speaks against it."""
    if row is None:
        return "not in the table"
    if is_shared:
        return "another submission may be for this row as well, none is written"
    return "" if report.status == "graded" or unfinished else f"not finished ({report.status})"


def strange_values(table: Table, row: int, column: int) -> str:
    """Return why a cell is left as it is: it holds something that is no mark."""
    text = table.at(row, column).strip()
    return (
        f"the cell holds {text!r}, which is no number"
        if text.strip("-–") and table.number(row, column) != table.number(row, column)
        else ""
    )


def points_text(earned: float, comma: bool) -> str:
    """Return a mark with its two decimals."""
    text = f"{earned:.2f}"
    return text.replace(".", ",") if comma else text
