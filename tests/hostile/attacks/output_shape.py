"""Returns the right numbers in another shape, which could be broadcast into right ones."""

EXPECTS = "should have the shape of x"


def double(x):
    return 2 * x[None, :, :, None]
