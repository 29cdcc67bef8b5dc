"""Config: from the JSON that Keras writes to a plan; every layer, option and call is checked on the way.

A sequential model is a chain of calls; a nested one is taken apart into its layers. A functional model lists for
each layer the calls made of it, and where in the results of other layers their inputs come from.
"""

import re

from autograder.failure import Failure, plain
from autograder.models.layers import DEFAULTS, KINDS, TRAINING, Layer, check_of
from autograder.models.plan import MOST_INPUTS, Call, Draft, Plan, Result
from autograder.models.shapes import Misfit

INSTEAD = {
    "Lambda": "It holds code, which is never run here: use layers such as Rescaling or Reshape, or x[:, -1].",
    "Functional": "Put all layers into one model; only Sequential models may be nested.",
    "TextVectorization": "Turn text into numbers in your notebook, before the model.",
    "StringLookup": "Turn text into numbers in your notebook, before the model.",
    "IntegerLookup": "Turn tokens into numbers in your notebook, before the model.",
}
GRADED = (kind for kind in KINDS if not kind.startswith("ops.") and kind not in ("RNN", "SkipCell"))
KNOWN = f"Layers that can be graded: {', '.join(GRADED)}."


def read_plan(config: dict) -> Plan:
    """The plan in the JSON object of config.json. Raises Failure."""
    kind, inner = config.get("class_name"), settings(config)
    if kind not in ("Sequential", "Functional"):
        raise Failure(
            f"The model should be Sequential or functional, but is of class {shown(kind)}.",
            "A class of your own is code, which is never run here: build the model of Keras's layers.",
        )
    entries = listed(inner, "layers")
    return sequential(entries) if kind == "Sequential" else functional(inner, entries)


def sequential(entries: list[dict]) -> Plan:
    inputs = sum(map(is_input, entries))
    if inputs != 1 or not is_input(entries[0]):
        raise Failure(
            f"The model should have one input and begin with it, but has {inputs}.",
            "Begin with keras.Input(shape=(None, ...)); a sequential model may also be called once before saving.",
        )
    draft, names, x = Draft(read_layer(entries[0])), Names("layers"), Result(0, 0)
    for entry in entries[1:]:
        x = called(draft, members(entry, names, draft), (x,))[0]
    return draft.plan(x)


def functional(config: dict, entries: list[dict]) -> Plan:
    """Makes each call as soon as the results are there that go into it."""
    entrances = [entry for entry in entries if is_input(entry)]
    if not 1 <= len(entrances) <= MOST_INPUTS:
        reason = f"The model should have one input, or up to {MOST_INPUTS}, but has {len(entrances)}."
        raise Failure(reason, "Begin with x = keras.Input(shape=(None, ...)).")
    draft, names, chains, waiting = Draft(*map(read_layer, entrances)), Names("layers"), {}, []
    results = {(str(entry.get("name")), 0): [Result(k, 0)] for k, entry in enumerate(entrances)}
    for entry in (entry for entry in entries if not is_input(entry)):
        name = str(entry.get("name"))
        if name in chains or (name, 0) in results:
            raise Failure(f"config.json names the layer {shown(name)} twice.")
        chains[name] = members(entry, names, draft)
        waiting += [(name, k, node) for k, node in enumerate(listed(entry, "inbound_nodes"))]
    left = None
    while waiting and len(waiting) != left:
        left, again = len(waiting), []
        for name, k, node in waiting:
            if (given := arguments(node, results)) is None:
                again.append((name, k, node))
            else:
                results[name, k] = called(draft, chains[name], *given)
        waiting = again
    if waiting:
        raise Failure(f"The layer {shown(waiting[0][0])} waits for itself, or for a layer that is not there.")
    outputs = ends(config.get("output_layers"), results)
    if len(outputs) != 1:
        reason = f"The model should have one output, but has {len(outputs)}."
        raise Failure(reason, "Save a keras.Model(inputs, output) with one tensor for the output.")
    return draft.plan(outputs[0], in_order(config.get("input_layers"), results, len(entrances)))


def in_order(told, results: dict, count: int) -> tuple[Result, ...]:
    """The inputs in the order in which the model takes them."""
    inputs = ends(told, results)
    if sorted(inputs) != [Result(k, 0) for k in range(count)]:
        raise Failure("The inputs that config.json lists are not the model's input layers, each once.")
    if count > 1 and isinstance(told, dict):
        reason = "The inputs of the model have names and no order."
        raise Failure(reason, "Use keras.Model([first, second], output).")
    return tuple(inputs)


def is_input(entry: dict) -> bool:
    return class_of(entry) == "InputLayer"


def members(entry: dict, names: "Names", draft: Draft) -> list[int]:
    """Adds the layer of an entry, or the layers of a nested sequential model; their indices."""
    if class_of(entry) != "Sequential":
        return [draft.add(read_layer(entry, names))]
    inner = listed(settings(entry), "layers")
    inner = [one for k, one in enumerate(inner) if k or class_of(one) != "InputLayer"]
    if not inner:
        raise Failure("A nested Sequential model is empty.")
    names = Names(names.next("Sequential") + "/layers")
    return [index for one in inner for index in members(one, names, draft)]


