"""Compare file names as a helpful person would: case, copies and what browsers and editors add are seen through."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

COPY_WORD = r"copy|copie|copia|cópia|kopie|kopia|kopi|kopija|másolat|kopio|копия|コピー|副本|복사본"
COPY_OF = rf"(?:{COPY_WORD}) (?:of|von|de|di|da|van|af|av) "  # as Google Drive puts it before a name
PREFIX = re.compile(rf"(?:{COPY_OF}|(?:{COPY_WORD}) )+", re.IGNORECASE)
MARK = re.compile(
    rf"(?: ?\((?P<round>\d{{1,3}})\)|-(?P<dashed>\d{{1,3}})"
    rf"|(?: - | – |[ _-])(?:{COPY_WORD})(?:[ _-]?\(?(?P<copied>\d{{1,3}})\)?)?)$",
    re.IGNORECASE,
)
ADDED = r"txt|text|json|zip|download|part|crdownload|bin|dms|html?|octet-stream"  # by browsers and editors
LEFTOVERS = re.compile(
    r"(?i)[.~]|.*(-checkpoint| ?\(?autosaved?\)?)\.ipynb\Z"
)  # of Jupyter and its extensions
OTHER_ARCHIVES = (".rar", ".7z", ".zipx", ".xz", ".bz2", ".zst", ".gz", ".cab", ".dmg", ".sit")
LISTED = 6  # names in a message


def fold_name(name: str) -> str:
    """Return `name` as file systems compare it that ignore case or encode accents in their own way."""
    return unicodedata.normalize("NFC", name).casefold()


def base_name(path: str) -> str:
    """Return the last part of a path."""
    return PurePosixPath(path).name


def nearest_name(paths: Iterable[str]) -> list[str]:
    """Return those of the paths that lie nearest the top."""
    paths = list(paths)
    depth = min((path.count("/") for path in paths), default=0)
    return [path for path in paths if path.count("/") == depth]


def name_stem(path: str, suffix: str) -> str | None:
    """Return the folded name without `suffix` and what was added behind it; None for a file of another kind.

    "Toy.ipynb.txt", "toy.ipynb (1)" and "toy.ipynb.ipynb" are toy for the suffix ".ipynb".
    """
    ending = re.escape(fold_name(suffix))
    match = re.fullmatch(
        rf"(?s:(?P<stem>.*?)){ending}(?:{ending}|\.(?:{ADDED})| ?\(\d{{1,3}}\))*", fold_name(base_name(path))
    )
    return match["stem"].strip() if match else None


def strip_copy_marks(stem: str) -> tuple[str, int]:
    """Return a name without what marks it as a copy, and the copy's number: "a (2)" is a, 2; "Copy of a" is a, 1.

    Browsers write "a (2)", Canvas "a-2" for a second upload, Drive "Copy of a", Jupyter "a-Copy1", Windows "a - Copy".
    """
    number, prefix = 0, PREFIX.match(stem)
    if prefix and prefix.end() < len(stem):
        stem, number = stem[prefix.end() :], 1
    while (match := MARK.search(stem)) and match.start():
        digits = match["round"] or match["dashed"] or match["copied"]
        stem, number = stem[: match.start()], max(number, int(digits or 1))
    return stem, number


def latest_copy(paths: Sequence[str], suffix: str) -> str:
    """Return the copy of the highest number if all paths are copies of one file, numbered apart; empty otherwise."""
    numbered = {strip_copy_marks(name_stem(path, suffix) or ""): path for path in paths}
    if len({stem for stem, _ in numbered}) != 1 or len(numbered) != len(paths):
        return ""
    return numbered[max(numbered)]


def is_leftover(path: str) -> bool:
    """Return whether an editor left this notebook behind: an autosave, a checkpoint, a hidden file."""
    return any(map(LEFTOVERS.match, PurePosixPath(path).parts[-1:])) or any(
        part.startswith(".") for part in PurePosixPath(path).parts
    )


def list_names(names: Sequence[str]) -> str:
    """Return the first names, for a message."""
    return ", ".join(name[:100] for name in names[:LISTED]) + (" …" if len(names) > LISTED else "")
