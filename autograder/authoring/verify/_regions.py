"""The solution regions of a reference, and what rests on each: functions, constants, saved files.

Read from the syntax tree alone. A stub in a function's body fails whoever calls it; one in a cell fails the rest of
the cell, and all that reads a name which is then never made; a file is not written where the statement that writes
it fails.
"""

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from autograder.authoring import Cell, Piece, Region, pieces, read_cells, regions, replace_regions
from autograder.core import CourseError

SOLUTION = "SOLUTION"
TRAINING = {"compile", "fit", "set_weights", "train_on_batch"}
_ANSWER = re.compile(r"""["']answer:(\w+)["']""")


@dataclass
class Statement:
    """A statement of a cell: the names it makes and reads, and the regions it rests on."""

    node: ast.stmt
    binds: set[str]
    reads: set[str]
    rests_on: set[Region]

    @property
    def is_definition(self) -> bool:
        return isinstance(self.node, ast.FunctionDef | ast.ClassDef)

    @property
    def calls(self) -> bool:
        return any(isinstance(node, ast.Call) for node in ast.walk(self.node))

    @cached_property
    def texts(self) -> set[str]:
        """The plain texts that stand in it."""
        nodes = (node for node in ast.walk(self.node) if isinstance(node, ast.Constant))
        return {node.value for node in nodes if isinstance(node.value, str)}


@dataclass
class Reference:
    """A reference notebook in percent format, taken apart. name: its file, for messages.

    labels: what a person calls each region; statements: of all code cells; answers: the regions in own words, by tag.
    """

    source: str
    name: str
    labels: dict[Region, str] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    answers: dict[str, set[Region]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        filled_in = [region for region in regions(self.source, self.name) if region.kind == SOLUTION]
        for piece in pieces(self.source):
            end = piece.first + len(piece.lines)
            self._add(piece, [region for region in filled_in if piece.first <= region.first < end])

    def _add(self, piece: Piece, found: list[Region]) -> None:
        if answer := _ANSWER.search(piece.lines[0]):
            self.answers[answer[1]] = set(found)
        if piece.kind != "code":
            self.labels |= dict.fromkeys(found, answer[1] if answer else "text")
            return
        try:
            tree = ast.parse("\n".join(piece.lines))
        except SyntaxError as error:
            raise CourseError(f"{self.name}:{piece.first + (error.lineno or 1) - 1}: {error.msg}.") from None
        before = piece.first - 1
        self.labels |= {
            region: region_label(tree, region.first - before, region.last - before) for region in found
        }
        self._add_code(tree, found, piece.first)

    def called(self, region: Region) -> str:
        """Return how messages and tables call a region."""
        return f"{self.labels[region]} (line {region.first})"

    def _add_code(self, tree: ast.Module, regions: list[Region], first: int) -> None:
        """Return the statements of a cell: one that fails takes with it those that follow in the cell."""
        failed = set()
        for node in tree.body:
            start, end = node.lineno + first - 1, (node.end_lineno or node.lineno) + first - 1
            own = {region for region in regions if region.first <= end and region.last >= start}
            statement = Statement(node, bound_names(node), names_read(node), own)
            if not statement.is_definition:
                failed |= set() if is_value(node, own) else own
                failed |= set().union(*(self.of_name(name) for name in statement.reads))
                statement.rests_on |= failed
                statement.binds |= {name for name in names_changed(node) if self.is_variable(name)}
            self.statements.append(statement)

    def is_variable(self, name: str) -> bool:
        maker = self.maker(name)
        return maker is not None and not isinstance(maker.node, ast.Import | ast.ImportFrom | ast.FunctionDef)

    def maker(self, name: str) -> Statement | None:
        """Return the latest statement that makes `name`."""
        return next((statement for statement in reversed(self.statements) if name in statement.binds), None)

    def of_name(self, name: str, asked: frozenset = frozenset()) -> set[Region]:
        """Return the regions that a function, constant or variable rests on, as the notebook stands so far."""
        maker = self.maker(name)
        if maker is None or name in asked:
            return set()
        if not maker.is_definition:
            return maker.rests_on
        within = (self.of_name(inner, asked | {name}) for inner in maker.reads)
        return maker.rests_on.union(*within)

    def in_name(self, name: str) -> set[Region]:
        """Return the regions in the function itself, or those that a constant rests on."""
        maker = self.maker(name)
        return maker.rests_on if maker else set()

    def of_file(self, file: str) -> set[Region]:
        """Return the regions that a saved file rests on: those of the first statement that uses its name."""
        named = {
            name
            for statement in self.statements
            if not statement.calls and file in statement.texts
            for name in statement.binds
        }
        uses = (
            statement
            for statement in self.statements
            if statement.calls and (file in statement.texts or named & statement.reads)
        )
        return next((statement.rests_on for statement in uses if not statement.is_definition), set())

    def of_answer(self, tag: str) -> set[Region]:
        """Return the regions of an answer in own words."""
        return self.answers.get(tag, set())

    def stubbed(self, keep: Collection[Region] = ()) -> list[Cell]:
        """Return the cells of the notebook with a stub for every region but those to `keep`."""
        return read_cells(replace_regions(self.source, set(self.labels) - set(keep)))


def region_label(tree: ast.Module, first: int, last: int) -> str:
    """Return what a person calls the region in these lines of a cell: its function, or the names it makes."""
    for node in tree.body:
        last_line = (node.end_lineno or node.lineno) + 1
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.lineno < first <= last_line:
            return node.name
    made = [name for node in tree.body if first <= node.lineno <= last for name in sorted(bound_names(node))]
    return ", ".join(dict.fromkeys(made)) or "a cell"


def is_value(node: ast.stmt, own: set[Region]) -> bool:
    """Return True if the statement is a `NAME = value  # SOLUTION`, whose stub fails nothing until it is read."""
    return isinstance(node, ast.Assign) and all(region.first == region.last for region in own)


def bound_names(node: ast.stmt) -> set[str]:
    """Return the names that a statement of a cell makes."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return {
        inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and is_stored(inner)
    } - loop_names(node)


def names_read(node: ast.stmt) -> set[str]:
    """Return the names of the notebook that a statement reads, or a function once it is called."""
    names = [inner for inner in ast.walk(node) if isinstance(inner, ast.Name)]
    stored = {inner.id for inner in names if is_stored(inner)}
    read = {inner.id for inner in names if isinstance(inner.ctx, ast.Load)} - loop_names(node)
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return read - stored
    return read | stored if isinstance(node, ast.AugAssign) else read


def is_stored(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def loop_names(node: ast.stmt) -> set[str]:
    """Return the names that live within a statement: of its loops, its comprehensions, its functions' arguments."""
    targets = (inner.target for inner in ast.walk(node) if isinstance(inner, ast.For | ast.comprehension))
    names = {inner.id for target in targets for inner in ast.walk(target) if isinstance(inner, ast.Name)}
    return names | {inner.arg for inner in ast.walk(node) if isinstance(inner, ast.arg)}


def names_changed(node: ast.stmt) -> Iterator[str]:
    """Return the names whose objects a statement changes: `model.fit(...)`, `models[32] = ...`."""
    for child in ast.walk(node):
        if isinstance(child, ast.Attribute | ast.Subscript) and isinstance(child.value, ast.Name):
            changes_parts = isinstance(child, ast.Subscript) and isinstance(child.ctx, ast.Store)
            if changes_parts or getattr(child, "attr", "") in TRAINING:
                yield child.value.id
