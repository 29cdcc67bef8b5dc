"""Plan: what a model's config asks for, checked line by line before anything is built.

A plan is a list of layers and a list of calls of these layers on earlier results. A sequential model is a chain
of calls; a nested sequential model is taken apart into its layers. Nothing in a plan came from a student except
numbers and choices that the table in `layers` allows, and the names, which serve messages only.
"""

import hashlib
import re
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import NamedTuple

from autograder.failure import Failure, plain
from autograder.models.layers import KINDS, Kind, Layer
from autograder.models.shapes import Misfit, Shape

MOST_LAYERS = 100  # wrapped ones included
MOST_CALLS = 500  # of layers and operations; the masks of a concatenation of seven layers take 60
MOST_PARAMETERS = 5_000_000
MOST_VALUES = 10_000_000  # in all results for one sequence, or for one step of it where its length is free
MOST_WORK = 10**9  # multiplications for the same
STEP_WORK = 20_000  # what one step of a recurrent layer costs besides its products

BOOLEAN = {"ops.NotEqual", "ops.Any", "ops.All", "ops.LogicalOr", "ops.LogicalAnd"}
INSTEAD = {
    "Lambda": "It holds code, which is never run here: use layers such as Rescaling or Reshape, or x[:, -1].",
    "Functional": "Put all layers into one model; only Sequential models may be nested.",
    "RNN": "Use SimpleRNN, GRU or LSTM instead of a cell of your own.",
    "TextVectorization": "Turn text into numbers before the model, in your notebook.",
    "StringLookup": "Turn text into numbers before the model, in your notebook.",
    "IntegerLookup": "Turn tokens into numbers before the model, in your notebook.",
}
KNOWN = "Layers that can be graded: " + ", ".join(kind for kind in KINDS if not kind.startswith("ops.")) + "."


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

    def results(self) -> list[Result]:
        """Every result the call depends on."""
        flat = [one for given in self.inputs for one in (given if type(given) is tuple else (given,))]
        return [one for one in (*flat, self.mask, *self.state) if isinstance(one, Result)]


class Weight(NamedTuple):
    """Where an array of weights is in the HDF5 file, its shape, and its layer as messages name it."""

    path: str
    shape: Shape
    layer: str


