"""No row that `hidden` draws reaches a report in the words of a student's code, whatever a rubric does with it."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder.core import StudentError, read_course
from autograder.data import HiddenData, practice_data
from autograder.rubric import hidden_from, read_rubric, score
from autograder.rubric._run import current_run
from autograder.rubric._scoring import RIGHT_IN_PUBLIC, WITHHELD

GENERATOR = """
import pandas as pd


def make(seed, count=3):
    return pd.DataFrame({"text": [f"row {seed} {number}" for number in range(count)]})
"""
HEAD = """
import functools
import threading
import warnings
from autograder.core import Failure; from autograder.rubric import hidden, input_generator, item

"""
DRAWS = {
    "plainly": "hidden('rows').text[0]",
    "inside catch_warnings": "quietly()",
    "through a cached helper": "cached()",
    "through a global variable": "stashed()",
    "in a default argument": "defaulted()",
    "behind a caught exception": "caught()",
}
HELPERS = """
def quietly():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return hidden("rows").text[0]


@functools.cache
def cached():
    return hidden("rows").text[0]


STASH = []


def stashed():
    if not STASH:
        STASH.append(hidden("rows").text[0])
    return STASH[0]


def defaulted(known={}):
    if "row" not in known:
        known["row"] = hidden("rows").text[0]
    return known["row"]


def caught():
    try:
        STASH[:] = [hidden("rows").text[0]]
    except Exception:
        pass
    return STASH[0]
"""


@dataclass
class Parrot:
    """A submission whose function prints its argument and then fails with it."""

    repeats: str = "raise"
    code = "work.py", b"one notebook"

    def call(self, function: str, argument: str):
        current_run().remark(f"{function} printed: {argument}", is_from_student=True)
        if self.repeats == "raise":
            raise StudentError(f"{function} says {argument}")
        if self.repeats == "return":
            return argument
        return "right" if argument in self.repeats else "wrong"


@pytest.fixture
def course(tmp_path):
    for folder in ("assignments/toy", "solutions/toy", "datasets/rows"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "datasets/rows/generate.py").write_text(GENERATOR)
    (tmp_path / "course.toml").write_text(
        'title = "Toy"\n[[assignment]]\nslug = "toy"\ntitle = "Toy"\npoints = 1\ndue = 2027-01-01T00:00:00+00:00\n'
    )
    return tmp_path


def items_of(course: Path, text: str) -> tuple:
    (course / "assignments/toy/rubric.py").write_text(HEAD + HELPERS + text)
    return read_rubric(course / "assignments/toy/rubric.py")


def texts(scores) -> str:
    return " ".join(str(result) for result in scores)


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
@pytest.mark.parametrize("repeats", ["raise", "return"])
def test_no_student_reads_a_hidden_row(course, draw, repeats):
    """Two students, since a cache shows itself with the second."""
    items = items_of(
        course,
        f"""
@item(points=1)
def asks(submission):
    came = submission.call("f", {draw})
    raise ValueError(came)  # a bug of the rubric's must not repeat it either


@item(points=1)
def asks_later(submission):
    submission.call("f", (STASH or ["nothing"])[0])
""",
    )
    source = HiddenData(read_course(course), "a secret of this term")
    row = source.draw("rows", {}).text[0]
    with hidden_from(source):
        scores = [score(item, Parrot(repeats)) for _ in range(2) for item in items]
    assert row not in texts(scores)
    assert scores[0].outcome == scores[2].outcome == ("scored" if repeats == "raise" else "broken")
    if repeats == "raise":
        assert scores[0].message == scores[2].message == WITHHELD.reason


def test_what_is_said_before_hidden_data_are_drawn_is_shown(course):
    items = items_of(
        course,
        """
@item(points=1)
def asks(submission):
    submission.call("f", "an example")
    hidden("rows")
""",
    )
    with hidden_from(HiddenData(read_course(course), "a secret of this term")):
        result = score(items[0], Parrot())
    assert (result.message, result.remarks) == ("f says an example", ("f printed: an example",))


DRAWN = """
@item(points=1)
def asks(submission):
    word = str(input_generator("words").integers(10**12))
    if submission.call("f", word) != "right":
        raise Failure(f"f is wrong on {word}.")
"""


@dataclass
class Right:
    """A submission that is right on the public example alone, so that the message quotes the term's."""

    code: tuple[str, bytes]
    calls: int = 0

    def call(self, function: str, argument: str) -> str:
        self.calls += 1
        return "wrong" if self.calls == 1 else "right"


def drawn_word(item, source: HiddenData, submission) -> str:
    """Return the word that the item drew, which its message ends with."""
    with hidden_from(source):
        return score(item, submission).message.removesuffix(".").rpartition(" ")[2]


def test_a_table_of_the_public_inputs_earns_nothing(course):
    home = practice_data(read_course(course))
    (item,) = items_of(course, DRAWN)
    public = drawn_word(item, home, Parrot("nothing"))
    with hidden_from(home):
        assert score(item, Parrot(public)).is_full
    with hidden_from(HiddenData(read_course(course), "a secret of this term")):
        table, wrong = score(item, Parrot(public)), score(item, Parrot("nothing"))
    assert table.earned == 0 and table.message.startswith(f"{RIGHT_IN_PUBLIC} f is wrong on ")
    assert public not in table.message
    assert wrong.message == f"f is wrong on {public}.", "what the student can try at home"


def test_inputs_differ_between_notebooks_and_terms_and_stay_with_them(course):
    (item,) = items_of(course, DRAWN)
    terms = [HiddenData(read_course(course), f"the secret of term {number}") for number in (1, 2)]
    notebooks = [b"one notebook", b"another notebook"]

    def words() -> list[str]:
        return [drawn_word(item, term, Right(("work.py", text))) for term in terms for text in notebooks]

    assert len(set(words())) == 4
    assert words() == words()
