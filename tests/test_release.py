"""Release: starters are derived from references one way, the same bytes every time, and hold no solution."""

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.authoring import MarkerError, is_stale, read_cells, release
from autograder.authoring._markers import strip_solutions
from autograder.authoring._starter import BEGIN, make_starter, starter
from autograder.core import read_course

ROOT = Path(__file__).parent.parent
COURSE = read_course(ROOT)
HEAVY = {"tensorflow", "keras", "jupytext", "nbformat"}
REFERENCES = [path for path in sorted((ROOT / "solutions").glob("*/*.py")) if path.stem == path.parent.name]

LESSON = '''# %% [markdown]
# # Counting
# Why count?
#
# ### BEGIN SOLUTION
# Because it is there.
# ### END SOLUTION

# %% tags=["parameters"]
SEED = 0

# %%
def count(sequence):
    """Number of G."""
    # BEGIN SOLUTION
    secret = sequence.count("G")
    return secret
    # END SOLUTION


# %% tags=["solution"]
for_the_instructor_only = 1

# %%
count("GG")

# %%
count("GG")
'''


def region_lines(source):
    """Brute force: the lines between markers and before them, without what is short or stands elsewhere too."""
    inside, secret, given = False, set(), set()
    for line in source.splitlines():
        if line.endswith("# SOLUTION"):
            secret.add(line.removesuffix("# SOLUTION").strip())
        elif "BEGIN SOLUTION" in line or "END SOLUTION" in line:
            inside = "BEGIN" in line
        else:
            (secret if inside else given).add(line.strip().removeprefix("# ").strip())
    return {line for line in secret - given if len(line) > 12}


@pytest.fixture
def lesson(course):
    """Return the toy assignment, with LESSON for its reference and a fresh starter."""
    assignment = course.assignments[0]
    assignment.reference.write_text(LESSON)
    release(assignment, assignment.starter)
    return assignment


