"""Leaves folders two thousand deep and folders that no one may open."""

import contextlib
import os

EXPECTS = "double(x) is not twice x", "double fills the disk"  # for what it hides


def double(x):
    os.makedirs("shut/inside")
    open("shut/inside/file", "w").close()
    with contextlib.suppress(OSError):
        os.chmod("shut", 0)
    for _ in range(2000):
        os.mkdir("deep")
        os.chdir("deep")
    return x
