"""`answers.csv`: the free-text answers of a class, for a person to read; the points given there enter the marks.

The table lies beside `grades.csv`. A person fills `points`, and `comment` and `reader` as they like. Every later run
of `grade` applies them and writes them back. Points count for the answer that they were given for: if a student
submits another answer, a person must read that one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from autograder.core import csv_text, escape_formula, parse_number, sanitize
from autograder.grading._mark_table import Key, read_mark_table
from autograder.rubric import AWAITING_REVIEW, Report, Score

FILE = "answers.csv"


@dataclass(frozen=True)
class AnswerRow:
    """One answer, and what its reader gave for it; `points` is empty until then."""

    student: str
    item: str
    question: str
    answer: str
    possible: str
    points: str = ""
    comment: str = ""
    reader: str = ""


COLUMNS = tuple(AnswerRow.__dataclass_fields__)


def read_answers(path: Path) -> dict[Key, AnswerRow]:
    """Return the rows of an earlier run by student and item, as a person filled them."""
    answers = {}
    for key, row in read_mark_table(path, COLUMNS).items():
        points = ""
        if row.text("points"):
            row.check_points(0, row.number("possible"))
            points = f"{row.points:g}"
        answers[key] = AnswerRow(**{name: row.cells[name] for name in COLUMNS} | {"points": points})
    return answers


def apply_answers(report: Report, answers: Mapping[Key, AnswerRow]) -> Report:
    """Return the report with the points that a person gave for free-text answers."""
    scores = (score_answer(score, answers.get((report.student, score.item))) for score in report.scores)
    return replace(report, scores=tuple(scores))


def score_answer(score: Score, row: AnswerRow | None) -> Score:
    """Return an answer's score by its row; it awaits review if there is no row, or the row is for another answer."""
    if not score.answer:
        return score
    if row is None or not row.points or row.answer != score.answer:
        return replace(score, outcome="awaiting review", earned=None, message=AWAITING_REVIEW, hint="")
    by = f" by {sanitize(row.reader)}" if row.reader.strip() else ""
    earned = round(parse_number(row.points), 2)
    return replace(score, outcome="scored", earned=earned, message=f"Read{by}.", hint=sanitize(row.comment))


def answer_rows(reports: Iterable[Report], before: Mapping[Key, AnswerRow]) -> list[AnswerRow]:
    """Return a row for each answer, filled as before; rows of students who are not in this class stay as they are."""
    rows = dict(before)
    for report in reports:
        for score in (score for score in report.scores if score.answer):
            row = AnswerRow(report.student, score.item, score.text, score.answer, f"{score.possible:g}")
            key = report.student, score.item
            rows[key] = keep_filled(row, before.get(key))
    return [rows[key] for key in sorted(rows)]


def keep_filled(row: AnswerRow, before: AnswerRow | None) -> AnswerRow:
    """Return the row as a person filled it; points for an earlier answer move to the comment and don't count."""
    if before is None:
        return row
    if before.answer == row.answer or not before.points:
        return replace(row, points=before.points, comment=before.comment, reader=before.reader)
    comment = f"[an earlier answer had {before.points}] {before.comment}".strip()
    return replace(row, comment=comment, reader=before.reader)


def answers_csv(rows: Sequence[AnswerRow]) -> str:
    """Return the table as CSV text, in which no cell is run as a formula."""
    lines = [{name: escape_formula(text) for name, text in asdict(row).items()} for row in rows]
    return csv_text(COLUMNS, lines)
