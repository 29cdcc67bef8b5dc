"""Courses are found from inside, and complain in one line."""

import os
import re
from datetime import UTC, datetime

import pytest

from autograder.core import CourseError, Extension, Late, find_course, load_module, read_course
from autograder.data import HiddenData, hidden_data


def test_a_course_is_found_from_a_folder_deep_inside(course):
    assert find_course(course.root / "assignments" / "hello").root == course.root


def test_an_unknown_assignment_gets_the_nearest_name(course):
    with pytest.raises(CourseError, match="did you mean hello"):
        course.assignment("helo")


@pytest.mark.parametrize(
    "text, complaint", [("title = ", "not valid TOML"), ("[[assignment]]", "lacks 'slug'")]
)
def test_a_broken_course_file_is_named(course, text, complaint):
    (course.root / "course.toml").write_text(text)
    with pytest.raises(CourseError, match=complaint):
        read_course(course.root)


def test_due_dates_and_the_address_of_the_bundle(course):
    file = course.root / "course.toml"
    assert (course.bundle, course.assignments[0].due) == ("", None)
    text = (
        'bundle = "https://example.org/a/toy-1.zip"\n'
        + file.read_text()
        + "due = 2027-03-05T23:59:00+01:00\n"
    )
    file.write_text(text)
    course = read_course(course.root)
    assert course.bundle == "https://example.org/a/toy-1.zip"
    assert course.assignments[0].due == datetime(2027, 3, 5, 22, 59, tzinfo=UTC)


@pytest.mark.parametrize("due", ["2027-03-05T23:59:00", "2027-03-05", "23:59:00", '"tomorrow"', "3"])
def test_a_due_date_without_an_offset_is_refused(course, due):
    file = course.root / "course.toml"
    file.write_text(file.read_text() + f"due = {due}\n")
    with pytest.raises(
        CourseError, match="the due date of hello needs a date, a time and an offset"
    ) as complaint:
        read_course(course.root)
    assert "\n" not in str(complaint.value)


@pytest.mark.parametrize(
    "bundle",
    ["3", '"toy.zip"', '"https://example.org/toy"', '"https://x/a b.zip"', "'https://x\"/a.zip'", "true"],
)
def test_an_address_that_is_none_is_refused(course, bundle):
    file = course.root / "course.toml"
    file.write_text(f"bundle = {bundle}\n" + file.read_text())
    with pytest.raises(CourseError, match="bundle is the address of a .zip"):
        read_course(course.root)


def test_due_dates_in_a_time_zone_follow_its_clocks(course):
    file = course.root / "course.toml"
    before = file.read_text()
    for due, utc in (
        ("2027-03-05T23:59:00", 22),
        ("2027-06-05T23:59:00", 21),
        ("2027-06-05T23:59:00+05:00", 18),
    ):
        file.write_text('timezone = "Europe/Berlin"\n' + before + f"due = {due}\n")
        course = read_course(course.root)
        assert (
            course.assignments[0].due.astimezone(UTC).hour == utc and course.timezone.key == "Europe/Berlin"
        )
    late = extension(due="2027-06-07T12:00:00")
    file.write_text('timezone = "Europe/Berlin"\n' + before + f"due = {due}\n" + late)
    assert read_course(course.root).extensions[0].due == datetime(2027, 6, 7, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "complaint"),
    [
        ('"Europe/Berln"', "did you mean Europe/Berlin"),
        ('"berlin"', "did you mean Europe/Berlin"),
        ('"America/NewYork"', "did you mean America/New_York"),
        ('"CEST"', "There is no time zone named 'CEST'"),
        ('"UTC+1"', "There is no time zone named 'UTC+1'"),
        ('"../../etc/passwd"', "There is no time zone"),
        ('"Europe"', "There is no time zone named 'Europe'"),
        ('""', "There is no time zone"),
        ("1", "There is no time zone named 1"),
    ],
)
def test_a_time_zone_that_is_none_is_one_line_with_near_names(course, zone, complaint):
    file = course.root / "course.toml"
    file.write_text(f"timezone = {zone}\n" + file.read_text())
    with pytest.raises(CourseError) as raised:
        read_course(course.root)
    assert complaint in str(raised.value) and "\n" not in str(raised.value)


