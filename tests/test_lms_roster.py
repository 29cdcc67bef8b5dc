"""Names among a class: safe as a folder anywhere, each once, whatever people are called."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.lms import distinguish, file_name
from autograder.lms._matching import Upload, by_name, name_words, safe_name
from autograder.submissions import Submitter, leads_out

NAMES = st.one_of(
    st.text(max_size=150),
    st.text(st.sampled_from('ab. /\\:*?"<>|\u202e\u0301\n\x00_0字𝒳'), max_size=150),
    st.sampled_from(["con", "NUL.txt", "com1", "LPT9.", "..", ".", "", " ", "aux ", "Con.Aux"]),
)


@given(NAMES)
def test_a_key_is_a_folder_name_on_every_system(name):
    key = safe_name(name, "12")
    assert key and not re.search(r'[/\\:*?"<>|]', key) and not leads_out(f"x/{key}")
    assert key == key.strip(". ") and len(key) <= 100 and len(key.encode()) <= 200
    assert not any(unicodedata.category(sign) in {"Cc", "Cf", "Cs"} for sign in key)
    assert key.split(".")[0].rstrip().lower() not in {"con", "prn", "aux", "nul", "com1", "lpt9"}


@given(st.lists(NAMES, max_size=20))
def test_keys_are_told_apart_where_case_is_ignored(names):
    keys = distinguish((safe_name(name) for name in names), file_name)
    assert len({unicodedata.normalize("NFC", key.casefold()) for key in keys}) == len(keys) == len(names)


@pytest.mark.parametrize(
    "name, id, key",
    [
        ("Ann Lee", "12", "Ann Lee_12"),
        ("O'Brien, =1+1", "7", "O'Brien, =1+1_7"),
        ("../../etc", "1", "-..-etc_1"),
        ("李明", "3", "李明_3"),
        ("e\u0301va", "", "éva"),
        ("con", "", "con_"),
        ("Aux.tar", "", "Aux_.tar"),
        ("nul .txt", "", "nul_ .txt"),
        ("Conrad", "", "Conrad"),
        ("", "", "unnamed"),
        ("\u202eeel nna", "4", "eel nna_4"),
        ("字" * 200, "99", "字" * 59 + "_99"),
        ("n" * 200, "99", "n" * 97 + "_99"),
    ],
)
def test_a_key_can_be_read(name, id, key):
    assert safe_name(by_name(name, id), id) == key


def test_the_second_of_a_name_has_a_number():
    assert distinguish(["ann", "Ann", "ann_2", "bo", "ann"]) == ["ann", "Ann", "ann_2", "bo", "ann_3"]
    folders = distinguish(["ann", "Ann", "ann_2", "bo", "ann"], file_name)
    assert folders == ["ann", "Ann_3", "ann_2", "bo", "ann_4"]


def test_words_to_sign_by_come_from_all_that_names_a_student():
    origin = Submitter("moodle", "4711", "Ann Lee", "alee7", "ann.lee-kim@uni.example")
    words = name_words(Upload(origin, {}, "Ann Lee_4711", ("Bo Ek",)), "Ann Lee_4711")
    assert words == {"ann", "lee", "4711", "alee7", "kim", "bo", "ek"}
