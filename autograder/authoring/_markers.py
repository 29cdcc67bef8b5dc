"""Notebooks: a percent-format source becomes plain cells, its solutions replaced by stubs.

What a student does not see is found in the text, before jupytext sees it, so that a complaint can name the line:

* regions in a cell, from a line `# BEGIN SOLUTION` to a line `# END SOLUTION` (or `###`, or `# === ... ===`),
  and in the same way `HIDDEN TESTS` and `MARK SCHEME`, as in nbgrader, and `SOLUTION NO PROMPT`, as in Otter;
* lines of code that end as Otter's do: `# SOLUTION`, `# SOLUTION NO PROMPT`, `# SEED`;
* cells that begin with `# IGNORE`, and what Otter's raw cells (`# BEGIN TESTS` ...) stand around.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.core import CourseError

ANSWER = "answer:"
STUBS = {"code": ["# YOUR CODE HERE", "raise NotImplementedError()"], "markdown": ["# YOUR ANSWER HERE"]}

COMPOUND = tuple(
    kind
    for kind in vars(ast).values()
    if isinstance(kind, type) and {"body", "cases"} & {*kind.__dict__.get("_fields", ())}
)
_CELL = re.compile(r"(?m)^(?=# ?%%)")
_MARKER = re.compile(
    r"(?P<indent>[ \t]*)#[# =]*(?P<word>BEGIN|END) (?P<name>SOLUTION|HIDDEN TESTS|MARK SCHEME)"
    r"(?P<removed> NO PROMPT)?[# =\t]*"
)
_PROMPT = re.compile(
    r'(?P<indent>[ \t]*)""";?[ \t]*#[# ]*(?P<word>BEGIN|END) (?P<name>PROMPT)(?P<removed>)\s*'
)
_ALMOST = re.compile(
    r"(begin|end)[\s_-]*(solution|hidden[\s_-]*test|mark(ing)?[\s_-]*scheme)|\b(begin|end)[\s_-]*prompt\b",
    re.IGNORECASE,
)
_LINE = re.compile(
    r"(?P<indent>[ \t]*)(?P<code>[^\s#].*?)[ \t]*#[# ]*(?P<word>SOLUTION NO PROMPT|SOLUTION|SEED)[ \t]*"
)
_ALMOST_LINE = re.compile(r"#[#\s]*(SOLUTION\b|(?i:solutions?|seed)\W*$)")
_EXACT_LINE = re.compile(r"#[# ]*SOLUTION( NO PROMPT)?[ \t]*$")  # in prose "## Solution" is a heading
_IGNORE = re.compile(r"[ \t]*#[# ]*(IGNORE|(?i:ignored?))\W*")
_OTTER = re.compile(
    r"#?[# ]*((?P<word>BEGIN|END) (?P<name>QUESTION|PROMPT|SOLUTION|TESTS)|ASSIGNMENT CONFIG)\s*"
)
_ALMOST_OTTER = re.compile(
    r"(begin|end)[\s_-]*(question|prompt|solution|tests?)\b|assignment[\s_-]*config", re.IGNORECASE
)


class MarkerError(CourseError):
    """The instructor's source is marked wrongly: `file:line: what is wrong; what to do`."""

    def __init__(self, name: str, line: int, what: str, advice: str):
        super().__init__(f"{name}:{line}: {what}; {advice}")


class _Wrong(Exception):
    """A line is marked wrongly: line, what, advice; the name of the file is added to it."""


@dataclass(frozen=True)
class Cell:
    """One cell: kind is 'code', 'markdown' or 'raw', tags as in the cell's metadata."""

    kind: str
    source: str
    tags: tuple[str, ...] = ()

    @property
    def answers(self) -> str:
        """The item that a Markdown cell answers in own words, by its tag `answer:NAME`; empty for any other cell."""
        tags = [tag for tag in self.tags if tag.startswith(ANSWER) and self.kind == "markdown"]
        return tags[0].removeprefix(ANSWER) if tags else ""


