"""A class of hostile submissions between two perfect ones: each gets its own reason, and nothing else happens."""

import ast
import csv
import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import file_attacks
import pytest

from autograder.core import read_course
from autograder.data import hidden_data
from autograder.grading import Grader, MarkSources, grade_cohort
from autograder.lms._detect import read_cohort
from autograder.sandbox import probe

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
ATTACKS = sorted((HERE / "attacks").glob("*.py"))
SECRETS = ("canary-b2d1f0c7-4e9a83d6-71c05bf2", "7391846250187")  # as the toy course's generate.py has them
NAMES = {  # students' names that harm a terminal, a page or a spreadsheet, where they are shown as they are
    "=HYPERLINK(1)": "The notebook defines no function double",
    "<img src=x onerror=alert(1)>": "The notebook defines no function double",
    "mallory\x1b[2J\u202e": "The notebook defines no function double",
}
NOBODY = 65534
SET_CHILD_SUBREAPER = 36  # processes whose parent ends become ours, so that none gets out of sight

HONEST = """
import numpy as np

def double(x):
    return 2 * x

def classify(x):
    return x[:, :7].sum(axis=1) > 0
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> SimpleNamespace:
    """Two models that add up what they are shown: the reference, and a student's own."""
    import keras
    import numpy as np

    folder = tmp_path_factory.mktemp("models")
    for name, steepness in (("reference", 4.0), ("own", 3.0)):
        model = keras.Sequential(
            [
                keras.Input((None, 1)),
                keras.layers.SimpleRNN(1, activation="linear"),
                keras.layers.Dense(1, "sigmoid"),
            ]
        )
        model.set_weights([np.array(w, "f4") for w in ([[1]], [[1]], [0], [[steepness]], [0])])
        model.save(folder / f"{name}.keras")
    return SimpleNamespace(own=folder / "own.keras", reference=folder / "reference.keras")


@pytest.fixture
def canary():
    """Return a file that everyone may write by its mode, and a process of the grader's own user."""
    folder = Path(tempfile.mkdtemp(prefix="autograder-canary-", dir="/tmp"))
    file = folder / "canary.txt"
    file.write_text("alive")
    folder.chmod(0o777)
    file.chmod(0o666)
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    before = file.stat()
    yield SimpleNamespace(
        lives=lambda: (
            process.poll() is None and file.read_text() == "alive" and unchanged(file.stat(), before)
        )
    )
    process.kill()
    process.wait()
    shutil.rmtree(folder)


def unchanged(now: os.stat_result, before: os.stat_result) -> bool:
    return all(
        getattr(now, name) == getattr(before, name)
        for name in ("st_mode", "st_uid", "st_mtime_ns", "st_nlink")
    )


def toy_course(root: Path) -> Path:
    course = shutil.copytree(HERE / "course", root / "course")
    (course / "solutions/target").mkdir(parents=True)
    (course / "solutions/secret_seed").write_text(f"{SECRETS[0]}\n")
    return course


def the_class(course: Path, models: SimpleNamespace) -> dict[str, str]:
    """Write the submissions to `course/class`; the reason that each hostile one should read."""
    perfect = course / "class/00_perfect"
    perfect.mkdir(parents=True)
    (perfect / "notebook.ipynb").write_text(json.dumps({"cells": [{"cell_type": "code", "source": HONEST}]}))
    shutil.copy(models.own, perfect / "model.keras")
    shutil.copy(models.reference, course / "solutions/target/model.keras")
    reasons = code_attacks(course / "class", ATTACKS) | NAMES
    for attack, reason in file_attacks.EXPECTS.items():
        attack(course / "class" / attack.__name__, perfect)
        reasons[attack.__name__] = reason
    for name in NAMES:
        (course / "class" / name).mkdir()
        (course / "class" / name / "notebook.py").write_text("# nothing")
    shutil.copytree(perfect, course / "class/zz_perfect")
    return reasons


def code_attacks(folder: Path, attacks: list[Path]) -> dict[str, str]:
    reasons = {}
    for attack in attacks:
        (folder / attack.stem).mkdir(parents=True)
        shutil.copy(attack, folder / attack.stem)
        statements = ast.parse(attack.read_text()).body
        reasons[attack.stem] = next(
            ast.literal_eval(s.value) for s in statements if isinstance(s, ast.Assign)
        )
    return reasons


def grade(course: Path, out: str, **how) -> subprocess.CompletedProcess:
    """`autograder grade` in a process of its own, as a TA runs it."""
    command = [sys.executable, "-m", "autograder", "grade", "target", "class", "--out", out, "--fresh"]
    return subprocess.run(command, cwd=course, capture_output=True, text=True, timeout=1200, **how)


