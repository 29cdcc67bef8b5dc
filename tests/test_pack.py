"""`pack` takes what the items read and nothing else, and what it wrote is graded as it stands."""

import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest
from test_cli import run
from toy import write

from autograder.core import CourseError, read_course
from autograder.data import hidden_data
from autograder.grading import Grader, pack
from autograder.grading._submission_archive import SIGNATURE, find_requested_files
from autograder.rubric import read_rubric

SIGNED = 'STUDENT = "ann.lee"\n\n\ndef double(x):\n    return 2 * x\n'
RUBRIC = '''
from autograder.core import Failure, own; from autograder.rubric import hidden, item


@item(points=2)
def doubles(submission):
    """double(x): twice as much."""
    if submission.call("double", 3.0) != 6:
        raise Failure("double(3) is not 6.")


@item(points=2)
def has_an_own_number(submission):
    """Some number of one's own."""
    own(submission.signed, "x")


@item(points=2)
def greets(submission):
    """greeting.txt says hello."""
    if b"hello" not in submission.read("greeting.txt"):
        raise Failure("greeting.txt does not say hello.", "Write hello into it.")


@item(points=4)
def counts(submission):
    """count.txt is long; what is hidden is drawn before the file is read."""
    number = hidden("numbers").number[0]
    return float(len(submission.read("count.txt")) > number / 100)
'''


@pytest.fixture
def work(course, tmp_path, monkeypatch):
    """Return a student's folder with whole work and litter beside it; the archive goes into the folder `here`."""
    write(course.root / "assignments/hello/rubric.py", RUBRIC)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    folder = tmp_path / "work"
    write_notebook(folder / "hello.ipynb", SIGNED)
    write(folder / "greeting.txt", "hello")
    write(folder / "deep" / "count.txt", "12345")
    for litter in ("train.csv", "notes.md", ".ipynb_checkpoints/hello.ipynb", "deep/other.keras"):
        write(folder / litter, "litter")
    return folder


def write_notebook(path, *cells):
    cells = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": []} for cell in cells]
    return write(path, json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}))


@pytest.fixture
def packed(course, sandbox):
    def of(folder, out=None):
        [assignment] = course.assignments
        grader = Grader.create(assignment, hidden_data(course), sandbox)
        return pack(assignment, folder, out, grader)

    return of


def test_the_archive_holds_what_items_read_and_earns_as_much(course, work, packed):
    done = packed(work)
    assert done.path.name == "hello_ann.lee.zip"
    assert zipfile.ZipFile(done.path).namelist() == ["deep/count.txt", "greeting.txt", "hello.ipynb"]
    assert done.report.earned == 10 and done.report.student == "ann.lee"
    assert not done.missing and not done.failing and not done.replaced


def test_what_waits_for_hidden_data_is_packed_on_a_students_machine(course, work, packed):
    shutil.rmtree(course.root / "solutions")
    done = packed(work)
    assert "deep/count.txt" in done.names
    assert [score.outcome for score in done.report.scores] == ["scored"] * 3 + ["deferred"]


def test_equal_work_gives_equal_bytes(work, packed, tmp_path):
    first = packed(work).path.read_bytes()
    again = shutil.copytree(work, tmp_path / "again")
    for path in again.rglob("*"):
        os.utime(path, (10**9, 10**9))
    assert packed(again).path.read_bytes() == first


def test_replacing_another_archive_is_reported(work, packed):
    assert not packed(work).replaced and not packed(work).replaced
    write(work / "greeting.txt", "hello hello")
    assert packed(work).replaced


def test_partial_work_is_packed_and_named(work, packed):
    (work / "deep/count.txt").unlink()
    write(work / "greeting.txt", "good day")
    done = packed(work)
    assert done.names == ("greeting.txt", "hello.ipynb")
    assert list(done.missing) == ["count.txt"] and "There is no count.txt" in done.missing["count.txt"]
    assert done.failing == ["greets", "counts"]


def test_a_file_for_points_on_top_is_told_from_one_that_is_due(course, work, packed):
    rubric = course.root / "assignments/hello/rubric.py"
    write(rubric, RUBRIC.replace("@item(points=4)", "@item(points=4, bonus=True)"))
    (work / "deep/count.txt").unlink()
    (work / "greeting.txt").unlink()
    missing = packed(work).missing
    assert missing["count.txt"].startswith("For points on top alone: There is no count.txt")
    assert missing["greeting.txt"].startswith("There is no greeting.txt")


def test_a_course_unpacked_beside_the_work_is_not_part_of_it(course, work, packed):
    shutil.copytree(course.root, work / "rnn-course")
    write_notebook(work / "rnn-course/assignments/hello/hello.ipynb", "STUDENT = ...")
    assert packed(work).report.earned == 10


def test_a_link_is_not_followed(work, packed, tmp_path):
    write(tmp_path / "elsewhere.txt", "hello")
    (work / "greeting.txt").unlink()
    (work / "greeting.txt").symlink_to(tmp_path / "elsewhere.txt")
    done = packed(work)
    assert "greeting.txt" not in done.names and "is a link" in done.missing["greeting.txt"]


def unsigned(work):
    write_notebook(work / "hello.ipynb", "STUDENT = ...")


def nearly_signed(work):
    write_notebook(work / "hello.ipynb", 'student = "ann"')


def without(work):
    (work / "hello.ipynb").unlink()


def only_the_rubric(work):
    (work / "hello.ipynb").unlink()
    write(work / "rubric.py", RUBRIC)


def several(work):
    (work / "hello.ipynb").rename(work / "first.ipynb")
    write_notebook(work / "second.ipynb", SIGNED, "x = 2")


