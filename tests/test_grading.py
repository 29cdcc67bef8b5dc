"""Grading a class: every submission gets a row and a reason, and none disturbs another."""

import csv
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from autograder import grading
from autograder.classroom import find_submissions
from autograder.course import CourseError
from autograder.grading import Grader, author, grade_class
from autograder.hidden import hidden_data


@pytest.fixture
def grader(course, sandbox):
    return Grader.of(course.assignments[0], hidden_data(course), sandbox)


def rows(out):
    return {row["student"]: row for row in csv.DictReader((out / "grades.csv").open(encoding="utf-8"))}


def graded(grader, folder, out):
    return list(grade_class(grader, find_submissions(folder)[0], out))


def test_a_class_of_good_and_bad(grader, hand_in, tmp_path):
    hand_in("ann", **{"greeting.txt": "hello" * 50})
    hand_in("bob", **{"greeting.txt": "good day"})
    folder = hand_in("cy")
    (folder / "di.zip").write_bytes(b"PK\x03\x04 damaged")
    (folder / "notes.txt").write_text("")
    found, left_out = find_submissions(folder)
    assert left_out == ["notes.txt"]
    list(grade_class(grader, found, tmp_path / "out"))
    marks = rows(tmp_path / "out")
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


def test_the_same_class_gives_the_same_bytes(grader, hand_in, tmp_path):
    folder = hand_in("ann", **{"greeting.txt": "hello"})
    graded(grader, folder, tmp_path / "1")
    graded(grader, folder, tmp_path / "2")
    for name in ("grades.csv", "ann/report.json", "ann/report.html"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_marks_made_before_an_interruption_are_kept(grader, hand_in, tmp_path):
    for name in ("ann", "bob"):
        folder = hand_in(name, **{"greeting.txt": "hello"})
    reports = grade_class(grader, find_submissions(folder)[0], tmp_path / "out")
    next(reports)
    reports.close()
    assert list(rows(tmp_path / "out")) == ["ann"]


def test_students_named_like_the_graders_own_files(grader, hand_in, tmp_path):
    for name in ("grades.csv", "index.html", "=1+1"):
        folder = hand_in(name, **{"greeting.txt": "hello"})
    graded(grader, folder, tmp_path / "out")
    assert set(rows(tmp_path / "out")) == {"grades.csv", "index.html", "'=1+1"}


def test_a_folder_and_an_archive_of_one_name_are_both_graded(hand_in):
    folder = hand_in("ann")
    (folder / "ann.zip").write_bytes(b"")
    assert set(find_submissions(folder)[0]) == {"ann", "ann.zip"}


def test_a_grader_that_breaks_asks_for_a_person(course, sandbox, hand_in, tmp_path):
    generator = course.root / "datasets/numbers/generate.py"
    generator.write_text(generator.read_text().replace("largest + seed % 2", "largest / 0"))
    grader = Grader.of(course.assignments[0], hidden_data(course), sandbox)
    [report] = graded(grader, hand_in("ann", **{"greeting.txt": "hello"}), tmp_path / "out")
    assert (report.status, report.earned) == ("needs a person", 6)
    assert "ZeroDivisionError" in report.scores[1].message


@pytest.mark.parametrize(
    "name, complaint", [("model.keras", "looks like one submission"), ("notes.txt", "holds no submission")]
)
def test_a_wrong_folder_is_told_what_was_expected(tmp_path, name, complaint):
    (tmp_path / name).touch()
    with pytest.raises(CourseError, match=complaint):
        find_submissions(tmp_path)
    with pytest.raises(CourseError, match="is no folder"):
        find_submissions(tmp_path / name)


def test_every_report_says_where_its_data_come_from(course, sandbox, hand_in, tmp_path):
    folder = hand_in("ann", **{"greeting.txt": "hello"})

    def said():
        return graded(
            Grader.of(course.assignments[0], hidden_data(course), sandbox), folder, tmp_path / "out"
        )[0].data

    assert "DEMO" in said()
    (course.root / "solutions" / "secret_seed").write_text("autumn")
    assert "DEMO" not in said()
    assert "autumn" not in (tmp_path / "out" / "ann" / "report.json").read_text()


def test_what_was_graded_before_is_kept_until_something_it_depends_on_changes(
    course, sandbox, hand_in, tmp_path, monkeypatch
):
    hand_in("ann", **{"greeting.txt": "hello"})
    folder = hand_in("bob", **{"greeting.txt": "hello"})
    with zipfile.ZipFile(folder / "cy.zip", "w") as archive:
        archive.writestr("greeting.txt", "hello")
    out = tmp_path / "out"

    def graded_anew(fresh=False):
        before = {path: path.stat().st_mtime_ns for path in out.glob("*/report.json")}
        grader = Grader.of(course.assignments[0], hidden_data(course), sandbox)
        list(grade_class(grader, find_submissions(folder)[0], out, fresh))
        return {
            path.parent.name
            for path in out.glob("*/report.json")
            if path.stat().st_mtime_ns != before.get(path)
        }

    everyone = {"ann", "bob", "cy"}
    assert graded_anew() == everyone
    marks = (out / "grades.csv").read_bytes()
    assert graded_anew() == set()
    assert graded_anew(fresh=True) == everyone
    (out / "cy" / "report.json").write_text("{")
    assert graded_anew() == {"cy"}
    assert (out / "grades.csv").read_bytes() == marks
    hand_in("bob", **{"greeting.txt": "hello!"})
    assert graded_anew() == {"bob"}
    rubric = course.assignments[0].rubric
    rubric.write_text(rubric.read_text() + "\n# a comment\n")
    assert graded_anew() == everyone
    (course.root / "solutions" / "secret_seed").write_text("autumn")
    assert graded_anew() == everyone
    (course.root / "datasets/numbers/generate.py").open("a").write("\n# another\n")
    assert graded_anew() == everyone
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "mended.py").write_text("")
    monkeypatch.setattr(grading, "ENGINE", tmp_path / "engine")
    assert graded_anew() == everyone
    assert graded_anew() == set()


