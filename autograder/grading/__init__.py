"""grading"""

from autograder.grading._cache import write_atomically
from autograder.grading._executors import Executor, SerialExecutor, default_jobs, process_pool
from autograder.grading._export import export
from autograder.grading._grader import Grader, Setup, author, expectations, versions
from autograder.grading._reading import (
    failure_text,
    limit_processor,
    open_readers,
    packages_line,
    read_cohort,
)
from autograder.grading._results import partial_line, require_submission
from autograder.grading._runner import MarkSources, grade_cohort, open_executor, without_details
from autograder.grading._submission_archive import pack

__all__ = [
    "Executor",
    "Grader",
    "MarkSources",
    "SerialExecutor",
    "Setup",
    "author",
    "default_jobs",
    "expectations",
    "export",
    "failure_text",
    "grade_cohort",
    "limit_processor",
    "open_executor",
    "open_readers",
    "pack",
    "packages_line",
    "partial_line",
    "process_pool",
    "read_cohort",
    "require_submission",
    "versions",
    "without_details",
    "write_atomically",
]
