"""Workers: processes of this machine that each open what they work with, and run tasks on it side by side.

A worker is a new Python that runs WORKER.
"""

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

from autograder.sandbox import die_with_parent

TRIES = 3  # of a task whose worker is killed: by the system, which is out of memory, or by a person
MEMORY = 2 * 2**30  # bytes that a worker and the process in which its student code runs may take
START, STOP = 300.0, 10.0  # seconds that a worker may take to open what it works with, and to clean up
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
WORKER = "import sys; from autograder.grading._executors import main; main(int(sys.argv[1]))"

Watch = Callable[[str], None]
Opening = Callable[[Watch], AbstractContextManager]  # it and all tasks can be pickled


class WorkerLost(Exception):
    """A task has no result: whichever process ran it was killed, each time, or took too long."""


class WorkerSilent(Exception):
    """A process has said nothing for too long."""


class Executor(Protocol):
    """What runs tasks, here or elsewhere.

    room: how many tasks may be under way, so that nobody waits and memory stays as it is.
    """

    @property
    def max_in_flight(self) -> int: ...

    def submit(self, task: Callable, *arguments) -> Future:
        """Return a Future of `task(opened, ...)`, which may raise Lost."""


def choose_jobs() -> int:
    """How many workers this machine has room for: one to each core that this process may use, as memory allows."""
    if os.name != "posix":
        return 1
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    )  # macOS has none
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(cores or 1, memory // MEMORY))


@dataclass(frozen=True)
class SerialExecutor:
    """The one worker that is this process: each task runs where it is submitted, on what is opened already."""

    opened: object
    max_in_flight: int = 1

    def submit(self, task: Callable, *arguments) -> Future:
        done = Future()
        done.set_result(task(self.opened, *arguments))
        return done


class ProcessPool:
    """So many processes, each started when there is first a task for it. Use `open_process_pool`.

    A task whose process is killed is run in a new one, TRIES times in all; the others' go on meanwhile. A process
    that says nothing for `patience` seconds is killed, and its task is lost.
    """

    def __init__(self, jobs: int, opening: Opening, watch: Watch, patience: float | None = None):
        self.max_in_flight = 2 * jobs
        self._opening, self._watch, self._patience = opening, watch, patience
        # a thread for each process, which dies with the thread that started it
        self._threads, self._mine, self._all = ThreadPoolExecutor(jobs), threading.local(), []
        self._closing = threading.Event()

    def submit(self, task: Callable, *arguments) -> Future:
        return self._threads.submit(self._run, task, arguments)

    def _run(self, task: Callable, arguments: tuple):
        for _ in range(TRIES):
            worker = self._worker()
            try:
                return worker.run(task, arguments, self._patience)
            except WorkerSilent:
                worker.popen.kill()
                worker.end()
                raise WorkerLost(f"it took more than {self._patience:g} s, and was stopped") from None
            except (EOFError, OSError):
                worker.end()
                if worker.popen.returncode == -getattr(signal, "SIGXCPU", 0):
                    raise WorkerLost("it took too much time of the processor, and was stopped") from None
        raise WorkerLost(f"the process that ran it was killed {TRIES} times; is there enough memory?")

    def _worker(self) -> "Process":
        """Return the process of this thread; a new one where there is none that is alive."""
        if self._closing.is_set():
            raise CancelledError
        worker = getattr(self._mine, "worker", None)
        if worker is None or worker.ended:
            worker = self._mine.worker = Process.start(self._opening, self._watch)
            self._all = [one for one in self._all if not one.ended] + [worker]
        return worker

    def end(self) -> None:
        """End all processes, whatever they are doing."""
        self._closing.set()
        for worker in self._all:
            worker.popen.terminate()
        for worker in self._all:
            worker.end()  # before its thread, with which it would die in the middle of cleaning up
        self._threads.shutdown(wait=True, cancel_futures=True)
        for worker in self._all:
            worker.end()  # of a thread that was just starting one


@contextmanager
def open_process_pool(
    jobs: int, opening: Opening, watch: Watch = lambda line: None, patience: float | None = None
) -> Iterator[ProcessPool]:
    """So many workers of this machine; `opening(watch)` is entered in each, and what it gives passed to each task.

    watch: is told, from other threads, what the workers tell theirs. patience: see `ProcessPool`.
    """
    workers = ProcessPool(jobs, opening, watch, patience)
    try:
        yield workers
    finally:
        workers.end()


@dataclass
class Process:
    """The grader's side of one worker process."""

    popen: subprocess.Popen
    connection: Connection
    watch: Watch
    ended: bool = field(default=False, init=False)
    is_open: bool = field(default=False, init=False)

    @classmethod
    def start(cls, opening: Opening, watch: Watch) -> "Process":
        """Start one; not by `multiprocessing`, since what Dask starts may have no children of that kind."""
        ours, theirs = Pipe()
        package = str(Path(__file__).parents[2])
        paths = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
        command = [sys.executable, "-P", "-c", WORKER, str(theirs.fileno())]
        with theirs:
            popen = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                env=os.environ | ONE_THREAD | {"PYTHONPATH": paths},
            )  # fmt: skip
        process = cls(popen, ours, watch)
        try:
            ours.send((sys.path, os.getpid()))
            ours.send(opening)
        except OSError:
            process.end()
        return process

    def run(self, task: Callable, arguments: tuple, patience: float | None = None):
        """Return what the task returns or raises.

        Raises EOFError or OSError where the process has ended, Silent where it says nothing for `patience` seconds.
        """
        with suppress(OSError):  # one that could not open has said why, and ended
            self.connection.send((task, arguments))
        while True:
            if not self.connection.poll(patience if self.is_open else patience and max(patience, START)):
                raise WorkerSilent
            kind, value = self.connection.recv()
            if kind == "said":
                self.watch(value)
            elif kind == "open":
                self.is_open = True
            elif kind == "failed":
                raise value
            else:
                return value

    def end(self) -> None:
        """End the process: by itself if it can, since it has a sandbox to clean up."""
        if self.ended:
            return
        self.ended = True
        self.popen.terminate()
        try:
            self.popen.wait(STOP)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        self.connection.close()


def main(descriptor: int) -> None:
    """Run the worker's side: open what the grader sends, then run tasks until the other end is closed."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # who presses Ctrl-C means the grader, which ends its workers
    signal.signal(signal.SIGTERM, end_process)
    connection, saying = Connection(descriptor), threading.Lock()
    paths, parent = connection.recv()
    if sys.platform == "linux":
        die_with_parent()
    if os.getppid() != parent:
        return  # it ended before
    sys.path[:] = paths

    def say(kind: str, value) -> None:
        with saying:
            connection.send((kind, value))

    try:
        with connection.recv()(lambda line: say("said", line)) as opened:
            say("open", None)
            while True:
                run_task(say, opened, *connection.recv())
    except (EOFError, BrokenPipeError):
        return
    except Exception as error:
        say("failed", picklable_error(error))


def end_process(*signals) -> None:
    """End this process, once: a second signal must not break off the cleaning up."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit()


def run_task(say: Callable, opened, task: Callable, arguments: tuple) -> None:
    """Run one task and send its result."""
    try:
        result = "done", task(opened, *arguments)
    except Exception as error:
        result = "failed", picklable_error(error)
    say(*result)


def picklable_error(error: Exception) -> Exception:
    """Return the error, or one that says the same where it does not survive being sent."""
    try:
        pickle.loads(pickle.dumps(error))
        return error
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
