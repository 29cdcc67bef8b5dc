"""What commands share: the console, and how lines, checks and crashes are shown."""

import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bars
from rich.text import Text

from autograder.core import Assignment, Course, CourseError, DeviceError, sanitize

console = Console(highlight=False, soft_wrap=False)
LOG = "autograder-crash.log"
MAX_LINES = 20  # of one kind, before the rest is counted

Slug = Annotated[str, typer.Argument(metavar="ASSIGNMENT", help="Its name in course.toml.")]
Slugs = Annotated[
    list[str] | None, typer.Argument(metavar="[ASSIGNMENT]...", help="All of the course if none is named.")
]
Jobs = Annotated[
    int | None,
    typer.Option(min=1, help="Processes at work side by side.", show_default="as cores and memory allow"),
]
Device = Annotated[
    Literal["auto", "cpu", "gpu"], typer.Option(help="What trains: auto takes a GPU if there is one.")
]


def find_assignments(course: Course, slugs: Iterable[str] | None) -> list[Assignment]:
    """Return the assignments named, or all of the course."""
    return [course.assignment(slug) for slug in slugs] if slugs else list(course.assignments)


def print_lines(lines: Sequence[str], more: str = "") -> None:
    """Print the first few lines as warnings, and count the rest."""
    for line in lines[:MAX_LINES]:
        print_plain(line, "yellow")
    if len(lines) > MAX_LINES:
        print_plain(f"and {len(lines) - MAX_LINES} more{more}", "yellow")


def print_check(well: bool, what: str, problems: Iterable[str]) -> None:
    """Print a line for one check, and one below it for each problem."""
    print_plain(f"{'ok ' if well else 'NO '} {what}", "green" if well else "bold red")
    for problem in problems:
        print_plain(f"      {problem}")


def print_plain(text: str, style: str = "") -> None:
    """Print text as it is: no markup, no wrapping that would break a path in two."""
    console.print(Text(text, style=style), soft_wrap=True)


@contextmanager
def cells_line(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show on one line how many cells of a reference have run; yield the function to call for each."""
    with Bars(TextColumn(f"{title}, cell"), BarColumn(), MofNCompleteColumn(), console=console) as progress:
        task = progress.add_task("", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


class Crash(Exception):
    """The autograder itself failed, and the traceback stands in a log."""


@contextmanager
def run_logged(folder: Path) -> Iterator[None]:
    """Write the traceback of an error that is the autograder's own to LOG in `folder`, and raise Crash."""
    try:
        yield
    except (CourseError, DeviceError, OSError, Crash, typer.Exit, typer.Abort):
        raise
    except Exception as error:
        trace = traceback.format_exc()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / LOG).write_text(trace, encoding="utf-8", errors="replace")
        except OSError:
            folder = Path(tempfile.mkdtemp(prefix="autograder-"))
            (folder / LOG).write_text(trace, encoding="utf-8", errors="replace")
        what = f"{type(error).__name__}: {sanitize(str(error), 200)}"
        raise Crash(f"The autograder itself failed ({what}). Report it with {folder / LOG}.") from error
