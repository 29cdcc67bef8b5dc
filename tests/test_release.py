"""Release: starters are derived from references one way, the same bytes every time, and hold no solution."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.notebooks import MarkerError, cells, without_solutions
from autograder.release import is_stale, release, starter

ROOT = Path(__file__).parent.parent
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
def pair(tmp_path):
    reference, path = tmp_path / "lesson.py", tmp_path / "out" / "lesson.ipynb"
    reference.write_text(LESSON)
    release(reference, path)
    return reference, path


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
    assert without_solutions(plain, "lesson.py") == plain


def test_the_same_source_gives_the_same_bytes_in_another_process():
    program = "import sys; from autograder.release import starter; print(end=starter(sys.stdin.read(), 'x'))"
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
        ("    w_1, b = 1, 2\n    h = np.tanh([1, 2])  # SOLUTION", "    w_1, b = 1, 2\n    h = ..."),
        ('text = "a = b # c"  ### SOLUTION', "text = ..."),
        ("größe=[3]#SOLUTION  ", "größe = ..."),
        ("# the solution of x = 2", "# the solution of x = 2"),
        (
            "# BEGIN SOLUTION\nf(1)  # SOLUTION\n# END SOLUTION",
            "# YOUR CODE HERE\nraise NotImplementedError()",
        ),
    ],
)
def test_a_line_that_ends_as_a_solution_keeps_its_name_only(line, shown):
    assert (
        without_solutions(f"# %%\nif True:\n{line}\nz = 3\n", "a.py") == f"# %%\nif True:\n{shown}\nz = 3\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        "# SOLUTION",
        "return 3  # SOLUTION",
        "x == 3  # SOLUTION",
        "a, b = 1, 2  # SOLUTION",
        "a = b = 1  # SOLUTION",
        "x: int = 3  # SOLUTION",
        "x += 3  # SOLUTION",
        "x[0] = 3  # SOLUTION",
        "x = 1; y = 2  # SOLUTION",
        "x = [  # SOLUTION",
        'x = """  # SOLUTION',
        "x = 3  # solution",
        "x = 3  # SOLUTIONS",
        "x = 3  # Solution.",
        "x = 3  # SOLUTION, measured",
        "# %% [markdown]\n# x = 3  # SOLUTION",
        "# %% [raw]\n# x = 3  # SOLUTION",
        '# %% [markdown]\n"""\nx = 3  # SOLUTION',
    ],
)
def test_a_solution_line_that_is_no_simple_assignment_is_refused(line):
    with pytest.raises(
        MarkerError, match="no simple assignment.*; write `NAME = value  # SOLUTION`"
    ) as complaint:
        without_solutions(f"# %%\nif True:\n{line}\n", "a.py")
    assert str(complaint.value).startswith(f"a.py:{3 + line.count(chr(10))}: ")


def test_a_heading_may_say_solution():
    source = "# %% [markdown]\n# ## Solution\n"
    assert without_solutions(source, "a.py") == source


def test_release_writes_once_and_then_finds_nothing_to_do(pair):
    reference, path = pair
    assert is_stale(reference, path) is None
    assert release(reference, path) is False
    reference.write_text(LESSON.replace("Why count?", "Why not?"))
    assert release(reference, path) is True
    assert is_stale(reference, path) is None


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
def test_one_changed_character_in_the_starter_is_named(pair, old, new, reason):
    reference, path = pair
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    assert is_stale(reference, path).startswith(f"{path}: {reason}")


def test_a_changed_reference_a_lost_cell_and_a_missing_starter_are_named(pair):
    reference, path = pair
    reference.write_text(LESSON.replace("Why count?", "Why count!"))
    assert "cell 1, line 2: the reference gives 'Why count!'" in is_stale(reference, path)
    reference.write_text(LESSON + "\n# %%\nmore = 1\n")
    assert "cell 6 is missing" in is_stale(reference, path)
    reference.write_text(LESSON[: LESSON.rindex("# %%")])
    assert "cell 5 is not in the reference" in is_stale(reference, path)
    path.unlink()
    assert "is missing" in is_stale(reference, path)


def test_line_endings_of_another_system_are_stale(pair):
    reference, path = pair
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert is_stale(reference, path) is not None


def test_importing_release_loads_neither_tensorflow_nor_the_notebook_libraries():
    program = "import sys, autograder.release; print(*(HEAVY & set(sys.modules)))".replace(
        "HEAVY", repr(HEAVY)
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == []


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda path: path.stem)
class TestOurReferences:
    def test_the_starter_in_the_repository_is_fresh(self, reference):
        slug = reference.stem
        assert is_stale(reference, ROOT / "assignments" / slug / f"{slug}.ipynb") is None

    def test_the_starter_holds_no_line_of_a_solution(self, reference):
        source = reference.read_text(encoding="utf-8")
        secrets = region_lines(source)
        assert secrets
        shown = json.loads(starter(source, reference.name))["cells"]
        lines = {line.strip() for cell in shown for line in "".join(cell["source"]).splitlines()}
        assert not secrets & lines

    def test_there_is_something_left_to_do_and_something_to_read(self, reference):
        shown = cells(without_solutions(reference.read_text(encoding="utf-8"), reference.name))
        assert any("raise NotImplementedError()" in cell.source for cell in shown if cell.kind == "code")
        assert any(cell.kind == "markdown" for cell in shown)
