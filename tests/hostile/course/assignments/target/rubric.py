"""Items that call a function on data everyone sees, another on hidden data, and a model."""

from pathlib import Path

import numpy as np

from autograder.core import Failure
from autograder.models import read_model
from autograder.rubric import credit, decide, hidden, item

SECONDS = 2
REFERENCE = Path(__file__).parents[2] / "solutions/target/model.keras"


@item(points=40)
def doubles(submission):
    """double(x) returns twice x."""
    x = np.arange(12.0).reshape(3, 4)
    said = submission.call("double", x, seconds=SECONDS)
    if not isinstance(said, np.ndarray) or said.shape != x.shape:
        raise Failure(f"double(x) should have the shape of x, {x.shape}.")
    if not np.array_equal(said, 2 * x):
        raise Failure("double(x) is not twice x.")


@item(points=30)
def classifies(submission):
    """classify(x) says for hidden rows (n, 8) whether the first seven numbers add up to more than zero."""
    data = hidden("secret")
    said = submission.call("classify", data.loc[:, "x0":"tracer"].to_numpy(np.int64), seconds=SECONDS)
    if not isinstance(said, np.ndarray) or said.shape != (len(data),):
        raise Failure(f"classify(x) should give one answer for each of {len(data)} rows.")
    return credit((said == data.label).mean(), zero=0.7, full=0.95, name="Accuracy of classify")


@item(points=30)
def predicts(submission):
    """model.keras says the same of the seven numbers, one after another."""
    model = submission.model("model.keras")
    reference = read_model(REFERENCE.read_bytes())
    if len(model.weights) == len(reference.weights) and all(
        map(np.array_equal, model.weights, reference.weights)
    ):
        raise Failure("These are the weights of the course's own solution.", "Train a model of your own.")
    data = hidden("secret")
    said = submission.predict("model.keras", list(data.loc[:, "x0":"x6"].to_numpy("float32")[:, :, None]))
    return credit((decide(said) == data.label).mean(), zero=0.7, full=0.95, name="Accuracy of the model")
