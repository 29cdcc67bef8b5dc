"""Archives in archives, names in any encoding and litter: what is in a submission is found, and nothing blows up."""

import io
import tarfile
import zipfile

import pytest

from autograder import files as module
from autograder.failure import Failure
from autograder.files import Budget, Files, archived, litter_of, sifted, unpacked, zipped


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
        content = {f"{number}.zip": zipped(content)}
    return content


def test_the_one_archive_stands_for_what_it_holds():
    files = unpacked(these(**{"work.zip": zipped({"rnn/a.ipynb": b"a", "__MACOSX/._a": b""})}))
    assert files.names == ("rnn/a.ipynb",) and files.read("rnn/a.ipynb") == b"a"


def test_archives_among_files_and_in_archives_are_like_folders():
    inner = zipped({"m.keras": b"m", "deeper.tar.gz": tarred(**{"n.keras": b"n"})})
    files = unpacked(these(**{"a.ipynb": b"a", "models.zip": inner}))
    assert {name: files.read(name) for name in files.names} == {
        "a.ipynb": b"a",
        "models.zip/m.keras": b"m",
        "models.zip/deeper.tar.gz/n.keras": b"n",
    }


def test_what_lies_further_out_counts():
    files = unpacked(these(**{"A.ipynb": b"new", "all.zip": zipped({"x/a.ipynb": b"old", "b.keras": b"b"})}))
    assert files.names == ("A.ipynb", "all.zip/b.keras")


def test_three_archives_deep_and_no_deeper():
    deepest = unpacked(these(**nested(4, {"a": b"a"}))).names
    assert deepest == ("2.zip/1.zip/0.zip/a",)
    assert unpacked(these(**nested(5, {"a": b"a"}))).names == ("3.zip/2.zip/1.zip/0.zip",)


def test_a_damaged_archive_among_others_stays_a_file_and_alone_is_told():
    files = unpacked(these(**{"a.ipynb": b"a", "models.zip": b"PK damaged"}))
    assert files.names == ("a.ipynb", "models.zip") and files.read("models.zip") == b"PK damaged"
    with pytest.raises(Failure, match="models.zip is not an archive that can be opened"):
        unpacked(these(**{"x/models.zip": b"PK damaged"}))


def test_archives_beyond_the_budget_stay_files_and_cost_the_rest_nothing():
    bomb = tarred(zeros=bytes(15_000))
    crowd = zipped({f"{number}.txt": b"" for number in range(15)})
    archives = {f"{number}.tgz": bomb for number in range(9)}
    names = unpacked(these(**archives, **{"a.ipynb": b""}), budget=Budget(bytes=50_000)).names
    assert "a.ipynb" in names and {"0.tgz/zeros", "8.tgz"} <= set(names)
    names = unpacked(these(**{"1.zip": crowd, "2.zip": crowd, "a": b""}), budget=Budget(entries=20)).names
    assert {"a", "2.zip", "1.zip/14.txt"} <= set(names) and "2.zip/14.txt" not in names
    for budget in (Budget(bytes=10_000), Budget(entries=0), Budget(seconds=0)):
        with pytest.raises(Failure, match="Expected a submission that takes at most"):
            unpacked(these(**{"work.tgz": bomb}), budget=budget)


def test_of_a_crowd_notebooks_and_models_count_first_and_then_the_nearest(monkeypatch):
    monkeypatch.setattr(module, "MOST_FILES", 4)
    crowd = {f"data/{number}.csv": b"" for number in range(9)}
    files = unpacked(
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
        archived("a.zip", content).read("a.txt")


def test_names_that_macos_wrote_in_utf8_without_saying_so():
    content = zipped({"Übung 名.ipynb": b"x"})
    for start, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.index(start) + offset
        content = content[:place] + bytes(2) + content[place + 2 :]
    files = archived("a.zip", io.BytesIO(content))
    assert files.names == ("Übung 名.ipynb",) and files.read("Übung 名.ipynb") == b"x"


def test_names_of_an_old_dos_stay_readable():
    content = zipped({"caf_.txt": b"x"}).replace(b"caf_", b"caf\x82")
    assert archived("a.zip", io.BytesIO(content)).names == ("café.txt",)


@pytest.mark.parametrize(
    "path, system",
    [
        ("__MACOSX/x/._a", "macOS"), ("._a.ipynb", "macOS"), ("x/.DS_Store", "macOS"), ("Thumbs.db", "Windows"),
        ("desktop.ini", "Windows"), ("~$report.docx", "Office"), (".ipynb_checkpoints/a.ipynb", "Jupyter"),
        ("a.ipynb", ""), ("thumbs/a.db", ""),
    ],
)  # fmt: skip
def test_litter_is_told_from_work(path, system):
    assert litter_of(path) == system
    assert sifted([path])[0] == ([] if system else [path])
