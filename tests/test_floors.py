"""The engine's floors: a file imports only from floors below its own, and knows nothing of a course's content."""

import ast
import re
from pathlib import Path

import pytest

from autograder.grader import BESIDE

ENGINE = Path(__file__).parents[1] / "autograder"
FLOORS = [
    {
        "autograder",
        "failure",
        "item_run",
        "course",
        "student",
        "devices",
        "dependence",
        "cells",
        "filenames",
        "privacy",
    },
    {"models", "notebooks", "fetching", "sandbox", "files", "spreadsheets", "figures"},
    {"training", "written", "reference", "nbgrader", "handed_in", "workers", "hidden"},
    {"submission", "carried"},
    {"rubric", "questions"},
    {"reports", "agreement", "remembered", "authoring", "platforms"},
    {"kept", "reading"},
    {"classroom", "answers", "marks", "late", "live"},
    {"grader", "release"},
    {"cluster"},
    {"grading", "exporting", "integrity"},
    {"bundle", "packing", "skeleton", "verify", "doctor"},
    {"gradescope"},
    {"cli"},
    {"__main__"},
]
FILES = sorted(ENGINE.rglob("*.py"))


def room(name: str) -> str:
    """The room of a module or file: `autograder.models.plan` lies in `models`."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def floor(name: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if name in rooms)


def imports(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    names = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    names |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return {name for name in names if name.split(".")[0] == "autograder"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ENGINE)))
def test_a_file_imports_only_from_below(path):
    here = room(
        "autograder." + ".".join(path.relative_to(ENGINE).with_suffix("").parts).removesuffix(".__init__")
    )
    here = "autograder" if path == ENGINE / "__init__.py" else here
    above = {name for name in imports(path) if room(name) != here and floor(room(name)) >= floor(here)}
    assert not above


@pytest.mark.parametrize(
    "path", [*FILES, *ENGINE.rglob("*.html")], ids=lambda path: str(path.relative_to(ENGINE))
)
def test_the_engine_knows_no_course(path):
    text = path.read_text(encoding="utf-8").lower()
    assert not [
        word
        for word in ("dna", "motif", "nucleotide", "sentiment", "movie", "film")
        if re.search(f"(?<![a-z]){word}", text)
    ]


def test_no_score_rests_on_what_is_left_out_of_its_digest():
    """All that rubrics and submissions can reach, in this process and in the sandbox, counts."""
    paths = {name_of(path): path for path in FILES}
    found, fresh = set(), {"autograder.rubric", "autograder.agreement", "autograder.questions"}
    fresh |= {name for name in paths if name.startswith(("autograder.sandbox", "autograder.models"))}
    while fresh:
        found |= fresh
        fresh = set().union(*(imports(paths[name]) for name in fresh)) - found
    assert {"autograder.submission", "autograder.training", "autograder.hidden"} <= found
    assert {path.relative_to(ENGINE).parts[0] for path in map(paths.get, found)} & BESIDE == set()
    assert all((ENGINE / name).exists() for name in BESIDE)


def name_of(path: Path) -> str:
    parts = path.relative_to(ENGINE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")
