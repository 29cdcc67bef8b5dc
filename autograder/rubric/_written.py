"""Find an answer in a student's own words in a notebook: whatever is written reaches a person."""

import ast
import re
from collections.abc import Iterator, Sequence, Set

from autograder.core import Failure
from autograder.submissions import Cell

STUB = "YOUR ANSWER HERE"
ANSWER = re.compile(
    r"[#*_`>\s]*answer:\s*([\w-]+)[*_`:]*[ \t]*\n?"
)  # the first words of a cell that is marked
HEADING = re.compile(r"#{1,6}\s")
COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)

OTHER_KIND = "[Written in a {} cell.]"
BESIDE = "[Found beside the cell for this answer, in a cell that is not marked.]"
UNMARKED = "[No cell is marked as this answer. This is what else is written in the notebook.]"


def find_answer(name: str, cells: Sequence[Cell], starter: Set[str]) -> str:
    """Return the answer `name`, with a note to the reader where it is not in the cell that is meant for it.

    The last marked cell with text counts: one with the tag `answer:NAME`, with nbgrader's grade_id, or with
    `answer:NAME` as its first line. Otherwise the text beside it counts, up to the next heading or marked cell; and
    if no cell is marked, all text that is not in the starter.

    Args:
        name: the item's name for the answer.
        cells: of the student's notebook.
        starter: the text of each cell of the starter; empty if that is not known.

    Raises:
        Failure: if nothing is written.
    """
    marked = [place for place, cell in enumerate(cells) if is_answer(name, cell)]
    for place in reversed(marked):
        kind, source, _ = cells[place]
        if text := _text(source):
            return text if kind == "markdown" else f"{OTHER_KIND.format(kind)} {text}"
    for place in reversed(marked):
        if found := [*_beside(cells, place, starter)]:
            return "\n\n".join([BESIDE, *found])
    if not marked:
        free = [text for cell in cells if (text := _free_text(cell, starter, kinds=("markdown", "raw")))]
        if free:
            return "\n\n".join([UNMARKED, *free])
    if marked:
        raise Failure("Nothing is written here yet.", "Write into the cell itself, in place of its one line.")
    hint = f"Write the answer into a Markdown cell whose first line is `answer:{name}`."
    raise Failure(f"No cell of your notebook is marked as the answer to {name}.", hint)


def is_answer(name: str, cell: Cell) -> bool:
    """Return whether a cell is the one for the answer `name`, whatever kind of cell it was made into."""
    return name in _answers(cell)


def _answers(cell: Cell) -> set[str]:
    """Return the answers for which a cell is marked."""
    kind, source, metadata = cell
    tags, nbgrader = metadata.get("tags"), metadata.get("nbgrader")
    tags = tags if isinstance(tags, list) else []
    names = {
        tag.removeprefix("answer:") for tag in tags if isinstance(tag, str) and tag.startswith("answer:")
    }
    if isinstance(nbgrader, dict) and kind != "code" and isinstance(nbgrader.get("grade_id"), str):
        names.add(nbgrader["grade_id"])
    if match := ANSWER.match(source):
        names.add(match[1])
    return names


def _is_list(tags: object) -> bool:
    return isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)


def _text(source: str) -> str:
    """Return the text of a cell without its mark; empty for a stub."""
    text = source.strip()
    if match := ANSWER.match(text):
        text = text[match.end() :].strip()
    visible = COMMENT.sub("", text).strip("#_*>` \t\r\n\u200b\u00a0\ufeff")
    return "" if visible in ("", STUB) else text


def _beside(cells: Sequence[Cell], place: int, starter: Set[str]) -> Iterator[str]:
    """Yield the texts in the cells above a marked one, if the starter is known, and in those below it."""
    above = []
    for cell in reversed(cells[:place]):
        if not starter or _answers(cell) or _normal(cell[1]) in starter:
            break
        above.append(_free_text(cell, starter))
    below = []
    for cell in cells[place + 1 :]:
        is_heading = cell[0] == "markdown" and HEADING.match(cell[1].lstrip())
        if _answers(cell) or (is_heading and (not starter or _normal(cell[1]) in starter)):
            break
        below.append(_free_text(cell, starter))
    yield from filter(None, [*reversed(above), *below])


def _free_text(cell: Cell, starter: Set[str], kinds: Sequence[str] = ("markdown", "raw", "code")) -> str:
    """Return what a student wrote in a cell that is not marked; empty for code, headings and the starter's text."""
    kind, source, _ = cell
    if kind not in kinds or _answers(cell) or _normal(source) in starter:
        return ""
    if kind == "code" and not _is_prose(source):
        return ""
    lines = [line for line in source.strip().split("\n") if line.strip()]
    return _text(source) if not all(HEADING.match(line) for line in lines) or kind == "code" else ""


def _is_prose(source: str) -> bool:
    """Return whether a code cell holds nothing but comments and texts, or words that are not Python."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return len(source.split()) > 2 and not re.search(
            r"=|\w\(|^\s*[%!]|^\s*(def|import|from|class) ", source
        )
    return all(isinstance(node, ast.Expr) and _is_string(node.value) for node in body)


def _is_string(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def texts_of(cells: Sequence[Cell]) -> frozenset[str]:
    """Return the text of each cell of a starter, as `find_answer` compares it."""
    return frozenset(_normal(source) for _, source, _ in cells)


def _normal(source: str) -> str:
    return " ".join(source.split())
