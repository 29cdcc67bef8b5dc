"""Executors: any number of workers gives the same marks, and a killed worker costs a second try and nothing else."""

import os
import pickle
import signal
import threading
import time
import tracemalloc
import warnings
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest
from made_class import made_class
from test_killed import result_files

from autograder.core import Failure, StudentError
from autograder.data import hidden_data
from autograder.grading import (
    Grader,
    GraderFactory,
    MarkSources,
    ProcessPool,
    SerialExecutor,
    choose_jobs,
    grade_cohort,
    strip_details,
)
from autograder.grading._answers import merge_answers
from autograder.grading._executors import WorkerLost
from autograder.grading._grader import BoundedCache
from autograder.lms._detect import read_cohort
from autograder.reports import class_html, grades_csv
from autograder.rubric import Submission
from autograder.submissions import FileBundle, read_bundle


@contextmanager
def folder(watch):
    """Report a line, then open the process id as the context of a worker."""
    watch(f"open {os.getpid()}")
    yield os.getpid()


@contextmanager
def closed(watch):
    raise ValueError("no way in")
    yield


def add(context, first, second):
    return context, first + second


def slow(context, seconds):
    time.sleep(seconds)
    return context


def crash(context, file, times):
    """Kill the own process `times` times, as a system without memory does."""
    with file.open("a") as tries:
        tries.write("x")
    if len(file.read_text()) <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def fail(context, error):
    raise error


class Unsendable(Exception):
    def __init__(self, first, second):
        super().__init__(f"{first} {second}")


def refuse(context):
    raise Unsendable("far", "away")


def gone(number):
    """Return True if a process ends within a few seconds."""
    for _ in range(100):
        if not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_tasks_run_in_processes_that_open_their_context_once_and_end():
    lines = []
    with ProcessPool(2, folder, lines.append) as workers:
        slept = [workers.submit(slow, 0.5) for _ in range(2)]
        numbers = {future.result() for future in slept}
        results = [workers.submit(add, n, 1).result() for n in range(6)]
    assert len(numbers) == 2 and os.getpid() not in numbers
    assert [value for _, value in results] == [1, 2, 3, 4, 5, 6]
    assert {number for number, _ in results} <= numbers
    assert sorted(lines) == sorted(f"open {number}" for number in numbers)
    assert all(map(gone, numbers))


def test_no_process_is_started_before_there_is_a_task():
    lines, before = [], set(psutil.Process().children())
    with ProcessPool(4, folder, lines.append) as workers:
        assert set(psutil.Process().children()) == before
        for _ in range(3):
            workers.submit(add, 1, 1).result()
    assert len(lines) == 1


def test_exceptions_of_tasks_are_raised_and_the_worker_goes_on():
    with ProcessPool(1, folder) as workers:
        number = workers.submit(slow, 0).result()
        with pytest.raises(StudentError) as claim:
            workers.submit(fail, StudentError("Not so.", "But so.")).result()
        with pytest.raises(RuntimeError, match="Unsendable: far away"):
            workers.submit(refuse).result()
        assert workers.submit(slow, 0).result() == number
    assert (claim.value.reason, claim.value.hint) == ("Not so.", "But so.")


def test_a_worker_that_cannot_open_its_context_reports_why():
    with ProcessPool(1, closed) as workers:
        for _ in range(2):
            with pytest.raises(ValueError, match="no way in"):
                workers.submit(slow, 0).result()


@pytest.mark.parametrize(
    "times, outcome",
    [(1, "done"), *(pytest.param(*case, marks=pytest.mark.slow) for case in ((2, "done"), (3, WorkerLost)))],
)
def test_a_task_whose_worker_is_killed_is_tried_again(tmp_path, times, outcome):
    with ProcessPool(2, folder) as workers:
        other = workers.submit(slow, 1.0)
        future = workers.submit(crash, tmp_path / "tries", times)
        if outcome is WorkerLost:
            with pytest.raises(WorkerLost, match="killed 3 times"):
                future.result()
        else:
            assert future.result() == outcome
        assert other.result() and workers.submit(add, 1, 2).result()[1] == 3
    assert len((tmp_path / "tries").read_text()) == min(times + 1, 3)


