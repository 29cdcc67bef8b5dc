"""What being late costs by the rules in `course.toml`, and how many late days each person has taken.

`late_days.csv` lies beside the folders of results: a row for each person and assignment. An assignment is counted
after those that stand before it in `course.toml`, so that grading one again gives what it gave.
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
    names_student,
    read_table,
    sanitize,
    split_tokens,
)
from autograder.rubric import Adjustment, Report
from autograder.submissions import RawSubmission, Submitter

FILE = "late_days.csv"
COLUMNS = ("person", "assignment", "days")
DAY = timedelta(days=1)
ADVICE = "a row `days` (how many days late) or `late` (the points it costs) in the TA's marks.csv settles it"


@dataclass(frozen=True)
class LateRules:
    """The course's rules on late work, as they stand for the class that handed in one assignment.

    extensions: by student. unsure: students for whom one may be meant that fits others as well.
    used: late days that each person took in assignments before this one. told: lines for the TA. namesakes:
    students whose late days can't be told from another's, as no id, login or address tells who they are.
    """

    late: Late
    assignment: Assignment
    extensions: dict[str, Extension] = field(default_factory=dict)
    unsure: Set[str] = frozenset()
    used: dict[str, int] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    namesakes: Set[str] = frozenset()

    def due(self, student: str) -> datetime | None:
        """When the work of `student` is due: as the assignment's, or with an extension."""
        extension = self.extensions.get(student)
        return extension.due if extension else self.assignment.due


def late_rules(
    course: Course, assignment: Assignment, submissions: Iterable[RawSubmission], table: Path | None = None
) -> LateRules:
    """Return the rules for the class that handed in `submissions`; `table` is the `late_days.csv` of the course.

    Raises CourseError, in one line, for a table that can't be read.
    """
    submissions, extensions, unsure, told = list(submissions), {}, set(), []
    for extension in (one for one in course.extensions if one.assignment == assignment.slug):
        people = [sanitize(one.student) for one in find_submission(extension.student, submissions)]
        if len(people) == 1:
            [student] = people
            extensions[student] = max(extension, extensions.get(student, extension), key=lambda one: one.due)
            continue
        who = ", ".join(people) if people else "nobody who handed in"
        told.append(f"The extension of {sanitize(extension.student)!r} fits {who}: it is given to nobody.")
        unsure |= set(people)
    if course.late.policy != "none" and assignment.due:
        told += missing_times(submissions)
    used = days_used_before(table, course, assignment) if table else {}
    counts = Counter(
        person_key(submission.origin, sanitize(submission.student)) for submission in submissions
    )
    namesakes = {
        sanitize(submission.student)
        for submission in submissions
        if counts[person_key(submission.origin, sanitize(submission.student))] > 1
    }
    return LateRules(course.late, assignment, extensions, unsure, used, tuple(told), namesakes)


def find_submission(who: str, submissions: Iterable[RawSubmission]) -> list[RawSubmission]:
    """Whose submission a person means by `who`: a key, id, login, e-mail address or name, else some of the words."""
    submissions, wanted = list(submissions), who.strip().casefold()
    for accounts in (  # what a platform gives goes before what students may call themselves
        lambda one: (one.origin.id, one.origin.login, one.origin.email),
        lambda one: (one.student,),
    ):
        known = [one for one in submissions if wanted and wanted in map(str.casefold, accounts(one))]
        if known:
            return known
    exact = [
        one for one in submissions if " ".join(split_tokens(who)) in names_of(one) or who in names_of(one)
    ]
    return exact or [one for one in submissions if matches_words(who, one)]


def names_of(one: RawSubmission) -> set[str]:
    """All that names this student alone, as a person may write it."""
    origin = one.origin
    names = {one.student, origin.id, origin.login, origin.email, origin.name} - {""}
    return names | {" ".join(split_tokens(name)) for name in names} - {""}


def matches_words(who: str, one: RawSubmission) -> bool:
    """Whether the words of `who` are among the student's, and not only such as all students share."""
    words = frozenset(split_tokens(one.student)) if one.words is None else one.words
    return names_student(who, words, one.shared)


