"""The table that a person watches: its counts, and what it expects of the rest."""

import io

from rich.console import Console
from test_reports import report, scored

from autograder.reports import Progress
from autograder.reports._progress import clock_time


def shown(progress):
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(progress)
    return console.export_text()


def test_counts_and_what_is_left():
    now = [0.0]
    progress = Progress(total=8, clock=lambda: now[0])
    assert progress.left is None and "0/8" in shown(progress)
    now[0] = 30.0
    progress.add(report("ann", scored(3)), ran=2, seconds=10)
    progress.add(report("bo", scored(0)), ran=1, seconds=2)
    progress.add(report("cy", scored(3)), ran=0, seconds=0)
    progress.add(report("di", scored(None, outcome="broken")), ran=2, seconds=48)
    assert (progress.done, progress.kept, progress.failed, progress.waiting, progress.items) == (
        4,
        1,
        2,
        1,
        5,
    )
    assert progress.left == 30 / 3 * 4  # by the clock, though two workers took 60 s
    assert progress.slowest == (48, "di")
    assert all(text in shown(progress) for text in ("4/8", "0:40", "48.0 s di", "needs a person"))


def test_names_are_mere_text():
    progress = Progress(total=1)
    progress.add(report("[bold]x[/bold]", scored(3)), ran=1, seconds=1)
    progress.watch("[red]y")
    assert "[bold]x[/bold]" in shown(progress) and "[red]y" in shown(progress)


def test_times_as_clocks_show_them():
    assert [clock_time(seconds) for seconds in (7, 750.4, 3723)] == ["0:07", "12:30", "1:02:03"]
