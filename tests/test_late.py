"""Being late: what each policy costs, to the second; extensions; late days over a course; doubts, not guesses."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.core import Assignment, Course, CourseError, Extension, Late
from autograder.grading._late import apply_late_policy, format_late_days, read_late_rules
from autograder.rubric import Adjustment, Report, Score
from autograder.submissions import RawSubmission, Submitter

DUE = datetime.fromisoformat("2027-03-05T23:59:00+01:00")
SLUGS = ("first", "second", "third")
PERCENT, CONSTANT = Late("percentage", penalty=10), Late("constant", penalty=5)
BUDGET = Late("late days", penalty=100, days=4)


def make_course(late=PERCENT, *extensions):
    assignments = tuple(Assignment(slug, slug, 110, Path("."), DUE) for slug in SLUGS)
    return Course(Path("."), "Toy", assignments, late=late, extensions=extensions)


def extended(student, days, slug="first"):
    return Extension(student, slug, DUE + timedelta(days=days), "flu")


def origin(after=None, **known):
    """Return a submitter who handed in so long after the due date."""
    return Submitter(submitted="" if after is None else (DUE + after).astimezone(UTC).isoformat(), **known)


def make_report(origin, earned=100.0, slug="first", student="ann"):
    scores = (Score("works", "It works.", 110, False, "scored", earned),)
    return Report(student, slug, scores, "", {}, origin)


def make_rules(course, *reports, slug="first", table=None):
    handed_in = [RawSubmission(report.student, Path("."), report.origin) for report in reports]
    return read_late_rules(course, course.assignment(slug), handed_in, table)


def after(policy, time, earned=100.0, *extensions, **known):
    """Return the report on a submission so long after the due date."""
    report = make_report(origin(time, **known), earned)
    return apply_late_policy(report, make_rules(make_course(policy, *extensions), report))


DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@pytest.mark.parametrize(
    ("late", "time", "earned"),
    [
        (Late(), 9 * DAY, 100),
        (CONSTANT, timedelta(0), 100),
        (CONSTANT, timedelta(seconds=1), 95),
        (CONSTANT, 9 * DAY, 95),
        (PERCENT, -DAY, 100),
        (PERCENT, timedelta(0), 100),
        (PERCENT, timedelta(seconds=1), 89),
        (PERCENT, DAY, 89),
        (PERCENT, DAY + timedelta(seconds=1), 78),
        (PERCENT, 30 * DAY, 0),
        (Late("percentage", penalty=10, grace_minutes=15), 15 * MINUTE, 100),
        (Late("percentage", penalty=10, grace_minutes=15), 16 * MINUTE, 89),
        (Late("percentage", penalty=10, grace_minutes=15), DAY + 15 * MINUTE, 89),
        (Late("percentage", penalty=0.5, most_days=2), 2 * DAY, 98.9),
        (Late("percentage", penalty=0.5, most_days=2), 2 * DAY + MINUTE, 0),
        (Late("constant", penalty=5, most_days=0), MINUTE, 0),
        (BUDGET, 4 * DAY, 100),
        (BUDGET, 4 * DAY + MINUTE, 0),
        (Late("late days", penalty=10, days=1), 3 * DAY, 78),
        (Late("late days", penalty=10, days=9, most_days=2), 3 * DAY, 0),
    ],
)
def test_what_each_policy_costs_to_the_second(late, time, earned):
    assert after(late, time).earned == earned


def test_the_sentence_says_how_it_came_about():
    [lost] = after(PERCENT, timedelta(days=1, hours=10, minutes=1)).adjustments
    assert lost == Adjustment(
        -22.0, "2 days late (handed in 2027-03-07 10:00, due 2027-03-05 23:59): 10 % of 110 points a day."
    )
    [lost] = after(PERCENT, MINUTE, 4.0).adjustments
    assert lost.points == -4
    assert lost.why.endswith("10 % of 110 points a day, at most what was earned.")
    [free] = after(BUDGET, 3 * DAY).adjustments
    assert free.points == 0 and free.why.endswith(": 3 of 4 late days that were left.")


@given(
    earned=st.integers(0, 11_000), minutes=st.integers(-3000, 30_000), penalty=st.integers(0, 100),
    grace=st.integers(0, 90),
)  # fmt: skip
def test_items_and_adjustments_add_up_to_what_counts(earned, minutes, penalty, grace):
    late = Late("percentage", penalty=penalty, grace_minutes=grace)
    report = after(late, minutes * MINUTE, earned / 100)
    exact = Fraction(earned, 100) - max(0, -((grace - minutes) // 1440)) * Fraction(penalty * 110, 100)
    assert round(report.by_items + sum(lost.points for lost in report.adjustments), 2) == report.earned
    assert abs(Fraction(report.earned) - max(0, exact)) < Fraction(1, 1000)


def test_no_due_date_no_penalty():
    report = make_report(origin(9 * DAY))
    rules = make_rules(make_course(), report)
    rules = type(rules)(PERCENT, Assignment("first", "First", 110, Path(".")))
    assert apply_late_policy(report, rules) == report


# --- the platform's mark without a time


def test_late_by_the_mark_alone_is_a_doubt_where_the_time_matters():
    for late in (PERCENT, BUDGET, Late("constant", 5, most_days=3), Late("constant", 5, grace_minutes=1)):
        report = after(late, None, late=True, platform="canvas")
        assert not report.adjustments and report.status == "needs a person"
        assert "marks.csv" in report.doubts[0] and "\n" not in report.doubts[0]
    report = after(CONSTANT, None, late=True)
    assert report.earned == 95 and report.adjustments[0].why == "Late by the platform's mark: 5 points."
    assert not after(Late(), None, late=True).doubts
    assert after(CONSTANT, None, 100.0, extended("ann", 3), late=True).doubts


def test_a_time_without_an_offset_is_no_time():
    report = make_report(Submitter(submitted="2027-03-09T10:00:00"))
    assert apply_late_policy(report, make_rules(make_course(), report)) == report


def test_a_person_settles_the_days_or_the_points():
    report = make_report(origin(None, late=True))
    rules = make_rules(make_course(), report)
    assert apply_late_policy(report, replace(rules, by_hand={"ann": 2})).adjustments[0] == Adjustment(
        -22.0, "2 days late, by hand: 10 % of 110 points a day."
    )
    assert apply_late_policy(report, replace(rules, by_hand={"ann": 0})) == report
    assert apply_late_policy(report, replace(rules, by_hand={"ann": None})) == report
    assert apply_late_policy(report, replace(rules, by_hand={"bob": None})).doubts


def test_unknown_times_are_reported_once():
    known, unknown = make_report(origin(DAY)), make_report(origin(None), student="bob")
    [line] = make_rules(make_course(), known, unknown).notices
    assert line.startswith("1 of 2 submissions don't tell when")
    assert not make_rules(make_course(Late()), unknown).notices
    assert not make_rules(make_course(), make_report(origin(None, platform="canvas"))).notices


# --- extensions


@pytest.mark.parametrize(
    "who", ["lee_ann_1", "Lee Ann 1", "77", "alee", "ann@x.org", "Ann Lee", "ANN LEE", "lee"]
)
def test_an_extension_finds_its_student_however_a_person_writes_it(who):
    ann = make_report(
        origin(2 * DAY, id="77", login="alee", email="ann@x.org", name="Ann Lee"), student="lee_ann_1"
    )
    bob = make_report(
        origin(2 * DAY, id="78", login="bob", email="bob@x.org", name="Bob Ray"), student="ray_bob_2"
    )
    rules = make_rules(make_course(PERCENT, extended(who, 3)), ann, bob)
    assert not rules.notices
    assert (apply_late_policy(ann, rules).earned, apply_late_policy(bob, rules).earned) == (100, 78)


def test_an_extension_moves_the_due_date_and_says_so():
    report = after(PERCENT, 3 * DAY + MINUTE, 100.0, extended("ann", 2))
    assert report.earned == 78 and "due 2027-03-07 23:59, extended" in report.adjustments[0].why


def test_of_two_extensions_of_one_student_the_later_counts():
    for days in ((1, 4), (4, 1)):
        both = [extended(who, count) for who, count in zip(("ann", "Ann Lee"), days, strict=True)]
        assert after(PERCENT, 4 * DAY, 100.0, *both, name="Ann Lee").earned == 100


def test_an_extension_of_another_assignment_is_none_here():
    assert after(PERCENT, MINUTE, 100.0, extended("ann", 2, "second")).earned == 89


def test_an_exact_name_goes_before_words():
    lee, marie = (
        make_report(origin(DAY, name="Ann Lee")),
        make_report(origin(DAY, name="Ann Marie Lee"), student="marie"),
    )
    rules = make_rules(make_course(PERCENT, extended("ann lee", 3)), lee, marie)
    assert not rules.notices and (
        apply_late_policy(lee, rules).earned,
        apply_late_policy(marie, rules).earned,
    ) == (100, 89)


def test_an_extension_for_nobody_or_for_two_is_told_and_nobody_loses_by_it():
    two = [make_report(origin(DAY, name="Ann Lee"), student=f"ann_{number}") for number in (1, 2)]
    rules = make_rules(make_course(PERCENT, extended("Ann Lee", 3), extended("zoë", 3)), *two)
    assert [("ann_1, ann_2" in line, "nobody who" in line) for line in rules.notices] == [
        (True, False),
        (False, True),
    ]
    assert all(
        apply_late_policy(report, rules).doubts and not apply_late_policy(report, rules).adjustments
        for report in two
    )
    assert (
        "Ann" not in apply_late_policy(two[0], rules).doubts[0]
    )  # students read it, and the other is none of their business
    in_time = make_report(origin(-DAY, name="Ann Lee"), student="ann_1")
    assert apply_late_policy(in_time, rules) == in_time


def test_a_word_that_all_students_share_names_nobody():
    people = [
        RawSubmission(
            f"{name}_class", Path("."), words=frozenset({name, "class"}), shared=frozenset({"class"})
        )
        for name in ("ann", "bob")
    ]
    course = make_course(PERCENT, extended("class", 3))
    assert "nobody" in read_late_rules(course, course.assignments[0], people).notices[0]


# --- late days over a course


def grade(folder, slug, *reports):
    """Grade a class as `grade` does: read the course's late days, and write them back."""
    table, course = folder / "late_days.csv", make_course(BUDGET)
    rules = make_rules(course, *reports, slug=slug, table=table)
    done = [apply_late_policy(each, rules) for each in reports]
    table.write_text(format_late_days(table, rules, done), encoding="utf-8")
    return [each.earned for each in done]


