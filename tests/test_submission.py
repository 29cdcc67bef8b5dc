"""Submissions are read in place; whatever is in them ends in bytes or in a Failure that a student understands."""

import contextlib
import io
import json
import os
import stat
import tarfile
import time
import unicodedata
import zipfile

import pytest

from autograder.core import Failure, NeedsReview, names_student, read_signature, split_tokens
from autograder.models import Predictor
from autograder.rubric import ItemRun, Submission, item, read_cells, record_run, score
from autograder.submissions import _archives as module
from autograder.submissions._cells import MAX_TEXT


def opened(path):
    return Submission("ann", path, Predictor(), sandbox=None)


def zipped(path, **files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def complaint(path, name="a.txt", kind=Failure):
    with pytest.raises(kind) as caught:
        opened(path).read(name)
    return str(caught.value)


def test_files_are_found_by_name_in_whichever_folder(tmp_path):
    (tmp_path / "work" / "deep").mkdir(parents=True)
    (tmp_path / "work" / "deep" / "A.TXT").write_text("found")
    assert opened(tmp_path / "work").read("a.txt") == b"found"
    assert opened(zipped(tmp_path / "w.zip", **{"x/y/a.txt": "zipped"})).read("a.txt") == b"zipped"
    assert opened(zipped(tmp_path / "b.zip", **{"x\\a.txt": "by an old Windows program"})).read("a.txt")


def test_the_file_nearest_the_top_counts_and_of_two_at_one_depth_a_person_decides(tmp_path):
    files = {"a.txt": "top", "old/a.txt": "old"}
    assert opened(zipped(tmp_path / "1.zip", **files)).read("a.txt") == b"top"
    assert "2 files are called a.txt: new/a.txt, old/a.txt" in complaint(
        zipped(tmp_path / "2.zip", **{"new/a.txt": "1", "old/a.txt": "2"}), kind=NeedsReview
    )


def test_litter_of_operating_systems_is_not_seen(tmp_path):
    litter = {"__MACOSX/a.txt": "", "work/._a.txt": "", ".ipynb_checkpoints/a.txt": "", "work/a.txt": "mine"}
    assert opened(zipped(tmp_path / "a.zip", **litter)).read("a.txt") == b"mine"


def test_a_missing_file_is_named_with_what_is_there(tmp_path):
    path = zipped(tmp_path / "a.zip", **{"models.keras": "", "notes.md": ""})
    assert "no other.csv in your submission; it holds models.keras, notes.md" in complaint(path, "other.csv")
    assert "there is models.keras" in complaint(path, "model.keras")
    (tmp_path / "empty").mkdir()
    assert "it is empty" in complaint(tmp_path / "empty")


def test_links_and_pipes_are_not_followed(tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "secret").write_text("the marks")
    (work / "a.txt").symlink_to(tmp_path / "secret")
    os.mkfifo(work / "pipe.txt")
    (work / "folder").symlink_to(tmp_path)
    assert "link or a device" in complaint(work)
    assert "link or a device" in complaint(work, "pipe.txt")
    assert "There is no secret" in complaint(work, "secret")


def test_a_link_in_an_archive_is_refused(tmp_path):
    entry = zipfile.ZipInfo("a.txt")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    assert "is a link" in complaint(tmp_path / "a.zip")


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut short"])
def test_what_is_no_archive_is_told_so(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    assert "not an archive that can be opened" in complaint(tmp_path / "a.zip")


def test_archives_with_any_byte_changed_end_in_bytes_or_failure(tmp_path):
    path = zipped(tmp_path / "a.zip", **{"work/a.txt": "content " * 9})
    whole = path.read_bytes()
    outcomes = set()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            opened(path).read("a.txt")
            outcomes.add("read")
        except Failure:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}


def test_a_bomb_is_stopped_by_what_comes_out_not_by_what_it_claims(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 50_000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", bytes(10_000_000))
    claims = (
        (tmp_path / "a.zip")
        .read_bytes()
        .replace((10_000_000).to_bytes(4, "little"), (9).to_bytes(4, "little"))
    )
    (tmp_path / "liar.zip").write_bytes(claims)
    assert "10 MiB" in complaint(tmp_path / "a.zip")
    assert complaint(tmp_path / "liar.zip")


def test_of_a_crowd_of_files_the_nearest_count(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_FILES", 3)
    files = {f"{number}.txt": "" for number in range(4)}
    files |= {"x/y/a.txt": "", "b/a.ipynb": ""}
    assert "x/y/a.txt" not in opened(zipped(tmp_path / "a.zip", **files)).files.names
    (tmp_path / "work").mkdir()
    for name in files:
        (tmp_path / "work" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "work" / name).touch()
    assert "b/a.ipynb" in opened(tmp_path / "work").files.names
    assert "there is no" in complaint(tmp_path / "work").lower()


def test_a_protected_archive_says_so(tmp_path):
    path = zipped(tmp_path / "a.zip", **{"a.txt": "x"})
    locked = bytearray(path.read_bytes())
    for start, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(start) + offset] |= 1
    path.write_bytes(locked)
    assert "password" in complaint(path)


def tarred(path, *entries, **files):
    with tarfile.open(path, "w:gz" if path.suffix in {".gz", ".tgz"} else "w") as archive:
        for name, text in files.items():
            entries += ((tarfile.TarInfo(name), text),)
        for entry, text in entries:
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


def link(name, kind, target="/etc/passwd"):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry, ""


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.TGZ"])
def test_tar_archives_are_read(tmp_path, name):
    path = tarred(tmp_path / name.lower(), **{"./work/a.txt": "tarred", "work/._a.txt": "litter"})
    assert opened(path.rename(tmp_path / name)).read("a.txt") == b"tarred"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    assert "link or a device" in complaint(tarred(tmp_path / "a.tar", link("a.txt", kind)))


@pytest.mark.parametrize(
    "name", ["../a.txt", "/a.txt", "x/../../a.txt", "C:/a.txt", "C:\\a.txt", "d/" * 30 + "a.txt"]
)
def test_paths_that_lead_out_or_far_down_are_passed_over(tmp_path, name):
    assert "leads out" in complaint(zipped(tmp_path / "a.zip", **{name: ""}))
    files = opened(zipped(tmp_path / "b.zip", **{name: "", "work.ipynb": "{}"})).files
    assert files.names == ("work.ipynb",) and len(files.passed_over) == 1


def test_tar_bombs_are_stopped(tmp_path, monkeypatch):
    path = tarred(tmp_path / "a.tar.gz", **{"a.txt": "x" * 10_000_000})
    monkeypatch.setattr(module, "MAX_BYTES", 50_000)
    assert "MiB" in complaint(path)


def test_any_byte_of_a_tar_changed_ends_in_bytes_or_failure(tmp_path):
    path = tarred(tmp_path / "a.tgz", **{"work/a.txt": "content " * 9})
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with contextlib.suppress(Failure):
            opened(path).read("a.txt")


def test_names_in_any_script_and_either_form_of_accents(tmp_path):
    decomposed = unicodedata.normalize("NFD", "résumé.txt")
    assert (
        opened(zipped(tmp_path / "ответ.zip", **{f"работа/{decomposed}": "da"})).read("résumé.txt") == b"da"
    )


def test_the_one_notebook_is_found_whatever_its_name(tmp_path):
    assert (
        opened(zipped(tmp_path / "1.zip", **{"x/My Work (3).ipynb": "{}", "a.py": ""})).notebook
        == "x/My Work (3).ipynb"
    )
    for name, files, kind, expected in [
        ("2", {"a.ipynb": "1", "b.ipynb": "2"}, NeedsReview, "2 notebooks are handed in: a.ipynb, b.ipynb"),
        ("3", {"model.keras": ""}, Failure, "There is no notebook in your submission; it holds model.keras"),
    ]:
        with pytest.raises(kind, match=expected):
            _ = opened(zipped(tmp_path / f"{name}.zip", **files)).notebook


def signature(name, content):
    return read_signature(source for kind, source, _ in read_cells(name, content) if kind == "code").text


def code_cells(*sources):
    return json.dumps({"cells": [{"cell_type": "code", "source": source} for source in sources]}).encode()


@pytest.mark.parametrize(
    "cells, expected",
    [
        (['STUDENT = "ann.lee"'], "ann.lee"),
        (["import os\nSTUDENT='Ann Lee'  # that's me\nx = 1"], "Ann Lee"),
        ([["STUDENT = ", '"ann"\r\n', "x = 1"]], "ann"),
        (['STUDENT = "ann"', 'STUDENT = "bob"'], "bob"),
        (['STUDENT = "李明"'], "李明"),
        (["STUDENT = ..."], ""),
        (['STUDENT = "..."'], ""),
        (['STUDENT = ""'], ""),
        (["x = 1"], ""),
        ([], ""),
        (['STUDENT = "ann"', "STUDENT = ..."], ""),
        (['    STUDENT = "ann"', '# STUDENT = "bob"', 'THE_STUDENT = "cy"', 'STUDENT == "di"'], ""),
        (['STUDENT = "ann"\nSTUDENT == "bob"'], "ann"),
        (['STUDENT = "ann" + "lee"'], "annlee"),
        (['STUDENT = "ann." + surname'], ""),
        (["STUDENT = \"ann'"], ""),
        (['STUDENT = "an\\x6e"'], "ann"),
        (['STUDENT = "a\nnn"'], ""),
        ([f'STUDENT = "{"a" * 101}"'], ""),
        (['STUDENT = exit("run")'], ""),
    ],
)
def test_a_signature_is_read_as_text(cells, expected):
    assert signature("work.ipynb", code_cells(*cells)) == expected


def test_a_signature_in_prose_or_in_a_result_does_not_count():
    prose = {"cell_type": "markdown", "source": 'STUDENT = "bob"'}
    code = {"cell_type": "code", "source": 'STUDENT = "ann"', "outputs": [{"text": 'STUDENT = "cy"'}]}
    assert signature("work.ipynb", json.dumps({"cells": [code, prose]}).encode()) == "ann"
    assert signature("work.py", b'STUDENT = "ann"\n') == "ann"


@pytest.mark.parametrize(
    "content, complaint",
    [
        (b"[" * 10**6, "not a notebook that can be read"),
        (b'{"cells": ' + b"9" * 10**6 + b"}", "not a notebook that can be read"),
        (b'{"cells": {"cells": 3}}', "not a notebook that can be read"),
        (b"", "not a notebook that can be read"),
        (b"\xff\xfe\x00\xd8", "not a notebook that can be read"),
        (b" " * (MAX_TEXT + 2**20), "17 MiB, at most 16 MiB are read. Keep data and pictures out"),
    ],
)
def test_a_hostile_notebook_has_no_signature(content, complaint):
    with pytest.raises(Failure, match=complaint):
        signature("work.ipynb", content)


@pytest.mark.parametrize(
    "cell",
    [
        'STUDENT = "' + "a" * 10**6,
        "STUDENT = " + " " * 10**6,
        'STUDENT = "a"' + " " * 10**6 + "x",
        "STUDENT" + "\t" * 10**6,
        'STUDENT = "a"\n' * 10**5,
    ],
)
def test_no_line_makes_reading_a_signature_slow(cell):
    started = time.process_time()
    signature("work.ipynb", code_cells(cell))
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "signed, student, same",
    [
        ("ann.lee", "lee_ann_12345", True),
        ("Ann Lee", "ann.lee", True),
        ("rémy", "re\u0301my_7", True),
        ("ann", "joanne", False),
        ("ann", "ann2", False),
        ("ann.lee", "ann", False),
        ("bob", "ann", False),
        ("", "ann", False),
        ("...", "ann", False),
        ("", "", False),
    ],
)
def test_a_signature_stands_for_a_student(signed, student, same):
    assert names_student(signed, frozenset(split_tokens(student))) is same


@pytest.mark.parametrize(
    "signed, same",
    [
        ("jane.doe", True),
        ("doe jane", True),
        ("doejane", True),
        ("jane", False),
        ("rnn", False),
        ("jane.rnn", False),
    ],
)
def test_names_run_together_and_words_of_all(signed, same):
    assert names_student(signed, frozenset({"doejane", "1234", "rnn"}), [{"rnn"}]) is same


def test_a_word_of_the_whole_class_signs_for_nobody(tmp_path):
    path = zipped(tmp_path / "a.zip", **{"work.ipynb": code_cells('STUDENT = "rnn"').decode()})
    words = {"words": frozenset({"rnn", "ann"}), "shared": frozenset({frozenset({"rnn"})})}
    with pytest.raises(NeedsReview, match="signed by rnn"):
        _ = Submission("rnn_ann", path, Predictor(), None, **words).signed


def test_own_numbers_are_drawn_from_the_signature_of_whoever_hands_it_in(tmp_path):
    def signed(student, **files):
        archive = zipped(tmp_path / f"{len(list(tmp_path.iterdir()))}.zip", **files)
        return Submission(student, archive, Predictor(), sandbox=None).signed

    mine = {"work.ipynb": code_cells('STUDENT = "ann.lee"').decode()}
    assert signed("lee_ann_12345", **mine) == "ann.lee"
    with pytest.raises(NeedsReview, match="notebook that bob handed in is signed by ann.lee"):
        signed("bob", **mine)
    with pytest.raises(Failure, match='not signed.*Set STUDENT = "..." in its first cell'):
        signed("ann", **{"work.py": "STUDENT = ..."})
    with pytest.raises(Failure, match="There is no notebook"):
        signed("ann", **{"notes.txt": ""})


def test_a_person_who_must_settle_a_signature_reads_what_the_item_would_give(tmp_path):
    @item(points=4)
    def counts(submission):
        """Return an item on numbers of one's own."""
        return 0.75 if submission.signed == "ann.lee" else 0

    path = zipped(tmp_path / "a.zip", **{"work.ipynb": code_cells('STUDENT = "ann.lee"').decode()})
    theirs, bobs = (score(counts, Submission(name, path, Predictor(), None)) for name in ("lee_ann", "bob"))
    assert theirs.earned == 3
    assert (bobs.outcome, bobs.earned) == ("broken", None)
    assert bobs.message.endswith("is signed by ann.lee. (by the numbers of ann.lee: 3 of 4 points)")


def test_an_archive_that_is_written_here_follows_from_its_files_alone(tmp_path):
    files = {"b.txt": b"two", "a/b.txt": b"one" * 999}
    content = module.zip_files(files)
    assert content == module.zip_files(dict(reversed(files.items())))
    (tmp_path / "a.zip").write_bytes(content)
    archive = zipfile.ZipFile(tmp_path / "a.zip")
    assert archive.namelist() == ["a/b.txt", "b.txt"] and len(content) < 500
    assert {(entry.date_time, entry.external_attr >> 16) for entry in archive.infolist()} == {
        ((1980, 1, 1, 0, 0, 0), 0o644)
    }
    assert opened(tmp_path / "a.zip").files.read("a/b.txt") == b"one" * 999


@pytest.mark.parametrize(
    "names, taken",
    [
        (["model (1).keras"], "model (1).keras"),
        (["model-1.keras", "model-2.keras", "model-10.keras"], "model-10.keras"),
        (["Copy of model.keras"], "Copy of model.keras"),
        (["Model (2).KERAS", "notes (3).md"], "Model (2).KERAS"),
        (["model.keras", "model (2).keras"], "model.keras"),
    ],
)
def test_the_latest_copy_stands_for_a_file_that_is_not_there_itself(tmp_path, names, taken):
    files = {name: name for name in names}
    submission = opened(zipped(tmp_path / "a.zip", **files))
    with record_run(ItemRun()) as run:
        assert submission.read("model.keras").decode() == taken
    assert [remark.text for remark in run.remarks] == (
        [] if taken == "model.keras" else [f"{taken} was taken for model.keras."]
    )


def test_copies_that_no_number_tells_apart_are_left_to_a_person(tmp_path):
    path = zipped(tmp_path / "a.zip", **{"a/model-1.keras": "1", "b/model-1.keras": "2"})
    assert "2 files are called model.keras" in complaint(path, "model.keras", kind=NeedsReview)


def test_the_latest_copy_of_a_notebook_counts_and_two_notebooks_do_not(tmp_path):
    copies = zipped(tmp_path / "a.zip", **{"work.ipynb": "", "work (1).ipynb": "", "work (2).ipynb": ""})
    with record_run(ItemRun()) as run:
        assert opened(copies).notebook == "work (2).ipynb"
    assert "Of 3 copies of the notebook, work (2).ipynb counts" in run.remarks[0].text
    two = zipped(tmp_path / "b.zip", **{"work.ipynb": "1", "other (1).ipynb": "2"})
    with pytest.raises(NeedsReview, match="2 notebooks are handed in"):
        _ = opened(two).notebook
