"""Grading a class: each submission graded and settled, its report saved at once, the tables and pages at the end.

Settled means: with the points that people gave (`answers.csv`, `marks.csv`), and by the course's rule on being late.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from autograder import answers, late, marks
from autograder.classroom import save_class, save_report
from autograder.course import Course, CourseError
from autograder.failure import plain
from autograder.grader import Graded, Grader
from autograder.handed_in import Class
from autograder.kept import Kept, write
from autograder.reports.class_page import Took
from autograder.rubric import Report

KEPT, LOCK = ".scores", ".lock"


@dataclass(frozen=True)
class Books:
    """What people and rules add to the grader's points; `told` are lines about it for the TA.

    late_days: the table of late days, which is the whole course's and lies beside its folders of results.
    """

    answers: dict[tuple[str, str], answers.Row]
    marks: marks.Marks
    rules: late.Rules
    late_days: Path
    told: tuple[str, ...]

    @classmethod
    def read(cls, course: Course, grader: Grader, found: Class, out: Path) -> "Books":
        """The books for the class `found`. Raises CourseError, in one line, for the first mistake in a table."""
        late_days = out.absolute().parent / late.FILE
        rules = late.late_rules(course, course.assignment(grader.assignment), found.submissions, late_days)
        by_hand = marks.read_marks(out / marks.FILE, grader.items)
        earlier = [path.parent.name for path in out.glob("*/report.json")]
        astray = marks.astray(by_hand, {plain(one.student) for one in found.submissions}, earlier)
        told = (*rules.told, *astray)
        return cls(answers.read_answers(out / answers.FILE), by_hand, rules, late_days, told)

    def settled(self, report: Report) -> Report:
        """The report with all that people gave, and then with what being late costs."""
        report = marks.by_hand(answers.answered(report, self.answers), self.marks)
        return late.adjusted(report, self.rules, self.marks.late_by_hand())

    def save(self, reports: list[Report], out: Path) -> None:
        """Writes the tables back, with what is new; `marks.csv` is a person's alone, and only begun."""
        if rows := answers.rows_of(reports, self.answers):
            write(out / answers.FILE, answers.answers_csv(rows))
        if text := late.late_days_csv(self.late_days, self.rules, reports, self.marks.late_by_hand()):
            write(self.late_days, text)
        marks.blank(out / marks.FILE)


def grade_class(
    grader: Grader, books: Books, found: Class, out: Path, fresh: bool = False
) -> Iterator[Graded]:
    """Grades each submission and saves its report at once; tables and pages are written however the run ends.

    An item's score from an earlier run is kept where nothing that it depends on has changed, unless `fresh`. What
    people decided, in `books`, is taken over always. Raises CourseError where another run is at work in `out`.
    """
    out.mkdir(parents=True, exist_ok=True)
    with locked(out):
        title, done = books.rules.assignment.title, []
        try:
            for handed in found.submissions:
                one = grader.grade(handed, Kept(out / KEPT, fresh))
                one = replace(one, report=books.settled(one.report))
                save_report(one.report, title, out)
                done.append(one)
                yield one
        finally:
            reports = [one.report for one in done]
            books.save(reports, out)
            save_class(reports, title, took(done), found.left_out, books.told, out)


def took(graded: Iterable[Graded]) -> list[Took]:
    """How long each item of each student took, now or when it was run."""
    return [
        Took(one.report.student, item, seconds, kept=item not in one.ran)
        for one in graded
        for item, seconds in one.seconds.items()
    ]


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Keeps a second run out of the folder; the system gives it free when this one ends, however it ends."""
    try:
        with FileLock(out / LOCK, timeout=0):
            yield
    except Timeout:
        advice = "wait for it, or name another --out"
        raise CourseError(f"Another `autograder grade` is at work in {out}: {advice}.") from None
