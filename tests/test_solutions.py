"""What is made by running a reference: the published solution, after the due date, and the perfect test submission."""

import base64
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
import pytest
from toy import write

from autograder.authoring import publish, require_due, run_reference, write_perfect
from autograder.authoring._reference import ENGINE
from autograder.core import CourseError, read_course

NOW = datetime(2027, 3, 6, 12, 0, tzinfo=UTC)
REFERENCE = """
# %% [markdown]
# # Say hello
#
# BEGIN SOLUTION
# It greets.
# END SOLUTION

# %%
SEED = 0

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt

# BEGIN SOLUTION
Path("greeting.txt").write_text(f"hello, seed {SEED}")
# END SOLUTION
plt.plot([1, 2, 3])
plt.show()
print("the course is first:", os.environ["PYTHONPATH"].split(os.pathsep)[0])
"""


@pytest.fixture
def due(course):
    """Return the toy course, due an hour before NOW."""
    write(course.root / "solutions/hello/hello.py", REFERENCE)
    file = course.root / "course.toml"
    file.write_text(file.read_text() + f"due = {(NOW - timedelta(hours=1)).isoformat()}\n")
    return read_course(course.root).assignments[0]


def test_the_solution_is_a_notebook_and_a_page_with_its_plots(due, tmp_path):
    seen = []
    notebook, page = publish(due, tmp_path / "out", watch=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
    shown = nbformat.read(notebook, 4)
    assert (
        "It greets." in shown.cells[0].source and "BEGIN" not in shown.cells[0].source + shown.cells[2].source
    )
    assert f"the course is first: {due.root}" in str(shown.cells[2].outputs)
    html = page.read_text(encoding="utf-8")
    [plot] = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    assert base64.b64decode(plot.replace("\\n", "")).startswith(b"\x89PNG")
    assert "<title>Hello</title>" in html
    fetched = re.findall(r"""<(?:script|link|img)[^>]*(?:src|href)=["']?(https?://[^"' >]+)""", html)
    assert len(fetched) == 1 and "mathjax" in fetched[0]
    assert not list((due.root / "results").iterdir())


def test_nothing_is_published_before_the_due_date(due, tmp_path):
    for now in (NOW - timedelta(hours=2), NOW - timedelta(days=365)):
        with pytest.raises(
            CourseError, match="hello is due on 2027-03-06 at 11:00 UTC: .*--before-due does"
        ) as said:
            require_due(due, now)
        assert "\n" not in str(said.value)
    require_due(due, NOW - timedelta(hours=1))


@pytest.mark.slow
def test_on_the_command_line(due):
    file = due.root / "course.toml"
    file.write_text(file.read_text().replace("2027-03-06", "2999-03-06"))

    def command(*options, what="solutions"):
        environment = os.environ | {"PYTHONPATH": str(ENGINE), "COLUMNS": "200"}
        words = [sys.executable, "-m", "autograder", "release", what, "hello", *options]
        return subprocess.run(
            words, cwd=due.root, env=environment, capture_output=True, text=True, timeout=120
        )

    done = command()
    assert done.returncode == 2 and "is due on 2999-03-06" in done.stderr and "Traceback" not in done.stderr
    assert not (due.root / "results/solutions/hello").exists()
    done = command("--before-due")
    assert done.returncode == 0, done.stderr
    assert (due.root / "results/solutions/hello/hello.html").is_file() and "MathJax" in done.stdout
    assert command(what="perfect").returncode == 0
    assert (due.test_submissions / "perfect/greeting.txt").is_file()


def test_an_assignment_without_a_due_date_is_not_published(course, tmp_path):
    with pytest.raises(CourseError, match="hello has no due date in course.toml: .*--before-due"):
        require_due(course.assignments[0], NOW)


def test_a_reference_runs_with_another_seed(due, tmp_path):
    run_reference(due, tmp_path, seed=7)
    assert (tmp_path / "greeting.txt").read_text() == "hello, seed 7"
    write(due.reference, REFERENCE.replace("SEED = 0", "SEED = 1"))
    with pytest.raises(CourseError, match="has 0 lines `SEED = 0`"):
        run_reference(due, tmp_path, seed=7)


def test_a_cell_that_fails_is_named(due, tmp_path):
    write(due.reference, REFERENCE + "\n# %%\nraise ValueError('first\\nsecond')\n")
    with pytest.raises(CourseError, match=r"hello.py: cell 4 of 4 fails: ValueError: first$"):
        run_reference(due, tmp_path)
    write(due.reference, "# %%\nimport os\nos._exit(3)\n")
    with pytest.raises(CourseError, match=r"hello.py: cell 1 of 1 ends the kernel"):
        run_reference(due, tmp_path)


def test_the_perfect_submission_is_what_the_reference_saves(due):
    perfect = due.test_submissions / "perfect"
    write(perfect / "work.ipynb", "old")
    write_perfect(due)
    assert {path.name for path in perfect.iterdir()} == {"greeting.txt", "hello.ipynb", "expected.toml"}
    made = nbformat.read(perfect / "hello.ipynb", 4)
    assert [cell.cell_type for cell in made.cells] == ["markdown", "code", "code"]
    assert all(not cell.get("outputs") for cell in made.cells)
    assert 'others = "full"' in (perfect / "expected.toml").read_text()
    write(perfect / "expected.toml", 'about = "mine"\n')
    write_perfect(due)
    assert (perfect / "expected.toml").read_text() == 'about = "mine"\n'


def test_a_reference_that_fails_leaves_the_submission_alone(due):
    kept = write(due.test_submissions / "perfect" / "work.ipynb", "old")
    write(due.reference, "# %%\n1 / 0\n")
    with pytest.raises(CourseError):
        write_perfect(due)
    assert kept.read_text() == "old" and not list(Path(due.root / "results").iterdir())
