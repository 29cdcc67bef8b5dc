"""Returns an object that equals everything."""

EXPECTS = "expected an array of numbers, got object"


class Anything:
    __eq__ = __ne__ = __lt__ = __gt__ = lambda self, other: True
    __hash__ = object.__hash__
    shape, dtype = (3, 4), "float64"


def double(x):
    return Anything()
