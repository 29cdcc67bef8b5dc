"""An export as it was downloaded: the files of a whole class by their path, in a folder, a zip, or several zips."""

import os
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

from autograder.course import CourseError
from autograder.failure import Failure, plain
from autograder.files import (
    DAMAGED,
    MOST_FILES,
    Files,
    accepted,
    entries_of,
    is_archive,
    leads_out,
    litter_of,
    read_entry,
    read_regular,
    refuse_crowd,
    unpacked,
    walked,
)

LARGEST_CLASS = 200_000  # files
PARTED = re.compile(r"(?P<download>.+-\d{8}T\d{6}Z)(?:-\d+)?-\d{3}\.zip", re.IGNORECASE)


@dataclass(frozen=True)
class Export:
    """The files of a class: `names` that can be taken, the `folders` at the top, and what was left out, and why.

    packed: it lies in one archive or more, where a class often has a folder around it.
    """

    path: Path
    names: tuple[str, ...] = field(repr=False)
    folders: frozenset[str] = field(repr=False)
    read: Callable[[str], bytes] = field(repr=False)
    left_out: dict[str, str] = field(default_factory=dict, repr=False)
    packed: bool = False

    @cached_property
    def tops(self) -> dict[str, dict[str, str]]:
        """What lies at the top, by name: the files in a folder, by their path in it; a file has just itself."""
        found = {name: {} for name in self.folders}
        for name in self.names:
            top, _, rest = name.partition("/")
            found.setdefault(top, {})[rest or top] = name
        return dict(sorted(found.items()))

    def opened(self, files: dict[str, str]) -> Files:
        """Some of the files under other names, as one student's; see `unpacked`. Raises Failure."""
        refuse_crowd(len(files))
        return unpacked(Files(accepted(files), lambda name: self.read(files[name])))


def open_export(path: Path) -> Export:
    """The folder or the zip at `path`. Raises CourseError, in one line, for what is neither."""
    if path.is_dir():
        return on_disk(path)
    if path.is_file() and path.name.lower().endswith(".zip"):
        return in_zip(path)
    expected = (
        "expected the .zip that a platform gave, or a folder with a folder or an archive for each student"
    )
    raise CourseError(f"{path} is no {'.zip' if path.exists() else 'folder'}: {expected}.")


def on_disk(root: Path, links: bool = True) -> Export:
    """A folder's files; `links` at its top to folders and archives count, as the TA laid them there, none elsewhere."""
    entries = [entry for entry in listed(root) if links or not entry.is_symlink()]
    followed = {entry.name for entry in entries if entry.is_symlink() and is_archive(entry.name)}
    folders = {entry.name for entry in entries if entry.is_dir() and not litter_of(entry.name)}
    names = [entry.name for entry in entries if entry.name not in folders]
    for top in sorted(folders):  # one more than a submission may hold is enough to refuse it
        names += (f"{top}/{name}" for name in islice(walked(root / top), MOST_FILES + 1))

    def read(name: str) -> bytes:
        path = root / name
        return read_regular(Path(os.path.realpath(path)) if name in followed else path, name)

    return export(root, names, folders, read)


def listed(root: Path) -> list[Path]:
    """What is in a folder, sorted. Raises CourseError if that can't be read."""
    try:
        return sorted(root.iterdir())
    except OSError as error:
        raise CourseError(f"{root} can't be read: {error.strerror}.") from None


def in_zip(path: Path) -> Export:
    """The files of a zip, which stays open for as long as they are in use. Raises CourseError if it is damaged."""
    try:
        archive = zipfile.ZipFile(path)
        entries = entries_of(archive)
    except DAMAGED as error:
        raise CourseError(
            f"{path} can't be opened as a zip ({plain(str(error))}): download it again."
        ) from None

    def read(name: str) -> bytes:
        try:
            return read_entry(archive, entries[name], name)
        except DAMAGED:
            raise Failure(f"{name} is damaged in {path.name}.", "Hand the file in again.") from None

    folders = {name.partition("/")[0] for name in entries if "/" in name}
    files = (name for name in entries if not name.endswith("/"))
    return replace(export(path, files, folders, read), packed=True)


def export(path: Path, names: Iterable[str], folders: Iterable[str], read: Callable[[str], bytes]) -> Export:
    """An Export of the `names` that can be taken. Raises CourseError for far too many."""
    names = list(names)
    places = {name[:end] for name in names for end, sign in enumerate(name) if sign == "/"}
    why_not = {name: reason_against(name, places) for name in names}
    kept = [name for name, why in why_not.items() if not why]
    left_out = {plain(name): why for name, why in why_not.items() if why}
    if len(kept) > LARGEST_CLASS:
        raise CourseError(f"{path} holds more than {LARGEST_CLASS} files: is it the class you mean?")
    meant = {name for name in folders if not (litter_of(name) or leads_out(f"{name}/x"))}
    return Export(path, tuple(kept), frozenset(meant), read, left_out)


def reason_against(name: str, places: set[str]) -> str:
    """Why a file can't be taken, among those in these `places`; empty where it can."""
    if litter := litter_of(name):
        return f"litter of {litter}"
    if leads_out(name):
        return "its path leads out of the folder, or far down"
    return "a folder has the same name" if name in places else ""


def merged(path: Path, exports: Sequence[Export]) -> Export:
    """Several zips as one: a platform parts a large download. Of one path in two of them the later counts."""
    where = {name: one for one in exports for name in one.names}
    folders = frozenset().union(*(one.folders for one in exports))
    left_out = {name: why for one in exports for name, why in one.left_out.items()}
    return Export(path, tuple(where), folders, lambda name: where[name].read(name), left_out, packed=True)


def below(export: Export) -> Export | None:
    """What the one folder holds that everything lies in; none where more than that is at the top."""
    if len(export.tops) != 1 or not export.folders:
        return None
    [(top, files)] = export.tops.items()
    folders = frozenset(name.partition("/")[0] for name in files if "/" in name)
    left_out = {name.removeprefix(f"{top}/"): why for name, why in export.left_out.items()}
    read = export.read
    return replace(
        export, names=tuple(files), folders=folders, read=lambda name: read(files[name]), left_out=left_out
    )


def is_parted(zips: Sequence[Path]) -> bool:
    """Whether these are the parts that Google Drive makes of one download."""
    parts = [PARTED.fullmatch(one.name) for one in zips]
    return None not in parts and len({part["download"] for part in parts if part}) == 1
