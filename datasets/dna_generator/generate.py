"""DNA of three kinds, written base by base by a process whose every probability is known.

terminator: a stem of 4 bases, a loop, the stem's reverse complement, a run of T. promoter: TTGACA, a spacer, TATAAT.
insertion: a site of 4 bases, TG, three bases, CA, the site again. Run as a script it writes train.csv beside itself.
Hidden test data are other seeds of the same `make`.
"""

import re
from math import log2
from pathlib import Path

import numpy as np
import pandas as pd

TRAINING_SEED = 20268
CLASSES = "terminator", "promoter", "insertion"
STEM, SITE, ELEMENT = 4, 4, 3  # bases
LOOPS = [f"G{n}{r}A" for n in "ACGT" for r in "AG"] + [f"T{n}CG" for n in "ACGT"]  # GNRA and UNCG tetraloops
RUNS, SPACERS = range(3, 7), range(6, 9)  # how long or how many
BOX_35, BOX_10 = "TTGACA", "TATAAT"
PAIRED = str.maketrans("ACGT", "TGCA")


def make(seed: int, count: int) -> pd.DataFrame:
    """Draw `count` sequences, as many of each class as `count` allows, in random order.

    Columns: class ("terminator", "promoter" or "insertion"), sequence (15 to 20 bases).
    """
    if count < 1:
        raise ValueError(f"expected count at least 1, got {count}")
    rng = np.random.default_rng(seed)
    kinds = [CLASSES[number] for number in rng.permutation(np.arange(count) % len(CLASSES))]
    return pd.DataFrame({"class": kinds, "sequence": [drawn(rng, kind) for kind in kinds]})


def drawn(rng: np.random.Generator, kind: str) -> str:
    """One sequence of a class, from its beginning to its end; each draw is even among what it can be."""
    if kind == "terminator":
        stem = bases(rng, STEM)
        return stem + str(rng.choice(LOOPS)) + reverse_complement(stem) + "T" * rng.choice(RUNS)
    if kind == "promoter":
        return BOX_35 + bases(rng, rng.choice(SPACERS)) + BOX_10
    site = bases(rng, SITE)
    return site + "TG" + bases(rng, ELEMENT) + "CA" + site


def bases(rng: np.random.Generator, count: int) -> str:
    return "".join(rng.choice(list("ACGT"), count))


def reverse_complement(sequence: str) -> str:
    """Return what the other strand reads: each base's partner, in the other direction."""
    return sequence.translate(PAIRED)[::-1]


def log2_probability(sequence: str, kind: str) -> float:
    """Return the logarithm (base 2) of the probability of a whole sequence in its class; -inf where it can't occur.

    By the chain rule the logarithms of the draws add up, and all else is certain. A whole sequence shows each draw,
    so no two ways lead to the same one.
    """
    if not is_valid(sequence, kind):
        return -np.inf
    if kind == "promoter":
        return -2 * (len(sequence) - len(BOX_35 + BOX_10)) - log2(len(SPACERS))
    return -entropy_bits(kind)  # every sequence of the class is as likely as any other


def entropy_bits(kind: str) -> float:
    """Bits of one sequence of a class: by the chain rule the entropies of its draws add up."""
    known(kind)
    if kind == "terminator":
        return 2 * STEM + log2(len(LOOPS)) + log2(len(RUNS))
    if kind == "promoter":
        return log2(len(SPACERS)) + 2 * float(np.mean(SPACERS))
    return 2 * (SITE + ELEMENT)


def is_valid(sequence: str, kind: str) -> bool:
    """Whether the process can write this sequence in this class."""
    known(kind)
    if kind == "terminator":
        found = re.fullmatch(f"([ACGT]{{{STEM}}})({'|'.join(LOOPS)})([ACGT]{{{STEM}}})(T+)", sequence)
        return bool(found) and found[3] == reverse_complement(found[1]) and len(found[4]) in RUNS
    if kind == "promoter":
        found = re.fullmatch(f"{BOX_35}([ACGT]*){BOX_10}", sequence)
        return bool(found) and len(found[1]) in SPACERS
    return bool(re.fullmatch(f"([ACGT]{{{SITE}}})TG[ACGT]{{{ELEMENT}}}CA\\1", sequence))


def known(kind: str) -> None:
    if kind not in CLASSES:
        raise ValueError(f"expected a class of {CLASSES}, got {kind!r}")


if __name__ == "__main__":
    make(TRAINING_SEED, 3600).to_csv(Path(__file__).with_name("train.csv"), index=False, lineterminator="\n")
