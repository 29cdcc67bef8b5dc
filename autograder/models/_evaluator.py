"""Evaluator: what a planned model predicts, worked out in NumPy; no TensorFlow, nothing traced.

In every array here the batch is the *last* axis: (None, time, features) of a plan is (time, features, rows), so that
a gate or a step is one block of memory, and an axis of Keras's, from the front or the back, is one less. Masks go
along as Keras carries them (its layers' `compute_mask`), and Keras is the oracle of the tests.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from autograder.models._activations import activation_of, elu, relu, softmax
from autograder.models._convolution import convolve, pool
from autograder.models._layers import Layer
from autograder.models._plan import Call, Plan, Result, takes_list
from autograder.models._recurrent import bidirectional, recurrent

WAYS = ("SimpleRNN", "GRU", "LSTM", "RNN", "Bidirectional")
TAKES_MASK = (*WAYS, "TimeDistributed", "Softmax", "GlobalAveragePooling1D", "BatchNormalization")
ANY_DTYPE = ("Embedding", "ops.NotEqual", "ops.Any", "ops.LogicalOr", "ops.ZerosLike", "ops.ExpandDims")
ANY_DTYPE += ("ops.Concatenate", "ops.GetItem")  # whole numbers and masks go through; all else gets float32


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
            own = [array for weight, array in held if weight.path.startswith(f"{layer.place}/")]
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
    xs = [array.x if layer.kind in ANY_DTYPE else as_float(array.x) for array in given]
    masks = [array.mask for array in given]
    if call.mask:
        masks = [results[call.mask.call][call.mask.output].x]
    if call.mask and layer.kind not in TAKES_MASK:
        raise ValueError(f"a {layer.kind} takes no mask")
    state = [as_float(results[result.call][result.output].x) for result in call.state]
    used = masks if call.mask or not state else [None]
    if layer.kind in RULES:
        outputs = [RULES[layer.kind](layer, weights, *xs)]
    else:
        outputs = MASKED[layer.kind](layer, weights, xs, used, *state)
    return list(map(MaskedArray, outputs, masks_after(layer, given, masks, len(outputs))))


def as_float(x):
    return x.astype(np.float32, copy=False) if isinstance(x, np.ndarray) else x


# --- masks


# These do something in training only.
STILL = ("Dropout", "SpatialDropout1D", "GaussianDropout", "GaussianNoise", "Identity")
PASSING = ("Dense", "LayerNormalization", "BatchNormalization", "TimeDistributed", "Activation", "ReLU")
PASSING += ("LeakyReLU", "PReLU", "ELU", "Softmax", "Rescaling", *STILL)


def masks_after(layer: Layer, given: list[MaskedArray], masks: list, count: int) -> list:
    """Return the masks of a call's results."""
    kind, first, mask = layer.kind, given[0].x, None
    steps = layer.inside[0] if kind == "Bidirectional" else layer
    if kind in PASSING or (kind in WAYS and steps["return_sequences"]):
        mask = masks[0]
    elif kind == "Masking":
        mask = (first != layer["mask_value"]).any(axis=-2)
    elif kind == "Embedding" and layer["mask_zero"]:
        mask = first != 0
    elif kind == "Concatenate" and any(mask is not None for mask in masks):
        whole = [broadcast_mask(array.mask, array.x) for array in given]
        mask = np.concatenate(whole, axis=layer["axis"] - 1).any(axis=-2)
    elif kind in MERGES and all(mask is not None for mask in masks):
        mask = np.logical_or.reduce(np.broadcast_arrays(*masks))
    both = kind == "Bidirectional" and layer["merge_mode"] is None
    return ([mask] * (1 + both) + [None] * count)[:count]


def broadcast_mask(mask, x: np.ndarray) -> np.ndarray:
    """Return a mask in the shape of x; all of it counts where there is none."""
    if mask is None or mask.ndim < x.ndim:
        return np.broadcast_to(True if mask is None else np.expand_dims(mask, -2), x.shape)
    return mask


