"""What a call of a student's function costs: a fresh process, a bare child, an isolated child, one that is there.

python benchmarks/sandbox.py [ROUNDS]

Every way runs the same notebook, whose first line imports Keras as those of the course do, by the same code; the
ways take turns in one run, so that a busy machine is equally busy for each. Processor time is the kernel's count
for the process that ran the function, and for one that is there already that of a child with CALLS calls, less that
of a child with one. Exit status 1 where a floor is missed: 12 times less processor time than a fresh process, less
than 10 ms of it for the isolation of a child (seen where little else is done), and less than 5 ms for each further
call of a NumPy function.
"""

import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table

from autograder.sandbox import Sandbox, probe
from autograder.sandbox._client import ENVIRONMENT
from autograder.sandbox._isolation import NO_ISOLATION
from autograder.sandbox._visible_paths import PACKAGE

NOTEBOOK = b"""
import keras
import numpy as np

def encode(x):
    return np.eye(4)[x]

def predict(x):
    model = keras.Sequential([keras.Input((None, 1)), keras.layers.SimpleRNN(8), keras.layers.Dense(1)])
    return model.predict(x[:, :, None].astype("float32"), verbose=0)
"""
JOBS = {"encode": "NumPy function", "predict": "build and predict a small Keras model"}
X = np.random.default_rng(0).integers(0, 4, (32, 50))
FRESH = """
import numpy as np, sys
from autograder.sandbox._child import Notebook
header = {"function": sys.argv[1], "arguments": [{"array": 0}], "seed": 0, "wanted": "arrays"}
x = np.random.default_rng(0).integers(0, 4, (32, 50))
said, arrays = Notebook(sys.argv[2].encode(), "work.py").reply_to(header, [x])
assert arrays, said
"""
TIMES, FLOOR_MS, FURTHER_MS, CALLS = 12, 10, 5, 20


def fresh(function: str) -> tuple[float, float]:
    """Wall and processor seconds of a process of its own."""
    started = time.perf_counter()
    command = [sys.executable, "-c", FRESH, function, NOTEBOOK.decode()]
    process = subprocess.Popen(command, env=ENVIRONMENT | {"PYTHONPATH": str(PACKAGE.parent)})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("the fresh process failed")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime


def forked(box: Sandbox, function: str, calls: int = 1) -> tuple[float, float]:
    """Wall and processor seconds of a child that answers so many calls."""
    started, before = time.perf_counter(), box.processor
    for _ in range(calls):
        answer = box.call(NOTEBOOK, "work.py", function, [X])
        if answer.failure:
            raise answer.failure
    box.discard_child()
    return time.perf_counter() - started, box.processor - before


def further(box: Sandbox, function: str) -> tuple[float, float]:
    """Wall and processor seconds of a call after the first."""
    one, many = forked(box, function), forked(box, function, CALLS)
    return tuple((np.subtract(many, one) / (CALLS - 1)).tolist())


def measured(rounds: int) -> Iterator[tuple[str, str, float, float]]:
    """Job, way, wall and processor seconds, `rounds` times each, the ways taking turns."""
    with ExitStack() as stack:
        bare = stack.enter_context(Sandbox(NO_ISOLATION, trusted=True))
        isolated = stack.enter_context(Sandbox(probe()))
        ways = {
            "fresh process": fresh,
            "bare child": lambda job: forked(bare, job),
            f"isolated child ({isolated.isolation})": lambda job: forked(isolated, job),
            "isolated child that is there": lambda job: further(isolated, job),
        }
        for number in range(rounds + 1):
            for job in JOBS:
                for way, run in ways.items():
                    wall, used = run(job)
                    if number:  # the first round starts the servers and warms the disk
                        yield job, way, wall, used


def main(rounds: int = 9) -> int:
    walls, used = defaultdict(list), defaultdict(list)
    for job, way, wall, processor in measured(rounds):
        walls[job, way].append(wall)
        used[job, way].append(processor)
    table = Table("job", "way", "wall s", "CPU s", "least CPU s", "CPU: less than fresh", "isolation, CPU ms")
    kept = True
    for job, title in JOBS.items():
        middle = {way: median(values) for (of, way), values in used.items() if of == job}
        by_fresh, _, by_isolated, by_further = middle.values()
        _, bare, isolated, _ = (values for (of, _), values in used.items() if of == job)
        added = 1000 * median(np.subtract(isolated, bare))  # pairs of one round each: the machine was as busy
        for way, seconds in middle.items():
            cost = f"{added:.1f}" if way == list(middle)[2] else ""
            table.add_row(
                title, way, f"{median(walls[job, way]):.4f}", f"{seconds:.4f}", f"{min(used[job, way]):.4f}",
                f"{by_fresh / seconds:.0f} times", cost,
            )  # fmt: skip
        kept &= by_fresh / by_isolated >= TIMES
        kept &= job != "encode" or (added < FLOOR_MS and 1000 * by_further < FURTHER_MS)
    Console(width=150).print(table, f"Medians of {rounds}. Floors {'kept' if kept else 'MISSED'}.")
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
