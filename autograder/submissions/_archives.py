"""Files: what is in a folder, a zip or a tar archive, read in place, one file at a time, and never extracted.

All that is read here was chosen by a student. Whatever is wrong with it is a Failure of that submission; what this
machine can't do (a file that it may not read, a full disk) is NeedsReview, for a person. A `Budget` bounds the time,
the bytes and the entries that one submission may take, over all its archives. A file that no item needs costs
nothing: environments, odd paths and the like are passed over one by one, and named in `Files.passed_over`.
"""

import gzip
import io
import os
import stat
import struct
import time
import zipfile
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePath, PurePosixPath
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

from autograder.core import COURSE_FILE, Failure, NeedsReview
from autograder.submissions._filenames import name_stem

MAX_FILES = 2_000  # of a submission that are read, those nearest the top first
MAX_LISTED = 5_000  # files in a folder on disk that are looked at, those nearest the top first
MAX_BYTES = 64 * 2**20  # of one file; the course's models are under 100 kB
MAX_NOTEBOOK_BYTES = (
    192 * 2**20
)  # bytes of a notebook, nearly all of them pictures, see `cells.without_outputs`
MAX_PATH = 1_000  # characters
MAX_NAME = 255  # bytes of each part of a path
MAX_DEPTH = 20  # folders within folders
MAX_NESTED = 3  # archives within the archives of a submission
MAX_IN_MEMORY = 16 * 2**20  # bytes of an archive; a larger one is held in a temporary file
LITTER = {
    "__MACOSX": "macOS", ".DS_Store": "macOS", ".AppleDouble": "macOS",
    "Thumbs.db": "Windows", "desktop.ini": "Windows", "$RECYCLE.BIN": "Windows",
    ".ipynb_checkpoints": "Jupyter", "__pycache__": "Python", ".venv": "Python", ".git": "Git",
}  # fmt: skip
INSTALLED = {"site-packages", "dist-packages", "node_modules", "conda-meta", ".tox", ".nox", ".mypy_cache"}
ENVIRONMENT_MARK = "pyvenv.cfg"
ENVIRONMENT = {"bin", "scripts", "lib", "lib64", "include", "share", "etc"}  # what lies beside it
PACKAGES = "installed packages, no work"
ODD_PATH = "its path leads out of the folder, or is too long or too deep"
COURSE_PARTS = ("assignments", "autograder", "benchmarks", "datasets", "docs", "solutions", "tests")
FIRST = (".ipynb", ".keras")  # these are read before all else
SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
BLOCK = 512  # bytes, of which a tar is made
FILES, FOLDER, RECORDS = (b"0", b"\0", b"7"), b"5", (b"x", b"g", b"L", b"K")  # kinds of entries in a tar
BODILESS = (b"1", b"2", b"3", b"4", b"5", b"6")  # links, devices, folders
MAX_RECORD = 2**20  # bytes
END_OF_ZIP, ZIP_ENTRY, ZIP_FILE = b"PK\5\6", b"PK\1\2", b"PK\3\4"

BEGINNING_OF_TIME = (1980, 1, 1, 0, 0, 0)  # of every entry of an archive that is written here


@dataclass
class Budget:
    """What reading one submission may take in all: seconds of this processor, bytes of archives, entries in them."""

    seconds: float = 10.0
    bytes: int = 512 * 2**20
    entries: int = 200_000
    start: float = field(default_factory=time.process_time)

    def spend(self, entries: int = 0, bytes: int = 0) -> None:
        """Take so much off what is left. Raises Failure where that is too little, or the time is used up."""
        self.entries -= entries
        self.bytes -= bytes
        if self.entries < 0:
            raise too_much(f"{Budget.entries:,} entries in archives")
        if self.bytes < 0:
            raise too_much(f"archives of {Budget.bytes >> 20} MiB, unpacked")
        if time.process_time() - self.start > self.seconds:
            raise too_much(f"{self.seconds:g} seconds of reading")


def too_much(limit: str) -> Failure:
    """Return the Failure of a submission that goes beyond a limit."""
    return Failure(
        f"Expected a submission that takes at most {limit}, got more.",
        "Hand in the notebook and the models it saves, no more.",
    )


