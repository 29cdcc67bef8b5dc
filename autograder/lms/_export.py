"""An export as it was downloaded: the files of a whole class by their path, in a folder, a zip, or several zips."""

import os
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import BinaryIO, cast

from autograder.core import CourseError, Failure, sanitize
from autograder.submissions import (
    Budget,
    Files,
    count_entries,
    is_archive,
    leads_out,
    litter_reason,
    open_regular,
    open_whole,
    parent_folders,
    read_entry,
    read_regular,
    refuse_entry,
    sift_names,
    translate_read_errors,
    unpack,
    walk_folder,
    zip_entries,
)

MAX_COHORT_FILES = 500_000  # files
MAX_OPEN = 16  # zips of a class that a process keeps open
PARTED = re.compile(r"(?P<download>.+-\d{8}T\d{6}Z)(?:-\d+)?-\d{3}\.zip", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """Where a file of an export lies: in the folder or the zip at `root`, under the name `entry`."""

    root: Path
    entry: str

    def read(self) -> bytes:
        """Return the file's bytes. Raises Failure or NeedsReview."""
        if self.root.is_dir():
            return read_regular(self.root / self.entry, self.entry)
        archive, entry = self.find()
        with translate_read_errors(self.entry, self.damaged):
            return read_entry(archive, entry, self.entry)

    def open(self) -> BinaryIO:
        """Return the file as a binary file, whatever its size. Raises Failure or NeedsReview."""
        if self.root.is_dir():
            return open_regular(self.root / self.entry, self.entry)
        archive, entry = self.find()
        with translate_read_errors(self.entry, self.damaged):
            refuse_entry(entry, self.entry)
            return cast(BinaryIO, archive.open(entry))

    def find(self) -> tuple[zipfile.ZipFile, zipfile.ZipInfo]:
        """Return the zip, which each process opens once, and what it says of the file."""
        with translate_read_errors(self.root.name, self.damaged):
            state = self.root.stat()
            archive, entries = open_zip(self.root, state.st_size, state.st_mtime_ns)
            return archive, entries[self.entry]

    @property
    def damaged(self) -> Failure:
        return Failure(f"{self.entry} is damaged in {self.root.name}.", "Hand the file in again.")


@lru_cache(MAX_OPEN)
def open_zip(path: Path, *state: int) -> tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]:
    """Return the zip at `path`, which stays open, and its entries by name. state: tells it from a later one."""
    with path.open("rb") as file:
        if count_entries(file, MAX_COHORT_FILES) > MAX_COHORT_FILES:
            raise CourseError(f"{path} holds more than {MAX_COHORT_FILES} files: is it the class you mean?")
    archive = open_whole(path)
    return archive, zip_entries(archive)


@dataclass(frozen=True)
class Uploaded:
    """The files of one student in an export, by their path in the submission: any process can open them.

    slug: of the assignment, see `unpack`.
    """

    places: Mapping[str, Place]
    slug: str = ""

    def __call__(self, budget: Budget | None = None) -> Files:
        names, passed_over = sift_names(self.places)
        files = Files(
            tuple(names),
            lambda name: self.places[name].read(),
            lambda name: self.places[name].open(),
            passed_over,
        )
        return unpack(files, self.slug, budget)


@dataclass(frozen=True)
class Export:
    """The files of a class: `where` each lies that can be taken, the `folders` at the top, what was left out and why.

    packed: it lies in one archive or more, where a class often has a folder around it.
    """

    path: Path
    where: Mapping[str, Place] = field(repr=False)
    folders: frozenset[str] = field(repr=False)
    left_out: dict[str, str] = field(default_factory=dict, repr=False)
    packed: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.where)

    def read(self, name: str) -> bytes:
        """Return the bytes of a file. Raises Failure or NeedsReview."""
        return self.where[name].read()

    @cached_property
    def tops(self) -> dict[str, dict[str, str]]:
        """What lies at the top, by name: the files in a folder, by their path in it; a file has just itself."""
        files: dict[str, dict[str, str]] = {name: {} for name in self.folders}
        for name in self.where:
            top, _, rest = name.partition("/")
            files.setdefault(top, {})[rest or name] = name
        return dict(sorted(files.items()))


