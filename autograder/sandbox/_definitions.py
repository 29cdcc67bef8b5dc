"""From a notebook to its functions: definitions only, so that asking for a function never trains a model.

Imports, functions, classes and constants that safe calls make (see `safe_calls`) are run, in the order of the
notebook, also those inside `try`, `with`, `if` and loops. Everything else (training, plots, files, magics, shell
lines) is left out, and so is each name that a statement which is left out may change: a function that needs the name
says which line made it, and never goes on with another value. This needs no tag and no metadata that a student's
editor could lose. It runs in the child: parsing a hostile source is no safer than running it.
"""

import ast
import contextlib
import copy
import gc
import importlib.util
import io
import linecache
import re
import signal
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Literal, cast

import numpy as np

from autograder.sandbox._analysis import DEFINITIONS, Changes, Known, blocks
from autograder.sandbox._requirements import newer_python
from autograder.submissions import read_code_cells

IMPORTS = (ast.Import, ast.ImportFrom)
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
CELL_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun")  # those whose cell is Python all the same
MAX_SECONDS = 10.0  # of processor time, for all that is neither an import, a function nor a class
MAX_QUOTED = 60  # characters of a line that a message quotes
MAX_WALKED = 20_000  # objects that are looked at, to see what two names share
NEWER_FSTRING = re.compile(
    r"f-string:? (?:expression part cannot|expecting '}'|unmatched|unterminated|single '}')"
)
BINDS = re.compile(
    r"(?m)^[ \t]{0,40}(?:async +def|def|class) +([^\W\d]\w{0,99})|^([^\W\d]\w{0,99})[ \t]{0,9}=(?!=)"
)
FIXED = (  # what no statement can change, or what is not followed
    str, bytes, int, float, complex, bool, range, slice, type(None), type(...), type, ModuleType, FunctionType,
    BuiltinFunctionType, MethodType, re.Pattern, np.generic, np.dtype, np.ufunc,
)  # fmt: skip
CONTAINERS = (list, dict, set, tuple, frozenset, deque, partial)


class TooSlowError(BaseException):
    """The definitions of a notebook take more time than they may."""


def new_names() -> dict:
    """Return the names of a new module `notebook`; AutoGraph, dataclasses and pickle look for it among the modules."""
    sys.modules["notebook"] = module = ModuleType("notebook")
    names = vars(module)
    names["display"] = print  # every cell has it from IPython
    return names


@dataclass(frozen=True)
class LeftOut:
    """The statement for which a name is not there: its place and first line, and why it was not run.

    needs: the name that it uses and that is not there either; fix: what a student can do about it.
    """

    cell: int
    line: int
    text: str
    why: str
    fix: str = ""
    needs: str = ""

    @property
    def place(self) -> str:
        return f"cell {self.cell}, line {self.line} (`{self.text}`)"


@dataclass
class Definitions:
    """What a notebook defines.

    names: its functions, classes, modules and constants; left_out: for each other name, the statement that was not
    run; problems: what a student should know, a sentence each; failed: why a function or class is not there; lacks:
    the module that this machine does not have, for each name imported from it ("*" for what may be any name).
    """

    names: dict = field(default_factory=new_names)
    left_out: dict[str, LeftOut] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    failed: dict[str, Exception] = field(default_factory=dict)
    lacks: dict[str, str] = field(default_factory=dict)

    def with_names(self, names: dict) -> "Definitions":
        """Return a copy with other names, for which all else holds as well."""
        return Definitions(names, dict(self.left_out), [*self.problems], dict(self.failed), dict(self.lacks))


@dataclass
class Unreadable:
    """A cell that is no Python, with the names that it seems to bind. newer: it may be Python of a later version."""

    cell: int
    line: int
    text: str
    why: str
    names: set[str]
    newer: bool


