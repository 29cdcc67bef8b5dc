"""A constant of a notebook is a number or a text; anything else ends in words that a student understands."""

import json

import pytest

from autograder import notebook_checks as live
from autograder.core import CourseError, Failure
from autograder.models import Predictor
from autograder.rubric import Report, Score, Submission
from autograder.sandbox import InProcessSandbox


@pytest.fixture(params=["graded", "checked"])
def value(request, sandbox, tmp_path):
    """Return what `ANSWER` of a notebook of these cells is, for the grader and for `check` in the notebook."""

    def of(*cells):
        content = json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]}).encode()
        if request.param == "graded":
            (tmp_path / "work.ipynb").write_bytes(content)
            return Submission("ann", tmp_path, Predictor(), sandbox).value("ANSWER")
        return Submission("ann", tmp_path, Predictor(), InProcessSandbox(), draft=("w.ipynb", content)).value(
            "ANSWER"
        )

    return of


@pytest.mark.parametrize(
    "cells, expected",
    [
        (["ANSWER = 3 * 4 + 1"], 13.0),
        (["ANSWER = -2.5e-3"], -0.0025),
        (["import numpy as np", "ANSWER = np.sqrt(16)"], 4.0),
        (["ANSWER = ' B '"], "B"),
        (['ANSWER = "\\x1b[31mred"'], "[31mred"),
        (["ANSWER = 1", "ANSWER = 2"], 2.0),
        (["n = 5", "ANSWER = n ** 2"], 25.0),
        (["ANSWER = 1", "model.fit(1)"], 1.0),
        (["def f(): return 3", "ANSWER = f()"], 3.0),
    ],
)
def test_a_number_or_a_text(value, cells, expected):
    assert value(*cells) == expected


@pytest.mark.parametrize(
    "cells, said",
    [
        (["ANSWER = ..."], "ANSWER is not filled in yet."),
        (["x = 1"], "ANSWER is not filled in yet."),
        (["def f(): return input()", "ANSWER = f()"], "ANSWER is"),
        (["ANSWER = [1, 2]"], "ANSWER is no number and no letter: list."),
        (["ANSWER = True"], "ANSWER is no number and no letter: bool."),
        (["ANSWER = None"], "ANSWER is no number and no letter: NoneType."),
        (["def ANSWER(): return 3"], "ANSWER is no number and no letter: function."),
        (["ANSWER = 10 ** 999"], "ANSWER is larger than any number"),
        (["ANSWER = 1 +"], "ANSWER is not there: cell 1, line 1 (`ANSWER = 1 +`) can't be read"),
        (["class Sly(float):\n    def __float__(self): raise SystemExit", "ANSWER = Sly(1)"], "ANSWER"),
    ],
)
def test_anything_else_is_a_failure(value, cells, said):
    with pytest.raises(Failure) as failure:
        value(*cells)
    assert failure.value.reason.startswith(said)


def report(*scores):
    return Report("ann", "lab", tuple(Score(f"item {n}", "", *one) for n, one in enumerate(scores)), "", {})


def test_nbgrader_is_told_the_points_that_are_not_lost():
    waiting = (2, False, "deferred", None), (3, False, "awaiting review", None)
    left = live.points(report((4, False, "scored", 3.5), *waiting, (5, True, "scored", 5)))
    assert (left, type(left)) == (5.5, float)
    with pytest.raises(CourseError, match="No points yet"):
        live.points(report((4, False, "scored", 0), (5, True, "scored", 5)))
