"""The archive that makes a Gradescope autograder of an assignment: the engine, rubric and data, and the term's seed."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from autograder.authoring._student_bundle import ENGINE, public_course, to_toml
from autograder.core import COURSE_FILE, Assignment, Course, CourseError, write_atomically
from autograder.data import SEED_FILE, term_seed
from autograder.rubric import questions_path
from autograder.submissions import LITTER, zip_files

FOLDER = "gradescope"  # of the course: what Gradescope runs, from the archive's root
PROGRAMS = ("setup.sh", "run_autograder")
SLUG_FILE = "assignment"  # tells run_autograder which assignment it grades


def write_zip(course: Course, assignment: Assignment, path: Path) -> tuple[str, ...]:
    """Write the archive that is uploaded to Gradescope; return the names of its files.

    It holds the seed, so only its owner can read it, and git must ignore it. Equal files give equal bytes.

    Raises:
        CourseError: A file is missing, above all this term's seed, or git would take the archive for one to commit.
    """
    files = gradescope_files(course, assignment)
    if is_committable(path):
        advice = f"add {path.name} to .gitignore, or name a place outside the repository"
        raise CourseError(
            f"{path} would hold the secret seed in a git repository that does not ignore it: {advice}."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, zip_files(files, mode), private=True)
    return tuple(files)


def is_committable(path: Path) -> bool:
    """Return True if `path` lies in a git repository that does not ignore it, as far as git can tell."""
    folder = next(folder for folder in path.absolute().parents if folder.is_dir())
    if not any((parent / ".git").exists() for parent in (folder, *folder.parents)):
        return False
    command = ["git", "-C", str(folder), "check-ignore", "--quiet", str(path.absolute())]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode != 0
    except OSError:  # git is not installed
        return True


def mode(name: str) -> int:
    """Return a file's permissions: programs are run, the seed is read by its owner alone."""
    return 0o755 if name in PROGRAMS else 0o600 if name.endswith(SEED_FILE) else 0o644


def gradescope_files(course: Course, assignment: Assignment) -> dict[str, bytes]:
    """Return the content of each file of the archive, by its place there."""
    files = {
        COURSE_FILE: course_file(course, assignment).encode(),
        SLUG_FILE: f"{assignment.slug}\n".encode(),
    }
    for name, source in sources(course, assignment):
        if not source.is_file():
            raise CourseError(f"{source} is missing: Gradescope needs it.")
        files[name] = source.read_bytes()
    if not (seed := term_seed(course)):
        place = course.root / "solutions" / SEED_FILE
        raise CourseError(f"{place} is missing: `autograder term` draws the seed of the hidden data.")
    files[f"solutions/{SEED_FILE}"] = f"{seed}\n".encode()
    return files


def sources(course: Course, assignment: Assignment) -> Iterator[tuple[str, Path]]:
    """Each file that is copied as it stands: its place in the archive, and where it is."""
    yield from ((name, course.root / FOLDER / name) for name in PROGRAMS)
    yield "requirements.txt", course.root / "requirements.txt"
    yield f"assignments/{assignment.slug}/{assignment.rubric.name}", assignment.rubric
    if (questions := questions_path(assignment.folder)).is_file():
        yield f"solutions/{assignment.slug}/{questions.name}", questions
    for root, name in ((ENGINE, "autograder"), (course.root / "datasets", "datasets")):
        for file in sorted(root.rglob("*")):
            place = file.relative_to(root)
            if file.is_file() and not any(part in LITTER for part in place.parts):
                yield f"{name}/{place.as_posix()}", file


def course_file(course: Course, assignment: Assignment) -> str:
    """course.toml with this assignment and its extensions, without their reasons, which are nobody's business there.

    Late days are counted where all assignments are: `grade` of what Gradescope exports. Here they cost nothing.
    """
    written = public_course(course, [assignment])
    if course.late.policy == "late days":
        written.pop("late")
    written["extension"] = [
        {
            "student": extension.student,
            "assignment": extension.assignment,
            "due": extension.due,
            "why": "agreed",
        }
        for extension in course.extensions
        if extension.assignment == assignment.slug
    ]
    return to_toml(written)
