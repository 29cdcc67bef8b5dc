"""The fork server: imports TensorFlow once, then forks one child after another and cleans up behind it.

It runs no student code itself, starts no thread, and never starts the TensorFlow runtime: a runtime started
before a fork hangs every child. It refuses to serve where either has happened.

Control messages (a SEQPACKET socket, trusted, JSON): a job comes with three descriptors (request, reply, output);
the answer, once the child is gone, says how it ended. "kill" ends the child of the moment, "look" is answered with
the processor time that it took and the time that it waited for a processor.
"""

import contextlib
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from autograder.sandbox._isolation import Isolation, Limits, call_filter, die_with_parent

MAX_FILES = 5_000
MAX_BYTES = 600 * 2**20
MAX_THREADS = 512
NEEDED = (
    "IPython.core.inputtransformer2", "keras", "matplotlib.pyplot", "pandas", "sklearn.linear_model", "tensorflow",
)  # fmt: skip
# The first two look for C libraries, which a confined child can't; the others are what notebooks import.
BY_NAME = (
    "landlockpy", "pyseccomp", "autograder.notebook_checks", "sklearn.feature_extraction.text", "sklearn.metrics",
    "sklearn.model_selection", "sklearn.pipeline", "sklearn.preprocessing", "sklearn.decomposition",
)  # fmt: skip
POLL_SECONDS = 0.2  # seconds between looks at the work folder and the threads


def main() -> None:
    """Serve on the descriptor named on the command line until its other end is closed."""
    control = socket.socket(fileno=int(sys.argv[1]))
    isolation, readable = Isolation(**json.loads(sys.argv[2])), list(map(Path, json.loads(sys.argv[3])))
    die_with_parent()
    reason = import_everything()
    calls = call_filter(file_marks=not isolation.namespaces) if isolation.seccomp else None
    control.send(json.dumps({"refused": reason}).encode())
    while not reason:
        message, descriptors, _, _ = socket.recv_fds(control, 65536, 3)
        if not message:
            return
        if len(descriptors) == 3:  # a "kill" that comes after its child has ended brings none
            ended = serve(control, json.loads(message), descriptors, readable, isolation, calls)
            control.send(json.dumps(ended).encode())


class ThreadWatch:
    """An import finder that finds nothing: it notes whose import started a thread.

    starters: the module whose import began last, each time that there was a thread more.
    """

    def __init__(self) -> None:
        self.starters: list[str] = []
        self._last, self._count = "", count_threads(os.getpid())

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        self.look()
        self._last = name

    def look(self) -> None:
        count = count_threads(os.getpid())
        if count > self._count:
            self.starters.append(self._last)
        self._count = count


def import_everything() -> str:
    """Import what students use, `check` among it; return why this process must not be forked, or nothing."""
    import gc

    watch = ThreadWatch()
    sys.meta_path.insert(0, watch)
    for name in NEEDED:
        importlib.import_module(name)
    for name in BY_NAME:
        with contextlib.suppress(ImportError, OSError):
            importlib.import_module(name)
    watch.look()
    sys.meta_path.remove(watch)
    gc.freeze()  # the collector then leaves these pages alone, so children go on sharing them
    if count_threads(os.getpid()) > 1:
        return describe_threads(watch.starters)
    from tensorflow.python.eager import context

    if context._context is not None and context.context()._initialized:
        return "the TensorFlow runtime has started; every child would hang"
    return ""


