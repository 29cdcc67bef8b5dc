"""Makes every comparison of NumPy say yes, then returns nonsense."""

import numpy as np

EXPECTS = "double(x) is not twice x"

np.array_equal = np.allclose = np.isclose = lambda *a, **k: True


def double(x):
    np.testing.assert_array_equal = np.array_equal = np.all = lambda *a, **k: True
    return x
