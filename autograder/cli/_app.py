"""The command line: parse, call, print; no logic.

Exit status: 0 done; 1 done, but something needs a person; 2 the command or the course is not as it should be;
3 the autograder itself failed: what was written so far stays, and a log says where.
"""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

from autograder.core import Assignment, Course, CourseError, DeviceError, choose_device, find_course, sanitize

app = typer.Typer(
    help="Grades Keras models by a rubric. Students: check, pack. TAs: grade, export, integrity. "
    "Instructors: new, verify, release. All: fetch, doctor. Exit status: 0 done, 1 something needs a person, "
    "2 the command or the course is wrong, 3 the autograder itself failed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    suggest_commands=True,
)
console = Console(highlight=False, soft_wrap=False)
LOG = "autograder-crash.log"
MAX_LINES = 20  # of one kind, before the rest is counted

Slug = Annotated[str, typer.Argument(metavar="ASSIGNMENT", help="Its name in course.toml.")]
Slugs = Annotated[
    list[str] | None, typer.Argument(metavar="[ASSIGNMENT]...", help="All of the course where none is named.")
]


Jobs = Annotated[
    int | None,
    typer.Option(min=1, help="Processes at work side by side [default: as cores and memory allow]."),
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


@app.command()
def pack(
    assignment: Slug,
    folder: Annotated[Path, typer.Argument(help="The folder of your work.")] = Path("."),
    out: Annotated[Path | None, typer.Option(help="The archive [default: ASSIGNMENT_YOUR-ID.zip].")] = None,
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


@app.command()
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
        with read_arriving() as told:
            for line in fetch(dataset, file or (), told):
                print_plain(line)
    if line := open_cache(course):
        print_plain(line, "yellow")


@contextmanager
def read_arriving() -> Iterator[Callable[[str, int, int], None]]:
    """Bars that show how much of a download is here; gives what is to be told."""
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    progress, tasks = Bars(*columns, TimeRemainingColumn(), console=console, transient=True), {}

    def told(name: str, here: int, total: int) -> None:
        progress.start()
        if name not in tasks:
            tasks[name] = progress.add_task(name, total=total)
        progress.update(tasks[name], completed=here)

    try:
        yield told
    finally:
        if tasks:
            progress.stop()


@contextmanager
def students_grader(course: Course, assignment: Assignment, folder: Path, device: str) -> Iterator:
    """Return a Grader for a student's own work, on the student's own machine; a line shows what it does."""
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
        yield replace(grader, watch=lambda said: status.update(Text(said)))


@app.command()
def grade(
    assignment: Slug,
    submissions: Annotated[
        Path,
        typer.Argument(help="What Canvas, Moodle or Gradescope gave, or a folder with one for each student."),
    ],
    out: Annotated[Path | None, typer.Option(help="Where reports go [default: results/ASSIGNMENT].")] = None,
    roster: Annotated[
        Path | None, typer.Option(help="The platform's list of the class (CSV): names, logins, times.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Grade anew what an earlier run has graded.")
    ] = False,
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
        told = lambda line: print_plain(line, "yellow")  # noqa: E731
        with open_executor(setup, grader, jobs, progress.total, dask, told) as workers, live_table(progress):
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


@app.command()
def export(
    results: Annotated[Path, typer.Argument(help="What `grade` wrote: the folder with grades.csv.")],
    to: Annotated[
        Literal["canvas", "moodle", "gradescope", "csv"], typer.Option(help="Where the marks shall go.")
    ],
    file: Annotated[
        Path | None, typer.Option(help="The platform's own table, as exported: it is filled in.")
    ] = None,
    filled: Annotated[
        Path | None, typer.Option("--as", help="The table to write [default: in RESULTS, as FILE is called].")
    ] = None,
    column: Annotated[str, typer.Option(help="Canvas: the column of the assignment.")] = "",
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="Also marks of which something is still to be decided.")
    ] = False,
) -> None:
    """TA: marks into the table that a platform exported, and pages of feedback for it to give back."""
    from autograder.grading import export

    course = find_course(Path.cwd())
    done = export(course, results, to, file, filled, column, unfinished)
    for line in done.lines:
        print_plain(line)
    for line in done.left_alone[:MAX_LINES]:
        print_plain(line, "yellow")
    if (more := len(done.left_alone) - MAX_LINES) > 0:
        print_plain(f"and {more} more", "yellow")
    raise typer.Exit(int(bool(done.left_alone)))


@app.command()
def integrity(
    assignment: Slug,
    submissions: Annotated[Path, typer.Argument(help="The class, as for `grade`.")],
    out: Annotated[
        Path | None, typer.Option(help="Where the lists go [default: results/ASSIGNMENT].")
    ] = None,
    roster: Annotated[Path | None, typer.Option(help="The platform's list of the class (CSV).")] = None,
    against: Annotated[
        list[Path] | None, typer.Option(help="An earlier class to compare with; may be given again.")
    ] = None,
) -> None:
    """TA: which submissions are so alike that a person should look; lists with evidence, never a mark."""
    from autograder.core import make_private_folder
    from autograder.grading import open_readers, read_cohort, write_atomically
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
        watch = lambda said: status.update(Text(said))  # noqa: E731
        findings = compare(course, chosen, found.submissions, others, watch, reading)
    make_private_folder(out)
    write_atomically(out / "integrity.html", integrity_html(findings))
    write_atomically(out / "integrity.csv", integrity_csv(findings))
    print_plain(
        f"{len(findings.found)} things to look at among {len(found.submissions)} submissions, no mark is changed."
    )
    for line in findings.skipped[:MAX_LINES]:
        print_plain(f"Not compared in full: {line}", "yellow")
    if (more := len(findings.skipped) - MAX_LINES) > 0:
        print_plain(f"and {more} more, see the page", "yellow")
    print_plain(f"Lists: {out / 'integrity.html'} and {out / 'integrity.csv'}")


@app.command()
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


@app.command()
def release(
    assignments: Slugs = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; say what is stale.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Write what students may have here, as a folder and an archive, and prove it."),
    ] = None,
    solutions: Annotated[
        bool,
        typer.Option(
            "--solutions", help="Run the references; write solutions [to results/solutions, or --out]."
        ),
    ] = False,
    before_due: Annotated[
        bool, typer.Option("--before-due", help="Write solutions before the due date as well.")
    ] = False,
    perfect: Annotated[
        bool, typer.Option("--perfect", help="Run the reference; make its test submission `perfect` anew.")
    ] = False,
    gradescope: Annotated[
        Path | None, typer.Option(help="Write the autograder of one assignment for Gradescope, a .zip.")
    ] = None,
) -> None:
    """Instructor: derive the starter notebooks from the references; the students' bundle, the solutions."""
    course = find_course(Path.cwd())
    chosen = find_assignments(course, assignments)
    if [check, solutions, perfect, bool(gradescope), bool(out) and not solutions].count(True) > 1:
        raise CourseError(
            "release does one thing at a time: --check, --out, --solutions (--out), --perfect or --gradescope."
        )
    if gradescope:
        make_gradescope(course, chosen, gradescope)
    elif solutions:
        write_solutions(chosen, out or Path("results/solutions"), before_due)
    elif perfect:
        make_perfect(chosen)
    elif out:
        make_bundle(course, chosen, out)
    else:
        raise typer.Exit(int(write_starters(chosen, check) > 0))


