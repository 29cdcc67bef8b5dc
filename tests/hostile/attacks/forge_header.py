"""Announces a header of four gigabytes."""

import os

EXPECTS = "a header of 4294967295 bytes"


def double(x):
    os.write(4, b"\xff\xff\xff\xff")
    while True:
        os.write(4, b"x" * 4096)
