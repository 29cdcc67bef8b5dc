"""`export`: marks into a platform's own table."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from autograder.cli._console import print_lines, print_plain
from autograder.core import find_course


def export(
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="What `grade` wrote: the folder with grades.csv.")
    ],
    to: Annotated[
        Literal["canvas", "moodle", "gradescope", "csv"], typer.Option(help="Where the marks shall go.")
    ],
    file: Annotated[
        Path | None, typer.Option(help="The platform's own table, as exported: it is filled in.")
    ] = None,
    filled: Annotated[
        Path | None,
        typer.Option("--as", help="Output file.", show_default="RESULTS/<name of FILE>"),
    ] = None,
    column: Annotated[str, typer.Option(help="Canvas: the column of the assignment.")] = "",
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="Also marks of which something is still to be decided.")
    ] = False,
) -> None:
    """TA: marks into the table that a platform exported, and pages of feedback for it to give back."""
    from autograder.grading import export

    course = find_course(Path.cwd())
    done = export(course, results, to, file, filled, column, unfinished)
    for line in done.lines:
        print_plain(line)
    print_lines(done.left_alone)
    raise typer.Exit(int(bool(done.left_alone)))