def test_closing_a_pool_does_not_wait_for_tasks():
    start = time.monotonic()
    with ProcessPool(1, folder) as workers:
        number = workers.submit(slow, 0).result()
        futures = [workers.submit(slow, 60) for _ in range(3)]
    assert time.monotonic() - start < 20 and gone(number)
    assert all(future.cancelled() or future.exception() for future in futures)


def test_a_worker_ends_with_the_thread_that_waits_for_it(tmp_path):
    """The kernel ends a worker when the thread that started it dies, so that thread lives as long as the pool."""
    numbers = []
    with ProcessPool(1, folder) as workers:
        thread = threading.Thread(target=lambda: numbers.append(workers.submit(slow, 0).result()))
        thread.start()
        thread.join()
        time.sleep(0.2)
        assert [workers.submit(slow, 0).result()] == numbers


def test_the_number_of_jobs_fits_the_machine(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(64))
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 2**22, "SC_PAGE_SIZE": 2**13}.get)  # 32 GiB
    assert choose_jobs() == 16
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 5})
    assert choose_jobs() == 2
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 2**17, "SC_PAGE_SIZE": 2**13}.get)  # 1 GiB
    assert choose_jobs() == 1


@dataclass(frozen=True)
class Tidy:
    """A context that takes a while to clean up, and writes a file when it is done."""

    path: Path

    @contextmanager
    def __call__(self, watch):
        try:
            yield os.getpid()
        finally:
            time.sleep(0.5)
            self.path.write_text("tidy")


def test_a_worker_cleans_up_before_it_ends(tmp_path):
    with ProcessPool(1, Tidy(tmp_path / "state")) as workers:
        workers.submit(slow, 0).result()
    assert (tmp_path / "state").read_text() == "tidy"


def test_a_file_bundle_is_pickled_with_links_and_errors(hand_in, tmp_path):
    path = hand_in("ann", **{"greeting.txt": "hello", "more/work.py": "x = 1"}) / "ann"
    (path / "link").symlink_to(tmp_path)
    (path / "away.txt").symlink_to(path / "greeting.txt")
    sent = read_bundle(path)

    there = pickle.loads(pickle.dumps(sent))
    assert isinstance(there, FileBundle) and there.size == len("hello" + "x = 1")
    files = there()
    assert {name: files.read(name) for name in files.names if name != "away.txt"} == {
        "greeting.txt": b"hello",
        "more/work.py": b"x = 1",
    }
    for _ in range(2):
        with pytest.raises(Failure, match="is a link") as failure:
            files.read("away.txt")
        assert failure.value.hint == "Hand in the file itself."
    (tmp_path / "bad.zip").write_bytes(b"PK")
    with pytest.raises(Failure, match="not an archive") as failure:
        pickle.loads(pickle.dumps(read_bundle(tmp_path / "bad.zip")))()
    assert failure.value.hint.startswith("Make the archive again")


def test_the_cache_of_trainings_is_bounded():
    cache = BoundedCache()
    for number in range(1000):
        cache[str(number)] = number
    assert 100 <= len(cache) <= 300 and "999" in cache and "0" not in cache


# --- a class


MIXED = '''
import os, signal, time
import numpy as np
from pathlib import Path
from autograder.rubric import by_length
from autograder import Failure, credit, hidden, item, remark


@item(points=6)
def greets(submission):
    """greeting.txt says hello."""
    text = submission.read("greeting.txt")
    time.sleep(len(text) % 7 / 100)
    remark(f"{len(text)} bytes")
    if b"hello" not in text:
        raise Failure("greeting.txt does not say hello.", "Write hello into it.")


@item(points=4)
def counts(submission):
    """greeting.txt is as long as the secret number says."""
    length = len(submission.read("greeting.txt"))
    if b"kill" in submission.read("greeting.txt"):
        with open(Path(__file__).parent / "tries", "a") as tries:
            tries.write("x")
        os.kill(os.getpid(), signal.SIGKILL)
    return credit(length / hidden("numbers").number[0], zero=0, full=1, hint="Write more.", name="Length")
'''


