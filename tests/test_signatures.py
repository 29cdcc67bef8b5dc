"""Whom a signature names, among the students of a class, and the numbers that are drawn from it."""

import itertools
import json
import time

import pytest
from test_lms import on_disk

from autograder.core import names_student, own, read_signature, split_tokens
from autograder.core._identity import canonical_signature
from autograder.lms._detect import read_cohort
from autograder.lms._matching import shared_words

SIGNED = {
    "single quotes": (["STUDENT = 'ann'"], "ann"),
    "three quotes": (['STUDENT = """ann"""'], "ann"),
    "raw": (["STUDENT = r'ann'"], "ann"),
    "an f-string without fields": (['STUDENT = f"ann"'], "ann"),
    "an f-string with one": (['STUDENT = f"{name}"'], ""),
    "parentheses over lines": (['STUDENT = (\n    "ann"\n    ".lee"\n)'], "ann.lee"),
    "a whole number": (["STUDENT = 1234567"], "1234567"),
    "a number with a comma": (["STUDENT = 12.5"], ""),
    "a truth": (["STUDENT = True"], ""),
    "an annotation": (['STUDENT: str = "ann"'], "ann"),
    "an annotation alone": (['STUDENT = "ann"\nSTUDENT: str'], "ann"),
    "two names": (['STUDENT = me = "ann"'], "ann"),
    "a pair": (['STUDENT, TEAM = "ann", 7'], "ann"),
    "a semicolon": (['import os; STUDENT = "ann"; x = 1'], "ann"),
    "an apostrophe": (['STUDENT = "Sean O\'Brien"  # "me"'], "Sean O'Brien"),
    "typographic quotes": (["STUDENT = “ann”"], "ann"),
    "the last counts": (['STUDENT = "ann"\nSTUDENT = "bob"', "x = 1"], "bob"),
    "added to": (['STUDENT = "ann"', 'STUDENT += "lee"'], ""),
    "a cell that is no Python": (['STUDENT = "ann"', "def f(:", "1 +"], "ann"),
    "a broken line in its cell": (['x = (\nSTUDENT = "ann"\n'], "ann"),
    "magics in its cell": (['%pip install keras\n!ls\nSTUDENT = "ann"\n?help'], "ann"),
    "a cell magic": (['%%time\nSTUDENT = "ann"'], "ann"),
    "a placeholder": (['STUDENT = "your id here"'], ""),
    "a text of a docstring": (['"""\nSTUDENT = "bob"\n"""', 'STUDENT = "ann"'], "ann"),
}


@pytest.mark.parametrize("name", SIGNED)
def test_a_signature_is_read_by_the_syntax_tree(name):
    sources, expected = SIGNED[name]
    assert read_signature(sources).text == expected


@pytest.mark.parametrize(
    "name", [name for name, (_, text) in SIGNED.items() if text and "typographic" not in name]
)
def test_it_is_the_value_that_the_cells_give(name):
    """What `start` is passed in the notebook is what the grader reads."""
    sources, expected = SIGNED[name]
    names = {}
    for source in sources:
        plain = "\n".join(
            line for line in source.split("\n") if not line.startswith(("%", "!", "?", "x = ("))
        )
        try:
            exec(plain, names)
        except SyntaxError:
            continue
    assert str(names["STUDENT"]) == expected


@pytest.mark.parametrize(
    "source, near",
    [
        ('student = "ann"', "student = 'ann'"),
        ('Student = "ann"', "Student = 'ann'"),
        ("STUDENT_ID = 123", "STUDENT_ID = 123"),
        ("students = load()", ""),
        ('other = "ann"', ""),
    ],
)
def test_a_near_miss_is_named(source, near):
    assert (read_signature([source, "STUDENT = ..."]).text, read_signature([source]).near) == ("", near)
    assert read_signature([source, 'STUDENT = "bob"']).near == ""


@pytest.mark.parametrize(
    "line", ["STUDENT = " + "(" * 10**5, "STUDENT = x\n" * 10**5, "STUDENT = 'a' + " * 10**4 + "1"]
)
def test_crafted_cells_end_soon(line):
    started = time.process_time()
    assert read_signature([line]).text == ""
    assert time.process_time() - started < 5


STUDENTS = [  # the platform's words, a signature, whether it is theirs
    ("obriensean 1001", "Sean O'Brien", True),
    ("obriensean 1001", "sean o’brien", True),
    ("O'Brien Sean", "OBrien", True),
    ("D'Angelo Maria", "maria dangelo", True),
    ("garciajosé 1003", "Jose Garcia", True),
    ("García José", "jose.garcia", True),
    ("Jose Garcia", "José García", True),
    ("müllerjörg 1004", "Joerg Mueller", True),
    ("Mueller Joerg", "Jörg Müller", True),
    ("müllerjörg 1004", "Jorg Muller", True),
    ("Weiß Hans", "weiss", True),
    ("Søren Ågård", "Soren Agard", True),
    ("Søren Ågård", "Soeren Aagaard", True),
    ("łukaszewiczpaweł", "Pawel Lukaszewicz", True),
    ("nguyễnthịhương", "Nguyen Thi Huong", True),
    ("Yılmaz İbrahim", "Ibrahim Yilmaz", True),
    ("王小明 1008", "小明王", True),
    ("王小明 1008", "王 小明", True),
    ("王小明 1008", "王小红", False),
    ("Lee Ann 1012", "Ann M. Lee", True),
    ("Lee Ann Marie", "A. M. Lee", True),
    ("Lee Ann", "Lee, Ann", True),
    ("Lee Ann", "A. M.", False),
    ("Lee Anne-Marie", "annemarie lee", True),
    ("van den Berg Jan", "jan vandenberg", True),
    ("Lee Ann", "ann.lee@uni.example.edu", True),
    ("Lee Ann", "ann.lee+rnn@uni.example.edu", True),
    ("Lee Ann", "Ann Lee <ann@uni.example.edu>", True),
    ("bob", "ann@bob.example.edu", False),
    ("0012345 Lee", "12345", True),
    ("12345 Lee", "0012345", True),
    ("12345 Lee", "123450", False),
    ("pre77 Prefix Ed", "id: pre77", True),
    ("Lee Ann", "Ann Leeson", False),
    ("Leeann Bo", "Lee", False),
    ("Lee Ann", "Lee Bob", False),
]  # fmt: skip


