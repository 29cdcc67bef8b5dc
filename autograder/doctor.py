"""Doctor: what this machine has for the course, what is missing, and how to get it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from autograder.course import Course
from autograder.grading import versions

PROBE = """
import json, tensorflow, keras
print(json.dumps({"tensorflow": tensorflow.__version__, "keras": keras.__version__,
                  "gpus": [gpu.name for gpu in tensorflow.config.list_physical_devices("GPU")]}))
"""


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
    yield Sign(
        True, "isolation: no code of a student is run; models are read as data and rebuilt layer by layer"
    )


def examine_tensorflow() -> Iterator[Sign]:
    """TensorFlow is asked in a process of its own: a broken installation may crash whoever imports it."""
    probe = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True)
    if probe.returncode:
        reason = (probe.stderr.strip().splitlines() or [f"exit status {probe.returncode}"])[-1]
        yield Sign(False, f"TensorFlow does not start: {reason}", "pip install -r requirements.txt")
        return
    found = json.loads(probe.stdout.splitlines()[-1])
    yield Sign(True, f"TensorFlow {found['tensorflow']}, Keras {found['keras']}")
    gpus = ", ".join(found["gpus"])
    yield Sign(True, f"GPU: {gpus}" if gpus else "GPU: none; grading uses the CPU")


def examine_secret(course: Course) -> Sign:
    """Whether marks rest on this term's secret, on the public demo seed, or wait for the TA."""
    solutions = course.root / "solutions"
    if not solutions.is_dir():
        return Sign(True, "solutions: not here (a student's copy); hidden items are deferred")
    if (solutions / "secret_seed").is_file():
        return Sign(True, "secret seed: set for this term")
    return Sign(
        False,
        "secret seed: not set, hidden data come from the public demo seed",
        f'python -c "import secrets; print(secrets.token_hex(16))" > {solutions / "secret_seed"}',
    )