def called(draft: Draft, chain: list[int], inputs: tuple, mask=None, state=()) -> list[Result]:
    """Calls a chain of layers; the results of the last one."""
    for layer in chain:
        call: Call = draft.call(layer, inputs, mask, state)
        results = [Result(len(draft.calls) - 1, k) for k in range(len(call.shapes))]
        inputs, mask, state = (results[0],), None, ()
    return results


class Names:
    """The places Keras gives to layers in the HDF5 file: simple_rnn, simple_rnn_1, ... by class and order."""

    def __init__(self, place: str):
        self.place, self.used = place, {}

    def next(self, kind: str) -> str:
        snake = re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)).lower()
        self.used[snake] = self.used.get(snake, -1) + 1
        return f"{self.place}/{snake}" + (f"_{self.used[snake]}" if self.used[snake] else "")


# --- layers


def read_layer(entry: dict, names: Names | None = None) -> Layer:
    """The layer in an entry; what is wrapped in it is read the same way. Raises Failure."""
    kind, config = class_of(entry), settings(entry)
    layer = Layer(kind, {}, (), plain(str(config.get("name", entry.get("name"))), 60))
    check_class(entry, layer)
    wrapped = [config.get(key) for key in KINDS[kind].inside]
    if not all(isinstance(one, dict) for one in wrapped):
        raise Failure(f"The {layer} should wrap a layer, but wraps {shown(wrapped)}.")
    inside = tuple(read_layer(one) for one in wrapped)
    takes = "cell" if kind == "RNN" else "one"
    for one in inside:
        if KINDS[one.kind].takes != takes or one.is_operation or one.kind == "Masking":
            raise Failure(f"The {layer} cannot be graded around a {one}.")
    place = names.next(kind) if names and not layer.is_operation else ""
    return Layer(kind, read_options(layer, config), inside, layer.name, place, config)


def check_class(entry: dict, layer: Layer) -> None:
    """Failure unless the class is one of the table's, and Keras's own."""
    kind, module, registered = layer.kind, entry.get("module"), entry.get("registered_name")
    if kind in INSTEAD:
        raise Failure(f"The {layer} cannot be graded.", INSTEAD[kind])
    if kind in KINDS and KINDS[kind].takes == "cell":
        return  # wherever it comes from: code of the grader's own stands for it
    if registered not in (None, kind.removeprefix("ops.")) or not (
        layer.is_operation or module == "keras.layers"
    ):
        origin = shown(registered or module)
        raise Failure(
            f"The {layer} is not one of keras.layers: it comes from {origin}. Code is never run here.", KNOWN
        )
    if kind not in KINDS:
        raise Failure(f"The {layer} cannot be graded.", KNOWN)


def read_options(layer: Layer, config: dict) -> dict:
    """The options that the constructor will get, each checked. Raises Failure."""
    wanted = KINDS[layer.kind].options.split()
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
        except Misfit as misfit:
            raise Failure(f"The {layer}: {key} should be {misfit}, but is {shown(value)}.") from None
    return options


def is_for_training(key: str) -> bool:
    return key in TRAINING.split() or key.endswith(("_initializer", "_regularizer", "_constraint"))


def check_policy(layer: Layer, policy) -> None:
    """Failure unless the layer computes in float32."""
    name = policy.get("config") if isinstance(policy, dict) else policy
    name = name.get("name") if isinstance(name, dict) else name
    if name not in (None, "float32"):
        raise Failure(
            f"The {layer} should compute in float32, but its dtype is {shown(name)}.",
            'Before you build the model: keras.config.set_dtype_policy("float32").',
        )


# --- calls of a functional model


def arguments(node: dict, results: dict) -> tuple[tuple, Result | None, tuple] | None:
    """Inputs, mask and initial state of a call; None while one of them is still to be worked out."""
    args, kwargs = node.get("args"), node.get("kwargs")
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise Failure(f"config.json holds a call that cannot be read: {shown(node)}.")
    for key, value in kwargs.items():
        if key not in ("mask", "initial_state") and not (value is None or value is False):
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
        return result_at(config.get("keras_history"), results)
    if kind == "__ellipsis__":
        return ...
    parts = [config.get(key) for key in ("start", "stop", "step")]
    if kind != "__slice__" or not all(part is None or type(part) is int for part in parts) or parts[2] == 0:
        raise Failure(f"config.json holds an argument that cannot be read: {shown(value)}.")
    return slice(*parts)


def result_at(history, results: dict) -> Result:
    """The result at [name of a layer, number of its call, number of the output]; KeyError where not there yet."""
    match history:
        case [str(name), int(call), int(output)] if 0 <= output < len(made := results[name, call]):
            return made[output]
    raise Failure(f"config.json refers to a result that is not there: {shown(history)}.")


def ends(value, results: dict) -> list[Result]:
    """All results in the nested lists and objects of input_layers or output_layers."""
    if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):
        try:
            return [result_at(value, results)]
        except KeyError:
            raise Failure(f"config.json refers to a result that is not there: {shown(value)}.") from None
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [one for part in parts for one in ends(part, results)]


# --- JSON values


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
    return f"ops.{kind}" if isinstance(module, str) and module.startswith("keras.src.ops.") else str(kind)


def shown(value) -> str:
    """A value of the config as a message quotes it."""
    return plain(repr(value), 100)
