"""Whose files are whose: a student's name among the class, safe as a folder on every system, and words to sign by."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from autograder.core import sanitize, split_tokens, without_accents
from autograder.lms._export import Export, Uploaded
from autograder.submissions import Cohort, People, RawSubmission, Submitter

RESERVED = re.compile(
    r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?= *(\.|$))"
)  # names of devices on Windows
MAX_KEY_LENGTH = 100  # characters
MAX_KEY_BYTES = 180  # bytes: a file name may have 255 on most systems, and one is written beside
MAX_ID = 40


@dataclass(frozen=True)
class Upload:
    """What one student handed in: the files' paths in the export by their path in the submission.

    key: how the student is named if nobody else has that name. more: other texts that name the student.
    doubts: what a person must settle about whose it is.
    """

    origin: Submitter
    files: dict[str, str]
    key: str
    more: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Claims:
    """The uploads in an export, and each file that is none of theirs, with the reason.

    doubts: lines on files that may be of more than one student. notices: other lines for the TA.
    """

    platform: str
    uploads: list[Upload]
    left_out: dict[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


def match_cohort(export: Export, found: Claims, slug: str = "") -> Cohort:
    """Return the class as the grader takes it: each student once, files opened only when they are asked for."""
    uploads = sorted(found.uploads, key=claim_key)
    plain_keys = [safe_name(upload.key, upload.origin.id) for upload in uploads]
    keys = distinguish(plain_keys)
    words = [name_words(upload, key) for upload, key in zip(uploads, keys, strict=True)]
    shared, submissions = shared_words(words), []
    for upload, plain_key, key, named, common in zip(uploads, plain_keys, keys, words, shared, strict=True):
        doubts = upload.doubts
        if key != plain_key:
            doubts += (f"Another submission is named {plain_key!r} as well: find out whose this one is.",)
        submissions.append(
            RawSubmission(key, upload_source(export, upload, slug), upload.origin, named, common, doubts)
        )
    left_out = export.left_out | {sanitize(name): why for name, why in found.left_out.items()}
    submissions.sort(key=lambda submission: submission.student)
    doubts = (*found.doubts, *similar_keys(keys))
    return Cohort(found.platform, tuple(submissions), dict(sorted(left_out.items())), doubts, found.notices)


def upload_source(export: Export, upload: Upload, slug: str) -> Uploaded:
    """Where the files of one student lie."""
    return Uploaded({path: export.where[name] for path, name in upload.files.items()}, slug)


def claim_key(upload: Upload) -> tuple:
    """Return the order in which uploads get the name that they claim: first who is named just so, then earlier ids."""
    key, origin = safe_name(upload.key, upload.origin.id), upload.origin
    return key, upload.key != key, len(origin.id), origin.id, origin.prefix, origin.name


def similar_keys(keys: Iterable[str]) -> list[str]:
    """Return a line for each group of names that a person could take for one: by case, accents, spaces or signs."""
    groups: dict[str, list[str]] = {}
    for key in sorted(keys):
        groups.setdefault(fold_look(key), []).append(key)
    return [
        f"{' and '.join(map(repr, group[:4]))} look alike: make sure that they are not one student."
        for group in groups.values()
        if len(group) > 1
    ]


def fold_look(name: str) -> str:
    """Return `name` without what is easily overlooked; the name itself where nothing else is in it."""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return "".join(sign for sign in text if sign.isalnum()) or name


def safe_name(name: str, ending: str = "") -> str:
    """`name` as a folder can be called anywhere; where it has to be cut, what follows its `ending` id is kept."""
    text = re.sub(r'[/\\:*?"<>|]', "-", sanitize(unicodedata.normalize("NFC", name))).strip(". ")
    ending = safe_id(ending)
    tail = f"_{ending}" if ending and text.endswith(f"_{ending}") else ""
    text = (
        shorten(text.removesuffix(tail), MAX_KEY_LENGTH - len(tail), MAX_KEY_BYTES - len(tail.encode()))
        + tail
    )
    return RESERVED.sub(r"\1_", text, count=1) if RESERVED.match(text) else text or "unnamed"


def safe_id(text: str) -> str:
    """Return a platform's id as part of a name."""
    return re.sub(r"[^\w.-]", "-", sanitize(text))[:MAX_ID].strip(".")


def shorten(text: str, longest: int, largest: int) -> str:
    """Return the beginning of `text`: so many characters and so many bytes at most, no character in two."""
    kept = text[:longest].encode()[:largest].decode("utf-8", "ignore")
    return kept.strip(". ")


def distinguish(keys: Iterable[str], fold: Callable[[str], str] = str) -> list[str]:
    """Return the keys, no two with the same `fold`: a second `ann` is `ann_2`, and who is called so keeps the name."""
    keys = list(keys)
    taken, apart = {fold(key) for key in keys}, []
    counts: Counter[str] = Counter()
    for key in keys:
        counts[fold(key)] += 1
        name = key
        while counts[fold(key)] > 1 and fold(name) in taken:
            name = f"{key}_{counts[fold(key)]}"
            counts[fold(key)] += fold(name) in taken
        taken.add(fold(name))
        apart.append(name)
    return apart


def file_name(name: str) -> str:
    """Return what two file names have in common that some systems take for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def name_words(upload: Upload, key: str) -> frozenset[str]:
    """Return the words by which a signature may name the student."""
    origin = upload.origin
    said = (key, origin.name, origin.login, origin.email.partition("@")[0], origin.id, *upload.more)
    return frozenset(word for text in said for word in split_tokens(text))


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


def by_name(name: str, id: str) -> str:
    """Return the key of a student of this name and id; an anonymous one has just the id."""
    return "_".join(filter(None, (name, safe_id(id))))


@dataclass(frozen=True)
class Roster(People):
    """The people of a table. notices: lines on what in it was not understood."""

    notices: tuple[str, ...] = ()

    def identified(self, uploads: Iterable[Upload]) -> tuple[list[Upload], list[str]]:
        """Return the uploads, completed, and lines for a person: nobody is completed whom another may be as well."""
        uploads = list(uploads)
        found = [self.find(upload.origin) for upload in uploads]
        claims: dict[Submitter, list[int]] = {}
        for place, person in enumerate(found):
            if person:
                claims.setdefault(person, []).append(place)
        lines = []
        for person, places in claims.items():
            if len(places) < 2:
                uploads[places[0]] = replace(
                    uploads[places[0]], origin=complete_submitter(uploads[places[0]].origin, person)
                )
                continue
            who = " and ".join(repr(sanitize(uploads[place].key)) for place in places)
            lines.append(f"{who} may both be {person.name or person.email}: a person decides.")
            exact = [
                place
                for place in places
                if split_tokens(uploads[place].origin.name) == split_tokens(person.name)
            ]
            for place in places:
                if exact == [place]:
                    uploads[place] = replace(
                        uploads[place], origin=complete_submitter(uploads[place].origin, person)
                    )
                else:
                    doubt = (
                        f"In the list of the class this may be {person.name or person.email}, as may another."
                    )
                    uploads[place] = replace(uploads[place], doubts=(*uploads[place].doubts, doubt))
        return uploads, lines


def complete_submitter(origin: Submitter, person: Submitter) -> Submitter:
    """Return the origin with the person's name, and with what of the person was unknown."""
    unknown = {name for name in ("login", "email", "submitted") if not getattr(origin, name)}
    return replace(
        origin, name=person.name or origin.name, **{name: getattr(person, name) for name in unknown}
    )
