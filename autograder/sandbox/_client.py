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
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, Protocol

import numpy as np

from autograder.core import Failure, NeedsReview, StudentError, sanitize
from autograder.core import _devices as devices
from autograder.sandbox import _protocol as wire
from autograder.sandbox._isolation import Isolation, Limits, bubblewrap
from autograder.sandbox._requirements import missing_packages, newer_python
from autograder.sandbox._server import remove
from autograder.sandbox._visible_paths import PACKAGE, visible_paths

SERVER = "from autograder.sandbox._server import main; main()"
START, STOP = 120.0, 30.0  # seconds for a server to import TensorFlow, and to clean up after a child
MAX_STRETCH = 6.0  # times the seconds of a call, for a child that waits for a processor
LOOK_AGAIN_SECONDS = 0.01  # seconds
MAX_OUTPUT = 64 * 2**10  # bytes of what a call prints
MAX_PIECES = 32  # that a pipe may hold once a call is over; whatever comes later is passed over
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
    "LANG": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",  # a library that starts threads at import makes forks unsafe
    "OMP_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # pyarrow, which pandas imports where it is installed
    "JOBLIB_MULTIPROCESSING": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "KERAS_BACKEND": "tensorflow",
    "MPLBACKEND": "Agg",
    "PYTHONDONTWRITEBYTECODE": "1",
}


class SandboxError(NeedsReview):
    """The sandbox itself does not work here; no student is to blame."""


class NotReadyError(Exception):
    """A child ended, or took too long, before any student code ran in it."""


class StarvedError(Exception):
    """A child did not get its share of the processor, for many times the seconds that a call has."""


@dataclass(frozen=True)
class Answer:
    """What came of a call.

    value: an array, or a tuple of them where the function returned several; failure: why there is none.
    printed: the student's output, cut; problems: what is wrong with the notebook, a sentence each.
    """

    value: np.ndarray | tuple[np.ndarray, ...] | None
    failure: Failure | NeedsReview | None
    printed: str
    problems: tuple[str, ...]


class FunctionCaller(Protocol):
    """What calls a notebook's functions: a `Sandbox`, or an `InProcessSandbox` on a student's own machine."""

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
    ) -> Answer: ...

    def discard_child(self) -> None: ...


