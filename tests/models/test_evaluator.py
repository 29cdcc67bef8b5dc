"""Random models of every kind of layer, with masks, states and several inputs: NumPy says what Keras says."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, event, given, reject, settings
from hypothesis import strategies as st

from autograder.core import Failure
from autograder.models import ACTIVATIONS, Layer, Model, Plan, Predictor
from autograder.models._layers import LAYER_SPECS
from autograder.models._plan import PlanBuilder, Result, Weight
from autograder.models._predictor import collect_outputs, prepare

keras = pytest.importorskip("keras")

from oracle import attempt  # noqa: E402

from autograder.models._builder import keras_model, zero_initializers  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask:UserWarning")

ROWS, STEPS = 3, 5
CHOICES = {
    "units": [1, 3],
    "input_dim": [4],
    "output_dim": [3],
    "filters": [2, 4],
    "groups": [1, 1, 2],
    "n": [2],
    "kernel_size": [1, 2, 3],
    "strides": [1, 1, 2],
    "dilation_rate": [1, 1, 2],
    "pool_size": [1, 2, 3],
    "target_shape": [(-1, 3), (-1, 1), (5, -1)],
    "dims": [(2, 1), (1, 2)],
    "axis": [-1, -1, 1, -2],
    "mask_value": [0.0, 1.0],
    "scale": [0.5, 2.0],
    "offset": [1.0],
    "rate": [0.5],
    "stddev": [0.1],
    "epsilon": [0.001],
    "alpha": [1.0, 0.5],
    "negative_slope": [0.0, 0.3],
    "threshold": [0.0, 0.2],
    "max_value": [None, 1.0, 6.0],
    "activation": sorted(ACTIVATIONS),
    "recurrent_activation": ["sigmoid", "hard_sigmoid", "softmax", "tanh"],
    "padding": ["valid", "same", "causal"],
    "data_format": ["channels_last"],
    "merge_mode": ["concat", "sum", "mul", "ave", None],
    "dtype": ["bool", None],
}
FIXED = {name: [False] for name in ("stateful", "sparse", "ragged", "rms_scaling", "renorm")}
FLAGS = ("use_bias", "mask_zero", "keepdims", "center", "return_sequences", "return_state", "go_backwards")
BOTH = {name: [True, True, False] for name in (*FLAGS, "zero_output_for_mask", "reset_after")}
RECURRENT = ("SimpleRNN", "GRU", "LSTM", "RNN")
KEYS = [
    (slice(None), -1),
    (slice(None), slice(1, None)),
    (slice(None), slice(None, None, -1)),
    (..., slice(0, 1)),
    (slice(None), ..., -1),
]


class Graph:
    """A model in the making: layers, and calls of them that name earlier calls."""

    def __init__(self, draw):
        self.draw, self.layers, self.calls = draw, [], []
        self.entrances = [entrance((None, None, 3), "float32"), entrance((None, None), "int32")]
        self.draft = PlanBuilder(*self.entrances)
        self.open = [Result(0, 0), Result(1, 0)]  # results that a layer may be called on

    def choose(self, among):
        return self.draw(st.sampled_from(list(among)))

    def layer(self, kind: str, wraps: tuple = ()) -> Layer:
        """Return a layer of the kind with any options; what it wraps is chosen too."""
        options = {}
        for name in LAYER_SPECS[kind].options:
            options[name] = self.choose((CHOICES | FIXED | BOTH)[name])
        if kind in ("LayerNormalization", "BatchNormalization"):
            options |= {"axis": -1, "scale": self.choose([True, False])}
        return Layer(kind, options, wraps, kind, f"layers/{kind}_{len(self.draft.layers)}")

    def wrapped(self, kind: str) -> Layer:
        if kind == "RNN":
            return self.layer(kind, (self.layer("SkipCell"),))
        if kind == "Bidirectional":
            inner = self.choose(RECURRENT[:3])
            ahead = self.layer(inner)
            back = Layer(inner, {**ahead.options, "go_backwards": not ahead["go_backwards"]})
            return self.layer(kind, (ahead, back))
        if kind == "TimeDistributed":
            inside = (
                "Dense",
                "SimpleRNN",
                "Conv1D",
                "Activation",
                "LayerNormalization",
                "GlobalMaxPooling1D",
            )
            return self.layer(kind, (self.layer(self.choose(inside)),))
        return self.layer(kind)

    def add(self, kind: str) -> None:
        """Call a new layer on results there are, where it takes them; nothing else is changed."""
        layer, floats = self.wrapped(kind), [one for one in self.open if not self.is_mask(one)]
        mask, state = None, ()
        x = self.choose(self.open[-3:] if LAYER_SPECS[kind].returns_mask else floats[-3:])
        match LAYER_SPECS[kind].takes:
            case "list":
                inputs = (tuple(self.draw(st.lists(st.sampled_from(floats[-4:]), min_size=1, max_size=3))),)
            case "two":
                inputs = (x, self.choose([0, 2.0, *floats]))
            case "key":
                inputs = (x, self.choose(KEYS))
            case _:
                inputs = (x,)
        if kind in (*RECURRENT, "Bidirectional", "GlobalAveragePooling1D", "Softmax"):
            mask = self.choose([None, None, *filter(self.is_mask, self.open)])
        if kind in RECURRENT and self.draw(st.booleans()):
            count = 2 if kind == "LSTM" else 1
            units = layer.inside[0]["units"] if kind == "RNN" else layer["units"]
            fits = [one for one in floats if self.draft.shape(one) == (None, units)]
            state = tuple(self.choose(fits) for _ in range(count)) if fits else ()
        call = self.draft.call(self.draft.add(layer), inputs, mask, state)
        self.open += [Result(len(self.draft.calls) - 1, k) for k in range(len(call.shapes))]

    def is_mask(self, result: Result) -> bool:
        return self.draft.layers[self.draft.calls[result.call].layer].spec.returns_mask

    def plan(self) -> Plan:
        """Return the plan of what leads to one of the last results."""
        output = self.choose([one for one in self.open[2:] if not self.is_mask(one)][-1:] or [None])
        assume(output is not None)
        used, kept = {0, 1, output.call}, {}
        for index in reversed(range(len(self.draft.calls))):
            if index in used:
                used |= {one.call for one in self.draft.calls[index].results}
        new = PlanBuilder(*self.entrances)
        kept = {0: 0, 1: 1}

        def moved(one):
            if isinstance(one, Result):
                return Result(kept[one.call], one.output)
            return tuple(map(moved, one)) if type(one) is tuple else one

        for index in sorted(used - {0, 1}):
            call = self.draft.calls[index]
            new.call(
                new.add(self.draft.layers[call.layer]),
                tuple(map(moved, call.inputs)),
                call.mask and moved(call.mask),
                tuple(map(moved, call.state)),
            )
            kept[index] = len(new.calls) - 1
        weights = [w for k in range(len(new.layers)) for w in weights_of(new, k)]
        return Plan(
            tuple(new.layers), tuple(new.calls), (Result(0, 0), Result(1, 0)), moved(output), tuple(weights)
        )


def weights_of(draft: PlanBuilder, index: int):
    whole = draft.weights.get(index, {})
    return [Weight(f"{draft.layers[index].h5_path}/{path}", shape, "") for path, shape in whole.items()]


def entrance(shape, dtype) -> Layer:
    return Layer("InputLayer", {"batch_shape": shape, "dtype": dtype, "sparse": False, "ragged": False})


PLAIN = [kind for kind in LAYER_SPECS if kind not in ("InputLayer", "SkipCell")]
LIKELY = [
    *RECURRENT,
    "Masking",
    "Embedding",
    "Bidirectional",
    "ops.NotEqual",
    "Concatenate",
    "Multiply",
    "Maximum",
]


@st.composite
def models(draw) -> Model:
    graph = Graph(draw)
    for kind in draw(st.lists(st.sampled_from(PLAIN + 4 * LIKELY), min_size=2, max_size=10)):
        try:
            graph.add(kind)
        except Failure:
            continue  # it doesn't fit anything that is there
    plan = graph.plan()
    rng = np.random.default_rng(draw(st.integers(0, 10)))
    arrays = [np.abs(rng.normal(0.2, 0.4, one.shape)).astype("float32") for one in plan.weights]
    return Model(plan, tuple(arrays), "")


def keras_says(model: Model, inputs) -> np.ndarray | list:
    """Raise Failure, as the predictor does."""
    built, variables = attempt(lambda: keras_model(model.plan, zero_initializers))
    for variable, array in zip(variables, model.weights, strict=True):
        variable.assign(array)
    predictions = [None] * len(inputs)
    for rows, xs in prepare(inputs, model.plan.input_dtypes, 100).batches:
        tensors = [keras.ops.convert_to_tensor(np.moveaxis(x, -1, 0)) for x in xs]
        ys = attempt(lambda tensors=tensors: keras.ops.convert_to_numpy(built(tensors, training=False)))
        for row, y in zip(rows, ys, strict=True):
            predictions[row] = y
    return collect_outputs(model.plan, predictions)


def asked() -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    xs = [rng.normal(size=(STEPS, 3)) * (rng.random((STEPS, 1)) > 0.4) for _ in range(ROWS)]
    ids = [rng.integers(0, 4, STEPS) for _ in range(ROWS)]
    ids[0][0] = xs[1][0] = xs[1][-1] = 0  # masks at both ends
    return list(zip(xs, ids, strict=True))


def check(model: Model) -> None:
    """Both predict the same, or both refuse."""
    inputs = asked()
    try:
        expected = keras_says(model, inputs)
    except (Failure, AssertionError):  # a shape that the plan knows better than Keras does
        event("refused by Keras")
        reject()
    for layer in model.plan.layers:
        event(layer.kind)
    found = Predictor().predict(model, inputs)
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape and one.dtype == np.float32
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


ANY = [HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=ANY)
@given(models())
def test_random_models_predict_what_keras_predicts(model):
    check(model)
