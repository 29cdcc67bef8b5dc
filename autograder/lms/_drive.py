"""Loose files of a whole class, as Google Drive and Forms give them: "work - Ann Lee.ipynb", "Ann Lee - work.ipynb".

Whose a file is, is read off its name: the part beside " - " that reads like a name (letters only; two words rather
than one; a name that another file has shown; the last part, where Forms puts it), or what an underscored name has
beside the assignment's. A table of people decides where there is one. What is not understood is left out.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from autograder.core import sanitize, split_tokens
from autograder.lms._export import Export
from autograder.lms._matching import Claims, Upload
from autograder.submissions import Submitter, suffix

WORK = (".ipynb", ".keras", ".py")
DASH = re.compile(r"\s+[-–—]\s+")
DECORATED = re.compile(
    r"(?P<before>(?:Copy of |Kopie von |Copie de |Copia de |Cópia de )*)(?P<stem>.*?)(?P<after> ?\(\d+\))?",
    re.DOTALL,
)
MAX_WORDS = 6  # of a name
People = list[tuple[frozenset[str], str]]  # words of a name, and the name


@dataclass(frozen=True)
class Name:
    """A file's name taken apart: the file's own name, and whose it may be."""

    whole: str
    choices: tuple[tuple[str, str], ...]  # a person, and what the file is called without
    is_listed: bool = False  # these are people of the class's list

    def chosen(self, known: set[tuple[str, ...]]) -> tuple[str, str] | None:
        """Return the only person among the choices, and the file's own name; None where several may be meant.

        Forms puts the uploader's name last: it counts where it is a whole name or a `known` one, and what precedes it
        is one word, which is rather the name of the file.
        """
        if len(self.choices) < 2 or self.is_listed:
            return self.choices[0] if len(self.choices) == 1 else None
        (first, _), *_, (last, _) = self.choices
        is_person = len(split_tokens(last)) > 1 or split_tokens(last) in known
        return self.choices[-1] if is_person and len(split_tokens(first)) == 1 else None


def recognises(export: Export, slug: str, roster: Iterable[Submitter] = ()) -> bool:
    """Return True if loose files of work are there, and most of them name a person."""
    loose = [name for name in export.names if "/" not in name and name.lower().endswith(WORK)]
    people = is_listed(roster)
    understood = [name for name in loose if split_name(name, slug, people).choices]
    return 2 * len(understood) > len(loose)


def read(export: Export, slug: str, roster: Iterable[Submitter] = ()) -> Claims:
    """One submission for each person that files are named after; a folder is its own person's."""
    people = is_listed(roster)
    names = [split_name(top, slug, people) for top in export.tops if top not in export.folders]
    sure = {split_tokens(name.choices[0][0]) for name in names if len(name.choices) == 1}
    chosen = {name.whole: name.chosen(sure) for name in names}
    pieces = [(top, file, whole) for top in export.folders for file, whole in export.tops[top].items()]
    pieces += [(*choice, whole) for whole, choice in chosen.items() if choice]
    found = group_uploads(sorted(export.folders), pieces)
    untold = {name.whole: unknown_owner(name) for name in names if not chosen[name.whole]}
    several = sum(len(name.choices) > 1 for name in names if name.whole in untold)
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


def split_name(top: str, slug: str, people: People) -> Name:
    """Return a loose file's name, with each person that it may be named after."""
    ending = suffix(PurePosixPath(top)) or PurePosixPath(top).suffix
    match = DECORATED.fullmatch(top.removesuffix(ending))
    assert match, "the pattern matches any text"
    before, after = match["before"], match["after"] or ""
    said = set(split_tokens(match["stem"]))
    named = [(words, name) for words, name in people if words <= said]
    if any(len(words) > 1 for words, _ in named):
        longest = [name for words, name in named if not any(words < others for others, _ in named)]
        parts = DASH.split(match["stem"])
        longest += (part for part in parts if len(parts) > 1 and is_more(part, named))
        choices, is_listed = [(name, remove_words(match["stem"], name)) for name in longest], True
    else:
        choices, is_listed = by_dash(match["stem"], slug) or by_slug(match["stem"], slug), False
    return Name(top, tuple((who, f"{before}{file}{after}{ending}") for who, file in choices), is_listed)


def by_dash(stem: str, slug: str) -> list[tuple[str, str]]:
    """Return the parts beside a dash that read like a person's name, with the rest."""
    dashes = list(DASH.finditer(stem))
    if not dashes:
        return []
    first, last = dashes[0], dashes[-1]
    parts = [(stem[: first.start()], stem[first.end() :]), (stem[last.end() :], stem[: last.start()])]
    return [(who, rest) for who, rest in parts if is_name(who, slug)]


def by_slug(stem: str, slug: str) -> list[tuple[str, str]]:
    """Return what a name has before or after the assignment's, if it reads like a person's."""
    words, known = split_tokens(stem), split_tokens(slug)
    if len(words) <= len(known) or not known:
        return []
    if words[-len(known) :] == known:
        who = " ".join(words[: -len(known)])
    elif words[: len(known)] == known:
        who = " ".join(words[len(known) :])
    else:
        return []
    return [(who, slug)] if is_name(who, slug) else []


def is_name(text: str, slug: str) -> bool:
    """Return True if a text reads like a person's name, and is none of the assignment's words."""
    words = split_tokens(text)
    letters = not re.search(r"[\d_]", text)
    return letters and 0 < len(words) <= MAX_WORDS and not set(words) <= set(split_tokens(slug))


def is_listed(roster: Iterable[Submitter]) -> People:
    """Return the people of a table by the words of their names."""
    words = ((frozenset(split_tokens(person.name)), person.name) for person in roster)
    return [(some, name) for some, name in words if some]


def is_more(who: str, people: People) -> bool:
    """Return True if `who` has the words of one of the people and others beside: somebody else may be called so."""
    return any(words < set(split_tokens(who)) for words, _ in people)


def remove_words(stem: str, name: str) -> str:
    """Return a file's name without the words of its person's."""
    words = set(split_tokens(name))
    kept = "".join(part for part in re.split(r"([^\W_]+)", stem) if not set(split_tokens(part)) & words)
    return " ".join(kept.split()).strip(" -–—_.,") or "work"
