"""The engine's packages import in one direction, and know nothing of a course's content."""

import ast
import re
from pathlib import Path

import pytest

from autograder.grading._grader import find_engine_modules

ENGINE = Path(__file__).parents[1] / "autograder"
PACKAGES = (
    "core", "data", "submissions", "sandbox", "models", "rubric", "reports", "lms", "grading", "similarity",
    "authoring", "cli",
)  # fmt: skip
FILES = sorted(ENGINE.rglob("*.py"))


def imported_packages(path: Path) -> set[str]:
    """Return the packages of the engine that a file imports from, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "autograder":
            names |= {f"autograder.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("autograder.")}


def test_every_package_has_its_place():
    assert {path.parent.name for path in ENGINE.glob("*/__init__.py")} == set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_from_those_below(package):
    allowed = PACKAGES[: PACKAGES.index(package) + 1]
    assert not {
        (path.name, name)
        for path in (ENGINE / package).rglob("*.py")
        for name in imported_packages(path)
        if name not in allowed
    }


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


def test_the_digest_of_a_score_covers_all_that_items_run():
    """Whatever runs an item is hashed: the modules import only from each other, and all of a package counts."""
    modules = find_engine_modules()
    names = {path.relative_to(ENGINE).as_posix() for path in modules}
    below = PACKAGES[: PACKAGES.index("rubric") + 1]
    assert names >= {
        path.relative_to(ENGINE).as_posix() for package in below for path in (ENGINE / package).rglob("*.py")
    }
    assert names >= {"grading/_grader.py", "grading/_reading.py"}
    for path in modules:
        assert imported_packages(path) <= {*below, "grading"}
    assert not names & {"grading/_runner.py", "grading/_executors.py", "cli/_app.py", "reports/_csv.py"}
