"""What a statement of a notebook would do, read off its syntax tree: may it be run, and which names may it change?

Both answers are cautious: what is not known to be quick and harmless is not run, and a name that a statement may
change counts as changed. Nothing here runs student code.
"""

import ast
import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Any, cast

from autograder.sandbox._safe_calls import CALLING, CHANGING, SAFE_METHODS, is_changing, is_safe, matches

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Summaries = dict[int, "Changes"]  # what functions change, by the identity of their nodes
MAX_CACHED = 20_000  # statements whose parts and names are kept
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
HANDING_ON = frozenset({  # calls whose result holds the objects that they are given
    "asanyarray", "asarray", "atleast_1d", "deque", "dict", "enumerate", "filter", "getattr", "iter", "list", "map",
    "next", "ravel", "reshape", "reversed", "set", "setdefault", "sorted", "squeeze", "tuple", "zip",
})  # fmt: skip
IN_EVERY_CELL = {"display": "IPython.display.display", "get_ipython": "IPython.get_ipython"}
NAMESPACES = ("globals", "locals", "vars")


@dataclass
class Changes:
    """What a statement may change: names that it binds, names whose objects it alters, or anything at all.

    extended: names whose attributes it sets, which changes even a class.
    """

    bound: set[str] = field(default_factory=set)
    altered: set[str] = field(default_factory=set)
    anything: bool = False
    extended: set[str] = field(default_factory=set)


