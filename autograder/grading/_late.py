"""The course's policy on late work: what lateness costs, and how many late days each person has used.

`late_days.csv` lies beside the folders of results: a row for each person and assignment. An assignment is counted
after those before it in `course.toml`, so that grading it again gives the same.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from autograder.core import (
    Assignment,
    Course,
    CourseError,
    Extension,
    Late,
    csv_text,
    escape_formula,
    read_table,
    sanitize,
)
from autograder.rubric import Adjustment, Report
from autograder.submissions import RawSubmission, Submitter, find_submissions

FILE = "late_days.csv"
COLUMNS = ("person", "assignment", "days")
DAY = timedelta(days=1)
MARKS_LATENESS = {"canvas"}  # platforms where a file without the mark "late" was in time
ADVICE = "a row `days` (how many days late) or `late` (the points it costs) in the TA's marks.csv settles it"


class UnclearLateness(Exception):  # noqa: N818
    """It is unclear whether a submission is late, or how late."""


@dataclass(frozen=True)
class LateRules:
    """The late policy as it applies to the class of one assignment.

    extensions: by student. unsure: students for whom an extension may be meant that fits others too. used: the late
    days that each person took in earlier assignments. notices: lines for the TA. namesakes: students whose late days
    can't be told from another's. by_hand: the days that a person wrote, by student; None: the points are settled too.
    """

    late: Late
    assignment: Assignment
    extensions: Mapping[str, Extension] = field(default_factory=dict)
    unsure: Set[str] = frozenset()
    used: Mapping[str, int] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    namesakes: Set[str] = frozenset()
    by_hand: Mapping[str, int | None] = field(default_factory=dict)

    def due(self, student: str) -> datetime | None:
        """Return when the work of a student is due, extensions included."""
        extension = self.extensions.get(student)
        return extension.due if extension else self.assignment.due

    def remaining_days(self, report: Report) -> int:
        """Return the late days that this student had left before this assignment."""
        return max(0, self.late.days - self.used.get(identify_person(report.origin, report.student), 0))

    def is_too_late(self, days: int) -> bool:
        """Return True if nothing counts after so many days."""
        return self.late.most_days is not None and days > self.late.most_days


def read_late_rules(
    course: Course,
    assignment: Assignment,
    submissions: Iterable[RawSubmission],
    table: Path | None = None,
    by_hand: Mapping[str, int | None] | None = None,
) -> LateRules:
    """Return the rules for a class; `table` is the `late_days.csv` of the course.

    Raises CourseError, in one line, for a table that can't be read.
    """
    submissions, unsure, notices = list(submissions), set[str](), list[str]()
    extensions: dict[str, Extension] = {}
    for extension in course.extensions:
        if extension.assignment != assignment.slug:
            continue
        people = [sanitize(raw.student) for raw in find_submissions(extension.student, submissions)]
        if len(people) == 1:
            [student] = people
            same = extensions.get(student, extension)
            extensions[student] = max(extension, same, key=lambda extension: extension.due)
            continue
        who = ", ".join(people) if people else "nobody who handed in"
        notices.append(f"The extension of {sanitize(extension.student)!r} fits {who}: it is given to nobody.")
        unsure |= set(people)
    origins = [raw.origin for raw in submissions]
    count = sum(not origin.submitted and origin.platform not in MARKS_LATENESS for origin in origins)
    if count and course.late.policy != "none" and assignment.due:
        notices.append(
            f"{count} of {len(submissions)} submissions don't tell when they were handed in: none of these counts as "
            "late. The platform's list of the class may tell (--roster)."
        )
    used = count_days_used_before(table, course, assignment) if table else {}
    keyed = [
        (sanitize(raw.student), identify_person(raw.origin, sanitize(raw.student))) for raw in submissions
    ]
    counts = Counter(key for _, key in keyed)
    namesakes = {student for student, key in keyed if counts[key] > 1}
    return LateRules(
        course.late, assignment, extensions, unsure, used, tuple(notices), namesakes, by_hand or {}
    )


def apply_late_policy(report: Report, rules: LateRules) -> Report:
    """Return the report with what lateness costs, at most the points that are left after all other adjustments."""
    if rules.by_hand.get(report.student, 0) is None:
        return report
    try:
        days = count_days_late(report, rules)
    except UnclearLateness as doubt:
        return replace(report, doubts=(*report.doubts, f"{doubt}: {ADVICE}."))
    if not days:
        return report
    points, reason = compute_penalty(report, rules, days)
    earned = max(0.0, report.earned)
    if points > earned:
        points, reason = earned, f"{reason}, at most what was earned"
    lost = Adjustment(0.0 - round(points, 2), f"{describe_lateness(report, rules, days)}: {reason}.")
    return replace(report, adjustments=(*report.adjustments, lost))


def count_days_late(report: Report, rules: LateRules) -> int:
    """Return how many days the submission is late, each begun day counted. Raises UnclearLateness."""
    due, late = rules.due(report.student), rules.late
    if late.policy == "none" or due is None:
        return 0
    if report.student in rules.by_hand:
        return rules.by_hand[report.student] or 0
    submitted = parse_submission_time(report.origin)
    if submitted is None:
        return count_days_by_mark(report, rules)
    grace = timedelta(minutes=late.grace_minutes)
    if submitted.astimezone(UTC) - due.astimezone(UTC) <= grace:
        return 0
    if report.student in rules.unsure:
        raise UnclearLateness(
            "Late, and it is open whether an extension is meant for this student or another"
        )
    if report.student in rules.namesakes and late.policy == "late days":
        reason = "another student has the same name, so that nobody knows whose late days these are"
        raise UnclearLateness(f"Late, and {reason}")
    # days of the clock on the wall: one may have 23 hours and another 25
    by_clock = submitted.astimezone(due.tzinfo).replace(tzinfo=None) - due.replace(tzinfo=None)
    return max(1, math.ceil((by_clock - grace) / DAY))


def count_days_by_mark(report: Report, rules: LateRules) -> int:
    """Return the days by the platform's mark alone: enough where any lateness costs the same."""
    if not report.origin.late:
        return 0
    late = rules.late
    is_exempt = report.student in rules.extensions or report.student in rules.unsure
    if late.policy != "constant" or late.grace_minutes or late.most_days is not None or is_exempt:
        raise UnclearLateness("Late by the platform's mark, which does not tell how late")
    return 1


