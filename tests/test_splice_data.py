"""The splice junctions are what their datasheet says, and a row that is not what it should be is named."""

import re
import shutil
from collections import Counter
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from scipy.io import arff
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from autograder.core import load_module

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "datasets" / "splice"
SHARED = ROOT.parent / "shared" / "data" / "splice" / "splice.arff"
BASES = {"A": "A", "C": "C", "G": "G", "T": "T", "N": "ACGT", "D": "AGT", "R": "AG", "S": "CG"}


@pytest.fixture(scope="module")
def splice():
    return load_module(FOLDER / "fetch.py")


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> Path:
    """Return a folder that holds the file as fetched."""
    if not SHARED.is_file():
        pytest.skip("the real splice junctions are not on this machine")
    folder = tmp_path_factory.mktemp("splice")
    shutil.copy(SHARED, folder)
    return folder


@pytest.fixture(scope="module")
def text() -> str:
    """Return the datasheet as one line."""
    return " ".join((FOLDER / "README.md").read_text(encoding="utf-8").split())


@pytest.fixture(scope="module")
def sheet() -> dict[str, str]:
    """Return the rows of the datasheet's first table: first cell -> second."""
    first = (FOLDER / "README.md").read_text(encoding="utf-8").split("\n\n")[2]
    return dict(line.strip("| ").split(" | ", 1) for line in first.splitlines()[2:])


def table(heading: str) -> dict[str, list[float]]:
    """Return the numbers of the table of a section: name of the row -> its numbers."""
    section = (FOLDER / "README.md").read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return {
        name: [float(cell) for cell in cells]
        for name, *cells in rows
        if re.fullmatch(r"[\d.]+", "".join(cells))
    }


def numbers(text: str) -> list[float]:
    """Return the numbers of a text in their order, without those that are part of a name; 1,655 is one."""
    return [float(n.replace(",", "")) for n in re.findall(r"(?<![\w-])\d[\d,]*(?:\.\d+)?(?!\w)", text)]


def by_class(labels) -> list[int]:
    counts = Counter(labels)
    return [counts[label] for label in ("EI", "IE", "N")]


# The real file ---------------------------------------------------------------------------------------------------


def test_the_file_is_the_one_that_is_pinned(splice, real, sheet):
    (name, pinned), raw = next(iter(splice.FILES.items())), (real / "splice.arff").read_bytes()
    assert name == "splice.arff" and len(splice.FILES) == 1
    assert pinned["bytes"] == len(raw) and pinned["sha256"] == sha256(raw).hexdigest()
    source = SHARED.with_name("SOURCE.md").read_text(encoding="utf-8")
    repository, commit = re.search(r"github\.com/(\S+)\nCommit .*: (\w{40})", source).groups()
    path = "classification/splice.arff"
    assert pinned["url"] == f"https://raw.githubusercontent.com/{repository}/{commit}/{path}"
    fetched = sheet["Fetched from"]
    assert f"`{path}` in github.com/{repository} at commit {commit};" in fetched
    assert f"{pinned['bytes']:,} bytes" in fetched


def test_it_reads_as_another_parser_does(splice, real):
    oracle, _ = arff.loadarff(real / "splice.arff")
    data = splice.read(real)
    assert data.columns.tolist() == ["sequence", "label", "name"]
    rows = [[field.decode() for field in row] for row in oracle.tolist()]
    assert data.sequence.tolist() == ["".join(row[1:-1]) for row in rows]
    assert data.label.tolist() == [row[-1] for row in rows]
    assert data.name.tolist() == [row[0] for row in rows]