@dataclass
class Sandbox:
    """One server, its child of the moment, and the calls they run, one at a time. Use it as a context manager.

    Calls of one notebook, one after another, share a child, which seeds and defines everything anew for each: an
    answer is the one that a child of its own would give. What honest code leaves behind ends a child after its call
    (see `traces`); a failure in one that had answered before counts only if a fresh child fails too. What code hides
    on purpose, in a library that it changes, reaches the functions of the same notebook alone: whoever asks a
    function about what another has seen calls `discard_child` in between.

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
    waited: float = 0.0  # seconds for which trainings waited for the GPU
    _child: "_Child | None" = None
    _server: subprocess.Popen | None = None
    _control: socket.socket | None = None
    _home: str = ""
    _lost_by: str = ""  # why the last child was lost that no student ended
    _refused: str = ""  # why no server starts: it is not tried again for each item

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *exception: object) -> None:
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
        """Call `function` of the notebook `content`, named `file`, as in a child of its own.

        arguments: arrays, numbers, texts, booleans; seconds: another deadline than that of the limits; wanted:
        "model" where the function returns a Keras model, of which the configuration (bytes) and the weights come
        back, "constant" where `function` names one, a number or a text (bytes, and an empty array); watch: is
        called, from another thread, with the latest line that was printed. The answer holds a Failure where the
        student's code gives no arrays: missing, wrong, crashed, too slow, too large. Raises SandboxError where the
        sandbox is at fault.
        """
        try:
            return self._call((content, file), function, arguments, seed, seconds, wanted, watch)
        except SandboxError:
            raise
        except (OSError, RuntimeError) as error:  # no descriptors, memory, threads or processes are left
            with contextlib.suppress(OSError):  # the next call tries again
                self.stop()
            raise SandboxError(f"This machine can't run {function}: {error}.") from error

    def _call(
        self,
        notebook: tuple[bytes, str],
        function: str,
        arguments: Sequence,
        seed: int,
        seconds: float | None,
        wanted: str,
        watch: Callable[[str], None] | None,
    ) -> Answer:
        call = partial(pack_request, function, arguments, seed, wanted)
        limits = replace(self.limits, seconds=seconds or self.limits.seconds)
        if self._child and self._child.notebook != notebook:
            self.discard_child()
        for _ in range(2 + bool(self._child)):  # a server that is lost once may have been killed by anything
            self.start()
            served = self._child is not None
            answer, final = self._answer(notebook, function, wanted, call, limits, watch)
            if answer and (final or not served):
                return answer
            self.discard_child()
        raise SandboxError(f"The sandbox was lost twice while it ran {function}. {self._lost_by}".strip())

    def discard_child(self) -> None:
        """End the child of the moment, if there is one: no later call finds anything that it saw."""
        if self._child:
            self._end(self._child)

    def _answer(
        self,
        notebook: tuple[bytes, str],
        function: str,
        wanted: str,
        call: Callable[[str], bytes],
        limits: Limits,
        watch: Callable[[str], None] | None,
    ) -> tuple[Answer | None, bool]:
        """Return a call's answer, None if the machine is at fault; and whether a fresh child would say the same."""
        child = self._child or _Child(notebook)
        self._child = child
        child.listen(watch)
        reply = self._exchange(child, call, limits)
        if isinstance(reply, Exception):
            ended = self._end(child)
            printed = child.said()
            if isinstance(reply, StarvedError):
                raise SandboxError(
                    f"This machine is too busy: {function} got no processor for {limits.seconds:g} s."
                )
            if isinstance(reply, NotReadyError):
                self._lost_by = f"No process starts: {printed.splitlines()[-1][-200:] if printed else reply}"
            elif ended["oom"]:
                self._lost_by = "The machine has no memory left and ended the process."
            elif ended["ended"] != "lost":
                return Answer(None, _failure(function, reply, ended, limits), printed, ()), False
            return None, False
        answer = check_reply(function, wanted, notebook, *reply, child.said())
        if reply[0].get("last"):
            self.discard_child()
        return answer, not answer.failure or reply[0].get("final") is True

    def _exchange(
        self, child: "_Child", call: Callable[[str], bytes], limits: Limits
    ) -> tuple[dict, list[np.ndarray]] | Exception:
        """Send one call, to a fresh child the notebook before it, and wait for its reply until the deadline.

        A call's number can't be guessed, so that no reply passes for that to another call.
        """
        number, message = secrets.token_hex(8), b""
        deadline = FairDeadline(limits.seconds, partial(self._look, child))
        try:
            if child.ends:
                self._hand_over(child, limits)
                content, file = child.notebook
                message = wire.pack({"file": file}, [np.frombuffer(content, np.uint8)])
            deadline.start()
            wire.send(child.request, message + call(number), deadline)
            said, arrays = wire.receive(child.reply, limits.reply, deadline)
        except (wire.WireError, EOFError, OSError, NotReadyError) as error:  # TimeoutError is an OSError
            return StarvedError() if deadline.is_starved else error
        return (said, arrays) if said.get("number") == number else wire.WireError("no reply to this call")

    def _hand_over(self, child: "_Child", limits: Limits) -> None:
        """Have the server fork a child, and waits until it is ready. Raises NotReadyError where it never is."""
        try:
            if self._control is None:
                raise OSError("there is no server")
            socket.send_fds(self._control, [json.dumps(asdict(limits)).encode()], child.ends)
            child.close_ends()
            wire.receive(child.reply, 0, wire.Deadline.after(STOP))
        except (wire.WireError, EOFError, OSError) as error:
            raise NotReadyError(str(error) or type(error).__name__) from error

    def _look(self, child: "_Child") -> tuple[float, float] | None:
        """Return the processor time that the child took, and that it waited for; None where it has ended."""
        with contextlib.suppress(OSError, ValueError):
            seen = self._ask_server(b"look")
            if "waited" in seen:
                return seen["cpu"], seen["waited"]
            child.ended = seen or None  # it came to its end before it was looked at
        return None

    def _ask_server(self, question: bytes) -> dict[str, Any]:
        """Return the server's answer. Raises OSError if there is none in time."""
        if self._control is None:
            raise OSError("there is no server")
        self._control.settimeout(STOP)
        self._control.send(question)
        return json.loads(self._control.recv(65536) or "{}")

    def _end(self, child: "_Child") -> dict[str, Any]:
        """Have the child killed, whatever it is doing, and return how it ended.

        A server that does not answer, or could not clean up, is replaced by the next call.
        """
        ended: dict[str, Any] = {
            "ended": "lost", "signal": 0, "cpu": 0.0, "memory": 0, "oom": False, "clean": False
        }  # fmt: skip
        self._child = None
        if child.ended:
            ended |= child.ended
        else:
            with contextlib.suppress(OSError):
                ended |= self._ask_server(b"kill")
        if not ended["clean"]:
            self.stop()
        child.close()
        self.processor += ended["cpu"]
        return ended

    def start(self) -> None:
        """Start a server where none is running. Raises SandboxError where it can't, or must not."""
        if self._server and self._server.poll() is None:
            return
        if self._refused:
            raise SandboxError(self._refused)
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
            server = self._server = subprocess.Popen(
                self._command(other.fileno()), env=self._environment(),
                cwd=self._home, pass_fds=[other.fileno()], start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )  # fmt: skip
        self._await_ready(self._control, server)

    def _command(self, control: int) -> list[str]:
        seen = devices.gpu_device_files() if self.device == "gpu" else []
        shown = visible_paths(self.private)
        wrap = bubblewrap(shown, seen) if self.isolation.namespaces else []
        server = [sys.executable, "-P", "-c", SERVER]
        paths = json.dumps(list(map(str, shown.paths)))
        return [*wrap, *server, str(control), json.dumps(asdict(self.isolation)), paths]

    def _environment(self) -> dict[str, str]:
        """All that a server knows of its surroundings; nothing of the grader's own environment is passed on."""
        folder = "/tmp" if self.isolation.namespaces else self._home
        own = dict.fromkeys(("TMPDIR", "HOME", "KERAS_HOME", "MPLCONFIGDIR"), folder)
        own |= {"PYTHONPATH": str(PACKAGE.parent)}
        if site.ENABLE_USER_SITE:
            own["PYTHONUSERBASE"] = site.getuserbase()
        return ENVIRONMENT | devices.device_environment(self.device) | own

    def _await_ready(self, control: socket.socket, server: subprocess.Popen) -> None:
        control.settimeout(START)
        is_final = True  # but for a server that was killed, as by a lack of memory
        try:
            answer = control.recv(65536)
            reason = json.loads(answer)["refused"] if answer else "it ended while starting"
            is_final = bool(answer)
        except OSError as error:
            reason = str(error)
        if reason:
            server.kill()
            output = server.stderr.read().decode("utf-8", "replace").strip() if server.stderr else ""
            self.stop()
            message = f"The sandbox does not start: {reason}. {sanitize(output[-300:])}".strip()
            self._refused = message if is_final else ""
            raise SandboxError(message)

    def stop(self) -> None:
        """End the server and all that it started, and remove its folder."""
        if self._control:
            self._control.close()
        if self._server:
            if self._server.poll() is None:
                os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait()
            if self._server.stderr:
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
    """Return a sandbox that sees the GPU, for training and never for student code; none where the CPU trains.

    CUDA reserves addresses for all memory of machine and card, so their number is no limit to go by.
    """
    if device == "cpu":
        yield None
        return
    limits = Limits(memory=2**46, open_files=1024)
    with Sandbox(isolation, trusted=True, private=private, device=device, limits=limits) as sandbox:
        yield sandbox


