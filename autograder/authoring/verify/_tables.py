"""Proofs for a terminal, as rich tables."""

from collections.abc import Iterable

from rich import box
from rich.table import Table
from rich.text import Text

from autograder.authoring.verify._checks import Verification
from autograder.authoring.verify._layout import PERFECT


def region_table(proof: Verification) -> Table:
    """Return what a student fills in, and the items that are lost while it is not."""
    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False)
    table.add_column("region", overflow="fold")
    table.add_column("items that its stub loses", overflow="fold")
    everything = set(proof.scores.get(PERFECT, {}))
    for region, items in proof.mutation.lost.items():
        lost = "all" if items and set(items) == everything else ", ".join(items) or "none: it is not graded"
        table.add_row(Text(region), Text(lost))
    return table


def verification_table(proofs: Iterable[Verification]) -> Table:
    """One line an assignment: how much was proven, and how many problems there are."""
    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False)
    table.add_column("assignment")
    for column in ("items", "test submissions", "regions", "problems"):
        table.add_column(column, justify="right")
    for proof in proofs:
        counts = (
            len(proof.scores.get(PERFECT, {})),
            len(proof.scores),
            len(proof.mutation.lost),
            proof.problems,
        )
        table.add_row(proof.assignment.slug, *map(str, counts), style="bold red" if proof.problems else "")
    return table
