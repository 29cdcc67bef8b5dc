"""Fails with a megabyte of words under a class name of a megabyte."""

EXPECTS = "double stopped with EEEEE"


def double(x):
    raise type("E" * 10**6, (Exception,), {})("words " * 10**6)
