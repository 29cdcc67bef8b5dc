"""`marks.csv`: points that a person gives by hand, with who and why; every run of `grade` applies them.

The table lies beside `grades.csv` and belongs to the TA: it is read, never rewritten. The column `item` holds the name
of an item, whose points are replaced; or `total`, points added or taken; or `late`, what being late costs in place of
the rule (0 or less); or `days`, how many days late the rule shall count.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from autograder.core import CourseError, sanitize, unknown_name
from autograder.grading._mark_table import Key, MarkRow, read_mark_table
from autograder.rubric import Adjustment, Item, Report, Score

FILE = "marks.csv"
COLUMNS = ("student", "item", "points", "comment", "by", "why")
TOTAL, LATE, DAYS = RESERVED = ("total", "late", "days")
MAX_DAYS = 366


def read_marks(path: Path, items: Iterable[Item]) -> dict[Key, MarkRow]:
    """Return the marks in the table at `path` by student and item; none if there is no file."""
    possible = {item.__name__: item.points for item in items}
    for name in set(RESERVED) & set(possible):
        if path.is_file():
            raise CourseError(
                f"{path}: the rubric has an item named {name!r}, which means another thing here."
            )
    marks = read_mark_table(path, COLUMNS)
    for mark in marks.values():
        check_mark(mark, possible)
        if mark.item == LATE and (mark.student, DAYS) in marks:
            raise CourseError(f"{mark.where}: there is a row `{DAYS}` as well; leave one.")
    return marks


def check_mark(mark: MarkRow, possible: Mapping[str, float]) -> None:
    """Raise CourseError unless the row has an item, points in its range, a name and a reason."""
    if mark.item not in possible and mark.item not in RESERVED:
        raise CourseError(f"{mark.where}: {unknown_name('item', mark.item, [*possible, *RESERVED])}")
    for name in ("by", "why"):
        if not mark.text(name):
            raise CourseError(f"{mark.where}: `{name}` is missing; a mark by hand says who gave it and why.")
    whole = sum(possible.values())
    bounds = {TOTAL: (-whole, whole), LATE: (-whole, 0), DAYS: (0, MAX_DAYS)}
    low, high = bounds.get(mark.item) or (0, possible[mark.item])
    mark.check_points(low, high, whole=mark.item == DAYS)


def days_by_hand(marks: Mapping[Key, MarkRow]) -> dict[str, int | None]:
    """Return how many days late students are by rows `days`; None where a row `late` settles the points."""
    days: dict[str, int | None] = {}
    for (student, item), mark in marks.items():
        if item in (DAYS, LATE):
            days[student] = int(mark.points) if item == DAYS else None
    return days


def find_absent_students(
    marks: Mapping[Key, MarkRow], students: Collection[str], earlier: Iterable[str] = ()
) -> list[str]:
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


def apply_manual_marks(report: Report, marks: Mapping[Key, MarkRow]) -> Report:
    """Return the report with what a person gave in place of the grader and the readers of answers."""
    rows = {item: mark for (student, item), mark in marks.items() if student == report.student}
    if not rows:
        return report
    scores = tuple(manual_score(score, rows.get(score.item)) for score in report.scores)
    adjustments = tuple(adjustment(rows[item]) for item in (TOTAL, LATE) if item in rows)
    return replace(report, scores=scores, adjustments=(*report.adjustments, *adjustments))


def manual_score(score: Score, mark: MarkRow | None) -> Score:
    """Return an item's score by hand, with what the grader gave among the remarks."""
    if mark is None:
        return score
    gave = "no points" if score.earned is None else f"{score.earned:g} of {score.possible:g}"
    return replace(
        score, outcome="scored", earned=round(mark.points, 2),
        message=f"Marked by hand by {mark.text('by')}: {mark.text('why')}", hint=mark.text("comment"),
        remarks=(sanitize(f"The grader gave {gave}: {score.message}"), *score.remarks),
    )  # fmt: skip


def adjustment(mark: MarkRow) -> Adjustment:
    """Return the points that a row gives or takes beside the items."""
    kind = "Late, settled by hand" if mark.item == LATE else "By hand"
    comment = f" ({mark.text('comment')})" if mark.text("comment") else ""
    return Adjustment(
        round(mark.points, 2), sanitize(f"{kind}: {mark.text('why')}{comment}"), mark.text("by")
    )


def write_empty_table(path: Path) -> None:
    """Write the table with its header alone, unless there is one."""
    if not path.exists():
        path.write_text(",".join(COLUMNS) + "\n", encoding="utf-8", newline="\n")
