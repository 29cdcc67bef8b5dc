"""Promoters of E. coli (Harley and Reynolds 1987; Towell, Shavlik and Noordewier 1990), and pieces that are none.

Nothing of them lies here: `python -m autograder fetch promoters` fetches the file, these functions read it.
"""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

FILES = {
    "promoters.data": {
        "url": "https://raw.githubusercontent.com/farhan-137/dna-promoter-classifier"
        "/585478d4bcbeb8a6293f777d9d1abfae91c6db59/data/promoters.data",
        "sha256": "9cba9e8661ab04760d69b857f62259233446f2dce5ec9b515efe0b23c315bb29",
        "bytes": 7089,
    },
}
LENGTH = 57
LABELS = {"+": 1, "-": 0}
PARTS = ("all", "train", "test")
SHARED = 15  # bases in a row that make two rows relatives; a promoter and another share 11 at most


def read(folder: Path) -> pd.DataFrame:
    """Every row of the file in `folder`, in its order, bases in capitals. Columns: sequence, label (1 promoter), name.

    A row that is not a sign, a name and 57 bases raises ValueError with file and line.
    """
    path = Path(folder) / "promoters.data"
    with path.open(encoding="utf-8", errors="replace") as lines:
        rows = [parsed(line, f"{path}, line {n}") for n, line in enumerate(lines, 1) if line.strip()]
    return pd.DataFrame(rows, columns=["sequence", "label", "name"])


def parsed(line: str, place: str) -> tuple[str, int, str]:
    """Sequence, label and name of a line such as `+,S10, tactagcaat...`; `place` names it in an error."""
    fields = [field.strip() for field in line.split(",")]
    if len(fields) != 3:
        raise ValueError(f"{place}: expected 3 fields between commas, got {len(fields)}")
    sign, name, sequence = fields
    if sign not in LABELS:
        raise ValueError(f"{place}: expected the class + or -, got {sign!r}")
    if len(sequence) != LENGTH or set(sequence) - set("acgt"):
        raise ValueError(
            f"{place}: expected {LENGTH} letters a, c, g and t, got {len(sequence)}: {sequence!r}"
        )
    return sequence.upper(), LABELS[sign], name


def make(seed: int, folder: Path, part: str = "test", count: int | None = None) -> pd.DataFrame:
    """Return the rows of `part` (all, train or test), or `count` of them, in an order drawn from `seed`.

    A hash decides for a whole family, so that no row of test holds SHARED bases in a row that one of train holds.
    Columns as in `read`.
    """
    if part not in PARTS:
        raise ValueError(f"promoters has the parts {', '.join(PARTS)}, not {part!r}")
    rows = read(folder)
    family = families(rows.sequence)
    rows = rows[[part in ("all", part_of(family[sequence])) for sequence in rows.sequence]]
    count = len(rows) if count is None else count
    if not 1 <= count <= len(rows):
        raise ValueError(f"part {part!r} of promoters has {len(rows)} rows, {count} were asked for")
    order = np.random.default_rng(seed).permutation(len(rows))[:count]
    return rows.iloc[order].reset_index(drop=True)


def families(sequences) -> dict[str, str]:
    """Each sequence with its family: relatives share SHARED bases in a row, and so do relatives of relatives.

    A family goes by its member that comes last in the alphabet. Non-promoters are windows of one long piece of
    DNA and overlap, and some promoters are copies of each other.
    """
    found = []  # a family: its words of SHARED bases, and its members
    for sequence in sequences:
        words = {sequence[i : i + SHARED] for i in range(len(sequence) - SHARED + 1)}
        kin = [family for family in found if words & family[0]]
        found = [family for family in found if not words & family[0]]
        found.append((words.union(*(w for w, _ in kin)), [sequence, *(m for _, ms in kin for m in ms)]))
    return {member: max(members) for _, members in found for member in members}


def part_of(family: str) -> str:
    """Return the part of a family, by SHA-256 of its name: train for about two in three, for ever."""
    share = int.from_bytes(sha256(family.encode()).digest()[:8], "big") / 2**64
    return "train" if share < 2 / 3 else "test"
