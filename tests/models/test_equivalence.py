"""Every layer the grader knows predicts, read from its file and worked out in NumPy, what Keras predicts."""

from functools import cache

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from architectures import ARCHITECTURES  # noqa: E402

from autograder.models import Predictor, read_model  # noqa: E402
from autograder.models import _evaluator as evaluator  # noqa: E402
from autograder.models._layers import LAYER_SPECS  # noqa: E402

# Keras says so where a mask ends at a layer that has no use for it.
pytestmark = pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask:UserWarning")


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor()


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """`built(name)`: a model with random weights everywhere, biases too, and the file Keras saves; made once."""
    path = tmp_path_factory.mktemp("built") / "model.keras"

    @cache
    def build(name: str) -> tuple["keras.Model", bytes]:
        keras.utils.set_random_seed(len(name))
        model = ARCHITECTURES[name]()
        random = np.random.default_rng(0)
        model.set_weights([np.abs(random.normal(0.3, 0.5, w.shape)) for w in model.get_weights()])
        model.save(path)
        return model, path.read_bytes()

    return build


def sequences(model) -> list[np.ndarray]:
    """Return inputs of several lengths out of order, with steps of zeros in between, as the model takes them.

    Each is a tuple of an array for each input; of several, the second has lengths of its own.
    """
    lengths = [6, 9, 6, 7, 9, 6], [3, 2, 3, 3, 4, 1]
    return list(zip(*(values(one, n) for one, n in zip(model.inputs, lengths, strict=False)), strict=True))


def values(entrance, lengths: list[int]) -> list[np.ndarray]:
    """Return an array of each length, or of the model's own, for one input of a model."""
    random, fixed = np.random.default_rng(1), entrance.shape[1]
    lengths = [fixed] * 5 if fixed else lengths
    if entrance.dtype == "int32":
        return [random.integers(0, 6, n).astype("int32") for n in lengths]
    return [(random.normal(size=(n, 4)) * (random.random((n, 1)) > 0.3)).astype("float32") for n in lengths]


def kerass_own(model, inputs: list[tuple[np.ndarray, ...]]) -> list[np.ndarray]:
    """Return what Keras predicts, equal lengths together; untraced, as its TimeDistributed is wrong in a trace."""
    predictions = [None] * len(inputs)
    for lengths in {tuple(map(len, one)) for one in inputs}:
        rows = [row for row, one in enumerate(inputs) if tuple(map(len, one)) == lengths]
        xs = [
            keras.ops.convert_to_tensor(np.stack(x)) for x in zip(*(inputs[row] for row in rows), strict=True)
        ]
        outputs = keras.tree.flatten(model(xs if len(xs) > 1 else xs[0], training=False))[0]
        for row, output in zip(rows, keras.ops.convert_to_numpy(outputs), strict=True):
            predictions[row] = output
    return predictions


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_predictions_equal_keras_s(name, built, predictor):
    model, data = built(name)
    ours = read_model(data)
    assert ours.plan.parameters == model.count_params()
    assert ours.plan.input_shapes == tuple(one.shape for one in model.inputs)
    assert ours.plan.output_shape == keras.tree.flatten(model.outputs)[0].shape
    inputs = sequences(model)
    predicted, expected = predictor.predict(ours, inputs), kerass_own(model, inputs)
    for one, other in zip(predicted, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
    assert (
        len({row.tobytes() for row in predicted}) > 1
    )  # a model that says the same of all would prove nothing


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_all_is_worked_out_in_single_precision(name, built, monkeypatch):
    found = []

    def listening(*given):
        found.extend(results := called(*given))
        return results

    called = evaluator.call_layer
    monkeypatch.setattr(evaluator, "call_layer", listening)
    ours = read_model(built(name)[1])
    Predictor().predict(ours, sequences(built(name)[0]))
    assert {one.x.dtype.name for one in found} <= {"float32", "bool"}


def test_the_architectures_use_every_kind_in_the_table(built):
    plans = [read_model(built(name)[1]).plan for name in ARCHITECTURES]
    trained_here = {"RNN", "SkipCell"}  # refused in a file; tests/test_training.py has them
    assert {one.kind for plan in plans for layer in plan.layers for one in layer.all} == {
        *LAYER_SPECS
    } - trained_here
