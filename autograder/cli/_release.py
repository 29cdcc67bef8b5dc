"""`release`: what is derived from the references, for students and for Gradescope."""

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from autograder.cli._console import Slug, Slugs, cells_line, find_assignments, print_check, print_plain
from autograder.core import CourseError, find_course

FORMER = {  # flags of one command, which were hard to tell apart; each is a command of its own now
    "--check": "starters --check",
    "--out": "bundle --out DIR",
    "--solutions": "solutions",
    "--gradescope": "gradescope ASSIGNMENT",
    "--perfect": "perfect",
}


class ReleaseGroup(TyperGroup):
    """The commands of `release`; whoever types it as it was once called is told the present command."""

    def parse_args(self, context, arguments: list[str]) -> list[str]:  # type: ignore[no-untyped-def]  # click's own
        first = arguments[0] if arguments else ""
        if first not in {*self.commands, "--help"}:
            flags = (part.partition("=")[0] for part in arguments)
            present = [FORMER[flag] for flag in flags if flag in FORMER]
            fix = present[0] if present else " ".join(["starters", *arguments])
            got = " ".join(["release", *arguments])
            commands = " | ".join(self.commands)
            raise CourseError(f"Expected `release {commands}`, got `{got}`. Fix: `release {fix}`.")
        return super().parse_args(context, arguments)


release = typer.Typer(
    cls=ReleaseGroup,
    help="Instructor: derive the starter notebooks from the references; the students' bundle, the solutions.",
)


@release.command("starters")
def release_starters(
    assignments: Slugs = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; say what is stale.")] = False,
) -> None:
    """Write the starter notebooks, each the reference without its solutions, and the sealed questions."""
    from autograder.authoring import is_stale, release, seal_questions, stale_questions

    stale = 0
    for assignment in find_assignments(find_course(Path.cwd()), assignments):
        reason = stale_questions(assignment)
        if check and reason:
            stale += 1
            print_check(
                False,
                "concept questions",
                (f"{reason}; run `autograder release starters {assignment.slug}`",),
            )
        elif reason and seal_questions(assignment):
            print_plain(f"{assignment.folder / 'questions.json'}: written")
        for starter in assignment.starters:
            if check:
                reason = is_stale(assignment, starter)
                stale += reason is not None
                print_check(reason is None, str(starter), (reason,) if reason else ())
            else:
                print_plain(f"{starter}: {'written' if release(assignment, starter) else 'fresh already'}")
    raise typer.Exit(int(stale > 0))


@release.command("bundle")
def release_bundle(
    assignments: Slugs = None,
    out: Annotated[Path, typer.Option(help="The folder for it.")] = Path("dist"),
) -> None:
    """Write what students may have, as a folder and an archive, and prove that nothing else is in it."""
    from autograder.authoring import write_bundle

    course = find_course(Path.cwd())
    bundle = write_bundle(course, find_assignments(course, assignments), out)
    print_plain(
        f"{bundle.archive}: {len(bundle.names)} files, no line of a solution, no seed and no hidden row among them"
    )
    for line in bundle.unproved:
        print_plain(line, "yellow")
    print_plain(f"Put it where students fetch it: {course.bundle}")


@release.command("solutions")
def release_solutions(
    assignments: Slugs = None,
    out: Annotated[Path, typer.Option(help="The folder for them.")] = Path("results/solutions"),
    before_due: Annotated[bool, typer.Option("--before-due", help="Also before the due date.")] = False,
) -> None:
    """Run the references; write each solution as a notebook and as a page with its plots."""
    from datetime import UTC, datetime

    from autograder.authoring import publish, require_due

    chosen = find_assignments(find_course(Path.cwd()), assignments)
    for assignment in chosen if not before_due else ():
        require_due(assignment, datetime.now(UTC))
    for assignment in chosen:
        with cells_line(assignment.slug) as watch:
            written = publish(assignment, out / assignment.slug, watch)
        for path in written:
            print_plain(str(path))
    print_plain(
        "A page holds its plots; only formulas need the network, for MathJax, and are plain TeX without it."
    )


@release.command("gradescope")
def release_gradescope(
    assignment: Slug,
    out: Annotated[
        Path | None, typer.Option(help="The archive.", show_default="ASSIGNMENT_gradescope.zip")
    ] = None,
) -> None:
    """Write the autograder of one assignment for Gradescope."""
    from autograder.authoring import write_zip

    course = find_course(Path.cwd())
    path = out or Path(f"{assignment}_gradescope.zip")
    names = write_zip(course, course.assignment(assignment), path)
    print_plain(
        f"{path}: {len(names)} files, this term's seed among them: for Gradescope alone, see docs/gradescope.md"
    )


@release.command("perfect")
def release_perfect(assignments: Slugs = None) -> None:
    """Run the references; make the test submission `perfect` of each assignment."""
    from autograder.authoring import write_perfect

    for assignment in find_assignments(find_course(Path.cwd()), assignments):
        with cells_line(assignment.slug) as watch:
            write_perfect(assignment, watch)
        print_plain(f"{assignment.test_submissions / 'perfect'}: written")
