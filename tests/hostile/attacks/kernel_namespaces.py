"""Makes itself root in a namespace of its own, mounts, changes its root, becomes someone else."""

import ctypes
import os

EXPECTS = "gained 0"


def double(x):
    libc, gained = ctypes.CDLL(None), 0
    gained += libc.unshare(0x10000000) == 0
    gained += libc.mount(b"none", b".", b"tmpfs", 0, None) == 0
    for change in (
        lambda: os.chroot("."),
        lambda: os.setuid(0),
        lambda: os.setgid(0),
        lambda: os.mknod("d", 0o60666, 1),
    ):
        try:
            change()
            gained += 1
        except OSError:
            pass
    raise RuntimeError(f"gained {gained}")
