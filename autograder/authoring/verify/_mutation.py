"""Mutation of the reference: what a region's stub loses, and that it loses nothing else.

Each region in turn gets its stub, and the items that may rest on it are tried: which may follows from what an item
was seen to ask of the perfect test submission, and from the reference's syntax tree. One that asks for the very
function, constant, answer or file must lose. Then, for each item, all regions get their stubs but those that lost it:
it must not lose by that.
"""

import shutil
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from autograder.authoring import Region, write_notebook
from autograder.authoring.verify._layout import PERFECT
from autograder.authoring.verify._regions import Reference
from autograder.authoring.verify._test_submissions import KNOWN, is_lost, is_waiting
from autograder.authoring.verify._workers import Asks, VerifyWorker
from autograder.core import Assignment
from autograder.rubric import Score


@dataclass(frozen=True)
class Mutation:
    """The map from each region to the items that its stub loses, and what is wrong with it."""

    lost: dict[str, tuple[str, ...]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def mutate(bench: VerifyWorker, slug: str, scores: dict[str, Score], asks: Asks, trainings: dict) -> Mutation:
    """Try the stubs. scores, asks: of the perfect test submission, as `Bench.observed` gives them."""
    bench.grader(slug).trainings.update(trainings)
    assignment = bench.course.assignment(slug)
    reference = Reference(assignment.reference.read_text(encoding="utf-8"), str(assignment.reference))
    won = [name for name, score in scores.items() if not (is_lost(score) or is_waiting(score))]
    lost = {}
    problems: list[str] = []
    for region in sorted(reference.labels):
        named = {name for name in won if region in rests_on(reference, asks[name], directly=True)}
        items = {name for name in won if region in rests_on(reference, asks[name])}
        gone = mutated_folder(bench, assignment, reference, region, items)
        lost[region] = tuple(name for name in won if name in gone)
        problems += (
            f"{name} asks for what {reference.called(region)} makes, and earns full marks with a stub in its place"
            for name in sorted(named - gone)
        )
    needs = {name: frozenset(region for region in lost if name in lost[region]) for name in won}
    problems += leaks(bench, assignment, reference, needs)
    return Mutation({reference.called(region): names for region, names in lost.items()}, tuple(problems))


def rests_on(
    reference: Reference, asked: Collection[tuple[str, str]], directly: bool = False
) -> frozenset[Region]:
    """Return the regions that an item may rest on, from what it asked of the submission."""
    of = {
        "file": reference.of_file,
        "name": reference.in_name if directly else reference.of_name,
        "answer": reference.of_answer,
    }
    return frozenset(region for kind, name in asked for region in of[kind](name))


def leaks(
    bench: VerifyWorker, assignment: Assignment, reference: Reference, needs: dict[str, frozenset[Region]]
) -> Iterator[str]:
    """Return the items that lose by stubs they don't rest on."""
    alike = defaultdict(set)
    for name, regions in needs.items():
        alike[regions].add(name)
    for regions, names in alike.items():
        with score_stubs(assignment, reference, regions) as folder:
            scores = bench.scores(assignment.slug, folder, PERFECT, names=names)
        known = ", ".join(map(reference.called, sorted(regions))) or "no region"
        for name, score in scores.items():
            if is_lost(score):
                yield f"{name} rests on more than {known}: stubs elsewhere lose it: {score.message}"


def mutated_folder(
    bench: VerifyWorker, assignment: Assignment, reference: Reference, region: Region, items: set[str]
) -> set[str]:
    """Those of the items that are lost with a stub in the region's place."""
    if not items:
        return set()
    with score_stubs(assignment, reference, set(reference.labels) - {region}) as folder:
        scores = bench.scores(assignment.slug, folder, PERFECT, names=items)
    return {name for name, score in scores.items() if is_lost(score)}


@contextmanager
def score_stubs(assignment: Assignment, reference: Reference, keep: Collection[Region]) -> Iterator[Path]:
    """Yield a folder with the perfect test submission, with stubs for all regions but those to `keep`."""
    with TemporaryDirectory() as folder:
        write_notebook(Path(folder) / f"{assignment.slug}.ipynb", *reference.stubbed(keep))
        for file in (assignment.test_submissions / PERFECT).iterdir():
            if file.suffix != ".ipynb" and file.name != KNOWN and reference.of_file(file.name) <= set(keep):
                shutil.copy(file, folder)
        yield Path(folder)