@dataclass(frozen=True, eq=False)
class Plan:
    """A model's layers, their calls, and the weights it needs; `signature` is equal for models that share a trace."""

    layers: tuple[Layer, ...]
    calls: tuple[Call, ...]
    output: Result
    weights: tuple[Weight, ...] = field(repr=False)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Class names of the layers in order, wrapped layers after their wrapper; operations are left out."""
        flat = [one for layer in self.layers for one in flattened(layer)]
        return tuple(layer.kind for layer in flat if not layer.kind.startswith("ops."))

    @property
    def parameters(self) -> int:
        return sum(prod(weight.shape) for weight in self.weights)

    @property
    def input_shape(self) -> Shape:
        return self.calls[0].shapes[0]

    @property
    def input_dtype(self) -> str:
        return self.layers[0]["dtype"]

    @property
    def output_shape(self) -> Shape:
        return self.calls[self.output.call].shapes[self.output.output]

    @cached_property
    def signature(self) -> str:
        """A digest of everything but names and weights."""
        return hashlib.sha256(repr((self.layers, self.calls, self.output)).encode()).hexdigest()

    def values(self, steps: int) -> int:
        """Numbers in all results for one sequence of so many steps."""
        return sum(extent(shape, steps) for call in self.calls for shape in call.shapes)


def flattened(layer: Layer) -> list[Layer]:
    return [layer, *(one for wrapped in layer.inside for one in flattened(wrapped))]


def extent(shape: Shape, steps: int) -> int:
    return prod(steps if n is None else n for n in shape[1:])


def read_plan(config: dict) -> Plan:
    """The plan in the JSON object of config.json. Raises Failure."""
    kind = config.get("class_name")
    draft = Draft()
    if kind == "Sequential":
        draft.sequential(settings(config))
    elif kind == "Functional":
        draft.functional(settings(config))
    else:
        raise Failure(
            f"The model should be Sequential or functional, but is of class {shown(kind)}.",
            "A class of your own is code, which is never run here: build the model of Keras's layers.",
        )
    return draft.plan()


class Draft:
    """A plan being read. `functional` and `sequential` fill it from a model's config."""

    def __init__(self):
        self.layers: list[Layer] = []
        self.calls: list[Call] = []
        self.weights: dict[int, dict[str, Shape]] = {}  # by layer: path to shape
        self.output = Result(0, 0)
        self.parameters = self.values = self.work = 0

    def plan(self) -> Plan:
        """The plan, once every call leads to the output."""
        used, waiting = set(), [self.output.call]
        while waiting:
            call = waiting.pop()
            if call not in used:
                used.add(call)
                waiting += [result.call for result in self.calls[call].results()]
        for index, call in enumerate(self.calls):
            if index not in used:
                raise Failure(f"{title(self.layers[call.layer])} does not lead to the model's output.")
        weights = [
            Weight(f"{layer.place}/{path}", shape, title(layer))
            for index, layer in enumerate(self.layers)
            for path, shape in self.weights.get(index, {}).items()
        ]
        return Plan(tuple(self.layers), tuple(self.calls), self.output, tuple(weights))

    def sequential(self, config: dict) -> None:
        entries = listed(config, "layers")
        if not entries or class_of(entries[0]) != "InputLayer":
            raise Failure(
                "The model does not say what goes in.",
                "Begin it with keras.Input(shape=(None, 4)), or call it once before saving.",
            )
        self.output = self.input(entries[0])
        names = Names("layers")
        for layer in (one for entry in entries[1:] for one in self.members(entry, names)):
            self.output = self.call(layer, (self.output,))

    def functional(self, config: dict) -> None:
        names, waiting, results = Names("layers"), {}, {}
        for entry in listed(config, "layers"):
            name = entry.get("name")
            if not isinstance(name, str) or name in waiting:
                raise Failure(f"The config names the layer {shown(name)} twice, or not at all.")
            waiting[name] = (self.members(entry, names), listed(entry, "inbound_nodes"))
            if class_of(entry) == "InputLayer":
                results[name, 0] = [Result(0, 0)]
        self.call_all(waiting, results)
        inputs, outputs = (tensors(config.get(key), results) for key in ("input_layers", "output_layers"))
        if len(inputs) != 1 or len(outputs) != 1 or inputs[0] != Result(0, 0):
            reason = (
                f"The model should have one input and one output, but has {len(inputs)} and {len(outputs)}."
            )
            raise Failure(reason, "Save a keras.Model(inputs, outputs) with one tensor for each.")
        self.output = outputs[0]

    def call_all(self, waiting: dict[str, tuple[list[int], list]], results: dict) -> None:
        """Makes the calls of a functional model, each as soon as what goes into it is there."""
        done = dict.fromkeys(waiting, 0)
        before = None
        while before != (before := sum(done.values())):
            for name, (chain, nodes) in waiting.items():
                while (
                    done[name] < len(nodes) and (given := arguments(nodes[done[name]], results)) is not None
                ):
                    results[name, done[name]] = self.call_chain(chain, *given)
                    done[name] += 1
        for name, (_, nodes) in waiting.items():
            if done[name] < len(nodes):
                raise Failure(
                    f"The layer {shown(name)} waits for its own output, or for a layer that is not there."
                )

    def call_chain(self, chain: list[int], inputs: tuple, mask: Result | None, state: tuple) -> list[Result]:
        for layer in chain:
            result = self.call(layer, inputs, mask, state)
            inputs, mask, state = (result,), None, ()
        return [Result(result.call, k) for k in range(len(self.calls[result.call].shapes))]

    def members(self, entry: dict, names: "Names") -> list[int]:
        """Indices of the layers an entry adds: one, or those of a nested sequential model, whose input is known."""
        if class_of(entry) == "InputLayer":
            self.input(entry)
            names.next("InputLayer")
            return []
        if class_of(entry) != "Sequential":
            return [self.add(read_layer(entry, names))]
        inner = listed(settings(entry), "layers")
        inner = inner[1:] if inner and class_of(inner[0]) == "InputLayer" else inner
        if not inner:
            raise Failure("A nested Sequential model is empty.")
        names = Names(names.next("Sequential") + "/layers")
        return [one for nested in inner for one in self.members(nested, names)]

    def add(self, layer: Layer) -> int:
        self.layers.append(layer)
        if sum(len(flattened(one)) for one in self.layers) > MOST_LAYERS:
            raise Failure(
                f"The model has more than {MOST_LAYERS} layers.", "Such a model is not needed here."
            )
        return len(self.layers) - 1

    def input(self, entry: dict) -> Result:
        if self.layers:
            raise Failure("The model should have one input, but has several, or one in the middle.")
        layer = read_layer(entry, Names("layers"))
        self.add(layer)
        self.calls.append(Call(0, shapes=(layer["batch_shape"],)))
        self.count(layer, {}, (), (layer["batch_shape"],))
        return Result(0, 0)

    def call(self, index: int, inputs: tuple, mask: Result | None = None, state: tuple = ()) -> Result:
        """Adds one call, after its shapes and what it costs have been worked out."""
        layer = self.layers[index]
        check_takes(layer, inputs, state)
        if mask is not None and self.layers[self.calls[mask.call].layer].kind not in BOOLEAN:
            raise Failure(f"{title(layer)} gets a mask that is no comparison such as x != 0.")
        given = (
            [self.known(one) for one in inputs]
            if KINDS[layer.kind].takes != "list"
            else map(self.known, inputs[0])
        )
        given = [*given, *map(self.known, state)]
        try:
            shapes, weights = layer.outputs(*given), layer.weights(*given)
        except Misfit as misfit:
            raise Failure(f"{title(layer)} needs {misfit}.") from None
        self.count(layer, {} if index in self.weights else weights, given[0], shapes)
        if self.weights.setdefault(index, weights) != weights:
            raise Failure(f"{title(layer)} is shared by inputs that need weights of different shapes.")
        self.calls.append(Call(index, inputs, mask, state, shapes))
        return Result(len(self.calls) - 1, 0)

    def known(self, given):
        """The shape of a result; a number or an index stands for itself."""
        return self.calls[given.call].shapes[given.output] if isinstance(given, Result) else given

    def count(self, layer: Layer, weights: dict[str, Shape], given: Shape, shapes: tuple[Shape, ...]) -> None:
        """Adds up what the model asks for; Failure at the layer that passes a limit."""
        parameters = sum(map(prod, weights.values()))
        work = 0 if layer.kind == "Embedding" else parameters
        if any("return_state" in one.options for one in flattened(layer)):
            work += STEP_WORK
        if work:
            work *= extent(given[:-1], 1)
        self.parameters += parameters
        self.values += sum(extent(shape, 1) for shape in shapes)
        self.work += work
        for asked, most, what in (
            (self.parameters, MOST_PARAMETERS, "parameters"),
            (self.values, MOST_VALUES, "values for one sequence"),
            (self.work, MOST_WORK, "multiplications for one sequence"),
        ):
            if asked > most:
                raise Failure(
                    f"With {title(layer)} the model comes to {asked:,} {what}; at most {most:,} are accepted.",
                    "Make its layers smaller.",
                )


