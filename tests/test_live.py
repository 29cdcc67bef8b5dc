"""`check` in a notebook says what the grader will say, and leaves the student's process as it was."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from toy import write
from traitlets.config import Config

from autograder import notebook_checks as live
from autograder.core import CourseError, find_course, own, read_course
from autograder.data import practice_data
from autograder.grading import Grader
from autograder.reports import section_html
from autograder.rubric import Report, Score
from autograder.submissions import RawSubmission

ROOT = Path(__file__).parents[1]
SLUG = "lab"
STUDENT, FOLDER = "ann.lee", "lee_ann_12345"
BEGIN = f"""STUDENT = "{STUDENT}"
from autograder.notebook_checks import start_checks
rubric, check = start_checks("{SLUG}", STUDENT)"""
RUBRIC = '''
import numpy as np

from autograder.rubric import Credit, hidden, item; from autograder.core import Failure, own


def told(value):
    """All that there is to know of what a call returned."""
    if isinstance(value, tuple):
        return [told(one) for one in value]
    return f"{value.dtype.str} {value.shape} {value.tolist()}" if value.size < 9 else f"{value.shape}"


@item(points=4, section="arrays")
def doubles(submission):
    """double(x): twice as much."""
    x = np.arange(4, dtype=np.int16).reshape(2, 2)
    came = submission.call("double", x)
    if x.tolist() != [[0, 1], [2, 3]]:
        raise ValueError("the grader's own x is another one now")
    if told(came) != told(2 * x):
        raise Failure(f"double gives {told(came)}.", "Think twice.")


@item(points=2, section="arrays")
def doubles_again(submission):
    """double(x): twice as much, of whatever it is."""
    came = submission.call("double", 1.5), submission.call("double", 1.5)
    return Credit(0.5, f"double gives {told(came)}.", "It should give the same.")


@item(points=2, section="numbers")
def knows_its_number(submission):
    """mine(): the number that is yours."""
    if submission.call("mine") != own(submission.signed, "number").integers(100):
        raise Failure("mine() gives another one's number.")


@item(points=1, bonus=True)
def wins_at_the_lab(submission):
    """A bet on data that nobody has seen."""
    hidden("numbers")


@item(points=1)
def takes_notes(submission):
    """note.txt is there."""
    submission.read("note.txt")
'''
DOUBLE = "def double(x):\n    return 2 * x"
NOTEBOOKS = {
    "right": [DOUBLE, f"import numpy as np\ndef mine():\n    return {own(STUDENT, 'number').integers(100)}"],
    "wrong": ["def double(x):\n    return x + 1", "def mine(): return -1"],
    "raises": ["def double(x):\n    y = 1\n    return x / [][0]", "def mine(): raise ValueError('<b>'+ 'x' * 999)"],
    "missing": ["x = 3"],
    "not a function": ["double = 3", "class mine:\n    pass"],
    "unwritten": ["def double(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"],
    "a variable from elsewhere": ["def make(): return 2", "factor = make()", "def double(x): return factor * x"],
    "a default from elsewhere": ["factor = int(float('2')) * abs(1)", "def double(x, y=factor): return y * x"],
    "a constant": ["FACTOR = [2]", "def double(x): return FACTOR[0] * x"],
    "a typo": ["def double(x): return 2 * y"],
    "ragged": ["def double(x): return [[1], [2, 3]]"],
    "a tuple": ["def double(x): return x, 2 * x, 1"],
    "an integer": ["def double(x): return 3"],
    "a boolean": ["def double(x): return True"],
    "a list": ["def double(x): return [[2 * float(n) for n in row] for row in x]"],
    "a sparse matrix": ["from scipy.sparse import csr_array\ndef double(x): return csr_array([[1, 2], [3, 0]])"],
    "big-endian, turned round": ["import numpy as np\ndef double(x): return np.ones((3, 2), '>f4').T"],
    "a frame": ["import pandas as pd\ndef double(x): return pd.DataFrame({'a': [1, 2]})"],
    "text": ["def double(x): return 'twice'"],
    "nothing": ["def double(x):\n    print('forgot to return')"],
    "an empty tuple": ["def double(x): return ()"],
    "too many": ["def double(x): return tuple(range(65))"],
    "too large": ["import numpy as np\ndef double(x): return np.zeros(2**24)"],
    "nine axes": ["import numpy as np\ndef double(x): return np.zeros((1,) * 9)"],
    "its argument changed": ["import numpy as np\ndef double(x):\n    x = np.asarray(x)\n    x *= 2\n    return x"],
    "state kept": ["calls = []", "def double(x):\n    calls.append(x)\n    return len(calls)"],
    "random": ["import random, numpy as np\ndef double(x): return random.random(), np.random.rand(), np.zeros(9)"],
    "displays": ["def double(x):\n    display(x)\n    return 2 * x"],
    "prints": ["def double(x):\n    print('\\x1b[31mx is', x)\n    return 2 * x"],
    "exits": ["import sys\ndef double(x): sys.exit(3)", "def mine(): raise SystemExit('bye')"],
    "recursion": ["def double(x): return double(x)"],
    "a file": ["def double(x): return len(open('note.txt').read())"],
    "defined twice": ["def double(x): return x", DOUBLE],
    "magics": ["%config InlineBackend.rc = {}\nimport math", "%%time\ndef double(x):\n    return 2 * x"],
    "two cells of syntax errors": ["def double(x):\n    return 2 * x", "def mine(:", "1 +"],
    "signed by another": ["def mine(): return 1", 'STUDENT = "bob"'],
    "not signed": ["def mine(): return 1", "STUDENT = ..."],
}  # fmt: skip


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """Return a course with the assignment `lab`; the current folder is the student's, inside of it."""
    entry = f'[[assignment]]\nslug = "{SLUG}"\ntitle = "Lab"\npoints = 9\n'
    write(tmp_path / "course.toml", f'title = "Toy"\n{entry}')
    write(tmp_path / "assignments" / SLUG / "rubric.py", RUBRIC)
    note = write(tmp_path / FOLDER / "note.txt", "a note")
    monkeypatch.chdir(note.parent)
    return read_course(tmp_path).assignments[0]


