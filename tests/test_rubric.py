"""Items: what they return or raise becomes a Score, and nothing they do stops the grader."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.failure import Failure, plain
from autograder.rubric import CLOSE, Credit, Remark, credit, decide, hidden, hidden_from, item, score


def scored(result):
    """The Score of an item that returns or raises `result`."""

    @item(points=8)
    def example(submission):
        """An example."""
        if isinstance(result, BaseException):
            raise result
        return result

    return score(example, None)


@pytest.mark.parametrize(
    "result, earned",
    [(None, 8), (0.25, 2), (1, 8), (np.float32(0.5), 4), (Credit(0.125, "an eighth"), 1), (Failure("no"), 0)],
)
def test_what_an_item_gives_becomes_points(result, earned):
    assert (scored(result).outcome, scored(result).earned) == ("scored", earned)


@pytest.mark.parametrize(
    "result",
    [
        ValueError("bug"),
        MemoryError(),
        RecursionError(),
        AssertionError(),
        1.5,
        -0.1,
        float("nan"),
        "full",
        [1],
    ],
)
def test_every_other_outcome_is_the_graders_fault(result):
    broken = scored(result)
    assert (broken.outcome, broken.earned) == ("broken", None)
    assert "a person will look" in broken.message


def test_an_item_on_hidden_data_is_deferred_without_them():
    @item(points=1)
    def example(submission):
        hidden("numbers")

    with hidden_from(None):
        assert score(example, None).outcome == "deferred"


def test_remarks_reach_the_reader_and_other_warnings_do_not():
    @item(points=1)
    def example(submission):
        warnings.warn(Remark("close call"), stacklevel=1)
        warnings.warn("a library is chatty", stacklevel=1)

    assert score(example, None).remarks == ("close call",)
    assert score(example, None).remarks == ("close call",), "a second student must hear it too"


@given(st.floats(-2, 2), st.floats(-1, 1), st.floats(-1, 1))
def test_credit_is_a_straight_line_between_zero_and_full(value, zero, full):
    if zero == full:
        return
    share = credit(value, zero, full).share
    assert share == pytest.approx(
        np.interp(value, sorted([zero, full]), [0, 1] if zero < full else [1, 0]), abs=1e-6
    )


def test_credit_shows_its_hint_until_nothing_is_missing():
    assert credit(0.89, 0.7, 0.9, hint="more").hint == "more"
    assert credit(0.90, 0.7, 0.9, hint="more").hint == ""
    assert "0.89" in credit(0.89, 0.7, 0.9).message


def test_credit_of_a_number_that_is_none_is_an_error():
    with pytest.raises(ValueError, match="finite"):
        credit(float("nan"), 0, 1)


def test_close_decisions_are_remarked_on():
    with pytest.warns(Remark, match="1 of 3"):
        assert decide(np.array([[0.5 + CLOSE / 2], [0.2], [0.9]])).tolist() == [True, False, True]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decide(np.array([0.5 + 2 * CLOSE, 0.1])).tolist() == [True, False]


@given(st.text())
def test_plain_text_is_one_printable_line(text):
    line = plain(text)
    assert "\x1b" not in line and "\n" not in line and "\u202e" not in line
    assert line == "" or line.isprintable() or " " in line
    line.encode("utf-8")
