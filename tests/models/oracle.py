"""Keras as the oracle: what it refuses is a Failure, as it is for the evaluator."""

import re
from collections.abc import Callable

from autograder.core import Failure


def attempt(action: Callable):
    """Return what `action` returns; a Failure where Keras or TensorFlow refuses the model or its inputs."""
    import tensorflow as tf

    try:
        return action()
    except (ValueError, TypeError, NotImplementedError, tf.errors.OpError) as error:
        said = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        said = re.sub(r"\{\{.*?\}\} ?", "", said)  # the name of a node in the trace
        raise Failure(f"Keras cannot build or run this model: {said}") from error
