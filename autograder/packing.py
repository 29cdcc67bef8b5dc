"""`pack`: the archive that a student hands in, with what the items read and nothing else, and the proof of it."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.course import Assignment, Course, CourseError
from autograder.failure import Failure
from autograder.files import Files, zipped
from autograder.grading import Grader, author
from autograder.hidden import DEMO_SECRET, HiddenData
from autograder.rubric import Report, hidden_from, score
from autograder.submission import Submission

UNFIT = r"[^\w.-]+"  # for the name of a file


@dataclass(frozen=True)
class Traced(Submission):
    """A submission that remembers what items asked of it, so that an archive can hold just that.

    taken: the content of each file that was read, by its path. missing: for each file that was asked for and could
    not be read, why.
    """

    taken: dict[str, bytes] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> Files:
        found = super().files

        def read(path: str) -> bytes:
            self.taken[path] = found.read(path)
            return self.taken[path]

        return Files(found.names, read)

    def read(self, name: str) -> bytes:
        try:
            return super().read(name)
        except Failure as failure:
            self.missing[name] = f"{failure.reason} {failure.hint}"
            raise

    @property
    def signed(self) -> str:
        if not self.signature:
            raise Unsigned
        return super().signed


class Unsigned(BaseException):
    """An item asked for the signature of a notebook that has none; no item is to make a mark of it."""


@dataclass(frozen=True)
class Packed:
    """An archive that was written: what it holds, what items asked for in vain, and its report, read from it."""

    path: Path
    names: tuple[str, ...]
    missing: dict[str, str]
    replaced: bool  # whether an archive with other content lay there
    report: Report

    @property
    def failing(self) -> list[str]:
        """The items that cost points so far, by name."""
        scores = (score for score in self.report.scores if score.outcome == "scored" and not score.stretch)
        return [score.item for score in scores if not score.is_full]


def pack(course: Course, assignment: Assignment, folder: Path, out: Path | None, grader: Grader) -> Packed:
    """Packs the work in `folder` as ASSIGNMENT_SIGNATURE.zip in the current folder, or as `out`; then grades that.

    grader: as for `check`. Raises CourseError, and writes nothing, where there is no archive to be made: no
    notebook or several, one that can't be read, or one that is not signed where the items need it.
    """
    if not folder.is_dir():
        raise CourseError(f"{folder} is no folder: name the one that holds your notebook and models.")
    try:
        traced = trace(course, assignment, folder, grader)
        name = file_name(assignment, traced.signature or folder.resolve().name)
    except Failure as failure:
        raise CourseError(f"Nothing is packed. {failure.reason} {failure.hint}".strip()) from None
    except Unsigned:
        advice = (
            'set STUDENT = "..." in its first cell to the id that you hand in under, save it, and pack again'
        )
        raise CourseError(f"Nothing is packed. Your notebook is not signed: {advice}.") from None
    path = out or Path(name)
    replaced = write_archive(path, zipped(traced.taken))
    report = grader.grade(path, author(path))
    return Packed(path, tuple(sorted(traced.taken)), traced.missing, replaced, report)


def trace(course: Course, assignment: Assignment, folder: Path, grader: Grader) -> Traced:
    """Runs every item on the work in `folder`, and gives the submission that knows which files they read.

    Items on hidden data run to their end, on data of the public seed: one may draw its data before it reads a file.
    Raises Failure where there is no one notebook, and Unsigned.
    """
    shared = {"trainer": grader.trainer, "trainings": grader.trainings}
    traced = Traced(folder.resolve().name, folder, grader.predictor, grader.sandbox, **shared)
    _, content = traced.code
    if content == assignment.rubric.read_bytes():
        raise Failure(
            "There is no notebook in your folder.", "Put the .ipynb file with your functions there."
        )
    if traced.signature:
        traced = replace(traced, student=traced.signature)
    with hidden_from(HiddenData(course, DEMO_SECRET)):
        for item in grader.items:
            grader.watch(item.__name__)
            score(item, replace(traced, watch=watch_of(grader, item.__name__)))
    return traced


def watch_of(grader: Grader, item: str) -> Callable[[str], None]:
    """Tells how far an item's training is."""
    return lambda line: grader.watch(f"{item}: {line}")


def file_name(assignment: Assignment, student: str) -> str:
    """What the archive is called: what is no letter, digit, dot or dash in an id becomes an underscore."""
    return f"{assignment.slug}_{re.sub(UNFIT, '_', student)}.zip"


def write_archive(path: Path, content: bytes) -> bool:
    """Writes the archive, whole or not at all; whether one with other content was replaced.

    Raises CourseError rather than write over what is no .zip, or into a folder that is not there.
    """
    if path.suffix != ".zip" or not path.parent.is_dir():
        raise CourseError(f"{path} won't do: name a file that ends in .zip, in a folder that is there.")
    found = path.read_bytes() if path.exists() else None
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(content)
    os.replace(draft, path)
    return found not in (None, content)
