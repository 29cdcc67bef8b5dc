"""Sends each reply twice, so that the second waits where the next call's is expected."""

import numpy as np

from autograder.sandbox import _child as child
from autograder.sandbox import _protocol as wire

EXPECTS = "double(x) is not twice x"

send = wire.send


class Stay:
    child.side_effects = lambda: [0]
    wire.send = lambda fd, message, deadline: send(fd, message + message, deadline)


def double(x):
    return x


def classify(x):
    return np.zeros(len(x))
