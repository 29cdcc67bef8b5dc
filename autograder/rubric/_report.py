"""Scores of items with their figures, and the report on one student's submission."""

from dataclasses import dataclass, field
from typing import Literal

from autograder.submissions import Submitter

Outcome = Literal["scored", "deferred", "awaiting review", "broken"]


@dataclass(frozen=True)
class Bars:
    """A share from 0 to 1 for each of several groups, and how many rows each group has."""

    title: str
    groups: tuple[str, ...]
    shares: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Confusion:
    """How often each class (a row) was taken for each (a column)."""

    title: str
    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Examples:
    """A few rows of public data, as a table of texts."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Figure = Bars | Confusion | Examples


@dataclass(frozen=True)
class Score:
    """What one item gave. `earned` is None unless the outcome is "scored"; "awaiting review" waits for a reader."""

    item: str
    text: str
    possible: float
    bonus: bool
    outcome: Outcome
    earned: float | None
    message: str = ""
    hint: str = ""
    remarks: tuple[str, ...] = ()
    answer: str = ""  # in own words, which a person reads
    figures: tuple[Figure, ...] = ()

    @property
    def is_full(self) -> bool:
        return self.earned == self.possible

    @property
    def is_lost(self) -> bool:
        return self.outcome == "scored" and not self.earned


@dataclass(frozen=True)
class Adjustment:
    """Points beside those of the items: a penalty for being late, or what a person gives or takes, and why."""

    points: float
    why: str
    by: str = ""  # empty for a rule of the course


@dataclass(frozen=True)
class Report:
    """All scores of one student's submission, and what they were computed from.

    files: the SHA-256 of each file that was handed in, by its path. versions: of rubric, data and packages.
    doubts: what a person must settle beside the items, a line each.
    """

    student: str
    assignment: str
    scores: tuple[Score, ...]
    data: str
    versions: dict[str, str]
    origin: Submitter = Submitter()
    files: dict[str, str] = field(default_factory=dict)
    adjustments: tuple[Adjustment, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def by_items(self) -> float:
        """The points of all items, before adjustments."""
        return round(sum(score.earned or 0 for score in self.scores), 2)

    @property
    def earned(self) -> float:
        """What counts: no adjustment takes it below 0."""
        return max(0.0, round(self.by_items + sum(adjustment.points for adjustment in self.adjustments), 2))

    @property
    def possible(self) -> float:
        return sum(score.possible for score in self.scores if not score.bonus)

    @property
    def status(self) -> str:
        """Return "graded", "incomplete" (hidden items), "awaiting review" (answers) or "needs a person"."""
        outcomes = {score.outcome for score in self.scores}
        if "broken" in outcomes or self.doubts:
            return "needs a person"
        if "deferred" in outcomes:
            return "incomplete"
        return "awaiting review" if "awaiting review" in outcomes else "graded"
