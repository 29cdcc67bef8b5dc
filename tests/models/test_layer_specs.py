"""A layer is known by its spec alone: whoever adds one edits one table."""

import keras
import numpy as np
import pytest

from autograder.core import Failure
from autograder.models import Predictor, read_model
from autograder.models import _shapes as shapes
from autograder.models._builder import keras_model, zero_initializers
from autograder.models._computations import pass_mask
from autograder.models._layers import LAYER_SPECS, LayerSpec


def normalise(layer, weights, x):
    return x / np.sqrt(np.maximum((x * x).sum(axis=layer["axis"] - 1, keepdims=True), 1e-12))


@pytest.fixture
def saved(tmp_path) -> bytes:
    x = keras.Input((None, 4))
    y = keras.layers.UnitNormalization()(keras.layers.SimpleRNN(3, return_sequences=True)(x))
    keras.Model(x, keras.layers.SimpleRNN(1)(y)).save(tmp_path / "model.keras")
    return (tmp_path / "model.keras").read_bytes()


def test_a_layer_without_a_spec_is_refused_by_name(saved):
    with pytest.raises(Failure, match="UnitNormalization layer .* cannot be graded"):
        read_model(saved)


def test_one_spec_is_all_that_a_new_layer_needs(saved, tmp_path, monkeypatch):
    spec = LayerSpec(("axis",), shapes.along_axis, compute=normalise, mask=pass_mask)
    monkeypatch.setitem(LAYER_SPECS, "UnitNormalization", spec)
    model = read_model(saved)
    x = np.random.default_rng(0).normal(size=(5, 7, 4)).astype("float32")
    theirs = keras.models.load_model(tmp_path / "model.keras").predict(x, verbose=0)
    np.testing.assert_allclose(Predictor().predict(model, x), theirs, atol=1e-6)
    rebuilt, variables = keras_model(model.plan, zero_initializers)
    for variable, value in zip(variables, model.weights, strict=True):
        variable.assign(value)
    np.testing.assert_allclose(rebuilt.predict(x, verbose=0), theirs, atol=1e-6)
