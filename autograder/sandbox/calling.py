"""Calling a function of a notebook: what it returns as plain arrays, or why not, in the student's terms."""

import contextlib
import traceback
from collections.abc import Callable

import numpy as np

from autograder.sandbox import wire
from autograder.sandbox.definitions import Definitions, LeftOut, missing_module
from autograder.sandbox.requirements import is_own_file

MOST_WEIGHTS = 2**22  # of a model that a builder returns; larger ones are refused for their size anyway
LONGEST = 400  # characters of a sentence; the grader cuts it too, but a longer header it does not read


def reply_with(
    found: Definitions, header: dict, arrays: list[np.ndarray], through: type[BaseException] | tuple = ()
) -> tuple[dict, list[np.ndarray]]:
    """Header and arrays of the reply to a request; exceptions of the kind `through` are let through."""
    arguments = [arrays[a["array"]] if isinstance(a, dict) else a for a in header["arguments"]]
    if header["wanted"] == "constant":
        values, said = constant(found, header["function"])
    else:
        packed = as_model if header["wanted"] == "model" else as_arrays
        values, said = call(found, header["function"], arguments, packed, through)
    return said | {"problems": [problem[:LONGEST] for problem in found.problems[:8]]}, values


def call(
    found: Definitions,
    name: str,
    arguments: list,
    packed: Callable,
    through: type[BaseException] | tuple = (),
) -> tuple[list[np.ndarray], dict]:
    """What the function returns, `packed` as arrays, and how it was done; or no arrays and the reason."""
    function = found.names.get(name)
    if name in found.failed and not callable(function):
        return [], explain(found.failed[name], name, found)
    if name in found.left_out:
        return [], missing(name, name, found)
    if not callable(function):
        hint = f"Write it as `def {name}(...):` at the left edge of a cell."
        return [], final(f"The notebook defines no function {name}.", hint)
    try:
        return packed(function(*arguments))
    except through:
        raise
    except BaseException as error:
        return [], explain(error, name, found)


def constant(found: Definitions, name: str) -> tuple[list[np.ndarray], dict]:
    """The number that a constant of the notebook is, or the bytes of its text and an empty array; or the reason."""
    value = found.names.get(name)
    if name in found.left_out:
        reason = f"{name} is not there: {found.left_out[name].place} {found.left_out[name].why}."
        hint = "Write it down itself: a number, plain arithmetic such as 3 * 4, or a letter in quotes."
        return [], final(reason, hint)
    if name not in found.names or value is ...:
        return [], final(f"{name} is not filled in yet.", "Write your answer in place of the three dots.")
    if isinstance(value, str):
        text = np.frombuffer(value.strip()[:LONGEST].encode("utf-8", "replace"), np.uint8)
        return [text, np.zeros(0)], {"several": True}
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        came = type(value).__name__
        return [], {"reason": f"{name} is no number and no letter: {came}.", "hint": "Write one of these."}
    try:
        return [wire.plain_array(float(value))], {"several": False}
    except OverflowError:
        return [], {"reason": f"{name} is larger than any number a computer reckons with."}


def within(most: int, function: str, header: dict, arrays: list[np.ndarray]) -> tuple[dict, list[np.ndarray]]:
    """The reply itself; or, where its arrays hold more than `most` bytes, a reply that says so."""
    size = sum(array.nbytes for array in arrays)
    if size <= most:
        return header, arrays
    reason = f"{function} returned {size >> 20} MiB; at most {most >> 20} MiB are read."
    return header | {"reason": reason, "hint": "Return only what is asked for."}, []


def as_arrays(result) -> tuple[list[np.ndarray], dict]:
    """One array; several of a tuple, or of a list whose elements make no array together."""
    if not isinstance(result, tuple):
        with contextlib.suppress(TypeError, ValueError):
            return [wire.plain_array(result)], {"several": False}
    several = isinstance(result, tuple | list)
    return [wire.plain_array(one) for one in (result if several else [result])], {"several": several}


def as_model(result) -> tuple[list[np.ndarray], dict]:
    """The configuration of a Keras model as bytes, and all its weights, if not too many, in one array; claims both."""
    if not hasattr(result, "to_json"):
        came = "nothing" if result is None else f"a {type(result).__name__}"
        return [], {"reason": f"A Keras model is expected, but {came} came.", "hint": "Return the model."}
    few = result.count_params() <= MOST_WEIGHTS
    weights = [np.asarray(one, np.float32).reshape(-1) for one in (result.get_weights() if few else [])]
    config = np.frombuffer(result.to_json().encode(), np.uint8)
    return [config, np.concatenate([*weights, np.zeros(0, np.float32)])], {"several": True}


def final(reason: str, hint: str) -> dict:
    """Why there is nothing, where what the same child did before can't be the reason: another would say the same."""
    return {"reason": reason, "hint": hint, "final": True}


def explain(error: BaseException, name: str, found: Definitions) -> dict:
    """Why a call gave nothing, in the student's terms: which function, which cell, which line."""
    if isinstance(error, NotImplementedError):
        return final(f"{name} is not written yet.", "Replace `raise NotImplementedError()` by your code.")
    if isinstance(error, NameError) and error.name in found.left_out.keys() | found.lacks.keys():
        return missing(error.name, name, found)
    if isinstance(error, NameError) and "*" in found.lacks:
        return lacking(found.lacks["*"], error.name, name)
    if module := missing_module(error):
        return lacking(module, module, name)
    place = next(
        (
            f" ({f.filename}, line {f.lineno})"
            for f in reversed(traceback.extract_tb(error.__traceback__))
            if f.filename.startswith("cell ")
        ),
        "",
    )
    reason = f"{name} stopped with {type(error).__name__[:80]}: {str(error)[:200]}{place}."
    return {"reason": reason, "hint": "Call it in the notebook with a small example and mend what it says."}


def missing(missed: str, name: str, found: Definitions) -> dict:
    """Why a name is not there that the function `name` uses: which line would have made it, and what to do."""
    subject, chain, seen = f"{name} uses `{missed}`" if missed != name else f"`{name}`", [], set()
    while missed in found.left_out and missed not in seen:
        if missed in found.lacks:
            return lacking(found.lacks[missed], missed, name, found.left_out[missed])
        seen.add(missed)
        reason = found.left_out[missed]
        chain.append(f"{reason.place} {reason.why}")
        missed = reason.needs
    if missed in found.lacks:
        return lacking(found.lacks[missed], missed, name)
    verb = ", which is not there: " if subject != f"`{name}`" else " is not there: "
    what = f"Move {reason.place.partition(' (')[0]} into {name}, or write the value down as numbers and text."
    return final(f"{subject}{verb}{', which '.join(chain[:2])}.", reason.fix or what)


def lacking(module: str, missed: str, name: str, reason: LeftOut | None = None) -> dict:
    """What a function needs that this machine lacks; a file of the student's own is no part of it."""
    if module == "python":
        return final(f"{name} is not there: cell {reason.cell} {reason.why}.", reason.fix) | {
            "lacks": "python"
        }
    if is_own_file(module):
        file = "a file beside the notebook" if module == "." else f"{module}.py"
        why = f"{name} uses `{missed}` from {file}, which is not in your notebook: the grader reads the notebook alone."
        return final(why, "Copy what you need from that file into a cell.")
    return final(f"{name} uses {module}, which is not installed here.", "") | {"lacks": "package"}
