"""Becomes another program, which keeps its pipes."""

import os

EXPECTS = "PermissionError"


def double(x):
    os.execv("/bin/sh", ["sh", "-c", "echo 100/100 >&4"])
