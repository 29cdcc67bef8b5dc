"""CSV files as spreadsheets and platforms write them: one reader for every table that people export or edit.

A `Sheet` keeps each cell as it stood in the file, quotes and all: what is not filled in comes back byte for byte. What
spreadsheets do to numbers and ids on the way is undone where it is clear, and refused in one line where it is not.
"""

import codecs
import csv
import io
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path

from autograder.core._course import CourseError

FORMULA = ("=", "+", "-", "@", "\t", "\r")
DELIMITERS = ",;\t"
BYTE_ORDER_MARK = "\ufeff"
MAX_BYTES = 64 * 2**20
MAX_NUMBER = 30  # characters
MAX_SAMPLE = 30  # rows by which the delimiter and the heading are found
OTHER_KINDS = {
    b"PK\x03\x04": "an Excel workbook (.xlsx)",
    b"\xd0\xcf\x11\xe0": "an Excel workbook (.xls)",
    b"%PDF": "a PDF",
    b"<": "a web page, perhaps one to log in",
}
SEPARATOR_LINE = re.compile(r"sep=(.)(?:\r\n|\n|\r)", re.IGNORECASE)
UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
SPACES = dict.fromkeys(map(ord, " \u00a0\u202f\u2009\u2007'’\u200b\u200e\u200f\ufeff"))
WITH_COMMA = re.compile(r"-?(?:[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+|[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})|0,[0-9]+)")
WITH_POINT = re.compile(r"-?(?:[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+|[0-9]+\.(?:[0-9]{1,2}|[0-9]{4,})|0\.[0-9]+)")

UNAMBIGUOUS_NUMBER = re.compile(r'"(?:[^"]|"")*+"')


@dataclass
class Sheet:
    """A CSV file: `rows` of cells as they stand in the file, the heading first, and what is written around them.

    ends: what ends each row. mark: the byte order mark, where there is one. lead: what stands above the heading, of
    `offset` rows.
    """

    path: Path
    rows: list[list[str]]
    ends: list[str]
    delimiter: str = ","
    mark: str = ""
    lead: str = ""
    offset: int = 0

    def texts(self, row: int) -> list[str]:
        """Return the texts of a row's cells, without the quotes that CSV puts around them."""
        return [unquote(cell) for cell in self.rows[row]]

    def place(self, row: int) -> str:
        """Return where a row stands, for a person to find it: the heading is in row 1 where nothing is above it."""
        return f"{self.path}, row {row + self.offset + 1}"

    def fill(self, row: int, column: int, text: str) -> None:
        """Put a text into a cell, in quotes where it needs them or had them; a short row is lengthened."""
        cells = self.rows[row]
        cells.extend([""] * (column + 1 - len(cells)))
        special = any(sign in text for sign in (self.delimiter, '"', "\n", "\r"))
        cells[column] = quote(text) if special or cells[column].startswith('"') else text

    @cached_property
    def short_texts(self) -> set[str]:
        """The texts of all cells that a number may be in."""
        return {tidy(unquote(cell)) for row in self.rows for cell in row if len(cell) < MAX_NUMBER}

    def decimal_comma(self, texts: Iterable[str] = ()) -> bool:
        """Return True if numbers have a decimal comma: those among `texts`, else those in the file."""
        own = has_decimal_comma(tidy(text) for text in texts)
        return bool(has_decimal_comma(self.short_texts) if own is None else own)

    @cached_property
    def reads_comma(self) -> bool | None:
        """Whether a number such as 1,012 has a decimal comma, by other numbers or semicolons; None if open."""
        comma = has_decimal_comma(self.short_texts)
        if comma is None and any(WITH_COMMA.fullmatch(text) for text in self.short_texts):
            return None
        return self.delimiter == ";" if comma is None else comma

    def number(self, text: str) -> float:
        """Return a number of this file; NaN for what is none, or may be two."""
        return parse_number(text, self.reads_comma)

    def __str__(self) -> str:
        """Return the whole file: in UTF-8 the bytes that were read, but for the cells that were filled."""
        rows = (self.delimiter.join(row) + end for row, end in zip(self.rows, self.ends, strict=True))
        return self.mark + self.lead + "".join(rows)


