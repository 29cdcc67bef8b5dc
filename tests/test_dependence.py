"""What an item's code rests on: nothing that could change its score is missed; comments and neighbours don't count."""

import pytest
from toy import write

from autograder.core import item_digests

RUBRIC = """
import numpy as np
from pathlib import Path

LIMIT = 3
TABLE = {}
TABLE["a"] = LIMIT


def double(x):
    return 2 * x


def quadruple(x):
    return double(double(x))


@item(points=2)
def one(submission):
    \"\"\"One.\"\"\"
    return quadruple(1) > TABLE["a"]


@item(points=2)
def two(submission):
    return np.ones(2)
"""


def changed(tmp_path, old, new):
    """Return the functions whose code counts as another once `old` is replaced."""
    before = item_digests(write(tmp_path / "rubric.py", RUBRIC))
    assert old in RUBRIC
    after = item_digests(write(tmp_path / "rubric.py", RUBRIC.replace(old, new, 1)))
    return {name for name in before if name and before[name] != after[name]}


@pytest.mark.parametrize(
    "old, new, expected",
    [
        ("LIMIT = 3", "LIMIT = 4", {"one"}),
        ("2 * x", "3 * x", {"double", "quadruple", "one"}),
        ('TABLE["a"] = LIMIT', 'TABLE["b"] = LIMIT', {"one"}),
        ("One.", "The first.", {"one"}),
        ("points=2)\ndef one", "points=3)\ndef one", {"one"}),
        ("numpy as np", "numpy.linalg as np", {"two"}),
        ("np.ones(2)", "np.ones(3)", {"two"}),
        ("LIMIT = 3", "LIMIT = 3  # a comment\n\n", set()),
        ("from pathlib import Path", "from pathlib import PurePath", set()),
        ("LIMIT = 3", "def unused():\n    pass\n\n\nLIMIT = 3", set()),
    ],
)
def test_a_change_counts_for_what_can_reach_it(tmp_path, old, new, expected):
    assert changed(tmp_path, old, new) == expected


@pytest.mark.parametrize(
    "line",
    [
        "register(one)",
        "from helpers import *",
        "globals()['one'] = two",
        "del TABLE",
        "np.seterr(all='raise')",
    ],
)
def test_a_line_whose_effect_cannot_be_told_counts_for_all(tmp_path, line):
    everything = {"double", "quadruple", "one", "two"}
    assert changed(tmp_path, "LIMIT = 3", f"LIMIT = 3\n{line}") == everything


@pytest.mark.parametrize(
    "block", ["if True:\n    def double(x):\n        return x", "try:\n    import double\nfinally:\n    pass"]
)
def test_what_a_block_defines_counts_where_it_is_used(tmp_path, block):
    assert changed(tmp_path, "LIMIT = 3", f"LIMIT = 3\n{block}") == {"double", "quadruple", "one"}


def test_code_that_looks_names_up_rests_on_the_whole_file(tmp_path):
    old, new = "return np.ones(2)", "return globals()['double'](2)"
    path = write(tmp_path / "rubric.py", RUBRIC.replace(old, new))
    before = item_digests(path)
    after = item_digests(write(path, RUBRIC.replace(old, new).replace("2 * x", "3 * x")))
    assert before["two"] != after["two"] and before["two"] == before[""]


def test_the_five_rubrics_part_their_items():
    """Were every item to rest on the whole file, nothing could be kept."""
    from pathlib import Path

    for path in Path(__file__).parents[1].glob("assignments/*/rubric.py"):
        codes = item_digests(path)
        whole = codes.pop("")
        assert whole not in codes.values(), path
        assert len(set(codes.values())) > len(codes) / 2, path
