"""Models that were trained once and handed in twice: equal weights, equal weights in another order, nearly equal ones.

All pairs of models whose weights hang together alike are compared by a sketch that no reordering changes; only those
whose sketches are near are aligned, each pair in a process that may die. What is built in another way is compared
array by array, see `arrays`.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.spatial.distance import cdist

from autograder.core import sanitize
from autograder.grading import Executor, describe_error, limit_processor
from autograder.models import Model
from autograder.similarity._matching import Likeness, Weights, likeness
from autograder.similarity._permutations import Block, Layout, build_layout

MAX_ALIGNED = 300_000  # parameters; larger models are compared for equality alone
FEWEST = 50  # distinct weights: those that people set by hand agree without anyone having copied
FEWEST_OF_ARRAY = 16  # distinct weights of an array that is compared by itself
NEAR = 0.90  # cosine; independent trainings reach 0.56, copies with noise 0.99, another rate from the same seed 0.96
SOME = 0.05  # share of equal weights: independent trainings share none
SKETCH = 0.04  # relative distance at which two sketches of one array are near
PART = 0.3  # of a model's arrays whose sketches must be near; or else
MIDDLE = 0.07  # the median of their distances; independent trainings keep 0.076 or more
MAX_OF_PAIR = 40  # models of two students that are aligned, the nearest first: some 15 ms each
MAX_CANDIDATES = 5_000  # pairs of models that are aligned in all, the nearest of each two students first
SECONDS = 20  # of the processor to align two models


@dataclass(frozen=True)
class Array:
    """One array of a model's weights. digest: equal where the same numbers stand in it, in whatever order, with
    whatever signs, and whatever zeros beside them; size: how many these are.
    """

    digest: str
    size: int
    is_embedding: bool


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A model that someone handed in. `weights` are empty where it is too large to be aligned.

    structure: equal where weights hang together alike, whatever layers without weights, names and options there are.
    """

    owner: str
    file: str
    structure: str
    digest: str
    parameters: int
    arrays: tuple[Array, ...]
    weights: Weights = field(repr=False)
    layout: Layout = field(repr=False)

    @cached_property
    def sketch(self) -> list[np.ndarray]:
        """For each array of weights numbers that don't change when units are reordered or turned."""
        parts = defaultdict(list)
        for block in self.layout.blocks:
            parts[block.weight].append(axis_norms(block, self.weights[block.weight][block.cut]))
        return [np.concatenate(parts[number]) for number in sorted(parts)]


@dataclass(frozen=True)
class Match:
    """Two models that are alike; `second` is the other student's, an earlier one's or the reference's."""

    first: TrainedModel
    second: TrainedModel
    likeness: Likeness

    @property
    def is_equal(self) -> bool:
        """Whether one is the other, in its own order."""
        return self.first.digest == self.second.digest


def read_trained(owner: str, file: str, model: Model, max_kept: int = MAX_ALIGNED) -> TrainedModel | None:
    """Return the model as it is compared; None if its weights are so few that they may be set by hand.

    max_kept: the weights of a larger model are not kept, and it is not aligned.
    """
    values = [np.unique(np.abs(array)) for array in model.weights]
    if sum(map(len, values)) < FEWEST:
        return None
    embeddings = tuple(f"{layer.h5_path}/" for layer in model.plan.layers if layer.kind == "Embedding")
    arrays = tuple(
        fingerprint(array, weight.path.startswith(embeddings))
        for weight, array, distinct in zip(model.plan.weights, model.weights, values, strict=True)
        if (distinct != 0).sum() >= FEWEST_OF_ARRAY
    )
    layout = build_layout(model.plan)
    shapes = [array.shape for array in model.weights]
    described = repr((shapes, layout.blocks, layout.sizes, sorted(layout.turning), sorted(layout.fixed)))
    digest = hashlib.sha256(described.encode())
    structure = digest.hexdigest()
    for array in model.weights:
        digest.update(np.ascontiguousarray(array).data)
    parameters = model.plan.parameters
    weights = tuple(model.weights) if parameters <= min(max_kept, MAX_ALIGNED) else ()
    return TrainedModel(owner, file, structure, digest.hexdigest(), parameters, arrays, weights, layout)


def fingerprint(array: np.ndarray, is_embedding: bool) -> Array:
    """Return what an array is known by, wherever it stands and however its units are ordered."""
    values = np.abs(array[array != 0])
    values.sort()
    return Array(hashlib.sha256(values).hexdigest(), len(values), is_embedding)


def axis_norms(block: Block, array: np.ndarray) -> np.ndarray:
    """Return two norms of a block along each of its axes, sorted where units have no order.

    Two, because an orthogonal start gives each row of recurrent weights the length 1: its largest weight tells more.
    """
    array = np.abs(array.astype("float64"))
    norms: list[np.ndarray] = []
    for place, axis in enumerate(block.axes):
        rows = np.moveaxis(array, place, 0).reshape(array.shape[place], -1)
        along = [np.linalg.norm(rows, axis=1), rows.max(axis=1)]
        norms += along if axis.group is None else map(np.sort, along)
    return np.concatenate(norms) if norms else array.ravel()