def missing_times(submissions: list[RawSubmission]) -> list[str]:
    """Return a line on how many submissions tell neither when they were handed in nor whether they were late."""
    marks_late = {"canvas"}  # where a file without the mark was in time
    unknown = [
        one for one in submissions if not one.origin.submitted and one.origin.platform not in marks_late
    ]
    if not unknown:
        return []
    said = f"{len(unknown)} of {len(submissions)} submissions don't tell when they were handed in"
    return [f"{said}: none of these counts as late. The platform's list of the class may tell (--roster)."]


def apply_late_policy(
    report: Report, rules: LateRules, by_hand: Mapping[str, int | None] | None = None
) -> Report:
    """Return the report with what being late costs. It comes after all other points: it takes none that are not there.

    by_hand: `late_by_hand` of the marks: how many days late each student is by what a person wrote, None where the
    person has settled the points as well.
    """
    by_hand = by_hand or {}
    if by_hand.get(report.student, 0) is None:
        return report
    try:
        days = days_late(report, rules, by_hand)
    except UnclearLateness as doubt:
        return replace(report, doubts=(*report.doubts, f"{doubt}: {ADVICE}."))
    if not days:
        return report
    points, how = penalty(report, rules, days)
    rest = max(0.0, report.earned)
    points, cut = (rest, ", at most what was earned") if points > rest else (points, "")
    why = f"{lateness_text(report, rules, days, by_hand)}: {how}{cut}."
    lost = Adjustment(0.0 - round(points, 2), why)
    return replace(report, adjustments=(*report.adjustments, lost))


class UnclearLateness(Exception):
    """Whether or how much a submission is late can't be told."""


def days_late(report: Report, rules: LateRules, by_hand: Mapping[str, int | None]) -> int:
    """How many days, a begun one counted whole, the submission is late by the rules. Raises Unclear."""
    origin, due = report.origin, rules.due(report.student)
    if rules.late.policy == "none" or due is None:
        return 0
    if report.student in by_hand:
        return by_hand[report.student] or 0
    handed_in = submission_time(origin)
    if handed_in is None:
        return days_unknown(report, rules)
    late_by = handed_in.astimezone(UTC) - due.astimezone(UTC) - timedelta(minutes=rules.late.grace_minutes)
    days = 0
    if late_by > timedelta(0):  # days of the clock on the wall, of which one may have 23 hours and another 25
        local = handed_in.astimezone(due.tzinfo).replace(tzinfo=None) - due.replace(tzinfo=None)
        days = max(1, math.ceil((local - timedelta(minutes=rules.late.grace_minutes)) / DAY))
    if days and report.student in rules.unsure:
        raise UnclearLateness(
            "Late, and it is open whether an extension is meant for this student or another"
        )
    if days and report.student in rules.namesakes and rules.late.policy == "late days":
        raise UnclearLateness(
            "Late, and another student has the same name, so that nobody knows whose late days these are"
        )
    return days


def days_unknown(report: Report, rules: LateRules) -> int:
    """Return the same where only the platform's mark is known: enough for a penalty that is the same however late."""
    if not report.origin.late:
        return 0
    exempt = report.student in rules.extensions or report.student in rules.unsure
    if (
        rules.late.policy != "constant"
        or rules.late.grace_minutes
        or rules.late.most_days is not None
        or exempt
    ):
        raise UnclearLateness("Late by the platform's mark, which does not tell how late")
    return 1


def submission_time(origin: Submitter) -> datetime | None:
    """When it was handed in, if that is told with an offset from UTC."""
    try:
        told = datetime.fromisoformat(origin.submitted)
        return told if told.tzinfo else None
    except ValueError:
        return None


def penalty(report: Report, rules: LateRules, days: int) -> tuple[float, str]:
    """Return the points that so many days cost, and how they come about."""
    late, possible = rules.late, rules.assignment.points
    if late.most_days is not None and days > late.most_days:
        return math.inf, f"after {count_text(late.most_days, 'day')} nothing counts"
    if late.policy == "constant":
        return late.penalty, f"{late.penalty:g} points"
    percent = f"{late.penalty:g} % of {possible:g} points a day"
    if late.policy == "percentage":
        return days * late.penalty * possible / 100, percent
    free = days_taken_from_budget(report, rules, days)
    left = remaining_days(report, rules)
    how = f"{free} of {count_text(left, 'late day')} that were left" if left else "no late day was left"
    if days == free:
        return 0.0, how
    return (days - free) * late.penalty * possible / 100, f"{how}; beyond, {percent}"


