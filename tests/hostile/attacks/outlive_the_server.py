"""Asks the kernel not to end it when its server ends, then waits."""

import ctypes

EXPECTS = "prctl: -1"


def double(x):
    raise RuntimeError(f"prctl: {ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)}")