@dataclass
class Statement:
    """One statement of a cell; looked at and compiled once, however often it is run."""

    node: ast.stmt
    cell: int
    changes: Changes | None = None  # kept here, since a notebook is defined anew for each call
    refused: ast.AST | None | Literal[False] = False  # False while nobody has looked

    @cached_property
    def code(self) -> CodeType:
        return compile(ast.Module([self.node], []), f"cell {self.cell}", "exec")

    @cached_property
    def test(self) -> CodeType:
        """The condition of an `if`."""
        assert isinstance(self.node, ast.If)
        return compile(ast.Expression(self.node.test), f"cell {self.cell}", "eval")

    @cached_property
    def parts(self) -> dict[int, "Statement"]:
        """The statements directly inside this one, by the identity of their nodes."""
        return {id(node): Statement(node, self.cell) for block in blocks(self.node) for node in block}

    @cached_property
    def imports(self) -> list["Statement"]:
        """An import of several names as one statement for each."""
        single = []
        assert isinstance(self.node, IMPORTS)
        for alias in self.node.names:
            node = copy.copy(self.node)
            node.names = [alias]
            single.append(Statement(node, self.cell))
        return single

    @cached_property
    def text(self) -> str:
        """The line that it begins with, cut."""
        line = linecache.getline(f"cell {self.cell}", self.node.lineno).strip()
        return line if len(line) <= MAX_QUOTED else line[:MAX_QUOTED] + "…"


def read_statements(content: bytes, file: str, problems: list[str]) -> list[Statement | Unreadable]:
    """Return the statements of a notebook, cell by cell; what is odd about them is added to `problems`."""
    read: list[Statement | Unreadable] = []
    defined_in: dict[str, int] = {}
    for number, source in enumerate(read_code_cells(content, file), start=1):
        for statement in statements(source, number, problems):
            read.append(statement)
            node = getattr(statement, "node", None)
            if isinstance(node, ast.FunctionDef):
                earlier = defined_in.setdefault(node.name, number)
                if earlier != number:
                    problems.append(
                        f"{node.name} is defined in cells {earlier} and {number}: the last one counts."
                    )
    unread = [cell for cell in read if isinstance(cell, Unreadable)]
    if unread and (version := newer_python(content)):
        for cell in unread:
            cell.newer = True
        here = ".".join(map(str, sys.version_info[:2]))
        problems.append(f"The notebook was written with Python {version}, and is read by Python {here} here.")
    return read


def define(
    statements: list[Statement | Unreadable],
    problems: list[str],
    seconds: float | None = None,
    steps: list["ReplayStep"] | None = None,
) -> Definitions:
    """Run the definitions among the statements, in a new module.

    Args:
        statements: those of one notebook, in order.
        problems: what is known already.
        seconds: of processor time, after which constants are left out; no limit where it is None.
        steps: gets what is done to the names, in order.
    """
    runner = Runner(Definitions(problems=list(problems)), seconds, [] if steps is None else steps)
    for statement in statements:
        if isinstance(statement, Unreadable):
            runner.pass_over(statement)
        else:
            runner.run(statement)
    return runner.found


def statements(source: str, number: int, problems: list[str]) -> Iterator[Statement | Unreadable]:
    """Return the statements of a cell; one that is no Python is named and skipped."""
    first, _, rest = source.lstrip("\n").partition("\n")
    if first.startswith("%%"):
        source = "\n" + rest if first.split()[0] in CELL_MAGICS else ""
    name = f"cell {number}"
    linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name
    line, newer = 1, False
    try:
        for node in parsed(source, name).body:
            yield Statement(node, number)
        return
    except SyntaxError as error:
        line, newer = error.lineno or 1, bool(NEWER_FSTRING.match(str(error.msg)))
        why = f"{str(error.msg)[:200]}"
        problems.append(f"Cell {number}, line {line}: {why}. The rest of the notebook still counts.")
    except (ValueError, RecursionError, MemoryError):
        why = "it can't be read as Python"
        problems.append(f"Cell {number} can't be read as Python. The rest of the notebook still counts.")
    text = linecache.getline(name, line).strip()[:MAX_QUOTED]
    names = {first or second for first, second in BINDS.findall(source)}
    yield Unreadable(number, line, text, why, names, newer)