def test_the_starter_is_a_valid_notebook_without_outputs_or_traces_of_jupytext():
    notebook = nbformat.reads(starter(LESSON, "lesson.py"), as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert "jupytext" not in json.dumps(notebook)
    assert all(cell.outputs == [] for cell in notebook.cells if cell.cell_type == "code")
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    assert [cell.metadata.get("tags") for cell in notebook.cells] == [None, ["parameters"], None, None, None]


def test_regions_become_stubs_at_their_indent_and_solution_cells_vanish():
    sources = [cell.source for cell in nbformat.reads(starter(LESSON, "lesson.py"), as_version=4).cells]
    assert sources == [
        "# Counting\nWhy count?\n\nYOUR ANSWER HERE",
        "SEED = 0",
        'def count(sequence):\n    """Number of G."""\n    # YOUR CODE HERE\n    raise NotImplementedError()',
        'count("GG")',
        'count("GG")',
    ]


def test_a_source_without_regions_is_left_alone():
    plain = "".join(line for line in LESSON.splitlines(keepends=True) if " SOLUTION" not in line)
    assert strip_solutions(plain, "lesson.py") == plain


def test_the_same_source_gives_the_same_bytes_in_another_process():
    program = "import sys; from autograder.authoring._starter import starter; print(end=starter(sys.stdin.read(), 'x'))"
    command = [sys.executable, "-X", "utf8", "-c", program]
    other = subprocess.run(command, input=LESSON.encode(), capture_output=True, check=True, cwd=ROOT).stdout
    assert other.decode() == starter(LESSON, "lesson.py")
    assert other.endswith(b"}\n")


def test_an_edit_changes_the_identity_of_its_own_cell_only():
    def identities(source):
        return [cell["id"] for cell in json.loads(starter(source, "lesson.py"))["cells"]]

    before, after = identities(LESSON), identities(LESSON.replace("SEED = 0", "SEED = 1"))
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True, True, True]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    # END SOLUTION\n", "", "lesson.py:15: this region is not closed"),
        ("    # BEGIN SOLUTION\n", "", "lesson.py:17: END SOLUTION without a BEGIN"),
        (
            "    return secret\n",
            "    # BEGIN SOLUTION\n",
            "lesson.py:17: BEGIN SOLUTION inside the region of line 15",
        ),
        ("# %% [markdown]", "# %% [raw]", "lesson.py:5: a solution region in a raw cell"),
        ("# END SOLUTION\n\n\n", "# END SOLUTIONS\n\n\n", "lesson.py:18: this looks like a marker"),
        ("    # BEGIN SOLUTION", "    # begin solution", "lesson.py:15: this looks like a marker"),
        ("    # END SOLUTION\n", "# %%\n    # END SOLUTION\n", "lesson.py:15: this region is not closed"),
    ],
)
def test_a_wrong_marker_is_refused_with_file_and_line(old, new, message):
    assert LESSON.count(old) == 1
    with pytest.raises(MarkerError) as complaint:
        starter(LESSON.replace(old, new), "lesson.py")
    assert str(complaint.value).startswith(message)
    assert "; " in str(complaint.value)  # what to do


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('STUDENT = "perfect"  # SOLUTION', "STUDENT = ..."),
        ("w_1, b = 1, 2\nh = np.tanh([1, 2])  # SOLUTION", "w_1, b = 1, 2\nh = ..."),
        ("if b:\n    h = 3  # SOLUTION", "if b:\n    h = ..."),
        ('text = "a = b # c"  ### SOLUTION', "text = ..."),
        ("größe=[3]#SOLUTION  ", "größe = ..."),
        ("# the solution of x = 2", "# the solution of x = 2"),
        ("SEED = 0  # the seed of all\n# A seed is sown.", "SEED = 0  # the seed of all\n# A seed is sown."),
        (
            "# BEGIN SOLUTION\nf(1)  # SOLUTION\n# END SOLUTION",
            "# YOUR CODE HERE\nraise NotImplementedError()",
        ),
        ("def f(x):\n    y = 2 * x  # SOLUTION NO PROMPT\n    return y  # SOLUTION", "def f(x):\n    ..."),
        ("np.random.seed(3)  # SEED", None),
        ("print(3)  # SOLUTION", "..."),
        ("a, b = 1, 2  # SOLUTION", "..."),
        ("a = b = 1  # SOLUTION", "..."),
        ("x: int = 3  # SOLUTION", "..."),
        ("x += 3  # SOLUTION", "..."),
        ("x[0] = 3  # SOLUTION", "..."),
        ("match x:\n    case 1:\n        y = 3  # SOLUTION", "match x:\n    case 1:\n        y = ..."),
    ],
)
def test_a_line_that_ends_as_a_solution_keeps_its_name_only(line, shown):
    shown = "" if shown is None else shown + "\n"
    assert strip_solutions(f"# %%\n{line}\nz = 3\n", "a.py") == f"# %%\n{shown}z = 3\n"


@pytest.mark.parametrize(
    "line",
    [
        "# SOLUTION",
        "# SEED",
        "x = 1; y = 2  # SOLUTION",
        "x = 1; y = 2  # SEED",
        "if z: y = 2  # SOLUTION",
        "def f(): return 3  # SOLUTION",
        "x = [  # SOLUTION",
        "x = [  # SOLUTION\n    3]",
        'x = """  # SOLUTION\n"""',
        "for x in y:  # SOLUTION NO PROMPT\n    pass",
        "x = 3  # solution",
        "x = 3  # SOLUTIONS",
        "x = 3  # Solution.",
        "x = 3  # seed",
        "x = 3  # SOLUTION, measured",
        "x = 3  # SOLUTION NO PROMPTS",
        "# %% [markdown]\n# x = 3  # SOLUTION",
        "# %% [raw]\n# x = 3  # SOLUTION",
        '# %% [markdown]\n"""\nx = 3  # SOLUTION\n"""',
    ],
)
def test_a_marked_line_that_is_no_whole_statement_is_refused(line):
    with pytest.raises(
        MarkerError, match="no whole statement.*; write `NAME = value  # SOLUTION`"
    ) as complaint:
        strip_solutions(f"# %%\n{line}\nz = 3\n", "a.py")
    marked = [bool(re.search("#.*(?i:solution|seed)", text)) for text in line.split("\n")]
    assert str(complaint.value).startswith(f"a.py:{2 + marked.index(True)}: ")


@pytest.mark.parametrize("place", ["x = [\n    3,  # SOLUTION\n]", 'x = """\nx = 3  # SOLUTION\n"""'])
def test_a_marked_line_inside_a_longer_statement_is_refused(place):
    with pytest.raises(MarkerError, match="a.py:3: this solution is no whole statement"):
        strip_solutions(f"# %%\n{place}\n", "a.py")


