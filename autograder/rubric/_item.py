"""What a rubric is written with (`item`, `Failure`, `credit`, `hidden`, `fresh`, `own`), and what comes of it.

A rubric is a module of items. An item is a plain function that takes a submission; its docstring is the line
that people read. It returns nothing (all points), a share from 0 to 1, or a `credit`; it raises `Failure` (no
points, and the student reads why). Any other exception is the grader's fault: none is blamed, none rewarded.
"""

import hashlib
import math
import traceback
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Literal, Protocol

import numpy as np

from autograder.core import (
    CourseError,
    Failure,
    NeedsReview,
    Printed,
    Remark,
    StudentError,
    load_module,
    sanitize,
)
from autograder.data import HiddenData, NotFetched
from autograder.rubric._run import Deferred, ItemRun, current_run, record_run
from autograder.rubric._submission import Answer, Submission
from autograder.rubric.figures import Figure, Shown
from autograder.submissions import Submitter

Outcome = Literal["scored", "deferred", "awaiting review", "broken"]

CLOSE = 1e-5  # float32 predictions of one model differ by up to 2e-6 between ways of computing them

WITHHELD = Failure(  # what the student's code says after it has seen hidden data could repeat them
    "Your function gave no result on data you have not seen.",
    "Try it on other inputs: more of them or fewer, longer or shorter.",
)

AWAITING_REVIEW = "A person reads what you write here."
MAX_ANSWER = 5_000  # characters of an answer in own words
RIGHT_IN_PUBLIC = "Right on the public example, wrong on others:"
DEFERRED = "Scored by your TA on data you have not seen."
DOUBT = "The grader could not decide, a person will look"

_HIDDEN: ContextVar[HiddenData | None] = ContextVar("hidden data", default=None)


@dataclass(frozen=True)
class Credit:
    """A share of an item's points, with what was measured and what would raise it."""

    share: float
    message: str
    hint: str = ""


class Item(Protocol):
    """A function that `item` has marked: it takes a submission, and its name and docstring are shown to people."""

    __name__: str
    points: float
    stretch: bool
    section: str

    def __call__(self, submission: Submission, /) -> Credit | float | Answer | None: ...


@dataclass(frozen=True)
class Score:
    """What one item gave. `earned` is None unless the outcome is "scored"; "awaiting review" waits for a reader."""

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
    origin: Submitter = Submitter()
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
        """Return "graded", "incomplete" (hidden items), "awaiting review" (answers) or "needs a person"."""
        outcomes = {score.outcome for score in self.scores}
        if "broken" in outcomes or self.doubts:
            return "needs a person"
        if "deferred" in outcomes:
            return "incomplete"
        return "awaiting review" if "awaiting review" in outcomes else "graded"


