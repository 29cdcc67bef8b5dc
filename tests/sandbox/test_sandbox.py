"""The sandbox, with and without namespaces: honest code works, and each trap that was once found has a test."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import isolation

from autograder.sandbox import Limits, Sandbox, SandboxError
from autograder.sandbox._client import ENVIRONMENT
from autograder.sandbox._isolation import NO_ISOLATION
from autograder.sandbox._visible_paths import PACKAGE

X = np.arange(6.0).reshape(2, 3)


def value(answer):
    assert answer.failure is None, (answer.failure, answer.printed)
    return answer.value


def reason(answer) -> str:
    assert answer.value is None
    return answer.failure.reason


# --- honest code


def test_a_function_gets_arrays_numbers_and_texts_and_returns_arrays(run):
    source = """
    def f(x, n, text, flag):
        return n * x, [len(text), flag], x.astype("int16")
    """
    doubled, pair, small = value(run(source, X, 2, "ACGT", True))
    np.testing.assert_array_equal(doubled, 2 * X)
    np.testing.assert_array_equal(pair, [4, 1])
    assert small.dtype == np.int16


def test_keras_trains_predicts_saves_and_compiles(run):
    source = """
    import keras
    import numpy as np
    import tensorflow as tf

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 2
        def __getitem__(self, number):
            return np.ones((4, 5, 4)), np.ones(4)

    @tf.function
    def total(x):
        if tf.reduce_sum(x) > 0:
            return tf.reduce_sum(x)
        return tf.constant(0.0)

    def f(x):
        model = keras.Sequential([keras.Input((None, 4)), keras.layers.LSTM(3), keras.layers.Dense(1)])
        model.compile("adam", "mse")
        model.fit(np.ones((8, 5, 4)), np.ones(8), epochs=2, verbose=0)
        data = tf.data.Dataset.from_tensor_slices((np.ones((8, 5, 4)), np.ones(8))).batch(4).prefetch(1)
        model.fit(data, verbose=0)
        model.save("model.keras")
        again = keras.models.load_model("model.keras")
        return model.predict(x, verbose=0), again.predict(x, verbose=0), total(x)
    """
    first, again, total = value(run(source, np.ones((2, 5, 4), "float32"), seconds=120))
    np.testing.assert_allclose(first, again)
    assert first.shape == (2, 1) and total == 40


def test_other_libraries_work(run):
    source = """
    import asyncio
    import concurrent.futures
    import tempfile
    import threading
    from dataclasses import dataclass

    import h5py
    import matplotlib.pyplot as plt
    import numpy as np
    import pandas as pd
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score

    @dataclass
    class Pair:
        left: "int"
        right: "int" = 2

    async def soon():
        await asyncio.sleep(0.01)
        return 1

    def f():
        plt.plot([1, 2])
        plt.savefig("plot.png")
        frame = pd.DataFrame({"a": [1, 2]})
        frame.to_csv("a.csv")
        with h5py.File("a.h5", "w") as file:
            file["x"] = np.ones(3)
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"x")
        scores = cross_val_score(LogisticRegression(), np.arange(8.0)[:, None], [0, 1] * 4, cv=2, n_jobs=-1)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            threads = sum(pool.map(abs, range(-8, 0)))
        return asyncio.run(soon()), frame.a.sum(), len(scores), threads, Pair(1).right
    """
    assert [int(one) for one in value(run(source))] == [1, 3, 2, 36, 2]


@pytest.mark.parametrize(
    "source", ["np.random.rand(3)", "[random.random()]", "tf.random.normal([3])", "keras.random.normal([3])"]
)
def test_random_numbers_are_the_same_each_time_and_follow_the_seed(run, source):
    code = f"import random, keras, numpy as np, tensorflow as tf\ndef f(): return {source}"
    first, again, other = value(run(code)), value(run(code)), value(run(code, seed=1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_what_is_printed_is_kept_cleaned_and_cut(run):
    answer = run(
        "def f():\n print('a\\x1b[2Jb\\u202ec')\n import sys\n print('d', file=sys.stderr)\n return 1"
    )
    assert answer.printed == "a[2Jbc\nd"
    answer = run("def f():\n print('x' * 10**7)\n return 1")
    assert value(answer) == 1 and len(answer.printed) < 2**17


def test_a_child_holds_nothing_of_the_grader(run, monkeypatch):
    monkeypatch.setenv("GRADERS_TOKEN", "secret")
    source = """
    import os

    def f():
        open_ones = []
        for number in range(64):
            try:
                os.fstat(number)
                open_ones.append(number)
            except OSError:
                pass
        home = [os.path.realpath(os.environ[name]) for name in ("HOME", "TMPDIR")]
        return len(open_ones), "GRADERS_TOKEN" in os.environ, home == [os.getcwd()] * 2, len(os.listdir("."))
    """
    assert [int(one) for one in value(run(source))] == [5, False, True, 0]


# --- limits


@pytest.mark.parametrize(
    "loop",
    {
        "busy": "while True: pass",
        "asleep": "time.sleep(600)",
        "stopped": "os.kill(os.getpid(), signal.SIGSTOP)",
        "deaf": """
        for number in range(1, 65):
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_IGN)
        while True:
            with contextlib.suppress(BaseException):
                time.sleep(600)
        """,
        "flood": "while True: print('100/100' * 1000)",
        "threads": "[threading.Thread(target=time.sleep, args=(600,)).start() for _ in range(3)]\n        return 1",
    }.items(),
    ids=lambda item: item[0],
)
def test_the_deadline_ends_everything(run, loop):
    source = (
        "import contextlib, os, signal, threading, time\ndef f():\n    if True:\n        " + loop[1].strip()
    )
    started = time.monotonic()
    answer = run(source, seconds=1)
    assert time.monotonic() - started < 8
    if loop[0] == "threads":
        assert value(answer) == 1  # it has answered; what it left running is gone with it
    else:
        assert reason(answer) == "f took more than 1 s."
    assert value(run("def f(): return 5")) == 5


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("np.ones(2**33)", "MemoryError"),
        ("[mmap.mmap(-1, 2**30) for _ in range(99)]", "Cannot allocate memory"),
        ("open('f', 'wb').write(bytes(2**26))", "File too large"),
        ("[os.open('/dev/null', 0) for _ in range(999)]", "Too many open files"),
        ("os.fork()", "PermissionError"),
        ("os.posix_spawn('/bin/true', ['true'], {})", "PermissionError"),
        ("subprocess.run(['true'])", "PermissionError"),
        ("socket.socket()", "PermissionError"),
        ("os.kill(os.getppid(), 9)", "PermissionError"),
        ("os.kill(1, 9)", "PermissionError"),
        ("resource.setrlimit(resource.RLIMIT_AS, (-1, -1))", "ValueError"),
        ("open('/etc/passwd')", "Error"),
        ("os.listdir('/home')", "Error"),
        ("os.listdir('/proc')", "PermissionError"),
        ("open('/proc/1/environ')", "Error"),
        ("os.symlink('/etc/passwd', 'p') or open('p')", "Error"),
        ("exit()", "SystemExit"),
        ("os.abort()", "crashed Python (SIGABRT)"),
        ("os._exit(0)", "ended Python before it returned"),
        ("(lambda g: g(g))(lambda g: g(g))", "RecursionError"),
        ("[start(600) for _ in range(10**6)]", "starts too many threads"),
    ],
)
def test_what_a_child_may_not_do(run, source, said):
    code = f"""
    import mmap, os, resource, socket, subprocess, threading, time, numpy as np

    def start(seconds):
        threading.stack_size(2**15)
        threading.Thread(target=time.sleep, args=(seconds,)).start()

    def f():
        return {source}
    """
    assert said in reason(run(code, seconds=10))


def test_no_file_has_a_signal_sent(run):
    """F_SETSIG with F_SETOWN kills another process of the same user where Landlock knows no signals."""
    source = """
    import fcntl, os, struct

    def f():
        read, refused = os.pipe()[0], []
        calls = [(fcntl.fcntl, command, 0) for command in (8, 10)] + [(fcntl.fcntl, 15, struct.pack("ii", 1, 0))]
        calls += [(fcntl.ioctl, request, struct.pack("i", 0)) for request in (0x8901, 0x8902, 0x5452)]
        for call, number, argument in calls:
            try:
                call(read, number, argument)
                refused.append(0)
            except PermissionError:
                refused.append(1)
            except OSError:
                refused.append(2)
        return [*refused, fcntl.fcntl(read, fcntl.F_GETFL)]
    """
    assert list(value(run(source))) == [1, 1, 1, 1, 1, 1, 0]


def test_processor_time_is_limited_too(run):
    source = "import resource\ndef f(): return resource.getrlimit(resource.RLIMIT_CPU)"
    assert list(value(run(source, seconds=7))) == [1201, 1201]
    assert list(value(run(source + "\n", seconds=7200))) == [7201, 7201]


@pytest.mark.slow
def test_a_child_that_has_used_up_its_processor_time_is_replaced():
    source = b"""
