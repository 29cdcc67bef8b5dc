"""`pack`: the archive that a student submits, with the files that items read and nothing else, graded as it stands."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.core import Assignment, CourseError, Failure, NeedsReview, write_atomically
from autograder.grading._grader import Grader, read_author
from autograder.grading._reading import open_submission
from autograder.rubric import Item, Report, Submission
from autograder.submissions import RawSubmission, zip_files

NOT_IN_FILE_NAMES = r"[^\w.-]+"
FILE_NAME = re.compile(r"[\w-][\w.-]*\.[a-z]\w*")
SIGNATURE = "STUDENT"
BONUS = "For points on top alone: "


@dataclass(frozen=True)
class PackedSubmission:
    """An archive that was written, the names of its files, and the report on it.

    missing: for each other file that items read, why it is not in it. replaced: another archive was there.
    """

    path: Path
    names: tuple[str, ...]
    missing: dict[str, str]
    replaced: bool
    report: Report

    @property
    def failing(self) -> list[str]:
        """The items that cost points so far, by name."""
        scores = (score for score in self.report.scores if score.outcome == "scored" and not score.bonus)
        return [score.item for score in scores if not score.is_full]


def pack(assignment: Assignment, folder: Path, out: Path | None, grader: Grader) -> PackedSubmission:
    """Pack the work in `folder`, and grade the archive.

    Args:
        assignment: the assignment.
        folder: the student's work.
        out: the archive; None: ASSIGNMENT_SIGNATURE.zip in the current folder.
        grader: grades the archive.

    Returns:
        What was packed.

    Raises:
        CourseError: nothing is packed, since there is no notebook or several, it can't be read, or it is not signed
            though items need it.
    """
    if not folder.is_dir():
        raise CourseError(f"{folder} is no folder: name the one that holds your notebook and models.")
    submission = open_submission(RawSubmission(folder.resolve().name, folder), grader.expected)
    try:
        if submission.content(submission.notebook) == assignment.rubric.read_bytes():
            hint = "Put the .ipynb file with your functions there."
            raise Failure("There is no notebook in your folder.", hint)
        names = find_requested_files(grader.items)
        if names.pop(SIGNATURE, None) is not None and not submission.signature:
            got = f" (it says {submission.near_signature})" if submission.near_signature else ""
            advice = 'set STUDENT = "..." in its first cell to the id that you hand in under'
            raise Failure(f"Your notebook is not signed{got}: {advice}, save it, and pack again.")
        files, missing = gather_files(submission, names)
        author = submission.signature or submission.student
    except Failure as failure:
        raise CourseError(f"Nothing is packed. {failure.reason} {failure.hint}".strip()) from None
    except NeedsReview as error:
        raise CourseError(f"Nothing is packed. {error}.") from None
    path = out or Path(f"{assignment.slug}_{re.sub(NOT_IN_FILE_NAMES, '_', author)}.zip")
    replaced = write_archive(path, zip_files(files))
    report = grader.grade(RawSubmission(read_author(path, grader.expected), path)).report
    return PackedSubmission(path, tuple(sorted(files)), missing, replaced, report)


def find_requested_files(items: Iterable[Item]) -> dict[str, bool]:
    """Return the files that items read, by name, and whether only bonus points depend on each.

    SIGNATURE stands for the signature of the notebook.
    """
    names: dict[str, bool] = {}
    for item in items:
        for name in find_requests(item):
            names[name] = names.get(name, True) and item.bonus
    return names


def find_requests(item: Item) -> list[str]:
    """Return what an item asks a submission for, from its code and that of the rubric's functions that it uses."""
    requests, functions = [], [inspect.unwrap(item)]
    for function in functions:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        nodes, scope = (
            [*ast.walk(tree)],
            {**function.__globals__, **inspect.getclosurevars(function).nonlocals},
        )
        names = {node.id: scope[node.id] for node in nodes if isinstance(node, ast.Name) and node.id in scope}
        requests += [SIGNATURE for node in nodes if isinstance(node, ast.Attribute) and node.attr == "signed"]
        requests += find_file_names(tree, names)
        used = [inspect.unwrap(value) for value in names.values() if inspect.isroutine(inspect.unwrap(value))]
        functions += [
            other for other in used if other.__module__ == item.__module__ and other not in functions
        ]
    return requests


def find_file_names(node: ast.AST, names: Mapping[str, object]) -> Iterator[str]:
    """Yield the texts in some code, or in what its `names` stand for, that look like the name of a file.

    Not those in calls that the submission is no part of, or in sums and paths: they are messages, or the course's data.
    """
    if isinstance(node, ast.BinOp):
        return
    if isinstance(node, ast.Call):
        parts = (part.id for part in ast.walk(node) if isinstance(part, ast.Name))
        if "submission" not in parts:
            return
    value = node.value if isinstance(node, ast.Constant) else names.get(getattr(node, "id", ""))
    texts = value if isinstance(value, list | tuple | set | frozenset | dict) else [value]
    yield from (text for text in texts if isinstance(text, str) and FILE_NAME.fullmatch(text))
    for child in ast.iter_child_nodes(node):
        yield from find_file_names(child, names)


def gather_files(
    submission: Submission, names: Mapping[str, bool]
) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return the notebook and each file by its path, and why others are missing."""
    files, missing = {submission.notebook: submission.content(submission.notebook)}, {}
    for name, is_bonus in names.items():
        try:
            path = submission.find(name)
            files[path] = submission.content(path)
        except (Failure, NeedsReview) as problem:
            missing[name] = f"{BONUS if is_bonus else ''}{problem}"
    return files, missing


def write_archive(path: Path, content: bytes) -> bool:
    """Write the archive, whole or not at all. Return True if one with other content was replaced."""
    if path.suffix != ".zip" or not path.parent.is_dir():
        raise CourseError(f"{path} won't do: name a file that ends in .zip, in a folder that is there.")
    before = path.read_bytes() if path.exists() else content
    write_atomically(path, content)
    return before != content
