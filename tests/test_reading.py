"""Readers: whatever a submission does to the process that reads it, it costs nobody but its own student."""

import hashlib
import io
import json
import os
import random
import re
import resource
import signal
import struct
import subprocess
import sys
import tarfile
import time
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from autograder.core import Failure, NeedsReview
from autograder.data import hidden_data
from autograder.grading import (
    Grader,
    GraderFactory,
    MarkSources,
    ProcessPool,
    describe_missing_packages,
    grade_cohort,
    open_executor,
    open_readers,
)
from autograder.grading._readers import open_reader
from autograder.grading._reading import read_submission
from autograder.lms._detect import read_cohort
from autograder.rubric import Expected, Submission
from autograder.submissions import Files, RawSubmission, checksums, read_all_cells, read_bundle, zip_files
from autograder.submissions import _archives as limits
from autograder.submissions import _file_bundle as held_in_memory

REPOSITORY = Path(__file__).parents[1]


@dataclass(frozen=True)
class Deadly:
    """A source that does something to the process which opens it."""

    what: str
    place: str

    def __call__(self, budget):
        if self.what == "kill":
            with open(self.place, "a") as tries:
                tries.write("x")
            os.kill(os.getpid(), signal.SIGKILL)
        if self.what == "memory":
            bytearray(2**33)
        if self.what == "hang":
            time.sleep(600)
        return Files((), {}.__getitem__)


@pytest.fixture
def grade(course, sandbox, tmp_path):
    """Grades a class of good submissions, in which `deadly` ones stand for students, in processes."""

    def run(folder, out, **deadly):
        found = read_cohort(folder, "hello")
        sources = {name: Deadly(what, str(tmp_path / name)) for name, what in deadly.items()}
        chosen = (replace(one, source=sources.get(one.student, one.source)) for one in found.submissions)
        found = replace(found, submissions=tuple(chosen))
        setup = GraderFactory(course.assignments[0], hidden_data(course), isolation=sandbox.isolation)
        with setup.open() as grader, open_readers() as reading:
            sources = MarkSources.read(course, grader, found, out)
            with open_executor(setup, grader, 1, len(found.submissions), "", print) as workers:
                done = grade_cohort(grader, sources, found, out, False, workers, reading)
                return {one.report.student: one for one in done}

    return run


def test_a_submission_whose_reader_dies_is_lost_to_a_person_and_no_other(grade, hand_in, tmp_path):
    for name in ("ann", "bo", "cy", "di"):
        folder = hand_in(name, **{"greeting.txt": "hello" * 50})
    done = grade(folder, tmp_path / "1", bo="kill", cy="memory")
    assert {name: (one.report.status, one.report.earned) for name, one in done.items()} == {
        "ann": ("graded", 10),
        "bo": ("needs a person", 0),
        "cy": ("graded", 0),
        "di": ("graded", 10),
    }
    assert (tmp_path / "bo").read_text() == "xxx"
    assert (
        "could not be read: the process that ran it was killed 3 times" in done["bo"].report.scores[0].message
    )
    assert "it is damaged" in done["cy"].report.scores[0].message
    done = grade(folder, tmp_path / "1")  # and nothing of that is kept
    assert {one.report.earned for one in done.values()} == {10}


