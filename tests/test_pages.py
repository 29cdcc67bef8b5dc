"""The pages as text: what they say, what they keep to themselves, and that no name can do more than be read."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_class import EVIL, made_class
from scipy.stats import pearsonr

from autograder.reports import Timing, class_html, report_html, section_html, times_html
from autograder.reports._analysis import (
    broken_items,
    discrimination,
    distribution,
    item_table,
    loss_causes,
    pattern,
)
from autograder.reports._plots import figure_html, strip_svg
from autograder.reports._student_page import time_text
from autograder.reports._templates import digest
from autograder.rubric import Adjustment, Bars, Confusion, Report, Score
from autograder.rubric.figures import Examples
from autograder.submissions import Submitter

CLASS = made_class(40)
FOLDERS = {report.student: report.student for report in CLASS}
LEFT_OUT = {"a/.DS_Store": "litter of macOS", f"{EVIL}.pdf": "its name names no student"}
VOID = {"meta", "input", "rect", "line", "br"}


class Page(HTMLParser):
    """A page as a parser sees it: each element's name and attributes, all text, and elements left open."""

    def __init__(self, text: str):
        super().__init__()
        self.elements, self.text, self.open, self.raw = [], "", [], {}
        self.feed(str(text))  # Markup escapes what is joined to it

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.raw[self.open[-1] if self.open else ""] = data
        self.text += "" if self.open and self.open[-1] in {"script", "style"} else data

    def tags(self, name):
        return [attributes for tag, attributes in self.elements if tag == name]


def the_class(reports=CLASS, left_out=LEFT_OUT, folders=FOLDERS):
    return class_html(reports, left_out, folders, "Long memories")


def pages():
    took = [Timing(report.student, "greets", 1.5) for report in CLASS]
    return {
        "class": the_class(),
        "nobody": class_html([], {}, {}),
        "times": times_html(took, FOLDERS),
        "no times": times_html([], {}),
        **{f"student {number}": report_html(CLASS[number]) for number in (1, 4, 5, 17, 39)},
    }


PAGES = pages()


@pytest.fixture(scope="module", params=list(PAGES))
def page(request):
    return Page(PAGES[request.param])


def scored(item, earned, possible=10.0, message="", outcome="scored", **more):
    return Score(item, item, possible, more.pop("bonus", False), outcome, earned, message, **more)


def class_of(points):
    """Report of an array of points, `(students, items)`, each of 10; NaN is broken."""
    return [
        Report(f"s{row}", "a", tuple(
            scored(f"i{column}", None, outcome="broken") if np.isnan(value) else scored(f"i{column}", float(value))
            for column, value in enumerate(line)
        ), "", {})
        for row, line in enumerate(points)
    ]  # fmt: skip


def test_elements_close_ids_are_unique_and_headings_descend_by_one(page):
    assert not page.open
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))


def test_a_page_asks_nothing_of_a_network(page):
    for _, attributes in page.elements:
        for name in ("href", "src", "action", "style", *(key for key in attributes if key.startswith("on"))):
            assert re.match(r"#|\./|times\.html$", attributes.get(name) or "#"), attributes


def test_a_policy_allows_the_style_and_script_of_the_page_and_no_others(page):
    policy = next(meta["content"] for meta in page.tags("meta") if "http-equiv" in meta)
    assert f"style-src {digest(page.raw['style'])}" in policy and "default-src 'none'" in policy
    assert "unsafe" not in policy and "http" not in policy
    assert not re.search(r"url\(|@import|</", page.raw["style"])
    assert ("script" in page.raw) == ("script-src" in policy)
    assert "script" not in page.raw or f"script-src {digest(page.raw['script'])}" in policy


def test_hostile_text_is_text_and_turns_nothing_around():
    for text in PAGES.values():
        assert "<script>alert" not in text and "49 =cmd" not in text
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f]", text)
    assert "<script>alert(1)</script> {{ 7 * 7 }} =cmd gnp.exe" in Page(the_class()).text


def test_the_same_class_in_another_order_is_the_same_page():
    assert the_class(CLASS[::-1], dict(reversed(LEFT_OUT.items()))) == the_class()


def test_no_folder_name_is_another_address():
    names = {
        "ann": "javascript:alert(1)",
        "bo": "../../etc",
        "cy": 'x" onclick="y',
        "di": "a#b?c",
        "ed": "\udce4",
    }
    reports = [replace(CLASS[0], student=student) for student in names]
    links = [a["href"] for a in Page(the_class(reports, {}, names)).tags("a") if a["href"].startswith("./")]
    assert set(links) >= {"./javascript%3Aalert%281%29/report.html", "./..%2F..%2Fetc/report.html"}
    assert all(re.fullmatch(r"\./[\w%.~-]+/report\.html", link) for link in links) and len(set(links)) == 5


