"""Counts for ever."""

EXPECTS = "double took more than 2 s"


def double(x):
    while True:
        x = x + 1
