"""Returns objects whose pickle runs a command wherever it is opened."""

import os

import numpy as np

EXPECTS = "returned an array of Command"


class Command:
    def __reduce__(self):
        return os.system, ("touch /tmp/autograder-canary-pickle",)


def double(x):
    array = np.empty((3, 4), object)
    array[:] = Command()
    return array