NBGRADER = '''# %% [markdown]
# # Means

# %%
def mean(numbers):
    """The mean."""
    ### BEGIN SOLUTION
    return sum(numbers) / len(numbers)
    ### END SOLUTION

# %%
assert mean([1, 3]) == 2
### BEGIN HIDDEN TESTS
assert mean([1, 3, 8]) == 4
### END HIDDEN TESTS

# %% [markdown]
# Why divide?
#
# === BEGIN MARK SCHEME ===
# A point for saying how many there are.
# === END MARK SCHEME ===
#
# ### BEGIN SOLUTION
# To share the sum out.
# ### END SOLUTION
'''

OTTER = '''# %% [raw]
# # ASSIGNMENT CONFIG
# name: means
# files: [data.csv]

# %%
# IGNORE
set_up_for_the_instructor()

# %% [raw]
# # BEGIN QUESTION
# name: q1
# points: 2

# %% [markdown]
# Write `mean`.

# %% [raw]
# # BEGIN SOLUTION

# %%
rng = np.random.default_rng(42)  # SEED
def mean(numbers):
    total = sum(numbers)  # SOLUTION NO PROMPT
    return total / len(numbers)  # SOLUTION

middle = mean([1, 2])  # SOLUTION
# BEGIN SOLUTION NO PROMPT
for number in range(3):
    print(mean([number]))
# END SOLUTION
""" # BEGIN PROMPT
for number in ...:
    ...
"""; # END PROMPT

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
assert mean([1, 3]) == 2

# %%
# HIDDEN
assert mean([1, 3, 8]) == 4

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# ```otter
# # BEGIN QUESTION
# name: q2
# manual: true
# ```

# %% [raw]
# # BEGIN PROMPT

# %% [markdown]
# Why divide? Write here.

# %% [raw]
# # END PROMPT

# %% [raw]
# # BEGIN SOLUTION

# %% [markdown]
# To share the sum out.

# %% [raw]
# # END SOLUTION

# %% [raw]
# # END QUESTION
'''
CONFIG = "# # ASSIGNMENT CONFIG\n# name: means\n# files: [data.csv]"


def shown(source):
    return [cell.source for cell in nbformat.reads(starter(source, "lesson.py"), as_version=4).cells]


def at(style, text):
    """Return the number of the first line that holds `text`."""
    return style[: style.index(text)].count("\n") + 1


def test_a_reference_in_the_style_of_nbgrader_releases():
    assert shown(NBGRADER) == [
        "# Means",
        'def mean(numbers):\n    """The mean."""\n    # YOUR CODE HERE\n    raise NotImplementedError()',
        "assert mean([1, 3]) == 2",
        "Why divide?\n\n\nYOUR ANSWER HERE",
    ]


def test_a_reference_in_the_style_of_otter_releases():
    assert shown(OTTER) == [
        "Write `mean`.",
        "def mean(numbers):\n    ...\n\nmiddle = ...\nfor number in ...:\n    ...",
        "Why divide? Write here.",
    ]


