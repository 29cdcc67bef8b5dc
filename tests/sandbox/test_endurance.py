"""Two hundred children in a row, on several servers at once: each ends as it should, and no server grows."""

import threading
import time
from pathlib import Path

import pytest
from conftest import isolation
from test_sandbox import below

from autograder.sandbox import Sandbox

CHILDREN = 200
JOBS = {  # source of f, and what its failure says; none for honest ones
    "numpy": ("import numpy as np\ndef f(): return np.arange(10) * 2", ""),
    "keras": (
        "import keras, numpy as np\ndef f():\n"
        " m = keras.Sequential([keras.Input((None, 1)), keras.layers.SimpleRNN(4), keras.layers.Dense(1)])\n"
        " return m.predict(np.ones((2, 3, 1)), verbose=0)",
        "",
    ),
    "crash": ("import ctypes\ndef f(): ctypes.string_at(0)", "crashed"),
    "leave": ("import os\ndef f(): os._exit(0)", "ended Python"),
    "memory": ("import numpy as np\ndef f(): np.ones(10**11)", "MemoryError"),
    "loop": ("def f():\n while True: pass", "took more than"),
}
PLAN = ["numpy", "numpy", "crash", "numpy", "leave", "numpy", "memory", "numpy", "numpy", "keras"]


def resident(box: Sandbox) -> int:
    """Bytes that the server itself holds, without what it shares with files."""
    status = Path(f"/proc/{below(box._server.pid)[-1]}/status").read_text()
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("RssAnon")).split()[1])


def serve(count: int, found: list) -> None:
    """`count` children of one server; appends its memory near the start and at the end, or what went wrong."""
    held, servers = [], set()
    try:
        with Sandbox(isolation("namespaces")) as box:
            for number in range(count):
                name = "loop" if number % 50 == 49 else PLAN[number % len(PLAN)]
                source, said = JOBS[name]
                answer = box.call(source.encode(), "work.py", "f", [], seconds=1 if name == "loop" else 60)
                reason = answer.failure.reason if answer.failure else ""
                assert (said in reason) if said else not reason, (name, reason)
                box.discard_child()
                held.append(resident(box))
                servers.add(box._server.pid)
        assert len(servers) == 1, "the server was replaced"
        found.append((held[10], held[-1]))
    except BaseException as error:
        found.append(error)


@pytest.mark.slow
@pytest.mark.parametrize("servers", [2, 4])
def test_two_hundred_children(servers):
    found, started = [], time.monotonic()
    threads = [threading.Thread(target=serve, args=(CHILDREN // servers, found)) for _ in range(servers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(900)
    assert not [thread for thread in threads if thread.is_alive()], "a server hangs"
    assert not [one for one in found if isinstance(one, BaseException)], found
    assert len(found) == servers
    for first, last in found:
        assert abs(last - first) < 0.05 * first
    print(f"{CHILDREN} children on {servers} servers: {time.monotonic() - started:.0f} s; bytes: {found}")
