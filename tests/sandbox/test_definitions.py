"""Definitions: what of a notebook is run, what is left out, and what a student is told about it."""

import json
import os

import numpy as np
import pytest

from autograder.sandbox._child import Notebook
from autograder.sandbox._definitions import Definer, Definitions, define, read_statements
from autograder.sandbox._invoke import as_arrays, call_function

TRAIN = "raise SystemExit('trained')"


def read_definitions(content: bytes, file: str) -> Definitions:
    problems = []
    return define(read_statements(content, file, problems), problems)


def notebook(*sources, **extra) -> bytes:
    """Return a notebook of format 4 with code cells of these sources; lists stay lists."""
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
        "with open('f') as file:\n    exit('trained')",
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
    assert {name: left.cell for name, left in result.left_out.items()} == {"data": 1, "n": 2, "first": 2}
    _, said = call_function(result, "f", [], as_arrays)
    assert "cell 2, line 1 (`n = len(data)`) uses `data`, which cell 1, line 1" in said["reason"]


def test_a_name_that_was_left_out_is_named():
    values, said = call_function(
        found("TABLE = 1", "weights = train()", "def f(x): return x * weights"), "f", [1], as_arrays
    )
    assert not values
    assert said["reason"].startswith(
        "f uses `weights`, which is not there: cell 2, line 1 (`weights = train()`)"
    )
    assert "calls train(...), which the grader does not run" in said["reason"]
    assert said["hint"].startswith("Move cell 2, line 1 into f, or write the value down")


def test_a_typo_is_an_ordinary_error():
    _, said = call_function(found("def f(x):\n    return y"), "f", [1], as_arrays)
    assert "NameError" in said["reason"] and "(cell 1, line 2)" in said["reason"]


def test_an_unwritten_function_is_told_apart_from_a_wrong_one():
    _, said = call_function(found("def f(x):\n    raise NotImplementedError()"), "f", [1], as_arrays)
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
    values, said = call_function(found(f"def f(): return {returned}"), "f", [], as_arrays)
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
    _, said = call_function(found("model = train()", "def f(x, m=model): return x"), "f", [1], as_arrays)
    assert said["reason"].startswith("f uses `model`, which is not there: cell 1, line 1 (`model = train()`)")
    _, said = call_function(found("def f(x, m=[][0]): return x"), "f", [1], as_arrays)
    assert said["reason"].startswith("f stopped with IndexError") and "(cell 1, line 1)" in said["reason"]
    values, _ = call_function(
        found("def f(x): return x", "def f(x, m=[][0]): return 2 * x"), "f", [1], as_arrays
    )
    assert values == [1]


def test_display_is_there_as_in_a_notebook():
    values, _ = call_function(found("def f(x):\n    display(x)\n    return x"), "f", [1], as_arrays)
    assert values == [1]


# --- what counts, as people write it: cells, and what f() then returns

