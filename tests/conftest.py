"""A toy course that knows nothing of networks: the engine is tested on it, as it must serve any course."""

from pathlib import Path

import hypothesis
import pytest
from toy import GENERATOR, REFERENCE, RUBRIC, write

from autograder.course import Course, read_course
from autograder.sandbox import Sandbox, probe

hypothesis.settings.register_profile("course", deadline=None)  # a busy machine is no fault of the code's
hypothesis.settings.load_profile("course")


@pytest.fixture(scope="session")
def sandbox():
    """The sandbox of this machine; its server starts with the first call."""
    with Sandbox(probe()) as sandbox:
        yield sandbox


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course of one assignment, `hello`: 10 points, one plain item and one that needs hidden data."""
    root = tmp_path / "course"
    write(
        root / "course.toml", 'title = "Toy"\n[[assignment]]\nslug = "hello"\ntitle = "Hello"\npoints = 10\n'
    )
    write(root / "assignments/hello/rubric.py", RUBRIC)
    write(root / "datasets/numbers/generate.py", GENERATOR)
    write(root / "solutions/hello/hello.py", REFERENCE)
    return read_course(root)


@pytest.fixture
def hand_in(tmp_path: Path):
    """Writes a submission folder: `hand_in("ann", **{"greeting.txt": "hello"})` gives the folder of the class."""
    folder = tmp_path / "class"

    def write_files(student: str, **files: str) -> Path:
        (folder / student).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            write(folder / student / name, text)
        return folder

    return write_files
