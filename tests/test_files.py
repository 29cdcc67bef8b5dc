"""Archives in archives, names in any encoding and litter: what is in a submission is found, and nothing blows up."""

import io
import random
import tarfile
import time
import zipfile

import pytest

from autograder.core import CourseError, Failure
from autograder.lms._detect import read_cohort
from autograder.submissions import Budget, Files, litter_reason, sift_names, unpack, zip_files
from autograder.submissions import _archives as module
from autograder.submissions._archives import open_archive, open_files


def these(**content):
    files = {name: data if isinstance(data, bytes) else data.encode() for name, data in content.items()}
    return Files(tuple(files), files.__getitem__)


def tarred(**content):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, data in content.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return file.getvalue()


def nested(times, content):
    for number in range(times):
        content = {f"{number}.zip": zip_files(content)}
    return content


def test_the_one_archive_stands_for_what_it_holds():
    files = unpack(these(**{"work.zip": zip_files({"rnn/a.ipynb": b"a", "__MACOSX/._a": b""})}))
    assert files.names == ("rnn/a.ipynb",) and files.read("rnn/a.ipynb") == b"a"


def test_archives_among_files_and_in_archives_are_like_folders():
    inner = zip_files({"m.keras": b"m", "deeper.tar.gz": tarred(**{"n.keras": b"n"})})
    files = unpack(these(**{"a.ipynb": b"a", "models.zip": inner}))
    assert {name: files.read(name) for name in files.names} == {
        "a.ipynb": b"a",
        "models.zip/m.keras": b"m",
        "models.zip/deeper.tar.gz/n.keras": b"n",
    }


def test_what_lies_further_out_counts():
    files = unpack(these(**{"A.ipynb": b"new", "all.zip": zip_files({"x/a.ipynb": b"old", "b.keras": b"b"})}))
    assert files.names == ("A.ipynb", "all.zip/b.keras")


def test_three_archives_deep_and_no_deeper():
    deepest = unpack(these(**nested(4, {"a": b"a"}))).names
    assert deepest == ("2.zip/1.zip/0.zip/a",)
    assert unpack(these(**nested(5, {"a": b"a"}))).names == ("3.zip/2.zip/1.zip/0.zip",)


def test_a_damaged_archive_among_others_stays_a_file_and_alone_is_told():
    files = unpack(these(**{"a.ipynb": b"a", "models.zip": b"PK damaged"}))
    assert files.names == ("a.ipynb", "models.zip") and files.read("models.zip") == b"PK damaged"
    with pytest.raises(Failure, match="models.zip is not an archive that can be opened"):
        unpack(these(**{"x/models.zip": b"PK damaged"}))


def test_archives_beyond_the_budget_stay_files_and_cost_the_rest_nothing():
    bomb = tarred(zeros=bytes(15_000))
    crowd = zip_files({f"{number}.txt": b"" for number in range(15)})
    archives = {f"{number}.tgz": bomb for number in range(9)}
    names = unpack(these(**archives, **{"a.ipynb": b""}), budget=Budget(bytes=50_000)).names
    assert "a.ipynb" in names and {"0.tgz/zeros", "8.tgz"} <= set(names)
    names = unpack(these(**{"1.zip": crowd, "2.zip": crowd, "a": b""}), budget=Budget(entries=20)).names
    assert {"a", "2.zip", "1.zip/14.txt"} <= set(names) and "2.zip/14.txt" not in names
    for budget in (Budget(bytes=10_000), Budget(entries=0), Budget(seconds=0)):
        with pytest.raises(Failure, match="Expected a submission that takes at most"):
            unpack(these(**{"work.tgz": bomb}), budget=budget)


