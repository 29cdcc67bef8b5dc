"""Plan: a model as a list of layers and a list of calls of these layers on earlier results.

It holds what a trace depends on and nothing else. Of what a student wrote only numbers and choices that the
tables in `layers` allow get here, and the names of layers, which serve messages.
"""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any, NamedTuple

from autograder.core import Failure
from autograder.models._layers import Layer
from autograder.models._shapes import Shape, ShapeError, WeightShapes

MAX_LAYERS = 100  # wrapped ones included
MAX_CALLS = 500  # of layers and operations; the masks of a concatenation of seven layers take 60
MAX_PARAMETERS = 5_000_000
MAX_VALUES = 10_000_000  # in all results for one sequence, or for one step of it where its length is free
MAX_WORK = 10**9  # multiplications for the same
MAX_INPUTS = 4
STEP_WORK = 20_000  # what a step of a recurrent layer costs besides its products, in multiplications


class Result(NamedTuple):
    """One tensor: an output of a call."""

    call: int
    output: int


@dataclass(frozen=True)
class Call:
    """A layer applied to earlier results. Each of `inputs` is a Result, a number, an index or a tuple of Results."""

    layer: int
    inputs: tuple = ()
    mask: Result | None = None
    state: tuple[Result, ...] = ()
    shapes: tuple[Shape, ...] = ()

    @property
    def results(self) -> list[Result]:
        """Every result the call depends on."""
        flat = [result for given in self.inputs for result in (given if type(given) is tuple else (given,))]
        return [result for result in (*flat, self.mask, *self.state) if isinstance(result, Result)]


class Weight(NamedTuple):
    """Where an array of weights is in the HDF5 file, its shape, and its layer as messages name it."""

    path: str
    shape: tuple[int, ...]
    layer: str

    @property
    def size(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True, eq=False)
