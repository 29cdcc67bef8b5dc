"""Returns an array of a class whose every method lies about its values."""

import numpy as np

EXPECTS = "double(x) is not twice x"


class Liar(np.ndarray):
    def __eq__(self, other):
        return np.ones(self.shape, bool)

    def tobytes(self, *args):
        return np.full((3, 4), 7.0).tobytes()

    def astype(self, *args, **kwargs):
        return self


def double(x):
    return x.view(Liar)
