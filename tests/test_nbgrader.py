"""Starters as nbgrader takes them: metadata of schema 3, and nbgrader's own programs as the judge."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from autograder.authoring import Cell, MarkerError, is_stale, read_cells, release
from autograder.authoring._nbgrader import metadata
from autograder.authoring._starter import BEGIN, make_starter, starter
from autograder.core import read_course
from autograder.rubric import read_rubric

ROOT = Path(__file__).parents[1]
COURSE = read_course(ROOT)
SOURCE = """# %%
STUDENT = "ann"  # SOLUTION

# %%
def given(x):
    return x

def count(x):
    # BEGIN SOLUTION
    return len(x)
    # END SOLUTION

# %%
check("loops")

# %%
# BEGIN SOLUTION
print(count("aa"))
# END SOLUTION

# %%
check("loops")

# %% [markdown]
# Not asked by an item.
#
# BEGIN SOLUTION
# So it is.
# END SOLUTION

# %% [markdown] tags=["answer:explains"]
# BEGIN SOLUTION
# Because.
# END SOLUTION

# %%
check("explains")
"""


def item(name, points, section="loops", bonus=False):
    return SimpleNamespace(__name__=name, points=points, section=section, bonus=bonus)


ITEMS = (item("counts", 3), item("counts_twice", 2.5), item("more", 4, bonus=True), item("explains", 2))


def marks(source=SOURCE, items=ITEMS):
    notebook = nbformat.reads(starter(source, "a.py", items=items), as_version=4)
    return [cell.metadata.get("nbgrader") for cell in notebook.cells]


def test_each_kind_of_cell_is_marked():
    flags = ("grade_id", "grade", "solution", "locked", "points")
    student, count, early, whole, last, plain, answer, one = marks()
    assert [[mark.get(flag) for flag in flags] for mark in (student, count, early, last, answer)] == [
        ["STUDENT", False, True, False, None],
        ["count", False, True, False, None],
        ["check-loops-1", False, False, True, None],
        ["check-loops", True, False, True, 5.5],
        ["explains", True, True, False, 2],
    ]
    assert re.fullmatch("cell-[0-9a-f]{8}", whole["grade_id"])
    assert plain is one is None  # Markdown that nobody grades; a check of one item
    assert {mark["schema_version"] for mark in (student, answer)} == {3} and answer["cell_type"] == "markdown"


def test_an_edit_elsewhere_leaves_the_ids_alone():
    def ids(source):
        return [mark and mark["grade_id"] for mark in marks(source)]

    edited = SOURCE.replace("return x", "return 2 * x").replace("Not asked", "Nor asked")
    assert ids(edited) == ids(SOURCE)


def test_equal_names_are_told_apart():
    twice = [
        Cell("code", "x = ..."),
        Cell("code", "x = ...\ny = 1"),
        Cell("code", "x = ..."),
        Cell("code", "x = ..."),
    ]
    names = [mark["grade_id"] for mark in metadata(twice, ())]
    assert names[0] == "x" and len(set(names)) == 4
    assert all(re.fullmatch(r"[a-zA-Z0-9_\-]*", name) for name in names)


def test_a_name_that_nbgrader_does_not_allow():
    [mark] = metadata([Cell("code", "größe = ...")], ())
    assert mark["grade_id"].startswith("cell-")


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        (SOURCE.replace("answer:explains", "answer:explain"), 31, "the rubric has no item explain;"),
        (SOURCE + SOURCE[SOURCE.index("# %% [markdown] tags") :], 38, "a second answer:explains"),
    ],
)
def test_an_answer_that_is_no_item_is_refused(source, line, message):
    with pytest.raises(MarkerError, match=f"a.py:{line}: {message}"):
        marks(source)


@pytest.mark.parametrize("assignment", COURSE.assignments, ids=lambda one: one.slug)
def test_our_starters_carry_the_points_of_what_is_checked(assignment):
    cells = json.loads(make_starter(assignment))["cells"]
    found = [cell["metadata"]["nbgrader"] for cell in cells if "nbgrader" in cell["metadata"]]
    names = [mark["grade_id"] for mark in found]
    assert len(set(names)) == len(names)
    items = [one for one in read_rubric(assignment.rubric) if one.section and not one.bonus]
    assert sum(mark.get("points", 0) for mark in found) == sum(one.points for one in items)


def test_a_starter_is_stale_once_points_or_the_address_change(course):
    assignment, file = course.assignments[0], course.root / "course.toml"
    text = assignment.rubric.read_text().replace("points=6", 'points=6, section="greet"')
    assignment.rubric.write_text(text)
    assignment.reference.write_text(f'# %%\n{BEGIN}\nx = 3  # SOLUTION\n\n# %%\ncheck("greet")\n')
    release(assignment, assignment.starter)
    assert is_stale(assignment, assignment.starter) is None
    assignment.rubric.write_text(text.replace("points=6", "points=5"))
    assert "the reference gives" in is_stale(assignment, assignment.starter)
    assignment.rubric.write_text(text)
    file.write_text('bundle = "https://example.org/toy.zip"\n' + file.read_text())
    assert "The course isn" in is_stale(assignment, assignment.starter)


# --- with nbgrader itself


@pytest.fixture(scope="module")
def nbgrader(tmp_path_factory):
    """Run a program of an nbgrader installed for this module, with this Python as its kernel."""
    place = tmp_path_factory.mktemp("nbgrader")
    subprocess.run([sys.executable, "-m", "venv", place / "venv"], check=True, timeout=120)
    programs = place / "venv" / "bin"
    install = [programs / "python", "-m", "pip", "install", "-q", "nbgrader>=0.9.4,<0.10"]
    done = subprocess.run(install, capture_output=True, text=True, timeout=600)
    if done.returncode:
        pytest.skip(f"nbgrader can't be installed here: {done.stderr.strip().splitlines()[-1]}")
    kernel = place / "jupyter/kernels/python3/kernel.json"
    kernel.parent.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
    environment["JUPYTER_PATH"] = str(place / "jupyter")

    def run(cwd, *command):
        command = [programs / command[0], *map(str, command[1:])]
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600)

    return run


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """Return the course without `solutions`, every starter fresh."""
    root = tmp_path_factory.mktemp("clone")
    for name in ("datasets", "autograder", "assignments"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("course.toml", "nbgrader_config.py"):
        shutil.copy(ROOT / name, root)
    for assignment in COURSE.assignments:
        (root / "assignments" / assignment.slug / assignment.starter.name).write_text(
            make_starter(assignment)
        )
    return root


def compared(path):
    return [(cell.source, cell.metadata.get("nbgrader")) for cell in nbformat.read(path, 4).cells]


@pytest.mark.slow
@pytest.mark.parametrize("assignment", COURSE.assignments, ids=lambda one: one.slug)
def test_nbgrader_releases_the_starter_as_it_is(nbgrader, clone, assignment):
    done = nbgrader(clone, "nbgrader", "generate_assignment", assignment.slug)
    assert done.returncode == 0, done.stderr
    name = f"{assignment.slug}/{assignment.starter.name}"
    assert compared(clone / "release" / name) == compared(clone / "assignments" / name)
    ask = "import sys; from nbgrader.api import Gradebook; print(Gradebook(sys.argv[1])"
    ask += ".find_assignment(sys.argv[2]).max_score)"
    done = nbgrader(clone, "python", "-c", ask, f"sqlite:///{clone}/gradebook.db", assignment.slug)
    items = [one for one in read_rubric(assignment.rubric) if one.section and not one.bonus]
    assert float(done.stdout) == sum(one.points for one in items), done.stderr


@pytest.mark.slow
def test_nbgrader_validates_a_finished_notebook_and_no_starter(nbgrader, clone):
    assignment = COURSE.assignment("rnn_by_hand")
    path = clone / "assignments" / assignment.slug / assignment.starter.name
    done = nbgrader(path.parent, "nbgrader", "validate", path.name)
    assert "VALIDATION FAILED" in done.stdout + done.stderr
    finished = path.with_name("finished.ipynb")
    finish(assignment, path, finished)
    done = nbgrader(path.parent, "nbgrader", "validate", finished.name)
    assert "Success! Your notebook passes all the tests." in done.stdout + done.stderr


def finish(assignment, path, finished):
    """Return the starter with the reference's cells in it, as a student would hand it in."""
    notebook = nbformat.read(path, 4)
    reference = read_cells(assignment.reference.read_text(encoding="utf-8"))
    parts = [cell for cell in reference if "solution" not in cell.tags]
    for cell, part in zip(notebook.cells, parts, strict=True):
        cell.source = cell.source if BEGIN in part.source else part.source
    nbformat.write(notebook, finished)
