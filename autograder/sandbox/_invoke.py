"""Calling a function of a notebook: what it returns as plain arrays, or why not, in the student's terms."""

import contextlib
import inspect
import math
import traceback
from collections.abc import Callable, ItemsView, Iterator, KeysView, ValuesView
from difflib import get_close_matches
from functools import partial
from numbers import Real
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    MethodType,
)
from typing import Any

import numpy as np

from autograder.sandbox import _protocol as wire
from autograder.sandbox._definitions import Definitions, LeftOut, missing_module
from autograder.sandbox._requirements import is_own_file

MAX_WEIGHTS = 2**22  # of a model that a builder returns; larger ones are refused for their size anyway
NO_ARRAYS = (  # types, what to call them, what to do
    (type(None), "nothing: is there a `return`?", "End the function with `return ...`."),
    (
        (FunctionType, MethodType, BuiltinFunctionType, type, partial),
        "a function: did you forget to call it?",
        "Write its arguments behind it, in parentheses.",
    ),
    ((str, bytes, bytearray), "a text", "Return numbers: int(...) or float(...) turn a text into one."),
    ((set, frozenset), "a set, which has no order", "Return sorted(...) of it, or a list."),
    (dict, "a dictionary", "Return its numbers in an array: np.array(list(....values()))."),
    (
        (GeneratorType, map, filter, zip, enumerate, reversed, KeysView, ValuesView, ItemsView, Iterator),
        "a {}, which holds no numbers yet",
        "Make a list of it: list(...).",
    ),
    ((CoroutineType, AsyncGeneratorType), "a coroutine", "Write `def`, not `async def`."),
)
MAX_TEXT = 400  # characters of a sentence; the grader cuts it too, but a longer header it does not read


def invoke(
    found: Definitions, header: dict, arrays: list[np.ndarray], through: type[BaseException] | tuple = ()
) -> tuple[dict, list[np.ndarray]]:
    """Header and arrays of the reply to a request; exceptions of the kind `through` are let through."""
    arguments = [arrays[a["array"]] if isinstance(a, dict) else a for a in header["arguments"]]
    if header["wanted"] == "constant":
        values, said = read_constant(found, header["function"])
    else:
        packed = model_arrays if header["wanted"] == "model" else as_arrays
        values, said = call_function(found, header["function"], arguments, packed, through)
    return said | {"problems": [problem[:MAX_TEXT] for problem in found.problems[:8]]}, values


def call_function(
    found: Definitions,
    name: str,
    arguments: list,
    packed: Callable,
    through: type[BaseException] | tuple = (),
) -> tuple[list[np.ndarray], dict]:
    """Return what the function returns, `packed` as arrays, and how it was done; or no arrays and the reason."""
    if reason := why_not_callable(found, name, arguments, packed):
        return [], reason
    try:
        result = found.names[name](*arguments)
        if result is ... or result is NotImplemented:
            return [], describe_unwritten(name)
        if inspect.iscoroutine(result):
            result.close()  # or Python warns that nothing awaits it, and the student reads that
        return packed(result)
    except through:
        raise
    except NotNumbersError as error:
        return [], {
            "reason": f"{name} returned {error}"[:MAX_TEXT] + ("" if str(error).endswith("?") else "."),
            "hint": error.hint,
        }
    except BaseException as error:
        return [], explain_error(error, name, found)


def why_not_callable(found: Definitions, name: str, arguments: list, packed: Callable) -> dict | None:
    """Return why a function is not called with these arguments; None if it is."""
    function = found.names.get(name)
    if name in found.failed and not callable(function):
        return explain_error(found.failed[name], name, found)
    if name in found.left_out:
        return describe_missing(name, name, found)
    if not callable(function):
        return describe_undefined(name, found)
    if isinstance(function, type) and packed is as_arrays:
        return final_result(f"{name} is a class, expected a function.", f"Write `def {name}(...):`.")
    return describe_arguments(name, function, arguments)


def read_constant(found: Definitions, name: str) -> tuple[list[np.ndarray], dict]:
    """Return the number of a notebook's constant, or its text's bytes and an empty array; or the reason."""
    value = found.names.get(name)
    if name in found.left_out:
        reason = f"{name} is not there: {found.left_out[name].place} {found.left_out[name].why}."
        hint = "Write it down itself: a number, plain arithmetic such as 3 * 4, or a letter in quotes."
        return [], final_result(reason, hint)
    if name not in found.names or value is ...:
        return [], final_result(
            f"{name} is not filled in yet.", "Write your answer in place of the three dots."
        )
    if isinstance(value, str):
        text = np.frombuffer(value.strip()[:MAX_TEXT].encode("utf-8", "replace"), np.uint8)
        return [text, np.zeros(0)], {"several": True}
    is_plain = (
        type(value) in (int, float) or type(value).__module__ == "numpy"
    )  # no class of the student's own
    if not is_plain or not isinstance(value, int | float | np.number):
        kind = type(value).__name__[:60]
        return [], {"reason": f"{name} is no number and no letter: {kind}.", "hint": "Write one of these."}
    try:
        if not math.isfinite(value):
            return [], {"reason": f"{name} is {float(value)}, expected a finite number."}
        return [wire.plain_array(float(value))], {"several": False}
    except OverflowError:
        return [], {"reason": f"{name} is larger than any number a computer reckons with."}


