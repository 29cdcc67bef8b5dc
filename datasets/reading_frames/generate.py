"""DNA with a label for each base: does it lie in a reading frame that is opened by ATG and closed by a stop?

A sequence is a piece cut out of a densely written genome, so that most end in the middle of a frame, and only the
end tells that no stop is to come. Run as a script it writes train.csv beside itself. Hidden test data are other
seeds of the same `make`.
"""

from pathlib import Path

import numpy as np
import pandas as pd

TRAINING_SEED = 20260
START, STOPS = "ATG", ("TAA", "TAG", "TGA")
CODONS = [a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT"]
SENSE = [codon for codon in CODONS if codon not in STOPS]
MOST_CODONS, LONGEST_GAP = 6, 7  # between start and stop, and between one frame and the next


def make(
    seed: int, count: int, shortest: int = 30, longest: int = 60, kind: str = "look_ahead"
) -> pd.DataFrame:
    """Draw `count` sequences of `shortest` to `longest` bases (at least 1), and a label of 0 or 1 for each base.

    kind: "look_ahead" for frames that a stop closes, "seen" for what can be said of a base once it has been read,
    see the functions of these names. Columns: sequence, label (text of 0 and 1, as long as the sequence).
    """
    if count < 1 or not 1 <= shortest <= longest or kind not in KINDS:
        expected = f"count at least 1, 1 <= shortest <= longest, kind one of {list(KINDS)}"
        raise ValueError(f"expected {expected}; got {count}, {shortest}, {longest}, {kind!r}")
    rng = np.random.default_rng(seed)
    sequences = [piece(rng, length) for length in rng.integers(shortest, longest + 1, count)]
    labels = [KINDS[kind](sequence) for sequence in sequences]
    return pd.DataFrame({"sequence": sequences, "label": labels})


def piece(rng: np.random.Generator, length: int) -> str:
    """Gap, frame, gap, frame ... cut off at `length`; no gap holds an ATG, alone or with the base before it."""
    text = ""
    while len(text) < length:
        gap = START
        while START in text[-1:] + gap:
            gap = "".join(rng.choice(list("ACGT"), rng.integers(LONGEST_GAP + 1)))
        codons = rng.choice(SENSE, rng.integers(1, MOST_CODONS + 1))
        text += gap + START + "".join(codons) + str(rng.choice(STOPS))
    return text[:length]


def frames(sequence: str) -> list[tuple[int, int | None]]:
    """Where frames begin and end, read from the left: (first base, one past the stop, None where no stop comes).

    The first ATG opens a frame, the first stop a multiple of three behind it closes it, and only then the next
    ATG counts.
    """
    found, here = [], sequence.find(START)
    while here >= 0:
        places = range(here, len(sequence) - 2, 3)
        end = next((place + 3 for place in places if sequence[place : place + 3] in STOPS), None)
        found.append((here, end))
        here = sequence.find(START, end) if end else -1
    return found


def look_ahead(sequence: str) -> str:
    """1 for the bases of closed frames, from the A of the ATG to the last base of the stop, 0 for all others."""
    label = ["0"] * len(sequence)
    for start, end in frames(sequence):
        if end:
            label[start:end] = "1" * (end - start)
    return "".join(label)


def seen(sequence: str) -> str:
    """1 from the G of an ATG to the last base of its stop, or to the end: what a reader from the left knows."""
    label = ["0"] * len(sequence)
    for start, end in frames(sequence):
        stop = end or len(sequence)
        label[start + 2 : stop] = "1" * (stop - start - 2)
    return "".join(label)


KINDS = {"look_ahead": look_ahead, "seen": seen}

if __name__ == "__main__":
    make(TRAINING_SEED, 3000).to_csv(Path(__file__).with_name("train.csv"), index=False, lineterminator="\n")
