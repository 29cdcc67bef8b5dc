"""The course: what `course.toml` says, and where the files of each assignment are."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

COURSE_FILE = "course.toml"
TABLES = {"title", "bundle", "timezone", "assignment", "late", "extension"}
ASSIGNMENT_KEYS = ("slug", "title", "points", "due")
POLICIES = {  # of late work: the rules that each needs, and those that it may have
    "none": (set(), set()),
    "constant": ({"penalty"}, {"grace_minutes", "most_days"}),
    "percentage": ({"penalty"}, {"grace_minutes", "most_days"}),
    "late days": ({"days"}, {"penalty", "grace_minutes", "most_days"}),
}
MAX_POINTS = 10_000  # of an assignment, and of a penalty


class CourseError(Exception):
    """The course's own files, or a name that a person gave, are not as they should be."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in place of a traceback: the one line."""
        return [str(self)]


@dataclass(frozen=True)
class Assignment:
    """One assignment, whose folders in `assignments` and in `solutions` have its name."""

    slug: str
    title: str
    points: float
    root: Path  # of the course
    due: datetime | None = None  # in the course's time zone, or with an offset from UTC

    @property
    def private(self) -> tuple[Path, ...]:
        """The folders that no student code may be shown: the course, and its solutions if they lie elsewhere."""
        return self.root, self.root / "solutions"

    @property
    def folder(self) -> Path:
        return self.root / "assignments" / self.slug

    @property
    def rubric(self) -> Path:
        return self.folder / "rubric.py"

    @property
    def starter(self) -> Path:
        return self.folder / f"{self.slug}.ipynb"

    @property
    def solution_folder(self) -> Path:
        return self.root / "solutions" / self.slug

    @property
    def reference(self) -> Path:
        return self.solution_folder / f"{self.slug}.py"

    @property
    def test_submissions(self) -> Path:
        return self.solution_folder / "test_submissions"

    @property
    def starters(self) -> tuple[Path, Path]:
        """Where the starter lies: for students, and as the submission of a student who did nothing."""
        return self.starter, self.test_submissions / "untouched_starter" / self.starter.name


@dataclass(frozen=True)
class Late:
    """What being late costs.

    penalty: under "constant" points, however late; under "percentage" percent of the assignment's points for each
    day begun; under "late days" the same for each day beyond the budget. days: that budget, for each student over
    the whole course. most_days: after so many days nothing counts.
    """

    policy: str = "none"
    penalty: float = 0
    grace_minutes: float = 0
    days: int = 0
    most_days: int | None = None


@dataclass(frozen=True)
class Extension:
    """A later due date of one student for one assignment; `student` as a person wrote it."""

    student: str
    assignment: str
    due: datetime
    why: str


@dataclass(frozen=True)
class Course:
    """A course on disk. `assignments` keeps the order of `course.toml`."""

    root: Path
    title: str
    assignments: tuple[Assignment, ...]
    bundle: str = ""  # the address of the archive that students fetch
    late: Late = Late()
    extensions: tuple[Extension, ...] = ()
    timezone: ZoneInfo | None = None

    def assignment(self, slug: str) -> Assignment:
        """Return the assignment named `slug`; a CourseError that suggests the nearest name if there is none."""
        known = {assignment.slug: assignment for assignment in self.assignments}
        if slug in known:
            return known[slug]
        raise unknown_name("assignment", slug, known)


def find_course(start: Path) -> Course:
    """Return the course that `start` lies in, else the one that this package lies in (an editable install)."""
    for folder in (*_upwards(start), *_upwards(Path(__file__))):
        if (folder / COURSE_FILE).is_file():
            return read_course(folder)
    raise CourseError(f"No {COURSE_FILE} in {start} or above it: run this inside the course's folder.")


def unknown_name(what: str, name: str, known: Iterable[str]) -> CourseError:
    """There is no such `name` among those that are `known`; the nearest is suggested."""
    near = get_close_matches(name, known, n=1)
    advice = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known) or 'none'}."
    return CourseError(f"There is no {what} named {name!r}; {advice}")


