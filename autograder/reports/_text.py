"""Reports for a terminal, as rich tables. All text passes as `Text`, so markup in it stays mere text."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from autograder.rubric import Report, Score

STYLES = {
    "graded": "green",
    "incomplete": "yellow",
    "awaiting review": "yellow",
    "needs a person": "bold red",
}


def points_text(score: Score) -> str:
    """ "9.5 / 10", "– / 10" where nothing is decided yet, "+ 2 / 5" for bonus points."""
    earned = "–" if score.earned is None else f"{score.earned:g}"
    return f"{'+ ' if score.bonus else ''}{earned} / {score.possible:g}"


def total_line(report: Report) -> str:
    """ "97.5 / 100"; bonus points are part of what is earned."""
    return f"{report.earned:g} / {report.possible:g}"


def student_report(report: Report) -> Group:
    """Every item of one submission: what it asks, what came, what to try next."""
    footer = Text(f"{total_line(report)} points, {report.status}. {report.data}", style="bold")
    return Group(_table(report), footer)


def section_report(section: str, report: Report) -> Group:
    """Return the same of one section, while a student works."""
    return Group(_table(report), Text(f"{section}: {total_line(report)} points", style="bold"))


def render_text(renderable: Group) -> str:
    """Return the same as text; in colour where the output is a terminal."""
    console = Console(highlight=False, force_jupyter=False, force_terminal=sys.stdout.isatty())
    with console.capture() as captured:
        console.print(renderable)
    return captured.get().rstrip()


def _table(report: Report) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False, padding=(0, 1, 1, 1))
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("item")
    for score in report.scores:
        table.add_row(Text(points_text(score), style=_style(score)), _lines(score))
    return table


def class_table(reports: Sequence[Report]) -> Table:
    """One line a student: points, status, and the first thing that cost points."""
    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False)
    table.add_column("student", overflow="fold")
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("first thing to look at", overflow="fold")
    for report in reports:
        status = Text(report.status, style=STYLES[report.status])
        table.add_row(Text(report.student), total_line(report), status, Text(first_loss(report)))
    return table


def class_lines(
    reports: Sequence[Report], left_out: Mapping[str, str], ran: int, out: Path
) -> Iterator[tuple[str, str]]:
    """Return what a TA should know when a class is graded, line by line, each with its style."""
    items = sum(len(report.scores) for report in reports)
    yield f"{ran} of {items} items were run now; the rest is kept from earlier runs.", ""
    if left_out:
        yield f"{len(left_out)} files were left out; {out / 'left_out.csv'} says which and why.", "yellow"
    if reports:
        yield reports[0].data, ""
    yield f"Class:   {out / 'index.html'}\nMarks:   {out / 'grades.csv'}", ""
    if waiting := sum(score.outcome == "awaiting review" for report in reports for score in report.scores):
        yield (
            f"Answers: {waiting} to read in {out / 'answers.csv'}: fill in points, and run this again.",
            "yellow",
        )
    deferred = (score.message for report in reports for score in report.scores if score.outcome == "deferred")
    for why, count in Counter(deferred).items():
        yield f"Waiting: {count} items. {why} Then run this again.", "yellow"
    if doubtful := sum(report.status == "needs a person" for report in reports):
        yield (
            f"{doubtful} need a person; `marks.csv` there takes points by hand, with who and why.",
            "bold red",
        )


def first_loss(report: Report) -> str:
    """Return what a person should read first: a doubt, a broken item, else the first that lost points, else nothing."""
    doubts = list(report.doubts)
    broken = [score for score in report.scores if score.outcome == "broken"]
    lost = [
        score
        for score in report.scores
        if score.outcome == "scored" and not score.is_full and not score.bonus
    ]
    return next(
        iter([*doubts, *(f"{score.item.replace('_', ' ')}: {score.message}" for score in broken + lost)]), ""
    )


def _lines(score: Score) -> Text:
    lines = Text(score.text, style="bold")
    for line in (score.message, score.hint, *score.remarks):
        if line:
            lines.append(f"\n{line}", style="not bold")
    return lines


def _style(score: Score) -> str:
    if score.outcome != "scored":
        return "bold red" if score.outcome == "broken" else "yellow"
    return "green" if score.is_full else "cyan" if score.earned else "red"