def test_late_days_are_a_budget_over_the_course(tmp_path):
    people = [("ann", 3), ("bob", 0), ("eve", 9)]
    for slug, expected in zip(SLUGS, ([100, 100, 0], [0, 100, 0], [0, 100, 0]), strict=True):
        reports = [
            make_report(origin(days * DAY, email=f"{who}@x.org"), slug=slug, student=who)
            for who, days in people
        ]
        assert grade(tmp_path, slug, *reports) == expected
    rows = list(csv.DictReader(io.StringIO((tmp_path / "late_days.csv").read_text())))
    assert [tuple(row.values()) for row in rows] == [
        ("ann@x.org", "first", "3"), ("ann@x.org", "second", "1"), ("eve@x.org", "first", "4"),
    ]  # fmt: skip


def test_grading_again_gives_the_same_and_other_rows_stay(tmp_path):
    first, second = (make_report(origin(3 * DAY), slug=slug) for slug in SLUGS[:2])
    once = [grade(tmp_path, "first", first), grade(tmp_path, "second", second)]
    table = (tmp_path / "late_days.csv").read_bytes()
    assert [grade(tmp_path, "first", first), grade(tmp_path, "second", second)] == once == [[100.0], [0.0]]
    assert (tmp_path / "late_days.csv").read_bytes() == table
    grade(tmp_path, "second", make_report(origin(DAY), slug="second", student="=bob"))
    text = (tmp_path / "late_days.csv").read_text()
    assert "ann,second,1" in text and "\n'=bob,second,1" in text
    grade(tmp_path, "second", make_report(origin(-DAY), slug="second"))
    assert "ann,second" not in (tmp_path / "late_days.csv").read_text()