def read_course(root: Path) -> Course:
    """Return the course whose `course.toml` lies in `root`."""
    try:
        text = tomllib.loads((root / COURSE_FILE).read_text(encoding="utf-8"))
        for name in set(text) - TABLES:  # a misspelt [[extension]] would cost a student points
            raise CourseError(f"{root / COURSE_FILE}: {unknown_name('entry', name, sorted(TABLES))}")
        zone = read_timezone(text.get("timezone"), root)
        assignments = tuple(
            read_assignment(entry, root, zone) for entry in require_tables(text, "assignment", root)
        )
        slugs = [assignment.slug for assignment in assignments]
        if twice := sorted({slug for slug in slugs if slugs.count(slug) > 1}):
            raise CourseError(
                f"{root / COURSE_FILE}: there are two assignments named {twice[0]}; rename one."
            )
        if not isinstance(text["title"], str) or not text["title"].strip():
            raise CourseError(f"{root / COURSE_FILE}: title is {text['title']!r}, expected a text.")
        late, extensions = read_late(text.get("late", {}), root), text.get("extension", [])
        bundle = read_bundle(text.get("bundle", ""), root)
        course = Course(root, text["title"], assignments, bundle, late, timezone=zone)
        return replace(course, extensions=read_extensions(extensions, course))
    except tomllib.TOMLDecodeError as error:
        raise CourseError(f"{root / COURSE_FILE} is not valid TOML: {error}.") from None
    except UnicodeDecodeError:
        raise CourseError(f"{root / COURSE_FILE} is not in UTF-8: save it in that encoding.") from None
    except KeyError as error:
        raise CourseError(f"{root / COURSE_FILE} lacks {error}.") from None


def require_tables(text: dict, name: str, root: Path) -> list[dict]:
    """Return the tables under lines `[[name]]`."""
    entries = text.get(name, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise CourseError(
            f"{root / COURSE_FILE}: [[{name}]] is a list of tables, each under a line `[[{name}]]`."
        )
    return entries


def read_assignment(entry: dict, root: Path, zone: ZoneInfo | None = None) -> Assignment:
    """Return one assignment of `course.toml`; a due date without an offset from UTC is of the course's time zone."""
    for name in entry:
        if name not in ASSIGNMENT_KEYS:  # a misspelt due date would be no due date
            place = f"{root / COURSE_FILE}: [[assignment]] {entry.get('slug', '')}".rstrip()
            raise CourseError(f"{place}: {unknown_name('entry', name, ASSIGNMENT_KEYS)}")
    slug, title, points = entry["slug"], entry["title"], entry["points"]
    place = f"{root / COURSE_FILE}: [[assignment]] {slug}"
    if not isinstance(slug, str) or not re.fullmatch(r"\w+", slug):
        raise CourseError(f"{place}: slug is {slug!r}, expected a word of letters, digits and underscores.")
    if not isinstance(title, str) or not title.strip():
        raise CourseError(f"{place}: title is {title!r}, expected a text.")
    require_number(entry, "points", MAX_POINTS, place)
    if not points:
        raise CourseError(f"{place}: points is {points!r}, expected a number above 0.")
    due = entry.get("due")
    if due is not None:
        due = read_due(due, f"the due date of {slug}", root, zone)
    return Assignment(slug, title, points, root, due)


def read_due(due: object, what: str, root: Path, zone: ZoneInfo | None) -> datetime:
    """Return a date with a time and an offset from UTC, its own or the zone's. Raises CourseError for another."""
    if not isinstance(due, datetime) or not (due.tzinfo or zone):
        example = "due = 2027-03-05T23:59:00+01:00"
        advice = 'or leave out the offset and name the course\'s zone, as in `timezone = "Europe/Berlin"`'
        problem = f"{what} needs a date, a time and an offset, as in `{example}`, {advice}"
        raise CourseError(f"{root / COURSE_FILE}: {problem}; it is {str(due)!r}.")
    if due.tzinfo or zone is None:
        return due
    local = due.replace(tzinfo=zone)
    if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != due:
        problem = f"{what} is {due}, a time that does not exist in {zone.key}: the clocks go forward over it"
        raise CourseError(f"{root / COURSE_FILE}: {problem}.")
    return local


def read_timezone(name: object, root: Path) -> ZoneInfo | None:
    """Return the course's time zone; None where `course.toml` names none. Raises CourseError with the nearest names."""
    if name is None:
        return None
    try:
        if isinstance(name, str) and name:
            return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        pass
    place, known = f"{root / COURSE_FILE}: timezone", sorted(available_timezones())
    if not known:
        raise CourseError(f"{place} is {name!r}, but this machine has no time zones: `pip install tzdata`.")
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in reversed(known)}
    near = get_close_matches(str(name), known, n=3)
    if city := get_close_matches(str(name).rpartition("/")[2].casefold(), cities, n=1, cutoff=0.75):
        near = [cities[city[0]], *(zone for zone in near if zone != cities[city[0]])]
    example = f"did you mean {', '.join(near[:3])}?" if near else 'expected one such as "Europe/Berlin".'
    raise CourseError(f"{place}: There is no time zone named {name!r}; {example}")


