"""The sandbox's part in the student's own process: no isolation and no deadline, but the same answers.

Requests and replies pass through the same bytes as on their way to a child and back, so a function is given here
what it is given there (copies, of the same types), and what it returns is read the same way. What it prints
is shown, or told to whoever watches.
"""

import contextlib
import functools
import io
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograder.core import sanitize
from autograder.sandbox import _protocol as wire
from autograder.sandbox._client import Answer, check_reply, pack_request, unreadable_reply
from autograder.sandbox._definitions import define, read_statements
from autograder.sandbox._invoke import invoke, limit_reply
from autograder.sandbox._isolation import Limits

KERAS_STATE = "global_random_seed", "global_seed_generator"


class InProcessSandbox:
    """Calls a notebook's functions as a Sandbox does: each call finds the definitions as fresh as in a child."""

    def __init__(self) -> None:
        self._read = functools.cache(lambda content, file: read_statements(content, file, []))

    def call(
        self,
        content: bytes,
        file: str,
        function: str,
        arguments: Sequence,
        seed: int = 0,
        seconds: float | None = None,
        wanted: str = "arrays",
        watch: Callable[[str], None] | None = None,
    ) -> Answer:
        """Return the Answer, as of `Sandbox.call`; `seconds` are not counted here, and KeyboardInterrupt passes."""
        statements, most = self._read(content, file), Limits().reply
        header, arrays = wire.unpack(pack_request(function, arguments, seed, wanted), 2**40)
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)  # empty, as a child's is
        printed = contextlib.redirect_stdout(LineWriter(watch)) if watch else contextlib.nullcontext()
        with keep_notebook_module(), folder, contextlib.chdir(folder.name), printed:
            seed_loaded_libraries(seed)
            found = define(statements, [])
            found.problems.clear()  # what is wrong with a cell was said when it was run, or is mended by now
            said, values = invoke(found, header, arrays, through=KeyboardInterrupt)
            message = wire.pack(*limit_reply(most, function, said, values))
        try:
            return check_reply(function, wanted, (content, file), *wire.unpack(message, most), printed="")
        except wire.WireError as error:
            return Answer(None, unreadable_reply(function, error), "", ())

    def discard_child(self) -> None:
        """Nothing: a student's own process has seen all that there is."""


class LineWriter(io.TextIOBase):
    """A text file that tells `watch` the last line of what is written to it."""

    def __init__(self, watch: Callable[[str], None]):
        self._watch = watch

    def write(self, text: str) -> int:
        if text.strip():
            self._watch(sanitize(text.splitlines()[-1]))
        return len(text)


@contextlib.contextmanager
def keep_notebook_module() -> Iterator[None]:
    """Afterwards a module `notebook` is again what it was: Jupyter has one of that name."""
    before = sys.modules.get("notebook")
    try:
        yield
    finally:
        sys.modules.pop("notebook", None)
        if before is not None:
            sys.modules["notebook"] = before


@contextlib.contextmanager
def keep_random_state() -> Iterator[None]:
    """Afterwards Python, NumPy, Keras and TensorFlow go on as if no random number had been drawn in between."""
    python, numpy = random.getstate(), np.random.get_state()
    keras, context = _keras_state(), _tensorflow_context()
    before = {name: keras.get_global_attribute(name) for name in KERAS_STATE} if keras else {}
    seed, generator = (
        (context._seed, getattr(context, "_rng", None)) if context else (None, None)
    )  # no _rng before a first seed
    try:
        seed_loaded_libraries(0)
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        for name, value in before.items():
            keras.set_global_attribute(name, value)
        if context:
            context._seed, context._rng = seed, generator


def seed_loaded_libraries(seed: int) -> None:
    """Seeds as a child does, but Keras and TensorFlow only where they are imported.

    `tf.random.set_seed` would also rewind the student's random operations, for good; this leaves them alone.
    """
    random.seed(seed)
    np.random.seed(seed)
    if keras := _keras_state():
        for name, value in zip(KERAS_STATE, (seed, None), strict=True):
            keras.set_global_attribute(name, value)
    if context := _tensorflow_context():
        context._seed, context._rng = seed, random.Random(seed)


def _keras_state() -> Any:
    """Where Keras keeps its seed, if Keras is imported."""
    return sys.modules.get("keras.src.backend.common.global_state")


def _tensorflow_context() -> Any:
    """TensorFlow's eager context, if TensorFlow is imported."""
    eager = sys.modules.get("tensorflow.python.eager.context")
    return eager.context() if eager else None