def test_of_a_crowd_notebooks_and_models_count_first_and_then_the_nearest(monkeypatch):
    monkeypatch.setattr(module, "MAX_FILES", 4)
    crowd = {f"data/{number}.csv": b"" for number in range(9)}
    files = unpack(
        these(**crowd, **{"x/y/z/m.keras": b"", "x/a.ipynb": b"", "x/y/b.csv": b"", "top.csv": b""})
    )
    assert set(files.names) == {"x/y/z/m.keras", "x/a.ipynb", "top.csv", "data/0.csv"}
    assert files.passed_over == {"9 more files": "at most 4 are read"}


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_other_ways_to_compress_are_told(method):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        archive.writestr("a.txt", b"a" * 99)
    with pytest.raises(Failure, match="compressed in a way"):
        open_archive("a.zip", content).read("a.txt")


def test_names_that_macos_wrote_in_utf8_without_saying_so():
    content = zip_files({"Übung 名.ipynb": b"x"})
    for start, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.index(start) + offset
        content = content[:place] + bytes(2) + content[place + 2 :]
    files = open_archive("a.zip", io.BytesIO(content))
    assert files.names == ("Übung 名.ipynb",) and files.read("Übung 名.ipynb") == b"x"


def test_names_of_an_old_dos_stay_readable():
    content = zip_files({"caf_.txt": b"x"}).replace(b"caf_", b"caf\x82")
    assert open_archive("a.zip", io.BytesIO(content)).names == ("café.txt",)


@pytest.mark.parametrize(
    "path, system",
    [
        ("__MACOSX/x/._a", "macOS"), ("._a.ipynb", "macOS"), ("x/.DS_Store", "macOS"), ("Thumbs.db", "Windows"),
        ("desktop.ini", "Windows"), ("~$report.docx", "Office"), (".ipynb_checkpoints/a.ipynb", "Jupyter"),
        ("a.ipynb", ""), ("thumbs/a.db", ""),
    ],
)  # fmt: skip
def test_litter_is_told_from_work(path, system):
    assert litter_reason(path) == system
    assert sift_names([path])[0] == ([] if system else [path])


# --- what costs nothing


WORK = {"a.ipynb": b"a", "m.keras": b"m"}


def names_in(files, slug="toy"):
    return set(unpack(these(**{"work.zip": zip_files(files)}), slug).names)


@pytest.mark.parametrize(
    "place",
    [
        "venv/lib/python3.11/site-packages/x/", "env/Lib/site-packages/", "node_modules/x/", ".tox/x/", "a/.nox/x/",
        "conda/conda-meta/", "x/y/dist-packages/z/",
    ],
)  # fmt: skip
def test_installed_packages_are_passed_over_and_counted(place, tmp_path):
    crowd = {f"{place}{number}.ipynb": b"" for number in range(2_500)}
    zipped_work = these(**{"work.zip": zip_files(WORK | crowd)})
    files = unpack(zipped_work)
    assert set(files.names) == set(WORK)
    [(name, why)] = (
        files.passed_over.items() or [("", "")] if litter_reason(place) == "" else [("", "(2,500 files)")]
    )
    assert place.startswith(name) and "(2,500 files)" in why
    for path, data in [*WORK.items(), *list(crowd.items())[:9]]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    assert set(open_files(tmp_path).names) == set(WORK)


def test_work_inside_an_environment_counts():
    inside = {"pyvenv.cfg": b"", "bin/python": b"", "lib/python3.11/x.ipynb": b"", "Scripts/y.ipynb": b""}
    assert names_in(WORK | inside) == {*WORK, "pyvenv.cfg"}
    assert names_in({"lib/x.ipynb": b"", "bin/y.ipynb": b""}) == {"lib/x.ipynb", "bin/y.ipynb"}


@pytest.mark.parametrize(
    "odd",
    [
        "../x",
        "/etc/x",
        "C:/x",
        "..\\x",
        "d/" * 30 + "x",
        "n" * 300,
        "é" * 200,
        "a\u0301" * 600,
        "/" * 5000 + "x",
    ],
)
def test_odd_paths_are_passed_over_one_by_one(odd):
    files = unpack(these(**{"work.zip": zip_files(WORK | {odd: b"odd"})}))
    assert set(files.names) == set(WORK) and len(files.passed_over) == 1
    [why] = files.passed_over.values()
    assert "leads out of the folder" in why


