"""Marks by hand: they replace what the grader gave, say who and why, and a mistake in the table is one line."""

from pathlib import Path

import pytest

from autograder.core import CourseError, csv_text, escape_formula, sanitize
from autograder.grading._answers import COLUMNS as ANSWER_COLUMNS
from autograder.grading._manual_marks import (
    COLUMNS,
    apply_manual_marks,
    count_days_by_hand,
    find_absent_students,
    match_students,
    read_mark_table,
    read_marks,
    write_empty_table,
)
from autograder.rubric import Adjustment, Report, Score, item
from autograder.submissions import RawSubmission, Submitter


@item(points=10)
def greets(submission):
    """Say hello."""


@item(points=4, bonus=True)
def sings(submission):
    """Sing."""


ITEMS = (greets, sings)
HEADER = ",".join(COLUMNS)


@pytest.fixture
def table(tmp_path):
    """Write rows below the header, and read the table."""

    def write(*rows, header=HEADER):
        path = tmp_path / "marks.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return read_marks(path, ITEMS)

    return write


def report(outcome="scored", earned=3.0, message="No greeting.", student="ann"):
    scores = (
        Score("greets", "It greets.", 10, False, outcome, earned, message, "Greet.", ("Close.",)),
        Score("sings", "It sings.", 4, True, "scored", 1.0),
    )
    return Report(student, "hello", scores, "", {})


def test_points_by_hand_replace_the_graders_and_say_who_and_why(table):
    marked = apply_manual_marks(report(), table("ann,greets,7.5,Well argued.,Eve,It greets in Latin"))
    score = marked.scores[0]
    assert (score.earned, score.message) == (7.5, "Marked by hand by Eve: It greets in Latin")
    assert score.hint == "Well argued."
    assert score.remarks == ("The grader gave 3 of 10: No greeting.", "Close.")
    assert marked.scores[1] == report().scores[1] and marked.earned == 8.5


@pytest.mark.parametrize("outcome", ["broken", "awaiting review", "deferred"])
def test_marks_settle_items_that_wait_for_a_person(table, outcome):
    marked = apply_manual_marks(report(outcome, None, "Waits."), table("ann,greets,10,,Eve,ran it myself"))
    assert marked.status == "graded" and marked.earned == 11
    assert marked.scores[0].remarks[0] == "The grader gave no points: Waits."


def test_points_beside_the_items(table):
    marked = apply_manual_marks(report(), table("ann,total,-2,,Eve,copied", "ann,late,0,ill,Eve,has a note"))
    assert marked.adjustments == (
        Adjustment(-2.0, "By hand: copied", "Eve"),
        Adjustment(0.0, "Late, settled by hand: has a note (ill)", "Eve"),
    )
    assert marked.earned == 2


def test_days_by_hand_override_the_late_policy(table):
    marks = table("ann,late,-3,,Eve,agreed", "bob,days,2,,Eve,SpeedGrader", "eve,total,1,,Eve,kind")
    assert count_days_by_hand(marks) == {"ann": None, "bob": 2}


def test_students_without_rows_are_as_they_were(table):
    assert apply_manual_marks(report(student="bob"), table("ann,greets,10,,Eve,why")) == report(student="bob")
    assert apply_manual_marks(report(), {}) == report()


def test_tables_saved_by_spreadsheets_are_read(table):
    marks = table("'=ann;greets;7,5;;Eve;why", ";;;;;", header="\ufeff" + HEADER.replace(",", ";"))
    assert apply_manual_marks(report(student="=ann"), marks).scores[0].earned == 7.5


def test_hostile_text_of_a_row_is_cleaned(table):
    marked = apply_manual_marks(report(), table('ann,greets,1,"a\x1b[31m\nb",Eve\u202e,"<b>\r\nwhy"'))
    assert (
        marked.scores[0].message == "Marked by hand by Eve: <b> why" and "\x1b" not in marked.scores[0].hint
    )


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (
            ["ann,greet,1,,Eve,why"],
            "row 2 (ann, greet): There is no item named 'greet'; did you mean greets?",
        ),
        (["ann,greets,11,,Eve,why"], "row 2 (ann, greets): points are 11, expected a number from 0 to 10."),
        (["ann,greets,-1,,Eve,why"], "points are -1, expected a number from 0 to 10."),
        (["ann,greets,,,Eve,why"], "points are missing or no number"),
        (["ann,greets,nan,,Eve,why"], "points are missing or no number"),
        (["ann,total,inf,,Eve,why"], "points are missing or no number that is read in one way only ('inf')"),
        (["ann,late,1,,Eve,why"], "points are 1, expected a number from -14 to 0."),
        (["ann,days,1.5,,Eve,why"], "points are 1.5, expected a whole number from 0 to 366."),
        (["ann,greets,1,,,why"], "`by` is missing; a mark by hand says who gave it and why."),
        (["ann,greets,1,,Eve, "], "`why` is missing"),
        ([",greets,1,,Eve,why"], "row 2: the student is missing."),
        (
            ["ann,greets,1,,Eve,why", ",,,,,", "ann,greets,2,,Eve,why"],
            "row 4 (ann, greets): row 2 is for the same",
        ),
        (["ann,late,0,,Eve,why", "ann,days,2,,Eve,why"], "row 2 (ann, late): there is a row `days` as well"),
    ],
)
def test_a_mistake_is_one_line_with_its_row(table, rows, complaint):
    with pytest.raises(CourseError) as raised:
        table(*rows)
    assert complaint in str(raised.value) and "\n" not in str(raised.value)


