"""The command line: parse, call, print; no logic.

Exit status: 0 done; 1 done, but something needs a person; 2 the command or the course is not as it should be.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from autograder.course import Assignment, Course, CourseError, find_course
from autograder.devices import DeviceError, choose

app = typer.Typer(
    help="Grades Keras models by a rubric. Students: check. TAs: grade. Instructors: verify, release.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    suggest_commands=True,
)
console = Console(highlight=False, soft_wrap=False)

Slug = Annotated[str, typer.Argument(metavar="ASSIGNMENT", help="Its name in course.toml.")]
Slugs = Annotated[
    list[str] | None, typer.Argument(metavar="[ASSIGNMENT]...", help="All of the course where none is named.")
]


Device = Annotated[
    Literal["auto", "cpu", "gpu"], typer.Option(help="What trains: auto takes a GPU where there is one.")
]


@app.command()
def check(
    assignment: Slug,
    folder: Annotated[Path, typer.Argument(help="Your work: a folder, or the .zip you hand in.")] = Path("."),
    device: Device = "auto",
) -> None:
    """Student: every item at once; those on hidden data say that they are deferred."""
    from autograder.classroom import require_submission
    from autograder.grading import Grader, author
    from autograder.hidden import hidden_data
    from autograder.reports.text import student_report
    from autograder.sandbox import Sandbox, probe, training_sandbox

    course, device = find_course(Path.cwd()), choose(device)
    chosen, isolation = course.assignment(assignment), probe()
    with (
        Sandbox(isolation, trusted=True) as sandbox,  # it is the student's own code
        training_sandbox(isolation, device) as trainer,
        console.status("") as status,
    ):
        grader = Grader.of(chosen, hidden_data(course), sandbox, trainer)
        grader = replace(grader, watch=lambda said: status.update(Text(said)))
        report = grader.grade(require_submission(folder), author(folder))
    console.print(student_report(report))
    raise typer.Exit(int(report.status == "needs a person"))


@app.command()
def grade(
    assignment: Slug,
    submissions: Annotated[Path, typer.Argument(help="Holds a folder or an archive for each student.")],
    out: Annotated[Path | None, typer.Option(help="Where reports go [default: results/ASSIGNMENT].")] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Grade anew what an earlier run has graded.")
    ] = False,
    device: Device = "auto",
    no_isolation: Annotated[
        bool, typer.Option("--no-isolation", help="Run student code unprotected where nothing isolates it.")
    ] = False,
) -> None:
    """TA: grade a class; writes grades.csv, and report.json and report.html for each student."""
    from autograder.classroom import find_submissions
    from autograder.grading import Grader, grade_class
    from autograder.hidden import hidden_data
    from autograder.reports.text import class_table
    from autograder.sandbox import Sandbox, probe, training_sandbox

    course = find_course(Path.cwd())
    chosen = course.assignment(assignment)
    found, left_out = find_submissions(submissions)
    out, device, isolation = out or Path("results") / chosen.slug, choose(device), probe()
    with (
        Sandbox(isolation, trusted=no_isolation) as sandbox,
        training_sandbox(isolation, device) as trainer,
        progress_line(len(found)) as (watch, passed),
    ):
        grader = replace(Grader.of(chosen, hidden_data(course), sandbox, trainer), watch=watch)
        reports = list(passed(grade_class(grader, found, out, fresh)))
    console.print(class_table(reports))
    for name in left_out:
        console.print(Text(f"Left out, neither a folder nor an archive: {name}", style="yellow"))
    console.print(Text(reports[0].data))
    say(f"Marks:   {out / 'grades.csv'}\nReports: {out}/<student>/report.html and report.json")
    raise typer.Exit(int(any(report.status == "needs a person" for report in reports)))


@app.command()
def verify(assignments: Slugs = None) -> None:
    """Instructor: the starter is fresh, and each specimen earns its known marks for its known reasons."""
    from autograder.sandbox import Sandbox, probe
    from autograder.verify import verify

    course = find_course(Path.cwd())
    problems = 0
    with Sandbox(probe()) as sandbox:
        for assignment in named(course, assignments):
            say(assignment.slug)
            for finding in verify(course, assignment, sandbox):
                problems += len(finding.problems)
                tick(not finding.problems, finding.what, finding.problems)
    say(f"{problems} problem(s)" if problems else "All as it should be.")
    raise typer.Exit(int(problems > 0))


@app.command()
def release(
    assignments: Slugs = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; say what is stale.")] = False,
) -> None:
    """Instructor: derive the starter notebooks from the references."""
    from autograder.release import is_stale
    from autograder.release import release as write

    stale = 0
    for assignment in named(find_course(Path.cwd()), assignments):
        for starter in assignment.starters:
            if check:
                reason = is_stale(assignment.reference, starter)
                stale += reason is not None
                tick(reason is None, str(starter), (reason,) if reason else ())
            else:
                say(f"{starter}: {'written' if write(assignment.reference, starter) else 'fresh already'}")
    raise typer.Exit(int(stale > 0))


@app.command()
def doctor() -> None:
    """All: what this machine has, what is missing, and how to get it."""
    from autograder.doctor import examine

    signs = list(examine(find_course(Path.cwd())))
    for sign in signs:
        tick(sign.well, sign.what, () if sign.well else (sign.advice,))
    raise typer.Exit(int(not all(sign.well for sign in signs)))


def named(course: Course, slugs: Iterable[str] | None) -> list[Assignment]:
    """The assignments named, or all of the course."""
    return [course.assignment(slug) for slug in slugs] if slugs else list(course.assignments)


@contextmanager
def progress_line(total: int) -> Iterator[tuple[Callable, Callable]]:
    """A line that shows how many reports are done, how long the rest will take, and what is being done.

    Gives two functions: one to be told what is being done, one that reports pass through.
    """
    now = TextColumn("{task.fields[now]}", markup=False)
    columns = (TextColumn("Grading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), now)
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=total, now="")

        def passed(reports: Iterable) -> Iterator:
            for report in reports:
                progress.update(task, advance=1)
                yield report

        yield (lambda said: progress.update(task, now=said)), passed


def tick(well: bool, what: str, problems: Iterable[str]) -> None:
    """One line for a thing looked at, and one below it for each problem."""
    say(f"{'ok ' if well else 'NO '} {what}", "green" if well else "bold red")
    for problem in problems:
        say(f"      {problem}")


def say(text: str, style: str = "") -> None:
    """Prints text as it is: no markup, no wrapping that would break a path in two."""
    console.print(Text(text, style=style), soft_wrap=True)


def main() -> None:
    """Runs a command; a person's mistake ends with one line and exit status 2."""
    from autograder.notebooks import MarkerError

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what goes wrong in TensorFlow is raised as well
    try:
        app()
    except (CourseError, MarkerError, DeviceError, OSError) as error:
        Console(stderr=True).print(Text(f"autograder: {error}"), soft_wrap=True)
        sys.exit(2)
