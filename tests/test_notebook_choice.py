"""Which of several files is the notebook, or the one that an item asks for: as a helpful person would find it."""

import io
import json
import zipfile
from dataclasses import replace

import pytest
from test_submission import code_cells, zipped

from autograder.core import Failure, NeedsReview
from autograder.models import Predictor
from autograder.rubric import Expected, ItemRun, Submission, record_run
from autograder.submissions import name_stem
from autograder.submissions._filenames import strip_copy_marks

EXPECTED = Expected(slug="lab", functions=frozenset({"double"}))


def cells(*sources):
    return code_cells(*sources).decode()


MINE = cells('STUDENT = "ann"', "def double(x): return 2 * x")
OLDER = cells('STUDENT = "ann"', "def double(x): return x")
SCRATCH = cells("1 + 1")
STARTER = cells("STUDENT = ...", "def double(x): ...")
OTHER = cells('STUDENT = "ann"', "def triple(x): return 3 * x")

CHOSEN = {  # the files, and which one counts
    "alone, of any name": ({"My Work (3).ipynb": MINE}, "My Work (3).ipynb"),
    "in capitals": ({"LAB.IPYNB": MINE, "other.ipynb": OTHER}, "LAB.IPYNB"),
    "a copy of Jupyter's": ({"lab.ipynb": MINE, "lab-Copy1.ipynb": OLDER}, "lab.ipynb"),
    "a copy of Windows's": ({"lab.ipynb": MINE, "lab - Copy (2).ipynb": OLDER}, "lab.ipynb"),
    "a copy of macOS's": ({"lab.ipynb": MINE, "lab copy 2.ipynb": OLDER}, "lab.ipynb"),
    "a German copy": ({"lab.ipynb": MINE, "Kopie von lab.ipynb": OLDER, "lab - Kopie.ipynb": "1"}, "lab.ipynb"),
    "a dated copy": ({"lab.ipynb": MINE, "lab_2027-03-04.ipynb": OLDER}, "lab.ipynb"),
    "a copy that ends": ({"lab.ipynb": MINE, "lab_final.ipynb": OLDER}, "lab.ipynb"),
    "a folder of old work": ({"lab.ipynb": MINE, "old/lab.ipynb": OLDER}, "lab.ipynb"),
    "all in a folder": ({"ann/work/lab.ipynb": MINE, "ann/work/old/lab.ipynb": OLDER}, "ann/work/lab.ipynb"),
    "a scratch pad": ({"Untitled.ipynb": SCRATCH, "lab.ipynb": MINE}, "lab.ipynb"),
    "another assignment's": ({"lab.ipynb": MINE, "rnn.ipynb": OTHER}, "lab.ipynb"),
    "an autosave": ({"w.ipynb": MINE, ".~w.ipynb": OLDER, "w (autosaved).ipynb": OLDER}, "w.ipynb"),
    "a loose checkpoint": ({"w.ipynb": MINE, "w-checkpoint.ipynb": OLDER}, "w.ipynb"),
    "of an extension": ({"w.ipynb": MINE, ".virtual_documents/w.ipynb": "x = 1"}, "w.ipynb"),
    "of VS Code": ({"w.ipynb": MINE, ".history/w_20270304.ipynb": OLDER}, "w.ipynb"),
    "of a browser": ({"lab.ipynb.txt": MINE, "other.ipynb": OTHER}, "lab.ipynb.txt"),
    "of another browser": ({"lab.ipynb.json": MINE}, "lab.ipynb.json"),
    "of a third": ({"lab.ipynb (1).download": MINE}, "lab.ipynb (1).download"),
    "a doubled ending": ({"lab.ipynb.ipynb": MINE, "other.ipynb": OTHER}, "lab.ipynb.ipynb"),
    "the latest of copies": ({"lab (1).ipynb": OLDER, "lab (2).ipynb": MINE, "x.ipynb": OTHER}, "lab (2).ipynb"),
    "an upload of Canvas's": ({"lab-3.ipynb": MINE, "x.ipynb": OTHER}, "lab-3.ipynb"),
    "Copy of": ({"Copy of lab.ipynb": MINE, "x.ipynb": OTHER}, "Copy of lab.ipynb"),
    "the one that is signed": ({"a.ipynb": MINE, "b.ipynb": SCRATCH}, "a.ipynb"),
    "the one with functions": ({"a.ipynb": MINE, "b.ipynb": OTHER}, "a.ipynb"),
    "of two that are equal": ({"a.ipynb": MINE, "b/c.ipynb": MINE}, "a.ipynb"),
    "the starter beside it": ({"lab.ipynb": STARTER, "work/lab.ipynb": MINE}, "work/lab.ipynb"),
    "a course unpacked": ({"lab.ipynb": MINE, "course/assignments/lab/lab.ipynb": STARTER}, "lab.ipynb"),
    "in the course": ({"assignments/lab/lab.ipynb": MINE, "docs/x.ipynb": SCRATCH}, "assignments/lab/lab.ipynb"),
    "one that is damaged": ({"lab.ipynb": MINE[:50], "old/lab.ipynb": MINE}, "old/lab.ipynb"),
    "a script": ({"lab.py": "x = 1", "helper.py": "y = 1", "m.keras": ""}, "lab.py"),
    "a notebook before a script": ({"w.ipynb": MINE, "lab.py": "x = 1"}, "w.ipynb"),
}  # fmt: skip


def submission(tmp_path, files, **changes):
    path = zipped(tmp_path / "a.zip", **files)
    return replace(Submission("ann", path, Predictor(), sandbox=None, expected=EXPECTED), **changes)


