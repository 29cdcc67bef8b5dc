"""What weights begin with, as far as it is not drawn: Keras's own initialisers are the oracle."""

import numpy as np
import pytest
from architectures import ARCHITECTURES

keras = pytest.importorskip("keras")

from keras import layers as L  # noqa: E402

from autograder.models import read_untrained_model  # noqa: E402
from autograder.models._builder import drawn_initializers, keras_model  # noqa: E402
from autograder.models._initializers import initial_weights  # noqa: E402

OWN = {
    "identity": lambda: L.SimpleRNN(4, recurrent_initializer=keras.initializers.Identity(0.5)),
    "ones": lambda: L.GRU(3, bias_initializer="ones", reset_after=False),
    "constant": lambda: L.LSTM(3, bias_initializer=keras.initializers.Constant(0.3)),
    "drawn": lambda: L.LSTM(3, bias_initializer="random_normal", unit_forget_bias=False),
}
NAMES = "stacked masked_tokens lstm_odd conv bidirectional_mul time_distributed both_ways nested batch_normalization"
NAMES += " batch_normalization_scale_only layer_normalization_plain simple_rnn_no_bias gru_before"


@pytest.mark.parametrize("name", [*OWN, *NAMES.split()])
def test_what_is_not_drawn_is_what_keras_sets(name):
    build = ARCHITECTURES.get(name) or (
        lambda: keras.Sequential([keras.Input((None, 4)), OWN[name](), L.Dense(1)])
    )
    blueprint = read_untrained_model(build().to_json().encode())
    first, second = (keras_model(blueprint.plan, drawn_initializers)[1] for _ in range(2))
    found = [*initial_weights(blueprint.plan, blueprint.starts)]
    assert any(one is None for one in found)
    for one, other, ours in zip(first, second, found, strict=True):
        one, other = map(keras.ops.convert_to_numpy, (one, other))
        assert (ours is not None) == np.array_equal(one, other)
        if ours is not None:
            np.testing.assert_array_equal(ours, one)
