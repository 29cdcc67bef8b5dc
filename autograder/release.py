"""Release: the starter notebook that students receive, derived one way from the instructor's reference."""

import hashlib
import json
from itertools import zip_longest
from pathlib import Path

from autograder.notebooks import Cell, cells, node, without_solutions

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def starter(source: str, name: str) -> str:
    """The starter notebook (nbformat 4.5) of a percent-format reference, as text; the same bytes every time.

    Solution regions become stubs, cells tagged `solution` are left out. name: the reference, for messages.
    Raises MarkerError with file and line where the reference is marked wrongly.
    """
    import nbformat

    kept = [cell for cell in cells(without_solutions(source, name)) if "solution" not in cell.tags]
    notebook = nbformat.v4.new_notebook(metadata=METADATA, cells=[_node(kept, i) for i in range(len(kept))])
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def release(reference: Path, starter_path: Path) -> bool:
    """Write the starter of `reference` to `starter_path`; True where that changed the file."""
    if is_stale(reference, starter_path) is None:
        return False
    starter_path.parent.mkdir(parents=True, exist_ok=True)
    starter_path.write_bytes(_fresh(reference).encode())
    return True


def is_stale(reference: Path, starter_path: Path) -> str | None:
    """Why `starter_path` is not, byte for byte, what `reference` gives; None where it is."""
    if not starter_path.is_file():
        return f"{starter_path} is missing"
    fresh, bytes_found = _fresh(reference), starter_path.read_bytes()
    if fresh.encode() == bytes_found:
        return None
    found = bytes_found.decode(errors="replace")
    return f"{starter_path}: " + (_differing_cell(fresh, found) or _differing_line(fresh, found, "line"))


def _fresh(reference: Path) -> str:
    return starter(reference.read_text(encoding="utf-8"), str(reference))


def _node(kept: list[Cell], index: int):
    """Cell `index` for nbformat; its id follows from its content: an edit elsewhere leaves it alone."""
    cell = kept[index]
    content = f"{kept[:index].count(cell)} {cell}"  # equal cells are told apart by how many came before
    identity = hashlib.sha256(content.encode()).hexdigest()[:12]
    return node(cell, identity)


def _differing_cell(fresh: str, found: str) -> str | None:
    """Where the cells' text first differs; None where the difference lies elsewhere (metadata, layout)."""
    try:
        pairs = zip_longest(*([_text(cell) for cell in json.loads(text)["cells"]] for text in (fresh, found)))
    except (ValueError, KeyError, TypeError):
        return None
    for number, (expected, came) in enumerate(pairs, start=1):
        if came is None or expected is None:
            return f"cell {number} is {'missing' if came is None else 'not in the reference'}"
        if expected != came:
            return _differing_line(expected, came, f"cell {number}, line")
    return None


def _text(cell: dict) -> str:
    return "".join(cell["source"])


def _differing_line(expected: str, came: str, place: str) -> str:
    lines = enumerate(zip_longest(expected.split("\n"), came.split("\n")), start=1)
    number, (want, have) = next((number, pair) for number, pair in lines if pair[0] != pair[1])
    quoted = ["nothing" if line is None else repr(line[:80]) for line in (want, have)]
    return f"{place} {number}: the reference gives {quoted[0]}, the starter has {quoted[1]}"
