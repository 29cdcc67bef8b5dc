"""Models as students save them: each predicts what Keras predicts after loading it, or names a way out that works."""

import json
import re

import numpy as np
import pytest
from crafted import entries, good, packed, reconfigured, replaced

from autograder.core import Failure
from autograder.models import Predictor, read_model

keras = pytest.importorskip("keras")

import tensorflow as tf  # noqa: E402
from keras import layers as L  # noqa: E402

X = np.random.default_rng(0).normal(size=(4, 7, 4)).astype("float32")
IDS = np.random.default_rng(0).integers(0, 9, (4, 7)).astype("int32")


def chain(*layers, **options):
    return keras.Sequential([keras.Input(**{"shape": (None, 4)} | options), *layers, L.Dense(1, "sigmoid")])


def of_ids(*layers):
    return keras.Sequential([keras.Input((None,), dtype="int32"), *layers, L.SimpleRNN(3), L.Dense(1)])


def predicted_first():
    model = keras.Sequential([L.SimpleRNN(3), L.Dense(1)])
    model.predict(X[:2], verbose=0)
    return model


def compiled(optimizer):
    model = chain(L.SimpleRNN(3))
    model.compile(optimizer, "mse", metrics=[keras.metrics.MeanIoU(2)])
    return model


def under(policy):
    keras.config.set_dtype_policy(policy)
    try:
        return chain(L.SimpleRNN(3, recurrent_initializer="ones"))
    finally:
        keras.config.set_dtype_policy("float32")


def with_unused_input():
    a, b = keras.Input((None, 4)), keras.Input((None, 4))
    return keras.Model([a, b], L.Dense(1)(L.SimpleRNN(3)(b)))


def with_dict_of_inputs():
    a = keras.Input((None, 4), name="letters")
    return keras.Model({"letters": a}, L.Dense(1)(L.SimpleRNN(3)(a)))


MATRIX = np.random.default_rng(1).normal(size=(2_000, 100))
SAVED = {
    "batch_size of the input": lambda: chain(L.SimpleRNN(3), batch_size=4),
    "batch_shape of the input": lambda: chain(L.GRU(3), shape=None, batch_shape=(4, 7, 4)),
    "predicting before saving": predicted_first,
    "stateful": lambda: chain(L.SimpleRNN(3, stateful=True), batch_size=4),
    "stateful in both directions": lambda: chain(L.Bidirectional(L.LSTM(3, stateful=True)), batch_size=4),
    "mixed_float16": lambda: under("mixed_float16"),
    "mixed_bfloat16": lambda: under("mixed_bfloat16"),
    "float16": lambda: under("float16"),
    "bfloat16": lambda: under("bfloat16"),
    "float64": lambda: under("float64"),
    "one layer in float16": lambda: chain(L.SimpleRNN(3), L.Dense(2, dtype=keras.DTypePolicy("mixed_float16"))),
    "a map of policies": lambda: chain(L.SimpleRNN(3, dtype=keras.dtype_policies.DTypePolicyMap())),
    "a start from a large matrix": lambda: of_ids(L.Embedding(*MATRIX.shape, keras.initializers.Constant(MATRIX))),
    "infinite clipnorm": lambda: compiled(keras.optimizers.Adam(clipnorm=float("inf"))),
    "a schedule": lambda: compiled(keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 10))),
    "an activation as a layer": lambda: chain(L.SimpleRNN(3, activation=L.LeakyReLU(0.3))),
    "an activation as a layer of its own": lambda: chain(L.SimpleRNN(3), L.Activation(L.ELU(0.5))),
    "an activation by get": lambda: chain(L.GRU(3, activation=keras.activations.get("relu"))),
    "an activation of TensorFlow": lambda: chain(L.SimpleRNN(3, activation=tf.nn.relu)),
    "a slope that was learnt": lambda: chain(
        L.SimpleRNN(3, return_sequences=True), L.PReLU(shared_axes=[1]), L.GRU(2), L.PReLU()
    ),
    "small whole numbers": lambda: keras.Sequential(
        [keras.Input((None,), dtype="uint8"), L.Embedding(9, 3), L.SimpleRNN(3), L.Dense(1)]
    ),
    "ids as floats": lambda: keras.Sequential([keras.Input((None,)), L.Embedding(9, 3), L.SimpleRNN(3), L.Dense(1)]),
    "an unused input": with_unused_input,
    "inputs by name": with_dict_of_inputs,
    "dropout with a seed": lambda: chain(L.TimeDistributed(L.Dropout(0.3, seed=1)), L.SimpleRNN(3, dropout=0.2)),
    "a nested functional model": lambda: chain(
        keras.Model(a := keras.Input((None, 4)), L.SimpleRNN(3, return_sequences=True)(a)), L.GlobalMaxPooling1D()
    ),
    "layers that don't train": lambda: chain(L.SimpleRNN(3, trainable=False)),
    "a penalty": lambda: chain(L.SimpleRNN(3, kernel_regularizer="l2", activity_regularizer="l1")),
    "unrolled": lambda: chain(L.SimpleRNN(3, unroll=True), shape=(7, 4)),
}  # fmt: skip
HALF = ("float16", "mixed_float16", "bfloat16", "mixed_bfloat16", "one layer in float16")