def read_sheet(path: Path) -> Sheet:
    """Read the CSV file at `path`, its cells parted by `,`, `;` or tabs, in whatever encoding spreadsheets write.

    Raises CourseError, in one line, for a file of another kind.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CourseError(f"{path} has more than {MAX_BYTES >> 20} MiB: is it the table you mean?")
        content = path.read_bytes()
    except OSError as error:
        raise CourseError(f"{path} can't be read: {error.strerror}.") from None
    for start, kind in OTHER_KINDS.items():
        if content.lstrip().startswith(start):
            raise CourseError(f"{path} is {kind}, expected a CSV file: export or save it as CSV (UTF-8).")
    text, mark = decode(content, path)
    lead, delimiter = "", ""
    if separator := SEPARATOR_LINE.match(text):
        lead, delimiter = separator[0], separator[1]
        text = text.removeprefix(lead)
    delimiter = delimiter if delimiter and delimiter in DELIMITERS else likely_delimiter(text)
    rows, ends = split_rows(text, delimiter)
    for place, row in enumerate(rows, start=1 + bool(lead)):
        if any(cell.startswith('"') and not UNAMBIGUOUS_NUMBER.match(cell) for cell in row):
            raise CourseError(f"{path}, row {place}: a quotation mark opens a cell and none closes it.")
    offset, above = int(bool(lead)), find_heading(rows)
    for row, end in zip(rows[:above], ends[:above], strict=True):
        lead += delimiter.join(row) + end
    return Sheet(path, rows[above:], ends[above:], delimiter, mark, lead, offset + above)


def decode(content: bytes, path: Path) -> tuple[str, str]:
    """Return the text of a file and its byte order mark; text that was not UTF-8 will be, with a mark."""
    for start, encoding in UTF_16.items():
        half = content[start == codecs.BOM_UTF16_LE :: 2][:1000]  # of ASCII all zero
        if content.startswith(start) or (len(content) > 3 and half.count(0) > 0.6 * len(half)):
            return decode_as(content.removeprefix(start), encoding, path), BYTE_ORDER_MARK
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        special = [byte for byte in content if byte >= 0x80]
        is_mac = sum(byte < 0xA0 for byte in special) > len(special) / 2  # where Windows has few letters
        return decode_as(content, "mac-roman" if is_mac else "cp1252", path), BYTE_ORDER_MARK
    return text.removeprefix(BYTE_ORDER_MARK), BYTE_ORDER_MARK if text.startswith(BYTE_ORDER_MARK) else ""


def decode_as(content: bytes, encoding: str, path: Path) -> str:
    """Return the text in this encoding. Raises CourseError if there is none."""
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise CourseError(f"{path} can't be read ({error.reason}): save it as CSV in UTF-8.") from None


def likely_delimiter(text: str) -> str:
    """Return the delimiter by which most rows have the same number of cells; of several the one with most cells."""
    sample = "\n".join(re.split(r"\r\n|\n|\r", text, maxsplit=MAX_SAMPLE)[:MAX_SAMPLE])

    def fit(delimiter: str) -> tuple[int, int]:
        rows, _ = split_rows(sample, delimiter)
        widths = Counter(len(row) for row in rows if any(row))
        wide = {width: count for width, count in widths.items() if width > 1}
        width = max(wide, key=lambda width: (wide[width], width), default=1)
        return wide.get(width, 0), width

    return max(DELIMITERS, key=fit)


def find_heading(rows: list[list[str]]) -> int:
    """Return the number of the first row that is not far emptier than others: a title may stand above the heading."""
    filled = [sum(bool(unquote(cell).strip()) for cell in row) for row in rows[:MAX_SAMPLE]]
    most = max(filled, default=0)
    return next((row for row, count in enumerate(filled) if 2 * count >= most > 0), 0)


def split_rows(text: str, delimiter: str) -> tuple[list[list[str]], list[str]]:
    """Return the cells of CSV text, row by row, each as it stands there, and what ends each row."""
    quoted, plain = r'"(?:[^"]|"")*"?', rf"[^{delimiter}\r\n]*"
    cell = re.compile(rf"((?:{quoted})?{plain})({delimiter}|\r\n|\n|\r|\Z)")
    rows: list[list[str]] = []
    ends: list[str] = []
    row: list[str] = []
    end = 0
    while end < len(text) or row:
        match = cell.match(text, end)
        assert match, "the pattern matches any text"
        end = match.end()
        row.append(match[1])
        if match[2] != delimiter:
            rows.append(row)
            ends.append(match[2])
            row = []
    return rows, ends


def quote(text: str) -> str:
    """Return a text in CSV's quotes."""
    return '"' + text.replace('"', '""') + '"'


def unquote(cell: str) -> str:
    """Return the text that a cell of CSV stands for."""
    if not cell.startswith('"'):
        return cell
    closed = UNAMBIGUOUS_NUMBER.match(cell)
    inside, rest = (cell[1 : closed.end() - 1], cell[closed.end() :]) if closed else (cell[1:], "")
    return inside.replace('""', '"') + rest


@dataclass(frozen=True)
class Table:
    """The rows of a table that a person filled, by the names of its columns; `places` says where each stands."""

    rows: list[dict[str, str]]
    places: list[str]
    reads_comma: bool | None = None

    def number(self, text: str) -> float:
        """Return a number of this table; NaN for what is none, or may be two."""
        return parse_number(text, self.reads_comma)


