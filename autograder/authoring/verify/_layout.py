"""The folders of an assignment: what lies in them, what the rubric promises, and what is derived from the reference."""

import json
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from autograder.authoring import is_stale, read_cells, stale_questions
from autograder.core import Assignment, Course
from autograder.rubric import SEALED, Item, questions_path

PERFECT, STARTER = "perfect", "untouched_starter"
CACHES = {"__pycache__", ".ipynb_checkpoints", ".DS_Store"}
DATA_SET = {"README.md"}, {"generate.py", "fetch.py"}  # one of each must be there


def check_course(course: Course) -> Iterator[str]:
    """Yield each folder that is no assignment of course.toml, and each data set without its files."""
    known = {assignment.slug for assignment in course.assignments}
    for parent in ("assignments", "solutions"):
        names = folders(entries(course.root / parent)) - known
        yield from (f"{parent}/{name} is no assignment of course.toml" for name in sorted(names))
    for folder in sorted(folders(entries(course.root / "datasets"))):
        found = {path.name for path in entries(course.root / "datasets" / folder)}
        yield from (
            f"datasets/{folder}: {' or '.join(sorted(names))} is missing"
            for names in DATA_SET
            if not names & found
        )


def entries(folder: Path) -> list[Path]:
    """Return what lies in a folder, but for what editors and Python leave there."""
    return [path for path in folder.iterdir() if path.name not in CACHES] if folder.is_dir() else []


def folders(paths: list[Path]) -> set[str]:
    return {path.name for path in paths if path.is_dir()}


def check_layout(assignment: Assignment) -> Iterator[str]:
    """Yield what is missing from the assignment's folders, and what should not be there."""
    expected = {
        assignment.folder: {assignment.starter.name, assignment.rubric.name},
        assignment.solution_folder: {assignment.reference.name, "test_submissions"},
    }
    questions = questions_path(assignment.folder)
    if questions.is_file():
        expected[assignment.folder].add(SEALED)
        expected[assignment.solution_folder].add(questions.name)
    for folder, names in expected.items():
        present = {path.name for path in entries(folder)}
        yield from (f"{folder.name}: {name} is missing from {folder}" for name in sorted(names - present))
        yield from (f"{folder.name}: {name} in {folder} is a stray file" for name in sorted(present - names))


def check_rubric(assignment: Assignment, items: tuple[Item, ...]) -> Iterator[str]:
    """Every item says what it asks for; the points add up to what course.toml promises."""
    for item in items:
        if not (item.__doc__ or "").strip():
            yield f"{item.__name__} has no docstring: it is the line that students read"
        if item.points <= 0:
            yield f"{item.__name__} is worth {item.points} points"
    points = sum(item.points for item in items if not item.bonus)
    if points != assignment.points:
        yield f"the items are worth {points:g} points, course.toml says {assignment.points:g}"


def check_starter(assignment: Assignment) -> Iterator[str]:
    """Check that the starter, and its copy among the test submissions, are what the reference gives today."""
    for copy in assignment.starters:
        if reason := is_stale(assignment, copy):
            yield f"{reason}; run `autograder release starters {assignment.slug}`"
    if reason := stale_questions(assignment):
        yield f"{reason}; run `autograder release starters {assignment.slug}`"


def check_perfect(assignment: Assignment) -> Iterator[str]:
    """Check that the perfect test submission's notebook is today's reference, cell by cell."""
    advice = f"run `autograder release perfect {assignment.slug}`"
    notebooks = sorted((assignment.test_submissions / PERFECT).glob("*.ipynb"))
    if len(notebooks) != 1:
        yield f"{PERFECT} holds {len(notebooks)} notebooks, expected the reference's; {advice}"
        return
    found = [
        (cell["cell_type"], "".join(cell["source"]))
        for cell in json.loads(notebooks[0].read_text(encoding="utf-8"))["cells"]
    ]
    expected = [
        (cell.kind, cell.source) for cell in read_cells(assignment.reference.read_text(encoding="utf-8"))
    ]
    pairs = enumerate(zip_longest(expected, found), start=1)
    if differing := next((number for number, (line, other) in pairs if line != other), None):
        yield f"{notebooks[0]}: cell {differing} is not the reference's; {advice}"
