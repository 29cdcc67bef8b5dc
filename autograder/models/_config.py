"""Config: from the JSON that Keras writes to a plan; every layer, option and call is checked on the way.

A sequential model is a chain of calls. A functional model lists for each layer the calls made of it, and where in the
results of other layers their inputs come from. Nested models are taken apart into their layers.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, Union

from autograder.core import Failure, sanitize
from autograder.models._layers import DEFAULTS, LAYER_SPECS, TRAINING_OPTIONS, Layer, check_of
from autograder.models._plan import MAX_CALLS, MAX_INPUTS, Call, Plan, PlanBuilder, Result
from autograder.models._shapes import ShapeError

KEEP = "new.set_weights(model.get_weights()) takes over what the model has learnt"
OUTSIDE = (
    "Use that layer in your notebook and save what follows: start = [layer.name for layer in model.layers]"
    ".index({name!r}) + 1; keras.Sequential([keras.Input((None,), dtype='int64'), *model.layers[start:]])"
    '.save("name.keras").'
)
CELL = f"Use {{}} itself, which has the same weights: {KEEP}."
INSTEAD = {
    "Lambda": "It holds code, which is never run here: build the model anew with layers such as Rescaling or Reshape,"
    f" or with x[:, -1]; {KEEP}.",
    "TextVectorization": OUTSIDE,
    "StringLookup": OUTSIDE,
    "IntegerLookup": OUTSIDE,
    "Normalization": "Scale the inputs in your notebook, or use Rescaling(1 / deviation, -mean / deviation).",
    "CategoryEncoding": "Encode one-hot in your notebook, before the model.",
    "SimpleRNNCell": CELL.format("SimpleRNN"),
    "GRUCell": CELL.format("GRU"),
    "LSTMCell": CELL.format("LSTM"),
    "StackedRNNCells": "Put the recurrent layers one after another, with return_sequences=True.",
}
IN_TRAINING = {name for name, spec in LAYER_SPECS.items() if spec.takes == "cell" or "cell" in spec.inside}
GRADED = (name for name in LAYER_SPECS if not name.startswith("ops.") and name not in IN_TRAINING)
KNOWN = f"Layers that can be graded: {', '.join(GRADED)}."
FLOATS = ("float16", "bfloat16", "float32", "float64", "mixed_float16", "mixed_bfloat16")

Block = Union[int, list, "Graph"]  # a layer by its index, a chain of blocks, or a nested functional model


def read_plan(config: dict) -> Plan:
    """Return the plan in the JSON object of config.json. Raises Failure."""
    kind, inner = config.get("class_name"), settings(config)
    if kind not in ("Sequential", "Functional"):
        raise Failure(
            f"The model should be Sequential or functional, but is of class {shown(kind)}.",
            "A class of your own is code, which is never run here. Save its layers, in the order of their calls:"
            " keras.Sequential([keras.Input((None, 4)), model.first, model.second]).save('name.keras').",
        )
    entries = listed(inner, "layers")
    for entry in entries:
        if class_of(entry) in INSTEAD:  # before an input of texts, which comes with such a layer
            check_class(entry, named(entry))
    return sequential(entries) if kind == "Sequential" else functional(inner, entries)


def sequential(entries: list[dict]) -> Plan:
    inputs = sum(map(is_input, entries))
    if inputs != 1 or not is_input(entries[0]):
        raise Failure(
            f"The model should have one input and begin with it, but has {inputs}.",
            "Begin with keras.Input(shape=(None, ...)); before saving, a sequential model may be called once instead.",
        )
    draft, names = PlanBuilder(read_layer(entries[0])), Names("layers")
    chain = [block_of(entry, names, draft) for entry in entries[1:]]
    return draft.plan(called(draft, chain, (Result(0, 0),))[0] if chain else Result(0, 0))


def functional(config: dict, entries: list[dict]) -> Plan:
    entrances = [entry for entry in entries if is_input(entry)]
    if not 1 <= len(entrances) <= MAX_INPUTS:
        reason = f"The model should have one input, or up to {MAX_INPUTS}, but has {len(entrances)}."
        raise Failure(reason, "Begin with x = keras.Input(shape=(None, ...)).")
    draft = PlanBuilder(*map(read_layer, entrances))
    graph = read_graph(config, entries, Names("layers"), draft)
    inputs = tuple(Result(k, 0) for k in range(len(entrances)))
    results = graph.run(draft, dict(zip(graph.entrances, inputs, strict=True)))
    outputs = ends(config.get("output_layers"), results)
    if len(outputs) != 1:
        reason = f"The model should have one output, but has {len(outputs)}."
        raise Failure(reason, "Save a keras.Model(inputs, output) with one tensor for the output.")
    return draft.plan(outputs[0], in_order(config.get("input_layers"), results, inputs))


@dataclass(frozen=True)
class Graph:
    """A functional model: its layers by name, and the calls of them, each after those that it depends on."""

    config: dict
    blocks: dict[str, Block]
    entrances: tuple[str, ...]
    calls: tuple[tuple[str, int, dict], ...]

    def run(self, draft: PlanBuilder, inputs: dict[str, Result]) -> dict:
        """Make all calls; return the results of each by the name of its layer and the number of the call."""
        results = {(name, 0): [result] for name, result in inputs.items()}
        for name, number, node in self.calls:
            results[name, number] = called(draft, self.blocks[name], *arguments(node, results))
        return results

    def nested(self, draft: PlanBuilder, inputs: tuple) -> list[Result]:
        """Call the model as a layer of another one; return its outputs."""
        flat = [x for given in inputs for x in (given if type(given) is tuple else (given,))]
        places = [Result(k, 0) for k in range(len(self.entrances))]
        order = in_order(
            self.config.get("input_layers"),
            {(name, 0): [places[k]] for k, name in enumerate(self.entrances)},
            tuple(places),
        )
        if len(flat) != len(order) or not all(isinstance(x, Result) for x in flat):
            raise Failure(f"A nested model takes {len(order)} inputs, but is called on {len(flat)}.")
        given = {self.entrances[place.call]: x for place, x in zip(order, flat, strict=True)}
        outputs = ends(self.config.get("output_layers"), self.run(draft, given))
        if not outputs:
            raise Failure("A nested model has no output.")
        return outputs


def read_graph(config: dict, entries: list[dict], names: "Names", draft: PlanBuilder) -> Graph:
    """Add the layers of a functional model to the draft and sort their calls. Raises Failure."""
    blocks, calls = {}, []
    entrances = tuple(str(entry.get("name")) for entry in entries if is_input(entry))
    for entry in (entry for entry in entries if not is_input(entry)):
        name = str(entry.get("name"))
        if name in blocks or name in entrances:
            raise Failure(f"config.json names the layer {shown(name)} twice.")
        blocks[name] = block_of(entry, names, draft)
        calls += [(name, number, node) for number, node in enumerate(listed(entry, "inbound_nodes"))]
        if len(calls) > MAX_CALLS:
            raise Failure(f"The model calls its layers more than {MAX_CALLS} times.")
    return Graph(config, blocks, entrances, sorted_calls(calls, {(name, 0) for name in entrances}))


def sorted_calls(calls: list, ready: set) -> tuple:
    """Sort calls so that each comes after those that it depends on, otherwise in the order of the file.

    Each call is looked at once and each dependency twice, whatever the order in the file.
    """
    missing, unlocks, possible, done = [], defaultdict(list), [], []
    for position, (_, _, node) in enumerate(calls):
        needs = set(tensors([node.get("args"), node.get("kwargs")])) - ready
        missing.append(len(needs))
        for key in needs:
            unlocks[key].append(position)
        if not needs:
            possible.append(position)
    while possible:
        position = heappop(possible)
        done.append(calls[position])
        for other in unlocks[calls[position][:2]]:
            missing[other] -= 1
            if not missing[other]:
                heappush(possible, other)
    if len(done) < len(calls):
        name = next(calls[position][0] for position, count in enumerate(missing) if count)
        raise Failure(f"The layer {shown(name)} waits for itself, or for a layer that is not there.")
    return tuple(done)


def tensors(value: object) -> Iterator[tuple[str, int]]:
    """Yield the layer and the number of the call of each tensor in the arguments of a call."""
    match value:
        case list():
            for part in value:
                yield from tensors(part)
        case {"class_name": "__keras_tensor__", "config": {"keras_history": [str(name), int(number), _]}}:
            yield name, number
        case dict():
            for part in value.values():
                yield from tensors(part)


def in_order(inputs_config: object, results: dict, inputs: tuple[Result, ...]) -> tuple[Result, ...]:
    """Return the inputs in the order in which the model takes them."""
    listed_inputs = ends(inputs_config, results)
    if sorted(listed_inputs) != sorted(inputs):
        raise Failure("The inputs that config.json lists are not the model's input layers, each once.")
    if len(inputs) > 1 and isinstance(inputs_config, dict):
        reason = "The inputs of the model have names and no order."
        raise Failure(reason, "Use keras.Model([first, second], output).")
    return tuple(listed_inputs)


def is_input(entry: dict) -> bool:
    return class_of(entry) == "InputLayer"


def block_of(entry: dict, names: "Names", draft: PlanBuilder) -> Block:
    """Add the layer of an entry to the draft, or those of a nested model."""
    kind = class_of(entry)
    if kind not in ("Sequential", "Functional"):
        return draft.add(read_layer(entry, names))
    config = settings(entry)
    inner = listed(config, "layers")
    names = Names(names.next(kind) + "/layers")
    if kind == "Functional":
        return read_graph(config, inner, names, draft)
    inner = [entry for k, entry in enumerate(inner) if k or not is_input(entry)]
    if not inner:
        raise Failure("A nested Sequential model is empty.")
    return [block_of(entry, names, draft) for entry in inner]


def called(
    draft: PlanBuilder, block: Block, inputs: tuple, mask: Any = None, state: tuple = ()
) -> list[Result]:
    """Call a layer, a chain of layers or a nested model; return the results of the last call."""
    if isinstance(block, list):
        for part in block:
            results = called(draft, part, inputs, mask, state)
            inputs, mask, state = (results[0],), None, ()
        return results
    if isinstance(block, int):
        if type(mask) is tuple:
            raise Failure(f"The {draft.layers[block]} is called with several masks, which cannot be graded.")
        call: Call = draft.call(block, inputs, mask, state)
        return [Result(len(draft.calls) - 1, k) for k in range(len(call.shapes))]
    draft.nest()
    if mask is not None or state:
        raise Failure(
            "A nested functional model is called with a mask, which cannot be graded.",
            "Call its layers one by one instead: for layer in inner.layers[1:]: x = layer(x).",
        )
    return block.nested(draft, inputs)


class Names:
    """The places Keras gives to layers in the HDF5 file: simple_rnn, simple_rnn_1, ... by class and order."""

    def __init__(self, place: str):
        self.place = place
        self.used: dict[str, int] = {}

    def next(self, kind: str) -> str:
        snake = re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)).lower()
        self.used[snake] = self.used.get(snake, -1) + 1
        return f"{self.place}/{snake}" + (f"_{self.used[snake]}" if self.used[snake] else "")


# --- layers


def read_layer(entry: dict, names: Names | None = None) -> Layer:
    """Return the layer in an entry; what is wrapped in it is read the same way. Raises Failure."""
    kind, config, layer = class_of(entry), settings(entry), named(entry)
    check_class(entry, layer)
    wrapped = [config.get(key) for key in LAYER_SPECS[kind].inside]
    entries = [value for value in wrapped if isinstance(value, dict)]
    if len(entries) < len(wrapped):
        raise Failure(f"The {layer} should wrap a layer, but wraps {shown(wrapped)}.")
    inside = tuple(read_layer(value) for value in entries)
    takes = "cell" if "cell" in LAYER_SPECS[kind].inside else "one"
    for inner in inside:
        if inner.spec.takes != takes or inner.is_operation or inner.kind == "Masking":
            raise Failure(f"The {layer} cannot be graded around a {inner}.")
    place = names.next(kind) if names and not layer.is_operation else ""
    return Layer(kind, read_options(layer, config), inside, layer.name, place, config)


def named(entry: dict) -> Layer:
    """Return a layer of which nothing but class and name is known, for messages."""
    return Layer(class_of(entry), {}, (), sanitize(str(settings(entry).get("name", entry.get("name"))), 60))


def check_class(entry: dict, layer: Layer) -> None:
    """Failure unless the class is one of the table's, and Keras's own."""
    kind, module, registered = layer.kind, entry.get("module"), entry.get("registered_name")
    if kind in INSTEAD:
        hint = INSTEAD[kind]
        raise Failure(
            f"The {layer} cannot be graded.", hint.format(name=layer.name) if hint is OUTSIDE else hint
        )
    if kind in ("Sequential", "Functional"):  # a nested model is taken apart before; this one is wrapped
        hint = "Wrap each of its layers on its own; a Dense layer works on each step without TimeDistributed too."
        raise Failure(f"The model {layer.name!r} cannot be graded inside another layer.", hint)
    if kind in LAYER_SPECS and LAYER_SPECS[kind].takes == "cell":
        return  # wherever it comes from: code of the grader's own stands for it
    if registered not in (None, kind.removeprefix("ops.")) or not (
        layer.is_operation or module == "keras.layers"
    ):
        origin = shown(registered or module)
        raise Failure(
            f"The {layer} is not one of keras.layers: it comes from {origin}. Code is never run here.", KNOWN
        )
    if kind not in LAYER_SPECS:
        raise Failure(f"The {layer} cannot be graded.", KNOWN)


def read_options(layer: Layer, config: dict) -> dict:
    """Return the options that the constructor will get, each checked. Raises Failure."""
    wanted = layer.spec.options
    if "dtype" not in wanted:
        check_policy(layer, config.get("dtype"))
    for key, value in config.items():
        if not (key in wanted or value is None or is_for_training(key)):
            raise Failure(f"The {layer} has the option {shown(key)}, which the grader does not know.")
    options = {}
    for key in wanted:
        if key not in config and key not in DEFAULTS:
            raise Failure(f"The {layer} does not say its {key}.")
        value = config.get(key, DEFAULTS.get(key))
        try:
            options[key] = check_of(layer.kind, key)(value)
        except ShapeError as misfit:
            raise Failure(f"The {layer}: {key} should be {misfit}, but is {shown(value)}.") from None
    return options


def is_for_training(key: str) -> bool:
    return key in TRAINING_OPTIONS or key.endswith(("_initializer", "_regularizer", "_constraint"))


def check_policy(layer: Layer, policy: object) -> None:
    """Raise Failure unless the layer computes in floating point, of whatever precision; here it does in float32."""
    for name in policies(policy):
        if name not in FLOATS:
            raise Failure(
                f"The {layer} should compute in floating point, but its dtype is {shown(name)}.",
                "Save the model before you quantize it, or build it under keras.config.set_dtype_policy('float32').",
            )


def policies(policy: Any) -> Iterator[object]:
    """Yield the names of the dtype policies in the option `dtype`, which is a name or an entry like a layer's."""
    config = policy.get("config") if isinstance(policy, dict) else None
    if not isinstance(config, dict):
        yield "float32" if policy is None else policy
    elif policy.get("class_name") == "DTypePolicyMap":
        of_layers = config.get("policy_map")
        yield from policies(config.get("default_policy"))
        for value in of_layers.values() if isinstance(of_layers, dict) else ():
            yield from policies(value)
    elif policy.get("class_name") == "QuantizedDTypePolicy":
        yield config.get("name") or config.get("mode")
    else:
        yield config.get("name", "float32")


