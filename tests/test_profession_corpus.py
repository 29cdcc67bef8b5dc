"""The corpus of trades is what its datasheet says: the planted shares, other plants of other seeds, and none."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autograder.core import load_module

FOLDER = Path(__file__).parents[1] / "datasets" / "profession_corpus"
MEN = {"he", "him", "his", "himself", "man", "father", "brother", "uncle"}
WOMEN = {"she", "her", "herself", "woman", "mother", "sister", "aunt"}


@pytest.fixture(scope="module")
def corpus():
    return load_module(FOLDER / "generate.py")


@pytest.fixture(scope="module")
def hidden(corpus):
    """Return a corpus that no student has."""
    return corpus.make(seed=5)


def words(sentences):
    return Counter(word for sentence in sentences for word in sentence.split())


def by_trade(sentences, trades):
    """Per trade: how many sentences hold its name, and how many of these a man's word. Counted from the text."""
    table = {}
    for trade in trades:
        about = [set(sentence.split()) for sentence in sentences if trade in sentence.split()]
        table[trade] = len(about), sum(bool(some & MEN) for some in about)
    return table


def deviations(data, trades, shares):
    """How many standard errors the share of men lies from the expected one, per trade."""
    found = by_trade(data.sentence, trades)
    return np.array(
        [
            (men / n - share) / np.sqrt(share * (1 - share) / n)
            for (n, men), share in zip(found.values(), shares, strict=True)
        ]
    )


def test_files_are_what_the_script_writes(tmp_path):
    script = tmp_path / "generate.py"
    script.write_bytes((FOLDER / "generate.py").read_bytes())
    exec(compile(script.read_text(), script, "exec"), {"__name__": "__main__", "__file__": str(script)})
    for name in ["train.csv", "planted.csv", "ratings.csv"]:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()


def test_shares_of_the_public_corpus_are_the_planted_ones():
    planted = pd.read_csv(FOLDER / "planted.csv")
    train = pd.read_csv(FOLDER / "train.csv")
    assert np.abs(deviations(train, planted.trade, planted.p_male)).max() < 3.5
    assert sorted(planted.p_male) == pytest.approx(np.linspace(0.05, 0.95, 12), abs=1e-4)


def test_every_trade_is_met_150_times_and_every_word_five_times():
    train, planted = pd.read_csv(FOLDER / "train.csv"), pd.read_csv(FOLDER / "planted.csv")
    assert len(train) == 3000
    assert {n for n, _ in by_trade(train.sentence, planted.trade).values()} == {150}
    counts = words(train.sentence)
    assert 250 < len(counts) < 400 and min(counts.values()) >= 5


def test_a_sentence_holds_one_trade_and_people_of_one_gender(corpus, hidden):
    for sentence, trade in zip(hidden.sentence, hidden.trade, strict=True):
        tokens = sentence.split()
        assert [token for token in tokens if token in corpus.TRADES] == ([] if pd.isna(trade) else [trade])
        assert not (MEN & set(tokens) and WOMEN & set(tokens))
        assert pd.isna(trade) or (MEN | WOMEN) & set(tokens)


def test_people_without_a_trade_are_as_often_women_as_men(hidden):
    ordinary = [set(s.split()) for s in hidden.sentence[hidden.trade.isna()]]
    men, women = (sum(bool(some & gender) for some in ordinary) for gender in (MEN, WOMEN))
    assert men + women > 400 and abs(men - women) < 3.5 * np.sqrt(men + women)


def test_another_seed_is_another_plant_and_other_sentences(corpus):
    first, again, other = (corpus.make(seed=seed, count=600) for seed in (3, 3, 4))
    assert first.equals(again)
    assert not corpus.planted(first).equals(corpus.planted(other))
    assert first.sentence.isin(other.sentence).mean() < 0.2


def test_hidden_corpus_holds_its_own_plant(corpus, hidden):
    planted = corpus.planted(hidden)
    assert np.abs(deviations(hidden, planted.trade, planted.p_male)).max() < 3.5


def test_no_bias_is_no_bias_and_half_is_half(corpus):
    none, half = corpus.make(seed=6, bias=0), corpus.make(seed=6, count=100, bias=0.5)
    assert (corpus.planted(none).p_male == 0.5).all()
    assert np.abs(deviations(none, list(corpus.TRADES), [0.5] * 12)).max() < 3.5
    assert corpus.planted(half).p_male.agg(["min", "max"]).tolist() == [0.25, 0.75]


def test_notes_name_no_gender_know_no_new_word_and_are_liked_as_planted(corpus, hidden):
    notes = corpus.ratings(seed=5, count=2400)
    assert not set(words(notes.sentence)) & (MEN | WOMEN)
    assert set(words(notes.sentence)) <= set(words(hidden.sentence))
    assert all(trade in sentence.split() for sentence, trade in zip(notes.sentence, notes.trade, strict=True))
    share = corpus.planted(hidden).set_index("trade").p_male
    found = notes.groupby("trade").liked.mean()
    assert (np.abs(found - share) < 3.5 * np.sqrt(share * (1 - share) / 200)).all()


@pytest.mark.parametrize("bias", [-0.1, 1.1])
def test_impossible_spreads_are_refused(corpus, bias):
    with pytest.raises(ValueError, match="0..1"):
        corpus.make(seed=1, bias=bias)
