"""Notebooks are read as honest editors save them; what is no notebook is named, in bounded time and memory."""

import json
import re
import time
import tracemalloc

import jupytext
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from autograder.submissions import Unreadable, read_all_cells, read_code_cells, strip_outputs
from autograder.submissions import _cells as module
from autograder.submissions._cells import MAX_TEXT

CODE, PROSE = (
    'greeting = "good day"  # “ä” 你好 \\ "outputs": [1]',
    '# Title\nwith "outputs": [ and \\" quotes',
)


def notebook(outputs=(), **metadata):
    parts = [
        new_code_cell(CODE, outputs=list(outputs)),
        new_markdown_cell(PROSE, metadata={"tags": ["answer:why"]}),
    ]
    return new_notebook(cells=parts, metadata=metadata)


def read(content, file="work.ipynb"):
    return [(kind, source) for kind, source, _ in read_all_cells(content, file)]


OUTPUTS = {
    "none": [],
    "stream": [new_output("stream", text='a "quoted" ] } \\ line\n' * 3)],
    "nested": [
        new_output("display_data", data={"application/json": {"outputs": [[{"outputs": []}]], "x": "]"}})
    ],
    "picture": [new_output("display_data", data={"image/png": "iVBOR" * 1000})],
    "error": [new_output("error", ename="E", evalue="\\", traceback=["\x1b[31m[", "{"])],
}


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("outputs", OUTPUTS)
def test_cells_are_those_of_nbformat_whatever_the_outputs(outputs, indent):
    content = json.dumps(notebook(OUTPUTS[outputs] * 3), indent=indent).encode()
    expected = [
        (cell.cell_type, cell.source) for cell in nbformat.reads(content.decode(), as_version=4).cells
    ]
    assert read(content) == expected
    stripped = json.loads(strip_outputs(content))
    assert stripped["cells"][0]["outputs"] is None and stripped["cells"][1]["metadata"] == {
        "tags": ["answer:why"]
    }


def in_format_3(content):
    return nbformat.writes(nbformat.convert(nbformat.reads(content, as_version=4), 3), version=3)


SAVED = {
    "utf-8": lambda text: text.encode(),
    "byte order mark": lambda text: text.encode("utf-8-sig"),
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16 without a mark": lambda text: text.encode("utf-16-le"),
    "utf-32": lambda text: text.encode("utf-32"),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "zeros behind it": lambda text: text.encode() + bytes(4096),
    "saved twice, one in the other": lambda text: text.encode() + text[-300:].encode(),
    "format 3, with worksheets": lambda text: in_format_3(text).encode(),
    "a list of lines": lambda text: nbformat.writes(nbformat.reads(text, as_version=4)).encode(),
    "a key twice": lambda text: text.replace("{", '{"cells": [], ', 1).encode(),
    "cells that are none": lambda text: text.replace('"cells": [', '"cells": [null, 7, ', 1).encode(),
    "widgets of Colab": lambda text: text.replace("{", '{"metadata": {"widgets": {"x": [1]}}, ', 1).encode(),
}


@pytest.mark.parametrize("saved", SAVED)
def test_a_notebook_is_read_however_it_was_saved(saved):
    content = SAVED[saved](json.dumps(notebook(OUTPUTS["stream"]), indent=1, ensure_ascii=False))
    [code, prose] = read(content)
    assert code == ("code", CODE)
    assert prose[0] == "markdown" and prose[1].split()[-1] == "quotes"


@pytest.mark.parametrize(
    "cell, expected",
    [
        ({"cell_type": "code"}, ("code", "")),
        ({"source": "x"}, ("raw", "x")),
        ({"cell_type": "code", "source": ["a\n", 3, "b"]}, ("code", "a\nb")),
        ({"cell_type": "code", "source": {"x": 1}, "metadata": []}, ("code", "")),
        ({"cell_type": "heading", "level": 2, "source": "T"}, ("markdown", "# T")),
    ],
)
def test_what_a_cell_lacks_costs_no_other_cell(cell, expected):
    content = json.dumps({"cells": [cell, {"cell_type": "code", "source": "x = 1"}]}).encode()
    assert read(content) == [expected, ("code", "x = 1")]