class FairDeadline:
    """A deadline for a child, moved by the time that the child waited for a processor.

    A child that took as much processor time as it has seconds had its share, however many threads of its own it kept
    waiting. is_starved: whether the deadline was moved as far as it goes, without the child having had its share.
    """

    def __init__(self, seconds: float, look: Callable[[], tuple[float, float] | None]):
        self.seconds, self._look, self.is_starved = seconds, look, False
        self._began = self._at = time.monotonic()
        self._before = 0.0, 0.0

    def start(self) -> None:
        """Start the clock."""
        self._before = self._look() or (0.0, 0.0)
        self._began = time.monotonic()
        self._at = self._began + self.seconds

    @property
    def left(self) -> float:
        """The seconds that are left, as far as is known."""
        return max(0.0, self._at - time.monotonic())

    def extend(self) -> bool:
        """Move the deadline, and return whether there is time left now."""
        seen = self._look()
        if seen is None:
            return False
        cpu, waited = (after - before for after, before in zip(seen, self._before, strict=True))
        last = self._began + self.seconds * MAX_STRETCH
        due = self._began + self.seconds + waited
        if cpu >= self.seconds or due <= time.monotonic() + LOOK_AGAIN_SECONDS:
            return False
        self.is_starved = time.monotonic() >= last
        self._at = min(due, last)
        return not self.is_starved


