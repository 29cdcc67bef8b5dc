"""Marks go into a platform's own table: one column to two decimals, everything else byte for byte as it was."""

import csv
import io
import zipfile
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.core import Assignment, CourseError, read_sheet
from autograder.lms import _canvas as canvas
from autograder.lms import _moodle as moodle
from autograder.lms import _nbgrader as nbgrader
from autograder.lms import feedback_zip
from autograder.lms._feedback import feedback_names
from autograder.lms._matching import complete_submitter
from autograder.lms._roster import read_roster
from autograder.rubric import Adjustment, Report, Score
from autograder.submissions import Submitter, leads_out


def mark(platform, id, earned, possible=10.0, outcome="scored", **origin):
    score = Score("one", "One.", possible, False, outcome, None if outcome != "scored" else earned)
    origin = Submitter(platform, id, **origin)
    return origin, Report(f"student {id}", "rnn_by_hand", (score,), "data", {}, origin=origin)


def sheet_of(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode())
    return read_sheet(path)


GRADEBOOK = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Notes,RNNs by hand (41),Tuning (42),Quiz 1 (43),Final Score\r\n"
    ",,,,,,Manual Posting,,,(read only)\r\n"
    "    Points Possible,,,,,,10.00,100,5,(read only)\r\n"
    '"Doe, Jane",1,s1,jdoe,"A, B",,,,1,55.1\r\n'
    "=1+1,2,s2,two,A,,3.00,,,\r\n"
    "O'Brien,3,s3,ob,A,,EX,,,\r\n"
    '"Nobody ""N"" Here",4,s4,no,A,,,,,\r\n'
    "Unfinished,5,s5,un,A\r\n"
    "    Student, Test,,,,,,,\r\n"
)


def test_canvas_gets_one_column_and_nothing_else_changes(tmp_path):
    marks = [mark("canvas", "1", 9.5), mark("canvas", "2", 10 / 3), mark("canvas", "3", 5.0)]
    marks += [
        mark("canvas", "5", 0, outcome="awaiting review"),
        mark("canvas", "99", 1.0),
        mark("moodle", "4", 1.0),
    ]
    filled = canvas.write_grades(sheet_of(tmp_path, GRADEBOOK), marks, "RNNs by hand")
    expected = GRADEBOOK.replace('"A, B",,,,1', '"A, B",,9.50,,1').replace("A,,3.00", "A,,3.33")
    assert filled.text == expected and (filled.written, filled.column) == (2, "RNNs by hand (41)")
    assert filled.untouched == (
        "student 3: excused in Canvas (EX).",
        "student 5: not finished (awaiting review).",
        "student 99: not in the table.",
        "student 4: not in the table.",
    )
    assert filled.warnings == ("1 marks that were in the table are replaced by others.",)
    unfinished = canvas.write_grades(
        sheet_of(tmp_path, GRADEBOOK), marks, "", unfinished=True, slug="rnns_by_hand"
    )
    assert "Unfinished,5,s5,un,A,,0.00\r\n" in unfinished.text


@pytest.mark.parametrize(
    "title, column",
    [
        ("Tuning (42)", 7),
        ("tuning", 7),
        ("Quiz 1 (43)", 8),
        ("The quiz 1 of week one", 8),
        ("", 6),
        ("by hand", 6),
    ],
)
def test_canvas_column_is_named_or_like_the_title(tmp_path, title, column):
    filled = canvas.write_grades(
        sheet_of(tmp_path, GRADEBOOK), [mark("canvas", "4", 5.0)], title or "RNNs by hand"
    )
    [row] = [row for row in csv.reader(io.StringIO(filled.text)) if row[1:2] == ["4"]]
    assert [number for number, text in enumerate(row) if text == "5.00"] == [column]


