"""The record of one item that runs on one submission: what it drew, and which processes ran the student's code.

It is passed in a context variable of the engine, never as a warning, so that nothing a rubric does (caching a draw,
catching warnings) can hide from the engine that hidden rows were drawn.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


class Deferred(BaseException):
    """An item asked for hidden data in a run that may not draw them. No rubric can catch it by mistake."""


@dataclass
class ItemRun:
    """What one run of an item used.

    may_draw_hidden: False for the first run, which is stopped where it asks for hidden data.
    inputs_salt: what the inputs of functions depend on beside the seed: the notebook.
    asked_hidden, drew_inputs: whether the item asked for hidden data, and for inputs of functions.
    discard: for each process that ran the student's functions, what ends it.
    """

    may_draw_hidden: bool = False
    inputs_salt: Callable[[], str] = str
    asked_hidden: bool = False
    drew_inputs: bool = False
    discard: list[Callable[[], None]] = field(default_factory=list)


_CURRENT: ContextVar[ItemRun | None] = ContextVar("the run of an item", default=None)


@contextmanager
def record_run(run: ItemRun) -> Iterator[ItemRun]:
    """Record in `run` what is used inside this context."""
    token = _CURRENT.set(run)
    try:
        yield run
    finally:
        _CURRENT.reset(token)


def current_run() -> ItemRun:
    """Return the record of the item that runs; one that allows everything where none does."""
    return _CURRENT.get() or ItemRun(may_draw_hidden=True)
