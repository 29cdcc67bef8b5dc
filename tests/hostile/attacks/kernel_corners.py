"""Tries bpf, perf events, userfaultfd, keyrings, io_uring and memory files."""

import ctypes

EXPECTS = "opened 0"


def double(x):
    libc = ctypes.CDLL(None)
    calls = (
        (321, 0, 0, 0),
        (298, 0, 0, -1, -1, 0),
        (323, 0),
        (248, b"user", b"a", b"b", 1, -3),
        (425, 8, 0),
        (319, b"a", 0),
    )
    raise RuntimeError(f"opened {sum(libc.syscall(*call) >= 0 for call in calls)}")
