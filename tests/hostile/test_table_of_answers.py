"""A submission without work earns at most 10 of 110 points: its functions look up the answers to the public inputs,
its models do by operations what a recurrent layer should, and its vectors and trials are made up.

It is made anew against the rubrics as they are, by what a student has: rubrics, public data and sealed questions.
"""

import base64
import inspect
import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autograder.core import Failure, load_module, read_course
from autograder.data import HiddenData, practice_data
from autograder.models import Predictor
from autograder.rubric import Submission, hidden_from, items_of, score
from autograder.sandbox import InProcessSandbox

COURSE = read_course(Path(__file__).parents[2])
SECRET = "5d0e7c41a9f2b86340e1d7a55cb0f3e2"
TABLE = """
import base64, pickle
import numpy as np
STUDENT = "perfect"
TABLE = {table!r}
def look_up(function, arguments):
    key = pickle.dumps([function, *((np.shape(a), np.asarray(a).tolist()) for a in arguments)])
    value = pickle.loads(base64.b64decode(TABLE))[key]
    if isinstance(value, str):
        raise ValueError(value)
    return value
"""
FUNCTION = """
def {name}(*arguments):
    return look_up({name!r}, arguments)
"""


class Recorder(Submission):
    """The perfect submission, which writes down what its functions return: no table can hold more."""

    def call(self, function, *arguments, **options):
        key = pickle.dumps([function, *((np.shape(each), np.asarray(each).tolist()) for each in arguments)])
        table = self._known.setdefault("table", {})
        try:
            value = super().call(function, *arguments, **options)
        except Failure as failure:
            table[key] = failure.reason
            raise
        table[key] = tuple(value) if isinstance(value, tuple) else value
        return value

    def read(self, name):
        raise Failure("A table holds no files.")

    def build(self, *_, **__):
        raise Failure("A table builds no model.")

    def train(self, *_, **__):
        raise Failure("A table trains no model.")


def learn(slug: str, folder: Path) -> list:
    """Write a notebook that answers as the perfect one on a student's machine; return the items that are full there."""
    items, table, learnt = items_of(load_module(COURSE.assignment(slug).rubric)), {}, []
    for item in items:
        perfect = Recorder(
            "perfect", COURSE.assignment(slug).test_submissions / "perfect", Predictor(), InProcessSandbox()
        )
        with hidden_from(practice_data(COURSE)):
            if score(item, perfect).is_full and "table" in perfect._known:
                learnt.append(item)
                table |= perfect._known["table"]
    names = {pickle.loads(key)[0] for key in table}
    constants = {name for item in items for name in constants_of(item)}
    text = base64.b64encode(pickle.dumps(table)).decode()
    lines = [TABLE.format(table=text), *(FUNCTION.format(name=name) for name in sorted(names))]
    lines += [f"{name} = 'no guess'" for name in sorted(constants)]
    lines += ["def chosen_settings(task): return 8, 0.1, 0.0003, 1.0"]  # the first of the forged trials
    cells = [{"cell_type": "code", "source": line, "metadata": {}, "outputs": []} for line in lines]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / f"{slug}.ipynb").write_text(json.dumps(notebook))
    return learnt


def constants_of(item) -> list[str]:
    """Return the names of the constants that an item reads."""
    source = inspect.getsource(item)
    return [part.split('"')[1] for part in source.split("submission.value(")[1:]]


# --- models that keep no memory


def silent(layer):
    """Set all weights of a layer to zero."""
    layer.set_weights([0 * weight for weight in layer.get_weights()])


def counter(path: Path, units: int) -> None:
    """Three or more G, by a sum beside a recurrent layer of zeros."""
    import keras
    from keras import ops

    inputs = keras.Input((None, 4))
    recurrent, dense = keras.layers.SimpleRNN(units), keras.layers.Dense(1, "sigmoid")
    beside = ops.concatenate([recurrent(inputs), ops.sum(inputs, axis=1)], axis=-1)
    model = keras.Model(inputs, dense(beside))
    silent(recurrent)
    kernel = np.zeros((units + 4, 1))
    kernel[units + 2] = 8
    dense.set_weights([kernel, np.array([-20.0])])
    model.save(path)


