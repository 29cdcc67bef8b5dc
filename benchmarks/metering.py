"""What a command costs with all that it starts: seconds, seconds of processor, the most memory at one time."""

import contextlib
import ctypes
import os
import resource
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

SUBREAPER = 36  # linux/prctl.h: orphans come to this process, so that their time is counted too
PATIENCE = 20.0  # seconds for what a command leaves behind to end
ALL = "all"


@dataclass(frozen=True)
class Cost:
    """Seconds, seconds of processor (user and system, all descendants), and the most bytes held, by role.

    Bytes are proportional set sizes: what processes share is counted once.
    """

    wall: float
    cpu: float
    memory: dict[str, int]


def metered(
    command: Sequence,
    cwd: Path,
    environment: dict[str, str],
    log: Path,
    pause: float = 0.25,
    fine: tuple[int, ...] = (0,),
) -> Cost:
    """Run a command to its end and add what it prints to `log`; run nothing else beside it in this process.

    pause: seconds between looks at the memory. Raises SystemExit where it ends with another status than `fine`.
    """
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    before, began = processor_seconds(), time.perf_counter()
    with log.open("ab") as said, Sampler(pause) as sampler:
        process = subprocess.Popen(
            [*map(str, command)], cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        sampler.root = process.pid
        process.wait()
        wall = time.perf_counter() - began
        reap()
    if process.returncode not in fine:
        said = log.read_text(encoding="utf-8", errors="replace")[-2_000:]
        raise SystemExit(f"{Path(command[0]).name} ended with {process.returncode}:\n{said}")
    return Cost(wall, processor_seconds() - before, dict(sampler.most))


def processor_seconds() -> float:
    """Of all descendants that have been waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def reap() -> None:
    """Wait for what the command left behind; what does not end is killed."""
    end = time.monotonic() + PATIENCE
    with contextlib.suppress(ChildProcessError):
        while True:
            if os.waitpid(-1, os.WNOHANG)[0]:
                continue
            if time.monotonic() > end:
                for process in psutil.Process().children(recursive=True):
                    process.kill()
            time.sleep(0.02)


class Sampler:
    """Looks at the memory of all descendants now and then, in a thread, and keeps the most of each role."""

    def __init__(self, pause: float, role: Callable | None = None):
        self.root, self.most = 0, defaultdict(int)
        self._pause, self._role, self._done = pause, role or role_of, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Sampler":
        self._thread.start()
        return self

    def __exit__(self, *exception) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(self._pause):
            held = defaultdict(int)
            for process in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error, OSError):
                    size = size_of(process)
                    held[self._role(process, self.root)] += size
                    held[ALL] += size
            for role, size in held.items():
                self.most[role] = max(self.most[role], size)


def size_of(process: psutil.Process) -> int:
    """Its bytes, of what it shares its share; all of that where a person may not look, as into a user namespace."""
    try:
        return process.memory_full_info().pss
    except psutil.AccessDenied:
        return process.memory_info().rss


def role_of(process: psutil.Process, root: int) -> str:
    """Return what a process of a run of `autograder grade` is for: its first one, a sandbox, or a worker."""
    if process.pid == root:
        return "grader"
    return "sandboxes" if "autograder.sandbox._server" in " ".join(process.cmdline()) else "workers"
