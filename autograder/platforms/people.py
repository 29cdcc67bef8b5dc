"""Whose files are whose: a student's name among the class, safe as a folder on every system, and words to sign by."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial

from autograder.failure import plain
from autograder.handed_in import Class, HandedIn, Origin
from autograder.platforms.export import Export
from autograder.student import tokens, without_accents

RESERVED = re.compile(
    r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?= *(\.|$))"
)  # names of devices on Windows
LONGEST_KEY = 100  # characters
LARGEST_KEY = 180  # bytes: a file name may have 255 on most systems, and one is written beside
LONGEST_ID = 40


@dataclass(frozen=True)
class Upload:
    """What one student handed in: the files' paths in the export by their path in the submission.

    key: how the student is named if nobody else has that name. more: other texts that name the student.
    """

    origin: Origin
    files: dict[str, str]
    key: str
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """The uploads in an export, and each file that is none of theirs, with the reason."""

    platform: str
    uploads: list[Upload]
    left_out: dict[str, str] = field(default_factory=dict)


def class_of(export: Export, found: Found) -> Class:
    """The class as the grader takes it: names told apart, files opened only when they are asked for."""
    uploads = sorted(
        found.uploads, key=lambda one: (one.key, one.origin.id, one.origin.prefix, one.origin.name)
    )
    keys = told_apart(safe(one.key, one.origin.id) for one in uploads)
    words = [words_of(one, key) for one, key in zip(uploads, keys, strict=True)]
    shared = shared_words(words)
    handed_in = (
        HandedIn(key, partial(export.opened, one.files), one.origin, named, common)
        for key, one, named, common in zip(keys, uploads, words, shared, strict=True)
    )
    left_out = export.left_out | {plain(name): why for name, why in found.left_out.items()}
    return Class(
        found.platform, tuple(sorted(handed_in, key=lambda one: one.student)), dict(sorted(left_out.items()))
    )


def by_user(names: Iterable[str], pattern: re.Pattern) -> tuple[dict[str, list[re.Match]], list[str]]:
    """The files by the `user` that the pattern finds in their names; and those that it does not fit."""
    users: dict[str, list[re.Match]] = {}
    others = []
    for name in names:
        if match := pattern.fullmatch(name):
            users.setdefault(match["user"].casefold(), []).append(match)
        else:
            others.append(name)
    return users, others


def safe(name: str, ending: str = "") -> str:
    """`name` as a folder can be called anywhere; where it has to be cut, what follows its `ending` id is kept."""
    text = re.sub(r'[/\\:*?"<>|]', "-", plain(unicodedata.normalize("NFC", name))).strip(". ")
    ending = safe_id(ending)
    tail = f"_{ending}" if ending and text.endswith(f"_{ending}") else ""
    text = cut(text.removesuffix(tail), LONGEST_KEY - len(tail), LARGEST_KEY - len(tail.encode())) + tail
    return RESERVED.sub(r"\1_", text, count=1) if RESERVED.match(text) else text or "unnamed"


def safe_id(text: str) -> str:
    """A platform's id as part of a name."""
    return re.sub(r"[^\w.-]", "-", plain(text))[:LONGEST_ID].strip(".")


def cut(text: str, longest: int, largest: int) -> str:
    """The beginning of `text`: so many characters and so many bytes at most, no character in two."""
    kept = text[:longest].encode()[:largest].decode("utf-8", "ignore")
    return kept.strip(". ")


def told_apart(keys: Iterable[str]) -> list[str]:
    """The keys, each of them once even where case is ignored: a second `ann` is `ann_2`."""
    taken, apart = set(), []
    for key in keys:
        number, tried = 1, key
        while (folded := unicodedata.normalize("NFC", tried.casefold())) in taken:
            number += 1
            tried = f"{key}_{number}"
        taken.add(folded)
        apart.append(tried)
    return apart


def words_of(upload: Upload, key: str) -> frozenset[str]:
    """The words by which a signature may name the student."""
    origin = upload.origin
    said = (key, origin.name, origin.login, origin.email.partition("@")[0], origin.id, *upload.more)
    return frozenset(word for text in said for word in tokens(text))


def shared_words(words: list[frozenset[str]]) -> list[frozenset[frozenset[str]]]:
    """Return for each student what other students' words equal theirs but for accents: a set for each other student."""
    holders: dict[str, list[tuple[int, str]]] = {}
    for place, own in enumerate(words):
        for word in own:
            holders.setdefault(without_accents(word), []).append((place, word))
    shared = []
    for place, own in enumerate(words):
        common: dict[int, set[str]] = {}
        for word in set(map(without_accents, own)):
            for other, spelling in holders[word]:
                common.setdefault(other, set()).add(spelling)
        common.pop(place, None)
        shared.append(frozenset(map(frozenset, common.values())))
    return shared


def named(name: str, id: str) -> str:
    """The key of a student of this name and id; an anonymous one has just the id."""
    return "_".join(filter(None, (name, safe_id(id))))


@dataclass(frozen=True)
class Roster:
    """The people in a table; nobody where there is none."""

    people: tuple[Origin, ...] = ()

    def completed(self, origin: Origin) -> Origin:
        """The origin with what the table tells about the person, if it is there: the name, and what was unknown."""
        person = self.find(origin)
        if person is None:
            return origin
        told = {
            name: getattr(person, name)
            for name in ("login", "email", "submitted")
            if not getattr(origin, name)
        }
        return replace(origin, name=person.name or origin.name, **told)

    def find(self, origin: Origin) -> Origin | None:
        """The one person of this id where the table has the platform's ids; else of this address, login or name."""
        if origin.id and any(one.platform == origin.platform and one.id for one in self.people):
            found = only(one for one in self.people if one.id == origin.id)
            return found if found and is_like(found, origin) else None
        for what in ("email", "login"):
            wanted = getattr(origin, what).casefold()
            if wanted and (
                found := only(one for one in self.people if getattr(one, what).casefold() == wanted)
            ):
                return found
        name = sorted(tokens(origin.name))
        return only(one for one in self.people if sorted(tokens(one.name)) == name) if len(name) > 1 else None


def is_like(person: Origin, origin: Origin) -> bool:
    """Whether somebody of the same id may be meant: in Moodle a team's number may be that of another's student."""
    words, others = set(tokens(person.name)), set(tokens(origin.name))
    return origin.platform != "moodle" or not words or not others or bool(words & others)


def only(people: Iterable[Origin]) -> Origin | None:
    """The one person among them; none where there are several."""
    found = list(people)
    return found[0] if len(found) == 1 else None
