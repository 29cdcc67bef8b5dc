"""Moths in a light trap, month by month: a crowded year is followed by a thin one, and nothing repeats.

Run as a script it writes train.csv beside itself. Hidden test data are other seeds of the same `make`.
"""

from pathlib import Path

import numpy as np
import pandas as pd

TRAINING_SEED = 20270
PERIOD, HORIZON = 12, 12  # months
GROWTH = 3.8  # of the logistic map, which is chaotic here: each year's size decides the next one's
HEIGHT, NOISE = 4.0, 0.15  # the most in a month, and the deviation of a catch, in hundreds of moths
SEASON = np.sin(np.pi * (np.arange(PERIOD) + 0.5) / PERIOD) ** 2
LENGTHS = 36, 48, 60


def make(seed: int, count: int, length: int) -> pd.DataFrame:
    """Draw `count` series and cut each into `length` months of history (at least 24) and the 12 that follow.

    Columns: history, future: hundreds of moths, one decimal, separated by blanks. A series begins in any month.
    """
    history, future = np.split(observed(*process(seed, count, length)), [length], axis=1)
    return pd.DataFrame({"history": map(written, history), "future": map(written, future)})


def process(seed: int, count: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the expected catch and the error of each month, both (count, length + 12)."""
    if count < 1 or length < 2 * PERIOD:
        expected = f"count at least 1, length at least {2 * PERIOD}"
        raise ValueError(f"expected {expected}; got count={count}, length={length}")
    rng = np.random.default_rng(seed)
    years = -(-(length + HORIZON) // PERIOD) + 1
    sizes = np.empty((count, years + 50))  # fifty years to forget how it began
    sizes[:, 0] = rng.uniform(0.1, 0.9, count)
    for year in range(1, years + 50):
        sizes[:, year] = GROWTH * sizes[:, year - 1] * (1 - sizes[:, year - 1])
    months = (HEIGHT * sizes[:, 50:, None] * SEASON).reshape(count, -1)
    begin = rng.integers(0, PERIOD, (count, 1))
    level = rng.uniform(0.5, 1.0, (count, 1))
    expected = level + np.take_along_axis(months, begin + np.arange(length + HORIZON), axis=1)
    return expected, rng.normal(0, NOISE, expected.shape)


def observed(expected: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Return what is counted: never below 0, to one decimal."""
    return np.maximum(expected + errors, 0).round(1)


def written(values: np.ndarray) -> str:
    return " ".join(f"{value:.1f}" for value in values)


if __name__ == "__main__":
    parts = [make(TRAINING_SEED + place, 360, length) for place, length in enumerate(LENGTHS)]
    pd.concat(parts, ignore_index=True).to_csv(
        Path(__file__).with_name("train.csv"), index=False, lineterminator="\n"
    )
