"""Every command that README and docs print is run, on the real course, as its reader would run it."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import typer

from autograder.cli._app import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COPIED = ("assignments", "autograder", "datasets", "docs", "gradescope", "solutions")
FILES = ("README.md", "course.toml", "pyproject.toml", "requirements.txt", "requirements-gpu.txt")

GRADE = "autograder grade rnn_by_hand submissions.zip --roster gradebook.csv --out results/pencil"
AS_A_TA = [
    "autograder doctor",
    "autograder term",
    GRADE,
    "autograder export results/pencil --to canvas --file gradebook.csv",
    "autograder integrity rnn_by_hand submissions.zip --out results/pencil",
    "autograder release gradescope ASSIGNMENT --out ASSIGNMENT_gradescope.zip",
]
AS_AN_INSTRUCTOR = [
    "autograder release starters",
    "autograder release starters --check",
    "autograder release bundle --out dist",
]
AS_A_STUDENT = [
    "autograder fetch",
    "autograder check rnn_by_hand assignments/rnn_by_hand",
    "autograder pack rnn_by_hand assignments/rnn_by_hand",
]
ON_COLAB = [
    "cd rnn-course && autograder check rnn_by_hand ..",
    "cd rnn-course && autograder pack rnn_by_hand .. --out ../rnn_by_hand.zip",
]
AUTHORING = [
    'autograder new word_order --title "Who bit whom"',
    "autograder verify word_order",
    "autograder release starters word_order",
    "autograder release perfect word_order",
    "python datasets/word_order/generate.py",
]
# what runs the others: a test of this project, or a reason why nothing can
ELSEWHERE = {
    ".ci/run": [
        "autograder grade dna_simple_rnn solutions/dna_simple_rnn/test_submissions --out results/test_submissions",
        "autograder verify",
    ],
    "tests/test_fetching.py": [
        "autograder fetch splice",
        "autograder fetch splice --file splice.arff",
    ],
    "tests/test_dask.py": [
        "autograder grade rnn_by_hand submissions.zip --out results/pencil --dask tcp://10.0.0.5:8786",
        'autograder grade rnn_by_hand submissions.zip --out results/pencil --dask "tls://$address:8786"',
        "autograder grade rnn_by_hand submissions.zip --out results/pencil --dask tcp://localhost:8786",
        "autograder grade dna_simple_rnn solutions/dna_simple_rnn/test_submissions --out /tmp/here --jobs 1",
        "autograder grade dna_simple_rnn solutions/dna_simple_rnn/test_submissions --out /tmp/there --dask tls://10.0.0.5:8786",
    ],
    "tests/test_gradescope.py": [
        "autograder grade ASSIGNMENT assignment_123_export.zip --out results/ASSIGNMENT",
        "autograder export results/ASSIGNMENT --to gradescope",
    ],
    "tests/test_verify.py": ["autograder verify word_order --slow"],
    "tests/test_new.py": ["autograder new SLUG"],
    "tests/test_term.py": ["autograder grade word_order SUBMISSIONS --term <date> --out results/last_term"],
    "tests/test_solutions.py": ["autograder release solutions word_order"],
    "tests/test_nbgrader.py": [
        "nbgrader generate_assignment rnn_by_hand",
        "nbgrader generate_assignment word_order",
        "nbgrader release_assignment word_order",
        "nbgrader collect word_order",
    ],
    "tests/test_train_csv.py": ["python datasets/<name>/generate.py"],
    "tests/test_test_submissions.py": ["python solutions/<slug>/test_submissions/make.py"],
}
COMMAND = re.compile(r"(autograder [a-z]+( |$)|autograder \w|nbgrader \w+ \w+$|python \S+\.py)")


def commands(page: Path) -> set[str]:
    """Return each command that a page prints, on a line of its own or in backquotes."""
    text = page.read_text(encoding="utf-8")
    lines = [line.strip() for line in text.splitlines()]
    printed = set()
    for part in [*re.findall(r"`([^`\n]+)`", text), *lines]:
        if re.match(r"autograder (itself|failed)\b", part):
            continue  # a sentence
        plain = part.strip().lstrip("!").partition("  #")[0].strip()
        plain = re.sub(r"(?<![\w/])(\S*/)?python3? -m autograder", "autograder", plain)
        plain = re.sub(r"^.*requirements\.txt && ", "", plain)
        command = plain.rpartition("&& ")[2]
        if COMMAND.match(command) and not re.search(r"\w\.$|,$| (and|the|itself)$", command):
            printed.add(plain)
    return {command for command in printed if command not in PROSE}


PROSE = {"autograder grade", "autograder export --to gradescope"}  # named inside a sentence, not to be typed


def test_every_documented_command_is_run():
    documented = set().union(*map(commands, PAGES))
    run = {*AS_A_TA, *AS_AN_INSTRUCTOR, *AS_A_STUDENT, *ON_COLAB, *AUTHORING}
    run |= {command for several in ELSEWHERE.values() for command in several}
    assert sorted(documented - run) == [], "printed in README or docs, and run by no test"
    assert sorted(run - documented) == [], "run here, and printed nowhere any more"
    assert [name for name in ELSEWHERE if not (ROOT / name).exists()] == []


def test_every_documented_command_is_understood():
    """Its name and its options are the command line's own."""
    group = typer.main.get_command(app)
    for command in sorted(set().union(*map(commands, PAGES))):
        words = shlex.split(command.rpartition("&& ")[2])
        if words[0] == "autograder":
            group.commands[words[1]].make_context(words[1], words[2:])  # raises UsageError


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """Return the real course in a folder of its own, as a clone has it, without a seed."""
    root = tmp_path_factory.mktemp("clone")
    ignored = shutil.ignore_patterns("__pycache__", "secret_seed*", ".ipynb_checkpoints")
    for folder in COPIED:
        shutil.copytree(ROOT / folder, root / folder, ignore=ignored)
    for file in FILES:
        shutil.copy(ROOT / file, root / file)
    return root


