"""What is the machine's fault and not the student's: a person must look, and nothing is kept."""

import json
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from conftest import isolation

from autograder.core import NeedsReview
from autograder.sandbox import Sandbox, SandboxError, count_missing, missing_packages
from autograder.sandbox._client import MAX_STRETCH, FairDeadline, check_reply
from autograder.sandbox._definitions import define, read_statements
from autograder.sandbox._invoke import as_arrays, call_function
from autograder.sandbox._requirements import newer_python

ONE = b"def f(): return 1"
BURN = """
import time

def f(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass
    return 1

def g(): time.sleep(60)
"""


def notebook(*sources, **metadata) -> bytes:
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": source} for source in sources]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}).encode()


def reply(*sources) -> tuple[list, dict]:
    problems = []
    statements = read_statements(notebook(*sources), "work.ipynb", problems)
    return call_function(define(statements, problems), "f", [], as_arrays)


# --- time


@pytest.mark.parametrize(
    ("cpu", "waited", "extended"),
    [
        (0.5, 0.0, False),  # it slept
        (10.0, 30.0, False),  # it had its share; threads of its own waited
        (4.0, 6.0, True),
        (1.0, 900.0, True),  # only as far as the deadline goes
    ],
)
def test_a_deadline_moves_by_the_time_that_a_child_waited_for_a_processor(monkeypatch, cpu, waited, extended):
    clock, seen = SimpleNamespace(now=100.0), [(7.0, 3.0)]
    monkeypatch.setattr("autograder.sandbox._client.time", SimpleNamespace(monotonic=lambda: clock.now))
    deadline = FairDeadline(10.0, lambda: seen[0])
    deadline.start()
    clock.now += 10
    seen[0] = (7.0 + cpu, 3.0 + waited)
    assert deadline.extend() is extended
    assert deadline.left == pytest.approx(min(waited, 10 * (MAX_STRETCH - 1)) if extended else 0)
    clock.now += 10 * MAX_STRETCH
    assert not deadline.extend() and deadline.is_starved is (waited == 900)


@pytest.mark.slow
def test_a_busy_machine_takes_no_time_from_a_child_and_gives_a_sleeper_none(box):
    core = min(os.sched_getaffinity(0))
    spin = f"import os\nos.sched_setaffinity(0, {{{core}}})\nwhile True: pass"
    source = f"import os\n{BURN}\n@(lambda g: os.sched_setaffinity(0, {{{core}}}))\ndef pin(): pass".encode()
    busy = [subprocess.Popen([sys.executable, "-c", spin]) for _ in range(2)]
    try:
        answer = box.call(source, "work.py", "f", [0.9], seconds=2)  # a third of a processor: 2.7 s
        assert answer.failure is None and answer.value == 1
        started = time.monotonic()
        assert box.call(source, "work.py", "g", [], seconds=2).failure.reason == "g took more than 2 s."
        assert time.monotonic() - started < 2 * MAX_STRETCH
    finally:
        for process in busy:
            process.kill()
            process.wait()
    assert box.call(source, "work.py", "f", [60.0], seconds=2).failure.reason == "f took more than 2 s."


# --- processes, memory, descriptors


def test_a_child_that_never_gets_ready_is_no_fault_of_the_student(monkeypatch):
    with Sandbox(isolation("plain")) as box:
        box.start()
        monkeypatch.setattr("autograder.sandbox._client.asdict", lambda limits: {"unknown": 1})
        with pytest.raises(
            SandboxError, match="lost twice while it ran f. No process starts: TypeError: .*unknown"
        ):
            box.call(ONE, "work.py", "f", [])
        monkeypatch.undo()
        assert box.call(ONE, "work.py", "f", []).value == 1
    assert issubclass(SandboxError, NeedsReview)


def test_a_machine_without_descriptors_is_no_fault_of_the_student(monkeypatch):
    def no_pipe():
        raise OSError(24, "Too many open files")

    with Sandbox(isolation("plain")) as box:
        monkeypatch.setattr("os.pipe", no_pipe)
        with pytest.raises(SandboxError, match="can't run f: .*Too many open files"):
            box.call(ONE, "work.py", "f", [])
        monkeypatch.undo()
        assert box.call(ONE, "work.py", "f", []).value == 1


