"""Predictor: predictions of many models for the same inputs, in batches of equal length that are made once."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from autograder.core import Failure
from autograder.models._errors import failing
from autograder.models._evaluator import evaluate
from autograder.models._plan import Plan
from autograder.models._shapes import Shape

MAX_KEPT = 64  # inputs whose batches are kept, the ones used last
MAX_MODELS = 4  # whose predictions are kept for the same inputs
MAX_BYTES = 2**28  # of all batches that are kept
MAX_MEMORY = 2**29  # bytes for the results of one batch
MAX_OPERATIONS = (
    3 * 10**11
)  # for the inputs of one call; 2,000 sequences of 1,000 steps take a tenth in 30 units
CALL_OPERATIONS = 10**6  # what a step of one batch costs in each recurrent layer, whatever its size
COPIES = 4  # of each result that a layer may hold at a time

Shapes = tuple[Shape, ...]


class Batch(NamedTuple):
    """Inputs of equal shapes: where they stand in the order given, and each of the model's inputs (..., rows)."""

    rows: np.ndarray
    xs: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Prepared:
    """The batches of some inputs, and the inputs themselves: while these live, no other has their identity.

    known: what the last few models predicted, by their identity: several items ask the same of a model.
    """

    inputs: object
    shapes: frozenset[Shapes]
    batches: Sequence[Batch]
    known: OrderedDict = field(default_factory=OrderedDict)


class Predictor:
    """Predictions of many models. Keep one for a run: it holds the batches made of the last few inputs."""

    def __init__(self) -> None:
        self.prepared: OrderedDict[tuple, Prepared] = OrderedDict()

    def predict(
        self, model: Any, inputs: Sequence[np.ndarray | tuple[np.ndarray, ...]], batch_size: int = 1024
    ) -> np.ndarray | list[np.ndarray]:
        """Return what `model` predicts for each of n inputs, in the order given; dropout is inactive.

        inputs: arrays of shape (time, features), or (time,) for tokens, of any lengths; for a model with several
        inputs, tuples of these. Equal lengths share a batch and nothing is padded. Returns an array (n, k) for a
        model with output (None, k), and likewise for more axes; where an axis of the output is free, a list of n
        arrays. Arrays that were predicted from can't be written to any more: their batches serve the next model.
        Raises Failure where the model cannot take the inputs or predicts NaN or infinity.
        """
        prepared = self.found(inputs, model.plan.input_dtypes, batch_size)
        which, known = identity(model), prepared.known
        if which not in known:
            check_shapes(model.plan, prepared.shapes)
            check_operations(model.plan, prepared.batches)
            known[which] = collect_outputs(model.plan, predict_batches(model, prepared.batches, len(inputs)))
            if len(known) > MAX_MODELS:
                known.popitem(last=False)
        known.move_to_end(which)
        return copy_predictions(known[which])

    def found(self, inputs: Sequence, dtypes: tuple[str, ...], batch_size: int) -> Prepared:
        """Return the batches of these inputs, made anew unless they are among the last ones."""
        whole = isinstance(inputs, np.ndarray)  # its rows are other objects each time they are asked for
        parts: list[np.ndarray] = (
            [np.asarray(inputs)]
            if whole
            else [x for row in inputs for x in (row if isinstance(row, tuple) else (row,))]
        )
        key = (*map(id, parts), len(inputs), dtypes, batch_size)
        if key not in self.prepared:
            prepared = prepare(inputs, dtypes, batch_size)
            if sum(x.size for x in parts) * 4 > MAX_BYTES:
                return prepared
            freeze(parts)
            self.prepared[key] = prepared
            self.discard_oldest()
        self.prepared.move_to_end(key)
        return self.prepared[key]

    def discard_oldest(self) -> None:
        """Discard the batches that were used longest ago, until the rest is within the limits."""
        while len(self.prepared) > MAX_KEPT or sum(map(size_of, self.prepared.values())) > MAX_BYTES:
            self.prepared.popitem(last=False)


def identity(model: Any) -> str:
    """Equal for models that predict the same: those of equal plans and weights."""
    content = b"".join(weight.tobytes() for weight in model.weights)
    return model.plan.signature + hashlib.sha256(content).hexdigest()


def predict_batches(model: Any, batches: Sequence[Batch], count: int) -> list | np.ndarray:
    """Return what the model predicts for each of `count` inputs, in the order given."""
    shape = model.plan.output_shape[1:]
    free = None in shape
    predictions: Any = [None] * count if free else np.empty((count, *shape), np.float32)
    for batch in batches:
        for rows, xs in split_by_memory(model.plan, batch):
            ys = run(model, xs)
            if not free:
                predictions[rows] = ys.reshape(len(rows), *shape)
            for row, y in zip(rows if free else (), ys, strict=False):
                predictions[row] = y
    return predictions


def copy_predictions(predictions: list | np.ndarray) -> list | np.ndarray:
    """Return the same numbers, for whoever asked to change as they like."""
    return (
        predictions.copy()
        if isinstance(predictions, np.ndarray)
        else [prediction.copy() for prediction in predictions]
    )


