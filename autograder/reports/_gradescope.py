"""`results.json`: a report as Gradescope shows it to its student.

Format: Gradescope's "Autograder Specifications", section "Output Format". A total is always given, so no item needs
points of its own: one that waits for a person has none.
"""

import json

from autograder.rubric import Report, Score

WAITS = {  # what a student reads where an item has no points yet
    "broken": "No points yet: the grader could not decide, and a person will look.",
    "awaiting review": "No points yet: a person reads what you wrote.",
    "deferred": "No points yet: your TA scores it.",
}


def results_json(report: Report) -> str:
    """Return the report as the text of Gradescope's `results.json`; the same report gives the same bytes."""
    adjustments = [
        {
            "name": f"Adjustment of {adjustment.points:+g} points",
            "output": by_whom(adjustment.why, adjustment.by),
            "visibility": "visible",
        }
        for adjustment in report.adjustments
    ]
    record = {
        "score": report.earned,
        "output": "\n".join(summary_lines(report)),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [test_record(number, score) for number, score in enumerate(report.scores, start=1)] + adjustments,
        "extra_data": {
            "student": report.student, "assignment": report.assignment, "status": report.status,
            "files": report.files, "versions": report.versions,
        },
    }  # fmt: skip
    return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def summary_lines(report: Report) -> list[str]:
    """Return what stands above the items: the total, how it comes about, and what waits for a person."""
    total = f"{report.earned:g} of {report.possible:g} points"
    if report.adjustments:
        total += f": {report.by_items:g} for the items, then what stands below them"
    waiting = [score for score in report.scores if score.earned is None]
    said = [f"{total}.", report.data]
    if waiting or report.doubts:
        said.append(
            "This is not the final mark: a person still has to look."
        )  # at doubts, which are the TA's
    return said


def test_record(number: int, score: Score) -> dict:
    """An item as one of Gradescope's tests; one without points has a note instead."""
    note = WAITS.get(score.outcome, "")
    told = (score.text, note, score.message if score.message not in note else "", score.hint, *score.remarks)
    record = {
        "number": str(number),
        "name": score.item.replace("_", " ") + (" (bonus)" if score.bonus else ""),
        "output": "\n".join(line for line in told if line),
        "visibility": "visible",
    }
    if score.earned is None:
        return record
    status = "passed" if score.is_full else "failed"
    return {"score": score.earned, "max_score": score.possible, "status": status} | record


def by_whom(why: str, who: str) -> str:
    """Why, and who says so; nobody does for a rule of the course."""
    return f"{why} (by {who})" if who else why