KEPT = {
    "items": (
        "P = {b: i for i, b in enumerate('ACGT')}",
        "B = {i: b for b, i in P.items()}",
        "def f(): return len(B)",
        4,
    ),
    "split": (
        "N = '1 2 3'.split()\nM = ' '.join(N).strip().upper().replace(' ', '')",
        "def f(): return int(M)",
        123,
    ),
    "format": ("N = int('{}{}'.format(1, 2))", "def f(): return N", 12),
    "copy and keys": (
        "a = {1: 2}; b = a.copy(); b.update(x=3); K = list(b.keys())",
        "def f(): return len(K)",
        2,
    ),
    "namedtuple": (
        "from collections import namedtuple\nRun = namedtuple('Run', 'a b')\nR = Run(1, 2)",
        "def f(): return R.b",
        2,
    ),
    "NamedTuple": (
        "from typing import NamedTuple\nclass Run(NamedTuple):\n    a: int\nR = [Run(i) for i in range(3)]",
        "def f(): return R[2].a",
        2,
    ),
    "defaultdict": (
        "from collections import defaultdict\nD = defaultdict(list)\nfor w in 'a b a'.split():\n    D[w].append(1)",
        "def f(): return len(D['a'])",
        2,
    ),
    "Counter": (
        "import collections as c\nN = c.Counter('aab').most_common(1)[0][1]",
        "def f(): return N",
        2,
    ),
    "partial": (
        "from functools import partial",
        "def g(x, y): return x - y\nh = partial(g, 5)\nN = h(2)",
        "def f(): return h(N)",
        2,
    ),
    "reduce": (
        "from functools import reduce\nN = reduce(lambda a, b: a * b, [1, 2, 3, 4])",
        "def f(): return N",
        24,
    ),
    "re": ("import re\nR = re.compile(r'\\d')\nN = R.findall('1a2')", "def f(): return len(N)", 2),
    "Path": ("from pathlib import Path\nHERE = Path('.') / 'data'", "def f(): return len(HERE.parts)", 1),
    "itertools": (
        "import itertools\nK = [''.join(p) for p in itertools.product('ACGT', repeat=3)]",
        "def f(): return len(K)",
        64,
    ),
    "operator": (
        "import operator\nA = max({'a': 1, 'b': 7}.items(), key=operator.itemgetter(1))[1]",
        "def f(): return A",
        7,
    ),
    "dataclass": (
        "from dataclasses import dataclass, field\n@dataclass\nclass P:\n    v: list = field(default_factory=list)",
        "P1 = P([1, 2])",
        "def f(): return len(P1.v)",
        2,
    ),
    "enum": ("import enum\nclass Base(enum.IntEnum):\n    A = 5\nX = Base['A']", "def f(): return int(X)", 5),
    "typing": (
        "from typing import TypeVar, NewType\nT = TypeVar('T')\nV = NewType('V', list)",
        "def f() -> V: return 3",
        3,
    ),
    "Random": ("import random\nR = random.Random(3)\nX = R.random()", "def f(): return int(0 < X < 1)", 1),
    "rng": (
        "import numpy as np\nrng = np.random.default_rng(0)\nW = rng.normal(size=(2, 3))",
        "def f(): return W.size",
        6,
    ),
    "logging": (
        "import logging\nlogging.basicConfig()\nlog = logging.getLogger(__name__)",
        "def f():\n    log.debug('x')\n    return 1",
        1,
    ),
    "environ": (
        "import os\nN = int(os.environ.get('N', 3)) + len(os.path.join('a', 'b'))",
        "def f(): return N",
        6,
    ),
    "linalg": (
        "import numpy as np\nI = np.linalg.inv(2 * np.eye(2))\nS = I.sum().astype(float)",
        "def f(): return S",
        1,
    ),
    "frame": (
        "import pandas as pd\nD = pd.DataFrame({'a': [1, 2]})\nM = D['a'].mean()",
        "def f(): return M",
        1.5,
    ),
    "lambda": (
        "sig = lambda x: open(x)\nsquare = lambda x: x * x\nN = square(3)",
        "def f(): return square(N)",
        81,
    ),
    "own pure": (
        "def table(n):\n    t = []\n    for i in range(n):\n        t.append(i)\n    return t\nT = table(4)",
        "def f(): return len(T)",
        4,
    ),
    "own that prints": (
        "def table():\n    print('making')\n    return [1, 2]\nT = table()",
        "def f(): return len(T)",
        2,
    ),
    "closure": ("def make():\n    def g(): return 3\n    return g\nf = make()", 3),
    "own class": (
        "class V:\n    def __init__(self, words):\n        self.n = len(words)\n"
        "    def grow(self):\n        self.n += 1",
        "v = V('ab')\nv.grow()",
        "def f(): return v.n",
        3,
    ),
    "recursive": (
        "def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\nN = fib(10)",
        "def f(): return N",
        55,
    ),
    "while": (
        "n, steps = 27, 0\nwhile n != 1:\n    n = n // 2 if n % 2 == 0 else 3 * n + 1\n    steps += 1",
        "def f(): return steps",
        111,
    ),
    "while break": ("n = 0\nwhile True:\n    n += 1\n    if n > 4:\n        break", "def f(): return n", 5),
    "match": ("k = 'a'\nmatch k:\n    case 'a': N = 1\n    case _: N = 2", "def f(): return N", 1),
    "walrus": ("if (n := len('abc')) > 2:\n    N = n", "def f(): return N", 3),
    "try import": (
        "try:\n    import numpy as np\nexcept ImportError:\n    !pip install numpy\n    import numpy as np",
        "def f(): return np.int64(1)",
        1,
    ),
    "pip, then import": (
        "try:\n    !pip install numpy\n    import numpy as np\nexcept Exception:\n    import numpy as np",
        "def f(): return np.int64(1)",
        1,
    ),
    "colab try": (
        "try:\n    import google.colab\n    N = 1\nexcept ImportError:\n    N = 2",
        "def f(): return N",
        2,
    ),
    "colab if": (
        "import sys\nif 'google.colab' in sys.modules:\n    from google.colab import drive\n"
        "    drive.mount('/d')\n    N = 1\nelse:\n    N = 2",
        "def f(): return N",
        2,
    ),
    "colab pip": (
        "IN_COLAB = 'COLAB_GPU' in __import__('os').environ",
        "if IN_COLAB:\n    !pip install -q x",
        "def f(): return 1",
        1,
    ),
    "import fallback": (
        "try:\n    from no_such_module import tqdm\nexcept ModuleNotFoundError:\n    tqdm = lambda x: x",
        "def f(): return len(tqdm([1, 2]))",
        2,
    ),
    "main": ("if __name__ == '__main__':\n    def f(): return 1\n    f()\n    print(exit('trained'))", 1),
    "with": ("with open('f') as file:\n    N = 2\n    def f(): return N", 2),
    "in a loop": ("for k in range(2):\n    def f(): return 1\n    exit('trained')", 1),
    "in an unknown if": ("if exit('trained'):\n    import math\n    def f(): return math.floor(1.5)", 1),
    "finally": ("try:\n    pass\nfinally:\n    N = 3", "def f(): return N", 3),
    "seeded": (
        "import numpy as np\nnp.random.seed(5)\nX = np.random.rand()",
        "def f(): return round(X, 6)",
        0.221993,
    ),
    "imports on one line": ("import no_such_module, math", "def f(): return math.floor(2.5)", 2),
    "alias of a module": ("import numpy as np\nla = np.linalg\nN = la.norm([3, 4])", "def f(): return N", 5),
    "annotated": ("N: int\nN: int = len('abc')", "def f(): return N", 3),
    "vectorised": (
        "import numpy as np\ndef g(x): return x + 1\ng = np.vectorize(g)",
        "def f(): return g([1])[0]",
        2,
    ),
}


