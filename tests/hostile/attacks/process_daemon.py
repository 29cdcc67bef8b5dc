"""Forks twice to leave a daemon that outlives the deadline."""

import os
import time

EXPECTS = "PermissionError"


def double(x):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
    return 2 * x
