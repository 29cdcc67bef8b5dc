"""Architecture: a rubric's rules on how a model is built, checked on its whole graph.

Operations such as `x[:, -1]` and `keras.ops.sum` count as layers do. Those of masks are free: Keras adds them itself.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from autograder.core import Failure
from autograder.models._layers import Layer
from autograder.models._plan import Call, Plan, Result
from autograder.models._predictor import Predictor
from autograder.models._shapes import Shape

ASKED = 300  # inputs that a model is asked about without its memory
VARIED, EQUAL = (
    0.95,
    0.98,
)  # the most common answer's share at most; the share of answers that memory leaves alone


class Path(NamedTuple):
    """How an input reaches a result: whether past every recurrent layer, and in which slices of the sequence."""

    unread: bool
    slices: frozenset[str] = frozenset()


def check_architecture(
    plan: Plan,
    name: str,
    allow: Collection[str],
    *,
    every_path: Collection[str] = (),
    before: Collection[str] = (),
    hint: str = "",
) -> None:
    """Raise Failure unless a model is built as a rubric allows.

    Args:
        plan: The model's plan.
        name: What messages call the model, such as "model.keras".
        allow: Layers and operations that may be used, such as "Dense" and "ops.GetItem"; an input always may.
        every_path: Recurrent layers of which one must lie on each path from an input to the output, wrapped in
            Bidirectional or not. It must read the sequence step by step: an initial state is not read, and before it
            no layer may mix steps.
        before: Layers among `allow` that may mix steps before the recurrent layer, such as "Reshape".
        hint: What to build instead.

    Raises:
        Failure: Names the layer or operation that breaks the rules.
    """
    masks = calls_of_masks(plan)
    used = {call.layer for index, call in enumerate(plan.calls) if index not in masks}
    kinds = [part.kind for index in sorted(used) for part in plan.layers[index].all]
    for kind in kinds:
        if kind != "InputLayer" and kind not in allow:
            known = [kind for kind in allow if not kind.startswith("ops.")]
            reason = f"{name} uses {list_in_words(kind)}, which this assignment leaves out."
            raise Failure(reason, hint or f"Build it of {', '.join(sorted(known))}.")
    if every_path and not set(every_path) & set(kinds):
        reason = f"{name} holds no {join_alternatives(every_path)}."
        raise Failure(reason, hint or "Without one, nothing remembers what has been read.")
    if every_path:
        check_paths(plan, name, masks, every_path, before, hint)


def check_paths(
    plan: Plan, name: str, masks: set[int], kinds: Collection[str], before: Collection[str], hint: str
) -> None:
    paths, mixing = follow(plan, masks, kinds)
    if paths[plan.output.call].unread:
        reason = f"In {name} the input reaches the output past every {join_alternatives(kinds)}."
        raise Failure(reason, hint or f"Let all of it go through a {join_alternatives(kinds)}, step by step.")
    for index, what in mixing.items():
        kind = plan.layers[plan.calls[index].layer].kind
        if kind not in before:
            reason = (
                f"In {name} {list_in_words(kind)} {what} before any {join_alternatives(kinds)} has read them."
            )
            raise Failure(
                reason, hint or f"Give the steps to a {join_alternatives(kinds)} one by one, in their order."
            )


def has_path_without(plan: Plan, kinds: Collection[str]) -> bool:
    """Return True if some path from an input to the output is read by no recurrent layer among `kinds`."""
    return follow(plan, calls_of_masks(plan), kinds)[0][plan.output.call].unread


def follow(plan: Plan, masks: set[int], kinds: Collection[str]) -> tuple[list[Path], dict[int, str]]:
    """Follow the inputs through all calls.

    Returns:
        How inputs reach the results of each call, and the calls that mix steps which nothing has read, with how.
    """
    paths: list[Path] = []
    mixing = {}
    for index, call in enumerate(plan.calls):
        layer = plan.layers[call.layer]
        sources = [paths[result.call] for result in data_of(call, masks)]
        if reads(layer, kinds):
            unread = any(paths[result.call].unread for result in call.state)
        else:
            unread = not sources or any(source.unread for source in sources)
        slices = frozenset().union(*(source.slices for source in sources))
        if len({source.slices for source in sources}) > 1:
            mixing[index] = "puts slices of the sequence side by side"
        elif unread and index not in masks and mixes_steps(plan, call):
            mixing[index] = "mixes steps"
        if layer.kind == "ops.GetItem":
            slices |= {str(part) for part in [steps_taken(plan, call)] if part != slice(None)}
        if not keeps_steps(plan, call):
            slices = frozenset()
        paths.append(Path(unread, slices))
    return paths, mixing


def data_of(call: Call, masks: set[int]) -> list[Result]:
    """Return the results that a call works with; a mask only if it is not Keras's own."""
    flat = [result for given in call.inputs for result in (given if type(given) is tuple else (given,))]
    own_mask = [call.mask] if call.mask and call.mask.call not in masks else []
    return [result for result in (*flat, *own_mask) if isinstance(result, Result)]