class _Child:
    """A notebook, and three pipes to the child that has it: request, reply, output.

    A thread drains the output and cuts it, so that it can't block. ends: the child's own, until it has them.
    """

    def __init__(self, notebook: tuple[bytes, str]):
        self.notebook = notebook
        self.ended: dict[str, Any] | None = None  # how it ended, where the server has said so unasked
        request, self.request = os.pipe()
        self.reply, reply = os.pipe()
        self._output, output = os.pipe()
        os.set_blocking(self._output, False)
        self.ends = [request, reply, output]
        self._kept, self._closed, self._lock = bytearray(), False, threading.Lock()
        self._watch: Callable[[str], None] | None = None
        self._drain = threading.Thread(target=self._read_output, daemon=True)
        self._drain.start()

    def close_ends(self) -> None:
        for descriptor in self.ends:
            os.close(descriptor)
        self.ends = []

    def listen(self, watch: Callable[[str], None] | None) -> None:
        """Pass over what was printed after the last call; `watch` is told the last line of each piece from now."""
        self.said()
        self._watch = watch

    def said(self) -> str:
        """Return what was printed since it was last asked for."""
        for _ in range(MAX_PIECES):
            if not self._take():
                break
        with self._lock:
            kept, self._kept = self._kept, bytearray()
        return "\n".join(sanitize(line) for line in kept.decode("utf-8", "replace").splitlines())

    def _read_output(self) -> None:
        while self._take() != b"":
            select.select([self._output], [], [])

    def _take(self) -> bytes | None:
        """Return a piece of what the pipe holds: None where that is nothing, empty at its end."""
        with self._lock:
            try:
                piece = b"" if self._closed else os.read(self._output, 2**16)
            except BlockingIOError:
                return None
            self._kept += piece[: MAX_OUTPUT - len(self._kept)]
        lines = piece.decode("utf-8", "replace").splitlines()
        if self._watch and lines:
            self._watch(sanitize(lines[-1]))
        return piece

    def close(self) -> None:
        self.close_ends()
        self._drain.join(STOP)  # every writer is dead by now
        self._closed = True
        for descriptor in (self.request, self.reply, self._output):
            os.close(descriptor)


def pack_request(
    function: str, arguments: Sequence, seed: int = 0, wanted: str = "arrays", number: str = ""
) -> bytes:
    """Return a call as one message; its number comes back with the reply."""
    arrays: list[np.ndarray] = []
    sent: list[object] = []
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            sent.append({"array": len(arrays)})
            arrays.append(argument)
        else:
            sent.append(argument)
    header = {"function": function, "arguments": sent, "seed": seed, "wanted": wanted, "number": number}
    return wire.pack(header, arrays)


class SeveralArrays(tuple):
    """Several arrays that a function returned.

    An item that takes them for one array gets one if they have one shape; otherwise the student reads what is wrong.
    """

    function = ""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if len({array.shape for array in self}) > 1:
            raise self._failure
        return np.array(list(self), dtype=dtype)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        raise self._failure  # whatever an array has and a tuple does not

    @property
    def _failure(self) -> Failure:
        reason = f"{self.function} returned {len(self)} values, expected one array."
        return Failure(reason, "Return one array: np.array(...), without commas between values.")


