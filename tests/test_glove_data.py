"""GloVe's text is read word by word, and WEAT's lists are what their datasheet says."""

import hashlib
import json
import re
import shutil
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autograder.core import load_module

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "datasets" / "glove"
SHARED = ROOT.parent / "shared" / "data"
LISTS = ["first_target", "second_target", "first_attribute", "second_attribute"]


@pytest.fixture(scope="module")
def glove():
    return load_module(FOLDER / "fetch.py")


@pytest.fixture(scope="module")
def real(glove, tmp_path_factory):
    """Return the real word lists, and the real vectors of 171 words, by the names that a cache has for them."""
    if not SHARED.is_dir():
        pytest.skip("no real data beside this project")
    folder = tmp_path_factory.mktemp("glove")
    shutil.copy(SHARED / "weat" / "weat.json", folder / glove.WEAT)
    shutil.copy(SHARED / "glove_subset" / "glove_subset.txt", folder / glove.VECTORS)
    return folder


@pytest.fixture
def small(glove, tmp_path):
    """Four words with vectors and one broken line; `café\x85` holds what some take for the end of a line."""
    lines = [line_of(word, start) for start, word in enumerate(["the", "nasa", "bill", "café\x85"])]
    text = "\n".join([*lines, "broken 1 2 3", line_of("last", 9)]) + "\n"
    (tmp_path / glove.VECTORS).write_bytes(text.encode())
    return tmp_path


def line_of(word: str, start: int, size: int = 100) -> str:
    return " ".join([word, *(f"{start + place / 1000:.3f}" for place in range(size))])


