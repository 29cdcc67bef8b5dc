"""Training: the grader's own loop, for so many updates and no more; it runs in a child without any student code.

What trains is a model rebuilt from its blueprint, so neither the number of updates, nor the seeds, nor the
optimiser are the student's to choose beyond the plain numbers that come as arguments.
"""

import platform
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.models._archive import read_json
from autograder.models._builder import drawn_initializers, keras_model
from autograder.models._config import read_plan

TELL = 0.5  # seconds between two lines of progress


def train(
    config: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    test: np.ndarray,
    updates: int,
    batch: int,
    runs: int,
    seed: int,
    optimizer: str,
    learning_rate: float,
    clipnorm: float,
    clipvalue: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Losses (runs, updates), and predictions (runs, n, ...) for `test` (n, ...), of a model trained `runs` times.

    config: bytes of the model's JSON; x: (rows, ...); y: (rows,) classes, for a model that gives one probability or
    one for each class. Run k draws weights, dropout and the order of rows from seed + k. Rows are used once
    before any is used again. clipnorm: the most that the norm of all gradients together may be, clipvalue: each of
    their elements; 0 is no clipping. After a loss that is not finite, losses and predictions are NaN.
    """
    plan = read_plan(read_json(config.tobytes(), "config"))
    [dtype] = plan.input_dtypes
    model, _ = keras_model(plan, drawn_initializers)
    chosen = build_optimizer(optimizer, learning_rate, clipnorm, clipvalue)
    chosen.build(model.trainable_variables)
    update, unused = compile_step(model, chosen), [variable.numpy() for variable in chosen.variables]
    progress = ProgressLine(runs, updates)
    losses = np.full((runs, updates), np.nan, np.float32)
    shape: list[Any] = [runs, len(test), *plan.output_shape[1:]]
    predictions = np.full(shape, np.nan, np.float32)
    for run in range(runs):
        random.seed(seed + run)  # from here Keras draws a seed for each initialiser and each dropout
        assign_weights(model.variables, keras_model(plan, drawn_initializers)[0].variables)
        assign_weights(chosen.variables, unused)
        for number, rows in enumerate(batches(len(x), batch, updates, seed + run)):
            losses[run, number] = update(x[rows].astype(dtype), y[rows].reshape(-1, 1))
            progress.tell(run, number + 1)
            if not np.isfinite(losses[run, number]):
                losses[run, number] = np.nan
                break
        else:
            predictions[run] = predict_batches(model, test.astype(dtype))
    return losses, predictions


def build_optimizer(optimizer: str, learning_rate: float, clipnorm: float, clipvalue: float) -> Any:
    """Return the optimiser; a schedule or a loss of the student's own could hold code, plain numbers can't."""
    import keras

    kind = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[optimizer]
    clip = {"global_clipnorm": clipnorm, "clipvalue": clipvalue}
    return kind(learning_rate, **{name: value for name, value in clip.items() if value})


def compile_step(model: Any, optimizer: Any) -> Callable:
    """Return one update of the weights as a compiled function of a batch x, y (batch, 1), which returns the loss."""
    import keras
    import tensorflow as tf

    is_binary = model.output_shape[-1] == 1
    loss_of = keras.losses.BinaryCrossentropy() if is_binary else keras.losses.SparseCategoricalCrossentropy()

    @tf.function(jit_compile=has_compiler(), autograph=False)
    def update(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    return update


def has_compiler() -> bool:
    """Return True if to use XLA: on a CPU it takes 2-3 times less for long sequences.

    On macOS it is not complete; for a GPU it may start another program, which a child must not.
    """
    import tensorflow as tf

    return platform.system() == "Linux" and not tf.config.list_physical_devices("GPU")


def batches(rows: int, batch: int, updates: int, seed: int) -> Iterator[np.ndarray]:
    """Yield the rows of each batch: all in a random order, then all again in another one."""
    rng, order = np.random.Generator(np.random.PCG64(seed)), np.array([], int)
    for _ in range(updates):
        if len(order) < batch:
            order = rng.permutation(rows)
        yield order[:batch]
        order = order[batch:]


def assign_weights(variables: list, values: list) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def predict_batches(model: Any, test: np.ndarray, batch: int = 500) -> np.ndarray:
    """Predictions for `test`, dropout inactive."""
    parts = [model.predict_on_batch(test[start : start + batch]) for start in range(0, len(test), batch)]
    return np.concatenate(parts)


class ProgressLine:
    """Tells now and then which update of the budget runs, and how long the rest will take; \\r ends each line."""

    def __init__(self, runs: int, updates: int):
        self.runs, self.updates, self.last = runs, updates, 0.0
        self.start: float | None = None

    def tell(self, run: int, update: int) -> None:
        now, done, total = time.monotonic(), run * self.updates + update, self.runs * self.updates
        if self.start is None:  # the first update, which compiles the others too, says nothing about them
            self.start = now
        if done == 1 or now - self.last < TELL:
            return
        self.last = now
        left = (now - self.start) / (done - 1) * (total - done)
        where = f"run {run + 1}/{self.runs}, update {update}/{self.updates}"
        print(f"{where}, {left:.0f} s left", end="\r", flush=True)