class Names:
    """The places Keras gives to layers in the HDF5 file: simple_rnn, simple_rnn_1, ... by class and order."""

    def __init__(self, place: str):
        self.place, self.used = place, {}

    def next(self, kind: str) -> str:
        snake = re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)).lower()
        self.used[snake] = self.used.get(snake, -1) + 1
        return f"{self.place}/{snake}" + (f"_{self.used[snake]}" if self.used[snake] else "")


# --- reading JSON values


def shown(value) -> str:
    """A value of the config as a message quotes it."""
    return plain(repr(value)[:400], 60)


def title(layer: Layer) -> str:
    return f"layer {shown(layer.name)} ({layer.kind})"


def settings(entry: dict) -> dict:
    config = entry.get("config")
    if not isinstance(config, dict):
        raise Failure(f"config.json describes {shown(entry.get('class_name'))} without its settings.")
    return config


def listed(config: dict, key: str) -> list:
    """The list of objects under a key."""
    entries = config.get(key)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Failure(f"config.json should hold a list of {key}, but holds {shown(entries)}.")
    return entries


def class_of(entry: dict) -> str:
    """The class name of an entry, with ops. before it where it is an operation."""
    module, kind = entry.get("module"), entry.get("class_name")
    operation = isinstance(module, str) and module.startswith("keras.src.ops.")
    return f"ops.{kind}" if operation else str(kind)


