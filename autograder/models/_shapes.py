"""Shapes: for each layer class, what comes out for what goes in, and which weights it then holds.

A shape is a tuple whose first place is the batch; None is free: (None, None, 4) is any number of sequences of
any length with 4 features. The rules follow Keras's `compute_output_shape`, and a test compares them with it.
Each rule takes a layer, asked for its options as in `layer["units"]`, and the shapes that go in.
"""

from functools import reduce
from math import prod
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from autograder.models._layers import Layer

Shape = tuple[int | None, ...]  # the first is the batch
Shapes = tuple[Shape, ...]
WeightShapes = dict[str, tuple[int, ...]]  # by the path in the HDF5 file


class ShapeError(Exception):
    """What an option or a shape should be and is not; `plan` makes it a Failure that names the layer."""


# --- the parts the rules are made of


def rank(x: Shape, axes: int) -> Shape:
    if len(x) != axes:
        raise ShapeError(f"an input of {axes} axes such as {(None, None, 4)[: axes - 1] + (4,)}, not {x}")
    return x


def feature_dim(x: Shape) -> int:
    """Return the number of features, which has to be known for the weights to have a shape."""
    if len(x) < 2 or x[-1] is None:
        raise ShapeError(f"an input with a known number of features on its last axis, not {x}")
    return x[-1]


def place_of(axis: int, axes: int) -> int:
    """Return an axis counted from the front; never the batch."""
    place = axis if axis >= 0 else axes + axis
    if not 1 <= place < axes:
        raise ShapeError(f"an axis from 1 to {axes - 1} of its input, not {axis}")
    return place


# --- outputs: each returns the tuple of shapes that come out


def same(layer: "Layer", x: Shape) -> Shapes:
    return (x,)


def dense(layer: "Layer", x: Shape) -> Shapes:
    feature_dim(x)
    return ((*x[:-1], layer["units"]),)


def recurrent(layer: "Layer", x: Shape, *state: Shape) -> Shapes:
    rank(x, 3), feature_dim(x)
    units = units_of(layer)
    states = ((None, units),) * layer.recurrence.states
    if state and state != states:
        raise ShapeError(f"an initial state of shape {states}, not {state}")
    out = (None, x[1], units) if layer["return_sequences"] else (None, units)
    return (out, *states) if layer["return_state"] else (out,)


def units_of(layer: "Layer") -> int:
    """Return the size of a recurrent layer's state; an RNN's is its cell's."""
    return (layer.inside[0] if layer.inside else layer)["units"]


ALIKE = ("units", "return_sequences", "return_state")


def bidirectional(layer: "Layer", x: Shape, *state: Shape) -> Shapes:
    if state:
        raise ShapeError("no initial state (give it to two recurrent layers of your own)")
    ahead, back = layer.inside
    alike = all(ahead.options.get(option) == back.options.get(option) for option in ALIKE)
    if (
        "go_backwards" not in ahead.options
        or not alike
        or ahead["go_backwards"] == back.options.get("go_backwards")
    ):
        raise ShapeError("two recurrent layers that differ in their direction only")
    (out, *states), (back_out, *back_states) = ahead.outputs(x), back.outputs(x)
    merged: Shapes
    if layer["merge_mode"] is None:
        merged = (out, back_out)
    elif layer["merge_mode"] == "concat":
        merged = ((*out[:-1], feature_dim(out) + feature_dim(back_out)),)
    else:
        merged = (broadcast(out, back_out),)
    return (*merged, *states, *back_states)


def time_distributed(layer: "Layer", x: Shape) -> Shapes:
    if len(x) < 3:
        raise ShapeError(f"an input of 3 axes or more, not {x}")
    outs = layer.inside[0].outputs((x[0], *x[2:]))
    if len(outs) > 1:
        raise ShapeError("a layer with one output inside")
    return ((None, x[1], *outs[0][1:]),)


def embedding(layer: "Layer", x: Shape) -> Shapes:
    return ((*x, layer["output_dim"]),)


def pooled_globally(layer: "Layer", x: Shape) -> Shapes:
    rank(x, 3)
    return ((None, 1, x[2]) if layer["keepdims"] else (None, x[2]),)


