"""Overwrites, removes and truncates the canary, the engine and Python's own start-up files."""

import glob
import os
import sys

import autograder

EXPECTS = "changed 0 files"


def double(x):
    changed = 0
    engine, library = os.path.dirname(autograder.__file__), os.path.dirname(os.__file__)
    targets = [
        engine + "/rubric.py",
        library + "/os.py",
        library + "/sitecustomize.py",
        sys.prefix + "/pyvenv.cfg",
    ]
    for path in targets + glob.glob("/tmp/autograder-canary-*/*") + ["/tmp/autograder-canary-new"]:
        for change in (lambda p: open(p, "a").close(), os.remove, lambda p: os.truncate(p, 0)):
            try:
                change(path)
                changed += 1
            except OSError:
                pass
    raise RuntimeError(f"changed {changed} files")
