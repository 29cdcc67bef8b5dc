"""Grading a class: each submission graded and settled, its report saved at once, the tables and pages at the end.

Settled means: with the points that people gave (`answers.csv`, `marks.csv`), and by the course's rule on being late.
Items run wherever there are workers; which of them must run is decided here, and all files are written here.
"""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from filelock import FileLock, Timeout
from threadpoolctl import threadpool_limits

from autograder.core import Course, CourseError, make_private_folder, sanitize
from autograder.grading import _answers as answers
from autograder.grading import _late as late
from autograder.grading import _manual_marks as marks
from autograder.grading._cache import ScoreCache, write_atomically
from autograder.grading._executors import Executor, SerialExecutor, choose_jobs, open_process_pool
from autograder.grading._grader import Given, GradedSubmission, Grader, GraderFactory, ItemResult, ScorePlan
from autograder.grading._reading import ReadSubmission, describe_error, read_ahead
from autograder.grading._results import folder_names, save_report, save_results
from autograder.reports import Timing
from autograder.rubric import Report
from autograder.submissions import Cohort

KEPT, LOCK = ".scores", ".lock"
AHEAD = 32  # times the room of the workers: submissions that are done and wait for one before them
MAX_HELD = 256 * 2**20  # bytes of submissions that are under way


@dataclass(frozen=True)
class MarkSources:
    """What people and rules add to the grader's points; `notices` are lines about it for the TA.

    late_days: the table of late days, which is the whole course's and lies beside its folders of results.
    """

    answers: dict[tuple[str, str], answers.AnswerRow]
    marks: marks.ManualMarks
    rules: late.LateRules
    late_days: Path
    notices: tuple[str, ...]

    @classmethod
    def read(cls, course: Course, grader: Grader, found: Cohort, out: Path) -> "MarkSources":
        """Return the sources for the class `found`. Raises CourseError for the first mistake in a table."""
        late_days = out.absolute().parent / late.FILE
        rules = late.late_rules(course, course.assignment(grader.assignment), found.submissions, late_days)
        by_hand = marks.read_marks(out / marks.FILE, grader.items)
        earlier = [path.parent.name for path in out.glob("*/report.json")]
        astray = marks.marks_without_submission(
            by_hand, {sanitize(one.student) for one in found.submissions}, earlier
        )
        told = (*found.doubts, *found.notices, *rules.told, *astray)
        return cls(answers.read_answers(out / answers.FILE), by_hand, rules, late_days, told)

    def apply(self, report: Report) -> Report:
        """Return the report with all that people gave, and then with what being late costs."""
        report = marks.apply_manual_marks(answers.apply_answers(report, self.answers), self.marks)
        return late.apply_late_policy(report, self.rules, self.marks.late_by_hand())

    def save(self, reports: list[Report], out: Path) -> None:
        """Write the tables back, with what is new; `marks.csv` is a person's alone, and only begun."""
        if rows := answers.answer_rows(reports, self.answers):
            write_atomically(out / answers.FILE, answers.answers_csv(rows))
        if text := late.late_days_csv(self.late_days, self.rules, reports, self.marks.late_by_hand()):
            write_atomically(self.late_days, text)
        marks.write_blank(out / marks.FILE)


def grade_cohort(
    grader: Grader,
    sources: MarkSources,
    found: Cohort,
    out: Path,
    fresh: bool = False,
    workers: Executor | None = None,
    readers: Executor | None = None,
) -> Iterator[GradedSubmission]:
    """Grades each submission and saves its report, in the order of the class; tables and pages however the run ends.

    An item's score from an earlier run is kept where nothing that it depends on has changed, unless `fresh`. What
    people decided, in `sources`, is taken over always. workers: what runs items; readers: what reads submissions; this
    process where there are none. Raises CourseError where another run is at work in `out`.
    """
    make_private_folder(out)
    with lock_results(out):
        title, done = sources.rules.assignment.title, []
        folders = folder_names(sanitize(handed_in.student) for handed_in in found.submissions)
        marking = Scheduler(grader, ScoreCache(out / KEPT, fresh), workers or SerialExecutor(grader))
        try:
            for one in marking.in_order(
                read_ahead(readers or SerialExecutor(None), found.submissions, grader.expected)
            ):
                one = replace(one, report=sources.apply(one.report))
                save_report(one.report, title, out / folders[one.report.student])
                done.append(replace(one, report=strip_details(one.report)))
                yield one
        finally:
            reports = [one.report for one in done]
            sources.save(reports, out)
            graded = {report.student for report in reports}
            waiting = [one for one in found.submissions if sanitize(one.student) not in graded]
            save_results(reports, title, timings(done), found.left_out, sources.notices, out, waiting)


@contextmanager
def open_executor(
    setup: GraderFactory, grader: Grader, jobs: int | None, most: int, dask: str, told: Callable[[str], None]
) -> Iterator[Executor]:
    """Return what runs items: the workers of a Dask cluster, processes of this machine, or this process.

    jobs: how many processes, as many as the machine has room for where it is None; there are never more than `most`.
    """
    if dask:
        from autograder.grading._dask_executor import dask_executor

        with dask_executor(dask, setup, grader, told) as workers:
            yield workers
    elif os.name == "posix":  # a single one as well: a process that may die
        jobs = max(1, min(jobs or choose_jobs(), most))
        with open_process_pool(jobs, setup.open, grader.watch, setup.patience) as workers:
            yield workers
    else:
        with threadpool_limits(1, "blas"):  # as in a worker: sums of several threads may be rounded otherwise
            yield SerialExecutor(grader)