def person_key(origin: Submitter, student: str) -> str:
    """By what a student is known from one assignment to the next; Moodle's and Gradescope's ids last for one only."""
    lasting = origin.id if origin.platform == "canvas" else ""
    return sanitize(origin.email.casefold() or origin.login.casefold() or lasting or origin.name or student)


def remaining_days(report: Report, rules: LateRules) -> int:
    """Return the late days that this student had left before this assignment."""
    return max(0, rules.late.days - rules.used.get(person_key(report.origin, report.student), 0))


def days_taken_from_budget(report: Report, rules: LateRules, days: int) -> int:
    """Return the late days that being so many days late takes from the budget; none where nothing counts anyway."""
    if rules.late.policy != "late days" or (rules.late.most_days is not None and days > rules.late.most_days):
        return 0
    return min(days, remaining_days(report, rules))


# --- late_days.csv


def read_late_days(path: Path) -> dict[tuple[str, str], int]:
    """Return the late days used, by person and assignment. Raises CourseError for what is no whole number."""
    table, days = read_table(path, COLUMNS), {}
    for row, place in zip(table.rows, table.places, strict=True):
        count = table.number(row["days"])
        if not (0 <= count < math.inf and count == int(count)):
            said = f"{place} ({sanitize(row['person'])}): days are {sanitize(row['days'])!r}"
            raise CourseError(f"{said}, expected a whole number.")
        days[row["person"], row["assignment"]] = int(count)
    return days


def days_used_before(path: Path, course: Course, assignment: Assignment) -> dict[str, int]:
    """Return the late days that each person took in the assignments before this one in `course.toml`."""
    slugs, used = [one.slug for one in course.assignments], {}
    before = set(slugs[: slugs.index(assignment.slug)])
    for (who, slug), days in read_late_days(path).items():
        used[who] = used.get(who, 0) + (days if slug in before else 0)
    return used


def late_days_csv(
    path: Path, rules: LateRules, reports: Iterable[Report], by_hand: Mapping[str, int | None] | None = None
) -> str:
    """Return the text of the `late_days.csv` at `path` with the rows of this class for this assignment made anew.

    Empty where the course has no late days: then nothing is to be written.
    """
    if rules.late.policy != "late days":
        return ""
    days = read_late_days(path)
    for report in reports:
        days.pop((person_key(report.origin, report.student), rules.assignment.slug), None)
        if count := days_taken(report, rules, by_hand or {}):
            days[person_key(report.origin, report.student), rules.assignment.slug] = count
    rows = ((escape_formula(who), slug, count) for (who, slug), count in sorted(days.items()))
    return csv_text(COLUMNS, (dict(zip(COLUMNS, row, strict=True)) for row in rows))


def days_taken(report: Report, rules: LateRules, by_hand: Mapping[str, int | None]) -> int:
    """Return the late days that this submission takes; none while it is not clear how late it is."""
    try:
        return days_taken_from_budget(report, rules, days_late(report, rules, by_hand))
    except UnclearLateness:
        return 0


def count_text(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def lateness_text(report: Report, rules: LateRules, days: int, by_hand: Mapping[str, int | None]) -> str:
    """ "2 days late (handed in 2027-03-07 10:00, due 2027-03-05 23:59)", in the time zone of the due date."""
    if report.student in by_hand:
        return f"{count_text(days, 'day')} late, by hand"
    handed_in, due = submission_time(report.origin), rules.due(report.student)
    if handed_in is None:
        return "Late by the platform's mark"
    extended = ", extended" if report.student in rules.extensions else ""
    times = f"handed in {time_text(handed_in.astimezone(due.tzinfo))}, due {time_text(due)}{extended}"
    return f"{count_text(days, 'day')} late ({times})"


def time_text(when: datetime) -> str:
    """To the minute; seconds where they matter."""
    return when.strftime("%Y-%m-%d %H:%M:%S" if when.second else "%Y-%m-%d %H:%M")
