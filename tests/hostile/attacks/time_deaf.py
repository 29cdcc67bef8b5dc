"""Sleeps for ever, ignores every signal, swallows every exception, raises its own limits."""

import contextlib
import resource
import signal
import time

EXPECTS = "double took more than 2 s"


def double(x):
    for number in range(1, 65):
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (10**6, 10**6))
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(600)
