"""Items: what they return or raise becomes a Score, and nothing they do stops the grader."""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.core import CourseError, Failure, NeedsReview, own, sanitize
from autograder.rubric import (
    Credit,
    ItemRun,
    credit,
    decide,
    hidden,
    hidden_from,
    item,
    read_rubric,
    record_run,
    remark,
    score,
)
from autograder.rubric._item import CLOSE


def scored(result):
    """Return the Score of an item that returns or raises `result`."""

    @item(points=8)
    def example(submission):
        """Show an example."""
        if isinstance(result, BaseException):
            raise result
        return result

    return score(example, None)


@pytest.mark.parametrize(
    "result, earned",
    [
        (None, 8),
        (0.25, 2),
        (1, 8),
        (np.float32(0.5), 4),
        (Credit(0.125, "an eighth"), 1),
        (credit(np.float32(0.5), 0, 1), 4),
        (Failure("no"), 0),
    ],
)
def test_what_an_item_gives_becomes_points(result, earned):
    assert (scored(result).outcome, scored(result).earned) == ("scored", earned)
    assert json.loads(json.dumps(scored(result).earned)) == earned


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


def test_what_only_a_person_can_decide_is_said_without_the_code_behind_it():
    undecided = scored(NeedsReview("the notebook that bob handed in\x1b[31m is signed by ann."))
    assert (undecided.outcome, undecided.earned, undecided.hint) == ("broken", None, "")
    assert undecided.message == (
        "The grader could not decide, a person will look: the notebook that bob handed in[31m is signed by ann."
    )


def test_numbers_of_ones_own_differ_between_students_and_topics_and_stay():
    def drawn(student, topic):
        return tuple(own(student, topic).integers(2**60, size=4))

    students = ["ann.lee", "annlee", "ann.lee2", "ann", "İpek", "ipek", "李明", "john\x00"]
    topics = ["bits", "bits2", "bits\nann", ""]
    everyone = {drawn(student, topic) for student in students for topic in topics}
    assert len(everyone) == len(students) * len(topics)
    for same in ["lee.ann", "ANN.LEE", " ann_lee ", "ann  lee", "Ann-Lee"]:
        assert drawn(same, "bits") == drawn("ann.lee", "bits")
    assert drawn("re\u0301my", "bits") == drawn("RÉMY", "bits") == drawn("rémy", "bits")
    code = "from autograder.core import own; print(tuple(own('ann.lee', 'bits').integers(2**60, size=4).tolist()))"
    other = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=Path(__file__).parents[1])
    assert eval(other) == drawn("ann.lee", "bits")


def test_numbers_of_ones_own_are_spread_evenly():
    bits = [own(f"s{number}", "bits").integers(2) for number in range(2000)]
    assert abs(np.mean(bits) - 0.5) < 5 * 0.5 / np.sqrt(2000)


def test_an_item_has_a_section():
    assert item(points=1, section="loops")(lambda submission: None).section == "loops"
    assert item(points=1)(lambda submission: None).section == ""


def test_an_item_on_hidden_data_is_deferred_without_them():
    @item(points=1)
    def example(submission):
        hidden("numbers")

    with hidden_from(None):
        assert score(example, None).outcome == "deferred"


def test_remarks_reach_the_reader_and_other_warnings_do_not():
    @item(points=1)
    def example(submission):
        remark("close call")
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
    with record_run(ItemRun()) as run:
        assert decide(np.array([[0.5 + CLOSE / 2], [0.2], [0.9]])).tolist() == [True, False, True]
    assert "1 of 3" in run.remarks[0].text
    with record_run(ItemRun()) as run:
        assert decide(np.array([0.5 + 2 * CLOSE, 0.1])).tolist() == [True, False]
    assert run.remarks == []


@given(st.text())
def test_plain_text_is_one_printable_line(text):
    line = sanitize(text)
    assert "\x1b" not in line and "\n" not in line and "\u202e" not in line
    assert line == "" or line.isprintable() or " " in line
    line.encode("utf-8")


@pytest.mark.parametrize(
    "text, said",
    [
        ("x = 1\ndef broken(:\n", "rubric.py:2: SyntaxError"),
        ("import nothing_of_that_name\n", "rubric.py:1: ModuleNotFoundError: No module named"),
        ("x = 1\n\ny = x / 0\n", "rubric.py:3: ZeroDivisionError: division by zero"),
    ],
)
def test_a_rubric_that_can_not_be_run_is_told_in_one_line(tmp_path, text, said):
    (tmp_path / "rubric.py").write_text(text)
    with pytest.raises(CourseError, match=said):
        read_rubric(tmp_path / "rubric.py")
