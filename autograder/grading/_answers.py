"""`answers.csv`: what students wrote in own words, for a person to read; the points given there enter the marks.

The table lies beside `grades.csv`. A person fills `points`, and `comment` and `reader` as they like; every later run
of `grade` takes them over, and writes them back beside the answers it finds. Points stand for the answer they were
given for: where a student hands in another, they are asked for again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pandas as pd

from autograder.core import CourseError, cell, number, plain, records
from autograder.rubric import UNREAD, Report, Score

FILE = "answers.csv"


@dataclass(frozen=True)
class Row:
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


COLUMNS = tuple(Row.__dataclass_fields__)


def read_answers(path: Path) -> dict[tuple[str, str], Row]:
    """Return the rows of an earlier run by student and item, as a person filled them; none where there is no file.

    Spreadsheets write what they like between columns and before decimals: `,` and `;` are both understood. Raises
    CourseError with the row for points that are no number or out of range, before anything is graded or written.
    """
    table = records(path, COLUMNS)
    rows = {}
    for line, place in zip(table.rows, table.places, strict=True):
        row = Row(**{name: line[name] for name in COLUMNS})
        points, where = table.number(row.points), f"{place} ({row.student}, {row.item})"
        if row.points.strip() and not 0 <= points <= table.number(row.possible):
            raise CourseError(
                f"{where}: points are {row.points!r}, expected a number from 0 to {row.possible}."
            )
        if row.key in rows:
            raise CourseError(f"{where}: a row above is for the same answer; leave one.")
        rows[row.key] = replace(row, points=f"{points:g}" if row.points.strip() else "")
    return rows


def answered(report: Report, rows: dict[tuple[str, str], Row]) -> Report:
    """Return the report with the points that a person gave for what is written in own words."""
    scores = (marked(score, rows.get((report.student, score.item))) for score in report.scores)
    return replace(report, scores=tuple(scores))


def marked(score: Score, row: Row | None) -> Score:
    """Return an answer's Score by its row in the table: unread where there is none, or where it is another answer's."""
    if not score.answer:
        return score
    if row is None or not row.points or row.answer != score.answer:
        return replace(score, outcome="unread", earned=None, message=UNREAD, hint="")
    by = f" by {plain(row.reader)}" if row.reader.strip() else ""
    earned = round(number(row.points), 2)
    return replace(score, outcome="scored", earned=earned, message=f"Read{by}.", hint=plain(row.comment))


def rows_of(reports: Iterable[Report], before: dict[tuple[str, str], Row]) -> list[Row]:
    """Return a row for each answer, filled in as before; rows of students who are not here stay as they are."""
    found = {}
    for report in reports:
        for score in (score for score in report.scores if score.answer):
            row = Row(report.student, score.item, score.text, score.answer, f"{score.possible:g}")
            found[row.key] = kept(row, before.get(row.key))
    return [row for _, row in sorted((before | found).items())]


def kept(row: Row, before: Row | None) -> Row:
    """Return the row as a person filled it; points for an earlier answer go to the comment and don't count."""
    if before is None:
        return row
    if before.answer == row.answer or not before.points:
        return replace(row, points=before.points, comment=before.comment, reader=before.reader)
    said = f"[an earlier answer had {before.points}] {before.comment}".strip()
    return replace(row, comment=said, reader=before.reader)


def answers_csv(rows: Sequence[Row]) -> str:
    """Return the table as CSV text, in which no cell is run as a formula."""
    lines = [{name: cell(text) for name, text in asdict(row).items()} for row in rows]
    return pd.DataFrame(lines, columns=list(COLUMNS)).to_csv(index=False, lineterminator="\n")
