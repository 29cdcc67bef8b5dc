"""Feedback for a class as one zip, named such that the platform gives each student their own."""

from collections.abc import Sequence

from autograder.lms._matching import distinguish, file_name, safe_name
from autograder.rubric import Report
from autograder.submissions import Submitter, leads_out, zip_files

PAGE = "report.html"


def feedback_names(origin: Submitter, file_name: str) -> str:
    """Return the path at which the platform takes back a file for the student; empty where it knows no such path.

    Canvas and Moodle go by how the names of the student's own files began, ids and all.
    """
    path = origin.prefix + file_name
    return "" if not origin.prefix or leads_out(path) or "\\" in path else path


def feedback_zip(reports: Sequence[Report], pages: dict[str, bytes]) -> bytes:
    """Return a zip of the students' pages, in folders of their own if the platform gives no free path."""
    files: dict[str, bytes] = {}
    folders = distinguish((safe_name(report.student) for report in reports), file_name)
    for report, folder in zip(reports, folders, strict=True):
        path = feedback_names(report.origin, PAGE)
        taken = not path or path in files
        if report.student in pages:
            files[f"{folder}/{PAGE}" if taken else path] = pages[report.student]
    return zip_files(files)
