"""Rules on architecture see the whole graph: what counts, sums or slides beside a recurrent layer earns nothing."""

import json
from dataclasses import replace

import numpy as np
import pytest

from autograder.core import Failure
from autograder.models import RECURRENT, Predictor, check_architecture, check_memory, read_model
from autograder.models._config import read_plan

keras = pytest.importorskip("keras")

from keras import layers as L  # noqa: E402
from keras import ops  # noqa: E402

ALLOWED = (
    "Masking", "SimpleRNN", "Bidirectional", "Dense", "TimeDistributed", "Dropout", "Concatenate", "Add", "Multiply",
    "GlobalMaxPooling1D", "GlobalAveragePooling1D", "LayerNormalization", "Activation",
)  # fmt: skip
SHAPES = ("Flatten", "Reshape", "Permute", "RepeatVector", "Conv1D", "MaxPooling1D", "Embedding")
OPERATIONS = tuple(
    f"ops.{name}" for name in ("Sum", "Max", "Multiply", "Concatenate", "GetItem", "Add", "ExpandDims")
)
EVERYTHING = (*ALLOWED, *SHAPES, *OPERATIONS)


def states(x, units=3, **options):
    return L.SimpleRNN(units, return_sequences=True, **options)(x)


def last(x, units=3, start=None, mask=None, **options):
    return L.SimpleRNN(units, **options)(x, initial_state=start, mask=mask)


def windows(x, size=3):
    return ops.concatenate([x[:, k : k - size + 1 or None] for k in range(size)], axis=-1)


def joined(*parts):
    return L.Concatenate()(list(parts))


HONEST = {
    "a last state": lambda x: last(x),
    "a maximum of states": lambda x: L.GlobalMaxPooling1D()(states(x)),
    "both directions": lambda x: L.Bidirectional(L.SimpleRNN(3))(x),
    "masked": lambda x: last(L.Masking()(x)),
    "masked states, averaged": lambda x: L.GlobalAveragePooling1D()(states(L.Masking()(x))),
    "a dense layer on each step first": lambda x: last(L.Dense(5, "relu")(L.Dropout(0.2)(x))),
    "a dense layer on each step, wrapped": lambda x: last(L.TimeDistributed(L.Dense(2))(x)),
    "stacked": lambda x: last(L.LayerNormalization()(states(x))),
    "two readers": lambda x: joined(last(x), last(x, go_backwards=True)),
    "around a layer": lambda x: L.GlobalMaxPooling1D()(L.Add()([h := states(x), states(h)])),
    "a state handed on": lambda x: last(h := states(x), start=last(h)),
    "masked branches": lambda x: last(joined(L.Masking()(x), L.Masking(1.0)(x))),
    "features side by side": lambda x: last(joined(L.Dense(2)(x), L.Dense(3)(x))),
}
WITH_SLICES = {
    "a last step taken out": lambda x: states(x)[:, -1],
    "two halves": lambda x: joined(last(x[:, :4]), last(x[:, 4:], go_backwards=True)),
    "halves, each with its maximum": lambda x: joined(
        *(L.GlobalMaxPooling1D()(states(half)) for half in (x[:, :4], x[:, 4:]))
    ),
    "some features": lambda x: last(joined(x[..., :2], x[..., 2:])),
    "the first and the last state": lambda x: joined((h := states(x))[:, 0], h[:, -1]),
}  # fmt: skip
PAST = {
    "a count beside a state": lambda x: joined(last(x), ops.sum(x, axis=1)),
    "a mean beside a state": lambda x: joined(last(x), L.GlobalAveragePooling1D()(x)),
    "a maximum beside a state": lambda x: joined(last(x), L.GlobalMaxPooling1D()(L.Dense(3)(x))),
    "all steps side by side": lambda x: joined(last(x), L.Flatten()(x)),
    "a convolution": lambda x: joined(last(x), L.GlobalMaxPooling1D()(L.Conv1D(3, 3)(x))),
    "slices side by side": lambda x: joined(last(x), ops.max(L.Dense(2)(windows(x)), axis=1)),
    "a dense layer over time": lambda x: joined(last(x), L.Flatten()(L.Dense(2)(L.Permute((2, 1))(x)))),
    "a sum around the states": lambda x: ops.sum(L.Add()([states(x, 4), x]), axis=1),
    "a product of states and letters": lambda x: ops.sum(ops.multiply(states(x, 1), x[:, :, 2:3]), axis=1),
    "states times zero": lambda x: joined(L.GlobalAveragePooling1D()(x), ops.multiply(last(x), 0.0)),
    "a count as the first state": lambda x: last(x, 4, start=L.GlobalAveragePooling1D()(x)),
    "a count as the first state of a constant": lambda x: last(
        ops.multiply(x, 0.0), 4, start=L.GlobalAveragePooling1D()(x)
    ),
    "one step beside a state": lambda x: joined(last(x), x[:, 3]),
    "another memory": lambda x: L.Add()([last(x), L.Dense(3)(L.GlobalMaxPooling1D()(L.Dense(8)(x)))]),
    "words within steps": lambda x: L.GlobalMaxPooling1D()(
        L.TimeDistributed(L.SimpleRNN(2))(L.Reshape((-1, 2, 4))(x))
    ),
}
BEFORE = {
    "the mean, read as one step": lambda x: last(L.GlobalAveragePooling1D(keepdims=True)(x)),
    "the mean, repeated": lambda x: last(L.RepeatVector(3)(L.GlobalMaxPooling1D()(x))),
    "a convolution, then a state": lambda x: last(L.Conv1D(4, 3)(x)),
    "all steps in one": lambda x: last(L.Reshape((1, 32))(x)),
    "three steps in one": lambda x: last(L.Reshape((-1, 8))(x)),
    "steps and features exchanged": lambda x: last(L.Permute((2, 1))(x)),
    "the maximum of pairs": lambda x: last(L.MaxPooling1D(2)(x)),
    "a sum, read as one step": lambda x: last(ops.sum(x, axis=1, keepdims=True)),
    "steps joined to steps": lambda x: last(L.Concatenate(axis=1)([x, x])),
    "one step, read": lambda x: last(ops.expand_dims(x[:, 2], 1)),
    "slices side by side, read": lambda x: last(windows(x)),
    "slices side by side behind the states": lambda x: L.GlobalMaxPooling1D()(L.Dense(3)(windows(states(x)))),
}


