"""Points that people give, in two tables beside `grades.csv` that are read by one set of rules.

`marks.csv` belongs to the TA: it is read, never rewritten. Its column `item` holds the name of an item, whose points
are replaced; or `total`, points added or taken; or `late`, what being late costs in place of the rule (0 or less); or
`days`, how many days late the rule shall count. The other table is `answers.csv`, see `_answers`.

A row is for one student and one item. Spreadsheets may write `,` or `;` between columns and in numbers. Every mistake
is a CourseError in one line that names the row, before anything is graded or written.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from autograder.core import CourseError, Table, read_table, sanitize, unknown_name, write_atomically
from autograder.rubric import Adjustment, Item, Report, Score
from autograder.submissions import RawSubmission, find_submissions

FILE = "marks.csv"
COLUMNS = ("student", "item", "points", "comment", "by", "why")
TOTAL, LATE, DAYS = RESERVED = ("total", "late", "days")
MAX_DAYS = 366


@dataclass(frozen=True)
class MarkRow:
    """A row of either table: its texts by column, as they are written, and where it stands.

    points: NaN if the cell is empty, or holds no number, or one that may be read in two ways.
    """

    student: str
    item: str
    points: float
    cells: dict[str, str]
    place: str
    table: Table

    @property
    def where(self) -> str:
        """The row, for a person to find it."""
        return f"{self.place} ({self.student}, {sanitize(self.item)})"

    def text(self, column: str) -> str:
        """Return the text in a column, safe to show."""
        return sanitize(self.cells[column].strip())

    def check_points(self, low: float, high: float, whole: bool = False) -> None:
        """Raise CourseError unless the points lie between these, and are whole if they must be."""
        if low <= self.points <= high and (not whole or self.points == int(self.points)):
            return
        got = f"are {self.points:g}"
        if math.isnan(self.points):
            got = f"are missing or no number that is read in one way only ({self.text('points')!r})"
        kind = "a whole number" if whole else "a number"
        raise CourseError(f"{self.where}: points {got}, expected {kind} from {low:g} to {high:g}.")


Marks = Mapping[tuple[str, str], MarkRow]  # by student and item


def read_mark_table(path: Path, columns: Sequence[str]) -> dict[tuple[str, str], MarkRow]:
    """Return the rows of a table by student and item; none if there is no file."""
    table, rows = read_table(path, columns), dict[tuple[str, str], MarkRow]()
    for cells, place in zip(table.rows, table.places, strict=True):
        student, item = sanitize(cells["student"].strip()), cells["item"].strip()
        row = MarkRow(student, item, table.number(cells["points"].strip()), cells, place, table)
        if not student:
            raise CourseError(f"{place}: the student is missing.")
        if earlier := rows.get((student, item)):
            raise CourseError(f"{row.where}: {earlier.place.rpartition(', ')[2]} is for the same; leave one.")
        rows[student, item] = row
    return rows


def read_marks(path: Path, items: Iterable[Item]) -> Marks:
    """Return the marks in `marks.csv`, each checked against the rubric's items."""
    possible = {item.__name__: item.points for item in items}
    for name in set(RESERVED) & set(possible):
        if path.is_file():
            raise CourseError(
                f"{path}: the rubric has an item named {name!r}, which means another thing here."
            )
    total = sum(possible.values())
    bounds = {name: (0.0, points) for name, points in possible.items()}
    bounds |= {TOTAL: (-total, total), LATE: (-total, 0), DAYS: (0, MAX_DAYS)}
    marks = read_mark_table(path, COLUMNS)
    for mark in marks.values():
        if mark.item not in bounds:
            raise CourseError(f"{mark.where}: {unknown_name('item', mark.item, [*possible, *RESERVED])}")
        for name in ("by", "why"):
            if not mark.text(name):
                raise CourseError(
                    f"{mark.where}: `{name}` is missing; a mark by hand says who gave it and why."
                )
        mark.check_points(*bounds[mark.item], whole=mark.item == DAYS)
        if mark.item == LATE and (mark.student, DAYS) in marks:
            raise CourseError(f"{mark.where}: there is a row `{DAYS}` as well; leave one.")
    return marks


def count_days_by_hand(marks: Marks) -> dict[str, int | None]:
    """Return how many days late students are by rows `days`; None where a row `late` settles the points."""
    rows = [mark for mark in marks.values() if mark.item in (DAYS, LATE)]
    return {mark.student: int(mark.points) if mark.item == DAYS else None for mark in rows}


def match_students(marks: Marks, submissions: Sequence[RawSubmission], earlier: Iterable[str]) -> Marks:
    """Return the rows under the students' keys in `grades.csv`, where a person wrote an id, a login or a name.

    A row of a student who was in the class `earlier` stays as it is. Raises CourseError for two rows that are for the
    same student and item.
    """
    known = {sanitize(raw.student) for raw in submissions} | {*earlier}
    matched: dict[tuple[str, str], MarkRow] = {}
    for mark in marks.values():
        found = find_submissions(mark.student, submissions) if mark.student not in known else []
        if len(found) == 1:
            student = sanitize(found[0].student)
            mark = replace(mark, student=student, cells=mark.cells | {"student": student})
        if (mark.student, mark.item) in matched:
            raise CourseError(f"{mark.where}: another row is for the same student and item; leave one.")
        matched[mark.student, mark.item] = mark
    return matched


def find_absent_students(marks: Marks, students: Collection[str], earlier: Iterable[str] = ()) -> list[str]:
    """Return a line for each student with marks who is not among `students` now, but was `earlier`.

    Raises CourseError, with the nearest name, for one who was never there.
    """
    lines, names = {}, sorted({*students, *earlier})
    for mark in (mark for mark in marks.values() if mark.student not in students):
        if mark.student not in names:
            near = get_close_matches(mark.student, names, n=1)
            advice = f"did you mean {near[0]}?" if near else "grades.csv has their names."
            raise CourseError(f"{mark.where}: There is no student named {mark.student!r}; {advice}")
        lines[mark.student] = f"{mark.where}: the student is not in this class now; the row waits."
    return list(lines.values())


def apply_manual_marks(report: Report, marks: Marks) -> Report:
    """Return the report with what a person gave in place of the grader and the readers of answers."""
    rows = {item: mark for (student, item), mark in marks.items() if student == report.student}
    scores = tuple(score_by_hand(score, rows.get(score.item)) for score in report.scores)
    adjustments = list(report.adjustments)
    for mark in (rows[item] for item in (TOTAL, LATE) if item in rows):
        kind = "Late, settled by hand" if mark.item == LATE else "By hand"
        comment = f" ({mark.text('comment')})" if mark.text("comment") else ""
        why = sanitize(f"{kind}: {mark.text('why')}{comment}")
        adjustments.append(Adjustment(round(mark.points, 2), why, mark.text("by")))
    return replace(report, scores=scores, adjustments=tuple(adjustments))


def score_by_hand(score: Score, mark: MarkRow | None) -> Score:
    """Return an item's score by hand, with what the grader gave among the remarks."""
    if mark is None:
        return score
    gave = "no points" if score.earned is None else f"{score.earned:g} of {score.possible:g}"
    return replace(
        score, outcome="scored", earned=round(mark.points, 2),
        message=f"Marked by hand by {mark.text('by')}: {mark.text('why')}", hint=mark.text("comment"),
        remarks=(sanitize(f"The grader gave {gave}: {score.message}"), *score.remarks),
    )  # fmt: skip


def write_empty_table(path: Path) -> None:
    """Write `marks.csv` with its header alone, unless there is one."""
    if not path.exists():
        write_atomically(path, ",".join(COLUMNS) + "\n")
