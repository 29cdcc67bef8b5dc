"""DNA sequences that belong to a family when three or more G follow the first T, in matched pairs.

The two sequences of a pair hold the same bases in another order and have opposite labels, so whoever only
counts bases is at chance. Run as a script it writes train.csv beside itself. Hidden test data are other seeds
of the same `make`.
"""

from pathlib import Path

import numpy as np
import pandas as pd

TRAINING_SEED = 20251
LENGTHS = range(5, 21)


def make(seed: int, count: int = 8000, length: int | None = None) -> pd.DataFrame:
    """Draw `count` sequences (an even number) of 5 to 20 bases, or all of `length` bases (at least 5).

    Columns: sequence, label (1 for three or more G after the first T), pair. The two sequences of a pair are
    adjacent, in random order.
    """
    lengths = LENGTHS if length is None else [length]
    if min(lengths) < 5 or count % 2:
        raise ValueError(f"need length >= 5 and an even count, got length {length} and count {count}")
    rng = np.random.default_rng(seed)
    order = rng.permutation(count // 2)
    rows = []
    for pair, number in enumerate(order):
        turn, place = divmod(number, len(lengths))
        positive, negative = matched_pair(rng, lengths[place], at_border=turn % 5 < 3)
        both = [(positive, 1, pair), (negative, 0, pair)]
        rows += both if rng.random() < 0.5 else both[::-1]
    return pd.DataFrame(rows, columns=["sequence", "label", "pair"])


def matched_pair(rng: np.random.Generator, length: int, at_border: bool) -> tuple[str, str]:
    """Return a positive and a negative that differ in which of some places holds the first T; G fills the others.

    So the places of the G tell almost nothing, and the first base and the last nothing at all. At the border
    three G follow the T of the positive and two that of the negative.
    """
    guanines = rng.integers(3, length * 3 // 4 + 1)
    places = np.sort(1 + rng.choice(length - 1, guanines + 1, replace=False))
    after = (3, 2) if at_border else (rng.integers(3, guanines + 1), rng.integers(1, 3))
    bases = rng.choice(list("AC"), length)
    rest = slice(places[-1 - after[1]], None)  # where one more T changes neither label
    bases[rest] = rng.choice(list("ACT"), len(bases[rest]))
    bases[places] = "G"
    positive, negative = bases.copy(), bases
    positive[places[-1 - after[0]]] = "T"
    negative[places[-1 - after[1]]] = "T"
    return "".join(positive), "".join(negative)


if __name__ == "__main__":
    make(TRAINING_SEED).to_csv(Path(__file__).with_name("train.csv"), index=False, lineterminator="\n")