def test_what_waits_for_a_person_comes_first():
    text = Page(the_class()).text.partition("Versions")[2]
    places = [
        text.index(heading) for heading in ("Needs a person\n", "Answers to read\n", "Left out\n", "Marks\n")
    ]
    first = text[places[0] : places[1]]
    assert places == sorted(places) and "signed by" in first and "ValueError: shapes" in first
    assert "litter of macOS" in text[places[2] : places[3]] and ".DS_Store" in text[places[2] : places[3]]


def test_two_people_with_one_name_are_told_apart_by_their_id():
    rows = re.findall(
        r"Jane Doe</bdi></a>.*?<bdi>(\d+)</bdi>", the_class().split('id="people"')[1], re.DOTALL
    )
    assert len(rows) == len(set(rows)) == 2


def test_a_folder_of_the_students_name_is_no_id():
    reports = [replace(report, origin=Submitter(name=report.student)) for report in CLASS]
    assert ">Id</button>" in the_class() and ">Id</button>" not in the_class(reports)


def test_a_student_reads_adjustments_doubts_files_and_when_it_came():
    text = Page(report_html(CLASS[4], "Long memories")).text
    for expected in ("−11", "10 % of 100 points a day", "+1.5", "by Dr. Reader", "5 March 2027, 23:59:00 UTC+01:00",
                     "late by the platform's clock", "ab12" * 16, "3.15.1", f"{CLASS[4].by_items:g}"):  # fmt: skip
        assert expected in text
    assert "lies in another's folder" in Page(report_html(CLASS[1])).text


def test_a_time_that_is_none_is_shown_as_it_came():
    assert time_text("yesterday <b>") == "yesterday <b>" and time_text("") == ""
    assert time_text("2027-03-05T08:09:00") == "5 March 2027, 08:09:00"


def test_figures_say_their_values_in_words():
    bars = Page(figure_html(Bars("By length", ("5–8", "9"), (0.925, 0.0), (40, 3))))
    assert "5–8: 92 % of 40; 9: 0 % of 3" in bars.text and [svg["role"] for svg in bars.tags("svg")] == [
        "img"
    ]
    assert [rect["width"] for rect in bars.tags("rect") if rect["class"] == "bar"] == ["92.5%"]
    counts = Page(figure_html(Confusion("Kinds", ("a", EVIL), ((9, 1), (0, 0)))))
    assert "90 % right" in counts.text and [cell.get("class") for cell in counts.tags("td")][1:] == [
        "t7 right", "t1", "t0", "t0 right",
    ]  # fmt: skip
    rows = Page(figure_html(Examples("Wrong", ("text",), ((EVIL,),))))
    assert "<script>alert(1)</script>" in rows.text and not rows.tags("script")


def test_the_strip_is_as_wide_as_points_and_as_full_as_what_is_earned():
    strip = Page(strip_svg((scored("a", 5.0, 10), scored("b", None, 30, outcome="awaiting review"))))
    assert [svg["x"] for svg in strip.tags("svg")[1:]] == ["0.0%", "25.0%"]
    assert [rect["height"] for rect in strip.tags("rect")] == ["20", "10.0", "20"]
    assert "a 5 of 10; b undecided of 30" in strip.text


def test_a_section_in_a_notebook_brings_its_style_and_no_headings():
    piece = section_html("loops", CLASS[4])
    assert "<style>" in piece and not re.search(r"<h\d|<script|<html|<body", piece)
    assert "mask the padding" in piece and 'class="bars"' in piece


def test_items_of_a_class_made_by_hand():
    points = np.array([[10, 0], [5, 0], [0, 10], [np.nan, 10]])
    items = item_table(class_of(points))
    assert items.loc["i0", ["mean", "full", "lost", "broken"]].tolist() == [0.5, 1 / 3, 1 / 3, 1]
    assert items.loc["i1", ["mean", "full", "lost", "broken"]].tolist() == [0.5, 0.5, 0.5, 0]
    assert items.discrimination.isna().all()  # four students say nothing


@settings(max_examples=20, deadline=None)
@given(st.integers(5, 30), st.integers(2, 6), st.integers(0, 10_000))
def test_discrimination_is_the_corrected_item_total_correlation(students, items, seed):
    points = np.random.default_rng(seed).integers(0, 11, (students, items))
    found = item_table(class_of(points)).discrimination
    for column in range(items):
        rest = np.delete(points, column, axis=1).sum(axis=1)
        if len(set(points[:, column])) == 1 or len(set(rest)) == 1:
            assert np.isnan(found.iloc[column])
        else:
            assert found.iloc[column] == pytest.approx(
                pearsonr(points[:, column], rest).statistic, rel=1e-6, abs=1e-8
            )


