"""Files: what is in a folder, a zip or a tar archive, read in place, one file at a time, and never extracted."""

import gzip
import io
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath, PurePosixPath

from autograder.course import COURSE_FILE
from autograder.failure import Failure

MOST_FILES = 2_000
MOST_BYTES = 64 * 2**20  # of one file, and of an archive; the course's models are under 100 kB
DEEPEST = 20  # folders within folders
NESTED = 3  # archives within the archives of a submission
LITTER = {
    "__MACOSX": "macOS", ".DS_Store": "macOS", ".AppleDouble": "macOS",
    "Thumbs.db": "Windows", "desktop.ini": "Windows", "$RECYCLE.BIN": "Windows",
    ".ipynb_checkpoints": "Jupyter", "__pycache__": "Python", ".venv": "Python", ".git": "Git",
}  # fmt: skip
SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError,
)  # fmt: skip


BEGINNING_OF_TIME = (1980, 1, 1, 0, 0, 0)  # of every entry of an archive that is written here


@dataclass(frozen=True)
class Files:
    """The files by their path, parts joined by "/"; each is read only when it is asked for.

    held: the bytes that are kept in memory for as long as these files are in use.
    """

    names: tuple[str, ...]
    read: Callable[[str], bytes]
    held: int = 0


def suffix(path: PurePath) -> str:
    """The ending that makes `path` an archive that is understood, as it is written there; empty for none."""
    ending = next((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), "")
    return path.name[len(path.name) - len(ending) :] if ending else ""


def is_archive(name: str) -> bool:
    """Whether a file of this name is an archive that can be opened here."""
    return bool(suffix(PurePosixPath(name)))


def open_files(path: Path) -> Files:
    """The files in the folder or archive at `path`. Raises Failure, and so does `read`, for what can't be read."""
    if path.is_dir():
        return folder(path)

    def content() -> bytes:
        refuse_size(path.name, path.stat().st_size)
        return path.read_bytes()

    return archived(path.name, content)


def archived(name: str, content: Callable[[], bytes]) -> Files:
    """The files in the archive called `name`, which is held in memory. Raises Failure as `open_files` does."""
    name = PurePosixPath(name).name
    damaged = Failure(
        f"{name} is not an archive that can be opened: it is damaged, incomplete or of another kind.",
        "Make the archive again, open it once yourself, and hand it in again.",
    )
    read_all = zip_archive if name.lower().endswith(".zip") else tar_archive

    def read(entry: str) -> bytes:
        try:
            return files.read(entry)
        except DAMAGED:
            raise damaged from None

    try:
        files = read_all(name, content())
    except DAMAGED:
        raise damaged from None
    return Files(files.names, read, files.held)


def unpacked(files: Files) -> Files:
    """The files, and those in archives among them as if each archive were a folder; NESTED deep, all in memory.

    An archive that is all there is stands for what it holds, and its Failure is raised. One of several that can't
    be opened stays a file. A file in an archive is passed over where one of its name lies further out: a student
    handed in the work and a zip of it.
    """
    if len(files.names) == 1 and is_archive(files.names[0]):
        files = archived(files.names[0], partial(files.read, files.names[0]))
    found: dict[str, Callable[[], bytes]] = {}
    layer, held = {"": files}, files.held
    for depth in range(NESTED + 1):
        further_out = set(map(base, found))
        plain, layer = layer_of(layer, held, deeper=depth < NESTED)
        held += sum(inner.held for inner in layer.values())
        found |= {path: read for path, read in plain.items() if base(path) not in further_out}
        refuse_crowd(len(found))
    return Files(tuple(found), lambda name: found[name](), held)


def layer_of(
    layer: dict[str, Files], held: int, deeper: bool
) -> tuple[dict[str, Callable], dict[str, Files]]:
    """What reads the plain files of a layer, by path; and the archives in it, opened, where it goes `deeper`."""
    plain, archives = {}, {}
    for place, files in layer.items():
        for name in files.names:
            read = partial(files.read, name)
            opened = attempt(name, read) if deeper and is_archive(name) else None
            if opened is None:
                plain[place + name] = read
                continue
            archives[f"{place}{name}/"] = opened
            held += opened.held
            refuse_size("What the archives hold", held, times=4)
            refuse_crowd(len(archives) + len(plain))
    return plain, archives


def attempt(name: str, content: Callable[[], bytes]) -> Files | None:
    """The files in an archive; none where it can't be opened."""
    try:
        return archived(name, content)
    except Failure:
        return None


def base(path: str) -> str:
    """A file's name without its folders, for comparing."""
    return path.rpartition("/")[2].casefold()


def zipped(files: dict[str, bytes], mode: Callable[[str], int] = lambda name: 0o644) -> bytes:
    """A zip of these files by their path, with the permissions that `mode` gives; equal files give equal bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, BEGINNING_OF_TIME)
            entry.create_system, entry.external_attr = 3, mode(name) << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def folder(root: Path) -> Files:
    """The files in a folder on disk."""
    names = []
    for name in walked(root):
        names += accepted([name])
        refuse_crowd(len(names))
    return Files(tuple(names), lambda name: read_regular(root / name, name))


def walked(root: Path) -> Iterator[str]:
    """The paths of all files in a folder; no link is followed, and no course's own folder entered."""
    for place, folders, files in os.walk(root):  # which does not follow links
        folders[:] = sorted(name for name in set(folders) - set(LITTER) if not is_course(Path(place) / name))
        yield from ((Path(place) / file).relative_to(root).as_posix() for file in sorted(files))


