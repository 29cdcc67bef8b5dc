"""What the benchmarks measure with: a cost is that of a command and of all that it starts."""

import json
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
BURN = "import time\nwhile time.process_time() < 0.6: pass"
ORPHAN = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {BURN!r}], start_new_session=True)"
HOLD = "import os, time; x = b'x' * 100 * 2**20; {} time.sleep(1)"
PRINT = """
import json, os, sys, tempfile
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from metering import metered
with tempfile.TemporaryDirectory() as folder:
    cost = metered([sys.executable, "-c", sys.argv[2]], Path(folder), dict(os.environ), Path(folder) / "log", 0.05)
print(json.dumps([cost.cpu, cost.memory]))
"""


def cost(program: str) -> tuple[float, dict[str, int]]:
    """In a process of its own: measuring adopts orphans and waits for every child."""
    said = subprocess.run([sys.executable, "-c", PRINT, BENCHMARKS, program], capture_output=True, check=True)
    return tuple(json.loads(said.stdout))


def test_the_time_of_an_orphan_is_counted():
    cpu, _ = cost(ORPHAN)
    assert 0.6 <= cpu < 1.6


def test_the_most_memory_is_seen_and_what_is_shared_counts_once():
    _, alone = cost(HOLD.format(""))
    _, shared = cost(HOLD.format("os.fork();"))
    assert 100 <= alone["grader"] / 2**20 < 130
    assert 100 <= shared["all"] / 2**20 < 150