@dataclass(frozen=True, order=True)
class Region:
    """Lines `first` to `last` of a source, counted from 1, and the lines that a student sees in their place.

    kind: SOLUTION for what a student is to write; otherwise the name of the marker.
    """

    first: int
    last: int
    shown: tuple[str, ...]
    kind: str


@dataclass(frozen=True)
class Piece:
    """The text of one cell: its kind, the number of its first line, and its lines, title and all."""

    kind: str
    first: int
    lines: list[str]

    @property
    def body(self) -> list[tuple[int, str]]:
        """The numbered lines below the title, without blank ones at either end."""
        numbered = list(enumerate(self.lines, self.first))
        numbered = numbered[1:] if _CELL.match(self.lines[0]) else numbered
        filled = [place for place, (_, line) in enumerate(numbered) if line.strip()]
        return numbered[filled[0] : filled[-1] + 1] if filled else []

    def replaced(self, kind: str, shown: Iterable[str]) -> Region:
        """Return the body as a region."""
        return Region(self.body[0][0], self.body[-1][0], tuple(shown), kind)

    def dropped(self, kind: str) -> Region:
        """Return the whole cell as a region of which nothing is shown."""
        return Region(self.first, self.first + len(self.lines) - 1, (), kind)


def read_cells(source: str) -> list[Cell]:
    """Return the cells of a percent-format `source`, in order, without blank lines at either end."""
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


def node(cell: Cell, identity: str) -> Any:
    """Return a cell as nbformat has it."""
    from nbformat import v4

    make = {"code": v4.new_code_cell, "markdown": v4.new_markdown_cell, "raw": v4.new_raw_cell}[cell.kind]
    return make(cell.source, id=identity, metadata={"tags": list(cell.tags)} if cell.tags else {})


def strip_solutions(source: str, name: str) -> str:
    """`source` as students see it; name: the file, for messages. Raises MarkerError as `regions` does."""
    return replace_regions(source, regions(source, name))


def replace_regions(source: str, found: Iterable[Region]) -> str:
    """`source` with what is shown in the place of the regions `found`."""
    lines = source.split("\n")
    for region in sorted(found, reverse=True):
        lines[region.first - 1 : region.last] = region.shown
    return "\n".join(lines)


def strip_markers(text: str) -> str:
    """Return the text of a cell without the lines that begin or end a region: what is published as a solution."""
    return "\n".join(line for line in text.split("\n") if not _MARKER.fullmatch(f"# {line.lstrip()}"))


def regions(source: str, name: str) -> list[Region]:
    """All that students do not see as it stands in `source`, in order, with what they see instead.

    name: the file, for messages. Raises MarkerError for a region that is nested, overlaps another, is unclosed or
    never opened, for a line ending behind anything but one whole statement on one line of code, and for what is
    nearly a marker: what is not understood could leak a solution.
    """
    found, otter = [], _Otter()
    try:
        for piece in pieces(source):
            found += otter.regions(piece)
        otter.finish()
    except _Wrong as wrong:
        raise MarkerError(name, *wrong.args) from None
    return found


def pieces(source: str) -> Iterator[Piece]:
    """Return the cells of a percent-format `source` as they stand in it, line by line."""
    first = 1
    for text in _CELL.split(source):
        lines = text.removesuffix("\n").split("\n")
        yield Piece(_kind(text), first, lines)
        first += text.count("\n")


def _kind(cell: str) -> str:
    title = re.match(r"# ?%%.*\[(markdown|md|raw)\]", cell)  # . stops at the end of the cell's first line
    return {"md": "markdown"}.get(title[1], title[1]) if title else "code"


