"""Has a thread and an exit handler outlive the answer, which is wrong."""

import atexit
import threading
import time

EXPECTS = "double(x) is not twice x"


def double(x):
    threading.Thread(target=time.sleep, args=(600,)).start()
    atexit.register(time.sleep, 600)
    return x
