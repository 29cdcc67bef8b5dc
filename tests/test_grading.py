"""Grading a class: every submission gets a row and a reason, and none disturbs another."""

import csv
import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.core import CourseError, read_course
from autograder.data import hidden_data
from autograder.grading import Grader, MarkSources, export, grade_cohort, read_author
from autograder.grading import _grader as grader_module
from autograder.grading._results import OWN_FILES, name_folders, read_results
from autograder.lms import file_name
from autograder.lms._detect import read_cohort


@pytest.fixture
def grader(course, sandbox):
    return Grader.create(course.assignments[0], hidden_data(course), sandbox)


def read_rows(out):
    return {row["student"]: row for row in csv.DictReader((out / "grades.csv").open(encoding="utf-8"))}


def start_grading(grader, course, folder, out, fresh=False):
    """Return a generator that grades the class in a folder."""
    cohort = read_cohort(folder, "hello")
    return grade_cohort(grader, MarkSources.read(course, grader, cohort, out), cohort, out, fresh)


@pytest.fixture
def graded(course):
    """Return a function that grades the class in a folder and lists the results in order."""

    def run(grader, folder, out, fresh=False):
        return list(start_grading(grader, course, folder, out, fresh))

    return run


def test_a_class_of_good_and_bad_submissions(grader, graded, hand_in, tmp_path):
    hand_in("ann", **{"greeting.txt": "hello" * 50})
    hand_in("bob", **{"greeting.txt": "good day"})
    folder = hand_in("cy")
    (folder / "di.zip").write_bytes(b"PK\x03\x04 damaged")
    (folder / "notes.txt").write_text("")
    graded(grader, folder, tmp_path / "out")
    assert "notes.txt" in (tmp_path / "out" / "left_out.csv").read_text()
    marks = read_rows(tmp_path / "out")
    assert {name: row["earned"] for name, row in marks.items()} == {
        "ann": "10.0",
        "bob": marks["bob"]["counts"],
        "cy": "0.0",
        "di": "0.0",
    }
    assert all(row["status"] == "graded" and row["possible"] == "10" for row in marks.values())
    reasons = {
        name: json.loads((tmp_path / "out" / name / "report.json").read_text())["scores"][0]["message"]
        for name in marks
    }
    assert "does not say hello" in reasons["bob"]
    assert "it is empty" in reasons["cy"]
    assert "not an archive that can be opened" in reasons["di"]
    assert (tmp_path / "out" / "di" / "report.html").is_file()