def environment(course: Path, path: str) -> dict[str, str]:
    for name in ("tmp", "home"):
        (course / name).mkdir(exist_ok=True)
    folders = {"PYTHONPATH": str(REPOSITORY), "TMPDIR": str(course / "tmp"), "HOME": str(course / "home")}
    return folders | {
        "PATH": path,
        "PYTHONDONTWRITEBYTECODE": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TERM": "dumb",
    }


def wrong(reports: dict[str, dict], reasons: dict[str, str]) -> dict[str, str]:
    """Return what is not as it should be, by student: marks, reasons, decisions."""
    found = {}
    for student, report in reports.items():
        said = " ".join(score["message"] for score in report["scores"])
        deserved = 100 if student.endswith("_perfect") else 0
        expected = reasons.get(student, "")
        given = any(reason in said for reason in (expected if isinstance(expected, tuple) else (expected,)))
        if not given or report["earned"] != deserved or report["status"] != "graded":
            found[student] = f"{report['earned']:g} {report['status']}: {said}"
    return found


def saved(out: Path) -> dict[str, dict]:
    return {path.parent.name: json.loads(path.read_text()) for path in out.glob("*/report.json")}


def children() -> set[int]:
    return {
        int(pid) for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()
    }


def left_running(before: set[int]) -> list[int]:
    """Return the processes started since `before` that still run; ended ones are reaped."""
    return [pid for pid in children() - before if os.waitpid(pid, os.WNOHANG) == (0, 0)]


def check_output(out: Path, printed: str = "") -> None:
    """No secret, no escape sequence, no live markup and no formula in anything that was written or printed."""
    for text in [printed, *(path.read_text() for path in out.rglob("*.*") if path.is_file())]:
        assert not [secret for secret in SECRETS if secret in text]
        assert not {"\x1b", "\u202e", "\u2066", "\x07"} & set(text)
    for page in out.rglob("report.html"):
        assert not re.search("<script>alert|<img", page.read_text())
    with (out / "grades.csv").open() as file:
        assert not [
            row for row in csv.reader(file) if any(cell.startswith(("=", "+", "-", "@")) for cell in row)
        ]


def readable_by_all(*paths: Path) -> bool:
    return all(folder.stat().st_mode & 0o005 for path in paths for folder in (path, *path.parents))


@pytest.fixture
def root():
    """Return a folder that another user can reach, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="autograder-hostile-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["namespaces", "plain"])
@pytest.mark.parametrize("user", ["this user", "an ordinary user"])
def test_a_hostile_class_gets_nothing(user, mode, models, canary, root):
    how = {}
    if user == "an ordinary user":
        if os.geteuid() != 0:
            pytest.skip("only root can become another user, and this user is an ordinary one already")
        if not readable_by_all(Path(sys.base_prefix), Path(sys.prefix), REPOSITORY):
            pytest.skip(f"other users can't read Python in {sys.base_prefix}")
        how = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    if mode == "namespaces" and not probe().namespaces:
        pytest.skip("no namespaces here: bubblewrap is missing or refused")
    course = toy_course(root)
    reasons = the_class(course, models)
    how["env"] = environment(course, os.environ["PATH"] if mode == "namespaces" else "/nowhere")
    subprocess.run(["chown", "-hR", f"{how.get('user', os.geteuid())}", str(course)], check=True)
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1)
    before = children()

    outs = ("results", "again") if mode == "namespaces" else ("results",)
    finished = [grade(course, out, **how) for out in outs]

    for out, done in zip(outs, finished, strict=True):
        assert (done.returncode, "Traceback" in done.stdout + done.stderr) == (0, False), done.stderr[-2000:]
        assert not wrong(saved(course / out), reasons)
        check_output(course / out, done.stdout + done.stderr)
    assert len({(course / out / "grades.csv").read_bytes() for out in outs}) == 1
    assert canary.lives()
    assert not left_running(before)
    assert not list((course / "tmp").iterdir())
    assert not [
        name for name in ("new", "zip", "pickle", "model") if Path(f"/tmp/autograder-canary-{name}").exists()
    ]


FAST = ("bomb_raw", "files_", "forge_", "leak_", "lie_", "patch_", "poison_", "process_")
QUICK = [path for path in ATTACKS if path.stem.startswith(FAST) and path.stem != "forge_slowly"]


def test_the_quick_half_of_the_class(sandbox, canary, tmp_path):
    course = toy_course(tmp_path)
    (course / "class").mkdir()
    reasons = code_attacks(course / "class", QUICK)
    found = read_course(course)
    grader = Grader.create(found.assignments[0], hidden_data(found), sandbox)
    handed_in, out = read_cohort(course / "class", "hello"), tmp_path / "out"
    reports = list(grade_cohort(grader, MarkSources.read(found, grader, handed_in, out), handed_in, out))
    assert len(reports) == len(QUICK)
    assert not wrong(saved(tmp_path / "out"), reasons)
    check_output(tmp_path / "out")
    assert canary.lives()