def plan_of(build, shape=(8, 4)):
    x = keras.Input(shape)
    return read_plan(json.loads(keras.Model(x, L.Dense(1, activation="sigmoid")(build(x))).to_json()))


@pytest.mark.parametrize("name", HONEST)
def test_honest_models_keep_the_rules(name):
    check_architecture(plan_of(HONEST[name]), "it", ALLOWED, every_path=["SimpleRNN"])


@pytest.mark.parametrize("name", WITH_SLICES)
def test_slices_are_allowed_where_a_rubric_lists_them(name):
    plan = plan_of(WITH_SLICES[name])
    check_architecture(plan, "it", [*ALLOWED, "ops.GetItem"], every_path=["SimpleRNN"])
    with pytest.raises(Failure, match=r"it uses a slice such as x\[:, -1\], which"):
        check_architecture(plan, "it", ALLOWED, every_path=["SimpleRNN"])


@pytest.mark.parametrize("name", PAST)
def test_paths_past_the_recurrent_layer_are_refused_whatever_is_allowed(name):
    with pytest.raises(Failure, match="reaches the output past every SimpleRNN"):
        check_architecture(plan_of(PAST[name]), "it", EVERYTHING, every_path=["SimpleRNN"])


@pytest.mark.parametrize("name", BEFORE)
def test_steps_that_are_mixed_are_refused_whatever_is_allowed(name):
    with pytest.raises(Failure, match="mixes steps before any|puts slices of the sequence side by side"):
        check_architecture(plan_of(BEFORE[name]), "it", EVERYTHING, every_path=["SimpleRNN"])


def test_a_layer_that_may_mix_steps_is_named_by_the_rubric():
    plan = plan_of(BEFORE["three steps in one"])
    check_architecture(plan, "it", EVERYTHING, every_path=["SimpleRNN"], before=["Reshape"])


@pytest.mark.parametrize("kind", ["Conv1D", "the operation Sum"])
def test_what_is_not_allowed_is_named(kind):
    plan = plan_of(PAST["a convolution" if kind == "Conv1D" else "a count beside a state"])
    with pytest.raises(
        Failure, match=f"it uses {kind}, which this assignment leaves out. Build it of Activation"
    ):
        check_architecture(plan, "it", ALLOWED, every_path=["SimpleRNN"])


