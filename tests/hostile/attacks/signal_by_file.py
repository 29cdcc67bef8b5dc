"""Has the kernel send its parent a signal when a pipe can be read, by fcntl and by ioctl."""

import fcntl
import os
import signal
import struct

EXPECTS = "refused 6"

F_SETOWN, F_SETSIG, F_SETOWN_EX = 8, 10, 15
FIOSETOWN, SIOCSPGRP, FIOASYNC = 0x8901, 0x8902, 0x5452


def double(x):
    parent, refused = os.getppid(), 0
    read, write = os.pipe()
    for change in (
        lambda: fcntl.fcntl(read, F_SETSIG, signal.SIGKILL),
        lambda: fcntl.fcntl(read, F_SETOWN, parent),
        lambda: fcntl.fcntl(read, F_SETOWN_EX, struct.pack("ii", 1, parent)),
        lambda: fcntl.ioctl(read, FIOASYNC, struct.pack("i", 1)),
        lambda: fcntl.ioctl(read, FIOSETOWN, struct.pack("i", parent)),
        lambda: fcntl.ioctl(read, SIOCSPGRP, struct.pack("i", parent)),
    ):
        try:
            change()
        except PermissionError:
            refused += 1
        except OSError:
            pass  # this kind of file does not know it
    os.write(write, b"x")
    raise RuntimeError(f"refused {refused}")
