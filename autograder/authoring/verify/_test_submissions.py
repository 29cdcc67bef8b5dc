"""Test submissions: submissions that earn known marks for known reasons."""

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
KNOWN = "expected.toml"
AWAITING_REVIEW = (
    "awaiting review"  # in place of marks: an answer in own words, which the grader leaves to a person
)


def grade_test_submission(bench: VerifyWorker, slug: str, name: str, trainings: dict) -> dict[str, Score]:
    """Return a test submission's scores, by item. trainings: the reference's, for equal ones."""
    bench.grader(slug).trainings.update(trainings)
    return bench.scores(slug, bench.course.assignment(slug).test_submissions / name, name)


def grade_perfect(bench: VerifyWorker, slug: str) -> tuple[dict[str, Score], Asks, dict]:
    """Return the perfect test submission's scores, what each item asked of it, and its trainings."""
    folder = bench.course.assignment(slug).test_submissions / PERFECT
    return *bench.observed(slug, folder, PERFECT), bench.grader(slug).trainings


def list_test_submissions(assignment: Assignment) -> list[str]:
    """Return the names of an assignment's test submissions."""
    return sorted(path.name for path in entries(assignment.test_submissions) if path.is_dir())


def check_test_submission(scores: dict[str, Score], known: Path) -> Iterator[str]:
    """Check a test submission against its `expected.toml`, where `others = "full"` spares a long list.

    Two numbers stand for all marks between them: what a training half learns depends on a processor's rounding.
    """
    if not known.is_file():
        yield f"{known} is missing: it says which marks the test submission is known to earn"
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
    return AWAITING_REVIEW if score.outcome == "awaiting review" else score.possible


def is_known(score: Score, marks: float | list[float] | str) -> bool:
    """Return True if marks are those that are known, or between the two that are."""
    if isinstance(marks, str) or max_score(score) == AWAITING_REVIEW:
        return marks == max_score(score)
    least, most = marks if isinstance(marks, list) else (marks, marks)
    return score.earned is not None and least - TOLERANCE <= score.earned <= most + TOLERANCE


def is_lost(score: Score) -> bool:
    """Return True if an item earned less than the grader alone can give."""
    return not (score.is_full or score.outcome == "awaiting review" or is_waiting(score))


def is_waiting(score: Score) -> bool:
    """Return True if an item waits for data that are not on this machine, so that nothing can be proved of it here."""
    return score.outcome == "deferred"


def check_test_submissions(graded: dict[str, dict[str, Score]]) -> Iterator[str]:
    """Check that the perfect test submission earns all and the starter nothing."""
    for name in (PERFECT, STARTER):
        if name not in graded:
            yield f"there is no test submission named {name}"
    for score in graded.get(PERFECT, {}).values():
        if is_lost(score):
            yield f"{score.item}: the perfect test submission earns {score.earned}: {score.message}"
    for score in graded.get(STARTER, {}).values():
        if score.earned != 0:
            yield f"{score.item}: the starter earns {score.earned}"


def lost_by(graded: dict[str, dict[str, Score]]) -> set[str]:
    """Return the items that some test submission loses while it earns points elsewhere."""
    at_work = [scores for scores in graded.values() if any(score.earned for score in scores.values())]
    return {name for scores in at_work for name, score in scores.items() if is_lost(score)}