@pytest.fixture
def shell(lab, monkeypatch):
    """`shell(*cells)` runs cells as a notebook does and gives what `check` displayed; an error in one is no matter."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # the shell puts its own there
    ipython = InteractiveShell.instance(config=Config(HistoryManager={"hist_file": ":memory:"}))
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)

    def run(*cells):
        shown.clear()
        for cell in cells:
            ipython.run_cell(cell, store_history=True)
        return [result.report for result in shown]

    yield run
    InteractiveShell.clear_instance()


@pytest.fixture
def grade(lab, sandbox):
    grader = Grader.create(lab, practice_data(find_course(Path.cwd())), sandbox)

    def graded(*cells):
        notebook = {"cells": [{"cell_type": "code", "source": cell} for cell in cells]}
        write(Path("work.ipynb"), json.dumps(notebook))
        return grader.grade(RawSubmission(FOLDER, Path.cwd())).report

    return graded


def said(report):
    return {s.item: (s.outcome, s.earned, s.message, s.hint, s.possible, s.text) for s in report.scores}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_check_says_what_grade_says(name, shell, grade):
    cells = [BEGIN, *NOTEBOOKS[name], "check()"]
    [report] = shell(*cells)
    live, graded = said(report), said(grade(*cells))
    if name == "signed by another":  # on their own machine, nobody else has handed it in
        message = live.pop("knows_its_number")[2], graded.pop("knows_its_number")[2]
        assert "signed by bob" in message[0] and "signed by bob" in message[1]
    assert live == graded


def test_the_toy_tells_its_notebooks_apart(shell):
    """What keeps the test above from comparing nothing with nothing."""
    [right] = shell(BEGIN, *NOTEBOOKS["right"], "check()")
    assert [score.earned for score in right.scores] == [4, 1, 2, None, 1]
    [wrong] = shell(*NOTEBOOKS["wrong"], "check()")
    assert [score.earned for score in wrong.scores] == [0, 1, 0, None, 1]
    assert "<i2 (2, 2) [[1, 2], [3, 4]]" in wrong.scores[0].message
    assert right.scores[3].message == "Scored by your TA on data you have not seen."


@pytest.mark.parametrize(
    "section, items",
    [
        ("arrays", ["doubles", "doubles_again"]),
        ("numbers", ["knows_its_number"]),
        ("takes_notes", ["takes_notes"]),
        ("", ["doubles", "doubles_again", "knows_its_number", "wins_at_the_lab", "takes_notes"]),
    ],
)
def test_a_section_an_item_or_all(shell, section, items):
    [report] = shell(BEGIN, f"check({section!r})" if section else "check()")
    assert [score.item for score in report.scores] == items
    assert report.student == STUDENT


@pytest.mark.parametrize(
    "name, advice",
    [
        ("array", "did you mean arrays?"),
        ("take_notes", "did you mean takes_notes?"),
        ("xyz", "there are: arrays"),
    ],
)
def test_an_unknown_section_is_told_what_there_is(shell, capsys, name, advice):
    assert shell(BEGIN, f"check({name!r})") == []
    printed = capsys.readouterr()
    [line] = (printed.out + printed.err).strip().splitlines()
    assert line.startswith(f"There is no section or item named {name!r}; {advice}")


@pytest.mark.parametrize("student", ["...", "''", "'...'", "None", "7.5", "True", "'your id here'"])
def test_who_has_not_signed_reads_one_line(shell, capsys, student):
    shell(BEGIN.replace(f'"{STUDENT}"', student))
    printed = capsys.readouterr()
    [line] = (printed.out + printed.err).strip().splitlines()
    assert line.startswith('Set STUDENT = "..." to the id that you hand in under')
    with pytest.raises(CourseError, match="Set STUDENT"):
        live.start_checks(SLUG, eval(student))


@pytest.mark.parametrize(
    "line",
    ["STUDENT = '-'.join(['ann', 'lee'])", "if True:\n    STUDENT = 'ann.lee'", "STUDENT = input and 'ann'"],
)
def test_a_signature_that_the_grader_could_not_read_is_refused_at_once(shell, capsys, line):
    assert shell(BEGIN.replace(f'STUDENT = "{STUDENT}"', line), "check()") == []
    printed = capsys.readouterr()
    assert "as plain text, and run this cell again" in (printed.out + printed.err).splitlines()[0]


@pytest.mark.parametrize(
    "line", ["STUDENT = 1234567", "STUDENT: str = f'ann.lee'", "STUDENT = ('ann.'\n'lee')"]
)
def test_begin_check_and_grade_agree_on_what_is_signed(shell, grade, line):
    begin = BEGIN.replace(f'STUDENT = "{STUDENT}"', line)
    mine = (
        f"import numpy as np\ndef mine():\n    return {own(eval(line.split('=')[1]), 'number').integers(100)}"
    )
    [report] = shell(begin, DOUBLE, mine, "check('numbers')")
    assert report.earned == 2
    score = grade(begin, DOUBLE, mine).scores[2]
    assert score.earned == 2 or "is signed by 1234567" in score.message, "which is not the folder's name"


def test_what_a_student_mends_counts_at_once(shell):
    first, second = shell(
        BEGIN, "import numppy", "def double(x: return x", "def double(x): return x", "check('doubles')",
        DOUBLE, "check('doubles')",
    )  # fmt: skip
    assert (first.earned, second.earned) == (0, 4)
    [both_in_one_cell] = shell("def double(x): return x\ncheck('doubles')")
    assert both_in_one_cell.earned == 0
    assert not first.scores[0].remarks and not second.scores[0].remarks


def test_what_a_function_prints_is_shown(shell, capsys):
    [report] = shell(BEGIN, "def double(x):\n    print('x is', x[0])\n    return 2 * x", "check('doubles')")
    assert "x is [0 1]" in capsys.readouterr().out
    assert report.earned == 4 and not report.scores[0].remarks


def test_random_numbers_go_on_as_if_nothing_had_been_checked(shell):
    draw = "def double(x): return random.random() + np.random.rand()"

    def next_ones():
        return random.random(), np.random.rand(), random.gauss(), np.random.randn()

    shell(BEGIN, "import random, numpy as np", draw)
    seen = []
    for cells in ([], ["check()"]):
        random.seed(5), np.random.seed(5)
        random.gauss(), np.random.randn()  # each keeps a second number for the next time
        assert len(shell(*cells)) == len(cells)
        seen.append(next_ones())
    assert seen[0] == seen[1]


def test_keras_and_tensorflow_go_on_too_and_draw_as_in_the_grader(shell, grade):
    import keras
    import tensorflow as tf

    draws = "def double(x): return tf.random.normal([2]), keras.random.normal([2]), keras.random.uniform([1])"
    cells = [BEGIN, "import keras, tensorflow as tf", draws, "check()"]

    def next_ones():
        drawn = tf.random.normal([2]), keras.random.normal([2]), tf.random.uniform([2])
        return [value.numpy().tolist() for value in drawn]

    seen = []
    for some in ([], cells, ["check()"]):
        keras.utils.set_random_seed(5)
        next_ones()
        reports = shell(*some)
        seen.append(next_ones())
        if some is cells:
            assert said(reports[0])["doubles"] == said(grade(*cells))["doubles"]
    assert seen[0] == seen[1] == seen[2]


@pytest.mark.parametrize("before", [None, ModuleType("notebook")])
@pytest.mark.parametrize("ends", ["return 2 * x", "raise ValueError", "raise KeyboardInterrupt"])
def test_the_process_is_left_as_it_was(shell, monkeypatch, before, ends):
    if before:
        monkeypatch.setitem(sys.modules, "notebook", before)
    else:
        monkeypatch.delitem(sys.modules, "notebook", raising=False)
    folder = Path.cwd()
    shell(BEGIN, f"import os, sys\ndef double(x):\n    os.chdir('/')\n    {ends}", "check('doubles')")
    assert sys.modules.get("notebook") is before
    assert Path.cwd() == folder


def test_an_interrupt_stops_the_check(shell, grade, capsys):
    cells = BEGIN, "def double(x): raise KeyboardInterrupt", "check()"
    assert shell(*cells) == []
    assert "KeyboardInterrupt" in capsys.readouterr().out
    assert (
        "stopped with KeyboardInterrupt" in said(grade(*cells))["doubles"][2]
    )  # nobody is there to interrupt


def test_a_check_is_quick_however_long_the_session(shell):
    cells = ["def double(x):\n    return 2 * x\n" + "".join(f"def f{i}(): return {i}\n" for i in range(40))]
    shell(BEGIN, *(cells * 60), "check('arrays')")
    times = []
    for _ in range(3):
        before = time.process_time()
        assert shell("check('arrays')")[0].earned == 5
        times.append(time.process_time() - before)
    assert min(times) < 0.5, "seconds of processor for three calls and 2,400 functions"


EVIL = "<script>alert(1)</script> [bold]x[/bold] {{ 7 * 7 }}"


def test_hostile_text_is_only_text():
    score = Score(EVIL, EVIL, 4, False, "scored", 3, EVIL, EVIL, (EVIL,))
    report = Report("ann", SLUG, (score, score), "", {})
    page = section_html(EVIL, report)
    assert "<script" not in page and page.count("&lt;script&gt;") == 2 * 4 + 1
    assert "6 / 8 points" in page
    assert repr(live.Result("arrays", report)).rstrip().endswith("arrays: 6 / 8 points")
    assert repr(live.Result("[bold]x[/bold]", report)).count("[bold]x[/bold]") == 2 * 4 + 1


def test_outside_ipython_it_prints_a_table_and_loads_no_tensorflow(lab):
    program = f"{BEGIN}\n{DOUBLE}\ncheck('arrays')\nimport sys\nprint('tensorflow' in sys.modules)\n"
    write(Path("work.py"), program)
    done = run([sys.executable, "work.py"])
    assert "double(x): twice as much." in done.stdout and "4 / 4" in done.stdout
    assert done.stdout.splitlines()[-2:] == ["arrays: 5 / 6 points", "False"], done.stderr


def test_where_there_is_no_source_it_says_so(lab):
    done = run([sys.executable, "-c", f"{BEGIN}\ncheck()"])
    assert "Your functions can't be found here: call check in a notebook" in done.stderr.splitlines()[-1]


def run(command):
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "COLUMNS": "100"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_it_loads_where_there_is_no_resource_module(lab):
    """Windows has none."""
    program = f"import sys\nsys.modules['resource'] = None\n{BEGIN}\n{DOUBLE}\ncheck('arrays')\n"
    write(Path("work.py"), program)
    assert run([sys.executable, "work.py"]).stdout.splitlines()[-1] == "arrays: 5 / 6 points"


def test_importing_it_is_light():
    """The sandbox imports it too, in a child for each call."""
    heavy = "autograder.rubric", "pandas", "rich", "IPython", "tensorflow"
    code = f"import sys, autograder.notebook_checks; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", dedent(code)], cwd=ROOT, text=True).strip() == "[]"
