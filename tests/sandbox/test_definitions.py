"""Definitions: what of a notebook is run, what is left out, and what a student is told about it."""

import json

import numpy as np
import pytest

from autograder.sandbox.calling import as_arrays, call
from autograder.sandbox.child import Notebook
from autograder.sandbox.definitions import Definitions, define, read_statements

TRAIN = "raise SystemExit('trained')"


def read_definitions(content: bytes, file: str) -> Definitions:
    problems = []
    return define(read_statements(content, file, problems), problems)


def notebook(*sources, **extra) -> bytes:
    """A notebook of format 4 with code cells of these sources; lists stay lists."""
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": source} for source in sources]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells} | extra).encode()


def found(*sources):
    return read_definitions(notebook(*sources), "work.ipynb")


def test_imports_functions_classes_and_constants_are_kept():
    names = found(
        "import math\nfrom os import path as p",
        "BASES = 'ACGT'\nPLACE: dict = {b: i for i, b in enumerate(BASES)}\na, b = 1, [2]",
        "import numpy as np\nEYE = np.eye(4)",
        "def f(x):\n    return EYE[PLACE[x]]",
        "class C:\n    size = 3\n    def m(self): return self.size",
        "async def g(): pass",
        "try:\n    import keras_of_the_future as k\nexcept ImportError:\n    k = None",
        "if True:\n    D = 5\nelse:\n    D = 6",
    ).names
    assert list(names["f"]("C")) == [0, 1, 0, 0]
    assert names["C"]().m() == 3 and names["a"] == 1 and names["b"] == [2] and names["D"] == 5
    assert names["math"] and names["p"] and names["g"] and names["k"] is None


def test_tables_that_are_filled_step_by_step_are_whole():
    names = found(
        "place = {}\nfor i, base in enumerate('ACGT'):\n    place[base] = i\nplace['N'] = 4", "n = 1\nn += 2"
    ).names
    assert names["place"] == {"A": 0, "C": 1, "G": 2, "T": 3, "N": 4}
    assert names["n"] == 3


@pytest.mark.parametrize(
    "source",
    [
        TRAIN,
        "model.fit(x, y, epochs=10**9)",
        "history = exit('trained')",
        "x = [exit('trained') for _ in range(3)]",
        "with open('f') as f:\n    exit('trained')",
        "while True:\n    pass",
        "for epoch in range(3):\n    exit('trained')",
        "for batch in exit('trained'):\n    pass",
        "if __name__ == '__main__':\n    exit('trained')",
        "if exit('trained'):\n    x = 1",
        "try:\n    exit('trained')\nexcept ImportError:\n    pass",
        "plt.plot([1, 2]); exit('trained')",
        "assert exit('trained')",
        "del f",
        "lambda: 0",
        "%matplotlib inline",
        "%timeit exit('trained')",
        "!pip install keras",
        "files = !ls",
        "?print",
        "%%bash\nexit 1",
        "%%writefile f.py\nf = 1",
        "%%html\n<b>",
        "%%time\nexit('trained')",
        "await exit('trained')",
        "get_ipython().system('ls')",
    ],
)
def test_training_plots_magics_and_shell_lines_are_left_out(source):
    result = found("def f(): return 1", source, "def g(): return 2")
    assert result.names["f"]() == 1 and result.names["g"]() == 2
    assert not result.problems


@pytest.mark.parametrize("magic", ["%%time", "%%capture out", "\n\n%%timeit -n 1"])
def test_definitions_below_a_magic_about_the_cell_count(magic):
    assert found(f"{magic}\ndef f(): return 1").names["f"]() == 1


def test_definitions_beside_magics_and_shell_lines_count():
    result = found("%load_ext autoreload\n!pip install x\ndef f(): return 1\n%timeit f()\nN = 3")
    assert result.names["f"]() == 1 and result.names["N"] == 3 and not result.problems


def test_a_cell_with_a_syntax_error_is_named_and_the_rest_counts():
    result = found("def f(): return 1", "x = 1\ndef g(:\n    pass", "def h(): return 3")
    assert result.names["f"]() == 1 and result.names["h"]() == 3
    assert len(result.problems) == 1
    assert result.problems[0].startswith("Cell 2, line 2: ") and "still counts" in result.problems[0]


@pytest.mark.parametrize(
    "source", ["x = '\0'", "x = " + "(" * 5000 + ")" * 5000, "x = " + "-" * 100_000 + "1"]
)
def test_a_cell_that_breaks_the_parser_is_named(source):
    result = found(source, "def h(): return 3")
    assert result.names["h"]() == 3
    assert len(result.problems) == 1 and "ell 1" in result.problems[0]


def test_the_last_definition_wins_with_a_warning():
    result = found("def f(): return 1", "def f(): return 2")
    assert result.names["f"]() == 2
    assert result.problems == ["f is defined in cells 1 and 2: the last one counts."]


