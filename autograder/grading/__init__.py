"""Grading: one submission, a class on executors, its results on disk, marks by hand, late work, export."""

from autograder.grading._executors import Executor, ProcessPool, SerialExecutor, choose_jobs
from autograder.grading._export import export
from autograder.grading._grader import (
    Grader,
    GraderFactory,
    read_author,
    read_expectations,
    read_package_versions,
)
from autograder.grading._readers import (
    describe_error,
    describe_missing_packages,
    limit_processor,
    open_readers,
    read_cohort,
)
from autograder.grading._results import describe_partial_run, require_submission
from autograder.grading._runner import MarkSources, grade_cohort, open_executor, strip_details
from autograder.grading._submission_archive import pack

__all__ = [
    "Executor",
    "Grader",
    "GraderFactory",
    "MarkSources",
    "ProcessPool",
    "SerialExecutor",
    "choose_jobs",
    "describe_error",
    "describe_missing_packages",
    "describe_partial_run",
    "export",
    "grade_cohort",
    "limit_processor",
    "open_executor",
    "open_readers",
    "pack",
    "read_author",
    "read_cohort",
    "read_expectations",
    "read_package_versions",
    "require_submission",
    "strip_details",
]
