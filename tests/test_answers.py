"""Answers in own words: a table for a person to fill, whose points enter the marks and survive every later run."""

import csv
import io
import json

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook
from toy import write

from autograder.core import CourseError, Failure
from autograder.data import DEMO_SECRET, HiddenData
from autograder.grading import Grader, MarkSources, grade_cohort
from autograder.grading._answers import format_answers, read_answers
from autograder.lms._detect import read_cohort
from autograder.rubric import texts_of
from autograder.rubric._written import BESIDE, UNMARKED, find_answer
from autograder.submissions import read_all_cells

RUBRIC = '''
from autograder.rubric import item


@item(points=3)
def explains(submission):
    """Why does it forget?"""
    return submission.text("explains")


@item(points=7)
def greets(submission):
    """greeting.txt is there."""
    submission.read("greeting.txt")
'''


@pytest.fixture
def grade(course, sandbox, tmp_path):
    """Return a function that grades the class in `tmp_path / "class"` and returns the reports by student."""
    write(course.assignments[0].rubric, RUBRIC)
    out = tmp_path / "out"

    def run(fresh=False):
        grader = Grader.create(course.assignments[0], HiddenData(course, DEMO_SECRET), sandbox)
        cohort = read_cohort(tmp_path / "class", "hello")
        graded = grade_cohort(grader, MarkSources.read(course, grader, cohort, out), cohort, out, fresh)
        return {result.report.student: result.report for result in graded}

    return run


def hand_in(tmp_path, student, text, **metadata):
    write(tmp_path / "class" / student / "greeting.txt", "hello")
    cell = new_markdown_cell(text, metadata=metadata or {"tags": ["answer:explains"]})
    nbformat.write(
        new_notebook(cells=[new_markdown_cell("# Title"), cell]), tmp_path / "class" / student / "w.ipynb"
    )


def fill(tmp_path, **columns):
    """Fill the columns of the first row as a TA would."""
    path = tmp_path / "out" / "answers.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    for name, value in columns.items():
        table.loc[0, name] = value
    table.to_csv(path, index=False)


def test_an_answer_waits_for_its_reader_and_then_counts(grade, tmp_path):
    hand_in(tmp_path, "ann", "Because *factors* below one shrink.")
    report = grade()["ann"]
    assert (report.status, report.earned) == ("awaiting review", 7)
    [row] = csv.DictReader((tmp_path / "out" / "answers.csv").open())
    assert row == {
        "student": "ann", "item": "explains", "question": "Why does it forget?", "possible": "3", "points": "",
        "answer": "Because *factors* below one shrink.", "comment": "", "reader": "",
    }  # fmt: skip
    fill(tmp_path, points="2.5", comment="Say below one of what.", reader="Lee")
    report = grade()["ann"]
    assert (report.status, report.earned) == ("graded", 9.5)
    assert (report.scores[0].message, report.scores[0].hint) == ("Read by Lee.", "Say below one of what.")
    grades = pd.read_csv(tmp_path / "out" / "grades.csv")
    assert grades.loc[0, ["explains", "earned", "status"]].tolist() == [2.5, 9.5, "graded"]
    assert "Say below one of what." in (tmp_path / "out" / "ann" / "report.html").read_text()


@pytest.mark.parametrize("fresh", [False, True])
def test_points_survive_regrading(grade, tmp_path, fresh):
    hand_in(tmp_path, "ann", "Because.")
    grade()
    fill(tmp_path, points="3")
    assert [grade(fresh)["ann"].earned for _ in range(3)] == [10, 10, 10]
    fill(tmp_path, points="")
    assert grade()["ann"].status == "awaiting review"


def test_points_stand_for_the_answer_they_were_given_for(grade, tmp_path):
    hand_in(tmp_path, "ann", "Because.")
    grade()
    fill(tmp_path, points="1", comment="Why?")
    hand_in(tmp_path, "ann", "Because factors below one shrink.")
    assert grade()["ann"].status == "awaiting review"
    [row] = read_answers(tmp_path / "out" / "answers.csv").values()
    assert (row.cells["points"], row.cells["comment"]) == ("", "[an earlier answer had 1] Why?")
    fill(tmp_path, points="3")
    assert grade()["ann"].earned == 10