def saved(model, tmp_path) -> bytes:
    model.save(tmp_path / "model.keras")
    return (tmp_path / "model.keras").read_bytes()


def inputs_of(model) -> list:
    arrays = [IDS if len(x.shape) == 2 else X for x in model.inputs]
    arrays = [x[:, : tensor.shape[1]] for x, tensor in zip(arrays, model.inputs, strict=True)]
    return arrays if len(arrays) > 1 else arrays[0]


@pytest.mark.parametrize("name", SAVED)
def test_what_students_save_predicts_what_keras_loads(name, tmp_path):
    keras.utils.set_random_seed(1)
    model = SAVED[name]()
    if model.inputs[0].shape[0] == 2:  # predicted from two rows before
        model = predicted_first()
    data = saved(model, tmp_path)
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    inputs = inputs_of(loaded)
    count = model.inputs[0].shape[0] or 4
    rows = [x[:count] for x in inputs] if isinstance(inputs, list) else inputs[:count]
    expected = np.asarray(tf.cast(loaded(rows), "float32"))
    ours = list(zip(*rows, strict=True)) if isinstance(inputs, list) else list(rows)
    tolerance = 0.03 if name in HALF else 1e-5
    read = read_model(data)
    np.testing.assert_allclose(Predictor().predict(read, ours), expected, atol=tolerance)
    assert np.ptp(expected) > tolerance / 10  # a model that says the same of all would prove nothing
    assert bool(read.remarks) == (name in (*HALF, "float64", "stateful", "stateful in both directions"))


def test_a_remark_names_the_precision(tmp_path):
    remarks = read_model(saved(SAVED["mixed_float16"](), tmp_path)).remarks
    assert any("mixed_float16" in remark and "float32" in remark for remark in remarks)


def test_numbers_that_are_not_finite_count_where_a_prediction_depends_on_them(tmp_path):
    data = saved(chain(L.SimpleRNN(3), L.LeakyReLU(0.1)), tmp_path)
    spoilt = replaced(
        data, config=entries(data)["config.json"].replace(b'"negative_slope": 0.1', b'"negative_slope": NaN')
    )
    with pytest.raises(Failure, match="negative_slope should be a number, but is nan"):
        read_model(spoilt)


def test_tensorflows_softmax_is_softmax(tmp_path):
    """Keras itself finds no function `softmax_v2` when it loads the model; the model that was saved is the oracle."""
    model = chain(L.SimpleRNN(3), L.Activation(tf.nn.softmax))
    ours = Predictor().predict(read_model(saved(model, tmp_path)), list(X))
    np.testing.assert_allclose(ours, model(X), atol=1e-5)


def test_litter_in_the_archive_is_passed_over():
    data = good("masked_bidirectional")
    littered = {"__MACOSX/._config.json": b"\0", ".DS_Store": b"x", **entries(data)}
    assert read_model(packed(littered)).plan.signature == read_model(data).plan.signature


# --- refused, with a way out that works


class OwnModel(keras.Model):
    def __init__(self):
        super().__init__()
        self.first, self.second = L.SimpleRNN(3), L.Dense(1)

    def call(self, x):
        return self.second(self.first(x))


def hint_of(data: bytes) -> str:
    with pytest.raises(Failure) as caught:
        read_model(data)
    return caught.value.hint


def follow(hint: str, model, tmp_path) -> bytes:
    """Run the code in a hint, which saves name.keras, and return that file."""
    code = re.search(r"((?:start = |keras\.|model\.)(?!.*start = ).*)\.$", hint)[1]
    code = code.replace("name.", f"{tmp_path}/name.")
    exec(code, {"keras": keras, "model": model})  # ours, not a student's
    return (tmp_path / "name.keras").read_bytes()