def read_layer(entry: dict, names: Names | None = None) -> Layer:
    """The layer in an entry of the config; what is wrapped in it is read the same way. Raises Failure."""
    kind = class_of(entry)
    config = settings(entry)
    layer = Layer(kind, {}, (), plain(str(config.get("name")), 60))
    check_class(entry, layer)
    known = KINDS[kind]
    wrapped = [config.get(key) for key in known.inside]
    if not all(isinstance(one, dict) for one in wrapped):
        raise Failure(f"{title(layer)} should wrap a layer, but wraps {shown(wrapped)}.")
    inside = tuple(read_layer(one) for one in wrapped)
    if any(one.kind not in known.wraps for one in inside):
        raise Failure(
            f"{title(layer)} can be graded around {', '.join(known.wraps)}, not around {inside[0].kind}."
        )
    place = names.next(kind) if names and not kind.startswith("ops.") else ""
    return Layer(kind, read_options(layer, config, known), inside, layer.name, place)


def check_class(entry: dict, layer: Layer) -> None:
    """Failure unless the class is one of the table's, and Keras's own."""
    kind, module, registered = layer.kind, entry.get("module"), entry.get("registered_name")
    if kind in INSTEAD:
        raise Failure(f"{title(layer)} cannot be graded.", INSTEAD[kind])
    own = module == "keras.layers" if not kind.startswith("ops.") else kind in KINDS
    if not own or registered not in (None, kind.removeprefix("ops.")):
        origin = shown(registered or module)
        raise Failure(
            f"{title(layer)} comes from {origin}, not from keras.layers; code is never run here.", KNOWN
        )
    if kind not in KINDS:
        raise Failure(f"{title(layer)} cannot be graded.", KNOWN)


def read_options(layer: Layer, config: dict, known: Kind) -> dict:
    """The options the constructor will get, each checked."""
    if "dtype" not in known.options:
        check_policy(layer, config.get("dtype"))
    wanted = known.defaults | {key: value for key, value in config.items() if key in known.options}
    for key in config.keys() - wanted.keys():
        if not ignorable(key, config[key], known):
            raise Failure(f"{title(layer)} has the option {shown(key)}, which the grader does not know.")
    options = {}
    for key, check in known.options.items():
        if key not in wanted:
            raise Failure(f"{title(layer)} does not say its {key}.")
        try:
            options[key] = check(wanted[key])
        except Misfit as misfit:
            raise Failure(f"{title(layer)}: {key} should be {misfit}, but is {shown(wanted[key])}.") from None
    return options


def ignorable(key: str, value, known: Kind) -> bool:
    """Whether an option cannot matter to a prediction."""
    training = key.endswith(("_initializer", "_regularizer", "_constraint")) or key in known.ignored
    return training or key in ("name", "trainable", "dtype", "seed", *known.inside) or value is None


