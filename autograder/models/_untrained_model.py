"""UntrainedModel: a model that a student's builder describes and nobody has trained; the grader trains it itself.

What a builder returns is read as the configuration of a model and as nothing else. Weights come from the
initialisers that it names, drawn from the grader's seeds, so what was trained elsewhere has no effect.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from autograder.core import Failure
from autograder.models._archive import read_json
from autograder.models._config import read_plan
from autograder.models._errors import failing
from autograder.models._initializers import initial_weights, read_layer_initializers
from autograder.models._plan import Plan

MAX_BYTES = 2**20


@dataclass(frozen=True, eq=False)
class UntrainedModel:
    """A model to be trained.

    starts: what the training of each layer goes by; config: the JSON that plan and starts were read from; claimed:
    the weights that the builder says its model holds, one after another.
    """

    plan: Plan
    starts: tuple[dict, ...]
    config: bytes = field(repr=False)
    claimed: np.ndarray = field(repr=False)

    @property
    def signature(self) -> str:
        """Equal for models that train alike, whatever their layers are called."""
        return hashlib.sha256(f"{self.plan.signature} {self.starts}".encode()).hexdigest()

    @cached_property
    def set_by_hand(self) -> tuple[str, ...]:
        """Layers that came with other weights than their initialisers give, as far as these give always the same.

        What is drawn at random can't be told from what was trained, but biases that begin at zero can.
        """
        if self.claimed.size != self.plan.parameters:
            return ()
        sizes = np.cumsum([weight.size for weight in self.plan.weights])[:-1]
        parts = zip(np.split(self.claimed, sizes), initial_weights(self.plan, self.starts), strict=True)
        differs = [
            first is not None and not np.allclose(first.flat, came, atol=1e-6) for came, first in parts
        ]
        names = (
            weight.layer
            for weight, is_different in zip(self.plan.weights, differs, strict=True)
            if is_different
        )
        return tuple(dict.fromkeys(names))


def read_untrained_model(config: bytes, claimed: Sequence[float] = ()) -> UntrainedModel:
    """Return the blueprint in the JSON text that `model.to_json()` gives. Raises Failure, whatever the bytes."""
    if len(config) > MAX_BYTES:
        raise Failure(f"The model's configuration has {len(config):,} bytes.", "Make it of fewer layers.")
    with failing("The model's configuration cannot be read"):
        plan = read_plan(read_json(config, "The model's configuration"))
        if len(plan.inputs) > 1:
            raise Failure(f"A model to be trained should have one input, but has {len(plan.inputs)}.")
        starts = tuple(read_layer_initializers(part) for layer in plan.layers for part in layer.all)
    return UntrainedModel(plan, starts, config, np.asarray(claimed, np.float32).reshape(-1))
