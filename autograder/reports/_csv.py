"""`grades.csv`: one row a student, one column an item, then adjustment, earned, possible, status."""

from collections.abc import Mapping, Sequence

from autograder.core import csv_text, escape_formula, sanitize
from autograder.rubric import Report
from autograder.submissions import RawSubmission, Submitter

NOT_GRADED = "not graded"  # the status of a submission that a run did not reach


def grades_csv(reports: Sequence[Report], waiting: Sequence[RawSubmission] = ()) -> str:
    """Return the class as CSV text, sorted by student; an item that is not decided leaves its cell empty.

    waiting: submissions that were not graded, as the run stopped early; they have a row without points.
    """
    graded: list[dict[str, str | float | None]] = [
        {
            **identity(report.student, report.origin),
            **{score.item: score.earned for score in report.scores},
            "adjustment": round(sum(adjustment.points for adjustment in report.adjustments), 2),
            "earned": report.earned,
            "possible": report.possible,
            "status": report.status,
        }
        for report in reports
    ]
    others: list[dict[str, str | float | None]] = [
        {**identity(sanitize(handed_in.student), handed_in.origin), "status": NOT_GRADED}
        for handed_in in waiting
    ]
    columns = list(dict.fromkeys(name for row in graded for name in row))
    columns = columns or ["student", "name", "id", "adjustment", "earned", "possible", "status"]
    names = [report.student for report in reports] + [sanitize(handed_in.student) for handed_in in waiting]
    rows = [row for _, row in sorted(zip(names, graded + others, strict=True), key=lambda pair: pair[0])]
    return csv_text(columns, rows)


def identity(student: str, origin: Submitter) -> dict[str, str]:
    """Return the cells that say whose row it is."""
    return {
        "student": escape_formula(student),
        "name": escape_formula(origin.name),
        "id": escape_formula(origin.id),
    }


def left_out_csv(left_out: Mapping[str, str]) -> str:
    """Return the files that were not taken, and why, as CSV text."""
    rows = [
        {"file": escape_formula(sanitize(name)), "why": escape_formula(sanitize(why))}
        for name, why in sorted(left_out.items())
    ]
    return csv_text(["file", "why"], rows)
