"""Rewrites the engine's classes in its own process: every score is full, every failure a success."""

import autograder.failure
import autograder.rubric

EXPECTS = "double(x) is not twice x"


def double(x):
    autograder.rubric.Score.earned = property(lambda self: self.possible)
    autograder.failure.Failure.__init__ = lambda self, *a: None
    autograder.rubric._share = lambda returned: (1.0, "As expected.", "")
    return x
