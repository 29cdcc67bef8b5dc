"""What was handed in, read into memory: its checksums, and a shape in which it goes to another process or machine."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from autograder.core import Failure, NeedsReview, digest, sanitize
from autograder.submissions._archives import Budget, Files, rank
from autograder.submissions._cells import Unreadable, strip_outputs
from autograder.submissions._filenames import name_stem
from autograder.submissions._raw import Source, open_source

MAX_READ = 128 * 2**20  # bytes of a submission; of one that has more, the rest is passed over
LARGE_NOTEBOOK = 2**20  # bytes; a larger one is held without its outputs
MAX_NOTES = 50  # lines of what was passed over

Trouble = Failure | NeedsReview
Content = TypeVar("Content")


@dataclass(frozen=True)
class FileBundle:
    """The files of a submission in memory, or why there are none: what one process can send to another.

    passed_over: what of it was not read, with the reason. sums: the SHA-256 of each notebook that is held without
    its outputs, as it was handed in.
    """

    content: dict[str, bytes | Trouble] | Trouble
    passed_over: Mapping[str, str] = field(default_factory=dict)
    sums: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, budget: Budget | None = None) -> Files:
        content = require_content(self.content)
        return Files(tuple(content), lambda name: require_content(content[name]))

    @property
    def size(self) -> int:
        """In bytes."""
        found = self.content.values() if isinstance(self.content, dict) else ()
        return sum(len(data) for data in found if isinstance(data, bytes))

    @property
    def is_whole(self) -> bool:
        """Whether all was read that this machine could have read: a score that rests on it may be kept."""
        found = self.content.values() if isinstance(self.content, dict) else [self.content]
        return not any(isinstance(data, NeedsReview) for data in found)


def read_bundle(source: Source, slug: str = "") -> FileBundle:
    """Return the files of a submission, all read: notebooks and models first, then nearest the top, see `rank`."""
    if isinstance(source, FileBundle):
        return source
    try:
        files = open_source(source, slug, Budget())
        if closed := next((name for name in files.names if name.endswith("/")), ""):
            files.read(closed)  # a folder that can't be listed: nobody knows what is in it
        content, sums, left = {}, {}, MAX_READ
        budget = Budget()  # another, since archives may have used up the first
        for name in sorted(files.names, key=rank):
            content[name] = whole = try_to_read(files, name, budget)
            if isinstance(whole, bytes):
                content[name] = stored = stored_content(name, whole, left)
                left -= len(stored) if isinstance(stored, bytes) else 0
                if is_large_notebook(name, whole):
                    sums[name] = hashlib.sha256(whole).hexdigest()
    except (Failure, NeedsReview) as trouble:
        return FileBundle(trouble)
    except Exception:  # of any kind, for crafted bytes
        return FileBundle(Failure("The submission can't be read: it is damaged.", "Make it again."))
    notes = dict(sorted(files.passed_over.items())[:MAX_NOTES])
    return FileBundle({name: content[name] for name in files.names}, notes, sums)


def try_to_read(files: Files, name: str, budget: Budget) -> bytes | Trouble:
    """Return the content of a file, or why it can't be read."""
    try:
        budget.spend()
        return files.read(name)
    except (Failure, NeedsReview) as trouble:
        return trouble


def stored_content(name: str, content: bytes, most: int) -> bytes | Failure:
    """Return what is kept of a file in memory; a Failure if that has more than `most` bytes."""
    if is_large_notebook(name, content):
        try:
            content = strip_outputs(content)
        except Unreadable as error:
            return Failure(f"{error}.", error.hint)
    if len(content) > most:
        limit = f"Expected at most {MAX_READ >> 20} MiB in all, got more: {name} is not read."
        return Failure(limit, "Hand in the notebook and the models it saves, no more.")
    return content


def is_large_notebook(name: str, content: bytes) -> bool:
    return len(content) > LARGE_NOTEBOOK and name_stem(name, ".ipynb") is not None


def require_content(content: Content | Trouble) -> Content:
    """Return the content. Raises the Failure or the NeedsReview that stands in its place, as a new exception."""
    if isinstance(content, Failure):
        raise type(content)(content.reason, content.hint)
    if isinstance(content, NeedsReview):
        raise NeedsReview(str(content))
    return content


def checksums(carried: FileBundle) -> tuple[dict[str, str], str]:
    """Return the SHA-256 of each file that was handed in, by its path; and a digest of them all.

    A file, or a whole submission, that can't be read counts by what is said of it, as it does for the items. The
    digest is empty where this machine could not read it.
    """
    content = carried.content
    if not isinstance(content, dict):
        return {}, digest(str(content).encode()) if carried.is_whole else ""
    sums = {
        name: carried.sums.get(name) or hashlib.sha256(data).hexdigest()
        if isinstance(data, bytes)
        else str(data)
        for name, data in sorted(content.items())
    }
    whole = digest(*(part.encode("utf-8", "surrogatepass") for pair in sums.items() for part in pair))
    notes = {sanitize(name): f"Passed over: {why}." for name, why in carried.passed_over.items()}
    return notes | {sanitize(name): found for name, found in sums.items()}, whole if carried.is_whole else ""
