"""The reading frames are what their datasheet says: closed by a stop in frame, cut off anywhere, unknown until then."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autograder.core import load_module

FOLDER = Path(__file__).parents[1] / "datasets" / "reading_frames"
FRAME = re.compile(r"ATG(?:(?!TAA|TAG|TGA)[ACGT]{3})*(?:(?P<stop>TAA|TAG|TGA)|[ACGT]{0,2}$)")


@pytest.fixture(scope="module")
def reads():
    return load_module(FOLDER / "generate.py")


def label_by_regex(sequence, kind):
    """Return the same labels by a regular expression: a frame is one match, up to a stop or the end."""
    label = np.zeros(len(sequence), int)
    for frame in FRAME.finditer(sequence):
        if kind == "seen":
            label[frame.start() + 2 : frame.end()] = 1
        elif frame["stop"]:
            label[frame.start() : frame.end()] = 1
    return "".join(map(str, label))


@pytest.mark.parametrize("kind", ["look_ahead", "seen"])
@pytest.mark.parametrize(("shortest", "longest"), [(1, 12), (30, 60), (90, 120)])
def test_labels_are_those_of_a_regular_expression(reads, kind, shortest, longest):
    data = reads.make(seed=1, count=500, shortest=shortest, longest=longest, kind=kind)
    assert data.label.tolist() == [label_by_regex(sequence, kind) for sequence in data.sequence]
    assert set(data.sequence.str.len()) == set(range(shortest, longest + 1))
    assert set("".join(data.sequence)) == set("ACGT") and "1" in "".join(data.label)


@pytest.mark.parametrize("kind", ["look_ahead", "seen"])
def test_labels_of_any_dna_are_those_of_a_regular_expression(reads, kind):
    """In the data most frames stand one behind the other; here ATG and stops stand wherever they fall."""
    rng = np.random.default_rng(0)
    sequences = ["".join(rng.choice(list("ATG"), 40)) for _ in range(500)]
    assert [reads.KINDS[kind](sequence) for sequence in sequences] == [
        label_by_regex(sequence, kind) for sequence in sequences
    ]


def test_what_is_seen_never_changes_and_what_lies_ahead_does(reads):
    """Cut a sequence anywhere: `seen` labels of what is left stay; look-ahead labels of a frame fall with its stop."""
    data = reads.make(seed=1, count=200)
    changed = 0
    for sequence in data.sequence:
        for cut in range(len(sequence)):
            assert reads.seen(sequence[:cut]) == reads.seen(sequence)[:cut]
            changed += reads.look_ahead(sequence[:cut]) != reads.look_ahead(sequence)[:cut]
    assert changed > 0.3 * data.sequence.str.len().sum()


def test_most_sequences_end_inside_a_frame_and_stops_out_of_step_stand_there_too(reads):
    data = reads.make(seed=1, count=1000)
    tails = [
        sequence[found[-1][0] :]
        for sequence, found in zip(data.sequence, map(reads.frames, data.sequence), strict=True)
        if found and found[-1][1] is None
    ]
    assert 0.6 < len(tails) / 1000 < 0.75
    assert np.mean([bool(re.search("TAA|TAG|TGA", tail)) for tail in tails]) > 0.15


def test_the_same_seed_draws_the_same_and_another_seed_others(reads):
    first, again, other = (reads.make(seed, 500) for seed in (7, 7, 8))
    known = set(pd.read_csv(FOLDER / "train.csv").sequence)
    assert first.equals(again) and not set(first.sequence) & (set(other.sequence) | known)


def test_lengths_are_drawn_alike(reads):
    counts = Counter(reads.make(seed=1, count=4000, shortest=3, longest=6).sequence.str.len())
    assert max(counts.values()) < 1.2 * min(counts.values())


@pytest.mark.parametrize("wrong", [{"count": 0}, {"shortest": 0}, {"shortest": 61}, {"kind": "music"}])
def test_impossible_requests_are_refused(reads, wrong):
    with pytest.raises(ValueError, match="expected count at least 1"):
        reads.make(**{"seed": 1, "count": 4} | wrong)
