"""IMDB reviews are read as Keras reads them. The judge is `keras.datasets.imdb`, on small files of the same make."""

import ast
import json
import pickle
import re
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from autograder.core import load_module

FOLDER = Path(__file__).parents[1] / "datasets" / "imdb"
TRAIN = [[11, 19, 13, 40, 527], [1, 2], [7], [1, 2], [5, 5, 5], [88, 900]]
TEST = [[1, 2], [4, 19, 900], [3], [3], [12, 13]]


def ragged(lists) -> np.ndarray:
    array = np.empty(len(lists), object)
    array[:] = lists
    return array


def write_reviews(folder: Path, train=TRAIN, test=TEST, **others):
    """Return an npz of the make of Keras's: pickled lists of unequal length, and labels."""
    arrays = {"x_train": ragged(train), "y_train": np.arange(len(train)) % 2}
    arrays |= {"x_test": ragged(test), "y_test": np.arange(len(test)) % 2} | others
    np.savez(folder / "imdb.npz", **arrays)


@pytest.fixture(scope="module")
def imdb():
    return load_module(FOLDER / "fetch.py")


@pytest.fixture
def small(tmp_path):
    write_reviews(tmp_path)
    return tmp_path


def sheet() -> str:
    return (FOLDER / "README.md").read_text(encoding="utf-8")


def by_keras(monkeypatch, folder: Path) -> dict[str, list]:
    """Return what load_data gives with its defaults, as sorted (tokens, label)."""
    from keras.src.datasets import imdb

    monkeypatch.setattr(imdb, "get_file", lambda fname, **_: str(folder / fname))
    train, test = imdb.load_data()
    return {
        part: sorted((list(map(int, x)), int(y)) for x, y in zip(*data, strict=True))
        for part, data in [("train", train), ("test", test)]
    }


def pairs(data) -> list:
    return sorted(zip(data.tokens, data.label, strict=True))


def test_tokens_are_those_of_keras(imdb, small, monkeypatch):
    rows = imdb.read(small)
    expected = by_keras(monkeypatch, small)
    assert {part: pairs(part_rows) for part, part_rows in rows.groupby("part")} == expected
    assert rows.tokens.iloc[0] == [1, 14, 22, 16, 43, 530]
    assert all(type(token) is int for tokens in rows.tokens for token in tokens)


