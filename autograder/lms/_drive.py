"""Loose files of a whole class, as Google Drive and Forms give them: "work - Ann Lee.ipynb", "Ann Lee - work.ipynb".

The owner is the part beside " - " that reads like a name; "Copy of" and "(1)" don't count. If both parts do, the last
one is the owner, as in Forms, where it has two words or another file shows it and the first has one. Every other file
is left out for a person to assign, as is a file whose owner has a namesake in the table of people.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from autograder.core import sanitize, split_tokens
from autograder.lms._export import Export
from autograder.lms._matching import Claims, Upload
from autograder.submissions import COPY_OF, Submitter, suffix

WORK = (".ipynb", ".keras", ".py")
DASH = re.compile(r"\s+[-–—]\s+")
COPY = re.compile(rf"(?P<before>(?:{COPY_OF})*)(?P<stem>.*?)(?P<after> ?\(\d+\))?", re.DOTALL | re.IGNORECASE)
MAX_WORDS = 6  # of a name


@dataclass(frozen=True)
class Name:
    """A file's name taken apart: the file's own name, and whose it may be."""

    whole: str
    choices: tuple[tuple[str, str], ...]  # a person, and what the file is called without

    def chosen(self, known: set[tuple[str, ...]]) -> tuple[str, str] | None:
        """Return the only person among the choices, and the file's own name; None where several may be meant.

        Forms puts the uploader's name last: it counts where it is a whole name or a `known` one, and what precedes it
        is one word, which is rather the name of the file.
        """
        if len(self.choices) < 2:
            return self.choices[0] if self.choices else None
        (first, _), *_, (last, _) = self.choices
        is_person = len(split_tokens(last)) > 1 or split_tokens(last) in known
        return self.choices[-1] if is_person and len(split_tokens(first)) == 1 else None


def recognises(export: Export, slug: str) -> bool:
    """Return True if loose files of work are there, and most of them name a person."""
    loose = [name for name in export.names if "/" not in name and name.lower().endswith(WORK)]
    understood = [name for name in loose if split_name(name, slug).choices]
    return 2 * len(understood) > len(loose)


def read(export: Export, slug: str, roster: Iterable[Submitter] = ()) -> Claims:
    """Return one submission for each person that files are named after; a folder is its own person's."""
    names = [split_name(top, slug) for top in export.tops if top not in export.folders]
    sure = {split_tokens(name.choices[0][0]) for name in names if len(name.choices) == 1}
    namesakes = Counter(tuple(sorted(split_tokens(person.name))) for person in roster)
    chosen = {name.whole: name.chosen(sure) for name in names}
    for whole, choice in chosen.items():
        if choice and namesakes[tuple(sorted(split_tokens(choice[0])))] > 1:
            chosen[whole] = None
    pieces = [(top, file, whole) for top in export.folders for file, whole in export.tops[top].items()]
    pieces += [(*choice, whole) for whole, choice in chosen.items() if choice]
    found = group_uploads(sorted(export.folders), pieces)
    untold = {name.whole: unknown_owner(name) for name in names if not chosen[name.whole]}
    several = sum(bool(name.choices) for name in names if name.whole in untold)
    line = f"{several} files have names that can be read as more than one student's: given to nobody, see left_out.csv."
    return replace(found, left_out=found.left_out | untold, doubts=(line,) if several else ())


def unknown_owner(name: Name) -> str:
    """Return the reason why a file is given to nobody."""
    people = " or ".join(repr(sanitize(who, 60)) for who, _ in name.choices)
    return f"may be of {people}: a person decides" if people else "its name does not tell whose it is"


def group_uploads(folders: Iterable[str], pieces: Iterable[tuple[str, str, str]]) -> Claims:
    """Return one submission for each person; a piece is a person, what the file is called without, and its path."""
    persons: dict[str, tuple[str, dict[str, str]]] = {normalize(top): (top, {}) for top in folders}
    left_out = {}
    for who, file, whole in pieces:
        called, files = persons.setdefault(normalize(who), (who, {}))
        if files.setdefault(file, whole) != whole:
            left_out[whole] = f"a second {sanitize(file)} of {sanitize(called)}"
    uploads = [Upload(Submitter("drive", name=sanitize(who)), files, who) for who, files in persons.values()]
    return Claims("drive", uploads, left_out)


def normalize(name: str) -> str:
    """Return the name in one form; names that differ in more than that may be of different people."""
    return " ".join(unicodedata.normalize("NFC", name).split()) or name


def split_name(top: str, slug: str) -> Name:
    """Return a loose file's name, with each person that it may be named after: the parts beside " - " like a name."""
    ending = suffix(PurePosixPath(top)) or PurePosixPath(top).suffix
    match = COPY.fullmatch(top.removesuffix(ending))
    assert match, "the pattern matches any text"
    stem, parts = match["stem"], list[tuple[str, str]]()
    if dashes := list(DASH.finditer(stem)):
        first, last = dashes[0], dashes[-1]
        parts = [(stem[: first.start()], stem[first.end() :]), (stem[last.end() :], stem[: last.start()])]
    before, after = match["before"], match["after"] or ""
    return Name(
        top, tuple((who, f"{before}{file}{after}{ending}") for who, file in parts if is_name(who, slug))
    )


def is_name(text: str, slug: str) -> bool:
    """Return True if a text reads like a person's name, and is none of the assignment's words."""
    words = split_tokens(text)
    letters = not re.search(r"[\d_]", text)
    return letters and 0 < len(words) <= MAX_WORDS and not set(words) <= set(split_tokens(slug))