def check_policy(layer: Layer, policy) -> None:
    """Failure unless the layer computes in float32."""
    name = policy.get("config") if isinstance(policy, dict) else policy
    name = name.get("name") if isinstance(name, dict) else name
    if name not in (None, "float32"):
        raise Failure(
            f"{title(layer)} should compute in float32, but has the dtype {shown(name)}.",
            'Before you build the model: keras.config.set_dtype_policy("float32").',
        )


# --- reading the calls of a functional model


def arguments(node: dict, results: dict) -> tuple[tuple, Result | None, tuple] | None:
    """Inputs, mask and initial state of a call; None while one of them is still to be worked out."""
    args, kwargs = node.get("args"), node.get("kwargs")
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise Failure(f"config.json holds a call that cannot be read: {shown(node)}.")
    for key, value in kwargs.items():
        if key not in ("mask", "initial_state") and value not in (None, False):
            raise Failure(f"A layer is called with {shown(key)} = {shown(value)}, which cannot be graded.")
    try:
        inputs = tuple(argument(one, results) for one in args)
        mask, state = (argument(kwargs.get(key), results) for key in ("mask", "initial_state"))
    except KeyError:
        return None
    state = state if type(state) is tuple else () if state is None else (state,)
    if not isinstance(mask, Result | None) or not all(isinstance(one, Result) for one in state):
        raise Failure(f"config.json holds a call whose mask or initial state cannot be read: {shown(node)}.")
    return inputs, mask, state


def argument(value, results: dict):
    """A Result, a number, a slice, or a tuple of these; KeyError while a result is still to be worked out."""
    if isinstance(value, list):
        return tuple(argument(one, results) for one in value)
    if not isinstance(value, dict):
        return value
    kind, config = value.get("class_name"), settings(value)
    if kind == "__keras_tensor__":
        return tensor(config.get("keras_history"), results)
    if kind == "__ellipsis__":
        return ...
    parts = [config.get(key) for key in ("start", "stop", "step")]
    if kind != "__slice__" or not all(part is None or type(part) is int for part in parts) or parts[2] == 0:
        raise Failure(f"config.json holds an argument that cannot be read: {shown(value)}.")
    return slice(*parts)


def tensor(history, results: dict) -> Result:
    """The result under [layer name, number of its call, number of the output]."""
    match history:
        case [str(name), int(call), int(output)] if output >= 0:
            made = results[name, call]
            if output < len(made):
                return made[output]
    raise Failure(f"config.json refers to a result that is not there: {shown(history)}.")


def tensors(value, results: dict) -> list[Result]:
    """All results named in the nested lists and objects of input_layers or output_layers."""
    if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):
        try:
            return [tensor(value, results)]
        except KeyError:
            raise Failure(f"config.json refers to a result that is not there: {shown(value)}.") from None
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [one for part in parts for one in tensors(part, results)]


def check_takes(layer: Layer, inputs: tuple, state: tuple) -> None:
    """Failure unless a layer is called on what its kind takes: tensors, and numbers or an index for operations."""
    takes = KINDS[layer.kind].takes
    match takes, inputs:
        case "one", (Result(),):
            fits = not state or layer.kind in ("SimpleRNN", "GRU", "LSTM")
        case "list", (tuple() as several,):
            fits = several != () and all(isinstance(one, Result) for one in several)
        case "two", (x, y):
            fits = all(isinstance(one, Result) or type(one) in (int, float) for one in (x, y))
            fits = fits and any(isinstance(one, Result) for one in (x, y))
        case "key", (Result(), key):
            parts = key if type(key) is tuple else (key,)
            fits = all(type(one) in (int, slice) or one is ... for one in parts) and parts.count(...) < 2
        case _:
            fits = False
    if not fits or (state and takes != "one"):
        raise Failure(
            f"{title(layer)} is called on something else than the tensors it takes: {shown(inputs)}."
        )
