"""Gradescope: the export of all submissions, and the folders in which its autograder finds one of them."""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import yaml

from autograder.course import CourseError
from autograder.failure import Failure, Undecided, plain
from autograder.handed_in import Origin
from autograder.platforms.dates import iso, moment
from autograder.platforms.export import Export, on_disk
from autograder.platforms.filling import Table
from autograder.platforms.people import Found, Upload, named
from autograder.spreadsheets import Sheet

METADATA = "submission_metadata.yml"
CONTAINER = "submission_metadata.json"
FOLDER = re.compile(r"submission_(?P<id>\d+)")
EARLIEST = datetime.min.replace(tzinfo=UTC)


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Reads YAML as plain data, also where Ruby wrote the name of a class before it."""


def untagged(loader: Loader, suffix: str, node: yaml.Node) -> object:
    """What a node holds, whatever Ruby says that it is."""
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


Loader.add_multi_constructor("!ruby/", untagged)


def recognises(export: Export) -> bool:
    """Whether the metadata of an export lie at its top."""
    return METADATA in export.names


def read(export: Export) -> Found:
    """One submission for each submitter, of several the latest; the members of a group share one."""
    told = metadata(export)
    folders = {
        top: match["id"] for top in export.tops if (match := FOLDER.fullmatch(top)) and top in export.folders
    }
    left_out = {
        name: "in no submission's folder" for name in export.names if name.partition("/")[0] not in folders
    }
    left_out.pop(METADATA)
    handed_in = [
        (top, person, time) for top in folders for person, time in submitters(told.get(top), folders[top])
    ]
    latest: dict[str, tuple[datetime, str]] = {}
    for top, person, time in handed_in:
        latest[who(person)] = max(latest.get(who(person), (EARLIEST, "")), (time, top))
    kept = [(top, person) for top, person, _ in handed_in if latest[who(person)][1] == top]
    earlier = set(folders) - {top for top, _ in kept}
    left_out |= {
        name: "an earlier submission of the same student"
        for top in earlier
        for name in export.tops[top].values()
    }
    return Found("gradescope", [upload(export, top, person) for top, person in kept], left_out)


def upload(export: Export, top: str, person: Origin) -> Upload:
    """The folder of a submission as one submitter's."""
    return Upload(person, export.tops[top], named(person.name or "submission", person.login or person.id))


def metadata(export: Export) -> dict:
    """What Gradescope tells about the submissions, by folder. Raises CourseError if it can't be read."""
    try:
        told = yaml.load(export.read(METADATA), Loader)  # noqa: S506, a safe loader
    except (yaml.YAMLError, Failure, Undecided, ValueError, RecursionError) as error:
        said = plain(str(error), 100)
        raise CourseError(
            f"{export.path}: {METADATA} can't be read ({said}): download the export again."
        ) from None
    return told if isinstance(told, dict) else {}


def submitters(told: object, id: str) -> list[tuple[Origin, datetime]]:
    """Who handed in a submission, and when; somebody without a name where Gradescope does not tell."""
    told = told if isinstance(told, dict) else {}
    time = created(told.get(":created_at"))
    when = iso(time) if time != EARLIEST else ""
    listed = told.get(":submitters")
    persons = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return [(person(one, id, when, mark=":"), time) for one in persons or [{}]]


def person(told: dict, id: str, when: str, mark: str = "") -> Origin:
    """One submitter; `mark` is what the names of the fields begin with."""
    name, login, email = (plain(str(told.get(f"{mark}{field}") or "")) for field in ("name", "sid", "email"))
    return Origin("gradescope", id, name, login, email, f"submission_{id}/", when)


def who(person: Origin) -> str:
    """What stands for a person, among all submitters."""
    return (person.email or person.login or person.name or person.id).casefold()


def created(value: object) -> datetime:
    """A time of the metadata, in UTC unless it says otherwise."""
    if isinstance(value, str):
        text = moment(value, UTC)
        value = datetime.fromisoformat(text) if text else None
    if not isinstance(value, datetime):
        return EARLIEST
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def is_container(path: Path) -> bool:
    """Whether `path` is the folder in which Gradescope's autograder runs."""
    return (path / CONTAINER).is_file() and (path / "submission").is_dir()


def read_container(path: Path) -> tuple[Export, Found]:
    """The one submission that Gradescope's autograder was started for. Raises CourseError without its metadata."""
    told = container_metadata(path / CONTAINER)
    id, time = plain(str(told.get("id", ""))), created(told.get("created_at"))
    users = told.get("users")
    when = iso(time) if time != EARLIEST else ""
    persons = (
        [person(one, id, when) for one in users if isinstance(one, dict)] if isinstance(users, list) else []
    )
    first, *others = persons or [Origin("gradescope", id, submitted=when)]
    export = on_disk(path / "submission", links=False)  # which the student may have laid
    key = named(first.name or first.email.partition("@")[0] or "submission", first.id)
    files = {name: name for name in export.names}
    return export, Found("gradescope", [Upload(first, files, key, tuple(names_of(others)))])


def names_of(persons: Iterable[Origin]) -> Iterable[str]:
    """Texts that name the other members of a group."""
    for one in persons:
        yield from (one.name, one.login, one.email.partition("@")[0])


def container_metadata(path: Path) -> dict:
    """What Gradescope tells its autograder about a submission."""
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise CourseError(f"{path} can't be read ({plain(str(error), 100)}).") from None
    return told if isinstance(told, dict) else {}


def people(sheet: Sheet, zone: tzinfo | None = None) -> list[Origin] | None:
    """Who is in a roster or in an assignment's grades; none if it is another table."""
    table = Table(sheet)
    if not {"sid", "email"} <= set(table.header):
        return None
    found = []
    for row in table.rows:
        parts = (table.text(row, title) for title in ("name", "first name", "last name"))
        name, login, email = " ".join(filter(None, parts)), table.text(row, "sid"), table.text(row, "email")
        time = moment(table.text(row, "submission time"), zone)
        id = table.text(row, "submission id")
        found.append(Origin("gradescope", id, plain(name), plain(login), plain(email), submitted=time))
    return [one for one in found if one.name or one.email]
