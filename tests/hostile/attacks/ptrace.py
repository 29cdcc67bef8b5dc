"""Attaches to its parent as a debugger would, and reads its memory by process_vm_readv."""

import ctypes
import os

EXPECTS = "attached: -1, read: -1"


def double(x):
    libc = ctypes.CDLL(None)
    attached = libc.ptrace(16, os.getppid(), 0, 0)
    room = ctypes.create_string_buffer(64)
    piece = (ctypes.c_void_p * 2)(ctypes.addressof(room), 64)
    read = libc.process_vm_readv(os.getppid(), piece, 1, piece, 1, 0)
    raise RuntimeError(f"attached: {attached}, read: {read}")