def prepare(inputs: Sequence, dtypes: tuple[str, ...], batch_size: int) -> Prepared:
    """Batches of equal shapes, in the order in which these first come; each holds up to `batch_size` rows."""
    several = [row if isinstance(row, tuple) else (row,) for row in inputs]
    rows_of: dict[tuple, list[int]] = {}
    for row, arrays in enumerate(several):
        rows_of.setdefault(tuple(x.shape for x in arrays), []).append(row)
    batches = []
    for rows in rows_of.values():
        for start in range(0, len(rows), batch_size):
            chosen = rows[start : start + batch_size]
            parts = zip(*(several[row] for row in chosen), strict=True)
            xs = (stack_inputs(part, dtype) for part, dtype in zip(parts, dtypes, strict=False))
            batches.append(Batch(np.array(chosen), tuple(xs)))
    shapes = frozenset(tuple((None, *shape) for shape in shapes_of_row) for shapes_of_row in rows_of)
    return Prepared(inputs, shapes, batches)


def stack_inputs(arrays: Sequence[np.ndarray], dtype: str) -> np.ndarray:
    """Arrays (...) of one shape as one array (..., rows), in memory as the evaluator reads it."""
    return np.ascontiguousarray(np.moveaxis(np.stack(arrays), 0, -1), dtype)


def freeze(arrays: Sequence[np.ndarray]) -> None:
    """Nobody writes into these any more, nor into the arrays that they are views of."""
    for array in arrays:
        base: object = array
        while isinstance(base, np.ndarray) and base.flags.writeable:
            base.setflags(write=False)
            base = base.base


def size_of(prepared: Prepared) -> int:
    """Bytes of the batches, and as much for the inputs themselves."""
    return 2 * sum(x.nbytes for batch in prepared.batches for x in batch.xs)


def run(model: Any, xs: Sequence[np.ndarray]) -> np.ndarray:
    """Predictions (rows, ...) for one batch. Raises Failure."""
    with failing("This model cannot be run on these inputs"):
        return np.ascontiguousarray(np.moveaxis(evaluate(model.plan, model.weights, xs), -1, 0))


def check_inputs(plan: Plan, inputs: Sequence[tuple[np.ndarray, ...]]) -> None:
    """Failure unless every input has the shape the model takes."""
    check_shapes(plan, {tuple((None, *x.shape) for x in arrays) for arrays in inputs})


def check_shapes(plan: Plan, shapes: frozenset[Shapes] | set[Shapes]) -> None:
    wanted = plan.input_shapes
    for given in shapes:
        if len(given) != len(wanted) or not all(map(fits_shape, given, wanted)):
            asked = given[0] if len(given) == 1 else given
            raise Failure(
                f"The model takes inputs of shape {plan.input_shape}, but is asked about one of shape {asked}.",
                "None stands for any length: keras.Input(shape=(None, ...)) takes sequences of every length.",
            )


def check_operations(plan: Plan, batches: Sequence[Batch]) -> None:
    """Raise Failure where the predictions would take far longer than those of any model that the inputs need."""
    recurrent = sum(
        any("return_state" in part.options for part in plan.layers[call.layer].all) for call in plan.calls
    )
    operations = sum(
        longest_input(batch) * (len(batch.rows) * plan.work + recurrent * CALL_OPERATIONS)
        for batch in batches
    )
    if operations > MAX_OPERATIONS:
        reason = f"The model takes {operations:,} operations for these inputs, at most {MAX_OPERATIONS:,} are made."
        raise Failure(reason, "Use fewer or smaller layers.")


def longest_input(batch: Batch) -> int:
    return max(n for x in batch.xs for n in (1, *x.shape[:-1]))


def fits_shape(given: Shape, wanted: Shape) -> bool:
    return len(given) == len(wanted) and all(m in (None, n) for m, n in zip(wanted, given, strict=True))


def split_by_memory(plan: Plan, batch: Batch) -> Iterator[tuple[np.ndarray, tuple[np.ndarray, ...]]]:
    """Return the batch, in parts where its results as a whole would take more than MAX_MEMORY."""
    step = batch_rows(plan, longest_input(batch), len(batch.rows))
    for start in range(0, len(batch.rows), step):
        part = slice(start, start + step)
        yield batch.rows[part], tuple(np.ascontiguousarray(x[..., part]) for x in batch.xs)


def batch_rows(plan: Plan, length: int, batch_size: int) -> int:
    """Return how many sequences of a length may share a batch within MAX_MEMORY."""
    return max(1, min(batch_size, MAX_MEMORY // (4 * COPIES * plan.values(length))))


def collect_outputs(plan: Plan, predictions: list | np.ndarray) -> np.ndarray | list[np.ndarray]:
    """Return the predictions, as one array where their shape is fixed. Raises Failure where one is not finite."""
    if None in plan.output_shape[1:]:
        finite = np.array([np.isfinite(y).all() for y in predictions])
    else:
        predictions = np.asarray(predictions, np.float32).reshape(len(predictions), *plan.output_shape[1:])
        finite = np.asarray(np.isfinite(predictions).all(axis=tuple(range(1, predictions.ndim))))
    if bad := len(predictions) - int(np.sum(finite)):
        raise Failure(
            f"{bad:,} of {len(predictions):,} predictions are NaN or infinite.",
            "Usually the states grow without bound: clip the gradient (clipnorm=1.0) and lower the learning rate.",
        )
    return predictions
