"""Recurrence: SimpleRNN, GRU, LSTM, and the cell with a skip, step by step in NumPy; the batch is the last axis.

A step is one product: the kernels of all gates and the biases form one matrix, and the input, the state and a 1 one
column for each sequence. It writes into the same few blocks of memory each time.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from autograder.models._activations import activation_of, tanh
from autograder.models._computations import Arrays, Mask, Masks

if TYPE_CHECKING:
    from autograder.models._layers import Layer

Gates = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, ...]]
Step = Callable[..., object]  # may overwrite its product (gates, units, rows), and writes the new states


def recurrent(layer: "Layer", weights: Arrays, xs: Arrays, masks: Masks, *initial: np.ndarray) -> Arrays:
    """Return a recurrent layer's outputs (of each step, or the last), then its states if it returns them.

    xs: one input (time, features, rows); masks: one mask, (time, rows) or (time, 1, rows), or None. A step that is
    masked keeps the states; its output is the last one that counted, or zero before there was any.
    """
    [x], [mask] = xs, masks
    if not len(x) or (mask is not None and len(mask) != len(x)):
        raise ValueError(f"a {layer.kind} is given {len(x)} steps, or a mask of another number of steps")
    if mask is not None and mask.ndim == 2:
        mask = mask[:, None]
    order = range(len(x))[::-1] if layer["go_backwards"] else range(len(x))
    states, outputs = run_steps(layer, weights, x, mask, order, initial)
    last = states[0] if outputs is None else outputs
    if mask is not None:
        counts = mask[:: order.step]
        counts = counts if layer["zero_output_for_mask"] else np.logical_or.accumulate(counts)
        last = np.where(counts[-1] if outputs is None else counts, last, np.float32(0))
    return [last, *states] if layer["return_state"] else [last]


def run_steps(
    layer: "Layer", weights: Arrays, x: np.ndarray, mask: Mask, order: range, initial: tuple
) -> tuple[Arrays, np.ndarray | None]:
    """Return the states after all steps, and those that are outputs after each, where the layer returns sequences."""
    (steps, features, rows), units = x.shape, len(weights[1])
    recurrence = layer.recurrence
    kernel, hidden, *bias = weights
    matrix, step_function = (
        stack_kernels(kernel, hidden, bias, recurrence.gates),
        recurrence.step(layer, weights),
    )
    seen = np.ones(
        (features + units + 1, rows), np.float32
    )  # a step's input, the state, and 1 for the biases
    product = np.empty((len(matrix), rows), np.float32)
    gates = product.reshape(-1, units, rows)
    h = seen[features:-1]
    states = [h, *(np.empty_like(h) for _ in range(recurrence.states - 1))]
    for k, state in enumerate(states):
        state[...] = initial[k] if initial else 0
    outputs = np.empty((steps, units, rows), np.float32) if layer["return_sequences"] else None
    for place, step in enumerate(order):
        held = mask is not None and not mask[step].all()
        before = [state.copy() for state in states] if held else []
        if layer.options.get("forgets"):  # see `_architecture.without_memory`
            for state in states:
                state[...] = 0
        seen[:features] = x[step]
        np.matmul(matrix, seen, out=product)
        step_function(gates, *states)
        for state, old in zip(states, before, strict=False):
            np.copyto(state, old, where=~np.asarray(mask)[step])
        if outputs is not None:
            outputs[place] = h
    return states, outputs


def stack_kernels(
    kernel: np.ndarray, hidden: np.ndarray, bias: Sequence[np.ndarray], gates: Gates
) -> np.ndarray:
    """Return kernels and biases as one matrix (gates * units, features + units + 1).

    Args:
        kernel, hidden: (features, gates * units) and (units, gates * units).
        bias: none, or one: (gates * units,), or (2, gates * units) for a GRU that resets after its product.
        gates: orders what comes from the input, from the state and from the biases, each (gates, units, n).
    """
    units = len(hidden)
    ours, theirs = kernel.T.reshape(-1, units, len(kernel)), hidden.T.reshape(-1, units, units)
    ones = (
        bias[0].reshape(-1, len(ours), units, 1) if bias else np.zeros((1, len(ours), units, 1), np.float32)
    )
    return np.concatenate(gates(ours, theirs, ones), axis=2).reshape(-1, len(kernel) + units + 1)


def keep_gates(ours: np.ndarray, theirs: np.ndarray, ones: np.ndarray) -> tuple[np.ndarray, ...]:
    return ours, theirs, ones[0]


def order_lstm_gates(ours: np.ndarray, theirs: np.ndarray, ones: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the gates input, forget, output, candidate."""
    order = [0, 1, 3, 2]
    return ours[order], theirs[order], ones[0, order]


