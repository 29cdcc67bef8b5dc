"""`fetch`: real data for the optional parts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bars

from autograder.cli._console import console, print_plain
from autograder.core import CourseError, find_course


def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[DATA SET]...", help="Without a name: what there is.")
    ] = None,
    file: Annotated[
        list[Path] | None, typer.Option(help="A file that you have already; may be given again.")
    ] = None,
) -> None:
    """All: real data for the optional parts, downloaded once and checked, or taken from your files."""
    from rich.filesize import decimal

    from autograder.data import download_size, fetch, is_fetched, open_cache, remote_datasets

    course = find_course(Path.cwd())
    sets = remote_datasets(course, names or ())
    if file and len(names or ()) != 1:
        raise CourseError("--file goes with the name of one data set: autograder fetch splice --file FILE")
    for dataset in sets if not names else ():
        state = "is here" if is_fetched(dataset) else f"to fetch, {decimal(download_size(dataset))}"
        print_plain(f"{dataset.name}: {state} (datasets/{dataset.name}/README.md)")
    for dataset in sets if names else ():
        with show_downloads() as notify:
            for line in fetch(dataset, file or (), notify):
                print_plain(line)
    if line := open_cache(course):
        print_plain(line, "yellow")


@contextmanager
def show_downloads() -> Iterator[Callable[[str, int, int], None]]:
    """Show how much of each download has arrived; yield the function to call with a name, bytes and total."""
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    progress, tasks = Bars(*columns, TimeRemainingColumn(), console=console, transient=True), {}

    def notify(name: str, here: int, total: int) -> None:
        progress.start()
        if name not in tasks:
            tasks[name] = progress.add_task(name, total=total)
        progress.update(tasks[name], completed=here)

    try:
        yield notify
    finally:
        if tasks:
            progress.stop()
