"""Mutation of the reference: what a region's stub loses, and that it loses nothing else.

For each item, everything that it does not rest on is replaced by its stub at once: it must not lose by that. Then
each region in turn: every item that rests on it must lose. What an item rests on follows from what it was seen to
ask of the perfect specimen, and from the reference's syntax tree.
"""

import shutil
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from autograder.course import Assignment
from autograder.notebooks import Region, write_notebook
from autograder.rubric import Score
from autograder.verify.bench import Asks, Bench
from autograder.verify.regions import Reference
from autograder.verify.rooms import PERFECT
from autograder.verify.specimens import KNOWN, is_lost


@dataclass(frozen=True)
class Mutation:
    """The map from each region to the items that its stub loses, and what is wrong with it."""

    lost: dict[str, tuple[str, ...]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def mutate(bench: Bench, slug: str, scores: dict[str, Score], asks: Asks, trainings: dict) -> Mutation:
    """Tries the stubs. scores, asks: of the perfect specimen, as `Bench.observed` gives them."""
    bench.grader(slug).trainings.update(trainings)
    assignment = bench.course.assignment(slug)
    reference = Reference(assignment.reference.read_text(encoding="utf-8"), str(assignment.reference))
    needs = {name: rests_on(reference, asks[name]) for name, score in scores.items() if not is_lost(score)}
    lost, problems = {}, [*leaks(bench, assignment, reference, needs)]
    for region in sorted(reference.labels):
        items = {name for name in needs if region in needs[name]}
        gone = without(bench, assignment, reference, region, items)
        lost[reference.called(region)] = tuple(name for name in needs if name in gone)
        problems += (
            f"{name} rests on {reference.called(region)}, and earns full marks with a stub in its place"
            for name in sorted(items - gone)
        )
    return Mutation(lost, tuple(problems))


def rests_on(reference: Reference, asked: Collection[tuple[str, str]]) -> frozenset[Region]:
    """The regions that an item rests on, from what it asked of the submission."""
    of = {"file": reference.of_file, "name": reference.of_name, "answer": reference.of_answer}
    return frozenset(region for kind, name in asked for region in of[kind](name))


def leaks(
    bench: Bench, assignment: Assignment, reference: Reference, needs: dict[str, frozenset[Region]]
) -> Iterator[str]:
    """The items that lose by stubs they don't rest on."""
    alike = defaultdict(set)
    for name, regions in needs.items():
        alike[regions].add(name)
    for regions, names in alike.items():
        with stubbed(assignment, reference, regions) as folder:
            scores = bench.scores(assignment.slug, folder, PERFECT, names=names)
        known = ", ".join(map(reference.called, sorted(regions))) or "no region"
        for name, score in scores.items():
            if is_lost(score):
                yield f"{name} rests on more than {known}: a stub elsewhere loses it: {score.message}"


def without(
    bench: Bench, assignment: Assignment, reference: Reference, region: Region, items: set[str]
) -> set[str]:
    """Those of the items that are lost with a stub in the region's place."""
    if not items:
        return set()
    with stubbed(assignment, reference, set(reference.labels) - {region}) as folder:
        scores = bench.scores(assignment.slug, folder, PERFECT, names=items)
    return {name for name, score in scores.items() if is_lost(score)}


@contextmanager
def stubbed(assignment: Assignment, reference: Reference, keep: Collection[Region]) -> Iterator[Path]:
    """A folder with the perfect specimen as it would be with stubs for all regions but those to `keep`."""
    with TemporaryDirectory() as folder:
        write_notebook(Path(folder) / f"{assignment.slug}.ipynb", *reference.stubbed(keep))
        for file in (assignment.specimens / PERFECT).iterdir():
            if file.suffix != ".ipynb" and file.name != KNOWN and reference.of_file(file.name) <= set(keep):
                shutil.copy(file, folder)
        yield Path(folder)