def calls_of_masks(plan: Plan) -> set[int]:
    """Return the calls that serve nothing but masks, by operations that Keras adds itself."""
    wanted: set[int] = {plan.output.call}  # as data
    masks = set()
    for index in reversed(range(len(plan.calls))):
        call = plan.calls[index]
        if index not in wanted and plan.layers[call.layer].spec.serves_masks:
            masks.add(index)
            continue
        mask = (
            {call.mask.call}
            if call.mask and not plan.layers[plan.calls[call.mask.call].layer].spec.serves_masks
            else set()
        )
        wanted |= {result.call for result in call.results if result != call.mask} | mask
    return masks


def reads(layer: Layer, kinds: Collection[str]) -> bool:
    """Return True if a layer is a recurrent one among `kinds`, alone or in both directions."""
    both = layer.kind == "Bidirectional" and layer.inside[0].kind in kinds
    return layer.kind in kinds or both


def mixes_steps(plan: Plan, call: Call) -> bool:
    layer, first = plan.layers[call.layer], call.inputs[0] if call.inputs else None
    if layer.spec.mixes_steps:
        return True
    if layer.kind == "ops.GetItem":
        return not keeps_steps(plan, call)
    if "axis" not in layer.options or layer.kind.endswith("Normalization"):
        return False
    shape = shape_of(plan, first[0] if type(first) is tuple else first)
    return layer["axis"] % len(shape) == 1 and len(shape) > 2


def keeps_steps(plan: Plan, call: Call) -> bool:
    """Return False if a call makes one result of all steps: a last state, a maximum, a step taken out."""
    layer = plan.layers[call.layer]
    steps = layer.inside[0] if layer.kind == "Bidirectional" else layer
    if "return_sequences" in steps.options:
        return steps["return_sequences"]
    if layer.kind == "ops.GetItem":
        return len(call.shapes[0]) == len(shape_of(plan, call.inputs[0]))
    return not (layer.kind.startswith("Global") or ("keepdims" in layer.options and mixes_axis_1(plan, call)))


def mixes_axis_1(plan: Plan, call: Call) -> bool:
    shape = shape_of(plan, call.inputs[0])
    return plan.layers[call.layer]["axis"] % len(shape) == 1


def steps_taken(plan: Plan, call: Call) -> int | slice:
    """Return the part of an index such as x[:, -1] or x[..., 0] that says which steps are taken."""
    key = call.inputs[1] if type(call.inputs[1]) is tuple else (call.inputs[1],)
    if ... in key:
        place, gap = key.index(...), len(shape_of(plan, call.inputs[0])) - len(key) + 1
        key = (*key[:place], *[slice(None)] * gap, *key[place + 1 :])
    return key[1] if len(key) > 1 else slice(None)


def shape_of(plan: Plan, result: Any) -> Shape:
    return plan.calls[result.call].shapes[result.output]


def join_alternatives(kinds: Collection[str]) -> str:
    return " or ".join(kinds)


def list_in_words(kind: str) -> str:
    if kind == "ops.GetItem":
        return "a slice such as x[:, -1]"
    return f"the operation {kind.removeprefix('ops.')}" if kind.startswith("ops.") else kind


def check_memory(predictor: Predictor, model: Any, name: str, inputs: Sequence[np.ndarray]) -> None:
    """Raise Failure if a model that decides answers the same when its states are zero before each step.

    A recurrent layer of any weights may lie on each path; only what it remembers counts. A model that gives one answer
    to nearly all inputs is let pass, since that earns nothing.

    Args:
        predictor: Serves both predictions; it keeps what it has made of these inputs.
        model: Its output is a probability, or one for each class, for each input or each of its steps.
        name: What messages call the model.
        inputs: As `Predictor.predict` takes them; the first few hundred are asked about.
    """
    some = inputs[:ASKED]
    given, without = (
        single_batch(predictor.predict(variant, some)) for variant in (model, without_memory(model))
    )
    full, cut = decide_labels(given), decide_labels(without)
    most = np.unique(full, return_counts=True)[1].max(initial=0)
    if not full.size or most > VARIED * full.size:
        return
    if (full == cut).mean() >= EQUAL or abs(given - without).mean() <= 1 - EQUAL:
        reason = (
            f"{name} answers the same when its states are set to zero before each step: it remembers nothing."
        )
        raise Failure(
            reason, "Train it, so that the recurrent layer carries what it has read from step to step."
        )


def single_batch(predictions: np.ndarray | list[np.ndarray]) -> np.ndarray:
    """Predictions (..., k) of all inputs and steps as one array (n, k)."""
    rows = [np.reshape(prediction, (-1, prediction.shape[-1])) for prediction in predictions]
    return np.concatenate(rows) if rows else np.zeros((0, 1))


def decide_labels(probabilities: np.ndarray) -> np.ndarray:
    return probabilities[:, 0] > 0.5 if probabilities.shape[1] == 1 else probabilities.argmax(axis=1)


def without_memory(model: Any) -> Any:
    """Return the model with recurrent layers whose states are zero before each step."""
    layers = tuple(map(forgetful, model.plan.layers))
    return replace(model, plan=replace(model.plan, layers=layers), sha256=f"{model.sha256} without memory")


def forgetful(layer: Layer) -> Layer:
    options = dict(layer.options) | ({"forgets": True} if layer.spec.recurrence else {})
    return replace(layer, options=options, inside=tuple(map(forgetful, layer.inside)))
