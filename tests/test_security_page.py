"""docs/security.md: every promise names a test, and each of these exists."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
PROMISES = PAGE.partition("## What is promised")[2].partition("\n## ")[0]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows(text: str) -> list[str]:
    """Return the rows of the tables in a text, without heads and rules."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [line for line in lines if not line.startswith(("| ---", "| promise |"))]


def test_each_promise_names_a_test():
    promises = rows(PROMISES)
    assert len(promises) > 20
    assert [row for row in promises if not TEST.search(row.split(" | ")[-1])] == []


def test_each_named_test_exists():
    names = TEST.findall(PAGE)
    assert len(names) == len(set(names)) == PAGE.count("`tests/")
    for file, name in names:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, (
            f"{file}::{name}"
        )


def test_the_page_is_short():
    assert len(re.sub(r"`tests/[^`]*`", "", PAGE).split()) < 1200