@dataclass(frozen=True)
class Files:
    """The files by their path, parts joined by "/"; each is read only when it is asked for.

    open: gives an archive among them as a binary file. passed_over: what is not among `names`, with the reason; a
    folder ends with "/".
    """

    names: tuple[str, ...]
    read: Callable[[str], bytes]
    open: Callable[[str], BinaryIO] | None = None
    passed_over: Mapping[str, str] = field(default_factory=dict)

    def opened(self, name: str) -> BinaryIO:
        """One of the files, as a binary file."""
        return self.open(name) if self.open else io.BytesIO(self.read(name))


def suffix(path: PurePath) -> str:
    """Return the ending that makes `path` an archive that is understood, as it is written there; empty for none."""
    ending = next((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), "")
    return path.name[len(path.name) - len(ending) :] if ending else ""


def is_archive(name: str) -> bool:
    """Return True if a file of this name is an archive that can be opened here."""
    return bool(suffix(PurePosixPath(name)))


def open_files(path: Path, slug: str = "", budget: Budget | None = None) -> Files:
    """Return the files of the submission in the folder or archive at `path`; see `unpack`."""
    if path.is_dir():
        return unpack(read_folder(path), slug, budget)
    alone = Files((path.name,), lambda name: read_regular(path, name), lambda name: open_regular(path, name))
    return unpack(alone, slug, budget)


@contextmanager
def translate_read_errors(name: str, damaged: Failure) -> Iterator[None]:
    """Raise `damaged` for whatever goes wrong with a student's bytes; NeedsReview where the machine is at fault."""
    try:
        yield
    except (Failure, NeedsReview):
        raise
    except OSError as error:
        if error.errno is None or isinstance(error, FileExistsError):
            raise damaged from None
        raise unreadable(name, error) from None
    except Exception:  # a parser's exceptions for crafted bytes are of any kind
        raise damaged from None


def unreadable(name: str, error: OSError) -> NeedsReview:
    """Return what a person is told where this machine can't read a file."""
    what = name.removesuffix("./") or "the folder"
    return NeedsReview(f"{what} can't be read here: {error.strerror}. Fix that, and grade again")


def open_archive(name: str, file: BinaryIO, budget: Budget | None = None) -> Files:
    """Return the files in the archive called `name`. Raises Failure, and so does `read`, for what can't be read."""
    budget, name = budget or Budget(), PurePosixPath(name).name
    damaged = Failure(
        f"{name} is not an archive that can be opened: it is damaged, incomplete or of another kind.",
        "Make the archive again, open it once yourself, and hand it in again.",
    )

    def guarded(use: Callable, entry: str) -> Any:
        with translate_read_errors(entry, damaged):
            return use(entry)

    with translate_read_errors(name, damaged):
        file.seek(0)
        if name.lower().endswith(".zip"):
            is_large = isinstance(file, io.BufferedReader) and os.fstat(file.fileno()).st_size > MAX_IN_MEMORY
            files = read_zip(file if is_large else spool(file, budget), budget)
        else:
            is_packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            unpacked = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if is_packed else file
            files = read_tar(spool(unpacked, budget), budget)
    return Files(files.names, partial(guarded, files.read), partial(guarded, files.opened), files.passed_over)


def unpack(files: Files, slug: str = "", budget: Budget | None = None) -> Files:
    """Return the files, and those in archives among them as if each archive were a folder; NESTED deep.

    An archive that is all there is stands for what it holds, and its Failure is raised. One of several that can't
    be opened stays a file. A file in an archive is passed over where one of its name lies further out: a student
    handed in the work and a zip of it. Of a course's own folder counts what lies in its `assignments/slug`, where no
    notebook lies outside of it. Of more than MAX_FILES files those count that are read first, see `rank`.
    """
    budget = budget or Budget()
    passed_over = dict(files.passed_over)
    if len(files.names) == 1 and is_archive(files.names[0]):
        files = open_archive(files.names[0], files.opened(files.names[0]), budget)
        passed_over |= files.passed_over
    found: dict[str, Callable[[], bytes]] = {}
    layer = {"": files}
    for depth in range(MAX_NESTED + 1):
        further_out = set(map(strip_folder, found))
        plain, layer = open_layer(layer, budget, deeper=depth < MAX_NESTED)
        wanted, of_courses = exclude_course_folders(plain, slug, any(map(is_notebook, found)))
        passed_over |= of_courses
        for files in layer.values():
            passed_over |= files.passed_over
        found |= {path: plain[path] for path in wanted if strip_folder(path) not in further_out}
    if passed_over and not found:
        name, why = next(iter(passed_over.items()))
        raise Failure(
            f"Expected a notebook and models, got nothing that can be read: {name}: {why}.",
            "Hand in plain files.",
        )
    ranked = sorted(found, key=rank)
    if len(ranked) > MAX_FILES:
        passed_over[f"{len(ranked) - MAX_FILES:,} more files"] = f"at most {MAX_FILES:,} are read"
        kept = set(ranked[:MAX_FILES])
        found = {path: read for path, read in found.items() if path in kept}
    return Files(tuple(found), lambda name: found[name](), passed_over=passed_over)


