"""From a platform's zip to its own table, filled: exact to the cent, and not another byte."""

import csv
import io
import json
import zipfile

import pytest

from autograder.core import CourseError
from autograder.data import hidden_data
from autograder.grading import Grader, MarkSources, export, grade_cohort
from autograder.lms._detect import read_cohort

NAMES = {"leeann": 11, "smithbo": 12, "1+1": 13}
GRADEBOOK = (
    "Student,ID,SIS Login ID,Section,Hello (77),Other (78),Final Score\r\n"
    "    Points Possible,,,,10.00,5.00,(read only)\r\n"
    '"Lee, Ann",11,ann.lee,A,,4.00,\r\n'
    '"Smith, Bo",12,bo.smith,A,EX,,\r\n'
    "=1+1,13,formula,A,,,\r\n"
    '"Absent, Al",14,al,A,,,\r\n'
)
WORKSHEET = (
    '\ufeffIdentifier,"Full name",Grade,"Maximum Grade","Last modified (grade)"\n'
    '"Participant 11","Ann Lee",,10.00,-\n"Participant 12","Bo Smith",3.00,10.00,-\n"Participant 14",Al,,10.00,-\n'
)


@pytest.fixture
def graded(course, sandbox, tmp_path):
    """Return a function that grades the files in a platform's zip and returns the results folder."""

    def run(names, work="hello" * 3):
        path, out = tmp_path / "export.zip", tmp_path / "out"
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, work)
        grader = Grader.create(course.assignments[0], hidden_data(course), sandbox)
        cohort = read_cohort(path, "hello")
        list(grade_cohort(grader, MarkSources.read(course, grader, cohort, out), cohort, out))
        return out

    return run


@pytest.fixture
def canvas(graded):
    return graded(f"{name}_{user}_{user}00_greeting.txt" for name, user in NAMES.items())


def table(path):
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def earned(out):
    rows = csv.DictReader((out / "grades.csv").open(encoding="utf-8"))
    return {row["id"]: f"{float(row['earned']):.2f}" for row in rows}


def test_a_canvas_gradebook_is_filled_in_one_column(course, canvas, tmp_path):
    gradebook = tmp_path / "gradebook.csv"
    gradebook.write_text(GRADEBOOK, encoding="utf-8", newline="")
    done = export(course, canvas, "canvas", gradebook)
    assert "2 marks in the column 'Hello (77)'" in done.lines[0]
    assert any("excused" in line for line in done.left_alone) and len(done.left_alone) == 1
    marks = earned(canvas)
    assert set(marks) == {"11", "12", "13"} and marks["11"] != "0.00"
    lines = GRADEBOOK.split("\r\n")
    lines[2] = lines[2].replace("A,,4.00", f"A,{marks['11']},4.00")
    lines[4] = f"=1+1,13,formula,A,{marks['13']},,"
    assert (canvas / "gradebook.csv").read_bytes().decode() == "\r\n".join(lines)
    assert gradebook.read_bytes().decode() == GRADEBOOK


def test_pages_go_back_under_the_names_of_what_was_handed_in(course, canvas, tmp_path):
    (tmp_path / "gradebook.csv").write_text(GRADEBOOK, encoding="utf-8")
    export(course, canvas, "canvas", tmp_path / "gradebook.csv")
    with zipfile.ZipFile(canvas / "feedback.zip") as archive:
        pages = {name: archive.read(name) for name in archive.namelist()}
    assert len(pages) == 3
    [name] = [name for name in pages if name.startswith("leeann_11_1100_")]
    assert pages[name] == (canvas / "leeann_11" / "report.html").read_bytes()


