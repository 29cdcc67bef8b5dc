"""CSV files as spreadsheets and platforms write them: read whatever they put between cells, written back cell by cell.

A `Sheet` keeps each cell as it stood in the file, quotes and all: what is not filled in comes back byte for byte.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from autograder.course import CourseError

FORMULA = ("=", "+", "-", "@", "\t", "\r")
DELIMITERS = ",;\t"
MARK = "\ufeff"
LARGEST = 64 * 2**20  # bytes


@dataclass
class Sheet:
    """A CSV file: `rows` of cells as they stand in the file, and what is written around them."""

    path: Path
    rows: list[list[str]]
    ends: list[str]  # what ends each row
    delimiter: str = ","
    mark: str = ""  # the byte order mark, where there is one

    def texts(self, row: int) -> list[str]:
        """The texts of a row's cells, without the quotes that CSV puts around them."""
        return [unwrapped(cell) for cell in self.rows[row]]

    def fill(self, row: int, column: int, text: str) -> None:
        """Puts a text into a cell, in quotes where it needs them or had them; a short row is lengthened."""
        cells = self.rows[row]
        cells.extend([""] * (column + 1 - len(cells)))
        special = any(sign in text for sign in (self.delimiter, '"', "\n", "\r"))
        cells[column] = wrapped(text) if special or cells[column].startswith('"') else text

    def __str__(self) -> str:
        """The whole file: in UTF-8 the bytes that were read, but for the cells that were filled."""
        rows = (self.delimiter.join(row) + end for row, end in zip(self.rows, self.ends, strict=True))
        return self.mark + "".join(rows)


def read_sheet(path: Path) -> Sheet:
    """The CSV file at `path`, its cells parted by `,`, `;` or tabs. Raises CourseError, in one line, for another."""
    try:
        if path.stat().st_size > LARGEST:
            raise CourseError(f"{path} has more than {LARGEST >> 20} MiB: is it the table you mean?")
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise CourseError(f"{path} can't be read ({error.reason}): save it as CSV in UTF-8.") from None
    except OSError as error:
        raise CourseError(f"{path} can't be read: {error.strerror}.") from None
    mark = MARK if text.startswith(MARK) else ""
    text = text.removeprefix(MARK)
    header = re.split(r"[\r\n]", text, maxsplit=1)[0]
    delimiter = max(DELIMITERS, key=header.count)
    rows, ends = split(text, delimiter)
    return Sheet(path, rows, ends, delimiter, mark)


def split(text: str, delimiter: str) -> tuple[list[list[str]], list[str]]:
    """The cells of CSV text, row by row, each as it stands there, and what ends each row."""
    quoted, plain = r'"(?:[^"]|"")*"?', rf"[^{delimiter}\r\n]*"
    cell = re.compile(rf"((?:{quoted})?{plain})({delimiter}|\r\n|\n|\r|\Z)")
    rows, ends, row, place = [], [], [], 0
    while place < len(text) or row:
        match = cell.match(text, place)
        place = match.end()
        row.append(match[1])
        if match[2] != delimiter:
            rows.append(row)
            ends.append(match[2])
            row = []
    return rows, ends


def wrapped(text: str) -> str:
    """A text in CSV's quotes."""
    return '"' + text.replace('"', '""') + '"'


def unwrapped(cell: str) -> str:
    """The text that a cell of CSV stands for."""
    if not cell.startswith('"'):
        return cell
    inside, _, rest = cell[1:].replace('""', "\0").partition('"')
    return inside.replace("\0", '"') + rest.replace("\0", '""')


def records(path: Path, columns: Iterable[str]) -> list[dict[str, str]]:
    """The rows of a table that a person filled, by the names in its first row; formulas are unmasked (see `cell`).

    Empty rows are passed over; none where there is no file. Raises CourseError unless it has these columns.
    """
    if not path.is_file():
        return []
    sheet, columns = read_sheet(path), list(columns)
    header = [text.strip() for text in sheet.texts(0)] if sheet.rows else []
    missing = [name for name in columns if sheet.rows and name not in header]
    if missing:
        raise CourseError(f"{path} lacks the column {missing[0]}: expected {', '.join(columns)}.")
    texts = ([unmasked(text) for text in sheet.texts(row)] for row in range(1, len(sheet.rows)))
    return [dict(zip_longest(header, row[: len(header)], fillvalue="")) for row in texts if any(row)]


def cell(text: str) -> str:
    """Return `text` such that a spreadsheet shows it and never runs it as a formula."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def unmasked(text: str) -> str:
    """The text that `cell` kept from being run as a formula."""
    return text[1:] if text.startswith("'") and cell(text[1:]) == text else text


def number(text: str) -> float:
    """A number as spreadsheets write it; NaN for what is none."""
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return math.nan
