"""The child: becomes harmless, takes the notebook's functions, calls one, answers, ends.

Everything it says is a claim. Only arrays and short texts leave it, and the grader computes every score.
"""

import io
import os
import sys
import tempfile
import traceback
from pathlib import Path

import numpy as np

from autograder import devices
from autograder.sandbox import wire
from autograder.sandbox.calling import reply_with, within
from autograder.sandbox.confinement import Isolation, Limits, confine, die_with_parent
from autograder.sandbox.definitions import read_definitions

REQUEST, REPLY = 3, 4
PACKAGE = Path(__file__).parents[1]


def become(descriptors: list[int], work: Path, limits: Limits, isolation: Isolation, calls) -> None:
    """Turns a fresh fork into the child of one job. Never returns."""
    status = 1
    try:
        die_with_parent()
        rearrange(descriptors)
        os.setsid()
        settle(work)
        gpu = devices.files() if os.environ["CUDA_VISIBLE_DEVICES"] != "-1" else []
        confine(work, [PACKAGE, *(devices.driver() if gpu else [])], gpu, limits, isolation, calls)
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
    reply = within(limits.reply, header["function"], *reply_to(header, arrays))
    wire.send(REPLY, wire.pack(*reply), deadline)


def reply_to(header: dict, arrays: list[np.ndarray]) -> tuple[dict, list[np.ndarray]]:
    """Header and arrays of the reply."""
    content, *arrays = arrays
    seed_everything(header["seed"])
    try:
        found = read_definitions(content.tobytes(), header["file"])
    except ValueError as error:
        return {"reason": f"{error}.", "hint": "Save it again from Jupyter or Colab.", "problems": []}, []
    return reply_with(found, header, arrays)


def seed_everything(seed: int) -> None:
    """Seeds Python, NumPy, Keras and TensorFlow: a fork would otherwise repeat the numbers of its brothers."""
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(seed)