@pytest.mark.parametrize(
    "title, complaint",
    [
        ("Final Score", "'Final Score' is read only in Canvas"),
        ("Quizz 1 (43)", r"did you mean Quiz 1 \(43\)"),
        ("nothing alike", r"there are: RNNs by hand \(41\), Tuning \(42\), Quiz 1 \(43\)"),
    ],
)
def test_another_canvas_column_is_told(tmp_path, title, complaint):
    with pytest.raises(CourseError, match=complaint):
        canvas.write_grades(sheet_of(tmp_path, GRADEBOOK), [mark("canvas", "1", 1.0)], title)


def test_two_canvas_columns_alike_are_told(tmp_path):
    text = GRADEBOOK.replace("Quiz 1 (43)", "RNNs by hand (44)")
    with pytest.raises(
        CourseError, match=r"2 columns for 'RNNs by hand': name one of 'RNNs by hand \(41\)', "
    ):
        canvas.write_grades(sheet_of(tmp_path, text), [mark("canvas", "1", 1.0)], "RNNs by hand")
    assert (
        canvas.write_grades(sheet_of(tmp_path, text), [mark("canvas", "1", 1.0)], "RNNs by hand (44)").written
        == 1
    )


def test_canvas_with_other_points_is_warned_of(tmp_path):
    filled = canvas.write_grades(
        sheet_of(tmp_path, GRADEBOOK), [mark("canvas", "1", 9.5, possible=110)], "Tuning"
    )
    assert filled.warnings == ("Canvas has 100 points possible in 'Tuning (42)', the assignment 110.",)


def test_canvas_with_semicolons_and_split_names(tmp_path):
    text = (
        "LastName;FirstName;ID;SIS Login ID;Section;RNN (4)\nPoints Possible;;;;;10,0\nDoe;Jane;1;j;A;2,5\n"
    )
    filled = canvas.write_grades(sheet_of(tmp_path, text), [mark("canvas", "1", 7.25)], "RNN")
    assert filled.text == text.replace("2,5", "7,25")


@pytest.mark.parametrize(
    "fill", [lambda sheet: canvas.write_grades(sheet, [], "x"), lambda sheet: moodle.write_grades(sheet, [])]
)
@pytest.mark.parametrize("text", ["a,b\n1,2\n", "", "Student,ID\nx,1\n", "1\n2\n"])
def test_another_table_is_one_line(tmp_path, fill, text):
    with pytest.raises(CourseError, match="expected"):
        fill(sheet_of(tmp_path, text))


WORKSHEET = (
    '\ufeffIdentifier,"Full name","Email address",Status,Group,Grade,"Maximum Grade","Grade can be changed",'
    '"Last modified (submission)","Last modified (grade)","Feedback comments"\n'
    '"Participant 11","Ann Lee",al@x.example,"Submitted",A,,10.00,Yes,"Friday, 5 March 2027, 11:58 PM",-,\n'
    '"Participant 12","Ann Lee",al2@x.example,"Submitted",A,4.00,10.00,Yes,"Friday, 5 March 2027, 1:9 PM",-,"a ""b"""\n'
    '"Participant 13","=cmd|x",c@x.example,"No submission",A,,10.00,Yes,-,-,\n'
)
GERMAN = (
    '"ID";"Vollständiger Name";"E-Mail-Adresse";"Status";"Bewertung";"Bestwertung";"Bewertung kann geändert werden";'
    '"Zuletzt geändert (Abgabe)";"Zuletzt geändert (Bewertung)";"Feedback als Kommentar"\r\n'
    '"Teilnehmer/in 11";"Ann Lee";"al@x.example";"Abgegeben";"";"10,00";"Ja";"Freitag, 5. März 2027, 23:58";"-";""\r\n'
    '"Teilnehmer/in 12";"Bo Ek";"be@x.example";"Abgegeben";"1,50";"10,00";"Ja";"-";"-";""\r\n'
)


