"""`new` and `term`: the beginnings of an assignment and of a term."""

from pathlib import Path
from typing import Annotated

import typer

from autograder.cli._console import cells_line, print_plain
from autograder.core import find_course


def new_assignment(
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="Its name, in small letters and underscores.")],
    title: Annotated[str, typer.Option(help="As people read it.", show_default="made of the name")] = "",
) -> None:
    """Instructor: a small assignment that passes `verify`, for you to change into your own."""
    from autograder.authoring import plan_assignment, write_assignment

    course = find_course(Path.cwd())
    assignment = plan_assignment(course, slug, title)
    with cells_line(slug) as watch:
        write_assignment(assignment, watch)
    for path in (assignment.reference, assignment.rubric, course.root / "datasets" / slug / "generate.py"):
        print_plain(f"written, for you to change: {path}")
    print_plain(f"Entered in course.toml. Next: autograder verify {slug}, and docs/instructors.md.")


def term() -> None:
    """Instructor: begin a term with a fresh secret seed; the old one is kept for regrading."""
    from datetime import date

    from autograder.data import new_term

    previous = new_term(find_course(Path.cwd()), date.today())
    print_plain(
        "solutions/secret_seed: fresh. Hidden data are new ones from now on; keep a copy of it in a safe place."
    )
    if previous:
        name = previous.name.removeprefix("secret_seed.")
        print_plain(
            f"The one before is kept: `autograder grade ASSIGNMENT SUBMISSIONS --term {name}` grades with it."
        )