class Plan:
    """A model's layers, their calls, and the weights it needs; where only weights differ, `signature` is equal.

    The first layers and calls are the inputs, as the file lists them; `inputs` has them in the model's own order.
    work: multiplications for one sequence, or for one step of it where its length is free.
    """

    layers: tuple[Layer, ...]
    calls: tuple[Call, ...]
    inputs: tuple[Result, ...]
    output: Result
    weights: tuple[Weight, ...] = field(repr=False)
    work: int = field(default=0, repr=False)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Class names of the layers in order, wrapped layers after their wrapper; operations are left out."""
        return tuple(part.kind for layer in self.layers for part in layer.all if not part.is_operation)

    @property
    def parameters(self) -> int:
        return sum(weight.size for weight in self.weights)

    @property
    def input_shapes(self) -> tuple[Shape, ...]:
        return tuple(self.layers[entrance.call]["batch_shape"] for entrance in self.inputs)

    @property
    def input_dtypes(self) -> tuple[str, ...]:
        return tuple(self.layers[entrance.call]["dtype"] for entrance in self.inputs)

    @property
    def input_shape(self) -> Shape | tuple[Shape, ...]:
        """The shape of the one input; where there are several, the shapes of all, as Keras has it."""
        shapes = self.input_shapes
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def output_shape(self) -> Shape:
        return self.calls[self.output.call].shapes[self.output.output]

    @cached_property
    def signature(self) -> str:
        """A digest of everything but names and weights."""
        return hashlib.sha256(repr((self.layers, self.calls, self.inputs, self.output)).encode()).hexdigest()

    def values(self, steps: int) -> int:
        """Numbers in all results for one sequence of so many steps."""
        return sum(count_values(shape, steps) for call in self.calls for shape in call.shapes)


def count_values(shape: Shape, steps: int = 1) -> int:
    """Return how many numbers a result has for one sequence of so many steps."""
    return prod(steps if n is None else n for n in shape[1:])


class PlanBuilder:
    """A plan in the making: layers and calls are added one at a time, each checked as it comes."""

    def __init__(self, *entrances: Layer):
        self.layers = [*entrances]
        self.calls = [Call(k, shapes=(entrance["batch_shape"],)) for k, entrance in enumerate(entrances)]
        self.weights: dict[int, WeightShapes] = {}  # by layer: path to shape
        self.totals = {"parameters": 0, "values for one sequence": 0, "multiplications for one sequence": 0}
        self.nested = 0
        for entrance in entrances:
            self.count(entrance, 0, count_values(entrance["batch_shape"]), 0)

    def add(self, layer: Layer) -> int:
        """Return the index of a new layer."""
        self.layers.append(layer)
        proper = sum(len(part.all) for part in self.layers if not part.is_operation)
        if proper > MAX_LAYERS or len(self.layers) > MAX_CALLS:
            raise Failure(f"The model has more than {MAX_LAYERS} layers or {MAX_CALLS} operations.")
        return len(self.layers) - 1

    def nest(self) -> None:
        """Count a call of a nested model, which may call others and make no call of a layer. Raises Failure."""
        self.nested += 1
        if self.nested > MAX_CALLS:
            raise Failure(f"The model calls its nested models more than {MAX_CALLS} times.")

    def call(self, index: int, inputs: tuple, mask: Result | None = None, state: tuple = ()) -> Call:
        """Add a call, once the shapes and the cost of what it makes are known. Raises Failure."""
        layer = self.layers[index]
        check_takes(layer, inputs, mask, state)
        if mask is not None and not self.layers[self.calls[mask.call].layer].spec.returns_mask:
            raise Failure(f"The {layer} gets a mask that is no comparison such as x != 0.")
        given = [self.shape(argument) for argument in (*(inputs[0] if takes_list(layer) else inputs), *state)]
        try:
            shapes, weights = layer.outputs(*given), layer.weights(*given)
        except ShapeError as misfit:
            raise Failure(f"The {layer} needs {misfit}.") from None
        if self.weights.get(index, weights) != weights:
            raise Failure(f"The {layer} is shared by inputs that need weights of different shapes.")
        parameters = sum(prod(shape) for shape in weights.values())
        steps = STEP_WORK if any("return_state" in part.options for part in layer.all) else 0
        work = (
            count_values(given[0][:-1]) * (parameters + steps) if weights and not layer.spec.is_lookup else 0
        )
        self.count(
            layer,
            0 if index in self.weights else parameters,
            sum(count_values(shape) for shape in shapes),
            work,
        )
        self.weights[index] = weights
        self.calls.append(Call(index, inputs, mask, state, shapes))
        if len(self.calls) > MAX_CALLS:
            raise Failure(f"The model calls its layers more than {MAX_CALLS} times.")
        return self.calls[-1]

    def shape(self, given: Any) -> Any:
        """Return the shape of a result; a number or an index stands for itself."""
        return self.calls[given.call].shapes[given.output] if isinstance(given, Result) else given

    def count(self, layer: Layer, *amounts: int) -> None:
        """Add to the totals; Failure at the layer that passes a limit."""
        for what, amount, most in zip(
            self.totals, amounts, (MAX_PARAMETERS, MAX_VALUES, MAX_WORK), strict=True
        ):
            self.totals[what] += amount
            if self.totals[what] > most:
                reason = f"With the {layer} the model comes to {self.totals[what]:,} {what}"
                raise Failure(f"{reason}; at most {most:,} are accepted.", "Make its layers smaller.")

    def plan(self, output: Result, inputs: tuple[Result, ...] = (Result(0, 0),)) -> Plan:
        """Return the plan, where every call leads to the output. Raises Failure."""
        used = {output.call}
        for index in reversed(range(len(self.calls))):  # a call depends on earlier ones only
            if index not in used and self.calls[index].results:  # an input may be left unused
                raise Failure(
                    f"The {self.layers[self.calls[index].layer]} does not lead to the model's output."
                )
            used |= {result.call for result in self.calls[index].results}
        weights = [
            Weight(f"{layer.h5_path}/{path}", shape, str(layer))
            for index, layer in enumerate(self.layers)
            for path, shape in self.weights.get(index, {}).items()
        ]
        work = self.totals["multiplications for one sequence"]
        return Plan(tuple(self.layers), tuple(self.calls), inputs, output, tuple(weights), work)


def takes_list(layer: Layer) -> bool:
    return layer.spec.takes == "list"


def check_takes(layer: Layer, inputs: tuple, mask: Result | None, state: tuple) -> None:
    """Failure unless a layer is called on what its kind takes: tensors, and numbers or an index for operations."""
    match layer.spec.takes, inputs:
        case "one", (Result(),):
            fits = True
        case "list", (tuple() as several,):
            fits = several != () and all(isinstance(result, Result) for result in several)
        case "two", (x, y):
            results = sum(isinstance(result, Result) for result in (x, y))
            fits = results == 2 or (results == 1 and type(x if isinstance(y, Result) else y) in (int, float))
        case "key", (Result(), key):
            parts = key if type(key) is tuple else (key,)
            fits = all(type(part) in (int, slice) or part is ... for part in parts) and parts.count(...) < 2
        case _:
            fits = False
    if state and "return_state" not in layer.options:
        raise Failure(f"The {layer} is called with an initial state, which only recurrent layers take.")
    if not fits or (layer.is_operation and mask):
        raise Failure(f"The {layer} is called on something else than the tensors it takes.")
