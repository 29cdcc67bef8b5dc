"""Tables that items read (vectors, trials, predictions) and that two students hand in alike.

Rows count by their numbers alone: other labels, separators, columns or rows in another order hide nothing.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from autograder.similarity._code import common_hashes, count_shared
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
    common = common_hashes(
        (np.concatenate([table.rows for table in work.tables]) for work in works if work.tables), most
    )
    rows = [table.rows[~np.isin(table.rows, common)] for _, table in tables]
    first_of, second_of, shared = count_shared(rows, ours)
    alike = shared >= FEWEST
    pairs = set(zip(first_of[alike].tolist(), second_of[alike].tolist(), strict=True))
    by_digest, lines = defaultdict(list), []
    for number, (_, table) in enumerate(tables):
        if table.length >= FEWEST:
            by_digest[table.digest].append(number)
    for numbers in by_digest.values():
        if len({tables[number][0] for number in numbers if number < ours}) > most:
            lines.append(f"{tables[numbers[0]][1].file} is the same for more than {most} students.")
        else:
            pairs |= {(i, j) for i in numbers if i < ours for j in numbers if i < j}
    findings = []
    for i, j in sorted(pairs):
        (first, mine), (second, other) = tables[i], tables[j]
        if first != second:
            in_common = len(np.intersect1d(rows[i], rows[j]))
            shorter = min(len(mine.rows), len(other.rows))
            share = in_common / shorter if shorter else 0.0
            if mine.digest == other.digest or (in_common >= FEWEST and share >= SHARE):
                findings.append(
                    table_findings(everyone[first], everyone[second], mine, other, in_common, share)
                )
    return findings, lines


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
