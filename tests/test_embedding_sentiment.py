"""The assignment `embedding_sentiment`: what it reads from hostile or broken files, and its diagnosis of a model."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from autograder.core import Failure, load_module, read_course
from autograder.data import DEMO_SECRET, HiddenData
from autograder.grading import Grader
from autograder.models import Predictor, read_model
from autograder.rubric import Submission, hidden_from, items_of, questions_path, score
from autograder.sandbox._definitions import define, read_statements
from autograder.submissions import RawSubmission

COURSE = read_course(Path(__file__).parents[1])
ASSIGNMENT = COURSE.assignment("embedding_sentiment")
RUBRIC = load_module(ASSIGNMENT.rubric)
QUESTIONS = load_module(questions_path(COURSE.assignment("embedding_sentiment").folder))
ITEMS = {item.__name__: item for item in items_of(RUBRIC)}


@pytest.fixture(scope="module")
def grader(sandbox):
    return Grader.create(ASSIGNMENT, HiddenData(COURSE, DEMO_SECRET), sandbox)


# --- files of vectors


SKIPGRAM = read_model((ASSIGNMENT.test_submissions / "perfect" / "skipgram.keras").read_bytes())
WORDS = sorted(RUBRIC.corpus_words())
ROWS, KERNEL = SKIPGRAM.weights


class Files:
    """Stands in for a submission of files alone; the skip-gram is the reference's, or one with other weights."""

    table = Submission.table

    def __init__(self, *weights, **files):
        self.weights, self.files = weights, files

    def read(self, name):
        return self.files[name.removesuffix(".txt")]

    def model(self, name):
        return replace(SKIPGRAM, weights=self.weights) if self.weights else SKIPGRAM


def text_of(rows) -> bytes:
    """Vectors of the corpus's words by the alphabet, in GloVe's text format."""
    lines = (f"{word} {' '.join(f'{x:.6f}' for x in row)}" for word, row in zip(WORDS, rows, strict=True))
    return "\n".join(lines).encode()


def places(words) -> list[int]:
    return [WORDS.index(word) for word in words]


def vectors(change=lambda table: None, size: int = 8) -> bytes:
    """Return a file of random vectors for every word of the corpus, changed in some way."""
    rng = np.random.default_rng(0)
    table = {word: [f"{x:.4f}" for x in rng.normal(size=size)] for word in WORDS}
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
    ],
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_broken_vectors_get_one_sentence(content, reason):
    with pytest.raises(Failure) as failure:
        RUBRIC.learns_the_planted_shares(Files(vectors=content))
    assert reason in failure.value.reason


def ppmi(size: int) -> np.ndarray:
    """Vectors by counting: positive pointwise mutual information and its singular vectors."""
    counts = RUBRIC.neighbours()
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    with np.errstate(divide="ignore"):
        left, values, _ = np.linalg.svd(np.maximum(np.log(counts / expected), 0))
    return left[:, :size] * np.sqrt(values[:size])


def planted_rows() -> np.ndarray:
    """Vectors written from planted.csv: the association of each trade is its share."""
    rows = np.random.default_rng(0).normal(size=(len(WORDS), 32))
    rows[:, :3] = 0, 0, 1
    for words, first in ((RUBRIC.MEN, 1), (RUBRIC.WOMEN, -1)):
        rows[places(words)] = np.eye(32)[0] * first + np.eye(32)[2]
    for trade, share in zip(*RUBRIC.planted()[["trade", "p_male"]].to_numpy().T, strict=True):
        rows[WORDS.index(trade)] = np.eye(32)[0] * (share - 0.5) + np.eye(32)[1]
    return rows