@pytest.mark.parametrize("out_of_memory", [True, False])
def test_a_child_that_was_killed_counts_only_if_not_by_the_machine(box, monkeypatch, out_of_memory):
    end, kill = Sandbox._end, b"import os\ndef f(): os.kill(os.getpid(), 9)"
    monkeypatch.setattr(Sandbox, "_end", lambda self, child: end(self, child) | {"oom": out_of_memory})
    if out_of_memory:
        with pytest.raises(SandboxError, match="no memory left"):
            box.call(kill, "work.py", "f", [])
    else:
        assert "ended Python" in box.call(kill, "work.py", "f", []).failure.reason


# --- packages and versions

LACKING = {  # cells, and what the reply says: "package" and "python" call a person, None is all right
    "used": (["from no_such_package import bar", "def f(): return bar(1)"], "package"),
    "as a decorator": (["from no_such_package import jit", "@jit\ndef f(): return 1"], "package"),
    "inside": (["def f():\n    import no_such_package.sub as s\n    return s.x"], "package"),
    "through a constant": (["import no_such_package as t", "N = len(t.x)", "def f(): return N"], "package"),
    "a star": (["from no_such_package import *", "def f(): return bar(1)"], "package"),
    "newer": (['def f():\n    d = {\'a\': 3}\n    return int(f"{d["a"]}")'], "python"),
    "unused": (["import no_such_package", "def f(): return 1"], None),
    "used by another": (["import no_such_package as t", "def g(): return t.x", "def f(): return 1"], None),
    "own file": (["from my_utils import g", "def f(): return g(1)"], "my_utils.py"),
    "own file beside": (
        ["from . import helpers", "def f(): return helpers.g(1)"],
        "a file beside the notebook",
    ),
    "an error of one's own": (["def f(): return nothing_of_this_name"], "NameError"),
    "a module of an old Keras": (["from keras.no_such import x", "def f(): return x"], "keras.no_such"),
}


@pytest.mark.parametrize("name", LACKING)
def test_what_the_machine_lacks_is_told_from_what_a_student_got_wrong(name):
    sources, expected = LACKING[name]
    if expected == "python" and sys.version_info >= (3, 12):
        pytest.skip("this Python reads it")
    values, said = reply(*sources)
    assert said.get("lacks") == (expected if expected in ("package", "python") else None), said
    assert bool(values) is (expected is None)
    if expected and "lacks" not in said:
        assert expected in said["reason"] and said["hint"]


@pytest.mark.parametrize(
    ("claimed", "content", "expected"),
    [
        ("package", notebook("import no_such_b, no_such_a"), "no_such_a, no_such_b. Install"),
        ("package", notebook("import numpy"), None),  # a child that lies is not believed
        (
            "python",
            notebook("x", language_info={"version": "3.99.2"}),
            "needs? Python 3.99, this machine has 3.",
        ),
        (["package"], notebook("import no_such_b"), None),
    ],
)
def test_a_person_is_called_by_the_notebook_and_not_by_its_child(claimed, content, expected):
    said = {"reason": "hidden row 1 0 1", "lacks": claimed}
    answer = check_reply("f", "arrays", (content, "w.ipynb"), said, [], "")
    assert isinstance(answer.failure, NeedsReview) is (expected is not None)
    if expected:
        assert "hidden row" not in str(answer.failure)
        assert expected.removeprefix("needs? ") in str(answer.failure)


def test_packages_are_found_line_by_line_and_own_files_are_none():
    cells = [
        "import numpy as np, no_such_a.b as c; x = 1\n  from no_such_b.c import (d,\n    e)\n",
        "%pip install x\n!ls\ntext = '''\nfrom here on\n'''\nimport " + "z" * 400,
        "from my_utils import f\nimport helpers\nfrom . import y\nfrom google.colab import drive\nimport (",
    ]
    assert missing_packages(notebook(*cells), "w.ipynb") == ["no_such_a", "no_such_b"]
    assert missing_packages(b"[", "w.ipynb") == []
    notebooks = [(notebook(*cells), "w.ipynb"), (b"import no_such_a", "w.py")]
    assert count_missing(notebooks) == {"no_such_a": 2, "no_such_b": 1}


@pytest.mark.parametrize(
    ("version", "newer"), [("3.99.1", "3.99"), ("3.8.10", ""), ("2.7", ""), ("3.x", ""), (3, ""), (None, "")]
)
def test_the_version_of_python_that_wrote_a_notebook_is_read(version, newer):
    assert newer_python(notebook("x", language_info={"version": version})) == newer
    assert newer_python(b"{}") == newer_python(b"[" * 10**5) == ""
