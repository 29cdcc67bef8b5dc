"""Remembered results: once for equal arguments, anew for others, however small the difference."""

from typing import NamedTuple

import numpy as np

from autograder.core import cache_by_value


def counted():
    calls = []

    @cache_by_value
    def total(*arguments, **named):
        """Return the sum of all."""
        calls.append(arguments)
        return sum(np.sum(one) for one in (*arguments, *named.values()))

    return total, calls


def test_equal_arguments_are_worked_out_once():
    total, calls = counted()
    for _ in range(3):
        assert total(np.arange(4.0), start=np.ones(2)) == 8
    assert len(calls) == 1 and total.__doc__ == "Return the sum of all."


def test_any_other_argument_is_worked_out_anew():
    total, calls = counted()
    x = np.arange(4.0)
    differing = [x, x.astype(np.float32), x.reshape(2, 2), np.nextafter(x, 9), x[::-1].copy(), x + 0.0]
    for one in differing:
        total(one)
    assert len(calls) == 5  # the last is equal to the first
    total(start=x)
    x[0] = 7
    assert total(x) == 13


def test_arrays_in_tuples_and_dictionaries_count():
    calls = []

    class Pair(NamedTuple):
        one: np.ndarray
        other: dict[str, np.ndarray]

    @cache_by_value
    def first(pair: Pair) -> float:
        """Its class is found by no import, as those of a rubric."""
        calls.append(pair)
        return pair.other["x"][0]

    assert [first(Pair(np.ones(2), {"x": np.array([value])})) for value in (1.0, 2.0, 1.0)] == [1, 2, 1]
    assert len(calls) == 2
