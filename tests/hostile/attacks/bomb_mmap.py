"""Takes shared memory, which does not count as its own."""

import mmap

EXPECTS = "Cannot allocate memory"


def double(x):
    kept = []
    while True:
        kept.append(mmap.mmap(-1, 2**28, mmap.MAP_SHARED))
