"""Figures as inline SVG and HTML tables: what is drawn is also there as text, and is told apart by more than colour."""

from collections.abc import Sequence

from markupsafe import Markup

from autograder.reports._analysis import Distribution
from autograder.reports._templates import render
from autograder.rubric import Bars, Confusion, Figure, Score

LEVELS = 8  # tints of a confusion table


def figure_html(figure: Figure) -> Markup:
    """Return a figure of an item, with its title and its values."""
    if isinstance(figure, Bars):
        return render("bars.html", figure=figure, rows=list(zip(*bars_columns(figure), strict=True)))
    if isinstance(figure, Confusion):
        return render("confusion.html", figure=figure, tints=cell_tints(figure), right=diagonal_share(figure))
    return render("examples.html", figure=figure)


def bars_columns(figure: Bars) -> tuple[Sequence, ...]:
    """Group, share from 0 to 1, share as text, number of rows."""
    shares = [min(1.0, max(0.0, share)) for share in figure.shares]
    return figure.groups, shares, [percent(share) for share in figure.shares], figure.counts


def cell_tints(figure: Confusion) -> list[list[int]]:
    """Return how dark each cell is, 0 to LEVELS: by its share of the row."""
    return [[round(LEVELS * count / (sum(row) or 1)) for count in row] for row in figure.counts]


def diagonal_share(figure: Confusion) -> str:
    """Return the share of all rows that were taken for what they are."""
    total = sum(map(sum, figure.counts))
    right = sum(figure.counts[number][number] for number in range(len(figure.classes)))
    return percent(right / total) if total else "–"


def strip_svg(scores: Sequence[Score]) -> Markup:
    """Return a report at a glance: a field for each item, as wide as its points, filled by what is earned."""
    total = sum(score.possible for score in scores) or 1
    fields, left = [], 0.0
    for score in scores:
        width = 100 * score.possible / total
        share = (score.earned or 0) / (score.possible or 1)
        fields.append((round(left, 3), round(max(width - 0.35, 0.15), 3), round(share, 4), score))
        left += width
    return render("strip.html", fields=fields)


def histogram_svg(found: Distribution) -> Markup:
    """Return how marks are distributed, as columns with their numbers, and a line at the median."""
    width, most = 100 / len(found.counts), max(*found.counts, 1)
    columns = [
        (round(number * width, 3), round(width, 3), round(130 * count / most, 1), count)
        for number, count in enumerate(found.counts)
    ]
    median = 100 * found.median / found.edges[-1]
    spans = [f"{low:g}–{high:g}" for low, high in zip(found.edges, found.edges[1:], strict=False)]
    return render("histogram.html", found=found, columns=columns, median=round(median, 2), spans=spans)


def percent(share: float) -> str:
    """ "92 %", "–" for a share that is not defined."""
    return "–" if share != share else f"{100 * share:.0f} %"
