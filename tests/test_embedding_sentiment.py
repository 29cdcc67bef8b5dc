"""The assignment `embedding_sentiment`: what it reads from hostile or broken files, and its diagnosis of a model."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from autograder.course import load_module, read_course
from autograder.failure import Failure
from autograder.grader import Grader
from autograder.handed_in import HandedIn
from autograder.hidden import DEMO_SECRET, HiddenData
from autograder.models import Predictor
from autograder.rubric import score
from autograder.submission import Submission

COURSE = read_course(Path(__file__).parents[1])
ASSIGNMENT = COURSE.assignment("embedding_sentiment")
RUBRIC = load_module(ASSIGNMENT.rubric)


@pytest.fixture(scope="module")
def grader(sandbox):
    return Grader.of(ASSIGNMENT, HiddenData(COURSE, DEMO_SECRET), sandbox)


# --- files of vectors


class Files:
    """Stands in for a submission of files alone."""

    def __init__(self, **files):
        self.files = files

    def read(self, name):
        return self.files[name.removesuffix(".txt")]


def vectors(change=lambda table: None) -> bytes:
    """A file of random vectors for every word of the corpus, changed in some way."""
    rng = np.random.default_rng(0)
    table = {word: [f"{x:.4f}" for x in rng.normal(size=8)] for word in sorted(RUBRIC.corpus_words())}
    change(table)
    return "".join(f"{word} {' '.join(row)}\n" for word, row in table.items()).encode()


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"", "lacks 316 words"),
        (b"\xff\xfe\x00" * 50, "lacks 316 words"),
        (vectors(lambda t: t.pop("potter")), "lacks 1 words of the corpus: potter"),
        (vectors(lambda t: t.update(potter=["1", "x"])), "expected a word and up to 1,000 numbers"),
        (vectors(lambda t: t.update(potter=["nan"] * 8)), "expected a word and up to 1,000 numbers"),
        (vectors(lambda t: t.update(potter=["1e300"] * 8)), "expected a word and up to 1,000 numbers"),
        (vectors(lambda t: t.update(potter=["0"] * 8)), "not all zero"),
        (vectors(lambda t: t.update(potter=["1"] * 2000)), "up to 1,000 numbers"),
        (vectors(lambda t: t.update(potter=["1"] * 7)), "rows of 7 and of 8 numbers"),
        (b"x" * 5_000_001, "at most 5,000,000 are read"),
        (vectors(lambda t: t.update(dict.fromkeys(t, ["1"] * 8))), "gives all trades the same association"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_broken_vectors_get_one_sentence(content, reason):
    with pytest.raises(Failure) as failure:
        RUBRIC.learns_the_planted_shares(Files(vectors=content))
    assert reason in failure.value.reason


def test_random_vectors_earn_nothing():
    assert score(RUBRIC.learns_the_planted_shares, Files(vectors=vectors())).earned == 0


@pytest.mark.parametrize("directions, earned", [(1, True), (2, False)])
def test_one_direction_may_be_taken_out_and_no_more(directions, earned):
    words = sorted(RUBRIC.corpus_words())
    place = {word: row for row, word in enumerate(words)}
    before = np.random.default_rng(1).normal(size=(len(words), 8))
    men, women, trades = (
        [place[w] for w in some] for some in (RUBRIC.MEN, RUBRIC.WOMEN, RUBRIC.planted().trade)
    )
    before[women] = before[men]  # but for the first direction
    before[men, 0], before[women, 0], before[trades, 0] = 3, -3, np.linspace(-3, 3, 12)
    after = before.copy()
    after[:, :directions] = 0

    def text(table):
        rows = (f"{word} {' '.join(map(str, row))}" for word, row in zip(words, table, strict=True))
        return "\n".join(rows).encode()

    result = score(RUBRIC.takes_the_bias_out, Files(vectors=text(before), vectors_projected=text(after)))
    assert (result.earned > 0) is earned
    assert earned or "more than one direction" in result.message


# --- the model


@pytest.mark.parametrize("change, words", [(1, "one higher"), (-1, "one lower")])
def test_the_diagnosis_tells_which_way_ids_are_off(change, words):
    """A reader that knows every public review by its ids, but counts them from another number."""
    data = RUBRIC.reviews("public")
    known = {tuple(one): label for one, label in zip(RUBRIC.ids(data.sentence), data.label, strict=True)}

    def predict(inputs):
        return np.array([float(known.get(tuple(one - change), 0)) for one in inputs])

    assert words in RUBRIC.diagnosis(predict, predict(RUBRIC.ids(data.sentence)) > 0.5)


def test_the_vocabulary_is_the_training_data():
    words = {word for sentence in RUBRIC.reviews("train").sentence for word in sentence.split()}
    assert set(RUBRIC.vocabulary()) == words | {"<padding>", "<unknown>"}
    assert [
        one for sentence in RUBRIC.ids(RUBRIC.reviews("train").sentence) for one in sentence if one < 2
    ] == []


def test_neighbours_have_other_numbers():
    drawn = [RUBRIC.network_sizes(f"student{number}") for number in range(300)]
    assert max(drawn.count(one) for one in drawn) <= 6


def test_weights_are_counted_as_keras_counts_them():
    import keras

    words, size, units = 700, 6, 11
    embedding, rnn, wide, dense = (
        keras.layers.Embedding(words, size),
        keras.layers.SimpleRNN(units),
        keras.layers.SimpleRNN(units),
        keras.layers.Dense(1),
    )
    shapes = (None, None), (None, None, size), (None, None, words), (None, units)
    for layer, shape in zip((embedding, rnn, wide, dense), shapes, strict=True):
        layer.build(shape)
    counted = [layer.count_params() for layer in (embedding, rnn, dense, wide)]
    assert list(RUBRIC.counts_for(words, size, units).values()) == counted


def test_the_same_submission_under_another_name_waits_for_a_person(grader):
    items = tuple(item for item in grader.items if item.__name__ == "counts_parameters")
    handed = HandedIn("somebody_else", ASSIGNMENT.specimens / "perfect")
    [result] = replace(grader, items=items).grade(handed).report.scores
    assert result.outcome == "broken"


# --- concepts


CONCEPTS = {
    "knows_what_a_batch_moves": RUBRIC.moved,
    "knows_what_a_cosine_leaves_out": RUBRIC.stretched,
    "parts_good_from_bad": RUBRIC.apart,
    "finds_the_way_in": RUBRIC.way_in,
}


def specimen(name: str, sandbox) -> Submission:
    return Submission(name, ASSIGNMENT.specimens / name, Predictor(), sandbox)


def test_a_batch_moves_what_the_gradient_says():
    import keras
    import tensorflow as tf

    for student in ("student1", "student2"):
        batch, (tokens, size) = RUBRIC.batch_of_ids(student), RUBRIC.embedding_sizes(student)
        keras.utils.set_random_seed(0)
        embedding = keras.layers.Embedding(tokens, size, mask_zero=True)
        model = keras.Sequential(
            [keras.Input((None,), dtype="int32"), embedding, keras.layers.SimpleRNN(8), keras.layers.Dense(1)]
        )
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(batch) ** 2)
        gradient = tf.convert_to_tensor(tape.gradient(loss, embedding.trainable_variables[0])).numpy()
        assert np.count_nonzero(gradient) == RUBRIC.moved(student).answer


def test_a_batch_holds_what_the_question_needs():
    for number in range(100):
        batch = RUBRIC.batch_of_ids(f"student{number}")
        assert (batch == 1).sum() == 2 and (batch == 0).sum() == 6
        assert np.count_nonzero(batch) > len(np.unique(batch))


def test_an_association_is_what_lengths_leave_of_it():
    question = RUBRIC.stretched("student1")
    to_a, to_b = map(float, re.findall(r"0\.\d+", str(question))[:2])
    w = np.array([1.0, 0, 0])
    men, women = ([[cosine, np.sqrt(1 - cosine**2), 0]] for cosine in (to_a, to_b))
    [measured] = RUBRIC.associated(5 * w[None], 2 * np.array(men), np.array(women))
    assert measured == pytest.approx(question.answer)


def test_one_hot_words_treat_all_relatives_alike_and_trades_not():
    notes = pd.read_csv(RUBRIC.DATASETS / "profession_corpus" / "ratings.csv")
    words = CountVectorizer(vocabulary=sorted(RUBRIC.corpus_words()), token_pattern=r"\S+")
    model = LogisticRegression(C=10, max_iter=2000).fit(words.transform(notes.sentence), notes.liked)

    def liked(word):
        swapped = [
            s.replace(trade, word) for s, trade in zip(notes.sentence[:100], notes.trade, strict=False)
        ]
        return model.predict_proba(words.transform(swapped))[:, 1].mean()

    assert len({round(liked(word), 9) for word in [*RUBRIC.MEN[4:], *RUBRIC.WOMEN[4:]]}) == 1
    assert liked("saddler") - liked("mapmaker") > 0.5