def limit_reply(
    most: int, function: str, header: dict, arrays: list[np.ndarray]
) -> tuple[dict, list[np.ndarray]]:
    """Return the reply itself; or, where its arrays hold more than `most` bytes, a reply that says so."""
    size = sum(array.nbytes for array in arrays)
    if size <= most:
        return header, arrays
    reason = f"{function} returned {size >> 20} MiB; at most {most >> 20} MiB are read."
    return header | {"reason": reason, "hint": "Return only what is asked for."}, []


class NotNumbersError(Exception):
    """A function returned what is no array of numbers: a sentence that follows "it returned", and what to do."""

    def __init__(self, what: str, hint: str = "Return numbers in a NumPy array."):
        super().__init__(what)
        self.hint = hint


class RaggedError(NotNumbersError):
    """The elements of a list make no array together."""


def as_arrays(result: object) -> tuple[list[np.ndarray], dict]:
    """One array; several of a tuple, or of a list whose elements make no array together."""
    if isinstance(result, tuple | list):
        if isinstance(result, list):
            with contextlib.suppress(RaggedError):
                return [array_of(result)], {"several": False}
        if not result and isinstance(result, tuple):
            raise NotNumbersError("an empty tuple")
        if len(result) > wire.MAX_ARRAYS:
            raise NotNumbersError(
                f"{len(result)} values that make no array together", "Do their lengths differ?"
            )
        return [_part(result, place) for place in range(len(result))], {"several": True}
    return [array_of(result)], {"several": False}


def _part(values: tuple | list, place: int) -> np.ndarray:
    try:
        return array_of(values[place])
    except NotNumbersError as error:
        raise NotNumbersError(f"{error} as value {place + 1} of {len(values)}", error.hint) from None


def array_of(value: Any) -> np.ndarray:
    """Return `value` as a plain array. Raise NotNumbersError, in the student's terms, where it is none."""
    for kinds, what, hint in NO_ARRAYS:
        if isinstance(value, kinds):
            raise NotNumbersError(what.format(type(value).__name__), hint)
    if np.ma.is_masked(value):
        raise NotNumbersError(
            "an array in which values are masked", "Fill them, or take the array's `.data`."
        )
    if "Symbolic" in type(value).__name__ or type(value).__name__ == "KerasTensor":
        raise NotNumbersError(
            "a tensor of a graph, which has no value yet", "Call the layers on arrays of numbers."
        )
    try:
        array = np.asarray(value.toarray() if hasattr(value, "toarray") else value)
    except ValueError:
        raise RaggedError(
            "rows of different lengths", "Make them equally long, or return one array."
        ) from None
    except (TypeError, NotImplementedError):
        raise NotNumbersError(f"an object of type {type(value).__name__[:60]}") from None
    return wire.plain_array(_numbers(array, value))


def _numbers(array: np.ndarray, value: object) -> np.ndarray:
    """Return the array with numbers of a type that travels."""
    if array.dtype == np.longdouble or array.dtype.name in ("bfloat16", "float8_e4m3fn", "float8_e5m2"):
        return array.astype(np.float64 if array.dtype == np.longdouble else np.float32)
    if array.dtype.kind in "biuf":
        return array
    if array.dtype.kind == "c":
        raise NotNumbersError("complex numbers", "Take the real part: `.real`.")
    if array.dtype.kind in "US":
        raise NotNumbersError("texts", "Turn them into numbers: int(...) or float(...).")
    elements = array.reshape(-1).tolist() if array.dtype == object else []
    if elements and all(isinstance(element, Real) for element in elements):
        return array.astype(np.float64)
    if any(element is None for element in elements):
        raise NotNumbersError(
            "an array with None in it", "Does a function that you call forget its `return`?"
        )
    if array.shape == ():
        raise NotNumbersError(f"an object of type {type(value).__name__[:60]}")
    kinds = sorted({type(element).__name__[:30] for element in elements[:1000]}) or [array.dtype.name]
    raise NotNumbersError(f"an array of {', '.join(kinds[:3])}")


def model_arrays(result: Any) -> tuple[list[np.ndarray], dict]:
    """Return a Keras model's configuration as bytes, and its weights, if not too many, as one array."""
    if not hasattr(result, "to_json"):
        got = "nothing: is there a `return`?" if result is None else f"{type(result).__name__[:60]}."
        return [], {"reason": f"Expected a Keras model, got {got}", "hint": "Return the model."}
    few = result.count_params() <= MAX_WEIGHTS
    weights = [np.asarray(weight, np.float32).reshape(-1) for weight in (result.get_weights() if few else [])]
    config = np.frombuffer(result.to_json().encode(), np.uint8)
    return [config, np.concatenate([*weights, np.zeros(0, np.float32)])], {"several": True}


