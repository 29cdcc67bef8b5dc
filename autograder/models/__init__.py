"""Models: the trusted reading of `.keras` files, from hostile bytes to predictions.

bytes -> archive (zip and JSON under limits) -> plan (known layers, checked options, totals) -> weights (arrays of
the planned shapes) -> predictor (batches of inputs) -> evaluator (predictions, by NumPy). Keras's own `load_model` is
not used: a config can call functions of Keras while it loads, inflate to gigabytes, or switch dropout on.

A model to be trained comes as its configuration alone (`UntrainedModel`): `_builder` builds it by constructor calls,
and the loop of the grader trains it (`_training_loop`).
"""

from autograder.models._activations import ACTIVATIONS
from autograder.models._architecture import check_architecture, check_memory
from autograder.models._layers import RECURRENT, Layer
from autograder.models._model import Model, read_model
from autograder.models._plan import Plan
from autograder.models._predictor import Predictor
from autograder.models._training import train_model
from autograder.models._untrained_model import UntrainedModel, read_untrained_model

__all__ = [
    "ACTIVATIONS",
    "Layer",
    "Model",
    "Plan",
    "Predictor",
    "RECURRENT",
    "UntrainedModel",
    "check_architecture",
    "check_memory",
    "read_model",
    "read_untrained_model",
    "train_model",
]