def test_marks_rest_on_the_students_name_too(grader, hand_in, tmp_path):
    folder = hand_in("ann", **{"greeting.txt": "hello"})
    with zipfile.ZipFile(folder / "cy.zip", "w") as archive:
        archive.writestr("greeting.txt", "hello")
    for path in (folder / "ann", folder / "cy.zip"):
        assert grader.fingerprint(path, "ann") == grader.fingerprint(path, "ann") != ""
        assert grader.fingerprint(path, "ann") != grader.fingerprint(path, "bob")
    graded(grader, folder, tmp_path / "out")
    report = tmp_path / "out" / "ann" / "report.json"
    (tmp_path / "out" / "bob").mkdir()
    (tmp_path / "out" / "bob" / "report.json").write_text(report.read_text().replace('"ann"', '"bob"'))
    (folder / "ann").rename(folder / "bob")
    before = (tmp_path / "out" / "bob" / "report.json").stat().st_mtime_ns
    graded(grader, folder, tmp_path / "out")
    assert (tmp_path / "out" / "bob" / "report.json").stat().st_mtime_ns != before


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
    assert author(folder) == expected
    monkeypatch.chdir(folder)
    assert author(Path(".")) == expected


def test_an_undecided_report_is_not_kept(course, sandbox, hand_in, tmp_path):
    generator = course.root / "datasets/numbers/generate.py"
    sound = generator.read_text()
    generator.write_text(sound.replace("largest + seed % 2", "largest / 0"))
    folder = hand_in("ann", **{"greeting.txt": "hello"})
    grader = Grader.of(course.assignments[0], hidden_data(course), sandbox)
    assert graded(grader, folder, tmp_path / "out")[0].status == "needs a person"
    generator.write_text(sound)  # and the same grader: only the status says that it must run again
    grader = replace(Grader.of(course.assignments[0], hidden_data(course), sandbox), basis=grader.basis)
    assert graded(grader, folder, tmp_path / "out")[0].status == "graded"
