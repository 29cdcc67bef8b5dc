"""The memory data are what their datasheet says: the first letter is the label, and nothing else tells it."""

import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autograder.core import load_module

FOLDER = Path(__file__).parents[1] / "datasets" / "memory"
KINDS = {"language": "wxyz", "dna": "ACGT"}


@pytest.fixture(scope="module")
def memory():
    return load_module(FOLDER / "generate.py")


def test_train_csv_holds_200_of_each_kind(memory):
    data = pd.read_csv(FOLDER / "train.csv")
    assert Counter(data.kind) == {"language": 200, "dna": 200}
    assert (data.sequence.str.len() == 30).all()
    assert data.groupby(["kind", "label"]).size().eq(50).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [2, 30, 400])
def test_the_first_letter_is_the_label_and_the_others_are_distractors(memory, kind, length):
    data = memory.make(seed=1, count=400, length=length, kind=kind)
    assert data.label.tolist() == ["ACGT".index(sequence[0]) for sequence in data.sequence]
    assert set(data.sequence.str.len()) == {length}
    assert set("".join(data.sequence.str[1:])) == set(KINDS[kind]) and set(memory.LETTERS) == set("ACGTwxyz")


@pytest.mark.parametrize(("count", "sizes"), [(400, [100] * 4), (1001, [251, 250, 250, 250]), (3, [1, 1, 1])])
def test_labels_are_as_even_as_the_count_allows(memory, count, sizes):
    labels = memory.make(seed=1, count=count, length=3).label
    assert sorted(Counter(labels).values(), reverse=True) == sizes


@pytest.mark.parametrize("kind", KINDS)
def test_distractors_are_uniform_and_tell_nothing_of_the_label(memory, kind):
    """Chi squared of each letter at each place against each label: near its degrees of freedom."""
    data = memory.make(seed=1, count=8000, length=12, kind=kind)
    letters = np.array([list(sequence) for sequence in data.sequence])
    for place in range(1, 12):
        table = pd.crosstab(letters[:, place], data.label).to_numpy()
        assert ((table - 500) ** 2 / 500).sum() < 40  # 15 cells free to vary; by chance once in 2,000
    pairs = Counter(a + b for row in letters for a, b in zip(row[1:], row[2:], strict=False))
    assert len(pairs) == 16 and max(pairs.values()) < 1.1 * min(pairs.values())


def test_labels_come_in_random_order(memory):
    labels = memory.make(seed=1, count=8000, length=2).label.to_numpy()
    assert abs((labels[1:] == labels[:-1]).mean() - 0.25) < 0.02


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_draws_the_same_and_another_seed_others(memory, kind):
    first, again, other = (memory.make(seed, 500, 30, kind) for seed in (7, 7, 8))
    known = set(pd.read_csv(FOLDER / "train.csv").sequence)
    assert first.equals(again) and not set(first.sequence) & (set(other.sequence) | known)


def test_a_training_set_of_long_sequences_is_drawn_in_seconds(memory):
    start = time.process_time()
    assert len(memory.make(seed=1, count=19200, length=400)) == 19200
    assert time.process_time() - start < 3


@pytest.mark.parametrize("wrong", [{"count": 0}, {"length": 1}, {"kind": "music"}])
def test_impossible_requests_are_refused(memory, wrong):
    with pytest.raises(ValueError, match="0|1|music"):
        memory.make(**{"seed": 1, "count": 4, "length": 4} | wrong)