def test_counts_are_those_of_the_datasheet(splice, real, sheet):
    data = splice.read(real)
    times, letters = Counter(data.sequence), Counter("".join(data.sequence))
    uncertain = data.sequence.str.contains("[^ACGT]").sum()
    assert set(data.sequence.str.len()) == {60} and numbers(sheet["Columns"]) == [60]
    assert numbers(sheet["Rows"]) == [len(data), *by_class(data.label)]
    more_than_once = sum(n > 1 for n in times.values())
    assert numbers(sheet["Distinct"]) == [len(times), more_than_once, max(times.values())]
    order = [letters[base] for base in "ACGT"], [letters[letter] for letter in "NDRS"]
    assert numbers(sheet["Letters"]) == [*order[0], uncertain, *order[1]]
    assert letters.total() == 60 * len(data) and set(letters) == set(splice.LETTERS)
    for part in splice.PARTS:
        rows = splice.make(0, real, part=part)
        assert numbers(sheet[f"`{part}`"]) == [len(rows), *by_class(rows.label)]


def test_letters_mean_what_the_header_of_the_file_says(real, sheet):
    header = "".join(line for line in (real / "splice.arff").open() if line.startswith("%"))
    said = re.findall(r"^%\s+([DNSR])\s+(\w(?: or \w)+)$", header, re.MULTILINE)
    stated = {letter: set(bases.split(" or ")) for letter, bases in said}
    assert stated == {letter: set(BASES[letter]) for letter in "DNSR"}
    assert sheet["Meaning"].endswith("N any base, D not C (A, G or T), R A or G, S C or G")


def test_the_sequence_with_two_labels_is_the_one_named(splice, real, sheet):
    data = splice.read(real)
    twofold = data[data.groupby("sequence").label.transform("nunique") > 1]
    assert numbers(sheet["Two labels"])[0] == twofold.sequence.nunique() == 1
    for row in twofold.itertuples():
        assert f"{row.label} as {row.name}" in sheet["Two labels"]
    for part in splice.PARTS:
        assert not set(splice.make(0, real, part=part).sequence) & set(twofold.sequence)


def test_a_part_keeps_the_first_row_of_each_sequence(splice, real):
    first = splice.read(real).drop_duplicates("sequence").set_index("sequence").name
    rows = splice.make(0, real, part="all")
    assert rows.name.tolist() == first[rows.sequence].tolist()


def test_the_border_is_where_the_datasheet_says(splice, real, sheet):
    rows = splice.make(0, real, part="all")
    behind, before = rows.sequence.str[30:32] == "GT", rows.sequence.str[28:30] == "AG"
    ei, ie, neither = (rows.label == label for label in splice.LABELS)
    found = [(behind & ei).sum(), ei.sum(), (before & ie).sum(), ie.sum()]
    assert numbers(sheet["Border"]) == [30, 31, *found, ((behind | before) & neither).sum(), neither.sum()]


def test_the_name_gives_the_label_away_and_the_header_mixes_names_up(splice, real, text):
    data = splice.read(real)
    given = data.name.str.extract(r"-(DONOR|ACCEPTOR|NEG)-\d+$")[0]
    assert given.map({"DONOR": "EI", "ACCEPTOR": "IE", "NEG": "N"}).tolist() == data.label.tolist()
    assert "(DONOR is EI, ACCEPTOR is IE, NEG is N)" in text
    header = (real / "splice.arff").read_text()[:6000]
    assert 'boundary (ie) [These are sometimes called "donors"]' in header  # section 3
    assert re.search(r"IE borders are referred to\s+%\s+a ``acceptors''", header)  # section 4


def test_parts_share_no_sequence_and_cover_all(splice, real):
    parts = {part: splice.make(0, real, part=part) for part in splice.PARTS}
    train, test, everything = (set(parts[part].sequence) for part in ("train", "test", "all"))
    assert train | test == everything and not train & test
    assert all(rows.sequence.is_unique for rows in parts.values())
    assert abs(len(train) / len(everything) - 2 / 3) < 0.02


