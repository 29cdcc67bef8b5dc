"""Grades a class. Each report is saved as soon as it is final, the tables and pages of the class at the end.

Here it is decided which items must run; executors run them, wherever that is. A final report has the points that people
gave (`answers.csv`, `marks.csv`) and the cost of lateness. All files are written in this process.
"""

import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from filelock import FileLock, Timeout
from threadpoolctl import threadpool_limits

from autograder.core import Course, CourseError, NeedsReview, make_private_folder, sanitize, write_atomically
from autograder.grading import _answers as answers
from autograder.grading import _late as late
from autograder.grading import _manual_marks as marks
from autograder.grading._cache import ScoreCache
from autograder.grading._executors import Executor, ProcessPool, SerialExecutor, Watch, choose_jobs
from autograder.grading._grader import GradedSubmission, Grader, GraderFactory, ItemResult
from autograder.grading._readers import describe_error, read_ahead
from autograder.grading._reading import ReadSubmission
from autograder.grading._results import name_folders, save_report, save_results
from autograder.reports import Timing
from autograder.rubric import Report
from autograder.submissions import Cohort, FileBundle

CACHE, LOCK = ".scores", ".lock"
MAX_WAITING = 32  # times the executor's max_in_flight: submissions that are done and wait for an earlier one
MAX_BYTES = 256 * 2**20  # of submissions in flight


@dataclass(frozen=True)
class MarkSources:
    """What changes the grader's points: people's tables, and the policy on late work.

    Attributes:
        answers: the rows of `answers.csv`.
        marks: the rows of `marks.csv`.
        rules: the late policy.
        late_days: the table of late days, which is the whole course's.
        notices: lines for the TA.
    """

    answers: marks.Marks
    marks: marks.Marks
    rules: late.LateRules
    late_days: Path
    notices: tuple[str, ...]

    @classmethod
    def read(cls, course: Course, grader: Grader, cohort: Cohort, out: Path) -> "MarkSources":
        """Return the sources for a class. Raises CourseError, in one line, for the first mistake in a table."""
        submissions, earlier = cohort.submissions, [path.parent.name for path in out.glob("*/report.json")]
        manual = marks.match_students(marks.read_marks(out / marks.FILE, grader.items), submissions, earlier)
        marked = marks.match_students(answers.read_answers(out / answers.FILE), submissions, earlier)
        table = out.absolute().parent / late.FILE
        assignment, by_hand = course.assignment(grader.assignment), marks.count_days_by_hand(manual)
        rules = late.read_late_rules(course, assignment, cohort.submissions, table, by_hand)
        students = {sanitize(raw.student) for raw in submissions}
        with_points = {key: row for key, row in marked.items() if row.text("points")}
        absent = [
            line
            for rows in (manual, with_points)
            for line in marks.find_absent_students(rows, students, earlier)
        ]
        notices = (*cohort.doubts, *cohort.notices, *rules.notices, *absent)
        return cls(marked, manual, rules, table, notices)

    def apply(self, report: Report) -> Report:
        """Return the report with all that people gave, and then with the cost of lateness."""
        report = marks.apply_manual_marks(answers.apply_answers(report, self.answers), self.marks)
        return late.apply_late_policy(report, self.rules)

    def save(self, reports: list[Report], out: Path) -> None:
        """Write the tables back with new rows; `marks.csv` is only created."""
        if rows := answers.merge_answers(reports, self.answers):
            write_atomically(out / answers.FILE, answers.format_answers(rows))
        if text := late.format_late_days(self.late_days, self.rules, reports):
            write_atomically(self.late_days, text)
        marks.write_empty_table(out / marks.FILE)


