"""Likeness of submissions: disguised copies are found, honest work is left alone, nothing crashes it."""

import csv
import dataclasses
import io
import json
import re
import time
import zipfile
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import write

from autograder.core import read_course
from autograder.grading import SerialExecutor, open_readers
from autograder.grading._executors import WorkerLost
from autograder.models import Model, read_model
from autograder.models._config import read_plan
from autograder.similarity import compare, integrity_csv, integrity_html
from autograder.similarity._code import CODE, WORDS, Text, code, compare_texts, grams, winnow, words
from autograder.similarity._compare import read_work_task
from autograder.similarity._evidence import most_in_common
from autograder.similarity._matching import UnitOrder, likeness, permute_block
from autograder.similarity._permutations import MAX_UNITS, Axis, Block, Layout, build_layout
from autograder.similarity._submissions import seeds_of
from autograder.similarity._weights import (
    MAX_OF_PAIR,
    NEAR,
    SOME,
    TrainedModel,
    align,
    limit_pairs,
    match_models,
    read_trained,
)
from autograder.submissions import Files, RawSubmission, Submitter

TEST_SUBMISSIONS = Path(__file__).parents[1] / "solutions"
FILES = sorted(TEST_SUBMISSIONS.glob("*/test_submissions/perfect/*.keras"))
SEQUENCES = TEST_SUBMISSIONS / "sequence_types/test_submissions/perfect"


def read(path: Path) -> Model:
    return read_model(path.read_bytes())


def stranger(model: Model, seed: int) -> Model:
    """Other weights of the same sizes and amounts."""
    rng = np.random.default_rng(seed)
    return of(model, [rng.normal(0, array.std(), array.shape).astype("float32") for array in model.weights])


def shuffled(model: Model, seed: int = 0) -> Model:
    """Return the same model with its hidden units in another order, and those turned that may turn."""
    rng, known = np.random.default_rng(seed), build_layout(model.plan)
    places = {group: rng.permutation(known.sizes[group]) for group in known.groups}
    signs = {
        group: np.where((rng.random(known.sizes[group]) < 0.5) & (group in known.turning), -1, 1).astype(
            "float32"
        )
        for group in known.groups
    }
    weights = [array.copy() for array in model.weights]
    for block in known.blocks:
        weights[block.weight][block.cut] = permute_block(
            known, block, model.weights, UnitOrder(places, signs)
        )
    return of(model, weights)


def noisy(model: Model, amount: float = 1e-3) -> Model:
    rng = np.random.default_rng(1)
    return of(model, [a + rng.normal(0, amount, a.shape).astype("float32") for a in model.weights])


def trained_on(model: Model) -> Model:
    """Return the last layer trained on, the others as they were."""
    other = stranger(model, 99)
    return of(model, [*model.weights[:-2], *other.weights[-2:]])


def of(model: Model, weights) -> Model:
    return dataclasses.replace(model, weights=tuple(weights))


# --- models


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_weight_of_a_model_lies_in_one_block(path):
    model = read(path)
    counts = [np.zeros(array.shape, int) for array in model.weights]
    for block in build_layout(model.plan).blocks:
        counts[block.weight][block.cut] += 1
    assert all((count == 1).all() for count in counts)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_shuffled_units_are_brought_back(path):
    model = read(path)
    like = likeness(build_layout(model.plan), model.weights, shuffled(model).weights)
    assert like.equal == 1 and like.cosine == pytest.approx(1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["aligned", "frames", "completion", "encoder_decoder", "forecast"])
def test_a_shuffled_model_answers_as_before(name):
    from autograder.models import Predictor

    model, rng = read(SEQUENCES / f"{name}.keras"), np.random.default_rng(0)
    inputs = []
    for _ in range(3):
        arrays = [
            rng.integers(1, 9, 12) if dtype == "int32" else rng.normal(size=(12, shape[-1])).astype("float32")
            for shape, dtype in zip(model.plan.input_shapes, model.plan.input_dtypes, strict=True)
        ]
        inputs.append(arrays[0] if len(arrays) == 1 else tuple(arrays))
    predictor = Predictor()
    before, after = predictor.predict(model, inputs), predictor.predict(shuffled(model), inputs)
    assert all(np.allclose(a, b, atol=1e-4) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("name", ["aligned", "codon", "completion", "forecast", "frames", "generator"])
def test_copies_lie_above_the_threshold_and_strangers_below(name):
    model = read(SEQUENCES / f"{name}.keras")
    known = build_layout(model.plan)
    stranger_like = likeness(known, model.weights, stranger(model, 1).weights)
    copies = [likeness(known, model.weights, noisy(copy).weights) for copy in (model, shuffled(model))]
    assert stranger_like.cosine + 0.2 < NEAR < min(copy.cosine for copy in copies) - 0.05
    assert stranger_like.equal < SOME


def pairs(*models: tuple[str, Model]) -> set[tuple[str, str]]:
    found, _ = match_models(
        [read_trained(owner, "m.keras", model) for owner, model in models], [], SerialExecutor(None)
    )
    return {(match.first.owner, match.second.owner) for match in found}


@pytest.mark.parametrize(
    "disguise", [lambda m: m, shuffled, noisy, trained_on, lambda m: noisy(shuffled(m), 1e-2)]
)
@pytest.mark.parametrize("name", ["aligned", "frames"])
def test_a_copy_is_found_among_strangers(name, disguise):
    model = read(SEQUENCES / f"{name}.keras")
    others = [(f"s{seed}", stranger(model, seed)) for seed in range(10)]
    assert pairs(("ann", model), *others, ("bob", disguise(model))) == {("ann", "bob")}


@pytest.mark.slow
def test_independent_trainings_of_one_notebook_are_no_match(tmp_path):
    """Only the seed differs; the same seed gives the same weights, and with another rate nearly the same."""
    models = {"one": fitted(tmp_path, 1), "two": fitted(tmp_path, 2), "three": fitted(tmp_path, 3)}
    assert not pairs(*models.items())
    assert pairs(*models.items(), ("again", fitted(tmp_path, 1))) == {("one", "again")}
    near = pairs(*models.items(), ("rate", fitted(tmp_path, 1, rate=0.004)))
    assert near == {("one", "rate")}


def fitted(folder: Path, seed: int, rate: float = 0.003) -> Model:
    """Return a network that has learned whether the first letter comes four times or more among sixteen."""
    import keras
    from keras import layers

    rng = np.random.default_rng(0)
    letters = rng.integers(0, 4, (1000, 16))
    x, y = np.eye(4, dtype="float32")[letters], ((letters == 0).sum(axis=1) >= 4).astype("float32")
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((None, 4)), layers.SimpleRNN(16), layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.Adam(rate, clipnorm=1.0), "binary_crossentropy")
    model.fit(x, y, epochs=6, batch_size=50, verbose=0)
    model.save(folder / "model.keras")
    return read(folder / "model.keras")


