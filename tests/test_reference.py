"""The reference, run as a student would run it, earns full marks within its time; five seeds, so slow."""

import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.course import read_course
from autograder.grading import Grader
from autograder.hidden import DEMO_SECRET, HiddenData
from autograder.notebooks import cells

COURSE = read_course(Path(__file__).parents[1])
ASSIGNMENT = COURSE.assignment("dna_simple_rnn")
MOST_SECONDS = 240  # of processor, on one core
ONE_CORE = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5), ids="seed{}".format)
def test_the_reference_earns_full_marks(seed, sandbox, tmp_path):
    source = "\n\n".join(
        cell.source for cell in cells(ASSIGNMENT.reference.read_text("utf-8")) if cell.kind == "code"
    )
    source, count = re.subn(r"(?m)^SEED = 0\b", f"SEED = {seed}", source)
    assert count == 1
    shutil.copytree(COURSE.root / "datasets", tmp_path / "datasets")
    (tmp_path / "work").mkdir()
    script = tmp_path / "work" / "reference.py"
    script.write_text(source, encoding="utf-8")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | ONE_CORE | {"MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, script], cwd=script.parent, env=environment, capture_output=True, text=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr[-2000:]
    grader = Grader.of(ASSIGNMENT, HiddenData(COURSE, DEMO_SECRET), sandbox)
    report = grader.grade(script.parent, "reference")
    assert [(score.item, score.message) for score in report.scores if not score.is_full] == []
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < MOST_SECONDS
