"""Errors: whatever goes wrong over a student's model is a Failure; only the machine's lack of memory is not."""

from collections.abc import Iterator
from contextlib import contextmanager

from autograder.core import Failure


@contextmanager
def failing(what: str, hint: str = "") -> Iterator[None]:
    """Turn any exception within into a Failure that says `what` and the error; a MemoryError passes."""
    try:
        yield
    except (Failure, MemoryError):
        raise
    except Exception as error:
        raise Failure(f"{what}: {type(error).__name__}: {error}.", hint) from error
