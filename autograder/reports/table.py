"""`grades.csv`: one row a student, one column an item, then earned, possible, status."""

from collections.abc import Sequence

import pandas as pd

from autograder.rubric import Report

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def grades_csv(reports: Sequence[Report]) -> str:
    """The class as CSV text, sorted by student; an item that is not decided leaves its cell empty."""
    rows = [
        {
            "student": cell(report.student),
            **{score.item: score.earned for score in report.scores},
            "earned": report.earned,
            "possible": report.possible,
            "status": report.status,
        }
        for report in sorted(reports, key=lambda report: report.student)
    ]
    return pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")


def cell(text: str) -> str:
    """`text` such that a spreadsheet shows it and never runs it as a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text