def describe_threads(starters: list[str]) -> str:
    """Return why a process with threads is not forked: which package started them, and what to do."""
    names = {Path(task, "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()}
    packages = dict.fromkeys(name.partition(".")[0] for name in starters)
    whose = f"importing {', '.join(packages)} starts a thread" if packages else "a package starts a thread"
    return (
        f"{whose} (now running: {', '.join(sorted(names))}), and a process with threads can't be forked: "
        "uninstall that package here, or grade in a virtual environment without it"
    )


def serve(
    control: socket.socket,
    job: dict,
    descriptors: list[int],
    readable: list[Path],
    isolation: Isolation,
    calls: Any,
) -> dict:
    """Run one job; return how its child ended, by the kernel's word and not by the child's."""
    kept = {folder: set(os.listdir(folder)) for folder in shared_folders()}
    work = Path(tempfile.mkdtemp(prefix="work-"))
    opened = os.open(
        work, os.O_PATH | os.O_DIRECTORY
    )  # leads to it where the child has shut the folders above
    started, killed = time.monotonic(), oom_kills()
    pid = os.fork()
    if pid == 0:
        try:
            from autograder.sandbox._child import become_child

            become_child(descriptors, work, Limits(**job), readable, isolation, calls)
        except BaseException as error:
            os.write(descriptors[2], f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(1)
    for descriptor in descriptors:
        os.close(descriptor)
    reason = wait(pid, control, Path(f"/proc/self/fd/{opened}"))
    os.close(opened)
    end_all(pid, isolation)
    _, status, usage = os.wait4(pid, 0)
    return {
        "ended": reason,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
        "seconds": time.monotonic() - started,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory": usage.ru_maxrss * 1024,
        "oom": reason == "exited" and os.WIFSIGNALED(status) and oom_kills() > killed,
        "clean": empty_folders(kept),
    }


def wait(pid: int, control: socket.socket, work: Path) -> str:
    """Wait until the child ends, the grader says kill, or it takes too many files or threads; return which."""
    child = os.pidfd_open(pid)
    try:
        while True:
            files: list[int | socket.socket] = [child, control]
            ready, _, _ = select.select(files, [], [], POLL_SECONDS)
            if control in ready:
                message = control.recv(64)
                if message != b"look":
                    return "killed" if message else "abandoned"
                control.send(json.dumps(processor_share(pid)).encode())
            if child in ready:
                return "exited"
            if is_overfull(work):
                return "overfull"
            if count_threads(pid) > MAX_THREADS:
                return "overcrowded"
    finally:
        os.close(child)


def is_overfull(folder: Path) -> bool:
    """Return True if a folder holds more than MAX_FILES entries or MAX_BYTES, or hides how many; looks at no more."""
    count = size = 0
    folders = [str(folder)]
    while folders:
        try:
            entries = list(islice(os.scandir(folders.pop()), MAX_FILES + 1))
            count += len(entries)
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                    folders += [entry.path] if entry.is_dir(follow_symlinks=False) else []
        except FileNotFoundError:  # gone since it was listed
            continue
        except OSError:  # it may not be listed, or lies too deep
            return True
        if count > MAX_FILES or size > MAX_BYTES:
            return True
    return False


def processor_share(pid: int) -> dict[str, float]:
    """Return the seconds of processor time that a process took, and those that its most delayed thread waited."""
    cpu, waited = 0.0, [0.0]
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        for task in islice(os.scandir(f"/proc/{pid}/task"), MAX_THREADS):
            with contextlib.suppress(OSError, ValueError, IndexError):
                waited.append(int(Path(task.path, "schedstat").read_text().split()[1]) / 1e9)
    return {"cpu": cpu, "waited": max(waited)}


def oom_kills() -> int:
    """Return how often this machine has ended a process because it had no memory left."""
    with contextlib.suppress(OSError, ValueError):
        lines = Path("/proc/vmstat").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
    return 0


def count_threads(pid: int) -> int:
    with contextlib.suppress(OSError):
        return len(os.listdir(f"/proc/{pid}/task"))
    return 0


def end_all(pid: int, isolation: Isolation) -> None:
    """End the child and its session; in a process namespace of our own, whatever else there may be."""
    for end in (os.killpg, os.kill):  # the child may not have come to open its session
        with contextlib.suppress(ProcessLookupError):
            end(pid, signal.SIGKILL)
    if isolation.namespaces and os.getpid() == 1:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)


def shared_folders() -> list[str]:
    """Return the folders that children share: that of all work folders; in a namespace, /dev/shm too."""
    return [tempfile.gettempdir()] + (["/dev/shm"] if os.getpid() == 1 else [])


def empty_folders(kept: dict[str, set[str]]) -> bool:
    """Remove what has come into folders beside the names that were there; return True if all of it is gone."""
    for folder, names in kept.items():
        os.chmod(folder, 0o711)  # a child with a namespace could have shut it
        for name in set(os.listdir(folder)) - names:
            remove(os.path.join(folder, name))
    return all(set(os.listdir(folder)) <= names for folder, names in kept.items())


def remove(path: str) -> None:
    """Remove a file or folder, however deep and whatever its modes: rm does what shutil.rmtree can't."""
    run = partial(subprocess.run, capture_output=True, check=False, env={"PATH": "/usr/bin:/bin"})
    if run(["rm", "-rf", "--", path]).returncode:
        run(["chmod", "-R", "u+rwX", "--", path])
        run(["rm", "-rf", "--", path])