def test_a_definition_that_fails_is_told_and_the_rest_counts():
    result = found("import no_such_module", "def f(): return 1")
    assert result.problems == ["Cell 1, line 1: ModuleNotFoundError: No module named 'no_such_module'"]
    assert result.names["f"]() == 1


def test_a_constant_of_something_left_out_is_left_out_quietly():
    result = found("data = load()", "n = len(data)\nfirst = data[0]", "def f(): return n")
    assert not result.problems
    assert result.left_out == {"data": 1, "n": 2, "first": 2}


def test_a_name_that_was_left_out_is_named():
    values, said = call(
        found("TABLE = 1", "weights = train()", "def f(x): return x * weights"), "f", [1], as_arrays
    )
    assert not values
    assert "`weights`, which cell 2 makes outside any function" in said["reason"]
    assert "f(..., weights)" in said["hint"]


def test_a_typo_is_an_ordinary_error():
    _, said = call(found("def f(x):\n    return y"), "f", [1], as_arrays)
    assert "NameError" in said["reason"] and "(cell 1, line 2)" in said["reason"]


def test_an_unwritten_function_is_told_apart_from_a_wrong_one():
    _, said = call(found("def f(x):\n    raise NotImplementedError()"), "f", [1], as_arrays)
    assert "not written yet" in said["reason"]


@pytest.mark.parametrize(
    ("returned", "several"),
    [
        ("1", False),
        ("[1, 2]", False),
        ("[[1, 2], [3, 4]]", False),
        ("(1, [2, 3])", True),
        ("[[1], [2, 3]]", True),
    ],
)
def test_lists_of_numbers_are_arrays_and_tuples_are_several(returned, several):
    values, said = call(found(f"def f(): return {returned}"), "f", [], as_arrays)
    assert said["several"] is several
    expected = eval(returned)
    for value, other in zip(values, expected if several else [expected], strict=True):
        np.testing.assert_array_equal(value, other)


def variants() -> dict[str, bytes]:
    """One notebook as editors, exporters and years have written it."""
    lines = ["def f():\n", "    return 7"]
    cell = {"cell_type": "code", "input": lines, "language": "python", "outputs": [], "prompt_number": 1}
    bare = {"cells": [{"cell_type": "markdown", "source": "# f"}, {"cell_type": "code", "source": lines}]}
    return {
        "colab": notebook(lines, metadata={"colab": {"provenance": []}, "kernelspec": {"name": "python3"}}),
        "one string": notebook("".join(lines)),
        "other kernel": notebook(
            lines, metadata={"kernelspec": {"name": "conda-env-rnn-py", "language": "python"}}
        ),
        "stripped": json.dumps(bare).encode(),
        "format 3": json.dumps({"nbformat": 3, "worksheets": [{"cells": [cell]}]}).encode(),
        "duplicated cell": notebook(lines, lines),
        "byte order mark": b"\xef\xbb\xbf" + notebook(lines),
        "UTF-16": notebook(lines).decode().encode("utf-16"),
        "windows lines": notebook("".join(lines).replace("\n", "\r\n")),
    }


@pytest.mark.parametrize("name", variants())
def test_a_notebook_of_any_origin_is_read(name):
    assert read_definitions(variants()[name], "Copy of work (1).ipynb").names["f"]() == 7


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04",
        b"[]",
        b"{}",
        b'{"cells": 3}',
        b'{"cells": [1]}',
        b'{"cells": [{"cell_type": "code"}]}',
    ]
    + [b'{"cells": ' + b"[" * 10**5, b"\xff\xfe\x00\xd8"],
)
def test_what_is_no_notebook_is_called_so(content):
    with pytest.raises(ValueError, match="work.ipynb is not a notebook that can be read"):
        read_definitions(content, "work.ipynb")
    said, arrays = Notebook(content, "work.ipynb").reply_to({"function": "f", "arguments": [], "seed": 0}, [])
    assert "is not a notebook" in said["reason"] and not arrays and said["final"]


def test_a_python_file_is_one_cell():
    assert read_definitions(b"def f(): return 1\nprint(f())\n", "work.py").names["f"]() == 1


def test_a_function_that_could_not_be_defined_says_why():
    _, said = call(found("model = train()", "def f(x, m=model): return x"), "f", [1], as_arrays)
    assert said["reason"] == "f uses `model`, which cell 1 makes outside any function."
    _, said = call(found("def f(x, m=[][0]): return x"), "f", [1], as_arrays)
    assert said["reason"].startswith("f stopped with IndexError") and "(cell 1, line 1)" in said["reason"]
    values, _ = call(found("def f(x): return x", "def f(x, m=[][0]): return 2 * x"), "f", [1], as_arrays)
    assert values == [1]


def test_display_is_there_as_in_a_notebook():
    values, _ = call(found("def f(x):\n    display(x)\n    return x"), "f", [1], as_arrays)
    assert values == [1]
