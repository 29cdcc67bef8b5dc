"""The grader's side: starts the server, hands it jobs, holds the clock, and replaces it when it stops answering."""

import contextlib
import json
import os
import secrets
import select
import signal
import site
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from autograder import devices
from autograder.failure import Claim, Failure, plain
from autograder.sandbox import wire
from autograder.sandbox.confinement import Isolation, Limits, bubblewrap
from autograder.sandbox.server import remove
from autograder.sandbox.visible import PACKAGE, visible

START, STOP = (
    120.0,
    30.0,
)  # seconds that a server may take to import TensorFlow, and to clean up after a child
MOST_OUTPUT = 64 * 2**10  # bytes of what a call prints
MOST_PIECES = 32  # that a pipe may hold once a call is over; whatever comes later is passed over
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
    "LANG": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",  # a library that starts threads at import makes forks unsafe
    "OMP_NUM_THREADS": "1",
    "JOBLIB_MULTIPROCESSING": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "KERAS_BACKEND": "tensorflow",
    "MPLBACKEND": "Agg",
    "PYTHONDONTWRITEBYTECODE": "1",
}


class SandboxError(Exception):
    """The sandbox itself does not work here; no student is to blame."""


@dataclass(frozen=True)
class Answer:
    """What came of a call.

    value: an array, or a tuple of them where the function returned several; failure: why there is none.
    printed: the student's output, cut; problems: what is wrong with the notebook, a sentence each.
    """

    value: np.ndarray | tuple[np.ndarray, ...] | None
    failure: Failure | None
    printed: str
    problems: tuple[str, ...]


