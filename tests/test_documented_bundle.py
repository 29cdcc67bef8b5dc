"""What README and docs print for instructors and students is run, on the real course: see test_documented_commands."""

import json
import shutil
import sys
import zipfile
from pathlib import Path

import pytest
from test_documented_commands import AS_A_STUDENT, AS_AN_INSTRUCTOR, AUTHORING, ON_COLAB, run
from test_documented_commands import clone as clone  # the fixture


def sign(notebook: Path, student: str) -> None:
    """Write an id into the first cell of a starter, as a student does."""
    text = notebook.read_text(encoding="utf-8")
    signed = text.replace("STUDENT = ...", f"STUDENT = {json.dumps(student)}".replace('"', '\\"'), 1)
    assert signed != text
    notebook.write_text(signed, encoding="utf-8")


@pytest.fixture(scope="module")
def bundle(clone, tmp_path_factory) -> Path:
    """Return the students' bundle of the real course, unpacked elsewhere."""
    for command in AS_AN_INSTRUCTOR:
        run(command, clone)
    folder = tmp_path_factory.mktemp("student")
    with zipfile.ZipFile(clone / "dist/rnn-course.zip") as archive:
        archive.extractall(folder)
    sign(folder / "rnn-course/assignments/rnn_by_hand/rnn_by_hand.ipynb", "ann.lee")
    return folder / "rnn-course"


def test_a_student_checks_and_packs_a_starter_from_the_bundle(bundle):
    listed, checked, _ = (run(command, bundle) for command in AS_A_STUDENT)
    assert "splice" in listed
    assert "0 / 110 points" in checked
    with zipfile.ZipFile(bundle / "rnn_by_hand_ann.lee.zip") as archive:
        assert archive.namelist() == ["rnn_by_hand.ipynb"]


@pytest.mark.slow
def test_a_student_on_colab_checks_and_packs_from_the_folder_beside(bundle):
    starter = bundle / "assignments/rnn_by_hand/rnn_by_hand.ipynb"
    shutil.copy(starter, bundle.parent / starter.name)
    for command in ON_COLAB:
        run(command, bundle.parent)
    assert (bundle.parent / "rnn_by_hand.zip").is_file()


@pytest.mark.slow
def test_an_instructor_makes_a_new_assignment_in_the_real_course(clone):
    for command in AUTHORING:
        run(command.replace("python ", f'"{sys.executable}" '), clone)
    assert "word_order" in (clone / "course.toml").read_text(encoding="utf-8")
