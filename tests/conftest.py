"""A toy course that knows nothing of networks: the engine is tested on it, as it must serve any course."""

from pathlib import Path
from textwrap import dedent

import pytest

from autograder.course import Course, read_course
from autograder.sandbox import Sandbox, probe

RUBRIC = '''
from autograder.rubric import Failure, credit, hidden, item


@item(points=6)
def greets(submission):
    """greeting.txt says hello."""
    if b"hello" not in submission.read("greeting.txt"):
        raise Failure("greeting.txt does not say hello.", "Write hello into it.")


@item(points=4)
def counts(submission):
    """greeting.txt is as long as the secret number says."""
    length = len(submission.read("greeting.txt"))
    return credit(length / hidden("numbers").number[0], zero=0, full=1, hint="Write more.", name="Length")
'''

GENERATOR = """
import pandas as pd


def make(seed, largest=100):
    return pd.DataFrame({"number": [largest + seed % 2]})
"""

REFERENCE = """
# %% [markdown]
# # Say hello

# %%
# BEGIN SOLUTION
greeting = "hello and good day"
# END SOLUTION
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def sandbox():
    """The sandbox of this machine; its server starts with the first call."""
    with Sandbox(probe()) as sandbox:
        yield sandbox


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course of one assignment, `hello`: 10 points, one plain item and one that needs hidden data."""
    root = tmp_path / "course"
    write(
        root / "course.toml", 'title = "Toy"\n[[assignment]]\nslug = "hello"\ntitle = "Hello"\npoints = 10\n'
    )
    write(root / "assignments/hello/rubric.py", RUBRIC)
    write(root / "datasets/numbers/generate.py", GENERATOR)
    write(root / "solutions/hello/hello.py", REFERENCE)
    return read_course(root)


@pytest.fixture
def hand_in(tmp_path: Path):
    """Writes a submission folder: `hand_in("ann", **{"greeting.txt": "hello"})` gives the folder of the class."""
    folder = tmp_path / "class"

    def write_files(student: str, **files: str) -> Path:
        (folder / student).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            write(folder / student / name, text)
        return folder

    return write_files