def test_a_column_that_is_missing_is_named(table):
    with pytest.raises(CourseError, match="lacks the column why"):
        table("ann,greets,1,,Eve", header="student,item,points,comment,by")


def test_an_item_may_not_have_a_name_that_means_another_thing(tmp_path):
    @item(points=1)
    def late(submission):
        """Late."""

    assert read_marks(tmp_path / "marks.csv", (late,)) == {}
    write_empty_table(tmp_path / "marks.csv")
    with pytest.raises(CourseError, match="has an item named 'late'"):
        read_marks(tmp_path / "marks.csv", (late,))


def test_marks_of_students_outside_the_class(table):
    marks = table("ann,greets,1,,Eve,why", "ann,total,1,,Eve,why", "bob,greets,1,,Eve,why")
    assert find_absent_students(marks, {"ann", "bob"}) == []
    [line] = find_absent_students(marks, {"bob"}, ["ann"])
    assert "(ann, total): the student is not in this class now" in line
    with pytest.raises(CourseError, match="row 4 .*no student named 'bob'; did you mean bob_7"):
        find_absent_students(marks, {"ann", "bob_7"}, ["eve"])


CLASS = [
    RawSubmission("lee_ann", Path("a"), Submitter("canvas", "17", "Ann Lee", "alee", "ann.lee@example.org")),
    RawSubmission("ek_bo", Path("b"), Submitter("canvas", "18", "Bo Ek", "bek", "bo@example.org")),
    RawSubmission("ek_bo_2", Path("c"), Submitter("canvas", "19", "Bo Ek", "bek2", "bo2@example.org")),
]


@pytest.mark.parametrize(
    "written", ["lee_ann", "17", "alee", "ALEE", "ann.lee@example.org", "Ann Lee", "Lee, Ann"]
)
def test_a_student_is_found_by_key_id_login_address_or_name(table, written):
    cell = f'"{written}"' if "," in written else written
    matched = match_students(table(f"{cell},greets,1,,Eve,why"), CLASS, [])
    assert list(matched) == [("lee_ann", "greets")]
    assert matched["lee_ann", "greets"].cells["student"] == "lee_ann"


@pytest.mark.parametrize("written", ["Bo Ek", "nobody"])
def test_a_name_of_two_students_or_of_nobody_is_refused(table, written):
    marks = match_students(table(f"{written},greets,1,,Eve,why"), CLASS, [])
    with pytest.raises(CourseError, match=f"no student named '{written}'"):
        find_absent_students(marks, {raw.student for raw in CLASS})


def test_a_student_of_an_earlier_run_is_nobody_else(table):
    assert list(match_students(table("alee,greets,1,,Eve,why"), CLASS, ["alee"])) == [("alee", "greets")]


def test_two_rows_for_the_same_student_are_refused(table):
    marks = table("lee_ann,greets,1,,Eve,why", "17,greets,2,,Eve,why")
    with pytest.raises(CourseError, match=r"row 3 .*another row is for the same student and item"):
        match_students(marks, CLASS, [])


def test_a_blank_table_is_written_once_and_is_the_tas(tmp_path):
    path = tmp_path / "marks.csv"
    write_empty_table(path)
    assert path.read_text() == HEADER + "\n" and read_marks(path, ITEMS) == {}
    path.write_text(HEADER + "\nann,greets,1,,Eve,why\n")
    before = path.read_bytes()
    write_empty_table(path)
    read_marks(path, ITEMS)
    assert path.read_bytes() == before


@pytest.mark.parametrize("student", ["\u200e ann", "ann \u200e lee", "=ann", "ann, lee", " ann"])
@pytest.mark.parametrize("file", ["marks.csv", "answers.csv"])
def test_a_student_is_found_as_reports_spell_the_name(tmp_path, file, student):
    name, columns = sanitize(student), COLUMNS if file == "marks.csv" else ANSWER_COLUMNS
    row = dict.fromkeys(columns, "x") | {"student": escape_formula(name), "points": "1"}
    (tmp_path / file).write_text(csv_text(columns, [row]), encoding="utf-8")
    assert list(read_mark_table(tmp_path / file, columns)) == [(name, "x")]
