"""Models that were trained once and handed in twice: equal weights, equal weights in another order, nearly equal ones.

All pairs are compared by a sketch that no reordering changes; only those whose sketches are near are aligned.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.spatial.distance import cdist

from autograder.integrity.alignment import Likeness, Weights, likeness
from autograder.integrity.units import Block, Layout, layout
from autograder.models import Model

MOST_ALIGNED = 300_000  # parameters; larger models are compared for equality alone
FEWEST = 50  # distinct weights: those that people set by hand agree without anyone having copied
NEAR = 0.90  # cosine; independent trainings reach 0.56, copies with noise 0.99, another rate from the same seed 0.96
SOME = 0.05  # share of equal weights: independent trainings share none
SKETCH = 0.04  # relative distance at which two sketches of one array are near
PART = 0.3  # of a model's arrays whose sketches must be near; or else
MIDDLE = 0.07  # the median of their distances; independent trainings keep 0.076 or more
MOST_CANDIDATES = 1_000  # aligned, of the models of one plan, the nearest first: some 15 ms each


@dataclass(frozen=True, eq=False)
class Trained:
    """A model that someone handed in. `weights` are empty where it is too large to be aligned."""

    owner: str
    file: str
    signature: str
    digest: str
    weights: Weights = field(repr=False)
    layout: Layout = field(repr=False)

    @cached_property
    def sketch(self) -> list[np.ndarray]:
        """For each array of weights numbers that don't change when units are reordered or turned."""
        parts = defaultdict(list)
        for block in self.layout.blocks:
            parts[block.weight].append(outline(block, self.weights[block.weight][block.cut]))
        return [np.concatenate(parts[number]) for number in sorted(parts)]


@dataclass(frozen=True)
class Match:
    """Two models that are alike; `second` is the other student's, an earlier one's or the reference's."""

    first: Trained
    second: Trained
    likeness: Likeness

    @property
    def is_equal(self) -> bool:
        """Whether one is the other, in its own order."""
        return self.first.digest == self.second.digest


def trained(owner: str, file: str, model: Model, layouts: dict[str, Layout]) -> Trained | None:
    """The model as it is compared; None where its weights are so few that they may be set by hand.

    layouts: by the plan's signature, as far as they are known; another is added.
    """
    weights = tuple(model.weights)
    if sum(len(np.unique(np.abs(array))) for array in weights) < FEWEST:
        return None
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in weights)).hexdigest()
    signature = model.plan.signature
    if signature not in layouts:
        layouts[signature] = layout(model.plan)
    kept = weights if model.plan.parameters <= MOST_ALIGNED else ()
    return Trained(owner, file, signature, f"{signature} {digest}", kept, layouts[signature])


def outline(block: Block, array: np.ndarray) -> np.ndarray:
    """Two norms of a block along each of its axes, in order of size where units have no order.

    Two, because an orthogonal start gives each row of recurrent weights the length 1: its largest weight tells more.
    """
    array, norms = np.abs(array.astype("float64")), []
    for place, axis in enumerate(block.axes):
        rows = np.moveaxis(array, place, 0).reshape(array.shape[place], -1)
        along = [np.linalg.norm(rows, axis=1), rows.max(axis=1)]
        norms += along if axis.group is None else map(np.sort, along)
    return np.concatenate(norms) if norms else array.ravel()


def matches(models: Sequence[Trained], others: Sequence[Trained]) -> list[Match]:
    """The pairs that are alike, the models' with one another and with `others`, each owner's own left out."""
    by_signature = defaultdict(lambda: ([], []))
    for group, side in ((models, 0), (others, 1)):
        for model in group:
            by_signature[model.signature][side].append(model)
    found = (match for ours, theirs in by_signature.values() for match in matches_of_one(ours, theirs))
    return sorted(found, key=lambda match: (-match.likeness.equal, -match.likeness.cosine, names(match)))


def matches_of_one(ours: list[Trained], others: list[Trained]) -> Iterable[Match]:
    """The pairs among models of one plan."""
    everyone = [*ours, *others]
    for first, second in candidates(ours, everyone):
        first, second = everyone[first], everyone[second]
        if first.digest == second.digest:
            yield Match(first, second, Likeness(1.0, 1.0, False))
        elif first.weights:
            like = likeness(first.layout, first.weights, second.weights)
            if like.cosine >= NEAR or like.equal >= SOME:
                yield Match(first, second, like)


def candidates(ours: list[Trained], everyone: list[Trained]) -> list[tuple[int, int]]:
    """Pairs that may be alike, by place: equal ones, and those of near sketches, the nearest first."""
    if not ours:
        return []
    near, distance = nearness(ours, everyone)
    owners, digests = ([getattr(one, name) for one in everyone] for name in ("owner", "digest"))
    pairs = [
        (int(i), int(j))
        for i, j in np.argwhere((near >= PART) | (distance < MIDDLE))
        if i < j and owners[i] != owners[j]
    ]
    equal = [pair for pair in pairs if digests[pair[0]] == digests[pair[1]]]
    rest = sorted(set(pairs) - set(equal), key=lambda pair: (distance[pair], pair))
    return [*equal, *rest[:MOST_CANDIDATES]]


def nearness(ours: list[Trained], everyone: list[Trained]) -> tuple[np.ndarray, np.ndarray]:
    """Two arrays (ours, everyone): the share of arrays whose sketches are near, by count or by weights; distances."""
    if not ours[0].weights:
        same = np.array([[one.digest == other.digest for other in everyone] for one in ours], float)
        return same, 1 - same
    sizes = np.array([array.size for array in ours[0].weights], float)
    several = sizes > 1  # a single number is near many
    apart = np.stack([distances(number, ours, everyone) for number in np.flatnonzero(several)])
    close = (apart < SKETCH).astype(float)
    sizes = sizes[several] / sizes[several].sum()
    share = np.maximum(close.mean(axis=0), np.tensordot(sizes, close, 1))
    return share, np.median(apart, axis=0)


def distances(number: int, ours: list[Trained], everyone: list[Trained]) -> np.ndarray:
    """How far apart the sketches of one array are, relative to their length: (ours, everyone)."""
    x, y = (np.stack([one.sketch[number] for one in group]) for group in (ours, everyone))
    lengths = np.maximum.outer(np.linalg.norm(x, axis=1), np.linalg.norm(y, axis=1))
    return cdist(x, y) / np.maximum(lengths, 1e-12)


def names(match: Match) -> tuple[str, ...]:
    return match.first.owner, match.first.file, match.second.owner, match.second.file