def test_weights_set_by_hand_are_not_compared():
    model = read(TEST_SUBMISSIONS / "rnn_by_hand/test_submissions/perfect/counter.keras")
    assert read_trained("ann", "counter.keras", model) is None


# --- code

FIRST = """
def cells(x, w, u, b):
    states = []
    h = np.zeros(u.shape[0])
    for step in x:
        h = np.tanh(step @ w + h @ u + b)
        states.append(h)
    return np.array(states)

def one_hot(text):
    letters = "ACGT"
    out = np.zeros((len(text), 4))
    for i, letter in enumerate(text):
        out[i, letters.index(letter)] = 1
    return out

def softmax(z):
    z = z - z.max(axis=-1, keepdims=True)
    e = np.exp(z)
    return e / e.sum(axis=-1, keepdims=True)

def windows(text, k):
    found = {}
    for i in range(len(text) - k + 1):
        word = text[i : i + k]
        found[word] = found.get(word, 0) + 1
    return found

def gradient(x, w, u, b, target):
    hs = cells(x, w, u, b)
    delta = 2 * (hs[-1] - target)
    dw, du, db = np.zeros_like(w), np.zeros_like(u), np.zeros_like(b)
    for t in range(len(x) - 1, -1, -1):
        delta = delta * (1 - hs[t] ** 2)
        before = hs[t - 1] if t > 0 else np.zeros(len(b))
        dw += np.outer(x[t], delta)
        du += np.outer(before, delta)
        db += delta
        delta = delta @ u.T
    return dw, du, db
"""
SECOND = """
def cells(x, w, u, b):
    T, n = len(x), len(b)
    out = np.empty((T, n))
    last = np.zeros(n)
    for t in range(T):
        z = np.dot(x[t], w)
        z += np.dot(last, u)
        z += b
        out[t] = last = np.tanh(z)
    return out

def one_hot(text):
    return np.eye(4)[["ACGT".index(c) for c in text]]

def softmax(z):
    shifted = np.exp(z - np.max(z, -1)[..., None])
    total = np.sum(shifted, -1)[..., None]
    return shifted / total

def windows(text, k):
    from collections import Counter
    return dict(Counter(text[i:i + k] for i in range(len(text) - k + 1)))

def gradient(x, w, u, b, target):
    states = [np.zeros_like(b)] + list(cells(x, w, u, b))
    grads = {name: 0.0 for name in "wub"}
    back = 2 * (states[-1] - target)
    for now, before, inp in zip(states[:0:-1], states[-2::-1], x[::-1]):
        slope = back * (1 - now * now)
        grads["w"] = grads["w"] + inp[:, None] * slope
        grads["u"] = grads["u"] + before[:, None] * slope
        grads["b"] = grads["b"] + slope
        back = u @ slope
    return grads["w"], grads["u"], grads["b"]
"""
THIRD = """
def cells(x, w, u, b):
    def step(h, row):
        return np.tanh(row @ w + h @ u + b)
    hidden = [np.zeros(b.shape)]
    for row in x:
        hidden.append(step(hidden[-1], row))
    return np.stack(hidden[1:])

def one_hot(text):
    table = {"A": 0, "C": 1, "G": 2, "T": 3}
    numbers = np.array([table[s] for s in text])
    return (numbers[:, None] == np.arange(4)).astype(float)

def softmax(z):
    top = np.exp(z - z.max(-1, keepdims=True))
    return top / top.sum(-1, keepdims=True)

def windows(text, k):
    counts = {}
    start = 0
    while start + k <= len(text):
        part = text[start:start + k]
        if part not in counts:
            counts[part] = 0
        counts[part] += 1
        start += 1
    return counts

def gradient(x, w, u, b, target):
    h = cells(x, w, u, b)
    previous = np.vstack([np.zeros((1, len(b))), h[:-1]])
    deltas = np.zeros_like(h)
    error = 2 * (h[-1] - target)
    for t in reversed(range(len(x))):
        deltas[t] = error * (1 - h[t] ** 2)
        error = u.dot(deltas[t])
    return x.T @ deltas, previous.T @ deltas, deltas.sum(axis=0)
"""
NAMES = {
    "states": "alle", "step": "zeile", "letters": "basen", "found": "d", "word": "stueck", "delta": "fehler",
    "before": "vorher", "hs": "zustaende", "out": "ergebnis", "target": "ziel", "text": "folge", "softmax": "normiert",
}  # fmt: skip


