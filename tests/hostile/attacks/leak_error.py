"""Puts the hidden inputs into the text of its error."""

EXPECTS = "Your function gave no result on data you have not seen"


def classify(x):
    raise ValueError(x[0].tolist())