def parsed(source: str, name: str) -> ast.Module:
    """Return the syntax tree of a cell; magics and shell lines become calls, as IPython reads them."""
    try:
        return ast.parse(source, name)
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager

        return ast.parse(TransformerManager().transform_cell(source), name)


class Definer:
    """Defines a notebook anew for each call of a function; what of it runs is worked out for the first one."""

    def __init__(self, statements: list[Statement | Unreadable], problems: list[str], seconds: float | None):
        self.statements, self.problems, self.seconds = statements, problems, seconds
        self.first = Definitions({})
        self.steps: list[ReplayStep] = []

    def define(self) -> Definitions:
        """Return what the notebook defines, in a new module."""
        found = self._repeat() if self.steps and all(step.is_repeatable for step in self.steps) else None
        if found is None:
            self.steps = []
            found = define(self.statements, self.problems, self.seconds, self.steps)
            self.first = found.with_names({})
        return found

    def _repeat(self) -> Definitions | None:
        """Take the steps of the first time; None if one ends in another way than it did then."""
        names = new_names()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            for step in self.steps:
                if step.code is None:
                    for name in step.dropped:
                        names.pop(name, None)
                elif run_to_end(step.code, names) != step.ran:
                    return None
        return self.first.with_names(names)


@dataclass(frozen=True)
class ReplayStep:
    """What was done to the names of a notebook: code that was run, to its end or not, or names that were dropped."""

    code: CodeType | None = None
    ran: bool = True
    dropped: frozenset[str] = frozenset()
    is_repeatable: bool = True


def run_to_end(code: CodeType, names: dict) -> bool:
    """Run code, and return whether it reached its end."""
    try:
        exec(code, names)
    except Exception:
        return False
    return True


