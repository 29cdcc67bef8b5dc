"""`answers.csv`: the free-text answers of a class, for a person to read; the points given there enter the marks.

A person fills `points`, and `comment` and `reader` as they like. Every later run of `grade` applies these and writes
them back. Points count for the answer that they were given for: if a student submits another, it awaits review again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from autograder.core import csv_text, escape_formula
from autograder.grading._manual_marks import MarkRow, Marks, read_mark_table
from autograder.rubric import AWAITING_REVIEW, Report, Score

FILE = "answers.csv"
COLUMNS = ("student", "item", "question", "answer", "possible", "points", "comment", "reader")


def read_answers(path: Path) -> Marks:
    """Return the answers of an earlier run, as a person marked them."""
    answers = read_mark_table(path, COLUMNS)
    for row in answers.values():
        if row.text("points"):
            row.check_points(0, row.table.number(row.cells["possible"]))
        row.cells["points"] = f"{row.points:g}" if row.text("points") else ""
    return answers


def apply_answers(report: Report, answers: Marks) -> Report:
    """Return the report with the points that a person gave for free-text answers."""
    scores = (score_answer(score, answers.get((report.student, score.item))) for score in report.scores)
    return replace(report, scores=tuple(scores))


def score_answer(score: Score, row: MarkRow | None) -> Score:
    """Return an answer's score by its row; it awaits review if there is no row, or the row is for another answer."""
    if not score.answer:
        return score
    if row is None or not row.text("points") or row.cells["answer"] != score.answer:
        return replace(score, outcome="awaiting review", earned=None, message=AWAITING_REVIEW, hint="")
    by, earned = f" by {row.text('reader')}" if row.text("reader") else "", round(row.points, 2)
    return replace(score, outcome="scored", earned=earned, message=f"Read{by}.", hint=row.text("comment"))


def merge_answers(reports: Iterable[Report], answers: Marks) -> list[dict[str, str]]:
    """Return a row for each answer, with its marks; rows of students who are not in this class stay as they are."""
    rows = {key: row.cells for key, row in answers.items()}
    for report in reports:
        for score in (score for score in report.scores if score.answer):
            key = report.student, score.item
            texts = (*key, score.text, score.answer, f"{score.possible:g}", "", "", "")
            rows[key] = keep_marks(dict(zip(COLUMNS, texts, strict=True)), rows.get(key, {}))
    return [rows[key] for key in sorted(rows)]


def keep_marks(row: dict[str, str], before: dict[str, str]) -> dict[str, str]:
    """Return the row with its earlier marks; points for another answer move to the comment and don't count."""
    points = before.get("points", "")
    marks = {name: before.get(name, "") for name in ("points", "comment", "reader")}
    if points and before["answer"] != row["answer"]:
        marks |= {"points": "", "comment": f"[an earlier answer had {points}] {before['comment']}".strip()}
    return row | marks


def format_answers(rows: Sequence[dict[str, str]]) -> str:
    """Return the table as CSV text, in which no cell is run as a formula."""
    return csv_text(COLUMNS, ({name: escape_formula(row[name]) for name in COLUMNS} for row in rows))
