"""Notebooks: a percent-format source becomes plain cells, its solutions replaced by stubs.

A region is the lines from `# BEGIN SOLUTION` to `# END SOLUTION` of one cell (or `###`, as in nbgrader); a line
`NAME = value  # SOLUTION` (as in Otter) becomes `NAME = ...`. Both are replaced in the text, before jupytext sees
it, so that a complaint can name the line.
"""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

STUBS = {"code": ["# YOUR CODE HERE", "raise NotImplementedError()"], "markdown": ["# YOUR ANSWER HERE"]}

_CELL = re.compile(r"(?m)^(?=# ?%%)")
_MARKER = re.compile(r"\s*#[# ]*(?P<word>BEGIN|END) SOLUTION\s*")
_ALMOST = re.compile(r"(begin|end)[\s_-]*solution", re.IGNORECASE)
_REGION = re.compile(r"(?ms)^(?P<indent>[ \t]*)#[# ]*BEGIN SOLUTION\s*?$.*?END SOLUTION[ \t]*$")
_LINE = re.compile(r"(?m)^(?P<name>[ \t]*[^\W\d]\w*)[ \t]*=.*#[# ]*SOLUTION[ \t]*$")
_ALMOST_LINE = re.compile(r"#[#\s]*(SOLUTION\b|(?i:solutions?)\W*$)")
_EXACT_LINE = re.compile(r"#[# ]*SOLUTION[ \t]*$")  # in prose "## Solution" is a heading like any other


class MarkerError(Exception):
    """The instructor's source is marked wrongly: `file:line: what is wrong; what to do`."""

    def __init__(self, name: str, line: int, what: str, advice: str):
        super().__init__(f"{name}:{line}: {what}; {advice}")


@dataclass(frozen=True)
class Cell:
    """One cell: kind is 'code', 'markdown' or 'raw', tags as in the cell's metadata."""

    kind: str
    source: str
    tags: tuple[str, ...] = ()


def cells(source: str) -> list[Cell]:
    """The cells of a percent-format `source`, in order, without blank lines at either end."""
    import jupytext  # here, because `autograder --help` must not wait for it

    nodes = jupytext.reads(source, fmt="py:percent").cells
    return [
        Cell(node.cell_type, node.source.strip("\n"), tuple(node.metadata.get("tags", ()))) for node in nodes
    ]


def write_notebook(path: Path, *parts: str | Cell) -> None:
    """Write a notebook as Jupyter would save it, a plain string being a code cell; equal parts give equal bytes."""
    from nbformat import v4, write

    made = [part if isinstance(part, Cell) else Cell("code", part.strip()) for part in parts]
    write(v4.new_notebook(cells=[node(cell, f"cell-{place}") for place, cell in enumerate(made)]), path)


def node(cell: Cell, identity: str):
    """A cell as nbformat has it."""
    from nbformat import v4

    make = {"code": v4.new_code_cell, "markdown": v4.new_markdown_cell, "raw": v4.new_raw_cell}[cell.kind]
    return make(cell.source, id=identity, metadata={"tags": list(cell.tags)} if cell.tags else {})


def without_solutions(source: str, name: str) -> str:
    """`source` with a stub, at the indent of its BEGIN line, for each solution region, and `...` for each value.

    name: the file, for messages. Raises MarkerError for a region that is nested, unclosed, never opened or in
    a raw cell, for a `# SOLUTION` behind anything but a simple assignment on one line of code, and for a line that
    is nearly a marker: what is not understood could leak a solution.
    """
    stubbed, line = [], 1
    for cell in _CELL.split(source):
        _check(cell, line, name)
        stub = STUBS.get(_kind(cell), ())
        text = _REGION.sub(lambda region, stub=stub: _indented(stub, region["indent"]), cell)
        stubbed.append(_LINE.sub(r"\g<name> = ...", text))  # only code has such lines, or _check complains
        line += cell.count("\n")
    return "".join(stubbed)


def _kind(cell: str) -> str:
    title = re.match(r".*\[(markdown|md|raw)\]", cell)  # . stops at the end of the cell's first line
    return {"md": "markdown"}.get(title[1], title[1]) if title else "code"


def _indented(lines: list[str], indent: str) -> str:
    return "\n".join(indent + line for line in lines)


def _check(cell: str, first: int, name: str) -> None:
    """Raise unless the markers of a cell, whose first line has the number `first`, alternate and close."""
    opened = 0  # the line number of the open BEGIN
    for number, line in enumerate(cell.split("\n"), start=first):
        marker = _MARKER.fullmatch(line)
        if _ALMOST.search(line):
            wrong = _wrong(marker and marker["word"], line, opened, _kind(cell))
        else:
            wrong = None if opened else _wrong_line(line, _kind(cell))
        if wrong:
            raise MarkerError(name, number, *wrong)
        if marker:
            opened = number if marker["word"] == "BEGIN" else 0
    if opened:
        raise MarkerError(name, opened, "this region is not closed in its cell", "add an END SOLUTION line")


def _wrong(word: str | None, line: str, opened: int, kind: str) -> tuple[str, str] | None:
    """What is wrong with a marker line, and what to do; None for a good one."""
    if word is None:
        what = f"this looks like a marker and is none: {line.strip()!r}"
        return what, "write `# BEGIN SOLUTION` or `# END SOLUTION` alone on its line"
    if kind not in STUBS:
        return f"a solution region in a {kind} cell", "use a code or a Markdown cell"
    if word == "BEGIN" and opened:
        return (
            f"BEGIN SOLUTION inside the region of line {opened}",
            "regions don't nest: close that one first",
        )
    if word == "END" and not opened:
        return "END SOLUTION without a BEGIN", "open the region, or remove this line"
    return None


def _wrong_line(line: str, kind: str) -> tuple[str, str] | None:
    """The same for the marker of a single line."""
    if not (_ALMOST_LINE if kind == "code" else _EXACT_LINE).search(line):
        return None
    if kind == "code" and _LINE.fullmatch(line) and _is_assignment(line.strip()):
        return None
    what = f"this solution is no simple assignment in a code cell: {line.strip()!r}"
    return what, "write `NAME = value  # SOLUTION` on one line, or a region from BEGIN to END SOLUTION"


def _is_assignment(line: str) -> bool:
    """Whether a line is one whole assignment to one name: a value that went on below would be left standing."""
    try:
        [statement] = ast.parse(line).body
    except (SyntaxError, ValueError):
        return False
    return isinstance(statement, ast.Assign) and [type(t) for t in statement.targets] == [ast.Name]
