"""Doctor tells the truth about what holds, what is missing and how to get it."""

import platform
from datetime import date

import pytest

from autograder.doctor import examine_isolation, examine_secret
from autograder.hidden import new_term
from autograder.sandbox import Isolation

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
