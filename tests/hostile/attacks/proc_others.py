"""Reads environment, memory and open files of every other process in /proc."""

import os

EXPECTS = "read 0 processes"


def double(x):
    read = 0
    for pid in [*range(1, 400), os.getppid()]:
        if pid != os.getpid():
            for name in ("environ", "mem", "maps", "fd/3", "cmdline"):
                try:
                    read += len(open(f"/proc/{pid}/{name}", "rb").read(1)) >= 0
                except OSError:
                    pass
    raise RuntimeError(f"read {read} processes")
