"""Returns a thousand arrays."""

EXPECTS = "1000 arrays"


def double(x):
    return (x,) * 1000