def test_rows_of_absent_students_stay(grade, tmp_path):
    for student in ("ann", "bob"):
        hand_in(tmp_path, student, "Because.")
    grade()
    fill(tmp_path, points="2")
    (tmp_path / "class" / "ann").rename(tmp_path / "gone")
    grade()
    rows = read_answers(tmp_path / "out" / "answers.csv")
    assert {key[0]: row.cells["points"] for key, row in rows.items()} == {"ann": "2", "bob": ""}


def test_points_that_belong_to_nobody_are_named(grade, tmp_path):
    hand_in(tmp_path, "ann", "Because.")
    grade()
    fill(tmp_path, student="anne", points="2")
    with pytest.raises(CourseError, match=r"answers\.csv, row 2 \(anne, explains\).*did you mean ann"):
        grade()
    fill(tmp_path, student="anne", points="")
    assert grade()["ann"].status == "awaiting review"


@pytest.mark.parametrize(
    "text, message",
    [
        ("YOUR ANSWER HERE", "Nothing is written here yet."),
        ("# YOUR ANSWER HERE", "Nothing is written here yet."),
        ("  ", "Nothing is written here yet."),
    ],
)
def test_an_unchanged_stub_earns_nothing(grade, tmp_path, text, message):
    hand_in(tmp_path, "ann", text)
    [score, _] = grade()["ann"].scores
    assert (score.earned, score.message) == (0, message)
    assert not (tmp_path / "out" / "answers.csv").exists()


@pytest.mark.parametrize(
    "text, metadata",
    [("Because.", {"nbgrader": {"grade_id": "explains"}}), ("answer:explains\n\nBecause.", {"colab": {}})],
)
def test_the_cell_is_found_where_an_editor_lost_its_tag(grade, tmp_path, text, metadata):
    hand_in(tmp_path, "ann", text, **metadata)
    assert grade()["ann"].scores[0].answer == "Because."


def test_a_cell_that_is_nowhere_is_asked_for(grade, tmp_path):
    hand_in(tmp_path, "ann", "## Only a heading", tags=["other"])
    score = grade()["ann"].scores[0]
    assert "No cell of your notebook is marked" in score.message and "`answer:explains`" in score.hint


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A1", "+1", "@SUM(A1)", "-2"])
def test_no_cell_is_run_by_a_spreadsheet_and_none_is_changed(grade, tmp_path, text):
    hand_in(tmp_path, "ann", text)
    grade()
    [row] = csv.DictReader((tmp_path / "out" / "answers.csv").open())
    assert row["answer"] == f"'{text}"
    fill(tmp_path, points="3")
    assert grade()["ann"].earned == 10


def test_a_spreadsheets_own_csv_is_read(grade, tmp_path):
    hand_in(tmp_path, "ann", "Because; of this.")
    grade()
    path = tmp_path / "out" / "answers.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.loc[0, "points"] = "2,5"
    path.write_text(table.to_csv(index=False, sep=";", lineterminator="\r\n"), encoding="utf-8-sig")
    assert grade()["ann"].earned == 9.5


@pytest.mark.parametrize("points", ["4", "-1", "two", "nan", "3 points"])
def test_points_that_can_not_be_given_are_one_line_and_lose_nothing(grade, tmp_path, points):
    hand_in(tmp_path, "ann", "Because.")
    grade()
    fill(tmp_path, points=points)
    before = (tmp_path / "out" / "answers.csv").read_bytes()
    with pytest.raises(CourseError, match=r"answers.csv, row 2 \(ann, explains\): points are .* from 0 to 3"):
        grade()
    assert (tmp_path / "out" / "answers.csv").read_bytes() == before


def test_a_table_without_a_column_is_one_line(tmp_path):
    path = write(tmp_path / "answers.csv", "student,item\nann,explains\n")
    with pytest.raises(CourseError, match="lacks the column question"):
        read_answers(path)


def test_reading_and_writing_the_table_changes_nothing(grade, tmp_path):
    hand_in(tmp_path, "ann", 'Because "it" says, so\nand so; 😀')
    grade()
    path = tmp_path / "out" / "answers.csv"
    assert (
        format_answers([row.cells for row in read_answers(path).values()])
        == path.read_text()
        != io.StringIO().read()
    )


