"""`autograder new`: a small assignment that passes `verify` as it stands, for an instructor to change into another."""

import json
import keyword
import re
import runpy
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autograder.authoring._markers import read_cells, write_notebook
from autograder.authoring._reference import Watch, write_perfect
from autograder.authoring._starter import release
from autograder.core import COURSE_FILE, Assignment, Course, CourseError, write_atomically

TEMPLATES = Path(__file__).with_name("templates")
POINTS = 20
PACKAGES = {
    "autograder",
    "keras",
    "tensorflow",
    "numpy",
    "pandas",
    "sklearn",
    "scipy",
    "matplotlib",
    "rubric",
}
FOLDERS = {"assignments", "solutions", "datasets", "benchmarks", "tests", "results"}

MISTAKE = "first_in_place_of_last"  # a test submission: the signature and one word are others
CHANGES = {'STUDENT = "perfect"': f'STUDENT = "{MISTAKE}"', "return max(": "return min("}
KNOWN_MISTAKE = """about = "The hour of the first switch in place of the last; the model is the reference's."
others = "full"

[marks]
finds_the_last_on = 0

[says]
finds_the_last_on = "it is the first"
"""
KNOWN_STARTER = """about = "The starter as it was handed out."

[marks]
finds_the_last_on = 0
remembers_the_lamp = 0

[says]
finds_the_last_on = "not signed"
remembers_the_lamp = "There is no lamp.keras"
"""


def plan_assignment(course: Course, slug: str, title: str = "") -> Assignment:
    """Return the assignment that `write_assignment` will write; title: as people read it, made of the slug where empty.

    Raises CourseError for a name or a title that won't do. Nothing is written yet.
    """
    assignment = Assignment(slug, title.strip() or slug.replace("_", " ").capitalize(), POINTS, course.root)
    refuse_slug(slug)
    refuse_title(assignment.title)
    refuse_taken(course, assignment)
    return assignment


def write_assignment(assignment: Assignment, watch: Watch = lambda done, total: None) -> None:
    """Write the files of a planned assignment, train its reference once, and enter it in `course.toml`.

    watch: is told after each cell of the reference. What is written is taken back where anything fails.
    """
    with undo_on_failure(assignment):
        write_written(assignment)
        add_to_course(assignment)
        write_perfect(assignment, watch)
        write_test_submissions(assignment)
        for starter in assignment.starters:
            release(assignment, starter)


def refuse_slug(slug: str) -> None:
    """Raise CourseError for a name that could not be a file's, a function's and a column's all at once."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", slug) or len(slug) > 40:
        raise CourseError(
            f"{slug!r} won't do as a name: write small letters, digits and single underscores, as in word_order."
        )
    if slug in FOLDERS | PACKAGES | sys.stdlib_module_names or keyword.iskeyword(slug):
        raise CourseError(
            f"{slug} is the name of something else already (a folder or a package): take another."
        )


def refuse_title(title: str) -> None:
    """Raise CourseError for a title that would not stay on its line."""
    if not title.isprintable():
        raise CourseError(f"{title!r} won't do as a title: write it on one line, without control characters.")


def refuse_taken(course: Course, assignment: Assignment) -> None:
    """Raise CourseError where there is such an assignment, or a folder that one left behind."""
    if any(other.slug == assignment.slug for other in course.assignments):
        raise CourseError(f"There is an assignment named {assignment.slug} already: take another name.")
    for folder in folders(assignment):
        if folder.exists():
            raise CourseError(f"{folder} is there already: take another name, or remove that folder first.")


def folders(assignment: Assignment) -> tuple[Path, Path, Path]:
    """Return the three folders of an assignment; its data set has its name."""
    return assignment.folder, assignment.solution_folder, assignment.root / "datasets" / assignment.slug


@contextmanager
def undo_on_failure(assignment: Assignment) -> Iterator[None]:
    """Restore the course as it was if anything inside fails."""
    course_file = assignment.root / COURSE_FILE
    before = course_file.read_bytes()
    try:
        yield
    except BaseException:
        for folder in folders(assignment):
            shutil.rmtree(folder, ignore_errors=True)
        course_file.write_bytes(before)
        raise


def write_written(assignment: Assignment) -> None:
    """Return the files that an instructor writes: the reference, the rubric, the data set's datasheet and generator."""
    folder, solution_folder, dataset = folders(assignment)
    files = {
        assignment.reference: "reference.txt",
        assignment.rubric: "rubric.txt",
        dataset / "generate.py": "generate.txt",
        dataset / "README.md": "datasheet.txt",
    }
    for path, template in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, fill_template((TEMPLATES / template).read_text(encoding="utf-8"), assignment))
    runpy.run_path(str(dataset / "generate.py"), run_name="__main__")


def fill_template(template: str, assignment: Assignment) -> str:
    """Return a template with the assignment's name and title in their places."""
    return template.replace("SLUG", assignment.slug).replace("TITLE", assignment.title)


def add_to_course(assignment: Assignment) -> None:
    """Add the assignment at the end of `course.toml`; what stands there, comments too, is kept."""
    course_file = assignment.root / COURSE_FILE
    before = course_file.read_text(encoding="utf-8").rstrip("\n")
    title = json.dumps(assignment.title, ensure_ascii=False)  # which TOML reads alike
    entry = f'[[assignment]]\nslug = "{assignment.slug}"\ntitle = {title}\npoints = {assignment.points}\n'
    write_atomically(course_file, f"{before}\n\n{entry}")


def write_test_submissions(assignment: Assignment) -> None:
    """Beside the perfect test submission: one with a mistake in its function, and the known marks of the starter."""
    perfect, mistaken = assignment.test_submissions / "perfect", assignment.test_submissions / MISTAKE
    shutil.copytree(perfect, mistaken)
    source = assignment.reference.read_text(encoding="utf-8")
    for right, wrong in CHANGES.items():
        source = source.replace(right, wrong)
    write_notebook(mistaken / assignment.starter.name, *read_cells(source))
    write_atomically(mistaken / "expected.toml", KNOWN_MISTAKE)
    starter = assignment.starters[1].parent
    starter.mkdir()
    write_atomically(starter / "expected.toml", fill_template(KNOWN_STARTER, assignment))