def test_tokens_are_those_of_keras_on_random_reviews(imdb, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    train, test = ([rng.integers(1, 500, rng.integers(1, 60)).tolist() for _ in range(80)] for _ in "ab")
    write_reviews(tmp_path, train, test)
    expected = by_keras(monkeypatch, tmp_path)
    for part in imdb.PARTS:
        assert pairs(imdb.make(seed=1, folder=tmp_path, part=part)) == expected[part]


def test_the_greatest_token_becomes_unknown_as_in_keras(imdb, small):
    rows = imdb.read(small)
    assert rows.tokens.iloc[5] == [1, 91, 2] and rows.tokens.iloc[7] == [1, 7, 22, 2]


def test_files_are_pinned_as_keras_pins_them(imdb):
    import keras.src.datasets.imdb as theirs

    code = ast.parse(Path(theirs.__file__).read_text(encoding="utf-8"))
    said = {
        node.value
        for node in ast.walk(code)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    reviews, index = imdb.FILES["imdb.npz"], imdb.FILES["imdb_word_index.json"]
    assert {reviews["sha256"], index["md5"], f"{imdb.SOURCE}/"} <= said
    assert [file["url"] for file in (reviews, index)] == [f"{imdb.SOURCE}/{name}" for name in imdb.FILES]
    assert f"{reviews['bytes']:,} and {index['bytes']:,} bytes" in sheet()


def test_the_example_of_the_datasheet(imdb, tmp_path):
    rows = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \|$", sheet(), re.MULTILINE)
    words = {word: int(i) for word, i, _ in rows}
    assert len(rows) == 6 and all(int(token) == int(i) + imdb.OFFSET for _, i, token in rows)
    [review] = re.findall(r"is `([\d ]+) \.\.\.` in the file", sheet())
    [given] = re.findall(r"`\[([\d, ]+), \.\.\.\]`", sheet())
    write_reviews(tmp_path, [list(map(int, review.split()))])
    (tmp_path / "imdb_word_index.json").write_text(json.dumps(words), encoding="utf-8")
    tokens = imdb.make(seed=1, folder=tmp_path, part="train").tokens[0]
    assert tokens == list(map(int, given.split(",")))
    [code] = re.findall(r"```python\n(.+?)```", sheet(), re.DOTALL)
    *table, joined = code.splitlines()
    names = {"word_index": imdb.word_index, "folder": tmp_path, "tokens": tokens}
    exec("\n".join(table), names)
    text, promised = eval(joined, names), joined.split("# ")[1]
    assert text + " ..." == promised == "<start> this film was just brilliant ..."


def test_a_review_is_in_one_part_once(imdb, small):
    parts = {part: pairs(imdb.make(seed=1, folder=small, part=part)) for part in imdb.PARTS}
    assert parts == {
        "train": [([1, 8, 8, 8], 0), ([1, 10], 0), ([1, 14, 22, 16, 43, 530], 0), ([1, 91, 2], 1)],
        "test": [([1, 4, 5], 0), ([1, 6], 1), ([1, 7, 22, 2], 1), ([1, 15, 16], 0)],
    }


def test_the_seed_orders_and_picks_and_the_part_stays(imdb, tmp_path):
    write_reviews(tmp_path, test=[[number] for number in range(1, 51)])
    one, again, other = (imdb.make(seed=seed, folder=tmp_path) for seed in (1, 1, 2))
    assert one.equals(again) and not one.equals(other) and pairs(one) == pairs(other)
    assert imdb.make(seed=1, folder=tmp_path, count=5).equals(one.head(5))
    assert one.columns.tolist() == ["tokens", "label"] and len(one) == 50


@pytest.mark.parametrize("protocol", [2, 3])
def test_files_of_older_numpy_are_read(imdb, small, protocol):
    """NumPy 1 pickled an array by another module's name, and under Python 2 (protocol 2) bytes as strings."""
    pickled = pickle.dumps(ragged(TRAIN), protocol)
    pickled = pickled.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    old = re.sub(rb"c_codecs\nencode\n.*?R", b"U\x01b", pickled, flags=re.DOTALL)
    assert b"numpy.core.multiarray" in old and (old == pickled) == (protocol == 3)
    stream, header = BytesIO(), {"descr": "|O", "fortran_order": False, "shape": (len(TRAIN),)}
    np.lib.format.write_array_header_1_0(stream, header)
    expected = imdb.read(small)
    replace(small / "imdb.npz", "x_train.npy", stream.getvalue() + old)
    assert imdb.read(small).equals(expected)


def replace(path: Path, name: str, data: bytes | None):
    """Return the npz with another content of one array, or without it."""
    with zipfile.ZipFile(path) as archive:
        members = {member: archive.read(member) for member in archive.namelist()} | {name: data}
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            if content is not None:
                archive.writestr(member, content)


class Calls:
    """When unpickled by anyone who trusts it, it makes a folder."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.mkdir, (self.path,)


def test_a_pickle_that_calls_something_is_refused(imdb, small):
    write_reviews(small, train=[[1], Calls(small / "called")])
    with pytest.raises(ValueError, match=r"imdb\.npz does not hold.*a pickle asks for pathlib"):
        imdb.make(seed=1, folder=small)
    assert not (small / "called").exists()
    np.load(small / "imdb.npz", allow_pickle=True)["x_train"]
    assert (small / "called").exists(), "the trap works"


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({"y_test": np.zeros(4)}, "imdb.npz: test has 5 reviews and 4 labels"),
        ({"y_test": np.array([0, 1, 2, 0, 0])}, "imdb.npz, test, review 3: expected"),
        ({"x_train": ragged([[1], [2.5], [3], [4], [5], [6]])}, "imdb.npz, train, review 2: expected"),
        ({"x_train": ragged([["one"], [2], [3], [4], [5], [6]])}, "imdb.npz, train, review 1: expected"),
    ],
)
def test_a_broken_review_is_named(imdb, tmp_path, others, said):
    write_reviews(tmp_path, **others)
    with pytest.raises(ValueError, match=said):
        imdb.make(seed=1, folder=tmp_path)


def test_another_file_is_refused(imdb, small):
    replace(small / "imdb.npz", "y_test.npy", None)
    with pytest.raises(ValueError, match=r"imdb\.npz does not hold the arrays x_train, .*y_test\.npy"):
        imdb.make(seed=1, folder=small)
    replace(small / "imdb.npz", "y_test.npy", b"no array")
    with pytest.raises(ValueError, match=r"imdb\.npz does not hold the arrays"):
        imdb.make(seed=1, folder=small)
    (small / "imdb.npz").write_text("no archive", encoding="utf-8")
    with pytest.raises(ValueError, match=r"imdb\.npz does not hold the arrays.*not a zip file"):
        imdb.make(seed=1, folder=small)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"part": "dev"}, "'dev'.*train, test"),
        ({"part": "train", "count": 5}, "'train' of imdb has 4 rows, so a count of 5"),
        ({"count": 0}, "a count of 0"),
    ],
)
def test_impossible_requests_are_refused(imdb, small, options, said):
    with pytest.raises(ValueError, match=said):
        imdb.make(seed=1, folder=small, **options)


def test_no_keras_is_imported_to_read():
    code = (FOLDER / "fetch.py").read_text(encoding="utf-8")
    assert not re.search(r"^\s*(import|from) (keras|tensorflow|autograder)", code, re.MULTILINE)
