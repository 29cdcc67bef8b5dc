"""Returns a gigabyte."""

import numpy as np

EXPECTS = "double returned 1024 MiB"


def double(x):
    return np.zeros(2**27)
