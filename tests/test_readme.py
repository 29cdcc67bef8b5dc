"""The README stays true: its commands, its paths."""

import re
from pathlib import Path

from typer.testing import CliRunner

from autograder.cli._app import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_named_is_one_of_the_command_lines():
    named = set(re.findall(r"python -m autograder (\w+)", README)) | set(
        re.findall(r"`autograder (\w+)`", README)
    )
    helped = CliRunner().invoke(app, ["--help"], terminal_width=200).output
    assert named >= {"grade", "check", "verify", "release", "doctor"}
    assert [name for name in named if not re.search(rf"\b{name}\b", helped)] == []


def test_the_folders_named_are_there():
    folders = re.findall(r"(?m)^([a-z]+/|course\.toml) ", README)
    assert set(folders) >= {"assignments/", "solutions/", "datasets/", "autograder/", "benchmarks/", "tests/"}
    assert [folder for folder in folders if not (ROOT / folder).exists()] == []
