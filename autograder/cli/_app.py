"""The command line: each command has a module, which parses, calls and prints.

Exit status: 0 done; 1 done, but something needs a person; 2 the command or the course is not as it should be;
3 the autograder itself failed: what was written so far stays, and a log says where.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from autograder import __version__
from autograder.cli._check import check, pack
from autograder.cli._console import Crash, print_plain, run_logged
from autograder.cli._doctor import doctor
from autograder.cli._export import export
from autograder.cli._fetch import fetch
from autograder.cli._grade import grade
from autograder.cli._integrity import integrity
from autograder.cli._new import new_assignment, term
from autograder.cli._release import release
from autograder.cli._verify import verify
from autograder.core import CourseError, DeviceError

app = typer.Typer(
    help="Grades Keras models by a rubric. Students: check, pack. TAs: grade, export, integrity. "
    "Instructors: new, verify, release. All: fetch, doctor. Exit status: 0 done, 1 something needs a person, "
    "2 the command or the course is wrong, 3 the autograder itself failed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    suggest_commands=True,
)


def print_version(wanted: bool) -> None:
    if wanted:
        print_plain(f"autograder {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Take the options that come before a command."""


for command in (check, pack, fetch, grade, export, integrity, verify):
    app.command()(command)
app.add_typer(release, name="release")
app.command("new")(new_assignment)
app.command()(term)
app.command()(doctor)


def main() -> None:
    """Run a command; what ends it, a person's mistake or the autograder's own, is one line and an exit status."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        if hasattr(stream, "reconfigure"):  # a name that the console can't show is shown with `?`
            stream.reconfigure(errors="replace")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what goes wrong in TensorFlow is raised as well
    try:
        with run_logged(Path(tempfile.gettempdir())):
            app()
    except (CourseError, DeviceError, OSError, Crash) as error:
        Console(stderr=True).print(Text(f"autograder: {error}"), soft_wrap=True)
        sys.exit(3 if isinstance(error, Crash) else 2)