# --- layers that masks go into


def time_distributed(layer: Layer, weights: list, xs: list, masks: list) -> list:
    """Return the steps of all rows become rows for the layer inside."""
    [x], [inner] = xs, layer.inside
    rows = np.moveaxis(x, 0, -2)
    rows = rows.reshape(*rows.shape[:-2], -1)
    y = call_layer(inner, weights, Call(0, (Result(0, 0),)), [[MaskedArray(rows)]])[0].x
    return [np.moveaxis(y.reshape(*y.shape[:-1], len(x), x.shape[-1]), -2, 0)]


def softmax_layer(layer: Layer, weights: list, xs: list, masks: list) -> list:
    """Return the softmax over what a mask leaves; like Keras it lines up the mask's axes with the last ones of x."""
    [x], [mask] = xs, masks
    if mask is None:
        return [softmax(x, layer["axis"] - 1)]
    keep = np.moveaxis(np.broadcast_to(np.moveaxis(mask, -1, 0), (x.shape[-1], *x.shape[:-1])), 0, -1)
    return [np.where(keep, softmax(np.where(keep, x, np.float32(-1e9)), layer["axis"] - 1), np.float32(0))]


def average(layer: Layer, weights: list, xs: list, masks: list) -> list:
    [x], [mask] = xs, masks
    if mask is None:
        return [x.mean(axis=0, keepdims=layer["keepdims"])]
    keep, how = np.expand_dims(mask, 1), {"axis": 0, "keepdims": layer["keepdims"]}
    return [np.where(keep, x, np.float32(0)).sum(**how) / keep.sum(dtype=np.float32, **how)]


def batch_normalise(layer: Layer, weights: list, xs: list, masks: list) -> list:
    [x], [mask] = xs, masks
    if mask is not None and mask.ndim != x.ndim - 1:
        raise ValueError("a BatchNormalization takes a mask with an axis less than its input")
    *own, mean, variance = (weight[:, None] for weight in weights)
    return [rescale(layer, own, x - mean, variance)]


def merge(layer: Layer, weights: list, xs: list, masks: list) -> list:
    """Elementwise; where a mask leaves a step out, the other input counts in a maximum, minimum or product."""
    whole, combine = all(mask is not None for mask in masks), MERGES[layer.kind]
    masks = [None if mask is None else broadcast_mask(mask, x) for x, mask in zip(xs, masks, strict=True)]
    if layer.kind == "Multiply":
        xs = [
            np.where(True if mask is None else mask, x, np.float32(1))
            for x, mask in zip(xs, masks, strict=True)
        ]
    y, so_far = xs[0], masks[0]
    for x, mask in zip(xs[1:], masks[1:], strict=True):
        if layer.kind in ("Maximum", "Minimum"):
            x = x if mask is None else np.where(mask, x, y)
            y = y if so_far is None else np.where(so_far, y, x)
        so_far = None if mask is None or so_far is None else so_far | mask
        y = combine(y, x)
    if layer.kind == "Multiply" and whole:
        y = np.where(so_far, y, np.float32(0))
    return [y / len(xs) if layer.kind == "Average" else y]


ELEMENTWISE: Mapping[str, Callable] = {
    "Add": np.add,
    "Subtract": np.subtract,
    "Multiply": np.multiply,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
}
MERGES = {**ELEMENTWISE, "Average": np.add}
MASKED: Mapping[str, Callable] = {
    **dict.fromkeys(("SimpleRNN", "GRU", "LSTM", "RNN"), recurrent),
    **dict.fromkeys(MERGES, merge),
    "Bidirectional": bidirectional,
    "TimeDistributed": time_distributed,
    "Softmax": softmax_layer,
    "GlobalAveragePooling1D": average,
    "BatchNormalization": batch_normalise,
}


# --- layers that masks do not change: each takes the layer, its weights and its inputs


