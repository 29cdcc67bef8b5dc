"""No command waits for TensorFlow that does not train: the grader's own processes never import it.

Servers of the sandbox do, for the students' code; they have an environment of their own, and are not looked at.
"""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from toy import write

from autograder.cli._app import app
from autograder.core import find_course

ROOT = Path(__file__).parents[1]
MODELS = ROOT / "tests/models/fixtures/keras-3.15.1.zip"
BLOCKER = '''
"""Python imports this at its start: a process that then imports Keras or what lies below it ends at once."""

import os
import sys
import traceback


class Blocker:
    def find_spec(self, name, path=None, target=None):
        is_lookup = any("importlib.util" in frame.filename for frame in traceback.extract_stack())
        if name in ("tensorflow", "keras") and not is_lookup:  # whether it is there: nothing is imported
            traceback.print_stack()
            os.write(2, f"IMPORTED {name} by {sys.argv}".encode())
            os._exit(99)


sys.meta_path.insert(0, Blocker())
'''
RUBRIC = '''
import io

import numpy as np

from autograder.rubric import item


@item(points=10)
def answers_as_keras_did(submission):
    """The model's predictions, and what Keras predicted when it wrote the file."""
    told = np.load(io.BytesIO(submission.read("stacked.npz")))
    inputs, expected = ([row for key in told if key[0] == side for row in told[key]] for side in "xy")
    np.testing.assert_allclose(submission.predict("stacked.keras", inputs), expected, atol=1e-5)
'''
ASSIGNMENTS = find_course(ROOT).assignments
WITHOUT = [
    one.slug
    for one in ASSIGNMENTS
    if not re.search("import (keras|tensorflow)", one.rubric.read_text("utf-8"))
]
HELP = """
import sys
from autograder.cli._app import app
for name in sys.argv[1:]:
    app([name, "--help"], "x", standalone_mode=False)
"""
COMMANDS = [command.name or command.callback.__name__ for command in app.registered_commands]


@pytest.fixture
def run(tmp_path):
    """`run("check", ..., cwd=folder)`: the command line, in processes that refuse to import TensorFlow."""
    write(tmp_path / "site/sitecustomize.py", BLOCKER)
    paths = f"{tmp_path / 'site'}{os.pathsep}{ROOT}"
    environment = os.environ | {"PYTHONPATH": paths, "COLUMNS": "200", "NO_COLOR": "1"}

    def command(*arguments, cwd=ROOT, start=("-m", "autograder")) -> subprocess.CompletedProcess:
        words = [sys.executable, *start, *map(str, arguments)]
        return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=False)

    return command


@pytest.fixture
def toy(course, tmp_path):
    """Return a course whose item predicts with a model, and a class of one, with files in `class/ann`."""
    write(course.root / "assignments/hello/rubric.py", RUBRIC)
    with zipfile.ZipFile(MODELS) as models:
        for name in ("stacked.keras", "stacked.npz"):
            models.extract(name, tmp_path / "class/ann")
    write(tmp_path / "class/ann/work.py", "STUDENT = 'ann'\n")
    return course.root


def test_the_blocker_blocks(run):
    """Without it the tests below could not fail."""
    done = run(start=("-c", "from contextlib import suppress\nwith suppress(BaseException): import keras"))
    assert done.returncode == 99 and "IMPORTED keras" in done.stderr


def test_help_of_every_command(run):
    done = run(*COMMANDS, start=("-c", HELP))
    assert done.returncode == 0, done.stderr
    assert "grade" in COMMANDS and all(f"x {name}" in done.stdout for name in COMMANDS)


@pytest.mark.slow
def test_check_grade_integrity_export_release(run, toy, tmp_path):
    """On a model that is predicted with; then again, when all that there is to score is kept."""
    everyone = tmp_path / "class"
    said = [
        run(*arguments, cwd=toy)
        for arguments in (
            ("check", "hello", everyone / "ann"),
            ("grade", "hello", everyone),
            ("grade", "hello", everyone),
            ("integrity", "hello", everyone),
            ("export", "results/hello", "--to", "csv"),
            ("release", "starters", "--check"),
        )
    ]
    expected = [0, 0, 0, 0, 0, 1]  # nothing was released yet
    assert [done.returncode for done in said] == expected, "\n".join(done.stderr for done in said)
    assert not any("Traceback" in done.stderr for done in said)
    assert "10 / 10" in said[0].stdout and "10 / 10" in said[1].stdout


def test_most_rubrics_do_without():
    assert len(WITHOUT) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("slug", WITHOUT)
def test_the_perfect_submission_of_each_assignment(run, slug, tmp_path):
    """All kinds of layers that the course uses; the other rubrics hold students to what Keras itself computes."""
    shutil.copytree(ROOT / "solutions" / slug / "test_submissions/perfect", tmp_path / "class/perfect")
    done = run("grade", slug, tmp_path / "class", "--out", tmp_path / "out")
    assert done.returncode == 0 and "IMPORTED" not in done.stderr, done.stderr