def test_a_model_without_a_recurrent_layer_is_told_so():
    plan = plan_of(lambda x: L.GlobalAveragePooling1D()(x))
    with pytest.raises(Failure, match="it holds no SimpleRNN or GRU or LSTM or RNN"):
        check_architecture(plan, "it", ALLOWED, every_path=RECURRENT)
    check_architecture(plan, "it", ALLOWED)


def test_a_mask_of_ones_own_is_followed():
    """It says which sequences hold a G anywhere, and no state is read."""

    def build(x):
        anywhere = L.Add()([L.Multiply()([x, x]), L.GlobalMaxPooling1D(keepdims=True)(x)])
        return last(x, mask=ops.any(anywhere != 0, axis=-1))

    with pytest.raises(Failure, match="GlobalMaxPooling1D mixes steps"):
        check_architecture(plan_of(build), "it", EVERYTHING, every_path=["SimpleRNN"])


# --- memory


def forgetful(last_bias=-22.0):
    """Return a count of the third letter by a recurrent layer that hands each step through, and a mean of all steps."""
    layer, dense = (
        L.SimpleRNN(4, activation="linear", return_sequences=True),
        L.Dense(1, activation="sigmoid"),
    )
    model = keras.Sequential([keras.Input((None, 4)), layer, L.GlobalAveragePooling1D(), dense])
    layer.set_weights([np.eye(4), np.full((4, 4), 1e-4), np.zeros(4)])
    dense.set_weights([np.array([[0.0], [0.0], [100.0], [0.0]]), np.array([last_bias])])
    return model


def remembering(kind):
    """Return a model of random weights."""
    model = keras.Sequential([keras.Input((None, 4)), getattr(L, kind)(6), L.Dense(1)])
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(0, 1.0, weight.shape) for weight in model.get_weights()])
    return model


def balanced(model):
    """Return the model with another last bias: it says yes to half of the sequences."""
    *weights, bias = model.weights
    return replace(
        model, weights=(*weights, bias - np.median(Predictor().predict(model, LETTERS)) + np.float32(0.5))
    )


LETTERS = [np.eye(4, dtype="float32")[np.random.default_rng(k).integers(0, 4, 8 + k % 3)] for k in range(200)]


def read(model, tmp_path):
    model.save(tmp_path / "model.keras")
    return read_model((tmp_path / "model.keras").read_bytes())


@pytest.mark.parametrize("bias", [-22.0, -25.0])  # with the second, what is remembered decides between equals
def test_a_recurrent_layer_that_hands_its_input_through_remembers_nothing(bias, tmp_path):
    model = read(forgetful(bias), tmp_path)
    assert 20 < (Predictor().predict(model, LETTERS) > 0.5).sum() < 180
    with pytest.raises(Failure, match="it answers the same when its states are set to zero"):
        check_memory(Predictor(), model, "it", LETTERS)


@pytest.mark.parametrize("kind", ["SimpleRNN", "GRU", "LSTM"])
def test_a_model_that_remembers_is_let_pass(kind, tmp_path):
    model = balanced(read(remembering(kind), tmp_path))
    assert 20 < (Predictor().predict(model, LETTERS) > 0.5).sum() < 180
    check_memory(Predictor(), model, "it", LETTERS)


def test_one_answer_to_all_is_let_pass(tmp_path):
    """It earns nothing, and what it should be told is something else."""
    model = keras.Sequential([keras.Input((None, 4)), L.SimpleRNN(2), L.Dense(1, kernel_initializer="zeros")])
    check_memory(Predictor(), read(model, tmp_path), "it", LETTERS)


@pytest.mark.parametrize("kind", ["SimpleRNN", "GRU", "LSTM"])
def test_without_memory_each_step_is_as_the_first_one(kind, tmp_path):
    """The oracle: Keras on the last step alone."""
    from autograder.models._architecture import without_memory

    model = remembering(kind)
    ours = Predictor().predict(without_memory(read(model, tmp_path)), LETTERS)
    np.testing.assert_allclose(ours, model(np.stack([x[-1:] for x in LETTERS])), atol=1e-5)
