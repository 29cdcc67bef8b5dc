"""What a plan tells of a model's structure."""

import pytest

from autograder.models import read_model
from autograder.models._architecture import has_path_without

WAYS = {  # what leads from x to the answer, and whether a way leads past every SimpleRNN
    "one after another": ("L.Dense(1)(L.SimpleRNN(3)(x))", False),
    "wrapped": ("L.Dense(1)(L.Bidirectional(L.SimpleRNN(3))(x))", False),
    "two readers of slices": (
        "L.Concatenate()([L.SimpleRNN(3)(x[:, :4]), L.SimpleRNN(3, go_backwards=True)(x[:, 4:])])",
        False,
    ),
    "masked": ("L.SimpleRNN(3)(L.Masking()(x))", False),
    "a letter beside the state": ("L.Concatenate()([L.SimpleRNN(3)(x), x[:, 0]])", True),
    "around it and back": ("L.Add()([L.Dense(3)(L.Flatten()(x)), L.SimpleRNN(3)(x)])", True),
    "none at all": ("L.Dense(1)(L.Flatten()(x))", True),
    "another memory": ("L.Dense(1)(L.GRU(3)(x))", True),
}


@pytest.mark.parametrize("name", WAYS)
def test_a_way_past_a_layer_is_found(name, tmp_path):
    import keras
    from keras import layers

    x, (text, past) = keras.Input((8, 4)), WAYS[name]
    keras.Model(x, eval(text, {"L": layers, "x": x})).save(tmp_path / "model.keras")
    plan = read_model((tmp_path / "model.keras").read_bytes()).plan
    assert has_path_without(plan, ["SimpleRNN"]) == past
