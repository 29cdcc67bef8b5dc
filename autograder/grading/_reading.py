"""Readers: processes that may die, in which all bytes that a class handed in are unpacked and parsed.

The grader's own process gets plain data from them. A reader that is killed, for its memory or because it takes too
long, costs the one submission that it was reading: a person looks at that.
"""

import os
import sys
import time
import warnings
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path, PurePosixPath

from autograder.core import CourseError, NeedsReview
from autograder.grading._executors import Executor, SerialExecutor, Watch, WorkerLost, open_process_pool
from autograder.models import Predictor
from autograder.rubric import Expected, Submission
from autograder.sandbox import missing_packages
from autograder.submissions import (
    Budget,
    Cohort,
    FileBundle,
    RawSubmission,
    checksums,
    open_source,
    read_bundle,
)

READERS = 2
AHEAD = 4  # submissions that are read before they are needed
MEMORY = 2**30  # bytes that a reader may take beside what it takes when it starts
PROCESSOR = 60  # seconds of the processor for one submission; its `Budget` ends well before
PATIENCE = 300.0  # seconds that a submission, or the list of a class, may take
MAX_PACKAGES = 10  # that a line names
IMPORTS_OF_CLASS = 30.0  # seconds for finding the packages that notebooks import
IMPORTS_OF_SUBMISSION = {"seconds": 0.5, "bytes": 64 * 2**20, "entries": 20_000}  # of a `Budget`


@dataclass(frozen=True)
class ReadSubmission:
    """A submission that was read: `handed` holds its files.

    sums: their checksums, see `checksums`. state: what of it scores depend on; empty where that is not known.
    """

    handed: RawSubmission
    sums: dict[str, str]
    state: tuple[str, ...]


def read_submission(handed: RawSubmission, expected: Expected) -> ReadSubmission:
    """Read what was handed in of the assignment `expected`. Never raises for what a student handed in."""
    source = read_bundle(handed.source, expected.slug)
    handed = replace(handed, source=source)
    sums, whole = checksums(source)
    return ReadSubmission(handed, sums, (whole, read_signer(handed, expected)) if whole else ())


def read_signer(handed: RawSubmission, expected: Expected) -> str:
    """Return what marks depend on of the notebook's signature: whether it stands for the student, and for others."""
    submission = open_submission(handed, expected)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what there is to remark is said by the items
        try:
            return f"{submission.signs(submission.signature)} {submission.is_ambiguous(submission.signature)}"
        except Exception as error:  # of any kind, for crafted bytes; the items say what is wrong
            return f"{type(error).__name__}: {error}"


def open_submission(handed: RawSubmission, expected: Expected) -> Submission:
    """Return the submission, whose files can be read and whose functions can't be called."""
    return Submission(
        handed.student, handed.source, Predictor(), sandbox=None, expected=expected,
        words=handed.words, shared=handed.shared, name=handed.origin.name,
    )  # fmt: skip


@contextmanager
def limited_reader(watch: Watch) -> Iterator[bool]:
    """Limit this process, a reader, and open True: its tasks may limit it further, see `limit_processor`."""
    if sys.platform == "linux":
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    yield True


@contextmanager
def open_readers() -> Iterator[Executor]:
    """Return the readers of a class; this process where the system has none that can be limited."""
    if os.name != "posix":
        yield SerialExecutor(None)
        return
    with open_process_pool(READERS, limited_reader, patience=PATIENCE) as workers:
        yield workers


def read_task(is_reader: bool | None, handed: RawSubmission, expected: Expected) -> ReadSubmission:
    """Run as the task of a reader."""
    if is_reader:
        limit_processor()
    return read_submission(handed, expected)


def limit_processor(seconds: int = PROCESSOR) -> None:
    """End this process, a reader, when it has worked for so many seconds from now."""
    if sys.platform == "linux":
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(used.ru_utime + used.ru_stime) + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def read_ahead(
    workers: Executor, submissions: Iterable[RawSubmission], expected: Expected
) -> Iterator[ReadSubmission]:
    """Each of the submissions, read, in this order; some are read before they are asked for."""
    line = deque()
    for handed in submissions:
        line.append((handed, workers.submit(read_task, handed, expected)))
        if len(line) > AHEAD:
            yield reader_result(*line.popleft())
    while line:
        yield reader_result(*line.popleft())


def reader_result(handed: RawSubmission, future: Future) -> ReadSubmission:
    """Return what a reader gave; where none lived to tell, a person must look."""
    try:
        return future.result()
    except (CancelledError, CourseError):
        raise
    except Exception as error:  # of any kind: it is no reason to read no other
        trouble = NeedsReview(f"the submission could not be read: {describe_error(error)}")
        return ReadSubmission(replace(handed, source=FileBundle(trouble)), {}, ())


def describe_error(error: Exception) -> str:
    """Why a task has no result, for a person."""
    return str(error) if isinstance(error, WorkerLost) else f"{type(error).__name__}: {error}"


def read_cohort(
    workers: Executor,
    path: Path,
    slug: str,
    roster: Path | None = None,
    zone: tzinfo | None = None,
    out: Path | None = None,
) -> Cohort:
    """Return the same as `platforms.read_class`, in a reader."""
    try:
        return workers.submit(read_cohort_task, path, slug, roster, zone, out).result()
    except WorkerLost as lost:
        raise CourseError(f"{path} can't be read: {lost}") from None


def read_cohort_task(opened: None, *arguments) -> Cohort:
    """Run as the task of a reader."""
    from autograder.lms import _detect as platforms

    return platforms.read_cohort(*arguments)


def describe_missing_packages(
    workers: Executor,
    submissions: Sequence[RawSubmission],
    expected: Expected,
    seconds: float = IMPORTS_OF_CLASS,
) -> str:
    """Return a line on the packages that notebooks of a class import and this machine lacks; empty if it lacks none.

    Only notebooks are read, in readers. After so many seconds the line is about the submissions that were read.
    """
    end, counts, done = time.monotonic() + seconds, Counter(), 0
    line = [workers.submit(imports_task, handed, expected) for handed in submissions]
    for future in line:
        try:
            counts.update(future.result(timeout=max(0.0, end - time.monotonic())))
            done += 1
        except TimeoutError:
            future.cancel()
        except (CancelledError, CourseError):
            raise
        except Exception:  # of any kind: `reader_result` says what is wrong with the submission
            done += 1
    if not counts:
        return ""
    names = ", ".join(f"{name} ({count})" for name, count in counts.most_common(MAX_PACKAGES))
    more = f" and {len(counts) - MAX_PACKAGES} more" if len(counts) > MAX_PACKAGES else ""
    part = f" (found in {done} of {len(line)} submissions)" if done < len(line) else ""
    return (
        f"Notebooks import packages that this machine lacks: {names}{more}{part}. "
        "Install them and grade again: until then, a person must look at the items that need them."
    )


def imports_task(is_reader: bool | None, handed: RawSubmission, expected: Expected) -> list[str]:
    """Run as the task of a reader."""
    if is_reader:
        limit_processor()
    return missing_imports(handed, expected)


def missing_imports(handed: RawSubmission, expected: Expected) -> list[str]:
    """Return the packages that the notebook of a submission imports, and neither it nor this machine has."""
    files = open_source(handed.source, expected.slug, Budget(**IMPORTS_OF_SUBMISSION))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        name, content = open_submission(replace(handed, source=lambda budget: files), expected).code
    own = {part.removesuffix(".py") for path in files.names for part in PurePosixPath(path).parts}
    return [package for package in missing_packages(content, name) if package not in own]
