"""Prints without end."""

EXPECTS = "double took more than 2 s"


def double(x):
    while True:
        print("100/100 " * 1000)