def shares(sequences, uncertain=True) -> np.ndarray:
    """Sequences as (n, 240): a letter's bases in equal shares, or zeros where it is not certain."""
    row = {letter: [(base in bases) / len(bases) for base in "ACGT"] for letter, bases in BASES.items()}
    if not uncertain:
        row |= dict.fromkeys("NDRS", [0.0] * 4)
    return np.array([[row[letter] for letter in sequence] for sequence in sequences]).reshape(-1, 240)


@pytest.fixture(scope="module")
def unseen(splice, real):
    """train, test, pairs of a test and a training row that are aligned twins, and those that share 20 letters."""
    train, test = (splice.make(0, real, part=part) for part in ("train", "test"))
    differences = 60 - shares(test.sequence, False) @ shares(train.sequence, False).T
    words = {}
    for row, sequence in enumerate(train.sequence):
        for i in range(41):
            words.setdefault(sequence[i : i + 20], set()).add(row)
    stretch = np.zeros(differences.shape, bool)
    for row, sequence in enumerate(test.sequence):
        for i in range(41):
            stretch[row, list(words.get(sequence[i : i + 20], ()))] = True
    return train, test, differences, differences <= 12, stretch


def test_near_twins_are_as_many_as_the_datasheet_says(unseen, text):
    train, test, _, aligned, stretch = unseen
    either = aligned | stretch
    twins = either.any(axis=1)
    same = test.label.to_numpy()[:, None] == train.label.to_numpy()
    ei, ie, neither = by_class(test.label[twins])
    shifted = either & ~aligned
    for said in (
        f"{aligned.any(axis=1).sum()} rows of `test` differ from a row of `train` in at most 12 of 60 places",
        f"{stretch.any(axis=1).sum()} share 20 letters in a row with one",
        f"{twins.sum()} do one or the other ({ei} EI, {ie} IE, {neither} N) and {(~twins).sum()} neither",
        f"the same label, all {aligned.sum()} pairs; of the {shifted.sum()} others only {(shifted & same).sum()}",
        f"the {either.any(axis=0).sum()} rows that are twins of a row of `test`",
        f"without the {twins.sum()} twins",
    ):
        assert said in text
    assert (same | ~aligned).all()


POSITIONS = "one-hot positions, logistic regression"


def measures(right, test, twins) -> list[float]:
    """Return the cells of a row of the datasheet, of whether (or by what share) each row of test is right."""
    classes = [right[test.label == label].mean() for label in ("EI", "IE", "N")]
    return [right.mean(), right[~twins].mean(), *classes]


@pytest.mark.parametrize("c", [1, 0.01])
def test_logistic_regression_reaches_what_the_datasheet_says(unseen, c):
    train, test, _, aligned, stretch = unseen
    model = LogisticRegression(C=c, max_iter=5000).fit(shares(train.sequence), train.label)
    right = model.predict(shares(test.sequence)) == test.label.to_numpy()
    found = measures(right, test, (aligned | stretch).any(axis=1))
    assert found == pytest.approx(table("Measured")[f"{POSITIONS}, C={c}"], abs=0.005)


def test_rules_and_neighbours_reach_what_the_datasheet_says(unseen, text):
    train, test, differences, aligned, stretch = unseen
    twins, labels = (aligned | stretch).any(axis=1), test.label.to_numpy()
    rule = ["EI" if s[30:32] == "GT" else "IE" if s[28:30] == "AG" else "N" for s in test.sequence]
    nearest = differences == differences.min(axis=1, keepdims=True)
    shared = (nearest & (labels[:, None] == train.label.to_numpy())).sum(axis=1) / nearest.sum(axis=1)
    for name, right in (
        ("majority", labels == train.label.mode()[0]),
        ("GT behind the border: EI; else AG before it: IE; else N", labels == rule),
        ("one-hot positions, nearest neighbour", shared),
    ):
        assert measures(right, test, twins) == pytest.approx(table("Measured")[name], abs=0.00051)
    fall = table("Measured")["one-hot positions, nearest neighbour"][:2]
    assert f"falls from {fall[0]:.3f} to {fall[1]:.3f}" in text
    score, without = table("Measured")[f"{POSITIONS}, C=0.01"][:2]
    assert f"regression (C=0.01) scores {without:.3f} in place of {score:.3f}" in text
    assert f"standard error is {np.sqrt(score * (1 - score) / len(test)):.3f}" in text


