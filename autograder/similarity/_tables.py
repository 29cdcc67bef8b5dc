"""Tables that items read (vectors, trials, predictions) and that two students hand in alike.

Rows count by their numbers alone: other labels, separators, columns or rows in another order hide nothing.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from autograder.similarity._evidence import Finding
from autograder.similarity._submissions import Table, Work

SHARE = 0.5  # of the shorter table's rows, from which on two tables are alike
FEWEST = 5  # rows in common
OTHER_SEEDS = (
    "Their notebooks set other seeds, which lead to other numbers, unless both copied them from the same page: ask both"
    " to make the table again."
)
UNKNOWN_SEED = (
    "Who starts from the same seed gets the same numbers, and of one notebook at least no seed is known: ask both to"
    " make the table again."
)
SAME_SEED = "Both set the same seed: equal code then writes equal numbers. Compare what writes the table."
LABELS = "Its rows hold few digits: all who find the right values hand in the same ones."


def shared_tables(
    works: Sequence[Work], others: Sequence[Work], most: int
) -> tuple[list[Finding], list[str]]:
    """Return the pairs of tables that are alike, and lines on what so many share that it says nothing.

    Args:
        works: the class.
        others: earlier classes and the reference.
        most: how many students of the class may share a row, or a whole table, before it is evidence of nothing.
    """
    everyone = [*works, *others]
    tables = [(place, table) for place, work in enumerate(everyone) for table in work.tables]
    ours = sum(place < len(works) for place, _ in tables)
    common, rows = common_rows(works, most), []
    for _, table in tables:
        rows.append(table.rows[~np.isin(table.rows, common)])
    pairs = dict.fromkeys(row_pairs(rows, ours))
    lines = []
    for held in by_digest(tables).values():
        if len({tables[number][0] for number in held if number < ours}) > most:
            lines.append(f"{tables[held[0]][1].file} is the same for more than {most} students.")
        else:
            pairs |= {(i, j): None for i in held if i < ours for j in held if i < j}
    found = []
    for i, j in sorted(pairs):
        (first, mine), (second, other) = tables[i], tables[j]
        if first != second:
            in_common = len(np.intersect1d(rows[i], rows[j]))
            shorter = min(len(mine.rows), len(other.rows))
            share = in_common / shorter if shorter else 0.0
            if mine.digest == other.digest or (in_common >= FEWEST and share >= SHARE):
                found.append(table_findings(everyone[first], everyone[second], mine, other, in_common, share))
    return found, lines


def by_digest(tables: Sequence[tuple[int, Table]]) -> dict[str, list[int]]:
    """Return the numbers of the tables of each content, those of too few rows left out."""
    found = defaultdict(list)
    for number, (_, table) in enumerate(tables):
        if table.length >= FEWEST:
            found[table.digest].append(number)
    return found


def common_rows(works: Sequence[Work], most: int) -> np.ndarray:
    """Return the rows that more than `most` students hand in."""
    each = [np.unique(np.concatenate([table.rows for table in work.tables])) for work in works if work.tables]
    rows, counts = np.unique(np.concatenate([*each, np.zeros(0, np.uint64)]), return_counts=True)
    return rows[counts > most]


def row_pairs(rows: Sequence[np.ndarray], ours: int) -> list[tuple[int, int]]:
    """Return the pairs of tables with at least FEWEST rows in common, by place; the first is among `ours`."""
    from scipy.sparse import csr_array

    every, columns = np.unique(np.concatenate([np.zeros(0, np.uint64), *rows]), return_inverse=True)
    places = np.repeat(np.arange(len(rows)), [len(some) for some in rows])
    held = csr_array((np.ones(len(places), np.int32), (places, columns)), shape=(len(rows), len(every)))
    shared = (held[:ours] @ held.T).tocoo()
    kept = (shared.row < shared.col) & (shared.data >= FEWEST)
    return list(zip(shared.row[kept].tolist(), shared.col[kept].tolist(), strict=True))


def table_findings(
    first: Work, second: Work, mine: Table, other: Table, in_common: int, share: float
) -> Finding:
    """Return what two tables say that are alike."""
    files = f"{mine.file} of both" if mine.file == other.file else f"{mine.file} and {other.file}"
    if mine.digest == other.digest:
        says, share = f"{files} hold the same {mine.length} rows, in whatever order.", 1.0
    else:
        says = f"{in_common} rows of {files} hold the same numbers: {share:.0%} of the shorter one."
    if in_common < FEWEST:
        strength, reading = "weak", LABELS
    elif not (first.seeds and second.seeds):
        strength, reading = "middle", UNKNOWN_SEED
    elif not first.seeds & second.seeds:
        strength, reading = "strong", OTHER_SEEDS
    else:
        strength, reading = "weak" if first.code.digest == second.code.digest else "middle", SAME_SEED
    return Finding("tables", strength, first.owner, second.owner, share, says, reading)