def test_the_same_class_gives_the_same_bytes(grader, graded, hand_in, tmp_path):
    folder = hand_in("ann", **{"greeting.txt": "hello"})
    graded(grader, folder, tmp_path / "1")
    graded(grader, folder, tmp_path / "2")
    for name in ("grades.csv", "index.html", "ann/report.json", "ann/report.html"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_marks_made_before_an_interruption_are_kept(grader, course, hand_in, tmp_path):
    for name in ("ann", "bob"):
        folder = hand_in(name, **{"greeting.txt": "hello"})
    reports = start_grading(grader, course, folder, tmp_path / "out")
    next(reports)
    reports.close()
    marks = read_rows(tmp_path / "out")
    assert {name: row["status"] for name, row in marks.items()} == {"ann": "graded", "bob": "not graded"}
    assert (marks["ann"]["earned"], marks["bob"]["earned"], marks["bob"]["greets"]) != ("", "", "")
    assert marks["bob"]["earned"] == ""
    line = "PARTIAL: 1 of 2 submissions are graded"
    assert line in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    done = export(course, tmp_path / "out", "csv")
    assert done.left_alone == (
        "1 submissions are not graded, as the run stopped: run `grade` again, then export.",
    )
    assert (tmp_path / "out" / "export.csv").read_text().count("\n") == 2
    list(start_grading(grader, course, folder, tmp_path / "out"))
    assert {row["status"] for row in read_rows(tmp_path / "out").values()} == {"graded"}
    assert "PARTIAL" not in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert export(course, tmp_path / "out", "csv").left_alone == ()


def test_students_named_like_the_graders_own_files(grader, graded, hand_in, tmp_path):
    names = [
        "grades.csv",
        "grades.csv_",
        "GRADES.CSV",
        "index.html",
        "left_out.csv_2",
        "=1+1",
        "'=1+1",
        "Ann",
        "ann",
    ]
    for name in names:
        folder = hand_in(name, **{"greeting.txt": f"hello {name}"})
    graded(grader, folder, tmp_path / "out")
    assert set(read_rows(tmp_path / "out")) == {*names, "'=1+1", "''=1+1"} - {"=1+1"}
    saved = read_results(tmp_path / "out")
    assert [report.student for report in saved.reports] == sorted(names)
    folders = {file_name(path.name) for path in saved.folders.values()}
    assert len(folders) == len(names) and not folders & OWN_FILES


@given(
    st.lists(
        st.text(st.sampled_from("aAßsSéE\u0301_2.csvgrdeindxhtml"), min_size=1)
        | st.sampled_from(sorted(OWN_FILES))
    )
)
def test_no_two_students_share_a_folder(students):
    folders = name_folders(students)
    assert set(folders) == set(students)
    assert len({file_name(name) for name in folders.values()} - OWN_FILES) == len(set(students))


@pytest.mark.parametrize("out", ["results", "results/hello", "ann"])
def test_results_in_the_class_are_no_submission(grader, course, hand_in, tmp_path, out):
    for name in ("ann", "bob"):
        folder = hand_in(name, **{"greeting.txt": "hello"})
    out = folder / out
    if out.name == "ann":
        with pytest.raises(CourseError, match="lies in ann, which is in the class"):
            read_cohort(folder, "hello", out=out)
        return
    for again in range(3):
        cohort = read_cohort(folder, "hello", out=out if again < 2 else tmp_path / "elsewhere")
        assert [raw.student for raw in cohort.submissions] == ["ann", "bob"]
        assert ("results" in cohort.left_out) == (again > 0)
        list(grade_cohort(grader, MarkSources.read(course, grader, cohort, out), cohort, out))
    shutil.make_archive(tmp_path / "zipped", "zip", folder)
    assert len(read_cohort(tmp_path / "zipped.zip", "hello").submissions) == 2


def test_results_are_not_written_over_the_class(hand_in):
    folder = hand_in("ann", **{"greeting.txt": "hello"})
    for out in (folder, folder.parent):
        with pytest.raises(CourseError, match="name another folder for --out"):
            read_cohort(folder, "hello", out=out)


def test_a_grader_that_breaks_asks_for_a_person(course, sandbox, graded, hand_in, tmp_path):
    generator = course.root / "datasets/numbers/generate.py"
    generator.write_text(generator.read_text().replace("largest + seed % 2", "largest / 0"))
    grader = Grader.create(course.assignments[0], hidden_data(course), sandbox)
    [result] = graded(grader, hand_in("ann", **{"greeting.txt": "hello"}), tmp_path / "out")
    report = result.report
    assert (report.status, report.earned) == ("needs a person", 6)
    assert "ZeroDivisionError" in report.scores[1].message


def test_every_report_states_its_data(course, sandbox, graded, hand_in, tmp_path):
    folder = hand_in("ann", **{"greeting.txt": "hello"})

    def data_line():
        [result] = graded(
            Grader.create(course.assignments[0], hidden_data(course), sandbox), folder, tmp_path / "out"
        )
        return result.report.data

    assert "DEMO" in data_line()
    (course.root / "solutions" / "secret_seed").write_text("kq7-Zr2vX.m9Lt4pW8sB")
    assert "DEMO" not in data_line()
    assert "kq7-Zr2vX.m9Lt4pW8sB" not in (tmp_path / "out" / "ann" / "report.json").read_text()


@pytest.fixture
def items_run(course, sandbox, graded, tmp_path):
    """Return a function that grades the class in a folder again and tells which items ran, by student."""

    def run(folder, fresh=False):
        grader = Grader.create(course.assignments[0], hidden_data(course), sandbox)
        done = graded(grader, folder, tmp_path / "out", fresh)
        return {result.report.student: set(result.ran) for result in done if result.ran}

    return run


BOTH = {"greets", "counts"}


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_only_items_whose_inputs_changed_run_again(course, items_run, hand_in, tmp_path):
    hand_in("ann", **{"greeting.txt": "hello"})
    folder = hand_in("bob", **{"greeting.txt": "hello, bob"})
    with zipfile.ZipFile(folder / "cy.zip", "w") as archive:
        archive.writestr("greeting.txt", "hello, cy")
    everyone = {"ann": BOTH, "bob": BOTH, "cy": BOTH}
    assert items_run(folder) == everyone
    marks = (tmp_path / "out" / "grades.csv").read_bytes()
    assert items_run(folder) == {}
    assert items_run(folder, fresh=True) == everyone
    assert (tmp_path / "out" / "grades.csv").read_bytes() == marks
    hand_in("bob", **{"greeting.txt": "hello!"})
    assert items_run(folder) == {"bob": BOTH}
    hand_in("bob", **{"greeting.txt": "hello, bob"})
    assert items_run(folder) == {}  # what was known of this content is known still
    rubric = course.assignments[0].rubric
    change(rubric, "full=1,", "full=2,")
    assert items_run(folder) == dict.fromkeys(everyone, {"counts"})
    change(rubric, "full=2,", "full=1,")
    assert items_run(folder) == {}
    rubric.write_text("# a comment\n" + rubric.read_text() + "\n\ndef unused():\n    return 1\n")
    assert items_run(folder) == {}
    (course.root / "solutions" / "secret_seed").write_text("kq7-Zr2vX.m9Lt4pW8sB")
    assert items_run(folder) == everyone
    (course.root / "datasets/numbers/generate.py").open("a").write("\n# another\n")
    assert items_run(folder) == everyone
    assert items_run(folder) == {}


def test_a_change_of_the_engine_runs_items_again_if_they_depend_on_it(
    items_run, hand_in, tmp_path, monkeypatch
):
    folder, engine = hand_in("ann", **{"greeting.txt": "hello"}), tmp_path / "engine"
    shutil.copytree(grader_module.ENGINE, engine)
    monkeypatch.setattr(grader_module, "ENGINE", engine)
    assert items_run(folder) == {"ann": BOTH}
    (engine / "reports/_csv.py").write_text("")
    assert items_run(folder) == {}
    (engine / "models/_archive.py").open("a").write("# fixed\n")
    assert items_run(folder) == {"ann": BOTH}


def test_scores_are_cached_by_content_whoever_submitted_it(items_run, hand_in):
    folder = hand_in("ann", **{"greeting.txt": "hello"})
    assert items_run(folder) == {"ann": BOTH}
    (folder / "ann").rename(folder / "bob")
    assert items_run(folder) == {}


SIGNED = '''
from autograder.core import Failure; from autograder.rubric import item


@item(points=10)
def signs(submission):
    """The notebook is signed."""
    if submission.signed != "ann":
        raise Failure("Another name.")
'''


def test_a_score_does_not_pass_to_whom_the_signature_is_not(course, items_run, hand_in, tmp_path):
    course.assignments[0].rubric.write_text(SIGNED)
    folder = hand_in("ann", **{"work.py": 'STUDENT = "ann"'})
    assert items_run(folder) == {"ann": {"signs"}}
    hand_in("bob", **{"work.py": 'STUDENT = "ann"'})
    assert items_run(folder) == {"bob": {"signs"}}
    assert {name: row["status"] for name, row in read_rows(tmp_path / "out").items()} == {
        "ann": "graded",
        "bob": "needs a person",
    }


@pytest.mark.parametrize("spoilt", ["", "{", "[]", '{"score": 3}'])
def test_a_damaged_cached_score_is_replaced(items_run, hand_in, tmp_path, spoilt):
    folder = hand_in("ann", **{"greeting.txt": "hello"})
    items_run(folder)
    for path in (tmp_path / "out" / ".scores").rglob("*.json"):
        path.write_text(spoilt)
    assert items_run(folder) == {"ann": BOTH}
    assert items_run(folder) == {}


def test_a_second_run_in_one_folder_is_refused(grader, course, hand_in, tmp_path):
    folder = hand_in("ann", **{"greeting.txt": "hello"})
    first, second = (start_grading(grader, course, folder, tmp_path / "out") for _ in range(2))
    next(first)
    with pytest.raises(CourseError, match="Another `autograder grade` is at work"):
        next(second)
    first.close()
    assert next(start_grading(grader, course, folder, tmp_path / "out")).ran == ()


def test_a_report_says_what_was_graded_and_with_what(grader, graded, hand_in, tmp_path):
    folder = hand_in("ann", **{"greeting.txt": "hello", "more/notes.txt": ""})
    [result] = graded(grader, folder, tmp_path / "out")
    content = {name: (folder / "ann" / name).read_bytes() for name in ("greeting.txt", "more/notes.txt")}
    assert result.report.files == {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
    assert {"rubric", "data", "keras", "numpy", "python", "isolation"} <= set(result.report.versions)
    assert {"tensorflow", "tensorflow-cpu"} & set(result.report.versions)


@pytest.mark.parametrize(
    "files, expected",
    [
        ({"work.py": 'STUDENT = "ann.lee"'}, "ann.lee"),
        ({"work.py": "STUDENT = ..."}, "my_work"),
        ({"work.ipynb": "{"}, "my_work"),
        ({"greeting.txt": "hello"}, "my_work"),
    ],
)
def test_on_their_own_machine_students_are_who_they_say(hand_in, files, expected, monkeypatch):
    folder = hand_in("my_work", **files) / "my_work"
    assert read_author(folder) == expected
    monkeypatch.chdir(folder)
    assert read_author(Path(".")) == expected


def test_a_broken_item_is_not_cached(course, items_run, hand_in, tmp_path):
    flag = tmp_path / "flag"
    change(course.assignments[0].rubric, 'if b"hello"', f'if open({str(flag)!r}).read() or b"hello"')
    folder = hand_in("ann", **{"greeting.txt": "hello"})
    assert items_run(folder) == {"ann": BOTH}
    assert items_run(folder) == {"ann": {"greets"}}  # there is no flag: the item is broken
    flag.touch()
    assert items_run(folder) == {"ann": {"greets"}}
    assert items_run(folder) == {}


LATE = """
[late]
policy = "constant"
penalty = 1.5
"""


def test_changed_marks_and_policies_apply_without_running_items(course, sandbox, graded, tmp_path):
    file = course.root / "course.toml"
    file.write_text(file.read_text() + "due = 2027-03-05T23:59:00+01:00\n" + LATE)
    course, out, path = read_course(course.root), tmp_path / "out", tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("leeann_LATE_11_1_greeting.txt", "hello" * 50)
        archive.writestr("smithbo_12_2_greeting.txt", "hello" * 50)

    def grade_again():
        grader = Grader.create(course.assignments[0], hidden_data(course), sandbox)
        done = list(start_grading(grader, course, path, out))
        return {result.report.student: result.report.earned for result in done}, sum(
            len(result.ran) for result in done
        )

    assert grade_again() == ({"leeann_11": 8.5, "smithbo_12": 10}, 2)  # equal files are graded once
    (out / "marks.csv").write_text(
        "student,item,points,comment,by,why\n"
        "smithbo_12,greets,2,see me,Kim,copied from the board\n"
        "leeann_11,late,0,,Kim,was ill\n"
        "leeann_11,total,-1,,Kim,wrong file name\n"
    )
    assert grade_again() == ({"leeann_11": 9, "smithbo_12": 6}, 0)
    assert grade_again() == ({"leeann_11": 9, "smithbo_12": 6}, 0)
    page = (out / "smithbo_12" / "report.html").read_text()
    assert all(text in page for text in ("Marked by hand by Kim: copied from the board", "see me"))
    assert read_rows(out)["leeann_11"]["adjustment"] == "-1.0"
    (out / "marks.csv").write_text("student,item,points,comment,by,why\nleeann_11,greets,2,,Kim,\n")
    with pytest.raises(CourseError, match=r"row 2 \(leeann_11, greets\): `why` is missing"):
        grade_again()


def test_a_copy_of_the_notebook_is_remarked_on_in_the_report_alone(
    course, graded, sandbox, hand_in, tmp_path, recwarn
):
    course.assignments[0].rubric.write_text(SIGNED)
    folder = hand_in("ann", **{"work.py": "", "work (1).py": 'STUDENT = "ann"'})
    grader = Grader.create(course.assignments[0], hidden_data(course), sandbox)
    [result] = graded(grader, folder, tmp_path / "out")
    assert result.report.earned == 10 and not [str(warning.message) for warning in recwarn]
