"""What the items of an assignment ask of a submission: which functions, which constants, which models about what.

So that other programs can be asked the same (`grade_class.py`): all of it is drawn, encoded and put into batches once.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from autograder.grading import Grader
from autograder.rubric import Item, Submission, hidden_from, score
from autograder.submissions import RawSubmission


@dataclass
class Asked:
    """What one item asked, in order; `files`, `calls` of (function, arguments, result), names of `constants`.

    predictions: (file, inputs, outputs); an input is an array (time, ...), or a tuple of arrays for several inputs.
    """

    item: Item
    files: set[str] = field(default_factory=set)
    calls: list[tuple] = field(default_factory=list)
    constants: list[str] = field(default_factory=list)
    predictions: list[tuple] = field(default_factory=list)
    texts: int = 0

    @property
    def rests_on_models(self) -> bool:
        """And on no function, constant or text of the notebook."""
        return bool(self.files) and not (self.calls or self.constants or self.texts)


@dataclass(frozen=True)
class Recording(Submission):
    """A submission that writes down what it is asked."""

    asked: Asked | None = None

    def predict(self, name: str, inputs):
        outputs = super().predict(name, inputs)
        self.asked.predictions.append((name, inputs, outputs))
        return outputs

    def call(self, function: str, *arguments, **limits):
        result = super().call(function, *arguments, **limits)
        self.asked.calls.append((function, arguments, result))
        return result

    def value(self, constant: str):
        self.asked.constants.append(constant)
        return super().value(constant)

    def text(self, name: str):
        self.asked.texts += 1
        return super().text(name)

    def model(self, name: str):
        self.asked.files.add(name)
        return super().model(name)


def recorded(grader: Grader, folder: Path) -> list[Asked]:
    """Return what each item asks of the submission in `folder`."""
    plain = grader.open_submission(RawSubmission(folder.name, folder))
    fields, found = {name: getattr(plain, name) for name in plain.__dataclass_fields__}, []
    for item in grader.items:
        found.append(Asked(item))
        with hidden_from(grader.source):
            score(item, Recording(**fields, asked=found[-1]))
    return found


def batches(inputs: Iterable, outputs: Iterable | None = None) -> list[tuple]:
    """Return inputs of equal shape in one batch, as models of Keras take them, and the outputs in the same order."""
    inputs = [*inputs]
    outputs = [None] * len(inputs) if outputs is None else outputs
    groups = defaultdict(list)
    for x, y in zip(inputs, outputs, strict=True):
        groups[tuple(part.shape for part in parts(x))].append((x, y))
    return [together(rows) for rows in groups.values()]


def parts(x) -> tuple:
    """Return the arrays of an input, for a model of one input or of several."""
    return x if isinstance(x, tuple) else (x,)


def together(rows: list[tuple]) -> tuple:
    """Rows as one batch of inputs and one array of outputs."""
    stacked = [np.stack(part) for part in zip(*(parts(x) for x, _ in rows), strict=True)]
    return stacked if len(stacked) > 1 else stacked[0], np.array([y for _, y in rows])