COURSE = {
    "course.toml": b"", "README.md": b"", "assignments/toy/toy.ipynb": b"mine", "assignments/toy/m.keras": b"m",
    "assignments/other/other.ipynb": b"", "autograder/files.py": b"", "datasets/x/train.csv": b"", "docs/a.md": b"",
}  # fmt: skip


@pytest.mark.parametrize("place", ["", "course-main/", "x/y/course-main/"])
def test_of_the_courses_own_folder_the_work_counts(place):
    course = {place + name: data for name, data in COURSE.items()}
    kept = {f"{place}{name}" for name in ("course.toml", "README.md", "assignments/toy/m.keras")}
    assert names_in(course) == kept | {f"{place}assignments/toy/toy.ipynb"}
    assert names_in({"course.zip": zip_files(course)}) >= {f"course.zip/{place}assignments/toy/toy.ipynb"}
    assert names_in(course | {f"{place}mine.ipynb": b""}) == kept | {f"{place}mine.ipynb"}
    assert names_in({"mine.ipynb": b"", "course.zip": zip_files(course)}) == {
        "mine.ipynb", *(f"course.zip/{name}" for name in kept)
    }  # fmt: skip
    assert not any(name.endswith(".ipynb") for name in names_in(course, slug=""))


def test_a_folder_that_only_has_a_file_called_like_a_courses_is_no_course():
    files = {"course.toml": b"", "docs/a.ipynb": b"", "tests/b.ipynb": b""}
    assert names_in(files) == set(files)


def test_a_model_that_a_browser_called_a_zip_stays_a_file():
    model = zip_files({"config.json": b"{}", "metadata.json": b"{}", "model.weights.h5": b""})
    assert names_in({"a.ipynb": b"", "m.keras.zip": model}) == {"a.ipynb", "m.keras.zip"}


# --- tar, against Python's own reader


FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}


@pytest.mark.parametrize("format", FORMATS)
def test_a_tar_is_read_as_by_tarfile(format):
    content = {
        "a.txt": b"a" * 511, "empty": b"", "x/" * 9 + "n" * 80 + "/" + "m" * 60: b"b" * 513, "block": b"c" * 512,
        "last": b"d",
    } | ({} if format == "ustar" else {"x/" * 15 + "q" * 240: b"long", "ü 名.txt": b"e", "./dot": b"f"})  # fmt: skip
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=FORMATS[format]) as archive:
        for name, data in content.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.uname = len(data), 1.25, "é"
            archive.addfile(entry, io.BytesIO(data))
        folder, sparse = tarfile.TarInfo("folder"), tarfile.TarInfo("link")
        folder.type, sparse.type, sparse.linkname = (
            tarfile.DIRTYPE,
            tarfile.SYMTYPE,
            "n" * 200 * (format != "ustar"),
        )
        archive.addfile(folder)
        archive.addfile(sparse)
    with tarfile.open(fileobj=io.BytesIO(file.getvalue())) as archive:
        expected = {
            entry.name.removeprefix("./"): archive.extractfile(entry).read()
            for entry in archive
            if entry.isreg()
        }
    files = open_archive("a.tar", file)
    assert {name: files.read(name) for name in files.names if name != "link"} == expected
    with pytest.raises(Failure, match="is a link or a device"):
        files.read("link")


def header(name=b"a", size=b"00000000001", kind=b"0"):
    """Return a header of a tar with any text for the size."""
    block = bytearray(512)
    block[:100], block[124:136], block[156:157] = name.ljust(100, b"\0"), size.ljust(12, b"\0"), kind
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def record(pair, size=None):
    """Return an extended header of a tar with any text for a pair, before a file."""
    size = len(pair) if size is None else size
    return header(kind=b"x", size=b"%011o" % size) + pair.ljust(512, b"\0") + header() + bytes(512)


