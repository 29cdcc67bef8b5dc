"""authoring"""

from autograder.authoring._concepts import answer_cells
from autograder.authoring._gradescope import write_zip
from autograder.authoring._markers import (
    Cell,
    MarkerError,
    Piece,
    Region,
    cells,
    pieces,
    regions,
    replaced,
    write_notebook,
)
from autograder.authoring._reference import publish, require_due, run_reference, work_folder, write_perfect
from autograder.authoring._starter import is_stale, release, seal_questions, stale_questions
from autograder.authoring._student_bundle import write_bundle
from autograder.authoring._template import new, planned

__all__ = [
    "Cell",
    "MarkerError",
    "Piece",
    "Region",
    "answer_cells",
    "cells",
    "is_stale",
    "new",
    "pieces",
    "planned",
    "publish",
    "regions",
    "release",
    "replaced",
    "require_due",
    "run_reference",
    "seal_questions",
    "stale_questions",
    "work_folder",
    "write_bundle",
    "write_notebook",
    "write_perfect",
    "write_zip",
]
