"""What a call leaves behind for the next call in the same process, as far as it shows.

For honest code: whoever hides it (in a library that was changed, say) fools nobody but the functions of their own
notebook. A notebook's own names need no look, as they are made anew.
"""

import decimal
import gc
import logging
import os
import sys

import numpy as np


def side_effects() -> list:
    """Return what is compared before a first call and after each call; equal to nothing where it can't be told."""
    try:
        return [*process_state(), *settings_state(), *library_state()]
    except Exception:  # the current folder is gone, say
        return [object()]


def process_state() -> list:
    """Threads (TensorFlow's runtime has some), open files, the current folder and what lies in it, surroundings."""
    count = [len(os.listdir(f"/proc/self/{what}")) for what in ("task", "fd")]
    return [*count, os.getcwd(), os.listdir(), dict(os.environ), id(sys.stdout), id(sys.stderr)]


def settings_state() -> list:
    """Return what Python and NumPy can be told to do otherwise."""
    context, root = decimal.getcontext(), logging.root
    return [
        sys.path[:], sys.getrecursionlimit(), gc.isenabled(), context.prec, context.rounding,
        root.level, root.handlers[:], np.geterr(), np.get_printoptions(),
    ]  # fmt: skip


def library_state() -> list:
    """Figures and styles of Matplotlib; settings of Keras, and whether it has begun to number layers."""
    found = []
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        found += [pyplot.get_fignums(), dict.copy(pyplot.rcParams)]
    if keras := sys.modules.get("keras"):
        state = sys.modules["keras.src.backend.common.global_state"]
        found += [keras.config.floatx(), keras.config.epsilon(), keras.config.image_data_format()]
        found += [sorted(vars(state.GLOBAL_STATE_TRACKER)), sorted(vars(state.GLOBAL_SETTINGS_TRACKER))]
    return found