CRAFTED = {
    "negative": header(size=b"-0000000001"),
    "negative binary": header(size=b"\xff" * 12),
    "huge binary": header(size=b"\x80" + b"\xff" * 11),
    "huge": header(size=b"77777777777"),
    "not octal": header(size=b"9"),
    "pair beyond the record": record(b"9999999999 a=b\n"),
    "pair of many digits": record(b"9" * 400 + b" a=b\n"),
    "pair of no length": record(b"0 a=b\n"),
    "pair of a negative length": record(b"-3 a=\n"),
    "negative in a pair": record(b"13 size=-512\n"),
    "many digits in a pair": record(b"411 size=" + b"9" * 401 + b"\n"),
    "record of a gigabyte": record(b"", size=2**30),
    "no checksum": b"x" * 512,
    "cut": b"x",
    "empty": b"",
}


@pytest.mark.parametrize("content", CRAFTED.values(), ids=CRAFTED)
def test_a_crafted_tar_is_damaged_at_once(content):
    start = time.process_time()
    with pytest.raises(Failure, match="not an archive that can be opened"):
        open_archive("a.tar", io.BytesIO(content + bytes(1024 if content[1:] else 0)))
    assert time.process_time() - start < 1


def test_a_sparse_file_in_a_tar_is_none_to_be_read():
    content = record(b"22 GNU.sparse.major=1\n") + bytes(1024)
    with pytest.raises(Failure, match="link or a device"):
        open_archive("a.tar", io.BytesIO(content)).read("a")


# --- zip


def test_entries_are_counted_before_objects_are_made(monkeypatch):
    made, whole = [], zipfile.ZipInfo
    crowd = zip_files({f"{number}/": b"" for number in range(3000)})
    monkeypatch.setattr(zipfile, "ZipInfo", lambda *names: made.append(names) or whole(*names))
    lying = crowd[:-12] + bytes(2) + crowd[-10:]  # it claims to hold none
    for content in (crowd, lying):
        with pytest.raises(Failure, match="takes at most"):
            open_archive("a.zip", io.BytesIO(content), Budget(entries=2999))
    assert not made
    open_archive("a.zip", io.BytesIO(crowd), Budget(entries=3000))
    assert made


def test_a_zip_of_zip64_that_leads_beyond_itself_is_damaged():
    content = bytearray(zip_files(WORK))
    place = content.index(b"PK\1\2")
    content[place + 42 : place + 46] = b"\xff" * 4  # its offset stands in an extra field, which there is not
    with pytest.raises(Failure):
        open_archive("a.zip", io.BytesIO(content)).read("a.ipynb")


@pytest.mark.parametrize("start", [b"", b"MZ a program that unpacks itself"])
def test_a_zip_that_breaks_off_behind_another_within_it_is_damaged(start, tmp_path):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("ann.zip", zip_files(WORK))
        place = archive.start_dir
        archive.writestr("bo.zip", zip_files(WORK))
    content = start + whole.getvalue()
    assert open_archive("c.zip", io.BytesIO(content)).names == ("ann.zip", "bo.zip")
    cut = whole.getvalue()[: place + 20]
    assert zipfile.ZipFile(io.BytesIO(cut)).namelist() == [
        *WORK
    ]  # Python takes the first within it for the whole
    with pytest.raises(Failure, match="damaged, incomplete"):
        open_archive("c.zip", io.BytesIO(cut))
    (tmp_path / "class.zip").write_bytes(cut)
    with pytest.raises(CourseError, match=r"can't be opened as a zip \(it breaks off\): download it again"):
        read_cohort(tmp_path / "class.zip", "toy")


def test_a_large_archive_is_read_where_it_lies(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_IN_MEMORY", 1000)
    data = random.Random(0).randbytes(50_000)
    (tmp_path / "outer.zip").write_bytes(
        zip_files({"inner.zip": zip_files(WORK | {"data.bin": data}), "b.txt": b"b"})
    )
    files = open_files(tmp_path / "outer.zip")
    assert {name.rpartition("/")[2]: files.read(name) for name in files.names} == WORK | {
        "data.bin": data,
        "b.txt": b"b",
    }
