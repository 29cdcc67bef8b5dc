"""`new` writes a whole assignment, or nothing at all; what it writes passes `verify`."""

import shutil
from pathlib import Path

import pytest
from test_cli import ROOT, run
from toy import write

from autograder.authoring import _template as skeleton
from autograder.authoring import is_stale, plan_assignment, read_cells, write_notebook
from autograder.authoring._template import TEMPLATES
from autograder.core import CourseError, read_course


def untrained(assignment, watch):
    """In place of `write_perfect`: the notebook and its known marks, and a file in place of the model."""
    perfect = assignment.test_submissions / "perfect"
    perfect.mkdir(parents=True)
    source = assignment.reference.read_text(encoding="utf-8")
    write_notebook(perfect / assignment.starter.name, *read_cells(source))
    write(perfect / "lamp.keras", "a model")
    write(perfect / "expected.toml", 'others = "full"')


def new(course, slug, title=""):
    assignment = plan_assignment(course, slug, title)
    skeleton.write_assignment(assignment)
    return assignment


def everything(root: Path) -> dict[str, bytes]:
    files = (path for path in sorted(root.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def test_what_it_writes(course, monkeypatch):
    monkeypatch.setattr(skeleton, "write_perfect", untrained)
    toml = "# a comment\n" + (course.root / "course.toml").read_text().rstrip("\n")
    (course.root / "course.toml").write_text(toml)
    before = everything(course.root)
    assignment = new(course, "odd_socks", 'Odd "socks"')
    after = everything(course.root)
    assert set(after) - set(before) == {
        "solutions/odd_socks/odd_socks.py",
        "assignments/odd_socks/rubric.py",
        "assignments/odd_socks/odd_socks.ipynb",
        "datasets/odd_socks/README.md",
        "datasets/odd_socks/generate.py",
        "datasets/odd_socks/train.csv",
        *(
            f"solutions/odd_socks/test_submissions/{name}"
            for name in (
                "perfect/odd_socks.ipynb",
                "perfect/lamp.keras",
                "perfect/expected.toml",
                "first_in_place_of_last/odd_socks.ipynb",
                "first_in_place_of_last/lamp.keras",
                "first_in_place_of_last/expected.toml",
                "untouched_starter/odd_socks.ipynb",
                "untouched_starter/expected.toml",
            )
        ),
    }
    assert [name for name in before if after[name] != before[name]] == ["course.toml"]
    assert after["course.toml"].decode().startswith(toml)
    assert read_course(course.root).assignment("odd_socks") == assignment
    assert assignment.title == 'Odd "socks"' and assignment.points == 20
    assert [is_stale(assignment, starter) for starter in assignment.starters] == [None, None]
    assert not [name for name, content in after.items() if b"SLUG" in content or b"TITLE" in content]


def test_the_mistake_is_in_the_submission(course, monkeypatch):
    monkeypatch.setattr(skeleton, "write_perfect", untrained)
    folder = new(course, "odd_socks").test_submissions
    perfect, mistaken = (
        (folder / name / "odd_socks.ipynb").read_text().split("\n")
        for name in ("perfect", "first_in_place_of_last")
    )
    changed = [pair for pair in zip(perfect, mistaken, strict=True) if len(set(pair)) == 2]
    assert len(changed) == 2
    assert "STUDENT" in changed[0][0] and "max" in changed[1][0] and "min" in changed[1][1]


def test_a_first_version_is_short():
    lines = [(TEMPLATES / name).read_text().splitlines() for name in ("reference.txt", "rubric.txt")]
    assert sum(map(len, lines)) < 60


@pytest.mark.parametrize(
    "slug, line",
    [
        ("Lamp", "small letters"),
        ("2lamps", "small letters"),
        ("lamp-day", "small letters"),
        ("lamp__day", "small letters"),
        ("../lamp", "small letters"),
        ("", "small letters"),
        ("l" * 41, "small letters"),
        ("class", "something else"),
        ("keras", "something else"),
        ("random", "something else"),
        ("datasets", "something else"),
        ("hello", "an assignment named hello"),
    ],
)
def test_names_that_will_not_do(course, slug, line):
    before = everything(course.root)
    with pytest.raises(CourseError, match=line):
        new(course, slug)
    assert everything(course.root) == before


def test_a_title_of_two_lines_will_not_do(course):
    with pytest.raises(CourseError, match="on one line"):
        new(course, "lamp", "two\nlines")


@pytest.mark.parametrize("place", ["assignments", "solutions", "datasets"])
def test_a_folder_left_behind_is_named_and_left_alone(course, place):
    write(course.root / place / "lamp/notes.txt", "mine")
    with pytest.raises(CourseError, match=f"{place}/lamp is there already"):
        new(course, "lamp")
    assert (course.root / place / "lamp/notes.txt").read_text() == "mine"


@pytest.mark.parametrize("error", [CourseError("cell 3 fails"), KeyboardInterrupt()])
def test_a_failure_midway_leaves_nothing(course, monkeypatch, error):
    def fails(assignment, watch):
        untrained(assignment, watch)
        raise error

    monkeypatch.setattr(skeleton, "write_perfect", fails)
    before = everything(course.root)
    with pytest.raises(type(error)):
        new(course, "lamp")
    assert everything(course.root) == before
    assert not (course.root / "solutions/lamp").exists()


def test_a_bad_name_on_the_command_line_is_one_line(course):
    done = run("new", "Lamp", cwd=course.root)
    assert done.returncode == 2 and "small letters" in done.stderr
    assert done.stderr.count("\n") == 1 and not done.stdout


@pytest.mark.slow
def test_it_passes_verify_and_no_shortcut_does(course):
    shutil.rmtree(course.root / "assignments/hello")
    shutil.rmtree(course.root / "solutions/hello")
    shutil.rmtree(course.root / "datasets")
    write(course.root / "course.toml", 'title = "Toy"\n')
    shutil.copytree(ROOT / "autograder", course.root / "autograder")
    assert run("new", "odd_socks", cwd=course.root).returncode == 0
    proof = run("verify", "odd_socks", cwd=course.root)
    assert proof.returncode == 0, proof.stdout
    rubric = course.root / "assignments/odd_socks/rubric.py"
    text = rubric.read_text()
    assert "on[-1], {" in text
    rubric.write_text(text.replace("on[-1], {", "on[-2], {"))
    assert run("verify", "odd_socks", cwd=course.root).returncode == 1
