"""DNA sequences that belong to a family when they hold three or more G.

Run as a script it writes train.csv beside itself. Hidden test data are other seeds of the same `make`.
"""

from pathlib import Path

import numpy as np
import pandas as pd

TRAINING_SEED = 20250
LENGTHS = range(5, 21)


def make(seed: int, count: int = 6400, length: int | None = None) -> pd.DataFrame:
    """Draw `count` sequences of 5 to 20 bases, or all of `length` bases (at least 5).

    Columns: sequence, label (1 for three or more G). Every length holds as many positives as negatives; 60 %
    of the positives hold exactly three G and 60 % of the negatives exactly two, so that the border counts.
    """
    lengths = LENGTHS if length is None else [length]
    if min(lengths) < 5:
        raise ValueError(f"length must be at least 5, got {length}")
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        pair, label = divmod(number, 2)
        turn, place = divmod(pair, len(lengths))
        at_border = turn % 5 < 3
        guanines = count_of_g(rng, lengths[place], label, at_border)
        rows.append((sequence_with(rng, lengths[place], guanines), label))
    order = rng.permutation(count)
    return pd.DataFrame([rows[i] for i in order], columns=["sequence", "label"])


def count_of_g(rng: np.random.Generator, length: int, label: int, at_border: bool) -> int:
    """Three or two G at the border; away from it any other number that fits the label."""
    if at_border:
        return 3 if label else 2
    return rng.integers(4, length) if label else rng.integers(0, 2)


def sequence_with(rng: np.random.Generator, length: int, guanines: int) -> str:
    """Return a random sequence with exactly this many G, each at a random place."""
    bases = rng.choice(list("ACT"), length)
    bases[rng.choice(length, guanines, replace=False)] = "G"
    return "".join(bases)


if __name__ == "__main__":
    make(TRAINING_SEED).to_csv(Path(__file__).with_name("train.csv"), index=False, lineterminator="\n")