def test_moodle_gets_one_column_and_nothing_else_changes(tmp_path):
    marks = [mark("moodle", "11", 9.5), mark("moodle", "12", 10.5), mark("moodle", "14", 1.0)]
    filled = moodle.write_grades(sheet_of(tmp_path, WORKSHEET), marks)
    assert filled.text == WORKSHEET.replace('"Submitted",A,,', '"Submitted",A,9.50,') and filled.written == 1
    assert filled.untouched == (
        "student 12: 10.50 is above Moodle's maximum grade 10, and would be skipped.",
        "student 14: not in the table.",
    )
    assert not filled.warnings
    other = moodle.write_grades(sheet_of(tmp_path, WORKSHEET), [mark("moodle", "11", 9.5, possible=110)])
    assert other.warnings == ("Moodle's maximum grade is 10, the assignment has 110 points.",)


def test_a_moodle_in_another_language(tmp_path):
    filled = moodle.write_grades(
        sheet_of(tmp_path, GERMAN), [mark("moodle", "11", 9.5), mark("moodle", "12", 2.0)]
    )
    assert filled.text == GERMAN.replace('"";"10,00"', '"9,50";"10,00"').replace('"1,50"', '"2,00"')


def test_a_team_is_not_taken_for_the_student_of_its_number(tmp_path):
    filled = moodle.write_grades(sheet_of(tmp_path, WORKSHEET), [mark("moodle", "11", 9.5, name="Team 7")])
    assert filled.untouched == ("student 11: not in the table.",)
    assert (
        moodle.write_grades(
            sheet_of(tmp_path, WORKSHEET), [mark("moodle", "11", 9.5, name="B-Lee Ann")]
        ).written
        == 1
    )


def test_a_worksheet_without_names(tmp_path):
    text = "Identifier,Status,Grade,Maximum Grade,Last modified (grade)\nParticipant 7,Submitted,,10,-\n"
    sheet = sheet_of(tmp_path, text)
    assert read_roster(sheet.path).people == (Submitter("moodle", "7"),)
    assert moodle.write_grades(sheet, [mark("moodle", "7", 9.5)]).text == text.replace("ted,,", "ted,9.50,")


@pytest.mark.parametrize(
    "text",
    [
        WORKSHEET.replace(",Grade,", ",Mark,"),
        GERMAN.replace('"Bewertung"', '"Note"').replace('"1,50"', '"gut"'),
        GERMAN.replace("10,00", "1", 1),
        GERMAN.replace('"Teilnehmer/in 12"', '"Gast"'),
    ],
)
def test_a_worksheet_that_is_not_understood_is_not_filled(tmp_path, text):
    with pytest.raises(CourseError, match="is no worksheet of Moodle: expected"):
        moodle.write_grades(sheet_of(tmp_path, text), [mark("moodle", "11", 9.5)])


def test_numbers_in_other_columns_are_not_taken_for_the_maximum(tmp_path):
    text = GERMAN.replace('"-";""', '"-";"5"', 1)
    filled = moodle.write_grades(sheet_of(tmp_path, text), [mark("moodle", "12", 2.0)])
    assert filled.text == text.replace('"1,50"', '"2,00"')


@given(st.lists(st.floats(0, 10), min_size=2, max_size=2))
def test_totals_agree_to_the_cent(tmp_path_factory, earned):
    tmp_path = tmp_path_factory.mktemp("t")
    marks = [mark("moodle", str(11 + number), round(value, 2)) for number, value in enumerate(earned)]
    text = moodle.write_grades(sheet_of(tmp_path, WORKSHEET), marks).text
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [float(row["Grade"]) for row in rows[:2]] == [report.earned for _, report in marks]


def test_of_two_submissions_of_one_row_none_is_written(tmp_path):
    filled = moodle.write_grades(
        sheet_of(tmp_path, WORKSHEET), [mark("moodle", "11", 9.5), mark("moodle", "11", 1.0)]
    )
    assert (
        filled.text == WORKSHEET
        and filled.untouched
        == ("student 11: another submission may be for this row as well, none is written.",) * 2
    )


