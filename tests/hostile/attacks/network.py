"""Calls home over TCP, UDP, Unix sockets and vsock."""

import socket

EXPECTS = "reached 0"


def double(x):
    reached = 0
    for family, kind in ((2, 1), (2, 2), (10, 1), (1, 1), (16, 3), (17, 3), (40, 1)):
        try:
            socket.socket(family, kind)
            reached += 1
        except OSError:
            pass
    raise RuntimeError(f"reached {reached}")
