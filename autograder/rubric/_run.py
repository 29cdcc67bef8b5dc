"""The record of one item that runs on one submission.

`hidden`, `remark`, `figures.show` and the methods of a submission find the record in a context variable, so that
nothing a rubric does (caching a draw, catching warnings) can keep from the engine what an item used.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from autograder.core import sanitize
from autograder.data import HiddenData
from autograder.rubric._report import Figure, Score


class Deferred(BaseException):
    """An item asked for hidden data in a run that may not draw them. No rubric can catch it by mistake."""


@dataclass(frozen=True)
class Remark:
    """A sentence beside a score. Text from the student's code is withheld if that code has seen hidden data."""

    text: str
    is_from_student: bool = False


@dataclass
class ItemRun:
    """What one run of an item may use, what it used, and what it gave.

    Attributes:
        source: the data to draw from; None: every draw is deferred.
        may_draw_hidden: False for the first run, which is stopped where it asks for hidden data.
        inputs_salt: what the inputs of functions depend on beside the seed: the notebook.
        on_progress: called with a line about how far a training is.
        asked_hidden: the item asked for hidden data.
        drew_inputs: the item drew inputs for a student's function.
        used: what it asked the submission for: "file", "name" (a function, a constant) or "answer", and which.
        remarks: sentences beside the score.
        figures: drawings for the report.
        discard: ends each process that ran the student's functions.
        assumption: what a person may decide, if the item waits for that.
        score: the score, once the item has run.
    """

    source: HiddenData | None = None
    may_draw_hidden: bool = False
    inputs_salt: Callable[[], str] = str
    on_progress: Callable[[str], None] = lambda line: None
    asked_hidden: bool = False
    drew_inputs: bool = False
    used: set[tuple[str, str]] = field(default_factory=set)
    remarks: list[Remark] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    discard: list[Callable[[], None]] = field(default_factory=list)
    assumption: str = ""
    score: Score = field(init=False, repr=False)

    def remark(self, text: str, is_from_student: bool = False) -> None:
        self.remarks.append(Remark(sanitize(text), is_from_student))


_CURRENT: ContextVar[ItemRun | None] = ContextVar("the run of an item", default=None)


@contextmanager
def record_run(run: ItemRun) -> Iterator[ItemRun]:
    """Record in `run` what is used inside this context."""
    token = _CURRENT.set(run)
    try:
        yield run
    finally:
        _CURRENT.reset(token)


def hidden_from(source: HiddenData | None) -> AbstractContextManager[ItemRun]:
    """Return a context in which `hidden` and its like draw from `source`."""
    return record_run(ItemRun(source, may_draw_hidden=True))


def current_run() -> ItemRun:
    """Return the record of the item that runs; outside an item, a new one without data."""
    return _CURRENT.get() or ItemRun(may_draw_hidden=True)


def remark(text: str) -> None:
    """Add a sentence to the report on the item that runs, for whoever reads the mark."""
    current_run().remark(text)
