"""Writes models of the Keras that is installed, with what they predict, into one zip archive.

python tests/models/make_fixtures.py fixtures/keras-3.8.0.zip [NAME ...]

It was run once for each version in `fixtures`, in an environment of its own with KERAS_BACKEND=jax, so that the
expected predictions come from another backend too.
"""

import io
import sys
import tempfile
import zipfile
from pathlib import Path

import keras
import numpy as np
from architectures import ARCHITECTURES

CHOSEN = """masked_bidirectional tokens masked_tokens stacked many_to_many nested two_heads encoder_decoder
concatenated_masks conv_same_dilated batch_normalization simple_rnn_dropout arithmetic
both_ways fixed_length"""


def inputs_for(model) -> list[np.ndarray]:
    """Two batches, of 5 and of 8 steps (or of the model's own length), with steps of zeros."""
    random = np.random.default_rng(1)
    shape, lengths = (
        model.inputs[0].shape,
        [5, 8] if model.inputs[0].shape[1] is None else [model.inputs[0].shape[1]],
    )
    if len(shape) == 2:
        return [random.integers(0, 6, (3, n)).astype("int32") for n in lengths]
    values = [random.normal(size=(3, n, 4)) for n in lengths]
    return [(x * (random.random((*x.shape[:2], 1)) > 0.3)).astype("float32") for x in values]


def made(name: str) -> tuple[bytes, dict[str, np.ndarray]]:
    """Return a saved model with random weights, and arrays x0, y0, x1, y1 of inputs and predictions."""
    keras.utils.clear_session()  # names begin anew
    keras.utils.set_random_seed(0)
    model = ARCHITECTURES[name]()
    random = np.random.default_rng(0)
    model.set_weights([np.abs(random.normal(0.3, 0.5, w.shape)) for w in model.get_weights()])
    model.compile("adam", "mse")
    arrays = {}
    for k, x in enumerate(inputs_for(model)):
        y = model(
            x, training=False
        )  # predict() traces with free axes, where TimeDistributed is wrong in 3.15.1
        arrays[f"x{k}"], arrays[f"y{k}"] = x, np.asarray(list(y.values())[0] if isinstance(y, dict) else y)
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model.keras")
        return (Path(folder) / "model.keras").read_bytes(), arrays


def main(target: str, *names: str) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names or CHOSEN.split():
            data, arrays = made(name)
            expected = io.BytesIO()
            np.savez(expected, **arrays)
            archive.writestr(f"{name}.keras", data)
            archive.writestr(f"{name}.npz", expected.getvalue())
    print(keras.__version__, target)


if __name__ == "__main__":
    main(*sys.argv[1:])
