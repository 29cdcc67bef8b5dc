"""`doctor`: what this machine has."""

from pathlib import Path
from typing import Annotated

import typer

from autograder.cli._console import print_check
from autograder.core import find_course


def doctor(
    submissions: Annotated[
        Path | None,
        typer.Argument(help="A folder of notebooks: which packages they import are missing here?"),
    ] = None,
) -> None:
    """All: what this machine has, what is missing, and how to get it."""
    from autograder.cli._examine import examine

    signs = list(examine(find_course(Path.cwd()), submissions))
    for sign in signs:
        print_check(sign.well, sign.what, () if sign.well else (sign.advice,))
    raise typer.Exit(int(not all(sign.well for sign in signs)))
