"""Courses are found from inside, and complain in one line."""

import os
from datetime import UTC, datetime

import pytest

from autograder.course import CourseError, find_course, load_module, read_course
from autograder.hidden import HiddenData, hidden_data


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
    (course.root / "solutions" / "secret_seed").write_text("a long random line\n")
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
