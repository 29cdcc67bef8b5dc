"""Raises an exception whose text and class can't be asked for."""

EXPECTS = "double ended Python before it returned"


class Silent(BaseException):
    def __str__(self):
        raise Silent

    __repr__ = __str__


def double(x):
    raise Silent
