"""Whatever a function of a student returns, its item is scored: no reply makes a person look."""

import pickle
import shutil
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from autograder.core import Failure, load_module, read_course
from autograder.data import HiddenData
from autograder.models import Predictor
from autograder.rubric import Submission, hidden_from, items_of, score
from autograder.sandbox import InProcessSandbox
from autograder.sandbox._client import SeveralArrays, check_reply

COURSE = read_course(Path(__file__).parents[1])
BIG = np.iinfo(np.int64).max

CONFIG = np.frombuffer(b'{"module": "keras", "class_name": "Sequential", "config": {"layers": []}}', np.uint8)

FIXED = {  # what a child may send whatever it was asked for, also a forged one
    "a tuple of nothing": SeveralArrays([]),
    "a tuple of one": SeveralArrays([np.ones(3)]),
    "a ragged tuple": SeveralArrays([np.ones(()), np.ones(2)]),
    "a tuple of matrices and numbers": SeveralArrays(
        [np.ones((2, 2)), np.ones(()), np.ones(3), np.ones((1, 1))]
    ),
    "a long tuple": SeveralArrays([np.ones(()) for _ in range(50)]),
    "a text": SeveralArrays([np.frombuffer(b"A\xff", np.uint8), np.zeros(0)]),
    "a model": SeveralArrays([CONFIG, np.zeros(3, np.float32)]),
    "a model of no sense": SeveralArrays([CONFIG[:9], np.full(3, np.nan, np.float32)]),
    "nothing": np.zeros(0),
    "a giant of nothing": np.zeros((0, 2**40)),
    "giant rows of nothing": np.zeros((2**40, 0)),
    "no number": np.full((), np.nan),
    "a truth": np.ones((), bool),
    "truths": np.zeros((9, 3), bool),
    "the largest whole number": np.full((), BIG),
    "the largest of all": np.full((), np.iinfo(np.uint64).max, np.uint64),
    "the largest bytes": np.full((3, 3), 255, np.uint8),
    "many axes": np.ones((1,) * 30),
    "half a number": np.full((), 6e4, np.float16),
}
CHANGES = {  # of a right array
    "in a tuple": lambda array: SeveralArrays([array]),
    "twice": lambda array: SeveralArrays([array, array]),
    "as a tuple of rows": lambda array: SeveralArrays(list(np.atleast_1d(array))),
    "as a ragged tuple": lambda array: SeveralArrays([*np.atleast_1d(array)[1:], np.zeros(7)]),
    "without its first": lambda array: np.atleast_1d(array)[1:],
    "without all": lambda array: np.atleast_1d(array)[:0],
    "with an axis more": lambda array: array[None],
    "with an axis less": lambda array: array.ravel(),
    "turned round": lambda array: array.T,
    "as truths": lambda array: array.astype(bool),
    "as bytes": lambda array: np.nan_to_num(array).astype(np.uint8),
    "as half numbers": lambda array: np.nan_to_num(array).astype(np.float16),
    "as large numbers": lambda array: np.full(array.shape, BIG),
    "as numbers below": lambda array: np.full(array.shape, -BIG),
    "without numbers": lambda array: np.full(array.shape, np.nan),
    "without end": lambda array: np.full(array.shape, np.inf),
    "beyond float32": lambda array: np.full(array.shape, -1e300),
    "off by a half": lambda array: array + 0.5,
}  # fmt: skip


class Untrained(Submission):
    """A submission whose models are built and never trained."""

    def train(self, *_, **__):
        raise Failure("Nothing is trained here.")


class OddSandbox:
    """Answers a notebook's first calls as it does, and those from `start` on by `reply`, which knows what is right."""

    def __init__(self):
        self.notebook, self.answers = InProcessSandbox(), {}

    def start(self, reply, begin: int) -> None:
        self.reply, self.begin, self.calls = reply, begin, 0

    def call(self, content, file, function, arguments, wanted="arrays", **_):
        self.calls += 1
        right = lambda: self.right(content, file, function, arguments, wanted)  # noqa: E731
        if self.calls <= self.begin:
            return right()
        value = self.reply(right)
        arrays = list(value) if isinstance(value, SeveralArrays) else [value]
        said = {"several": isinstance(value, SeveralArrays)}
        return check_reply(function, wanted, (content, file), said, arrays, "")

    def right(self, content, file, function, arguments, wanted):
        key = pickle.dumps((function, arguments, wanted))
        if key not in self.answers:
            self.answers[key] = self.notebook.call(content, file, function, arguments, wanted=wanted)
        return self.answers[key]

    def discard_child(self) -> None:
        pass


def changed(change, right):
    """Return the right reply with each of its arrays changed."""
    value = right().value
    if not isinstance(value, SeveralArrays):
        new = change(value)
        return new if isinstance(new, SeveralArrays) else np.asarray(new)
    changes = [change(array) for array in value]
    return SeveralArrays(
        [
            np.asarray(array)
            for part in changes
            for array in (part if isinstance(part, SeveralArrays) else [part])
        ]
    )


REPLIES = {name: lambda right, value=value: value for name, value in FIXED.items()}
REPLIES |= {name: lambda right, change=change: changed(change, right) for name, change in CHANGES.items()}


IN_EACH_RUN = (  # the others take minutes and are tried with the slow tests
    "a ragged tuple", "a text", "no number", "the largest of all", "with an axis more", "as a ragged tuple",
)  # fmt: skip


def function_items(assignment, submission: Submission) -> list:
    """Return the items that call a function first of all, or after a file that is no model."""
    items = []
    for item in items_of(load_module(assignment.rubric)):
        submission.sandbox.start(lambda right: FIXED["a tuple of nothing"], 0)
        score(item, submission)
        items += [item] if submission.sandbox.calls else []
    return items


def check_replies(assignment, folder: Path, names, begins) -> None:
    """Assert that each item of the assignment is scored, whichever of these replies comes after so many right ones."""
    for path in (assignment.test_submissions / "perfect").iterdir():
        if path.suffix != ".keras":  # what models do is tried elsewhere
            shutil.copy(path, folder)
    sandbox, undecided = OddSandbox(), []
    with hidden_from(HiddenData(COURSE, "a term")):
        items = function_items(assignment, Untrained("perfect", folder, Predictor(), sandbox))
        assert len(items) > 8
        for item, begin, name in product(items, begins, names):
            sandbox.start(REPLIES[name], begin)
            result = score(item, Untrained("perfect", folder, Predictor(), sandbox))
            if result.outcome != "scored":
                undecided.append((item.__name__, name, begin, result.message))
    assert undecided == []


@pytest.mark.parametrize("assignment", COURSE.assignments[:2], ids=lambda assignment: assignment.slug)
def test_odd_replies_are_scored(assignment, tmp_path):
    check_replies(assignment, tmp_path, IN_EACH_RUN, [0])


@pytest.mark.slow
@pytest.mark.parametrize("assignment", COURSE.assignments, ids=lambda assignment: assignment.slug)
def test_every_odd_reply_is_scored_first_or_later(assignment, tmp_path):
    check_replies(assignment, tmp_path, REPLIES, [0, 1])