def renamed(text: str) -> str:
    """With other names, comments, blank lines and line breaks, and its functions in another order."""
    for old, new in NAMES.items():
        text = text.replace(old, new)
    parts = ["def " + part.rstrip() for part in text.split("def ")[1:]]
    return "\n\n\n# my own\n".join(parts[::-1]).replace(" = ", "   =  ")


def found_code(*texts: str, given: str = "") -> list:
    all_code = [code(f"s{place}", [text]) for place, text in enumerate(texts)]
    return compare_texts(all_code, [], code("", [given]), most_in_common(len(texts)), CODE)


def test_renamed_and_reordered_code_is_found():
    [pair] = found_code(FIRST, SECOND, THIRD, renamed(FIRST))
    assert (pair.first.owner, pair.second.owner) == ("s0", "s3") and pair.share > 0.9
    assert any("fehler" in line for passage in pair.passages for line in passage.other)


def test_independent_solutions_of_the_same_task_are_not_flagged():
    assert not found_code(FIRST, SECOND, THIRD)


def test_what_the_starter_gave_is_no_evidence():
    assert not found_code(FIRST + SECOND, FIRST + THIRD, given=FIRST)


def test_what_many_write_is_no_evidence():
    assert not found_code(*(FIRST + f"\nx = {place}" for place in range(5)))
    assert found_code(FIRST, FIRST, FIRST, SECOND, SECOND + "\npass")


def test_answers_in_the_same_words_are_found():
    first = "The state fades because each step multiplies it by a slope below one, so at last nothing is left of it."
    two = "Gradients are products of factors. If all are small, so is the product: early letters are not learned."
    texts = [words(str(n), [text]) for n, text in enumerate([first, two, "I think: " + first.upper()])]
    [pair] = compare_texts(texts, [], Text(""), 3, WORDS)
    assert (pair.first.owner, pair.second.owner) == ("0", "2")


@given(st.lists(st.integers(0, 5), min_size=12, max_size=60), st.integers(2, 6), st.integers(1, 5))
def test_winnowing_keeps_a_print_of_every_window(symbols, gram, window):
    text = Text("", symbols=np.array(symbols, np.uint64))
    hashes = grams(text, gram)
    kept = set(winnow(hashes, window).tolist())
    assert all(kept & set(range(begin, begin + window)) for begin in range(len(hashes) - window + 1))
    same = {tuple(symbols[i : i + gram]) for i in range(len(hashes))}
    assert len(set(hashes.tolist())) == len(same)


# --- a class


def keras_file(path: Path, model: Model) -> bytes:
    """Return the `.keras` file at `path` with other weights."""
    import h5py

    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    buffer = io.BytesIO(parts["model.weights.h5"])
    with h5py.File(buffer, "r+") as file:
        for weight, array in zip(model.plan.weights, model.weights, strict=True):
            file[weight.path][...] = array
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in (parts | {"model.weights.h5": buffer.getvalue()}).items():
            archive.writestr(name, content)
    return out.getvalue()


def notebook(*code_cells: str, texts=(), ids=()) -> bytes:
    cells = [{"cell_type": "code", "source": source} for source in code_cells]
    cells += [{"cell_type": "markdown", "source": source} for source in texts]
    cells += [
        {"cell_type": "code", "source": f"print({place})", "id": cell_id} for place, cell_id in enumerate(ids)
    ]
    return json.dumps({"cells": cells, "nbformat": 4}).encode()


NOBODY = Submitter()


def handed(student: str, origin: Submitter = NOBODY, **files: bytes) -> RawSubmission:
    named = {name if "." in name else name.replace("_", "."): content for name, content in files.items()}
    return RawSubmission(student, lambda budget: Files(tuple(named), named.__getitem__), origin)


@pytest.fixture
def hello(course):
    write(course.root / "assignments/hello/hello.ipynb", notebook("SEED = 0", "import numpy as np").decode())
    return read_course(course.root), read_course(course.root).assignment("hello")


MODEL = SEQUENCES / "aligned.keras"


def compared(hello, *submissions: RawSubmission, **others: RawSubmission) -> list[tuple]:
    findings = compare(*hello, submissions, others)
    return [(finding.kind, finding.strength, finding.first, finding.second) for finding in findings.found]


def test_equal_weights_speak_by_seed_and_code(hello):
    def submit(student, seed, text):
        return handed(student, m_keras=MODEL.read_bytes(), n_ipynb=notebook(f"SEED = {seed}", text))

    assert compared(hello, submit("ann", 0, FIRST), submit("bob", 1, SECOND)) == [
        ("weights", "strong", "ann", "bob")
    ]
    assert compared(hello, submit("ann", 0, FIRST), submit("bob", 0, SECOND)) == [
        ("weights", "middle", "ann", "bob")
    ]
    same = compared(hello, submit("ann", 0, FIRST), submit("bob", 0, FIRST))
    assert ("weights", "weak", "ann", "bob") in same and ("code", "strong", "ann", "bob") in same


