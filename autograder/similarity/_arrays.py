"""Single arrays of weights that two students hand in alike, whatever model stands around them.

A layer that does nothing, another wrapper, a renamed layer or units in another order don't change what an array is
known by (see `weights.Array`).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from autograder.similarity._evidence import MOVED, Finding, merge_by_pair
from autograder.similarity._submissions import Work
from autograder.similarity._weights import Array, Match, TrainedModel

VECTORS = (
    "All of them are embeddings: both may have loaded the same vectors, such as GloVe's, and kept them frozen. Look"
    " at whether both notebooks load them."
)
UNKNOWN_SEED = (
    "Frozen layers that load the same numbers, or start from the same seed, are equal as well. Of one notebook at"
    " least no seed is known: ask both to train again."
)
OTHER_SEEDS = (
    "Their notebooks set other seeds, which lead to other weights, unless a layer loads numbers or its initializer has"
    " a seed of its own: look at what these layers start from, and ask both to train again."
)
SAME_SEED = "Both set the same seed: a layer that was never trained is then equal for both. Look at whether these were."


def shared_arrays(
    works: Sequence[Work], others: Sequence[Work], compared: Iterable[Match], most: int
) -> tuple[list[Finding], list[str]]:
    """Return what arrays of weights two students share, and a line on those that so many share that it says nothing.

    Args:
        works: the class.
        others: earlier classes and the reference.
        compared: models that are alike as a whole; nothing more is said of these.
        most: how many students of the class may share an array before it is evidence of nothing.
    """
    everyone, holders = [*works, *others], defaultdict(list)
    for place, work in enumerate(everyone):
        for model in work.models:
            for array in {array.digest: array for array in model.arrays}.values():
                holders[array.digest].append((place, model, array))
    compared_pairs = {frozenset((match.first, match.second)) for match in compared}
    shared, common = defaultdict(list), 0
    for _, held in sorted(holders.items()):
        if len({place for place, _, _ in held if place < len(works)}) > most:
            common += len({model.digest for _, model, _ in held}) > 1
            continue
        for number, (i, first, array) in enumerate(held):
            for j, second, _ in held[number + 1 :]:
                if i < len(works) and i != j and frozenset((first, second)) not in compared_pairs:
                    shared[i, j, first, second].append(array)
    findings = [
        array_findings(everyone[i], everyone[j], first, second, arrays)
        for (i, j, first, second), arrays in shared.items()
    ]
    count = "1 array of weights is" if common == 1 else f"{common} arrays of weights are each"
    lines = [f"{count} in models of more than {most} students."] if common else []
    return merge_by_pair(findings), lines


def array_findings(
    first: Work, second: Work, mine: TrainedModel, other: TrainedModel, arrays: list[Array]
) -> Finding:
    """Return what the arrays say that stand in these two models."""
    share = min(1.0, sum(array.size for array in arrays) / min(mine.parameters, other.parameters))
    count = f"{len(arrays)} arrays" if len(arrays) > 1 else "1 array"
    says = (
        f"{count} of weights in {mine.file} and {other.file} hold the same numbers to the last bit: {share:.0%} of the"
        " weights of the smaller model. Layers, names, options, and the order and signs of units may differ."
    )
    strength, reading = "middle", SAME_SEED
    if all(array.is_embedding for array in arrays):
        strength, reading = "weak", VECTORS
    elif not (first.seeds and second.seeds):
        reading = UNKNOWN_SEED
    elif not first.seeds & second.seeds:
        strength, reading = "strong" if share >= MOVED else "middle", OTHER_SEEDS
    return Finding("arrays", strength, first.owner, second.owner, share, says, reading)