def crafted_archives():
    """Return archives that end, stall or bloat a reader which trusts what they say of themselves."""
    good, deep = {"greeting.txt": b"hello"}, {"greeting.txt": b"hello"}
    for number in range(40):
        deep = {f"{number}.zip": zip_files(deep), f"{number}.tar": tarred(tarfile.GNU_FORMAT, **good)}
    far = bytearray(zip_files(good))
    entry = far.index(b"PK\1\2")
    far[entry + 42 : entry + 46] = b"\xff" * 4
    extra = struct.pack("<HHQ", 1, 8, 2**63 - 1)
    name_end = entry + 46 + len("greeting.txt")
    far[entry + 30 : entry + 32] = struct.pack("<H", len(extra))
    far[name_end:name_end] = extra
    end = far.rindex(b"PK\5\6")
    far[end + 12 : end + 16] = struct.pack("<L", end - entry)
    back = bytearray(tarred(tarfile.GNU_FORMAT, **good))
    back[124:136], back[148:156] = b"-0000001024\0", b" " * 8
    back[148:156] = b"%06o\0 " % sum(back[:512])
    digits = tarred(tarfile.PAX_FORMAT, **{"x" * 150: b"x"})
    place = digits.index(b" path=")
    digits = digits[: place - 3] + b"9" * 300 + digits[place + 297 :]
    crowd = {f"{number}/": b"" for number in range(20_000)}
    marks = {"a" + "\u0301\u0327" * 100 + f"{number}.txt": b"" for number in range(300)}
    return {
        "deep.zip": zip_files(deep), "far.zip": bytes(far), "back.tar": bytes(back), "digits.tar": digits,
        "crowd.zip": zip_files(crowd), "marks.zip": zip_files(marks),
    }  # fmt: skip


def test_crafted_archives_cost_the_good_submissions_beside_them_nothing(course, sandbox, hand_in, tmp_path):
    hand_in("aa", **{"greeting.txt": "hello" * 50})
    folder = hand_in("zz", **{"greeting.txt": "hello" * 50})
    for name, content in crafted_archives().items():
        (folder / name).write_bytes(content)
    found, grader = (
        read_cohort(folder, "hello"),
        Grader.create(course.assignments[0], hidden_data(course), sandbox),
    )
    sources, start = MarkSources.read(course, grader, found, tmp_path / "out"), time.process_time()
    done = {one.report.student: one.report for one in grade_cohort(grader, sources, found, tmp_path / "out")}
    assert len(done) == 8 and done["aa"].earned == done["zz"].earned == 10
    assert {done[name.partition(".")[0]].status for name in crafted_archives()} == {"graded"}
    assert "damaged" in done["far"].scores[0].message and "damaged" in done["back"].scores[0].message
    assert time.process_time() - start < 20


def test_a_reader_that_hangs_is_stopped(grade, hand_in, tmp_path, monkeypatch):
    monkeypatch.setattr("autograder.grading._readers.PATIENCE", 5.0)
    for name in ("ann", "bo"):
        folder = hand_in(name, **{"greeting.txt": "hello" * 50})
    done = grade(folder, tmp_path / "1", ann="hang")
    assert "it took more than 5 s, and was stopped" in done["ann"].report.scores[0].message
    assert done["bo"].report.earned == 10


# --- large notebooks