@pytest.fixture
def class_of_thirty(course, hand_in):
    """Return a class of submissions that are good, bad, equal to others, empty and damaged."""
    course.assignments[0].rubric.write_text(MIXED)
    for number in range(28):
        times = number // 2  # neighbours are equal, and under way at the same time
        hand_in(f"student {number:02}", **{"greeting.txt": ["hello", "bye"][times % 5 == 0] * times})
    folder = hand_in("empty")
    (folder / "zed.zip").write_bytes(b"PK\x03\x04 damaged")
    return folder


@pytest.fixture
def grade(course, sandbox, tmp_path):
    """Return a function that grades the class in a folder with so many jobs and lists the results in order."""

    def run(folder, out, jobs, fresh=False):
        setup = GraderFactory(course.assignments[0], hidden_data(course), isolation=sandbox.isolation)
        with setup.open() as grader:
            cohort = read_cohort(folder, "hello")
            sources = MarkSources.read(course, grader, cohort, out)
            if jobs == 1:
                return list(grade_cohort(grader, sources, cohort, out, fresh, SerialExecutor(grader)))
            with ProcessPool(jobs, setup.open) as workers:
                return list(grade_cohort(grader, sources, cohort, out, fresh, workers))

    return run


def test_any_number_of_workers_gives_the_same_bytes(grade, class_of_thirty, tmp_path):
    done = {jobs: grade(class_of_thirty, tmp_path / str(jobs) / "out", jobs) for jobs in (1, 3)}
    assert result_files(tmp_path / "1" / "out") == result_files(tmp_path / "3" / "out")
    assert [(result.report, result.ran) for result in done[1]] == [
        (result.report, result.ran) for result in done[3]
    ]
    ran = [result.report.student for result in done[3] if result.ran]
    assert len(ran) == 16, "equal files are graded once"
    assert [result.report.student for result in done[3]] == sorted(
        result.report.student for result in done[3]
    )
    again = grade(class_of_thirty, tmp_path / "3" / "out", 3)
    assert not any(result.ran for result in again)
    fresh = grade(class_of_thirty, tmp_path / "3" / "out", 3, fresh=True)
    assert all(len(result.ran) == 2 for result in fresh)
    assert result_files(tmp_path / "1" / "out") == result_files(tmp_path / "3" / "out")


def test_a_submission_that_kills_its_worker_waits_for_a_person_and_the_others_do_not(
    course, grade, class_of_thirty, hand_in, tmp_path
):
    hand_in("killer", **{"greeting.txt": "hello, kill"})
    hand_in("killer's twin", **{"greeting.txt": "hello, kill"})
    done = {result.report.student: result.report for result in grade(class_of_thirty, tmp_path / "out", 2)}
    assert (course.assignments[0].folder / "tries").read_text() == "x" * 6
    assert {name for name, report in done.items() if report.status == "needs a person"} == {
        "killer",
        "killer's twin",
    }
    for score in done["killer"].scores:
        assert score.outcome == "broken" and score.earned is None and "was killed 3 times" in score.message
        assert score.text and score.possible
    again = grade(class_of_thirty, tmp_path / "out", 2)
    assert {result.report.student for result in again if result.ran} == {"killer", "killer's twin"}


