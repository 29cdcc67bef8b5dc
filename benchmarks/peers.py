"""nbgrader and Otter-Grader on the same submissions, each from PyPI in an environment of its own.

Both run a notebook with a kernel, so they get one that trains nothing: the definitions of the student's notebook, and
a test for each item that asks the same functions and the same models about the same data as the rubric does. The
tests are as light as a test can be: data lie ready in batches, a model is loaded once, an answer is compared with the
right one. What the grader does beside that (partial credit, advice, figures, numbers of one's own) they leave out.
"""

import csv
import json
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import nbformat
from metering import Cost, metered
from nbformat.v4 import new_code_cell, new_notebook
from recording import Asked, batches

from autograder.sandbox._definitions import read_statements

PINNED = ("keras", "numpy", "pandas", "scikit-learn", "scipy", "matplotlib", "ipykernel")
TENSORFLOW = ("tensorflow-cpu", "tensorflow")
WORK = "work.ipynb"
CHECKS = '''"""What the tests of all items share."""

import pickle
from functools import cache
from pathlib import Path

import keras
import numpy as np


@cache
def model(name):
    return keras.models.load_model(name, compile=False)


def agree(given, right):
    if isinstance(right, tuple):
        assert len(given) == len(right)
        return [agree(*pair) for pair in zip(given, right)]
    np.testing.assert_allclose(given, right, atol=1e-4)


def item(name, names):
    """Raises AssertionError unless the notebook, whose names these are, does what the item asks for."""
    asked = pickle.loads(Path(__file__).with_name(f"{name}.pickle").read_bytes())
    for function, arguments, right in asked["calls"]:
        agree(names[function](*arguments), right)
    assert all(names[constant] is not ... for constant in asked["constants"])
    for file in asked["files"]:
        assert model(file).count_params()
    for file, x, right in asked["predictions"]:
        assert np.mean(abs(np.asarray(model(file).predict_on_batch(x)) - right) < 0.5) > 0.9
'''
CELL = "import sys\n\nsys.path.insert(0, {folder!r})\nimport checks\n\nchecks.item({name!r}, globals())"
TEST = """import sys

from otter.test_files import test_case

sys.path.insert(0, {folder!r})
import checks

OK_FORMAT = False
name = {name!r}
points = {points!r}


@test_case()
def test_item(env):
    checks.item(name, env)
"""


class NotGraded(SystemExit):
    """A peer did not do the work that it is measured by."""


@dataclass(frozen=True)
class Peer:
    """A peer: where its environment is, and where it works."""

    package: str
    environment: Path
    folder: Path

    @property
    def python(self) -> Path:
        return self.environment / "bin" / "python"

    @property
    def version(self) -> str:
        command = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
        return subprocess.check_output([self.python, "-c", command, self.package], text=True).strip()

    @property
    def surroundings(self) -> dict[str, str]:
        """One thread a library; no settings of the person who runs it."""
        path = f"{self.environment / 'bin'}:{os.environ['PATH']}"
        own = {"PATH": path, "HOME": str(self.folder), "JUPYTER_PLATFORM_DIRS": "1", "PYTHONPATH": ""}
        return os.environ | own

    def run(self, *arguments, pause: float = 0.25) -> Cost:
        """One of the peer's commands, measured."""
        program = self.environment / "bin" / arguments[0]
        return metered(
            [program, *arguments[1:]], self.folder, self.surroundings, self.folder / "said.txt", pause
        )


def installed(package: str, folder: Path, work: Path) -> Peer:
    """Return the peer in an environment under `folder`, made if missing, with our own versions of Keras."""
    place = folder.absolute() / package
    if not (place / "bin" / package.split("-")[0]).exists():
        tensorflow = next(filter(None, map(pinned, TENSORFLOW)))
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        wanted = [package, tensorflow, *filter(None, map(pinned, PINNED))]
        subprocess.run([place / "bin" / "pip", "install", "-q", *wanted], check=True)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    return Peer(package, place, work.absolute())


def pinned(package: str) -> str:
    """Return the package as it is here; empty where it is not."""
    try:
        return f"{package}=={version(package)}"
    except ImportError:
        return ""


def checks(asked: Iterable[Asked], folder: Path) -> dict[str, float]:
    """Write what all tests share, and the data of each item; give the points of the items that can be tested."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "checks.py").write_text(CHECKS, encoding="utf-8")
    found = {}
    for one in asked:
        if one.texts or not (one.calls or one.constants or one.files):
            continue
        predictions = [(file, x, right) for file, xs, ys in one.predictions for x, right in batches(xs, ys)]
        name = one.item.__name__
        data = {
            "calls": one.calls,
            "constants": one.constants,
            "files": one.files,
            "predictions": predictions,
        }
        (folder / f"{name}.pickle").write_bytes(pickle.dumps(data))
        found[name] = one.item.points
    return found


def notebook(content: bytes, tests: Iterable = ()) -> str:
    """Return the definitions of a student's notebook, a cell for each, and test cells, as the text of a notebook."""
    statements = read_statements(content, WORK, [])
    defined = [ast_text(one) for one in statements if one.defines]
    cells = [new_code_cell(text) for text in defined if "autograder" not in text]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return nbformat.writes(new_notebook(cells=[*cells, *tests], metadata=kernel))


