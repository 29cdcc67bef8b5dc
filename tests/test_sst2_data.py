"""SST-2 is what its datasheet says: counts, parts that share no sentence, and a reader that names a broken line."""

import hashlib
import re
import shutil
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from autograder.core import load_module

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "datasets" / "sst2"
SHARED = ROOT.parent / "shared" / "data" / "sst2"
PARTS = ["train", "dev", "test"]
SMALL = {
    "train.tsv": 'good\t1\nbad\t0\ngood\t1\n"quoted" bad\t0\nseen before\t1\n',
    "dev.tsv": "seen before\t1\nnot good\t0\n",
    "test.tsv": "fine\t1\nnull\t0\n",
}


@pytest.fixture(scope="module")
def sst2():
    return load_module(FOLDER / "fetch.py")


@pytest.fixture
def small(tmp_path):
    for name, text in SMALL.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """Return the real files, as a cache holds them."""
    if not SHARED.is_dir():
        pytest.skip("no real data beside this project")
    folder = tmp_path_factory.mktemp("sst2")
    for part in PARTS:
        shutil.copy(SHARED / f"{part}.tsv", folder)
    return folder


@pytest.fixture(scope="module")
def parts(sst2, real):
    return {part: sst2.make(seed=1, folder=real, part=part) for part in PARTS}


def sheet() -> str:
    return (FOLDER / "README.md").read_text(encoding="utf-8")


def stated(row: str) -> list[float]:
    """Return the numbers of one row of the datasheet's tables."""
    [cells] = re.findall(rf"^\| {re.escape(row)} \|(.+)\|$", sheet(), re.MULTILINE)
    return [float(cell.replace(",", "")) for cell in cells.split("|")]


def tokens(sentences) -> list[list[str]]:
    return [sentence.split(" ") for sentence in sentences]


def test_the_files_are_those_that_fetch_asks_for(sst2, real):
    for name, file in sst2.FILES.items():
        data = (real / name).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(data), hashlib.sha256(data).hexdigest()), name
        assert re.fullmatch(
            r"https://raw\.githubusercontent\.com/.+/[0-9a-f]{40}/data/SST2/" + name, file["url"]
        )
    assert set(sst2.FILES) == {f"{part}.tsv" for part in PARTS}


def test_pandas_reads_the_same(sst2, real):
    """Its parser with quoting off and no word taken for a missing value."""
    for part, rows in sst2.read(real).groupby("part"):
        options = {"sep": "\t", "header": None, "quoting": 3, "keep_default_na": False}
        expected = pd.read_csv(real / f"{part}.tsv", names=["sentence", "label"], **options)
        pd.testing.assert_frame_equal(rows.drop(columns="part").reset_index(drop=True), expected)


def test_the_counts_of_the_datasheet(sst2, real, parts):
    files = dict(iter(sst2.read(real).groupby("part")))
    words = {part: [word for line in tokens(files[part].sentence) for word in line] for part in PARTS}
    known, counts = set(words["train"]), {part: Counter(words[part]) for part in PARTS}
    lengths = {part: [len(line) for line in tokens(files[part].sentence)] for part in PARTS}
    found = {
        "rows of the file": lambda part: len(files[part]),
        "positive": lambda part: sum(files[part].label == 1),
        "negative": lambda part: sum(files[part].label == 0),
        "different sentences": lambda part: files[part].sentence.nunique(),
        "rows of the part": lambda part: len(parts[part]),
        "positive in the part": lambda part: parts[part].label.sum(),
        "tokens": lambda part: len(words[part]),
        "tokens of the shortest sentence": lambda part: min(lengths[part]),
        "tokens of the longest sentence": lambda part: max(lengths[part]),
        "different words": lambda part: len(counts[part]),
        "words that occur at least twice": lambda part: sum(n > 1 for n in counts[part].values()),
        "words that are not in train": lambda part: len(set(words[part]) - known),
        "sentences with such a word": lambda part: sum(
            not known.issuperset(line) for line in tokens(files[part].sentence)
        ),
    }
    for row, count in found.items():
        assert [count(part) for part in PARTS] == stated(row), row
    rows = re.findall(r"^\| ([^|]+) \|(?: [\d,]+ \|){3}$", sheet(), re.MULTILINE)
    assert sorted(rows) == sorted(found), "a row that nothing checks"
    assert "18.5 tokens on average" in sheet()
    assert round(sum(map(sum, lengths.values())) / sum(map(len, lengths.values())), 1) == 18.5


