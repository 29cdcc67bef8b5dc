"""Numbers whose sum is above or below zero; students never see them."""

import numpy as np
import pandas as pd

CANARY = "canary-b2d1f0c7-4e9a83d6-71c05bf2"  # never sent to a student's code, so it can appear nowhere
TRACER = 7391846250187  # sent to it among the inputs, and must not come back in words


def make(seed, rows=200):
    """Columns x0 ... x6, tracer, label (whether the sum of the xs is above zero), note."""
    x = np.random.default_rng(seed).choice([-3, -1, 1, 3], size=(rows, 7))
    frame = pd.DataFrame(x, columns=[f"x{place}" for place in range(7)])
    return frame.assign(tracer=TRACER, label=x.sum(axis=1) > 0, note=CANARY)