@dataclass
class Sandbox:
    """One server, its child of the moment, and the calls they run, one at a time. Use it as a context manager.

    Calls of one notebook, one after another, share a child, which seeds and defines everything anew for each: an
    answer is the one that a child of its own would give. What honest code leaves behind ends a child after its call
    (see `traces`); a failure in one that had answered before counts only if a fresh child fails too. What code hides
    on purpose, in a library that it changes, reaches the functions of the same notebook alone: whoever asks a
    function about what another has seen calls `forget` in between.

    trusted: run student code even where isolation does not hold, at the risk of whoever says so.
    device: "gpu" shows the children the GPU; for a sandbox that runs no student code.
    private: what no child may be shown, wherever it lies: the course, submissions, results.
    """

    isolation: Isolation
    trusted: bool = False
    private: tuple[Path, ...] = ()
    device: str = "cpu"
    limits: Limits = field(default_factory=Limits)
    processor: float = 0.0  # seconds that children took which have ended
    _child: "_Child | None" = None
    _server: subprocess.Popen | None = None
    _control: socket.socket | None = None
    _home: str = ""

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *exception) -> None:
        self.stop()

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
        """Calls `function` of the notebook `content`, named `file`, as in a child of its own.

        arguments: arrays, numbers, texts, booleans; seconds: another deadline than that of the limits; wanted:
        "model" where the function returns a Keras model, of which the configuration (bytes) and the weights come
        back, "constant" where `function` names one, a number or a text (bytes, and an empty array); watch: is
        called, from another thread, with the latest line that was printed. The answer holds a Failure where the
        student's code gives no arrays: missing, wrong, crashed, too slow, too large. Raises SandboxError where the
        sandbox is at fault.
        """
        call = partial(request_for, function, arguments, seed, wanted)
        limits = replace(self.limits, seconds=seconds or self.limits.seconds)
        if self._child and self._child.notebook != (content, file):
            self.forget()
        for _ in range(2 + bool(self._child)):  # a server that is lost once may have been killed by anything
            self.start()
            served = self._child is not None
            answer, final = self._answer((content, file), function, call, limits, watch)
            if answer and (final or not served):
                return answer
            self.forget()
        raise SandboxError(f"The sandbox was lost twice while it ran {function}.")

    def forget(self) -> None:
        """Ends the child of the moment, if there is one: no later call finds anything that it saw."""
        if self._child:
            self._end()

    def _answer(
        self, notebook: tuple[bytes, str], function: str, call: Callable[[str], bytes], limits: Limits, watch
    ) -> tuple[Answer | None, bool]:
        """What came of a call, none where the server was lost; and whether a fresh child would say the same."""
        child = self._child or _Child(notebook)
        self._child = child
        child.listen(watch)
        reply = self._exchange(child, call, limits)
        if isinstance(reply, Exception):
            ended = self._end()
            failure = _failure(function, reply, ended, limits)
            return (None if ended["ended"] == "lost" else Answer(None, failure, child.said(), ())), False
        answer = answer_of(function, *reply, child.said())
        if reply[0].get("last"):
            self.forget()
        return answer, not answer.failure or reply[0].get("final") is True

    def _exchange(
        self, child: "_Child", call: Callable[[str], bytes], limits: Limits
    ) -> tuple[dict, list[np.ndarray]] | Exception:
        """Sends one call, to a fresh child the notebook before it, and waits for its reply until the deadline.

        A call's number can't be guessed, so that no reply passes for that to another call.
        """
        deadline, number, message = wire.Deadline.after(limits.seconds), secrets.token_hex(8), b""
        try:
            if child.ends:
                socket.send_fds(self._control, [json.dumps(asdict(limits)).encode()], child.ends)
                child.close_ends()
                content, file = child.notebook
                message = wire.pack({"file": file}, [np.frombuffer(content, np.uint8)])
            wire.send(child.request, message + call(number), deadline)
            said, arrays = wire.receive(child.reply, limits.reply, deadline)
        except (wire.WireError, EOFError, OSError) as error:  # TimeoutError is an OSError
            return error
        return (said, arrays) if said.get("number") == number else wire.WireError("no reply to this call")

    def _end(self) -> dict:
        """Has the child killed, whatever it is doing, and says how it ended.

        A server that does not answer, or could not clean up, is replaced by the next call.
        """
        ended = {"ended": "lost", "signal": 0, "seconds": 0.0, "cpu": 0.0, "memory": 0, "clean": False}
        child, self._child = self._child, None
        with contextlib.suppress(OSError):
            self._control.settimeout(STOP)
            self._control.send(b"kill")
            ended |= json.loads(self._control.recv(65536) or "{}")
        if not ended["clean"]:
            self.stop()
        child.close()
        self.processor += ended["cpu"]
        return ended

    def start(self) -> None:
        """Starts a server where none is running. Raises SandboxError where it can't, or must not."""
        if self._server and self._server.poll() is None:
            return
        if not (self.isolation.holds or self.trusted):
            lacks = f"isolation that holds on this machine: {self.isolation}"
            raise SandboxError(
                f"Student code is not run ({lacks}); see `autograder doctor`, or --no-isolation."
            )
        self.stop()
        self._home = tempfile.mkdtemp(prefix="autograder-")
        os.chmod(self._home, 0o711)
        self._control, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            self._server = subprocess.Popen(
                self._command(other.fileno()), env=self._environment(),
                cwd=self._home, pass_fds=[other.fileno()], start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )  # fmt: skip
        self._await_ready()

    def _command(self, control: int) -> list[str]:
        seen = devices.files() if self.device == "gpu" else []
        shown = visible(self.private)
        wrap = bubblewrap(shown, seen) if self.isolation.namespaces else []
        server = [sys.executable, "-P", "-m", "autograder.sandbox.server"]
        paths = json.dumps(list(map(str, shown.paths)))
        return [*wrap, *server, str(control), json.dumps(asdict(self.isolation)), paths]

    def _environment(self) -> dict[str, str]:
        """All that a server knows of its surroundings; nothing of the grader's own environment is passed on."""
        folder = "/tmp" if self.isolation.namespaces else self._home
        own = dict.fromkeys(("TMPDIR", "HOME", "KERAS_HOME", "MPLCONFIGDIR"), folder)
        own |= {"PYTHONPATH": str(PACKAGE.parent)}
        if site.ENABLE_USER_SITE:
            own["PYTHONUSERBASE"] = site.getuserbase()
        return ENVIRONMENT | devices.environment(self.device) | own

    def _await_ready(self) -> None:
        self._control.settimeout(START)
        try:
            answer = self._control.recv(65536)
            reason = json.loads(answer)["refused"] if answer else "it ended while starting"
        except OSError as error:
            reason = str(error)
        if reason:
            self._server.kill()
            said = self._server.stderr.read().decode("utf-8", "replace").strip()
            self.stop()
            raise SandboxError(f"The sandbox does not start: {reason}. {plain(said[-300:])}")

    def stop(self) -> None:
        """Ends the server and all that it started, and removes its folder."""
        if self._control:
            self._control.close()
        if self._server:
            if self._server.poll() is None:
                os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait()
            self._server.stderr.close()
        if self._home:
            remove(self._home)
        if self._child:
            self._child.close()
        self._server, self._control, self._child, self._home = None, None, None, ""


@contextlib.contextmanager
def training_sandbox(
    isolation: Isolation, device: str, private: tuple[Path, ...] = ()
) -> Iterator[Sandbox | None]:
    """A sandbox that sees the GPU, for training and never for student code; none where the CPU trains.

    CUDA reserves addresses for all memory of machine and card, so their number is no limit to go by.
    """
    if device == "cpu":
        yield None
        return
    limits = Limits(memory=2**46, open_files=1024)
    with Sandbox(isolation, trusted=True, private=private, device=device, limits=limits) as sandbox:
        yield sandbox


