"""`pack`: the archive that a student hands in, with what the items read and nothing else, and the proof of it."""

import os
import re
import warnings
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from autograder.core import Assignment, Course, CourseError, Failure, NeedsReview, Remark
from autograder.data import DEMO_SECRET, HiddenData
from autograder.grading._grader import Grader, read_author
from autograder.rubric import Item, Report, Submission, hidden_from, score
from autograder.submissions import RawSubmission, zip_files

UNFIT = r"[^\w.-]+"  # for the name of a file
ON_TOP = "For points on top alone: "


class Unsigned(BaseException):
    """An item asked for the signature of a notebook that has none; no item is to make a mark of it."""


@dataclass(frozen=True)
class PackedWork:
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


def pack(
    course: Course, assignment: Assignment, folder: Path, out: Path | None, grader: Grader
) -> PackedWork:
    """Packs the work in `folder` as ASSIGNMENT_SIGNATURE.zip in the current folder, or as `out`; then grades that.

    grader: as for `check`. Raises CourseError, and writes nothing, where there is no archive to be made: no
    notebook or several, one that can't be read, or one that is not signed where the items need it.
    """
    if not folder.is_dir():
        raise CourseError(f"{folder} is no folder: name the one that holds your notebook and models.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Remark)  # the report says it
            submission = open_own_work(assignment, folder, grader)
            files, missing = gather_files(submission, requested_files(course, submission, grader))
            name = file_name(assignment, submission.signature or submission.student)
    except Failure as failure:
        raise CourseError(f"Nothing is packed. {failure.reason} {failure.hint}".strip()) from None
    except NeedsReview as undecided:
        raise CourseError(f"Nothing is packed. {undecided}.") from None
    except Unsigned as unsigned:
        advice = (
            'set STUDENT = "..." in its first cell to the id that you hand in under, save it, and pack again'
        )
        raise CourseError(f"Nothing is packed. Your notebook is not signed{unsigned}: {advice}.") from None
    path = out or Path(name)
    replaced = write_archive(path, zip_files(files))
    report = grader.grade(RawSubmission(read_author(path, grader.expected), path)).report
    return PackedWork(path, tuple(sorted(files)), missing, replaced, report)


def open_own_work(assignment: Assignment, folder: Path, grader: Grader) -> Submission:
    """Return the work in `folder`, as its author hands it in. Raises Failure where there is no one notebook."""
    submission = grader.submission(RawSubmission(folder.resolve().name, folder))
    if submission.content(submission.notebook) == assignment.rubric.read_bytes():
        raise Failure(
            "There is no notebook in your folder.", "Put the .ipynb file with your functions there."
        )
    return replace(submission, student=submission.signature or submission.student)


def requested_files(course: Course, submission: Submission, grader: Grader) -> dict[str, bool]:
    """Return the files that the items ask for, by name, and whether points on top alone rest on each.

    For that every item is run.

    Items on hidden data run to their end, on data of the public seed: one may draw its data before it reads a file.
    Raises Unsigned.
    """
    names = {}

    def heard(item: Item, kind: str, name: str) -> None:
        if name == "STUDENT" and not submission.signature:
            raise Unsigned(f" (it says {submission.near_signature})" if submission.near_signature else "")
        if kind == "file":
            names[name] = names.get(name, True) and item.stretch

    with hidden_from(HiddenData(course, DEMO_SECRET)):
        for item in grader.items:
            score(item, replace(grader.watched(submission, item), asks=partial(heard, item)))
    return names


def gather_files(submission: Submission, names: dict[str, bool]) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return the notebook and each file by its path, and why those that can't be read are missing."""
    files, missing = {submission.notebook: submission.content(submission.notebook)}, {}
    for name, on_top in names.items():
        try:
            path = submission.find(name)
            files[path] = submission.content(path)
        except (Failure, NeedsReview) as problem:
            missing[name] = f"{ON_TOP if on_top else ''}{problem}"
    return files, missing


def file_name(assignment: Assignment, student: str) -> str:
    """Return what the archive is called: what is no letter, digit, dot or dash in an id becomes an underscore."""
    return f"{assignment.slug}_{re.sub(UNFIT, '_', student)}.zip"


def write_archive(path: Path, content: bytes) -> bool:
    """Write the archive, whole or not at all; whether one with other content was replaced.

    Raises CourseError rather than write over what is no .zip, or into a folder that is not there.
    """
    if path.suffix != ".zip" or not path.parent.is_dir():
        raise CourseError(f"{path} won't do: name a file that ends in .zip, in a folder that is there.")
    found = path.read_bytes() if path.exists() else None
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(content)
    os.replace(draft, path)
    return found not in (None, content)