def test_the_nearest_files_of_a_too_large_submission_are_read(
    grade, class_of_thirty, hand_in, tmp_path, monkeypatch
):
    monkeypatch.setattr("autograder.submissions._file_bundle.MAX_READ", 100)
    hand_in("large", **{"greeting.txt": "hello" * 10, "more.txt": "x" * 100})
    done = {result.report.student: result for result in grade(class_of_thirty, tmp_path / "out", 2)}
    assert done["large"].report.earned == 8
    assert done["large"].report.files["more.txt"].startswith("Expected at most 0 MiB in all, got more")
    assert not [result for result in grade(class_of_thirty, tmp_path / "out", 2) if result.ran]


class Counted:
    """An executor that finishes no task until it holds `max_in_flight` of them."""

    max_in_flight = 4

    def __init__(self, grader):
        self.grader, self.waiting, self.most = grader, [], 0

    def submit(self, task, *arguments):
        future = Future()
        self.waiting.append((future, task, arguments))
        self.most = max(self.most, len(self.waiting))
        if len(self.waiting) >= self.max_in_flight:
            threading.Thread(target=self.finish).start()
        return future

    def finish(self):
        """Finish the latest task first."""
        waiting, self.waiting = self.waiting, []
        for future, task, arguments in reversed(waiting):
            future.set_result(task(self.grader, *arguments))


def test_the_number_of_submissions_in_flight_is_bounded(course, sandbox, hand_in, tmp_path):
    for number in range(40):
        folder = hand_in(f"student {number:02}", **{"greeting.txt": "hello" * (number + 1)})
    grader = Grader.create(course.assignments[0], hidden_data(course), sandbox)
    workers, cohort = Counted(grader), read_cohort(folder, "hello")
    sources = MarkSources.read(course, grader, cohort, tmp_path / "out")
    done = list(grade_cohort(grader, sources, cohort, tmp_path / "out", executor=workers))
    assert workers.most == 4
    assert [result.report.student for result in done] == [f"student {number:02}" for number in range(40)]


def test_warnings_of_a_submission_stay_its_own(grade, class_of_thirty, tmp_path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        done = grade(class_of_thirty, tmp_path / "out", 2)
    assert {
        score.remarks
        for result in done
        for score in result.report.scores
        if result.report.student == "student 03"
    } >= {("5 bytes",)}
    assert not [result for result in caught if "bytes" in str(result.message)]


def test_a_relocated_factory_keeps_the_seed_and_no_drawn_data(course, tmp_path):
    (course.root / "solutions" / "secret_seed").write_text("autumn 7f3c9a51e08d42b6")
    setup = GraderFactory(course.assignments[0], hidden_data(course))
    setup.source.draw("numbers", {})
    there = setup.relocate(replace(course, root=tmp_path / "elsewhere"))
    assert there.source.seed("x") == setup.source.seed("x") and not there.source._drawn
    assert "autumn" not in repr(there)


def test_a_submission_is_the_same_in_memory(hand_in, sandbox):
    path: Path = hand_in("ann", **{"work.py": 'STUDENT = "ann"'}) / "ann"
    for source in (path, read_bundle(path)):
        submission = Submission("ann", source, None, sandbox)
        assert submission.signature == "ann" and submission.files.names == ("work.py",)


def test_stripped_reports_give_the_same_tables_and_class_page():
    """Thousands of whole reports, with their figures, would not fit into memory."""
    whole = made_class(60)
    slimmed = [strip_details(report) for report in whole]
    folders = {report.student: report.student for report in whole}
    assert class_html(slimmed, {}, folders) == class_html(whole, {}, folders)
    assert grades_csv(slimmed) == grades_csv(whole)
    assert merge_answers(slimmed, {}) == merge_answers(whole, {})


def test_stripped_reports_of_a_thousand_students_take_a_few_megabytes():
    tracemalloc.start()
    whole = [pickle.loads(pickle.dumps(report)) for report in made_class(100)]
    slimmed = [strip_details(report) for report in whole]
    del whole
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(slimmed) == 100 and held / len(slimmed) < 8_000  # a whole one takes 10,000
