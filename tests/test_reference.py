"""The references, run as a student would run them, earn full marks within their time; so slow."""

import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.authoring import read_cells, write_notebook
from autograder.authoring.verify._test_submissions import is_lost, is_waiting
from autograder.core import Assignment, read_course
from autograder.data import DEMO_SECRET, HiddenData
from autograder.grading import Grader
from autograder.rubric import Report
from autograder.submissions import RawSubmission

COURSE = read_course(Path(__file__).parents[1])
BY_HAND, SIMPLE_RNN, SENTIMENT, TUNING, SEQUENCES = map(
    COURSE.assignment,
    ("rnn_by_hand", "dna_simple_rnn", "embedding_sentiment", "tuning", "sequence_types"),
)
MOST_SECONDS = {
    BY_HAND: 90,
    SIMPLE_RNN: 240,
    SENTIMENT: 300,
    TUNING: 600,
    SEQUENCES: 360,
}  # of processor, on one core
ONE_CORE = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
EXECUTE = """
import nbformat, sys
from nbclient import NotebookClient
notebook = nbformat.read("work.ipynb", 4)
NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
nbformat.write(notebook, "work.ipynb")
"""


def code(assignment: Assignment) -> list[str]:
    source = assignment.reference.read_text("utf-8")
    return [cell.source for cell in read_cells(source) if cell.kind == "code"]


def run(assignment: Assignment, program: list[str], folder: Path) -> None:
    """Run a program in a student's folder on one core, and hold it to its time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | ONE_CORE | {"MPLBACKEND": "Agg", "PYTHONPATH": str(folder.parent)}
    done = subprocess.run(
        [sys.executable, *program], cwd=folder, env=environment, capture_output=True, text=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr[-2000:]
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert seconds < MOST_SECONDS[assignment]


def assert_full(assignment: Assignment, folder: Path, student: str, sandbox) -> Report:
    grader = Grader.create(assignment, HiddenData(COURSE, DEMO_SECRET), sandbox)
    report = grader.grade(RawSubmission(student, folder)).report
    lost = {score.item: score.message for score in report.scores if is_lost(score)}
    if lost:  # a part whose data are not here makes nothing, and what it once made can't be proved here
        perfect = grader.grade(RawSubmission("perfect", assignment.test_submissions / "perfect")).report
        lost = {
            name: lost[name] for name in lost.keys() - {one.item for one in perfect.scores if is_waiting(one)}
        }
    assert lost == {}
    return report


@pytest.fixture
def folder(tmp_path):
    """Return a student's folder inside a copy of the course without `solutions`."""
    for name in ("datasets", "assignments", "autograder"):
        shutil.copytree(COURSE.root / name, tmp_path / name)
    shutil.copy(COURSE.root / "course.toml", tmp_path)
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5), ids="seed{}".format)
@pytest.mark.parametrize(
    "assignment", [SIMPLE_RNN, SENTIMENT, TUNING, SEQUENCES], ids=lambda assignment: assignment.slug
)
def test_what_it_trains_earns_full_marks(assignment, seed, sandbox, folder):
    source, count = re.subn(r"(?m)^SEED = 0\b", f"SEED = {seed}", "\n\n".join(code(assignment)))
    assert count == 1
    (folder / "work.py").write_text(source, encoding="utf-8")
    run(assignment, ["work.py"], folder)
    (folder / "work.py").rename(
        folder.parent / "work.py"
    )  # what is handed in is the notebook, answers and all
    write_notebook(folder / "work.ipynb", *read_cells(assignment.reference.read_text("utf-8")))
    assert_full(assignment, folder, "perfect", sandbox)


@pytest.mark.slow
def test_rnn_by_hand_as_a_notebook(sandbox, folder):
    write_notebook(folder / "work.ipynb", *read_cells(BY_HAND.reference.read_text("utf-8")))
    run(BY_HAND, ["-c", EXECUTE], folder)
    report = assert_full(BY_HAND, folder, "perfect", sandbox)
    executed = nbformat.read(folder / "work.ipynb", 4).cells
    outputs = [output for cell in executed for output in cell.get("outputs", ())]
    shown = "".join(output.data["text/html"] for output in outputs if "text/html" in output.get("data", {}))
    said = re.findall(r"([\d.]+) / ([\d.]+) points", shown)  # by check, at the end of each section
    assert sum(float(earned) for earned, _ in said) == report.earned
    assert sum(float(possible) for _, possible in said) == report.possible