def test_a_moodle_worksheet_is_filled(course, graded, tmp_path):
    out = graded(
        ["Ann Lee_11_assignsubmission_file/greeting.txt", "Bo Smith_12_assignsubmission_file/greeting.txt"]
    )
    worksheet = tmp_path / "worksheet.csv"
    worksheet.write_text(WORKSHEET, encoding="utf-8", newline="")
    done = export(course, out, "moodle", worksheet, tmp_path / "filled.csv")
    assert not done.left_alone
    grades = {row[0]: row[2] for row in table(tmp_path / "filled.csv")[1:]}
    assert grades == {f"Participant {id}": mark for id, mark in earned(out).items()} | {"Participant 14": ""}
    expected = WORKSHEET.replace('Lee",,', f'Lee",{grades["Participant 11"]},').replace(
        'Smith",3.00', f'Smith",{grades["Participant 12"]}'
    )
    assert (tmp_path / "filled.csv").read_bytes().decode() == expected


def test_what_is_not_finished_is_left_alone_unless_it_is_asked_for(course, graded, tmp_path):
    generator = course.root / "datasets/numbers/generate.py"
    generator.write_text(generator.read_text().replace("largest + seed % 2", "largest / 0"))
    out = graded(["leeann_11_1100_greeting.txt"])
    gradebook = tmp_path / "gradebook.csv"
    gradebook.write_text(GRADEBOOK, encoding="utf-8", newline="")
    done = export(course, out, "canvas", gradebook)
    assert "not finished (needs a person)" in done.left_alone[0]
    assert (out / "gradebook.csv").read_bytes().decode() == GRADEBOOK
    assert not export(course, out, "canvas", gradebook, unfinished=True).left_alone
    assert "A,6.00,4.00" in (out / "gradebook.csv").read_text()


def test_gradescope_and_other_systems(course, canvas):
    export(course, canvas, "gradescope")
    marks = {
        path.parent.name: json.loads(path.read_text())["score"] for path in canvas.glob("*/results.json")
    }
    assert len(marks) == 3
    assert {f"{mark:.2f}" for mark in marks.values()} == set(earned(canvas).values())
    done = export(course, canvas, "csv")
    rows = list(csv.DictReader((canvas / "export.csv").open(encoding="utf-8")))
    assert "3 marks" in done.lines[0] and {float(row["score"]) for row in rows} == set(marks.values())
    assert all(not row["student_id"].startswith("=") for row in rows)


@pytest.mark.parametrize(
    "to, name, text, options, message",
    [
        ("canvas", "", "", {}, "fills in the gradebook that Canvas exports.*name it with --file"),
        ("moodle", "", "", {}, "fills in the grading worksheet that Moodle gives"),
        ("canvas", "g.csv", "a,b\n1,2\n", {}, "is no gradebook of Canvas"),
        ("moodle", "g.csv", GRADEBOOK, {}, "Identifier"),
        ("canvas", "g.csv", GRADEBOOK, {"column": "Hallo"}, r"there are: Hello \(77\), Other"),
        ("canvas", "g.csv", GRADEBOOK.replace("Hello", "Bye"), {}, "There is no column"),
        ("canvas", "g.csv", GRADEBOOK, {"filled": "g.csv"}, "is not overwritten"),
    ],
)
def test_a_table_that_does_not_fit_is_one_line(course, canvas, tmp_path, to, name, text, options, message):
    file = tmp_path / name if name else None
    if file:
        file.write_text(text, encoding="utf-8")
    if "filled" in options:
        options = {"filled": tmp_path / options["filled"]}
    with pytest.raises(CourseError, match=message) as raised:
        export(course, canvas, to, file, **options)
    assert "\n" not in str(raised.value)


def test_another_folder_than_results_is_one_line(course, tmp_path):
    with pytest.raises(
        CourseError, match="holds no grades.csv: name the folder that `autograder grade` wrote"
    ):
        export(course, tmp_path, "csv")


def test_a_class_of_which_no_file_can_be_graded_has_empty_tables(course, graded):
    out = graded(["leeann_11_text.html"])
    assert (out / "grades.csv").read_text().startswith("student,name,id")
    assert "text that was typed into Canvas" in (out / "left_out.csv").read_text()
    assert "0 marks" in export(course, out, "csv").lines[0]
