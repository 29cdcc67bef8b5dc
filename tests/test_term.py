"""A term's seed is fresh, private and never lost; a kept one grades as it did."""

import stat
from datetime import date

import pytest
from test_cli import run

from autograder.core import CourseError
from autograder.data import DEMO_SECRET, HiddenData, hidden_data, new_term

TODAY = date(2027, 3, 1)


@pytest.fixture
def locked(course):
    return course.root / "solutions"


def test_a_term_begins_with_a_seed_that_only_its_owner_reads(course, locked):
    assert new_term(course, TODAY) is None
    seed = locked / "secret_seed"
    assert len(seed.read_text().strip()) == 40 and stat.S_IMODE(seed.stat().st_mode) == 0o600
    assert not hidden_data(course).is_demo
    assert [path.name for path in locked.glob("*secret_seed*")] == ["secret_seed"]


def test_older_seeds_are_kept_and_none_is_written_over(course, locked):
    seeds = []
    for _ in range(4):
        new_term(course, TODAY)
        seeds.append((locked / "secret_seed").read_text())
    kept = [locked / f"secret_seed.2027-03-01{number}" for number in ("", ".2", ".3")]
    assert [path.read_text() for path in kept] == seeds[:3] and len(set(seeds)) == 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}


def test_a_kept_term_draws_as_it_did(course, locked):
    new_term(course, TODAY)
    before = hidden_data(course)
    new_term(course, TODAY)
    again = hidden_data(course, "2027-03-01")
    assert again.seed("x") == before.seed("x") != hidden_data(course).seed("x")
    assert again.identity == before.identity and again.term == "2027-03-01"
    assert HiddenData(course, DEMO_SECRET).identity != before.identity


def test_an_empty_seed_is_replaced_and_not_kept(course, locked):
    (locked / "secret_seed").write_text("\n")
    assert new_term(course, TODAY) is None and not hidden_data(course).is_demo


def test_a_seed_that_cannot_be_kept_stays(course, locked, monkeypatch):
    new_term(course, TODAY)
    before = (locked / "secret_seed").read_text()
    monkeypatch.setattr(
        "autograder.data._generated.write_atomically", lambda *_, **__: (_ for _ in ()).throw(OSError("full"))
    )
    with pytest.raises(OSError, match="full"):
        new_term(course, TODAY)
    assert (locked / "secret_seed").read_text() == before


def test_unknown_terms_say_what_there_is(course, locked):
    with pytest.raises(CourseError, match="there are: none"):
        hidden_data(course, "spring")
    new_term(course, TODAY)
    new_term(course, TODAY)
    with pytest.raises(CourseError, match="did you mean 2027-03-01"):
        hidden_data(course, "2027-03-02")


def test_without_solutions_it_is_one_line(course, locked):
    locked.rename(course.root / "elsewhere")
    for attempt in (lambda: new_term(course, TODAY), lambda: hidden_data(course, "spring")):
        with pytest.raises(CourseError, match="There is no folder solutions"):
            attempt()


@pytest.mark.slow
def test_regrading_from_the_command_line(course, hand_in, locked):
    folder = hand_in("ann", **{"greeting.txt": "hello" * 50})
    assert run("term", cwd=course.root).returncode == 0
    second = run("term", cwd=course.root)
    name = f"{date.today()}"
    assert f"--term {name}" in second.stdout
    done = run("grade", "hello", folder, "--term", name, "--out", "kept", cwd=course.root)
    assert done.returncode == 0, done.stderr
    unknown = run("grade", "hello", folder, "--term", "sprang", cwd=course.root)
    assert unknown.returncode == 2 and "no kept term named 'sprang'" in unknown.stderr
    assert unknown.stderr.count("\n") == 1
    secrets = [path.read_text().strip() for path in locked.glob("secret_seed*")]
    said = second.stdout + done.stdout + (course.root / "kept/ann/report.json").read_text()
    assert len(secrets) == 2 and not any(secret in said for secret in secrets)


def test_git_ignores_every_seed():
    from test_cli import ROOT

    assert "/solutions/secret_seed*" in (ROOT / ".gitignore").read_text().splitlines()
