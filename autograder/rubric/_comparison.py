"""Comparing what a student's function returned with what is right, and naming the usual mistake it shows.

A rubric lists, beside the right result, what the usual mistakes would give: a student whose result equals one
of these is told which.
"""

from collections.abc import Iterable

import numpy as np

from autograder.core import Failure
from autograder.rubric._item import Credit

CLOSE = 1e-4  # absolute and relative, unless an item asks for more


def is_close(value, other, atol: float = CLOSE) -> bool:
    """Whether two arrays have one shape and equal numbers, to `atol` absolute and relative; NaN equals NaN."""
    return np.shape(value) == np.shape(other) and np.allclose(
        value, other, rtol=atol, atol=atol, equal_nan=True
    )


def assert_close(came, right, usual: dict, asked: str, atol: float = CLOSE) -> None:
    """Raise Failure unless the array `came` equals `right`.

    usual: for each mistake, in a sentence that follows "it seems that", the array it would give. asked: the call,
    as messages name it.
    """
    if isinstance(came, tuple):
        raise Failure(f"{asked} returns {len(came)} values, expected one array.", "Return np.array(...).")
    if is_close(came, right, atol):
        return
    name_mistake((is_close(came, wrong, atol) for wrong in usual.values()), usual, asked)
    if came.shape != np.shape(right):
        raise Failure(
            f"{asked} has shape {came.shape}, expected {np.shape(right)}.",
            "Compare with the docstring, and print the shapes as you go.",
        )
    wrong = ~np.isclose(came, right, rtol=atol, atol=atol, equal_nan=True)
    off = tuple(int(index) for index in np.unravel_index(np.argmax(wrong), np.shape(wrong)))
    place = f" at {off}" if off else ""
    values = f"{float(came[off]):.6g}{place}, expected {float(np.asarray(right)[off]):.6g}"
    raise Failure(f"{asked} gives {values}.", "Do one step with a pencil, and compare line by line.")


def assert_parts_close(came, right: dict, usual: dict, asked: str, atol: float = CLOSE) -> None:
    """Return the same for a function that returns several arrays, named in `right`."""
    came = split_parts(came, right, asked)
    if all(is_close(came[name], right[name], atol) for name in right):
        return
    wholes = (right | changed for changed in usual.values())
    recognised = (all(is_close(came[name], whole[name], atol) for name in right) for whole in wholes)
    name_mistake(recognised, usual, asked)
    for name in right:
        assert_close(came[name], right[name], {}, f"{name} of {asked}", atol)


def name_mistake(recognised: Iterable[bool], usual: dict, asked: str) -> None:
    """Raise Failure with the first of the usual mistakes that is recognised, if there is one."""
    mistake = next((why for why, found in zip(usual, recognised, strict=True) if found), None)
    if mistake:
        raise Failure(f"{asked} is not right: it seems that {mistake}.", "Fix that and run the check again.")


def split_parts(
    came, names: Iterable[str], asked: str, shape: tuple[int, ...] | None = None
) -> dict[str, np.ndarray]:
    """Several values that a function returned, by name. Raises Failure where their number or a shape is another.

    shape: of each value, `()` for numbers; None for any.
    """
    names, came = list(names), came if isinstance(came, tuple) else np.atleast_1d(came)
    if len(came) != len(names):
        expected = f"expected {len(names)}: {', '.join(names)}"
        raise Failure(f"{asked} returns {len(came)} values, {expected}.", "Return them with commas between.")
    for name, value in zip(names, came, strict=True):
        if shape is not None and np.shape(value) != shape:
            expected = f"shape {shape}" if shape else "a single number"
            raise Failure(f"{name} of {asked} has shape {np.shape(value)}, expected {expected}.", "Print it.")
    return dict(zip(names, came, strict=True))


def share_right(came: dict, right: dict, hint: str) -> Credit:
    """Credit for the share of values that are right; those that aren't are named, and not given away."""
    wrong = [name for name in right if not is_close(np.atleast_1d(came[name]), np.atleast_1d(right[name]))]
    message = f"Not right yet: {', '.join(wrong)}." if wrong else "All right."
    return Credit(1 - len(wrong) / len(right), message, hint if wrong else "")