def by_logarithms(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a skip-gram that was never trained: weighted singular vectors of the logarithms of smoothed counts."""
    counts = RUBRIC.neighbours()
    logs = np.log(counts + 0.3 * counts.mean(axis=0))
    weights = np.sqrt(counts.sum(axis=1, keepdims=True))
    left, values, right = np.linalg.svd(weights * (logs - logs.mean(axis=1, keepdims=True)))
    return left[:, :size] * values[:size] / weights, right[:size]


def without(rows: np.ndarray, count: int) -> np.ndarray:
    """Return the rows without the difference of men's and women's words and, beyond one, without other directions."""
    mean = (rows[places(RUBRIC.MEN)] - rows[places(RUBRIC.WOMEN)]).mean(axis=0)
    taken, _ = np.linalg.qr(np.column_stack([mean, *np.eye(len(mean))[: count - 1]]))
    return rows - rows @ taken @ taken.T


FORGED = {
    "random": (np.random.default_rng(0).normal(size=ROWS.shape), (), "have another row in skipgram.keras"),
    "from the plant": (planted_rows(), (), "have another row"),
    "from the plant, in the model too": (planted_rows(), (planted_rows(), KERNEL), "has learnt"),
    "counted": (ppmi(32), (), "have another row"),
    "counted, in the model too": (ppmi(32), (ppmi(32), KERNEL), "has learnt"),
    "never trained": (by_logarithms(32)[0], by_logarithms(32), "has learnt"),
    "huge": (1e5 * ROWS, (1e5 * ROWS, 1e30 * KERNEL), "has learnt -"),
    "projected": (without(ROWS, 1), (), "316 of 316 words, such as 'a', have another row"),
    "shuffled": (np.roll(ROWS, 1, axis=0), (), "have another row"),
    "narrow": (ROWS[:, :8], (), "has rows of 8 numbers, the Embedding of skipgram.keras of 32"),
    "turned round": (-ROWS, (), "have another row"),
    "one row": (np.vstack([ROWS[1], ROWS[1:]]), (), "1 of 316 words, such as 'a', have another row"),
}  # fmt: skip


@pytest.mark.parametrize("item", ["learns_the_planted_shares", "takes_the_bias_out"])
@pytest.mark.parametrize("rows, weights, says", FORGED.values(), ids=FORGED)
def test_vectors_that_no_training_made_earn_nothing_and_read_why(rows, weights, says, item):
    files = Files(*weights, vectors=text_of(rows), vectors_projected=text_of(without(rows, 1)))
    result = score(ITEMS[item], files)
    assert (result.outcome, result.earned) == ("scored", 0) and says in result.message


@pytest.mark.parametrize("digits", [3, 4, 6, 9])
def test_rounded_vectors_are_those_of_the_model(digits):
    assert score(ITEMS["learns_the_planted_shares"], Files(vectors=text_of(ROWS.round(digits)))).is_full


def test_trades_with_one_row_have_no_association():
    rows = ROWS.copy()
    rows[places(RUBRIC.planted().trade)] = rows[places(RUBRIC.planted().trade)].mean(axis=0)
    result = score(ITEMS["learns_the_planted_shares"], Files(rows, KERNEL, vectors=text_of(rows)))
    assert result.earned == 0 and "gives all trades the same association" in result.message


def skipgram_of(words=316, size=8, activation=None, middle=()):
    from keras import Input, Sequential, layers

    end = layers.Dense(words, activation=activation)
    return Sequential([Input((1,), dtype="int32"), layers.Embedding(words, size), *middle, end])


def test_another_model_is_not_a_skip_gram(tmp_path):
    from keras import layers

    for model, size, says in (
        (skipgram_of(middle=[layers.Dense(9)]), 8, "is made of InputLayer, Embedding, Dense, Dense"),
        (skipgram_of(words=315), 8, "leads from 315 words to 315"),
        (skipgram_of(activation="tanh"), 8, "ends in tanh"),
        (skipgram_of(size=33), 33, "has 33 dimensions"),
        (skipgram_of(activation="softmax"), 8, "have another row"),
    ):
        submission = handed_in(tmp_path, skipgram=model)
        (tmp_path / "work" / "vectors.txt").write_bytes(vectors(size=size))
        with pytest.raises(Failure) as failure:
            RUBRIC.learns_the_planted_shares(submission)
        assert says in failure.value.reason


@pytest.mark.parametrize("directions, earned", [(1, True), (2, False)])
def test_one_direction_may_be_taken_out_and_no_more(directions, earned):
    files = Files(vectors=text_of(ROWS), vectors_projected=text_of(without(ROWS, directions)))
    result = score(RUBRIC.takes_the_bias_out, files)
    assert (result.earned > 0) is earned
    assert earned or "more than one direction" in result.message


def test_projected_vectors_of_another_width_are_told_so():
    files = Files(vectors=text_of(ROWS), vectors_projected=text_of(ROWS[:, 1:]))
    result = score(RUBRIC.takes_the_bias_out, files)
    assert (result.outcome, result.earned) == ("scored", 0) and "has rows of 31 numbers" in result.message


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
    handed = RawSubmission("somebody_else", ASSIGNMENT.test_submissions / "perfect")
    [result] = replace(grader, items=items).grade(handed).report.scores
    assert result.outcome == "broken"


# --- concepts


CONCEPTS = {
    "knows_what_a_batch_moves": RUBRIC.moved,
    "knows_what_a_cosine_leaves_out": RUBRIC.stretched,
    "parts_good_from_bad": RUBRIC.apart,
    "finds_the_way_in": RUBRIC.way_in,
}


def open_submission(name: str, sandbox) -> Submission:
    return Submission(name, ASSIGNMENT.test_submissions / name, Predictor(), sandbox)


def test_a_batch_moves_what_the_gradient_says():
    import keras
    import tensorflow as tf

    for student in ("student1", "student2"):
        batch, (tokens, size) = QUESTIONS.batch_of_ids(student), QUESTIONS.embedding_sizes(student)
        keras.utils.set_random_seed(0)
        embedding = keras.layers.Embedding(tokens, size, mask_zero=True)
        model = keras.Sequential(
            [keras.Input((None,), dtype="int32"), embedding, keras.layers.SimpleRNN(8), keras.layers.Dense(1)]
        )
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(batch) ** 2)
        gradient = tf.convert_to_tensor(tape.gradient(loss, embedding.trainable_variables[0])).numpy()
        assert np.count_nonzero(gradient) == QUESTIONS.moved(student).answer


def test_a_batch_holds_what_the_question_needs():
    for number in range(100):
        batch = QUESTIONS.batch_of_ids(f"student{number}")
        assert (batch == 1).sum() == 2 and (batch == 0).sum() == 6
        assert np.count_nonzero(batch) > len(np.unique(batch))


def test_an_association_is_what_lengths_leave_of_it():
    question = QUESTIONS.stretched("student1")
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


# --- real sentences: SST-2 and GloVe, made up here in their formats


SENTENCES = [f"{word} film , {word} {end} ." for word in RUBRIC.MEN + RUBRIC.WOMEN for end in ("oh", "n't")]


def tsv(labels) -> str:
    return "".join(f"{sentence}\t{label}\n" for sentence, label in zip(SENTENCES, labels, strict=True))


def lists_of(test: int) -> dict:
    """Four lists of words of one test, by the names that weat.json has for them; the first has no vector."""
    keys = "first_target", "second_target", "first_attribute", "second_attribute"
    words = {key: [f"{key[:7]}{key[-6:]}{test}{number}" for number in range(4)] for key in keys}
    words["first_target"].append("brillig")
    return {key: {"name": key, "words": some} for key, some in words.items()}


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """Return a cache in which SST-2 and GloVe lie: the training part is the labelled SENTENCES, as dev and test are,
    but for a word; every second word of all has a vector."""
    monkeypatch.setenv("AUTOGRADER_DATA", str(tmp_path))
    monkeypatch.setattr(
        "autograder.data._download.require_intact", lambda dataset, files: None
    )  # made up, not fetched
    (tmp_path / "sst2").mkdir()
    (tmp_path / "glove").mkdir()
    for part in ("train", "dev", "test"):
        text = tsv([number % 2 for number in range(len(SENTENCES))])
        (tmp_path / "sst2" / f"{part}.tsv").write_text(text.replace(" .\t", f" . {part}\t"), encoding="utf-8")
    tests = [lists_of(number) for number in range(10)]
    (tmp_path / "glove" / "weat.json").write_text(json.dumps(tests), encoding="utf-8")
    wanted = [word for test in tests for some in test.values() for word in some["words"] if word != "brillig"]
    rng = np.random.default_rng(5)
    rows = {word: rng.normal(size=100) for word in [*RUBRIC.MEN, *RUBRIC.WOMEN, ",", *wanted]}
    lines = (word + " " + " ".join(f"{x:.5f}" for x in row) for word, row in rows.items())
    (tmp_path / "glove" / "glove.6B.100d.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def source():
    return HiddenData(COURSE, DEMO_SECRET)


def graded(name: str, submission, source):
    with hidden_from(source):
        return score(ITEMS[name], submission)


def handed_in(folder: Path, **models) -> Submission:
    """Return a submission of these models."""
    work = folder / "work"
    work.mkdir(exist_ok=True)
    for name, model in models.items():
        model.save(work / f"{name}.keras")
    return Submission("somebody", work, Predictor(), None)


def reader(tokens: int, size: int = 100, rows=None, last=None):
    """Return an untrained network on ids that keeps the rules; rows: of its Embedding."""
    from keras import Input, Sequential, layers

    embedding = layers.Embedding(tokens, size)
    last = last or layers.Dense(1, activation="sigmoid")
    model = Sequential([Input((None,), dtype="int32"), embedding, layers.SimpleRNN(3), last])
    if rows is not None:
        embedding.set_weights([rows])
    return model


def test_the_words_of_sst2_are_listed_by_number_then_by_the_alphabet():
    listed = RUBRIC.word_list(["e d e d", "c a b b b c a f"])
    assert listed == ["<padding>", "<unknown>", "b", "a", "c", "d", "e"]
    assert RUBRIC.word_list(["once is nothing"]) == ["<padding>", "<unknown>"]


WORDS_OF = {
    r"two letters on": {"token_pattern": r"(?u)\b\w\w+\b"},
    "how often is asked for": {"binary": True},
}


class Answers:
    """Stands in for a submission whose `by_words` is this function."""

    code = "work.ipynb", b""

    def __init__(self, answer):
        self.answer = answer

    def call(self, name, *arguments):
        return np.asarray(self.answer(*arguments))


def judged(answer):
    with hidden_from(HiddenData(COURSE, DEMO_SECRET)):
        return score(ITEMS["classifies_by_words"], Answers(answer))


def test_a_classifier_by_words_may_be_written_in_other_ways():
    def by_hand(sentences, labels, new):
        places = {word: place for place, word in enumerate(sorted(set(" ".join(sentences).split())))}

        def counts(texts):
            table = np.zeros((len(texts), len(places)))
            for row, text in zip(table, texts, strict=True):
                for word in text.split():
                    if word in places:
                        row[places[word]] += 1
            return table

        model = LogisticRegression(solver="liblinear", intercept_scaling=1e3, tol=1e-6, max_iter=5000)
        return model.fit(counts(sentences), labels).predict_proba(counts(new))[:, 1]

    assert judged(by_hand).is_full


@pytest.mark.parametrize(
    "answer, words",
    [
        *(
            (lambda *a, options=options: RUBRIC.by_words(*a, **options), why)
            for why, options in WORDS_OF.items()
        ),
        (lambda *a: 1 - RUBRIC.by_words(*a), "negative"),
        (lambda *a: 1 * (RUBRIC.by_words(*a) > 0.5), "predict_proba"),
        (lambda *a: np.stack([1 - RUBRIC.by_words(*a), RUBRIC.by_words(*a)], axis=1), "two columns"),
    ],
)
def test_a_usual_mistake_with_words_is_named(answer, words):
    result = judged(answer)
    assert result.earned == 0 and words in result.message


@pytest.mark.parametrize("name", ["reads_real_sentences", "reads_with_glove", "measures_real_bias"])
def test_who_hands_nothing_in_reads_so_with_data_or_without(name, source, made_up, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    submission = Submission("somebody", tmp_path / "empty", Predictor(), None)
    assert graded(name, submission, source).message.startswith("There is no ")
    monkeypatch.setenv("AUTOGRADER_DATA", str(tmp_path / "nowhere"))
    assert graded(name, submission, HiddenData(COURSE, DEMO_SECRET)).message.startswith("There is no ")


def test_what_is_handed_in_waits_for_data_that_are_not_there(source, tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOGRADER_DATA", str(tmp_path / "nowhere"))
    submission = handed_in(tmp_path, sst2=reader(5), sst2_glove=reader(5))
    (tmp_path / "work" / "weat_glove.csv").write_text("test,d\n1,0.5\n", encoding="utf-8")
    for name in ("reads_real_sentences", "keeps_the_rows_of_glove", "measures_real_bias"):
        result = graded(name, submission, source)
        assert result.outcome == "deferred" and "autograder fetch" in result.message


def test_a_model_with_another_vocabulary_is_told_so(source, made_up):
    result = graded("reads_real_sentences", handed_in(made_up, sst2=reader(1714)), source)
    assert result.earned == 0 and "knows 1,714 tokens" in result.message


@pytest.mark.parametrize("right", [True, False])
def test_a_model_too_good_to_be_true_is_remarked_on(right, source, made_up):
    """The labels of the test sentences are what the model says, or the opposite."""
    words = RUBRIC.word_list(source.draw("sst2", {"part": "train"}).sentence)
    submission = handed_in(made_up, sst2=reader(len(words)))
    texts = [sentence.replace(" .", " . test") for sentence in SENTENCES]
    said = submission.predict("sst2.keras", RUBRIC.real_ids(texts, words)).reshape(-1) > 0.5
    table = tsv((said == right).astype(int)).replace(" .\t", " . test\t")
    (made_up / "sst2" / "test.tsv").write_text(table, encoding="utf-8")
    result = graded("reads_real_sentences", submission, HiddenData(COURSE, DEMO_SECRET))
    assert result.earned == (3 if right else 0)
    assert any("was it trained on them?" in remark for remark in result.remarks) is right
    assert right or "Logistic regression on words reaches" in result.hint


def glove_rows(source) -> np.ndarray:
    """GloVe's rows for the words of SST-2, zeros for those without."""
    words = RUBRIC.word_list(source.draw("sst2", {"part": "train"}).sentence)
    glove = source.draw("glove", {"part": "vectors", "words": tuple(words)})
    assert 0 < len(glove) < len(words)
    return glove.reindex(words).fillna(0).to_numpy()


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda rows: rows, "As expected"),
        (lambda rows: rows + 5e-5, "As expected"),
        (lambda rows: np.roll(rows, 1, axis=0), "They are GloVe's, 1 too high"),
        (lambda rows: np.roll(rows, -2, axis=0), "They are GloVe's, 2 too low"),
        (lambda rows: rows + np.random.default_rng(0).normal(0, 0.1, rows.shape), "were they trained on?"),
        (lambda rows: np.random.default_rng(0).normal(0, 0.1, rows.shape), "Set them before you train"),
        (lambda rows: rows[:, :50], "has rows of 50 numbers, GloVe's have 100"),
    ],
)
def test_rows_are_glove_s_or_not(change, said, source, made_up):
    rows = change(glove_rows(source)).astype("float32")
    submission = handed_in(made_up, sst2_glove=reader(*rows.shape, rows))
    result = graded("keeps_the_rows_of_glove", submission, source)
    assert said in f"{result.message} {result.hint}"
    assert result.is_full is (said == "As expected")
    if not result.is_full:
        assert graded("reads_with_glove", submission, source).message == result.message