class _Child:
    """A notebook, and three pipes to the child that has it: request, reply, output.

    A thread drains the output and cuts it, so that it can't block. ends: the child's own, until it has them.
    """

    def __init__(self, notebook: tuple[bytes, str]):
        self.notebook = notebook
        request, self.request = os.pipe()
        self.reply, reply = os.pipe()
        self._output, output = os.pipe()
        os.set_blocking(self._output, False)
        self.ends = [request, reply, output]
        self._kept, self._watch, self._closed, self._lock = bytearray(), None, False, threading.Lock()
        self._drain = threading.Thread(target=self._read_output, daemon=True)
        self._drain.start()

    def close_ends(self) -> None:
        for descriptor in self.ends:
            os.close(descriptor)
        self.ends = []

    def listen(self, watch: Callable[[str], None] | None) -> None:
        """Passes over what was printed after the last call; `watch` is told the last line of each piece from now."""
        self.said()
        self._watch = watch

    def said(self) -> str:
        """What was printed since it was last asked for."""
        for _ in range(MOST_PIECES):
            if not self._take():
                break
        with self._lock:
            kept, self._kept = self._kept, bytearray()
        return "\n".join(plain(line) for line in kept.decode("utf-8", "replace").splitlines())

    def _read_output(self) -> None:
        while self._take() != b"":
            select.select([self._output], [], [])

    def _take(self) -> bytes | None:
        """A piece of what the pipe holds: None where that is nothing, empty at its end."""
        with self._lock:
            try:
                piece = b"" if self._closed else os.read(self._output, 2**16)
            except BlockingIOError:
                return None
            self._kept += piece[: MOST_OUTPUT - len(self._kept)]
        lines = piece.decode("utf-8", "replace").splitlines()
        if self._watch and lines:
            self._watch(plain(lines[-1]))
        return piece

    def close(self) -> None:
        self.close_ends()
        self._drain.join(STOP)  # every writer is dead by now
        self._closed = True
        for descriptor in (self.request, self.reply, self._output):
            os.close(descriptor)


def request_for(
    function: str, arguments: Sequence, seed: int = 0, wanted: str = "arrays", number: str = ""
) -> bytes:
    """A call as one message; its number comes back with the reply."""
    arrays = []
    sent = []
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            sent.append({"array": len(arrays)})
            arrays.append(argument)
        else:
            sent.append(argument)
    header = {"function": function, "arguments": sent, "seed": seed, "wanted": wanted, "number": number}
    return wire.pack(header, arrays)


def answer_of(function: str, said: dict, arrays: list[np.ndarray], printed: str) -> Answer:
    """The reply as plain values; one without arrays says why."""
    problems = said.get("problems")
    problems = tuple(plain(_text(one)) for one in problems[:8]) if isinstance(problems, list) else ()
    if arrays:
        value = tuple(arrays) if said.get("several") is True else arrays[0]
        return Answer(value, None, printed, problems)
    reason = _text(said.get("reason")) or f"{function} returned no numbers."
    return Answer(None, Claim(reason, _text(said.get("hint"))), printed, problems)


def _text(claimed) -> str:
    """What a child sent as a text, if it is one."""
    return claimed if isinstance(claimed, str) else ""


def unreadable(function: str, error: wire.WireError) -> Failure:
    return Claim(f"{function} returned what can't be read: {error}.", "Return numbers in NumPy arrays.")


def _failure(function: str, error: Exception, ended: dict, limits: Limits) -> Failure:
    """Why there was no reply, from what the kernel says of the child's end."""
    if ended["ended"] == "overfull":
        return Failure(f"{function} fills the disk.", "A graded function has no need to write files.")
    if ended["ended"] == "overcrowded":
        return Failure(f"{function} starts too many threads.", "A graded function needs none of its own.")
    if isinstance(error, TimeoutError) or ended["signal"] == signal.SIGXCPU:
        return Failure(
            f"{function} took more than {limits.seconds:g} s.", "Look for a loop that does not end."
        )
    if isinstance(error, wire.WireError):
        return unreadable(function, error)
    if ended["signal"] not in (0, signal.SIGKILL):
        name = signal.Signals(ended["signal"]).name
        return Failure(
            f"{function} crashed Python ({name}).", "Call it in the notebook with a small example."
        )
    return Failure(f"{function} ended Python before it returned.", "Leave out exit(), quit() and os._exit().")