@pytest.mark.parametrize("kind", ["TextVectorization", "StringLookup", "IntegerLookup"])
def test_the_way_out_of_a_layer_for_text(kind, tmp_path):
    if kind == "TextVectorization":
        layer, shape, dtype = L.TextVectorization(vocabulary=["the", "film"]), (1,), "string"
    elif kind == "StringLookup":
        layer, shape, dtype = L.StringLookup(vocabulary=["the", "film"]), (None,), "string"
    else:
        layer, shape, dtype = L.IntegerLookup(vocabulary=[3, 5]), (None,), "int64"
    model = keras.Sequential(
        [keras.Input(shape, dtype=dtype), layer, L.Embedding(9, 4), L.SimpleRNN(3), L.Dense(1)]
    )
    hint = hint_of(saved(model, tmp_path))
    rest = read_model(follow(hint, model, tmp_path))
    inputs = np.array([["the film bad"]]) if kind == "TextVectorization" else [["the", "bad"]]
    inputs = [[3, 4, 5]] if kind == "IntegerLookup" else inputs
    inputs = tf.constant(inputs)
    np.testing.assert_allclose(
        Predictor().predict(rest, list(np.asarray(layer(inputs)))), model(inputs), atol=1e-5
    )


def test_the_way_out_of_a_model_of_ones_own(tmp_path):
    model = OwnModel()
    expected = model(X)
    rest = read_model(follow(hint_of(saved(model, tmp_path)), model, tmp_path))
    np.testing.assert_allclose(Predictor().predict(rest, list(X)), expected, atol=1e-5)


def test_the_way_out_of_the_older_h5_format(tmp_path):
    model = chain(L.SimpleRNN(3))
    model.save(tmp_path / "name.h5")
    rest = read_model(follow(hint_of((tmp_path / "name.h5").read_bytes()), model, tmp_path))
    np.testing.assert_allclose(Predictor().predict(rest, list(X)), model(X), atol=1e-5)


def test_the_way_out_of_weights_alone(tmp_path):
    model = chain(L.SimpleRNN(3))
    model.save_weights(tmp_path / "name.weights.h5")
    rest = read_model(follow(hint_of((tmp_path / "name.weights.h5").read_bytes()), model, tmp_path))
    np.testing.assert_allclose(Predictor().predict(rest, list(X)), model(X), atol=1e-5)


@pytest.mark.parametrize(
    "old, new",
    {
        "a lambda": (lambda: L.Lambda(lambda x: x * 2), lambda: L.Rescaling(2.0)),
        "a cell": (lambda: L.RNN(L.LSTMCell(4), return_sequences=True), lambda: L.LSTM(4, return_sequences=True)),
        "a function of one's own": (
            lambda: L.Dense(4, activation=lambda x: keras.ops.tanh(x)), lambda: L.Dense(4, activation="tanh")
        ),
    }.values(),
)  # fmt: skip
def test_weights_are_taken_over_as_the_hint_says(old, new, tmp_path):
    model = chain(old(), L.SimpleRNN(3))
    with pytest.raises(Failure, match=re.escape("new.set_weights(model.get_weights())")):
        read_model(saved(model, tmp_path))
    rebuilt = chain(new(), L.SimpleRNN(3))
    rebuilt.set_weights(model.get_weights())
    ours = Predictor().predict(read_model(saved(rebuilt, tmp_path)), list(X))
    np.testing.assert_allclose(ours, model(X), atol=1e-5)


def test_the_way_out_of_a_mask_into_a_nested_model(tmp_path):
    a, x = keras.Input((None, 4)), keras.Input((None, 4))
    inner = keras.Model(a, L.SimpleRNN(2)(L.Dense(3)(a)))
    model = keras.Model(x, L.Dense(1)(inner(L.Masking()(x))))
    assert "for layer in inner.layers[1:]: x = layer(x)" in hint_of(saved(model, tmp_path))
    y = L.Masking()(x)
    for layer in inner.layers[1:]:
        y = layer(y)
    flat = keras.Model(x, model.layers[-1](y))
    masked = X * (np.arange(7)[:, None] > 2)
    ours = Predictor().predict(read_model(saved(flat, tmp_path)), list(masked))
    np.testing.assert_allclose(ours, model(masked), atol=1e-5)


