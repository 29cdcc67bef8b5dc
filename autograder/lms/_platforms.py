"""The learning platforms. A new one is a module and its lines in two tables here: exports, and tables of people."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo

from autograder.core import Sheet
from autograder.lms import _canvas as canvas
from autograder.lms import _gradescope as gradescope
from autograder.lms import _moodle as moodle
from autograder.lms import _nbgrader as nbgrader
from autograder.lms._export import Export
from autograder.lms._matching import Claims, Roster
from autograder.submissions import Submitter


@dataclass(frozen=True)
class ReadRequest:
    """What is asked of an export: the submissions of an assignment, by people of a roster, with times of a zone."""

    slug: str
    roster: Roster
    zone: tzinfo | None

    def listed(self, platform: str) -> list[Submitter]:
        """Return the people of the roster who have an id of the platform."""
        return [person for person in self.roster.people if person.platform == platform and person.id]


# Exports: whether one is of the platform, and the class in it. The first that recognizes an export reads it.
PLATFORMS: tuple[tuple[Callable[[Export], bool], Callable[[Export, ReadRequest], Claims]], ...] = (
    (gradescope.recognises, lambda export, asked: gradescope.read(export)),
    (moodle.recognises, lambda export, asked: moodle.read(export, asked.listed("moodle"))),
    (canvas.recognises, lambda export, asked: canvas.read(export, asked.listed("canvas"))),
    (nbgrader.recognises, lambda export, asked: nbgrader.read(export, asked.slug, asked.zone)),
)

# Tables of people: the people, None for another table; and the times of submission as they stand there.
ROSTERS: tuple[
    tuple[Callable[[Sheet, tzinfo | None], list[Submitter] | None], Callable[[Sheet], list[str]]], ...
] = (
    (gradescope.people, gradescope.times),
    (lambda sheet, zone: canvas.people(sheet), lambda sheet: []),
    (moodle.people, moodle.times),
)
