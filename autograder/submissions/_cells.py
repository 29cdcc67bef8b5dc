"""Read the cells of a student's notebook: the one reader that the sandbox, the grader and the similarity search use.

Outputs, attachments and widgets are dropped from the bytes before they are parsed, so pictures cost next to nothing.
A Python script counts as a notebook: one cell, or the cells of a percent-format script.
"""

import json
import re
from collections.abc import Iterator
from pathlib import PurePath

MAX_TEXT = (
    16 * 2**20
)  # bytes of a notebook without its outputs: as values they may take twenty times the memory
MAX_BRACKETS = 2_000_000  # in the outputs of one notebook, outside of texts: about a second

DROPPED = re.compile(rb'(?<!\\)"(?:outputs|attachments|widgets)"[ \t\r\n]*:[ \t\r\n]*(?=[\[{])')
TO_BRACKET = re.compile(rb'(?s:[^\[\]{}"]++|"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z))*+[\[\]{}]')
CONFLICT = re.compile(r"(?m)^(<{7}|>{7}) ")
PERCENT = re.compile(r"(?m)^# ?%%(?=[ \t\r\n\[]|\Z)(.*)$")
EXPORTED = re.compile(r"(?m)^# In ?\[[ \d]*\]:")  # how nbconvert marks a code cell in a script
COMMENTS = re.compile(r"(?m)(?:^#.*(?:\n|\Z))+")
TAGS = re.compile(r"tags=(\[[^\]\n]*\])")
SAVE_AGAIN = "Save it again from Jupyter or Colab."
OTHER_KINDS = (  # how the text of a file begins, what it is then, and what to do
    (
        "<", "it is a web page that was saved under its name",
        "Download the file itself (on GitHub: the button that downloads the raw file) and hand that in.",
    ),
    (
        "version https://git-lfs", "it is a Git LFS pointer, not the file",
        "Run `git lfs pull` and hand in the file itself.",
    ),
    ("PK\3\4", "it is a zip archive", "Unpack it, or let its name end in .zip, and hand it in again."),
    ("%PDF", "it is a PDF", "Hand in the .ipynb file itself."),
    ("{\\rtf", "it is a text document", "Hand in the .ipynb file itself."),
)  # fmt: skip

Cell = tuple[str, str, dict]  # kind, source, metadata


class Unreadable(ValueError):
    """A file is not a notebook. `hint` says what to do."""

    def __init__(self, reason: str, hint: str = SAVE_AGAIN):
        self.hint = hint
        super().__init__(reason)


def read_code_cells(content: bytes, file: str) -> Iterator[str]:
    """Return the source of each code cell of the notebook `content`. Raises Unreadable."""
    return (source for kind, source, _ in read_all_cells(content, file) if kind == "code")


def read_all_cells(content: bytes, file: str) -> Iterator[Cell]:
    """Yield kind, source and metadata of each cell of a notebook, of format 2 or later. Raises Unreadable.

    Args:
        content: the bytes of the notebook or script.
        file: its name; one that ends in .py is a script.
    """
    if PurePath(file).suffix.lower() == ".py":
        yield from script_cells(_decoded(content))
    else:
        yield from notebook_cells(content, file)


def cell_ids(content: bytes, file: str) -> list[str]:
    """Return the id of each cell of a notebook, where Jupyter or Colab keeps it; empty for a cell without one."""
    found = []
    for cell in _parsed(content, file):
        metadata = cell.get("metadata")
        identity = cell.get("id") or (metadata.get("id") if isinstance(metadata, dict) else "")
        found.append(identity if isinstance(identity, str) else "")
    return found


def python_version(content: bytes, file: str) -> str:
    """Return the version of Python that a notebook was written with; empty if it says none, or can't be read."""
    if PurePath(file).suffix.lower() == ".py":
        return ""
    try:
        version = _notebook(content, file)["metadata"]["language_info"]["version"]
    except (Unreadable, KeyError, TypeError):
        return ""
    return version[:20] if isinstance(version, str) else ""


def notebook_cells(content: bytes, file: str) -> Iterator[Cell]:
    """Yield the cells of a notebook. Raises Unreadable."""
    for cell in _parsed(content, file):
        kind, metadata = cell.get("cell_type"), cell.get("metadata")
        source = _joined(cell.get("source", cell.get("input", "")))
        if kind == "heading":  # of format 3
            kind, source = "markdown", f"# {source}"
        yield kind if isinstance(kind, str) else "raw", source, metadata if isinstance(metadata, dict) else {}


def _parsed(content: bytes, file: str) -> list[dict]:
    """Return the cells as JSON has them; what is not a table among them is passed over."""
    return _notebook(content, file)["all cells"]


def _notebook(content: bytes, file: str) -> dict:
    """Return the notebook as JSON has it, with the cells of all its worksheets. Raises Unreadable."""
    text = strip_outputs(content).decode("utf-8", "replace").strip("\x00 \t\r\n")
    try:
        notebook, _ = json.JSONDecoder().raw_decode(text)
        sheets = notebook.get("worksheets") or [notebook]
        found = [cell for sheet in sheets for cell in [*sheet["cells"]] if isinstance(cell, dict)]
        if not all(isinstance(sheet["cells"], list) for sheet in sheets):
            raise TypeError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, MemoryError) as error:
        what, hint = _diagnosis(text, error)
        raise Unreadable(f"{file} is not a notebook that can be read: {what}", hint) from None
    return notebook | {"all cells": found}


