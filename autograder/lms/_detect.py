"""Detects which platform an export is from, and reads the class in it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import tzinfo
from functools import partial
from pathlib import Path

from autograder.core import CourseError
from autograder.lms import _drive as drive
from autograder.lms import _folder as folder
from autograder.lms import _gradescope as gradescope
from autograder.lms._export import (
    Export,
    descend,
    is_parted,
    list_folder,
    merge_parts,
    open_export,
    open_zip_export,
)
from autograder.lms._matching import Claims, match_cohort
from autograder.lms._platforms import PLATFORMS, ReadRequest
from autograder.lms._results import without_results
from autograder.lms._roster import read_roster
from autograder.submissions import Cohort, litter_reason

MAX_DEPTH = 3  # folders around a class


def read_cohort(
    path: Path, slug: str, roster: Path | None = None, zone: tzinfo | None = None, out: Path | None = None
) -> Cohort:
    """Return what a class handed in of the assignment `slug`, in the zip or folder at `path` that a platform exported.

    roster: the table of people that the platform exported. zone: in which its times are where they don't say.
    out: the folder for results, which is no submission where it lies in the class.
    Nothing is written, and a submission is opened only when its `source` is called, which may raise Failure.
    Raises CourseError, in one line, where there is no class at `path`, or the roster is of another kind.
    """
    asked = ReadRequest(slug, read_roster(roster, zone), zone)
    if gradescope.is_container(path):
        export, found = gradescope.read_container(path)
    else:
        export, found = read_first_match(without_results(open_cohort(path, asked), out), asked)
    uploads, lines = asked.roster.identified(found.uploads)
    found = replace(found, uploads=uploads, doubts=(*found.doubts, *lines), notices=asked.roster.notices)
    return match_cohort(export, found, slug)


def open_cohort(path: Path, asked: ReadRequest) -> Export:
    """Return the export at `path`. A folder of nothing but zips is one export if they are parts of one."""
    zips = only_zips(path)
    if zips and (is_parted(zips) or all(is_export(archive, asked) for archive in zips)):
        return merge_parts(path, [open_zip_export(archive) for archive in zips])
    return open_export(path)


def only_zips(path: Path) -> list[Path]:
    """Return the zips in a folder; none if it holds anything else."""
    entries = [entry for entry in list_folder(path) if not litter_reason(entry.name)] if path.is_dir() else []
    return (
        entries if all(archive.is_file() and archive.suffix.lower() == ".zip" for archive in entries) else []
    )


def is_export(path: Path, asked: ReadRequest) -> bool:
    """Return True if the zip at `path` is a platform's export rather than one student's."""
    try:
        return any(reader(level, asked) for level in levels(open_zip_export(path)))
    except CourseError:
        return False


def read_first_match(export: Export, asked: ReadRequest) -> tuple[Export, Claims]:
    """Return the submissions in the export of a platform, in whichever folder it lies; else those in a plain folder."""
    for level in levels(export):
        if read := reader(level, asked):
            return level, read()
    level = plain_level(export, asked)
    if drive.recognises(level, asked.slug):
        return level, drive.read(level, asked.slug, asked.roster.people)
    return level, folder.read(level)


def levels(export: Export) -> Iterator[Export]:
    """Return the export, and what is in the folders around it."""
    level: Export | None = export
    for _ in range(MAX_DEPTH + 1):
        if level is None:
            return
        yield level
        level = descend(level)


def plain_level(export: Export, asked: ReadRequest) -> Export:
    """Return the folder inside the export if there is one around the whole class; else the export."""
    inner = descend(export) if export.packed else None
    if inner is None or len(inner.tops) < 2:
        return export
    is_loose = drive.recognises(inner, asked.slug)
    return inner if is_loose or not folder.loose_work(inner) else export


def reader(export: Export, asked: ReadRequest) -> Callable[[], Claims] | None:
    """Return what reads the export of a learning platform; None if it is of none of them."""
    for recognises, read in PLATFORMS:
        if recognises(export):
            return partial(read, export, asked)
    return None
