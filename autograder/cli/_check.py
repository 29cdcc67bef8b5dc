"""`check` and `pack`: a student's own work, graded on the student's own machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from autograder.cli._console import Device, Slug, console, print_plain
from autograder.core import Assignment, Course, choose_device, find_course


def check(
    assignment: Slug,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Your work: a folder, or the .zip you hand in.")
    ] = Path("."),
    device: Device = "auto",
) -> None:
    """Student: every item at once; those on hidden data say that they are deferred."""
    from autograder.grading import read_author, require_submission
    from autograder.reports import student_report
    from autograder.submissions import RawSubmission

    course = find_course(Path.cwd())
    with students_grader(course, course.assignment(assignment), folder, device) as grader:
        report = grader.grade(
            RawSubmission(read_author(folder, grader.expected), require_submission(folder))
        ).report
    console.print(student_report(report))
    raise typer.Exit(int(report.status == "needs a person"))


def pack(
    assignment: Slug,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder of your work.")] = Path("."),
    out: Annotated[
        Path | None, typer.Option(help="The archive.", show_default="ASSIGNMENT_YOUR-ID.zip")
    ] = None,
    device: Device = "auto",
) -> None:
    """Student: the archive to hand in, opened again and checked."""
    from autograder.grading import pack
    from autograder.reports import student_report

    course = find_course(Path.cwd())
    chosen = course.assignment(assignment)
    with students_grader(course, chosen, folder, device) as grader:
        packed = pack(chosen, folder, out, grader)
    console.print(student_report(packed.report))
    print_plain(f"{packed.path} holds: {', '.join(packed.names)}", "green")
    if packed.replaced:
        print_plain("An archive with other content lay there; this one took its place.", "yellow")
    for name, reason in packed.missing.items():
        print_plain(f"Not in it: {name}. {reason}", "yellow")
    if packed.failing:
        print_plain(
            f"Not full yet: {', '.join(packed.failing)}. You can hand it in as it is, or mend it and pack again."
        )
    raise typer.Exit(int(packed.report.status == "needs a person"))


@contextmanager
def students_grader(course: Course, assignment: Assignment, folder: Path, device: str) -> Iterator:
    """Yield a Grader for a student's own work, on the student's own machine; a line shows its progress."""
    from autograder.data import hidden_data
    from autograder.grading import Grader
    from autograder.sandbox import Sandbox, probe, training_sandbox

    device, isolation, private = choose_device(device), probe(), (*assignment.private, folder)
    if not isolation.holds:
        print_plain(
            f"Nothing isolates code on this machine: the code in {folder} runs without isolation, "
            "with all your rights. Check only work that is your own.",
            "yellow",
        )
    with (
        Sandbox(isolation, trusted=True, private=private) as sandbox,  # it is the student's own code
        training_sandbox(isolation, device, private) as trainer,
        console.status("") as status,
    ):
        grader = Grader.create(assignment, hidden_data(course), sandbox, trainer)
        yield replace(grader, watch=lambda text: status.update(Text(text)))
