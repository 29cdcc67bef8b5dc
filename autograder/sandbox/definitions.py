"""From a notebook to its functions: definitions only, so that asking for a function never trains a model.

Imports, functions, classes and constants are run, in the order of the notebook; everything else (training,
plots, magics, shell lines) is left out. This needs no tag and no metadata that a student's editor could lose.
It runs in the child: parsing a hostile source is no safer than running it.
"""

import ast
import linecache
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType, ModuleType

from autograder.cells import all_cells as all_cells  # the one reader of notebooks
from autograder.cells import cells as cells

DEFINING = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
CELL_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun")  # those whose cell is Python all the same
QUICK_CALLS = "range len dict list tuple set zip enumerate sorted str int float"
QUICK_MODULES = {"np", "numpy", "math", "string"}  # np.eye(4) makes a constant; model.fit(...) does not


def new_names() -> dict:
    """The names of a new module `notebook`; AutoGraph, dataclasses and pickle look for it among the modules."""
    sys.modules["notebook"] = module = ModuleType("notebook")
    module.display = print  # every cell has it from IPython
    return vars(module)


@dataclass
class Definitions:
    """What a notebook defines.

    names: its functions, classes, modules and constants; left_out: the cell of each name that other statements
    make; problems: what a student should know, a sentence each; failed: why a function or class is not there.
    """

    names: dict = field(default_factory=new_names)
    left_out: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    failed: dict[str, Exception] = field(default_factory=dict)


@dataclass
class Statement:
    """One statement of a cell; looked at and compiled once, however often it is run."""

    node: ast.stmt
    cell: int

    @cached_property
    def defines(self) -> bool:
        return defines(self.node)

    @cached_property
    def code(self) -> CodeType:
        return compile(ast.Module([self.node], []), f"cell {self.cell}", "exec")

    @cached_property
    def stores(self) -> set[str]:
        """The names it makes."""
        nodes = (node for node in ast.walk(self.node) if isinstance(node, ast.Name))
        return {node.id for node in nodes if isinstance(node.ctx, ast.Store)}


def read_statements(content: bytes, file: str, problems: list[str]) -> list[Statement]:
    """The statements of a notebook, cell by cell; what is odd about them is added to `problems`."""
    read, defined_in = [], {}
    for number, source in enumerate(cells(content, file), start=1):
        for node in statements(source, number, problems):
            read.append(Statement(node, number))
            if isinstance(node, ast.FunctionDef):
                earlier = defined_in.setdefault(node.name, number)
                if earlier != number:
                    problems.append(
                        f"{node.name} is defined in cells {earlier} and {number}: the last one counts."
                    )
    return read


def define(statements: list[Statement], problems: list[str]) -> Definitions:
    """What the statements define, in a new module; `problems` are what is known already."""
    found = Definitions(problems=list(problems))
    for statement in statements:
        run(statement, found)
    return found


def statements(source: str, number: int, problems: list[str]) -> Iterator[ast.stmt]:
    """The statements of a cell; one that is no Python is named and skipped."""
    first, _, rest = source.lstrip("\n").partition("\n")
    if first.startswith("%%"):
        source = "\n" + rest if first.split()[0] in CELL_MAGICS else ""
    name = f"cell {number}"
    linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name
    try:
        yield from parsed(source, name).body
    except SyntaxError as error:
        problems.append(
            f"Cell {number}, line {error.lineno}: {error.msg}. The rest of the notebook still counts."
        )
    except (ValueError, RecursionError, MemoryError):
        problems.append(f"Cell {number} can't be read as Python. The rest of the notebook still counts.")


def parsed(source: str, name: str) -> ast.Module:
    """The syntax tree of a cell; magics and shell lines become calls, as IPython reads them."""
    try:
        return ast.parse(source, name)
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager

        return ast.parse(TransformerManager().transform_cell(source), name)


def run(statement: Statement, found: Definitions) -> None:
    """Runs a statement if it defines something, and notes the names it would have made if not."""
    node, number = statement.node, statement.cell
    if statement.defines:
        try:
            exec(statement.code, found.names)
            return
        except Exception as error:
            if isinstance(node, DEFINING):  # what else fails here may rest on what was left out
                found.problems.append(f"Cell {number}, line {node.lineno}: {type(error).__name__}: {error}")
                found.failed[getattr(node, "name", "")] = error
    found.left_out.update(dict.fromkeys(statement.stores, number))


def defines(statement: ast.stmt) -> bool:
    """Whether a statement is an import, a function, a class or a constant, or a choice or loop of such."""
    if isinstance(statement, DEFINING):
        return True
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        return statement.value is not None and is_constant(statement.value)
    if isinstance(statement, ast.If):
        return is_constant(statement.test) and all(map(defines, statement.body + statement.orelse))
    if isinstance(statement, ast.For):
        return is_constant(statement.iter) and all(map(defines, statement.body + statement.orelse))
    if isinstance(statement, ast.Try):
        handled = [inner for handler in statement.handlers for inner in handler.body]
        return all(map(defines, statement.body + handled + statement.orelse + statement.finalbody))
    return False


def is_constant(expression: ast.expr) -> bool:
    """Whether an expression calls nothing but a few quick functions."""
    calls = (node.func for node in ast.walk(expression) if isinstance(node, ast.Call))
    return all(is_quick(function) for function in calls)


def is_quick(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id in QUICK_CALLS.split()
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id in QUICK_MODULES
    )
