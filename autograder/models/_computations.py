"""What each layer computes, in NumPy, and what becomes of the mask of its input.

In every array the batch is the *last* axis: (None, time, features) of a plan is (time, features, rows), so that a gate
or a step is one block of memory, and an axis of Keras's, from the front or the back, is one less. Masks go along as
Keras carries them (its layers' `compute_mask`), and Keras is the oracle of the tests.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from autograder.models._activations import activation_of, softmax

if TYPE_CHECKING:
    from autograder.models._layers import Layer

Arrays = list[np.ndarray]
Mask = np.ndarray | None  # (time, rows); True: the step counts
Masks = list[Mask]


# --- what becomes of masks: each rule returns the mask of the first result


def drop_mask(layer: "Layer", xs: Arrays, masks: Masks) -> Mask:
    return None


def pass_mask(layer: "Layer", xs: Arrays, masks: Masks) -> Mask:
    return masks[0]


def pass_mask_of_steps(layer: "Layer", xs: Arrays, masks: Masks) -> Mask:
    steps = layer.inside[0] if layer.kind == "Bidirectional" else layer
    return masks[0] if steps["return_sequences"] else None


def mask_zeros(layer: "Layer", xs: Arrays, masks: Masks) -> Mask:
    return np.not_equal(xs[0], 0) if layer["mask_zero"] else None


def mask_values(layer: "Layer", xs: Arrays, masks: Masks) -> Mask:
    return np.asarray(np.any(xs[0] != layer["mask_value"], axis=-2))


def join_masks(layer: "Layer", xs: Arrays, masks: Masks) -> Mask:
    if all(mask is None for mask in masks):
        return None
    whole = [broadcast_mask(mask, x) for mask, x in zip(masks, xs, strict=True)]
    return np.asarray(np.concatenate(whole, axis=layer["axis"] - 1).any(axis=-2))


def merge_masks(layer: "Layer", xs: Arrays, masks: Masks) -> Mask:
    present = [mask for mask in masks if mask is not None]
    if len(present) < len(masks):
        return None
    return np.logical_or.reduce(np.broadcast_arrays(*present))


def broadcast_mask(mask: Mask, x: np.ndarray) -> np.ndarray:
    """Return a mask in the shape of x; all of it counts if there is none."""
    if mask is None or mask.ndim < x.ndim:
        return np.broadcast_to(True if mask is None else np.expand_dims(mask, -2), x.shape)
    return mask


# --- layers that masks change: each takes the layer, its weights, its inputs and their masks


ELEMENTWISE: Mapping[str, Callable] = {
    "Add": np.add,
    "Subtract": np.subtract,
    "Multiply": np.multiply,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
}
MERGES: Mapping[str, Callable] = {**ELEMENTWISE, "Average": np.add}


def time_distributed(layer: "Layer", weights: Arrays, xs: Arrays, masks: Masks) -> Arrays:
    """Return the steps of all rows become rows for the layer inside."""
    [x], [inner] = xs, layer.inside
    rows = np.moveaxis(x, 0, -2)
    rows = rows.reshape(*rows.shape[:-2], -1)
    [y] = inner.compute(weights, [rows], [None])
    return [np.moveaxis(y.reshape(*y.shape[:-1], len(x), x.shape[-1]), -2, 0)]


def softmax_layer(layer: "Layer", weights: Arrays, xs: Arrays, masks: Masks) -> Arrays:
    """Return the softmax over what a mask leaves; like Keras it lines up the mask's axes with the last ones of x."""
    [x], [mask] = xs, masks
    if mask is None:
        return [softmax(x, layer["axis"] - 1)]
    keep = np.moveaxis(np.broadcast_to(np.moveaxis(mask, -1, 0), (x.shape[-1], *x.shape[:-1])), 0, -1)
    return [np.where(keep, softmax(np.where(keep, x, np.float32(-1e9)), layer["axis"] - 1), np.float32(0))]


def average(layer: "Layer", weights: Arrays, xs: Arrays, masks: Masks) -> Arrays:
    [x], [mask] = xs, masks
    if mask is None:
        return [x.mean(axis=0, keepdims=layer["keepdims"])]
    keep, how = np.expand_dims(mask, 1), {"axis": 0, "keepdims": layer["keepdims"]}
    return [np.where(keep, x, np.float32(0)).sum(**how) / keep.sum(dtype=np.float32, **how)]


def batch_normalise(layer: "Layer", weights: Arrays, xs: Arrays, masks: Masks) -> Arrays:
    [x], [mask] = xs, masks
    if mask is not None and mask.ndim != x.ndim - 1:
        raise ValueError("a BatchNormalization takes a mask with an axis less than its input")
    *own, mean, variance = (weight[:, None] for weight in weights)
    return [rescale(layer, own, x - mean, variance)]


def merge(layer: "Layer", weights: Arrays, xs: Arrays, masks: Masks) -> Arrays:
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
    if layer.kind == "Multiply" and whole and so_far is not None:
        y = np.where(so_far, y, np.float32(0))
    return [y / len(xs) if layer.kind == "Average" else y]


# --- layers that masks do not change: each takes the layer, its weights and its inputs


def dense(layer: "Layer", weights: Arrays, x: np.ndarray) -> np.ndarray:
    y = np.matmul(weights[0].T, x if x.strides[-1] == x.itemsize else x.copy())
    for bias in weights[1:]:
        y += bias[:, None]
    return activation_of(layer["activation"])(y)


def embed(layer: "Layer", weights: Arrays, x: np.ndarray) -> np.ndarray:
    """Return a negative token counts from the end, as in Keras; IndexError for one that the table doesn't have."""
    ids = x if x.dtype.kind == "i" else x.astype(np.int32)
    return np.moveaxis(np.take(weights[0].T, ids, axis=1), 0, -2)


def rescale(layer: "Layer", weights: Arrays, x: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Return x over its deviation, with the layer's own scale and offset. weights: a column for each of these two."""
    weights = list(weights)
    by = (weights.pop(0) if layer["scale"] else 1) / np.sqrt(variance + np.float32(layer["epsilon"]))
    return x * by + (weights[0] if layer["center"] else 0)


def layer_normalise(layer: "Layer", weights: Arrays, x: np.ndarray) -> np.ndarray:
    x = x - x.mean(axis=-2, keepdims=True)
    return rescale(layer, [w[:, None] for w in weights], x, (x * x).mean(axis=-2, keepdims=True))


def reduction(function: Callable) -> Callable:
    return lambda layer, weights, x: function(x, axis=layer["axis"] - 1, keepdims=layer["keepdims"])


def elementwise(function: Callable) -> Callable:
    return lambda layer, weights, x, y: function(x, y)


def concatenate(layer: "Layer", weights: Arrays, *xs: np.ndarray) -> np.ndarray:
    return np.concatenate(xs, axis=layer["axis"] - 1)