def read_table(path: Path, columns: Iterable[str]) -> Table:
    """Return the rows of a table that a person filled; formulas are unmasked (see `cell`).

    Empty rows are passed over; none where there is no file. Raises CourseError unless it has these columns, each once.
    """
    if not path.is_file():
        return Table([], [])
    sheet, columns = read_sheet(path), list(columns)
    header = [text.strip() for text in sheet.texts(0)] if sheet.rows else []
    for name in columns if sheet.rows else ():
        if name not in header:
            raise CourseError(f"{path} lacks the column {name}: expected {', '.join(columns)}.")
        if header.count(name) > 1:
            raise CourseError(f"{path} has {header.count(name)} columns {name}: leave one.")
    texts = {row: [unescape_formula(text) for text in sheet.texts(row)] for row in range(1, len(sheet.rows))}
    filled = {row: cells for row, cells in texts.items() if any(map(str.strip, cells))}
    rows = [dict(zip_longest(header, cells[: len(header)], fillvalue="")) for cells in filled.values()]
    return Table(rows, [sheet.place(row) for row in filled], sheet.reads_comma)


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """Return the rows as CSV text under a heading; a value that is missing or None leaves its cell empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def escape_formula(text: str) -> str:
    """Return `text` such that a spreadsheet shows it and never runs it as a formula."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def unescape_formula(text: str) -> str:
    """Return the text that `cell` kept from being run as a formula."""
    return text[1:] if text.startswith("'") and escape_formula(text[1:]) == text else text


def has_decimal_comma(texts: Iterable[str]) -> bool | None:
    """Return True if numbers among the texts have a decimal comma, False if a point; None if both or neither."""
    texts = set(texts)
    comma = any(WITH_COMMA.fullmatch(text) for text in texts)
    point = any(WITH_POINT.fullmatch(text) for text in texts)
    return None if comma == point else comma


def tidy(text: str) -> str:
    """Return a number's text with plain digits, and without spaces and apostrophes between or before them."""
    return unicodedata.normalize("NFKC", text).translate(SPACES).replace("\u2212", "-")


def parse_number(text: str, decimal_comma: bool | None = None) -> float:
    """Return a number as spreadsheets write it; NaN for what is none.

    decimal_comma: whether a comma is before decimals, or between thousands, where it may be both, as in 1,012; such a
    number is NaN where that is not known.
    """
    text = tidy(text)
    if "," in text and "." in text:
        point = max(",.", key=text.rfind)
    elif re.fullmatch(r"-?[1-9][0-9]{0,2},[0-9]{3}", text):
        point = {True: ",", False: ".", None: ""}[decimal_comma]
    elif re.fullmatch(r"-?[1-9][0-9]{0,2}\.[0-9]{3}", text):
        point = "," if decimal_comma else "."
    else:
        point = max(",.", key=text.count) if text.count(",") + text.count(".") == 1 else "thousands"
        if point == "thousands":
            point = "," if "." in text else "."
    if not point:
        return math.nan
    thousands = "." if point == "," else ","
    whole, _, decimals = text.partition(point)
    if thousands in whole and not re.fullmatch(rf"-?[0-9]{{1,3}}({re.escape(thousands)}[0-9]{{3}})+", whole):
        return math.nan
    plain = whole.replace(thousands, "") + (f".{decimals}" if decimals else "")
    try:
        return float(plain) if re.fullmatch(r"[-+0-9.eE]+", plain) else math.nan
    except ValueError:
        return math.nan


def restore_identifier(text: str, place: str) -> str:
    """Return an id, login or address as it was before a spreadsheet changed it.

    Known are `="1001"`, `1001.0`, `1,001`, `1.001E+03`, an apostrophe before it, and spaces that are not seen.
    Raises CourseError, in one line that begins with `place`, where digits are lost.
    """
    text = unicodedata.normalize("NFKC", text).strip(" \t\r\n\u00a0\u200b\u200e\u200f\ufeff")
    if formula := re.fullmatch(r'="?([^"]*)"?', text):
        text = formula[1].strip()
    text = text.removeprefix("'")
    if scientific := re.fullmatch(r"([0-9])(?:[.,]([0-9]+))?[eE]\+?([0-9]{1,2})", text):
        digits, exponent = scientific[1] + (scientific[2] or ""), int(scientific[3])
        if len(digits) <= exponent and exponent > 1:
            advice = "export the table again, and open it with this column as text"
            raise CourseError(f"{place}: the id is {text}, which a spreadsheet rounded: {advice}.")
        return digits[: exponent + 1] if not digits[exponent + 1 :].strip("0") else text
    if re.fullmatch(r"[0-9]{1,3}([,. \u00a0\u202f'’])[0-9]{3}(\1[0-9]{3})*", text):
        return "".join(sign for sign in text if sign.isdigit())
    whole = re.fullmatch(r"([0-9]+)[.,]0+", text)
    return whole[1] if whole else text
