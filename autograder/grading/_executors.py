"""Executors run tasks on a context that is opened once: in this process, or in worker processes that may die.

No library of process pools fits: the workers of pebble and loky can't be started by Dask's daemonic workers, do not
leave the context they opened, and may outlive a parent that is killed; loky fails all tasks where one worker dies.
"""

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol, Self

from autograder.sandbox import die_with_parent

MAX_TRIES = 3  # of a task whose worker is killed, by a person or for lack of memory
WORKER_MEMORY = 2 * 2**30  # bytes for a worker and the process in which its student code runs
START_SECONDS, STOP_SECONDS = 300.0, 10.0  # for a worker to open its context, and to leave it
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
WORKER = "import sys; from autograder.grading._executors import main; main(int(sys.argv[1]))"

Watch = Callable[[str], None]
OpenContext = Callable[[Watch], AbstractContextManager]


class WorkerLost(Exception):  # noqa: N818
    """A task has no result: each process that ran it was killed, or it took too long."""


class Executor(Protocol):
    """Runs tasks in this process or elsewhere."""

    @property
    def max_in_flight(self) -> int:
        """The number of tasks that keep all workers busy and do not yet fill the memory."""

    def submit(self, task: Callable, *arguments: object) -> Future:
        """Return a Future of `task(context, *arguments)`. It may raise WorkerLost."""


def choose_jobs() -> int:
    """Return how many workers fit this machine: one for each usable core, as memory allows."""
    if os.name != "posix":
        return 1
    has_affinity = hasattr(os, "sched_getaffinity")  # macOS lacks it
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1, min(cores or 1, memory // WORKER_MEMORY))


@dataclass(frozen=True)
class SerialExecutor:
    """Runs each task in this process, at once.

    Args:
        context: the first argument of every task.
    """

    context: Any
    max_in_flight: int = 1

    def submit(self, task: Callable, *arguments: object) -> Future:
        """Return a Future that is done. Raises what the task raises."""
        future: Future = Future()
        future.set_result(task(self.context, *arguments))
        return future


class ProcessPool:
    """Worker processes, each started when a task first needs it. Use it in a `with` statement.

    A task whose process is killed runs again in a new one, MAX_TRIES times in all; other tasks go on.

    Args:
        jobs: the number of processes.
        open_context: each process enters `open_context(watch)`, and passes its value to every task as the first
            argument. It must be picklable, as must tasks, arguments and results.
        watch: called with each line that a worker reports, from other threads.
        patience: seconds after which a process that reports nothing is killed and its task is lost. None: never.
    """

    def __init__(
        self,
        jobs: int,
        open_context: OpenContext,
        watch: Watch = lambda line: None,
        patience: float | None = None,
    ) -> None:
        self.max_in_flight = 2 * jobs
        self._start = partial(WorkerProcess, open_context, watch, patience)
        # one thread for each process, since the kernel ends a worker together with the thread that started it
        self._threads, self._local = ThreadPoolExecutor(jobs), threading.local()
        self._workers: list[WorkerProcess] = []
        self._closing = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def submit(self, task: Callable, *arguments: object) -> Future:
        """Return a Future of `task(context, *arguments)`. It may raise WorkerLost."""
        return self._threads.submit(self._run, task, arguments)

    def _run(self, task: Callable, arguments: tuple) -> Any:
        for _ in range(MAX_TRIES):
            worker = self._get_worker()
            try:
                is_done, value = worker.run(task, arguments)
            except (EOFError, OSError):
                worker.end()
                if worker.popen.returncode == -getattr(signal, "SIGXCPU", 0):
                    raise WorkerLost("it took too much time of the processor, and was stopped") from None
                continue
            if is_done:
                return value
            raise value
        raise WorkerLost(f"the process that ran it was killed {MAX_TRIES} times; is there enough memory?")

    def _get_worker(self) -> "WorkerProcess":
        """Return the process of this thread; a new one if it has ended."""
        if self._closing.is_set():
            raise CancelledError
        worker = getattr(self._local, "worker", None)
        if worker is None or worker.has_ended:
            worker = self._local.worker = self._start()
            self._workers.append(worker)
        return worker

    def close(self) -> None:
        """End all processes, whatever they are doing."""
        self._closing.set()
        for worker in self._workers:
            worker.popen.terminate()
        for worker in self._workers:
            worker.end()  # before its thread ends, which would kill it while it cleans up
        self._threads.shutdown(wait=True, cancel_futures=True)
        for worker in self._workers:
            worker.end()  # one that a thread was just starting


class WorkerProcess:
    """One process of a pool, as its owner sees it.

    It is started by `subprocess`: Dask's workers are daemonic, and `multiprocessing` starts no children of these.
    """

    def __init__(self, open_context: OpenContext, watch: Watch, patience: float | None) -> None:
        self.watch, self.patience = watch, patience
        self.is_open = self.has_ended = False
        self.connection, other_end = Pipe()
        package = str(Path(__file__).parents[2])
        paths = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
        with other_end:
            self.popen = subprocess.Popen(
                [sys.executable, "-P", "-c", WORKER, str(other_end.fileno())],
                pass_fds=[other_end.fileno()], stdin=subprocess.DEVNULL,
                env=os.environ | ONE_THREAD | {"PYTHONPATH": paths},
            )  # fmt: skip
        try:
            self.connection.send((sys.path, os.getpid()))
            self.connection.send(open_context)
        except OSError:
            self.end()

    def run(self, task: Callable, arguments: tuple) -> tuple[bool, Any]:
        """Return True and what the task returns, or False and what it raises.

        Raises EOFError or OSError if the process has ended, WorkerLost if it is silent for too long.
        """
        with suppress(OSError):  # a process that could not open its context has sent why, and ended
            self.connection.send((task, arguments))
        while True:
            patience = self.patience
            if patience is not None and not self.is_open:
                patience = max(patience, START_SECONDS)
            if not self.connection.poll(patience):
                self.popen.kill()
                self.end()
                raise WorkerLost(f"it took more than {self.patience:g} s, and was stopped")
            kind, value = self.connection.recv()
            if kind == "line":
                self.watch(value)
            elif kind == "open":
                self.is_open = True
            else:
                return kind == "done", value

    def end(self) -> None:
        """End the process, by a signal on which it leaves its context, if it can."""
        if self.has_ended:
            return
        self.has_ended = True
        self.popen.terminate()
        try:
            self.popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        self.connection.close()


def main(descriptor: int) -> None:
    """Run a worker: open the context that its owner sends, then run tasks until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the owner, which ends its workers
    signal.signal(signal.SIGTERM, exit_once)
    connection, lock = Connection(descriptor), threading.Lock()
    paths, parent = connection.recv()
    if sys.platform == "linux":
        die_with_parent()
    if os.getppid() != parent:
        return  # the owner ended before
    sys.path[:] = paths

    def send(kind: str, value: object) -> None:
        with lock:
            connection.send((kind, value))

    try:
        with connection.recv()(partial(send, "line")) as context:
            send("open", None)
            while True:
                task, arguments = connection.recv()
                try:
                    kind, value = "done", task(context, *arguments)
                except Exception as error:
                    kind, value = "failed", make_picklable(error)
                send(kind, value)
    except (EOFError, BrokenPipeError):
        return
    except Exception as error:
        send("failed", make_picklable(error))


def exit_once(*arguments: object) -> None:
    """Exit; a second signal must not break off the cleaning up."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit()


def make_picklable(error: Exception) -> Exception:
    """Return the exception, or a RuntimeError with its text if it can't be pickled."""
    try:
        pickle.loads(pickle.dumps(error))
        return error
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
