"""CSV files: what is read is what Python's csv reads, and what is not filled in comes back byte for byte."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course import CourseError
from autograder.spreadsheets import cell, number, read_sheet, records, split, unmasked, unwrapped

TEXT = st.text(st.sampled_from("ab,;\t\"\n\r'= é名"), max_size=6)
TABLES = st.lists(st.lists(TEXT, min_size=2, max_size=4), min_size=1, max_size=5)


@given(TABLES, st.sampled_from(",;\t"), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_cells_are_those_that_csv_wrote(table, delimiter, quoting):
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, quoting=quoting).writerows(table)
    rows, ends = split(file.getvalue(), delimiter)
    assert [[unwrapped(text) for text in row] for row in rows] == table
    whole = "".join(delimiter.join(row) + end for row, end in zip(rows, ends, strict=True))
    assert whole == file.getvalue()


@given(st.text(st.sampled_from('a,"\n\r'), max_size=12))
def test_any_text_comes_back_as_it_was(text):
    rows, ends = split(text, ",")
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
    assert records(path, ["student", "points"]) == [
        {"student": "=1+1", "points": "2"},
        {"student": "ann", "points": ""},
    ]
    assert records(tmp_path / "none.csv", ["student"]) == []
    with pytest.raises(CourseError, match="lacks the column why: expected student, why"):
        records(path, ["student", "why"])


def test_a_table_that_is_no_text_is_one_line(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CourseError, match="save it as CSV in UTF-8"):
        read_sheet(path)


@given(TEXT)
def test_no_text_is_run_as_a_formula(text):
    assert not cell(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unmasked(cell(text)) == text


def test_numbers_as_spreadsheets_write_them():
    assert (number(" 1,5 "), number("2.25")) == (1.5, 2.25)
    assert number("two") != number("two")
