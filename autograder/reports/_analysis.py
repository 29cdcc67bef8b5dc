"""What a class's reports say about its items: how many earn them, whom they tell apart, and what goes wrong."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autograder.rubric import Report

if TYPE_CHECKING:
    import pandas as pd  # imported where it is used: most commands do without it

LEAST = 5  # students, below which a correlation says nothing
COLUMNS = ("student", "item", "text", "possible", "bonus", "outcome", "earned", "message", "answer")
STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500)
MAX_STEPS = 14  # columns of a distribution that a phone has room for

QUOTED = re.compile(r"""(?<!\w)'[^']*'(?!\w)|"[^"]*"|`[^`]*`|“[^”]*”|‘[^’]*’""")
NUMBER = re.compile(r"(?<![^\W\d_])[-+]?\d[\d.,:]*(?:e[-+]?\d+)?(?<![.,:])", re.IGNORECASE)
ROW = re.compile(r"([\[(])[\[(]*#(?:[.\s,\[\]()]+#)+(?:[.\s,\[\]()…]*([\])]))")


@dataclass(frozen=True)
class Cause:
    """One way in which an item lost points: the message with numbers and quoted names taken out, and an example."""

    item: str
    pattern: str
    example: str
    students: tuple[str, ...]
    lost: float


@dataclass(frozen=True)
class Distribution:
    """How many students earned points in each step from one edge to the next; the last edge is included."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    mean: float
    median: float


def score_table(reports: Sequence[Report]) -> "pd.DataFrame":
    """One row a student and item, with the columns COLUMNS; `earned` is NaN where nothing is decided."""
    import pandas as pd

    rows = (
        (report.student, *(getattr(score, name) for name in ("item", *COLUMNS[2:])))
        for report in reports
        for score in report.scores
    )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"possible": float, "earned": float})


def item_table(reports: Sequence[Report]) -> "pd.DataFrame":
    """One row an item, in the rubric's order, indexed by its name.

    Columns: text, possible, bonus; mean (share of the points), full and lost (share of the students with all and
    with no points), of those that are decided; discrimination; broken and waiting (numbers of students).
    """
    scores = score_table(reports)
    scores["share"] = scores.earned / scores.possible.where(scores.possible > 0)
    decided = scores[scores.earned.notna()]
    items = scores.groupby("item", sort=False)[["text", "possible", "bonus"]].first()
    items["mean"] = decided.groupby("item").share.mean()
    items["full"] = (decided.earned == decided.possible).groupby(decided["item"]).mean()
    items["lost"] = (decided.earned == 0).groupby(decided["item"]).mean()
    earned = scores.pivot(index="student", columns="item", values="earned")[list(items.index)]
    items["discrimination"] = discrimination(earned, items.possible)
    for name, outcomes in {"broken": ["broken"], "waiting": ["awaiting review", "deferred"]}.items():
        items[name] = scores.outcome.isin(outcomes).groupby(scores["item"]).sum()
    return items


def discrimination(earned: "pd.DataFrame", possible: "pd.Series") -> "pd.Series":
    """Return the corrected item-total correlation of each item, -1 to 1: its points against the share of all others'.

    earned: points, a row a student and a column an item, NaN where undecided; possible: by item. NaN where fewer
    than LEAST students are decided, or where an item or the rest is the same for all.
    """
    import pandas as pd

    decided = earned.notna() * possible
    rest = earned.sum(axis=1).to_numpy()[:, None] - earned.fillna(0)
    share = (rest / (decided.sum(axis=1).to_numpy()[:, None] - decided).replace(0, np.nan)).round(9)
    return pd.Series({item: _correlation(earned[item], share[item]) for item in earned}, dtype=float)


def _correlation(first: "pd.Series", other: "pd.Series") -> float:
    import pandas as pd

    both = pd.concat([first, other], axis=1, keys=["first", "other"]).dropna()
    if len(both) < LEAST or (both.nunique() < 2).any():
        return float("nan")
    return float(both.first.corr(both.other))


def distribution(reports: Sequence[Report]) -> Distribution:
    """Return the points of a class of one or more in steps of a round number, as few as a phone has room for."""
    earned = np.array([report.earned for report in reports])
    top = max(earned.max(), *(report.possible for report in reports), 1)
    step = next((step for step in STEPS if top / step <= MAX_STEPS), top / MAX_STEPS)
    edges = np.arange(0, int(np.ceil(top / step)) + 1) * step
    counts, _ = np.histogram(earned, edges)
    return Distribution(
        tuple(map(float, edges)), tuple(map(int, counts)), float(earned.mean()), float(np.median(earned))
    )


def loss_causes(reports: Sequence[Report]) -> tuple[Cause, ...]:
    """Return why items lost points, the most frequent cause first.

    Bonus points are nobody's loss, and what a person read has no message that others share.
    """
    scores = score_table(reports)
    lost = (scores.outcome == "scored") & (scores.earned < scores.possible)
    return _grouped(scores[lost & ~scores.bonus.astype(bool) & (scores.answer == "")])


def broken_items(reports: Sequence[Report]) -> tuple[Cause, ...]:
    """Return why items could not be decided, the most frequent reason first."""
    scores = score_table(reports)
    return _grouped(scores[scores.outcome == "broken"])


def _grouped(scores: "pd.DataFrame") -> tuple[Cause, ...]:
    scores = scores.assign(pattern=scores.message.map(pattern), missing=scores.possible - scores.earned)
    found = [
        Cause(item, said, group.message.iloc[0], tuple(group.student), round(float(group.missing.sum()), 2))
        for (item, said), group in scores.groupby(["item", "pattern"], sort=False)
    ]
    return tuple(sorted(found, key=lambda cause: -len(cause.students)))


def pattern(message: str) -> str:
    """Return a message without the student's own names and numbers: "…" for a name, "#" for a number."""
    return ROW.sub(r"\1…\2", NUMBER.sub("#", QUOTED.sub("…", message)))
