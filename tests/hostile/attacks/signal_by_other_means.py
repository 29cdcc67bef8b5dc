"""Harms its parent by pidfd, tgkill, resource limits, priorities and processor masks."""

import ctypes
import os
import resource
import signal

EXPECTS = "harmed 0"


def double(x):
    parent, libc, harmed = os.getppid(), ctypes.CDLL(None), 0
    for harm in (
        lambda: signal.pidfd_send_signal(os.pidfd_open(parent), 9),
        lambda: resource.prlimit(parent, resource.RLIMIT_CPU, (1, 1)),
        lambda: os.setpriority(os.PRIO_PROCESS, parent, 19),
        lambda: os.sched_setaffinity(parent, {0}),
        lambda: [][libc.syscall(234, parent, parent, 9) == 0 and 1 or 0],
    ):
        try:
            harm()
            harmed += 1
        except (OSError, IndexError):
            pass
    raise RuntimeError(f"harmed {harmed}")