def test_the_traps_of_the_datasheet(sst2, real, parts):
    rows = sst2.read(real)
    times = rows.groupby(["sentence", "part"]).size().unstack(fill_value=0)
    across = times[(times > 0).sum(axis=1) > 1]
    assert "`no` and `what 's next ?`, the second twice; eight more" in " ".join(sheet().split())
    assert across.train.to_dict() == {"no": 1, "what 's next ?": 2} and (across.test == 1).all()
    assert times.train.drop(across.index).value_counts().to_dict() == {
        1: 6901,
        2: 8,
        0: len(times) - 6909 - 2,
    }
    assert (rows.groupby("sentence").label.nunique() == 1).all()
    twice = Counter(word for line in tokens(parts["train"].sentence) for word in line)
    assert f"{sum(n > 1 for n in twice.values()):,} of its words occur at least twice" in " ".join(
        sheet().split()
    )
    assert set("".join(rows.sentence)) == set(" ,!?'`0123456789abcdefghijklmnopqrstuvwxyz")
    for text in ("re imagining", "lrb", "rrb", "caf ,", "cr me br l e", "is n't", "film 's"):
        assert rows.sentence.str.contains(text, regex=False).any(), text


@pytest.mark.parametrize(
    ("row", "n", "C"),
    [
        ("words", 1, 0.3),
        *(
            pytest.param(*row, marks=pytest.mark.slow)
            for row in [("words", 1, 1), ("words and bigrams", 2, 1), ("words and bigrams", 2, 0.3)]
        ),
    ],
)
def test_logistic_regression_scores_as_measured(parts, row, n, C):
    counting = CountVectorizer(token_pattern=r"\S+", ngram_range=(1, n), binary=True)
    counts = counting.fit_transform(parts["train"].sentence)
    model = LogisticRegression(C=C, max_iter=2000).fit(counts, parts["train"].label)
    held = [parts[part] for part in ("dev", "test")]
    found = [model.score(counting.transform(part.sentence), part.label) for part in held]
    assert found == pytest.approx(stated(f"{row}, C={C}"), abs=0.002)
    assert [part.label.mean() for part in held] == pytest.approx(stated("always positive"), abs=0.0005)


def test_no_sentence_is_in_two_parts_or_twice_in_one(parts):
    sentences = pd.concat(parts.values()).sentence
    assert sentences.is_unique


def test_small_files(sst2, small):
    everything = {
        part: set(sst2.make(seed=3, folder=small, part=part).itertuples(index=False, name=None))
        for part in PARTS
    }
    assert everything == {
        "train": {("good", 1), ("bad", 0), ('"quoted" bad', 0)},
        "dev": {("seen before", 1), ("not good", 0)},
        "test": {("fine", 1), ("null", 0)},
    }
    assert len(sst2.read(small)) == 9 and sst2.read(small).columns.tolist() == ["part", "sentence", "label"]


def test_the_seed_orders_and_picks_and_the_part_stays(sst2, real, parts):
    test = parts["test"]
    again, other = (sst2.make(seed=seed, folder=real, part="test") for seed in (1, 2))
    pd.testing.assert_frame_equal(test, again)
    assert not test.equals(other) and set(test.sentence) == set(other.sentence)
    few = sst2.make(seed=1, folder=real, part="test", count=40)
    pd.testing.assert_frame_equal(few, test.head(40))
    assert sst2.make(seed=1, folder=real).equals(test), "test is the part one gets"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"part": "hidden"}, "hidden.*train, dev, test"),
        ({"part": "dev", "count": 3}, "'dev' of sst2 has 2 rows, so a count of 3"),
        ({"part": "dev", "count": -1}, "a count of -1"),
    ],
)
def test_impossible_requests_are_refused(sst2, small, options, said):
    with pytest.raises(ValueError, match=said):
        sst2.make(seed=1, folder=small, **options)


@pytest.mark.parametrize(
    "line", ["no tab", "two\ttabs\t1", "half\t0.5", "two\t2", "\t1", "", "carriage\t1\r"]
)
def test_a_broken_line_is_named(sst2, small, line):
    (small / "dev.tsv").write_bytes(f"fine\t1\n{line}\n".encode())
    with pytest.raises(ValueError, match=r"dev\.tsv, line 2: expected"):
        sst2.make(seed=1, folder=small, part="train")
