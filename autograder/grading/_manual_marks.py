"""`marks.csv`: points that a person gives by hand, with who and why; every run of `grade` takes them over.

The table lies beside `grades.csv` and is the TA's alone: it is read, never rewritten. In the column `item` stands the
name of an item, whose points are replaced; or `total`, points added or taken; or `late`, what being late costs in place
of the rule (0, or less); or `days`, how many days late the rule shall count.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from autograder.core import CourseError, read_table, sanitize, unknown_name
from autograder.rubric import Adjustment, Item, Report, Score

FILE = "marks.csv"
COLUMNS = ("student", "item", "points", "comment", "by", "why")
TOTAL, LATE, DAYS = BESIDE = ("total", "late", "days")
MAX_DAYS = 366


@dataclass(frozen=True)
class ManualMark:
    """One row: what `by` gave for an item, or beside the items, and why. `row` says where it stands.

    points: NaN where `written`, their text in the table, is no number or may be two.
    """

    student: str
    item: str
    points: float
    comment: str
    by: str
    why: str
    row: str
    written: str = ""


@dataclass(frozen=True)
class ManualMarks:
    """The rows of the table at `path`, by student and item."""

    path: Path
    rows: Mapping[tuple[str, str], ManualMark] = field(default_factory=dict)

    def late_by_hand(self) -> dict[str, int | None]:
        """How many days late each student is by a row `days`; None where a row `late` settles the points."""
        days = {student: int(mark.points) for (student, item), mark in self.rows.items() if item == DAYS}
        return days | {student: None for student, item in self.rows if item == LATE}


def read_marks(path: Path, items: Iterable[Item]) -> ManualMarks:
    """Return the marks in the table at `path`; none where there is no file.

    Raises CourseError, in one line with the number of the row, for the first that can't be taken as it stands.
    """
    possible = {item.__name__: item.points for item in items}
    for name in set(BESIDE) & set(possible):
        if path.is_file():
            raise CourseError(
                f"{path}: the rubric has an item named {name!r}, which means another thing here."
            )
    rows = {}
    for mark in read_rows(path):
        key = mark.student, mark.item
        where = row_place(mark)
        check_mark(mark, possible, where)
        if key in rows:
            raise CourseError(f"{where}: {rows[key].row.rpartition(', ')[2]} is for the same; leave one.")
        rows[key] = mark
    for student in (student for student, item in rows if item == LATE and (student, DAYS) in rows):
        raise CourseError(f"{row_place(rows[student, LATE])}: there is a row `{DAYS}` as well; leave one.")
    return ManualMarks(path, rows)


def read_rows(path: Path) -> Iterator[ManualMark]:
    """Yield the rows of the table."""
    table = read_table(path, COLUMNS)
    for line, row in zip(table.rows, table.places, strict=True):
        texts = {name: line[name].strip() for name in COLUMNS}
        said = {name: sanitize(texts[name]) for name in ("comment", "by", "why")}
        if not texts["student"]:
            raise CourseError(f"{row}: the student is missing.")
        points = table.number(texts["points"])
        written = sanitize(texts["points"])
        yield ManualMark(sanitize(texts["student"]), texts["item"], points, row=row, written=written, **said)


def row_place(mark: ManualMark) -> str:
    """Return where a row stands, for a person to find it."""
    return f"{mark.row} ({mark.student}, {sanitize(mark.item)})"


def check_mark(mark: ManualMark, possible: dict[str, float], where: str) -> None:
    """Raise CourseError unless the row can be taken as it stands."""
    if mark.item not in possible and mark.item not in BESIDE:
        raise CourseError(f"{where}: {unknown_name('item', mark.item, [*possible, *BESIDE])}")
    for name, text in (("by", mark.by), ("why", mark.why)):
        if not text:
            raise CourseError(f"{where}: `{name}` is missing; a mark by hand says who gave it and why.")
    whole = sum(possible.values())
    bounds = {TOTAL: (-whole, whole), LATE: (-whole, 0), DAYS: (0, MAX_DAYS)}
    least, most = bounds.get(mark.item) or (0, possible[mark.item])
    if not least <= mark.points <= most or (mark.item == DAYS and mark.points != int(mark.points)):
        kind = "a whole number" if mark.item == DAYS else "a number"
        said = f"are {mark.points:g}"
        if math.isnan(mark.points):
            said = f"are missing or no number that is read in one way only ({mark.written!r})"
        raise CourseError(f"{where}: points {said}, expected {kind} from {least:g} to {most:g}.")


def marks_without_submission(
    marks: ManualMarks, students: Collection[str], earlier: Iterable[str] = ()
) -> list[str]:
    """Return a line for each student with marks who is not among `students` now, but was `earlier`.

    Raises CourseError, with the nearest name, for one who was never there.
    """
    lines, known = {}, sorted({*students, *earlier})
    for mark in (mark for mark in marks.rows.values() if mark.student not in students):
        where = row_place(mark)
        if mark.student not in known:
            near = get_close_matches(mark.student, known, n=1)
            advice = f"did you mean {near[0]}?" if near else "grades.csv has their names."
            raise CourseError(f"{where}: There is no student named {mark.student!r}; {advice}")
        lines[mark.student] = f"{where}: the student is not in this class now; the row waits."
    return list(lines.values())


def apply_manual_marks(report: Report, marks: ManualMarks) -> Report:
    """Return the report with what a person gave; apply it to what the grader and the readers of answers gave, once."""
    rows = {item: mark for (student, item), mark in marks.rows.items() if student == report.student}
    if not rows:
        return report
    scores = tuple(manual_score(score, rows.get(score.item)) for score in report.scores)
    beside = tuple(adjustment(rows[item]) for item in (TOTAL, LATE) if item in rows)
    return replace(report, scores=scores, adjustments=(*report.adjustments, *beside))


def manual_score(score: Score, mark: ManualMark | None) -> Score:
    """Return an item's Score by hand, with what the grader gave among the remarks."""
    if mark is None:
        return score
    if score.earned is None:
        before = f"The grader gave no points: {score.message}"
    else:
        before = f"The grader gave {score.earned:g} of {score.possible:g}: {score.message}"
    return replace(
        score, outcome="scored", earned=round(mark.points, 2), message=f"Marked by hand by {mark.by}: {mark.why}",
        hint=mark.comment, remarks=(sanitize(before), *score.remarks),
    )  # fmt: skip


def adjustment(mark: ManualMark) -> Adjustment:
    """Return what a row gives or takes beside the items."""
    what = "Late, settled by hand" if mark.item == LATE else "By hand"
    said = f"{what}: {mark.why}" + (f" ({mark.comment})" if mark.comment else "")
    return Adjustment(round(mark.points, 2), sanitize(said), mark.by)


def write_blank(path: Path) -> None:
    """Write the table with its header alone, unless there is one."""
    if not path.exists():
        path.write_text(",".join(COLUMNS) + "\n", encoding="utf-8", newline="\n")
