"""CSV files: what is read is what Python's csv reads, and what is not filled in comes back byte for byte."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.core import (
    CourseError,
    escape_formula,
    parse_number,
    read_sheet,
    read_table,
    restore_identifier,
    unescape_formula,
)
from autograder.core._csv import split_rows, unquote

TEXT = st.text(st.sampled_from("ab,;\t\"\n\r'= é名"), max_size=6)
TABLES = st.lists(st.lists(TEXT, min_size=2, max_size=4), min_size=1, max_size=5)


@given(TABLES, st.sampled_from(",;\t"), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_cells_are_those_that_csv_wrote(table, delimiter, quoting):
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, quoting=quoting).writerows(table)
    rows, ends = split_rows(file.getvalue(), delimiter)
    assert [[unquote(text) for text in row] for row in rows] == table
    whole = "".join(delimiter.join(row) + end for row, end in zip(rows, ends, strict=True))
    assert whole == file.getvalue()


@given(st.text(st.sampled_from('a,"\n\r'), max_size=12))
def test_any_text_comes_back_as_it_was(text):
    rows, ends = split_rows(text, ",")
    assert "".join(",".join(row) + end for row, end in zip(rows, ends, strict=True)) == text


@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_only_the_filled_cell_changes(tmp_path, start):
    path, text = tmp_path / "t.csv", f'{start}Student;"ID";Mark\r\n"Doe; J";7;\r\nshort\r\n'
    path.write_bytes(text.encode())
    sheet = read_sheet(path)
    assert str(sheet) == text
    sheet.fill(1, 2, "9,50")
    sheet.fill(2, 2, "a;b")
    assert str(sheet) == f'{start}Student;"ID";Mark\r\n"Doe; J";7;9,50\r\nshort;;"a;b"\r\n'
    assert sheet.texts(1) == ["Doe; J", "7", "9,50"]


def test_records_are_by_name_and_unmasked(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("student, points\n'=1+1,2\n,\n\nann\n", encoding="utf-8")
    assert read_table(path, ["student", "points"]).rows == [
        {"student": "=1+1", "points": "2"},
        {"student": "ann", "points": ""},
    ]
    assert read_table(tmp_path / "none.csv", ["student"]).rows == []
    with pytest.raises(CourseError, match="lacks the column why: expected student, why"):
        read_table(path, ["student", "why"])


def test_a_table_that_is_no_text_is_one_line(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CourseError, match="save it as CSV in UTF-8"):
        read_sheet(path)


@given(TEXT)
def test_no_text_is_run_as_a_formula(text):
    assert not escape_formula(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unescape_formula(escape_formula(text)) == text


NAN = "nan"


@pytest.mark.parametrize(
    ("text", "open_", "comma", "point"),
    [
        (" 1,5 ", 1.5, 1.5, 1.5),
        ("2.25", 2.25, 2.25, 2.25),
        ("1,012", NAN, 1.012, 1012),
        ("1.012", 1.012, 1012, 1.012),
        ("0,500", 0.5, 0.5, 0.5),
        ("1,234.50", 1234.5, 1234.5, 1234.5),
        ("1.234,50", 1234.5, 1234.5, 1234.5),
        ("1,234,567", 1234567, 1234567, 1234567),
        ("1.234.567", 1234567, 1234567, 1234567),
        ("1'012", 1012, 1012, 1012),
        ("1\u202f012,5", 1012.5, 1012.5, 1012.5),
        ("\u00a07", 7, 7, 7),
        ("１２", 12, 12, 12),
        ("\u22122", -2, -2, -2),
        ("1,23,4", NAN, NAN, NAN),
        ("12,34.5", NAN, NAN, NAN),
        ("two", NAN, NAN, NAN),
        ("", NAN, NAN, NAN),
        ("inf", NAN, NAN, NAN),
        ("5%", NAN, NAN, NAN),
    ],
)
def test_numbers_as_spreadsheets_write_them(text, open_, comma, point):
    found = [parse_number(text, decimal_comma) for decimal_comma in (None, True, False)]
    assert [NAN if value != value else value for value in found] == [open_, comma, point]


@given(st.integers(-(10**9), 10**9), st.sampled_from([(",", "."), (".", ","), ("'", "."), ("\u00a0", ",")]))
def test_a_number_with_thousands_and_two_decimals_is_read_in_any_country(cents, signs):
    text = f"{cents / 100:,.2f}".translate(str.maketrans({",": signs[0], ".": signs[1]}))
    assert parse_number(text) == cents / 100


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("student;points\nann;1,012\n", 1.012),
        ('student,points\nann,"1,012"\n', 1012),
        ('student,points\nann,"1,012"\nbo,"7,5"\n', 1.012),
        ("student;points\nann;1,012\nbo;7.5\n", 1012),
        ("student\tpoints\nann\t1,012\nbo\t10.25\n", 1012),
        ('student,points\nann,"1,012"\nbo,"7,5"\ncy,7.25\n', None),
    ],
)
def test_the_file_decides_what_a_comma_means(tmp_path, text, value):
    path = tmp_path / "t.csv"
    path.write_text(text)
    table = read_table(path, ["student", "points"])
    found = table.number(table.rows[0]["points"])
    assert found == value or (value is None and found != found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1001", "1001"), ('="1001"', "1001"), ("'0012", "0012"), ("1001.0", "1001"), ("1001,00", "1001"),
        ("1,001", "1001"), ("1.001.234", "1001234"), ("1\u00a0001", "1001"), ("\u00a01001\u200b", "1001"),
        ("1.001E+03", "1001"), ("1,001E+3", "1001"), ("１００１", "1001"), ("=1001", "1001"), ("sobrien1", "sobrien1"),
        ("ann@x.org", "ann@x.org"), ("12.5", "12.5"), ("1001S", "1001S"), ("", ""),
    ],
)  # fmt: skip
def test_an_id_is_what_it_was_before_a_spreadsheet(text, expected):
    assert restore_identifier(text, "t.csv, row 2") == expected


@pytest.mark.parametrize("text", ["1.00E+03", "1E+12", "1.23E+11", "9,99E+05"])
def test_an_id_that_lost_its_digits_is_one_line(text):
    with pytest.raises(CourseError, match=r"t.csv, row 2: the id is .*, which a spreadsheet rounded"):
        restore_identifier(text, "t.csv, row 2")


TABLE = [["student", "points", "why"], ["Zoë, Müller", "7,5", 'a "b"; c'], ["José", "", "1\t2"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "mac-roman"]
)
@pytest.mark.parametrize("above", ["", "\n", "Course of Zoë\n\n", "sep\n"])
def test_a_table_is_read_however_it_was_saved(tmp_path, delimiter, end, encoding, above):
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator=end).writerows(TABLE)
    above = f"sep={delimiter}\n" if above.startswith("sep") else above
    path = tmp_path / "t.csv"
    path.write_bytes((above.replace("\n", end) + file.getvalue()).encode(encoding))
    table = read_table(path, TABLE[0])
    assert [list(row.values()) for row in table.rows] == TABLE[1:]
    assert [place.rpartition(" ")[2] for place in table.places] == [
        str(2 + above.count("\n")),
        str(3 + above.count("\n")),
    ]
    sheet = read_sheet(path)
    assert str(sheet).removeprefix("\ufeff") == above.replace("\n", end) + file.getvalue()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"PK\x03\x04rest", "is an Excel workbook"),
        (b"\xd0\xcf\x11\xe0rest", "is an Excel workbook"),
        (b" <html>", "is a web page"),
        (b"%PDF-1.7", "is a PDF"),
        (b'student,points\n"ann,1\nbo,2\n', "row 2: a quotation mark opens a cell and none closes it"),
        (b"student,points,points\nann,1,2\n", "has 2 columns points: leave one"),
        (b"\x81\xfe\xfdstudent", "save it as CSV in UTF-8"),
    ],
)
def test_a_file_of_another_kind_is_one_line(tmp_path, content, complaint):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(CourseError, match=complaint) as raised:
        read_table(path, ["student", "points"])
    assert "\n" not in str(raised.value)


def test_empty_columns_at_the_end_and_commas_in_titles_do_no_harm(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("student;Lists, sets, dicts, tuples, and maps;points;;\nann;x, y;3;;\n\n;;;;\n")
    table = read_table(path, ["student", "points"])
    assert [(row["student"], row["points"]) for row in table.rows] == [("ann", "3")]
