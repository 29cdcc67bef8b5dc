"""Which weights of a model belong to which hidden unit: by a plan alone, before two models are compared.

Hidden units have no order of their own: shuffle them, with the rows and columns of the weights they read and are
read by, and the model answers as before. A tanh unit may also change its sign with those of all its weights. Such
a layout is called a symmetry; it may claim too much, which makes strangers look a little more alike, and no more.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from autograder.models import Layer, Plan

GATES = {
    "SimpleRNN": (1, (0,)),
    "GRU": (3, (2,)),
    "LSTM": (4, (2,)),
}  # how many, and which turn with their unit
ODD = {"tanh", "linear", "softsign", "tanh_shrink"}  # activations with f(-x) = -f(x)
KEEPS_SIGN = {
    "Masking", "Dropout", "SpatialDropout1D", "GaussianDropout", "GaussianNoise", "Identity", "RepeatVector",
    "GlobalAveragePooling1D", "AveragePooling1D", "ops.GetItem", "ops.ExpandDims",
}  # fmt: skip
MASKS = {"ops.NotEqual", "ops.Any", "ops.LogicalOr", "ops.ZerosLike"}  # what they are made of stays as it is


MAX_UNITS = 1_000  # of a group that is reordered: assigning them takes cubic time, half a second for so many


class Axis(NamedTuple):
    """An axis of a block: the group of units along it, None where the order is given; whether it turns with them."""

    group: int | None
    odd: bool = True


class Block(NamedTuple):
    """A part of one array of weights, whose every axis belongs to one group."""

    weight: int  # its place in the plan's weights
    cut: tuple  # the index that takes the part
    axes: tuple[Axis, ...]


class Segment(NamedTuple):
    """Some of the features of a tensor, side by side: their group, and how many."""

    group: int | None
    size: int


Features = tuple[Segment, ...]
ALL = slice(None)


@dataclass
class Layout:
    """The blocks of a plan, the size of each group of units, the groups whose signs may turn, in the plan's order."""

    blocks: list[Block] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    turning: set[int] = field(default_factory=set)
    fixed: set[int] = field(default_factory=set)

    def group(self, size: int, turns: bool) -> Features:
        """Return new units."""
        self.sizes.append(size)
        self.turning |= {len(self.sizes) - 1} if turns else set()
        return (Segment(len(self.sizes) - 1, size),)

    def fix(self, features: Iterable[Segment]) -> None:
        """Keep these units in their order, since something depends on it."""
        self.fixed |= {segment.group for segment in features if segment.group is not None}

    def settle(self) -> "Layout":
        """Return the layout where no block asks about a group that is fixed."""
        self.fixed |= {group for group, size in enumerate(self.sizes) if size > MAX_UNITS}
        self.turning -= self.fixed
        free = [
            Block(weight, cut, tuple(Axis(None) if axis.group in self.fixed else axis for axis in axes))
            for weight, cut, axes in self.blocks
        ]
        return Layout(free, self.sizes, self.turning, self.fixed)

    @property
    def groups(self) -> list[int]:
        """The groups that may be reordered."""
        return [group for group in range(len(self.sizes)) if group not in self.fixed]


def build_layout(plan: Plan) -> Layout:
    """Return how the weights of `plan` hang together by its hidden units."""
    layout = Layout()
    features_of: dict[tuple[int, int], Features] = {}
    for place, call in enumerate(plan.calls):
        layer = plan.layers[call.layer]
        inputs = [features_of[result] for result in (*call.results,) if result != call.mask]
        numbers = [n for n, weight in enumerate(plan.weights) if weight.path.startswith(f"{layer.h5_path}/")]
        sizes = [shape[-1] for shape in call.shapes]
        again = {block.weight for block in layout.blocks} & set(numbers)
        outs = (
            called_again(layout, inputs, sizes, again)
            if again
            else propagate(layout, layer, inputs, sizes, numbers)
        )
        features_of |= {(place, output): features for output, features in enumerate(outs)}
    layout.fix(features_of[plan.output])
    return layout.settle()


def called_again(layout: Layout, inputs: list[Features], sizes: list, numbers: set[int]) -> list[Features]:
    """Return a layer with two readers, or that reads twice: all its units keep their order."""
    axes = (axis for block in layout.blocks if block.weight in numbers for axis in block.axes)
    layout.fixed |= {axis.group for axis in axes if axis.group is not None}
    return [unknown(layout, inputs, size, []) for size in sizes]


def propagate(
    layout: Layout, layer: Layer, inputs: list[Features], sizes: list, numbers: list[int]
) -> list[Features]:
    """Return the features of each result of a layer; its blocks are added to `layout`."""
    if layer.kind in GATES:
        return [recurrent(layout, layer, inputs, numbers)] * len(sizes)
    if layer.kind == "Bidirectional" and {wrapped.kind for wrapped in layer.inside} <= GATES.keys():
        return bidirectional(layout, layer, inputs, len(sizes), numbers)
    if layer.kind == "TimeDistributed":
        return propagate(layout, layer.inside[0], inputs, sizes, numbers)
    special = {"Dense": dense, "Embedding": embedding, "Conv1D": convolution}.get(layer.kind)
    if special:
        return [special(layout, layer, inputs, numbers)]
    if numbers and not layer.kind.endswith("Normalization"):
        return [unknown(layout, inputs, size, numbers) for size in sizes]
    return [pass_through(layout, layer, inputs, size, numbers) for size in sizes]