def test_the_lists_are_those_that_fetch_asks_for(glove, real):
    file, data = glove.FILES[glove.WEAT], (real / glove.WEAT).read_bytes()
    assert (file["bytes"], file["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert re.fullmatch(r"https://raw\.githubusercontent\.com/.+/[0-9a-f]{40}/.+/weat\.json", file["url"])


def test_the_vectors_come_out_of_a_zip(glove):
    file = glove.FILES[glove.VECTORS]
    assert file["url"].endswith("/glove.6B.zip") and file["bytes"] > file["member"]["bytes"] == 347116733
    assert len({file["sha256"], file["member"]["sha256"]}) == 2


def test_real_vectors_are_read_as_pandas_reads_them(glove, real):
    options = {"sep": " ", "header": None, "quoting": 3, "keep_default_na": False, "index_col": 0}
    expected = pd.read_csv(real / glove.VECTORS, **options)
    assert expected.shape == (171, 100)
    words = [*expected.index[::-3], "brillig"]
    rows = glove.make(seed=1, folder=real, words=words)
    assert (
        rows.index.tolist() == words[:-1]
        and rows.index.name == "word"
        and rows.columns.tolist() == [*range(100)]
    )
    np.testing.assert_allclose(rows, expected.loc[words[:-1]], rtol=1e-6)
    everything = glove.read(real)
    assert everything.index.tolist() == expected.index.tolist()
    np.testing.assert_allclose(everything, expected, rtol=1e-6)


def test_words_come_in_their_order_each_once_as_they_were_asked_for(glove, small):
    rows = glove.make(
        seed=1, folder=small, words=["Bill", "NASA", "nobody", "the", "NASA", "nasa", "café\x85"]
    )
    assert rows.index.tolist() == ["Bill", "NASA", "the", "nasa", "café\x85"]
    assert rows.loc["NASA"].equals(rows.loc["nasa"].rename("NASA")) and rows.shape == (5, 100)
    assert rows.to_numpy().dtype == np.float32
    np.testing.assert_allclose(rows.loc["Bill"], 2 + np.arange(100) / 1000, rtol=1e-6)
    assert rows.equals(glove.make(seed=2, folder=small, words=tuple(rows.index)))


def test_no_words_no_rows(glove, small):
    for words in ((), ["nobody"]):
        assert glove.make(seed=1, folder=small, words=words).shape == (0, 100)


def test_a_broken_line_is_named_if_its_word_is_wanted(glove, small):
    assert len(glove.make(seed=1, folder=small, words=["the", "last"])) == 2
    with pytest.raises(
        ValueError, match=r"glove\.6B\.100d\.txt, line 5: expected a word and 100 numbers, got b'1 2 3"
    ):
        glove.make(seed=1, folder=small, words=["broken"])
    with pytest.raises(ValueError, match="line 5"):
        glove.read(small)


@pytest.mark.parametrize("number", ["nan", "inf", "x", "", "1 2"])
def test_what_is_no_number_is_named(glove, tmp_path, number):
    (tmp_path / glove.VECTORS).write_text(
        f"{line_of('fine', 0)}\n{line_of('odd', 1, 99)} {number}\n", encoding="utf-8"
    )
    assert len(glove.make(seed=1, folder=tmp_path, words=["fine"])) == 1
    with pytest.raises(ValueError, match="line 2: expected"):
        glove.make(seed=1, folder=tmp_path, words=["odd"])


class Breaks:
    """Stands for a file that may not be read to its end."""

    name = "vectors.txt"

    @contextmanager
    def open(self, mode):
        yield self.rows()

    def rows(self):
        yield from (f"{line_of(word, 0)}\n".encode() for word in ("the", "of"))
        raise AssertionError("read on")


def test_a_file_is_read_no_further_than_its_last_wanted_word(glove):
    assert [word for word, _ in glove.lines(Breaks(), 100, {b"of", b"the"})] == [b"the", b"of"]
    with pytest.raises(AssertionError, match="read on"):
        glove.vectors(Breaks(), ["the", "nobody"])


def test_of_two_lines_of_a_word_the_first_counts(glove, tmp_path):
    lines = [line_of("the", 0), line_of("the", 2), line_of("of", 1)]
    (tmp_path / glove.VECTORS).write_text("\n".join(lines), encoding="utf-8")
    rows = glove.make(seed=1, folder=tmp_path, words=["the", "of"])
    assert rows[0].to_dict() == {"the": 0, "of": 1}


def test_other_sizes_are_read(glove, tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text(f"{line_of('a', 0, 3)}\n{line_of('b', 1, 3)}\n", encoding="utf-8")
    assert glove.vectors(path, ["b", "a"], size=3).shape == (2, 3)
    with pytest.raises(ValueError, match=r"vectors\.txt, line 1: expected a word and 4 numbers"):
        glove.vectors(path, ["a"], size=4)


def test_the_lists_are_the_file_without_what_the_paper_left_out(glove, real):
    rows = glove.make(seed=1, folder=real, part="weat")
    assert rows.columns.tolist() == ["test", "role", "name", "word", "d", "p"]
    tests = json.loads((real / glove.WEAT).read_text(encoding="utf-8"))
    left_out = []
    for number, test in enumerate(tests, start=1):
        for role, key in zip("XYAB", LISTS, strict=True):
            part = rows[(rows.test == number) & (rows.role == role)]
            words, removed = test[key]["words"], set(test[key].get("remove", []))
            assert part.word.tolist() == [
                "failure" if w == "failur" else w for w in words if w not in removed
            ]
            assert (part.name == test[key]["name"]).all() and not part.word.duplicated().any()
            left_out += [len(removed)] * bool(removed)
    assert left_out == [18, 18, 2, 2, 2, 2] and "18, 2 and 2 in each target list" in sheet()
    assert "failure" in rows.word[(rows.test == 10) & (rows.role == "B")].tolist()
    assert rows.equals(glove.make(seed=2, folder=real, part="weat"))


def test_the_tests_of_the_datasheet(glove, real):
    """Names, number of words, d and p, row by row; X and Y, A and B have equally many words, as WEAT wants it."""
    rows = glove.make(seed=1, folder=real, part="weat")
    for test, part in rows.groupby("test"):
        lists = dict(iter(part.groupby("role")))
        cells = [
            ", ".join(str(describe(lists[role])) for role in roles)
            for roles in ("XY", "AB")
            for describe in (lambda some: some["name"].iloc[0], len)
        ]
        assert cells == stated(test)[:4], test
        assert [float(cell) for cell in stated(test)[4:]] == part[["d", "p"]].iloc[0].tolist(), test
        assert len(part[["d", "p"]].drop_duplicates()) == 1
        assert len(lists["X"]) == len(lists["Y"]) and len(lists["A"]) == len(lists["B"])
    assert rows.test.nunique() == 10 and f"{rows.word.nunique()} different words" in sheet()
    assert rows.word[rows.word != rows.word.str.lower()].isin(["Adam", "Einstein", "NASA"]).sum() == 3


def test_published_effects_are_not_those_in_people(glove, real):
    """The file's own d and p are of the studies with people; the benchmark states the vectors' d as we do."""
    in_people = json.loads((real / glove.WEAT).read_text(encoding="utf-8"))
    assert [test["original_finding"]["d"] for test in in_people][:2] == ["1.35", "1.66"]
    assert (
        "(1.35 and 1e-8 for flowers and insects)" in sheet()
        and in_people[0]["original_finding"]["p"] == "1e-8"
    )
    published = load_module(ROOT / "benchmarks" / "embedding_bias.py").PUBLISHED
    rows = glove.make(seed=1, folder=real, part="weat")
    assert tuple(rows.groupby("test").d.first()) == published


def sheet() -> str:
    return (FOLDER / "README.md").read_text(encoding="utf-8")


def stated(test: int) -> list[str]:
    """Return the cells of a test in the datasheet: names and number of words of X and Y, of A and B; published d, p."""
    [cells] = re.findall(rf"^\| {test} \|((?:[^|]+\|){{6}})$", sheet(), re.MULTILINE)
    return [cell.strip() for cell in cells.split("|")[:-1]]


@pytest.mark.parametrize(
    "content", ["[]", "{}", "no json", '[{"first_target": {"name": "A", "words": ["a"]}}]', "[1, 2]"]
)
def test_other_lists_are_refused(glove, tmp_path, content):
    (tmp_path / glove.WEAT).write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"weat\.json does not hold ten tests"):
        glove.make(seed=1, folder=tmp_path, part="weat")


def test_an_unknown_part_is_refused(glove, small):
    with pytest.raises(ValueError, match="'test': expected vectors or weat"):
        glove.make(seed=1, folder=small, part="test")