@pytest.mark.slow
@pytest.mark.parametrize(("name", "k", "c"), [("base", 1, 1), ("3-mer", 3, 1), ("6-mer", 6, 0.1)])
def test_word_counts_reach_what_the_datasheet_says(unseen, name, k, c):
    train, test, _, aligned, stretch = unseen
    words = CountVectorizer(analyzer="char", ngram_range=(k, k), lowercase=False)
    model = make_pipeline(words, LogisticRegression(C=c, max_iter=3000)).fit(train.sequence, train.label)
    right = model.predict(test.sequence) == test.label.to_numpy()
    found = measures(right, test, (aligned | stretch).any(axis=1))
    assert found == pytest.approx(table("Measured")[f"{name} counts, logistic regression, C={c}"], abs=0.006)


@pytest.mark.slow
def test_training_without_twins_costs_what_the_datasheet_says(unseen, text):
    train, test, _, aligned, stretch = unseen
    keep = ~(aligned | stretch).any(axis=0)
    x, y, model = shares(train.sequence), train.label.to_numpy(), LogisticRegression(C=0.01, max_iter=5000)

    def score(rows):
        return model.fit(x[rows], y[rows]).score(shares(test.sequence), test.label)

    whole, rng = score(np.arange(len(x))), np.random.default_rng(0)
    at_random = np.mean([score(rng.permutation(len(x))[: keep.sum()]) for _ in range(20)])
    said = re.search(r"costs it (0\.\d+), taking out as many at random (0\.\d+)", text).groups()
    assert [whole - score(keep), whole - at_random] == pytest.approx([float(n) for n in said], abs=0.0016)


@pytest.mark.slow
def test_the_regularisation_is_what_cross_validation_within_train_prefers(unseen, text):
    train, *_ = unseen
    train = train.sort_values("sequence")
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    score = {
        c: cross_val_score(
            LogisticRegression(C=c, max_iter=5000), shares(train.sequence), train.label, cv=folds
        ).mean()
        for c in (0.003, 0.01, 0.03, 0.1, 1)
    }
    assert max(score, key=score.get) == 0.01
    assert f"within `train` ({score[0.01]:.3f})" in text


def test_published_rates_are_those_of_the_header(splice, real):
    """Row by row as in the file; the last column is their mean, weighed by the classes' shares of its rows."""
    header = (real / "splice.arff").read_text().split("System\t")[1].split("Type of domain")[0]
    published = [[float(n) for n in re.findall(r"\d+\.\d+", line)] for line in header.splitlines()]
    ei, ie, neither = by_class(splice.read(real).label)
    rates = [row for row in published if row]
    together = [(neither * n + ei * e + ie * i) / (neither + ei + ie) for n, e, i in rates]
    stated = list(table("Published").values())
    assert [row[:3] for row in stated] == rates
    assert [row[3] for row in stated] == pytest.approx(together, abs=0.0051)


# Any file --------------------------------------------------------------------------------------------------------


def made_up(rows: int = 40) -> list[str]:
    """Rows in the format of the file, each sequence of its own."""
    rng = np.random.default_rng(0)
    letters = rng.choice(list("ACGT"), (rows, 60))
    return [f"ROW-{n},{','.join(row)},{('EI', 'IE', 'N')[n % 3]}" for n, row in enumerate(letters)]