def windows(time: int | None, size: int, stride: int, padding: str) -> int | None:
    """Return how many windows fit into `time` steps (Keras: compute_conv_output_shape)."""
    if time is None:
        return None
    count = -(-time // stride) if padding in ("same", "causal") else (time - size) // stride + 1
    if count < 1:
        raise ShapeError(f"an input of at least {size} steps, not {time}")
    return count


def pooled(layer: "Layer", x: Shape) -> Shapes:
    rank(x, 3)
    if layer["padding"] == "causal":
        raise ShapeError("padding 'valid' or 'same'")
    return ((None, windows(x[1], layer["pool_size"], layer["strides"], layer["padding"]), x[2]),)


def convolved(layer: "Layer", x: Shape) -> Shapes:
    rank(x, 3)
    if feature_dim(x) % layer["groups"] or layer["filters"] % layer["groups"]:
        raise ShapeError(f"filters and features that its {layer['groups']} groups divide")
    if layer["strides"] > 1 and layer["dilation_rate"] > 1:
        raise ShapeError("either strides or a dilation_rate above 1, not both")
    reach = layer["dilation_rate"] * (layer["kernel_size"] - 1) + 1
    return ((None, windows(x[1], reach, layer["strides"], layer["padding"]), layer["filters"]),)


def size(x: Shape) -> int | None:
    return None if None in x[1:] else prod(cast(tuple[int, ...], x[1:]))


def flattened(layer: "Layer", x: Shape) -> Shapes:
    return ((None, size(x)),)


def reshaped(layer: "Layer", x: Shape) -> Shapes:
    target, total = layer["target_shape"], size(x)
    rest = prod(n for n in target if n != -1)
    if target.count(-1) > 1 or 0 in target or (total is not None and total % rest):
        raise ShapeError(f"a target_shape that holds the values of {x}")
    if total is not None and -1 not in target and total != rest:
        raise ShapeError(f"a target_shape that holds the values of {x}")
    free = None if total is None else total // rest
    return ((None, *(free if n == -1 else n for n in target)),)


def permuted(layer: "Layer", x: Shape) -> Shapes:
    if sorted(layer["dims"]) != list(range(1, len(x))):
        raise ShapeError(f"dims that order the axes 1 to {len(x) - 1}")
    return ((None, *(x[n] for n in layer["dims"])),)


def repeated(layer: "Layer", x: Shape) -> Shapes:
    return ((None, layer["n"], *rank(x, 2)[1:]),)


def broadcast(x: Shape, y: Shape) -> Shape:
    """Return the shape of an elementwise operation; like Keras a free axis yields to a known one, and 1 to any."""
    if len(x) != len(y) or len(x) < 2:
        raise ShapeError(f"inputs with the same number of axes, not {x} and {y}")
    if any(None not in (m, n) and m != n and 1 not in (m, n) for m, n in zip(x, y, strict=True)):
        raise ShapeError(f"inputs of the same shape, not {x} and {y}")
    return tuple(n if m in (1, None) and not (m is None and n == 1) else m for m, n in zip(x, y, strict=True))


def merged(layer: "Layer", *inputs: Shape) -> Shapes:
    """Elementwise; the numbers among the inputs of an operation fit any shape."""
    if layer.kind == "Subtract" and len(inputs) != 2:
        raise ShapeError(f"two inputs, not {len(inputs)}")
    return (reduce(broadcast, [x for x in inputs if isinstance(x, tuple)]),)


def joined(layer: "Layer", *inputs: Shape) -> Shapes:
    first = inputs[0]
    place = place_of(layer["axis"], len(first))
    if any(len(x) != len(first) for x in inputs):
        raise ShapeError(f"inputs with the same number of axes, not {' and '.join(map(str, inputs))}")
    for x in inputs[1:]:
        if 1 in without(x, place) + without(first, place) and without(x, place) != without(first, place):
            raise ShapeError(f"inputs that differ in axis {place} only, not {first} and {x}")
    rest = reduce(broadcast, [without(x, place) for x in inputs]) if len(first) > 2 else first[:1]
    lengths = [length for x in inputs if (length := x[place]) is not None]
    return ((*rest[:place], sum(lengths) if len(lengths) == len(inputs) else None, *rest[place:]),)


def without(x: Shape, place: int) -> Shape:
    return x[:place] + x[place + 1 :]


def reduced(layer: "Layer", x: Shape) -> Shapes:
    place = place_of(layer["axis"], len(x))
    return ((*x[:place], 1, *x[place + 1 :]) if layer["keepdims"] else without(x, place),)


def along_axis(layer: "Layer", x: Shape) -> Shapes:
    place_of(layer["axis"], len(x))
    return (x,)


def normalised(layer: "Layer", x: Shape) -> Shapes:
    feature_dim(x)
    if place_of(layer["axis"], len(x)) != len(x) - 1:
        raise ShapeError("axis -1")
    return (x,)


def expanded(layer: "Layer", x: Shape) -> Shapes:
    place = place_of(layer["axis"], len(x) + 1)
    return ((*x[:place], 1, *x[place:]),)


def picked(layer: "Layer", x: Shape, key: Any) -> Shapes:
    """x[key]: a whole number drops its axis, a slice keeps it, a free axis stays free; the batch stays whole."""
    key = key if isinstance(key, tuple) else (key,)
    if ... in key:
        gap = len(x) - len(key) + 1
        key = tuple(
            part
            for part_of_key in key
            for part in ([slice(None)] * gap if part_of_key is ... else [part_of_key])
        )
    if len(key) > len(x) or not key or key[0] != slice(None):
        raise ShapeError(f"an index such as x[:, -1] that keeps the batch whole and fits {x}")
    axes = [axis_left(n, index) for n, index in zip(x[1:], key[1:], strict=False)]
    return ((None, *(n for axis in axes for n in axis), *x[len(key) :]),)


def axis_left(length: int | None, index: Any) -> Shape:
    """Return the axis that an index leaves of one: none for a number."""
    if isinstance(index, int):
        if length is not None and not -length <= index < length:
            raise ShapeError(f"an index within {length} places, not {index}")
        return ()
    left = None if length is None else len(range(*index.indices(length)))
    if left == 0:
        raise ShapeError(f"a slice that leaves something of {length} places")
    return (left,)


# --- weights: each takes a layer and the shape that goes in, and returns the weights' shapes by path


def weightless(layer: "Layer", *inputs: Shape) -> WeightShapes:
    return {}


def numbered(*shapes: tuple[int, ...], within: str = "vars") -> WeightShapes:
    return {f"{within}/{k}": shape for k, shape in enumerate(shapes)}


def dense_weights(layer: "Layer", x: Shape) -> WeightShapes:
    return numbered((feature_dim(x), layer["units"]), *[(layer["units"],)] * layer["use_bias"])


def recurrent_weights(layer: "Layer", x: Shape, *state: Shape) -> WeightShapes:
    units, gates = units_of(layer), layer.recurrence.kernels
    bias = (2, gates * units) if layer.options.get("reset_after") else (gates * units,)
    kernels = (feature_dim(x), gates * units), (units, gates * units)
    return numbered(*kernels, *[bias] * layer.options.get("use_bias", True), within="cell/vars")


def bidirectional_weights(layer: "Layer", x: Shape) -> WeightShapes:
    ahead, back = (direction.weights(x) for direction in layer.inside)
    return {f"forward_layer/{k}": v for k, v in ahead.items()} | {
        f"backward_layer/{k}": v for k, v in back.items()
    }


def time_distributed_weights(layer: "Layer", x: Shape) -> WeightShapes:
    return {f"layer/{path}": shape for path, shape in layer.inside[0].weights((x[0], *x[2:])).items()}


def embedding_weights(layer: "Layer", x: Shape) -> WeightShapes:
    return numbered((layer["input_dim"], layer["output_dim"]))


def convolution_weights(layer: "Layer", x: Shape) -> WeightShapes:
    kernel = (layer["kernel_size"], feature_dim(x) // layer["groups"], layer["filters"])
    return numbered(kernel, *[(layer["filters"],)] * layer["use_bias"])


def normalisation_weights(layer: "Layer", x: Shape) -> WeightShapes:
    moving = 2 if layer.kind == "BatchNormalization" else 0
    return numbered(*[(feature_dim(x),)] * (layer["scale"] + layer["center"] + moving))


def slope_weights(layer: "Layer", x: Shape) -> WeightShapes:
    """One slope for each place of the input, or one for all places along the shared axes."""
    shared = layer["shared_axes"] or ()
    slopes = tuple(1 if axis in shared else size or 0 for axis, size in enumerate(x[1:], 1))
    if 0 in slopes or not set(shared) <= set(range(1, len(x))):
        raise ShapeError(f"shared_axes=[1] where the length is free, not {list(shared)} on {x}")
    return numbered(slopes)