def ast_text(statement) -> str:
    import ast

    return ast.unparse(statement.node)


# --- nbgrader: a course folder; released once, submissions laid beside it, graded by one command


def nbgrader_course(peer: Peer, points: dict[str, float], shared: Path, students: list[Path]) -> None:
    """Return the assignment released, and these submissions handed in."""
    tests = [test_cell(name, each, shared) for name, each in points.items()]
    source = peer.folder / "source" / "ps1" / WORK
    source.parent.mkdir(parents=True)
    source.write_text(notebook(b'{"cells": []}', tests), encoding="utf-8")
    peer.run("nbgrader", "generate_assignment", "ps1", "--create")
    released = nbformat.read(peer.folder / "release" / "ps1" / WORK, 4)
    for student in students:
        lay_down(student, peer.folder / "submitted" / student.name / "ps1", released.cells)
    peer.run("nbgrader", "autograde", "ps1", "--student", students[0].name)  # libraries fill their caches


def test_cell(name: str, points: float, shared: Path):
    """A cell that nbgrader grades by whether it runs."""
    marks = {"grade": True, "solution": False, "locked": True, "task": False, "schema_version": 3}
    said = CELL.format(folder=str(shared.absolute()), name=name)
    return new_code_cell(said, metadata={"nbgrader": marks | {"grade_id": name, "points": points}})


def lay_down(student: Path, folder: Path, tests: Iterable = ()) -> None:
    """Return a submission as peers take it: the notebook without its training, and the files that it saved."""
    folder.mkdir(parents=True)
    for path in student.iterdir():
        if path.suffix == ".ipynb":
            (folder / WORK).write_text(notebook(path.read_bytes(), tests), encoding="utf-8")
        else:
            shutil.copy(path, folder)


def nbgrader_costs(peer: Peer, students: list[Path], possible: float) -> tuple[float, float, int]:
    """Seconds of processor and of the clock for each submission beyond the first, and the most bytes.

    What the command takes once, however many there are, is in the first. Raises NotGraded.
    """
    first = peer.run("nbgrader", "autograde", "ps1", "--force", "--student", students[0].name)
    all_of_them = peer.run("nbgrader", "autograde", "ps1", "--force")
    table = peer.folder / "grades.csv"
    peer.run("nbgrader", "export", "--to", table)
    with table.open(encoding="utf-8", newline="") as file:
        earned = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    for student in students:
        require(peer, student, earned.get(student.name, 0), possible)
    more = len(students) - 1
    memory = max(first.memory["all"], all_of_them.memory["all"])
    return (all_of_them.cpu - first.cpu) / more, (all_of_them.wall - first.wall) / more, memory


def require(peer: Peer, student: Path, earned: float, possible: float) -> None:
    """Raise NotGraded where a submission of good work did not earn most of what it could."""
    if earned < 0.9 * possible:
        said = peer.folder / "said.txt"
        raise NotGraded(f"{peer.package} gave {student.name} {earned} of {possible} points: see {said}")


# --- Otter: an archive of tests, and a command for each submission


def otter_course(peer: Peer, points: dict[str, float], shared: Path, students: list[Path]) -> None:
    """Return the archive of tests, and a zip for each of these submissions."""
    tests = peer.folder / "tests"
    tests.mkdir()
    for name, each in points.items():
        said = TEST.format(folder=str(shared.absolute()), name=name, points=each)
        (tests / f"{name}.py").write_text(said, encoding="utf-8")
    peer.run("otter", "generate", "-t", tests, "-o", peer.folder / "autograder.zip", "--no-environment")
    for student in students:
        lay_down(student, peer.folder / student.name)
        with zipfile.ZipFile(peer.folder / f"{student.name}.zip", "w") as archive:
            for path in (peer.folder / student.name).iterdir():
                archive.write(path, path.name)
    otter_run(peer, students[0])  # libraries fill their caches


def otter_run(peer: Peer, student: Path) -> Cost:
    given = "-a", peer.folder / "autograder.zip", "-o", peer.folder, peer.folder / f"{student.name}.zip"
    return peer.run("otter", "run", "--no-logo", *given)


def otter_costs(peer: Peer, students: list[Path], possible: float) -> tuple[float, float, int]:
    """Seconds of processor and of the clock for each submission, and the most bytes. Raises NotGraded."""
    costs = []
    for student in students[1:]:
        costs.append(otter_run(peer, student))
        results = json.loads((peer.folder / "results.json").read_text(encoding="utf-8"))
        require(peer, student, sum(test.get("score", 0) for test in results["tests"]), possible)
    count = len(costs)
    memory = max(cost.memory["all"] for cost in costs)
    return sum(cost.cpu for cost in costs) / count, sum(cost.wall for cost in costs) / count, memory
