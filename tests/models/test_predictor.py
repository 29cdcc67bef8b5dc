"""The predictor: order, equal lengths, batches made once, and a clear line where a model cannot answer."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from architectures import ARCHITECTURES
from crafted import entries, good, reconfigured, with_option

from autograder.core import Failure
from autograder.models import Model, Predictor, read_model
from autograder.models import _predictor as limits
from autograder.models._config import read_plan
from autograder.models._predictor import COPIES, MAX_KEPT, MAX_MEMORY, batch_rows

MODEL = read_model(good("masked_bidirectional"))


def rnn(model: Model, x: np.ndarray) -> np.ndarray:
    """Return a masked bidirectional SimpleRNN and a dense layer in NumPy."""
    kernel, recurrent, bias, back_kernel, back_recurrent, back_bias, dense, dense_bias = model.weights
    ahead, back = np.zeros(len(bias)), np.zeros(len(bias))
    for step in x[x.any(axis=1)]:
        ahead = np.tanh(step @ kernel + ahead @ recurrent + bias)
    for step in x[x.any(axis=1)][::-1]:
        back = np.tanh(step @ back_kernel + back @ back_recurrent + back_bias)
    return np.concatenate([ahead, back]) @ dense + dense_bias


def sequences(*lengths: int) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [
        np.eye(4, dtype="float32")[random.integers(0, 4, n)] * (random.random((n, 1)) > 0.2) for n in lengths
    ]


def test_predictions_come_in_the_order_given_for_any_lengths():
    inputs = sequences(7, 3, 7, 1, 30, 3)
    expected = [rnn(MODEL, x) for x in inputs]
    np.testing.assert_allclose(Predictor().predict(MODEL, inputs, batch_size=2), expected, atol=1e-5)


def test_no_inputs_give_no_predictions():
    assert Predictor().predict(MODEL, []).shape == (0, 1)


def test_models_that_are_asked_the_same_share_batches_and_keep_their_own_weights():
    predictor, inputs = Predictor(), sequences(5, 5)
    other = Model(MODEL.plan, tuple(-weight for weight in MODEL.weights), "")
    renamed = reconfigured(
        good("masked_bidirectional"), lambda c: c["config"]["layers"][-1]["config"].update(name="x")
    )
    assert read_model(renamed).plan.signature == MODEL.plan.signature
    for model in (MODEL, other, read_model(renamed), MODEL):
        expected = [rnn(model, x) for x in inputs]
        np.testing.assert_allclose(predictor.predict(model, inputs), expected, atol=1e-5)
    assert len(predictor.prepared) == 1
    predictor.predict(MODEL, [*inputs])  # another list of the same arrays
    assert len(predictor.prepared) == 1


def test_what_is_asked_about_can_not_be_changed_behind_the_batches():
    whole, single = np.zeros((3, 5, 4), "float32"), np.zeros((5, 4), "float32")
    predictor = Predictor()
    predictor.predict(MODEL, [*whole, single])
    for array in (whole, single):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_an_array_of_inputs_is_known_again():
    predictor, x = Predictor(), np.stack(sequences(5, 5))
    first = predictor.predict(MODEL, x)
    np.testing.assert_array_equal(predictor.predict(MODEL, x), first)
    assert len(predictor.prepared) == 1


@pytest.mark.parametrize("options", [{"activation": "relu"}, {"go_backwards": True}, {"units": 2}])
def test_any_other_option_makes_another_signature(options):
    other = with_option(good("tokens"), "GRU", **options)
    plans = [read_plan(json.loads(entries(data)["config.json"])) for data in (good("tokens"), other)]
    assert plans[0].signature != plans[1].signature


def test_only_the_batches_used_last_are_kept(monkeypatch):
    predictor, first = Predictor(), sequences(2)
    for inputs in [first, *(sequences(3) for _ in range(MAX_KEPT - 1)), first, sequences(4)]:
        predictor.predict(MODEL, inputs)
    assert len(predictor.prepared) == MAX_KEPT
    assert any(prepared.inputs is first for prepared in predictor.prepared.values())
    monkeypatch.setattr(limits, "MAX_BYTES", 2 * 4 * 4 * 9)  # room for one of nine steps
    predictor.predict(MODEL, sequences(9))
    assert len(predictor.prepared) == 1
    np.testing.assert_array_equal(predictor.predict(MODEL, first), Predictor().predict(MODEL, first))


def test_inputs_of_another_identity_are_others():
    """Equal shapes, equal ids of dead objects: what is kept can't be taken for something new."""
    predictor = Predictor()
    for seed in range(40):
        x = np.random.default_rng(seed).normal(size=(6, 4)).astype("float32")
        np.testing.assert_allclose(predictor.predict(MODEL, [x])[0], rnn(MODEL, x), atol=1e-5)