class Runner:
    """Runs the statements of a notebook that define something, and leaves out the others with all they may change."""

    def __init__(self, found: Definitions, seconds: float | None, steps: list[ReplayStep]):
        self.found, self.known, self.left, self.steps = found, Known(), seconds, steps

    def run(self, statement: Statement) -> Exception | None:
        """Run a statement, or what of it defines something. Return what it raised, as a `try` around it would see."""
        node = statement.node
        if isinstance(node, IMPORTS):
            return next(filter(None, [self._import(single) for single in statement.imports]), None)
        if isinstance(node, DEFINITIONS):
            return self._define(statement, node)
        if isinstance(node, ast.If):
            return self._if(statement, node)
        if isinstance(node, ast.Try):
            return self._try(statement, node)
        if isinstance(node, ast.Delete):
            return self._delete(statement, node)
        if isinstance(node, ast.Pass | ast.Global | ast.Break | ast.Continue) or self._is_idle(statement):
            return None
        if self._refused(statement) is None:
            return self._execute(statement)
        if isinstance(node, ast.With):  # its body is run without what the `with` would have set up
            self._leave_out(statement, *self._why_refused(statement), changes=self.known.changes(*node.items))
            return self._block(statement, node.body)
        self._leave_block_out(statement, *self._why_refused(statement))
        return None

    def pass_over(self, cell: Unreadable) -> None:
        """Note the names of a cell that is no Python, unless an earlier cell has made them."""
        why = f"can't be read by Python {sys.version_info[0]}.{sys.version_info[1]}: {cell.why}"
        reason = LeftOut(
            cell.cell, cell.line, cell.text, why, "Run the cell in Jupyter and fix what it says."
        )
        for name in cell.names - self.found.names.keys():
            self.found.left_out[name] = reason
            if cell.newer:
                self.found.lacks[name] = "python"

    # --- statements of each kind

    def _import(self, statement: Statement) -> Exception | None:
        error = self._try_to_run(statement)
        [alias] = cast(ast.Import | ast.ImportFrom, statement.node).names
        bound = alias.asname or alias.name.partition(".")[0]
        if error is None:
            self._learn(statement.node, {bound})
            return None
        module = missing_module(error) or ("." if getattr(statement.node, "level", 0) else "")
        self._drop({bound})
        self._note(statement, {bound}, f"stopped with {said(error)}", "")
        self.found.lacks.pop(bound, None)
        if module:
            self.found.lacks[bound] = module
        self.found.problems.append(f"Cell {statement.cell}, line {statement.node.lineno}: {said(error)}")
        return error

    def _define(self, statement: Statement, node: Definition) -> Exception | None:
        error = self._try_to_run(statement)
        if error is None:
            self._learn(node, {node.name})
            self.found.failed.pop(node.name, None)
            return None
        self.found.problems.append(f"Cell {statement.cell}, line {node.lineno}: {said(error)}")
        self.found.failed[node.name] = error
        return error

    def _execute(self, statement: Statement) -> Exception | None:
        """Run a statement that makes safe calls only; where it stops half way, what it may change is left out."""
        try:
            with (
                self._in_time(),
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                error = self._try_to_run(statement)
        except TooSlowError:
            self._leave_out(
                statement, "takes too long", "Write its value down, or make it inside the function."
            )
            return None
        if error is None:
            self._learn(statement.node, self._changes(statement).bound)
            return None
        self._leave_out(statement, *self._why_stopped(error))
        return error

    def _if(self, statement: Statement, node: ast.If) -> Exception | None:
        if self.known.may_run(node.test):
            try:
                with self._in_time():
                    holds = self._holds(statement)
                return self._block(statement, node.body if holds else node.orelse)
            except (Exception, TooSlowError) as error:
                self._leave_block_out(statement, *self._why_stopped(error))
        else:
            self._leave_block_out(statement, *self._why_refused(statement))
        return None

    def _holds(self, statement: Statement) -> bool:
        names = self.found.names
        names["__name__"], name = "__main__", names["__name__"]  # as in a notebook
        try:
            return bool(eval(statement.test, names))
        finally:
            names["__name__"] = name

    def _try(self, statement: Statement, node: ast.Try) -> Exception | None:
        """Run the body of a `try`, and the handler of what is raised in it.

        Where a part of the body is left out, nobody knows whether a handler would have run: it is left out too.
        """
        known_problems = len(self.found.problems)
        whole = all(self._is_run(statement.parts[id(inner)]) for inner in node.body)
        error = self._block(statement, node.body)
        if error is None and not whole and node.handlers:
            handlers = [inner for handler in node.handlers for inner in handler.body]
            changes, names = self.known.changes(*handlers), self._all_names()
            imported = [self.known.changes(inner).bound for inner in node.body if isinstance(inner, IMPORTS)]
            changes.bound = changes.bound.difference(*imported)
            self._leave_out(statement, "may be run or not", "Write it without `try`.", changes=changes)
            self._definitions_of(statement, handlers, names)
        elif error is not None and (handler := self._handler(node, error)):
            del self.found.problems[known_problems:]  # it was expected
            if handler.name:
                self.steps.append(ReplayStep(is_repeatable=False))
                self.found.names[handler.name] = error
            error = self._block(statement, handler.body)
            if handler.name:
                self.found.names.pop(handler.name, None)
            return self._block(statement, node.finalbody) or error
        if error is None:
            error = self._block(statement, node.orelse)
        return self._block(statement, node.finalbody) or error

    def _is_run(self, statement: Statement) -> bool:
        """Return True if a statement inside a `try` is run as it stands."""
        return isinstance(statement.node, IMPORTS + DEFINITIONS) or self._refused(statement) is None

    def _handler(self, node: ast.Try, error: Exception) -> ast.ExceptHandler | None:
        for handler in node.handlers:
            if handler.type is None:
                return handler
            with contextlib.suppress(Exception):
                kinds = eval(compile(ast.Expression(handler.type), "handler", "eval"), self.found.names)
                if isinstance(error, kinds):
                    return handler
        return None

    def _block(self, statement: Statement, block: list[ast.stmt]) -> Exception | None:
        """Run the statements of a block until one raises something."""
        return next(filter(None, (self.run(statement.parts[id(inner)]) for inner in block)), None)

    def _delete(self, statement: Statement, node: ast.Delete) -> Exception | None:
        """Take deleted names away; not functions, since a notebook's cells are not always run in order."""
        targets = [target for target in node.targets if isinstance(target, ast.Name)]
        if len(targets) < len(node.targets):
            if self._refused(statement) is None:
                return self._execute(statement)
            self._leave_out(statement, *self._why_refused(statement))
            return None
        for name in (target.id for target in targets):
            if name in self.found.names and not isinstance(self.found.names[name], FunctionType | type):
                self._note(statement, {name}, "deletes it", "Leave the deletion out.")
                self._drop({name})
        return None

    def _leave_block_out(self, statement: Statement, why: str, fix: str, needs: str = "") -> None:
        """Leave a compound statement out, but run the imports, functions and classes that it alone makes."""
        before = self._all_names()
        self._leave_out(statement, why, fix, needs)
        self._definitions_of(
            statement, [inner for block in blocks(statement.node) for inner in block], before
        )

    def _definitions_of(self, statement: Statement, inside: list[ast.stmt], before: set[str]) -> None:
        made = [name for inner in inside for name in self.known.changes(inner).bound]
        for inner in inside:
            if isinstance(inner, IMPORTS + DEFINITIONS):
                bound = self.known.changes(inner).bound
                if not bound & before and all(made.count(name) == 1 for name in bound):
                    self.run(statement.parts[id(inner)])
            else:
                parts = [part for block in blocks(inner) for part in block]
                self._definitions_of(statement.parts[id(inner)], parts, before)

    def _all_names(self) -> set[str]:
        """Return the names that were bound so far, here or in what was left out."""
        return self.found.names.keys() | self.found.left_out.keys()

    # --- what is asked of a statement, once

    def _changes(self, statement: Statement) -> Changes:
        if statement.changes is None:
            statement.changes = self.known.changes(statement.node)
        return statement.changes

    def _refused(self, statement: Statement) -> ast.AST | None:
        if statement.refused is False:
            statement.refused = self.known.refused(statement.node)
        return statement.refused

    def _is_idle(self, statement: Statement) -> bool:
        """Return True if a statement has no effect on any name, so that nothing is lost without it."""
        node = statement.node
        if isinstance(node, ast.AnnAssign):
            return node.value is None
        if not isinstance(node, ast.Expr | ast.Assert):
            return False
        changes = self._changes(statement)
        call = node.value if isinstance(node, ast.Expr) else None
        seeds = isinstance(call, ast.Call) and (self.known.dotted(call.func) or "").endswith(".seed")
        return not (changes.bound or changes.altered or changes.anything or seeds)

    # --- running, and leaving out

    def _try_to_run(self, statement: Statement) -> Exception | None:
        try:
            exec(statement.code, self.found.names)
        except Exception as error:
            self.steps.append(ReplayStep(statement.code, ran=False))
            return error
        self.steps.append(ReplayStep(statement.code))
        return None

    def _drop(self, names: Iterable[str]) -> None:
        self.steps.append(ReplayStep(dropped=frozenset(names)))
        for name in self.steps[-1].dropped:
            self.found.names.pop(name, None)

    @contextlib.contextmanager
    def _in_time(self) -> Iterator[None]:
        """Raise TooSlow inside when the processor time of this notebook's constants is used up."""
        if self.left is None:
            yield
            return
        if self.left <= 0:
            raise TooSlowError
        started, before = time.process_time(), signal.signal(signal.SIGPROF, _stop)
        signal.setitimer(signal.ITIMER_PROF, self.left)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)
            self.left -= time.process_time() - started

    def _learn(self, node: ast.stmt, bound: set[str]) -> None:
        self.known.learn(node)
        for name in bound:
            self.found.left_out.pop(name, None)
            self.found.lacks.pop(name, None)

    def _why_refused(self, statement: Statement) -> tuple[str, str]:
        part = self._refused(statement)
        called = (
            f"calls {called_function(part.func)}(...), which"
            if isinstance(part, ast.Call)
            else "is code that"
        )
        return f"{called} the grader does not run", ""

    def _why_stopped(self, error: BaseException) -> tuple[str, str, str]:
        if isinstance(error, TooSlowError):
            return "takes too long", "Write its value down, or make it inside the function.", ""
        if (
            isinstance(error, NameError)
            and error.name in self.found.left_out.keys() | self.found.lacks.keys()
        ):
            return f"uses `{error.name}`", "", error.name
        return f"stopped with {said(error)}", "Restart the kernel, run all cells and fix what it says.", ""

    def _leave_out(
        self,
        statement: Statement,
        why: str,
        fix: str,
        needs: str = "",
        changes: Changes | None = None,
    ) -> None:
        """Take away each name that a statement may change; a name that shares an object with one of them too."""
        changes, names = changes or self._changes(statement), self.found.names
        if changes.anything:
            fixed = FunctionType | type | ModuleType
            constants = {
                name for name, value in names.items() if name[:2] != "__" and not isinstance(value, fixed)
            }
            changes = Changes(changes.bound | constants, changes.altered, True, changes.extended)
        altered = {name for name in changes.altered if name in names and is_changeable(names[name])}
        if altered:
            objects = set().union(*(changeable_objects(names[name]) for name in altered))
            altered |= {name for name in names if objects & changeable_objects(names[name])}
        altered |= {name for name in changes.extended if isinstance(names.get(name), type)}
        self._note(statement, changes.bound, why, fix, needs)
        self._note(statement, altered - changes.bound, f"may change it and {why}", fix, needs)
        self.known.forget(changes, [statement.node])
        self._drop(changes.bound | altered)

    def _note(self, statement: Statement, names: set[str], why: str, fix: str, needs: str = "") -> None:
        for name in names:
            reason = LeftOut(statement.cell, statement.node.lineno, statement.text, why, fix, needs)
            if name in self.found.names or name not in self.found.left_out or not needs:
                self.found.left_out[name] = reason


