"""Figures: their arithmetic against other libraries', and that no row of hidden data is ever among the examples."""

from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from autograder.core import read_course
from autograder.data import DEMO_SECRET, HiddenData, practice_data
from autograder.rubric import (
    by_group,
    by_length,
    confusion,
    examples,
    hidden,
    hidden_from,
    public,
    read_rubric,
    score,
)
from autograder.rubric.figures import MAX_EXAMPLES, MAX_TEXT, Examples

COURSE = read_course(Path(__file__).parents[1])
ANSWERS = st.lists(st.tuples(st.integers(0, 60), st.booleans()), min_size=1, max_size=200)
ERRING = {
    "dna_simple_rnn": ("flags_that_sag", "untrained"),
    "embedding_sentiment": ("trained_on_1000",),
    "sequence_types": ("unidirectional",),
}


@settings(max_examples=40)
@given(ANSWERS)
def test_shares_by_group_are_those_of_pandas(answers):
    groups, right = map(list, zip(*answers, strict=True))
    bars, expected = by_group(groups, right, ""), pd.Series(right).groupby(groups).agg(["mean", "size"])
    assert bars.groups == tuple(map(str, expected.index))
    assert bars.shares == pytest.approx(expected["mean"], abs=1e-4)
    assert bars.counts == tuple(expected["size"])


@settings(max_examples=40)
@given(ANSWERS, st.integers(1, 8))
def test_groups_by_length_part_the_rows(answers, groups):
    lengths, right = map(np.array, zip(*answers, strict=True))
    bars = by_length(lengths, right, "", groups)
    assert sum(bars.counts) == len(answers) and len(bars.groups) <= groups
    for label, share, count in zip(bars.groups, bars.shares, bars.counts, strict=True):
        least, _, most = label.partition("–")
        inside = (lengths >= int(least)) & (lengths <= int(most or least))
        assert inside.sum() == count and right[inside].mean() == pytest.approx(share, abs=1e-4)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=60))
def test_confusion_is_that_of_scikit_learn(answers):
    label, said = map(list, zip(*answers, strict=True)) if answers else ([], [])
    counts = confusion(label, said, "ACGT", "").counts
    assert np.array_equal(
        counts, confusion_matrix(label, said, labels=range(4)) if answers else np.zeros((4, 4))
    )


@settings(max_examples=40)
@given(st.lists(st.tuples(st.text(), st.floats()), max_size=20))
def test_examples_are_few_short_and_plain(rows):
    made = examples("", ("text", "number"), rows)
    assert len(made.rows) == min(len(rows), MAX_EXAMPLES)
    assert all(len(text) <= MAX_TEXT and text.isprintable() for row in made.rows for text in row)


def drawn(draw, source: HiddenData) -> tuple[pd.DataFrame, bool]:
    """Return what is drawn from a source, and whether it counts as hidden."""
    with hidden_from(source) as run:
        return draw("dna_family", count=20), run.asked_hidden


def test_public_data_are_everyones_and_not_hidden():
    demo, is_hidden = drawn(public, HiddenData(COURSE, DEMO_SECRET))
    assert not is_hidden
    for source in (HiddenData(COURSE, "a term"), HiddenData(COURSE, "another"), practice_data(COURSE)):
        assert drawn(public, source)[0].equals(demo)
    theirs, is_hidden = drawn(hidden, HiddenData(COURSE, "a term"))
    assert is_hidden and not theirs.equals(demo)


class Careless:
    """A submission whose models are SimpleRNNs by the look of it, and answer by a sum over what they read."""

    predictor = None

    def model(self, name: str):
        plan = {
            "kinds": ("InputLayer", "SimpleRNN"),
            "input_shape": (None, None, 4),
            "output_shape": (None, 1),
        }
        return SimpleNamespace(plan=SimpleNamespace(**plan, parameters=100))

    def predict(self, name: str, inputs: list[np.ndarray]) -> np.ndarray:
        sums = [one.sum(axis=0) @ [0.13, 0.29, 0.41, 0.17] for one in inputs]
        return np.array(sums)[:, None] % 1


def figures(items, submission, source: HiddenData) -> dict[str, tuple]:
    """Return the figures of each item that shows some."""
    with hidden_from(source):
        scores = [score(item, submission) for item in items]
    return {one.item: one.figures for one in scores if one.figures}


def only_examples(shown: dict[str, tuple]) -> list[Examples]:
    return [figure for several in shown.values() for figure in several if isinstance(figure, Examples)]


def test_examples_hold_no_hidden_row(monkeypatch):
    """A row with a hidden sequence of 50 bases or more would be no chance; shorter ones occur in both draws."""
    rows, plain_draw = defaultdict(set), HiddenData.draw

    def draw(self, dataset: str, options: dict) -> pd.DataFrame:
        data = plain_draw(self, dataset, options)
        rows[self.is_demo] |= set(data.sequence)
        return data

    monkeypatch.setattr(HiddenData, "draw", draw)
    for rule in ("check_architecture", "check_memory"):
        monkeypatch.setattr(f"autograder.models.{rule}", lambda *arguments, **options: None)
    items = read_rubric(COURSE.assignment("dna_simple_rnn").rubric)
    items = [item for item in items if item.section in {"family", "order", "motif"}]
    shown = only_examples(figures(items, Careless(), HiddenData(COURSE, "a term")))
    texts = {text for figure in shown for row in figure.rows for text in row if set(text) <= set("ACGT")}
    assert len(shown) >= 5 and rows[False]
    assert texts <= rows[True]
    assert not {text for text in texts if len(text) >= 50} & rows[False]


@pytest.mark.slow
def test_examples_are_the_same_in_every_term_and_on_a_students_machine(monkeypatch):
    for rule in ("check_architecture", "check_memory"):
        monkeypatch.setattr(f"autograder.models.{rule}", lambda *arguments, **options: None)
    items = read_rubric(COURSE.assignment("dna_simple_rnn").rubric)
    items = [item for item in items if item.section in {"family", "order", "motif"}]
    sources = HiddenData(COURSE, "a term"), HiddenData(COURSE, "another"), practice_data(COURSE)
    one, *others = (only_examples(figures(items, Careless(), source)) for source in sources)
    assert one and all(other == one for other in others)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("slug", "name"), [(slug, name) for slug, names in ERRING.items() for name in names], ids=str
)
def test_examples_of_submissions_do_not_depend_on_the_secret(slug, name, sandbox):
    from autograder.authoring.verify import VerifyWorker

    bench = VerifyWorker(COURSE, sandbox)
    folder = COURSE.assignment(slug).test_submissions / name
    one, other = (
        {item: score.figures for item, score in bench.scores(slug, folder, name, secret=secret).items()}
        for secret in ("a term", "another")
    )
    assert only_examples(one) and only_examples(one) == only_examples(other)
