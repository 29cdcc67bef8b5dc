"""Read the cells of a student's notebook: the one reader that the sandbox, the grader and the similarity search use."""

import json
from collections.abc import Iterator


def cells(content: bytes, file: str) -> Iterator[str]:
    """Return the source of each code cell of a notebook; a .py file is one cell."""
    return (source for kind, source, _ in all_cells(content, file) if kind == "code")


def all_cells(content: bytes, file: str) -> Iterator[tuple[str, str, dict]]:
    """Yield kind, source and metadata of each cell of a notebook, of format 3 or later."""
    if file.endswith(".py"):
        yield "code", content.decode("utf-8", "replace"), {}
        return
    try:
        notebook = json.loads(content)
        sheets = notebook.get("worksheets") or [notebook]
        for cell in (cell for sheet in sheets for cell in sheet["cells"]):
            source = "".join(cell["input" if "source" not in cell and "input" in cell else "source"])
            yield cell["cell_type"], source, dict(cell.get("metadata") or {})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError(f"{file} is not a notebook that can be read") from None
