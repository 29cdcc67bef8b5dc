"""grading"""

from autograder.grading._cache import write
from autograder.grading._executors import Here, Workers, crew, usual_jobs
from autograder.grading._export import export
from autograder.grading._grader import Grader, Setup, author, expectations, versions
from autograder.grading._reading import limit_processor, packages_line, read_class, readers, said_of
from autograder.grading._results import partial_line, require_submission
from autograder.grading._runner import Books, at_work, grade_class, slim
from autograder.grading._submission_archive import pack

__all__ = [
    "Books",
    "Grader",
    "Here",
    "Setup",
    "Workers",
    "at_work",
    "author",
    "crew",
    "expectations",
    "export",
    "grade_class",
    "limit_processor",
    "pack",
    "packages_line",
    "partial_line",
    "read_class",
    "readers",
    "require_submission",
    "said_of",
    "slim",
    "usual_jobs",
    "versions",
    "write",
]
