"""Secrets on a disk that others use: what they can't open, and what a run says of what they can."""

import os
import secrets
import shutil
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from test_cli import run
from toy import write

from autograder.core import (
    CourseError,
    exposure_warning,
    is_exposed,
    is_guessable,
    make_private_folder,
    write_atomically,
)
from autograder.data import hidden_data, new_term

NOBODY = 65534
READ_ALL = """
import os, sys
os.setgroups([]), os.setgid(65534), os.setuid(65534)
for root in sys.argv[1:]:
    for place in (root, *(os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names)):
        try:
            print("listed" if os.path.isdir(place) and os.listdir(place) else open(place).read())
        except OSError:
            pass
"""


@pytest.fixture
def place():
    """Return a folder that every user of this machine can enter and list, unlike those of pytest."""
    folder = Path("/tmp") / f"autograder-test-{secrets.token_hex(8)}"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def seen_by_nobody(*paths: Path) -> str:
    """Return all that an ordinary user beside the TA can read at these paths."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can act as another user")
    command = [sys.executable, "-c", READ_ALL, *paths]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_another_user_reads_no_results_scores_or_seed(course, hand_in, place):
    new_term(course, date(2027, 3, 1))
    seed = course.root / "solutions/secret_seed"
    shutil.move(course.root, place / "course")
    folder = hand_in("ann", **{"greeting.txt": "hello"})
    out = place / "marks/of/hello"
    assert run("grade", "hello", folder, "--out", out, cwd=place / "course").returncode == 0
    assert (out / "ann/report.json").is_file() and list((out / ".scores").rglob("*.json"))
    seed = place / "course/solutions/secret_seed"
    assert "Toy" in seen_by_nobody(place / "course")  # who can read what is open, and no more
    assert seed.read_text() not in seen_by_nobody(place / "course") and not seen_by_nobody(
        place / "marks", seed
    )


def test_an_open_folder_of_results_keeps_its_mode_and_is_told(course, hand_in, place):
    out = place / "out"
    out.mkdir()
    out.chmod(0o755)
    write(course.root / "solutions/secret_seed", secrets.token_hex(16)).chmod(0o644)
    done = run("grade", "hello", hand_in("ann", **{"greeting.txt": "hello"}), "--out", out, cwd=course.root)
    lines = [line for line in done.stdout.splitlines() if "Every user of this machine" in line]
    assert (
        len(lines) == 1 and f"results in {out} (mode 755)" in lines[0] and f"chmod -R o-rwx {out}" in lines[0]
    )
    assert stat.S_IMODE(out.stat().st_mode) == 0o755


@pytest.mark.parametrize(("mode", "exposed"), [(0o700, False), (0o770, False), (0o711, True), (0o705, True)])
def test_what_others_can_reach_is_told(place, mode, exposed):
    inner = place / "inner"
    inner.mkdir()
    inner.chmod(mode)
    assert is_exposed(inner) is exposed is bool(exposure_warning("results", inner))
    place.chmod(0o700)
    assert not is_exposed(inner)


def test_new_folders_are_their_owners_and_in_a_shared_one_the_groups(place):
    (place / "team").mkdir()
    (place / "team").chmod(0o2770)
    umask = os.umask(0o002)  # as a team has it
    try:
        make_private_folder(place / "a/b")
        make_private_folder(place / "team/results/hello")
    finally:
        os.umask(umask)
    modes = {name: stat.S_IMODE((place / name).stat().st_mode) & 0o777 for name in (
        "a", "a/b", "team/results", "team/results/hello")}  # fmt: skip
    assert list(modes.values()) == [0o700, 0o700, 0o770, 0o770]
    make_private_folder(place)  # and one that exists stays as it is
    assert stat.S_IMODE(place.stat().st_mode) == 0o755


def test_a_private_file_takes_the_place_of_an_open_one(place):
    path = write(place / "archive.zip", "old")
    path.chmod(0o666)
    old = os.umask(0)
    try:
        write_atomically(path, b"new", private=True)
    finally:
        os.umask(old)
    assert path.read_bytes() == b"new" and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "new" not in seen_by_nobody(place) and os.listdir(place) == ["archive.zip"]


@pytest.mark.parametrize(
    "seed",
    [
        "autumn", "aaaaaaaaaaaaaaaaaaaa", "password1234567890", "a long random line", "RNN course autumn 2027 TU",
        "abcdefghijklmnopqrstuvwxyz0123456789", "qwertyuiopasdfghjklzxcvbnm", "secretsecretsecretsecret",
        "2027-03-01 2027-03-02 2027-03-03", "0123456789abcdef" * 2, "Sommersemester2027!", "1" * 64, "123" * 20,
        "🎲" * 30, "²³" * 20, "00000000-0000-0000-0000-000000000000", "0f3a9c5e7b21d8",
    ],
)  # fmt: skip
def test_a_seed_that_can_be_guessed_is_refused_in_one_line(course, seed):
    write(course.root / "solutions/secret_seed", seed + "\n")
    with pytest.raises(
        CourseError, match="too short or too regular.*`autograder term` writes a good one"
    ) as caught:
        hidden_data(course)
    assert "\n" not in str(caught.value) and seed not in str(caught.value)


def test_a_seed_that_nobody_guesses_is_taken():
    assert not any(is_guessable(secrets.token_hex(16)) for _ in range(2000))
    assert not is_guessable("vxq-7Kd9.tR2!mLw8/pZ4c")


def test_a_guessable_seed_of_a_term_before_still_regrades(course):
    write(course.root / "solutions/secret_seed", "autumn\n")
    new_term(course, date(2027, 3, 1))
    assert hidden_data(course, "2027-03-01").term == "2027-03-01"
