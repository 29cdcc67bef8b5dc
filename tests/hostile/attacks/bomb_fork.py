"""Forks for ever."""

import os

EXPECTS = "PermissionError"


def double(x):
    while True:
        os.fork()
