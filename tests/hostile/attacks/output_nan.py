"""Returns NaN and infinity, which compare with nothing."""

import numpy as np

EXPECTS = "double(x) is not twice x"


def double(x):
    return np.where(x > 4, np.nan, np.inf)
