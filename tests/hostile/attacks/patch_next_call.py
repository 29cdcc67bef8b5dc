"""A thread waits in the child for later calls, and replaces what they send by a mark."""

import json
import struct
import threading
import time

from autograder.sandbox import _child as child
from autograder.sandbox import _protocol as wire

EXPECTS = "double(x) is not twice x"


class Stay:
    child.side_effects = lambda: [0]


def forged(header, arrays=()):
    header |= {"arrays": [], "earned": 30, "outcome": "scored", "share": 1.0}
    text = json.dumps(header).encode()
    return struct.pack("<I", len(text)) + text


def wait():
    time.sleep(0.1)
    while True:
        wire.pack = forged
        time.sleep(0.01)


def double(x):
    threading.Thread(target=wait, daemon=True).start()
    return x


def classify(x):
    time.sleep(0.5)
    return x[:, 0] > 0
