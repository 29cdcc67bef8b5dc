"""A notebook that knows the answers to the public inputs, and nothing else, earns next to nothing in a TA's run."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from autograder.core import Failure, load_module, read_course
from autograder.data import HiddenData, practice_data
from autograder.models import Predictor
from autograder.rubric import Submission, hidden_from, items_of, score
from autograder.sandbox import InProcessSandbox

COURSE = read_course(Path(__file__).parents[1])
COMPARISONS = {"assert_close", "assert_parts_close", "share_right", "check_clip_norm"}
STILL_RIGHT = {  # answers that depend on the student alone, and the one kind that has one input
    "sequence_types": {"one_to_one_tape", "tells_the_kinds"},
    "embedding_sentiment": {"counts_parameters"},
    "tuning": {"counts_the_steps", "bounds_the_skip"},
}
SECRETS = [f"term {number}" for number in range(3)]


class Recorder(Submission):
    """The perfect submission, which writes down what its functions return."""

    def call(self, function, *arguments, **options):
        result = super().call(function, *arguments, **options)
        self._known.setdefault("table", {})[key(function, arguments)] = result
        return result


class AnswerTable(Submission):
    """A submission whose functions look their results up."""

    def call(self, function, *arguments, **options):
        found = self._known["table"].get(key(function, arguments))
        if found is None:
            raise Failure(f"{function} stopped with KeyError.", "")
        return found


def key(function: str, arguments: tuple) -> tuple:
    arrays = [np.asarray(argument) for argument in arguments]
    return function, *((array.shape, array.dtype.str, array.tobytes()) for array in arrays)


@cache
def function_items(slug: str) -> dict:
    items = items_of(load_module(COURSE.assignment(slug).rubric))
    return {item.__name__: item for item in items if COMPARISONS & set(item.__code__.co_names)}


def perfect(slug: str, kind: type = Submission) -> Submission:
    return kind(
        "perfect", COURSE.assignment(slug).test_submissions / "perfect", Predictor(), InProcessSandbox()
    )


@pytest.mark.parametrize("slug", STILL_RIGHT)
@pytest.mark.parametrize(
    "secret", [SECRETS[0], *(pytest.param(secret, marks=pytest.mark.slow) for secret in SECRETS[1:])]
)
def test_right_functions_are_right_in_every_term(slug, secret):
    with hidden_from(HiddenData(COURSE, secret)):
        scores = [score(item, perfect(slug)) for item in function_items(slug).values()]
    assert [(one.item, one.outcome, one.message) for one in scores if not one.is_full] == []


@pytest.mark.parametrize("slug", STILL_RIGHT)
def test_a_table_of_the_public_answers_is_right_where_it_was_made_and_nowhere_else(slug):
    table, items = perfect(slug, Recorder), function_items(slug)
    with hidden_from(practice_data(COURSE)):
        assert all(score(item, table).is_full for item in items.values())
    table = AnswerTable("perfect", table.source, table.predictor, table.sandbox, _known=table._known)
    with hidden_from(practice_data(COURSE)):
        assert all(score(item, table).is_full for item in items.values())
    with hidden_from(HiddenData(COURSE, SECRETS[0])):
        earned = {name for name, item in items.items() if score(item, table).earned}
    assert earned == STILL_RIGHT[slug]