@pytest.mark.parametrize("words, signature, expected", STUDENTS)
def test_whom_a_signature_names(words, signature, expected):
    assert names_student(signature, frozenset(split_tokens(words))) is expected


CLASS = {
    "Ann Lee 1": {"Ann Lee": True, "Lee, Ann": True, "ann": False, "lee": False, "1": True, "ann 1": True},
    "Ann Lee 2": {"Ann Lee": True, "2": True, "ann.lee": True},
    "Ann Smith 3": {"Ann Smith": True, "ann": False, "smith": False, "3": True, "Ann Lee": False},
    "Bo Smith 4": {"Bo Smith": True, "bo": True, "smith": False},
    "Bob Lee Ann 5": {"Bob Lee Ann": True, "Ann Lee": False, "bob": True, "bob lee": True},
    "José Paz 6": {"José": True, "Jose": False, "Jose Paz": True},
    "Jose Luz 7": {"Jose": True, "jose luz": True},
}


@pytest.mark.parametrize("student", CLASS)
def test_words_that_another_student_has_sign_for_nobody_but_a_full_name_does(student):
    words = [frozenset(split_tokens(name)) for name in CLASS]
    shared = shared_words(words)
    place = list(CLASS).index(student)
    name = student.rstrip("0123456789 ")
    got = {text: names_student(text, words[place], shared[place], name) for text in CLASS[student]}
    assert got == CLASS[student]


def test_a_class_says_which_words_its_students_share(tmp_path):
    files = {"ann_lee/rnn.ipynb": b"", "bo_lee/rnn.ipynb": b"", "cy_paz/rnn.ipynb": b""}
    shared = {
        one.student: one.shared for one in read_cohort(on_disk(tmp_path / "c", files), "rnn").submissions
    }
    lee = frozenset({frozenset({"lee"})})
    assert shared == {"ann_lee": lee, "bo_lee": lee, "cy_paz": frozenset()}


def test_shared_words_of_a_large_class_are_soon_known():
    words = [
        frozenset({"uni", f"first{number % 50}", f"last{number % 70}", str(number)})
        for number in range(1_000)
    ]
    started = time.process_time()
    shared = shared_words(words)
    assert time.process_time() - started < 10
    for place in (0, 77, 999):
        others = (words[place] & words[other] for other in range(1_000) if other != place)
        assert shared[place] == frozenset(filter(None, others))


def test_few_numbers_can_be_had_by_signing_otherwise():
    """A signature can't be ground until its numbers are a friend's."""
    words = frozenset({"lee", "ann", "12345"})
    tried = [
        " ".join(picked)
        for length in range(1, 6)
        for picked in itertools.product(sorted(words), repeat=length)
    ]
    tried += [text.replace(" ", "_") for text in tried] + [
        f"{text} {letter}" for text in tried for letter in "abc"
    ]
    tried += (
        [f"00{text}" for text in tried] + [f"{text}@{text}.edu" for text in tried[:99]] + ["id " + tried[0]]
    )
    accepted = [text for text in tried if names_student(text, words, folder="lee_ann_12345")]
    drawn = {int(own(text, "topic").integers(2**60)) for text in accepted}
    assert len(accepted) > 1_000 and len(drawn) <= 2 ** len(words) + 6


@pytest.mark.parametrize(
    "texts",
    [
        [
            "Ann Lee",
            "lee, ann",
            "ann.lee",
            "Ann M. Lee",
            "ann lee ann",
            "ann.lee@uni.edu",
            "Ann  LEE",
            "id: ann lee",
        ],
        ["José García", "Jose Garcia", "garcia jose"],
        ["王小明", "王 小明", "小明王"],
        ["0012", "12", 12],
    ],
)
def test_ways_to_write_a_name_draw_the_same_numbers(texts):
    assert len({own(text, "x").integers(2**60) for text in texts}) == 1
    assert own(texts[0], "x").integers(2**60) != own(texts[0], "y").integers(2**60)


def test_the_name_of_a_folder_keeps_its_order_and_signs_only_as_it_is():
    words = frozenset(split_tokens("lee_ann_12345"))
    assert canonical_signature("lee_ann_12345") == ("lee", "ann", "12345")
    for text, expected in {
        "lee_ann_12345": True, "lee_ann": True, "ann_lee": True, "12345_lee_ann": False, "lee_ann_lee": False,
    }.items():  # fmt: skip
        assert names_student(text, words, folder="lee_ann_12345") is expected, json.dumps(text)
