"""The usual mistakes that rubrics name: each gives another result than what is right, and than each other mistake."""

from collections import defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from autograder.core import load_module, read_course
from autograder.data import DEMO_SECRET, HiddenData
from autograder.models import Predictor
from autograder.rubric import Submission, hidden_from, is_close, items_of
from autograder.rubric._comparison import CLOSE
from autograder.sandbox import InProcessSandbox

COURSE = read_course(Path(__file__).parents[1])


def listed(assignment, data: HiddenData, monkeypatch) -> dict[str, list]:
    """By item: for each comparison its tolerance, and the right result and that of each usual mistake."""
    rubric, found, now = load_module(assignment.rubric), defaultdict(list), []
    folder = assignment.test_submissions / "perfect"
    submission = Submission("perfect", folder, Predictor(), InProcessSandbox())

    def agree(came, right, usual, asked, atol=CLOSE):
        found[now[-1]].append((atol, {"right": right} | usual))

    def agree_parts(came, right, usual, asked, atol=CLOSE):
        wholes = {"right": right} | {why: right | changed for why, changed in usual.items()}
        flat = {
            why: np.concatenate([np.ravel(one) for one in whole.values()]) for why, whole in wholes.items()
        }
        found[now[-1]].append((atol, flat))

    monkeypatch.setattr(rubric, "assert_close", agree)
    monkeypatch.setattr(rubric, "assert_parts_close", agree_parts, raising=False)
    for item in items_of(rubric):
        if "assert_close" in item.__code__.co_names or "assert_parts_close" in item.__code__.co_names:
            now.append(item.__name__)
            with hidden_from(data):
                item(submission)
    return found


@pytest.mark.parametrize("secret", [DEMO_SECRET, pytest.param("another secret", marks=pytest.mark.slow)])
@pytest.mark.parametrize("assignment", COURSE.assignments, ids=lambda assignment: assignment.slug)
def test_mistakes_are_told_apart(assignment, secret, monkeypatch):
    """On the inputs of every term, that is: `listed` calls the perfect submission's functions on them."""
    found = listed(assignment, HiddenData(COURSE, secret), monkeypatch)
    assert len(found) >= 5
    for name, comparisons in found.items():
        for one, other in combinations(comparisons[0][1], 2):
            apart = [
                not is_close(np.asarray(results[one]), np.asarray(results[other]), atol)
                for atol, results in comparisons
                if {one, other} <= results.keys()
            ]
            assert any(apart) or not apart, f"{name}: {one!r} gives the same as {other!r}"