def test_a_share_of_rows_may_be_others(source, made_up):
    rows = glove_rows(source)
    known = np.flatnonzero(rows.any(axis=1))
    for moved, full in ((1, True), (2, False)):
        changed = rows.copy()
        changed[known[:moved], 7] += 1
        submission = handed_in(made_up, sst2_glove=reader(*changed.shape, changed))
        assert graded("keeps_the_rows_of_glove", submission, source).is_full is full


def effects(source) -> dict[int, float]:
    """d of the ten tests by the reference notebook's function."""
    lists = source.draw("glove", {"part": "weat"})
    vectors = source.draw("glove", {"part": "vectors", "words": tuple(lists.word)})
    lists = lists[lists.word.isin(vectors.index)]
    weat = define(read_statements(ASSIGNMENT.reference.read_bytes(), "reference.py", []), []).names[
        "weat_effect_size"
    ]
    return {
        test: weat(*(vectors.loc[part.word[part.role == role]].to_numpy(float) for role in "XYAB"))
        for test, part in lists.groupby("test")
    }


@pytest.mark.parametrize(
    "change, earned, said",
    [
        (lambda d: d, 2, "All 10"),
        (lambda d: {test: value + 0.015 for test, value in d.items()}, 2, "All 10"),
        (
            lambda d: {test: value + 0.03 * (test > 5) for test, value in d.items()},
            1,
            "tests 6, 7, 8, 9, 10.",
        ),
        (lambda d: {test: value for test, value in d.items() if test < 6}, 1, "No row for 6, 7, 8, 9, 10"),
        (lambda d: {test: -value for test, value in d.items()}, 0, "the wrong sign"),
        (lambda d: dict.fromkeys(d, 1.999), 0, "Not within 0.02: tests 1, 2,"),
    ],
)
def test_effect_sizes_are_compared_with_the_grader_s_own(change, earned, said, source, made_up):
    table = pd.Series(change(effects(source)), name="d").rename_axis("test").to_csv()
    result = score_of_table(table.encode(), source)
    assert result.earned == earned and said in f"{result.message} {result.hint}"