def test_who_handed_in_elsewhere_is_found_by_address_login_or_whole_name(tmp_path):
    marks = [
        mark("drive", "", 1.0, name="Jane Doe"),
        mark("folder", "", 2.0, name="Here"),
        mark("x", "3", 3.0),
    ]
    marks += [mark("nbgrader", "", 4.0, login="TWO"), mark("moodle", "1", 5.0, name="Ann Lee")]
    filled = canvas.write_grades(sheet_of(tmp_path, GRADEBOOK), marks, "Tuning (42)")
    rows = {row[1]: row[7] for row in csv.reader(io.StringIO(filled.text)) if len(row) > 7}
    assert (rows["1"], rows["2"], rows["3"], filled.written) == ("1.00", "4.00", "", 2)
    twice = moodle.write_grades(sheet_of(tmp_path, WORKSHEET), [mark("drive", "", 1.0, name="Ann Lee")])
    assert twice.written == 0 and twice.untouched == ("student : not in the table.",)


def completed(roster, origin):
    person = roster.find(origin)
    return complete_submitter(origin, person) if person else origin


def test_people_are_read_from_what_each_platform_exports(tmp_path):
    def roster(text):
        sheet = sheet_of(tmp_path, text)
        return read_roster(sheet.path)

    assert completed(roster(GRADEBOOK), Submitter("canvas", "1", "doejane", late=True)) == Submitter(
        "canvas", "1", "Doe, Jane", "jdoe", late=True
    )
    assert completed(roster(WORKSHEET), Submitter("moodle", "12", "Ann Lee")).email == "al2@x.example"
    german = completed(roster(GERMAN), Submitter("moodle", "12", "Ek"))
    assert (german.name, german.email) == ("Bo Ek", "be@x.example")
    grades = "First Name,Last Name,SID,Email,Submission ID,Submission Time\n"
    grades += "Ann,Lee,7,al@x,55,2027-03-05 10:00:00 -0700\n"
    found = completed(roster(grades), Submitter("gradescope", "55"))
    assert (found.name, found.login, found.submitted) == ("Ann Lee", "7", "2027-03-05T10:00:00-07:00")
    assert completed(roster(grades), Submitter("canvas", "55", "x")) == Submitter("canvas", "55", "x")
    assert completed(roster(grades), Submitter("nbgrader", login="7")).name == "Ann Lee"
    with pytest.raises(CourseError, match=r"expected Canvas's gradebook \(Student, ID"):
        roster("name,mark\nann,1\n")


def test_feedback_is_named_as_the_platform_takes_it_back():
    upload = Submitter("canvas", "1", prefix="doejane_LATE_1_98_")
    assert feedback_names(upload, "report.html") == "doejane_LATE_1_98_report.html"
    folder = Submitter("moodle", "1", prefix="Ann Lee_1_assignsubmission_file_/")
    assert feedback_names(folder, "report.html") == "Ann Lee_1_assignsubmission_file_/report.html"
    assert feedback_names(Submitter(), "report.html") == ""


@given(st.text(st.sampled_from("ab./\\_ :"), max_size=12), st.text(st.sampled_from("ab./\\_ :"), max_size=12))
def test_no_name_in_the_zip_of_feedback_escapes(prefix, student):
    reports = [
        Report(student, "x", (), "", {}, origin=Submitter(prefix=prefix)),
        Report(f"{student}2", "x", (), "", {}, origin=Submitter(prefix=prefix)),
    ]
    content = feedback_zip(reports, {report.student: report.student.encode() for report in reports})
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert len(names) == len(set(names)) == 2
    assert not any(leads_out(name) or "\\" in name for name in names)


