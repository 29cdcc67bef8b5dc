"""The sentences are what their datasheet says: the role of a word decides, and neither counts nor neighbours do."""

import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from autograder.core import load_module

FOLDER = Path(__file__).parents[1] / "datasets" / "completion"


@pytest.fixture(scope="module")
def grammar():
    return load_module(FOLDER / "generate.py")


@pytest.fixture(scope="module")
def train():
    return pd.read_csv(FOLDER / "train.csv")


def read_off(grammar, sentence):
    """Return the words that a person would end the sentence with, by patterns and without the generator's functions."""
    born, now = (
        re.search(role + r"[a-z ]*?\b(" + "|".join(grammar.LANGUAGES) + r")\b", sentence)
        for role in ("born in", "live in")
    )
    if born:
        return {grammar.LANGUAGES[(now if sentence.endswith("speak") else born)[1]]}
    if chase := re.match(r"the [a-z ]*?(\w+) chased the ", sentence):
        hunted = re.search("|".join(rf"\b{animal}\b" for animal in grammar.ANIMALS), sentence[chase.end() :])[
            0
        ]
        return {hunted if "ahead" in sentence else chase[1]}
    return {"black"} if " night " in sentence else {"blue", "grey"}


def names(grammar, sentence):
    """Return the countries or animals of a sentence, without their order."""
    return frozenset(word for word in sentence.split() if word in [*grammar.LANGUAGES, *grammar.ANIMALS])


@pytest.mark.parametrize("longer", [False, True])
def test_the_word_is_the_one_that_patterns_read_off(grammar, longer):
    data = grammar.make(seed=1, count=2000, longer=longer)
    assert all(
        word in read_off(grammar, sentence) for sentence, word in zip(data.sentence, data.word, strict=True)
    )
    shares = data.kind.value_counts(normalize=True)
    assert max(abs(shares[kind] - share) for kind, share in grammar.SHARES.items()) < 0.03


@pytest.mark.parametrize("longer", [False, True])
def test_counts_of_words_know_the_two_candidates_and_not_which(grammar, longer):
    """Logistic regression on counts names one of the two nearly always, and the right one half of the time."""
    learnt, data = (
        grammar.make(seed=2, count=2000, longer=longer),
        grammar.make(seed=3, count=1200, longer=longer),
    )
    model = make_pipeline(CountVectorizer(token_pattern=r"\S+"), LogisticRegression(max_iter=1000))
    pairs = data[data.kind != "sky"]
    guess = model.fit(learnt.sentence, learnt.word).predict(pairs.sentence)
    assert 0.4 < (guess == pairs.word).mean() < 0.6


def test_the_last_three_words_tell_no_more_than_the_question(grammar):
    data = grammar.make(seed=1, count=4000)
    ends = data[data.kind != "sky"].groupby(data.sentence.str.split().str[-3:].str.join(" ")).word
    assert (
        ends.nunique().eq(10).all()
        and ends.agg(lambda words: words.value_counts(normalize=True).max()).max() < 0.25
    )


def test_what_chance_decides_bounds_every_accuracy(grammar):
    """The best answer to each sentence, counted in 8,000 of them, is right as often as best_accuracy says."""
    data = grammar.make(seed=1, count=8000)
    best = [min(read_off(grammar, sentence)) for sentence in data.sentence]  # blue comes before grey
    assert abs((data.word == best).mean() - grammar.best_accuracy()) < 0.012


def test_longer_sentences_hold_other_pairs_more_words_and_no_new_word(grammar, train):
    longer = grammar.make(seed=1, count=3000, longer=True)
    pairs, others = (
        {names(grammar, s) for s in data[data.kind != "sky"].sentence} for data in (train, longer)
    )
    assert len(pairs) == 2 * 40 and len(others) == 2 * 5 and not pairs & others
    known, met = (set(" ".join([*data.sentence, *data.word]).split()) for data in (train, longer))
    assert met <= known
    assert (
        longer.sentence.str.split().str.len().median() > 1.4 * train.sentence.str.split().str.len().median()
    )


@pytest.mark.parametrize("kind", ["speaks", "chases"])
def test_both_orders_of_a_pair_and_both_questions_are_drawn_alike(grammar, kind):
    data = grammar.make(seed=1, count=8000)
    sentences = data[data.kind == kind].sentence
    turns = Counter((first_name(grammar, s) < other_name(grammar, s), s.split()[-3:][0]) for s in sentences)
    assert len(turns) == 4 and max(turns.values()) < 1.2 * min(turns.values())


def first_name(grammar, sentence):
    return next(word for word in sentence.split() if word in names(grammar, sentence))


def other_name(grammar, sentence):
    [other] = names(grammar, sentence) - {first_name(grammar, sentence)}
    return other


def test_the_same_seed_draws_the_same_and_another_seed_others(grammar, train):
    first, again, other = (grammar.make(seed, 300, longer=True) for seed in (7, 7, 8))
    assert first.equals(again) and not first.equals(other)
    assert not set(first.sentence) & set(train.sentence)


def test_an_impossible_request_is_refused(grammar):
    with pytest.raises(ValueError, match="at least 1, got 0"):
        grammar.make(seed=1, count=0)
