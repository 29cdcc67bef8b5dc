"""The files of the toy course that the engine is tested on, and how a test writes one."""

from pathlib import Path
from textwrap import dedent

RUBRIC = '''
from autograder.core import Failure; from autograder.rubric import credit, hidden, item


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


def add_bundle_files(root: Path, bundle: str = "https://example.org/toy-course.zip") -> None:
    """Return what a students' bundle needs beside the toy course itself."""
    file = root / "course.toml"
    file.write_text(f'bundle = "{bundle}"\n' + file.read_text(encoding="utf-8"), encoding="utf-8")
    write(root / "requirements.txt", "numpy\n")
    write(root / "pyproject.toml", '[project]\nname = "toy"\nversion = "1"\n')
    write(root / "docs/students.md", "# For students\n")
    write(root / "datasets/numbers/README.md", "`extra.csv` holds more numbers.\n")
    write(root / "datasets/numbers/extra.csv", "number\n1\n")
    write(root / "datasets/numbers/train.csv", "number\n1\n")