def final_result(reason: str, hint: str) -> dict:
    """Why there is nothing, where what the same child did before can't be the reason: another would say the same."""
    return {"reason": reason, "hint": hint, "final": True}


def describe_unwritten(name: str, called: str = "") -> dict:
    """Return that a function is not written yet, or one that it calls."""
    reason = f"{name} calls {called}, which is not written yet." if called else f"{name} is not written yet."
    return final_result(reason, "Replace `raise NotImplementedError()` or `...` by your code.")


def describe_undefined(name: str, found: Definitions) -> dict:
    """Return that there is no such function; with the nearest name, if there is one."""
    functions = [own for own, value in found.names.items() if isinstance(value, FunctionType)]
    spellings = {own.casefold(): own for own in functions}
    near = get_close_matches(name.casefold(), spellings, n=1, cutoff=0.75)
    reason = f"The notebook defines no function {name}"
    if near:
        own = spellings[near[0]][:60]
        return final_result(f"{reason}, but it defines {own}.", f"Did you mean {own}? Call it {name}.")
    return final_result(f"{reason}.", f"Write it as `def {name}(...):` at the left edge of a cell.")


def describe_arguments(name: str, function: Callable, arguments: list) -> dict | None:
    """Return that a function can't take so many arguments; None if it can, or nobody can tell."""
    try:
        signature = inspect.signature(function)
    except Exception:  # of any kind, for an object of the student's
        return None
    try:
        signature.bind(*arguments)
    except TypeError:
        count = "1 argument" if len(arguments) == 1 else f"{len(arguments)} arguments"
        own = ", ".join(list(signature.parameters))[:100]
        reason = f"Expected {name} to take {count}, it is written as {name}({own})."
        return final_result(reason, "Give it the parameters that its docstring names, in their order.")
    return None


def explain_error(error: BaseException, name: str, found: Definitions) -> dict:
    """Return why a call gave nothing, in the student's terms: which function, which cell, which line."""
    frame = traceback.extract_tb(error.__traceback__)[-1:]
    if isinstance(error, NotImplementedError) and frame and frame[0].filename.startswith("cell "):
        return describe_unwritten(
            name, frame[0].name if frame[0].name.isidentifier() and frame[0].name != name else ""
        )
    if isinstance(error, NameError) and error.name in found.left_out.keys() | found.lacks.keys():
        return describe_missing(error.name, name, found)
    if isinstance(error, NameError) and "*" in found.lacks:
        return missing_requirement(found.lacks["*"], str(error.name), name)
    if module := missing_module(error):
        return missing_requirement(module, module, name)
    place = next(
        (
            f" ({f.filename}, line {f.lineno})"
            for f in reversed(traceback.extract_tb(error.__traceback__))
            if f.filename.startswith("cell ")
        ),
        "",
    )
    reason = f"{name} stopped with {type(error).__name__[:80]}: {str(error)[:200]}{place}."
    return {"reason": reason, "hint": "Call it in the notebook with a small example and fix what it says."}


def describe_missing(missed: str, name: str, found: Definitions) -> dict:
    """Return why a name is not there that the function `name` uses: which line would have made it, and what to do."""
    subject, chain, seen = f"{name} uses `{missed}`" if missed != name else f"`{name}`", [], set()
    while missed in found.left_out and missed not in seen:
        if missed in found.lacks:
            return missing_requirement(found.lacks[missed], missed, name, found.left_out[missed])
        seen.add(missed)
        reason = found.left_out[missed]
        chain.append(f"{reason.place} {reason.why}")
        missed = reason.needs
    if missed in found.lacks:
        return missing_requirement(found.lacks[missed], missed, name)
    verb = ", which is not there: " if subject != f"`{name}`" else " is not there: "
    what = f"Move {reason.place.partition(' (')[0]} into {name}, or write the value down as numbers and text."
    return final_result(f"{subject}{verb}{', which '.join(chain[:2])}.", reason.fix or what)


def missing_requirement(module: str, missed: str, name: str, reason: LeftOut | None = None) -> dict:
    """Return what a function needs that this machine lacks; a file of the student's own is no part of it."""
    if module == "python" and reason:
        return final_result(f"{name} is not there: cell {reason.cell} {reason.why}.", reason.fix) | {
            "lacks": "python"
        }
    if is_own_file(module):
        file = "a file beside the notebook" if module == "." else f"{module}.py"
        why = f"{name} uses `{missed}` from {file}, which is not in your notebook: the grader reads the notebook alone."
        return final_result(why, "Copy what you need from that file into a cell.")
    return final_result(f"{name} uses {module}, which is not installed here.", "") | {"lacks": "package"}