@dataclass
class InFlight:
    """A submission under way: what is known of it, which items run for it now, and which may run for one before it."""

    planned: ScorePlan
    known: Given
    mine: tuple[int, ...]
    others: tuple[int, ...]
    running: Future | None
    ran: Given = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        """Whether all that ran for it is taken."""
        return self.running is None


@dataclass
class Scheduler:
    """Runs the items of a class that must run, each once, and keeps what they gave as soon as it is there."""

    grader: Grader
    kept: ScoreCache
    workers: Executor
    under_way: set[str] = field(default_factory=set)  # keys of scores

    def in_order(self, submissions: Iterable[ReadSubmission]) -> Iterator[GradedSubmission]:
        """Each submission, graded, in this order; several are under way at a time."""
        line: deque[InFlight] = deque()
        for read in submissions:
            line.append(self.begin(read))
            yield from self.ended(line)
            while not self.fits(line):
                wait([one.running for one in line if not one.is_done], return_when=FIRST_COMPLETED)
                yield from self.ended(line)
        while line:
            wait([line[0].running])
            yield from self.ended(line)

    def begin(self, read: ReadSubmission) -> InFlight:
        """Hands out the items of a submission of which nothing is known and that nobody runs."""
        planned = self.grader.plan(read)
        known = {place: self.kept.get(key) for place, key in enumerate(planned.keys)}
        known = {place: ItemResult(*given) for place, given in known.items() if given}
        missing = [place for place in range(len(planned.keys)) if place not in known]
        others = tuple(place for place in missing if self.is_under_way(planned.keys[place]))
        mine = tuple(place for place in missing if place not in others)
        self.under_way |= {planned.keys[place] for place in mine}
        return InFlight(planned, known, mine, others, self.run(planned, mine) if mine else None)

    def is_under_way(self, key: str) -> bool:
        """Whether the score of this key is being found for a submission of the same content."""
        return bool(key) and key in self.under_way and not self.kept.fresh

    def run(self, planned: ScorePlan, places: tuple[int, ...]) -> Future:
        """Has these items run."""
        return self.workers.submit(Grader.run, planned.handed, places)

    def ended(self, line: deque[InFlight]) -> Iterator[GradedSubmission]:
        """Take what is done; those at the head of the line leave it."""
        for one in line:
            if one.running and one.running.done():
                self.take(one, one.mine)
        while line and line[0].is_done:
            yield self.whole(line.popleft())

    def take(self, one: InFlight, places: tuple[int, ...]) -> None:
        """Keep what the items at these places gave."""
        try:
            ran = one.running.result()
        except (CancelledError, CourseError):
            raise
        except Exception as error:  # of any kind: it is no reason to grade no other
            ran = self.grader.lost(places, describe_error(error))
        for place, given in ran.items():
            if given.lasts:
                self.kept.put(one.planned.keys[place], given.score, given.seconds)
        one.ran, one.running = one.ran | ran, None
        self.under_way -= {one.planned.keys[place] for place in places}
        if not one.others:
            one.planned = one.planned.emptied

    def whole(self, one: InFlight) -> GradedSubmission:
        """Return the report on a submission; an item that another's should have told about, and did not, runs now."""
        found = {place: self.kept.get(one.planned.keys[place]) for place in one.others}
        one.known |= {place: ItemResult(*given) for place, given in found.items() if given}
        if left := tuple(place for place in one.others if place not in one.known):
            one.running = self.run(one.planned, left)
            self.take(one, left)
        return self.grader.graded(one.planned, one.ran, one.known)

    def fits(self, line: deque[InFlight]) -> bool:
        """Whether there is room for one more."""
        running = [one for one in line if not one.is_done]
        held = sum(one.planned.size for one in running)
        max_in_flight = self.workers.max_in_flight
        return not running or (
            len(running) < max_in_flight and len(line) < AHEAD * max_in_flight and held < MAX_HELD
        )


def strip_details(report: Report) -> Report:
    """Return what tables and the page of a class need of a report: a class of thousands fits into memory."""
    shared = {"text", "item", "message", "outcome"}  # equal ones came from workers one by one
    scores = (
        replace(
            score,
            hint="",
            remarks=(),
            figures=(),
            **{name: sys.intern(getattr(score, name)) for name in shared},
        )
        for score in report.scores
    )
    return replace(report, scores=tuple(scores), files={})


def timings(graded: Iterable[GradedSubmission]) -> list[Timing]:
    """How long each item of each student took, now or when it was run."""
    return [
        Timing(one.report.student, item, seconds, kept=item not in one.ran)
        for one in graded
        for item, seconds in one.seconds.items()
    ]


@contextmanager
def lock_results(out: Path) -> Iterator[None]:
    """Keep a second run out of the folder; the system gives it free when this one ends, however it ends."""
    try:
        with FileLock(out / LOCK, timeout=0):
            yield
    except Timeout:
        advice = "wait for it, or name another --out"
        raise CourseError(f"Another `autograder grade` is at work in {out}: {advice}.") from None
