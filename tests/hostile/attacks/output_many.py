"""Returns a thousand arrays."""

EXPECTS = "1000 values"


def double(x):
    return (x,) * 1000
