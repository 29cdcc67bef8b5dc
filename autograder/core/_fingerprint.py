"""What a score rests on, as digests; an item's by its own code, so that a change elsewhere runs it not again.

Read from the rubric's syntax tree, generously: a name counts wherever it stands. What can't be followed (an item that
no function at the top of the file makes, code that looks names up by text) rests on the whole file.
"""

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

LOOKED_UP = {"globals", "locals", "vars", "eval", "exec", "__import__"}


def item_digests(rubric: Path) -> dict[str, str]:
    """Return a digest for each top-level function of the rubric, of all code it can reach; "" for the file.

    Comments and blank lines do not count. Raises SyntaxError where it is no Python.
    """
    statements = [node for node in ast.parse(rubric.read_bytes()).body if not is_text(node)]
    makers: dict[str, set[int]] = {}
    for place, node in enumerate(statements):
        for name in names_made(node):
            makers.setdefault(name, set()).add(place)
    for_all = {place for place, node in enumerate(statements) if not names_made(node)}
    dumps = [ast.dump(node).encode() for node in statements]
    whole = digest(*dumps)
    codes = {"": whole}
    for node in statements:
        if isinstance(node, ast.FunctionDef):
            places = reachable_statements(makers[node.name] | for_all, statements, makers)
            known = not LOOKED_UP & set().union(*(names_in(statements[place]) for place in places))
            codes[node.name] = digest(*(dumps[place] for place in sorted(places))) if known else whole
    return codes


def reachable_statements(
    places: set[int], statements: list[ast.stmt], makers: dict[str, set[int]]
) -> set[int]:
    """Return these statements and all that make a name which one of them uses."""
    found, fresh = set(places), set(places)
    while fresh:
        names = set().union(*(names_in(statements[place]) for place in fresh))
        fresh = set().union(*(makers.get(name, ()) for name in names)) - found
        found |= fresh
    return found


def is_text(node: ast.stmt) -> bool:
    """Return True if a statement is a docstring, or another text that does nothing."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def names_in(node: ast.stmt) -> set[str]:
    """Every name that stands in a statement."""
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}


def names_made(node: ast.stmt) -> set[str]:
    """Return the names that a top-level statement makes or changes; none if its effect is unknown."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names} - {"*"}
    return set(names_stored(node))


def names_stored(node: ast.stmt) -> Iterator[str]:
    """Return the names stored in a statement, and those whose parts are: `table["a"] = 1` changes `table`."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
            yield from names_made(inner)  # under an `if`
        if isinstance(getattr(inner, "ctx", None), ast.Store):
            while isinstance(inner, ast.Subscript | ast.Attribute):
                inner = inner.value
            if isinstance(inner, ast.Name):
                yield inner.id


def digest(*parts: bytes) -> str:
    """SHA-256 of several parts, each told from the next."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()
