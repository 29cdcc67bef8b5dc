"""Training a student's model: the budget is kept, seeds decide, and nothing that was trained elsewhere counts."""

import json
import random
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from autograder.core import Failure
from autograder.models import Predictor, read_model, read_untrained_model, train_model
from autograder.models import _training_loop as loop
from autograder.models._builder import drawn_initializers, keras_model
from autograder.models._initializers import INITIALIZERS
from autograder.notebook_checks import line_of
from autograder.rubric import ItemRun, Submission, record_run
from autograder.sandbox import InProcessSandbox

BUDGET = {"updates": 20, "learning_rate": 0.05, "batch": 16, "runs": 2}
NOTEBOOK = """
import keras
import numpy as np
from keras import layers

class SkipCell(layers.Layer):
    def __init__(self, units, scale, **rest):
        super().__init__(**rest)
        self.units = self.state_size = units
        self.scale = scale

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units))

    def call(self, x, states):
        raise RuntimeError("the grader has a cell of its own")

    def get_config(self):
        return super().get_config() | {"units": self.units, "scale": self.scale}

def network(*hidden, time=None):
    return keras.Sequential([keras.Input((time, 3)), *hidden, layers.Dense(1, activation="sigmoid")])

def plain(): return network(layers.SimpleRNN(4))
def skipping():
    inputs = keras.Input((None, 3))
    return keras.Sequential([inputs, layers.RNN(SkipCell(4, 0.5)), layers.Dense(1, activation="sigmoid")])
def set_by_hand():
    model = plain()
    model.set_weights([weight + 1 for weight in model.get_weights()])
    return model
def fixed(): return network(layers.SimpleRNN(4), time=7)
def of_two_inputs():
    x, y = keras.Input((None, 3)), keras.Input((None, 3))
    return keras.Model([x, y], layers.Dense(1)(layers.SimpleRNN(4)(layers.Add()([x, y]))))
def endless():
    while True: pass
def hungry(): return np.ones(2**40)
def nothing(): pass
def penalised(): return network(layers.SimpleRNN(4, kernel_regularizer="l2"))
def own_start(): return network(layers.SimpleRNN(4, kernel_initializer=lambda shape, dtype: np.ones(shape)))
def own_layer():
    class Mine(layers.Layer): pass
    return network(Mine(), layers.SimpleRNN(4))
class Liar:
    def __init__(self, config, weights=()): self.config, self.weights = config, weights
    def to_json(self): return self.config
    def get_weights(self): return self.weights
    def count_params(self): return 0
def deep(): return Liar("[" * 10**5)
def no_json(): return Liar("not JSON")
def no_text(): return Liar(3)
def no_object(): return Liar("[1, 2]")
def strange_weights():
    model = plain()
    return Liar(model.to_json(), [np.full(9, np.nan)])
def huge(): return network(layers.SimpleRNN(3000, recurrent_initializer="zeros"))
"""


@pytest.fixture(params=["sandbox", pytest.param("here", marks=pytest.mark.slow)])
def submission(request, sandbox, tmp_path):
    """Return a submission whose functions run in the sandbox, and in this process as `check` does it."""
    return of(tmp_path, sandbox if request.param == "sandbox" else InProcessSandbox())


def of(folder: Path, sandbox) -> Submission:
    (folder / "work.py").write_text(NOTEBOOK)
    return Submission("ann", folder, Predictor(), sandbox)


@pytest.fixture
def work(sandbox, tmp_path):
    return of(tmp_path, sandbox)


def data(rows=100, time=5):
    """Random numbers, and whether the first of each sequence is positive."""
    x = np.random.default_rng(0).normal(size=(rows, time, 3)).astype("float32")
    return x, (x[:, 0, 0] > 0).astype(int), x[:7]