def written(folder: Path, rows: list[str], end: str = "\n") -> Path:
    """Return a file of ten lines of header, `rows` and a comment."""
    header = ["% a comment", "@relation splice", *["@attribute 'a' { A, C, G, T}"] * 6, "", "@data"]
    (folder / "splice.arff").write_bytes((end.join([*header, *rows, "%"]) + end).encode())
    return folder


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_is_a_row(splice, tmp_path, end):
    rows = made_up(3)
    rows[1] = rows[1].replace(",A,", ",N,", 1).replace(",C,", ", D ,", 1)
    data = splice.read(written(tmp_path, rows, end))
    assert data["name"].tolist() == ["ROW-0", "ROW-1", "ROW-2"]
    assert data["label"].tolist() == ["EI", "IE", "N"]
    fields = [row.replace(" ", "").split(",") for row in rows]
    assert data["sequence"].tolist() == ["".join(row[1:-1]) for row in fields]


def test_a_seed_orders_rows_and_moves_none_to_another_part(splice, tmp_path):
    written(tmp_path, made_up())
    for part in splice.PARTS:
        first, again, other = (splice.make(seed, tmp_path, part=part) for seed in (1, 1, 2))
        assert first.equals(again) and not first.equals(other)
        assert set(first.sequence) == set(other.sequence)
        assert first.index.tolist() == list(range(len(first)))
        assert splice.make(1, tmp_path, part=part, count=5).equals(first.head(5))
    assert splice.make(1, tmp_path).equals(splice.make(1, tmp_path, part="test"))


def test_the_part_of_a_sequence_stays_what_it_is(splice, tmp_path):
    """By a hash that was computed once, elsewhere; neither the other rows nor their order count."""
    assert [splice.part_of(letter * 60) for letter in "ACGT"] == ["test", "train", "test", "train"]
    rows = made_up()
    train = set(splice.make(0, written(tmp_path, rows), part="train").sequence)
    fewer = set(splice.make(0, written(tmp_path, rows[::-2]), part="train").sequence)
    assert fewer == train & {"".join(row.split(",")[1:-1]) for row in rows[::-2]}


def test_a_repeat_stays_once_and_a_sequence_with_two_labels_not_at_all(splice, tmp_path):
    rows = made_up(6)
    repeat = rows[0].replace("ROW-0", "AGAIN")
    twofold = rows[1].replace("ROW-1", "OTHER").replace(",IE", ",N")
    written(tmp_path, [rows[5], *rows[:5], repeat, twofold, repeat])
    assert len(splice.read(tmp_path)) == 9
    kept = splice.make(0, tmp_path, part="all")
    assert sorted(kept.name) == ["ROW-0", "ROW-2", "ROW-3", "ROW-4", "ROW-5"]


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        (lambda row: row[:-40], "expected 62 fields between commas, got 4"),
        (lambda row: row[: row.rindex(",")], "got 61"),
        (lambda row: row[:-1], "the class EI, IE, N, got"),
        (lambda row: row.replace(",A,", ",X,", 1), "letters of ACGTNDRS, got 'X'"),
        (lambda row: row.replace(",A,", ",AC,", 1), "got 'AC'"),
        (lambda row: row.replace(",A,", ",,", 1), "got ''"),
        (lambda row: "<html>", "got 1"),
    ],
)
def test_a_row_that_is_none_is_named_with_file_and_line(splice, tmp_path, spoilt, said):
    rows = made_up(4)
    rows[1] = spoilt(rows[1])
    with pytest.raises(ValueError, match=rf"splice\.arff, line 12: .*{said}"):
        splice.read(written(tmp_path, rows))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"part": "dev"}, "^splice has the parts all, train, test, not 'dev'$"),
        ({"part": "all", "count": 41}, "^part 'all' of splice has 40 rows, 41 were asked for$"),
        ({"count": 0}, "^part 'test' of splice has .* rows, 0 were asked for$"),
    ],
)
def test_impossible_requests_are_refused_in_one_sentence(splice, tmp_path, options, said):
    written(tmp_path, made_up(40))
    with pytest.raises(ValueError, match=said):
        splice.make(0, tmp_path, **options)
