"""Specimens: each earns its known marks for its known reasons, in every assignment of the course."""

from pathlib import Path

import pytest

from autograder.course import read_course
from autograder.grading import Grader
from autograder.hidden import DEMO_SECRET, HiddenData
from autograder.verify import KNOWN, check_specimen, verify

COURSE = read_course(Path(__file__).parents[1])
NAMED = {  # in the quick suite; `verify`, which is slow, goes through all of them
    "rnn_by_hand": ("perfect", "printed_formula", "flags_from_the_new_state"),
    "embedding_sentiment": ("perfect", "usual_mistakes", "vocabulary_off_by_one"),
    "sequence_types": ("perfect", "usual_mistakes", "shift_forgotten"),
}


@pytest.mark.parametrize("slug, name", [(slug, name) for slug, names in NAMED.items() for name in names])
def test_a_mistake_costs_its_own_item_and_is_named(slug, name, sandbox):
    assignment = COURSE.assignment(slug)
    folder = assignment.specimens / name
    grader = Grader.of(assignment, HiddenData(COURSE, DEMO_SECRET), sandbox)
    assert list(check_specimen(grader.grade(folder, name), folder / KNOWN)) == []


@pytest.mark.slow
@pytest.mark.parametrize("assignment", COURSE.assignments, ids=lambda assignment: assignment.slug)
def test_verify_passes(assignment, sandbox):
    found = [problem for finding in verify(COURSE, assignment, sandbox) for problem in finding.problems]
    assert found == []
