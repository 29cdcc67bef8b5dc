"""Doctor tells the truth about what holds, what is missing and how to get it."""

import platform
from datetime import date

import pytest
from toy import write

from autograder.cli._examine import examine_child, examine_isolation, examine_packages, examine_secret
from autograder.data import new_term
from autograder.sandbox import Isolation, probe
from autograder.sandbox import _visible_paths as visible

LAYERS = "namespaces", "Landlock", "seccomp"


def signs(isolation):
    return {sign.what.split()[1]: sign for sign in examine_isolation(isolation)}


@pytest.mark.skipif(platform.system() != "Linux", reason="the layers are those of Linux")
@pytest.mark.parametrize(
    "isolation, missing, runs",
    [
        (Isolation(True, 7, True), (), True),
        (Isolation(False, 7, True), ("namespaces",), True),
        (Isolation(True, 0, True), ("Landlock",), True),
        (Isolation(True, 7, False), ("seccomp",), False),
        (Isolation(False, 0, True), ("namespaces", "Landlock"), False),
        (Isolation(False, 0, False), LAYERS, False),
    ],
)
def test_each_layer_has_its_line(isolation, missing, runs):
    found = signs(isolation)
    assert {layer for layer in LAYERS if not found[layer].well} == set(missing)
    assert all(found[layer].advice for layer in missing)
    assert isolation.holds == runs
    verdict = list(examine_isolation(isolation))[-1]
    assert verdict.well == runs and ("not run" in verdict.what) != runs


def test_elsewhere_models_are_graded_and_code_is_not_run(monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    [sign] = examine_isolation(Isolation(False, 0, False))
    assert (
        not sign.well
        and "models are graded, student code is not run" in sign.what
        and "--no-isolation" in sign.advice
    )


def test_the_secret_seed(course):
    sign = examine_secret(course)
    assert not sign.well and str(course.root / "solutions" / "secret_seed") in sign.advice
    (course.root / "solutions" / "secret_seed").write_text("autumn")
    sign = examine_secret(course)
    assert not sign.well and "`autograder term`" in sign.what
    new_term(course, date(2027, 3, 1))
    assert examine_secret(course).well
    (course.root / "solutions").rename(course.root / "elsewhere")
    assert "student's copy" in examine_secret(course).what


def test_packages_that_notebooks_import_and_this_machine_lacks_are_named(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "work.py").write_text("import numpy\nfrom no_such_package.x import y\n")
    [sign] = examine_packages(tmp_path)
    assert not sign.well and sign.what == "package no_such_package: missing, 2 notebook(s) import it"
    assert "pip install no_such_package" in sign.advice
    (tmp_path / "a" / "work.py").write_text("import numpy")
    (tmp_path / "b" / "work.py").write_text("from my_utils import f")
    assert [sign.well for sign in examine_packages(tmp_path)] == [True]


@pytest.fixture
def whole_course(course, monkeypatch):
    """Return the toy course with a submission, results and a seed."""
    write(course.root / "solutions/hello/test_submissions/bob/greeting.txt", "hello")
    write(course.root / "results/hello/grades.csv", "student\n")
    new_term(course, date(2027, 3, 1))
    monkeypatch.chdir(course.root)
    return course


@pytest.fixture(scope="module")
def isolation():
    found = probe()
    if not found.holds:
        pytest.skip(f"no isolation that holds here: {found}")
    return found


def test_a_child_tries_what_is_private_and_reads_nothing(whole_course, isolation):
    sign = examine_child(whole_course, isolation)
    assert sign.well and sign.what == "isolation: student code was let try 6 private files, and can read none"


@pytest.mark.slow
def test_a_child_that_can_read_something_private_is_told(whole_course, isolation, monkeypatch):
    """As if Python's own folder were the one of the solutions."""
    shown = visible.visible_paths()
    leak = visible.VisiblePaths((*shown.paths, whole_course.root / "solutions"), shown.links)
    monkeypatch.setattr("autograder.sandbox._client.visible_paths", lambda private: leak)
    sign = examine_child(whole_course, isolation)
    seed = whole_course.root / "solutions/secret_seed"
    assert not sign.well and f"student code can read {seed}, and 2 more" in sign.what and sign.advice
