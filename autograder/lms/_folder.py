"""A plain folder, or a zip of one: a folder or an archive for each student."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from autograder.core import CourseError, sanitize
from autograder.lms._export import Export
from autograder.lms._matching import Claims, Upload, fold_look
from autograder.submissions import Submitter, is_archive, suffix

EXPECTED = "expected one that holds a folder or an archive (.zip, .tar, .tar.gz) for each student"
OTHER_KINDS = (".rar", ".7z", ".gz", ".bz2", ".xz")
WORK = (".ipynb", ".keras")
COPY = re.compile(r"(?P<who>.+?) ?\((?P<number>[1-9])\)")  # as browsers name what is there already
ATTEMPT = re.compile(r"(?P<who>.+?)[ _.-]+(?:attempt|version)[ _.-]?(?P<number>\d{1,3})", re.IGNORECASE)


def read(export: Export) -> Claims:
    """Return each folder and each archive at the top as a student's. Raises CourseError for another folder."""
    tops = [top for top in export.tops if is_submission(export, top)]
    others = [top for top in export.tops if top not in tops]
    if loose := loose_work(export):
        advice = "Name the folder above it, or use `autograder check`"
        raise CourseError(
            f"{export.path} looks like one submission ({sanitize(loose[0])}): {EXPECTED}. {advice}."
        )
    if not tops:
        raise CourseError(f"{export.path} holds no submission: {EXPECTED}.")
    left_out = {name: no_submission(name) for top in others for name in export.tops[top].values()}
    earlier = earlier_attempts(tops)
    return Claims("folder", [upload(export, top, earlier.get(top, "")) for top in tops], left_out)


def loose_work(export: Export) -> list[str]:
    """Return the files at the top that look as if the folder were one student's."""
    return [top for top in export.tops if top not in export.folders and top.lower().endswith(WORK)]


def no_submission(name: str) -> str:
    """Return why a file is no submission."""
    if name.lower().endswith(OTHER_KINDS):
        return "an archive of a kind that is not understood: ask for a .zip"
    return "neither a folder nor a .zip or .tar archive"


def is_submission(export: Export, top: str) -> bool:
    """Return True if what lies at the top is a student's folder or archive."""
    return not top.startswith((".", "__")) and (top in export.folders or is_archive(top))


def upload(export: Export, top: str, earlier: str) -> Upload:
    """Return a student's folder or archive, named as it is; `earlier` is what it may be another attempt of."""
    is_folder = top in export.folders
    alike = [other for other in export.tops if is_submission(export, other) and stem(other) == stem(top)]
    order = [
        (other != stem(other), other not in export.folders, not other.lower().endswith(".zip"), other)
        for other in alike
    ]
    first = min(order)[-1]
    key = stem(top) if top == first else top
    doubts = []
    if top != first:
        doubts.append(f"{sanitize(first)} has the same name: find out whether both are of one student.")
    if earlier:
        doubts.append(
            f"May be a later attempt of {sanitize(earlier)}, or another student's: keep one, or rename it."
        )
    origin = Submitter(name=sanitize(key), prefix=f"{top}/" if is_folder else "")
    return Upload(origin, export.tops[top], key, doubts=tuple(doubts))


def earlier_attempts(tops: Iterable[str]) -> dict[str, str]:
    """Return what each numbered attempt follows. Nobody but a person can tell whose it is: a name is a free choice.

    `ann (1)` is an attempt only where `ann` is there, since "Student (1)" to "Student (40)" are a class.
    """
    attempts: dict[str, list[tuple[int, str]]] = {}
    for top in tops:
        who, number = attempt(top)
        attempts.setdefault(fold_look(who), []).append((number, top))
        if number:  # somebody may be called so
            attempts.setdefault(fold_look(stem(top)), []).append((0, top))
    earlier: dict[str, str] = {}
    for tried in attempts.values():
        tried = sorted(tried)
        by_word = any(ATTEMPT.fullmatch(stem(top)) for number, top in tried if number)
        if len(tried) > 1 and (by_word or tried[0][0] == 0):
            earlier |= {top: tried[0][1] for number, top in tried if number and top != tried[0][1]}
    return earlier


def attempt(top: str) -> tuple[str, int]:
    """Return who is named, and the number of the attempt or 0."""
    name = stem(top)
    match = ATTEMPT.fullmatch(name) or COPY.fullmatch(name)
    return (match["who"], int(match["number"])) if match else (name, 0)


def stem(top: str) -> str:
    """Return a name without the ending of an archive."""
    return top.removesuffix(suffix(PurePosixPath(top)))
