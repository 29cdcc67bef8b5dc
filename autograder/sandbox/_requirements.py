"""What notebooks need of the machine that grades them: packages, and a version of Python.

Read line by line, without a syntax tree of the whole and without running anything, so that any content may be read.
"""

import ast
import contextlib
import importlib.util
import json
import re
import sys
from collections.abc import Iterable

from autograder.submissions import read_code_cells

MAX_LINE = 300  # characters of a line that may be an import
IMPORT = re.compile(r"[ \t]{0,60}(?:import|from)[ \t]")
OWN_FILE = re.compile(
    r"\.|(?:my|our)_?\w*|\w*(?:utils?|helpers?|functions?)|funcs?|common|const(?:ant)?s?|config|settings|models?|data|"
    r"preprocess(?:ing)?|main|notebook|(?:assignment|exercise|homework|hw|lab|solution|task)s?_?\d*",
    re.IGNORECASE,
)
ELSEWHERE = {
    "google",
    "kaggle_datasets",
    "nbgrader",
    "otter",
    "autograder",
}  # where notebooks run, not what they need


def imported_packages(content: bytes, file: str) -> set[str]:
    """Return the top-level names that the code cells of a notebook import; empty for what is no notebook."""
    names = set()
    with contextlib.suppress(ValueError):
        for source in read_code_cells(content, file):
            for line in source.splitlines():
                if len(line) <= MAX_LINE and IMPORT.match(line):
                    names |= _imported(line.strip())
    return names


def _imported(line: str) -> set[str]:
    if line.startswith("from"):
        module = re.match(r"from[ \t]+([^\W\d]\w*)[\w.]*[ \t]+import\b", line)
        return {module[1]} if module else set()
    with contextlib.suppress(SyntaxError, ValueError, MemoryError, RecursionError):
        nodes = ast.parse(line.partition(";")[0]).body
        return {alias.name.partition(".")[0] for node in nodes for alias in getattr(node, "names", ())}
    return set()


def missing_packages(content: bytes, file: str) -> list[str]:
    """Return the packages that a notebook imports and this machine does not have, in order."""
    return sorted(name for name in imported_packages(content, file) if is_missing(name))


def is_missing(name: str) -> bool:
    """Return whether this machine has no such package, though others may: a student's own file is none."""
    with contextlib.suppress(ValueError, ImportError):
        return not is_own_file(name) and name not in ELSEWHERE and importlib.util.find_spec(name) is None
    return False


def is_own_file(name: str) -> bool:
    """Return whether a module is, by its name, a file of the student's own rather than a package."""
    return OWN_FILE.fullmatch(name) is not None


def newer_python(content: bytes) -> str:
    """Return the version of Python that a notebook was written with, if it is newer than this one; empty otherwise."""
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
        version = json.loads(content)["metadata"]["language_info"]["version"]
        match = re.match(r"3\.(\d{1,2})(?:\.|$)", version)
        return f"3.{match[1]}" if match and (3, int(match[1])) > sys.version_info[:2] else ""
    return ""


def count_missing(notebooks: Iterable[tuple[bytes, str]]) -> dict[str, int]:
    """Return, for each package that this machine lacks, how many of the notebooks (content, name) import it."""
    counts: dict[str, int] = {}
    for content, file in notebooks:
        for name in missing_packages(content, file):
            counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items()))