def grade_cohort(
    grader: Grader,
    sources: MarkSources,
    cohort: Cohort,
    out: Path,
    fresh: bool = False,
    executor: Executor | None = None,
    readers: Executor | None = None,
) -> Iterator[GradedSubmission]:
    """Grade each submission and save its report, in the order of the class.

    Tables and pages are written however the run ends. Cached scores are used for items whose inputs have not changed.

    Args:
        grader: the grader of the assignment.
        sources: what people gave, and the late policy.
        cohort: the class.
        out: the folder for the results.
        fresh: ignore cached scores.
        executor: runs items; None: in this process.
        readers: reads submissions; None: in this process.

    Yields:
        Each submission with its final report.

    Raises:
        CourseError: another run is at work in `out`.
    """
    make_private_folder(out)
    with lock_results(out):
        title, finished = sources.rules.assignment.title, list[GradedSubmission]()
        folders = name_folders(sanitize(raw.student) for raw in cohort.submissions)
        scheduler = Scheduler(grader, ScoreCache(out / CACHE, fresh), executor or SerialExecutor(grader))
        submissions = read_ahead(readers or SerialExecutor(False), cohort.submissions, grader.expected)
        try:
            for graded in scheduler.grade(submissions):
                graded = replace(graded, report=sources.apply(graded.report))
                save_report(graded.report, title, out / folders[graded.report.student])
                finished.append(replace(graded, report=strip_details(graded.report)))
                yield graded
        finally:
            reports = [graded.report for graded in finished]
            sources.save(reports, out)
            students = {report.student for report in reports}
            waiting = [raw for raw in cohort.submissions if sanitize(raw.student) not in students]
            save_results(
                reports, title, list_timings(finished), cohort.left_out, sources.notices, out, waiting
            )


@contextmanager
def open_executor(
    factory: GraderFactory, grader: Grader, jobs: int | None, max_jobs: int, dask: str, notify: Watch
) -> Iterator[Executor]:
    """Open what runs items: a Dask cluster, processes of this machine, or this process.

    Args:
        factory: makes the graders of other processes.
        grader: the grader of this process.
        jobs: the number of processes; None: as many as fit the machine.
        max_jobs: a limit to that.
        dask: the address of a scheduler, "local:N" or "".
        notify: called with each line for the TA.
    """
    if dask:
        from autograder.grading._dask_executor import open_dask_executor

        with open_dask_executor(dask, factory, grader, notify) as executor:
            yield executor
    elif os.name == "posix":  # a single job as well: its process may die
        jobs = max(1, min(jobs or choose_jobs(), max_jobs))
        with ProcessPool(jobs, factory.open, grader.watch, factory.patience) as pool:
            yield pool
    else:
        with threadpool_limits(1, "blas"):  # as in a worker, since several threads may round sums differently
            yield SerialExecutor(grader)


@dataclass
class InFlight:
    """A submission between reading and report.

    own: the indices of items that run for it. shared: those that already run for an equal submission before it.
    """

    read: ReadSubmission
    keys: tuple[str, ...]
    cached: dict[int, ItemResult]
    own: tuple[int, ...]
    shared: tuple[int, ...]
    future: Future | None = None
    results: dict[int, ItemResult] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """The bytes of its files in memory."""
        source = self.read.raw.source
        return source.size if isinstance(source, FileBundle) else 0

    def drop_files(self) -> None:
        """Free the memory of its files."""
        self.read = replace(self.read, raw=replace(self.read.raw, source=FileBundle({})))