def test_a_broken_item_is_no_lost_item():
    rng = np.random.default_rng(3)
    points = rng.integers(0, 11, (30, 4)).astype(float)
    points[:5, 1] = np.nan
    earned = pd.DataFrame(points, columns=list("abcd"))
    found = discrimination(earned, pd.Series(10.0, list("abcd")))
    rest = np.nanmean(points[:, [1, 2, 3]], axis=1)  # the share of what is decided
    assert found["a"] == pytest.approx(np.corrcoef(points[:, 0], rest)[0, 1])
    assert found["b"] == pytest.approx(np.corrcoef(points[5:, 1], points[5:, [0, 2, 3]].sum(axis=1))[0, 1])


def test_sums_that_differ_in_rounding_alone_are_equal():
    points = np.array([[n % 3, *parts] for n, parts in enumerate([(0.1, 0.2, 0.3), (0.3, 0.2, 0.1)] * 4)])
    assert np.isnan(item_table(class_of(points)).discrimination["i0"])


@given(st.lists(st.floats(0, 130), min_size=1, max_size=50), st.sampled_from([0.5, 1.0, 7.0, 110.0, 4000.0]))
def test_every_student_is_in_the_distribution(earned, possible):
    reports = [Report("s", "a", (scored("i", round(value, 2), possible),), "", {}) for value in earned]
    found = distribution(reports)
    assert sum(found.counts) == len(earned) and len(found.counts) <= 15
    assert found.edges[0] == 0 and found.edges[-1] >= max(possible, *(report.earned for report in reports))
    assert found.median == pytest.approx(np.median([report.earned for report in reports]))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Accuracy is 0.8312: no points at 0.7, full marks at 1.", "Accuracy is #: no points at #, full marks at #."),
        ("one_hot('GAT') can't be 1e-05, it isn't 'x'.", "one_hot(…) can't be #, it isn't …."),
        ("a shape of (9, 4), expected (9, 4, 2)", "a shape of (…), expected (…)"),
        ("[[0. 1.] [1. 0.]] came", "[…] came"),
        ("The layer \"dense_7\" has 2,501 of −3", "The layer … has # of −#"),
        ("conv2d and v2 stay, 50 % don't", "conv2d and v2 stay, # % don't"),
    ],
)  # fmt: skip
def test_messages_that_differ_in_numbers_and_names_are_one_cause(message, expected):
    assert pattern(message) == expected


def test_causes_are_counted_and_bonus_points_and_answers_are_none():
    def told(student, *scores):
        return Report(student, "a", scores, "", {})

    reports = [
        told("a", scored("i", 2.0, message="Got 3."), scored("j", 0.0, message="Late", bonus=True)),
        told("b", scored("i", 5.0, message="Got 4."), scored("k", 1.0, message="Read.", answer="words")),
        told("c", scored("i", 10.0, message="Got 5."), scored("j", None, message="x 1", outcome="broken")),
    ]
    [cause] = loss_causes(reports)
    assert (cause.item, cause.pattern, cause.example) == ("i", "Got #.", "Got 3.")
    assert (cause.students, cause.lost) == (("a", "b"), 13.0)
    assert [(cause.item, cause.students) for cause in broken_items(reports)] == [("j", ("c",))]


def test_causes_of_one_student_each_stand_behind_one_click():
    reports = [
        Report(
            name,
            "a",
            (scored("i", 1.0, message=f"Saw {name * 2}."), scored("j", 1.0, message="No mask.")),
            "",
            {},
        )
        for name in "abcdefg"
    ]
    text = " ".join(Page(the_class(reports, {})).text.split())
    assert "7 causes that one student each met" in text and "Saw aa." in text
    assert text.index("No mask.") < text.index("7 causes") < text.index("Saw aa.")
    few = " ".join(Page(the_class(reports[:5], {})).text.split())
    assert "one student each" not in few and "Saw aa." in few


def test_one_doubt_about_many_is_one_line():
    reports = [replace(report, doubts=("When it came is unknown.",)) for report in CLASS]
    page = the_class(reports).split("Answers to read</h2>")[0]
    assert page.count("When it came is unknown.") == 1 and "40 students</summary>" in page


def test_times_are_of_what_was_run():
    took = [
        Timing("ann", "i", 2.0),
        Timing("ann", "j_k", 3.0),
        Timing("bo", "i", 1.0),
        Timing("bo", "j_k", 99.0, kept=True),
    ]
    text = Page(times_html(took, {"ann": "ann"})).text
    assert "3 items were run, 6.0 seconds in all" in text and "1 was kept" in text
    assert text.index("ann") < text.index("bo") < text.index("j k") and "99" not in text


def test_a_student_without_a_name_is_called_as_the_folder():
    report = Report("lee_ann", "a_b", (scored("i", 1.0),), "", {}, Submitter())
    assert "lee_ann" in Page(report_html(report)).text and "<title>lee_ann – a b</title>" in report_html(
        report
    )
    assert "−2.5" in Page(report_html(replace(report, adjustments=(Adjustment(-2.5, "late"),)))).text