@pytest.mark.parametrize("name", CHOSEN)
def test_the_notebook_that_is_meant_counts_and_the_others_are_named(tmp_path, name):
    files, expected = CHOSEN[name]
    with record_run(ItemRun()) as run:
        work = submission(tmp_path, files)
        assert work.notebook == expected
        assert work.signature == ("" if expected.endswith(".py") else "ann")
    remarks = [*{remark.text for remark in run.remarks}]
    suffix = ".py" if expected.endswith(".py") else ".ipynb"
    others = [path for path in files if name_stem(path, suffix) is not None and path != expected]
    assert len(remarks) == bool(others)
    assert all(path in remarks[0] for path in [expected, *others] if remarks and "copies" not in remarks[0])


@pytest.mark.parametrize(
    "files",
    [
        {"a.ipynb": MINE, "b.ipynb": OLDER},
        {"a.ipynb": SCRATCH, "b.ipynb": cells("2 + 2")},
        {"a/lab.ipynb": MINE, "b/lab.ipynb": OLDER},
        {"lab_final.ipynb": MINE, "lab_final2.ipynb": OLDER},
        {f"{number}.ipynb": cells(str(number)) for number in range(50)},
    ],
)
def test_a_person_decides_between_notebooks_that_could_all_be_meant(tmp_path, files):
    with pytest.raises(NeedsReview, match=f"{len(files)} notebooks are handed in: .*Which of them counts"):
        _ = submission(tmp_path, files).notebook


FOUND = {  # for m.keras: the files, and which one is taken
    "in capitals": ({"M.KERAS": "1"}, "M.KERAS"),
    "of a browser": ({"m.keras.txt": "1"}, "m.keras.txt"),
    "numbered behind its ending": ({"m.keras (1)": "1"}, "m.keras (1)"),
    "a copy in German": ({"Kopie von m.keras": "1"}, "Kopie von m.keras"),
    "a copy of Windows's": ({"m - Copy.keras": "1"}, "m - Copy.keras"),
    "itself before its copies": ({"m.keras": "1", "m (9).keras": "2"}, "m.keras"),
    "beside the notebook": ({"a/m.keras": "1", "b/m.keras": "2", "b/lab.ipynb": MINE}, "b/m.keras"),
    "twice the same": ({"a/m.keras": "1", "b/m.keras": "1"}, "a/m.keras"),
}


@pytest.mark.parametrize("name", FOUND)
def test_a_file_is_found_under_the_name_that_it_came_by(tmp_path, name):
    files, expected = FOUND[name]
    assert submission(tmp_path, files).find("m.keras") == expected
    assert submission(tmp_path, files).read("m.keras").decode() == files[expected]


def test_a_model_that_was_unpacked_is_packed_again(tmp_path):
    inside = {"config.json": "{}", "metadata.json": "{}", "model.weights.h5": "h5"}
    work = submission(
        tmp_path, {f"x/M.keras/{name}": text for name, text in inside.items()} | {"lab.ipynb": MINE}
    )
    model = zipfile.ZipFile(io.BytesIO(work.read("m.keras")))
    assert {name: model.read(name).decode() for name in model.namelist()} == inside
    with pytest.raises(Failure, match="There is no other.keras"):
        work.read("other.keras")


@pytest.mark.parametrize("ending", ["rar", "7z"])
def test_an_archive_of_another_kind_is_named(tmp_path, ending):
    work = submission(tmp_path, {f"work.{ending}": "Rar!"})
    for ask in (lambda: work.notebook, lambda: work.read("m.keras")):
        with pytest.raises(
            Failure, match=rf"there is work\.{ending}: archives that end in \.{ending} are not opened"
        ):
            ask()


@pytest.mark.parametrize("ending", ["zip", "tar.gz"])
def test_an_archive_that_stayed_closed_is_named(tmp_path, ending):
    work = submission(tmp_path, {f"work.{ending}": "no archive", "notes.txt": ""})
    for ask in (lambda: work.notebook, lambda: work.read("m.keras")):
        with pytest.raises(Failure, match=rf"there is work\.{ending}, which is damaged or lies in too many"):
            ask()


def test_at_most_six_files_are_listed(tmp_path):
    work = submission(tmp_path, {f"{number}.csv": "" for number in range(9)})
    with pytest.raises(Failure, match=r"it holds 0.csv, 1.csv, 2.csv, 3.csv, 4.csv, 5.csv …"):
        work.read("m.keras")


@pytest.mark.parametrize(
    "stem, expected",
    [
        ("lab (2)", ("lab", 2)), ("lab-copy1", ("lab", 1)), ("lab - copy (3)", ("lab", 3)), ("lab copy 2", ("lab", 2)),
        ("copy of copy of lab", ("lab", 1)), ("copy of lab (2)", ("lab", 2)), ("copia de lab", ("lab", 1)),
        ("lab – copie", ("lab", 1)), ("lab 副本", ("lab", 1)), ("lab-2 (1)", ("lab", 2)), ("lab2", ("lab2", 0)),
        ("copy", ("copy", 0)), ("photocopy", ("photocopy", 0)), ("hello_world", ("hello_world", 0)),
    ],
)  # fmt: skip
def test_marks_of_copies(stem, expected):
    assert strip_copy_marks(stem) == expected


def test_the_sandbox_gets_the_code_cells_and_nothing_else(tmp_path):
    prose = {"cell_type": "markdown", "source": "secret"}
    code = {"cell_type": "code", "source": "x = 1", "outputs": [{"text": "A" * 10**6}]}
    work = submission(tmp_path, {"lab.ipynb.txt": json.dumps({"cells": [prose, code]})})
    name, content = work.code
    assert name.endswith(".ipynb") and json.loads(content) == {
        "cells": [{"cell_type": "code", "source": "x = 1"}]
    }
