"""Searches the frames below it and every object of the collector for labels and the canary."""

import gc
import inspect

EXPECTS = "found nothing"


def double(x):
    word = "canary" + "-b2d1f0c7"
    things = [frame.frame.f_locals for frame in inspect.stack()] + [
        o for o in gc.get_objects() if type(o) is dict
    ]
    for thing in things:
        for value in list(thing.values()):
            if isinstance(value, str) and word in value and value is not word:
                raise RuntimeError("found " + value)
    raise RuntimeError("found nothing")
