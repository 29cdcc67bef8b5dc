"""Benches: processes that each have a sandbox and graders of their own, so that proofs run side by side.

Marks are on data from the demo seed, so that they are the same numbers everywhere.
"""

import atexit
import copy
import hashlib
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from autograder.course import Course
from autograder.grader import Grader
from autograder.handed_in import HandedIn
from autograder.hidden import DEMO_SECRET, HiddenData
from autograder.models import Model, Predictor
from autograder.rubric import Score, hidden_from, score
from autograder.sandbox import Sandbox, probe
from autograder.sandbox.confinement import die_with_parent

Asks = dict[str, frozenset[tuple[str, str]]]  # what each item asked for, of a submission
Submit = Callable[..., Future]


class Remembering(Predictor):
    """Predicts once where a model file is given the same inputs again: specimens share most of their models."""

    def __init__(self):
        super().__init__()
        self._known = {}

    def predict(self, model: Model, inputs: Sequence, batch_size: int = 1024):
        arrays = [array for one in inputs for array in (one if isinstance(one, tuple) else (one,))]
        shapes = repr([(array.dtype.str, array.shape) for array in arrays])
        given = hashlib.sha256(shapes.encode() + b"".join(array.tobytes() for array in arrays)).digest()
        key = model.sha256, given, batch_size
        if key not in self._known:
            self._known[key] = super().predict(model, inputs, batch_size)
        return copy.deepcopy(self._known[key])


class Bench:
    """A sandbox, and for each assignment a grader, made when it is first asked for."""

    def __init__(self, course: Course, sandbox: Sandbox):
        self.course, self.sandbox, self._graders = course, sandbox, {}

    def grader(self, slug: str, secret: str = DEMO_SECRET) -> Grader:
        if (slug, secret) not in self._graders:
            source = HiddenData(self.course, secret)
            grader = Grader.of(self.course.assignment(slug), source, self.sandbox)
            self._graders[slug, secret] = replace(grader, predictor=Remembering())
        return self._graders[slug, secret]

    def scores(self, slug: str, path: Path, student: str, **chosen) -> dict[str, Score]:
        """The scores of the items, by name; see `observed`."""
        return self.observed(slug, path, student, **chosen)[0]

    def observed(
        self, slug: str, path: Path, student: str, names: set[str] | None = None, secret: str = DEMO_SECRET
    ) -> tuple[dict[str, Score], Asks]:
        """The scores by item, and what each item asked of the submission. names: of the items, else all."""
        grader, scores, asks = self.grader(slug, secret), {}, {}
        submission = grader.submission(HandedIn(student, path))
        with hidden_from(grader.source):
            for item in (item for item in grader.items if names is None or item.__name__ in names):
                asked = set()
                listening = replace(submission, asks=lambda *what, asked=asked: asked.add(what))
                scores[item.__name__], asks[item.__name__] = score(item, listening), frozenset(asked)
        return scores, asks


@contextmanager
def benches(course: Course, jobs: int) -> Iterator[Submit]:
    """Gives `submit(task, ...)`: a Future of `task(bench, ...)`, which runs on one of so many benches."""
    context = multiprocessing.get_context(
        "spawn"
    )  # a fork would inherit TensorFlow's threads, or half of them
    with ProcessPoolExecutor(jobs, context, initializer=_open, initargs=(course,)) as pool:
        try:
            yield lambda task, *arguments: pool.submit(_run, task, *arguments)
        finally:
            pool.shutdown(cancel_futures=True)


def at(bench: Bench) -> Submit:
    """The same for a single bench in this process: each task runs where it is submitted."""

    def submit(task: Callable, *arguments) -> Future:
        done = Future()
        done.set_result(task(bench, *arguments))
        return done

    return submit


_HERE: list[Bench] = []  # of a process that `benches` started


def _open(course: Course) -> None:
    sandbox = Sandbox(probe())  # whose server ends with this process
    die_with_parent()  # it would wait for ever for one that was killed
    atexit.register(sandbox.stop)
    _HERE.append(Bench(course, sandbox))


def _run(task: Callable, *arguments):
    return task(*_HERE, *arguments)
