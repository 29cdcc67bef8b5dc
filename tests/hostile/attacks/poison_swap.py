"""Replaces its own folder by a link to somewhere else."""

import os

EXPECTS = "swapped 0"


def double(x):
    swapped = 0
    for target in ("/tmp", "/usr"):
        here = os.getcwd()
        try:
            os.rename(here, here + "-old")
            os.symlink(target, here)
            swapped += 1
        except OSError:
            pass
    raise RuntimeError(f"swapped {swapped}")