@dataclass
class _Otter:
    """Where among Otter's raw cells we are: the lines that opened the question and the block in it."""

    question: int = 0
    block: str = ""
    opened: int = 0
    has_prompt: bool = False

    def regions(self, piece: Piece) -> list[Region]:
        """Return what is not shown of the next cell."""
        marker = _raw_marker(piece)
        if marker:
            self.move(piece, marker["word"], marker["name"])
            return [piece.dropped(marker[0].strip())]
        if not piece.body:
            return []
        if self.block == "TESTS" or _is_ignored(piece):
            return [piece.dropped(self.block or "IGNORE")]
        if self.block == "SOLUTION" and self.has_prompt:
            return [piece.dropped("SOLUTION")]
        found = _in_cell(piece)
        if self.block == "SOLUTION" and "SOLUTION" not in {region.kind for region in found}:
            return [piece.replaced("SOLUTION", STUBS.get(piece.kind, ()))]
        return found

    def move(self, piece: Piece, word: str | None, name: str) -> None:
        """Open or close a question or a block."""
        line = piece.body[0][0]
        if word and name != "QUESTION" and len(piece.body) > (3 if piece.kind == "markdown" else 1):
            raise _Wrong(
                line, f"more than {word} {name} in a cell of Otter's", "leave the marker alone there"
            )
        if word == "BEGIN":
            self._open(line, name)
        elif word == "END":
            self._close(line, name)

    def _open(self, line: int, name: str) -> None:
        if self.opened or (name == "QUESTION") == bool(self.question):
            where = f"inside the block of line {self.opened or self.question}"
            where = where if self.opened or self.question else "outside a question"
            raise _Wrong(
                line, f"BEGIN {name} {where}", "a question holds a prompt, a solution and tests in turn"
            )
        if name == "QUESTION":
            self.question, self.has_prompt = line, False
        else:
            self.block, self.opened = name, line
            self.has_prompt |= name == "PROMPT"

    def _close(self, line: int, name: str) -> None:
        inner = self.block or ("QUESTION" if self.question else "")
        if name != inner:
            advice = f"END {inner} comes first" if inner else "open the block, or remove this cell"
            raise _Wrong(line, f"END {name} without a BEGIN", advice)
        if self.block:
            self.block, self.opened = "", 0
        else:
            self.question = 0

    def finish(self) -> None:
        """Raise for what is still open at the end of the source."""
        if line := self.opened or self.question:
            name = self.block or "QUESTION"
            raise _Wrong(
                line, f"this block of Otter's is not closed: {name}", f"add a raw cell `# END {name}`"
            )


def _raw_marker(piece: Piece) -> re.Match | None:
    """Otter's marker, if the cell is one: a raw cell, or a Markdown cell that is one fence of language otter."""
    body = [line.removeprefix("# ").strip() for _, line in piece.body]
    if piece.kind == "markdown" and body[:1] == ["```otter"]:
        body = body[1:]
    elif piece.kind != "raw":
        return None
    if marker := _OTTER.fullmatch(body[0] if body else ""):
        return marker
    for number, line in piece.body:
        if _ALMOST.search(line):
            raise _Wrong(number, f"a solution region in a {piece.kind} cell", "use a code or a Markdown cell")
        if _ALMOST_OTTER.search(line):
            raise _looks_like(number, line, "write `# BEGIN QUESTION` or the like as a raw cell's first line")
    return None


def _is_ignored(piece: Piece) -> bool:
    for place, (number, line) in enumerate(piece.body):
        if _IGNORE.fullmatch(line):
            if place == 0 and line.rstrip().endswith("IGNORE"):
                return True
            raise _looks_like(number, line, "a cell is left out if `# IGNORE` is its first line")
    return False


def _in_cell(piece: Piece) -> list[Region]:
    """Return the regions and the marked lines of one cell."""
    found: list[Region] = []
    opened = None  # the number and the marker of the BEGIN that is open
    for number, line in piece.body:
        marker = _MARKER.fullmatch(line) or _PROMPT.fullmatch(line)
        if marker:
            _check(piece, number, marker, opened)
            found += _closed(piece, number, opened) if opened else []
            opened = None if opened else (number, marker)
        elif _ALMOST.search(line):
            raise _looks_like(number, line, "write `# BEGIN SOLUTION` or `# END SOLUTION` alone on its line")
        elif not opened or opened[1]["name"] == "PROMPT":
            found += _marked_line(piece, number, line, bool(opened))
    if opened:
        name = opened[1]["name"]
        raise _Wrong(opened[0], "this region is not closed in its cell", f"add an END {name} line")
    return found