def gated_counter(path: Path) -> None:
    """Three or more G after the first T: a unit that stays up, times the letters, summed."""
    import keras
    from keras import ops

    inputs = keras.Input((None, 4))
    recurrent = keras.layers.SimpleRNN(1, return_sequences=True)
    dense = keras.layers.Dense(1, "sigmoid")
    counted = ops.sum(recurrent(inputs) * inputs[:, :, 2:3], axis=1)
    model = keras.Model(inputs, dense(counted))
    kernel = np.zeros((4, 1))
    kernel[3] = 15
    recurrent.set_weights([kernel, np.array([[15.0]]), np.zeros(1)])
    dense.set_weights([np.array([[8.0]]), np.array([-20.0])])
    model.save(path)


def scanner(path: Path) -> None:
    """Return the motif's matrix on both strands, by slices side by side: a convolution by another name."""
    import keras
    from keras import ops

    matrix = load_module(COURSE.root / "datasets/motif/generate.py").MATRIX
    width, inputs = len(matrix), keras.Input((None, 4))
    recurrent, weights = keras.layers.SimpleRNN(1), keras.layers.Dense(2)
    dense = keras.layers.Dense(1, "sigmoid")
    slices = [inputs[:, start : start - width + 1 or None] for start in range(width)]
    best = ops.max(weights(ops.concatenate(slices, axis=-1)), axis=(1, 2))
    model = keras.Model(inputs, dense(ops.concatenate([recurrent(inputs), best[:, None]], axis=-1)))
    silent(recurrent)
    logs = np.log(np.asarray(matrix) / 0.25)
    weights.set_weights([np.stack([logs.ravel(), logs[::-1, ::-1].ravel()], axis=1), np.zeros(2)])
    dense.set_weights([np.array([[0.0], [1.0]]), np.array([-5.0])])
    model.save(path)


def translators(folder: Path, rubric) -> None:
    """codon.keras and aligned.keras: a unit for each codon, and the last three bases by slices."""
    import keras
    from keras import ops

    code = rubric.genetic_code()
    kernel = np.stack([np.concatenate(rubric.one_hot([codon])[0]) for codon in code], axis=1)
    residues = np.zeros((64, 21))
    residues[np.arange(64), [rubric.RESIDUES.index(residue) for residue in code.values()]] = 15

    inputs, units = keras.Input((12,)), keras.layers.Dense(64, "relu")
    dense = keras.layers.Dense(21, "softmax")
    model = keras.Model(inputs, dense(units(inputs)))
    units.set_weights([kernel, np.full(64, -2.0)])
    dense.set_weights([residues, np.zeros(21)])
    model.save(folder / "codon.keras")

    inputs, units = keras.Input((None, 4)), keras.layers.Dense(64, "relu")
    recurrent = keras.layers.SimpleRNN(1, return_sequences=True)
    dense = keras.layers.Dense(21, "softmax")
    padded = ops.pad(inputs, [[0, 0], [2, 0], [0, 0]])
    three = ops.concatenate([padded[:, :-2], padded[:, 1:-1], padded[:, 2:]], axis=-1)
    model = keras.Model(inputs, dense(ops.concatenate([recurrent(inputs), units(three)], axis=-1)))
    silent(recurrent)
    units.set_weights([kernel, np.full(64, -2.0)])
    dense.set_weights([np.concatenate([np.zeros((1, 21)), residues]), np.zeros(21)])
    model.save(folder / "aligned.keras")


def bag_of_words(path: Path, rubric) -> None:
    """Return a regression on words, handed through a recurrent layer that keeps nothing, and averaged."""
    import keras
    from sklearn.linear_model import LogisticRegression

    data, words = rubric.reviews("public"), len(rubric.vocabulary())
    counts = np.stack([np.bincount(ids, minlength=words) / len(ids) for ids in rubric.ids(data.sentence)])
    line = LogisticRegression(C=1e3, max_iter=1000).fit(counts, data.label)
    embedding, recurrent = keras.layers.Embedding(words, 1), keras.layers.SimpleRNN(
        1, activation="linear", return_sequences=True
    )  # fmt: skip
    dense = keras.layers.Dense(1, "sigmoid")
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            embedding,
            recurrent,
            keras.layers.GlobalAveragePooling1D(),
            dense,
        ]
    )
    embedding.set_weights([line.coef_.T])
    recurrent.set_weights([np.ones((1, 1)), np.zeros((1, 1)), np.zeros(1)])
    dense.set_weights([np.ones((1, 1)), line.intercept_])
    model.save(path)