def strip_outputs(content: bytes) -> bytes:
    """Return the notebook as UTF-8 without its outputs, attachments and widgets, in linear time.

    Raises Unreadable if more than MAX_TEXT bytes are left, or if the outputs have more than MAX_BRACKETS.
    """
    content = _utf8(content)
    kept, position, brackets = [], 0, 0
    while match := DROPPED.search(content, position):
        kept += [content[position : match.end()], b"null"]
        position, depth = match.end(), 0
        while bracket := TO_BRACKET.match(content, position):
            position = bracket.end()
            depth += 1 if content[position - 1] in b"[{" else -1
            brackets += 1
            if depth == 0:
                break
            if brackets > MAX_BRACKETS:
                raise Unreadable(
                    "The outputs of your notebook are too large", "Clear them and save it again."
                )
        else:  # it breaks off within an output
            position = len(content)
    kept.append(content[position:])
    size = sum(map(len, kept))
    if size > MAX_TEXT:
        reason = f"{size >> 20} MiB, at most {MAX_TEXT >> 20} MiB are read"
        hint = "Keep data and pictures out of its cells, save it and hand it in again."
        raise Unreadable(f"Your notebook is too large, even without its outputs: {reason}", hint)
    return b"".join(kept)


def script_cells(text: str) -> Iterator[Cell]:
    """Yield the cells of a Python script.

    Percent-format scripts have the cells that their `# %%` lines begin. Any other script is one code cell, followed
    by the Markdown that it holds as comments: each block of comments in a script that nbconvert wrote, elsewhere
    those that begin with `# answer:`.
    """
    title, *rest = PERCENT.split(text)
    if not rest:
        yield "code", text, {}
        blocks = (_uncommented(block[0]) for block in COMMENTS.finditer(text))
        is_exported = EXPORTED.search(text)
        for block in blocks:
            if block.startswith("answer:") or (is_exported and not EXPORTED.match(f"# {block}")):
                yield "markdown", block, {}
        return
    if title.strip():
        yield "code", title, {}
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        if re.search(r"\[(markdown|md|raw)\]", title):
            yield "raw" if "[raw]" in title else "markdown", _uncommented(body), _tags(title)
        else:
            yield "code", body.removeprefix("\r").removeprefix("\n"), _tags(title)


def _tags(title: str) -> dict:
    match = TAGS.search(title)
    try:
        return {"tags": json.loads(match[1])} if match else {}
    except ValueError:
        return {}


def _uncommented(text: str) -> str:
    """Return the Markdown that is written as comments, or in triple quotes."""
    text = text.strip()
    if text[:3] in ('"""', "'''") and text.endswith(text[:3]):
        return text[3:-3].strip()
    return "\n".join(line.removeprefix("#").removeprefix(" ").rstrip() for line in text.splitlines())


def _joined(source: object) -> str:
    """Return a cell's source, which is one text or a list of lines."""
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""


def _utf8(content: bytes) -> bytes:
    """Return JSON in UTF-8, whichever Unicode encoding it has; without a byte order mark."""
    encoding = json.detect_encoding(content)
    if encoding in ("utf-8", "utf-8-sig"):
        return content.removeprefix(b"\xef\xbb\xbf")
    return content.decode(encoding, "replace").encode("utf-8", "replace")


def _decoded(content: bytes) -> str:
    """Return the text of a script; one that is not UTF-8 keeps what can be read of it."""
    marks = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    encoding = next((name for mark, name in marks.items() if content.startswith(mark)), "utf-8")
    return content.decode(encoding, "replace")


def _diagnosis(text: str, error: Exception) -> tuple[str, str]:
    """Return what is there in place of a notebook, and what to do."""
    if CONFLICT.search(text):
        hint = "Keep one version of each marked part, open it in Jupyter, save it and hand it in again."
        return "it holds the markers of a Git merge conflict (<<<<<<<, >>>>>>>)", hint
    for start, what, hint in OTHER_KINDS:
        if text.startswith(start):
            return what, hint
    if not isinstance(error, json.JSONDecodeError):
        if isinstance(error, KeyError | TypeError | AttributeError):
            return _other_json(text[:2_000])
        return "it is not JSON that a notebook has", SAVE_AGAIN
    if not text:
        return "it is empty", "Save your notebook and hand it in again."
    if not text.startswith(("{", "[")):
        return "it is plain text, not a notebook", "Hand in the .ipynb file as Jupyter or Colab saves it."
    if not text.endswith(("}", "]")) or error.pos >= len(text) - 1:
        return "it breaks off before its end", "Save it, wait until it is uploaded, and check its size."
    return f"line {error.lineno} is not JSON", SAVE_AGAIN


def _other_json(start: str) -> tuple[str, str]:
    if '"doc_id"' in start or ('"url"' in start and "google" in start):
        hint = "In Colab, choose File > Download > Download .ipynb, and hand that file in."
        return "it is a link to a file on Google Drive", hint
    return "it has no list of cells", SAVE_AGAIN