import os, time

def f():
    until = time.process_time() + 0.7
    while time.process_time() < until:
        pass
    return os.getpid()
"""
    with Sandbox(isolation("plain"), limits=Limits(seconds=4, processor=4)) as box:
        pids = [int(value(box.call(source, "work.py", "f", []))) for _ in range(9)]
    assert 1 < len(set(pids)) < 9


def test_marks_of_other_files_can_not_be_changed(run, tmp_path):
    place = Path("/tmp") / f"autograder-marks-{os.getpid()}"
    place.write_text("kept")
    place.chmod(0o666)
    before = place.stat()
    source = """
    import os

    def f(path):
        changed = 0
        for change in (
            lambda: os.chmod(path, 0), lambda: os.utime(path, (0, 0)), lambda: os.truncate(path, 0),
            lambda: os.chown(path, 0, 0), lambda: os.remove(path), lambda: os.setxattr(path, "user.a", b"b"),
            lambda: open(path, "a"), lambda: os.rename(path, "mine"), lambda: os.link(path, "mine"),
        ):
            try:
                change()
                changed += 1
            except OSError:
                pass
        return changed
    """
    try:
        assert value(run(source, str(place))) == 0
        assert place.stat() == before and place.read_text() == "kept"
    finally:
        place.unlink()


# --- traps


def test_what_a_child_leaves_is_gone_for_the_next(run, box):
    source = """
    import os

    def f():
        os.makedirs("shut/inside")
        open("shut/inside/file", "w").close()
        os.mkdir("dark", 0)
        for _ in range(1500):
            os.mkdir("d")
            os.chdir("d")
        return 1
    """
    value(run("def f(): return 0"))
    server = box._server.pid
    run(source)
    assert value(run("import os\ndef f(): return len(os.listdir('.'))")) == 0
    assert box._server.pid == server  # it has cleaned up; one that can't is replaced
    box.discard_child()
    if not box.isolation.namespaces:
        assert not list(Path(box._home).glob("work-*"))


@pytest.mark.parametrize("folder", ["'.'", "os.mkdir('hidden', 0o300) or 'hidden'"])
def test_a_flood_of_files_is_ended(run, folder):
    source = f"""
    import os

    def f():
        folder = {folder}
        for number in range(300_000):
            open(folder + "/" + str(number), "w").close()
    """
    assert reason(run(source, seconds=30)) == "f fills the disk."
    assert value(run("import os\ndef f(): return len(os.listdir('.'))")) == 0


def test_a_flood_of_bytes_is_ended(run, box):
    source = """
    def f():
        for number in range(10_000):
            with open(f"f{number}", "wb") as file:
                file.write(bytes(2**24))
    """
    said = reason(run(source, seconds=60))
    assert said == "f fills the disk." or (box.isolation.namespaces and "No space left" in said)


def test_memory_file_systems_are_sized(run, box):
    if not box.isolation.namespaces:
        pytest.skip("without namespaces a child can write in none of them")
    source = """
    import os

    def f():
        sizes = [os.statvfs(path) for path in ("/dev/shm", "/tmp")]
        return [size.f_blocks * size.f_frsize for size in sizes]
    """
    assert list(value(run(source))) == [16 * 2**20, 512 * 2**20]
    for path in ("/new", "/dev/new", "/usr/new", "/tmp/new", "/proc/sys/kernel/core_pattern"):
        assert "Error" in reason(run(f"def f(): open({path!r}, 'w')"))


def test_a_child_that_shuts_the_shared_folder_harms_no_one(run, box):
    source = """
    import contextlib, os

    def f():
        for path in ("/tmp", "/dev/shm", ".."):
            with contextlib.suppress(OSError):
                os.chmod(path, 0)
        return 1
    """
    value(run("def f(): return 0"))
    server = box._server.pid
    run(source)
    assert value(run("import tempfile\ndef f(): return len(tempfile.mkdtemp()) > 0"))
    assert box._server.pid == server


def test_a_lying_value_becomes_plain_numbers_or_a_failure(run):
    source = """
    import numpy as np

    class Liar(np.ndarray):
        def tobytes(self, *args): return b"x" * 1000
        def __eq__(self, other): return True

    def f(): return np.arange(3.0).view(Liar)
    """
    assert list(value(run(source))) == [0, 1, 2]
    assert reason(run("def f(): return {1: 2}")) == "f returned a dictionary."
    assert reason(run("def f(): return None")) == "f returned nothing: is there a `return`?"
    assert reason(run("def f(): return ()")) == "f returned an empty tuple."
    assert "can't be read" in reason(run("import numpy as np\ndef f(): return np.zeros((10**12, 0))"))
    assert "arrays of more than" in reason(run("import numpy as np\ndef f(): return np.zeros((10**9, 0))"))
    assert "MiB are read" in reason(run("import numpy as np\ndef f(): return np.zeros(2**24)"))


# --- the server


def children(pid: int) -> list[int]:
    return [
        int(one) for path in Path(f"/proc/{pid}/task").glob("*/children") for one in path.read_text().split()
    ]


def below(pid: int) -> list[int]:
    return [pid, *(lower for child in children(pid) for lower in below(child))]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_killed_server_is_replaced_and_leaves_nothing_behind(run, box):
    value(run("def f(): return 1"))
    box.discard_child()
    home, processes = Path(box._home), below(box._server.pid)
    seen = []

    def kill():
        time.sleep(1)
        seen.extend(below(box._server.pid))
        os.kill(seen[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    source = """
    import ctypes, os, time

    def f():
        server = os.getppid()
        ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)  # asks not to be ended with its server, which it may not
        time.sleep(2)
        while os.getppid() != server:
            time.sleep(600)
        return 7
    """
    assert value(run(source)) == 7
    killer.join()
    assert len(seen) > len(processes)  # the child was there
    assert not [pid for pid in seen if alive(pid)]
    assert not home.exists()


def test_a_sandbox_of_ones_own_has_its_limits_and_leaves_nothing_behind():
    with Sandbox(isolation("plain"), limits=Limits(seconds=1, file=10)) as box:
        answer = box.call(b"def f(): return open('x', 'w').truncate(11)", "work.py", "f", [])
        assert "File too large" in reason(answer)
        assert reason(box.call(b"def f():\n while True: pass", "work.py", "f", [])) == "f took more than 1 s."
        home, processes = Path(box._home), below(box._server.pid)
        assert home.exists() and all(map(alive, processes))
    assert not home.exists() and not any(map(alive, processes))


@pytest.mark.slow
def test_a_server_that_is_lost_again_and_again_is_no_fault_of_the_student(box, run, monkeypatch):
    end = Sandbox._end

    def lose(self, child):
        os.kill(self._server.pid, signal.SIGKILL)
        self._server.wait()
        return end(self, child)

    monkeypatch.setattr(Sandbox, "_exchange", lambda self, *job: EOFError())
    monkeypatch.setattr(Sandbox, "_end", lose)
    with pytest.raises(SandboxError, match="lost twice"):
        run("def f(): return 1")
    monkeypatch.undo()
    assert value(run("def f(): return 1")) == 1


@pytest.mark.slow
def test_a_server_that_does_not_answer_is_replaced(box, run, monkeypatch):
    monkeypatch.setattr("autograder.sandbox._client.STOP", 2.0)
    value(run("def f(): return 1"))
    box.discard_child()
    frozen = below(box._server.pid)
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    assert value(run("def f(): return 2", seconds=2)) == 2
    assert not [pid for pid in frozen if alive(pid)]


@pytest.mark.slow
def test_without_isolation_code_runs_only_where_someone_says_so(tmp_path):
    source = f"def f(): open({str(tmp_path / 'made')!r}, 'w').close(); return 1".encode()
    with Sandbox(NO_ISOLATION, trusted=True) as box:
        assert value(box.call(source, "work.py", "f", [])) == 1
    assert (tmp_path / "made").exists()


def import_in_a_server(code: str, *folders: Path) -> list[str]:
    """Return what `code` prints in a process with the environment of a server."""
    path = os.pathsep.join(map(str, [PACKAGE.parent, *folders]))
    done = subprocess.run(
        [sys.executable, "-c", code], env=ENVIRONMENT | {"PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.stdout, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_a_server_with_threads_or_a_started_runtime_refuses_to_serve():
    code = """
