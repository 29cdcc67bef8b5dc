"""Readers: processes that may die, in which all bytes of a class's submissions are unpacked and parsed.

The grader's own process gets plain data from them. A reader that is killed, for its memory or its time, costs only the
submission that it was reading: a person looks at that.
"""

import os
import sys
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from dataclasses import replace
from datetime import tzinfo
from pathlib import Path, PurePosixPath
from typing import Any

from autograder.core import CourseError, NeedsReview
from autograder.grading._executors import Executor, ProcessPool, SerialExecutor, Watch, WorkerLost
from autograder.grading._reading import ReadSubmission, open_submission, read_submission
from autograder.rubric import Expected
from autograder.sandbox import missing_packages
from autograder.submissions import Budget, Cohort, FileBundle, RawSubmission, open_source

READERS = 2
MAX_AHEAD = 4  # submissions that are read before they are needed
MAX_MEMORY = 2**30  # bytes for a reader beyond what it takes when it starts
MAX_PROCESSOR = 60  # seconds of the processor for one submission; its `Budget` ends well before
PATIENCE = 300.0  # seconds for a submission, or for the list of a class
MAX_PACKAGES = 10  # named in a line
MAX_SCAN = 30.0  # seconds for finding the packages that notebooks import


@contextmanager
def open_reader(watch: Watch) -> Iterator[bool]:
    """Limit the memory of this process, a reader, and open True: tasks shall call `limit_processor`."""
    if sys.platform == "linux":
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + MAX_MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    yield True


def limit_processor(seconds: int = MAX_PROCESSOR) -> None:
    """End this process, a reader, when it has worked for `seconds` from now."""
    if sys.platform == "linux":
        import resource

        usage = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(usage.ru_utime + usage.ru_stime) + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


@contextmanager
def open_readers() -> Iterator[Executor]:
    """Open the executor that reads submissions: processes with limits, or this process if the system has none.

    The first argument of its tasks says whether they run in a process of their own.
    """
    if os.name != "posix":
        yield SerialExecutor(False)
        return
    with ProcessPool(READERS, open_reader, patience=PATIENCE) as pool:
        yield pool


def read_task(is_reader: bool, raw: RawSubmission, expected: Expected) -> ReadSubmission:
    """Read a submission, in a reader."""
    if is_reader:
        limit_processor()
    return read_submission(raw, expected)


def read_ahead(
    readers: Executor, submissions: Iterable[RawSubmission], expected: Expected
) -> Iterator[ReadSubmission]:
    """Yield each submission, read, in this order; the next ones are read meanwhile."""
    queue: deque[tuple[RawSubmission, Future]] = deque()
    for raw in submissions:
        queue.append((raw, readers.submit(read_task, raw, expected)))
        if len(queue) > MAX_AHEAD:
            yield take_result(*queue.popleft())
    while queue:
        yield take_result(*queue.popleft())


def take_result(raw: RawSubmission, future: Future) -> ReadSubmission:
    """Return what a reader read; if the reader died, a submission that a person must look at."""
    try:
        return future.result()
    except (CancelledError, CourseError):
        raise
    except Exception as error:  # of any kind: the others are read all the same
        trouble = NeedsReview(f"the submission could not be read: {describe_error(error)}")
        return ReadSubmission(replace(raw, source=FileBundle(trouble)), {}, "")


def describe_error(error: Exception) -> str:
    """Return why a task has no result, for a person.

    Args:
        error: what its Future raised.
    """
    return str(error) if isinstance(error, WorkerLost) else f"{type(error).__name__}: {error}"


def read_cohort(
    readers: Executor,
    path: Path,
    slug: str,
    roster: Path | None = None,
    zone: tzinfo | None = None,
    out: Path | None = None,
) -> Cohort:
    """Return the class at `path`, read by `lms.read_cohort` in a reader.

    Args:
        readers: the executor of `open_readers`.
        path, slug, roster, zone, out: as for `lms.read_cohort`.

    Raises:
        CourseError: the path holds no class, or can't be read.
    """
    try:
        return readers.submit(read_cohort_task, path, slug, roster, zone, out).result()
    except WorkerLost as lost:
        raise CourseError(f"{path} can't be read: {lost}") from None


def read_cohort_task(is_reader: bool, *arguments: Any) -> Cohort:
    """Read the list of a class, in a reader."""
    from autograder.lms import _detect

    return _detect.read_cohort(*arguments)


def describe_missing_packages(
    readers: Executor, submissions: Sequence[RawSubmission], expected: Expected, seconds: float = MAX_SCAN
) -> str:
    """Return a line on the packages that notebooks of a class import and this machine lacks; empty if it lacks none.

    Args:
        readers: the executor of `open_readers`.
        submissions: the class.
        expected: the assignment, by which the notebook of a submission is found.
        seconds: after this time the line is about the submissions that were read by then.
    """
    end, done = time.monotonic() + seconds, 0
    counts: Counter[str] = Counter()
    futures = [readers.submit(imports_task, raw, expected) for raw in submissions]
    for future in futures:
        try:
            counts.update(future.result(timeout=max(0.0, end - time.monotonic())))
            done += 1
        except TimeoutError:
            future.cancel()
        except (CancelledError, CourseError):
            raise
        except Exception:  # of any kind: `take_result` says what is wrong with the submission
            done += 1
    if not counts:
        return ""
    names = ", ".join(f"{name} ({count})" for name, count in counts.most_common(MAX_PACKAGES))
    more = f" and {len(counts) - MAX_PACKAGES} more" if len(counts) > MAX_PACKAGES else ""
    part = f" (found in {done} of {len(futures)} submissions)" if done < len(futures) else ""
    return (
        f"Notebooks import packages that this machine lacks: {names}{more}{part}. "
        "Install them and grade again: until then, a person must look at the items that need them."
    )


def imports_task(is_reader: bool, raw: RawSubmission, expected: Expected) -> list[str]:
    """Return the packages that the notebook of a submission imports, and neither it nor this machine has."""
    if is_reader:
        limit_processor()
    files = open_source(raw.source, expected.slug, Budget(seconds=0.5, bytes=64 * 2**20, entries=20_000))
    name, content = open_submission(replace(raw, source=lambda budget: files), expected).code
    own = {part.removesuffix(".py") for path in files.names for part in PurePosixPath(path).parts}
    return [package for package in missing_packages(content, name) if package not in own]