WHOLE = json.dumps(notebook(OUTPUTS["picture"]), indent=1)
CONFLICT = WHOLE.replace(' "metadata"', '<<<<<<< HEAD\n "metadata"', 1).replace(
    "nbformat", "\n>>>>>>> mine\n", 1
)
NO_NOTEBOOKS = {
    "empty": ("", "it is empty"),
    "blank": (" \n\0", "it is empty"),
    "a web page": ("\n<!DOCTYPE html><html>...</html>", "a web page.*downloads the raw file"),
    "a merge conflict": (CONFLICT, "merge conflict"),
    "a conflict in the first line": (
        f"<<<<<<< HEAD\n{WHOLE}\n=======\n{WHOLE}\n>>>>>>> b\n",
        "merge conflict",
    ),
    "cut in the code": (WHOLE[:60], "breaks off"),
    "cut in an output": (WHOLE[: WHOLE.index("iVBOR") + 99], "breaks off"),
    "cut behind a cell": (WHOLE[: WHOLE.index("outputs") - 9], "breaks off"),
    "a link to Drive": ('{"url": "https://docs.google.com/open?id=1", "doc_id": "1"}', "Google Drive"),
    "a Git LFS pointer": ("version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
    "a zip": ("PK\3\4\24\0", "zip archive"),
    "Python": ("import os\n", "plain text"),
    "a comma too many": (WHOLE.replace('"metadata": {}', '"metadata": {},,', 1), "line \\d+ is not JSON"),
    "other JSON": ('{"nodes": []}', "no list of cells"),
    "a list": ("[1, 2]", "no list of cells"),
    "a number": ("7", "no list of cells"),
    "cells that are a table": ('{"cells": {"cells": 3}}', "no list of cells"),
    "deep": ("[" * 10**6, "not a notebook"),
    "a huge number": ('{"cells": ' + "9" * 10**6 + "}", "not a notebook"),
}


@pytest.mark.parametrize("name", NO_NOTEBOOKS)
def test_what_is_no_notebook_is_named(name):
    text, message = NO_NOTEBOOKS[name]
    with pytest.raises(Unreadable) as caught:
        read(text.encode())
    said = f"{caught.value} {caught.value.hint}"
    assert said.startswith("work.ipynb is not a notebook that can be read: ") and caught.value.hint
    assert re.search(message, said), said


@pytest.mark.parametrize(
    "output",
    [
        ['"' + "A" * 10**6 + '"'] * 40,  # pictures
        ['"line of text\\n"'] * 100_000,
        ["{}"] * 20_000,
    ],
    ids=["pictures", "lines", "objects"],
)
def test_outputs_cost_little_time_and_memory(output):
    cell = b'{"cell_type": "code", "source": "x = 1", "outputs": [' + ",".join(output).encode() + b"]}"
    content = b'{"cells": [' + cell + b"]}"
    tracemalloc.start()
    started = time.process_time()
    assert [*read_code_cells(content, "work.ipynb")] == ["x = 1"]
    seconds, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 10 and peak < 2**20, "and not the size of the outputs"


HOSTILE = {
    "opened": b'{"outputs": ' + b"[" * 2**23,
    "pairs": b'{"outputs": [' + b"[]," * 2**22,
    "escapes": b'{"outputs": ["' + b'\\"' * 2**22,
    "a lone backslash": b'{"outputs": ["' + b"\\" * (2**22 + 1),
    "keys": b'{"outputs":[' * 2**19,
    "blanks": b'"outputs"' + b" " * 2**23,
    "quotes": b'"' * 2**23,
    "empty outputs": b'{"cells": [' + b'{"outputs": []},' * 2**18,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_crafted_outputs_end_soon(name, monkeypatch):
    monkeypatch.setattr(module, "MAX_BRACKETS", 100_000)
    started = time.process_time()
    with pytest.raises(Unreadable):
        read(HOSTILE[name])
    assert time.process_time() - started < 5


def test_what_is_left_without_outputs_has_a_limit():
    code = json.dumps({"cells": [{"cell_type": "code", "source": "#" * MAX_TEXT}]}).encode()
    with pytest.raises(Unreadable, match="16 MiB, at most 16 MiB are read"):
        read(code)


@pytest.mark.parametrize("style", ["py:percent", "py:hydrogen"])
def test_a_percent_script_has_the_cells_of_its_notebook(style):
    original = new_notebook(
        cells=[
            new_markdown_cell("# Title\n\nwith text"),
            new_code_cell("import os\n\n\ndef f():\n    return 1"),
            new_markdown_cell("Because.", metadata={"tags": ["answer:why"]}),
            new_code_cell("x = 2", metadata={"tags": ["mine"]}),
        ]
    )
    script = jupytext.writes(original, fmt=style)
    found = [
        (kind, source.strip(), metadata.get("tags", []))
        for kind, source, metadata in read_all_cells(script.encode(), "Work.PY")
    ]
    expected = [(cell.cell_type, cell.source, cell.metadata.get("tags", [])) for cell in original.cells]
    assert [cell for cell in found if "jupytext" not in cell[1]] == expected


def test_a_script_of_nbconvert_keeps_its_prose():
    begin = "#!/usr/bin/env python\n# coding: utf-8\n\n# # Title\n\n"
    script = begin + "# In[1]:\n\n\nx = 1\n\n\n# answer:why\n# Because.\n"
    assert read(script.encode(), "work.py")[0] == ("code", script)
    assert ("markdown", "answer:why\nBecause.") in read(script.encode(), "work.py")
    assert ("markdown", "# Title") in read(script.encode(), "work.py")


def test_a_plain_script_is_one_cell():
    assert read(b"# a comment\nx = 1\n", "work.py") == [("code", "# a comment\nx = 1\n")]
    assert read("\ufeffx = 'ä'".encode("utf-16"), "work.py")[0][1].strip("\ufeff") == "x = 'ä'"
