"""Data sets that are fetched: downloaded once, or taken from a file at hand, known by their SHA-256, kept for a class.

`datasets/<name>/fetch.py` lists in FILES what there is, by the name that a file has in the cache: `url`, `sha256` (or
`md5`) and `bytes`; for a file out of a zip these are the zip's, and `member` holds the file's own. Its `make` gives the
rows. A file lies in the cache under its own name only when it is whole and the right one.
"""

import hashlib
import os
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

from autograder.core import Course, CourseError, is_exposed, load_module, unknown_name

CACHE = "AUTOGRADER_DATA"  # the environment variable that names a cache for many
PARTS = ".parts"  # where downloads grow, beside the data sets
ATTEMPTS = 5  # to go on with a download that breaks off and had got further
PATIENCE = 30.0  # seconds that a server may be silent
CHUNK = 1 << 16  # bytes

Notify = Callable[
    [str, int, int], None
]  # is told a file's name, the bytes that are here, and how many there will be


class NotFetched(CourseError):
    """A data set that is fetched is not on this machine."""

    def __init__(self, name: str):
        said = f"The data set {name} is not on this machine; `python -m autograder fetch {name}` gets it."
        super().__init__(said)


@dataclass(frozen=True)
class Remote:
    """What comes over the network for one file of a data set, and the file's name in the cache.

    digest: of what comes, as "sha256:..." or "md5:..."; inner: the file's own where it comes in a zip, else empty.
    """

    name: str
    url: str
    digest: str
    size: int
    inner: str = ""

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def comes_as(self) -> str:
        """The name of what comes."""
        return Path(urlsplit(self.url).path).name if self.inner else self.name

    def __str__(self) -> str:
        return f"{self.comes_as} ({self.size:,} bytes, {short_digest(self.digest)})"


def cache_folder(dataset: str) -> Path:
    """Return the folder on this machine for the files of a data set."""
    from platformdirs import user_cache_path

    shared = os.environ.get(CACHE)
    return (Path(shared).expanduser() if shared else user_cache_path("autograder", appauthor=False)) / dataset


def load_maker(dataset: Path) -> Callable:
    """`make(seed=..., **options)` of the data set in the folder `dataset`, generated or fetched.

    Raises NotFetched where it is one that is fetched, and was not; CourseError where a file is another one by now.
    """
    if not is_remote(dataset):
        return load_module(dataset / "generate.py").make
    if not is_fetched(dataset):
        raise NotFetched(dataset.name)
    module = load_module(dataset / "fetch.py")
    require_intact(dataset.name, read_remotes(module))
    return partial(module.make, folder=cache_folder(dataset.name))


def require_intact(dataset: str, files: Sequence[Remote]) -> None:
    """Raise CourseError unless each file has the digest that is listed; one that stays as it is is read once."""
    for remote in files:
        place, expected = cache_folder(dataset) / remote.name, remote.inner or remote.digest
        state = place.stat()
        marks = state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns
        if (got := digest_once(place, expected, marks)) != expected:
            raise CourseError(
                f"{place} was changed after it was fetched (expected {short_digest(expected)}, got "
                f"{short_digest(got)}): `python -m autograder fetch {dataset}` replaces it."
            )


@lru_cache(maxsize=256)
def digest_once(path: Path, like: str, marks: tuple[int, ...]) -> str:
    """Return the digest of a file as `digest_of` does; `marks` are those by which the system shows a change."""
    return digest_of(path, like)


def is_remote(dataset: Path) -> bool:
    return (dataset / "fetch.py").is_file()


def is_fetched(dataset: Path) -> bool:
    """Return True if all files of the data set are on this machine."""
    return all(
        (cache_folder(dataset.name) / name).is_file() for name in load_module(dataset / "fetch.py").FILES
    )


def open_cache(course: Course) -> str:
    """Return a line that names a folder of fetched data which every user can change; empty where there is none."""
    folders = [cache_folder(dataset.name) for dataset in remote_datasets(course, ())]
    for folder in dict.fromkeys([*(folder.parent for folder in folders), *folders]):
        if is_exposed(folder, stat.S_IWOTH):
            return f"Every user of this machine can change the data in {folder}. Run: chmod -R o-w {folder}"
    return ""