def split_gru_gates(ours: np.ndarray, theirs: np.ndarray, ones: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the gates update, reset, and the candidate's two parts: from the input, and from the state."""
    order = [0, 1, 3, 2]
    bias = append_zeros(ones[0]) + (append_zeros(ones[1])[order] if len(ones) > 1 else 0)
    return append_zeros(ours), append_zeros(theirs)[order], bias


def append_zeros(gates: np.ndarray) -> np.ndarray:
    return np.concatenate([gates, np.zeros_like(gates[:1])])


def simple_step(layer: "Layer", weights: Arrays) -> Step:
    if layer["activation"] == "tanh":
        return lambda z, h: tanh(z[0], out=h)  # what nearly all use, without a copy
    activation = activation_of(layer["activation"])
    return lambda z, h: np.copyto(h, activation(z[0]))


def skip_step(layer: "Layer", weights: Arrays) -> Step:
    scale = layer.inside[0]["scale"]
    return lambda z, h: np.add(h, scale * tanh(z[0]), out=h)


def lstm_step(layer: "Layer", weights: Arrays) -> Step:
    activation, gate = activation_of(layer["activation"]), activation_of(layer["recurrent_activation"])
    return lambda z, h, c: lstm(activation, gate, z, h, c)


def gru_step(layer: "Layer", weights: Arrays) -> Step:
    activation, gate = activation_of(layer["activation"]), activation_of(layer["recurrent_activation"])
    into = None if layer["reset_after"] else weights[1].T[2 * len(weights[1]) :]
    return lambda z, h: gru(activation, gate, into, z, h)


def lstm(act: Callable, gate: Callable, z: np.ndarray, h: np.ndarray, c: np.ndarray) -> None:
    enter, forget, leave = gate(z[:3])
    c *= forget
    c += enter * act(z[3])
    np.multiply(leave, act(c.copy()), out=h)


def gru(act: Callable, gate: Callable, into: np.ndarray | None, z: np.ndarray, h: np.ndarray) -> None:
    """into: the candidate's kernel where the reset comes before its product with the state."""
    keep, reset = gate(z[:2])
    z[2] += reset * z[3] if into is None else into @ (reset * h)
    new = act(z[2])
    h -= new
    h *= keep
    h += new


def bidirectional(layer: "Layer", weights: Arrays, xs: Arrays, masks: Masks) -> Arrays:
    """Return the merged outputs of both directions, then their states."""
    ahead, back = layer.inside
    count = 2 + ahead.options.get("use_bias", True)
    y, *states = recurrent(ahead, weights[:count], xs, masks)
    z, *more = recurrent(back, weights[count:], xs, masks)
    z = z[::-1] if back["return_sequences"] else z
    merged = MERGED_WAYS[layer["merge_mode"]](y, z)
    return [*merged, *states, *more]


MERGED_WAYS: Mapping[str | None, Callable] = {
    "concat": lambda y, z: [np.concatenate([y, z], axis=-2)],
    "sum": lambda y, z: [y + z],
    "ave": lambda y, z: [(y + z) / 2],
    "mul": lambda y, z: [y * z],
    None: lambda y, z: [y, z],
}


class Recurrence(NamedTuple):
    """How a recurrent layer goes from step to step.

    kernels: the gates in the kernels of the file. states: how many it has. gates: orders the kernels for one product.
    step: makes the function of one step, for a layer and its weights.
    """

    kernels: int
    states: int
    gates: Gates
    step: Callable[["Layer", Arrays], Step]


SIMPLE = Recurrence(1, 1, keep_gates, simple_step)
GRU = Recurrence(3, 1, split_gru_gates, gru_step)
LSTM = Recurrence(4, 2, order_lstm_gates, lstm_step)
SKIP = Recurrence(1, 1, keep_gates, skip_step)  # an RNN around the cell with a skip