@pytest.mark.parametrize("name", KEPT)
def test_definitions_as_people_write_them_count(name):
    *sources, expected = KEPT[name]
    values, said = call_function(found(*sources), "f", [], as_arrays)
    assert "reason" not in said, said
    assert values[0] == expected


CHANGED = {  # cells that are left out in part, and the name whose value would be wrong without them
    "a loop fills a list": ("x = []\nfor line in open('f'):\n    x.append(line)", "x"),
    "a loop fills a dictionary": ("x = {}\nfor line in open('f'):\n    x[line] = 1", "x"),
    "setdefault": ("x = {}\nfor line in open('f'):\n    x.setdefault(line, []).append(1)", "x"),
    "update": ("x = {}\nx.update(load())", "x"),
    "+=": ("x = 0\nfor line in open('f'):\n    x += 1", "x"),
    "+= of a list": ("x = [1]\ny = x\nx += load()", "y"),
    "an alias": ("x = []\ny = x\nfor line in open('f'):\n    y.append(line)", "x"),
    "an alias inside": ("x = []\ny = {'k': x}\nfor line in open('f'):\n    y['k'].append(line)", "x"),
    "a holder": ("x = []\ny = (1, [x])\nx.extend(load())", "y"),
    "a view": ("import numpy as np\nx = np.zeros(4)\ny = x[1:]\ny[:] = load()", "x"),
    "a row": ("x = [[1], [2]]\nfor row in x:\n    row.append(load())", "x"),
    "rows by number": ("x = [[1], [2]]\nfor i, row in enumerate(x):\n    row[0] = load()", "x"),
    "one of two aliases": ("x = []\nfor line in open('f'):\n    n, t = 1, x\n    t.append(n)", "x"),
    "a loop's alias": ("x = []\nfor line in open('f'):\n    t = x\n    t.append(1)", "x"),
    "an alias that was left out": ("x = [0]\ny = x if load() else None\ny.append(1)", "x"),
    "del of a key": ("x = {1: 2}\ndel x[load()]", "x"),
    "del": ("x = 1\ndel x", "x"),
    "an unknown function": ("x = [1]\nfrom no_such_module import fill\nfill(x)", "x"),
    "shuffle": ("import random\nx = [1, 2]\nfor line in open('f'):\n    random.shuffle(x)", "x"),
    "own function": ("x = []\ndef fill(t, n):\n    t.append(open(n))\nfill(x, 'f')", "x"),
    "own function, by keyword": ("x = []\ndef fill(n, t):\n    for l in open(n): t.append(l)\nfill('f', t=x)", "x"),
    "own function's global": ("x = 0\ndef count():\n    global x\n    x = len(open('f').read())\ncount()", "x"),
    "own function's list": ("x = []\ndef fill():\n    x.append(open('f'))\ndef outer():\n    fill()\nouter()", "x"),
    "own function that is handed on": ("x = []\ndef fill(n): x.append(open(n))\nlist(map(fill, ['f']))", "x"),
    "method of one's own": (
        "class V:\n    def __init__(self): self.n = 0\n    def load(self): self.n = open('f')\nx = V()\nx.load()", "x"),
    "attribute": ("class V: pass\nx = V()\nx.a = 1\nx.a = load()", "x"),
    "an attribute of a class": ("class x:\n    a = 1\nx.a = load()", "x"),
    "out=": ("import numpy as np\nx = np.zeros(2)\nnp.add(load(), 1, out=x)", "x"),
    "in place": ("import pandas as pd\nx = pd.DataFrame({'a': [1]})\nx.drop(load(), inplace=True)", "x"),
    "next": ("x = iter([1, 2])\nprint(load(next(x)))", "x"),
    "globals": ("x = 1\nglobals()['x'] = load()", "x"),
    "exec": ("x = 1\nexec('x = 2')", "x"),
    "either branch": ("x = 1\nif load():\n    x = 2", "x"),
    "either handler": ("try:\n    load()\n    x = 1\nexcept Exception:\n    x = 2", "x"),
    "a handler, perhaps": ("x = 1\ntry:\n    load()\nexcept Exception:\n    x = 2", "x"),
    "stopped half way": ("x = []\nfor k in [1, 0]:\n    x.append(1 / k)", "x"),
    "a default": ("t = []\ndef x(a=t): return len(a)\nt.append(load())", "x"),
    "with": ("x = 1\nwith open('f') as x:\n    pass", "x"),
    "made anew": ("x = [1]\nx = load()", "x"),
    "unpacked": ("x, y = 1, 2\nx, y = load()", "x"),
    "magic": ("x = 1\nx = !ls", "x"),
    "own function twice": ("def x(): return 1\nx = load(x)", "x"),
    "bound method, inside": ("x = []\ndef g():\n    add = x.append\n    add(open('f'))\ng()", "x"),
    "bound method": ("x = []\nload(x.append)", "x"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGED)
def test_a_name_that_a_left_out_statement_may_change_is_named(name):
    source, changed = CHANGED[name]
    result = found(source, f"def f(): return {changed}")
    values, said = call_function(result, "f", [], as_arrays)
    assert not values and changed not in result.names
    assert said["reason"].startswith(f"f uses `{changed}`, which is not there: cell 1, line "), said
    assert said["hint"] and said["final"]


UNCHANGED = {  # what a left-out statement only looks at
    "printed": "print(x, open('f'))",
    "plotted": "import matplotlib.pyplot as plt\nplt.plot(x)\nax = plt.subplots()[1]\nax.plot(x)",
    "trained on": "model = build(3)\nmodel.fit(list(x))\nmodel.predict(x)",
    "looped over": "for v in x:\n    y = load()",
    "displayed": "display(x)",
    "measured": "n = load(len(x), sum(x), max(x))",
    "given to a function of one's own": "def show(t):\n    for v in t: open(v)\nshow(x)",
    "copied, then changed": "y = x.copy()\nfor l in open('f'): y.append(l)",
    "a name of a comprehension": "y = [x for x in open('f')]",
    "a local name": "def g():\n    x = open('f')\n    x.append(1)\ng()",
    "read beside a list that is filled": "def g():\n    a, (b, q) = x[0], (x, [])\n    q.append(open('f'))\ng()",
    "a function that is looked up in it": "def g():\n    a = x[0]\n    a(open('f'))\ng()",
    "an element that is called": "def g():\n    x[0](open('f'))\ng()",
    "of another name": "class A: pass\na = A()\na.x = load()",
}


@pytest.mark.parametrize("name", UNCHANGED)
def test_a_name_that_a_left_out_statement_only_reads_is_kept(name):
    values, said = call_function(
        found("x = [1, 2]", UNCHANGED[name], "def f(): return x"), "f", [], as_arrays
    )
    assert "reason" not in said and list(values[0]) == [1, 2], said


def test_constants_that_take_too_long_are_left_out_and_named():
    slow = "def slow():\n    n = 0\n    while n < 10**12:\n        n += 1\n    return n\nN = slow()"
    statements = read_statements(
        notebook("M = 1", slow, "def f(): return M\ndef g(): return N"), "work.ipynb", []
    )
    result = define(statements, [], seconds=0.2)
    assert call_function(result, "f", [], as_arrays)[0] == [1]
    assert "(`N = slow()`) takes too long" in call_function(result, "g", [], as_arrays)[1]["reason"]


AGAIN = """
import numpy as np
import no_such_module
shared = [1]
kept = {"a": 2}
for value in open("x"):
    shared.append(value)
try:
    import json
except ImportError:
    json = None
def f(): return shared
def g(): return kept
class Broken(no_such_module.Base): pass
total = sum(kept.values())
del total
"""


def test_a_notebook_is_defined_for_a_second_call_as_for_the_first():
    problems = []
    definer = Definer(read_statements(AGAIN.encode(), "work.py", problems), problems, 10.0)
    first, second = definer.define(), definer.define()
    assert first.names.keys() == second.names.keys() >= {"kept", "json", "f", "g"}
    assert not {"shared", "total", "Broken"} & second.names.keys()
    assert first.left_out == second.left_out and first.lacks == second.lacks
    assert first.problems == second.problems and first.failed.keys() == second.failed.keys()
    second.names["kept"]["a"] = 3
    assert definer.define().names["kept"] == {"a": 2} and second.names["f"] is not first.names["f"]


def test_code_that_ends_in_another_way_is_looked_at_anew(tmp_path):
    flag = tmp_path / "flag"
    source = f"import os\nx = [1, 2][len(os.environ.get({str(flag)!r}, ''))]\ny = [1][x - 1]\n"
    definer = Definer(read_statements(source.encode(), "work.py", []), [], 10.0)
    assert definer.define().names["y"] == 1
    os.environ[str(flag)] = "1"
    try:
        found = definer.define()
    finally:
        del os.environ[str(flag)]
    assert "y" not in found.names and "y" in found.left_out
    assert definer.define().names["y"] == 1