def test_the_table_of_nbgrader(tmp_path):
    _, report = mark(
        "moodle", "11", 9.0, name="Lee, Ann", login="=al", email="al@x", submitted="2027-03-05T10:00:00+01:00"
    )
    late, more = Adjustment(-2.0, "late"), Adjustment(0.5, "typo in the task", by="Bo")
    report = Report(
        report.student, "rnn", report.scores, "", {}, origin=report.origin, adjustments=(late, more)
    )
    text = nbgrader.grades([report], Assignment("rnn", "RNN", 10, tmp_path))
    header, row = csv.reader(io.StringIO(text))
    assert ",".join(header) == (
        "assignment,duedate,timestamp,student_id,last_name,first_name,email,"
        "raw_score,late_submission_penalty,score,max_score"
    )
    assert row == [
        "rnn",
        "",
        "2027-03-05T10:00:00+01:00",
        "'=al",
        "Lee",
        "Ann",
        "al@x",
        "9.50",
        "2.00",
        "7.50",
        "10.00",
    ]


def test_times_that_are_not_understood_are_named(tmp_path):
    text = GERMAN.replace('"-";"-";""', '"Sunnuntai 5. Unmonth 2027, 10:00";"-";""')
    found = read_roster(sheet_of(tmp_path, text).path, UTC)
    assert found.people[0].submitted == "2027-03-05T23:58:00+00:00" and found.people[1].submitted == ""
    [line] = found.notices
    assert "'Sunnuntai 5. Unmonth 2027, 10:00' is not understood" in line
    assert read_roster(sheet_of(tmp_path, WORKSHEET).path, UTC).notices == ()


IDS = {'="1"': 1, "2.0": 2, "'3": 3, "\u00a04": 4, "5.000E+00": 5}


def test_a_gradebook_that_a_spreadsheet_saved_is_filled(tmp_path):
    rows = "".join(f'"P{number}";{cell};A;\r\n' for cell, number in IDS.items())
    text = "sep=;\r\nStudent;ID;Section;RNN (4)\r\n    Points Possible;;;10,50\r\n" + rows
    marks = [mark("canvas", str(number), 9.5, possible=10.5) for number in IDS.values()]
    filled = canvas.write_grades(sheet_of(tmp_path, text), marks, "RNN")
    assert filled.text == text.replace(";A;", ";A;9,50") and filled.written == 5 and not filled.warnings


def test_points_with_thousands_are_no_reason_for_a_decimal_comma(tmp_path):
    text = 'Student,ID,Section,RNN (4)\n    Points Possible,,,"1,012"\n'
    text += "Ann,1,A,\nBo,2,A,N/A\nCy,3,A,Excused\nDi,4,A,\nDi,4,B,\n"
    marks = [mark("canvas", str(number), 9.5, possible=1012) for number in range(1, 5)]
    filled = canvas.write_grades(sheet_of(tmp_path, text), marks, "RNN")
    assert filled.text == text.replace("Ann,1,A,", "Ann,1,A,9.50") and not filled.warnings
    assert filled.untouched == (
        "student 2: the cell holds 'N/A', which is no number.",
        "student 3: excused in Canvas (EX).",
        "student 4: its id is in more than one row of the table.",
    )


def test_a_gradebook_in_spanish_is_filled(tmp_path):
    text = "Estudiante,ID,ID de inicio de sesión del SIS,Sección,RNN (4)\nPoints Possible,,,,10\nAnn,1,a,A,\n"
    filled = canvas.write_grades(sheet_of(tmp_path, text), [mark("canvas", "1", 9.5)], "RNN")
    assert filled.text == text.replace("a,A,", "a,A,9.50")
    assert read_roster(sheet_of(tmp_path, text).path).people[0].name == "Ann"


def test_a_login_without_its_zeros_is_found(tmp_path):
    people = read_roster(sheet_of(tmp_path, "Name,SID,Email\nAnn Lee,12,a@x\nBo Ek,13,b@x\n").path)
    assert completed(people, Submitter("nbgrader", login="00012")).name == "Ann Lee"
    assert completed(people, Submitter("nbgrader", login="0")).name == ""
