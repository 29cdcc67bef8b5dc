"""Where the rooms of a course are: `course.toml`, and the folders that mirror each other name for name."""

import importlib.util
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType

COURSE_FILE = "course.toml"


class CourseError(Exception):
    """The course's own files, or a name that a person gave, are not as they should be."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback: the one line."""
        return [str(self)]


@dataclass(frozen=True)
class Assignment:
    """One assignment: its folder for students, and the same name behind the locked door of `solutions`."""

    slug: str
    title: str
    points: float
    root: Path  # of the course
    due: datetime | None = None  # with its offset from UTC

    @property
    def room(self) -> Path:
        return self.root / "assignments" / self.slug

    @property
    def rubric(self) -> Path:
        return self.room / "rubric.py"

    @property
    def starter(self) -> Path:
        return self.room / f"{self.slug}.ipynb"

    @property
    def locked_room(self) -> Path:
        return self.root / "solutions" / self.slug

    @property
    def reference(self) -> Path:
        return self.locked_room / f"{self.slug}.py"

    @property
    def specimens(self) -> Path:
        return self.locked_room / "specimens"

    @property
    def starters(self) -> tuple[Path, Path]:
        """Where the starter lies: for students, and as the submission of a student who did nothing."""
        return self.starter, self.specimens / "untouched_starter" / self.starter.name


@dataclass(frozen=True)
class Course:
    """A course on disk. `assignments` keeps the order of `course.toml`."""

    root: Path
    title: str
    assignments: tuple[Assignment, ...]
    bundle: str = ""  # the address of the archive that students fetch

    def assignment(self, slug: str) -> Assignment:
        """The assignment named `slug`; a CourseError that suggests the nearest name if there is none."""
        known = {assignment.slug: assignment for assignment in self.assignments}
        if slug in known:
            return known[slug]
        raise unknown("assignment", slug, known)


def find_course(start: Path) -> Course:
    """The course that `start` lies in, else the one that this package lies in (an editable install)."""
    for folder in (*_upwards(start), *_upwards(Path(__file__))):
        if (folder / COURSE_FILE).is_file():
            return read_course(folder)
    raise CourseError(f"No {COURSE_FILE} in {start} or above it: run this inside the course's folder.")


def unknown(what: str, name: str, known: Iterable[str]) -> CourseError:
    """There is no such `name` among those that are `known`; the nearest is suggested."""
    near = get_close_matches(name, known, n=1)
    advice = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known) or 'none'}."
    return CourseError(f"There is no {what} named {name!r}; {advice}")


def read_course(root: Path) -> Course:
    """The course whose `course.toml` lies in `root`."""
    try:
        text = tomllib.loads((root / COURSE_FILE).read_text(encoding="utf-8"))
        assignments = tuple(read_assignment(entry, root) for entry in text.get("assignment", []))
        return Course(root, text["title"], assignments, read_bundle(text.get("bundle", ""), root))
    except tomllib.TOMLDecodeError as error:
        raise CourseError(f"{root / COURSE_FILE} is not valid TOML: {error}.") from None
    except KeyError as error:
        raise CourseError(f"{root / COURSE_FILE} lacks {error}.") from None


def read_assignment(entry: dict, root: Path) -> Assignment:
    """One assignment of `course.toml`; its due date must say which offset from UTC its time has."""
    due = entry.get("due")
    if due is not None and not (isinstance(due, datetime) and due.tzinfo):
        example = "due = 2027-03-05T23:59:00+01:00"
        said = f"the due date of {entry['slug']} needs a date, a time and an offset, as in `{example}`"
        raise CourseError(f"{root / COURSE_FILE}: {said}; it is {str(due)!r}.")
    return Assignment(entry["slug"], entry["title"], entry["points"], root, due)


def read_bundle(address: object, root: Path) -> str:
    """The address of the students' archive in `course.toml`; empty where there is none."""
    if isinstance(address, str) and (
        not address or re.fullmatch(r"https?://[^\s\"'\\]+/[\w.-]+\.zip", address)
    ):
        return address
    example = 'bundle = "https://example.org/course.zip"'
    raise CourseError(
        f"{root / COURSE_FILE}: bundle is the address of a .zip, as in `{example}`; it is {address!r}."
    )


def load_module(path: Path) -> ModuleType:
    """The Python file at `path` as a module, found by path alone: its name is in nobody's way."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist")
    spec = importlib.util.spec_from_file_location(f"course_file_{path.parent.name}_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    # not by the loader, whose cache takes two versions of one length, saved within a second, for one
    exec(compile(path.read_bytes(), path, "exec", dont_inherit=True), vars(module))
    return module


def _upwards(path: Path) -> tuple[Path, ...]:
    path = path.resolve()
    return (path, *path.parents)
