"""A toy course that knows nothing of networks: the engine is tested on it, as it must serve any course."""

from pathlib import Path

import hypothesis
import pytest
from toy import GENERATOR, REFERENCE, RUBRIC, write

from autograder.core import Course, read_course
from autograder.data import fetch
from autograder.sandbox import Sandbox, probe

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"  # real files; no part of this project

hypothesis.settings.register_profile("course", deadline=None)  # a busy machine is no fault of the code's
hypothesis.settings.load_profile("course")


@pytest.fixture(scope="session", autouse=True)
def nothing_fetched(tmp_path_factory):
    """No test depends on what this machine has fetched; those that need real data ask for `real_data`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOGRADER_DATA", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def sandbox():
    """Return the sandbox of this machine; its server starts with the first call."""
    with Sandbox(probe()) as sandbox:
        yield sandbox


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """Return a course of one assignment, `hello`: 10 points, one plain item and one that needs hidden data."""
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
    """Write a submission folder: `hand_in("ann", **{"greeting.txt": "hello"})` gives the folder of the class."""
    folder = tmp_path / "class"

    def write_files(student: str, **files: str) -> Path:
        (folder / student).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            write(folder / student / name, text)
        return folder

    return write_files


@pytest.fixture(scope="session")
def taken_over(tmp_path_factory) -> Path:
    """Return a cache into which the real files were taken that lie beside this project; skips where there are none."""
    if not SHARED.is_dir():
        pytest.skip("no real data beside this project")
    folder = tmp_path_factory.mktemp("real")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOGRADER_DATA", str(folder))
        for name in ("promoters", "splice", "sst2"):
            files = [path for path in (SHARED / name).iterdir() if path.suffix != ".md"]
            list(fetch(ROOT / "datasets" / name, files))
    return folder


@pytest.fixture
def real_data(taken_over: Path, monkeypatch) -> Path:
    """Return the same, as the cache of this test: promoters, splice and sst2 are fetched."""
    monkeypatch.setenv("AUTOGRADER_DATA", str(taken_over))
    return taken_over