def open_export(path: Path) -> Export:
    """Return the folder or the zip at `path`. Raises CourseError, in one line, for what is neither."""
    if path.is_dir():
        return open_folder_export(path)
    if path.is_file() and path.name.lower().endswith(".zip"):
        return open_zip_export(path)
    expected = (
        "expected the .zip that a platform gave, or a folder with a folder or an archive for each student"
    )
    raise CourseError(f"{path} is no {'.zip' if path.exists() else 'folder'}: {expected}.")


def open_folder_export(root: Path, links: bool = True) -> Export:
    """Return a folder's files; `links` at its top to folders and archives count, as the TA laid them there."""
    entries = [entry for entry in list_folder(root) if links or not entry.is_symlink()]
    folders = {entry.name for entry in entries if entry.is_dir() and not litter_reason(entry.name)}
    where: dict[str, Place] = {}
    left_out: dict[str, str] = {}
    for entry in entries:
        if entry.name in folders:
            names, passed_over = walk_folder(entry)
            where |= {f"{entry.name}/{name}": Place(root, f"{entry.name}/{name}") for name in names}
            left_out |= {f"{entry.name}/{name}": why for name, why in passed_over.items()}
        else:
            followed = entry.is_symlink() and is_archive(entry.name)
            real = Path(os.path.realpath(entry)) if followed else entry
            where[entry.name] = Place(real.parent, real.name)
    return export(root, where, folders, left_out)


def list_folder(root: Path) -> list[Path]:
    """Return what is in a folder, sorted. Raises CourseError if that can't be read."""
    try:
        return sorted(root.iterdir())
    except OSError as error:
        raise CourseError(f"{root} can't be read: {error.strerror}.") from None


def open_zip_export(path: Path) -> Export:
    """Return the files of a zip. Raises CourseError if it is damaged."""
    try:
        state = path.stat()
        _, entries = open_zip(path, state.st_size, state.st_mtime_ns)
    except CourseError:
        raise
    except Exception as error:  # of any kind, for crafted bytes
        reason = sanitize(str(error)) or "it breaks off, or is no zip"
        raise CourseError(f"{path} can't be opened as a zip ({reason}): download it again.") from None
    folders = {name.partition("/")[0] for name in entries if "/" in name}
    where = {name: Place(path, name) for name in entries if not name.endswith("/")}
    return replace(export(path, where, folders), packed=True)


def export(
    path: Path, where: dict[str, Place], folders: Iterable[str], left_out: Mapping[str, str] | None = None
) -> Export:
    """Return an Export of the files that can be taken. Raises CourseError for far too many."""
    kept, passed_over = sift_names(where)
    litter = {
        name: f"litter of {litter_reason(name)}" for name in where.keys() - set(kept) if litter_reason(name)
    }
    places = {place[:-1] for name in kept for place in parent_folders(name)}
    same = {name: "a folder has the same name" for name in kept if name in places}
    if len(kept) > MAX_COHORT_FILES:
        raise CourseError(f"{path} holds more than {MAX_COHORT_FILES} files: is it the class you mean?")
    meant = {name for name in folders if not (litter_reason(name) or leads_out(f"{name}/x"))}
    said = {**(left_out or {}), **litter, **passed_over, **same}
    taken = {name: where[name] for name in kept if name not in same}
    return Export(path, taken, frozenset(meant), {sanitize(name): why for name, why in said.items()})


def merge_parts(path: Path, exports: Sequence[Export]) -> Export:
    """Several zips as one: a platform parts a large download. Of one path in two of them the later counts."""
    where = {name: place for export in exports for name, place in export.where.items()}
    folders = frozenset().union(*(export.folders for export in exports))
    left_out = {name: why for export in exports for name, why in export.left_out.items()}
    return Export(path, where, folders, left_out, packed=True)


def descend(export: Export) -> Export | None:
    """Return what the one folder holds that everything lies in; none where more than that is at the top."""
    if len(export.tops) != 1 or not export.folders:
        return None
    [(top, files)] = export.tops.items()
    folders = frozenset(name.partition("/")[0] for name in files if "/" in name)
    left_out = {name.removeprefix(f"{top}/"): why for name, why in export.left_out.items()}
    where = {name: export.where[whole] for name, whole in files.items()}
    return replace(export, where=where, folders=folders, left_out=left_out)


def is_parted(zips: Sequence[Path]) -> bool:
    """Return True if these are the parts that Google Drive makes of one download."""
    parts = [PARTED.fullmatch(archive.name) for archive in zips]
    return None not in parts and len({part["download"] for part in parts if part}) == 1