def _check(piece: Piece, number: int, marker: re.Match, opened: tuple[int, re.Match] | None) -> None:
    """Raise unless a marker fits its cell and what is open."""
    said = f"{marker['word']} {marker['name']}"
    if piece.kind not in STUBS:
        raise _Wrong(number, f"a solution region in a {piece.kind} cell", "use a code or a Markdown cell")
    if marker["removed"] and said != "BEGIN SOLUTION":
        raise _looks_like(number, marker[0], "NO PROMPT belongs behind BEGIN SOLUTION only")
    if marker["name"] == "PROMPT" and piece.kind != "code":
        raise _Wrong(number, f"a prompt in a {piece.kind} cell", "use a code cell")
    if opened and (marker["word"] == "BEGIN" or marker["name"] != opened[1]["name"]):
        advice = "regions don't nest: close that one first"
        raise _Wrong(number, f"{said} inside the region of line {opened[0]}", advice)
    if not opened and marker["word"] == "END":
        raise _Wrong(number, f"{said} without a BEGIN", "open the region, or remove this line")


def _closed(piece: Piece, number: int, opened: tuple[int, re.Match]) -> list[Region]:
    """Return a region that ends on line `number`; of a prompt, its text stays."""
    first, marker = opened
    if marker["name"] == "PROMPT":
        return [Region(line, line, (), "PROMPT") for line in (first, number)]
    stub = STUBS[piece.kind] if marker["name"] == "SOLUTION" and not marker["removed"] else ()
    return [Region(first, number, tuple(marker["indent"] + line for line in stub), marker["name"])]


def _marked_line(piece: Piece, number: int, line: str, in_prompt: bool) -> list[Region]:
    """Return the region of a line with one of Otter's endings; none for another line."""
    if not (_ALMOST_LINE if piece.kind == "code" else _EXACT_LINE).search(line):
        return []
    marked, statement = _LINE.fullmatch(line), _statement(piece, number)
    if piece.kind != "code" or in_prompt or not marked or statement is None:
        what = f"this solution is no whole statement on one line of code: {line.strip()!r}"
        advice = "write `NAME = value  # SOLUTION` on one line, or a region from BEGIN to END SOLUTION"
        raise _Wrong(number, what, advice)
    if marked["word"] != "SOLUTION":
        return [Region(number, number, (), marked["word"].split()[0])]
    name = _assigned_name(statement)
    kept = f"{name} = ..." if name else "..."
    return [Region(number, number, (marked["indent"] + kept,), "SOLUTION")]


def _statement(piece: Piece, number: int) -> ast.stmt | None:
    """Return the statement that stands alone and whole on a line; a value that went on below would be left standing."""
    try:
        tree = ast.parse("\n".join(line for _, line in piece.body))
    except (SyntaxError, ValueError):
        return None
    at, text = number - piece.body[0][0] + 1, dict(piece.body)[number]
    simple = (
        node for node in ast.walk(tree) if isinstance(node, ast.stmt) and not isinstance(node, COMPOUND)
    )
    there = [node for node in simple if node.lineno <= at <= (node.end_lineno or node.lineno)]
    begins = [node.col_offset == len(text) - len(text.lstrip()) for node in there]
    return there[0] if begins == [True] and there[0].lineno == there[0].end_lineno else None


def _assigned_name(statement: ast.stmt) -> str:
    """Return the name that a statement gives a value to; empty if there is none or several."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return targets[0].id if len(targets) == 1 and isinstance(targets[0], ast.Name) else ""


def _looks_like(number: int, line: str, advice: str) -> _Wrong:
    return _Wrong(number, f"this looks like a marker and is none: {line.strip()!r}", advice)