def test_a_quantized_model_names_its_way_out(tmp_path):
    model = chain(L.SimpleRNN(3), L.Dense(4))
    with pytest.warns(UserWarning, match="quantize"):
        model.quantize("int8")
    assert "before you quantize" in hint_of(saved(model, tmp_path))


def test_a_model_that_was_never_built_names_its_way_out(tmp_path):
    hint = hint_of(saved(keras.Sequential([L.SimpleRNN(3), L.Dense(1)]), tmp_path))
    assert "keras.Input(shape=(None, ...))" in hint


# --- in time linear in what was sent


def flat_sequence(count: int) -> str:
    return '{"class_name":"Sequential",' + ",".join(f'"{k}":0' for k in range(count)) + ',"7":0}'


def reversed_graph(calls: int, waiting: int) -> dict:
    """Return a functional model whose calls are listed last first, and some that wait for ever."""

    def tensor(name):
        return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}

    def entry(name, *nodes):
        return {"module": "keras.src.ops.numpy", "class_name": "Add", "config": {"name": name}, "name": name,
                "inbound_nodes": [{"args": [tensor(node), 1.0], "kwargs": {}} for node in nodes]}  # fmt: skip

    names = ["in", *(f"a{k}" for k in range(calls))]
    config = {"batch_shape": [None, None, 4], "dtype": "float32", "sparse": False, "name": "in"}
    start = {
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": config,
        "name": "in",
        "inbound_nodes": [],
    }
    adding = [entry(name, before) for before, name in zip(names, names[1:], strict=False)]
    stuck = [entry("s", *["nobody"] * waiting)] if waiting else []
    graph = {
        "layers": [start, *stuck, *adding[::-1]],
        "input_layers": [["in", 0, 0]],
        "output_layers": [[names[-1], 0, 0]],
    }
    return {"class_name": "Functional", "config": graph}


BASE = good("masked_bidirectional")
LARGE = {
    "a key twice among 100,000": lambda: flat_sequence(90_000),
    "480 calls in reverse, 7,500 waiting": lambda: json.dumps(reversed_graph(480, 7_500)),
    "10,000 calls in reverse": lambda: json.dumps(reversed_graph(10_000, 0))[: 2**20],
    "32 MiB of a matrix, then nothing": lambda: '{"a": [' + "1.5," * (2**23 - 10) + "1]}",
    "a million brackets": lambda: '{"a": [' + "[1]," * 200_000 + "1]}",
    "an open list of numbers a hundred thousand times": lambda: "[1,1" * 250_000,
    "a text that never ends": lambda: '{"a": "' + "\\\\" * 400_000,
}


@pytest.mark.parametrize("name", LARGE)
def test_large_configs_are_refused_at_once(name):
    import time

    data = replaced(BASE, config=LARGE[name]().encode())
    start = time.process_time()
    with pytest.raises(Failure):
        read_model(data)
    assert time.process_time() - start < 3


def test_calls_in_reverse_order_are_read_in_time():
    import time

    from autograder.models._config import read_plan

    start = time.process_time()
    assert len(read_plan(reversed_graph(480, 0)).calls) == 481
    assert time.process_time() - start < 2


def test_nested_models_that_pass_their_input_on_are_counted():
    """Each calls the next ten times: a file of a few kilobytes, 10**8 calls and no layer."""

    def tensor(name, number=0):
        return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, number, 0]}}

    config = {"batch_shape": [None, None, 4], "dtype": "float32", "sparse": False, "name": "in"}
    start = {
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": config,
        "name": "in",
        "inbound_nodes": [],
    }
    model = {"layers": [start], "input_layers": [["in", 0, 0]], "output_layers": [["in", 0, 0]]}
    for depth in range(8):
        nodes = [{"args": [tensor("in")], "kwargs": {}}] * 10
        inner = {
            "module": "keras",
            "class_name": "Functional",
            "config": model,
            "name": f"m{depth}",
            "inbound_nodes": nodes,
        }
        model = {
            "layers": [start, inner],
            "input_layers": [["in", 0, 0]],
            "output_layers": [[f"m{depth}", 9, 0]],
        }
    data = reconfigured(BASE, lambda c: c.update(class_name="Functional", config=model))
    with pytest.raises(Failure, match="nested models more than 500 times"):
        read_model(data)
