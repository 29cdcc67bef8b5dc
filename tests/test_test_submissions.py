"""Test submissions: each earns its known marks for its known reasons, in every assignment of the course."""

from pathlib import Path

import pytest

from autograder.authoring.verify import VerifyWorker, single_worker, verify
from autograder.authoring.verify._test_submissions import KNOWN, check_test_submission
from autograder.core import read_course

COURSE = read_course(Path(__file__).parents[1])
NAMED = {  # in the quick suite; `verify`, which is slow, goes through all of them
    "rnn_by_hand": ("perfect", "printed_formula", "flags_from_the_new_state"),
    "embedding_sentiment": ("perfect", "usual_mistakes", "vocabulary_off_by_one"),
    "sequence_types": ("perfect",),
}


@pytest.mark.parametrize("slug, name", [(slug, name) for slug, names in NAMED.items() for name in names])
def test_a_mistake_costs_its_own_item_and_is_named(slug, name, sandbox):
    folder = COURSE.assignment(slug).test_submissions / name
    scores = VerifyWorker(COURSE, sandbox).scores(slug, folder, name)
    assert list(check_test_submission(scores, folder / KNOWN)) == []


@pytest.mark.slow
@pytest.mark.parametrize("assignment", COURSE.assignments, ids=lambda assignment: assignment.slug)
def test_verify_passes(assignment, sandbox):
    [proof] = verify([assignment], single_worker(VerifyWorker(COURSE, sandbox)))
    assert [problem for finding in proof.findings for problem in finding.problems] == []
