"""Reads address zero."""

import ctypes

EXPECTS = "double crashed Python (SIGSEGV)"


def double(x):
    return ctypes.string_at(0)