@dataclass
class Known:
    """What the statements so far say of the names of a notebook.

    imported: the dotted name that a name stands for; functions and classes: the syntax tree of the student's own;
    other: names that stand for anything else; sources: names whose objects another name may share.
    """

    imported: dict[str, str] = field(default_factory=lambda: dict(IN_EVERY_CELL))
    functions: dict[str, Function] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    other: set[str] = field(default_factory=set)
    sources: dict[str, set[str]] = field(default_factory=dict)

    def learn(self, node: ast.stmt) -> None:
        """Take over what a statement that was run says of the names it binds."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                self._set(alias.asname or top, dotted=alias.name if alias.asname else top)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                self._set(alias.asname or alias.name, dotted=f"{node.module}.{alias.name}")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self._set(node.name, function=node)
        elif isinstance(node, ast.ClassDef):
            self._set(node.name, own_class=node)
        else:
            for name in bound_names(node):
                self._set(name)
            if (
                isinstance(node, ast.Assign)
                and len(node.targets) == 1
                and isinstance(node.targets[0], ast.Name)
            ):
                self._learn_alias(node.targets[0].id, node.value)

    def _learn_alias(self, name: str, value: ast.expr) -> None:
        """`L = keras.layers`, `g = f`, `g = lambda x: x` and `g = partial(f, 1)`."""
        if isinstance(value, ast.Call) and value.args and self.dotted(value.func) == "functools.partial":
            value = value.args[0]
        if isinstance(value, ast.Lambda):
            self._set(name, function=value)
        elif isinstance(value, ast.Name | ast.Attribute):
            own = value.id if isinstance(value, ast.Name) else ""
            self._set(name, self.dotted(value), self.functions.get(own), self.classes.get(own))

    def _set(
        self,
        name: str,
        dotted: str | None = None,
        function: Function | None = None,
        own_class: ast.ClassDef | None = None,
    ) -> None:
        tables: list[tuple[dict[str, Any], Any]] = [
            (self.imported, dotted), (self.functions, function), (self.classes, own_class)
        ]  # fmt: skip
        for table, value in tables:
            table.pop(name, None)
            if value:
                table[name] = value
        self.sources.pop(name, None)
        (self.other.discard if dotted or function or own_class else self.other.add)(name)

    def forget(self, changes: "Changes", nodes: Iterable[ast.AST]) -> None:
        """Take over that statements which were not run may have bound names to anything."""
        for name in changes.bound:
            self._set(name)
        for node in nodes:
            for name, others in sources_of(node).items():
                self.sources.setdefault(name, set()).update(others - {name})

    def dotted(self, node: ast.expr, local: frozenset[str] = frozenset()) -> str | None:
        """Return the dotted name of what an expression such as `np.linalg.inv` stands for, if it is imported."""
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value, local)
            return base and f"{base}.{node.attr}".replace("tensorflow.keras.", "keras.", 1)
        if not isinstance(node, ast.Name) or node.id in local:
            return None
        own = node.id in self.functions or node.id in self.classes or node.id in self.other
        if node.id in self.imported or own:
            return self.imported.get(node.id)
        return f"builtins.{node.id}" if hasattr(builtins, node.id) else None

    # --- may it be run?

    def may_run(self, node: ast.AST) -> bool:
        """Return whether a statement or expression makes safe calls only."""
        return self.refused(node) is None

    def refused(self, node: ast.AST) -> ast.AST | None:
        """Return the part of a statement or expression because of which it is not run, if there is one."""
        return next(self._refusals(node, frozenset(), set()), None)

    def _refusals(self, node: ast.AST, local: frozenset[str], seen: set[int]) -> Iterator[ast.AST]:
        for inner in walk(node):
            if isinstance(inner, ast.Await | ast.AsyncFor | ast.AsyncWith | ast.Raise):
                yield inner
            elif isinstance(inner, ast.While) and isinstance(inner.test, ast.Constant):
                if not any(isinstance(part, ast.Break) for part in walk(inner)):
                    yield inner
            elif isinstance(inner, ast.Call) and not self._is_safe_call(inner, local, seen):
                yield inner

    def _is_safe_call(self, call: ast.Call, local: frozenset[str], seen: set[int]) -> bool:
        name = self.dotted(call.func, local)
        if name is None:
            return self._is_safe_own(call.func, local, seen)
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        return is_safe(name) and (
            not matches(name, CALLING) or all(self._is_safe_argument(a, local, seen) for a in arguments)
        )

    def _is_safe_argument(self, node: ast.expr, local: frozenset[str], seen: set[int]) -> bool:
        """Return True if a function that is handed to one that calls it may be called."""
        if isinstance(node, ast.Lambda):
            return self._is_safe_body(node, local, seen)
        name = self.dotted(node, local)
        if name:
            return is_safe(name)
        return (
            not isinstance(node, ast.Name) or node.id in local or self._is_safe_own(node, local, seen, True)
        )

    def _is_safe_own(
        self, function: ast.expr, local: frozenset[str], seen: set[int], is_value: bool = False
    ) -> bool:
        """Return True if a function, class or method of the notebook itself makes safe calls only."""
        if isinstance(function, ast.Attribute):
            own = [*self._methods(function.attr)]
            return (function.attr in SAFE_METHODS or bool(own)) and all(
                self._is_safe_body(method, local, seen) for method in own
            )
        if not isinstance(function, ast.Name):
            return False
        name = function.id
        if name in local:
            return False
        if name in self.functions:
            return self._is_safe_body(self.functions[name], frozenset(), seen)
        if name in self.classes:
            bodies = [*self._methods("__init__"), *self._methods("__post_init__")]
            return all(self._is_safe_body(body, frozenset(), seen) for body in bodies)
        return is_value or name[:1].isupper()  # a named tuple, say: it was made by safe calls or is not there

    def _is_safe_body(self, function: Function, local: frozenset[str], seen: set[int]) -> bool:
        if id(function) in seen:  # it calls itself, or was looked at for an earlier call
            return True
        seen.add(id(function))
        body = body_of(function)
        inner = local.union(parameters(function), *map(bound_names, body))
        return not any(True for node in body for _ in self._refusals(node, inner, seen))

    def _methods(self, name: str) -> Iterator[Function]:
        for own_class in self.classes.values():
            for node in own_class.body:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
                    yield node

    # --- what does it change?

    def changes(self, *nodes: ast.AST) -> Changes:
        """Return what statements may change, also by the student's own functions that they call."""
        changes, sources = Changes(), dict(self.sources)
        for node in nodes:
            changes.bound |= bound_names(node)
            self._note_changes(node, changes, {})
            sources |= {name: others | sources.get(name, set()) for name, others in sources_of(node).items()}
        changes.altered = with_sources(changes.altered, sources)
        return changes

    def _note_changes(self, node: ast.AST, changes: Changes, summaries: Summaries) -> None:
        for inner in all_parts(node):
            if isinstance(inner, ast.Attribute | ast.Subscript) and not isinstance(inner.ctx, ast.Load):
                changes.altered |= roots(inner.value)
                changes.anything |= is_namespace(inner.value)
                if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name):
                    changes.extended.add(inner.value.id)
            elif isinstance(inner, ast.AugAssign):
                changes.altered |= roots(inner.target)
            elif isinstance(inner, ast.Call):
                self._note_call(inner, changes, summaries)

    def _note_call(self, call: ast.Call, changes: Changes, summaries: Summaries) -> None:
        name, arguments = self.dotted(call.func), [*call.args, *(keyword.value for keyword in call.keywords)]
        self._note_arguments(call, changes, summaries)
        if name is not None:
            changes.anything |= name == "builtins.exec"
            if matches(name, CHANGING) and call.args:
                changes.altered |= roots(call.args[0])
        elif isinstance(call.func, ast.Attribute):
            self._note_method(call, changes, summaries)
        elif isinstance(call.func, ast.Name) and call.func.id in self.functions:
            self._note_function(self.functions[call.func.id], call, changes, summaries)
        elif isinstance(call.func, ast.Name) and call.func.id in self.classes:
            for method in self._methods("__init__"):
                self._note_function(method, None, changes, summaries)
        else:  # who knows what it does
            own = set() if isinstance(call.func, ast.Subscript) else roots(call.func)
            changes.altered |= {called(name) for name in own}.union(*map(roots, arguments))

    def _note_arguments(self, call: ast.Call, changes: Changes, summaries: Summaries) -> None:
        """Note what `out=` and `inplace=` change, and functions that are handed on, as they may be called."""
        for keyword in call.keywords:
            if keyword.arg in ("out", "inplace"):
                changes.altered |= roots(keyword.value) | roots(call.func)
        for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
            if isinstance(argument, ast.Attribute) and is_changing(argument.attr):
                changes.altered |= roots(argument.value) if self.dotted(argument) is None else set()
            elif isinstance(argument, ast.Name) and argument.id in self.functions:
                self._note_function(self.functions[argument.id], None, changes, summaries)

    def _note_method(self, call: ast.Call, changes: Changes, summaries: Summaries) -> None:
        func = cast(ast.Attribute, call.func)
        method, receiver = func.attr, func.value
        own = [*self._methods(method)]
        for function in own:
            self._note_function(function, call, changes, summaries, receiver)
        if method == "run_line_magic" and call.args:
            changes.anything |= isinstance(call.args[0], ast.Constant) and call.args[0].value == "run"
        if not own and is_changing(method):
            changes.altered |= roots(receiver)
            changes.anything |= is_namespace(receiver)
        if method == "shuffle":
            changes.altered |= set().union(*map(roots, call.args))

    def _note_function(
        self,
        function: Function,
        call: ast.Call | None,
        changes: Changes,
        summaries: Summaries,
        receiver: ast.expr | None = None,
    ) -> None:
        """Note what a call of the student's own function changes: globals, and the objects that it is given."""
        if id(function) not in summaries:
            summaries[id(function)] = Changes()  # for a function that calls itself
            summaries[id(function)] = self._summary(function, summaries)
        inner, names = summaries[id(function)], [*parameters(function)]
        changes.anything |= inner.anything
        changes.bound |= inner.bound
        changes.altered |= inner.altered.difference(names)
        changes.extended |= inner.extended.difference(names)
        if call:
            positional = ([] if receiver is None else [receiver]) + call.args
            given = dict(zip(names, positional, strict=False))
            given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
            for parameter in inner.altered & given.keys():
                changes.altered |= roots(given[parameter])

    def _summary(self, function: Function, summaries: Summaries) -> Changes:
        """Return what a function's body changes: globals that it binds, globals and parameters that it alters."""
        body, inner = body_of(function), Changes()
        sources: dict[str, set[str]] = {}
        for node in body:
            self._note_changes(node, inner, summaries)
            for target, others in sources_of(node).items():
                sources.setdefault(target, set()).update(others)
        parts = [part for node in body for part in all_parts(node)]
        declared = {name for part in parts if isinstance(part, ast.Global) for name in part.names}
        bound = set(chain.from_iterable(map(bound_names, body)))
        local = bound - declared - set(parameters(function))
        return Changes(
            inner.bound | bound & declared, with_sources(inner.altered, sources) - local, inner.anything
        )