def remote_datasets(course: Course, names: Sequence[str]) -> list[Path]:
    """Return the folders of the data sets that are fetched: those named, or all."""
    known = {path.parent.name: path.parent for path in sorted(course.root.glob("datasets/*/fetch.py"))}
    for name in names:
        if name not in known:
            raise unknown_name("data set to fetch", name, known)
    return [known[name] for name in names or known]


def read_remotes(module: ModuleType) -> list[Remote]:
    """Return what a fetch.py lists in FILES."""

    def digest(entry: dict) -> str:
        kind = "sha256" if "sha256" in entry else "md5"
        return f"{kind}:{entry[kind]}"

    return [
        Remote(
            name,
            entry["url"],
            digest(entry),
            entry["bytes"],
            digest(entry["member"]) if "member" in entry else "",
        )
        for name, entry in module.FILES.items()
    ]


def download_size(dataset: Path) -> int:
    """Return the bytes that come over the network for a data set."""
    return sum(remote.size for remote in read_remotes(load_module(dataset / "fetch.py")))


def fetch(dataset: Path, offered: Sequence[Path] = (), told: Notify = lambda *_: None) -> Iterator[str]:
    """Get each file of a data set that is not here yet; yield a line for each.

    offered: files at hand, taken in place of a download, whatever their names. Raises CourseError, in one line, for
    what goes wrong; what has arrived of a download stays aside, and the next run goes on from there.
    """
    folder, files = cache_folder(dataset.name), read_remotes(load_module(dataset / "fetch.py"))
    chosen = {source: matching_names(source, files) for source in offered}
    with create_folder(folder):
        for remote in files:
            place = folder / remote.name
            sources = [source for source, names in chosen.items() if remote.name in names]
            if place.is_file() and digest_of(place, remote.inner or remote.digest) == (
                remote.inner or remote.digest
            ):
                yield f"{place}: here already"
                continue
            place.unlink(missing_ok=True)
            if sources:
                move_into_cache(sources[0], remote, place, copy=True)
                yield f"{place}: taken from {sources[0]}"
            else:
                move_into_cache(download(remote, folder.parent / PARTS, dataset.name, told), remote, place)
                yield f"{place}: fetched from {remote.host}"


def matching_names(source: Path, files: Sequence[Remote]) -> set[str]:
    """Return the names of the files that `source` holds, by its digest alone."""
    if not source.is_file():
        raise CourseError(f"There is no file {source}: --file names one that you have.")
    digests = {digest_of(source, kind) for kind in ("sha256", "md5")}
    if names := {remote.name for remote in files if {remote.digest, remote.inner} & digests}:
        return names
    expected, size = "; or ".join(map(str, files)), source.stat().st_size
    said = f"{source} ({size:,} bytes, {short_digest(digest_of(source, 'sha256'))}) is not what is expected"
    raise CourseError(f"{said}: {expected}. Nothing was taken.")


def digest_of(path: Path, like: str) -> str:
    """Return the digest of a file, of the kind that `like` begins with: "sha256:..." or "md5:..."."""
    kind = like.partition(":")[0]
    with path.open("rb") as file:
        return f"{kind}:{hashlib.file_digest(file, kind).hexdigest()}"


def short_digest(digest: str) -> str:
    """Return the beginning of a digest, for people to compare."""
    kind, _, digits = digest.partition(":")
    return f"{kind} {digits[:12]}…"