def test_a_due_time_that_the_clocks_leave_out_is_refused(course):
    file = course.root / "course.toml"
    file.write_text('timezone = "Europe/Berlin"\n' + file.read_text() + "due = 2027-03-28T02:30:00\n")
    with pytest.raises(CourseError, match="a time that does not exist in Europe/Berlin"):
        read_course(course.root)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("deu = 2027-03-05T23:59:00+01:00", r"\[\[assignment\]\] hello: .* named 'deu'; did you mean due"),
        ("point = 3", "did you mean points"),
        ("Due = 2027-03-05T23:59:00+01:00", "did you mean due"),
        ("colour = 3", "there are: slug, title, points, due"),
        ('[late]\npolice = "none"', "no rule named 'police'; did you mean policy"),
        ("[[extension]]\nstudnet = 3", "no entry named 'studnet'; did you mean student"),
        ("[timezone]", "no time zone named"),
    ],
)
def test_a_misspelt_entry_is_one_line_with_the_near_name(course, text, complaint):
    file = course.root / "course.toml"
    file.write_text(file.read_text() + text + "\n")
    with pytest.raises(CourseError, match=complaint) as raised:
        read_course(course.root)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("entry", "value", "complaint"),
    [
        ("points", '"10"', "points is '10', expected a number from 0 to 10000"),
        ("points", "-1", "expected a number from 0"),
        ("points", "0", "expected a number above 0"),
        ("points", "true", "points is True, expected a number"),
        ("points", "nan", "points is nan, expected a number"),
        ("slug", "5", "slug is 5, expected a word"),
        ("slug", '""', "slug is '', expected a word"),
        ("slug", '"../x"', "slug is '../x', expected a word"),
        ("title", "[1]", r"title is \[1\], expected a text"),
        ("title", '" "', "expected a text"),
    ],
)
def test_a_value_of_another_kind_is_one_line(course, entry, value, complaint):
    file = course.root / "course.toml"
    head, _, table = file.read_text().partition("[[assignment]]")
    file.write_text(head + "[[assignment]]" + re.sub(rf"(?m)^{entry} = .*$", f"{entry} = {value}", table))
    with pytest.raises(CourseError, match=complaint) as raised:
        read_course(course.root)
    assert "\n" not in str(raised.value)


def test_two_assignments_of_one_name_are_refused(course):
    file = course.root / "course.toml"
    head, mark, table = file.read_text().partition("[[assignment]]")
    file.write_text(head + mark + table + mark + table)
    with pytest.raises(CourseError, match="there are two assignments named hello"):
        read_course(course.root)


def test_a_title_or_an_encoding_that_is_none_is_refused(course):
    file = course.root / "course.toml"
    text = file.read_text()
    file.write_text(re.sub("(?m)^title = .*$", "title = 3", text, count=1))
    with pytest.raises(CourseError, match="title is 3, expected a text"):
        read_course(course.root)
    file.write_bytes(text.replace("title", "# Größe\ntitle", 1).encode("latin-1"))
    with pytest.raises(CourseError, match="is not in UTF-8"):
        read_course(course.root)


@pytest.mark.parametrize("name", ["tittle", "timezon", "time_zone", "bundel", "assignments"])
def test_a_misspelt_entry_of_the_course_is_one_line(course, name):
    file = course.root / "course.toml"
    file.write_text(f'{name} = "x"\n' + file.read_text())
    with pytest.raises(CourseError, match="did you mean (title|timezone|bundle|assignment)\\?"):
        read_course(course.root)


def with_rules(course, text, due="due = 2027-03-05T23:59:00+01:00\n"):
    """Return the course with more text in its course.toml."""
    file = course.root / "course.toml"
    file.write_text(file.read_text() + due + text)
    return read_course(course.root)


@pytest.mark.parametrize(
    ("text", "late"),
    [
        ("", Late()),
        ("[late]\n", Late()),
        ('[late]\npolicy = "none"\n', Late("none")),
        ('[late]\npolicy = "constant"\npenalty = 5\nmost_days = 0\n', Late("constant", 5, 0, 0, 0)),
        ('[late]\npolicy = "percentage"\npenalty = 12.5\ngrace_minutes = 15\n', Late("percentage", 12.5, 15)),
        ('[late]\npolicy = "late days"\ndays = 4\n', Late("late days", 100, 0, 4)),
        ('[late]\npolicy = "late days"\ndays = 4\npenalty = 10\n', Late("late days", 10, 0, 4)),
    ],
)
def test_rules_on_late_work(course, text, late):
    assert with_rules(course, text).late == late


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            '[late]\npolicy = "percent"',
            "policy is 'percent', expected one of: none, constant, percentage, late days",
        ),
        ("[late]\npolicy = 3", "policy is 3, expected one of"),
        ('[late]\npolicy = ["none"]', "policy is ['none'], expected one of"),
        ('[late]\npolicy = "percentage"', "lacks penalty, which the policy 'percentage' needs"),
        ('[late]\npolicy = "late days"', "lacks days"),
        ('[late]\npolicy = "constant"\npenaltie = 5', "no rule named 'penaltie'; did you mean penalty"),
        (
            '[late]\npolicy = "constant"\npenalty = 5\ndays = 3',
            "days means nothing under the policy 'constant'",
        ),
        ("[late]\npenalty = 5", "penalty means nothing under the policy 'none'"),
        ('[late]\npolicy = "percentage"\npenalty = 101', "penalty is 101, expected a number from 0 to 100"),
        ('[late]\npolicy = "percentage"\npenalty = nan', "penalty is nan, expected a number"),
        ('[late]\npolicy = "constant"\npenalty = -1', "penalty is -1, expected a number from 0"),
        ('[late]\npolicy = "constant"\npenalty = inf', "penalty is inf, expected"),
        ('[late]\npolicy = "constant"\npenalty = true', "penalty is True, expected"),
        ('[late]\npolicy = "constant"\npenalty = "5"', "penalty is '5', expected"),
        ('[late]\npolicy = "late days"\ndays = 1.5', "days is 1.5, expected a whole number from 0 to 365"),
        ("[[late]]", "[late] is a table"),
        ("[lates]", "no entry named 'lates'; did you mean late"),
        ("[[extensions]]", "no entry named 'extensions'; did you mean extension"),
    ],
)
def test_a_rule_that_is_not_as_it_should_be_is_one_line(course, text, complaint):
    with pytest.raises(CourseError) as raised:
        with_rules(course, text + "\n")
    assert complaint in str(raised.value) and "course.toml" in str(raised.value)
    assert "\n" not in str(raised.value)


