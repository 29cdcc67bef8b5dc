"""What a child is shown: Python wherever it is installed, and neither the course nor submissions, results or data."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from toy import write

from autograder.sandbox import _visible_paths as visible
from autograder.sandbox import probe

ENGINE = Path(visible.__file__).parents[1]
SECRETS = (
    "course/course.toml", "course/solutions/secret_seed", "course/solutions/hello/hello.py",
    "course/assignments/hello/rubric.py", "course/class/bob/work.ipynb", "course/results/bob/report.json",
    "course/data/real.csv", "course/.ssh/id_ed25519", "course/notes.so.txt",
)  # fmt: skip
TRY = """
import sys
import autograder.core._errors, numpy, json, ssl, sqlite3
for path in sys.argv[1:]:
    try:
        print("read", path, open(path).read())
    except OSError:
        pass
"""
LANDLOCK = """
import sys
from pathlib import Path
from autograder.sandbox._isolation import restrict_files
from autograder.sandbox._visible_paths import visible_paths
restrict_files([], visible_paths(map(Path, PRIVATE)).paths, [])
"""
NAMESPACES = """
import os, sys
from pathlib import Path
from autograder.sandbox._isolation import bubblewrap
from autograder.sandbox._visible_paths import visible_paths
command = [*bubblewrap(visible_paths(map(Path, PRIVATE))), sys.executable, "-P", "-c", TRY, *sys.argv[1:]]
os.execvp(command[0], command)
"""


@pytest.fixture
def root(tmp_path):
    """Return a course with its engine, submissions, results, data and a home, all in one folder."""
    for name in SECRETS:
        write(tmp_path / name, f"secret of {name}")
    shutil.copytree(ENGINE, tmp_path / "course/autograder", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "course"


def environment_in(place: Path) -> Path:
    """Make a virtual environment at `place` with the packages of this one; return its Python."""
    command = [sys.executable, "-m", "venv", "--without-pip", place]
    subprocess.run(command, check=True)
    packages = place / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    packages.rmdir()
    packages.symlink_to(sysconfig.get_path("purelib"))
    return place / "bin/python"


def linked(root: Path) -> Path:
    environment_in(root.parent / "elsewhere/venv")
    (root / ".venv").symlink_to("../elsewhere/venv")
    return root / ".venv/bin/python"


def with_paths(root: Path) -> Path:
    """Return a virtual environment with its own packages and a .pth that names the course."""
    python = environment_in(root / ".venv")
    packages = python.parents[1] / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    packages.unlink()
    packages.mkdir()
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if package.name.startswith(("numpy", "landlockpy")):
            shutil.copytree(package, packages / package.name, symlinks=True)
    (packages / "course.pth").write_text(f"{root}\n")
    return python


def conda_like(root: Path) -> Path:
    (root / "conda-meta").mkdir()
    return environment_in(root)


LAYOUTS = {
    "made in the course's folder": environment_in,
    "in .venv": lambda root: environment_in(root / ".venv"),
    "in solutions": lambda root: environment_in(root / "solutions/.venv"),
    "among the submissions": lambda root: environment_in(root / "class/.venv"),
    "a link": linked,
    "with a .pth that names the course": with_paths,
    "conda's": conda_like,
    "the one that runs the tests": lambda root: Path(sys.executable),
}


@pytest.fixture(scope="module")
def layers():
    """Each layer of this machine that hides files; what one hides is shown by no other."""
    found = probe()
    if not (names := [name for name in ("namespaces", "landlock") if getattr(found, name)]):
        pytest.skip(f"nothing hides files here: {found}")
    return names


def read_by_child(layer: str, python: Path, root: Path, *more: str) -> str:
    """Return what a process with this layer alone can read of the secrets; fail if it can't use Python there."""
    private = [str(root), str(root / "class"), str(root / "results")]
    code = f"PRIVATE, TRY = {private!r}, {TRY!r}\n" + (
        NAMESPACES if layer == "namespaces" else LANDLOCK + TRY
    )
    known = os.environ | {"PYTHONPATH": str(root), "HOME": str(root), "AUTOGRADER_DATA": str(root / "data")}
    command = [python, "-P", "-c", code, *(str(root.parent / name) for name in SECRETS), *more]
    done = subprocess.run(command, env=known, capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_virtual_environment_shows_nothing_of_the_course(layout, layers, root):
    python, public = LAYOUTS[layout](root), root / "autograder/core/_errors.py"
    for layer in layers:
        shown = read_by_child(layer, python, root, str(public))
        assert public.read_text() in shown and "secret of" not in shown


def test_packages_of_the_user_are_found_in_a_home_that_is_private(layers, root):
    """`pip install --user`, and a Python whose prefix is the home folder itself."""
    python = environment_in(root)
    (root / "pyvenv.cfg").write_text(
        (root / "pyvenv.cfg").read_text().replace("site-packages = false", "site-packages = true")
    )
    packages = root / f".local/lib/python{sysconfig.get_python_version()}/site-packages"
    module = write(packages / "of_the_user.py", "mine = 1\n")
    for layer in layers:
        shown = read_by_child(layer, python, root, str(module))
        assert "mine = 1" in shown and "secret of" not in shown


def test_a_course_in_a_folder_of_the_system_is_left_out(monkeypatch, tmp_path):
    """An image with the course in /usr/src/app, say."""
    for name in (
        "bin/tool",
        "src/other/file",
        "src/app/course.toml",
        "share/data/real.csv",
        "share/fonts/font",
    ):
        write(tmp_path / "usr" / name, "")
    (tmp_path / "usr/src/link").symlink_to("app")
    monkeypatch.setattr(visible, "SYSTEM", (tmp_path / "usr",))
    monkeypatch.setenv("AUTOGRADER_DATA", str(tmp_path / "usr/share/data"))
    shown = visible.visible_paths([tmp_path / "usr/src/link"]).paths
    here = {str(path.relative_to(tmp_path)) for path in shown if path.is_relative_to(tmp_path)}
    assert here == {"usr/bin", "usr/src/other", "usr/share/fonts"}


def test_what_is_private_through_a_link_is_private(monkeypatch, tmp_path):
    write(tmp_path / "usr/share/solutions/secret_seed", "")
    write(tmp_path / "usr/bin/tool", "")
    (tmp_path / "solutions").symlink_to("usr/share/solutions")
    monkeypatch.setattr(visible, "SYSTEM", (tmp_path / "usr",))
    shown = visible.visible_paths([tmp_path / "solutions"]).paths
    assert not any((tmp_path / "usr/share/solutions").is_relative_to(path) for path in shown)
    assert tmp_path / "usr/bin" in shown


def test_a_circle_of_links_ends(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert len(list(visible.links_to(tmp_path / "a/python"))) == visible.MAX_LINKS
