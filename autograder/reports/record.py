"""`report.json`: a report as plain data, for other programs and for a later regrading."""

import json
from dataclasses import asdict

from autograder.rubric import Report, Score


def report_json(report: Report) -> str:
    """The whole report as JSON text; the same report gives the same bytes."""
    record = asdict(report) | {"earned": report.earned, "possible": report.possible, "status": report.status}
    return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_report(text: str) -> Report:
    """The report that `report_json` wrote. Raises ValueError, KeyError or TypeError for anything else."""
    record = json.loads(text)
    for computed in ("earned", "possible", "status"):
        del record[computed]
    scores = (Score(**score | {"remarks": tuple(score["remarks"])}) for score in record.pop("scores"))
    return Report(scores=tuple(scores), **record)