def parse_submission_time(origin: Submitter) -> datetime | None:
    """Parse the submission time. Return None if it is missing or has no UTC offset."""
    try:
        time = datetime.fromisoformat(origin.submitted)
        return time if time.tzinfo else None
    except ValueError:
        return None


def compute_penalty(report: Report, rules: LateRules, days: int) -> tuple[float, str]:
    """Return the points that so many days cost, and why."""
    late, possible = rules.late, rules.assignment.points
    if rules.is_too_late(days):
        return math.inf, f"after {format_count(late.most_days or 0, 'day')} nothing counts"
    if late.policy == "constant":
        return late.penalty, f"{late.penalty:g} points"
    percent = f"{late.penalty:g} % of {possible:g} points a day"
    if late.policy == "percentage":
        return days * late.penalty * possible / 100, percent
    free, left = count_budget_days(report, rules, days), rules.remaining_days(report)
    reason = f"{free} of {format_count(left, 'late day')} that were left" if left else "no late day was left"
    if days == free:
        return 0.0, reason
    return (days - free) * late.penalty * possible / 100, f"{reason}; beyond, {percent}"


def identify_person(origin: Submitter, student: str) -> str:
    """Return what identifies a person in all assignments; ids of Moodle and Gradescope are valid for one only."""
    lasting = origin.id if origin.platform == "canvas" else ""
    return sanitize(origin.email.casefold() or origin.login.casefold() or lasting or origin.name or student)


def count_budget_days(report: Report, rules: LateRules, days: int) -> int:
    """Return the late days that being so many days late takes from the budget; none if nothing counts anyway."""
    if rules.late.policy != "late days" or rules.is_too_late(days):
        return 0
    return min(days, rules.remaining_days(report))


def describe_lateness(report: Report, rules: LateRules, days: int) -> str:
    """Return such as "2 days late (handed in 2027-03-07 10:00, due 2027-03-05 23:59)", in the due date's zone."""
    if report.student in rules.by_hand:
        return f"{format_count(days, 'day')} late, by hand"
    submitted, due = parse_submission_time(report.origin), rules.due(report.student)
    if submitted is None or due is None:
        return "Late by the platform's mark"
    extended = ", extended" if report.student in rules.extensions else ""
    times = f"handed in {format_time(submitted.astimezone(due.tzinfo))}, due {format_time(due)}{extended}"
    return f"{format_count(days, 'day')} late ({times})"


def format_count(count: int, noun: str) -> str:
    """Return such as "2 days"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def format_time(time: datetime) -> str:
    """Return a time to the minute, or to the second if it has seconds."""
    return time.strftime("%Y-%m-%d %H:%M:%S" if time.second else "%Y-%m-%d %H:%M")


# --- late_days.csv


def read_late_days(path: Path) -> dict[tuple[str, str], int]:
    """Return the late days used, by person and assignment. Raises CourseError for days that are no whole number."""
    table, days = read_table(path, COLUMNS), {}
    for row, place in zip(table.rows, table.places, strict=True):
        count = table.number(row["days"])
        if not (0 <= count < math.inf and count == int(count)):
            got = f"{place} ({sanitize(row['person'])}): days are {sanitize(row['days'])!r}"
            raise CourseError(f"{got}, expected a whole number.")
        days[row["person"], row["assignment"]] = int(count)
    return days


def count_days_used_before(path: Path, course: Course, assignment: Assignment) -> dict[str, int]:
    """Return the late days that each person took in the assignments before this one in `course.toml`."""
    slugs, used = [assignment.slug for assignment in course.assignments], Counter[str]()
    before = set(slugs[: slugs.index(assignment.slug)])
    for (person, slug), days in read_late_days(path).items():
        used[person] += days if slug in before else 0
    return dict(used)


def format_late_days(path: Path, rules: LateRules, reports: Iterable[Report]) -> str:
    """Return the table at `path` with new rows for this class and assignment; empty if the course has no late days."""
    if rules.late.policy != "late days":
        return ""
    table = read_late_days(path)
    for report in reports:
        key = identify_person(report.origin, report.student), rules.assignment.slug
        table.pop(key, None)
        try:
            if days := count_budget_days(report, rules, count_days_late(report, rules)):
                table[key] = days
        except UnclearLateness:
            continue  # none are taken until it is clear
    rows = [(escape_formula(person), slug, days) for (person, slug), days in sorted(table.items())]
    return csv_text(COLUMNS, (dict(zip(COLUMNS, row, strict=True)) for row in rows))
