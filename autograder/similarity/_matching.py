"""Two models with their hidden units brought into one order, and how alike their weights then are.

The order is found as in "Git Re-Basin" (Ainsworth, Hayase, Srinivasa 2023): one group of units after another is
assigned to the other model's so that the weights agree best, until no group moves.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from autograder.similarity._permutations import Block, Layout

MAX_ROUNDS = 6  # copies settle in two or three, strangers may never
FOUND = 0.98  # cosine from which no better start is looked for
MIN_COSINE = 0.6  # cosine below which no more rounds are spent after the first two
Weights = tuple[np.ndarray, ...]


@dataclass
class UnitOrder:
    """For each group of units: which of the other model's stands in each place, and with which sign."""

    places: dict[int, np.ndarray]
    signs: dict[int, np.ndarray]
    settled: set[int] = field(default_factory=set)

    @property
    def moves(self) -> bool:
        """Whether it is another order than that of the files."""
        return any(
            (place != np.arange(len(place))).any() or (self.signs[group] < 0).any()
            for group, place in self.places.items()
        )


@dataclass(frozen=True)
class Likeness:
    """cosine: of all weights, in the best order found; equal: the share of weights that are the same to the last bit
    (of those that are neither 0 nor 1); moved: whether units had to be reordered or turned for it.
    """

    cosine: float
    equal: float
    moved: bool


def likeness(layout: Layout, ours: Weights, theirs: Weights) -> Likeness:
    """Return how alike two models of one layout are. The better of two starts counts: the files' order, and none."""
    results = []
    for keeps_order in (True, False):
        order = start(layout, keeps_order)
        settle(layout, ours, theirs, order, 2)
        results.append(measure_likeness(layout, ours, theirs, order))
        if MIN_COSINE <= results[-1].cosine < FOUND or results[-1].equal:
            settle(layout, ours, theirs, order, MAX_ROUNDS)
            results.append(measure_likeness(layout, ours, theirs, order))
        if results[-1].cosine >= FOUND:
            break
    return max(results, key=lambda match: (match.equal, match.cosine))


def start(layout: Layout, keeps_order: bool) -> UnitOrder:
    places = {group: np.arange(layout.sizes[group]) for group in layout.groups}
    signs = {group: np.ones(layout.sizes[group], "float32") for group in layout.groups}
    return UnitOrder(places, signs, set(layout.groups) if keeps_order else set())


def settle(layout: Layout, ours: Weights, theirs: Weights, order: UnitOrder, rounds: int) -> None:
    """Assign the groups in turn until none moves."""
    for _ in range(rounds):
        moved = [assign(layout, group, ours, theirs, order) for group in layout.groups]
        if not any(moved):
            return


def assign(layout: Layout, group: int, ours: Weights, theirs: Weights, order: UnitOrder) -> bool:
    """Put the units of a group into the order that agrees best, other groups unchanged; return True if it moved."""
    even, odd = agreement(layout, group, ours, theirs, order)
    rows, place = linear_sum_assignment(even + np.abs(odd), maximize=True)
    sign = np.where(odd[rows, place] < 0, -1, 1).astype("float32")
    same = (place == order.places[group]).all() and (sign == order.signs[group]).all()
    moved = group not in order.settled or not same
    order.places[group], order.signs[group] = place, sign
    order.settled.add(group)
    return moved


def agreement(
    layout: Layout, group: int, ours: Weights, theirs: Weights, order: UnitOrder
) -> tuple[np.ndarray, np.ndarray]:
    """Return how well each of our units agrees with each of theirs, without and with its sign: two (units, units).

    Along a group that is not settled yet, weights are compared by their sorted amounts.
    """
    size = layout.sizes[group]
    even, odd = np.zeros((size, size)), np.zeros((size, size))
    for block in layout.blocks:
        for place, axis in enumerate(block.axes):
            if axis.group == group:
                mine, other = sides(layout, block, place, ours, theirs, order)
                turns = axis.odd and group in layout.turning
                if is_waiting(block, place, order, layout):
                    mine, other, turns = np.sort(np.abs(mine)), np.sort(np.abs(other)), False
                (odd if turns else even)[...] += mine @ other.T
    return even, odd


def sides(
    layout: Layout, block: Block, place: int, ours: Weights, theirs: Weights, order: UnitOrder
) -> tuple[np.ndarray, np.ndarray]:
    """Return a block of both models, (units, rest), the units along axis `place` in each file's own order."""
    mine = np.moveaxis(ours[block.weight][block.cut], place, 0)
    other = np.moveaxis(permute_block(layout, block, theirs, order, place), place, 0)
    return mine.reshape(len(mine), -1), other.reshape(len(other), -1)


def is_waiting(block: Block, place: int, order: UnitOrder, layout: Layout) -> bool:
    """Return True if another axis of the block is not settled yet."""
    others = (axis.group for number, axis in enumerate(block.axes) if number != place)
    return any(group is not None and group not in order.settled for group in others)


def permute_block(
    layout: Layout, block: Block, weights: Weights, order: UnitOrder, but: int = -1
) -> np.ndarray:
    """Return a block with its units in the order found, but for the axis `but`."""
    array = weights[block.weight][block.cut]
    for place, (group, odd) in enumerate(block.axes):
        if group is not None and place != but:
            array = np.take(array, order.places[group], axis=place)
            if odd and group in layout.turning:
                shape = [-1 if axis == place else 1 for axis in range(array.ndim)]
                array = array * order.signs[group].reshape(shape)
    return array


def measure_likeness(layout: Layout, ours: Weights, theirs: Weights, order: UnitOrder) -> Likeness:
    product = squares = other_squares = counted = equal = 0.0
    for block in layout.blocks:
        mine = ours[block.weight][block.cut].astype("float64")
        other = permute_block(layout, block, theirs, order).astype("float64")
        product += (mine * other).sum()
        squares, other_squares = squares + (mine**2).sum(), other_squares + (other**2).sum()
        counts = (mine != 0) & (np.abs(mine) != 1)
        counted, equal = counted + counts.sum(), equal + (counts & (mine == other)).sum()
    length = np.sqrt(squares * other_squares)
    return Likeness(float(product / length) if length else 0.0, float(equal / max(counted, 1)), order.moves)