def run(command: str, folder: Path, expected: tuple[int, ...] = (0,)) -> str:
    """Run a command as printed in `folder`, with the engine that lies there, and return what it prints."""
    environment = os.environ | {"PYTHONPATH": "", "COLUMNS": "200"}
    line = command.replace("autograder ", f'"{sys.executable}" -m autograder ')
    ended = subprocess.run(
        line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, timeout=600
    )
    assert ended.returncode in expected, f"{command}\n{ended.stdout}\n{ended.stderr}"
    assert "Traceback" not in ended.stderr
    return ended.stdout


def canvas_class(clone: Path) -> None:
    """Write `submissions.zip` and `gradebook.csv`: the perfect submission, and one that is signed and no more."""
    perfect = clone / "solutions/rnn_by_hand/test_submissions/perfect/rnn_by_hand.ipynb"
    begun = {"cells": [{"cell_type": "code", "source": "STUDENT = 'ann.lee'", "metadata": {}}], "nbformat": 4}
    with zipfile.ZipFile(clone / "submissions.zip", "w") as archive:
        for number, model in enumerate(sorted(perfect.parent.glob("*.keras"))):
            archive.write(model, f"perfect_11_{90 + number}_{model.name}")
        archive.write(perfect, "perfect_11_99_rnn_by_hand.ipynb")
        archive.writestr("leeann_12_98_rnn_by_hand.ipynb", json.dumps(begun))
    rows = [
        "Student,ID,SIS User ID,SIS Login ID,Section,rnn_by_hand (7)",
        "    Points Possible,,,,,110",
        '"Perfect",11,1011,perfect,1,',
        '"Lee, Ann",12,1012,ann.lee,1,',
    ]
    (clone / "gradebook.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def test_a_ta_grades_a_class_of_the_real_course(clone):
    canvas_class(clone)
    shown = {
        command: run(command.replace("ASSIGNMENT", "rnn_by_hand"), clone, expected=(0, 1))
        for command in AS_A_TA
    }
    table = (clone / "results/pencil/grades.csv").read_text(encoding="utf-8").splitlines()
    assert len(table) == 3
    filled = (clone / "results/pencil/gradebook.csv").read_text(encoding="utf-8-sig")
    assert re.search(r'"Lee, Ann",12,1012,ann.lee,1,0\.00', filled)
    compared = shown["autograder integrity rnn_by_hand submissions.zip --out results/pencil"]
    assert "things to look at among 2 submissions" in compared
