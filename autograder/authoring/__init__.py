"""Instructors' side: starters, solutions and bundles derived from references, and the proof of a course."""

from autograder.authoring._concepts import answer_cells
from autograder.authoring._gradescope import write_zip
from autograder.authoring._markers import (
    Cell,
    MarkerError,
    Piece,
    Region,
    pieces,
    read_cells,
    regions,
    replace_regions,
    write_notebook,
)
from autograder.authoring._reference import publish, require_due, run_reference, work_folder, write_perfect
from autograder.authoring._starter import is_stale, release, seal_questions, stale_questions
from autograder.authoring._student_bundle import write_bundle
from autograder.authoring._template import plan_assignment, write_assignment

__all__ = [
    "Cell",
    "MarkerError",
    "Piece",
    "Region",
    "answer_cells",
    "is_stale",
    "pieces",
    "plan_assignment",
    "publish",
    "read_cells",
    "regions",
    "release",
    "replace_regions",
    "require_due",
    "run_reference",
    "seal_questions",
    "stale_questions",
    "work_folder",
    "write_assignment",
    "write_bundle",
    "write_notebook",
    "write_perfect",
    "write_zip",
]