def rank(path: str) -> tuple:
    """Return the place of a file in the order of reading: notebooks and models first, then nearest the top."""
    return not path.lower().endswith(FIRST), path.count("/"), path


def is_notebook(path: str) -> bool:
    return path.lower().endswith(".ipynb")


def open_layer(
    layer: dict[str, Files], budget: Budget, deeper: bool
) -> tuple[dict[str, Callable], dict[str, Files]]:
    """Return what reads the plain files of a layer, by path; and the archives in it, opened, where it goes `deeper`."""
    plain: dict[str, Callable] = {}
    archives: dict[str, Files] = {}
    for place, files in layer.items():
        chosen = [name for name in sorted(files.names, key=rank) if deeper and is_archive(name)]
        opened = {name: inner for name in chosen if (inner := try_to_open(files, name, budget))}
        plain |= {place + name: partial(files.read, name) for name in files.names if name not in opened}
        for name, inner in opened.items():
            passed_over = {f"{place}{name}/{path}": why for path, why in inner.passed_over.items()}
            archives[f"{place}{name}/"] = replace(inner, passed_over=passed_over)
    return plain, archives


def try_to_open(files: Files, name: str, budget: Budget) -> Files | None:
    """Return the files in an archive; none where it can't be opened, or is a model that a browser called a zip."""
    try:
        opened = open_archive(name, files.opened(name), budget)
    except Failure:
        return None
    return None if {"config.json", "metadata.json"} <= set(opened.names) else opened


def strip_folder(path: str) -> str:
    """Return a file's name without its folders, for comparing."""
    return path.rpartition("/")[2].casefold()


def exclude_course_folders(
    paths: Iterable[str], slug: str, has_notebook: bool
) -> tuple[list[str], dict[str, str]]:
    """Return the paths without what a course's own folder holds that is no work, and what was passed over.

    Such a folder has a course.toml beside `assignments/`. Students unpack it beside their work, or work inside it:
    there `assignments/slug` is theirs; its notebook only where none lies outside. has_notebook: one lies further out.
    """
    paths = list(paths)
    marked = {path.removesuffix(COURSE_FILE) for path in paths if path.rpartition("/")[2] == COURSE_FILE}
    parts: dict[str, str] = {}
    work = set()
    places = {place for path in paths for place in parent_folders(path)}
    for course in (course for course in marked if f"{course}assignments/" in places):
        parts |= {f"{course}{part}/": course for part in COURSE_PARTS}
        work.add(f"{course}assignments/{slug}/")
    kept: list[str] = []
    notebooks: list[str] = []
    passed_over: Counter[str] = Counter()
    for path in paths:
        places = set(parent_folders(path))
        of_course = [parts[place] for place in places & parts.keys()]
        if not of_course:
            kept.append(path)
        elif slug and places & work:
            (notebooks if is_notebook(path) else kept).append(path)
        else:
            passed_over[max(of_course)] += 1
    if not (has_notebook or any(map(is_notebook, kept))):
        kept += notebooks
    return kept, {
        course or "./": f"the course's own folder, apart from the work in it ({count:,} files)"
        for course, count in passed_over.items()
    }


def parent_folders(path: str) -> Iterator[str]:
    """Each folder in which a path lies, from the outermost, which is empty, inwards."""
    yield ""
    for end, sign in enumerate(path):
        if sign == "/":
            yield path[: end + 1]


def zip_files(files: dict[str, bytes], mode: Callable[[str], int] = lambda name: 0o644) -> bytes:
    """Return a zip of these files by their path, with the permissions of `mode`; equal files give equal bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, BEGINNING_OF_TIME)
            entry.create_system, entry.external_attr = 3, mode(name) << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return content.getvalue()


# --- folders


def read_folder(root: Path) -> Files:
    """Return the files in a folder. A name that ends with "/" is a folder that can't be listed: reading it says why."""
    names, passed_over = walk_folder(root)
    names, others = sift_names(names)
    return Files(
        tuple(names),
        lambda name: read_regular(root / name, name),
        lambda name: open_regular(root / name, name),
        passed_over | others,
    )


