"""Starts: what a layer's training begins with and goes by, out of the config of a model yet to be trained.

A plan holds what predictions depend on. Training depends on more: how weights are drawn, dropout in the steps of a
layer, which layers stand still. Each is checked here, against a table, as `layers` does for the rest.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograder.core import Failure, sanitize
from autograder.models._layers import Layer, number, one_of, positive
from autograder.models._plan import Plan
from autograder.models._recurrent import LSTM
from autograder.models._shapes import ShapeError


class Initializer(NamedTuple):
    """A class of keras.initializers and the numbers that its constructor gets; the seed is the grader's."""

    kind: str
    options: Mapping[str, float | str]


INITIALIZERS: Mapping[str, str] = {  # class name: options
    "Zeros": "",
    "Ones": "",
    "Constant": "value",
    "Identity": "gain",
    "Orthogonal": "gain",
    "RandomNormal": "mean stddev",
    "TruncatedNormal": "mean stddev",
    "RandomUniform": "minval maxval",
    "VarianceScaling": "scale mode distribution",
    "GlorotUniform": "",
    "GlorotNormal": "",
    "HeUniform": "",
    "HeNormal": "",
    "LecunUniform": "",
    "LecunNormal": "",
}


DEFAULTS = {"gain": 1.0}  # Keras 3.15.1 does not write down that of Identity


def fraction(value: Any) -> float:
    if not 0 <= positive(value) < 1:
        raise ShapeError("a number from 0 to below 1")
    return float(value)


CHECKS = {
    "value": number,
    "gain": number,
    "mean": number,
    "stddev": positive,
    "minval": number,
    "maxval": number,
    "scale": positive,
    "mode": one_of("fan_in", "fan_out", "fan_avg"),
    "distribution": one_of("truncated_normal", "untruncated_normal", "uniform"),
    "trainable": one_of(True, False),
    "unit_forget_bias": one_of(True, False),
    "dropout": fraction,
    "recurrent_dropout": fraction,
    "momentum": fraction,
}


def read_layer_initializers(layer: Layer) -> dict[str, Any]:
    """Return what the constructor of a layer to be trained gets beside its options. Raises Failure.

    Penalties and constraints are refused and not ignored: with them the student's own training went another way.
    """
    start: dict[str, Any] = {}
    for key, value in layer.raw_config.items():
        try:
            if key.endswith("_initializer"):
                start[key] = read_initializer(value)
            elif key in ("trainable", "unit_forget_bias", "dropout", "recurrent_dropout", "momentum"):
                start[key] = CHECKS[key](value)
            elif key.endswith(("_regularizer", "_constraint")) or key == "noise_shape":
                one_of(None)(value)
            elif key == "stateful":
                one_of(False)(value)
        except ShapeError as misfit:
            got = sanitize(repr(value), 100)
            raise Failure(f"The {layer}: {key} should be {misfit} in training, but is {got}.") from None
    return start


def read_initializer(value: Any) -> Initializer:
    """Return the initialiser in an entry of a config. Raises ShapeError."""
    kind = str(value.get("class_name")) if isinstance(value, dict) else ""
    if kind not in INITIALIZERS or value.get("module") != "keras.initializers":
        raise ShapeError(f"one of {', '.join(INITIALIZERS)}")
    config = value.get("config")
    wanted = INITIALIZERS[kind].split()
    if not isinstance(config, dict) or not set(wanted) <= {*config, *DEFAULTS}:
        raise ShapeError(f"a {kind} with {' and '.join(wanted)}")
    return Initializer(kind, {key: CHECKS[key](config.get(key, DEFAULTS.get(key))) for key in wanted})


WITHOUT_INITIALIZER = {"bias": "use_bias", "gamma": "scale", "beta": "center"}


def initial_weights(plan: Plan, starts: Sequence[dict]) -> Iterator[np.ndarray | None]:
    """Return what each weight begins with, in the order of `plan.weights`; None for one that is drawn at random.

    starts: of all layers, wrapped ones included, as `read_layer_initializers` gives them.
    """
    layers = [part for layer in plan.layers for part in layer.all]
    shapes = iter(weight.shape for weight in plan.weights)
    for layer, start in zip(layers, starts, strict=True):
        for name in layer.spec.initialized:
            if layer.spec.takes == "cell" or layer.options.get(WITHOUT_INITIALIZER.get(name, ""), True):
                yield initial_weight(layer, start, name, next(shapes))


def initial_weight(layer: Layer, start: dict, name: str, shape: tuple[int, ...]) -> np.ndarray | None:
    chosen = start.get(f"{name}_initializer")
    if layer.spec.takes == "cell" and name == "bias":
        chosen = Initializer("Zeros", {})
    match chosen:
        case Initializer("Zeros" | "Ones" | "Constant" as kind, options):
            value = np.full(shape, {"Zeros": 0.0, "Ones": 1.0}.get(kind, options.get("value")), np.float32)
        case Initializer("Identity", options):
            value = np.eye(*shape, dtype=np.float32) * np.float32(options["gain"])
        case _:
            return None
    if name == "bias" and layer.spec.recurrence == LSTM and start.get("unit_forget_bias"):
        value[layer["units"] : 2 * layer["units"]] = 1
    return value