def is_course(folder: Path) -> bool:
    """Whether a folder is a course's own, unpacked beside a student's work: nothing in it is handed in."""
    return (folder / COURSE_FILE).is_file()


def read_regular(path: Path, name: str) -> bytes:
    """The bytes of a regular file: a link could point at someone else's work, a pipe could block for ever."""
    try:
        state = path.lstat()
        if not stat.S_ISREG(state.st_mode):
            raise Failure(f"{name} is a link or a device, not a file.", "Hand in the file itself.")
        refuse_size(name, state.st_size)
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
            return file.read(MOST_BYTES)
    except OSError as error:
        raise Failure(f"{name} can't be read: {error.strerror}.", "Hand the file in again.") from None


def zip_archive(name: str, content: bytes) -> Files:
    archive = zipfile.ZipFile(io.BytesIO(content))
    entries = {path: entry for path, entry in entries_of(archive).items() if not path.endswith("/")}
    refuse_size(f"What {name} holds", sum(entry.file_size for entry in entries.values()), times=4)
    names = accepted(entries)
    refuse_crowd(len(names))
    return Files(names, lambda path: read_entry(archive, entries[path], path), len(content))


def entries_of(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files and the folders in a zip by their path; that of a folder ends with a slash."""
    return {spelt(entry).replace("\\", "/"): entry for entry in archive.infolist()}  # Windows had backslashes


def spelt(entry: zipfile.ZipInfo) -> str:
    """An entry's name: macOS writes UTF-8 and does not say so, and it would be read as that of an old DOS."""
    if entry.flag_bits & 0x800 or entry.filename.isascii():
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> bytes:
    """One entry, inflated at most to MOST_BYTES whatever its header claims."""
    if entry.flag_bits & 1:
        raise Failure(f"{name} is protected by a password.", "Hand in an archive without one.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise Failure(f"{name} is a link, not a file.", "Hand in the file itself.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        advice = "Make the archive with what your system brings along."
        raise Failure(f"{name} is compressed in a way that is not understood here.", advice)
    refuse_size(name, entry.file_size)
    with archive.open(entry) as file:
        content = file.read(MOST_BYTES + 1)
    refuse_size(name, len(content))
    return content


def tar_archive(name: str, content: bytes) -> Files:
    if content.startswith(b"\x1f\x8b"):
        with gzip.open(io.BytesIO(content)) as file:
            content = file.read(4 * MOST_BYTES + 1)
        refuse_size(name, len(content), times=4)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        entries = {}
        for entry in archive:  # one by one: a crowd is refused before it has been read
            entries |= {} if entry.isdir() else {entry.name.removeprefix("./"): entry}
            refuse_crowd(len(entries))

    def read(path: str) -> bytes:
        entry = entries[path]
        if not entry.isreg() or entry.issparse():
            raise Failure(f"{path} is a link or a device, not a file.", "Hand in the file itself.")
        refuse_size(path, entry.size)
        return content[entry.offset_data : entry.offset_data + entry.size]

    return Files(accepted(entries), read, len(content))


def accepted(names: Iterable[str]) -> tuple[str, ...]:
    """The names without an operating system's litter. Raises Failure for one that leads out of the submission."""
    kept = []
    for name in names:
        if leads_out(name):
            raise Failure(
                f"{name[:100]} is a path that leads out of the archive, or far down.", "Zip plain files."
            )
        if not litter_of(name):
            kept.append(name)
    return tuple(kept)


def leads_out(name: str) -> bool:
    """Whether a path leads out of the place that it is to lie in, or further down than any work does."""
    parts = PurePosixPath(name).parts
    drive = len(parts) > 1 and len(parts[0]) == 2 and parts[0].endswith(":")
    return name.startswith("/") or drive or ".." in parts or len(parts) > DEEPEST


def litter_of(name: str) -> str:
    """Which system or program left the file at this path without being asked; empty for a file that is meant."""
    for part in PurePosixPath(name).parts:
        if part in LITTER or part.startswith(("._", "~$")):
            return LITTER.get(part, "macOS" if part.startswith("._") else "Office")
    return ""


def refuse_crowd(count: int) -> None:
    if count > MOST_FILES:
        reason = f"The submission holds more than {MOST_FILES} files."
        raise Failure(reason, "Hand in the notebook and the models it saves, no more.")


def refuse_size(name: str, size: int, times: int = 1) -> None:
    most = times * MOST_BYTES
    if size > most:
        reason = f"{name} has {size / 2**20:.0f} MiB or more; at most {most // 2**20} MiB are read."
        raise Failure(reason, "A model of this course takes well under 1 MiB: check what you saved.")
