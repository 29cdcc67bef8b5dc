"""Items on data that are fetched: they wait, and say for what, until the data are there, and nothing else waits."""

import hashlib
import os
from pathlib import Path

import pytest
from toy import write

from autograder.authoring import read_cells, release, write_notebook
from autograder.authoring.verify import VerifyWorker, single_worker, verify
from autograder.cli import main
from autograder.core import read_course
from autograder.data import DEMO_SECRET, HiddenData, practice_data
from autograder.data._download import cache_folder
from autograder.grading import Grader
from autograder.grading._cache import ScoreCache
from autograder.grading._grader import ItemResult
from autograder.notebook_checks import fetched
from autograder.reports import class_lines
from autograder.submissions import RawSubmission

NUMBERS = b"3\n4\n5\n6\n7\n"
FETCH = f"""
import random

import pandas as pd

FILES = {{"numbers.txt": {{"url": "http://127.0.0.1:9/numbers.txt", "bytes": {len(NUMBERS)},
                           "sha256": "{hashlib.sha256(NUMBERS).hexdigest()}"}}}}


def make(seed, folder, part="test", count=None):
    rows = [int(line) for line in (folder / "numbers.txt").read_text().split()]
    return pd.DataFrame({{"number": random.Random(seed).sample(rows, count or len(rows))}})
"""
RUBRIC = """
from autograder.core import Failure; from autograder.rubric import fresh, hidden, item


@item(points=6)
def greets(submission):
    \"\"\"greeting.txt says hello.\"\"\"
    if b"hello" not in submission.read("greeting.txt"):
        raise Failure("greeting.txt does not say hello.", "Write hello into it.")


@item(points=4, bonus=True)
def counts(submission):
    \"\"\"count.txt holds the sum of the real numbers.\"\"\"
    count = int(submission.read("count.txt"))
    return float(count == hidden("real", part="test").number.sum() == fresh("real").number.sum())
"""
REFERENCE = """
# %%
from pathlib import Path

from autograder.notebook_checks import fetched

# %%
GREETING = "hello"  # SOLUTION

# %%
Path("greeting.txt").write_text(GREETING)

# %%
SUM = 25  # SOLUTION

# %%
if fetched("real", part="test") is not None:
    Path("count.txt").write_text(str(SUM))
"""


@pytest.fixture
def real(course, tmp_path, monkeypatch):
    """Return the toy course with real numbers, which are not fetched yet."""
    monkeypatch.setenv("AUTOGRADER_DATA", str(tmp_path / "cache"))
    monkeypatch.chdir(course.root)
    write(
        course.root / "course.toml",
        (course.root / "course.toml").read_text().replace("points = 10", "points = 6"),
    )
    course, assignment = read_course(course.root), read_course(course.root).assignments[0]
    write(assignment.rubric, RUBRIC)
    write(assignment.reference, REFERENCE)
    write(course.root / "datasets/real/fetch.py", FETCH)
    for name, files, known in [
        ("perfect", {"greeting.txt": "hello", "count.txt": "25"}, "[marks]\ngreets = 6\ncounts = 4\n"),
        ("wrong_sum", {"greeting.txt": "hello", "count.txt": "24"}, "[marks]\ngreets = 6\ncounts = 0\n"),
        ("untouched_starter", {}, "[marks]\ngreets = 0\ncounts = 0\n"),
    ]:
        write(assignment.test_submissions / name / "expected.toml", known)
        for file, text in files.items():
            write(assignment.test_submissions / name / file, text)
    write_notebook(
        assignment.test_submissions / "perfect/hello.ipynb", *read_cells(assignment.reference.read_text())
    )
    for starter in assignment.starters:
        release(assignment, starter)
    return course


@pytest.fixture
def get(real, monkeypatch, tmp_path):
    """Fetch the numbers as a person would who has the file."""

    def take_over():
        (tmp_path / "numbers.txt").write_bytes(NUMBERS)
        monkeypatch.setattr(
            "sys.argv", ["autograder", "fetch", "real", "--file", str(tmp_path / "numbers.txt")]
        )
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code

    return take_over


def grader(course, sandbox) -> Grader:
    return Grader.create(course.assignments[0], HiddenData(course, DEMO_SECRET), sandbox)


def graded(course, sandbox, name):
    """Return the report on a test submission."""
    return (
        grader(course, sandbox)
        .grade(RawSubmission(name, course.assignments[0].test_submissions / name))
        .report
    )


