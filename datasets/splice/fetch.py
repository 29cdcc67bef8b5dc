"""Splice junctions of primates (Towell, Noordewier and Shavlik 1992): 60 bases around a border, or around none.

Nothing of them lies here: `python -m autograder fetch splice` fetches the file, these functions read it.
"""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

FILES = {
    "splice.arff": {
        "url": "https://raw.githubusercontent.com/renatopp/arff-datasets"
        "/c59f172882592bb58982cc54d2d3c8a2b57e9b73/classification/splice.arff",
        "sha256": "7e9b1b59c6731059f40bf16874fcac85af43fa65504b05cc6517b1a4c70fd99a",
        "bytes": 527517,
    },
}
LENGTH = 60
LABELS = ("EI", "IE", "N")
LETTERS = "ACGTNDRS"
PARTS = ("all", "train", "test")


def read(folder: Path) -> pd.DataFrame:
    """Every row of the file in `folder`, in its order, repeats included. Columns: sequence, label, name.

    A row that is not a name, 60 letters and a class raises ValueError with file and line.
    """
    path = Path(folder) / "splice.arff"
    with path.open(encoding="utf-8", errors="replace") as lines:
        rows = [
            parsed(line, f"{path}, line {n}")
            for n, line in enumerate(lines, 1)
            if line.strip() and line[0] not in "%@"  # comments and ARFF's declarations
        ]
    return pd.DataFrame(rows, columns=["sequence", "label", "name"])


def parsed(line: str, place: str) -> tuple[str, str, str]:
    """Sequence, label and name of a line such as `NAME,C,C,A,...,EI`; `place` names it in an error."""
    fields = [field.strip() for field in line.split(",")]
    if len(fields) != LENGTH + 2:
        raise ValueError(f"{place}: expected {LENGTH + 2} fields between commas, got {len(fields)}")
    name, *letters, label = fields
    wrong = [letter for letter in letters if len(letter) != 1 or letter not in LETTERS]
    if wrong:
        raise ValueError(f"{place}: expected letters of {LETTERS}, got {wrong[0]!r}")
    if label not in LABELS:
        raise ValueError(f"{place}: expected the class {', '.join(LABELS)}, got {label!r}")
    return "".join(letters), label, name


def make(seed: int, folder: Path, part: str = "test", count: int | None = None) -> pd.DataFrame:
    """Return the rows of `part` (all, train or test), or `count` of them, in an order drawn from `seed`.

    A part holds no sequence twice and none that the file gives two labels. Columns as in `read`.
    """
    if part not in PARTS:
        raise ValueError(f"splice has the parts {', '.join(PARTS)}, not {part!r}")
    rows = distinct(read(folder))
    rows = rows[[part in ("all", part_of(sequence)) for sequence in rows.sequence]]
    count = len(rows) if count is None else count
    if not 1 <= count <= len(rows):
        raise ValueError(f"part {part!r} of splice has {len(rows)} rows, {count} were asked for")
    order = np.random.default_rng(seed).permutation(len(rows))[:count]
    return rows.iloc[order].reset_index(drop=True)


def distinct(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the first row of each sequence that has one label only."""
    one_label = rows.groupby("sequence").label.transform("nunique") == 1
    return rows[one_label].drop_duplicates("sequence")


def part_of(sequence: str) -> str:
    """Return the part of a sequence, by its SHA-256: train for about two in three, for ever."""
    share = int.from_bytes(sha256(sequence.encode()).digest()[:8], "big") / 2**64
    return "train" if share < 2 / 3 else "test"
