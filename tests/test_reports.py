"""The same records in four dresses; none of them lets a submission's text do more than be read."""

import csv
import io
import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from rich.console import Console

from autograder.reports import class_table, grades_csv, read_report, report_html, report_json, student_report
from autograder.reports._text import first_loss
from autograder.rubric import Report, Score
from autograder.submissions import Submitter

EVIL = "<script>alert(1)</script> [bold]x[/bold] {{ 7 * 7 }} =cmd"


def report(student="ann", *scores):
    return Report(student, "hello", scores or (scored(3),), "Scored on hidden data.", {"python": "3"})


def scored(earned, possible=4, outcome="scored", bonus=False, message="", name="greets"):
    return Score(name, "Says hello.", possible, bonus, outcome, earned, message)


class Tags(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


def printed(renderable):
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(renderable)
    return console.export_text()


def test_totals_and_status():
    both = report("ann", scored(3), scored(2, 5, bonus=True, name="more"))
    assert (both.earned, both.possible, both.status) == (5, 4, "graded")
    assert report("ann", scored(None, outcome="deferred")).status == "incomplete"
    assert (
        report("ann", scored(None, outcome="broken"), scored(None, outcome="deferred")).status
        == "needs a person"
    )


def test_hostile_text_is_only_text():
    evil = report(EVIL, scored(0, message=EVIL))
    page = Tags(report_html(evil))
    assert "script" not in page.tags and EVIL in page.text
    assert EVIL in printed(student_report(evil)) and EVIL in printed(class_table([evil]))
    assert json.loads(report_json(evil))["student"] == EVIL


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1", "@sum"])
def test_a_spreadsheet_runs_no_name(name):
    rows = list(csv.DictReader(io.StringIO(grades_csv([report(name)]))))
    assert rows[0]["student"] == f"'{name}"


def test_grades_have_a_row_a_student_and_a_column_an_item():
    scores = scored(3), scored(None, outcome="broken", name="counts")
    rows = list(csv.DictReader(io.StringIO(grades_csv([report("bo", *scores), report("ann, jr", *scores)]))))
    assert [row["student"] for row in rows] == ["ann, jr", "bo"]
    assert list(rows[0].items())[1:] == [
        ("name", ""), ("id", ""), ("greets", "3"), ("counts", ""), ("adjustment", "0"), ("earned", "3"),
        ("possible", "8"), ("status", "needs a person"),
    ]  # fmt: skip


def test_first_loss_puts_a_broken_item_before_a_lost_one():
    lost, broken = scored(0, message="lost"), scored(None, outcome="broken", message="broken")
    assert first_loss(report("ann", lost, broken)) == "greets: broken"
    assert first_loss(report("ann", scored(4), lost)) == "greets: lost"
    assert first_loss(report("ann", scored(4))) == ""


def test_the_page_shows_what_a_student_needs():
    text = Tags(report_html(report("ann", scored(3, message="Too short.")))).text
    for expected in ("3 / 4", "Says hello.", "Too short.", "Scored on hidden data."):
        assert expected in text


def test_a_record_shows_every_sign_and_comes_back_as_it_was():
    name = "a\u202egpj.exe\u200b\u2066 \x1b[2J Zoë 张伟"
    text = report_json(replace(report("ann"), origin=Submitter(name=name)))
    assert not set("\u202e\u200b\u2066\x1b") & set(text) and "Zoë 张伟" in text
    assert read_report(text).origin.name == name
