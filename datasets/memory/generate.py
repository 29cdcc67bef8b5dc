"""Sequences whose first letter is the answer and whose other letters are there to make a reader forget it.

Labels are 0..3 for A, C, G, T. The distractors are w, x, y, z (language: 'I live in France ... I speak ___') or
bases like the answer itself (dna). Run as a script it writes train.csv beside itself. Hidden test data are other
seeds of the same `make`.
"""

from pathlib import Path

import numpy as np
import pandas as pd

TRAINING_SEED = 20256
LETTERS = "ACGTwxyz"  # in the order of the one-hot columns
ANSWERS = "ACGT"
DISTRACTORS = {"language": "wxyz", "dna": "ACGT"}


def make(seed: int, count: int, length: int, kind: str = "language") -> pd.DataFrame:
    """Draw `count` sequences of `length` letters (at least 2), as many with each first letter as `count` allows.

    kind: "language" or "dna", which says what the distractors are. Columns: sequence, label (0..3, the place of
    the first letter in "ACGT").
    """
    if count < 1 or length < 2 or kind not in DISTRACTORS:
        expected = f"count at least 1, length at least 2, kind one of {list(DISTRACTORS)}"
        raise ValueError(f"expected {expected}; got count={count}, length={length}, kind={kind!r}")
    rng = np.random.Generator(np.random.PCG64(seed))
    labels = rng.permutation(np.arange(count) % len(ANSWERS))
    first, rest = (np.frombuffer(letters.encode(), "S1") for letters in (ANSWERS, DISTRACTORS[kind]))
    letters = rest[rng.integers(0, len(rest), (count, length), dtype=np.uint8)]
    letters[:, 0] = first[labels]
    sequences = letters.view(f"S{length}")[:, 0].astype(str)
    return pd.DataFrame({"sequence": sequences, "label": labels})


if __name__ == "__main__":
    parts = [make(TRAINING_SEED + i, 200, 30, kind).assign(kind=kind) for i, kind in enumerate(DISTRACTORS)]
    data = pd.concat(parts, ignore_index=True)
    data.to_csv(Path(__file__).with_name("train.csv"), index=False, lineterminator="\n")
