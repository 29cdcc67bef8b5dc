"""Sends half a reply and leaves."""

import os

from autograder.sandbox import _protocol as wire

EXPECTS = "double ended Python before it returned"


def double(x):
    message = wire.pack({"several": False}, [2 * x])
    os.write(4, message[: len(message) // 2])
    os._exit(0)
