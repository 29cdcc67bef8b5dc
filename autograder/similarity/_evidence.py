"""What is laid before a person: two submissions, what is alike, how strongly it speaks, how else to read it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from autograder.similarity._code import Passage, TextMatch
from autograder.similarity._submissions import Work
from autograder.similarity._weights import Match

STRENGTHS = ("strong", "middle", "weak")
NEARLY_EQUAL = 0.98  # cosine
MOVED = 0.3  # share of equal weights from which on another order of units is no chance
PARTS = (
    "Both set the same seed, yet training moves every layer but a frozen one, and every word that occurs: equal parts"
    " come from a common start only where nothing was learned."
)
OTHER_SEEDS = "Their notebooks set other seeds, which lead to other weights: ask both to train again."
SAME_SEED = (
    "Both set the same seed: another number of epochs or another rate leads to weights as near as these."
)
OTHER_CODE = (
    "Both set the same seed, but their code is not the same: equal only if what trains this model is."
)
SAME_CODE = "Both set the same seed and have the same code: it gives the same weights on like machines."


@dataclass(frozen=True)
class Finding:
    """One kind of likeness of two submissions, for a person to judge; it is never a mark.

    kind: weights, arrays, tables, cells, code or words; measure: from 0 to 1; says: what is alike, in a sentence;
    reading: how it may have come about.
    """

    kind: str
    strength: str
    first: str
    second: str
    measure: float
    says: str
    reading: str
    passages: tuple[Passage, ...] = ()


@dataclass(frozen=True)
class Findings:
    """All of a class, the strongest first; what so many have in common that it tells nothing; what was not compared."""

    assignment: str
    submissions: int
    others: int
    found: tuple[Finding, ...] = ()
    common: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def most_in_common(submissions: int) -> int:
    """Return how many students may share a thing before it stops being evidence: a fifth, at least three."""
    return max(3, ceil(submissions / 5))


def weight_findings(match: Match, first: Work, second: Work) -> Finding:
    """Return what equal or nearly equal weights say, by the seeds and the code beside them."""
    like = match.likeness
    moved = like.moved and (like.cosine >= NEARLY_EQUAL or like.equal >= MOVED)
    strength, reading = reading_of_weights(match, moved, first, second)
    return Finding(
        "weights",
        strength,
        first.owner,
        second.owner,
        max(like.cosine, like.equal),
        describe_likeness(match),
        reading,
    )


def describe_likeness(match: Match) -> str:
    """Return what two models have in common."""
    first, second, like = match.first.file, match.second.file, match.likeness
    files = f"{first} of both" if first == second else f"{first} and {second}"
    if match.is_equal:
        return f"The weights of {files} are the same to the last bit."
    if like.equal == 1:
        return f"The weights of {files} are the same to the last bit, with hidden units reordered or turned."
    if like.equal >= MOVED:
        return f"{like.equal:.0%} of the weights of {files} are the same to the last bit; the others differ."
    return f"The weights of {files} are nearly the same (cosine {like.cosine:.4f})."


def merge_by_pair(findings: list[Finding]) -> list[Finding]:
    """Return the findings about weights, those of one pair that are to be read alike merged."""
    groups = defaultdict(list)
    for finding in findings:
        groups[finding.first, finding.second, finding.strength, finding.reading].append(finding)
    return [
        replace(many[0], says=join_sentences([finding.says for finding in many])) for many in groups.values()
    ]


def join_sentences(sentences: list[str]) -> str:
    rest = [f"So it is with {len(sentences) - 4} more."] if len(sentences) > 4 else []
    return " ".join([*sentences[:4], *rest])


def reading_of_weights(match: Match, moved: bool, first: Work, second: Work) -> tuple[str, str]:
    """Return how strongly a match speaks, and how it may have come about."""
    if moved and not match.is_equal:
        return "strong", "Training does not reorder units: one was made from the other, or both from a third."
    if not (first.seeds and second.seeds):
        return "middle", "Of one at least no seed is known: ask both to train again."
    if not first.seeds & second.seeds:
        return "strong", OTHER_SEEDS
    if not match.is_equal:
        return ("middle", PARTS) if match.likeness.equal >= MOVED else ("weak", SAME_SEED)
    return ("weak", SAME_CODE) if first.code.digest == second.code.digest else ("middle", OTHER_CODE)


def text_findings(alike: TextMatch, kind: str) -> Finding:
    """Return what code or words in common say."""
    amount = f"{alike.symbols} {'symbols of code' if kind == 'code' else 'words'}"
    says = f"{alike.share:.0%} of what the shorter one wrote alone is alike: {amount}."
    many = alike.symbols >= (300 if kind == "code" else 60)
    strength = "weak" if alike.share < 0.7 else "strong" if alike.share >= 0.9 and many else "middle"
    reading = "Names, numbers and texts may differ; a short task has few ways to be solved: read the lines."
    if kind == "words":
        reading = "A definition may be quoted by both from the same page: read the lines."
    return Finding(
        kind, strength, alike.first.owner, alike.second.owner, alike.share, says, reading, alike.passages
    )


def cell_findings(works: Sequence[Work], others: Sequence[Work], starter: Work, most: int) -> list[Finding]:
    """Return pairs of notebooks that hold cells of one origin: a cell keeps the id that was drawn when it was added."""
    holders = defaultdict(list)
    for place, work in enumerate((*works, *others)):
        for identity, source in work.cells.items():
            if identity not in starter.cells and source not in starter.cells.values():
                holders[identity].append(place)
    shared = defaultdict(list)
    for identity, places in holders.items():
        if 1 < len(places) <= most:
            for i in places:
                for j in (j for j in places if i < j and i < len(works)):
                    shared[i, j].append(identity)
    everyone = (*works, *others)
    return [
        cell_finding(everyone[i], everyone[j], ids) for (i, j), ids in sorted(shared.items()) if len(ids) > 1
    ]


def cell_finding(first: Work, second: Work, ids: list[str]) -> Finding:
    says = f"{len(ids)} cells that are not in the starter carry the same id in both notebooks."
    reading = "The id of a cell is drawn by chance when it is added: these cells were passed on as a file."
    passages = tuple(
        Passage(1, 1, tuple(first.cells[cell_id].splitlines()), tuple(second.cells[cell_id].splitlines()))
        for cell_id in ids
    )
    return Finding("cells", "strong", first.owner, second.owner, 1.0, says, reading, passages)


def exclude_crowds(findings: list[Finding], most: int, students: set[str]) -> tuple[list[Finding], list[str]]:
    """Return the findings about weights without those shared by crowds; a line for each such crowd.

    A strong one stays, however many there are.
    """
    strong = [finding for finding in findings if finding.strength == "strong"]
    rest = [finding for finding in findings if finding.strength != "strong"]
    crowds, lines = [group for group in connected_groups(rest) if len(students & set(group)) > most], []
    for names in crowds:
        lines.append(f"{len(names)} handed in models with equal or nearly equal weights: {', '.join(names)}.")
    members = set().union(*crowds) if crowds else set()
    return merge_by_pair([*strong, *(finding for finding in rest if finding.first not in members)]), lines


def connected_groups(findings: list[Finding]) -> list[list[str]]:
    """Return the groups of people whom these findings join."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    names = sorted({name for finding in findings for name in (finding.first, finding.second)})
    if not names:
        return []
    at = {name: place for place, name in enumerate(names)}
    rows, columns = ([at[getattr(finding, side)] for finding in findings] for side in ("first", "second"))
    table = csr_array((np.ones(len(findings)), (rows, columns)), shape=(len(names), len(names)))
    count, groups = connected_components(table, directed=False)
    return [[name for name in names if groups[at[name]] == group] for group in range(count)]