@app.command("new")
def new_assignment(
    slug: Annotated[str, typer.Argument(help="Its name, in small letters and underscores.")],
    title: Annotated[str, typer.Option(help="As people read it [default: made of the name].")] = "",
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


@app.command()
def term() -> None:
    """Instructor: begin a term with a fresh secret seed; the old one is kept for regrading."""
    from datetime import date

    from autograder.data import new_term

    kept = new_term(find_course(Path.cwd()), date.today())
    print_plain(
        "solutions/secret_seed: fresh. Hidden data are new ones from now on; keep a copy of it in a safe place."
    )
    if kept:
        name = kept.name.removeprefix("secret_seed.")
        print_plain(
            f"The one before is kept: `autograder grade ASSIGNMENT SUBMISSIONS --term {name}` grades with it."
        )


def write_starters(assignments: Iterable[Assignment], check: bool) -> int:
    """Write the starters of the assignments, or check them; return how many are stale."""
    from autograder.authoring import is_stale, release, seal_questions, stale_questions

    stale = 0
    for assignment in assignments:
        reason = stale_questions(assignment)
        if check and reason:
            stale += 1
            print_check(
                False, "concept questions", (f"{reason}; run `autograder release {assignment.slug}`",)
            )
        elif reason and seal_questions(assignment):
            print_plain(f"{assignment.room / 'questions.json'}: written")
        for starter in assignment.starters:
            if check:
                reason = is_stale(assignment, starter)
                stale += reason is not None
                print_check(reason is None, str(starter), (reason,) if reason else ())
            else:
                print_plain(f"{starter}: {'written' if release(assignment, starter) else 'fresh already'}")
    return stale


def make_bundle(course: Course, assignments: Iterable[Assignment], out: Path) -> None:
    """Write the students' bundle and print what its proof did not cover."""
    from autograder.authoring import write_bundle

    bundle = write_bundle(course, assignments, out)
    print_plain(
        f"{bundle.archive}: {len(bundle.names)} files, no line of a solution, no seed and no hidden row among them"
    )
    for line in bundle.unproved:
        print_plain(line, "yellow")
    print_plain(f"Put it where students fetch it: {course.bundle}")


def make_gradescope(course: Course, assignments: list[Assignment], path: Path) -> None:
    """Write the archive that Gradescope grades one assignment with."""
    from autograder.authoring import write_zip

    if len(assignments) != 1:
        raise CourseError("--gradescope makes the autograder of one assignment: name it.")
    names = write_zip(course, assignments[0], path)
    print_plain(
        f"{path}: {len(names)} files, this term's seed among them: for Gradescope alone, see docs/gradescope.md"
    )


def write_solutions(assignments: Iterable[Assignment], out: Path, before_due: bool) -> None:
    """Write the solution of each assignment into a folder of its own."""
    from datetime import UTC, datetime

    from autograder.authoring import publish, require_due

    for assignment in assignments if not before_due else ():
        require_due(assignment, datetime.now(UTC))
    for assignment in assignments:
        with cells_line(assignment.slug) as watch:
            written = publish(assignment, out / assignment.slug, watch)
        for path in written:
            print_plain(str(path))
    print_plain(
        "A page holds its plots; only formulas need the network, for MathJax, and are plain TeX without it."
    )


def make_perfect(assignments: Iterable[Assignment]) -> None:
    """Make the test submission `perfect` of each assignment anew."""
    from autograder.authoring import write_perfect

    for assignment in assignments:
        with cells_line(assignment.slug) as watch:
            write_perfect(assignment, watch)
        print_plain(f"{assignment.test_submissions / 'perfect'}: written")


@contextmanager
def cells_line(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show on one line how many cells of a reference have run; yield the function to call for each."""
    with Bars(TextColumn(f"{title}, cell"), BarColumn(), MofNCompleteColumn(), console=console) as progress:
        task = progress.add_task("", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@app.command()
def doctor(
    submissions: Annotated[
        Path | None,
        typer.Argument(help="A folder of notebooks: which packages they import are missing here?"),
    ] = None,
) -> None:
    """All: what this machine has, what is missing, and how to get it."""
    from autograder.cli._doctor import examine

    signs = list(examine(find_course(Path.cwd()), submissions))
    for sign in signs:
        print_check(sign.well, sign.what, () if sign.well else (sign.advice,))
    raise typer.Exit(int(not all(sign.well for sign in signs)))


def find_assignments(course: Course, slugs: Iterable[str] | None) -> list[Assignment]:
    """Return the assignments named, or all of the course."""
    return [course.assignment(slug) for slug in slugs] if slugs else list(course.assignments)


def live_table(table: RenderableType) -> AbstractContextManager:
    """Show a table, as it changes, until the end."""
    from rich.live import Live

    return Live(table, console=console, refresh_per_second=4)


def print_check(well: bool, what: str, problems: Iterable[str]) -> None:
    """One line for a thing looked at, and one below it for each problem."""
    print_plain(f"{'ok ' if well else 'NO '} {what}", "green" if well else "bold red")
    for problem in problems:
        print_plain(f"      {problem}")


def print_plain(text: str, style: str = "") -> None:
    """Print text as it is: no markup, no wrapping that would break a path in two."""
    console.print(Text(text, style=style), soft_wrap=True)


class Crash(Exception):
    """The autograder itself failed, and the traceback stands in a log."""


@contextmanager
def run_logged(folder: Path) -> Iterator[None]:
    """Write the traceback of an error that is the autograder's own to LOG in `folder`, and raise Crash."""
    try:
        yield
    except (CourseError, DeviceError, OSError, Crash, typer.Exit, typer.Abort):
        raise
    except Exception as error:
        said = traceback.format_exc()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / LOG).write_text(said, encoding="utf-8", errors="replace")
        except OSError:
            folder = Path(tempfile.mkdtemp(prefix="autograder-"))
            (folder / LOG).write_text(said, encoding="utf-8", errors="replace")
        what = f"{type(error).__name__}: {sanitize(str(error), 200)}"
        raise Crash(f"The autograder itself failed ({what}). Report it with {folder / LOG}.") from error


def main() -> None:
    """Run a command; what ends it, a person's mistake or the autograder's own, is one line and an exit status."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        if hasattr(stream, "reconfigure"):  # a name that the console can't show is shown with `?`
            stream.reconfigure(errors="replace")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what goes wrong in TensorFlow is raised as well
    try:
        with run_logged(Path(tempfile.gettempdir())):
            app()
    except (CourseError, DeviceError, OSError, Crash) as error:
        Console(stderr=True).print(Text(f"autograder: {error}"), soft_wrap=True)
        sys.exit(3 if isinstance(error, Crash) else 2)
