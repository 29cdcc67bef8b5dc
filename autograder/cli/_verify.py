"""`verify`: proof of a course."""

from pathlib import Path
from typing import Annotated

import typer

from autograder.cli._console import Jobs, Slugs, console, find_assignments, print_check, print_plain
from autograder.core import find_course


def verify(
    assignments: Slugs = None,
    slow: Annotated[
        bool, typer.Option("--slow", help="Also train the references with five seeds, on other terms' data.")
    ] = False,
    jobs: Jobs = None,
) -> None:
    """Instructor: each test submission earns its known marks, each item can be lost, each starter is fresh."""
    from autograder.authoring.verify import (
        check_course,
        region_table,
        verification_table,
        verify,
        verify_workers,
    )
    from autograder.grading import choose_jobs

    course, proofs = find_course(Path.cwd()), []
    chosen, astray = find_assignments(course, assignments), list(check_course(course))
    print_check(not astray, "the course", astray)
    with verify_workers(course, jobs or choose_jobs()) as submit, console.status("") as status:
        watch = lambda done, total: status.update(f"{done} of {total} proofs")  # noqa: E731
        for proof in verify(chosen, submit, slow, watch):
            proofs.append(proof)
            print_plain(proof.assignment.slug)
            for finding in proof.findings:
                print_check(not finding.problems, finding.what, finding.problems)
            console.print(region_table(proof))
    console.print(verification_table(sorted(proofs, key=lambda proof: chosen.index(proof.assignment))))
    problems = len(astray) + sum(proof.problems for proof in proofs)
    print_plain(f"{problems} problem(s)" if problems else "All as it should be.")
    raise typer.Exit(int(problems > 0))
