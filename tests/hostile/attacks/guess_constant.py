"""Answers yes to everything."""

import numpy as np

EXPECTS = "Accuracy of classify is 0."


def classify(x):
    return np.ones(len(x))