def test_a_person_is_known_across_assignments_and_platforms():
    from autograder.grading._late import identify_person

    moodle = Submitter("moodle", id="9", name="Ann Lee")
    assert identify_person(moodle, "Ann Lee_9") == "Ann Lee"
    assert identify_person(Submitter("canvas", id="9", name="leeann"), "leeann_9") == "9"
    assert identify_person(Submitter("canvas", id="9", email="Ann@X.org"), "ann") == "ann@x.org"
    assert identify_person(Submitter(), "ann") == "ann"


def test_a_waived_penalty_takes_no_late_days(tmp_path):
    report, table = make_report(origin(3 * DAY)), tmp_path / "late_days.csv"
    assert (
        format_late_days(
            table, replace(make_rules(make_course(BUDGET), report), by_hand={"ann": None}), [report]
        )
        == "person,assignment,days\n"
    )
    assert format_late_days(table, make_rules(make_course(PERCENT), report), [report]) == ""


@pytest.mark.parametrize("days", ["", "two", "-1", "1.5", "nan", "inf"])
def test_a_table_that_is_not_as_it_should_be_is_one_line(tmp_path, days):
    (tmp_path / "late_days.csv").write_text(f"person,assignment,days\nann,first,{days}\n")
    with pytest.raises(
        CourseError, match="row 2 \\(ann\\): days are .* expected a whole number"
    ) as complaint:
        make_rules(make_course(BUDGET), table=tmp_path / "late_days.csv", slug="second")
    assert "\n" not in str(complaint.value)


