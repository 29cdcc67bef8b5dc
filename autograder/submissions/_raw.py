"""What was handed in, and by whom: the one shape in which every platform's export reaches the grader."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from autograder.submissions._archives import Budget, Files, open_files

# a folder or an archive, or what opens the files of one student; can be pickled; may raise Failure or NeedsReview
Source = Path | Callable[..., Files]


def open_source(source: Source, slug: str = "", budget: Budget | None = None) -> Files:
    """Return the files of a submission of the assignment `slug`, see `unpacked`. Raises Failure or NeedsReview."""
    return open_files(source, slug, budget) if isinstance(source, Path) else source(budget)


@dataclass(frozen=True)
class Submitter:
    """Who handed in, as the platform tells it; a field it does not tell is empty.

    id: the platform's own for the student: Canvas's user id, Moodle's participant id, Gradescope's submission id.
    prefix: how the names of the student's files began in the export (a folder of its own ends with "/"); feedback
    that is given back has to begin likewise. submitted: ISO 8601, with an offset from UTC. late: by the
    platform's own mark.
    """

    platform: str = "folder"
    id: str = ""
    name: str = ""
    login: str = ""
    email: str = ""
    prefix: str = ""
    submitted: str = ""
    late: bool = False


@dataclass(frozen=True)
class RawSubmission:
    """One student's submission. `student` names it among the class, in tables and as a folder.

    words: by which a signature may name the student, in small letters; those of `student` where it is None.
    shared: the words that the student has in common with each other student: by these alone nobody can sign.
    doubts: what a person must settle about whose it is.
    """

    student: str
    source: Source
    origin: Submitter = Submitter()
    words: frozenset[str] | None = None
    shared: frozenset[frozenset[str]] = frozenset()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cohort:
    """All that was handed in, by `platform`, sorted by student; and each file that was not taken, with the reason.

    doubts: lines on what a person must settle about whose files are whose. notices: other lines for the TA.
    """

    platform: str
    submissions: tuple[RawSubmission, ...]
    left_out: dict[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
