"""Training a student's model: the grader's budget and loop, in a sandbox that student code never entered.

A child gets the configuration, the data and plain numbers; it answers with losses and predictions. Labels of the
test data stay here, as always.
"""

from collections.abc import Callable

import numpy as np

from autograder.failure import Claim, Failure
from autograder.models import Blueprint
from autograder.models.network import check_inputs
from autograder.sandbox import Answer, Sandbox

LOOP = b"from autograder.models.loop import train"  # a child calls it as it would a notebook's function
MOST = {"learning_rate": 100.0, "clipnorm": 1e6, "clipvalue": 1e6}
OUT_OF_MEMORY = "MemoryError", "ResourceExhausted", "RESOURCE_EXHAUSTED", "bad_alloc"


def trained(
    sandbox: Sandbox,
    watch: Callable[[str], None],
    blueprint: Blueprint,
    x: np.ndarray,
    y: np.ndarray,
    test: np.ndarray,
    *,
    updates: int,
    learning_rate: float,
    clipnorm: float = 0.0,
    clipvalue: float = 0.0,
    optimizer: str = "adam",
    batch: int = 64,
    runs: int = 3,
    seed: int = 0,
    seconds: float = 120.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Losses (runs, updates), and predictions (runs, n, k) for `test` (n, ...), of a model trained `runs` times.

    x: (rows, ...), y: (rows,) classes; the rest as `autograder.models.loop.train` says. Raises Failure where the
    student's model doesn't take the data, where a number of the student's makes no sense, and where training takes
    more than `seconds` or all memory; any other trouble is the grader's.
    """
    chosen = {"learning_rate": learning_rate, "clipnorm": clipnorm, "clipvalue": clipvalue}
    for name, value in chosen.items():
        chosen[name] = checked(name, value)
    check_inputs(blueprint.plan, [(x[0],), (test[0],)])
    config = np.frombuffer(blueprint.config, np.uint8)
    arguments = (config, x, y, test, updates, batch, runs, seed, optimizer, *chosen.values())
    answer = sandbox.call(LOOP, "loop.py", "train", arguments, seconds=seconds, watch=watch)
    if answer.failure:
        raise reason_for(answer, f"Training for {runs} x {updates} updates", seconds)
    return answer.value


def checked(name: str, value) -> float:
    """A number that a student chose for the optimiser. Raises Failure where it is none that makes sense."""
    if np.ndim(value) or not (np.isfinite(value) and 0 <= value <= MOST[name]):
        raise Failure(
            f"{name} should be a number from 0 to {MOST[name]:g}, but is {value}.",
            "0 stands for no clipping.",
        )
    if name == "learning_rate" and value == 0:
        raise Failure(
            "learning_rate is 0: nothing is ever learnt.", "Try 0.001, then a few times more or less."
        )
    return float(value)


def reason_for(answer: Answer, what: str, seconds: float) -> Exception:
    """Why a training gave nothing: the size of the student's model, or the grader's own fault."""
    said = answer.failure.reason
    if any(word in said + answer.printed for word in OUT_OF_MEMORY):
        return Failure(f"{what} takes more memory than there is.", "Make the model smaller.")
    if "took more than" in said:
        return Failure(f"{what} took more than {seconds:g} s.", "Use fewer units, or fewer layers.")
    if isinstance(answer.failure, Claim):
        return RuntimeError(f"{what} failed: {said}")
    return Failure(f"{what} came to no end: {said}", "Make the model smaller.")