import threading
from autograder.sandbox._server import import_everything
print("fresh:", import_everything())
stop = threading.Event()
threading.Thread(target=stop.wait).start()
print("threads:", import_everything())
stop.set()
import time; time.sleep(0.5)
from tensorflow.python.eager import context
context.context()._initialized = True
print("runtime:", import_everything())
"""
    fresh, threads, runtime = import_in_a_server(code)
    assert fresh == "fresh: "
    assert threads.startswith("threads: a package starts a thread (now running: python")
    assert runtime == "runtime: the TensorFlow runtime has started; every child would hang"


@pytest.mark.slow
def test_the_package_whose_import_starts_a_thread_is_named(tmp_path):
    """As pyarrow does, which pandas imports where it is installed."""
    (tmp_path / "eager_threads").mkdir()
    (tmp_path / "eager_threads/__init__.py").write_text("from eager_threads import _pool\n")
    (tmp_path / "eager_threads/_pool.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"
    )
    code = (
        "from autograder.sandbox import _server\n"
        "_server.BY_NAME += ('eager_threads', 'sklearn.svm')\n"
        "print(_server.import_everything())"
    )
    [reason] = import_in_a_server(code, tmp_path)
    assert reason.startswith("importing eager_threads starts a thread (now running: python")
    assert "uninstall that package here" in reason


REFUSING = """
import json, socket, sys
socket.socket(fileno=int(sys.argv[1])).send(json.dumps({"refused": "importing x starts a thread"}).encode())
"""


def test_a_server_that_refused_to_start_is_not_started_for_each_item(monkeypatch):
    starts = []

    def refuse(box: Sandbox, control: int) -> list[str]:
        starts.append(control)
        return [sys.executable, "-c", REFUSING, str(control)]

    monkeypatch.setattr(Sandbox, "_command", refuse)
    with Sandbox(NO_ISOLATION, trusted=True) as box:
        for _ in range(3):
            with pytest.raises(SandboxError, match="does not start: importing x starts a thread"):
                box.call(b"def f(): return 1", "work.py", "f", [])
    assert len(starts) == 1


def test_a_server_that_can_not_start_is_told_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr("autograder.sandbox._client.PACKAGE", tmp_path / "autograder")
    with pytest.raises(SandboxError, match="does not start.*No module named 'autograder'") as caught:
        Sandbox(isolation("plain")).start()
    assert "\n" not in str(caught.value)
