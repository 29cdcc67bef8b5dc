"""Folders of results that lie among the submissions of a class: they are the grader's own, and no student's."""

from dataclasses import replace
from pathlib import Path

from autograder.core import CourseError, sanitize
from autograder.lms._export import Export

OWN = frozenset({"grades.csv", "left_out.csv", "index.html"})  # which every run writes
SCORES = ".scores"  # which a run that was killed leaves as well
LATE_DAYS = "late_days.csv"  # lies beside the folders of results
EARLIER = "results of an earlier run of the grader, no submission"
OUT = "where this run writes its results, no submission"


def without_results(export: Export, out: Path | None = None) -> Export:
    """Return the export without the folder `out` and without earlier results, which are left out with the reason.

    Raises CourseError, in one line, if `out` is the class itself, holds it, or lies in a student's folder.
    """
    own = {top: EARLIER for top in export.folders if holds_results(export, top)}
    if out is not None:
        own |= dict.fromkeys(find_results(export, out), OUT)
    if not own:
        return export
    where = {name: place for name, place in export.where.items() if name.partition("/")[0] not in own}
    left_out = export.left_out | {sanitize(top): why for top, why in own.items()}
    return replace(export, where=where, folders=export.folders - set(own), left_out=left_out)


def find_results(export: Export, out: Path) -> list[str]:
    """Return the folder at the top of the class that holds `out`, if there is one."""
    place, where = export.path.resolve(), out.resolve()
    if where == place or where in place.parents:
        raise CourseError(
            f"The submissions in {export.path} lie in --out {out}: name another folder for --out."
        )
    if place not in where.parents:
        return []
    inside = where.relative_to(place).as_posix()
    top = inside.partition("/")[0]
    if top not in export.folders:
        return []
    own = inside if "/" in inside else "\0"  # a folder at the top may be a student's, unless it holds results
    beside = [
        name
        for name in export.tops[top].values()
        if not name.startswith(f"{own}/") and not name.endswith(f"/{LATE_DAYS}")
    ]
    if beside and not holds_results(export, top):
        raise CourseError(
            f"--out {out} lies in {sanitize(top)}, which is in the class: name another folder for --out."
        )
    return [top]


def holds_results(export: Export, top: str) -> bool:
    """Return True if a folder at the top is one of results, or holds some: `results`, or `results/<assignment>`."""
    if export.path.is_dir():
        root = export.path / top
        try:
            folders = [root, *(path for path in root.iterdir() if path.is_dir())]
            return any(
                (folder / SCORES).is_dir() or all((folder / name).is_file() for name in OWN)
                for folder in folders
            )
        except OSError:
            return False
    found: dict[str, set[str]] = {}
    for name in export.tops[top]:
        folder, _, file = name.rpartition("/")
        if folder.count("/") < 1 and file in OWN:
            found.setdefault(folder, set()).add(file)
    return any(names == OWN for names in found.values())