@pytest.mark.parametrize(
    "optimizer, clip",
    [
        ("adam", {}),
        pytest.param("sgd", {"clipnorm": 0.01}, marks=pytest.mark.slow),
        pytest.param("sgd", {"clipvalue": 0.001}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_each_run_is_as_keras_trains(work, optimizer, clip):
    """The oracle: `train_on_batch`, from the same weights, on the same batches; run k from seed 5 is that of 5 + k."""
    x, y, test = data()
    blueprint = work.build("plain")
    losses, predictions = work.train(blueprint, x, y, test, **BUDGET, seed=5, optimizer=optimizer, **clip)
    kept = {"global_clipnorm" if name == "clipnorm" else name: value for name, value in clip.items()}
    for run in range(2):
        random.seed(5 + run)
        model, _ = keras_model(blueprint.plan, drawn_initializers)
        chosen = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[optimizer](0.05, **kept)
        model.compile(
            chosen, "binary_crossentropy", run_eagerly=True
        )  # for so few updates no trace is worth it
        for loss, rows in zip(losses[run], loop.batches(100, 16, 20, 5 + run), strict=True):
            model.reset_metrics()  # or the mean of all losses so far comes back
            assert loss == pytest.approx(model.train_on_batch(x[rows], y[rows, None]), abs=1e-4)
        np.testing.assert_allclose(predictions[run], model.predict_on_batch(test), atol=1e-4)


def test_rows_are_used_once_before_any_is_used_again():
    rows = np.concatenate(list(loop.batches(64, 16, 8, seed=3)))
    assert sorted(rows[:64]) == sorted(rows[64:]) == list(range(64))
    assert list(rows[:64]) != list(rows[64:])


def test_equal_calls_train_once_and_seeds_decide(submission):
    x, y, test = data()
    blueprint = submission.build("skipping")
    first, again = (submission.train(blueprint, x, y, test, **BUDGET) for _ in range(2))
    assert first is again
    another = replace(submission, student="bob", _known={})
    assert another.train(another.build("skipping"), x, y, test, **BUDGET) is first
    anew, _ = train_model(submission.sandbox, lambda line: None, blueprint, x, y, test, **BUDGET)
    np.testing.assert_array_equal(anew[0], first[0])
    assert (first[0][0] != first[0][1]).all()


def test_weights_that_are_set_have_no_effect_and_are_told(work):
    x, y, test = data()
    honest, handy = work.build("plain"), work.build("set_by_hand")
    trainings = (work.train(blueprint, x, y, test, **BUDGET)[0] for blueprint in (honest, handy))
    np.testing.assert_array_equal(*trainings)
    assert honest.set_by_hand == ()
    assert [name.split()[0] for name in handy.set_by_hand] == ["SimpleRNN", "Dense"]


def test_claimed_weights_that_fit_nothing_are_no_matter(work):
    strange, honest = work.build("strange_weights"), work.build("plain")
    assert strange.set_by_hand == () and strange.signature == honest.signature


def test_the_cell_is_the_graders_own(work):
    blueprint = work.build("skipping")
    model, _ = keras_model(blueprint.plan, drawn_initializers)
    weights = [np.random.default_rng(k).normal(size=one.shape) for k, one in enumerate(model.get_weights())]
    model.set_weights(weights)
    (W, U, b, V, c), x, h = weights, data()[2], np.zeros((7, 4))
    for t in range(5):
        h = h + 0.5 * np.tanh(x[:, t] @ W + h @ U + b)
    np.testing.assert_allclose(model.predict_on_batch(x), 1 / (1 + np.exp(-(h @ V + c))), atol=1e-5)


@pytest.mark.parametrize(
    "function, says",
    {
        "endless": "took more than 1 s",
        "nothing": "Expected a Keras model, got nothing: is there a `return`?",
        "hungry": "MemoryError",
        "penalised": "kernel_regularizer should be None in training",
        "own_start": "kernel_initializer should be one of Zeros",
        "own_layer": "Code is never run here",
        "huge": "parameters; at most",
        "absent": "no function absent",
        "deep": "deeper than",
        "no_json": "is not the JSON that Keras writes",
        "no_text": "AttributeError",
        "no_object": "should hold a JSON object",
        "of_two_inputs": "should have one input, but has 2",
    }.items(),
)
def test_a_builder_that_is_no_good_is_told_why(work, function, says):
    with pytest.raises(Failure, match=says):
        work.build(function, seconds=1 if function == "endless" else 60)


@pytest.mark.parametrize(
    "changed, says",
    {
        "rate nan": ({"learning_rate": np.nan}, "learning_rate should be a number"),
        "rate zero": ({"learning_rate": 0.0}, "nothing is ever learnt"),
        "clip negative": ({"clipnorm": -1.0}, "clipnorm should be a number from 0"),
        "clip array": ({"clipvalue": np.ones(2)}, "clipvalue should be a number"),
        "slow": ({"updates": 10**6, "seconds": 2.0}, "took more than 2 s"),
    }.values(),
)
def test_numbers_that_make_no_sense(work, changed, says):
    with pytest.raises(Failure, match=says):
        work.train(work.build("plain"), *data(), **BUDGET | changed)


def test_a_builder_for_another_length_is_refused(work):
    with pytest.raises(
        Failure, match=r"shape \(None, 7, 3\), but is asked about one of shape \(None, 5, 3\)"
    ):
        work.train(work.build("fixed"), *data(), **BUDGET)


def test_divergence_is_nan_from_there_on(work):
    x, y, test = data()
    start = {
        "recurrent_initializer": {
            "module": "keras.initializers",
            "class_name": "Orthogonal",
            "config": {"gain": 9.0},
        }
    }
    model = json.loads(work.build("plain").config)
    model["config"]["layers"][1]["config"] |= start | {"activation": "relu"}
    losses, predictions = work.train(
        read_untrained_model(json.dumps(model).encode()),
        1e6 * x,
        y,
        test,
        **BUDGET | {"learning_rate": 100.0, "updates": 50},
        optimizer="sgd",
    )
    assert np.isnan(losses[:, -1]).all() and np.isnan(predictions).all()
    assert np.isfinite(losses[:, 0]).all()


@pytest.mark.slow
def test_a_start_that_keras_refuses_is_the_models_fault(work):
    """Identity is no start for a bias, which has one axis: Keras says so only when the model is built to be trained."""
    config = json.loads(work.build("plain").config)
    identity = {"module": "keras.initializers", "class_name": "Identity", "config": {"gain": 1.0}}
    config["config"]["layers"][1]["config"]["bias_initializer"] = identity
    with pytest.raises(Failure, match="Training for 2 x 20 updates failed: .*Identity"):
        work.train(read_untrained_model(json.dumps(config).encode()), *data(), **BUDGET)


def test_progress_is_told(work):
    told = []
    train_model(work.sandbox, told.append, work.build("plain"), *data(), **BUDGET)
    assert any("run 1/2, update" in line and "s left" in line for line in told)


@pytest.mark.parametrize("kind", INITIALIZERS)
def test_initialisers_are_those_of_keras(kind):
    """Drawn from the same seed, a layer starts with the same weights here and in Keras."""
    options = {"value": 2.0, "gain": 1.5, "mean": 1.0, "stddev": 0.1, "minval": 2.0, "maxval": 3.0}
    options |= {"scale": 2.0, "mode": "fan_out", "distribution": "uniform"}
    options = {name: options[name] for name in INITIALIZERS[kind].split()}
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(4, kernel_initializer=getattr(keras.initializers, kind)(**options))]
    )
    config = json.loads(model.to_json())
    config["config"]["layers"][1]["config"]["kernel_initializer"]["config"] |= (
        options  # Identity forgets its gain
    )
    blueprint = read_untrained_model(json.dumps(config).encode())
    random.seed(5)
    ours, _ = keras_model(blueprint.plan, drawn_initializers)[1]
    random.seed(5)
    theirs = getattr(keras.initializers, kind)(**options)((4, 4))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_progress_is_shown_while_a_student_works_too(tmp_path, capsys):
    work = of(tmp_path, InProcessSandbox())
    with record_run(ItemRun(on_progress=line_of("remembers"))):
        work.train(work.build("plain"), *data(), **BUDGET | {"updates": 1000})
    shown = capsys.readouterr().out.split("\r")
    assert any(line.startswith("remembers: run 1/2, update") and "s left" in line for line in shown)


def test_a_cell_of_ones_own_is_refused_in_a_file(work, tmp_path):
    """The grader has a cell to train with, and none whose weights it could find in a student's file."""
    model, _ = keras_model(work.build("skipping").plan, drawn_initializers)
    model.save(tmp_path / "model.keras")
    with pytest.raises(Failure, match="a cell of your own"):
        read_model((tmp_path / "model.keras").read_bytes())
