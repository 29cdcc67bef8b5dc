"""Benches: processes that each have a sandbox and graders of their own, so that proofs run side by side.

Marks are on data from the demo seed, so that they are the same numbers everywhere.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.core import Course
from autograder.data import DEMO_SECRET, HiddenData
from autograder.grading import Grader, ProcessPool, SerialExecutor
from autograder.rubric import Score, hidden_from, run_item
from autograder.sandbox import Isolation, Sandbox, probe
from autograder.submissions import RawSubmission

Asks = dict[str, frozenset[tuple[str, str]]]  # what each item asked for, of a submission
Submit = Callable[..., Future]


class VerifyWorker:
    """A sandbox, and for each assignment a grader, made when it is first asked for."""

    def __init__(self, course: Course, sandbox: Sandbox):
        self.course, self.sandbox = course, sandbox
        self._graders: dict[tuple[str, str], Grader] = {}

    def grader(self, slug: str, secret: str = DEMO_SECRET) -> Grader:
        if (slug, secret) not in self._graders:
            source = HiddenData(self.course, secret)
            self._graders[slug, secret] = Grader.create(self.course.assignment(slug), source, self.sandbox)
        return self._graders[slug, secret]

    def scores(self, slug: str, path: Path, student: str, **chosen: Any) -> dict[str, Score]:
        """Return the scores of the items, by name; see `observed`."""
        return self.observed(slug, path, student, **chosen)[0]

    def observed(
        self, slug: str, path: Path, student: str, names: set[str] | None = None, secret: str = DEMO_SECRET
    ) -> tuple[dict[str, Score], Asks]:
        """Return the scores by item, and what each item asked of the submission. names: of the items, else all."""
        grader, scores, asks = self.grader(slug, secret), {}, {}
        submission = grader.open_submission(RawSubmission(student, path))
        with hidden_from(grader.source):
            for item in (item for item in grader.items if names is None or item.__name__ in names):
                run = run_item(item, submission)
                scores[item.__name__], asks[item.__name__] = run.score, frozenset(run.used)
        return scores, asks


@dataclass(frozen=True)
class WorkerOpening:
    """Opens a bench, in whichever process."""

    course: Course
    isolation: Isolation

    @contextmanager
    def __call__(self, watch: Callable[[str], None]) -> Iterator[VerifyWorker]:
        with Sandbox(self.isolation, private=(self.course.root, self.course.root / "solutions")) as sandbox:
            yield VerifyWorker(self.course, sandbox)


@contextmanager
def verify_workers(course: Course, jobs: int) -> Iterator[Submit]:
    """Yield `submit(task, ...)`, which returns a Future of `task(bench, ...)`, run on one of so many benches."""
    with ProcessPool(jobs, WorkerOpening(course, probe())) as workers:
        yield workers.submit


def single_worker(bench: VerifyWorker) -> Submit:
    """Return the same for a single bench in this process: each task runs where it is submitted."""
    return SerialExecutor(bench).submit
