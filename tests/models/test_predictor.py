"""The predictor: order, equal lengths, one trace for equal plans, and a clear line where a model cannot answer."""

import json
import re

import numpy as np
import pytest
from architectures import ARCHITECTURES
from crafted import entries, good, reconfigured, with_option

from autograder.failure import Failure
from autograder.models import Model, Predictor, read_model
from autograder.models.config import read_plan
from autograder.models.network import COPIES, MOST_MEMORY, MOST_NETWORKS, batch_rows

MODEL = read_model(good("masked_bidirectional"))


def rnn(model: Model, x: np.ndarray) -> np.ndarray:
    """A masked bidirectional SimpleRNN and a dense layer in NumPy."""
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


def test_equal_plans_share_one_trace_and_keep_their_own_weights():
    predictor, inputs = Predictor(), sequences(5, 5)
    other = Model(MODEL.plan, tuple(-weight for weight in MODEL.weights), "")
    renamed = reconfigured(
        good("masked_bidirectional"), lambda c: c["config"]["layers"][-1]["config"].update(name="x")
    )
    assert read_model(renamed).plan.signature == MODEL.plan.signature
    for model in (MODEL, other, read_model(renamed), MODEL):
        expected = [rnn(model, x) for x in inputs]
        np.testing.assert_allclose(predictor.predict(model, inputs), expected, atol=1e-5)
    assert len(predictor.networks) == 1


@pytest.mark.parametrize("options", [{"activation": "relu"}, {"go_backwards": True}, {"units": 2}])
def test_any_other_option_makes_another_signature(options):
    other = with_option(good("tokens"), "GRU", **options)
    plans = [read_plan(json.loads(entries(data)["config.json"])) for data in (good("tokens"), other)]
    assert plans[0].signature != plans[1].signature


def test_only_the_traces_used_last_are_kept():
    predictor = Predictor()
    predictor.networks.update((str(k), None) for k in range(MOST_NETWORKS))
    predictor.predict(MODEL, sequences(2))
    assert len(predictor.networks) == MOST_NETWORKS
    assert {"1", MODEL.plan.signature} <= predictor.networks.keys() and "0" not in predictor.networks


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
    """A model of two inputs, by Keras and as it is read from its file."""
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


def test_tokens_outside_the_embedding_are_a_failure():
    with pytest.raises(Failure, match="99"):
        Predictor().predict(read_model(good("tokens")), [np.array([1, 99])])


def test_a_batch_stays_within_its_memory():
    assert batch_rows(MODEL.plan, 10, 1024) == 1024
    rows = batch_rows(MODEL.plan, 100_000, 1024)
    assert rows < 1024 and rows * MODEL.plan.values(100_000) * 4 * COPIES <= MOST_MEMORY
    assert batch_rows(MODEL.plan, 10**9, 1024) == 1
