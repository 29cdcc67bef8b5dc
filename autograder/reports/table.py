"""`grades.csv`: one row a student, one column an item, then adjustment, earned, possible, status."""

from collections.abc import Mapping, Sequence

import pandas as pd

from autograder.failure import plain
from autograder.rubric import Report
from autograder.spreadsheets import cell


def grades_csv(reports: Sequence[Report]) -> str:
    """The class as CSV text, sorted by student; an item that is not decided leaves its cell empty."""
    rows = [
        {
            "student": cell(report.student),
            "name": cell(report.origin.name),
            "id": cell(report.origin.id),
            **{score.item: score.earned for score in report.scores},
            "adjustment": round(sum(one.points for one in report.adjustments), 2),
            "earned": report.earned,
            "possible": report.possible,
            "status": report.status,
        }
        for report in sorted(reports, key=lambda report: report.student)
    ]
    columns = None if rows else ["student", "name", "id", "adjustment", "earned", "possible", "status"]
    return pd.DataFrame(rows, columns=columns).to_csv(index=False, lineterminator="\n")


def left_out_csv(left_out: Mapping[str, str]) -> str:
    """The files that were not taken, and why, as CSV text."""
    rows = [{"file": cell(plain(name)), "why": cell(plain(why))} for name, why in sorted(left_out.items())]
    return pd.DataFrame(rows, columns=["file", "why"]).to_csv(index=False, lineterminator="\n")