def body_of(function: Function) -> list[ast.AST]:
    """Return the statements of a function; a lambda's expression."""
    return [function.body] if isinstance(function, ast.Lambda) else [*function.body]


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts of a statement that run with it: not the bodies of functions that it defines."""
    pending = [node]
    while pending:
        inner = pending.pop()
        yield inner
        if isinstance(inner, SCOPES):
            arguments = inner.args
            pending += [default for default in (*arguments.defaults, *arguments.kw_defaults) if default]
            pending += getattr(inner, "decorator_list", [])
        else:
            pending += ast.iter_child_nodes(inner)


@lru_cache(maxsize=MAX_CACHED)
def all_parts(node: ast.AST) -> tuple[ast.AST, ...]:
    """Return what `ast.walk` yields. A statement is looked at again for each call of a function."""
    return tuple(ast.walk(node))


@lru_cache(maxsize=MAX_CACHED)
def bound_names(node: ast.AST) -> frozenset[str]:
    """Return the names that a statement binds in its own scope, or deletes."""
    return frozenset(_bound_names(node))


def _bound_names(node: ast.AST) -> Iterator[str]:
    pending = [node]
    while pending:
        inner = pending.pop()
        if isinstance(inner, ast.Name) and not isinstance(inner.ctx, ast.Load):
            yield inner.id
        elif isinstance(inner, DEFINITIONS):
            yield inner.name
            continue
        elif isinstance(inner, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in inner.names)
        elif isinstance(inner, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and inner.name:
            yield inner.name
        elif isinstance(inner, ast.MatchMapping) and inner.rest:
            yield inner.rest
        if isinstance(inner, COMPREHENSIONS):  # their own names stay inside, those of := do not
            pending += [part for part in ast.walk(inner) if isinstance(part, ast.NamedExpr)]
        elif not isinstance(inner, ast.Lambda):
            pending += ast.iter_child_nodes(inner)


def parameters(function: Function) -> Iterator[str]:
    """Yield the names of a function's parameters, those by position first."""
    arguments = function.args
    named = [
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ]
    return (argument.arg for argument in named if argument)


