"""`answers.csv`: what students wrote in own words, for a person to read; the points given there enter the marks.

The table lies beside `grades.csv`. A person fills `points`, and `comment` and `reader` as they like; every later run
of `grade` takes them over, and writes them back beside the answers it finds. Points stand for the answer they were
given for: where a student hands in another, they are asked for again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from autograder.core import CourseError, csv_text, escape_formula, parse_number, read_table, sanitize
from autograder.rubric import AWAITING_REVIEW, Report, Score

FILE = "answers.csv"


@dataclass(frozen=True)
class AnswerRow:
    """One answer in own words, and what its reader gave for it: `points` is empty until then."""

    student: str
    item: str
    question: str
    answer: str
    possible: str
    points: str = ""
    comment: str = ""
    reader: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.student, self.item


COLUMNS = tuple(AnswerRow.__dataclass_fields__)


def read_answers(path: Path) -> dict[tuple[str, str], AnswerRow]:
    """Return the rows of an earlier run by student and item, as a person filled them; none where there is no file.

    Spreadsheets write what they like between columns and before decimals: `,` and `;` are both understood. Raises
    CourseError with the row for points that are no number or out of range, before anything is graded or written.
    """
    table = read_table(path, COLUMNS)
    rows = {}
    for line, place in zip(table.rows, table.places, strict=True):
        row = AnswerRow(**{name: line[name] for name in COLUMNS})
        points, where = table.number(row.points), f"{place} ({row.student}, {row.item})"
        if row.points.strip() and not 0 <= points <= table.number(row.possible):
            raise CourseError(
                f"{where}: points are {row.points!r}, expected a number from 0 to {row.possible}."
            )
        if row.key in rows:
            raise CourseError(f"{where}: a row above is for the same answer; leave one.")
        rows[row.key] = replace(row, points=f"{points:g}" if row.points.strip() else "")
    return rows


def apply_answers(report: Report, rows: dict[tuple[str, str], AnswerRow]) -> Report:
    """Return the report with the points that a person gave for what is written in own words."""
    scores = (score_answer(score, rows.get((report.student, score.item))) for score in report.scores)
    return replace(report, scores=tuple(scores))


def score_answer(score: Score, row: AnswerRow | None) -> Score:
    """Return an answer's Score by its row in the table: unread where there is none, or where it is another answer's."""
    if not score.answer:
        return score
    if row is None or not row.points or row.answer != score.answer:
        return replace(score, outcome="awaiting review", earned=None, message=AWAITING_REVIEW, hint="")
    by = f" by {sanitize(row.reader)}" if row.reader.strip() else ""
    earned = round(parse_number(row.points), 2)
    return replace(score, outcome="scored", earned=earned, message=f"Read{by}.", hint=sanitize(row.comment))


def answer_rows(reports: Iterable[Report], before: dict[tuple[str, str], AnswerRow]) -> list[AnswerRow]:
    """Return a row for each answer, filled in as before; rows of students who are not here stay as they are."""
    found = {}
    for report in reports:
        for score in (score for score in report.scores if score.answer):
            row = AnswerRow(report.student, score.item, score.text, score.answer, f"{score.possible:g}")
            found[row.key] = keep_filled(row, before.get(row.key))
    return [row for _, row in sorted((before | found).items())]


def keep_filled(row: AnswerRow, before: AnswerRow | None) -> AnswerRow:
    """Return the row as a person filled it; points for an earlier answer go to the comment and don't count."""
    if before is None:
        return row
    if before.answer == row.answer or not before.points:
        return replace(row, points=before.points, comment=before.comment, reader=before.reader)
    said = f"[an earlier answer had {before.points}] {before.comment}".strip()
    return replace(row, comment=said, reader=before.reader)


def answers_csv(rows: Sequence[AnswerRow]) -> str:
    """Return the table as CSV text, in which no cell is run as a formula."""
    lines = [{name: escape_formula(text) for name, text in asdict(row).items()} for row in rows]
    return csv_text(COLUMNS, lines)
