"""A plain folder, or a zip of one: a folder or an archive for each student."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

from autograder.course import CourseError
from autograder.failure import plain
from autograder.files import is_archive, suffix
from autograder.handed_in import Origin
from autograder.platforms.export import Export
from autograder.platforms.people import Found, Upload

EXPECTED = "expected one that holds a folder or an archive (.zip, .tar, .tar.gz) for each student"
OTHER_KINDS = (".rar", ".7z", ".gz", ".bz2", ".xz")
WORK = (".ipynb", ".keras")
COPY = re.compile(r"(?P<who>.+?) ?\((?P<number>[1-9])\)")  # as browsers name what is there already
ATTEMPT = re.compile(r"(?P<who>.+?)[ _.-]+(?:attempt|version)[ _.-]?(?P<number>\d{1,3})", re.IGNORECASE)


def read(export: Export) -> Found:
    """Each folder and each archive at the top is a student's. Raises CourseError for a folder of another kind."""
    tops = [top for top in export.tops if is_submission(export, top)]
    others = [top for top in export.tops if top not in tops]
    if loose := loose_work(export):
        advice = "Name the folder above it, or use `autograder check`"
        raise CourseError(
            f"{export.path} looks like one submission ({plain(loose[0])}): {EXPECTED}. {advice}."
        )
    if not tops:
        raise CourseError(f"{export.path} holds no submission: {EXPECTED}.")
    latest = latest_attempts(tops)
    left_out = {name: no_submission(name) for top in others for name in export.tops[top].values()}
    left_out |= {top: f"an earlier attempt than {plain(latest[top])}" for top in tops if latest[top] != top}
    kept = [top for top in tops if latest[top] == top]
    stems = Counter(map(stem, kept))
    return Found("folder", [upload(export, top, latest, stems) for top in kept], left_out)


def loose_work(export: Export) -> list[str]:
    """The files at the top that look as if the folder were one student's."""
    return [top for top in export.tops if top not in export.folders and top.lower().endswith(WORK)]


def no_submission(name: str) -> str:
    """Why a file is no submission."""
    if name.lower().endswith(OTHER_KINDS):
        return "an archive of a kind that is not understood: ask for a .zip"
    return "neither a folder nor a .zip or .tar archive"


def is_submission(export: Export, top: str) -> bool:
    """Whether what lies at the top is a student's folder or archive."""
    return not top.startswith((".", "__")) and (top in export.folders or is_archive(top))


def upload(export: Export, top: str, latest: dict[str, str], stems: Counter) -> Upload:
    """A student's folder or archive, named as it is: by its ending too where a folder has the name."""
    is_folder = top in export.folders
    name = attempt(top)[0] if top in (latest[other] for other in latest if other != top) else stem(top)
    key = top if stems[stem(top)] > 1 else name
    return Upload(Origin(name=plain(name), prefix=f"{top}/" if is_folder else ""), export.tops[top], key)


def latest_attempts(tops: Iterable[str]) -> dict[str, str]:
    """Of each name the latest attempt of whoever it names: itself unless the attempts are clearly numbered.

    `ann (1)` is a later attempt only where `ann` is there, since "Student (1)" to "Student (40)" are a class.
    """
    stems = {stem(top).casefold() for top in tops}
    attempts: dict[str, list[tuple[int, str]]] = {}
    for top in tops:
        who, number, by_word = attempt(top)
        if number and not by_word and who.casefold() not in stems:
            who, number = stem(top), 0
        attempts.setdefault(who.casefold(), []).append((number, top))
    latest = {}
    for tried in attempts.values():
        most, last = max(tried)
        tied = [number for number, _ in tried].count(most) > 1
        latest |= {top: top if tied else last for _, top in tried}
    return latest


def attempt(top: str) -> tuple[str, int, bool]:
    """Who is named, the number of the attempt or 0, and whether a word says that it is one."""
    name = stem(top)
    if found := ATTEMPT.fullmatch(name):
        return found["who"], int(found["number"]), True
    found = COPY.fullmatch(name)
    return (found["who"], int(found["number"]), False) if found else (name, 0, False)


def stem(top: str) -> str:
    """A name without the ending of an archive."""
    return top.removesuffix(suffix(PurePosixPath(top)))
