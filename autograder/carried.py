"""What was handed in, read into memory: its checksums, and a shape in which it goes to another process or machine."""

import hashlib
from dataclasses import dataclass

from autograder.dependence import digest
from autograder.failure import Failure, plain
from autograder.files import Files
from autograder.handed_in import Source, opened

MOST_READ = 256 * 2**20  # bytes of a submission; of one that has more, it is not told whether it has changed


@dataclass(frozen=True)
class Carried:
    """The files of a submission in memory, or why there are none: what one process can send to another."""

    content: dict[str, bytes | Failure] | Failure

    def __call__(self) -> Files:
        return Files(tuple(told(self.content)), lambda name: told(self.content[name]))

    @property
    def size(self) -> int:
        """In bytes."""
        found = self.content.values() if isinstance(self.content, dict) else ()
        return sum(len(one) for one in found if isinstance(one, bytes))


def carried(source: Source) -> Source:
    """The files of a submission, all read; the source itself where they are too many bytes to hold."""
    try:
        files = opened(source)
    except Failure as failure:
        return Carried(failure)
    content, size = {}, 0
    for name in files.names:
        content[name] = attempt(files, name)
        size += len(content[name]) if isinstance(content[name], bytes) else 0
        if size > MOST_READ:
            return source
    return Carried(content)


def attempt(files: Files, name: str) -> bytes | Failure:
    """The content of a file, or why it can't be read."""
    try:
        return files.read(name)
    except Failure as failure:
        return failure


def told(found):
    """What was found; raises the Failure that it is, anew."""
    if isinstance(found, Failure):
        raise type(found)(found.reason, found.hint)
    return found


def checksums(source: Source) -> tuple[dict[str, str], str]:
    """The SHA-256 of each file that was handed in, as any tool computes it, by its path; and a digest of them all.

    A file, or a whole submission, that can't be read counts by what is said of it, as it does for the items. The
    digest is empty where there is too much to read it all.
    """
    if not isinstance(source, Carried):
        return {}, ""
    content = source.content
    if isinstance(content, Failure):
        return {}, digest(str(content).encode())
    sums = {
        name: str(one) if isinstance(one, Failure) else hashlib.sha256(one).hexdigest()
        for name, one in sorted(content.items())
    }
    whole = digest(*(part.encode("utf-8", "surrogatepass") for pair in sums.items() for part in pair))
    return {plain(name): found for name, found in sums.items()}, whole
