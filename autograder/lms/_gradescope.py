"""Gradescope: the export of all submissions, and the folders in which its autograder finds one of them."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import yaml

from autograder.core import CourseError, Failure, NeedsReview, Sheet, sanitize, split_tokens
from autograder.lms._dates import iso, parse_time
from autograder.lms._export import Export, open_folder_export
from autograder.lms._gradebook import Table
from autograder.lms._matching import Claims, Upload, by_name
from autograder.submissions import Submitter

METADATA = "submission_metadata.yml"
CONTAINER = "submission_metadata.json"
FOLDER = re.compile(r"submission_(?P<id>\d+)")
EARLIEST = datetime.min.replace(tzinfo=UTC)


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # of two classes, by machine
    """Reads YAML as plain data, also where Ruby wrote the name of a class before it; notes `repeated` keys."""

    def __init__(self, stream: bytes):
        super().__init__(stream)
        self.repeated: set[str] = set()

    def construct_mapping(self, node: yaml.Node, deep: bool = False) -> dict:
        """Return the mapping of a node."""
        keys = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        self.repeated |= {key for key, count in keys.items() if count > 1}
        return super().construct_mapping(node, deep)


def untagged(loader: Loader, suffix: str, node: yaml.Node) -> object:
    """Return what a node holds, whatever Ruby says that it is."""
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


Loader.add_multi_constructor("!ruby/", untagged)


def recognises(export: Export) -> bool:
    """Return True if the metadata of an export lie at its top."""
    return METADATA in export.names


def read(export: Export) -> Claims:
    """Return one submission for each submitter, of several the latest; the members of a group share one."""
    folders = {
        top: match["id"] for top in export.tops if (match := FOLDER.fullmatch(top)) and top in export.folders
    }
    left_out = {
        name: "in no submission's folder" for name in export.names if name.partition("/")[0] not in folders
    }
    left_out.pop(METADATA)
    entries, doubts = metadata(export)
    tried: dict[tuple, list[tuple[datetime, str, Submitter]]] = {}
    members: dict[str, set[tuple]] = {}
    for top in folders:
        for person, time in submitters(entries.get(top), folders[top]):
            tried.setdefault(account(person), []).append((time, top, person))
            members.setdefault(top, set()).add(account(person))
    tried = {who: sorted(several, key=lambda attempt: attempt[:2]) for who, several in tried.items()}
    emails = Counter(email for email, *_ in tried)
    uploads = []
    for who, several in tried.items():
        _, top, person = several[-1]
        why = []
        if any(members[other] != members[top] for _, other, _ in several):
            tops = ", ".join(other for _, other, _ in several)
            why.append(
                f"In submissions of different groups ({tops}): the latest is graded, decide which counts."
            )
        if emails[who[0]] > 1 and who[0]:
            why.append(
                f"Somebody of another name or SID has the address {who[0]} as well: find out who is who."
            )
        uploads.append(upload(export, top, person, tuple(why)))
    kept = {upload.origin.prefix for upload in uploads}
    earlier = [top for top in folders if f"{top}/" not in kept]
    left_out |= {
        name: "an earlier submission of the same student"
        for top in earlier
        for name in export.tops[top].values()
    }
    return Claims("gradescope", uploads, left_out, tuple(doubts))


def account(person: Submitter) -> tuple[str, str, tuple[str, ...], str]:
    """Return what two submissions must share to be one person's; without an address none is another's."""
    email = person.email.casefold()
    return email, person.login.casefold(), split_tokens(person.name), "" if email else person.id


def upload(export: Export, top: str, person: Submitter, doubts: tuple[str, ...] = ()) -> Upload:
    """Return the folder of a submission as one submitter's."""
    key = by_name(person.name or "submission", person.login or person.id)
    return Upload(person, export.tops[top], key, doubts=doubts)


