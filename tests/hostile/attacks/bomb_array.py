"""Asks NumPy for eighty gigabytes at once."""

import numpy as np

EXPECTS = "Unable to allocate"


def double(x):
    return np.ones(10**10)