def walk_folder(root: Path) -> tuple[list[str], dict[str, str]]:
    """Return the paths of the files in a folder, and the folders in it that were not entered, with the reason.

    No link is followed. The nearest to the top are looked at first, MAX_LISTED in all. A folder that can't be
    listed stands among the paths, with "./" at its end.
    """
    names, passed_over, line = [], {}, deque([""])
    while line:
        place = line.popleft()
        try:
            with os.scandir(root / place) as entries:
                inside = sorted((entry.name, entry.is_dir(), entry.is_symlink()) for entry in entries)
        except OSError:
            names.append(f"{place}./")
            continue
        is_environment = (ENVIRONMENT_MARK, False, False) in inside
        for name, is_folder, is_link in inside:
            if not is_folder:
                names.append(place + name)
            elif is_link:
                passed_over[f"{place}{name}/"] = "a link to a folder"
            elif is_packages(name, is_environment):
                passed_over[f"{place}{name}/"] = PACKAGES
            elif litter := litter_reason(name):
                passed_over[f"{place}{name}/"] = f"litter of {litter}"
            elif place.count("/") >= MAX_DEPTH:
                passed_over[f"{place}{name}/"] = ODD_PATH
            else:
                line.append(f"{place}{name}/")
        if len(names) > MAX_LISTED:
            passed_over[f"{place}..."] = f"at most {MAX_LISTED:,} files are looked at, from the top"
            break
    return names[:MAX_LISTED], passed_over


def open_regular(path: Path, name: str) -> BinaryIO:
    """Return a regular file: a link could point at someone else's work, a pipe could block for ever."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode) and not name.endswith("/"):
            raise Failure(f"{name} is a link or a device, not a file.", "Hand in the file itself.")
        return open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb")
    except OSError as error:
        raise unreadable(name, error) from None


def read_regular(path: Path, name: str) -> bytes:
    """Return the bytes of a regular file."""
    with open_regular(path, name) as file:
        try:
            refuse_size(name, os.fstat(file.fileno()).st_size)
            return file.read(size_limit(name))
        except OSError as error:
            raise unreadable(name, error) from None


# --- archives


def spool(file: BinaryIO, budget: Budget) -> BinaryIO:
    """Return a copy of the file, which is closed, to be read at any place; its bytes are taken from the budget."""
    copy: BinaryIO = io.BytesIO()
    with file:
        while piece := file.read(2**20):
            budget.spend(bytes=len(piece))
            copy.write(piece)
            if copy.tell() > MAX_IN_MEMORY and isinstance(copy, io.BytesIO):
                begun, copy = copy, cast(BinaryIO, TemporaryFile())  # noqa: SIM115, closed with the last reader
                copy.write(begun.getbuffer())
    copy.seek(0)
    return copy


def read_zip(file: BinaryIO, budget: Budget) -> Files:
    """Return the files in a zip; `file` can be read at any place."""
    budget.spend(entries=count_entries(file, budget.entries))
    archive = open_whole(file)
    entries = {path: entry for path, entry in zip_entries(archive).items() if not path.endswith("/")}
    names, passed_over = sift_names(entries)

    def opened(path: str) -> BinaryIO:
        refuse_entry(entries[path], path)
        return cast(BinaryIO, archive.open(entries[path]))

    return Files(tuple(names), lambda path: read_entry(archive, entries[path], path), opened, passed_over)


def open_whole(file: BinaryIO | Path) -> zipfile.ZipFile:
    """Open a zip. Raises BadZipFile if it is cut off behind a zip within it, which `zipfile` takes for the whole."""
    archive = zipfile.ZipFile(file)
    first = min((entry.header_offset for entry in archive.infolist()), default=0)
    content = cast(BinaryIO, archive.fp)
    content.seek(0)
    # A program that unpacks itself begins in another way.
    starts_as_zip = content.read(4) == ZIP_FILE
    if first and starts_as_zip:
        archive.close()
        raise zipfile.BadZipFile("it breaks off")
    return archive


def count_entries(file: BinaryIO, most: int) -> int:
    """Return how many entries a zip lists, read before `zipfile` makes an object of each; at most one more than `most`.

    Counted by their headers, since what the end of the archive claims may be false.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 2**16 - 22))
    tail = file.read()
    end = tail.rfind(END_OF_ZIP)
    if end < 0 or len(tail) - end < 22:
        raise zipfile.BadZipFile
    claimed, length, start = struct.unpack_from("<HLL", tail, end + 10)
    place = size - len(tail) + end - length  # as zipfile finds it: what lies before the archive doesn't count
    if 0xFFFFFFFF in (length, start) or claimed == 0xFFFF:
        locator = end - 20
        if locator >= 0 and tail[locator : locator + 4] == b"PK\6\7" and locator >= 56:
            length = struct.unpack_from("<Q", tail, locator - 56 + 40)[0]
            place = size - len(tail) + locator - 56 - length
    if place < 0:
        raise zipfile.BadZipFile
    file.seek(place)
    headers, count, at = file.read(length), 0, 0
    while count <= most and headers[at : at + 4] == ZIP_ENTRY and len(headers) - at >= 46:
        at += 46 + sum(struct.unpack_from("<HHH", headers, at + 28))
        count += 1
    return count


