"""Doctor: what this machine has for the course, what is missing, and how to get it."""

import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from autograder.course import Course, CourseError
from autograder.devices import look
from autograder.grader import versions
from autograder.hidden import term_seed
from autograder.privacy import exposure, is_exposed
from autograder.sandbox import Isolation, probe

NAMESPACES = (
    "apt-get install bubblewrap; where the system forbids user namespaces (most containers, Ubuntu 24.04), "
    "Landlock and seccomp do without"
)
LANDLOCK = "pip install landlockpy, on Linux 5.13 or newer"
SECCOMP = "pip install pyseccomp; apt-get install libseccomp2"


@dataclass(frozen=True)
class Sign:
    """One thing looked at: well or not, what was seen, and what to do about it."""

    well: bool
    what: str
    advice: str = ""


def examine(course: Course) -> Iterator[Sign]:
    """Python, TensorFlow and its devices, the course, the secret seed, and what is run."""
    yield Sign(
        sys.version_info >= (3, 11), f"Python {versions()['python']}", "Python 3.11 or newer is needed."
    )
    yield from examine_tensorflow()
    yield Sign(True, f"course {course.title!r} in {course.root}, {len(course.assignments)} assignment(s)")
    yield examine_secret(course)
    yield from examine_isolation(probe())


def examine_tensorflow() -> Iterator[Sign]:
    """Whether TensorFlow starts, and what it can train on."""
    found = look()
    if found.trouble:
        yield Sign(False, f"TensorFlow does not start: {found.trouble}", "pip install -r requirements.txt")
        return
    yield Sign(True, f"TensorFlow {found.tensorflow}, Keras {found.keras}")
    gpus = ", ".join(found.gpus)
    yield Sign(
        True, f"GPU: {gpus}; --device gpu trains there" if gpus else "GPU: none; the CPU trains and predicts"
    )


def examine_secret(course: Course) -> Sign:
    """Whether marks rest on this term's secret, on the public demo seed, or wait for the TA."""
    solutions = course.root / "solutions"
    if not solutions.is_dir():
        return Sign(True, "solutions: not here (a student's copy); hidden items are deferred")
    seed = solutions / "secret_seed"
    try:
        if term_seed(course):
            return Sign(not is_exposed(seed), "secret seed: set for this term", exposure("the seed", seed))
    except CourseError as error:
        return Sign(False, f"secret seed: {error}")
    return Sign(
        False,
        "secret seed: not set, hidden data come from the public demo seed",
        f"run `autograder term`, which writes {seed}",
    )


def examine_isolation(found: Isolation) -> Iterator[Sign]:
    """Each layer that keeps student code from harm, and whether enough of them hold to run any."""
    if platform.system() != "Linux":
        advice = (
            "grade on Linux (a container or WSL2 will do), or pass --no-isolation to `grade` at your own risk"
        )
        yield Sign(
            False,
            f"isolation: none on {platform.system()}; models are graded, student code is not run",
            advice,
        )
        return
    yield Sign(found.namespaces, f"isolation: namespaces {_has(found.namespaces)}", NAMESPACES)
    yield Sign(found.landlock > 0, f"isolation: Landlock {_has(found.landlock)}", LANDLOCK)
    yield Sign(found.seccomp, f"isolation: seccomp {_has(found.seccomp)}", SECCOMP)
    verdict = "student code is run" if found.holds else "models are graded, student code is not run"
    yield Sign(
        found.holds, f"isolation: {verdict}", "mend a layer above: seccomp, and namespaces or Landlock"
    )


def _has(layer: int) -> str:
    return f"in force (version {layer})" if layer > 1 else "in force" if layer else "missing"
