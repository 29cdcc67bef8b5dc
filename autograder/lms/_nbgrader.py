"""nbgrader: its folder of what was submitted, and the table of grades in the columns of its own export."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from datetime import tzinfo

from autograder.core import Assignment, Failure, NeedsReview, escape_formula, sanitize, unknown_name
from autograder.lms._dates import parse_time
from autograder.lms._export import Export
from autograder.lms._matching import Claims, Upload
from autograder.rubric import Report
from autograder.submissions import Submitter

ROOM = "submitted"
STAMP = "timestamp.txt"
COLUMNS = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
    "raw_score", "late_submission_penalty", "score", "max_score",
)  # fmt: skip


def recognises(export: Export) -> bool:
    """Return True if students' folders hold folders of assignments, most of them with nbgrader's note of the time."""
    return is_stamped(export) or has_room(export)


def is_stamped(export: Export) -> bool:
    """Return True if most folders at the top are students' with nbgrader's note of the time."""
    paths = [name.split("/") for name in export.names]
    stamped = {path[0] for path in paths if len(path) == 3 and path[2] == STAMP}
    return 2 * len(stamped) > len(export.folders) > 0


def has_room(export: Export) -> bool:
    """Return True if the students' folders lie in nbgrader's own folder, rather than beside a student of its name."""
    deep = ROOM in export.folders and any(name.count("/") > 1 for name in export.tops[ROOM])
    return deep and not is_stamped(export)


def read(export: Export, slug: str, zone: tzinfo | None = None) -> Claims:
    """Return each student's folder of this assignment. Raises CourseError where nobody handed it in."""
    names = export.tops[ROOM] if has_room(export) else {name: name for name in export.names}
    found: dict[str, dict[str, str]] = {}
    others: Counter[str] = Counter()
    left_out = aside(export)
    for inner, name in names.items():
        student, assignment, file = (*inner.split("/", 2), "", "")[:3]
        if not file:
            left_out[name] = "in no assignment's folder"
        elif assignment.casefold() == slug.casefold():
            found.setdefault(f"{student}/{assignment}", {})[file] = name
        else:
            others[assignment] += 1
    if not found:
        raise unknown_name(f"assignment handed in below {export.path}", slug, sorted(others))
    left_out |= {f"*/{other}/": f"of another assignment, {count} files" for other, count in others.items()}
    return Claims(
        "nbgrader", [upload(export, place, files, zone) for place, files in found.items()], left_out
    )


def aside(export: Export) -> dict[str, str]:
    """Return what lies beside the folder of submissions, where there is one: a line each."""
    tops = [top for top in export.tops if has_room(export) and top != ROOM]
    return dict.fromkeys(tops, f"beside nbgrader's folder {ROOM}")


def upload(export: Export, place: str, files: dict[str, str], zone: tzinfo | None) -> Upload:
    """One student's folder; nbgrader's note of the time is no file of the student's."""
    student = place.partition("/")[0]
    stamp = files.pop(STAMP, "")
    submitted = parse_time(stamped(export, stamp), zone) if stamp else ""
    return Upload(
        Submitter("nbgrader", login=sanitize(student), prefix=f"{place}/", submitted=submitted),
        files,
        student,
    )


def stamped(export: Export, name: str) -> str:
    """Return what the note of the time says; nothing where it can't be read."""
    try:
        return export.read(name)[:200].decode("utf-8", "replace")
    except (Failure, NeedsReview):
        return ""


def grades(reports: Sequence[Report], assignment: Assignment) -> str:
    """Return a CSV table with the columns of `nbgrader export`; names that are formulas are masked."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    for report in reports:
        writer.writerow([escape_formula(str(value)) for value in row_of(report, assignment)])
    return table.getvalue()


def row_of(report: Report, assignment: Assignment) -> tuple:
    """One student's row. What a person gave or took belongs to the raw score, what a rule took is the penalty."""
    origin = report.origin
    penalty = -sum(adjustment.points for adjustment in report.adjustments if not adjustment.by)
    raw = report.by_items + sum(adjustment.points for adjustment in report.adjustments if adjustment.by)
    last, _, first = origin.name.partition(", ")
    due = assignment.due.isoformat() if assignment.due else ""
    scores = (f"{value:.2f}" for value in (raw, penalty, report.earned, report.possible))
    student = origin.login or origin.id or report.student
    return (report.assignment, due, origin.submitted, student, last, first, origin.email, *scores)
