"""What a child is shown of the file system: the parts of Python that it needs, and nothing that is private.

A prefix of Python is never shown as a whole: it may be a virtual environment made in a course's own folder, or a
home folder. bubblewrap binds what `visible_paths` returns, and Landlock allows it; each layer alone hides the rest.
"""

import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/nix/store", "/etc/ld.so.cache")
PACKAGE = Path(__file__).parents[1]
MAX_LINKS = 40  # on the way to one file, as many as Linux follows


@dataclass(frozen=True)
class VisiblePaths:
    """The real paths that can be read, none of them within another, and the symbolic links that lead to them."""

    paths: tuple[Path, ...]
    links: dict[Path, str]


def visible_paths(private: Iterable[Path] = ()) -> VisiblePaths:
    """Return what student code may read: Python, the engine, and nothing that is or holds something private.

    A folder that holds something private is replaced by the other entries in it. A part of Python may itself lie in
    a private folder, as a virtual environment in a course does.

    Args:
        private: What this run keeps from students, beside what always is private: the course, submissions, results.
    """
    parts = [*python_parts(), PACKAGE]
    hidden = {Path(os.path.realpath(path)) for path in [*private, *always_private()]} - {Path("/")}
    paths = {entry for part in parts for entry in exclude_paths(Path(os.path.realpath(part)), hidden)}
    paths = {path for path in paths if not paths.intersection(path.parents)}
    links = {
        link: target
        for part in parts
        for link, target in links_to(part)
        if not paths.intersection([link, *link.parents])
    }
    return VisiblePaths(tuple(sorted(paths)), links)


def python_parts() -> list[Path]:
    """Return what Python and its libraries are read from: standard library, packages, shared libraries, program."""
    bases = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}
    kinds = ("stdlib", "platstdlib", "purelib", "platlib")
    parts: list[str | Path] = [*SYSTEM, sys.executable, *(sysconfig.get_path(kind) for kind in kinds)]
    parts += [sysconfig.get_path(kind, vars=bases) for kind in kinds]
    for prefix in {sys.base_prefix, sys.base_exec_prefix, sys.prefix, sys.exec_prefix}:
        library = Path(prefix, "lib")
        parts += [Path(prefix, "pyvenv.cfg"), *library.glob("python*.zip"), *library.glob("*.so*")]
        parts += [library] if Path(prefix, "conda-meta").is_dir() else []
    if site.ENABLE_USER_SITE:
        parts.append(site.getusersitepackages())
    return sorted({Path(part) for part in parts if part and os.path.lexists(part)})


def always_private() -> list[Path]:
    """Return what is private in every run: the home folder, fetched data, and the course that the engine lies in."""
    data, course = os.environ.get("AUTOGRADER_DATA"), PACKAGE.parent
    names = ["~", *([data] if data else [])]
    return [
        *map(Path, map(os.path.expanduser, names)),
        *([course] if (course / "course.toml").is_file() else []),
    ]


def exclude_paths(path: Path, private: set[Path]) -> Iterator[Path]:
    """Yield `path`, or those entries of it that neither are private nor hold anything private."""
    if path in private:
        return
    if not any(path in folder.parents for folder in private):
        yield path
        return
    for entry in path.iterdir():
        if not entry.is_symlink():
            yield from exclude_paths(entry, private)


def links_to(path: Path) -> Iterator[tuple[Path, str]]:
    """Yield the symbolic links on the way from the root to the real file of `path`, each with its target."""
    place, rest = Path("/"), list(Path(os.path.abspath(path)).parts[1:])
    for _ in range(MAX_LINKS):
        while rest and not place.is_symlink():
            name = rest.pop(0)
            place = place.parent if name == ".." else place / name
        if not place.is_symlink():
            return
        target = os.readlink(place)
        yield place, target
        rest = [*Path(target).parts, *rest]
        place = place.parent
        if rest[0] == "/":
            place, rest = Path("/"), rest[1:]
