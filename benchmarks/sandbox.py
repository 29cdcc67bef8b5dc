"""What a call of a student's function costs: a fresh process, a bare child, an isolated child.

python benchmarks/sandbox.py [ROUNDS]

Every way runs the same notebook, whose first line imports Keras as those of the course do, by the same code; the
ways take turns in one run, so that a busy machine is equally busy for each. Processor time is the kernel's count
for the process that ran the function. Exit status 1 where a floor is missed: 12 times less processor time than a
fresh process, and less than 10 ms of it for the isolation of a child (seen where little else is done).
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

from autograder.sandbox import Answer, Sandbox, probe
from autograder.sandbox.client import ENVIRONMENT, PACKAGE
from autograder.sandbox.confinement import NO_ISOLATION

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
from autograder.sandbox.child import reply_to
header = {"file": "work.py", "function": sys.argv[1], "arguments": [{"array": 0}], "seed": 0}
x = np.random.default_rng(0).integers(0, 4, (32, 50))
said, arrays = reply_to(header, [np.frombuffer(sys.argv[2].encode(), np.uint8), x])
assert arrays, said
"""
TIMES, FLOOR_MS = 12, 10


def fresh(function: str) -> float:
    """Processor seconds of a process of its own."""
    command = [sys.executable, "-c", FRESH, function, NOTEBOOK.decode()]
    process = subprocess.Popen(command, env=ENVIRONMENT | {"PYTHONPATH": str(PACKAGE.parent)})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("the fresh process failed")
    return usage.ru_utime + usage.ru_stime


def forked(box: Sandbox, function: str) -> float:
    """Processor seconds of a child."""
    answer: Answer = box.call(NOTEBOOK, "work.py", function, [X])
    if answer.failure:
        raise answer.failure
    return answer.cpu


def measured(rounds: int) -> Iterator[tuple[str, str, float, float]]:
    """Job, way, wall and processor seconds, `rounds` times each, the ways taking turns."""
    with ExitStack() as stack:
        bare = stack.enter_context(Sandbox(NO_ISOLATION, trusted=True))
        isolated = stack.enter_context(Sandbox(probe()))
        ways = {
            "fresh process": fresh,
            "bare child": lambda job: forked(bare, job),
            f"isolated child ({isolated.isolation})": lambda job: forked(isolated, job),
        }
        for number in range(rounds + 1):
            for job in JOBS:
                for way, run in ways.items():
                    started = time.perf_counter()
                    used = run(job)
                    if number:  # the first round starts the servers and warms the disk
                        yield job, way, time.perf_counter() - started, used


def main(rounds: int = 9) -> int:
    walls, used = defaultdict(list), defaultdict(list)
    for job, way, wall, processor in measured(rounds):
        walls[job, way].append(wall)
        used[job, way].append(processor)
    table = Table("job", "way", "wall s", "CPU s", "least CPU s", "CPU: less than fresh", "isolation, CPU ms")
    kept = True
    for job, title in JOBS.items():
        middle = {way: median(values) for (of, way), values in used.items() if of == job}
        by_fresh, _, by_isolated = middle.values()
        _, bare, isolated = (values for (of, _), values in used.items() if of == job)
        added = 1000 * median(np.subtract(isolated, bare))  # pairs of one round each: the machine was as busy
        for way, seconds in middle.items():
            last = way == list(middle)[-1]
            cost = f"{added:.1f}" if last else ""
            table.add_row(
                title, way, f"{median(walls[job, way]):.3f}", f"{seconds:.3f}", f"{min(used[job, way]):.3f}",
                f"{by_fresh / seconds:.0f} times", cost,
            )  # fmt: skip
        kept &= by_fresh / by_isolated >= TIMES and (added < FLOOR_MS or job != "encode")
    Console(width=150).print(table, f"Medians of {rounds}. Floors {'kept' if kept else 'MISSED'}.")
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