def dense(layout: Layout, layer: Layer, inputs: list[Features], numbers: list[int]) -> Features:
    out = layout.group(layer["units"], layer["activation"] in ODD)
    product(layout, numbers[0], inputs[0], out, ())
    bias(layout, numbers[1:], out, ())
    return out


def embedding(layout: Layout, layer: Layer, inputs: list[Features], numbers: list[int]) -> Features:
    """Words keep their order, their coordinates do not."""
    layout.fix(inputs[0])
    out = layout.group(layer["output_dim"], turns=True)
    layout.blocks.append(Block(numbers[0], (), (Axis(None), Axis(out[0].group))))
    return out


def convolution(layout: Layout, layer: Layer, inputs: list[Features], numbers: list[int]) -> Features:
    out = layout.group(layer["filters"], layer["activation"] in ODD)
    if layer["groups"] > 1:
        layout.fix((*inputs[0], *out))
        layout.blocks.append(Block(numbers[0], (), (Axis(None),) * 3))
    else:
        for step in range(layer["kernel_size"]):
            product(layout, numbers[0], inputs[0], out, (step,))
    bias(layout, numbers[1:], out, ())
    return out


def recurrent(layout: Layout, layer: Layer, inputs: list[Features], numbers: list[int]) -> Features:
    """One group of units, that of its initial state where it has one: kernel, recurrent weights, bias by gate."""
    gates, turning = GATES[layer.kind]
    units = layer["units"]
    tied = len(inputs) > 1 and len(inputs[1]) == 1
    out = inputs[1] if tied else layout.group(units, layer["activation"] == "tanh")
    if len(inputs) > 1 and not tied:
        layout.fix((*out, *(segment for features in inputs[1:] for segment in features)))
    for gate in range(gates):
        odd, part = gate in turning, slice(gate * units, (gate + 1) * units)
        product(layout, numbers[0], inputs[0], out, (), part, odd)
        product(layout, numbers[1], out, out, (), part, odd)
        rows = range(2) if layer.kind == "GRU" and layer["reset_after"] else (None,)
        for row in rows:
            bias(layout, numbers[2:], out, () if row is None else (row,), part, odd)
    return out


def bidirectional(
    layout: Layout, layer: Layer, inputs: list[Features], results: int, numbers: list[int]
) -> list:
    """Return the results of two layers side by side; where these are added up, units stay in order."""
    half = len(numbers) // 2
    ahead = recurrent(layout, layer.inside[0], inputs, numbers[:half])
    back = recurrent(layout, layer.inside[1], inputs, numbers[half:])
    merge = layer["merge_mode"]
    if merge not in ("concat", None):
        layout.fix((*ahead, *back))
    merged = {"concat": [(*ahead, *back)], None: [ahead, back]}.get(merge, [ahead])
    states = (results - len(merged)) // 2
    return [*merged, *[ahead] * states, *[back] * states]


def pass_through(
    layout: Layout, layer: Layer, inputs: list[Features], size: int | None, numbers: list[int]
) -> Features:
    """Return the features of a layer that handles each on its own; of any other, new ones in a fixed order."""
    if layer.kind in ("Concatenate", "ops.Concatenate") and sum(map(width, inputs)) == size:
        return tuple(segment for features in inputs for segment in features)
    if layer.kind in MASKS:
        return (Segment(None, size or 1),)
    if len(inputs) == 1 and width(inputs[0]) == size:
        scales = layer.kind == "Rescaling" and layer.options.get("offset") == 0
        if not (scales or layer.kind in KEEPS_SIGN or layer.options.get("activation") in ODD):
            layout.turning -= {segment.group for segment in inputs[0]}
        for number in numbers:
            bias(layout, [number], inputs[0], ())
        return inputs[0]
    return unknown(layout, inputs, size, numbers)


def unknown(layout: Layout, inputs: list[Features], size: int | None, numbers: list[int]) -> Features:
    """Return what a layer makes that is not understood: its units and all it reads keep their order."""
    layout.fix(segment for features in inputs for segment in features)
    layout.blocks += [Block(number, (), ()) for number in numbers]
    return (Segment(None, size or 1),)


def product(
    layout: Layout,
    number: int,
    rows: Features,
    columns: Features,
    at: tuple,
    part: slice = ALL,
    odd: bool = True,
) -> None:
    """Add the blocks of a matrix (rows, columns); `at` leads to it, `part` is its columns among others."""
    start = 0
    for segment in rows:
        cut = (*at, slice(start, start + segment.size), part)
        layout.blocks.append(Block(number, cut, (Axis(segment.group), Axis(columns[0].group, odd))))
        start += segment.size


def bias(
    layout: Layout, numbers: list[int], columns: Features, at: tuple, part: slice = ALL, odd: bool = True
) -> None:
    """Add the blocks of an array with a number for each of `columns`, where the layer has one."""
    start = part.start or 0
    for segment in columns if numbers else ():
        cut = (*at, slice(start, start + segment.size))
        layout.blocks.append(Block(numbers[0], cut, (Axis(segment.group, odd),)))
        start += segment.size


def width(features: Features) -> int:
    return sum(segment.size for segment in features)