def test_shuffled_units_speak_strongly_whatever_the_seed(hello):
    copy = keras_file(MODEL, shuffled(read(MODEL)))
    ann = handed("ann", m_keras=MODEL.read_bytes(), n_ipynb=notebook("SEED = 0", FIRST))
    bob = handed("bob", other_keras=copy, n_ipynb=notebook("SEED = 0", SECOND))
    assert compared(hello, ann, bob) == [("weights", "strong", "ann", "bob")]


def test_what_a_crowd_shares_is_one_line(hello):
    class_ = [
        handed(f"s{n}", m_keras=MODEL.read_bytes(), n_ipynb=notebook("SEED = 0", f"a{n} = {n}"))
        for n in range(5)
    ]
    findings = compare(*hello, class_)
    assert not findings.found and "5 handed in models" in findings.common[0]
    earlier = {f"spring: s{n}": submission for n, submission in enumerate(class_)}
    assert (
        len(compare(*hello, class_[:1], earlier).found) == 5
    )  # one student and five earlier ones are no crowd


def test_cells_keep_their_ids(hello):
    ids = ["0123abcd", "89abcdef"]
    ann, bob = (handed(name, n_ipynb=notebook(ids=ids)) for name in ("ann", "bob"))
    assert compared(hello, ann, bob) == [("cells", "strong", "ann", "bob")]
    assert not compared(hello, ann, handed("cyd", n_ipynb=notebook(ids=["cell-1", "cell-2"])))


def test_people_who_hand_in_together_and_earlier_classes(hello):
    files = {"m_keras": MODEL.read_bytes(), "n_ipynb": notebook(FIRST)}
    team = Submitter("gradescope", id="7")
    assert not compared(hello, handed("ann", team, **files), handed("bob", team, **files))
    earlier = compared(hello, handed("ann", **files), **{"spring: zoe": handed("zoe", **files)})
    assert {(first, second) for _, _, first, second in earlier} == {("ann", "spring: zoe")}
    again = compared(hello, handed("ann", **files), ann=handed("ann", **files))
    assert {(first, second) for _, _, first, second in again} == {("ann", "ann (earlier)")}


def test_the_reference_is_compared(hello):
    _, assignment = hello
    perfect = assignment.test_submissions / "perfect"
    perfect.mkdir(parents=True)
    (perfect / "m.keras").write_bytes(MODEL.read_bytes())
    (perfect / "hello.ipynb").write_bytes(notebook("SEED = 3"))
    ann = handed("ann", m_keras=MODEL.read_bytes(), n_ipynb=notebook("SEED = 0"))
    assert compared(hello, ann) == [("weights", "strong", "ann", "the reference: perfect")]


HOSTILE = [
    b"", b"not json", b'{"cells": 3}', b'{"cells": [1]}', b'{"cells": [{"cell_type": "code", "source": 7}]}', b"[]",
    b'{"cells": [{"cell_type": [], "source": "x"}]}', b'{"cells": [{"cell_type": "code", "source": "\\ud800"}]}',
    b"[" * 100_000, b'{"cells": [{"cell_type": "code", "source": "x", "id": {}, "metadata": []}]}',
    notebook("'''" * 1000, '"' * 50_000, "\x00\u202e" * 50, "f'{" * 5000), notebook(texts=["<script>" * 9]),
]  # fmt: skip


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_notebooks_are_skipped_or_read(hello, content):
    bad = handed("=cmd|' /C calc'!A0<script>", n_ipynb=content, m_keras=content)
    findings = compare(
        *hello, [bad, handed("ann", n_ipynb=notebook(FIRST)), handed("bob", n_ipynb=notebook(FIRST))]
    )
    assert [(finding.first, finding.second) for finding in findings.found] == [("ann", "bob")]
    assert any("=cmd" in line for line in findings.skipped)
    assert "<script" not in integrity_html(findings)


def test_a_submission_that_cannot_be_opened_is_named(hello, tmp_path):
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 nothing")
    findings = compare(*hello, [RawSubmission("ann", tmp_path / "broken.zip")])
    assert "ann" in findings.skipped[0]


@settings(deadline=None, max_examples=25)
@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_can_be_compared(first, second):
    for read_text in (code, words):
        texts = [read_text("a", [first, second]), read_text("b", [first, second])]
        assert len(texts[0].symbols) == len(texts[0].places)
        compare_texts(texts, [], Text(""), 3, CODE)


def test_the_page_and_the_table_escape_names(hello):
    name = "<b>=1+1\u202e"
    ann = handed(name, n_ipynb=notebook(FIRST + "\n# </script><script>alert(1)</script>"))
    bob = handed("=1+1", n_ipynb=notebook(FIRST))
    findings = compare(*hello, [ann, bob])
    page, [row] = integrity_html(findings), list(csv.DictReader(io.StringIO(integrity_csv(findings))))
    assert "<script" not in page and "<b>" not in page and "\u202e" not in page and "&lt;b&gt;" in page
    assert row["second"] == "'=1+1" and row["kind"] == "code"
    assert ".alike > li" in page  # the style, which must not be escaped
    assert page == integrity_html(compare(*hello, [ann, bob]))
    assert "http" not in page.replace("http-equiv", "")