@dataclass
class Scheduler:
    """Runs those items of a class that must run, each once, and caches their scores at once."""

    grader: Grader
    cache: ScoreCache
    executor: Executor
    running: set[str] = field(default_factory=set)  # keys of scores

    def grade(self, submissions: Iterable[ReadSubmission]) -> Iterator[GradedSubmission]:
        """Yield each submission, graded, in this order; several are in flight at a time."""
        queue: deque[InFlight] = deque()
        for read in submissions:
            queue.append(self.start(read))
            yield from self.finish(queue)
            while self.is_full(queue):
                wait([future for entry in queue if (future := entry.future)], return_when=FIRST_COMPLETED)
                yield from self.finish(queue)
        while queue:
            if future := queue[0].future:
                wait([future])
            yield from self.finish(queue)

    def start(self, read: ReadSubmission) -> InFlight:
        """Submit the items whose scores are neither cached nor being computed."""
        keys = self.grader.compute_keys(read)
        cached = {index: result for index, key in enumerate(keys) if (result := self.cache.get(key))}
        missing = [index for index in range(len(keys)) if index not in cached]
        can_share = set() if self.cache.fresh else self.running - {""}
        shared = tuple(index for index in missing if keys[index] in can_share)
        own = tuple(index for index in missing if index not in shared)
        self.running |= {keys[index] for index in own}
        return InFlight(read, keys, cached, own, shared, self.submit(read, own) if own else None)

    def submit(self, read: ReadSubmission, indices: tuple[int, ...]) -> Future:
        """Have items run."""
        return self.executor.submit(Grader.run, read.raw, indices)

    def finish(self, queue: deque[InFlight]) -> Iterator[GradedSubmission]:
        """Collect the results that are there, and yield the reports at the head of the queue."""
        for entry in queue:
            if entry.future and entry.future.done():
                self.collect(entry, entry.future, entry.own)
        while queue and not queue[0].future:
            yield self.report(queue.popleft())

    def collect(self, entry: InFlight, future: Future, indices: tuple[int, ...]) -> None:
        """Cache what items earned; if no process survived them, a person must look."""
        try:
            results = future.result()
        except (CancelledError, CourseError):
            raise
        except Exception as error:  # of any kind: the others are graded all the same
            results = self.grader.fail(entry.read.raw, indices, NeedsReview(describe_error(error)))
        for index, result in results.items():
            self.cache.put(entry.keys[index], result)
        entry.results |= results
        entry.future = None
        self.running -= {entry.keys[index] for index in indices}
        if not entry.shared:
            entry.drop_files()

    def report(self, entry: InFlight) -> GradedSubmission:
        """Return the report. Re-run items whose shared score is missing."""
        shared = {index: self.cache.get(entry.keys[index]) for index in entry.shared}
        cached = entry.cached | {index: result for index, result in shared.items() if result}
        if missing := tuple(index for index in entry.shared if index not in cached):
            self.collect(entry, self.submit(entry.read, missing), missing)
        return self.grader.make_report(entry.read, entry.results | cached, entry.results)

    def is_full(self, queue: deque[InFlight]) -> bool:
        """Return True if no other submission fits in."""
        running, most = [entry for entry in queue if entry.future], self.executor.max_in_flight
        too_large = sum(entry.size for entry in running) >= MAX_BYTES
        return bool(running) and (len(running) >= most or len(queue) >= MAX_WAITING * most or too_large)


def strip_details(report: Report) -> Report:
    """Return what tables and the page of the class need of a report, so that thousands fit into memory.

    Args:
        report: a whole report, which is on disk.
    """
    scores = tuple(
        replace(
            score, hint="", remarks=(), figures=(), text=sys.intern(score.text), item=sys.intern(score.item),
            message=sys.intern(score.message),
        )
        for score in report.scores
    )  # fmt: skip
    return replace(report, scores=scores, files={})


def list_timings(graded: Iterable[GradedSubmission]) -> list[Timing]:
    """Return how long each item of each student took, now or in the run that its score is cached from."""
    return [
        Timing(submission.report.student, item, seconds, item not in submission.ran)
        for submission in graded
        for item, seconds in submission.seconds.items()
    ]


@contextmanager
def lock_results(out: Path) -> Iterator[None]:
    """Lock a folder of results against a second run; the system unlocks it however this run ends."""
    try:
        with FileLock(out / LOCK, timeout=0):
            yield
    except Timeout:
        advice = "wait for it, or name another --out"
        raise CourseError(f"Another `autograder grade` is at work in {out}: {advice}.") from None