def check_reply(
    function: str,
    wanted: str,
    notebook: tuple[bytes, str],
    said: dict,
    arrays: list[np.ndarray],
    printed: str,
) -> Answer:
    """Return the reply as plain values, checked by what was `wanted`; one without arrays says why."""
    problems = said.get("problems")
    problems = (
        tuple(sanitize(_text(problem)) for problem in problems[:8]) if isinstance(problems, list) else ()
    )
    if arrays:
        value = SeveralArrays(arrays) if said.get("several") is True else arrays[0]
        if isinstance(value, SeveralArrays):
            value.function = function
        failure = None if is_wanted(wanted, value) else forged_reply(function, wanted)
        return Answer(None if failure else value, failure, printed, problems)
    if undecided := review_if_lacking(function, said.get("lacks"), *notebook):
        return Answer(None, undecided, printed, problems)
    reason = _text(said.get("reason")) or f"{function} returned no numbers."
    return Answer(None, StudentError(reason, _text(said.get("hint"))), printed, problems)


def is_wanted(wanted: str, value: np.ndarray | SeveralArrays) -> bool:
    """Return True if a reply has the form of what was asked for; an honest child sends no other."""
    if wanted == "arrays":
        return True
    if isinstance(value, np.ndarray):
        return wanted == "constant" and value.shape == () and value.dtype == np.float64
    forms = [(array.dtype.str, array.ndim) for array in value]
    second = "<f8" if wanted == "constant" else "<f4"
    return forms == [("|u1", 1), (second, 1)]


def forged_reply(function: str, wanted: str) -> Failure:
    what = "number and no text" if wanted == "constant" else "Keras model"
    return Failure(f"{function} is no {what}.", "Write it plainly, without code that changes the check.")


def review_if_lacking(function: str, claimed: object, content: bytes, file: str) -> NeedsReview | None:
    """Return a NeedsReview if this machine lacks what the notebook needs, by the notebook and not by its child."""
    if claimed == "python" and (needed := newer_python(content) or newest_syntax()):
        here = ".".join(map(str, sys.version_info[:2]))
        return NeedsReview(
            f"{function} may need Python {needed}, this machine has {here}: a cell can't be read. Grade with "
            f"Python {needed}; as it stands, the function is not there and earns nothing."
        )
    if claimed == "package" and (names := missing_packages(content, file)):
        return NeedsReview(
            f"{function} may need what this machine lacks: {', '.join(names)[:200]}. Install it and grade again; "
            "as it stands, the function stops and earns nothing."
        )
    return None


def newest_syntax() -> str:
    """Return the version of Python that reads f-strings which this one can't; empty if there is none."""
    return "3.12" if sys.version_info < (3, 12) else ""


def _text(claimed: object) -> str:
    """Return what a child sent as a text, if it is one."""
    return claimed if isinstance(claimed, str) else ""


def unreadable_reply(function: str, error: wire.WireError) -> Failure:
    return StudentError(
        f"{function} returned what can't be read: {error}.", "Return numbers in NumPy arrays."
    )


def _failure(function: str, error: Exception, ended: dict, limits: Limits) -> Failure:
    """Return why there was no reply, from what the kernel says of the child's end."""
    if ended["ended"] == "overfull":
        return Failure(f"{function} fills the disk.", "A graded function has no need to write files.")
    if ended["ended"] == "overcrowded":
        return Failure(f"{function} starts too many threads.", "A graded function needs none of its own.")
    if isinstance(error, TimeoutError) or ended["signal"] == signal.SIGXCPU:
        return Failure(
            f"{function} took more than {limits.seconds:g} s.", "Look for a loop that does not end."
        )
    if isinstance(error, wire.WireError):
        return unreadable_reply(function, error)
    if ended["signal"] not in (0, signal.SIGKILL):
        name = signal.Signals(ended["signal"]).name
        return Failure(
            f"{function} crashed Python ({name}).", "Call it in the notebook with a small example."
        )
    return Failure(f"{function} ended Python before it returned.", "Leave out exit(), quit() and os._exit().")
