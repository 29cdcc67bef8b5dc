"""The engine's packages import in one direction, and know nothing of a course's content."""

import ast
import importlib.util
import re
import sys
import threading
from pathlib import Path

import pytest

from autograder.core import load_module, read_course
from autograder.data import DEMO_SECRET, HiddenData
from autograder.grading import Grader
from autograder.grading._grader import find_engine_modules
from autograder.grading._reading import read_submission
from autograder.sandbox import Sandbox, probe
from autograder.submissions import RawSubmission

ROOT = Path(__file__).parents[1]
ENGINE = ROOT / "autograder"
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
            names |= {f"autograder.{alias.name}" for alias in node.names if not alias.name.startswith("__")}
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


def test_the_surface_stays_small():
    """The measures that `python benchmarks/size.py` prints, with the limits that hold today."""
    size = load_module(ROOT / "benchmarks/size.py")
    helpers, total = size.one_use_helpers(ROOT)
    assert len(size.top_level(ROOT)) <= 14
    assert len(size.exported_names(size.parse(ENGINE / "__init__.py"))) <= 30
    assert len(size.public_names(ROOT)) <= 315
    assert size.bindings(ROOT, "one") == 0
    assert helpers / total <= 0.17
    assert sum(map(size.line_count, size.engine_files(ROOT))) <= 23_300


@pytest.mark.parametrize(
    ("item", "most"),
    [("counts_short_sequences", 35), pytest.param("raises_flags", 30, marks=pytest.mark.slow)],
    ids=["model", "code"],
)
def test_files_that_grading_one_item_enters(item, most):
    """From the bytes of a submission to the score, in this process; what runs in a child is not counted."""
    course = read_course(ROOT)
    assignment = course.assignment("rnn_by_hand")
    raw = RawSubmission("perfect", assignment.test_submissions / "perfect")
    entered = set()

    def note(frame, event, argument):
        if event == "call" and frame.f_code.co_filename.startswith(str(ENGINE)):
            entered.add(frame.f_code.co_filename)

    with Sandbox(probe(), private=assignment.private) as sandbox:
        grader = Grader.create(assignment, HiddenData(course, DEMO_SECRET), sandbox)
        [index] = [index for index, known in enumerate(grader.items) if known.__name__ == item]
        before = sys.getprofile()
        sys.setprofile(note)
        threading.setprofile(note)
        try:
            results = grader.run(read_submission(raw, grader.expected).raw, [index])
        finally:
            sys.setprofile(before)
            threading.setprofile(before)
    assert results[index].score.is_full
    assert 10 < len(entered) <= most


def texts_of_code() -> list[Path]:
    """Return the files that hold code, also as a text: attacks, toy rubrics, notebooks, pages of documentation."""
    folders = (
        "autograder",
        "assignments",
        "solutions",
        "tests",
        "benchmarks",
        "datasets",
        "docs",
        "gradescope",
    )
    files = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    return [path for path in [*files, ROOT / "README.md"] if path.suffix in (".py", ".md", ".ipynb", ".html")]


def test_whatever_is_imported_from_the_engine_is_there():
    """Also in code that is written as a text, which neither ruff nor mypy reads."""
    missing = set()
    for path in texts_of_code():
        text = path.read_text(encoding="utf-8", errors="replace")
        for module, names in re.findall(r"from (autograder(?:\.\w+)*) import (\([^)]*\)|[\w, ]+)", text):
            loaded = importlib.import_module(module)
            for name in re.split(r"[,\n]", names.strip("()")):
                name = name.split(" as ")[0].strip()
                is_module = hasattr(loaded, "__path__") and importlib.util.find_spec(f"{module}.{name}")
                if name and not hasattr(loaded, name) and not is_module:
                    missing.add(f"{path.relative_to(ROOT)}: {module} has no {name}")
    assert not missing
