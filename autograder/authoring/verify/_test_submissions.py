"""Specimens: submissions that earn known marks for known reasons."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

from autograder.authoring.verify._layout import PERFECT, STARTER, entries
from autograder.authoring.verify._workers import Asks, VerifyWorker
from autograder.core import Assignment
from autograder.rubric import Score

TOLERANCE = (
    0.05  # points: one prediction of a thousand may fall on the other side of 0.5 on another processor
)
KNOWN = "specimen.toml"
TO_READ = "to read"  # in place of marks: an answer in own words, which the grader leaves to a person


def grade_specimen(bench: VerifyWorker, slug: str, name: str, trainings: dict) -> dict[str, Score]:
    """Return the scores of a specimen, by item. trainings: what the reference's gave, for those that are equal."""
    bench.grader(slug).trainings.update(trainings)
    return bench.scores(slug, bench.course.assignment(slug).specimens / name, name)


def grade_perfect(bench: VerifyWorker, slug: str) -> tuple[dict[str, Score], Asks, dict]:
    """Return the scores of the perfect specimen, what each item asked of it, and the trainings that this took."""
    folder = bench.course.assignment(slug).specimens / PERFECT
    return *bench.observed(slug, folder, PERFECT), bench.grader(slug).trainings


def specimens(assignment: Assignment) -> list[str]:
    """Return the names of an assignment's specimens."""
    return sorted(path.name for path in entries(assignment.specimens) if path.is_dir())


def check_specimen(scores: dict[str, Score], known: Path) -> Iterator[str]:
    """Return a specimen's marks and messages against its `specimen.toml`; `others = "full"` there spares a long list.

    Two numbers stand for all marks between them: what a training half learns depends on a processor's rounding.
    """
    if not known.is_file():
        yield f"{known} is missing: it says which marks the specimen is known to earn"
        return
    expected = tomllib.loads(known.read_text(encoding="utf-8"))
    marks, says = expected.get("marks", {}), expected.get("says", {})
    yield from (f"{known} names {name}, which is no item" for name in sorted({*marks, *says} - set(scores)))
    if expected.get("others") == "full":
        marks = {name: max_score(score) for name, score in scores.items()} | marks
    for name, score in scores.items():
        if is_waiting(score):
            continue
        if name not in marks:
            yield f"{name} is missing from [marks]; it earned {score.earned}"
        elif not is_known(score, marks[name]):
            yield f"{name} earned {score.earned}, known marks are {marks[name]}: {score.message}"
        if says.get(name, "") not in f"{score.message} {score.hint}":
            yield f"{name} should say {says[name]!r}, it says: {score.message} {score.hint}"


def max_score(score: Score) -> float | str:
    """Return the most that the grader alone can give."""
    return TO_READ if score.outcome == "unread" else score.possible


def is_known(score: Score, marks: float | list[float] | str) -> bool:
    """Whether marks are those that are known, or between the two that are."""
    if TO_READ in (marks, max_score(score)):
        return marks == max_score(score)
    least, most = marks if isinstance(marks, list) else (marks, marks)
    return score.earned is not None and least - TOLERANCE <= score.earned <= most + TOLERANCE


def is_lost(score: Score) -> bool:
    """Whether an item earned less than the grader alone can give."""
    return not (score.is_full or score.outcome == "unread" or is_waiting(score))


def is_waiting(score: Score) -> bool:
    """Whether an item waits for data that are not on this machine, so that nothing can be proved of it here."""
    return score.outcome == "deferred"


def check_specimens(graded: dict[str, dict[str, Score]]) -> Iterator[str]:
    """Check that the perfect specimen earns all and the starter nothing."""
    for name in (PERFECT, STARTER):
        if name not in graded:
            yield f"there is no specimen named {name}"
    for score in graded.get(PERFECT, {}).values():
        if is_lost(score):
            yield f"{score.item}: the perfect specimen earns {score.earned}: {score.message}"
    for score in graded.get(STARTER, {}).values():
        if score.earned != 0:
            yield f"{score.item}: the starter earns {score.earned}"


def lost_by(graded: dict[str, dict[str, Score]]) -> set[str]:
    """Return the items that some specimen loses while it earns points elsewhere."""
    at_work = [scores for scores in graded.values() if any(score.earned for score in scores.values())]
    return {name for scores in at_work for name, score in scores.items() if is_lost(score)}