def _stop(number: int, frame: object) -> None:
    raise TooSlowError


def said(error: BaseException) -> str:
    """Return an exception in one short line."""
    return f"{type(error).__name__[:80]}: {str(error)[:200]}"


def called_function(node: ast.expr) -> str:
    """Return the name of what is called, as far as it is plain."""
    names: list[str] = []
    while isinstance(node, ast.Attribute) and len(names) < 5:
        names.append(node.attr[:30])
        node = node.value
    names.append(node.id[:30] if isinstance(node, ast.Name) else "(...)")
    return ".".join(reversed(names))


def missing_module(error: BaseException) -> str:
    """Return the module or package that an import did not find as this machine does not have it; empty otherwise."""
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    top = (name or "").partition(".")[0]
    with contextlib.suppress(ValueError, ImportError):
        return top if top and importlib.util.find_spec(top) is None else ""
    return ""


def is_changeable(value: object) -> bool:
    """Return True if a statement that has only this value could change it."""
    return bool(changeable_objects(value))


def changeable_objects(value: object) -> set[int]:
    """Return the identities of all objects inside a value that can be changed; library objects are not looked into."""
    pending: list[Any] = [value]
    seen: set[int] = set()
    found: set[int] = set()
    while pending and len(seen) < MAX_WALKED:
        inner = pending.pop()
        if id(inner) in seen:
            continue
        seen.add(id(inner))
        if isinstance(inner, FunctionType):
            pending += [*(inner.__defaults__ or ()), *(inner.__kwdefaults__ or {}).values()]
            with contextlib.suppress(ValueError):  # a cell of a closure may be empty
                pending += [cell.cell_contents for cell in inner.__closure__ or ()]
        elif isinstance(inner, type):
            own = vars(inner) if inner is value and inner.__module__ == "notebook" else {}
            pending += [part for name, part in own.items() if not name.startswith("__")]
        elif isinstance(inner, np.ndarray):
            while isinstance(inner.base, np.ndarray):
                inner = inner.base
            found.add(id(inner))
        elif not isinstance(inner, FIXED):
            if not isinstance(inner, tuple | frozenset):
                found.add(id(inner))
            if isinstance(inner, CONTAINERS) or type(inner).__module__ == "notebook":
                pending += gc.get_referents(inner) if gc.is_tracked(inner) else ()
    return found
