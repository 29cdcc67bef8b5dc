"""`grade`: a class."""

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType

from autograder.cli._console import Device, Jobs, Slug, console, print_plain, run_logged
from autograder.core import choose_device, find_course


def grade(
    assignment: Slug,
    submissions: Annotated[
        Path,
        typer.Argument(
            metavar="SUBMISSIONS",
            help="What Canvas, Moodle or Gradescope gave, or a folder with one for each student.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Where reports go.", show_default="results/ASSIGNMENT")
    ] = None,
    roster: Annotated[
        Path | None, typer.Option(help="The platform's list of the class (CSV): names, logins, times.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ignore cached scores.")] = False,
    device: Device = "auto",
    no_isolation: Annotated[
        bool, typer.Option("--no-isolation", help="Run student code unprotected where nothing isolates it.")
    ] = False,
    term: Annotated[str, typer.Option(help="Regrade on the hidden data of a term before this one.")] = "",
    jobs: Jobs = None,
    dask: Annotated[
        str,
        typer.Option(help="Grade on a Dask cluster: its scheduler's address, or local:N for N workers here."),
    ] = "",
    minutes: Annotated[
        float,
        typer.Option(min=0.01, help="Time for all items of one submission; later ones get no points."),
    ] = 20,
) -> None:
    """TA: grade a class; writes grades.csv, index.html, and report.json and report.html for each student."""
    from autograder.core import exposure_warning
    from autograder.data import hidden_data, open_cache
    from autograder.grading import (
        GraderFactory,
        MarkSources,
        describe_missing_packages,
        describe_partial_run,
        grade_cohort,
        open_executor,
        open_readers,
        read_cohort,
        strip_details,
    )
    from autograder.reports import Progress, class_lines, class_table
    from autograder.sandbox import probe

    course = find_course(Path.cwd())
    chosen, source = course.assignment(assignment), hidden_data(course, term)
    out, reports = out or Path("results") / chosen.slug, []
    device = (
        device if dask and device == "gpu" else choose_device(device)
    )  # the cluster's workers look for theirs
    private = (submissions, out, *([roster] if roster else []))
    setup = GraderFactory(chosen, source, device, probe(), no_isolation, minutes, private)
    with run_logged(out), open_readers() as reading, setup.open() as grader:
        zone = course.timezone or (chosen.due.tzinfo if chosen.due else None)
        found = read_cohort(reading, submissions, chosen.slug, roster, zone, out)
        if line := describe_missing_packages(reading, found.submissions, grader.expected):
            print_plain(line, "yellow")
            found = replace(found, notices=(*found.notices, line))
        sources = MarkSources.read(course, grader, found, out)
        progress = Progress(len(found.submissions))
        grader = replace(grader, watch=progress.watch)
        warn = lambda line: print_plain(line, "yellow")  # noqa: E731
        with open_executor(setup, grader, jobs, progress.total, dask, warn) as workers, live_table(progress):
            try:
                for graded in grade_cohort(grader, sources, found, out, fresh, workers, reading):
                    progress.add(
                        graded.report, len(graded.ran), sum(graded.seconds[item] for item in graded.ran)
                    )
                    reports.append(strip_details(graded.report))
            except BaseException:
                if len(reports) < progress.total:
                    print_plain(describe_partial_run(len(reports), progress.total), "bold red")
                raise
    console.print(class_table(reports))
    seed = course.root / "solutions/secret_seed"
    for line in (
        *sources.notices,
        exposure_warning("results", out),
        exposure_warning("the seed", seed),
        open_cache(course),
    ):
        if line:
            print_plain(line, "yellow")
    for line, style in class_lines(reports, found.left_out, progress.items, out):
        print_plain(line, style)
    unsettled = bool(found.doubts) or any(report.status == "needs a person" for report in reports)
    raise typer.Exit(int(unsettled))


def live_table(table: RenderableType) -> AbstractContextManager:
    """Show a table, as it changes, until the end."""
    from rich.live import Live

    return Live(table, console=console, refresh_per_second=4)
