"""What a report can draw of how a model errs: plain data, made by an item, drawn by whoever renders the report.

Shares and counts of hidden data may be shown, its rows never: `Examples` are of data that students have.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from autograder.core import sanitize
from autograder.rubric._report import Bars, Confusion, Examples, Figure
from autograder.rubric._run import current_run

MAX_EXAMPLES = 8
MAX_TEXT = 400  # characters


KINDS = {kind.__name__: kind for kind in (Bars, Confusion, Examples)}


def show(figure: Figure) -> None:
    """Add a figure to the report on the item that is running."""
    current_run().figures.append(figure)


def by_length(lengths: Sequence[int], right: Sequence[bool], title: str, groups: int = 6) -> Bars:
    """Return the share of right answers by length, `(n,)` each, in at most so many groups of about as many rows."""
    length, is_right = np.asarray(lengths), np.asarray(right, dtype=float)
    edges = np.unique(np.quantile(length, np.linspace(0, 1, groups + 1), method="nearest"))
    group = np.clip(np.searchsorted(edges, length, side="right") - 1, 0, max(len(edges) - 2, 0))
    parts = [group == number for number in np.unique(group)]
    return Bars(
        title,
        tuple(range_label(length[part]) for part in parts),
        tuple(round(float(is_right[part].mean()), 4) for part in parts),
        tuple(int(part.sum()) for part in parts),
    )


def by_group(groups: Sequence, right: Sequence[bool], title: str) -> Bars:
    """Return the share of right answers in each group, in the groups' sorted order; `groups` and `right` are `(n,)`."""
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    counts = np.bincount(group)
    shares = np.bincount(group, np.asarray(right, dtype=float)) / counts
    return Bars(
        title,
        tuple(map(str, names)),
        tuple(round(float(share), 4) for share in shares),
        tuple(map(int, counts)),
    )


def range_label(values: np.ndarray) -> str:
    """Return the least and the largest of the values, as a label."""
    least, largest = values.min(), values.max()
    return f"{least}" if least == largest else f"{least}–{largest}"


def confusion(label: Sequence[int], said: Sequence[int], classes: Sequence[str], title: str) -> Confusion:
    """Return how often rows of each class were taken for each; `label` and `said`, `(n,)`, are indices of `classes`."""
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(counts, (np.asarray(label, dtype=int), np.asarray(said, dtype=int)), 1)
    return Confusion(title, tuple(classes), tuple(tuple(map(int, row)) for row in counts))


def examples(title: str, columns: Sequence[str], rows: Sequence[Sequence]) -> Examples:
    """Return the first few of these rows of public data, each value as a text of bounded length."""
    shown = (tuple(sanitize(str(value), MAX_TEXT) for value in row) for row in rows[:MAX_EXAMPLES])
    return Examples(title, tuple(columns), tuple(shown))


def figure_record(figure: Figure) -> dict:
    """Return the figure as plain data for JSON."""
    return {"kind": type(figure).__name__} | asdict(figure)


def read_figure(record: dict) -> Figure:
    """Return the figure of `figure_record`. Raises KeyError or TypeError for anything else."""
    values = {name: freeze(value) for name, value in record.items() if name != "kind"}
    return KINDS[record["kind"]](**values)


def freeze(value: object) -> Any:
    """Return lists within lists as tuples within tuples."""
    return tuple(map(freeze, value)) if isinstance(value, list) else value