STUB = ("markdown", "# YOUR ANSWER HERE", ["answer:why"])
STARTER = [
    ("markdown", "# Lab", []),
    ("markdown", "Why does it forget?", []),
    STUB,
    ("code", "check('why')", []),
    ("markdown", "## The next part", []),
    ("markdown", "Some more of the course's text.", []),
]
AFTER = STARTER[3:]
ANSWERS = {  # the cells in place of STARTER's, and the answer
    "in the cell": ([("markdown", "Because.", ["answer:why"])], "Because."),
    "below the first line": ([("markdown", "answer:why\n\nBecause.", [])], "Because."),
    "behind the mark, in bold": ([("markdown", "**answer:why** Because.", [])], "Because."),
    "the last of two": ([("markdown", "No.", ["answer:why"]), ("markdown", "Because.", ["answer:why"])], "Because."),
    "before a second stub": ([("markdown", "Because.", ["answer:why"]), STUB], "Because."),
    "behind the stub": ([("markdown", "# YOUR ANSWER HERE\nBecause.", ["answer:why"])], "# YOUR ANSWER HERE\nBecause."),
    "made a code cell": ([("code", "It forgets.", ["answer:why"])], "[Written in a code cell.] It forgets."),
    "made a raw cell": ([("raw", "Because.", ["answer:why"])], "[Written in a raw cell.] Because."),
    "a picture": ([("markdown", "![mine](attachment:a.png)", ["answer:why"])], "![mine](attachment:a.png)"),
    "in the next cell": ([STUB, ("markdown", "Because.", [])], f"{BESIDE}\n\nBecause."),
    "in the next two": ([STUB, ("raw", "Because", []), ("markdown", "of it.", [])], f"{BESIDE}\n\nBecause\n\nof it."),
    "as a comment": ([STUB, ("code", "# Because.", [])], f"{BESIDE}\n\n# Because."),
    "as a text": ([STUB, ("code", '"""Because."""', [])], f'{BESIDE}\n\n"""Because."""'),
    "as no Python": ([STUB, ("code", "It forgets what is past.", [])], f"{BESIDE}\n\nIt forgets what is past."),
    "in the cell above": ([("markdown", "Because.", []), STUB], f"{BESIDE}\n\nBecause."),
    "with a heading": ([STUB, ("markdown", "## Mine\nBecause.", [])], f"{BESIDE}\n\n## Mine\nBecause."),
    "without any mark": ([("markdown", "Because.", [])], f"{UNMARKED}\n\nBecause."),
    "for another question": ([("markdown", "Because.", ["answer:why_not"]), STUB], None),
    "only code": ([STUB, ("code", "x = 1\nprint(x)", [])], None),
    "only blanks": ([("markdown", " \u200b\n<!-- write here -->", ["answer:why"])], None),
    "nothing": ([STUB], None),
    "no cell": ([], None),
    "only a heading": ([("markdown", "## My answer", [])], None),
}  # fmt: skip


def cells_of(cells):
    made = [{"cell_type": kind, "source": text, "metadata": {"tags": tags}} for kind, text, tags in cells]
    return [*read_all_cells(json.dumps({"cells": made}).encode(), "work.ipynb")]


@pytest.mark.parametrize("name", ANSWERS)
def test_whatever_is_written_reaches_a_person(name):
    cells, expected = ANSWERS[name]
    cells, starter = cells_of([*STARTER[:2], *cells, *AFTER]), texts_of(cells_of(STARTER))
    if expected is None:
        with pytest.raises(Failure, match="Nothing is written|No cell of your notebook"):
            find_answer("why", cells, starter)
    else:
        assert find_answer("why", cells, starter) == expected


@pytest.mark.parametrize("name", ["in the next cell", "in the next two", "as a comment", "as a text"])
def test_what_stands_below_reaches_a_person_where_no_starter_is_known(name):
    cells, expected = ANSWERS[name]
    assert find_answer("why", cells_of([*STARTER[:2], *cells, STARTER[4]]), frozenset()) == expected


def test_the_starter_has_no_answer_though_its_text_lies_around():
    with pytest.raises(Failure, match="Nothing is written here yet"):
        find_answer("why", cells_of(STARTER), texts_of(cells_of(STARTER)))


def test_a_note_goes_to_the_reader(grade, tmp_path):
    hand_in(tmp_path, "ann", "Because.", tags=["other"])
    assert grade()["ann"].status == "awaiting review"
    [row] = csv.DictReader((tmp_path / "out" / "answers.csv").open())
    assert row["answer"] == f"{UNMARKED} Because."
