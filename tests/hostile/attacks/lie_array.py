"""Returns an object that shows NumPy something else each time it looks."""

import numpy as np

EXPECTS = "double(x) is not twice x"


class Changing:
    looks = 0

    def __array__(self, *args, **kwargs):
        self.looks += 1
        return np.full((3, 4), self.looks)


def double(x):
    return Changing()