def zip_entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the files and the folders in a zip by their path; that of a folder ends with a slash."""
    return {
        entry_name(entry).replace("\\", "/"): entry for entry in archive.infolist()
    }  # Windows had backslashes


def entry_name(entry: zipfile.ZipInfo) -> str:
    """Return an entry's name: macOS writes UTF-8 and does not say so, and it would be read as that of an old DOS."""
    if entry.flag_bits & 0x800 or entry.filename.isascii():
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def refuse_entry(entry: zipfile.ZipInfo, name: str) -> None:
    """Raise Failure for an entry of a zip that is no plain file which can be read here."""
    if entry.flag_bits & 1:
        raise Failure(f"{name} is protected by a password.", "Hand in an archive without one.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise Failure(f"{name} is a link, not a file.", "Hand in the file itself.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        advice = "Make the archive with what your system brings along."
        raise Failure(f"{name} is compressed in a way that is not understood here.", advice)


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> bytes:
    """One entry, inflated at most to the limit of its kind whatever its header claims."""
    refuse_entry(entry, name)
    refuse_size(name, entry.file_size)
    with archive.open(entry) as file:
        content = file.read(size_limit(name) + 1)
    refuse_size(name, len(content))
    return content


def read_tar(file: BinaryIO, budget: Budget) -> Files:
    """Return the files in a tar that is not compressed."""
    entries = dict(tar_entries(file, budget))
    names, passed_over = sift_names(entries)

    def read(path: str) -> bytes:
        place, size = entries[path]
        if place < 0:
            raise Failure(f"{path} is a link or a device, not a file.", "Hand in the file itself.")
        refuse_size(path, size)
        file.seek(place)
        return file.read(size)

    return Files(tuple(names), read, passed_over=passed_over)


def tar_entries(file: BinaryIO, budget: Budget) -> Iterator[tuple[str, tuple[int, int]]]:
    """Return the path of each file in a tar, where its bytes begin, and how many there are; -1 for a link or a device.

    Read here and not by `tarfile`, which loops for ever on a negative size, and searches records by a pattern that
    takes quadratic time. Understood are the formats ustar, GNU (long names) and PAX (`path` and `size`).
    """
    place, end = 0, file.seek(0, io.SEEK_END)
    fields: dict[str, str] = {}
    if end < BLOCK:
        raise ValueError("no tar")
    while place + BLOCK <= end:
        file.seek(place)
        header = file.read(BLOCK)
        if not header.strip(b"\0"):
            return
        if tar_number(header[148:156]) != sum(header) - sum(header[148:156]) + 8 * ord(" "):
            raise ValueError("a damaged header")
        budget.spend(entries=1)
        kind, body = header[156:157], place + BLOCK
        is_record = kind in RECORDS
        size = int(fields["size"]) if "size" in fields and not is_record else tar_number(header[124:136])
        if size < 0 or (kind not in BODILESS and body + size > end):
            raise ValueError("a size that is negative, or beyond the archive")
        place = body if kind in BODILESS else body + -(-size // BLOCK) * BLOCK
        if is_record:
            fields |= tar_record(kind, file, size)
            continue
        path = (fields.get("path") or tar_path(header)).removeprefix("./")
        is_plain = kind in FILES and not any(key.startswith("GNU.sparse") for key in fields)
        fields = {}
        if kind != FOLDER and not path.endswith("/"):
            yield path, (body if is_plain else -1, size)


def tar_record(kind: bytes, file: BinaryIO, size: int) -> dict[str, str]:
    """Return the fields of a record about the file whose header follows: a long path (GNU), or keys and values (PAX).

    A pair is written `LENGTH KEY=VALUE`, with a line's end.
    """
    if size > MAX_RECORD:
        raise ValueError("a record that is far too long")
    record = file.read(size)
    fields = {}
    if kind == b"L":
        return {"path": record.rstrip(b"\0").decode("utf-8", "surrogateescape")}
    place = 0
    while kind == b"x" and place < len(record):
        digits = record[place : place + 12].partition(b" ")[0]
        if not len(digits) < int(digits) <= len(record) - place:
            raise ValueError("a pair of a length that can't be")
        pair = record[place + len(digits) + 1 : place + int(digits) - 1]
        key, _, value = pair.decode("utf-8", "surrogateescape").partition("=")
        fields[key] = value
        place += int(digits)
    return fields


def tar_number(text: bytes) -> int:
    """Return a number in a header of a tar: octal digits, or, after a byte of 128, binary."""
    if text[0] == 128:
        return int.from_bytes(text[1:], "big")
    return int(text.strip(b" \0") or b"0", 8)


def tar_path(header: bytes) -> str:
    """Return the path in a header of a tar, which ustar keeps in two parts."""
    parts = [header[:100]] if header[257:263] != b"ustar\0" else [header[345:500], header[:100]]
    return "/".join(part.partition(b"\0")[0].decode("utf-8", "surrogateescape") for part in parts if part[0])


# --- names


def sift_names(names: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Return the names that may be work, and what was passed over, with the reason; packages by their folder, counted.

    An operating system's litter is not named.
    """
    kept: list[str] = []
    passed_over: dict[str, str] = {}
    counts: Counter[str] = Counter()
    names = list(names)
    environments = {name.removesuffix(ENVIRONMENT_MARK) for name in names if name.endswith(ENVIRONMENT_MARK)}
    for name in names:
        if leads_out(name):
            passed_over[name[:100]] = ODD_PATH
        elif place := package_folder(name, environments):
            counts[place] += 1
        elif not litter_reason(name):
            kept.append(name)
    passed_over |= {place: f"{PACKAGES} ({count:,} files)" for place, count in counts.items()}
    return kept, passed_over


def package_folder(name: str, environments: Iterable[str] = ()) -> str:
    """Return the outermost folder of installed packages in which a file lies; empty for none.

    environments: the folders in which the mark of a Python environment lies.
    """
    outer = ""
    for place in parent_folders(name):
        if place and is_packages(place[len(outer) : -1], outer in environments):
            return place
        outer = place
    return ""


def is_packages(name: str, in_environment: bool) -> bool:
    """Whether a folder of this name holds installed packages. A student's work may lie in an environment's own."""
    return name in INSTALLED or (in_environment and name.lower() in ENVIRONMENT)


def leads_out(name: str) -> bool:
    """Whether a path leads out of the place that it is to lie in, or further down or along than any work does."""
    if len(name) > MAX_PATH or not name:
        return True
    parts = PurePosixPath(name).parts
    drive = len(parts) > 1 and len(parts[0]) == 2 and parts[0].endswith(":")
    long = any(len(part.encode("utf-8", "replace")) > MAX_NAME for part in parts)
    return name.startswith("/") or drive or long or ".." in parts or len(parts) > MAX_DEPTH


def litter_reason(name: str) -> str:
    """Which system or program left the file at this path without being asked; empty for a file that is meant."""
    for part in PurePosixPath(name).parts:
        if part in LITTER or part.startswith(("._", "~$")):
            return LITTER.get(part, "macOS" if part.startswith("._") else "Office")
    return ""


def size_limit(name: str) -> int:
    """Return how many bytes of a file of this name are read."""
    return MAX_BYTES if name_stem(name, ".ipynb") is None else MAX_NOTEBOOK_BYTES


def refuse_size(name: str, size: int) -> None:
    """Raise Failure for a file that is larger than `size_limit` allows."""
    limit = size_limit(name)
    if size > limit:
        reason = f"{name} has {size / 2**20:.0f} MiB or more; at most {limit // 2**20} MiB are read."
        if limit == MAX_NOTEBOOK_BYTES:
            raise Failure(reason, "Clear its outputs and save it again.")
        raise Failure(reason, "A model of this course takes well under 1 MiB: check what you saved.")