def test_an_item_waits_for_its_data_and_says_for_which(real, sandbox, get):
    report = graded(real, sandbox, "perfect")
    assert [score.outcome for score in report.scores] == ["scored", "deferred"]
    assert report.status == "incomplete" and report.earned == 6
    assert "`python -m autograder fetch real` gets it" in report.scores[1].message
    get()
    report = graded(real, sandbox, "perfect")
    assert report.status == "graded" and report.earned == 10


def test_the_ta_is_told_what_a_class_waits_for(real, sandbox, get, tmp_path):
    def told():
        reports = [graded(real, sandbox, name) for name in ("perfect", "wrong_sum", "untouched_starter")]
        return [line for line, _ in class_lines(reports, {}, 6, tmp_path) if line.startswith("Waiting")]

    [line] = told()
    assert line.startswith("Waiting: 2 items. The data set real is not") and "fetch real" in line
    get()
    assert told() == []


def test_who_hands_nothing_in_for_it_has_an_ordinary_mark(real, sandbox):
    report = graded(real, sandbox, "untouched_starter")
    assert report.status == "graded"
    assert "There is no count.txt" in report.scores[1].message


def test_a_score_that_waits_is_not_kept(real, sandbox, tmp_path, get):
    kept, waiting = ScoreCache(tmp_path / "kept"), graded(real, sandbox, "perfect").scores[1]
    kept.put("abcd", ItemResult(waiting, 1.0))
    assert kept.get("abcd") is None
    get()
    kept.put("abcd", ItemResult(graded(real, sandbox, "perfect").scores[1], 1.0))
    assert kept.get("abcd").score.earned == 4


def test_hidden_rows_are_the_terms_own_choice(real, get):
    get()
    rows = [
        list(HiddenData(real, secret).draw("real", {"count": 3}).number) for secret in ("one", "one", "two")
    ]
    assert rows[0] == rows[1] != rows[2]


def test_a_notebook_gets_rows_or_a_line(real, get, capsys):
    assert fetched("real", part="test") is None
    assert capsys.readouterr().out.count("\n") == 1
    get()
    assert fetched("real", part="test").number.sum() == 25
    assert list(fetched("real").number) == list(practice_data(real).draw("real", {}).number)


def proof(course, sandbox, slow=False):
    """Return what `verify` finds, by what it looked at."""
    proved = next(verify(course.assignments, single_worker(VerifyWorker(course, sandbox)), slow))
    return {finding.what: finding.problems for finding in proved.findings}


def test_a_proof_leaves_open_what_it_has_no_data_for(real, sandbox, get):
    found = proof(real, sandbox, slow=True)
    assert not any(found.values()) and "items (1 wait for data: autograder fetch)" in found
    get()
    found = proof(real, sandbox, slow=True)
    assert not any(found.values()) and "items" in found


@pytest.mark.parametrize(
    "file, old, new", [("count.txt", "25", "26"), ("expected.toml", "counts = 4", "counts = 3")]
)
def test_with_its_data_an_item_is_proved_like_any_other(real, sandbox, get, file, old, new):
    path = real.assignments[0].test_submissions / "perfect" / file
    path.write_text(path.read_text().replace(old, new))
    assert not any(proof(real, sandbox).values())
    get()
    assert any(proof(real, sandbox).values())


def test_a_bundle_has_the_parser_and_not_the_data(real, get):
    from autograder.authoring._student_bundle import drawn_data, public_files

    get()
    assert [path.name for path in public_files(real.root / "datasets/real")] == ["fetch.py"]
    assert list(drawn_data(real)) == []  # there is nothing to hide
    assert not list(Path(real.root).rglob("numbers.txt"))


def test_data_that_another_changed_make_no_mark(real, sandbox, get, tmp_path):
    """A person must look, the score is not kept, and the line says how to get the right file."""
    get()
    assert graded(real, sandbox, "perfect").earned == 10
    place = cache_folder("real") / "numbers.txt"
    before = place.stat()
    place.write_bytes(bytes(reversed(NUMBERS)))
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))  # of the same size and time
    broken = graded(real, sandbox, "perfect").scores[1]
    assert broken.outcome == "broken" and "was changed after it was fetched" in broken.message
    assert "`python -m autograder fetch real` replaces it" in broken.message and "\n" not in broken.message
    get()
    assert graded(real, sandbox, "perfect").earned == 10
