"""The DNA generator's arithmetic is its process: probabilities add up, entropies are their mean, validity is memory."""

from collections import Counter
from itertools import product
from math import isclose
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autograder.core import load_module

FOLDER = Path(__file__).parents[1] / "datasets" / "dna_generator"
KINDS = "terminator", "promoter", "insertion"
PARTNER = {"A": "T", "C": "G", "G": "C", "T": "A"}


def load(path: Path):
    return load_module(path)


@pytest.fixture(scope="module")
def dna():
    return load(FOLDER / "generate.py")


def words(length):
    return ("".join(letters) for letters in product("ACGT", repeat=length))


LOOPS = {
    word for word in words(4) if word[0] + word[3] == "GA" and word[2] in "AG" or word[0] + word[2:] == "TCG"
}


def every(kind):
    """All sequences of a class, written down from the datasheet's sentences and not from the generator."""
    if kind == "terminator":
        for stem, loop, run in product(words(4), LOOPS, (3, 4, 5, 6)):
            yield stem + loop + "".join(PARTNER[base] for base in reversed(stem)) + run * "T"
    elif kind == "promoter":
        for length in (6, 7, 8):
            yield from ("TTGACA" + spacer + "TATAAT" for spacer in words(length))
    else:
        yield from (site + "TG" + three + "CA" + site for site, three in product(words(4), words(3)))


def read_by_hand(sequence, kind):
    """Check validity letter by letter."""
    if kind == "terminator":
        pairs = all(
            sequence[place] == PARTNER[sequence[11 - place]] for place in range(4) if len(sequence) > 11
        )
        return 15 <= len(sequence) <= 18 and pairs and sequence[4:8] in LOOPS and set(sequence[12:]) == {"T"}
    if kind == "promoter":
        return 18 <= len(sequence) <= 20 and sequence[:6] == "TTGACA" and sequence[-6:] == "TATAAT"
    again = all(sequence[place] == sequence[11 + place] for place in range(4) if len(sequence) == 15)
    return len(sequence) == 15 and again and sequence[4:6] == "TG" and sequence[9:11] == "CA"


@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_add_up_to_one_and_the_entropy_is_their_mean(dna, kind):
    sequences = list(every(kind))
    logs = np.array([dna.log2_probability(sequence, kind) for sequence in sequences])
    assert len(set(sequences)) == len(sequences)
    assert isclose((2.0**logs).sum(), 1, abs_tol=1e-9)
    assert isclose(-(2.0**logs) @ logs, dna.entropy_bits(kind), abs_tol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_drawn_has_the_frequencies_that_the_probabilities_say(dna, kind):
    drawn = [sequence for kind_, sequence in dna.make(1, 9000).itertuples(index=False) if kind_ == kind]
    bits = np.array([-dna.log2_probability(sequence, kind) for sequence in drawn])
    assert abs(bits.mean() - dna.entropy_bits(kind)) < 5 * bits.std() / np.sqrt(len(bits)) + 1e-9
    lengths, expected = Counter(map(len, drawn)), Counter()
    for sequence in every(kind):
        expected[len(sequence)] += 2 ** dna.log2_probability(sequence, kind)
    assert set(lengths) == set(expected)
    off = [(lengths[n] - len(drawn) * p) ** 2 / (len(drawn) * p) for n, p in expected.items()]
    assert sum(off) < 16.3  # chi squared, up to 3 degrees of freedom: by chance once in 1,000


@pytest.mark.parametrize("kind", KINDS)
def test_validity_is_what_a_reading_base_by_base_says(dna, kind):
    rng = np.random.default_rng(2)
    for sequence in dna.make(3, 600).sequence:
        letters = list(sequence)
        letters[rng.integers(len(letters))] = rng.choice(list("ACGT"))
        for one in (sequence, "".join(letters), sequence[:-1], sequence + "T", sequence[6:]):
            assert dna.is_valid(one, kind) == read_by_hand(one, kind), one
            assert np.isfinite(dna.log2_probability(one, kind)) == read_by_hand(one, kind), one
    assert not dna.is_valid("", kind)


def test_every_base_that_must_follow_from_memory_is_checked(dna):
    """One wrong base in the stem's second half, or in the second site, and the sequence is invalid."""
    for kind, places in (("terminator", range(8, 12)), ("insertion", range(11, 15))):
        sequence = next(s for k, s in dna.make(4, 60).itertuples(index=False) if k == kind)
        for place, base in product(places, "ACGT"):
            changed = sequence[:place] + base + sequence[place + 1 :]
            assert dna.is_valid(changed, kind) == (base == sequence[place])


def test_few_new_sequences_stand_in_train_csv(dna):
    """The exact chance that a sequence of the process is in train.csv, as the datasheet states it."""
    known = pd.read_csv(FOLDER / "train.csv").drop_duplicates()
    chances = known.groupby("class").apply(
        lambda rows: sum(2 ** dna.log2_probability(sequence, rows.name) for sequence in rows.sequence)
    )
    assert chances.max() < 0.1
    datasheet = (FOLDER / "README.md").read_text(encoding="utf-8")
    for kind, chance in chances.items():
        assert f"| `{kind}` | {dna.entropy_bits(kind):.2f} | {100 * chance:.1f} % |" in datasheet


def test_the_same_seed_draws_the_same_and_classes_are_even(dna):
    first, again, other = (dna.make(seed, 301) for seed in (5, 5, 6))
    assert first.equals(again) and not first.equals(other)
    assert sorted(Counter(first["class"]).values()) == [100, 100, 101]
    assert (
        first["class"].iloc[1:].to_numpy() != first["class"].iloc[:-1].to_numpy()
    ).mean() < 0.8  # no fixed turn


@pytest.mark.parametrize(
    "wrong", [("make", 1, 0), ("entropy_bits", "exon"), ("log2_probability", "ACGT", "exon")]
)
def test_impossible_requests_are_refused(dna, wrong):
    name, *arguments = wrong
    with pytest.raises(ValueError, match="0|exon"):
        getattr(dna, name)(*arguments)