def test_an_output_for_each_step_gives_a_list():
    model = read_model(good("many_to_many"))
    predicted = Predictor().predict(model, sequences(4, 2, 9))
    assert [y.shape for y in predicted] == [(4, 2), (2, 2), (9, 2)]


@pytest.mark.parametrize("x", [np.zeros((5, 3)), np.zeros(5), np.zeros((5, 4, 1))])
def test_an_input_of_another_shape_is_named(x):
    with pytest.raises(
        Failure, match=r"takes inputs of shape \(None, None, 4\), but is asked about one of shape"
    ):
        Predictor().predict(MODEL, [*sequences(3), x])


def test_several_inputs_are_batched_by_all_their_lengths(built_two):
    model, ours = built_two
    random = np.random.default_rng(0)
    asked = [(random.random((n, 4)), random.integers(0, 6, m)) for n, m in ((5, 2), (3, 2), (5, 2), (5, 4))]
    for (read, written), came in zip(asked, Predictor().predict(ours, asked), strict=True):
        np.testing.assert_allclose(came, model([read[None], written[None]])[0], atol=1e-6)


@pytest.mark.parametrize(
    "inputs", [[np.zeros((5, 4))], [(np.zeros(3), np.zeros((5, 4)))], [(np.zeros((5, 4)),) * 3]]
)
def test_inputs_that_are_missing_too_many_or_swapped_are_named(built_two, inputs):
    shapes = re.escape("((None, None, 4), (None, None))")
    with pytest.raises(Failure, match=f"takes inputs of shape {shapes}, but is asked about"):
        Predictor().predict(built_two[1], inputs)


@pytest.fixture(scope="module")
def built_two(tmp_path_factory):
    """Return a model of two inputs, by Keras and as it is read from its file."""
    path = tmp_path_factory.mktemp("two") / "model.keras"
    model = ARCHITECTURES["two_inputs"]()
    model.save(path)
    return model, read_model(path.read_bytes())


def test_a_fixed_length_is_named():
    fixed = read_model(with_option(good("masked_bidirectional"), "InputLayer", batch_shape=[None, 40, 4]))
    with pytest.raises(Failure, match=r"\(None, 40, 4\).*\(None, 7, 4\).*every length"):
        Predictor().predict(fixed, sequences(7))


def test_predictions_that_are_not_finite_are_a_failure():
    huge = Model(MODEL.plan, tuple(weight * 1e38 for weight in MODEL.weights), "")
    with pytest.raises(Failure, match="2 of 2 predictions are NaN or infinite"):
        Predictor().predict(huge, [np.ones((3, 4)), np.ones((2, 4))])


def test_a_model_that_would_take_far_too_long_is_refused():
    slow = Model(replace(MODEL.plan, work=10**9), MODEL.weights, "")
    with pytest.raises(Failure, match="operations for these inputs, at most 300,000,000,000"):
        Predictor().predict(slow, sequences(*[400] * 2))


def test_whatever_running_raises_is_a_failure():
    odd = Model(MODEL.plan, tuple(weight.astype(str) for weight in MODEL.weights), "")
    with pytest.raises(Failure, match="cannot be run on these inputs"):
        Predictor().predict(odd, sequences(3))


def test_tokens_outside_the_embedding_are_a_failure():
    with pytest.raises(Failure, match="99"):
        Predictor().predict(read_model(good("tokens")), [np.array([1, 99])])


def test_a_batch_stays_within_its_memory():
    assert batch_rows(MODEL.plan, 10, 1024) == 1024
    rows = batch_rows(MODEL.plan, 100_000, 1024)
    assert rows < 1024 and rows * MODEL.plan.values(100_000) * 4 * COPIES <= MAX_MEMORY
    assert batch_rows(MODEL.plan, 10**9, 1024) == 1


def test_equal_questions_to_equal_models_are_answered_once(monkeypatch):
    asked = []
    monkeypatch.setattr(
        limits, "run", lambda model, xs, run=limits.run: asked.append(model) or run(model, xs)
    )
    predictor, inputs = Predictor(), sequences(5, 5)
    other = replace(MODEL, weights=tuple(weight + 1 for weight in MODEL.weights))
    first = predictor.predict(MODEL, inputs)
    first[:] = 0  # whoever asks may change what came
    again, third = predictor.predict(replace(MODEL), inputs), predictor.predict(other, inputs)
    assert len(asked) == 2 and abs(again - third).max() > 1e-3 and abs(again).max() > 0
    predictor.predict(MODEL, sequences(5, 5))
    assert len(asked) == 3
