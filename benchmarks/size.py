"""Measure the engine's size and surface: `python benchmarks/size.py [TREE ...]` prints a column for each checkout.

What is counted is read from the source with `ast`. The docstring and type columns come from ruff and mypy, which
requirements.txt installs. tests/test_structure.py holds the limits.
"""

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHORT = 6  # lines of a helper, at most, that may cost more to look up than to read in place
Function = ast.FunctionDef | ast.AsyncFunctionDef


def engine_files(tree: Path) -> list[Path]:
    return sorted((tree / "autograder").rglob("*.py"))


def line_count(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def top_level(tree: Path) -> list[str]:
    """Return the modules and packages directly below `autograder`."""
    engine = tree / "autograder"
    modules = [path.stem for path in engine.glob("*.py") if path.name != "__init__.py"]
    return sorted([*modules, *(path.parent.name for path in engine.glob("*/__init__.py"))])


def defined_names(module: ast.Module) -> Iterator[str]:
    """Yield the functions, classes and constants that a module defines at its top level."""
    for node in module.body:
        if isinstance(node, Function | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (
                name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)
            )


def exported_names(module: ast.Module) -> list[str]:
    """Return the names in a module's `__all__`; an empty list if it has none."""
    for node in module.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def public_names(tree: Path) -> list[str]:
    """Return the names without a leading underscore in modules without one, and each package's `__all__`."""
    names = []
    for path in engine_files(tree):
        module = parse(path)
        if any(part.startswith("_") and part != "__init__.py" for part in path.relative_to(tree).parts):
            continue
        exported = exported_names(module)
        names += exported or [name for name in defined_names(module) if not name.startswith("_")]
    return names


def functions(tree: Path) -> list[tuple[Path, Function]]:
    return [
        (path, node)
        for path in engine_files(tree)
        for node in ast.walk(parse(path))
        if isinstance(node, Function)
    ]


def length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def one_use_helpers(tree: Path) -> tuple[int, int]:
    """Return the number of module-level functions of at most SHORT lines that are used once, and of all."""
    used: Counter[str] = Counter()
    for path in engine_files(tree):
        used.update(
            re.findall(
                r"\w+", re.sub(r"^\s*(def|from|import) .*", "", path.read_text(encoding="utf-8"), flags=re.M)
            )
        )
    helpers = total = 0
    for path in engine_files(tree):
        for node in parse(path).body:
            if isinstance(node, Function):
                total += 1
                body = (node.end_lineno or node.lineno) - node.body[0].lineno + 1
                helpers += body <= SHORT and used[node.name] == 1 and not node.decorator_list
    return helpers, total


def bindings(tree: Path, name: str) -> int:
    """Return how often a variable or parameter called `name` is bound."""
    return sum(
        isinstance(node, ast.Name)
        and node.id == name
        and isinstance(node.ctx, ast.Store)
        or isinstance(node, ast.arg)
        and node.arg == name
        for path in engine_files(tree)
        for node in ast.walk(parse(path))
    )


def non_imperative_docstrings(tree: Path) -> int:
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--select",
        "D401",
        "--output-format",
        "concise",
        "autograder",
    ]
    lines = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False).stdout.splitlines()
    return sum(": D401 " in line for line in lines)


def type_errors(tree: Path) -> int:
    command = [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml"]
    printed = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False).stdout
    return sum(": error: " in line for line in printed.splitlines())


def measure(tree: Path) -> dict[str, str]:
    """Return each measure of a checkout by its title."""
    lengths = sorted(length(function) for _, function in functions(tree))
    helpers, total = one_use_helpers(tree)
    api = exported_names(parse(tree / "autograder/__init__.py"))
    return {
        "lines of Python": f"{sum(map(line_count, engine_files(tree))):,}",
        "files": str(len(engine_files(tree))),
        "top-level modules and packages": str(len(top_level(tree))),
        "public module-level names": f"{len(public_names(tree)):,}",
        "names of `import autograder`": str(len(api)),
        "functions: median and longest, in lines": f"{lengths[len(lengths) // 2]} and {lengths[-1]}",
        f"helpers of at most {SHORT} lines used once": f"{helpers} of {total} ({helpers / total:.0%})",
        "variables called `one`": str(bindings(tree, "one")),
        "docstrings not imperative (D401)": str(non_imperative_docstrings(tree)),
        "mypy errors": str(type_errors(tree)),
    }


def main() -> None:
    trees = [Path(argument).resolve() for argument in sys.argv[1:]] or [ROOT]
    columns = [measure(tree) for tree in trees]
    for title in columns[0]:
        print(f"{title:<46}", *(f"{column[title]:>18}" for column in columns))


if __name__ == "__main__":
    main()
