"""`pack`: the archive that a student submits, with the files that items read and nothing else, graded as it stands."""

import ast
import inspect
import re
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType

from autograder.core import Assignment, CourseError, Failure, NeedsReview, Remark
from autograder.grading._cache import replace_file
from autograder.grading._grader import Grader, read_author
from autograder.grading._reading import open_submission
from autograder.rubric import Item, Report, Submission
from autograder.submissions import RawSubmission, zip_files

NOT_IN_FILE_NAMES = r"[^\w.-]+"
FILE_NAME = re.compile(r"[^\s/]+\.[A-Za-z]\w*")
READERS = {
    "read",
    "model",
    "predict",
    "table",
    "find",
    "content",
}  # methods of a Submission that take a file's name
BONUS = "For points on top alone: "


@dataclass(frozen=True)
class PackedSubmission:
    """An archive that was written.

    Attributes:
        path: the archive.
        names: the files in it.
        missing: for each other file that items read, why it is not in it.
        replaced: an archive with other content was at `path`.
        report: the report on the archive.
    """

    path: Path
    names: tuple[str, ...]
    missing: dict[str, str]
    replaced: bool
    report: Report

    @property
    def failing(self) -> list[str]:
        """The items that cost points so far, by name."""
        scores = (score for score in self.report.scores if score.outcome == "scored" and not score.stretch)
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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Remark)  # the report repeats them
            if submission.content(submission.notebook) == assignment.rubric.read_bytes():
                hint = "Put the .ipynb file with your functions there."
                raise Failure("There is no notebook in your folder.", hint)
            if not submission.signature and any(map(needs_signature, grader.items)):
                got = f" (it says {submission.near_signature})" if submission.near_signature else ""
                advice = 'set STUDENT = "..." in its first cell to the id that you hand in under'
                raise Failure(f"Your notebook is not signed{got}: {advice}, save it, and pack again.")
            files, missing = gather_files(submission, requested_files(grader.items))
            author = submission.signature or submission.student
    except Failure as failure:
        raise CourseError(f"Nothing is packed. {failure.reason} {failure.hint}".strip()) from None
    except NeedsReview as error:
        raise CourseError(f"Nothing is packed. {error}.") from None
    path = out or Path(f"{assignment.slug}_{re.sub(NOT_IN_FILE_NAMES, '_', author)}.zip")
    replaced = write_archive(path, zip_files(files))
    report = grader.grade(RawSubmission(read_author(path, grader.expected), path)).report
    return PackedSubmission(path, tuple(sorted(files)), missing, replaced, report)


def requested_files(items: Iterable[Item]) -> dict[str, bool]:
    """Return the files that items read, by name, and whether only bonus points depend on each."""
    names: dict[str, bool] = {}
    for item in items:
        for name in dict.fromkeys(name for code in codes_of(item) for name in code.file_names()):
            names[name] = names.get(name, True) and item.stretch
    return names


def needs_signature(item: Item) -> bool:
    """Return True if the item uses the signature of the notebook."""
    nodes = (node for code in codes_of(item) for node in ast.walk(code.tree))
    return any(isinstance(node, ast.Attribute) and node.attr == "signed" for node in nodes)


def codes_of(item: Item) -> Iterator["Code"]:
    """Yield the code of an item, and of all functions of its rubric that it uses, directly or not."""
    pending, seen = [inspect.unwrap(item)], set()
    while pending:
        function = pending.pop()
        if function in seen:
            continue
        seen.add(function)
        code = Code.parse(function)
        yield code
        values = (inspect.unwrap(value) for value in code.values.values() if callable(value))
        pending += [
            value for value in values if inspect.isfunction(value) and value.__module__ == item.__module__
        ]


@dataclass(frozen=True)
class Code:
    """The syntax tree of a function, and the values of the names that it uses from outside."""

    tree: ast.AST
    values: Mapping[str, object]

    @classmethod
    def parse(cls, function: FunctionType) -> "Code":
        """Return the code of a function that stands in a file."""
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        scope = {**function.__globals__, **inspect.getclosurevars(function).nonlocals}
        return cls(tree, {node.id: scope[node.id] for node in names_in(tree) if node.id in scope})

    def file_names(self) -> Iterator[str]:
        """Yield the names of files that the function passes to a submission, or elsewhere beside it.

        If a name can't be followed (that of a loop, say), all file names in the function count.
        """
        for call in (node for node in ast.walk(self.tree) if isinstance(node, ast.Call)):
            arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
            if isinstance(call.func, ast.Attribute) and is_submission(call.func.value):
                arguments = arguments[:1] if call.func.attr in READERS else []
            elif not any(map(is_submission, arguments)):
                continue
            for argument in arguments:
                yield from self.resolve(argument)

    def resolve(self, argument: ast.expr) -> Iterable[str]:
        """Return the file names that an argument may stand for."""
        if isinstance(argument, ast.Constant):
            return file_names_in(argument.value)
        if isinstance(argument, ast.Name) and argument.id in self.values:
            return file_names_in(self.values[argument.id])
        parameters = {node.arg for node in ast.walk(self.tree) if isinstance(node, ast.arg)}
        if not isinstance(argument, ast.Name | ast.JoinedStr) or getattr(argument, "id", "") in parameters:
            return []  # a parameter is followed where the function is called
        paths = {id(node.right) for node in ast.walk(self.tree) if isinstance(node, ast.BinOp)}
        constants = [
            node.value
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Constant) and id(node) not in paths
        ]
        return file_names_in([*constants, *self.values.values()])


def names_in(tree: ast.AST) -> Iterator[ast.Name]:
    """Yield the names that are used in some code."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Name))


def is_submission(node: ast.AST) -> bool:
    """Return True if the code is the submission that items and their helpers get."""
    return isinstance(node, ast.Name) and node.id == "submission"


def file_names_in(value: object) -> list[str]:
    """Return the texts in a value that look like the name of a file."""
    if isinstance(value, str):
        return [value] if FILE_NAME.fullmatch(value) else []
    parts = value if isinstance(value, list | tuple | set | frozenset | dict) else ()
    return [name for part in parts for name in file_names_in(part)]


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
    replace_file(path, content)
    return before != content
