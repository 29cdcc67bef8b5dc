"""Forks by bare system calls: clone, clone3, fork, vfork."""

import ctypes
import os

EXPECTS = "forked 0 times"


def double(x):
    libc, forked, me = ctypes.CDLL(None), 0, os.getpid()
    for number, *arguments in ((57,), (58,), (56, 17, 0, 0, 0, 0), (435, 0, 0)):
        forked += libc.syscall(number, *arguments) >= 0
        if os.getpid() != me:
            os._exit(0)
    raise RuntimeError(f"forked {forked} times")
