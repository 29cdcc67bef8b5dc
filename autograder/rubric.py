"""What a rubric is written with (`item`, `Failure`, `credit`, `hidden`, `fresh`, `own`), and what comes of it.

A rubric is a module of items. An item is a plain function that takes a submission; its docstring is the line
that people read. It returns nothing (all points), a share from 0 to 1, or a `credit`; it raises `Failure` (no
points, and the student reads why). Any other exception is the grader's fault: none is blamed, none rewarded.
"""

import math
import traceback
import warnings
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Literal

import numpy as np

from autograder.course import CourseError, load_module
from autograder.failure import Claim, Failure, Printed, Remark, Undecided, plain
from autograder.fetching import NotFetched
from autograder.figures import Figure, Shown
from autograder.handed_in import Origin
from autograder.hidden import HiddenData
from autograder.student import own as own  # for rubrics
from autograder.submission import Answer, Called, Submission

Item = Callable[[Submission], "Credit | float | Answer | None"]
Outcome = Literal["scored", "deferred", "unread", "broken"]

CLOSE = 1e-5  # float32 predictions of one model differ by up to 2e-6 between ways of computing them

WITHHELD = Failure(  # what the student's code says after it has seen hidden data could repeat them
    "Your function gave no result on data you have not seen.",
    "Try it on other inputs: more of them or fewer, longer or shorter.",
)

UNREAD = "A person reads what you write here."
MOST_ANSWER = 5_000  # characters of an answer in own words
DEFERRED = "Scored by your TA on data you have not seen."
DOUBT = "The grader could not decide, a person will look"

_HIDDEN: ContextVar[HiddenData | None] = ContextVar("hidden data", default=None)


class Drew(UserWarning):
    """Said by `hidden`, so that `score` knows that an item has seen hidden data."""


class Deferred(Exception):
    """An item asked for hidden data where there are none: on a student's own machine."""


@dataclass(frozen=True)
class Credit:
    """A share of an item's points, with what was measured and what would raise it."""

    share: float
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Score:
    """What one item gave. `earned` is None unless the outcome is "scored"; "unread" waits for a reader."""

    item: str
    text: str
    possible: float
    stretch: bool
    outcome: Outcome
    earned: float | None
    message: str = ""
    hint: str = ""
    remarks: tuple[str, ...] = ()
    answer: str = ""  # in own words, which a person reads
    figures: tuple[Figure, ...] = ()

    @property
    def is_full(self) -> bool:
        return self.earned == self.possible


@dataclass(frozen=True)
class Adjustment:
    """Points beside those of the items: a penalty for being late, or what a person gives or takes, and why."""

    points: float
    why: str
    by: str = ""  # empty for a rule of the course


