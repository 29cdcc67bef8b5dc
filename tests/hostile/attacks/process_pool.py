"""Uses multiprocessing, whose workers would escape the limits of one process."""

import multiprocessing

EXPECTS = "PermissionError"


def double(x):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return 2 * x + 0 * sum(pool.map(abs, [1, 2]))