def roots(node: ast.expr) -> set[str]:
    """Return the names whose objects an expression may hand on; what a function returns is taken to be new."""
    names: set[str] = set()
    pending: list[ast.AST] = [node]
    while pending:
        inner = pending.pop()
        if isinstance(inner, ast.Name):
            names.add(inner.id)
        elif isinstance(inner, ast.Call):
            called = getattr(inner.func, "attr", "") or getattr(inner.func, "id", "")
            pending += [inner.func.value] if isinstance(inner.func, ast.Attribute) else []
            pending += inner.args if called in HANDING_ON else []
        elif not isinstance(inner, ast.Lambda):
            pending += ast.iter_child_nodes(inner)
    return names


def sources_of(node: ast.AST) -> dict[str, set[str]]:
    """Return, for each name that a statement assigns, the names whose objects it may then share."""
    sources: dict[str, set[str]] = {}
    for inner in all_parts(node):
        pairs: list[tuple[ast.expr | None, ast.expr | None]]
        if isinstance(inner, ast.Assign):
            pairs = [pair for target in inner.targets for pair in pairs_of(target, inner.value)]
        elif isinstance(inner, ast.AnnAssign | ast.NamedExpr):
            pairs = [(inner.target, inner.value)]
        elif isinstance(inner, ast.For | ast.AsyncFor | ast.comprehension):
            pairs = [(inner.target, inner.iter)]
        elif isinstance(inner, ast.withitem):
            pairs = [(inner.optional_vars, inner.context_expr)]
        else:
            continue
        for target, value in pairs:
            if value and isinstance(target, ast.Name | ast.Tuple | ast.List | ast.Starred):
                is_looked_up = isinstance(value, ast.Subscript)  # `a = functions[name]`: not `a = x.append`
                for name in bound_names(target):
                    sources.setdefault(name, set()).update(roots(value))
                    if not is_looked_up:
                        sources.setdefault(called(name), set()).update(roots(value))
    return sources


def called(name: str) -> str:
    """Return what stands for a name that is called, and so changes itself or whose method it is, in `altered`."""
    return f"{name}()"


def pairs_of(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """Return each target of an assignment with its value: `a, b = x, y` gives `a` and `x`, `b` and `y`."""
    kinds = ast.Tuple | ast.List
    if not (isinstance(target, kinds) and isinstance(value, kinds) and len(target.elts) == len(value.elts)):
        return [(target, value)]
    if any(isinstance(part, ast.Starred) for part in (*target.elts, *value.elts)):
        return [(target, value)]
    parts = zip(target.elts, value.elts, strict=True)
    return [pair for part, of in parts for pair in pairs_of(part, of)]


def with_sources(names: set[str], sources: dict[str, set[str]]) -> set[str]:
    """Return the names, and all whose objects they may share."""
    names, pending = set(names), list(names)
    while pending:
        more = sources.get(pending.pop(), set()) - names
        names |= more
        pending += more
    return {name.removesuffix("()") for name in names}


def is_namespace(node: ast.expr) -> bool:
    """Return True if an expression is `globals()` or its like, through which any name can be changed."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMESPACES


def blocks(node: ast.stmt) -> Iterable[list[ast.stmt]]:
    """Return the blocks of statements inside a compound statement."""
    inside = [getattr(node, name, []) for name in ("body", "orelse", "finalbody")]
    inside += [part.body for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ()))]
    return [block for block in inside if block]