PICTURE = {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo" * 30_000}, "metadata": {}}


@pytest.mark.parametrize("name", ["toy.ipynb", "Toy.IPYNB.txt", "x/toy (1).ipynb"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_notebook_is_read_whatever_its_pictures_take(tmp_path, monkeypatch, name, packed):
    monkeypatch.setattr(limits, "MAX_BYTES", 100_000)
    monkeypatch.setattr(held_in_memory, "LARGE_NOTEBOOK", 10_000)
    monkeypatch.setattr(held_in_memory, "MAX_READ", 50_000)
    notebook = json.loads(NOTEBOOK)
    notebook["cells"][0]["outputs"] = [PICTURE]
    work = {name: json.dumps(notebook).encode(), "m.keras": bytes(20_000), "large.csv": bytes(200_000)}
    path = handed_in_at(tmp_path, work, packed)
    found = read_bundle(path, "toy")
    assert [*read_all_cells(found.content[name], "toy.ipynb")] == [*read_all_cells(NOTEBOOK, "toy.ipynb")]
    assert found.content["m.keras"] == work["m.keras"] and found.size < 30_000
    assert "at most 0 MiB are read" in found.content["large.csv"].reason
    assert checksums(found)[0][name] == hashlib.sha256(work[name]).hexdigest()
    notebook["cells"][0]["outputs"] = [PICTURE, PICTURE]
    (tmp_path / "other").mkdir()
    other = read_bundle(
        handed_in_at(tmp_path / "other", work | {name: json.dumps(notebook).encode()}, packed)
    )
    assert checksums(other)[1] != checksums(found)[1]


def handed_in_at(root, work, packed):
    """Return the path of a submission with these files: a zip or a folder."""
    if packed:
        (root / "work.zip").write_bytes(zip_files(work))
        return root / "work.zip"
    for name, content in work.items():
        (root / "work" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "work" / name).write_bytes(content)
    return root / "work"


def test_a_large_notebook_that_is_none_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_NOTEBOOK_BYTES", 2**20)
    monkeypatch.setattr(held_in_memory, "LARGE_NOTEBOOK", 10_000)
    monkeypatch.setattr("autograder.submissions._cells.MAX_TEXT", 50_000)
    source = json.dumps({"cells": [{"cell_type": "code", "source": "x" * 100_000}]}).encode()
    content = read_bundle(
        handed_in_at(tmp_path, {"a.ipynb": source, "b.ipynb": bytes(2**20 + 1)}, False)
    ).content
    assert "too large, even without its outputs" in content["a.ipynb"].reason
    assert content["b.ipynb"].hint == "Clear its outputs and save it again."


# --- what the machine can't read


@pytest.fixture
def nobody():
    """Run a function as a user who may not read what root alone may read; give what it returned, as text."""
    if os.getuid():
        yield lambda function: repr(function())
        return

    def run(function):
        read, write = os.pipe()
        if not (child := os.fork()):
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            os.write(write, repr(function()).encode())
            os._exit(0)
        os.close(write)
        os.waitpid(child, 0)
        with open(read, "rb") as file:
            return file.read().decode()

    yield run


@pytest.fixture
def closed(tmp_path):
    """Return a class in which one file, one folder within a folder and one student's folder can't be read."""
    root = tmp_path / "class"
    for name in ("file", "inner", "whole", "open"):
        (root / name / "more").mkdir(parents=True)
        (root / name / "a.ipynb").write_text("{}")
        (root / name / "more" / "b.txt").write_text("b")
    for path in (tmp_path, *tmp_path.parents):
        if path.is_relative_to("/tmp/pytest-of-root"):
            path.chmod(0o755)
    (root / "file" / "a.ipynb").chmod(0)
    (root / "inner" / "more").chmod(0)
    (root / "whole").chmod(0)
    yield root
    (root / "inner" / "more").chmod(0o755)
    (root / "whole").chmod(0o755)


def test_what_the_machine_may_not_read_goes_to_a_person_and_is_not_kept(nobody, closed):
    def states():
        read = [read_submission(one, Expected("hello")) for one in read_cohort(closed, "hello").submissions]
        return {one.raw.student: (bool(one.digest), one.raw.source.content) for one in read}

    said = eval(nobody(states), {"NeedsReview": NeedsReview, "Failure": Failure})
    assert {name: state for name, (state, _) in said.items()} == {
        "file": False, "inner": False, "open": True, "whole": False
    }  # fmt: skip
    assert said["file"][1]["more/b.txt"] == b"b"
    for found in (said["file"][1]["a.ipynb"], said["inner"][1], said["whole"][1]):
        assert isinstance(found, NeedsReview) and "can't be read here: Permission denied" in str(found)


def test_too_few_descriptors_are_the_machines_fault(tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "a.ipynb").write_text("{}")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        found = read_bundle(tmp_path / "work").content
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert isinstance(found, NeedsReview) and "Too many open files" in str(found)


# --- packages that the machine lacks


def test_packages_that_the_machine_lacks_are_counted_before_grading(tmp_path):
    def work(*lines, **more):
        cell = {"cell_type": "code", "source": "\n".join(lines), "metadata": {}}
        return {"toy.ipynb": json.dumps({"cells": [cell]}).encode()} | more

    class_of = {
        "ann": work("import numpy, no_such_a", "from no_such_b.x import y"),
        "bo": work("import no_such_a as a", "import tools_of_bo", **{"tools_of_bo.py": b""}),
        "cy": {"toy.ipynb": b"[", "m.keras": b""},
        "di": work("import no_such_a") | {"old/toy.ipynb": work("import no_such_c")["toy.ipynb"]},
        "ed": {"broken.zip": b"PK"},
    }
    submissions = [RawSubmission(name, Memory(content)) for name, content in class_of.items()]
    line = describe_missing_packages(Readers(), submissions, Expected("toy"))
    assert "lacks: no_such_a (3), no_such_b (1). Install them" in line
    assert describe_missing_packages(Readers(), submissions[2:3], Expected("toy")) == ""
    line = describe_missing_packages(Readers(hanging={"ann"}), submissions, Expected("toy"), seconds=0.1)
    assert "lacks: no_such_a (2) (found in 4 of 5 submissions)" in line


@dataclass(frozen=True)
class Readers:
    """Readers in this process; some of them hang."""

    hanging: frozenset = frozenset()

    def submit(self, task, handed, expected):
        future = Future()
        if handed.student not in self.hanging:
            try:
                future.set_result(task(False, handed, expected))
            except Exception as error:
                future.set_exception(error)
        return future


# --- the time of a submission


SLOW = '''
import time
from autograder.rubric import item


@item(points=1)
def first(submission):
    """First."""
    time.sleep(0.3)


@item(points=1)
def second(submission):
    """Second."""
'''


def test_items_beyond_the_time_of_a_submission_get_no_points_and_are_not_kept(
    course, sandbox, hand_in, tmp_path
):
    course.assignments[0].rubric.write_text(SLOW)
    found = read_cohort(hand_in("ann", **{"greeting.txt": ""}), "hello")
    grader = Grader.create(course.assignments[0], hidden_data(course), sandbox)
    hasty = replace(grader, minutes=0.2 / 60)

    def graded(grader):
        sources = MarkSources.read(course, grader, found, tmp_path / "out")
        [one] = grade_cohort(grader, sources, found, tmp_path / "out")
        return one

    one = graded(hasty)
    assert [score.earned for score in one.report.scores] == [1, 0]
    assert one.report.scores[1].message == (
        "Expected all items to run within 0.00333333 minutes, they were stopped after first."
    )
    assert "they were stopped after first" in (tmp_path / "out" / "ann" / "report.html").read_text()
    one = graded(grader)
    assert one.report.earned == 2 and one.ran == ("second",)


# --- a run that fails itself


def test_a_crash_has_its_own_exit_status_and_a_log(course, hand_in, tmp_path):
    hand_in("ann", **{"greeting.txt": "hello"})
    folder = hand_in("bo", **{"greeting.txt": "hello, bo"})
    program = (
        "import autograder.grading._runner as grading\n"
        "save = grading.save_report\n"
        "def crash(report, *rest):\n"
        "    if report.student == 'bo':\n"
        "        raise ValueError('so it is')\n"
        "    save(report, *rest)\n"
        "grading.save_report = crash\n"
        "from autograder.cli import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", program, "grade", "hello", str(folder), "--out", str(tmp_path / "out")]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    run = subprocess.run(
        command, cwd=course.root, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 3 and "Traceback" not in run.stderr
    assert "The autograder itself failed (ValueError: so it is)" in run.stderr
    assert "ValueError: so it is" in (tmp_path / "out" / "autograder-crash.log").read_text()
    assert (tmp_path / "out" / "ann" / "report.json").is_file()
    assert "ann" in (tmp_path / "out" / "grades.csv").read_text()


# --- fuzz


def tarred(format, **content):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=format) as archive:
        for name, data in content.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(data), 1.5
            archive.addfile(entry, io.BytesIO(data))
    return file.getvalue()


NOTEBOOK = json.dumps(
    {
        "cells": [
            {"cell_type": "code", "source": ["STUDENT = 'ann'\n", "x = [1, 2]"], "metadata": {"tags": ["a"]}},
            {"cell_type": "markdown", "source": "answer:why\nSo.", "metadata": {"tags": ["answer:why"]}},
        ],
        "metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5,
    }
).encode()  # fmt: skip
TABLE = b'run,loss\n1,0.5\n2,"0,4"\n'
WORK = {"toy.ipynb": NOTEBOOK, "runs.csv": TABLE, "x/" * 60 + "ü.txt": b"deep" * 200}


def seeds_of_fuzz():
    """Return a file of each kind that is read, by a name that tells the kind."""
    import gzip

    tar = tarred(tarfile.GNU_FORMAT, **WORK)
    pax = tarred(tarfile.PAX_FORMAT, **WORK)
    nested = zip_files({"inner.zip": zip_files(WORK), "inner.tar": tar, "a.ipynb": NOTEBOOK})
    return {
        "a.zip": zip_files(WORK), "b.zip": nested, "a.tar": tar, "b.tar": pax, "a.tar.gz": gzip.compress(pax),
        "toy.ipynb": NOTEBOOK, "runs.csv": TABLE,
    }  # fmt: skip


def mutated(content, draw):
    """Return the content with a few changes of the kinds that break parsers: bits, numbers, cuts, repetitions."""
    changed = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        place, kind = draw.randrange(len(changed) or 1), draw.randrange(7)
        if kind == 0 and changed:
            changed[place] ^= 1 << draw.randrange(8)
        elif kind == 1:
            number = draw.choice([0, 1, 2**15, 2**16 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1])
            changed[place : place + 8] = struct.pack("<Q", number)[: draw.choice([2, 4, 8])]
        elif kind == 2:
            del changed[place : place + draw.randrange(200)]
        elif kind == 3:
            changed[place:place] = changed[place : place + draw.randrange(600)] * draw.randint(1, 5)
        elif kind == 4:
            changed[place:place] = draw.choice(
                [b"[" * 5000, b'"', b"\0" * 512, b"\xff\xfe", b"-1", b"9" * 5000]
            )
        elif kind == 5:
            del changed[place:]
        else:
            other = draw.randrange(len(changed) or 1)
            changed[place : place + 40] = changed[other : other + 40]
    return bytes(changed)


def fuzz(opened, folder, seed, count):
    """Read so many mutated inputs; those that raised what is not the project's own, the worst time and memory."""
    draw, sources, wrong, slowest = random.Random(seed), seeds_of_fuzz(), [], 0.0
    for number in range(count):
        name = draw.choice([*sources])
        data = mutated(sources[name], draw)
        start = time.process_time()
        try:
            if name.endswith((".ipynb", ".csv")):
                source = Memory({"toy.ipynb": NOTEBOOK, "runs.csv": TABLE} | {name: data})
            else:
                (Path(folder) / name).write_bytes(data)
                source = Path(folder) / name
            read = read_submission(RawSubmission("ann", source), Expected("toy"))
            use(Submission("ann", read.raw.source, None, None))
        except (Failure, NeedsReview):
            pass
        except Exception as error:
            wrong.append(f"{seed}, {number}, {name}: {type(error).__name__}: {error}"[:300])
        slowest = max(slowest, time.process_time() - start)
    [most] = re.findall(
        r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text()
    )  # maxrss is the parent's as well
    return wrong, slowest, int(most) * 1024


@dataclass(frozen=True)
class Memory:
    """Files that lie in memory."""

    content: dict

    def __call__(self, budget=None):
        return Files(tuple(self.content), self.content.__getitem__)


def use(submission):
    """Asks for what items ask for."""
    for ask in (
        lambda: submission.signature,
        lambda: submission.text("why"),
        lambda: submission.table("runs.csv", ["run", "loss"], most=100),
    ):
        try:
            ask()
        except (Failure, NeedsReview):
            continue


@pytest.mark.parametrize(
    "seed, count", [(0, 100), *(pytest.param(seed, 10_000, marks=pytest.mark.slow) for seed in range(1, 6))]
)
def test_mutated_inputs_end_in_files_or_in_the_projects_own_errors(tmp_path, seed, count):
    with ProcessPool(1, open_reader) as workers:
        wrong, slowest, memory = workers.submit(fuzz, str(tmp_path), seed, count).result()
    assert not wrong
    assert slowest < 10 and memory < 2**30
