"""Reads tables in which people give points, `marks.csv` and `answers.csv`, by one set of rules.

A row is for one student and one item. Spreadsheets may write `,` or `;` between columns and in numbers. Every mistake
is a CourseError in one line that names the row, before anything is graded or written.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.core import CourseError, Table, read_table, sanitize

Key = tuple[str, str]  # student and item


@dataclass(frozen=True)
class MarkRow:
    """One row: `cells` holds its texts by column, as they were written; `place` says where it stands."""

    student: str
    item: str
    cells: dict[str, str]
    place: str
    table: Table

    @property
    def where(self) -> str:
        """The row, for a person to find it."""
        return f"{self.place} ({self.student}, {sanitize(self.item)})"

    @property
    def points(self) -> float:
        """The points; NaN if there are none, or they are no number, or may be two numbers."""
        return self.number("points")

    def number(self, column: str) -> float:
        """Return the number in a column."""
        return self.table.number(self.cells[column].strip())

    def text(self, column: str) -> str:
        """Return the text in a column, safe to show."""
        return sanitize(self.cells[column].strip())

    def check_points(self, low: float, high: float, whole: bool = False) -> None:
        """Raise CourseError unless the points lie between these, and are a whole number if they shall be."""
        points = self.points
        if low <= points <= high and (not whole or points == int(points)):
            return
        got = f"are {points:g}"
        if math.isnan(points):
            got = f"are missing or no number that is read in one way only ({self.text('points')!r})"
        kind = "a whole number" if whole else "a number"
        raise CourseError(f"{self.where}: points {got}, expected {kind} from {low:g} to {high:g}.")


def read_mark_table(path: Path, columns: Sequence[str]) -> dict[Key, MarkRow]:
    """Return the rows of a table by student and item; none if there is no file."""
    table, rows = read_table(path, columns), dict[Key, MarkRow]()
    for cells, place in zip(table.rows, table.places, strict=True):
        row = MarkRow(sanitize(cells["student"].strip()), cells["item"].strip(), cells, place, table)
        if not row.student:
            raise CourseError(f"{place}: the student is missing.")
        if earlier := rows.get((row.student, row.item)):
            raise CourseError(f"{row.where}: {earlier.place.rpartition(', ')[2]} is for the same; leave one.")
        rows[row.student, row.item] = row
    return rows
