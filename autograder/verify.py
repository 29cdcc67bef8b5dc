"""Proof of a rubric: the rooms mirror each other; each specimen earns its known marks for its known reasons.

Specimens are marked on data from the demo seed, so that their marks are the same numbers everywhere.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.course import Assignment, Course
from autograder.grading import Grader
from autograder.hidden import DEMO_SECRET, HiddenData
from autograder.release import is_stale
from autograder.rubric import Item, Report
from autograder.sandbox import Sandbox

PERFECT, STARTER = "perfect", "untouched_starter"
TOLERANCE = (
    0.05  # points: one prediction of a thousand may fall on the other side of 0.5 on another processor
)
KNOWN = "specimen.toml"
CACHES = {"__pycache__", ".ipynb_checkpoints", ".DS_Store"}


@dataclass(frozen=True)
class Finding:
    """One thing that was checked, and what is wrong with it; nothing wrong where `problems` is empty."""

    what: str
    problems: tuple[str, ...]


def verify(course: Course, assignment: Assignment, sandbox: Sandbox) -> Iterator[Finding]:
    """Checks one assignment, cheap checks first; yields each finding as it is made."""
    grader = Grader.of(assignment, HiddenData(course, DEMO_SECRET), sandbox)
    yield Finding("rooms", tuple(check_rooms(assignment)))
    yield Finding("rubric", tuple(check_rubric(assignment, grader.items)))
    yield Finding("starter", tuple(check_starter(assignment)))
    reports = {}
    for folder in specimen_folders(assignment):
        reports[folder.name] = grader.grade(folder, folder.name)
        problems = check_specimen(reports[folder.name], folder / KNOWN)
        yield Finding(f"specimen {folder.name} ({reports[folder.name].earned:g} points)", tuple(problems))
    yield Finding("specimens as a whole", tuple(check_specimens(grader.items, reports)))


def specimen_folders(assignment: Assignment) -> list[Path]:
    """The specimens of an assignment, by name."""
    if not assignment.specimens.is_dir():
        return []
    return sorted(
        path for path in assignment.specimens.iterdir() if path.is_dir() and path.name not in CACHES
    )


def check_rooms(assignment: Assignment) -> Iterator[str]:
    """Each room holds what it should and nothing else."""
    expected = {
        assignment.room: {assignment.starter.name, assignment.rubric.name},
        assignment.locked_room: {assignment.reference.name, "specimens"},
    }
    for room, names in expected.items():
        found = {path.name for path in room.iterdir()} - CACHES if room.is_dir() else set()
        yield from (f"{room.name}: {name} is missing from {room}" for name in sorted(names - found))
        yield from (f"{room.name}: {name} in {room} is a stray file" for name in sorted(found - names))


def check_rubric(assignment: Assignment, items: tuple[Item, ...]) -> Iterator[str]:
    """Every item says what it asks for; the points add up to what course.toml promises."""
    for item in items:
        if not (item.__doc__ or "").strip():
            yield f"{item.__name__} has no docstring: it is the line that students read"
        if item.points <= 0:
            yield f"{item.__name__} is worth {item.points} points"
    points = sum(item.points for item in items if not item.stretch)
    if points != assignment.points:
        yield f"the items are worth {points:g} points, course.toml says {assignment.points:g}"


def check_starter(assignment: Assignment) -> Iterator[str]:
    """The starter, and the copy among the specimens, are what the reference gives today."""
    for copy in assignment.starters:
        if reason := is_stale(assignment.reference, copy):
            yield f"{reason}; run `autograder release {assignment.slug}`"


def check_specimen(report: Report, known: Path) -> Iterator[str]:
    """A specimen's marks and messages against its `specimen.toml`; `others = "full"` there spares a long list.

    Two numbers stand for all marks between them: what a training half learns depends on a processor's rounding.
    """
    if not known.is_file():
        yield f"{known} is missing: it says which marks the specimen is known to earn"
        return
    expected = tomllib.loads(known.read_text(encoding="utf-8"))
    marks, says = expected.get("marks", {}), expected.get("says", {})
    scores = {score.item: score for score in report.scores}
    yield from (f"{known} names {name}, which is no item" for name in sorted({*marks, *says} - set(scores)))
    if expected.get("others") == "full":
        marks = {name: score.possible for name, score in scores.items()} | marks
    for name, score in scores.items():
        if name not in marks:
            yield f"{name} is missing from [marks]; it earned {score.earned}"
        elif score.earned is None or not is_known(score.earned, marks[name]):
            yield f"{name} earned {score.earned}, known marks are {marks[name]}: {score.message}"
        if says.get(name, "") not in f"{score.message} {score.hint}":
            yield f"{name} should say {says[name]!r}, it says: {score.message} {score.hint}"


def is_known(earned: float, marks: float | list[float]) -> bool:
    """Whether marks are those that are known, or between the two that are."""
    least, most = marks if isinstance(marks, list) else (marks, marks)
    return least - TOLERANCE <= earned <= most + TOLERANCE


def check_specimens(items: tuple[Item, ...], reports: dict[str, Report]) -> Iterator[str]:
    """The perfect one earns all, the starter nothing, and some specimen with points loses each item."""
    for name in (PERFECT, STARTER):
        if name not in reports:
            yield f"there is no specimen named {name}"
    perfect, starter = reports.get(PERFECT), reports.get(STARTER)
    if perfect:
        yield from (
            f"{s.item}: the perfect specimen earns {s.earned}" for s in perfect.scores if not s.is_full
        )
    if starter:
        yield from (f"{s.item}: the starter earns {s.earned}" for s in starter.scores if s.earned != 0)
    at_work = [report for name, report in reports.items() if name != STARTER and report.earned > 0]
    lost = {score.item for report in at_work for score in report.scores if not score.is_full}
    yield from (
        f"{item.__name__}: no specimen that earns points elsewhere loses it"
        for item in items
        if item.__name__ not in lost
    )
