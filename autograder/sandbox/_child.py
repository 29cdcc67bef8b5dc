"""The child: becomes harmless, takes the notebook's functions, answers call after call until it is ended.

The notebook is parsed once, but seeded and defined anew for each call, so that each call finds what it would
find in a child of its own; a child that shows traces of a call (see `side_effects`) says that it was its last.

Everything it says is a claim. Only arrays and short texts leave it, and the grader computes every score.
"""

import fcntl
import io
import os
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from autograder.core import _devices as devices
from autograder.sandbox import _protocol as wire
from autograder.sandbox._definitions import MAX_SECONDS, Definer, read_statements
from autograder.sandbox._invoke import invoke, limit_reply
from autograder.sandbox._isolation import Isolation, Limits, die_with_parent, isolate
from autograder.sandbox._side_effects import side_effects

REQUEST, REPLY = 3, 4
MAX_IDLE_SECONDS = 86_400.0  # the grader holds the clock
LAYER_NUMBERS = "object_name_uids"


def become_child(
    descriptors: list[int], work: Path, limits: Limits, readable: list[Path], isolation: Isolation, calls: Any
) -> None:
    """Turn a fresh fork into the child that a notebook's functions are called in. Never returns."""
    status = 1
    try:
        die_with_parent()
        rearrange_descriptors(descriptors)
        os.setsid()
        enter_work_folder(work)
        gpu = devices.gpu_device_files() if os.environ["CUDA_VISIBLE_DEVICES"] != "-1" else []
        isolate(
            work, [*readable, *(devices.gpu_driver_paths() if gpu else [])], gpu, limits, isolation, calls
        )
        answer_calls(limits)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def enter_work_folder(work: Path) -> None:
    """Make `work` the folder that everything goes to: the current, the home, the temporary one."""
    os.chdir(work)
    os.environ |= {"HOME": str(work), "TMPDIR": str(work)}
    tempfile.tempdir = str(work)


def rearrange_descriptors(descriptors: list[int]) -> None:
    """Leaves open: nothing to read as standard input, the output twice, the request and the reply."""
    request, reply, output = (fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in descriptors)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for place, fd in enumerate((nothing, output, output, request, reply)):
        os.dup2(fd, place)
    os.closerange(5, 1024)
    sys.stdout, sys.stderr = (_text(fd) for fd in (1, 2))


def _text(fd: int) -> io.TextIOWrapper:
    """Return a text file that keeps nothing back: a child that is killed has said all that it said."""
    return io.TextIOWrapper(io.FileIO(fd, "w"), "utf-8", "replace", write_through=True)


def answer_calls(limits: Limits) -> None:
    """Says that it is ready, reads the notebook, then makes call after call, and sends what each returned.

    Whatever goes wrong before it is ready is the machine's fault: no student code has run.
    """
    wire.send(REPLY, wire.pack({"ready": True}), wire.Deadline.after(MAX_IDLE_SECONDS))
    header, [content] = wire.receive(REQUEST, 2**40, wire.Deadline.after(MAX_IDLE_SECONDS))
    notebook = Notebook(content.tobytes(), header["file"])
    while True:
        header, arrays = wire.receive(REQUEST, 2**40, wire.Deadline.after(MAX_IDLE_SECONDS))
        said, values = limit_reply(limits.reply, header["function"], *notebook.reply_to(header, arrays))
        wire.send(
            REPLY,
            wire.pack(said | {"number": header["number"]}, values),
            wire.Deadline.after(MAX_IDLE_SECONDS),
        )


class Notebook:
    """A notebook that is parsed once, and seeded and defined anew for each call of a function."""

    def __init__(self, content: bytes, file: str):
        self.problems: list[str] = []
        self.unread = ""
        self.before: list = []
        try:
            statements = read_statements(content, file, self.problems)
            self.definer = Definer(statements, self.problems, MAX_SECONDS)
        except ValueError as error:
            self.unread = f"{error}."

    def reply_to(self, header: dict, arrays: list[np.ndarray]) -> tuple[dict, list[np.ndarray]]:
        """Header and arrays of the reply; the header says `last` where the call has left traces."""
        if self.unread:
            return {"reason": self.unread, "hint": "Save it again from Jupyter or Colab.", "final": True}, []
        seed_everything(header["seed"])
        with warnings.catch_warnings():  # what a library has warned of once, it warns of again
            reset_layer_numbers()
            found = self.definer.define()
            self.before = self.before or side_effects()
            said, values = invoke(found, header, arrays)
        return said | {"last": side_effects() != self.before}, values


def reset_layer_numbers() -> None:
    """Have Keras begin again to number layers, as definitions may make some: each call finds the same names."""
    state = sys.modules.get("keras.src.backend.common.global_state")
    if state and hasattr(state.GLOBAL_STATE_TRACKER, LAYER_NUMBERS):
        delattr(state.GLOBAL_STATE_TRACKER, LAYER_NUMBERS)


def seed_everything(seed: int) -> None:
    """Seeds Python, NumPy, Keras and TensorFlow: a fork would otherwise repeat the numbers of its brothers."""
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(seed)