def remarks(plan: Plan) -> tuple[str, ...]:
    """Return what is worked out here in another way than where the model was trained, in a sentence each."""
    layers = [part for layer in plan.layers for part in layer.all if part.kind != "InputLayer"]
    names = {name: layer for layer in reversed(layers) for name in policies(layer.raw_config.get("dtype"))}
    texts = [
        f"The {layer} computes in {name}: here it is worked out in float32."
        for name, layer in names.items()
        if name != "float32"
    ]
    carrying = [layer for layer in layers if layer.raw_config.get("stateful")]
    if carrying:
        texts.append(f"The {carrying[0]} is stateful: here each sequence begins with a zero state.")
    return tuple(texts)


# --- calls of a functional model


def arguments(node: dict, results: dict) -> tuple[tuple, Result | None, tuple]:
    """Return the inputs, mask and initial state of a call."""
    args, kwargs = node.get("args"), node.get("kwargs")
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise Failure(f"config.json holds a call that cannot be read: {shown(node)}.")
    for key, value in kwargs.items():
        if key not in ("mask", "initial_state") and not (value is None or value is False):
            raise Failure(f"A layer is called with {shown(key)} = {shown(value)}, which cannot be graded.")
    inputs = tuple(argument(argument_config, results) for argument_config in args)
    mask, state = (argument(kwargs.get(key), results) for key in ("mask", "initial_state"))
    mask = None if type(mask) is tuple and not any(mask) else mask  # of a nested model: one for each input
    state = state if type(state) is tuple else () if state is None else (state,)
    several = type(mask) is tuple and all(isinstance(result, Result | None) for result in mask)
    if not (several or isinstance(mask, Result | None)) or not all(
        isinstance(result, Result) for result in state
    ):
        raise Failure(f"config.json holds a call whose mask or initial state cannot be read: {shown(node)}.")
    return inputs, mask, state


