"""SST-2: sentences out of film reviews, positive or negative, as the Stanford Sentiment Treebank labels them.

The files belong to others and lie where they were fetched to, never in the project. What they hold is in README.md.
"""

from pathlib import Path

import numpy as np
import pandas as pd

SOURCE = (
    "https://raw.githubusercontent.com/clairett/pytorch-sentiment-classification/"
    "457ffd83de90a9d6d472d8ffc31bbffe40a8b236/data/SST2"
)
FILES = {
    "train.tsv": {
        "url": f"{SOURCE}/train.tsv",
        "sha256": "ec192f833a64da08f475488a77b0d0b47db47acd0f458bd18433fc793b569920",
        "bytes": 720259,
    },
    "dev.tsv": {
        "url": f"{SOURCE}/dev.tsv",
        "sha256": "eddea6b39e601dd4e7a672b53cc40fdf6019fa80522f351206c24340ca5d9359",
        "bytes": 92057,
    },
    "test.tsv": {
        "url": f"{SOURCE}/test.tsv",
        "sha256": "831169c7e2e429d6026e1bdbb542f33b636e3e596caad9602ebc953c205928b7",
        "bytes": 188749,
    },
}
PARTS = ["train", "dev", "test"]  # in this order, for `make` keeps the last of equal sentences


def read(folder: Path) -> pd.DataFrame:
    """Every row of the three files, in their order. Columns: part, sentence, label (1 positive).

    A line that is not a sentence, a tab and 0 or 1 is a ValueError that names its file and its number, from 1.
    """
    rows = [(part, *row) for part in PARTS for row in rows_of(Path(folder) / f"{part}.tsv")]
    return pd.DataFrame(rows, columns=["part", "sentence", "label"])


def rows_of(path: Path):
    """(sentence, label) of each line. No quoting: a quotation mark is a character like any other."""
    with path.open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            sentence, *label = line.removesuffix("\n").split("\t")
            if not sentence or label not in (["0"], ["1"]):
                raise ValueError(
                    f"{path.name}, line {number}: expected a sentence, a tab and 0 or 1, got {line[:60]!r}"
                )
            yield sentence, int(label[0])


def make(seed: int, folder: Path, part: str = "test", count: int | None = None) -> pd.DataFrame:
    """Return the sentences of a part (train, dev or test) in an order drawn from the seed: all, or the first `count`.

    Columns: sentence (tokens between single blanks), label (1 positive). The parts are the files, without repeats:
    dev and test are whole, and a training sentence that comes again, in whichever file, is left out of train.
    """
    if part not in PARTS:
        raise ValueError(f"sst2 has no part {part!r}: expected one of {', '.join(PARTS)}")
    rows = read(folder).drop_duplicates("sentence", keep="last")
    rows = rows.loc[rows.part == part, ["sentence", "label"]]
    if count is not None and not 1 <= count <= len(rows):
        raise ValueError(f"part {part!r} of sst2 has {len(rows)} rows, so a count of {count} cannot be drawn")
    order = np.random.default_rng(seed).permutation(len(rows))
    return rows.iloc[order[:count]].reset_index(drop=True)