def test_otters_solution_cells_without_markers_become_stubs():
    without_prompt = re.sub(r"(?s)# %% \[raw\]\n# # BEGIN PROMPT.*# # END PROMPT\n\n", "", OTTER)
    assert shown(without_prompt)[-1] == "YOUR ANSWER HERE"
    code = "# %% [raw]\n# # BEGIN QUESTION\n\n# %% [raw]\n# BEGIN SOLUTION\n\n# %%\ns = 1  # SEED\nsecret = 3\n\n"
    closed = code + "# %% [raw]\n# END SOLUTION\n\n# %% [raw]\n# END QUESTION\n"
    assert shown(closed) == ["# YOUR CODE HERE\nraise NotImplementedError()"]


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("### END HIDDEN TESTS\n", "", "### BEGIN HIDDEN", "this region is not closed in its cell; add an END HIDDEN"),
        ("### BEGIN HIDDEN TESTS\n", "", "### END HIDDEN", "END HIDDEN TESTS without a BEGIN"),
        ("END HIDDEN TESTS", "END MARK SCHEME", "### END MARK", "END MARK SCHEME inside the region of line"),
        ("# To share", "# ### BEGIN HIDDEN TESTS\n# To", "# ### BEGIN H", "BEGIN HIDDEN TESTS inside the region of"),
        ("# A point", "# BEGIN MARK SCHEME\n# A", "# BEGIN MARK", "BEGIN MARK SCHEME inside the region of"),
        ("### BEGIN HIDDEN TESTS", "### BEGIN HIDDEN TEST", "### BEGIN H", "this looks like a marker"),
        ("=== BEGIN MARK SCHEME ===", "=== Begin mark scheme ===", "=== Begin", "this looks like a marker"),
        ("=== BEGIN MARK SCHEME ===", "BEGIN MARKING SCHEME", "BEGIN MARKING", "this looks like a marker"),
        ("== 2\n### BEGIN", "== 2 ### BEGIN", "== 2", "this looks like a marker"),
    ],
)  # fmt: skip
def test_what_is_not_understood_of_nbgraders_is_refused(old, new, place, message):
    assert_refused(NBGRADER, old, new, place, message)


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ('# END SOLUTION\n"""', '"""', '""" # BEGIN', "BEGIN PROMPT inside the region of line 28"),
        ('"""; # END PROMPT\n', '"""\n', '""" # BEGIN', "this region is not closed in its cell; add an END PROMPT"),
        ('""" # BEGIN PROMPT', '"""\n# BEGIN PROMPT', "# BEGIN PROMPT", "this looks like a marker"),
        ("for number in ...", "x = 1  # SOLUTION\nfor number in ...", "x = 1", "this solution is no whole"),
        ("# END SOLUTION\n", "# END SOLUTION NO PROMPT\n", "# END SOLUTION NO", "this looks like a marker"),
        ("# IGNORE", "# Ignored.", "# Ignored.", "this looks like a marker"),
        ("# IGNORE\nset_up", "x = 1\n# IGNORE\nset_up", "# IGNORE", "this looks like a marker"),
        ("# # BEGIN TESTS\n", "# # BEGIN TEST\n", "# # BEGIN TEST\n", "this looks like a marker"),
        ("# # ASSIGNMENT CONFIG", "# # Assignment Config", "# # Assignment", "this looks like a marker"),
        ("# # END TESTS", "# # END PROMPT", "# # END PROMPT", "END PROMPT without a BEGIN; END TESTS comes first"),
        ("# # BEGIN TESTS\n", "# # BEGIN PROMPT\n", "# # END TESTS", "END TESTS without a BEGIN; END PROMPT comes"),
        ("# %% [raw]\n# # END TESTS\n\n", "", "# # END QUESTION", "END QUESTION without a BEGIN; END TESTS comes"),
        ("# # END SOLUTION\n", "# # BEGIN TESTS\n", "# # BEGIN TESTS", "BEGIN TESTS inside the block of line 19"),
        (CONFIG, "# # END QUESTION", "# # END QUESTION", "END QUESTION without a BEGIN; open the block"),
        (CONFIG, "# # BEGIN TESTS", "# # BEGIN TESTS", "BEGIN TESTS outside a question"),
        (CONFIG, "# # BEGIN QUESTION", "# # BEGIN QUESTION\n# name: q1", "BEGIN QUESTION inside the block of line 2"),
        ("# # BEGIN SOLUTION\n", "# # BEGIN SOLUTION\n# x\n", "# # BEGIN SOL", "more than BEGIN SOLUTION in a cell"),
    ],
)  # fmt: skip
def test_what_is_not_understood_of_otters_is_refused(old, new, place, message):
    assert_refused(OTTER, old, new, place, message)


def assert_refused(style, old, new, place, message):
    """With `new` for the first `old`, `message` is said of the first line that holds `place`."""
    assert old in style
    changed = style.replace(old, new, 1)
    with pytest.raises(MarkerError) as complaint:
        starter(changed, "lesson.py")
    assert str(complaint.value).startswith(f"lesson.py:{at(changed, place)}: {message}")
    assert "; " in str(complaint.value)


def test_an_otter_question_that_is_never_closed_is_refused():
    with pytest.raises(
        MarkerError, match=r"lesson.py:\d+: this block of Otter's is not closed: QUESTION; add"
    ):
        starter(OTTER[: OTTER.rindex("# %% [raw]")], "lesson.py")