def item(points: float, stretch: bool = False, section: str = "") -> Callable[[Item], Item]:
    """Mark a function as an item worth `points`; stretch points come on top of the assignment's total.

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
    """Return data that no student has seen: what the data set's `generate.py` makes from the term's secret seed.

    An item is hidden because it calls this. On a student's machine there is no secret: the item is deferred.
    """
    source, run = _HIDDEN.get(), current_run()
    run.asked_hidden = True
    if source is None or source.practice or not run.may_draw_hidden:
        raise Deferred
    return source.draw(dataset, options)


def fresh(dataset: str, **options):
    """Return data that a model is trained or tried on and that need not be hidden: the same draw, never deferred.

    On a student's machine it comes from the public seed, with a TA from the term's; what holds for one holds for
    the other. Don't pass it to a student's function, whose words would then have to be withheld.
    """
    source = _HIDDEN.get()
    if source is None:
        raise Deferred
    return source.draw(dataset, options)


def public(dataset: str, **options):
    """Return data that everyone may see, for figures of how a model errs: the draw of the public seed, never deferred.

    It is the same in every term and on every machine. No marks may rest on it, since a student can draw it too.
    """
    source = _HIDDEN.get()
    if source is None:
        raise Deferred
    return source.public.draw(dataset, options)


def fresh_seed(topic: str) -> int:
    """Return a seed for training, below 2**31: the term's, or the public one on a student's machine; never deferred."""
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
    source, run = _HIDDEN.get(), current_run()
    if source is None:
        raise Deferred
    run.drew_inputs = True
    salt = "" if source.practice else run.inputs_salt()
    return np.random.Generator(np.random.PCG64(source.seed(f"inputs/{topic}/{salt}")))


@contextmanager
def hidden_from(source: HiddenData | None):
    """Inside this context, `hidden` draws from `source`."""
    token = _HIDDEN.set(source)
    try:
        yield
    finally:
        _HIDDEN.reset(token)


def read_rubric(path: Path) -> tuple[Item, ...]:
    """Return the items of the rubric at `path`, in their order. Raises CourseError where it can't be run.

    Each item has a method `copy(use)`: the same item of another copy of the rubric, which is loaded once for each use.
    """
    try:
        items = items_of(load_module(path))
    except OSError:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == str(path)]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else 1
        raise CourseError(f"{path}:{line}: {type(error).__name__}: {error}") from None
    copies = cache(lambda use: {item.__name__: item for item in items_of(load_module(path))})
    for item in items:
        item.copy = lambda use, name=item.__name__: copies(use)[name]
    return items


def items_of(rubric: ModuleType) -> tuple[Item, ...]:
    """Return the items of a rubric that is loaded."""
    return tuple(value for value in vars(rubric).values() if hasattr(value, "points"))


def score(item: Item, submission: Submission) -> Score:
    """Return the score of one submission on one item. Never raises, whatever the item or the submission does.

    What the student's code says may be shown only if the item can't have seen hidden data. So an item runs first in
    a copy of the rubric that never sees any; where it asks for them, it runs again in a second copy, and all that
    the student's code says there is withheld. No cache or global variable of a rubric connects the two.
    """
    source, salt = _HIDDEN.get(), cache(lambda: hashlib.sha256(submission.code[1]).hexdigest())
    run, result = _run(item, submission, ItemRun(inputs_salt=salt))
    if run.asked_hidden and source and not source.practice:
        first = result["remarks"]
        _, result = _run(_copy(item, "hidden"), submission, ItemRun(may_draw_hidden=True, inputs_salt=salt))
        result["remarks"] = tuple(dict.fromkeys(first + result["remarks"]))
    elif run.drew_inputs and not source.practice and _is_lost(result):
        result = _beside_public(_copy(item, "public"), submission, source, result)
    if assumption := result.pop("assumption", ""):
        would_be = score(item, submission.accepting())
        if would_be.outcome == "scored":
            points = f"{would_be.earned:g} of {item.points:g} points"
            result["message"] = f"{result['message']} ({assumption}: {points})"
    asked = Score(
        item.__name__, " ".join((item.__doc__ or "").split()), item.points, item.stretch, "broken", None
    )
    return replace(asked, **result)


def _copy(item: Item, use: str) -> Item:
    """Return the item in another copy of its rubric; itself where it is in no file."""
    return item.copy(use) if hasattr(item, "copy") else item


def _is_lost(result: dict) -> bool:
    return result["outcome"] == "scored" and not result["earned"]


def _beside_public(item: Item, submission: Submission, source: HiddenData, result: dict) -> dict:
    """Return the result of an item that is lost, with a message that the student can reproduce where there is one."""
    with hidden_from(source.for_practice):
        _, public = _run(item, submission, ItemRun())
    if public["outcome"] != "scored" or public["earned"] is None:
        return result
    if public["earned"]:
        return result | {"message": f"{RIGHT_IN_PUBLIC} {result['message']}"}
    return result | {"message": public["message"], "hint": public["hint"]}


def _run(item: Item, submission: Submission, run: ItemRun) -> tuple[ItemRun, dict]:
    """Run an item, and return what it used and the fields of its Score."""
    with record_run(run), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = _outcome(item, submission, run)
    said = [warned.message for warned in caught]
    if run.may_draw_hidden:
        said = [message for message in said if not isinstance(message, Printed)]
        for discard in run.discard:
            discard()  # a process that ran on hidden data could tell a later item of them
    result["remarks"] = tuple(
        dict.fromkeys(sanitize(str(message)) for message in said if isinstance(message, Remark))
    )
    result["figures"] = tuple(message.figure for message in said if isinstance(message, Shown))
    return run, result


def _outcome(item: Item, submission: Submission, run: ItemRun) -> dict:
    """Return the fields of the item's Score."""
    try:
        return _result(item.points, item(submission))
    except StudentError as claim:
        return _lost(WITHHELD if run.may_draw_hidden else claim)
    except Failure as failure:
        return _lost(failure)
    except Deferred:
        return {"outcome": "deferred", "message": DEFERRED}
    except NotFetched as missing:
        return {"outcome": "deferred", "message": str(missing)}
    except NeedsReview as undecided:
        message = f"{DOUBT}: {undecided}"
        return {"outcome": "broken", "message": message, "assumption": undecided.assumption}
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        is_safe = isinstance(error, CourseError) or not run.may_draw_hidden
        text = (
            f": {error}" if is_safe else ""
        )  # of any other error it may be what the student's code returned
        what = sanitize(f"{type(error).__name__}{text} ({Path(where.filename).name}, line {where.lineno})")
        return {"outcome": "broken", "message": f"{DOUBT}: {what}"}


def _lost(failure: Failure) -> dict:
    return {"outcome": "scored", "earned": 0.0, "message": failure.reason, "hint": failure.hint}


def _result(points: float, returned: Credit | float | Answer | None) -> dict:
    """Return what an item's return value stands for; a nonsensical one is the grader's fault."""
    if isinstance(returned, Answer):
        return {
            "outcome": "awaiting review",
            "message": AWAITING_REVIEW,
            "answer": sanitize(returned.text, MAX_ANSWER),
        }
    if returned is None:
        returned = Credit(1, "As expected.")
    elif not isinstance(returned, Credit):
        returned = Credit(float(returned), f"{float(returned):.0%} of the points.")
    if not 0 <= returned.share <= 1:
        raise ValueError(f"the item returned a share of {returned.share}, expected 0 to 1")
    earned = round(points * float(returned.share), 2)  # NumPy's numbers are no JSON
    return {
        "outcome": "scored", "earned": earned, "message": sanitize(returned.message), "hint": sanitize(returned.hint)
    }  # fmt: skip
