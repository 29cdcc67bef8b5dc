"""`integrity`: submissions that are alike."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from autograder.cli._console import Slug, console, print_lines, print_plain, run_logged
from autograder.core import find_course


def integrity(
    assignment: Slug,
    submissions: Annotated[Path, typer.Argument(metavar="SUBMISSIONS", help="The class, as for `grade`.")],
    out: Annotated[
        Path | None, typer.Option(help="Where the lists go.", show_default="results/ASSIGNMENT")
    ] = None,
    roster: Annotated[Path | None, typer.Option(help="The platform's list of the class (CSV).")] = None,
    against: Annotated[
        list[Path] | None, typer.Option(help="An earlier class to compare with; may be given again.")
    ] = None,
) -> None:
    """TA: which submissions are so alike that a person should look; lists with evidence, never a mark."""
    from autograder.core import make_private_folder, write_atomically
    from autograder.grading import open_readers, read_cohort
    from autograder.similarity import compare, integrity_csv, integrity_html
    from autograder.submissions import RawSubmission

    course = find_course(Path.cwd())
    chosen = course.assignment(assignment)
    out = out or Path("results") / chosen.slug
    with run_logged(out), open_readers() as reading, console.status("") as status:
        found = read_cohort(reading, submissions, chosen.slug, roster, out=out)
        others: dict[str, RawSubmission] = {}
        for folder in against or ():
            earlier = read_cohort(reading, folder, chosen.slug).submissions
            others |= {f"{folder.name}: {submission.student}": submission for submission in earlier}
        watch = lambda text: status.update(Text(text))  # noqa: E731
        findings = compare(course, chosen, found.submissions, others, watch, reading)
    make_private_folder(out)
    write_atomically(out / "integrity.html", integrity_html(findings))
    write_atomically(out / "integrity.csv", integrity_csv(findings))
    print_plain(
        f"{len(findings.found)} things to look at among {len(found.submissions)} submissions, no mark is changed."
    )
    print_lines([f"Not compared in full: {line}" for line in findings.skipped], more=", see the page")
    print_plain(f"Lists: {out / 'integrity.html'} and {out / 'integrity.csv'}")
