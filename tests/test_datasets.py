"""The DNA data sets are what their datasheets say: labels, balance, matched pairs, shuffles, motif, seeds."""

import itertools
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from autograder.core import load_module

DATASETS = Path(__file__).parents[1] / "datasets"
NAMES = ["dna_family", "dna_order", "motif"]


def generator(name):
    return load_module(DATASETS / name / "generate.py")


def train(name):
    return pd.read_csv(DATASETS / name / "train.csv")


def base_counts(sequences):
    return np.array([[s.count(base) for base in "ACGT"] for s in sequences])


def dinucleotides(sequence):
    return Counter(zip(sequence, sequence[1:], strict=False))


@pytest.mark.parametrize("length", [None, 5, 50, 200])
def test_family_is_three_or_more_g(length):
    data = generator("dna_family").make(seed=1, count=640, length=length)
    assert [len(re.findall("G", s)) >= 3 for s in data.sequence] == data.label.tolist()
    assert set(data.sequence.str.len()) == ({length} if length else set(range(5, 21)))
    assert set("".join(data.sequence)) == set("ACGT")


@pytest.mark.parametrize("length", [None, 5, 50])
def test_order_is_three_or_more_g_after_the_first_t(length):
    data = generator("dna_order").make(seed=1, count=640, length=length)
    assert [bool(re.match("[ACG]*T(.*G){3}", s)) for s in data.sequence] == data.label.tolist()
    assert set(data.sequence.str.len()) == ({length} if length else set(range(5, 21)))


def test_family_is_balanced_in_every_length_and_crowded_at_the_border():
    data = train("dna_family")
    by_length = data.label.groupby(data.sequence.str.len())
    assert (by_length.mean() == 0.5).all() and by_length.size().nunique() == 1
    guanines = data.sequence.str.count("G")
    assert (guanines[data.label == 1] == 3).mean() == 0.6
    assert (guanines[data.label == 0] == 2).mean() == 0.6


def test_order_pairs_hold_the_same_bases_and_opposite_labels():
    data = train("dna_order")
    first, second = data.iloc[::2], data.iloc[1::2]
    assert (first.pair.to_numpy() == second.pair.to_numpy()).all() and first.pair.is_unique
    assert (first.label.to_numpy() + second.label.to_numpy() == 1).all()
    assert [Counter(s) for s in first.sequence] == [Counter(s) for s in second.sequence]
    assert (first.sequence.str[0].to_numpy() == second.sequence.str[0].to_numpy()).all()
    assert (first.sequence.str[-1].to_numpy() == second.sequence.str[-1].to_numpy()).all()
    assert abs(first.label.mean() - 0.5) < 0.03


def test_base_counts_solve_family_and_are_at_chance_on_order():
    for name, expected in [("dna_family", 1.0), ("dna_order", 0.5)]:
        data, unseen = train(name), generator(name).make(seed=1, count=1600)
        model = LogisticRegression(C=100, max_iter=1000).fit(base_counts(data.sequence), data.label)
        assert model.score(base_counts(unseen.sequence), unseen.label) == pytest.approx(expected, abs=0.005)


def test_motif_holds_the_information_its_page_states():
    matrix = generator("motif").MATRIX
    assert np.allclose(matrix.sum(axis=1), 1) and matrix.shape == (10, 4)
    assert (2 + (matrix * np.log2(matrix)).sum(axis=1)).sum() == pytest.approx(12.6, abs=0.05)


@pytest.mark.parametrize("strands", ["forward", "both"])
def test_motif_positives_hold_a_site_on_the_right_strand(strands):
    motif = generator("motif")
    data = motif.make(seed=1, strands=strands, count=600)
    scores = np.log2(motif.MATRIX / 0.25)

    def best(sequence):
        codes = np.array(["ACGT".index(base) for base in sequence])
        return max(scores[range(10), codes[i : i + 10]].sum() for i in range(len(codes) - 9))

    def other_strand(sequence):
        pairs = {"A": "T", "C": "G", "G": "C", "T": "A"}
        return "".join(pairs[base] for base in reversed(sequence))

    found = np.array([best(s) > 7 for s in data.sequence])
    found_reversed = np.array([best(other_strand(s)) > 7 for s in data.sequence])
    share = data.label == 1
    assert (found | found_reversed)[share].mean() > 0.85 and (found | found_reversed)[~share].mean() < 0.35
    if strands == "forward":
        assert found[share].mean() > 0.85 and found_reversed[share].mean() < 0.25
    else:
        assert 0.4 < found[share].mean() < 0.7 and 0.4 < found_reversed[share].mean() < 0.7


def test_motif_negatives_are_shuffles_that_keep_dinucleotide_counts():
    data = train("motif")
    for _, variant in data.groupby("strands"):
        kinds = {
            label: Counter(frozenset(dinucleotides(s).items()) for s in half.sequence)
            for label, half in variant.groupby("label")
        }
        assert kinds[0] == kinds[1]
    assert not data.sequence.duplicated().any()
    assert data.groupby(["strands", data.sequence.str.len()]).label.mean().eq(0.5).all()


def test_shuffle_reaches_every_arrangement_about_equally_often():
    """By brute force over all arrangements of eight bases: each one that fits is as likely as any other."""
    sequence, rng, shuffle = "ACATACGA", np.random.default_rng(0), generator("motif").dinucleotide_shuffle
    same = {"".join(p) for p in itertools.permutations(sequence)}
    same = {s for s in same if dinucleotides(s) == dinucleotides(sequence) and s[0] == sequence[0]}
    drawn = Counter(shuffle(rng, sequence) for _ in range(400 * len(same)))
    assert set(drawn) == same
    assert all(300 < times < 500 for times in drawn.values())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("dna_family", {"length": 50}),
        ("dna_order", {"length": 50}),
        ("motif", {"strands": "forward"}),
        ("motif", {"strands": "both"}),
    ],
)
def test_other_seeds_are_other_sequences(name, options):
    make = generator(name).make
    first, again, other = (make(seed=seed, count=500, **options) for seed in (7, 7, 8))
    assert first.equals(again) and len(first) == 500
    assert not set(first.sequence) & (set(other.sequence) | set(train(name).sequence))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("dna_family", {"length": 4}),
        ("dna_order", {"length": 4}),
        ("dna_order", {"count": 5}),
        ("motif", {"strands": "reverse"}),
    ],
)
def test_impossible_requests_are_refused(name, options):
    with pytest.raises(ValueError, match="4|5|reverse"):
        generator(name).make(seed=1, **options)
