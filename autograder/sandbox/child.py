"""The child: becomes harmless, takes the notebook's functions, calls one, answers, ends.

Everything it says is a claim. Only arrays and short texts leave it, and the grader computes every score.
"""

import contextlib
import io
import os
import sys
import tempfile
import traceback
from pathlib import Path

import numpy as np

from autograder.sandbox import wire
from autograder.sandbox.confinement import Isolation, Limits, confine, die_with_parent
from autograder.sandbox.definitions import Definitions, read_definitions

REQUEST, REPLY = 3, 4
LONGEST = 400  # characters of a sentence; the grader cuts it too, but a longer header it does not read
PACKAGE = Path(__file__).parents[1]


def become(descriptors: list[int], work: Path, limits: Limits, isolation: Isolation, calls) -> None:
    """Turns a fresh fork into the child of one job. Never returns."""
    status = 1
    try:
        die_with_parent()
        rearrange(descriptors)
        os.setsid()
        settle(work)
        confine(work, [PACKAGE], limits, isolation, calls)
        answer(limits)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def settle(work: Path) -> None:
    """Makes `work` the folder that everything goes to: the current, the home, the temporary one."""
    os.chdir(work)
    os.environ |= {"HOME": str(work), "TMPDIR": str(work)}
    tempfile.tempdir = str(work)


def rearrange(descriptors: list[int]) -> None:
    """Leaves open: nothing to read as standard input, the output twice, the request and the reply."""
    request, reply, output = (os.dup2(fd, 100 + place) for place, fd in enumerate(descriptors))
    nothing = os.open(os.devnull, os.O_RDONLY)
    for place, fd in enumerate((nothing, output, output, request, reply)):
        os.dup2(fd, place)
    os.closerange(5, 1024)
    sys.stdout, sys.stderr = (_text(fd) for fd in (1, 2))


def _text(fd: int) -> io.TextIOWrapper:
    """A text file that keeps nothing back: a child that is killed has said all that it said."""
    return io.TextIOWrapper(io.FileIO(fd, "w"), "utf-8", "replace", write_through=True)


def answer(limits: Limits) -> None:
    """Reads the request, calls the function, sends what it returns or why there is nothing."""
    deadline = wire.Deadline.after(limits.seconds)
    header, arrays = wire.receive(REQUEST, 2**40, deadline)
    function = header["function"]
    header, arrays = reply_to(header, arrays)
    size = sum(array.nbytes for array in arrays)
    if size > limits.reply:
        reason = f"{function} returned {size >> 20} MiB; at most {limits.reply >> 20} MiB are read."
        header, arrays = {"reason": reason, "hint": "Return only what is asked for."}, []
    wire.send(REPLY, wire.pack(header, arrays), deadline)


def reply_to(header: dict, arrays: list[np.ndarray]) -> tuple[dict, list[np.ndarray]]:
    """Header and arrays of the reply."""
    content, *arrays = arrays
    seed_everything(header["seed"])
    try:
        found = read_definitions(content.tobytes(), header["file"])
    except ValueError as error:
        return {"reason": f"{error}.", "hint": "Save it again from Jupyter or Colab.", "problems": []}, []
    arguments = [arrays[a["array"]] if isinstance(a, dict) else a for a in header["arguments"]]
    values, said = call(found, header["function"], arguments)
    return said | {"problems": [problem[:LONGEST] for problem in found.problems[:8]]}, values


def seed_everything(seed: int) -> None:
    """Seeds Python, NumPy, Keras and TensorFlow: a fork would otherwise repeat the numbers of its brothers."""
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(seed)


def call(found: Definitions, name: str, arguments: list) -> tuple[list[np.ndarray], dict]:
    """What the function returns as arrays, with how they were packed; or no arrays and the reason."""
    function = found.names.get(name)
    if not callable(function):
        hint = f"Write it as `def {name}(...):` at the left edge of a cell."
        return [], {"reason": f"The notebook defines no function {name}.", "hint": hint}
    try:
        return as_arrays(function(*arguments))
    except BaseException as error:
        return [], explain(error, name, found)


def as_arrays(result) -> tuple[list[np.ndarray], dict]:
    """One array; several of a tuple, or of a list whose elements make no array together."""
    if not isinstance(result, tuple):
        with contextlib.suppress(TypeError, ValueError):
            return [wire.plain_array(result)], {"several": False}
    several = isinstance(result, tuple | list)
    return [wire.plain_array(one) for one in (result if several else [result])], {"several": several}


def explain(error: BaseException, name: str, found: Definitions) -> dict:
    """Why a call gave nothing, in the student's terms: which function, which cell, which line."""
    if isinstance(error, NotImplementedError):
        return {
            "reason": f"{name} is not written yet.",
            "hint": "Replace `raise NotImplementedError()` by your code.",
        }
    if isinstance(error, NameError) and error.name in found.left_out:
        reason = (
            f"{name} uses `{error.name}`, which cell {found.left_out[error.name]} makes outside any function."
        )
        return {"reason": reason, "hint": f"Pass it as an argument: {name}(..., {error.name})."}
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