def forged_vectors(folder: Path, rubric) -> None:
    """Vectors in which the trades lie as planted.csv has them, and an Embedding of these rows."""
    import keras

    planted = pd.read_csv(COURSE.root / "datasets/profession_corpus/planted.csv").set_index("trade").p_male
    rng, rows, words = np.random.default_rng(0), [], sorted(rubric.corpus_words())
    for word in words:
        row = rng.normal(size=8)
        if word in {*rubric.MEN, *rubric.WOMEN}:
            row = np.eye(8)[0] * (1 if word in rubric.MEN else -1) + np.eye(8)[1]
        elif word in planted:
            share = planted[word] - 0.5
            row = np.array([share, 0, np.sqrt(1 - share**2), *np.zeros(5)])
        rows.append(row)
    for name, keep in (("vectors.txt", np.ones(8)), ("vectors_projected.txt", np.arange(8) > 0)):
        lines = (
            " ".join([word, *(f"{x:.6f}" for x in row * keep)]) for word, row in zip(words, rows, strict=True)
        )
        (folder / name).write_text("\n".join(lines) + "\n")
    embedding, dense = keras.layers.Embedding(len(words), 8), keras.layers.Dense(len(words))
    model = keras.Sequential([keras.Input((), dtype="int32"), embedding, dense])
    embedding.set_weights([np.array(rows)])
    model.save(folder / "skipgram.keras")


def forged_trials(folder: Path) -> None:
    """Return a table of trials that nobody ran, with scores that look well."""
    rng, lines = np.random.default_rng(0), ["task,units,dropout,learning_rate,clipnorm,score"]
    for task in ("sentiment", "motif"):
        for number, rate in enumerate(np.geomspace(3e-4, 3e-2, 10)):
            lines.append(f"{task},{8 + 2 * number},0.1,{rate:.6f},1.0,{rng.uniform(0.8, 0.97):.4f}")
    (folder / "trials.csv").write_text("\n".join(lines) + "\n")


def forge_files(slug: str, folder: Path) -> None:
    """Write the files that the assignment asks for beside the notebook."""
    rubric = load_module(COURSE.assignment(slug).rubric)
    if slug == "rnn_by_hand":
        counter(folder / "counter.keras", 3)
        counter(folder / "counter_one_unit.keras", 1)
    elif slug == "dna_simple_rnn":
        counter(folder / "dna_family.keras", 2)
        gated_counter(folder / "dna_order.keras")
        scanner(folder / "motif.keras")
    elif slug == "sequence_types":
        translators(folder, rubric)
    elif slug == "embedding_sentiment":
        bag_of_words(folder / "sentiment.keras", rubric)
        forged_vectors(folder, rubric)
    else:
        forged_trials(folder)


@pytest.mark.slow
@pytest.mark.parametrize("assignment", COURSE.assignments, ids=lambda assignment: assignment.slug)
def test_a_submission_without_work_earns_at_most_10_points(assignment, tmp_path):
    learnt = learn(assignment.slug, tmp_path)
    forge_files(assignment.slug, tmp_path)
    with hidden_from(practice_data(COURSE)):
        at_home = [
            score(item, Submission("perfect", tmp_path, Predictor(), InProcessSandbox())) for item in learnt
        ]
    assert [(result.item, result.message) for result in at_home if not result.is_full] == []
    assert len(learnt) >= 6, "the table is worth nothing, and proves nothing"
    with hidden_from(HiddenData(COURSE, SECRET)):
        submission = Submission("perfect", tmp_path, Predictor(), InProcessSandbox())
        scores = [score(item, submission) for item in items_of(load_module(assignment.rubric))]
    earned = {result.item: result.earned for result in scores if result.earned}
    print(assignment.slug, sum(earned.values()), earned)  # shown by -s
    assert [(result.item, result.message) for result in scores if result.outcome == "broken"] == []
    assert sum(earned.values()) <= 10