def broken(work):
    write(work / "hello.ipynb", "{")


@pytest.mark.parametrize(
    "spoil, line",
    [
        (unsigned, "not signed: set STUDENT"),
        (nearly_signed, "not signed (it says student = 'ann'): set STUDENT"),
        (without, "There is no notebook"),
        (only_the_rubric, "There is no notebook"),
        (several, "2 notebooks are handed in"),
        (broken, "hello.ipynb"),
    ],
)
def test_no_archive_without_one_signed_notebook(spoil, line, work, packed, tmp_path):
    spoil(work)
    with pytest.raises(CourseError, match="^Nothing is packed. ") as raised:
        packed(work)
    assert line in str(raised.value) and "\n" not in str(raised.value)
    assert list((tmp_path / "here").iterdir()) == []


def test_a_rubric_that_needs_no_signature_gets_none(course, work, packed):
    signed = '@item(points=2)\ndef has_an_own_number(submission):\n    """Some number of one\'s own."""\n'
    signed += '    own(submission.signed, "x")\n'
    assert signed in RUBRIC
    write(course.root / "assignments/hello/rubric.py", RUBRIC.replace(signed, ""))
    unsigned(work)
    assert packed(work).path.name == "hello_work.zip"


@pytest.mark.parametrize("name", ["model.keras", "nowhere/a.zip"])
def test_only_a_zip_is_written(work, packed, tmp_path, name):
    write(tmp_path / "here/model.keras", "a model")
    with pytest.raises(CourseError, match="name a file that ends in .zip"):
        packed(work, tmp_path / "here" / name)
    assert (tmp_path / "here/model.keras").read_text() == "a model"


def test_a_name_that_would_lead_elsewhere_stays_here(work, packed, tmp_path):
    write_notebook(work / "hello.ipynb", SIGNED.replace("ann.lee", "../../ann lee"))
    assert packed(work).path.resolve().parent == tmp_path / "here"


@pytest.mark.slow
def test_from_the_command_line_to_the_tas_table(course, work, tmp_path):
    (work / "deep/count.txt").unlink()
    done = run("pack", "hello", work, cwd=course.root)
    assert done.returncode == 0, done.stderr
    for expected in ("hello_ann.lee.zip holds: greeting.txt, hello.ipynb", "Not in it: count.txt", "counts"):
        assert expected in done.stdout
    (tmp_path / "class").mkdir()
    shutil.move(course.root / "hello_ann.lee.zip", tmp_path / "class")
    graded = run("grade", "hello", tmp_path / "class", "--out", "out", cwd=course.root)
    assert graded.returncode == 0 and "6 / 10" in graded.stdout
    assert run("pack", "hello", tmp_path / "nowhere", cwd=course.root).stderr.count("\n") == 1


def test_the_notebook_of_the_assignment_is_packed_and_no_copy_of_it(work, packed):
    write_notebook(work / "hello-Copy1.ipynb", 'STUDENT = "bob"')
    write_notebook(work / "Untitled.ipynb", "1 + 1")
    done = packed(work)
    assert done.report.earned == 10 and "hello.ipynb" in done.names and len(done.names) == 3


def test_a_notebook_is_packed_as_it_is_with_its_outputs(work, packed):
    content = (work / "hello.ipynb").read_bytes().replace(b'"outputs": []', b'"outputs": [{"text": "42"}]')
    (work / "hello.ipynb").write_bytes(content)
    assert zipfile.ZipFile(packed(work).path).read("hello.ipynb") == content


COURSE = read_course(Path(__file__).parents[1])


@pytest.mark.parametrize("assignment", COURSE.assignments, ids=lambda assignment: assignment.slug)
def test_the_files_of_an_assignment_are_those_of_its_reference(assignment):
    names = {path.name for path in (assignment.test_submissions / "perfect").rglob("*") if path.is_file()}
    requests = {*find_requested_files(read_rubric(assignment.rubric))} - {SIGNATURE}
    assert requests | {assignment.starter.name, "expected.toml"} == names


INDIRECT = '''
from functools import cache
from pathlib import Path
from autograder.rubric import item

DATA = Path("data")
NAMES = ("first.csv", "second.csv")
SHOWN = "shown.csv"


def item_for(name, points, bonus):
    def reads(submission):
        """A file."""
        submission.table(name, ["x"], 9)
    reads.__name__ = "reads_" + name.partition(".")[0]
    return item(points=points, bonus=bonus)(reads)


made = item_for("made.csv", 1, False)
made_for_bonus = item_for("bonus.csv", 1, True)


@cache
def labels():
    return (DATA / "labels.csv").read_text(), (DATA / "words.txt").read_text()


def check(submission, file, hint):
    submission.read(file)
    raise ValueError(SHOWN + "no name.")


@item(points=1)
def reads_all(submission):
    """All of them."""
    for name in NAMES:
        check(submission, name, hint="Save it.")
    check(file="third.txt", submission=submission, hint="")
    submission.call("a_function", "an.argument", labels())
    for model in ("a.keras", "b.keras"):
        submission.model(model)
'''


def test_file_names_are_followed_through_helpers_loops_and_closures(tmp_path):
    items = read_rubric(write(tmp_path / "rubric.py", INDIRECT))
    names = find_requested_files(items)
    assert {name for name, is_bonus in names.items() if not is_bonus} >= {
        "made.csv", "first.csv", "second.csv", "third.txt", "a.keras", "b.keras",
    }  # fmt: skip
    assert names["bonus.csv"] is True
    assert not {"labels.csv", "words.txt", "shown.csv"} & set(names)
    assert SIGNATURE not in names
