"""Network: a Keras model built from a plan by constructor calls, to be trained; it is the tests' oracle as well.

This module and the loop alone import Keras, and only where they are called: in a child that trains.
"""

import inspect
import re
from collections.abc import Callable
from typing import Any

from autograder.models._initializers import Initializer, read_layer_initializers
from autograder.models._layers import ActivationLayer, Layer
from autograder.models._plan import Plan, Result
from autograder.models._shapes import Shape


def keras_model(plan: Plan, start: Callable) -> tuple:
    """Return the Keras model of a plan, and its variables in the order of `plan.weights`.

    start: `zero_initializers`, for weights that will be set; `drawn_initializers`, for a model to be trained.
    """
    import keras

    count = len(plan.inputs)
    layers = [*plan.layers[:count], *(layer_of(layer, start) for layer in plan.layers[count:])]
    results = [
        [keras.Input(batch_shape=layer["batch_shape"], dtype=layer["dtype"])] for layer in layers[:count]
    ]
    for call in plan.calls[count:]:
        tensors = [tensors_of(given, results) for given in call.inputs]
        named = {"mask": call.mask and tensors_of(call.mask, results)} if call.mask else {}
        if call.state:
            named["initial_state"] = [tensors_of(state, results) for state in call.state]
        outputs = layers[call.layer](*tensors, **named)
        results.append(list(outputs) if isinstance(outputs, list | tuple) else [outputs])
    entrances = [tensors_of(entrance, results) for entrance in plan.inputs]
    model = keras.Model(entrances if count > 1 else entrances[0], tensors_of(plan.output, results))
    variables = [variable for layer in layers if isinstance(layer, keras.Layer) for variable in layer.weights]
    check_shapes(plan, variables, model.output_shape)
    return model, variables


def tensors_of(given: Any, results: list[list]) -> Any:
    """Return the tensors that results stand for; numbers and indices stand for themselves."""
    if isinstance(given, Result):
        return results[given.call][given.output]
    return [tensors_of(item, results) for item in given] if type(given) is tuple else given


def layer_of(layer: Layer, start: Callable) -> Any:
    """Return a layer of Keras, or a function for an operation."""
    import keras

    if layer.kind.startswith("ops."):
        return operation(layer)
    inside = (layer_of(wrapped, start) for wrapped in layer.inside)
    options = {
        name: getattr(keras.layers, value.kind)(**dict(value.options))
        if isinstance(value, ActivationLayer)
        else value
        for name, value in layer.options.items()
    }
    build = layer.spec.keras_class() if layer.spec.keras_class else getattr(keras.layers, layer.kind)
    return build(*inside, **options, **(start(layer, build) if isinstance(build, type) else {}))


def zero_initializers(layer: Layer, kind: type) -> dict:
    """Return initializers for weights that will be set: random ones take time."""
    return {name: "zeros" for name in inspect.signature(kind).parameters if name.endswith("_initializer")}


def drawn_initializers(layer: Layer, kind: type) -> dict:
    """Return the initializers and all else that training goes by, as the config names them."""
    import keras

    named = inspect.signature(kind).parameters
    start = {
        name: value
        for name, value in read_layer_initializers(layer).items()
        if name in named or name == "trainable"
    }
    for name, value in start.items():
        if isinstance(value, Initializer):
            start[name] = getattr(keras.initializers, value.kind)(**value.options)
    return start


def operation(layer: Layer) -> Callable:
    import keras

    if layer.kind == "ops.GetItem":
        return lambda x, key: x[tuple(key) if isinstance(key, list) else key]
    name = re.sub("(?<=[a-z])([A-Z])", r"_\1", layer.kind.removeprefix("ops.")).lower()
    function = getattr(keras.ops, name)
    return lambda *inputs: function(*inputs, **layer.options)


def check_shapes(plan: Plan, variables: list, output_shape: Shape) -> None:
    """Return the rules in `shapes` against Keras; where they differ the grader is wrong, not the student."""
    built = [tuple(variable.shape) for variable in variables]
    if built != [weight.shape for weight in plan.weights] or tuple(output_shape) != plan.output_shape:
        raise AssertionError(
            f"the plan says {plan.weights}, {plan.output_shape}; Keras {built}, {output_shape}"
        )
