"""Evaluator: what a planned model predicts, worked out in NumPy; no TensorFlow, nothing traced.

In every array the batch is the *last* axis, see `_computations`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from autograder.models._computations import Masks
from autograder.models._layers import Layer
from autograder.models._plan import Call, Plan, Result, takes_list


class MaskedArray(NamedTuple):
    """A result and its mask (time, rows), or None; True: the step counts. A number or an index has none."""

    x: np.ndarray
    mask: np.ndarray | None = None


def evaluate(plan: Plan, weights: Sequence[np.ndarray], inputs: Sequence[np.ndarray]) -> np.ndarray:
    """Return the output (..., rows), float32, for a batch of inputs, each (..., rows); dropout is inactive.

    weights: in the order of `plan.weights`. Raises ValueError or IndexError where the model can't take the inputs.
    """
    results: list = [None] * len(inputs)
    for entrance, x in zip(plan.inputs, inputs, strict=True):
        results[entrance.call] = [MaskedArray(x)]
    held = list(zip(plan.weights, weights, strict=True))
    with np.errstate(all="ignore"):  # what is not finite in the end is told then
        for call in plan.calls[len(inputs) :]:
            layer = plan.layers[call.layer]
            own = [array for weight, array in held if weight.path.startswith(f"{layer.h5_path}/")]
            results.append(call_layer(layer, own, call, results))
    return np.asarray(results[plan.output.call][plan.output.output].x, np.float32)


def call_layer(
    layer: Layer, weights: list, call: Call, results: list[list[MaskedArray]]
) -> list[MaskedArray]:
    """Return the results of a call; with an initial state, Keras uses a mask only if it is passed by name."""
    flat = call.inputs[0] if takes_list(layer) else call.inputs
    given = [
        results[result.call][result.output] if isinstance(result, Result) else MaskedArray(result)
        for result in flat
    ]
    masks = [array.mask for array in given]
    if call.mask:
        masks = [results[call.mask.call][call.mask.output].x]
        if not layer.spec.takes_mask:
            raise ValueError(f"a {layer.kind} takes no mask")
    state = [results[result.call][result.output].x for result in call.state]
    used: Masks = masks if call.mask or not state else [None] * len(masks)
    outputs = layer.compute(weights, [array.x for array in given], used, *state)
    mask = layer.spec.mask(layer, [array.x for array in given], masks)
    both = layer.kind == "Bidirectional" and layer["merge_mode"] is None
    return list(map(MaskedArray, outputs, [mask] * (1 + both) + [None] * len(outputs)))