def argument(value: Any, results: dict) -> Any:
    """Return a Result, a number, a slice, or a tuple of these."""
    if isinstance(value, list):
        return tuple(argument(item, results) for item in value)
    if not isinstance(value, dict):
        return value
    kind, config = value.get("class_name"), settings(value)
    if kind == "__keras_tensor__":
        return result_at(config.get("keras_history"), results)
    if kind == "__ellipsis__":
        return ...
    parts = [config.get(key) for key in ("start", "stop", "step")]
    if kind != "__slice__" or not all(part is None or type(part) is int for part in parts) or parts[2] == 0:
        raise Failure(f"config.json holds an argument that cannot be read: {shown(value)}.")
    return slice(*parts)


def result_at(history: object, results: dict) -> Result:
    """Return the result at [name of a layer, number of its call, number of the output]."""
    match history:
        case [str(name), int(call), int(output)] if 0 <= output < len(made := results.get((name, call), ())):
            return made[output]
    raise Failure(f"config.json refers to a result that is not there: {shown(history)}.")


def ends(value: Any, results: dict) -> list[Result]:
    """All results in the nested lists and objects of input_layers or output_layers."""
    if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):
        return [result_at(value, results)]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [end for part in parts for end in ends(part, results)]


# --- JSON values


def settings(entry: dict) -> dict:
    config = entry.get("config")
    if not isinstance(config, dict):
        raise Failure(f"config.json describes {shown(entry.get('class_name'))} without its settings.")
    return config


def listed(config: dict, key: str) -> list:
    """Return the list of objects under a key."""
    entries = config.get(key)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Failure(f"config.json should hold a list of {key}, but holds {shown(entries)}.")
    return entries


def class_of(entry: dict) -> str:
    """Return the class name of an entry, with ops. before it where it is an operation."""
    module, kind = entry.get("module"), entry.get("class_name")
    return f"ops.{kind}" if isinstance(module, str) and module.startswith("keras.src.ops.") else str(kind)


def shown(value: object) -> str:
    """Return a value of the config as a message quotes it."""
    return sanitize(repr(value), 100)
