"""Sends one byte of its reply every half second, to hold the grader for ever."""

import os
import time

EXPECTS = "double took more than 2 s"


def double(x):
    while True:
        os.write(4, b"\x10")
        os.write(4, b"\x00\x00\x00")
        for _ in range(10_000):
            time.sleep(0.5)
            os.write(4, b" ")
