"""DNA sequences with a planted binding site, against shuffles of them that keep every dinucleotide count.

Run as a script it writes train.csv beside itself. Hidden test data are other seeds of the same `make`.
"""

from pathlib import Path

import numpy as np
import pandas as pd

TRAINING_SEED = 20252
BASES = "ACGT"
STRANDS = {"forward": [60], "both": [60, 75, 90, 105, 120]}  # and the lengths that each is drawn from

# The site's position weight matrix, 10 x 4: a preferred base and its probability at each position; the other
# three bases share the rest. Against equal bases it holds 12.6 bits.
PREFERRED = "CTTGACGCAA"
PROBABILITY = [0.70, 0.79, 0.91, 0.97, 0.91, 0.91, 0.97, 0.91, 0.79, 0.79]
MATRIX = np.array(
    [
        [p if base == best else (1 - p) / 3 for base in BASES]
        for best, p in zip(PREFERRED, PROBABILITY, strict=True)
    ]
)


def make(seed: int, strands: str = "forward", count: int = 4000, length: int | None = None) -> pd.DataFrame:
    """Draw `count` sequences (an even number), half with one site and half dinucleotide shuffles of those.

    `strands` is "forward" (60 bases, the site as in MATRIX) or "both" (60, 75, 90, 105 or 120 bases, every
    second site reverse-complemented); `length` (at least 10) replaces these lengths.
    Columns: sequence, label (1 for a site), strands.
    """
    if strands not in STRANDS or count % 2:
        raise ValueError(f"need strands 'forward' or 'both' and an even count, got {strands!r} and {count}")
    rng = np.random.default_rng([seed, list(STRANDS).index(strands)])
    lengths = STRANDS[strands] if length is None else [length]
    rows = []
    for number in range(count // 2):
        turn, place = divmod(number, len(lengths))
        positive = with_site(rng, lengths[place], reverse=strands == "both" and turn % 2 == 1)
        rows += [(positive, 1, strands), (dinucleotide_shuffle(rng, positive), 0, strands)]
    order = rng.permutation(count)
    return pd.DataFrame([rows[i] for i in order], columns=["sequence", "label", "strands"])


def with_site(rng: np.random.Generator, length: int, reverse: bool) -> str:
    """Random bases with one site drawn from MATRIX at a random place."""
    site = "".join(rng.choice(list(BASES), p=row) for row in MATRIX)
    if reverse:
        site = reverse_complement(site)
    background = "".join(rng.choice(list(BASES), length - len(site)))
    start = rng.integers(len(background) + 1)
    return background[:start] + site + background[start:]


def reverse_complement(sequence: str) -> str:
    """Return the other strand, read in its own direction."""
    partner = dict(zip("ACGT", "TGCA", strict=True))
    return "".join(partner[base] for base in reversed(sequence))


def dinucleotide_shuffle(rng: np.random.Generator, sequence: str) -> str:
    """Return a random sequence with the same first base, last base and count of each pair of neighbours.

    Neighbours are the edges of a graph on the bases and a sequence is an Euler path. Such a path exists when
    the edges by which it leaves each base for the last time lead to the last base; the others may come in any
    order (Altschul and Erickson 1985, Molecular Biology and Evolution 2:526-538).
    """
    end = sequence[-1]
    successors = {
        base: [b for a, b in zip(sequence, sequence[1:], strict=False) if a == base] for base in BASES
    }
    inner = [base for base in BASES if successors[base] and base != end]
    while True:
        for base in successors:
            rng.shuffle(successors[base])
        if all(leads_to(end, base, successors) for base in inner):
            break
    path = [sequence[0]]
    queues = {base: iter(queue) for base, queue in successors.items()}
    for _ in sequence[1:]:
        path.append(next(queues[path[-1]]))
    return "".join(path)


def leads_to(end: str, base: str, successors: dict[str, list[str]]) -> bool:
    """Whether following the last edges from `base` arrives at `end`; three steps suffice among four bases."""
    for _ in range(3):
        base = successors[base][-1] if base != end else end
    return base == end


if __name__ == "__main__":
    train = pd.concat([make(TRAINING_SEED, strands) for strands in STRANDS])
    train.to_csv(Path(__file__).with_name("train.csv"), index=False, lineterminator="\n")
