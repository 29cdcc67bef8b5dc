"""`report.json`: a report as plain data, for other programs and for a later regrading."""

import json
import re
import unicodedata
from dataclasses import asdict
from typing import Any

from autograder.rubric import Adjustment, Report, Score, figure_record, read_figure
from autograder.submissions import Submitter


def report_json(report: Report) -> str:
    """Return the whole report as JSON text; the same report gives the same bytes."""
    record = asdict(report) | {"scores": [score_record(score) for score in report.scores]}
    record |= {"earned": report.earned, "possible": report.possible, "status": report.status}
    return json_text(record, indent=2) + "\n"


def json_text(record: dict, indent: int | None = None) -> str:
    """Return the record as JSON, in which no character hides or turns the text around it."""
    text = json.dumps(record, indent=indent, ensure_ascii=False, allow_nan=False)
    return re.sub(r"[^\n -~]", lambda found: escape_json(found[0]), text)


def escape_json(sign: str) -> str:
    """Return a character without a shape of its own (control, direction, private use) as a JSON escape."""
    return json.dumps(sign)[1:-1] if unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Co", "Cn"} else sign


def read_report(text: str) -> Report:
    """Return the report that `report_json` wrote. Raises ValueError, KeyError, TypeError or AttributeError."""
    record = json.loads(text)
    for computed in ("earned", "possible", "status"):
        del record[computed]
    parts: dict[str, Any] = {
        "scores": tuple(map(read_score, record.pop("scores"))),
        "origin": Submitter(**record.pop("origin")),
        "adjustments": tuple(Adjustment(**adjustment) for adjustment in record.pop("adjustments")),
        "doubts": tuple(record.pop("doubts")),
    }
    return Report(**record, **parts)


def score_record(score: Score) -> dict:
    """Return a score as plain data for JSON."""
    return asdict(score) | {"figures": [figure_record(figure) for figure in score.figures]}


def read_score(record: dict) -> Score:
    """Return the score of `score_record`. Raises KeyError or TypeError for anything else."""
    figures = tuple(map(read_figure, record["figures"]))
    return Score(**record | {"remarks": tuple(record["remarks"]), "figures": figures})
