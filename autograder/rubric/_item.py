"""What rubric authors write with: `item`, `credit`, `decide`, and the data that items draw.

A rubric is a module of items. An item is a plain function that takes a submission; its docstring is the line
that people read. It returns nothing (all points), a share from 0 to 1, or a `credit`; it raises `Failure` (no
points, and the student reads why). Any other exception is the grader's fault: none is blamed, none rewarded.
"""

import math
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from autograder.core import CourseError, load_module
from autograder.data import HiddenData
from autograder.rubric._run import Deferred, current_run, remark
from autograder.rubric._submission import Answer, Submission

if TYPE_CHECKING:
    import pandas as pd

CLOSE = 1e-5  # float32 predictions of one model differ by up to 2e-6 between ways of computing them


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
    bonus: bool
    section: str
    copy: "Callable[[str], Item]"  # the item in another copy of its rubric, which is loaded once for each use

    def __call__(self, submission: Submission, /) -> Credit | float | Answer | None: ...


def item(points: float, bonus: bool = False, section: str = "") -> Callable[[Any], Item]:
    """Mark a function as an item worth `points`; bonus points come on top of the assignment's total.

    section: the part of the notebook that it belongs to, for `check("section")` while a student works.
    """

    def mark(function: Callable[[Submission], Credit | float | Answer | None]) -> Item:
        marked = cast(Item, function)
        marked.points, marked.bonus, marked.section = points, bonus, section
        marked.copy = lambda use: marked
        return marked

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
        remark(f"{close} of {len(flat)} predictions lie within {CLOSE:g} of {threshold:g}.")
    return flat > threshold


def _source() -> HiddenData:
    if (source := current_run().source) is None:
        raise Deferred
    return source


def hidden(dataset: str, **options: Any) -> "pd.DataFrame":
    """Return data that no student has seen: what the data set's `generate.py` makes from the term's secret seed.

    An item is hidden because it calls this. On a student's machine there is no secret: the item is deferred.
    """
    run = current_run()
    run.asked_hidden = True
    if run.source is None or run.source.practice or not run.may_draw_hidden:
        raise Deferred
    return run.source.draw(dataset, options)


def fresh(dataset: str, **options: Any) -> "pd.DataFrame":
    """Return data that a model is trained or tried on and that need not be hidden: the same draw, never deferred.

    On a student's machine it comes from the public seed, with a TA from the term's; what holds for one holds for
    the other. Don't pass it to a student's function, whose words would then have to be withheld.
    """
    return _source().draw(dataset, options)


def public(dataset: str, **options: Any) -> "pd.DataFrame":
    """Return data that everyone may see, for figures of how a model errs: the draw of the public seed, never deferred.

    It is the same in every term and on every machine. No marks may rest on it, since a student can draw it too.
    """
    return _source().public.draw(dataset, options)


def fresh_seed(topic: str) -> int:
    """Return a seed for training, below 2**31: the term's, or the public one on a student's machine; never deferred."""
    return _source().seed(topic) % 2**31


def input_generator(topic: str) -> np.random.Generator:
    """Return the random generator from which an item draws the inputs of a student's function.

    A TA's run seeds it with the term's secret, `topic` and the content of the notebook, so that nobody can read the
    inputs off the rubric, or off the report of a friend. A student's own machine seeds it with the public seed.
    Draw sizes, values and edge cases from it, and keep one fixed teaching example as the first call of the item.

    Args:
        topic: what is drawn, such as the name of the function; two topics share no random numbers.
    """
    source, run = _source(), current_run()
    run.drew_inputs = True
    salt = "" if source.practice else run.inputs_salt()
    return np.random.Generator(np.random.PCG64(source.seed(f"inputs/{topic}/{salt}")))


def read_rubric(path: Path) -> tuple[Item, ...]:
    """Return the items of the rubric at `path`, in their order. Raises CourseError if it can't be run."""
    try:
        items = items_of(load_module(path))
    except OSError:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == str(path)]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else 1
        raise CourseError(f"{path}:{line}: {type(error).__name__}: {error}") from None

    @cache
    def load_copy(use: str) -> dict[str, Item]:
        return {item.__name__: item for item in items_of(load_module(path))}

    def copy_item(name: str, use: str) -> Item:
        return load_copy(use)[name]

    for item in items:
        item.copy = partial(copy_item, item.__name__)
    return items


def items_of(rubric: ModuleType) -> tuple[Item, ...]:
    """Return the items of a rubric that is loaded."""
    return tuple(value for value in vars(rubric).values() if hasattr(value, "points"))