# --- disguises: what a copy looks like that is not to be found

SOUGHT = "m.keras"  # the file that the rubric below asks for
RUBRIC = f"""
from autograder.rubric import item


@item(points=10)
def learns(submission):
    \"\"\"The model and the table are there.\"\"\"
    submission.read("{SOUGHT}")
    submission.read("trials.csv")
    for name in ("cells", "one_hot", "softmax", "windows", "gradient"):
        submission.call(name)
"""
Layers = list[dict]


def rebuilt(change=lambda layers: None, weigh=lambda weights: weights) -> bytes:
    """MODEL as a file of other layers and other weights, which the plan of the new layers gives their places."""
    import h5py
    from models.crafted import entries, replaced

    config = json.loads(entries(MODEL.read_bytes())["config.json"])
    change(config["config"]["layers"])
    weights, stream = weigh([array.copy() for array in read(MODEL).weights]), io.BytesIO()
    with h5py.File(stream, "w") as file:
        for weight, array in zip(read_plan(config).weights, weights, strict=True):
            file[weight.path] = array.reshape(weight.shape)
    return replaced(MODEL.read_bytes(), config=json.dumps(config).encode(), weights=stream.getvalue())


def layer_of(kind: str, **options) -> dict:
    return {"module": "keras.layers", "class_name": kind, "config": {"name": "extra"} | options}


def inserted(kind: str, **options):
    return lambda layers: layers.insert(-1, layer_of(kind, **options))


def insert_dense(layers: Layers) -> None:
    """As wide as the layer before it, without an activation."""
    layers.insert(
        -1, layer_of("Dense", **layers[-1]["config"] | {"name": "d", "units": 32, "activation": "linear"})
    )


def renamed_layers(layers: Layers) -> None:
    for number, layer in enumerate(layers):
        layer["config"]["name"] = f"my_{number}"


def with_unused_option(layers: Layers) -> None:
    layers[2]["config"] |= {"recurrent_dropout": 0.25, "dropout": 0.1}


def wrapped(layers: Layers) -> None:
    layers[-1] = layer_of("TimeDistributed", layer=layers[-1]) | {}


def without_masking(layers: Layers) -> None:
    del layers[1]


def one_unit_more(layers: Layers) -> None:
    layers[2]["config"]["units"] += 1


def with_dead_unit(weights: list) -> list:
    """Every gate of the GRU gets a unit that reads nothing, and that nothing reads."""

    def grown(array, before: int):
        gates = [np.pad(gate, ((0, before), (0, 1))) for gate in np.split(array, 3, axis=1)]
        return np.concatenate(gates, axis=1)

    kernel, recurrent, bias, dense, last = weights
    return [grown(kernel, 0), grown(recurrent, 1), grown(bias, 0), np.pad(dense, ((0, 1), (0, 0))), last]


def with_identity(weights: list) -> list:
    return [*weights[:-2], np.eye(32, dtype="float32"), np.zeros(32, "float32"), *weights[-2:]]


def with_noise(weights: list) -> list:
    return list(noisy(of(read(MODEL), weights)).weights)


def shuffled_and(weigh=lambda weights: weights):
    return lambda weights: weigh(list(shuffled(read(MODEL)).weights))


MODELS = {
    "as it is": (),
    "Dropout": (inserted("Dropout", rate=0.1),),
    "Identity": (inserted("Identity"),),
    "Rescaling(1)": (inserted("Rescaling", scale=1.0, offset=0.0),),
    "a Dense of identity": (insert_dense, with_identity),
    "other names": (renamed_layers,),
    "an unused option": (with_unused_option,),
    "TimeDistributed": (wrapped,),
    "no Masking": (without_masking,),
    "a dead unit": (one_unit_more, with_dead_unit),
    "shuffled, Dropout": (inserted("Dropout", rate=0.1), shuffled_and()),
    "shuffled, Rescaling(1)": (inserted("Rescaling", scale=1.0, offset=0.0), shuffled_and()),
    "shuffled, a Dense of identity": (insert_dense, shuffled_and(with_identity)),
    "noise, Dropout": (inserted("Dropout", rate=0.1), with_noise),
    "noise, Rescaling(1)": (inserted("Rescaling", scale=1.0, offset=0.0), with_noise),
    "the last layer trained on": (
        inserted("Rescaling", scale=1.0, offset=0.0), lambda weights: [*weights[:-2], weights[-2] + 0.1, weights[-1]]
    ),
}  # fmt: skip


@pytest.fixture
def asking(hello):
    course, assignment = hello
    write(assignment.rubric, RUBRIC)
    return hello


@pytest.mark.parametrize("name", MODELS)
def test_no_layer_hides_equal_weights(asking, name):
    ann = handed("ann", **{SOUGHT: MODEL.read_bytes(), "n.ipynb": notebook("SEED = 1", FIRST)})
    bob = handed("bob", **{SOUGHT: rebuilt(*MODELS[name]), "n.ipynb": notebook("SEED = 2", SECOND)})
    cyd = handed("cyd", **{SOUGHT: keras_file(MODEL, stranger(read(MODEL), 7)), "n.ipynb": notebook(THIRD)})
    [(kind, strength, *names)] = compared(asking, ann, bob, cyd)
    assert kind in ("weights", "arrays") and strength == "strong" and names == ["ann", "bob"]