def read_late(table: object, root: Path) -> Late:
    """Return the rules of late work in `course.toml`; none where there is no such table."""
    place = f"{root / COURSE_FILE}: [late]"
    if not isinstance(table, dict):
        raise CourseError(f'{place} is a table: a line `[late]`, and below it `policy = "none"`.')
    policy = table.get("policy", "none")
    if not isinstance(policy, str) or policy not in POLICIES:
        raise CourseError(f"{place} policy is {policy!r}, expected one of: {', '.join(POLICIES)}.")
    needed, allowed = POLICIES[policy]
    for name in table:
        if name not in (known := [field.name for field in fields(Late)]):
            raise CourseError(f"{place}: {unknown_name('rule', name, known)}")
        if name not in {"policy"} | needed | allowed:
            raise CourseError(f"{place} {name} means nothing under the policy {policy!r}: take it out.")
    for name in sorted(needed - set(table)):
        raise CourseError(f"{place} lacks {name}, which the policy {policy!r} needs.")
    require_number(table, "penalty", MAX_POINTS if policy == "constant" else 100, place)
    require_number(table, "grace_minutes", 24 * 60, place)
    require_number(table, "days", 365, place, whole=True)
    require_number(table, "most_days", 365, place, whole=True)
    rules: dict[str, Any] = {"penalty": 100} if policy == "late days" else {}
    return Late(**rules | table)


def require_number(table: dict, name: str, most: float, place: str, whole: bool = False) -> None:
    """Raise CourseError unless the table has no such rule, or a number from 0 to `most` for it."""
    value, kinds = table.get(name, 0), int if whole else int | float
    if type(value) is bool or not isinstance(value, kinds) or not 0 <= value <= most:
        kind = "whole number" if whole else "number"
        raise CourseError(f"{place} {name} is {value!r}, expected a {kind} from 0 to {most:g}.")


def read_extensions(entries: object, course: Course) -> tuple[Extension, ...]:
    """Return the extensions in `course.toml`; one for each student and assignment."""
    place = f"{course.root / COURSE_FILE}: [[extension]]"
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise CourseError(f"{place} is a list of tables, each under a line `[[extension]]`.")
    found = {}
    for entry in entries:
        extension = read_extension(entry, course, place)
        key = extension.student.casefold(), extension.assignment
        if key in found:
            raise CourseError(f"{place}: two for {extension.student!r} in {extension.assignment}; leave one.")
        found[key] = extension
    return tuple(found.values())


def read_extension(entry: dict, course: Course, place: str) -> Extension:
    """One extension; its due date is later than the assignment's."""
    known = [field.name for field in fields(Extension)]
    for name in entry:
        if name not in known:
            raise CourseError(f"{place}: {unknown_name('entry', name, known)}")
    for name in ("student", "assignment", "why"):
        if not isinstance(entry.get(name), str) or not entry[name].strip():
            raise CourseError(f"{place} {name} is {entry.get(name)!r}, expected a text.")
    where = f"{place} of {entry['student']!r}"
    try:
        assignment = course.assignment(entry["assignment"])
    except CourseError as error:
        raise CourseError(f"{where}: {error}") from None
    due = read_due(entry.get("due"), f"the extension of {entry['student']!r}", course.root, course.timezone)
    if assignment.due is None or due.astimezone(UTC) <= assignment.due.astimezone(UTC):
        raise CourseError(f"{where}: due {due}, expected later than {assignment.slug}'s ({assignment.due}).")
    return Extension(**entry | {"due": due})


def read_bundle(address: object, root: Path) -> str:
    """Return the address of the students' archive in `course.toml`; empty where there is none."""
    if isinstance(address, str) and (
        not address or re.fullmatch(r"https?://[^\s\"'\\]+/[\w.-]+\.zip", address)
    ):
        return address
    example = 'bundle = "https://example.org/course.zip"'
    raise CourseError(
        f"{root / COURSE_FILE}: bundle is the address of a .zip, as in `{example}`; it is {address!r}."
    )


def load_module(path: Path) -> ModuleType:
    """Return the Python file at `path` as a module, found by path alone: its name is in nobody's way."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist")
    module = ModuleType(f"course_file_{path.parent.name}_{path.stem}")
    module.__file__ = str(path)
    # not by an import loader, whose cache takes two versions of one length, saved within a second, for the same
    exec(compile(path.read_bytes(), path, "exec", dont_inherit=True), vars(module))
    return module


def _upwards(path: Path) -> tuple[Path, ...]:
    path = path.resolve()
    return (path, *path.parents)
