"""Thresholds over seeds: the reference, trained anew with other seeds, earns all on other terms' data."""

import re

from autograder.authoring import read_cells, run_reference, work_folder, write_notebook
from autograder.authoring.verify._layout import PERFECT
from autograder.authoring.verify._test_submissions import is_lost, is_waiting
from autograder.authoring.verify._workers import VerifyWorker
from autograder.core import Assignment

MAX_SEEDS = 5


def seeds_to_try(assignment: Assignment) -> tuple[int | None, ...]:
    """Return the seeds to try: 0 to 4, or one run where the reference has no `SEED`."""
    return (
        tuple(range(MAX_SEEDS))
        if re.search(r"(?m)^SEED = ", assignment.reference.read_text("utf-8"))
        else (None,)
    )


def check_seed(bench: VerifyWorker, slug: str, seed: int | None) -> list[str]:
    """Return what the reference, run with this seed, loses on the hidden data of a term of its own."""
    assignment = bench.course.assignment(slug)
    with work_folder(assignment) as folder:
        run_reference(assignment, folder, seed=seed)
        write_notebook(
            folder / f"{slug}.ipynb", *read_cells(assignment.reference.read_text(encoding="utf-8"))
        )
        scores = bench.scores(slug, folder, PERFECT, secret=f"seed {seed}")
    lost = {name for name, score in scores.items() if is_lost(score)}
    known = bench.scores(slug, assignment.test_submissions / PERFECT, PERFECT, names=lost) if lost else {}
    return [
        f"{score.item} earns {score.earned} of {score.possible:g}: {score.message}"
        for name, score in scores.items()
        if name in lost
        and not is_waiting(known[name])  # a part of the reference whose data are not here makes nothing
    ]