def match_models(
    models: Sequence[TrainedModel], others: Sequence[TrainedModel], workers: Executor
) -> tuple[list[Match], list[str]]:
    """Return the pairs that are alike, of `models` with one another and with `others`; a line for each not compared.

    Models of one owner are not compared. workers: each aligns two models at a time, and may die of it.
    """
    by_structure: dict[str, tuple[list[TrainedModel], list[TrainedModel]]] = defaultdict(lambda: ([], []))
    for group, side in ((models, 0), (others, 1)):
        for model in group:
            by_structure[model.structure][side].append(model)
    matches, near = [], []
    for ours, theirs in by_structure.values():
        for first, second, distance in candidates(ours, [*ours, *theirs]):
            if first.digest == second.digest:
                matches.append(Match(first, second, Likeness(1.0, 1.0, False)))
            else:
                near.append((distance, first, second))
    nearest, skipped = limit_pairs(near)
    futures = [
        workers.submit(align, first.layout, first.weights, second.weights) for first, second in nearest
    ]
    for (first, second), future in zip(nearest, futures, strict=True):
        try:
            like = future.result()
        except CancelledError:
            raise
        except Exception as error:  # of any kind: it is no reason to compare no others
            which = f"{first.file} of {first.owner} and {second.file} of {second.owner}"
            skipped.append(sanitize(f"{which} are not compared: {describe_error(error)}"))
            continue
        if like.cosine >= NEAR or like.equal >= SOME:
            matches.append(Match(first, second, like))
    matches.sort(
        key=lambda match: (
            -match.likeness.equal, -match.likeness.cosine,
            match.first.owner, match.first.file, match.second.owner, match.second.file,
        )
    )  # fmt: skip
    return matches, skipped


def align(is_reader: bool | None, layout: Layout, ours: Weights, theirs: Weights) -> Likeness:
    """Return how alike two models are; the task of a worker."""
    if is_reader:
        limit_processor(SECONDS)
    return likeness(layout, ours, theirs)


def limit_pairs(
    near: list[tuple[float, TrainedModel, TrainedModel]],
) -> tuple[list[tuple[TrainedModel, TrainedModel]], list[str]]:
    """Return the pairs of models to be aligned, and a line on each two students of whom there are too many.

    The nearest pairs of each two students come first: nobody's copies keep others' from being compared.
    """
    turns: Counter[tuple[str, str]] = Counter()
    queue = []
    for distance, first, second in sorted(near, key=lambda pair: (pair[0], pair[1].file, pair[2].file)):
        people = first.owner, second.owner
        turns[people] += 1
        if turns[people] <= MAX_OF_PAIR:
            queue.append((turns[people], distance, people, first, second))
    lines = [
        sanitize(
            f"{people[0]} and {people[1]}: {count} pairs of models are near; {MAX_OF_PAIR} are compared."
        )
        for people, count in sorted(turns.items())
        if count > MAX_OF_PAIR
    ]
    queue.sort(key=lambda pair: (*pair[:3], pair[3].file, pair[4].file))
    if len(queue) > MAX_CANDIDATES:
        lines.append(f"{len(queue):,} pairs of models are near; the nearest {MAX_CANDIDATES:,} are compared.")
    return [pair[3:] for pair in queue[:MAX_CANDIDATES]], lines


def candidates(
    ours: list[TrainedModel], everyone: list[TrainedModel]
) -> Iterator[tuple[TrainedModel, TrainedModel, float]]:
    """Yield the pairs of models of one structure that are equal or may be alike, with their distance."""
    by_digest = defaultdict(list)
    for place, model in enumerate(everyone):
        by_digest[model.digest].append(place)
    for place, model in enumerate(ours):
        for other in by_digest[model.digest]:
            if other > place and everyone[other].owner != model.owner:
                yield model, everyone[other], 0.0
    ours, everyone = ([model for model in group if model.weights] for group in (ours, everyone))
    if not ours:
        return
    near, distance = nearness(ours, everyone)
    for i, j in np.argwhere((near >= PART) | (distance < MIDDLE)):
        first, second = everyone[i], everyone[j]
        if i < j and first.owner != second.owner and first.digest != second.digest:
            yield first, second, float(distance[i, j])


def nearness(ours: list[TrainedModel], everyone: list[TrainedModel]) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of arrays whose sketches are near, by count or weights, and distances: both (ours, everyone)."""
    sizes = np.array([array.size for array in ours[0].weights], float)
    several = sizes > 1  # a single number is near many
    apart = np.stack([distances(number, ours, everyone) for number in np.flatnonzero(several).tolist()])
    close = (apart < SKETCH).astype(float)
    sizes = sizes[several] / sizes[several].sum()
    share = np.maximum(close.mean(axis=0), np.tensordot(sizes, close, 1))
    return share, np.median(apart, axis=0)


def distances(number: int, ours: list[TrainedModel], everyone: list[TrainedModel]) -> np.ndarray:
    """Return how far apart the sketches of one array are, relative to their length: (ours, everyone)."""
    x, y = (np.stack([model.sketch[number] for model in group]) for group in (ours, everyone))
    lengths = np.maximum.outer(np.linalg.norm(x, axis=1), np.linalg.norm(y, axis=1))
    return cdist(x, y) / np.maximum(lengths, 1e-12)