def test_a_reference_without_any_solution_is_refused():
    with pytest.raises(MarkerError, match="lesson.py:1: nothing is marked as a solution; "):
        starter("# %%\nreturn_of_nothing = 3\n", "lesson.py")


@pytest.mark.parametrize(
    "line",
    [
        "from autograder.notebook_checks import start_checks, fetched",
        "import autograder.notebook_checks",
        "    from autograder.notebook_checks import start_checks",
    ],
)
def test_another_import_of_begin_is_refused(line):
    source = f"# %%\nx = 1  # SOLUTION\n\n# %%\n{line}\n"
    with pytest.raises(
        MarkerError, match=r"hello.py:5: another import of start_checks: .*on a line of its own"
    ):
        starter(source, "hello.py")
    assert "sys.path.insert" in starter(source.replace(line, BEGIN), "hello.py")


def test_a_heading_may_say_solution():
    source = "# %% [markdown]\n# ## Solution\n"
    assert strip_solutions(source, "a.py") == source


def test_release_writes_once_and_then_finds_nothing_to_do(lesson):
    assert is_stale(lesson, lesson.starter) is None
    assert release(lesson, lesson.starter) is False
    lesson.reference.write_text(LESSON.replace("Why count?", "Why not?"))
    assert release(lesson, lesson.starter) is True
    assert is_stale(lesson, lesson.starter) is None


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            "SEED = 0",
            "SEED = 1",
            "cell 2, line 1: the reference gives 'SEED = 0', the starter has 'SEED = 1'",
        ),
        ('"display_name": "Python 3"', '"display_name": "Python 4"', "line "),
        ('"cells": [', '"cells":  [', "line 2:"),
        ('"cells": [', '"cells": ', "line 2:"),
    ],
)
def test_one_changed_character_in_the_starter_is_named(lesson, old, new, reason):
    text = lesson.starter.read_text()
    assert old in text
    lesson.starter.write_text(text.replace(old, new, 1))
    assert is_stale(lesson, lesson.starter).startswith(f"{lesson.starter}: {reason}")


def test_a_changed_reference_a_lost_cell_and_a_missing_starter_are_named(lesson):
    lesson.reference.write_text(LESSON.replace("Why count?", "Why count!"))
    assert "cell 1, line 2: the reference gives 'Why count!'" in is_stale(lesson, lesson.starter)
    lesson.reference.write_text(LESSON + "\n# %%\nmore = 1\n")
    assert "cell 6 is missing" in is_stale(lesson, lesson.starter)
    lesson.reference.write_text(LESSON[: LESSON.rindex("# %%")])
    assert "cell 5 is not in the reference" in is_stale(lesson, lesson.starter)
    lesson.starter.unlink()
    assert "is missing" in is_stale(lesson, lesson.starter)


def test_line_endings_of_another_system_are_stale(lesson):
    lesson.starter.write_bytes(lesson.starter.read_bytes().replace(b"\n", b"\r\n"))
    assert is_stale(lesson, lesson.starter) is not None


def test_importing_release_loads_neither_tensorflow_nor_the_notebook_libraries():
    program = "import sys, autograder.authoring._starter; print(*(HEAVY & set(sys.modules)))".replace(
        "HEAVY", repr(HEAVY)
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == []


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda path: path.stem)
class TestOurReferences:
    def test_the_starter_in_the_repository_is_fresh(self, reference):
        assignment = COURSE.assignment(reference.stem)
        assert [is_stale(assignment, copy) for copy in assignment.starters] == [None, None]

    def test_the_starter_holds_no_line_of_a_solution(self, reference):
        source = reference.read_text(encoding="utf-8")
        secrets = region_lines(source)
        assert secrets
        shown = json.loads(make_starter(COURSE.assignment(reference.stem)))["cells"]
        lines = {line.strip() for cell in shown for line in "".join(cell["source"]).splitlines()}
        assert not secrets & lines

    def test_there_is_something_left_to_do_and_something_to_read(self, reference):
        shown = read_cells(strip_solutions(reference.read_text(encoding="utf-8"), reference.name))
        assert any("raise NotImplementedError()" in cell.source for cell in shown if cell.kind == "code")
        assert any(cell.kind == "markdown" for cell in shown)
