"""Starts threads with tiny stacks, for ever."""

import threading
import time

EXPECTS = "double starts too many threads", "double took more than 2 s"  # whichever is first


def double(x):
    threading.stack_size(2**15)
    while True:
        threading.Thread(target=time.sleep, args=(600,)).start()
