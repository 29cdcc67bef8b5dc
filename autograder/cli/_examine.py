"""Doctor: what this machine has for the course, what is missing, and how to get it."""

import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autograder.core import COURSE_FILE, Course, CourseError, exposure_warning, is_exposed, probe_tensorflow
from autograder.data import open_cache, term_seed
from autograder.grading import read_package_versions
from autograder.sandbox import Isolation, Sandbox, SandboxError, count_missing, probe

NAMESPACES = (
    "apt-get install bubblewrap; where the system forbids user namespaces (most containers, Ubuntu 24.04), "
    "Landlock and seccomp do without"
)
LANDLOCK = "pip install landlockpy, on Linux 5.13 or newer"
SECCOMP = "pip install pyseccomp; apt-get install libseccomp2"
FIX = """
def readable(paths):
    found = [1]
    for path in paths.split(chr(10)):
        try:
            open(path).close()
            found.append(1)
        except OSError:
            found.append(0)
    return found
"""


MAX_NOTEBOOKS, MAX_BYTES = 5_000, 32 * 2**20  # that are looked into for packages


@dataclass(frozen=True)
class Finding:
    """The result of one check: whether all is well, what was seen, and how to fix it."""

    well: bool
    what: str
    advice: str = ""


def examine(course: Course, submissions: Path | None = None) -> Iterator[Finding]:
    """Yield findings on Python, TensorFlow, the course, the secret seed, isolation and packages of submissions."""
    yield Finding(
        sys.version_info >= (3, 11),
        f"Python {read_package_versions()['python']}",
        "Python 3.11 or newer is needed.",
    )
    yield from examine_tensorflow()
    yield Finding(True, f"course {course.title!r} in {course.root}, {len(course.assignments)} assignment(s)")
    yield examine_secret(course)
    if line := open_cache(course):
        yield Finding(False, "fetched data: open to all", line)
    isolation = probe()
    yield from examine_isolation(isolation)
    if isolation.holds:
        yield examine_child(course, isolation)
    if submissions:
        yield from examine_packages(submissions)


def examine_tensorflow() -> Iterator[Finding]:
    """Yield whether TensorFlow starts, and which devices it can train on."""
    found = probe_tensorflow()
    if found.trouble:
        yield Finding(False, f"TensorFlow does not start: {found.trouble}", "pip install -r requirements.txt")
        return
    yield Finding(True, f"TensorFlow {found.tensorflow}, Keras {found.keras}")
    gpus = ", ".join(found.gpus)
    yield Finding(
        True, f"GPU: {gpus}; --device gpu trains there" if gpus else "GPU: none; the CPU trains and predicts"
    )


def examine_secret(course: Course) -> Finding:
    """Return where hidden data come from: this term's secret, the public demo seed, or nowhere yet."""
    solutions = course.root / "solutions"
    if not solutions.is_dir():
        return Finding(True, "solutions: not here (a student's copy); hidden items are deferred")
    seed = solutions / "secret_seed"
    try:
        if term_seed(course):
            return Finding(
                not is_exposed(seed), "secret seed: set for this term", exposure_warning("the seed", seed)
            )
    except CourseError as error:
        return Finding(False, f"secret seed: {error}")
    return Finding(
        False,
        "secret seed: not set, hidden data come from the public demo seed",
        f"run `autograder term`, which writes {seed}",
    )


def examine_packages(submissions: Path) -> Iterator[Finding]:
    """Yield each package that notebooks in this folder import and this machine lacks."""
    notebooks = sorted(
        path for kind in ("*.ipynb", "*.py") for path in submissions.rglob(kind) if path.is_file()
    )
    small = (path for path in notebooks[:MAX_NOTEBOOKS] if path.stat().st_size <= MAX_BYTES)
    counts = count_missing((path.read_bytes(), path.name) for path in small)
    for package, count in counts.items():
        what = f"package {package}: missing, {count} notebook(s) import it"
        yield Finding(
            False, what, f"pip install {package} (or what it is called there), in the environment that grades"
        )
    if not counts:
        yield Finding(True, f"packages: all that {len(notebooks)} notebook(s) import are here")


def examine_isolation(found: Isolation) -> Iterator[Finding]:
    """Yield each layer of isolation, and whether enough of them hold to run student code."""
    if platform.system() != "Linux":
        advice = (
            "grade on Linux (a container or WSL2 will do), or pass --no-isolation to `grade` at your own risk"
        )
        yield Finding(
            False,
            f"isolation: none on {platform.system()}; models are graded, student code is not run",
            advice,
        )
        return
    yield Finding(found.namespaces, f"isolation: namespaces {_has(found.namespaces)}", NAMESPACES)
    yield Finding(found.landlock > 0, f"isolation: Landlock {_has(found.landlock)}", LANDLOCK)
    yield Finding(found.seccomp, f"isolation: seccomp {_has(found.seccomp)}", SECCOMP)
    verdict = "student code is run" if found.holds else "models are graded, student code is not run"
    yield Finding(
        found.holds, f"isolation: {verdict}", "fix a layer above: seccomp, and namespaces or Landlock"
    )


def examine_child(course: Course, isolation: Isolation) -> Finding:
    """Run a child as for student code; return whether it can open any file that it must not."""
    private = (course.root, course.root / "solutions")
    paths = [str(path.resolve()) for path in private_files(course)]
    try:
        with Sandbox(isolation, private=private) as sandbox:
            answer = sandbox.call(FIX.encode(), "doctor.py", "readable", ["\n".join(paths)])
    except SandboxError as error:
        return Finding(
            False, f"isolation: {error}", "run `autograder doctor` in another environment of Python"
        )
    if answer.failure:
        return Finding(False, f"isolation: a child does not run: {answer.failure}", "report this as a bug")
    readable = np.asarray(answer.value)[1:]
    seen = [path for path, is_readable in zip(paths, readable, strict=True) if is_readable]
    if seen:
        advice = "do not grade here; make a virtual environment outside the course, and report this as a bug"
        return Finding(False, f"isolation: student code can read {seen[0]}, and {len(seen) - 1} more", advice)
    return Finding(True, f"isolation: student code was let try {len(paths)} private files, and can read none")


def private_files(course: Course) -> list[Path]:
    """Return files that no student code may read: rubrics, solutions, the seed, submissions, results."""
    solutions, results = course.root / "solutions", Path("results").absolute()
    files = [course.root / COURSE_FILE, *sorted(solutions.glob("secret_seed*"))]
    files += [
        path
        for assignment in course.assignments
        for path in (assignment.rubric, assignment.reference, assignment.starter)
    ]
    files += [
        file
        for assignment in course.assignments
        for file in sorted(assignment.test_submissions.glob("*/*"))[:2]
    ]
    files += [*sorted(results.glob("*/grades.csv")), *sorted(results.glob("*/*/report.json"))[:2]]
    return [path for path in dict.fromkeys(files) if path.is_file()]


def _has(layer: int) -> str:
    return f"in force (version {layer})" if layer > 1 else "in force" if layer else "missing"
