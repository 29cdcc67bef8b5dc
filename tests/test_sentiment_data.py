"""The film reviews are what their datasheet says: matched pairs, separate splits, and no give-aways."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from autograder.core import load_module

FOLDER = Path(__file__).parents[1] / "datasets" / "sentiment"
FILES = ["train.csv", "public.csv", "vocabulary.txt"]


def generator():
    return load_module(FOLDER / "generate.py")


def lengths(data):
    return data.sentence.str.split().str.len()


def halves(data):
    """Return the first and the second sentences of the pairs, which must be adjacent."""
    paired = data[data.pair >= 0]
    return paired.iloc[::2], paired.iloc[1::2]


@pytest.fixture(scope="module")
def sentiment():
    return generator()


@pytest.fixture(scope="module")
def train():
    return pd.read_csv(FOLDER / "train.csv")


@pytest.fixture(scope="module")
def public():
    return pd.read_csv(FOLDER / "public.csv")


@pytest.fixture(scope="module")
def hidden(sentiment):
    return sentiment.make(seed=1)


@pytest.fixture(scope="module")
def longer(sentiment):
    return sentiment.make(seed=1, count=400, longer=True)


def test_the_files_are_what_the_script_writes(tmp_path):
    for name in ["generate.py", "words.toml", "phrases.toml"]:
        shutil.copy(FOLDER / name, tmp_path)
    subprocess.run([sys.executable, "generate.py"], cwd=tmp_path, check=True)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name


def test_the_files_have_the_rows_of_the_datasheet(train, public):
    assert (len(train), len(public)) == (7000, 1000)
    for data in (train, public):
        assert data.columns.tolist() == ["sentence", "label", "kind", "pair"]
        assert (data.pair >= 0).mean() == 0.5
        assert abs(data.label.mean() - 0.5) < 0.03


def test_no_sentence_is_in_two_splits_whatever_the_seed(sentiment, train, public):
    seen = {split: set() for split in ("train", "public", "hidden")}
    seen["train"], seen["public"] = set(train.sentence), set(public.sentence)
    for split in seen:
        for seed in (1, 2):
            seen[split] |= set(sentiment.make(seed=seed, count=400, split=split).sentence)
    assert not seen["train"] & seen["public"] and not (seen["train"] | seen["public"]) & seen["hidden"]


def test_sentences_keep_to_their_split_where_there_are_few():
    """With one entry a list seeds meet in the same sentences, and splits still do not."""
    few = generator()
    few.LISTS = {name: choices[:1] for name, choices in few.LISTS.items()}
    one, other, train = (
        set(few.make(seed, count=100, split=split, kind="simple").sentence)
        for seed, split in [(1, "hidden"), (2, "hidden"), (1, "train")]
    )
    assert one & other and not (one | other) & train
    assert len({" ".join(sorted(sentence.split())) for sentence in train}) == 100


@pytest.mark.parametrize("name", ["train", "public", "hidden", "longer"])
def test_pairs_hold_the_same_words_and_opposite_labels(name, request):
    data = request.getfixturevalue(name)
    first, second = halves(data)
    assert first.pair.tolist() == second.pair.tolist() == sorted(set(data.pair) - {-1})
    assert (first.label.to_numpy() + second.label.to_numpy() == 1).all()
    assert first.kind.tolist() == second.kind.tolist()
    assert (first.sentence.to_numpy() != second.sentence.to_numpy()).all()
    assert [Counter(s.split()) for s in first.sentence] == [Counter(s.split()) for s in second.sentence]
    assert abs(first.label.mean() - 0.5) < 0.1


@pytest.mark.parametrize("name", ["train", "public", "hidden", "longer"])
def test_no_words_come_twice_but_in_pairs(name, request):
    data = request.getfixturevalue(name)
    bags = Counter(" ".join(sorted(s.split())) for s in data.sentence)
    assert sorted(bags.values()) == sorted(data.pair.where(data.pair >= 0, -1 - data.index).value_counts())


def test_sentences_are_lower_case_words_between_single_blanks(train):
    assert train.sentence.str.fullmatch(r"[a-z.,!'-]+( [a-z.,!'-]+)*").all()
    assert train.sentence.str.endswith((" .", " !", " ...")).all()
    assert not train.sentence.str.contains(r"[,.!] [,.!]").any()
    assert not train.sentence.str.contains(r"\ba [aeiou]|\ban [^aeiou]").any()


def test_lengths(train, public, hidden, longer):
    for data in (train, public, hidden):
        assert lengths(data).between(4, 40).all()
    assert lengths(train).max() < lengths(longer).min() and lengths(longer).max() <= 60


def test_at_least_five_kinds_each_with_pairs(train):
    pairs = train[train.pair >= 0].kind.value_counts()
    assert {"negation", "relative", "although", "but"} < set(pairs.index) and len(pairs) >= 5
    assert pairs.min() > 0.9 * pairs.max() and "simple" not in pairs
    assert set(train.kind) == set(pairs.index) | {"simple"}


def test_the_vocabulary_is_the_words_of_train_by_frequency(train):
    padding, unknown, *words = (FOLDER / "vocabulary.txt").read_text(encoding="utf-8").splitlines()
    counts = Counter(word for sentence in train.sentence for word in sentence.split())
    assert (
        (padding, unknown) == ("<padding>", "<unknown>") and padding not in counts and unknown not in counts
    )
    assert set(words) == set(counts) and len(words) == len(counts) >= 1500
    assert [counts[word] for word in words] == sorted(counts.values(), reverse=True)


def test_hidden_sentences_have_few_unknown_words(train, hidden):
    known = set(" ".join(train.sentence).split())
    words = " ".join(hidden.sentence).split()
    assert sum(word not in known for word in words) < 0.005 * len(words)


def test_opinions_are_in_no_other_list(sentiment):
    good, bad = ({word for words in lists.values() for word in words} for lists in sentiment.OPINIONS)
    phrases = {
        word for texts in sentiment.PHRASES["phrases"].values() for text in texts for word in text.split()
    }
    assert not good & bad and not (good | bad) & (sentiment.ONCE | phrases)


def accuracy(model, train, data):
    """Of a scikit-learn model on sentences, in the pairs of `data`."""
    paired = data[data.pair >= 0]
    return model.fit(train.sentence, train.label).score(paired.sentence, paired.label)


def counting(**options):
    return make_pipeline(CountVectorizer(token_pattern=r"\S+", **options), LogisticRegression(max_iter=1000))


@pytest.mark.slow
def test_a_bag_of_words_is_at_chance_on_pairs_and_bigrams_are_not_far(train, hidden):
    assert accuracy(counting(), train, hidden) == 0.5
    assert 0.4 < accuracy(counting(ngram_range=(1, 2)), train, hidden) < 0.70


@pytest.mark.parametrize(
    "clue",
    [
        lambda sentence: [f"first={sentence.split()[0]}"],
        lambda sentence: [f"last={[word for word in sentence.split() if word[0].isalpha()][-1]}"],
        lambda sentence: [f"end={sentence.split()[-1]}", f"commas={sentence.count(',')}"],
        lambda sentence: [f"length={len(sentence.split())}"],
    ],
    ids=["first word", "last word", "punctuation", "length"],
)
def test_no_single_clue_gives_a_pair_away(clue, train, hidden):
    model = make_pipeline(CountVectorizer(analyzer=clue), LogisticRegression(max_iter=1000))
    assert accuracy(model, train, hidden) < 0.57


def opinions(sentiment, sentence):
    """(place, polarity) of every word of opinion."""
    polarity = {
        w: label for label, lists in enumerate(sentiment.OPINIONS) for ws in lists.values() for w in ws
    }
    return [(place, polarity[word]) for place, word in enumerate(sentence.split()) if word in polarity]


def test_the_place_of_the_opinion_says_little(sentiment, hidden):
    """Neither the first nor the last word of opinion is always that of the main clause."""
    paired = hidden[hidden.pair >= 0]
    found = paired.sentence.map(lambda sentence: [polarity for _, polarity in opinions(sentiment, sentence)])
    for place in (0, -1):
        assert 0.4 < (found.str[place] == paired.label).mean() < 0.6


def test_labels_of_although_are_what_a_grammar_says(sentiment):
    """The main clause is the other one than that which the conjunction opens."""
    data = sentiment.make(seed=1, count=400, kind="although")
    for sentence, label in zip(data.sentence, data.label, strict=True):
        opens = re.search(r"\b(although|though|while|even if|despite|in spite)\b", sentence).start()
        first, last = opinions(sentiment, sentence)
        before = len(sentence[:opens].split()) < first[0]
        assert label == (last if before else first)[1], sentence


def test_labels_of_negation_are_what_a_grammar_says(sentiment):
    """A negation turns the opinion round where it follows the verb of the main clause."""
    data = sentiment.make(seed=1, count=400, kind="negation")
    for sentence, label in zip(data.sentence, data.label, strict=True):
        [(_, polarity)] = opinions(sentiment, sentence)
        verb = re.search(r"\b(?!or )(\w+) (not|never|hardly|scarcely)\b", sentence)[1]  # "believe it or not"
        assert re.fullmatch("has|have|had|is|was|are|were|will|could|would", verb), sentence
        assert label == (polarity if verb in ("has", "have", "had") else 1 - polarity), sentence


def test_other_seeds_are_other_sentences_and_the_same_seed_the_same(sentiment, hidden):
    assert sentiment.make(seed=1).equals(hidden)
    other = sentiment.make(seed=2)
    assert len(set(other.sentence) & set(hidden.sentence)) < 0.01 * len(other)


def test_a_kind_can_be_drawn_alone(sentiment):
    for kind in sentiment.KINDS:
        data = sentiment.make(seed=1, count=40, kind=kind)
        assert set(data.kind) == {kind} and len(data) == 40
        assert (data.pair >= 0).sum() == (0 if kind == "simple" else 20)


@pytest.mark.parametrize("options", [{"count": 6}, {"split": "test"}, {"kind": "irony"}])
def test_impossible_requests_are_refused(sentiment, options):
    with pytest.raises(ValueError, match="6|test|irony"):
        sentiment.make(seed=1, **options)