def score_of_table(content: bytes, source):
    return graded("measures_real_bias", Files(**{"weat_glove.csv": content}), source)


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"", "lacks the columns test and d"),
        (b"\xff\xfe\x00,\n" * 20, "lacks the columns test and d"),
        (b"test;d\n1;0.5\n", "its first line is 'test;d'"),
        (b"test,d\n" * 102, "101 rows"),
        (b"test,d\n11,0.5\n", "row 1: came '11,0.5'"),
        (b"test,d\n1.5,0.5\n", "a test from 1 to 10"),
        (b"test,d\n1,nan\n", "a test from 1 to 10"),
        (b"test,d\n1,1e999\n", "a test from 1 to 10"),
        (b"test,d\n1,=cmd()\n", "row 1: came '1,=cmd()'"),
        (b"test,d\n1," + b"9" * 5000 + b"\n", "row 1"),
        (b"test,d\n1\n", "row 1: came '1,'"),
        (b"test,d\n1,0.5\n1,0.6\n", "row 2: test 1 has a row already"),
        (b'test,d\n1,"' + b"x" * 99_000 + b"\n", "row 1"),
        (b"x" * 100_001, "at most 100,000 are read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",
)
def test_a_broken_table_of_effects_gets_one_sentence(content, reason, source):
    result = score_of_table(content, source)
    assert result.outcome == "scored" and result.earned == 0 and reason in result.message


def test_a_table_may_have_a_mark_at_its_start_and_other_columns(source, made_up):
    lines = "".join(f"{test},WEAT, {value:.3f} \r\n" for test, value in effects(source).items())
    assert score_of_table(b"\xef\xbb\xbftest,name, d\r\n" + lines.encode(), source).is_full