def metadata(export: Export) -> tuple[dict, list[str]]:
    """Return what Gradescope tells about the submissions, by folder, and lines on those that it tells of twice.

    Raises CourseError if it can't be read.
    """
    try:
        loader = Loader(export.read(METADATA))
        entries = loader.get_single_data()
    except (yaml.YAMLError, Failure, NeedsReview, ValueError, RecursionError) as error:
        reason = sanitize(str(error), 100)
        raise CourseError(
            f"{export.path}: {METADATA} can't be read ({reason}): download the export again."
        ) from None
    twice = [key for key in sorted(loader.repeated) if FOLDER.fullmatch(key)]
    lines = [f"{METADATA} has two entries for {key}: none is taken, find out whose it is." for key in twice]
    entries = entries if isinstance(entries, dict) else {}
    return {key: value for key, value in entries.items() if key not in twice}, lines


def submitters(told: object, id: str) -> list[tuple[Submitter, datetime]]:
    """Who handed in a submission, and when; somebody without a name where Gradescope does not tell."""
    told = told if isinstance(told, dict) else {}
    time = created(told.get(":created_at"))
    when = iso(time) if time != EARLIEST else ""
    listed = told.get(":submitters")
    persons = [record for record in listed if isinstance(record, dict)] if isinstance(listed, list) else []
    return [(person(record, id, when, mark=":"), time) for record in persons or [{}]]


def person(told: dict, id: str, when: str, mark: str = "") -> Submitter:
    """One submitter; `mark` is what the names of the fields begin with."""
    name, login, email = (
        sanitize(str(told.get(f"{mark}{field}") or "")) for field in ("name", "sid", "email")
    )
    return Submitter("gradescope", id, name, login, email, f"submission_{id}/", when)


def created(value: object) -> datetime:
    """Return a time of the metadata, in UTC unless it says otherwise."""
    if isinstance(value, str):
        text = parse_time(value, UTC)
        value = datetime.fromisoformat(text) if text else None
    if not isinstance(value, datetime):
        return EARLIEST
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def is_container(path: Path) -> bool:
    """Return True if `path` is the folder in which Gradescope's autograder runs."""
    return (path / CONTAINER).is_file() and (path / "submission").is_dir()


def read_container(path: Path) -> tuple[Export, Claims]:
    """Return the submission that Gradescope's autograder was started for. Raises CourseError without metadata."""
    told = container_metadata(path / CONTAINER)
    id, time = sanitize(str(told.get("id", ""))), created(told.get("created_at"))
    users = told.get("users")
    when = iso(time) if time != EARLIEST else ""
    persons = (
        [person(user, id, when) for user in users if isinstance(user, dict)]
        if isinstance(users, list)
        else []
    )
    first, *others = persons or [Submitter("gradescope", id, submitted=when)]
    export = open_folder_export(path / "submission", links=False)  # which the student may have laid
    key = by_name(first.name or first.email.partition("@")[0] or "submission", first.id)
    files = {name: name for name in export.names}
    return export, Claims("gradescope", [Upload(first, files, key, tuple(names_of(others)))])


def names_of(persons: Iterable[Submitter]) -> Iterable[str]:
    """Texts that name the other members of a group."""
    for member in persons:
        yield from (member.name, member.login, member.email.partition("@")[0])


def container_metadata(path: Path) -> dict:
    """Return what Gradescope tells its autograder about a submission."""
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise CourseError(f"{path} can't be read ({sanitize(str(error), 100)}).") from None
    return told if isinstance(told, dict) else {}


def times(sheet: Sheet) -> list[str]:
    """Return the times of submission as they stand in the table."""
    table = Table(sheet)
    return [table.text(row, "submission time") for row in table.rows]


def people(sheet: Sheet, zone: tzinfo | None = None) -> list[Submitter] | None:
    """Return the people of a roster or of an assignment's grades; None for another table."""
    table = Table(sheet)
    if not {"sid", "email"} <= set(table.header):
        return None
    found = []
    for row in table.rows:
        parts = (table.text(row, title) for title in ("name", "first name", "last name"))
        name, login, email = (
            " ".join(filter(None, parts)),
            table.account(row, "sid"),
            table.text(row, "email"),
        )
        time = parse_time(table.text(row, "submission time"), zone)
        id = table.account(row, "submission id")
        found.append(
            Submitter("gradescope", id, sanitize(name), sanitize(login), sanitize(email), submitted=time)
        )
    return [member for member in found if member.name or member.email]