@dataclass(frozen=True)
class Report:
    """All scores of one student's submission, and what they were computed from.

    files: the SHA-256 of each file that was handed in, by its path. versions: of rubric, data and packages.
    doubts: what a person must settle beside the items, a line each.
    """

    student: str
    assignment: str
    scores: tuple[Score, ...]
    data: str
    versions: dict[str, str]
    origin: Origin = Origin()
    files: dict[str, str] = field(default_factory=dict)
    adjustments: tuple[Adjustment, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def by_items(self) -> float:
        """The points of all items, before adjustments."""
        return round(sum(score.earned or 0 for score in self.scores), 2)

    @property
    def earned(self) -> float:
        """What counts: no adjustment takes it below 0."""
        return max(0.0, round(self.by_items + sum(one.points for one in self.adjustments), 2))

    @property
    def possible(self) -> float:
        return sum(score.possible for score in self.scores if not score.stretch)

    @property
    def status(self) -> str:
        """ "graded", "incomplete" (hidden items wait for the TA), "to read" (an answer does), "needs a person"."""
        outcomes = {score.outcome for score in self.scores}
        if "broken" in outcomes or self.doubts:
            return "needs a person"
        if "deferred" in outcomes:
            return "incomplete"
        return "to read" if "unread" in outcomes else "graded"


def item(points: float, stretch: bool = False, section: str = "") -> Callable[[Item], Item]:
    """Marks a function as an item worth `points`; stretch points come on top of the assignment's total.

    section: the part of the notebook that it belongs to, for `check("section")` while a student works.
    """

    def mark(function: Item) -> Item:
        function.points, function.stretch, function.section = points, stretch, section
        return function

    return mark


def credit(value: float, zero: float, full: float, hint: str = "", name: str = "It") -> Credit:
    """Points in proportion: none up to `zero`, all from `full` on, a straight line between.

    `name` says what `value` is ("accuracy"); `hint`, what to try next, is shown while points are missing.
    `full` may lie below `zero`, for a value that should be small.
    """
    if not math.isfinite(value):
        raise ValueError(f"credit needs a finite value, got {value}")
    share = min(1.0, max(0.0, (value - zero) / (full - zero)))
    message = f"{name} is {value:.4g}: no points at {zero:g}, full marks at {full:g}."
    return Credit(share, message, "" if share == 1 else hint)


def decide(probabilities: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Which of the `probabilities`, `(n,)` or `(n, 1)`, lie above the threshold, as booleans `(n,)`.

    One that lies within CLOSE of it is remarked on: another processor may round it to the other side.
    """
    flat = np.asarray(probabilities).reshape(-1)
    close = int((abs(flat - threshold) < CLOSE).sum())
    if close:
        warnings.warn(
            Remark(f"{close} of {len(flat)} predictions lie within {CLOSE:g} of {threshold:g}."), stacklevel=2
        )
    return flat > threshold


def hidden(dataset: str, **options):
    """Data that no student has seen: what the data set's `generate.py` makes from the term's secret seed.

    An item is hidden because it calls this. On a student's machine there is no secret: the item is deferred.
    """
    source = _HIDDEN.get()
    if source is None or source.practice:
        raise Deferred
    warnings.warn(Drew(dataset), stacklevel=2)
    return source.draw(dataset, options)


def fresh(dataset: str, **options):
    """Data that a model is trained or tried on and that need not be hidden: the same draw, never deferred.

    On a student's machine it comes from the public seed, with a TA from the term's; what holds for one holds for
    the other. Don't pass it to a student's function, whose words would then have to be withheld.
    """
    source = _HIDDEN.get()
    if source is None:
        raise Deferred
    return source.draw(dataset, options)


def public(dataset: str, **options):
    """Data that everyone may see, for figures of how a model errs: the draw of the public seed, never deferred.

    It is the same in every term and on every machine. No marks may rest on it, since a student can draw it too.
    """
    source = _HIDDEN.get()
    if source is None:
        raise Deferred
    return source.public.draw(dataset, options)


def fresh_seed(topic: str) -> int:
    """A seed for training, below 2**31: the term's, or the public one on a student's machine; never deferred."""
    source = _HIDDEN.get()
    if source is None:
        raise Deferred
    return source.seed(topic) % 2**31


def input_generator(topic: str) -> np.random.Generator:
    """Return the random generator from which an item draws the inputs of a student's function.

    A TA's run seeds it with the term's secret, `topic` and the content of the notebook, so that nobody can read the
    inputs off the rubric, or off the report of a friend. A student's own machine seeds it with the public seed.
    Draw sizes, values and edge cases from it, and keep one fixed teaching example as the first call of the item.

    Args:
        topic: what is drawn, such as the name of the function; two topics share no random numbers.
    """
    source = _HIDDEN.get()
    if source is None:
        raise Deferred
    return np.random.Generator(np.random.PCG64(source.seed(f"inputs/{topic}")))


@contextmanager
def hidden_from(source: HiddenData | None):
    """Inside this context, `hidden` draws from `source`."""
    token = _HIDDEN.set(source)
    try:
        yield
    finally:
        _HIDDEN.reset(token)


def read_rubric(path: Path) -> tuple[Item, ...]:
    """The items of the rubric at `path`, in the order they are written. Raises CourseError where it can't be run."""
    try:
        return items_of(load_module(path))
    except OSError:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == str(path)]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else 1
        raise CourseError(f"{path}:{line}: {type(error).__name__}: {error}") from None


def items_of(rubric: ModuleType) -> tuple[Item, ...]:
    """The items of a rubric that is loaded."""
    return tuple(value for value in vars(rubric).values() if hasattr(value, "points"))


def score(item: Item, submission: Submission) -> Score:
    """Runs one item on one submission. Never raises, whatever the item or the submission does."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = _run(item, submission, caught)
    asked = Score(
        item.__name__, " ".join((item.__doc__ or "").split()), item.points, item.stretch, "broken", None
    )
    said = [warned.message for warned in caught]
    forget_hidden(said)
    figures = tuple(one.figure for one in said if isinstance(one, Shown))
    return replace(asked, **result, remarks=remarks(said), figures=figures)


def saw_hidden(warned: Iterable[Warning]) -> bool:
    return any(isinstance(one, Drew) for one in warned)


def forget_hidden(said: list[Warning]) -> None:
    """Ends the process that ran the student's code on hidden data: it could tell a later item of them."""
    if saw_hidden(said):
        for one in said:
            if isinstance(one, Called):
                one.forget()


def remarks(warned: list[Warning]) -> tuple[str, ...]:
    """What was remarked on; what the student's code printed only where it saw no hidden data."""
    drew = saw_hidden(warned)
    said = (one for one in warned if isinstance(one, Remark) and not (drew and isinstance(one, Printed)))
    return tuple(dict.fromkeys(plain(str(one)) for one in said))


def _run(item: Item, submission: Submission, caught: list) -> dict:
    """What there is to say of the item's Score."""
    try:
        return _result(item.points, item(submission))
    except Claim as claim:
        return _lost(WITHHELD if saw_hidden(warned.message for warned in caught) else claim)
    except Failure as failure:
        return _lost(failure)
    except Deferred:
        return {"outcome": "deferred", "message": DEFERRED}
    except NotFetched as missing:
        return {"outcome": "deferred", "message": str(missing)}
    except Undecided as undecided:
        return {"outcome": "broken", "message": f"{DOUBT}: {undecided}"}
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        what = plain(f"{type(error).__name__}: {error} ({Path(where.filename).name}, line {where.lineno})")
        return {"outcome": "broken", "message": f"{DOUBT}: {what}"}


def _lost(failure: Failure) -> dict:
    return {"outcome": "scored", "earned": 0.0, "message": failure.reason, "hint": failure.hint}


def _result(points: float, returned: Credit | float | Answer | None) -> dict:
    """What an item's return value stands for; a nonsensical one is the grader's fault."""
    if isinstance(returned, Answer):
        return {"outcome": "unread", "message": UNREAD, "answer": plain(returned.text, MOST_ANSWER)}
    if returned is None:
        returned = Credit(1, "As expected.")
    elif not isinstance(returned, Credit):
        returned = Credit(float(returned), f"{float(returned):.0%} of the points.")
    if not 0 <= returned.share <= 1:
        raise ValueError(f"the item returned a share of {returned.share}, expected 0 to 1")
    earned = round(points * float(returned.share), 2)  # NumPy's numbers are no JSON
    return {
        "outcome": "scored", "earned": earned, "message": plain(returned.message), "hint": plain(returned.hint)
    }  # fmt: skip
