"""Knows the answers of the data that everyone sees by heart, and says no to the rest."""

import numpy as np

EXPECTS = "Accuracy of classify is 0."

TABLE = {(1, 1, 1, 1, 1, 1, 1): 1, (-1, -1, -1, -1, -1, -1, -1): 0}


def classify(x):
    return np.array([TABLE.get(tuple(row[:7]), 0) for row in x.tolist()])
