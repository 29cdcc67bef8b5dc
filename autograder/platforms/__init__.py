"""Learning platforms: what they export is read as a class, and marks and feedback are given back in their own files."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path

from autograder.course import CourseError
from autograder.files import litter_of
from autograder.handed_in import Class
from autograder.platforms import canvas, drive, folder, gradescope, moodle, nbgrader
from autograder.platforms.export import Export, below, in_zip, is_parted, listed, merged, open_export
from autograder.platforms.feedback import feedback_names as feedback_names
from autograder.platforms.feedback import feedback_zip as feedback_zip
from autograder.platforms.people import Found, Upload, class_of
from autograder.platforms.roster import Roster, read_roster

DEEPEST = 3  # folders around a class


@dataclass(frozen=True)
class Asked:
    """What is asked of an export: the submissions of an assignment, by people of a roster, with times of a zone."""

    slug: str
    roster: Roster
    zone: tzinfo | None


def read_class(path: Path, slug: str, roster: Path | None = None, zone: tzinfo | None = None) -> Class:
    """What a class handed in of the assignment `slug`, in the zip or folder at `path` that a platform exported.

    roster: the table of people that the platform exported. zone: in which its times are where they don't say.
    Nothing is written, and a submission is opened only when its `source` is called, which may raise Failure.
    Raises CourseError, in one line, where there is no class at `path`, or the roster is of another kind.
    """
    asked = Asked(slug, read_roster(roster, zone), zone)
    if gradescope.is_container(path):
        export, found = gradescope.read_container(path)
    else:
        export, found = understood(open_class(path, asked), asked)
    uploads = [completed(one, asked.roster) for one in found.uploads]
    return class_of(export, replace(found, uploads=uploads), slug)


def open_class(path: Path, asked: Asked) -> Export:
    """The export at `path`; the zips in a folder of nothing else are one where they are parts, or exports each."""
    zips = only_zips(path)
    if zips and (is_parted(zips) or all(is_export(one, asked) for one in zips)):
        return merged(path, [in_zip(one) for one in zips])
    return open_export(path)


def only_zips(path: Path) -> list[Path]:
    """The zips in a folder; none if it holds anything else."""
    entries = [entry for entry in listed(path) if not litter_of(entry.name)] if path.is_dir() else []
    return entries if all(one.is_file() and one.suffix.lower() == ".zip" for one in entries) else []


def is_export(path: Path, asked: Asked) -> bool:
    """Whether the zip at `path` is a platform's export rather than one student's."""
    try:
        return any(reader(level, asked) for level in levels(in_zip(path)))
    except CourseError:
        return False


def understood(export: Export, asked: Asked) -> tuple[Export, Found]:
    """The submissions in the export of a platform, in whichever folder it lies; else those in a plain folder."""
    for level in levels(export):
        if read := reader(level, asked):
            return level, read()
    level = plain_level(export, asked)
    people = asked.roster.people
    is_loose = drive.recognises(level, asked.slug, people)
    return level, drive.read(level, asked.slug, people) if is_loose else folder.read(level)


def levels(export: Export) -> Iterator[Export]:
    """The export, and what is in the folders around it."""
    level: Export | None = export
    for _ in range(DEEPEST + 1):
        if level is None:
            return
        yield level
        level = below(level)


def plain_level(export: Export, asked: Asked) -> Export:
    """A packed class often has a folder around it; it is entered where several things are in it, and not one's work."""
    inner = below(export) if export.packed else None
    if inner is None or len(inner.tops) < 2:
        return export
    is_loose = drive.recognises(inner, asked.slug, asked.roster.people)
    return inner if is_loose or not folder.loose_work(inner) else export


def reader(export: Export, asked: Asked) -> Callable[[], Found] | None:
    """What reads the export of a learning platform; none where it is none's."""
    if gradescope.recognises(export):
        return lambda: gradescope.read(export)
    if moodle.recognises(export):
        return lambda: moodle.read(export)
    if canvas.recognises(export):
        return lambda: canvas.read(export)
    if nbgrader.recognises(export):
        return lambda: nbgrader.read(export, asked.slug, asked.zone)
    return None


def completed(upload: Upload, roster: Roster) -> Upload:
    """The upload with what the roster tells about its student."""
    return replace(upload, origin=roster.completed(upload.origin))