def table(function, digits: int = 6) -> str:
    rows = (f"row {n},{n % 3},{function(n + 1):.{digits}f},{function(n + 99):.{digits}f}" for n in range(20))
    return "\n".join(["name,units,score,loss", *rows]) + "\n"


TABLE, OTHER_TABLE = table(np.sin), table(np.cos)


def rows_of(change) -> str:
    head, *rows = TABLE.splitlines()
    return "\n".join([head, *change(rows)])


TABLES = {
    "as it is": TABLE,
    "other line ends": TABLE.replace("\n", "\r\n"),
    "rows turned": rows_of(lambda rows: rows[::-1]),
    "rows sorted, some left out": rows_of(lambda rows: sorted(rows)[4:]),
    "other names": TABLE.replace("row", "trial"),
    "other columns": rows_of(lambda rows: [",".join(row.split(",")[::-1]) for row in rows]),
    "other separators": TABLE.replace(",", ";"),
    "more digits": table(np.sin, digits=8),
    "rows of one's own": rows_of(lambda rows: [*rows, *OTHER_TABLE.splitlines()[1:]]),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_copied_tables_are_found(asking, name):
    ann, bob, cyd = (
        handed(student, **{"trials.csv": text.encode(), "n.ipynb": notebook(f"SEED = {seed}", source)})
        for student, text, seed, source in
        [("ann", TABLE, 1, FIRST), ("bob", TABLES[name], 2, SECOND), ("cyd", OTHER_TABLE, 3, THIRD)]
    )  # fmt: skip
    found = compared(asking, ann, bob, cyd)
    assert found[0] == ("tables", "strong", "ann", "bob")
    assert {first + second for _, _, first, second in found} <= {"annbob", "bobcyd"}


def test_tables_of_few_digits_are_weak_and_those_of_a_crowd_say_nothing(asking):
    rows = [f"{n},{n % 2}\n" for n in range(50)]
    students = [
        handed(
            f"s{n}",
            **{"trials.csv": "".join(rows[n:] + rows[:n]).encode(), "n.ipynb": notebook(f"SEED = {n}")},
        )
        for n in range(5)
    ]
    assert compared(asking, *students[:2]) == [("tables", "weak", "s0", "s1")]
    findings = compare(*asking, students)
    assert not findings.found and "trials.csv" in findings.common[0]


def test_rows_that_many_hand_in_say_nothing(asking):
    """Vectors that all downloaded, say, and rows of each student's own."""
    students = [
        handed(
            f"s{n}",
            **{"trials.csv": (TABLE + f"own {n},{n},{np.tan(n):.6f}\n").encode(), "n.ipynb": notebook()},
        )
        for n in range(5)
    ]
    assert len(compared(asking, *students[:3])) == 3
    assert not compared(asking, *students)


def test_arrays_that_many_share_or_that_are_set_by_hand_say_nothing(asking):
    """Frozen vectors, say, under layers that each student trained."""

    def student(number: int) -> RawSubmission:
        others = stranger(read(MODEL), number).weights
        content = rebuilt(weigh=lambda weights: [weights[0], *others[1:]])
        return handed(f"s{number}", **{SOUGHT: content, "n.ipynb": notebook(f"SEED = {number}")})

    class_ = [student(number) for number in range(5)]
    assert {kind for kind, *_ in compared(asking, *class_[:3])} == {"arrays"}
    findings = compare(*asking, class_)
    assert (
        not findings.found and "1 array of weights is in models of more than 3 students" in findings.common[0]
    )


STUFFING = {
    "comments": "# nothing\n" * 40_000,
    "a comment in one line": "#" * 400_000 + "\n",
    "blank lines": " \n" * 200_000,
    "a string": f'"""{"x" * 400_000}"""\n',
    "strings": "'x' 'y'\n" * 20_000,
    "a string in one line": f"text = '{'x' * 400_000}'\n",
    "code that never runs": "if 0:\n" + "    x = [1, 2, 3]\n" * 15_000,
    "more of it": "while False:\n" + "    y = f(x)\n" * 5_000 + "if (None): " + "x = 1; " * 5_000 + "\n",
    "a long line": "x = [" + "1, " * 10_000 + "]\n",
    "magics": "%load_ext x\n!ls 'a\n" * 5_000,
    "code": "".join(f"x{n} = y.a{n}(z, {n})\n" for n in range(5_000)),
    "earlier definitions": "".join(f"def gradient():\n    return x.a{n}\n" for n in range(5_000)),
}


@pytest.mark.parametrize("where", ["in front", "in between"])
@pytest.mark.parametrize("name", STUFFING)
def test_nothing_pushes_code_out_of_sight(asking, name, where, monkeypatch):
    monkeypatch.setattr("autograder.similarity._code.MAX_SYMBOLS", 15_000)
    stuffing = STUFFING[name]
    start, end = FIRST.split("def windows")
    texts = [stuffing + FIRST] if where == "in front" else [start, stuffing, "def windows" + end]
    bob = handed("bob", **{"n.ipynb": notebook(*texts)})
    ann, cyd = (
        handed(student, **{"n.ipynb": notebook(text)}) for student, text in [("ann", FIRST), ("cyd", SECOND)]
    )
    found = compare(*asking, [ann, bob, cyd]).found
    assert [(finding.kind, finding.first, finding.second) for finding in found] == [("code", "ann", "bob")]
    assert any("delta" in line for passage in found[0].passages for line in passage.mine)


BOLD = str.maketrans({chr(97 + n): chr(0x1D41A + n) for n in range(26)})
CODE_DISGUISES = {
    "a statement that does nothing after each": lambda text: re.sub(
        r"(?m)^( +)(.*[^:,(])$", r"\1\2\n\1pass\n\1'note'", text
    ),
    "docstrings": lambda text: re.sub(r"(?m)(^def .*:)$", r'\1\n    """Do it."""', text),
    "comments at each line": lambda text: re.sub(r"(?m)(.)$", r"\1  # my own", text),
    "semicolons": lambda text: re.sub(r"(?m)([^:\n])$", r"\1;", text),
    "code between that never runs": lambda text: re.sub(r"(?m)^(    )(?=[a-z])", r"\1if 0: print(1, 2, 3)\n\1", text),
    "letters that Python reads alike": lambda text: re.sub(r"(?<=np\.)\w+", lambda name: name[0].translate(BOLD), text),
    "line breaks": lambda text: text.replace("(", "(\n    ").replace(" + ", " \\\n + "),
    "other strings and numbers": lambda text: text.replace('"ACGT"', "'A' 'CGT'").replace("2 *", "2.0 *"),
}  # fmt: skip


@pytest.mark.parametrize("name", CODE_DISGUISES)
def test_disguised_code_is_found(name):
    copy = CODE_DISGUISES[name](FIRST)
    assert copy != FIRST and compile(copy, "copy", "exec")
    [pair] = found_code(FIRST, SECOND, THIRD, copy)
    assert (pair.first.owner, pair.second.owner) == ("s0", "s3") and pair.share > 0.9


def test_a_script_is_compared_with_notebooks(asking):
    ann = handed("ann", **{"n.ipynb": notebook(*FIRST.split("\n\n"))})
    bob = handed("bob", **{"n.py": ("# %%\n" + FIRST.replace("\n\n", "\n\n# %%\n")).encode()})
    assert compared(asking, ann, bob) == [("code", "strong", "ann", "bob")]


def test_lines_are_numbered_as_in_the_notebook(asking):
    ann = handed("ann", **{"n.ipynb": notebook("# nothing\n" * 40_000 + FIRST)})
    bob = handed("bob", **{"n.ipynb": notebook(FIRST)})
    [found] = compare(*asking, [ann, bob]).found
    assert {passage.first - passage.second for passage in found.passages} == {40_000}


@pytest.mark.parametrize(
    "hidden", ["<!-- -->", "\u200b", "\u00ad", "<!-- a\nb -->"], ids=["comment", "space", "hyphen", "lines"]
)
def test_invisible_text_hides_no_words(hidden):
    text = "The state fades because each step multiplies it by a slope below one, so at last nothing is left of it."
    other = "".join(letter + hidden * (letter in "aeiou") for letter in text)
    [pair] = compare_texts([words("0", [text]), words("1", [other])], [], Text(""), 3, WORDS)
    assert pair.share == 1


def test_copies_beside_the_work_hide_nothing(asking):
    """Decoys: 40 models that are read first by name, and a notebook with a number that marks it as an older copy."""
    decoys = {f"a/{n:02}.keras": keras_file(MODEL, stranger(read(MODEL), n)) for n in range(3)}
    decoys |= {f"b/{n:02}.keras": b"no model" + bytes([n]) for n in range(40)}
    ann = handed("ann", **{SOUGHT: MODEL.read_bytes(), "work.ipynb": notebook("SEED = 1", FIRST)})
    copies = {"work (1).ipynb": notebook(SECOND), "work (2).ipynb": notebook("SEED = 2", FIRST)}
    bob = handed("bob", **{SOUGHT: MODEL.read_bytes(), **decoys, **copies})
    findings = compare(*asking, [ann, bob])
    assert [finding.kind for finding in findings.found] == ["weights", "code"]
    assert "bob: after 30 models, 14 others are not compared." in findings.skipped


def test_copies_of_one_model_use_up_no_budget(asking):
    ann, bob = (
        handed(student, **{f"{n:02}.keras": content for n in range(40)}, **{"z.keras": MODEL.read_bytes()})
        for student, content in [("ann", b""), ("bob", keras_file(MODEL, stranger(read(MODEL), 1)))]
    )
    assert [kind for kind, *_ in compared(asking, ann, bob)] == ["weights"]


@pytest.mark.parametrize(("lost", "left"), [("files", {"code"}), ("notebook", {"weights"})])
def test_what_ends_a_reader_hides_nothing_beside_it(asking, lost, left):
    ann, bob = (
        handed(name, **{SOUGHT: MODEL.read_bytes(), "n.ipynb": notebook(FIRST)}) for name in ("ann", "bob")
    )
    other = {"files": "notebook", "notebook": "files"}[lost]
    workers = Dying(
        lambda task, arguments: task is read_work_task and "bob" in arguments and (other,) not in arguments
    )
    findings = compare(*asking, [ann, bob], readers=workers)
    assert {finding.kind for finding in findings.found} == left
    assert findings.skipped == (
        f"bob: the {lost} can't be compared: it took too much time of the processor, and was stopped",
    )


def test_what_is_not_graded_is_no_evidence(asking):
    """An older copy of the notebook, which the grader doesn't read."""
    ann = handed("ann", **{"n.ipynb": notebook(FIRST)})
    bob = handed("bob", **{"n (1).ipynb": notebook(FIRST), "n (2).ipynb": notebook(SECOND)})
    assert not compared(asking, ann, bob)


HARD = [
    "SEED", "SEED_", "default_rng(", "SEED ", " ",
    '"', "'''", "\\", 'f"{', "(", ")", "]", "[(", "a", "1", "1_", "a.", "1e", "é",
    "\\\n", "%", "@", "from ", "class ", "if 0:", "if 0:\n ", "x:", "\t", '"%(', "0x", "<!--", "<!-- -->", "_", "'\\\n",
]  # fmt: skip


@pytest.mark.parametrize("piece", HARD)
def test_reading_code_takes_linear_time(piece):
    text = (piece * 30_000)[:30_000] + " = 1\n"
    begin = time.process_time()
    seeds_of(text), code("ann", [text]), words("ann", [text])
    assert time.process_time() - begin < 2  # quadratic time takes more: "SEED" took 4 s


def test_seeds_are_read_from_code_that_runs():
    assert seeds_of("MY_SEED = 3\nkeras.utils.set_random_seed(MY_SEED)") == {3}
    assert seeds_of("# SEED = 1\n'SEED = 2'\nif 0:\n    SEED = 4\nnp.random.default_rng(5)") == {5}
    assert seeds_of("random.seed( 7 )\nnp.random.seed(\n 8)") == {7, 8}


def wide(units: int, seed: int) -> TrainedModel:
    """Return a model of one wide layer of three weights each, as `lsa` has it: its units are hard to assign."""
    whole = slice(None), slice(None)
    known = Layout([Block(0, whole, (Axis(None), Axis(0))), Block(1, whole, (Axis(0), Axis(None)))], [units])
    rng, other = np.random.default_rng(0), np.random.default_rng(seed)
    weights = tuple(
        (rng.normal(size=shape) + seed / 1000 * other.normal(size=shape)).astype("float32")
        for shape in ((1, units), (units, 1))
    )
    return TrainedModel(str(seed), SOUGHT, f"wide {units}", str(seed), 2 * units, (), weights, known)


@pytest.mark.slow
@pytest.mark.parametrize("units", [4_000, 8_000], ids=["seconds", "memory"])
def test_a_pair_that_takes_too_much_costs_no_other_pair(units):
    """Without the limit on the units that are reordered: the pair is given up, and the others are aligned."""
    with open_readers() as workers:
        begin = time.monotonic()
        models = [wide(units, 0), wide(units, 1), wide(50, 0), wide(50, 1)]
        found, skipped = match_models(models, [], workers)
        assert [match.first.structure for match in found] == ["wide 50"]
        assert len(skipped) == 1 and "not compared" in skipped[0]
        assert time.monotonic() - begin < 120


def test_wide_layers_keep_the_order_of_their_units():
    known = wide(MAX_UNITS + 1, 0).layout
    assert not known.settle().groups and wide(MAX_UNITS, 0).layout.settle().groups


def test_copies_of_one_keep_nobody_from_being_compared():
    """Two accomplices with many models that are near: each two students are compared on a budget of their own."""
    eve, mal = (dataclasses.replace(wide(9, seed), owner=name) for seed, name in enumerate(("eve", "mal")))
    near = [(n / 1000, dataclasses.replace(eve, file=f"{n}"), mal) for n in range(MAX_OF_PAIR + 60)]
    honest = (0.9, wide(9, 2), wide(9, 3))
    pairs, lines = limit_pairs([*near, honest])
    assert len(pairs) == MAX_OF_PAIR + 1 and honest[1:] in pairs
    assert lines == [f"eve and mal: 100 pairs of models are near; {MAX_OF_PAIR} are compared."]


class Dying:
    """Workers whose process is lost for some tasks."""

    room = 1

    def __init__(self, is_lost):
        self.is_lost = is_lost

    def submit(self, task, *arguments) -> Future:
        future = Future()
        if self.is_lost(task, arguments):
            future.set_exception(WorkerLost("it took too much time of the processor, and was stopped"))
        else:
            future.set_result(task(None, *arguments))
        return future


def test_what_is_lost_is_named(asking):
    ann, bob, cyd, dan = (
        handed(student, **{SOUGHT: model, "n.ipynb": notebook(text)})
        for student, model, text in [
            ("ann", MODEL.read_bytes(), FIRST), ("bob", keras_file(MODEL, noisy(read(MODEL))), FIRST),
            ("cyd", MODEL.read_bytes(), SECOND), ("dan", b"", THIRD),
        ]
    )  # fmt: skip
    workers = Dying(lambda task, arguments: task is align or "dan" in arguments)
    findings = compare(*asking, [ann, bob, cyd, dan], readers=workers)
    found = {(finding.kind, finding.first, finding.second) for finding in findings.found}
    assert found == {("weights", "ann", "cyd"), ("code", "ann", "bob")}
    lines = " ".join(findings.skipped)
    assert (
        "dan: the notebook can't be compared: it took too much time" in lines
        and "m.keras of ann and m.keras of bob" in lines
    )
    assert "m.keras of ann and m.keras of bob" in integrity_html(findings)
