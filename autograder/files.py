"""Files: what is in a folder, a zip or a tar archive, read in place, one file at a time, and never extracted."""

import gzip
import io
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from autograder.course import COURSE_FILE
from autograder.failure import Failure

MOST_FILES = 2_000
MOST_BYTES = 64 * 2**20  # of one file, and of an archive; the course's models are under 100 kB
DEEPEST = 20  # folders within folders
LITTER = {"__MACOSX", "__pycache__", ".ipynb_checkpoints", ".git", ".venv"}
SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError,
)  # fmt: skip


BEGINNING_OF_TIME = (1980, 1, 1, 0, 0, 0)  # of every entry of an archive that is written here


@dataclass(frozen=True)
class Files:
    """The files by their path, parts joined by "/"; each is read only when it is asked for."""

    names: tuple[str, ...]
    read: Callable[[str], bytes]


def suffix(path: Path) -> str:
    """The ending that makes `path` an archive that is understood, as it is written there; empty for none."""
    ending = next((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), "")
    return path.name[len(path.name) - len(ending) :] if ending else ""


def open_files(path: Path) -> Files:
    """The files in the folder or archive at `path`. Raises Failure, and so does `read`, for what can't be read."""
    if path.is_dir():
        return folder(path)
    damaged = Failure(
        f"{path.name} is not an archive that can be opened: it is damaged, incomplete or of another kind.",
        "Make the archive again, open it once yourself, and hand it in again.",
    )
    read_all = zip_archive if suffix(path).lower() == ".zip" else tar_archive

    def read(name: str) -> bytes:
        try:
            return files.read(name)
        except DAMAGED:
            raise damaged from None

    try:
        refuse_size(path.name, path.stat().st_size)
        files = read_all(path)
    except DAMAGED:
        raise damaged from None
    return Files(files.names, read)


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip of these files by their path; equal files give equal bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, BEGINNING_OF_TIME)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def folder(root: Path) -> Files:
    names = []
    for place, folders, files in os.walk(root):  # which does not follow links
        folders[:] = sorted(name for name in set(folders) - LITTER if not is_course(Path(place) / name))
        names += accepted((Path(place) / file).relative_to(root).as_posix() for file in sorted(files))
        refuse_crowd(len(names))
    return Files(tuple(names), lambda name: read_regular(root / name, name))


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


def zip_archive(path: Path) -> Files:
    with zipfile.ZipFile(path) as archive:
        entries = {
            entry.filename.replace("\\", "/"): entry for entry in archive.infolist() if not entry.is_dir()
        }
    names = accepted(entries)
    refuse_crowd(len(names))

    def read(name: str) -> bytes:
        """One entry, inflated at most to MOST_BYTES whatever its header claims."""
        entry = entries[name]
        if entry.flag_bits & 1:
            raise Failure(f"{path.name} is protected by a password.", "Hand in an archive without one.")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise Failure(f"{name} is a link, not a file.", "Hand in the file itself.")
        refuse_size(name, entry.file_size)
        with zipfile.ZipFile(path) as archive, archive.open(entry) as file:
            content = file.read(MOST_BYTES + 1)
        refuse_size(name, len(content))
        return content

    return Files(names, read)


def tar_archive(path: Path) -> Files:
    content = path.read_bytes()
    if content.startswith(b"\x1f\x8b"):
        with gzip.open(io.BytesIO(content)) as file:
            content = file.read(4 * MOST_BYTES + 1)
        refuse_size(path.name, len(content), times=4)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        entries = {}
        for entry in archive:  # one by one: a crowd is refused before it has been read
            entries |= {} if entry.isdir() else {entry.name.removeprefix("./"): entry}
            refuse_crowd(len(entries))

    def read(name: str) -> bytes:
        entry = entries[name]
        if not entry.isreg() or entry.issparse():
            raise Failure(f"{name} is a link or a device, not a file.", "Hand in the file itself.")
        refuse_size(name, entry.size)
        return content[entry.offset_data : entry.offset_data + entry.size]

    return Files(accepted(entries), read)


def accepted(names: Iterable[str]) -> tuple[str, ...]:
    """The names without an operating system's litter. Raises Failure for one that leads out of the submission."""
    kept = []
    for name in names:
        parts = PurePosixPath(name).parts
        drive = len(parts) > 1 and len(parts[0]) == 2 and parts[0].endswith(":")
        if name.startswith("/") or drive or ".." in parts or len(parts) > DEEPEST:
            raise Failure(
                f"{name[:100]} is a path that leads out of the archive, or far down.", "Zip plain files."
            )
        if not any(part in LITTER or part.startswith("._") for part in parts):
            kept.append(name)
    return tuple(kept)


def refuse_crowd(count: int) -> None:
    if count > MOST_FILES:
        reason = f"The submission holds more than {MOST_FILES} files."
        raise Failure(reason, "Hand in the notebook and the models it saves, no more.")


def refuse_size(name: str, size: int, times: int = 1) -> None:
    most = times * MOST_BYTES
    if size > most:
        reason = f"{name} has {size / 2**20:.0f} MiB or more; at most {most // 2**20} MiB are read."
        raise Failure(reason, "A model of this course takes well under 1 MiB: check what you saved.")