@pytest.mark.parametrize(
    ("due", "handed_in", "days"),
    [
        ("2027-10-30T20:00:00", "2027-10-31T18:50:00+00:00", 1),  # 19:50 in winter time, 24 h 50 min later
        ("2027-10-30T20:00:00", "2027-10-31T19:10:00+00:00", 2),  # 20:10
        ("2027-03-27T20:00:00", "2027-03-28T17:50:00+00:00", 1),  # 19:50 in summer time, 22 h 50 min later
        ("2027-03-27T20:00:00", "2027-03-28T18:10:00+00:00", 2),  # 20:10, 23 h 10 min later
        ("2027-10-31T02:30:00", "2027-10-31T01:10:00+00:00", 1),  # 2:10 for the second time that night
        ("2027-10-31T02:30:00", "2027-10-31T00:20:00+00:00", 0),
    ],
)
def test_days_are_those_of_the_clock_on_the_wall(due, handed_in, days):
    due = datetime.fromisoformat(due).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    first = Assignment("first", "first", 110, Path("."), due)
    for submitted in (handed_in, moment_in_berlin(handed_in)):
        report = make_report(Submitter(submitted=submitted))
        rules = read_late_rules(
            Course(Path("."), "Toy", (first,), late=PERCENT),
            first,
            [RawSubmission("ann", Path("."), report.origin)],
        )
        assert apply_late_policy(report, rules).earned == 100 - 11 * days


def moment_in_berlin(text):
    return datetime.fromisoformat(text).astimezone(ZoneInfo("Europe/Berlin")).isoformat()


def test_an_extension_is_for_the_account_and_not_for_who_is_called_so():
    ann = Submitter("canvas", id="7", name="leeann", login="alee", email="ann@x.org")
    for name in ("alee", "ann@x.org", "7", "leeann_7"):
        mallory = Submitter("canvas", id="8", name=name)
        people = [make_report(ann, student="leeann_7"), make_report(mallory, student=f"{name}_8")]
        for who in ("alee", "ANN@x.org", "7", "leeann_7"):
            rules = make_rules(make_course(PERCENT, extended(who, 3)), *people)
            assert set(rules.extensions) == {"leeann_7"} and not rules.unsure


def test_late_days_of_two_of_one_name_wait_for_a_person(tmp_path):
    people = [make_report(origin(DAY, name="Ann Lee"), student=f"Ann Lee_{number}") for number in (1, 2)]
    people.append(make_report(origin(DAY, name="Bo Ek"), student="Bo Ek_3"))
    rules = make_rules(make_course(BUDGET), *people, table=tmp_path / "late_days.csv")
    first, second, third = (apply_late_policy(report, rules) for report in people)
    assert first.doubts and second.doubts and not third.doubts
    rows = csv.reader(io.StringIO(format_late_days(tmp_path / "late_days.csv", rules, people)))
    assert list(rows)[1:] == [["Bo Ek", "first", "1"]]