@contextmanager
def create_folder(folder: Path) -> Iterator[None]:
    """Make the folder; raise one line that says what keeps a person from writing there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        said = f"{folder} can't be written: {error.strerror or error}"
        raise CourseError(f"{said}; set {CACHE} to a folder that is yours, or make room.") from None


def move_into_cache(source: Path, remote: Remote, place: Path, copy: bool = False) -> None:
    """Put what came to its place in the cache, whole and right or not at all. copy: leaves `source` where it is."""
    draft = place.with_name(f".{place.name}.draft")
    try:
        if remote.inner and zipfile.is_zipfile(source):
            extract_member(source, remote, draft)
        else:
            shutil.copyfile(source, draft)
        os.replace(draft, place)
    finally:
        draft.unlink(missing_ok=True)
        if not copy:
            source.unlink(missing_ok=True)


def extract_member(archive: Path, remote: Remote, draft: Path) -> None:
    """Return the file `one` out of the archive that it comes in."""
    with zipfile.ZipFile(archive) as opened, opened.open(remote.name) as inner, draft.open("wb") as file:
        shutil.copyfileobj(inner, file, CHUNK)
    if digest_of(draft, remote.inner) != remote.inner:
        raise CourseError(
            f"{remote.name} in {remote.comes_as} is not the file that is expected: nothing was kept."
        )


def download(remote: Remote, aside: Path, dataset: str, told: Notify) -> Path:
    """Return what comes for a file, in the folder `aside`; resumed where an earlier run got to, and checked."""
    import pooch
    import requests
    from filelock import FileLock

    aside.mkdir(exist_ok=True)
    kept, part = f"{dataset}-{remote.comes_as}", aside / f"{dataset}-{remote.comes_as}.part"
    pooch.get_logger().setLevel("ERROR")
    by_hand = f"or get it elsewhere: `python -m autograder fetch {dataset} --file {remote.comes_as}`"
    try:
        with FileLock(f"{part}.lock"):  # two of a class may fetch into one cache
            goes_on = partial(resume_download, remote, part, told)
            return Path(pooch.retrieve(remote.url, remote.digest, kept, aside, downloader=goes_on))
    except requests.RequestException as error:
        why = describe_download_error(error, remote) + describe_progress(part, remote)
    except ValueError:  # of pooch: another digest
        why = f"what {remote.host} sent is not {remote} and was thrown away: run it again"
    raise CourseError(f"{dataset}: {why}, {by_hand}.")


def describe_download_error(error: Exception, remote: Remote) -> str:
    """Return what kept a download from going on; the text of requests' own errors is a page long."""
    import requests

    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return f"{remote.host} was silent for {PATIENCE:g} s"
    if isinstance(error, requests.HTTPError):
        return f"{remote.host} answers {error.response.status_code} {error.response.reason} to {remote.url}"
    if isinstance(error, requests.ConnectionError):
        return f"there is no connection to {remote.host}"
    return f"the download from {remote.host} broke off"


def describe_progress(part: Path, remote: Remote) -> str:
    """Return how much of a download has arrived, and what to do."""
    if have := downloaded_bytes(part):
        return f", after {have:,} of {remote.size:,} bytes: run it again, it goes on from there"
    return ": run it again later"


def resume_download(remote: Remote, part: Path, told: Notify, url: str, output: str, _pooch: object) -> None:
    """Download for pooch: let `part` grow until it is whole, then move it to `output`.

    It goes on where an earlier run broke off, if the server can, and tries anew while it gets further. Raises what
    requests raises; whether it is the right file pooch says.
    """
    import requests

    for _ in range(ATTEMPTS):
        before, broken = downloaded_bytes(part), None
        try:
            request_rest(remote, part, told, url)
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
        ) as error:
            broken = error
        if downloaded_bytes(part) >= remote.size:
            os.replace(part, output)
            return
        if downloaded_bytes(part) == before:
            break
    raise broken or requests.exceptions.ChunkedEncodingError("it is shorter than expected")


def downloaded_bytes(part: Path) -> int:
    """Return how many bytes of a download are here."""
    return part.stat().st_size if part.is_file() else 0


def request_rest(remote: Remote, part: Path, told: Notify, url: str) -> None:
    """One request for what is missing of `part`; a server that can't go on in the middle sends all of it."""
    import requests

    have = downloaded_bytes(part)
    asks = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, stream=True, timeout=PATIENCE, headers=asks) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            part.unlink()  # there is no more where it ends: it was never the right one
            return
        answer.raise_for_status()
        goes_on = answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        with part.open("ab" if have and goes_on else "wb") as file:
            for chunk in answer.iter_content(CHUNK):
                file.write(chunk)
                told(remote.name, file.tell(), remote.size)
                if file.tell() > remote.size:
                    return
