"""Changes modes, times and owners of files that it can't write, which Landlock alone lets pass."""

import glob
import os

EXPECTS = "marked 0 files"


def double(x):
    marked = 0
    for path in [os.__file__, *glob.glob("/tmp/autograder-canary-*/*")]:
        for mark in (lambda p: os.chmod(p, 0), lambda p: os.utime(p, (0, 0)), lambda p: os.chown(p, 1, 1)):
            try:
                mark(path)
                marked += 1
            except OSError:
                pass
    raise RuntimeError(f"marked {marked} files")
