"""nbgrader's cell metadata (schema 3): a course on JupyterHub may take a starter as its assignment.

A cell to fill in is a solution; an answer in one's own words is graded by a person; the last `check("section")` of a
section is a locked test, worth the section's points; nbgrader leaves the other cells alone.
"""

import ast
import hashlib
import re
from collections.abc import Iterable, Sequence

from autograder.authoring._markers import Cell

_STUB = re.compile(r"(?m)^[ \t]*(# YOUR CODE HERE|(\w+ = )?\.\.\.)[ \t]*$")
_CHECK = re.compile(r"""(?m)^check\(["'](\w+)["']\)[ \t]*$""")


def metadata(kept: Sequence[Cell], items: Iterable) -> list[dict]:
    """Return the metadata of each cell of a starter under the key `nbgrader`; an empty dict for a cell that has none.

    items: those of the rubric. Raises KeyError for an answer that is no item of it.
    """
    points = section_points(items, {cell.answers for cell in kept})
    answers = {item.__name__: item.points for item in items}
    sections = [section_of(cell, points) for cell in kept]
    taken: set[str] = set()
    made = []
    for place, (cell, section) in enumerate(zip(kept, sections, strict=True)):
        if name := cell.answers:
            made.append(mark_cells(cell, name, grade=True, solution=True, points=answers[name]))
        elif is_solution(cell):
            made.append(mark_cells(cell, make_unique(identity(cell), cell, taken), solution=True))
        elif section and section in sections[place + 1 :]:
            name = f"check-{section}-{sections[:place].count(section) + 1}"
            made.append(mark_cells(cell, name, locked=True))
        elif section:
            made.append(mark_cells(cell, f"check-{section}", grade=True, locked=True, points=points[section]))
        else:
            made.append({})
    return made


def section_points(items: Iterable, by_hand: set[str]) -> dict[str, float]:
    """Return what the check of each section can give: its items but for bonus and what a person reads."""
    points: dict[str, float] = {}
    for item in items:
        counts = not item.bonus and item.__name__ not in by_hand
        points[item.section] = points.get(item.section, 0) + counts * item.points
    return points


def section_of(cell: Cell, sections: Iterable[str]) -> str:
    """Return the section that a code cell checks; empty for any other cell."""
    check = _CHECK.search(cell.source) if cell.kind == "code" else None
    return check[1] if check and check[1] in sections else ""


def is_solution(cell: Cell) -> bool:
    return cell.kind == "code" and bool(_STUB.search(cell.source))


def identity(cell: Cell) -> str:
    """Return a name for a cell to fill in: its unfinished function or constant; otherwise a hash of its content."""
    try:
        body = ast.parse(cell.source).body
    except (SyntaxError, ValueError):
        body = []
    for node in body:
        name = getattr(node, "name", "") or getattr(getattr(node, "targets", [None])[0], "id", "")
        if _STUB.search(ast.get_source_segment(cell.source, node) or "") and re.fullmatch(
            "[a-zA-Z0-9_]+", name
        ):
            return name
    return f"cell-{digest(cell)}"


def make_unique(name: str, cell: Cell, taken: set[str]) -> str:
    """`name`, told apart by the cell's content and then by a count where an earlier cell has it."""
    choices = [name, f"{name}-{digest(cell)}", *(f"{name}-{digest(cell)}-{count}" for count in range(2, 100))]
    chosen = next(choice for choice in choices if choice not in taken)
    taken.add(chosen)
    return chosen


def digest(cell: Cell) -> str:
    return hashlib.sha256(cell.source.encode()).hexdigest()[:8]


def mark_cells(
    cell: Cell,
    name: str,
    grade: bool = False,
    solution: bool = False,
    locked: bool = False,
    points: float = 0,
) -> dict:
    """Return the metadata of one cell, with the checksum by which nbgrader sees that a cell was changed."""
    flags = {"grade": grade, "solution": solution, "locked": locked}
    parts = [
        cell.source,
        cell.kind,
        *map(str, flags.values()),
        name,
        *([str(float(points))] if grade else []),
    ]
    made = {"schema_version": 3, "task": False, "grade_id": name, "cell_type": cell.kind} | flags
    made |= {"points": points} if grade else {}
    checksum = hashlib.md5("".join(parts).encode()).hexdigest()
    return made | {"checksum": checksum}
