"""File names that a platform composes of a student's name and ids, and the ways in which each can be read.

A student's name is the student's own choice on many platforms: somebody called "roeann_5678" hands in files whose
names begin like those of user 5678. So every reading of a name is looked at. A file whose readings lead to more
than one student is given to none, unless the platform's list of the class leaves one of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autograder.core import names_student, sanitize, split_tokens
from autograder.submissions import Submitter

MAX_READINGS = 50  # of one file's name; one with more is given to nobody


@dataclass(frozen=True)
class Reading:
    """One way to read a file's name. `file` is empty for text that was typed into the platform.

    attachment: the platform's number of the upload, if it has one. kind: the platform's word for what it is.
    """

    whole: str
    name: str
    user: str
    file: str
    attachment: int = 0
    late: bool = False
    kind: str = ""


@dataclass(frozen=True)
class Decision:
    """The one reading of each file that has one, the reason against each other file, and lines for a person."""

    readings: list[Reading]
    left_out: dict[str, str]
    doubts: tuple[str, ...] = ()


def decide(options: Mapping[str, Sequence[Reading]], people: Iterable[Submitter] = ()) -> Decision:
    """Return the only reading of each file in `options`; files that stay ambiguous are left out.

    Args:
        options: the readings of each file, by its name in the export.
        people: the platform's list of the class, with the platform's ids. An ambiguous name is read by it if it has one
            of the ids alone, under that name, and this user has no other file: who joined later is in no list.
    """
    sure = {found[0].user for found in options.values() if len({reading.user for reading in found}) == 1}
    listed: dict[str, list[Submitter]] = {}
    for person in people:
        listed.setdefault(person.id.casefold(), []).append(person)
    readings: list[Reading] = []
    left_out = {}
    for whole, found in options.items():
        possible = {reading.user: reading for reading in reversed(found)}
        if len(possible) > 1 and listed:
            possible = {user: reading for user, reading in possible.items() if user in listed}
            if len(possible) == 1:
                [(user, reading)] = possible.items()
                is_listed = all(is_possible(person.name, reading.name) for person in listed[user])
                possible = possible if is_listed and user not in sure else {}
        if len(possible) == 1 and len(found) <= MAX_READINGS:
            readings += possible.values()
        else:
            left_out[whole] = ambiguous(found[:MAX_READINGS])
    count = len(left_out)
    files = "1 file has a name" if count == 1 else f"{count} files have names"
    line = f"{files} that can be read as more than one student's: given to nobody, left_out.csv says why."
    advice = "Ask whose they are and rename them, or name the platform's list of the class (--roster)."
    return Decision(readings, left_out, (f"{line} {advice}",) if left_out else ())


def ambiguous(readings: Iterable[Reading]) -> str:
    """Return the reason why a file with these readings is given to nobody."""
    users = {f"{sanitize(reading.name, 60) or 'somebody'} ({reading.user})": None for reading in readings}
    return f"may be handed in by {' or by '.join(list(users)[:4])}: a person decides"


def is_possible(listed: str, name: str) -> bool:
    """Return True if `name`, as it is in file names, may be the `listed` one: "leeann" for "Lee, Ann"."""
    if not split_tokens(listed) or not split_tokens(name):
        return True
    words = split_tokens(name)
    return sorted(words) == sorted(split_tokens(listed)) or names_student(listed, {"".join(words)})
