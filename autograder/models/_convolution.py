"""Sliding: convolutions and poolings over time in NumPy; the batch is the last axis.

For each place in a window all windows are worked out at once, so a window may be as long as it likes.
"""

from typing import TYPE_CHECKING

import numpy as np

from autograder.models._activations import activation_of
from autograder.models._shapes import windows

if TYPE_CHECKING:
    from autograder.models._layers import Layer


def sliding_windows(
    layer: "Layer", x: np.ndarray, size: int, dilation: int
) -> tuple[int, list[tuple[int, slice, slice]]]:
    """Return how many windows there are, and for each place in a window the windows and the steps that meet there."""
    steps, stride, reach = len(x), layer["strides"], dilation * (size - 1) + 1
    count = windows(steps, reach, stride, layer["padding"]) or 0
    padding = {"valid": 0, "causal": reach - 1, "same": max((count - 1) * stride + reach - steps, 0) // 2}
    left = padding[layer["padding"]]
    first = max(0, -(((count - 1) * stride - left) // dilation))
    places = []
    for k in range(first, min(size - 1, (steps - 1 + left) // dilation) + 1):
        off = k * dilation - left
        start, stop = max(0, -(off // stride)), min(count, (steps - 1 - off) // stride + 1)
        if start < stop:
            places.append(
                (k, slice(start, stop), slice(start * stride + off, (stop - 1) * stride + off + 1, stride))
            )
    return count, places


def convolve(layer: "Layer", weights: list, x: np.ndarray) -> np.ndarray:
    groups, filters = layer["groups"], layer["filters"]
    count, places = sliding_windows(layer, x, layer["kernel_size"], layer["dilation_rate"])
    x = x.reshape(len(x), groups, -1, x.shape[-1])
    y = np.zeros((count, groups, filters // groups, x.shape[-1]), np.float32)
    for k, window, step in places:
        kernel = weights[0][k].reshape(-1, groups, filters // groups).transpose(1, 2, 0)
        y[window] += np.matmul(kernel, x[step])
    y = y.reshape(count, filters, -1)
    for bias in weights[1:]:
        y += bias[:, None]
    return activation_of(layer["activation"])(y)


def pool(layer: "Layer", weights: list, x: np.ndarray) -> np.ndarray:
    count, places = sliding_windows(layer, x, layer["pool_size"], 1)
    largest = layer.kind == "MaxPooling1D"
    y = np.full((count, *x.shape[1:]), -np.inf if largest else 0, np.float32)
    met = np.zeros((count, 1, 1), np.float32)
    for _, window, step in places:
        y[window] = np.maximum(y[window], x[step]) if largest else y[window] + x[step]
        met[window] += 1
    return y if largest else y / met