def dense(layer, weights, x):
    y = np.matmul(weights[0].T, x if x.strides[-1] == x.itemsize else x.copy())
    for bias in weights[1:]:
        y += bias[:, None]
    return activation_of(layer["activation"])(y)


def embed(layer, weights, x):
    """Return a negative token counts from the end, as in Keras; IndexError for one that the table doesn't have."""
    ids = x if x.dtype.kind == "i" else x.astype(np.int32)
    return np.moveaxis(np.take(weights[0].T, ids, axis=1), 0, -2)


def rescale(layer, weights, x, variance):
    """x over its deviation, and the layer's own scale and offset; weights: a column for each of these two."""
    weights = list(weights)
    by = (weights.pop(0) if layer["scale"] else 1) / np.sqrt(variance + np.float32(layer["epsilon"]))
    return x * by + (weights[0] if layer["center"] else 0)


def layer_normalise(layer, weights, x):
    x = x - x.mean(axis=-2, keepdims=True)
    return rescale(layer, [w[:, None] for w in weights], x, (x * x).mean(axis=-2, keepdims=True))


def reduction(of):
    return lambda layer, weights, x: of(x, axis=layer["axis"] - 1, keepdims=layer["keepdims"])


def elementwise(of):
    return lambda layer, weights, x, y: of(x, y)


def concatenate(layer, weights, *xs):
    return np.concatenate(xs, axis=layer["axis"] - 1)


RULES: Mapping[str, Callable] = {
    **dict.fromkeys(STILL, lambda layer, weights, x: x),
    **dict.fromkeys(("MaxPooling1D", "AveragePooling1D"), pool),
    **dict.fromkeys(("Concatenate", "ops.Concatenate"), concatenate),
    "Dense": dense,
    "Embedding": embed,
    "Masking": lambda layer, weights, x: x * (x != layer["mask_value"]).any(axis=-2, keepdims=True),
    "LayerNormalization": layer_normalise,
    "Conv1D": convolve,
    "Activation": lambda layer, weights, x: activation_of(layer["activation"])(x.copy()),
    **dict.fromkeys(("ReLU", "LeakyReLU"), lambda layer, weights, x: relu(x.copy(), **layer.options)),
    "ELU": lambda layer, weights, x: elu(x, **layer.options),
    "PReLU": lambda layer, weights, x: np.maximum(x, 0) + weights[0][..., None] * np.minimum(x, 0),
    "Rescaling": lambda layer, weights, x: x * layer["scale"] + layer["offset"],
    "GlobalMaxPooling1D": lambda layer, weights, x: x.max(axis=0, keepdims=layer["keepdims"]),
    "Flatten": lambda layer, weights, x: x.reshape(-1, x.shape[-1]),
    "Reshape": lambda layer, weights, x: x.reshape(*layer["target_shape"], x.shape[-1]),
    "Permute": lambda layer, weights, x: x.transpose(*(n - 1 for n in layer["dims"]), x.ndim - 1),
    "RepeatVector": lambda layer, weights, x: np.repeat(x[None], layer["n"], axis=0),
    "ops.NotEqual": elementwise(np.not_equal),
    "ops.LogicalOr": elementwise(np.logical_or),
    "ops.TrueDivide": elementwise(np.true_divide),
    **{f"ops.{name}": elementwise(of) for name, of in ELEMENTWISE.items()},
    **{f"ops.{of.__name__.title()}": reduction(of) for of in (np.any, np.max, np.min, np.mean, np.sum)},
    "ops.ZerosLike": lambda layer, weights, x: np.zeros_like(x, dtype=layer["dtype"]),
    "ops.ExpandDims": lambda layer, weights, x: np.expand_dims(x, layer["axis"] - 1),
    "ops.GetItem": lambda layer, weights, x, key: np.moveaxis(np.moveaxis(x, -1, 0)[key], 0, -1),
}
