"""Comparing what a student's function returned with what is right, and naming the usual mistake it shows.

A rubric lists, beside the right result, what the usual mistakes would give: a student whose result equals one
of these is told which.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from autograder.core import Failure
from autograder.rubric._item import Credit

CLOSE = 1e-4  # absolute and relative, unless an item asks for more


def is_close(value: ArrayLike, other: ArrayLike, atol: float = CLOSE) -> bool:
    """Return True if two arrays have one shape and equal numbers, to `atol` absolute and relative; NaN equals NaN."""
    return np.shape(value) == np.shape(other) and np.allclose(
        value, other, rtol=atol, atol=atol, equal_nan=True
    )


def assert_close(
    actual: np.ndarray | tuple[np.ndarray, ...],
    right: ArrayLike,
    usual: Mapping[str, ArrayLike],
    asked: str,
    atol: float = CLOSE,
) -> None:
    """Raise Failure unless the array `actual` equals `right`.

    usual: for each mistake, in a sentence that follows "it seems that", the array it would give. asked: the call,
    as messages name it.
    """
    if isinstance(actual, tuple):
        raise Failure(f"{asked} returns {len(actual)} values, expected one array.", "Return np.array(...).")
    if is_close(actual, right, atol):
        return
    name_mistake((is_close(actual, wrong, atol) for wrong in usual.values()), usual, asked)
    if actual.shape != np.shape(right):
        raise Failure(
            f"{asked} has shape {actual.shape}, expected {np.shape(right)}.",
            "Compare with the docstring, and print the shapes as you go.",
        )
    wrong = ~np.isclose(actual, right, rtol=atol, atol=atol, equal_nan=True)
    off = tuple(int(index) for index in np.unravel_index(np.argmax(wrong), np.shape(wrong)))
    place = f" at {off}" if off else ""
    values = f"{float(actual[off]):.6g}{place}, expected {float(np.asarray(right)[off]):.6g}"
    raise Failure(f"{asked} gives {values}.", "Do one step with a pencil, and compare line by line.")


def assert_parts_close(
    actual: Sequence,
    right: dict[str, ArrayLike],
    usual: Mapping[str, dict[str, ArrayLike]],
    asked: str,
    atol: float = CLOSE,
) -> None:
    """Raise Failure unless a function returned the arrays that are named in `right`; see `assert_close`."""
    parts = split_parts(actual, right, asked)
    if all(is_close(parts[name], right[name], atol) for name in right):
        return
    wholes = (right | changed for changed in usual.values())
    recognised = (all(is_close(parts[name], whole[name], atol) for name in right) for whole in wholes)
    name_mistake(recognised, usual, asked)
    for name in right:
        assert_close(parts[name], right[name], {}, f"{name} of {asked}", atol)


def name_mistake(recognised: Iterable[bool], usual: Iterable[str], asked: str) -> None:
    """Raise Failure with the first of the usual mistakes that is recognised, if there is one."""
    mistake = next((why for why, is_it in zip(usual, recognised, strict=True) if is_it), None)
    if mistake:
        raise Failure(f"{asked} is not right: it seems that {mistake}.", "Fix that and run the check again.")


def split_parts(
    returned: Sequence, names: Iterable[str], asked: str, shape: tuple[int, ...] | None = None
) -> dict[str, np.ndarray]:
    """Return the values that a function returned, by name. Raises Failure if their number or a shape is another.

    shape: of each value, `()` for numbers; None for any.
    """
    names, values = list(names), returned if isinstance(returned, tuple) else np.atleast_1d(returned)
    if len(values) != len(names):
        expected = f"expected {len(names)}: {', '.join(names)}"
        raise Failure(
            f"{asked} returns {len(values)} values, {expected}.", "Return them with commas between."
        )
    for name, value in zip(names, values, strict=True):
        if shape is not None and np.shape(value) != shape:
            expected = f"shape {shape}" if shape else "a single number"
            raise Failure(f"{name} of {asked} has shape {np.shape(value)}, expected {expected}.", "Print it.")
    return dict(zip(names, values, strict=True))


def share_right(actual: dict, right: dict, hint: str) -> Credit:
    """Return credit for the share of values that are right. Name the wrong ones, without the right values."""
    wrong = [name for name in right if not is_close(np.atleast_1d(actual[name]), np.atleast_1d(right[name]))]
    message = f"Not right yet: {', '.join(wrong)}." if wrong else "All right."
    return Credit(1 - len(wrong) / len(right), message, hint if wrong else "")
