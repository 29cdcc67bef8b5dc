"""A submission: what one student handed in, a folder or a zip archive, read in place and never extracted."""

import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

import numpy as np

from autograder.failure import Failure
from autograder.models import Model, Predictor, read_model

MOST_FILES = 2_000
MOST_BYTES = 64 * 2**20  # of one file, and of an archive; the course's models are under 100 kB
LITTER = {"__MACOSX", "__pycache__", ".ipynb_checkpoints", ".git", ".venv"}
BAD_ZIP = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class Files:
    """Files by their path inside the submission, read one at a time and only when an item asks."""

    names: tuple[str, ...]
    read: Callable[[str], bytes]


@dataclass(frozen=True)
class Submission:
    """What items see. Methods raise Failure, and nothing else, for what is wrong with the student's files."""

    student: str
    path: Path
    predictor: Predictor
    _known: dict = field(default_factory=dict)  # several items ask for the same file and the same model

    def model(self, name: str) -> Model:
        """The model in the file `name`: its plan and its weights, read as data (see `autograder.models`)."""
        return _once(self._known, name, lambda: read_model(self.read(name)))

    def predict(self, name: str, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Predictions `(n, k)` of the model `name` for n inputs `(time, ...)`; none of them is padded."""
        return self.predictor.predict(self.model(name), inputs)

    def read(self, name: str) -> bytes:
        """The content of the file called `name`, in whichever folder of the submission it lies."""
        files = self.files
        matches = [path for path in files.names if PurePosixPath(path).name.casefold() == name.casefold()]
        depth = min((path.count("/") for path in matches), default=0)
        matches = [path for path in matches if path.count("/") == depth]
        if not matches:
            raise _missing(name, [PurePosixPath(path).name[:100] for path in files.names])
        if len(matches) > 1:
            found = ", ".join(matches)
            raise Failure(f"{len(matches)} files are called {name}: {found}.", "Hand in just one of them.")
        return files.read(matches[0])

    @property
    def files(self) -> Files:
        """The submission's files; a Failure says why they can't be opened."""
        return _once(self._known, "", lambda: (_folder if self.path.is_dir() else _archive)(self.path))


def _once(known: dict, name: str, make: Callable):
    """`make()`, remembered in `known` under `name` whether it succeeds or fails."""
    if name not in known:
        try:
            known[name] = make()
        except Failure as failure:
            known[name] = failure
    if isinstance(known[name], Failure):
        raise Failure(known[name].reason, known[name].hint)
    return known[name]


def _missing(name: str, found: list[str]) -> Failure:
    """There is no file `name` among those `found`; a near miss of a name is pointed out."""
    reason = f"There is no {name} in your submission"
    if near := get_close_matches(name, found, n=1, cutoff=0.75):
        return Failure(f"{reason}, but there is {near[0]}.", f"Save it as {name} and hand in again.")
    some = ", ".join(sorted(found)[:6]) + (" …" if len(found) > 6 else "")
    reason = f"{reason}; it holds {some}." if found else f"{reason}; it is empty."
    return Failure(reason, f'Run model.save("{name}") and hand that file in too.')


def _folder(root: Path) -> Files:
    names = []
    for folder, folders, files in os.walk(root):  # which does not follow links
        folders[:] = sorted(set(folders) - LITTER)
        paths = ((Path(folder) / file).relative_to(root).as_posix() for file in sorted(files))
        names += [path for path in paths if not _is_litter(path)]
        _refuse_crowd(len(names))
    return Files(tuple(names), lambda name: _read_regular(root / name, name))


def _read_regular(path: Path, name: str) -> bytes:
    """The bytes of a regular file: a link could point at someone else's work, a pipe could block for ever."""
    try:
        state = path.lstat()
        if not stat.S_ISREG(state.st_mode):
            raise Failure(f"{name} is a link or a device, not a file.", "Hand in the file itself.")
        _refuse_size(name, state.st_size)
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
            return file.read(MOST_BYTES)
    except OSError as error:
        raise Failure(f"{name} can't be read: {error.strerror}.", "Hand the file in again.") from None


def _archive(path: Path) -> Files:
    broken = Failure(
        f"{path.name} is not a zip archive that can be opened: it is damaged, incomplete or of another kind.",
        "Make the archive again, open it once yourself, and hand it in again.",
    )

    def read(name: str) -> bytes:
        try:
            return _read_entry(path, entries[name])
        except BAD_ZIP:
            raise broken from None

    try:
        _refuse_size(path.name, path.stat().st_size)
        with zipfile.ZipFile(path) as archive:
            found = {entry.filename.replace("\\", "/"): entry for entry in archive.infolist()}
    except BAD_ZIP:
        raise broken from None
    entries = {name: entry for name, entry in found.items() if not (entry.is_dir() or _is_litter(name))}
    _refuse_crowd(len(entries))
    return Files(tuple(entries), read)


def _read_entry(path: Path, entry: zipfile.ZipInfo) -> bytes:
    """One entry, inflated at most to MOST_BYTES whatever its header claims."""
    if entry.flag_bits & 1:
        raise Failure(f"{path.name} is protected by a password.", "Hand in an archive without one.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise Failure(f"{entry.filename} is a link, not a file.", "Hand in the file itself.")
    _refuse_size(entry.filename, entry.file_size)
    with zipfile.ZipFile(path) as archive, archive.open(entry) as file:
        content = file.read(MOST_BYTES + 1)
    _refuse_size(entry.filename, len(content))
    return content


def _is_litter(path: str) -> bool:
    return any(part in LITTER or part.startswith("._") for part in path.split("/"))


def _refuse_crowd(count: int) -> None:
    if count > MOST_FILES:
        reason = f"The submission holds more than {MOST_FILES} files."
        raise Failure(reason, "Hand in the notebook and the models it saves, no more.")


def _refuse_size(name: str, size: int) -> None:
    if size > MOST_BYTES:
        reason = f"{name} has {size / 2**20:.0f} MiB; at most {MOST_BYTES // 2**20} MiB are read."
        raise Failure(reason, "A model of this course takes well under 1 MiB: check what you saved.")