EXTENSION = {
    "student": '"Ann Lee"', "assignment": '"hello"', "due": "2027-03-09T23:59:00+01:00", "why": '"flu"',
}  # fmt: skip


def extension(**changed):
    entries = {name: value for name, value in (EXTENSION | changed).items() if value}
    return "\n".join(["[[extension]]", *(f"{name} = {value}" for name, value in entries.items())]) + "\n"


def test_extensions(course):
    due = datetime(2027, 3, 9, 22, 59, tzinfo=UTC)
    found = with_rules(course, extension() + extension(student='"bob"')).extensions
    assert found == (Extension("Ann Lee", "hello", due, "flu"), Extension("bob", "hello", due, "flu"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (extension(student=""), "student is None, expected a text"),
        (extension(why='" "'), "why is ' ', expected a text"),
        (extension(assignment="3"), "assignment is 3, expected a text"),
        (
            extension(assignment='"helo"'),
            "of 'Ann Lee': There is no assignment named 'helo'; did you mean hello",
        ),
        (extension(due="2027-03-09"), "the extension of 'Ann Lee' needs a date, a time and an offset"),
        (extension(due=""), "the extension of 'Ann Lee' needs a date"),
        (extension(due="2027-03-05T22:59:00Z"), "expected later than hello's (2027-03-05 23:59:00+01:00)"),
        (extension(until="3"), "no entry named 'until'"),
        (extension() + extension(student='"ann lee"'), "two for 'ann lee' in hello; leave one"),
        ("[extension]", "is a list of tables"),
    ],
)
def test_an_extension_that_is_not_as_it_should_be_is_one_line(course, text, complaint):
    with pytest.raises(CourseError) as raised:
        with_rules(course, text)
    assert complaint in str(raised.value) and "\n" not in str(raised.value)


def test_without_a_due_date_nothing_is_extended(course):
    with pytest.raises(CourseError, match="expected later than hello's \\(None\\)"):
        with_rules(course, extension(), due="")


def test_hidden_data_follow_secret_name_and_options(course):
    seeds = "import pandas as pd\ndef make(seed, **options):\n    return pd.DataFrame({'seed': [seed]})\n"
    for name in ("one", "two"):
        (course.root / "datasets" / name).mkdir()
        (course.root / "datasets" / name / "generate.py").write_text(seeds)
    draws = [
        HiddenData(course, secret).draw(name, options).seed[0]
        for secret in ("spring", "autumn")
        for name in ("one", "two")
        for options in ({}, {"count": 3}, {"count": 4})
    ]
    assert len(set(draws)) == len(draws)
    assert HiddenData(course, "spring").draw("one", {}).seed[0] == draws[0]


def test_a_rubric_that_changes_its_frame_does_not_change_the_next_students(course):
    source = HiddenData(course, "spring")
    before = source.draw("numbers", {}).number[0]
    frame = source.draw("numbers", {})
    frame.loc[0, "number"] = -1
    assert source.draw("numbers", {}).number[0] == before


def test_where_hidden_data_come_from(course):
    assert hidden_data(course).is_demo
    (course.root / "solutions" / "secret_seed").write_text("kq7-Zr2vX.m9Lt4pW8sB\n")
    assert not hidden_data(course).is_demo
    (course.root / "solutions" / "secret_seed").write_text("\n")
    with pytest.raises(CourseError, match="is empty"):
        hidden_data(course)
    (course.root / "solutions").rename(course.root / "elsewhere")
    assert hidden_data(course).practice


def test_a_file_that_is_saved_again_within_a_second_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    path = tmp_path / "rubric.py"
    for number in range(5):
        path.write_text(f"points = {number}")
        os.utime(path, (1_000_000_000, 1_000_000_000))
        loaded = load_module(path)
        assert loaded.points == number
    assert not (tmp_path / "__pycache__").exists()
