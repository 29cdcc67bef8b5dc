"""A model as a `.keras` file holds it: its plan and its weights, read as data."""

import hashlib
from dataclasses import dataclass, field

import numpy as np

from autograder.core import Failure
from autograder.models._archive import check_version, read_archive, refuse_extra
from autograder.models._config import read_plan, remarks
from autograder.models._errors import failing
from autograder.models._hdf5 import Hdf5
from autograder.models._plan import Plan

DIVERGED = (
    "Usually the loss diverged in training: clip the gradient (clipnorm=1.0) or lower the learning rate."
)


@dataclass(frozen=True, eq=False)
class Model:
    """A model as a file holds it.

    plan: its layers and their calls; weights: float32, in the plan's order; sha256: of the file; remarks: what is
    worked out here in another way than where the model was trained.
    """

    plan: Plan
    weights: tuple[np.ndarray, ...] = field(repr=False)
    sha256: str
    remarks: tuple[str, ...] = ()


def read_model(data: bytes) -> Model:
    """Return the model in `data`, the bytes of a `.keras` file of Keras 3.3 or later.

    Raises Failure, whatever the bytes: its message names the entry, layer or option and says what was expected and
    what we got, its hint what to use instead. Only a MemoryError passes, which is the machine's. TensorFlow and Keras
    are not imported.
    """
    with failing("The model's file cannot be read"):
        archive = read_archive(data)
        check_version(archive.metadata)
        plan = read_plan(archive.config)
        refuse_extra(archive.extra)
        if "RNN" in plan.kinds:
            reason = "The model holds an RNN around a cell of your own: code, which is never run here."
            raise Failure(reason, "Use SimpleRNN, GRU or LSTM in a model that you save.")
        weights = read_weights(plan, archive.weights)
        return Model(plan, weights, hashlib.sha256(data).hexdigest(), remarks(plan))


def read_weights(plan: Plan, data: bytes) -> tuple[np.ndarray, ...]:
    """Return the arrays that a plan asks for, out of the bytes of model.weights.h5. Raises Failure."""
    file = Hdf5(data)
    arrays = tuple(file.array(weight.path, weight.shape) for weight in plan.weights)
    for weight, array in zip(plan.weights, arrays, strict=True):
        if not np.isfinite(array).all():
            raise Failure(f"The weights of {weight.layer} hold NaN or infinity.", DIVERGED)
    wanted = {weight.path for weight in plan.weights}
    for path in file.datasets.keys() - wanted:
        if path.startswith("layers/") and "/seed_generator/" not in path:
            raise Failure(f"model.weights.h5 holds {path!r}, a weight that config.json does not mention.")
    return arrays
