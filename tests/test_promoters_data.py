"""The promoters are what their datasheet says, and a row that is not what it should be is named."""

import re
import shutil
from collections import Counter
from hashlib import sha256
from itertools import product
from math import sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut, LeaveOneOut, cross_val_predict

from autograder.core import load_module

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "datasets" / "promoters"
SHARED = ROOT.parent / "shared" / "data" / "promoters" / "promoters.data"


@pytest.fixture(scope="module")
def promoters():
    return load_module(FOLDER / "fetch.py")


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> Path:
    """Return a folder that holds the file as fetched."""
    if not SHARED.is_file():
        pytest.skip("the real promoters are not on this machine")
    folder = tmp_path_factory.mktemp("promoters")
    shutil.copy(SHARED, folder)
    return folder


@pytest.fixture(scope="module")
def sheet() -> dict[str, str]:
    """Return the rows of the datasheet's tables: first cell -> the others."""
    lines = (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    cells = [
        line.strip("| ").split(" | ", 1) for line in lines if line.startswith("| ") and " | " in line[2:]
    ]
    return {cell[0]: cell[1] for cell in cells if len(cell) == 2}


def numbers(text: str) -> list[float]:
    """Return the numbers of a text in their order; 1,575 is one, the 3 of "3-mer" is one."""
    return [float(n.replace(",", "")) for n in re.findall(r"-?\d[\d,]*(?:\.\d+)?", text)]


def most_in_common(sequences, groups) -> int:
    """Bases in a row that sequences of different groups share at most: the longest word that two groups hold."""
    for length in range(57, 0, -1):
        holders = {}
        for sequence, group in zip(sequences, groups, strict=True):
            for i in range(58 - length):
                if holders.setdefault(sequence[i : i + length], group) != group:
                    return length
    return 0


def wilson(right: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share, by Wilson (1927)."""
    z, share = 1.96, right / of
    middle, half = share + z * z / 2 / of, z * sqrt(share * (1 - share) / of + z * z / 4 / of**2)
    return (middle - half) / (1 + z * z / of), (middle + half) / (1 + z * z / of)


# The real file ---------------------------------------------------------------------------------------------------


def test_the_file_is_the_one_that_is_pinned(promoters, real, sheet):
    (name, pinned), raw = next(iter(promoters.FILES.items())), (real / "promoters.data").read_bytes()
    assert name == "promoters.data" and len(promoters.FILES) == 1
    assert pinned["bytes"] == len(raw) and pinned["sha256"] == sha256(raw).hexdigest()
    source = SHARED.with_name("SOURCE.md").read_text(encoding="utf-8")
    repository, commit = re.search(r"github\.com/(\S+)\nCommit .*: (\w{40})", source).groups()
    assert pinned["url"] == f"https://raw.githubusercontent.com/{repository}/{commit}/data/promoters.data"
    fetched = sheet["Fetched from"]
    assert f"`data/promoters.data` in github.com/{repository} at commit {commit};" in fetched
    assert f"{pinned['bytes']:,} bytes" in fetched


def test_it_reads_as_another_parser_does(promoters, real):
    oracle = pd.read_csv(
        real / "promoters.data", names=["sign", "name", "sequence"], skipinitialspace=True, dtype=str
    )
    data = promoters.read(real)
    assert data.columns.tolist() == ["sequence", "label", "name"]
    assert data.sequence.tolist() == oracle.sequence.str.strip().str.upper().tolist()
    assert data.label.tolist() == (oracle.sign == "+").astype(int).tolist()
    assert data.name.tolist() == oracle.name.str.strip().tolist()


def test_counts_are_those_of_the_datasheet(promoters, real, sheet):
    data = promoters.read(real)
    label, sequence, letters = data["label"], data["sequence"], Counter("".join(data["sequence"]))
    assert set(sequence.str.len()) == {57} and sequence.is_unique
    assert numbers(sheet["Rows"]) == [len(data), 57, label.sum(), (1 - label).sum()]
    assert numbers(sheet["Bases"]) == [letters[base] for base in "ACGT"] and set(letters) == set("ACGT")
    assert numbers(sheet["Place"]) == [1, -50, 57, -50 + 57, 0]  # the last is +7, as position 0 is left out
    places = data["name"][label == 0].astype(int)
    assert numbers(sheet["`name`"]) == [places.min(), places.max(), len(places)]
    assert not data["name"][label == 1].str.fullmatch(r"\d+").any()
    for part in promoters.PARTS:
        rows = promoters.make(0, real, part=part)
        assert numbers(sheet[f"`{part}`"])[:2] == [len(rows), rows.label.sum()]


def test_families_are_those_of_the_datasheet(promoters, real, sheet):
    data = promoters.read(real)
    family = promoters.families(data.sequence)
    sizes = data.groupby(data.sequence.map(family)).label.agg(["size", "mean"])
    assert set(sizes["mean"]) == {0, 1}  # no family holds both classes
    larger = sorted(sizes["size"][(sizes["mean"] == 1) & (sizes["size"] > 1)])
    stated = [len(sizes), promoters.SHARED, (sizes["mean"] == 1).sum(), len(larger), *larger]
    assert numbers(sheet["Families"]) == [*stated, (sizes["mean"] == 0).sum()]
    for part in ("train", "test"):
        rows = promoters.make(0, real, part=part)
        others = rows.sequence[rows.label == 0].map(family)
        stated = [len(set(rows.sequence.map(family))), others.nunique()]
        assert numbers(sheet[f"`{part}`"])[2:] == stated


def test_what_families_and_classes_share_is_what_the_datasheet_says(promoters, real, sheet):
    data = promoters.read(real)
    between = most_in_common(data.sequence, data.sequence.map(promoters.families(data.sequence)))
    assert numbers(sheet["Between"]) == [between, most_in_common(data.sequence, data.label)]
    assert between < promoters.SHARED


def test_neighbours_along_the_piece_overlap_as_the_datasheet_says(promoters, real):
    data = promoters.read(real)
    others = data[data.label == 0]
    pieces = sorted(zip(others["name"].astype(int), others.sequence, strict=True))
    overlaps = 0
    for (start, one), (later, other) in zip(pieces, pieces[1:], strict=False):
        if later - start < 57:
            overlaps += 1
            assert one[later - start :] == other[: start - later]
    text = " ".join((FOLDER / "README.md").read_text(encoding="utf-8").split())
    assert f"of {len(pieces) - 1} neighbours along the piece {overlaps} share bases" in text


def test_parts_share_no_family_and_cover_all(promoters, real):
    parts = {part: promoters.make(0, real, part=part) for part in promoters.PARTS}
    train, test, everything = (set(parts[part].sequence) for part in ("train", "test", "all"))
    assert train | test == everything and not train & test
    words = [{s[i : i + 15] for s in part for i in range(43)} for part in (train, test)]
    assert not words[0] & words[1]


def test_published_intervals_are_wilsons(sheet):
    """The accuracies and intervals beside the published errors, and those of 98 right, are computed rightly."""
    published = {name: numbers(cells) for name, cells in sheet.items() if re.match(r"\d+ of 106", cells)}
    assert [errors for errors, *_ in published.values()] == [4, 8, 12, 13, 19]
    for errors, _, accuracy, *interval in published.values():
        assert accuracy == round(1 - errors / 106, 3)
        assert interval == [round(end, 3) for end in wilson(106 - int(errors), 106)]
    text = " ".join((FOLDER / "README.md").read_text(encoding="utf-8").split())
    low, high = wilson(98, 106)
    error = sqrt(98 / 106 * 8 / 106 / 106)
    assert f"standard error of {error:.3f} and Wilson's 95 % interval from {low:.3f} to {high:.3f}" in text


def one_hot(sequences) -> np.ndarray:
    return np.array([np.eye(4)[["ACGT".index(base) for base in s]].ravel() for s in sequences])


def counts(k):
    """Return a function that counts all 4^k words of k bases."""
    words = ["".join(bases) for bases in product("ACGT", repeat=k)]
    vectorizer = CountVectorizer(analyzer="char", ngram_range=(k, k), lowercase=False, vocabulary=words)
    return lambda sequences: vectorizer.transform(sequences).toarray().astype(float)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "encode"),
    [
        ("one-hot positions, logistic regression", one_hot),
        *(
            (f"{word} counts, logistic regression", counts(k))
            for k, word in ((1, "base"), (3, "3-mer"), (4, "4-mer"), (5, "5-mer"), (6, "6-mer"))
        ),
    ],
)
def test_baselines_reach_what_the_datasheet_says(promoters, real, sheet, name, encode):
    """Within one row: another version of the solver may turn one that is on the edge."""
    data, model = promoters.read(real), LogisticRegression(max_iter=5000)
    family = data.sequence.map(promoters.families(data.sequence))
    x, y = encode(data.sequence), data.label.to_numpy()
    rows = cross_val_predict(model, x, y, cv=LeaveOneOut()) == y
    families = cross_val_predict(model, x, y, cv=LeaveOneGroupOut(), groups=family) == y
    train, test = (promoters.make(0, real, part=part) for part in ("train", "test"))
    unseen = model.fit(encode(train.sequence), train.label).score(encode(test.sequence), test.label)
    assert [rows.mean(), families.mean(), unseen] == pytest.approx(numbers(sheet[name])[-3:], abs=1.1 / 106)


def test_what_the_text_makes_of_the_tables(sheet):
    """Errors and rows in sentences are those that the accuracies of the tables come to."""
    text = " ".join((FOLDER / "README.md").read_text(encoding="utf-8").split())
    row, family, _ = (
        round(106 * (1 - score)) for score in numbers(sheet["5-mer counts, logistic regression"])
    )
    assert f"{row} errors when single rows are left out and {family} when families are" in text
    row, _, unseen = numbers(sheet["one-hot positions, logistic regression"])
    assert f"{106 * row:.0f} of 106 right is {row:.3f}" in text and f"One row more is {1 / 106:.3f}" in text
    rows = numbers(sheet["`test`"])[0]
    assert f"{rows:.0f} rows of `test` say less still, {unseen:.3f} being {rows * unseen:.0f} of them" in text


@pytest.mark.slow
def test_regularisation_moves_the_score_as_little_as_the_datasheet_says(promoters, real):
    data = promoters.read(real)
    x, y = one_hot(data.sequence), data.label.to_numpy()
    right = [
        (cross_val_predict(LogisticRegression(C=c, max_iter=5000), x, y, cv=LeaveOneOut()) == y).sum()
        for c in (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)
    ]
    text = " ".join((FOLDER / "README.md").read_text(encoding="utf-8").split())
    assert f"{min(right)} to {max(right)} right for C from 0.01 to 100" in text


def test_the_majority_of_the_others_is_always_the_wrong_class(promoters, real, sheet):
    data = promoters.read(real)
    family = data.sequence.map(promoters.families(data.sequence))
    for left_out in (data.name, family):
        votes = [data.label[left_out != one].mean() > 0.5 for one in left_out]
        assert (data.label.astype(bool) != votes).all()
    train, test = (promoters.make(0, real, part=part) for part in ("train", "test"))
    guess = round((test.label == (train.label.mean() > 0.5)).mean(), 3)
    assert numbers(sheet["majority"]) == [0, 0, guess]


# Any file --------------------------------------------------------------------------------------------------------


def made_up(rows: int = 40) -> list[str]:
    """Lines in the format of the file, each sequence of its own."""
    rng = np.random.default_rng(0)
    sequences = ["".join(rng.choice(list("acgt"), 57)) for _ in range(rows)]
    return [f"{'+-'[n % 2]},ROW{n},\t\t{sequence}" for n, sequence in enumerate(sequences)]


def written(folder: Path, lines: list[str], end: str = "\n") -> Path:
    (folder / "promoters.data").write_bytes((end.join(lines) + end).encode())
    return folder


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_is_a_row(promoters, tmp_path, end):
    lines = made_up(3)
    data = promoters.read(written(tmp_path, [lines[0], "", *lines[1:]], end))
    assert data["name"].tolist() == ["ROW0", "ROW1", "ROW2"] and data["label"].tolist() == [1, 0, 1]
    assert data["sequence"].tolist() == [line.split("\t")[-1].upper() for line in lines]


def test_a_seed_orders_rows_and_moves_none_to_another_part(promoters, tmp_path):
    written(tmp_path, made_up())
    for part in promoters.PARTS:
        first, again, other = (promoters.make(seed, tmp_path, part=part) for seed in (1, 1, 2))
        assert first.equals(again) and not first.equals(other)
        assert set(first.sequence) == set(other.sequence)
        assert first.index.tolist() == list(range(len(first)))
        assert promoters.make(1, tmp_path, part=part, count=5).equals(first.head(5))
    assert promoters.make(1, tmp_path).equals(promoters.make(1, tmp_path, part="test"))


def test_the_part_of_a_family_stays_what_it_is(promoters, tmp_path):
    """By a hash that was computed once, elsewhere; neither the other rows nor their order count."""
    assert [promoters.part_of(s) for s in ("A" * 57, "A" * 60)] == ["train", "test"]
    lines = made_up()
    train = set(promoters.make(0, written(tmp_path, lines), part="train").sequence)
    fewer = set(promoters.make(0, written(tmp_path, lines[::-2]), part="train").sequence)
    assert fewer == train & {line.split("\t")[-1].upper() for line in lines[::-2]}


def test_relatives_of_relatives_are_family(promoters):
    a, b, c, d = ("".join(np.random.default_rng(n).choice(list("ACGT"), 57)) for n in range(4))
    chain = [a, b[:20] + a[:15] + b[20:42], c[:42] + b[:15], d[:43] + a[20:34]]  # d shares 14 with a
    for order in (chain, chain[::-1], [chain[i] for i in (2, 0, 3, 1)]):
        family = promoters.families(order)
        assert {family[s] for s in chain[:3]} == {max(chain[:3])} and family[chain[3]] == chain[3]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("+,ROW2", "expected 3 fields between commas, got 2"),
        ("+,ROW2,acgt,acgt", "got 4"),
        ("+,ROW2,\t" + "acgt" * 14, "expected 57 letters a, c, g and t, got 56"),
        ("+,ROW2,\t" + "acgt" * 14 + "n", "expected 57 letters a, c, g and t"),
        ("p,ROW2,\t" + "acgt" * 14 + "a", "the class \\+ or -, got 'p'"),
        ("<html>", "got 1"),
    ],
)
def test_a_row_that_is_none_is_named_with_file_and_line(promoters, tmp_path, line, said):
    lines = made_up(4)
    lines[2] = line
    with pytest.raises(ValueError, match=rf"promoters\.data, line 3: .*{said}"):
        promoters.read(written(tmp_path, lines))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"part": "dev"}, "^promoters has the parts all, train, test, not 'dev'$"),
        ({"part": "all", "count": 41}, "^part 'all' of promoters has 40 rows, 41 were asked for$"),
        ({"count": 0}, "^part 'test' of promoters has .* rows, 0 were asked for$"),
    ],
)
def test_impossible_requests_are_refused_in_one_sentence(promoters, tmp_path, options, said):
    written(tmp_path, made_up(40))
    with pytest.raises(ValueError, match=said):
        promoters.make(0, tmp_path, **options)
