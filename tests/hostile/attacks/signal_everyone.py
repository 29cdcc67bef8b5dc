"""Sends SIGKILL to its parent, to everyone, and to each process number."""

import os

EXPECTS = "killed 0"


def double(x):
    killed = 0
    for pid in [-1, 0, 1, os.getppid(), *range(2, 40_000)]:
        if pid != os.getpid():
            try:
                os.kill(pid, 9)
                killed += 1
            except OSError:
                pass
    raise RuntimeError(f"killed {killed}")
