"""Calls of one notebook share a child, and each answers as it would alone; nothing of one passes for another."""

import os
import time
from textwrap import dedent

import numpy as np
import pytest

from autograder.core import Failure
from autograder.data import HiddenData
from autograder.models import Predictor
from autograder.rubric import Submission, hidden, hidden_from, item, score
from autograder.sandbox import InProcessSandbox

STATES = {  # what a function may leave behind: imports, its body up to the value that shows it
    "a global": ("COUNT = 0", "global COUNT; COUNT += 1; return COUNT"),
    "a list": ("SEEN = []", "SEEN.append(1); return len(SEEN)"),
    "a default argument": ("def g(seen=[]): seen.append(1); return len(seen)", "return g()"),
    "a function's own": ("def g(): pass", "g.n = getattr(g, 'n', 0) + 1; return g.n"),
    "a class": ("class A:\n    n = 0", "A.n += 1; return A.n"),
    "a cache": (
        "import functools\nSEEN = []\n@functools.cache\ndef g(): SEEN.append(1); return len(SEEN)",
        "g(); return g.cache_info().hits, g()",
    ),
    "a generator": ("def g(): yield from range(9)\nclass A:\n    it = g()", "return next(A.it)"),
    "Python's random": ("import random", "return [random.random(), random.gauss(0, 1)]"),
    "NumPy's random": ("import numpy as np", "return np.random.normal(size=3)"),
    "NumPy's errors": ("import numpy as np", "print(np.geterr()); np.seterr(all='ignore', over='warn'); return 1"),
    "NumPy's print": ("import numpy as np", "print(np.array([1 / 3])); np.set_printoptions(precision=2); return 1"),
    "TensorFlow's random": ("import tensorflow as tf", "return tf.random.normal([3]).numpy()"),
    "Keras's random": ("import keras", "return keras.random.normal([3])"),
    "names of layers": ("import keras", "return int(keras.layers.Dense(2).name != 'dense')"),
    "a model": (
        "import keras, numpy as np",
        "m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]); return m(np.ones((1, 3))), len(m.name)",
    ),
    "Keras's numbers": ("import keras.config as k", "v = k.floatx(); k.set_floatx('float64'); return int(v[5:])"),
    "a registered class": (
        "import keras\n@keras.saving.register_keras_serializable()\nclass A(keras.layers.Layer): pass",
        "return int(keras.saving.get_registered_object('Custom>A') is A)",
    ),
    "files": ("import os", "n = len(os.listdir('.')); open(f'{n}', 'w').close(); return n"),
    "an open file": ("import os, sys", "sys.kept = os.open('/dev/null', 0); return sys.kept"),
    "the folder": ("import os", "n = len(os.getcwd()); os.makedirs('a', exist_ok=True); os.chdir('a'); return n"),
    "the surroundings": ("import os", "n = os.environ.get('N', '') + 'x'; os.environ['N'] = n; return len(n)"),
    "surroundings set": ("import os\nos.environ['N'] = 'x'", "os.environ['N'] += 'x'; return len(os.environ['N'])"),
    "figures": ("import matplotlib.pyplot as plt", "plt.figure(); return len(plt.get_fignums())"),
    "styles": (
        "import matplotlib.pyplot as plt",
        "w = plt.rcParams['lines.linewidth']; plt.rcParams['lines.linewidth'] = w + 1; return w",
    ),
    "threads": (
        "import threading, time",
        "n = threading.active_count(); threading.Thread(target=time.sleep, args=(9,)).start(); return n",
    ),
    "recursion": ("import sys", "n = sys.getrecursionlimit(); sys.setrecursionlimit(n + 1); return n"),
    "the path": ("import sys", "sys.path.append('x'); return sys.path.count('x')"),
    "decimals": ("import decimal", "c = decimal.getcontext(); c.prec += 1; return c.prec"),
    "logging": ("import logging", "n = len(logging.root.handlers); logging.basicConfig(); return n"),
    "the collector": ("import gc", "n = gc.isenabled(); gc.disable(); return n"),
    "output": ("import io, sys", "print('seen'); sys.stdout = io.StringIO(); return 1"),
    "warnings": (
        "import numpy as np, warnings",
        "warnings.warn('once'); np.log(np.zeros(1)); warnings.simplefilter('ignore'); return 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_the_third_call_answers_as_a_first_one(run, box, name):
    before, body = STATES[name]
    source = before + "\ndef f():\n    " + body
    box.discard_child()
    alone = run(source)
    assert alone.failure is None, alone
    for _ in range(2):
        again = run(source)
        assert (again.failure, again.printed, again.problems) == (None, alone.printed, alone.problems)
        for one, other in zip(as_list(again.value), as_list(alone.value), strict=True):
            np.testing.assert_array_equal(one, other)


def as_list(value) -> list:
    return list(value) if isinstance(value, tuple) else [value]


WHO = "import os\ndef f(*a): return os.getpid()\ndef g(*a): return os.getpid()"


def test_a_notebook_keeps_its_child_until_another_comes_or_it_is_forgotten(box):
    def pid(source: str = WHO, file: str = "work.py", function: str = "f") -> int:
        return int(box.call(source.encode(), file, function, []).value)

    first = pid()
    assert pid() == pid(function="g") == first
    others = [pid(WHO + "\n"), pid(), pid(file="other.py")]
    box.discard_child()
    others.append(pid(file="other.py"))
    assert len({first, *others}) == 5
    box.discard_child()
    box.discard_child()


FRAIL = """
import os, sys

def f(x):
    if x is None:
        return os.getpid()
    if hasattr(sys, "seen"):
        raise ValueError("seen")
    sys.seen = True
    return 1

def unwritten(): raise NotImplementedError
N = ...
M = open("n").read()
def uses(): return M
"""


def test_a_failure_counts_only_where_nothing_was_called_before(run):
    assert [int(run(FRAIL, 1).value) for _ in range(3)] == [1, 1, 1]
    broken = (
        "import sys\ndef f():\n print('said')\n sys.n = getattr(sys, 'n', 0) + 1\n raise ValueError(sys.n)"
    )
    said = [run(broken) for _ in range(2)]
    assert [one.failure.reason for one in said] == ["f stopped with ValueError: 1 (cell 1, line 5)."] * 2
    assert [one.printed for one in said] == ["said"] * 2


def test_what_is_missing_needs_no_second_look(run, box):
    child = int(run(FRAIL, None).value)
    for function, wanted in [
        ("unwritten", "arrays"),
        ("none", "arrays"),
        ("uses", "arrays"),
        ("N", "constant"),
        ("M", "constant"),
    ]:
        assert box.call(dedent(FRAIL).encode(), "work.py", function, [], wanted=wanted).failure
    assert int(run(FRAIL, None).value) == child


def test_a_call_that_takes_too_long_later_is_ended_too(run):
    source = "import time\ndef f(x): return time.sleep(60 * x) or 1"
    assert run(source, 0).value == 1
    started = time.monotonic()
    assert run(source, 1, seconds=1).failure.reason == "f took more than 1 s."
    assert time.monotonic() - started < 8
    assert run(source, 0).value == 1


# --- hostile code


HIDES = """
import sys, threading, time
import numpy as np
from autograder.sandbox import _child as child, _protocol as wire

class Stay:
    child.side_effects = lambda: [0]  # so that the child is kept, whatever it does

def f(x):
    pass
"""


def test_a_second_reply_does_not_pass_for_the_next_one(run, box):
    source = (
        HIDES
        + """
    if x < 2:
        send = wire.send
        wire.send = lambda fd, message, deadline: send(fd, message + message, deadline)
    return x
"""
    )
    assert [int(run(source, x).value) for x in (1, 2, 3)] == [1, 2, 3]


def test_a_reply_sent_ahead_does_not_pass_for_the_next_one(run):
    source = (
        HIDES
        + """
    import os
    if x == 1:
        send = wire.send
        ahead = wire.pack({"several": False, "number": "0"}, [np.zeros(1)])
        wire.send = lambda fd, message, deadline: send(fd, message + ahead, deadline)
    return x
"""
    )
    assert [int(run(source, x).value) for x in (1, 2, 3)] == [1, 2, 3]


def test_a_reply_without_its_number_is_none(run):
    source = (
        HIDES
        + """
    import os
    os.write(4, wire.pack({"several": False}, [np.zeros(1)]))
    time.sleep(60)
"""
    )
    assert "no reply to this call" in run(source, 1).failure.reason


def test_what_is_printed_between_calls_belongs_to_none(run):
    source = (
        HIDES
        + """
    if x == 1:
        def late():
            time.sleep(0.3)
            print("late", flush=True)
        threading.Thread(target=late).start()
    print("call", x)
    return x
"""
    )
    assert run(source, 1).printed == "call 1"
    time.sleep(0.8)
    assert run(source, 2).printed == "call 2"


KEEPS = """
import os, sys, threading, time
from autograder.sandbox import _child as child

class Stay:
    child.side_effects = lambda: [0]

def keep(x):
    sys.kept = x
    open("kept", "w").write(str(x))
    threading.Thread(target=lambda: time.sleep(0.2) or print("secret", x)).start()
    return os.getpid()

def tell(x):
    found = [str(getattr(sys, "kept", "")), *os.listdir(".")]
    print("found", found)
    time.sleep(0.5)
    return sum(map(bool, found))
"""


@item(points=1)
def shows_hidden_data(submission):
    """Show them."""
    pids = [int(submission.call("keep", hidden("numbers").iloc[:, 0].to_numpy())) for _ in range(2)]
    if pids[0] != pids[1]:
        raise Failure("The calls of one item did not share a child.")


@item(points=1)
def asks_for_them(submission):
    """Asks what is known."""
    if found := int(submission.call("tell", np.zeros(1))):
        raise Failure(f"{found} things are known.")


def test_who_has_seen_hidden_data_is_gone_before_the_next_item(box, course, tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work/work.py").write_text(KEEPS)
    submission = Submission("ann", tmp_path / "work", Predictor(), box)
    with hidden_from(HiddenData(course, "a seed")):
        first, second = (score(one, submission) for one in (shows_hidden_data, asks_for_them))
    assert first.is_full and not first.remarks
    assert second.is_full
    assert second.remarks == ("tell printed: found ['']",)


def test_an_item_that_only_a_model_answers_costs_no_child(box, course, tmp_path):
    @item(points=1)
    def calls(submission):
        """Call f."""
        seen.append(int(submission.call("f")))

    @item(points=1)
    def draws(submission):
        """Draws hidden data."""
        hidden("numbers")

    seen = []
    (tmp_path / "work.py").write_text(WHO)
    submission = Submission("ann", tmp_path / "work.py", Predictor(), box, draft=("work.py", WHO.encode()))
    with hidden_from(HiddenData(course, "a seed")):
        assert all(score(one, submission).is_full for one in (calls, draws, calls))
    assert seen[0] == seen[1]
    submission.discard_child()
    score(calls, submission)
    assert seen[2] != seen[1]


def test_a_students_own_process_has_nothing_to_forget():
    here = InProcessSandbox()
    assert int(here.call(WHO.encode(), "work.py", "f", []).value) == os.getpid()
    assert here.discard_child() is None
