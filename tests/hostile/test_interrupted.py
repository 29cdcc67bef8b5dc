"""Killing the grader or its server loses no finished mark: the next run goes on and ends with the same marks."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_hostile import (
    ATTACKS,
    HONEST,
    SET_CHILD_SUBREAPER,
    children,
    code_attacks,
    environment,
    left_running,
    toy_course,
)

CHOSEN = [path for path in ATTACKS if path.stem.startswith(("crash", "forge_h", "leak_", "lie_"))]


@pytest.fixture
def course(tmp_path) -> Path:
    course = toy_course(tmp_path)
    code_attacks(course / "class", CHOSEN)
    for name in ("00_honest", "zz_honest"):
        (course / "class" / name).mkdir()
        (course / "class" / name / "notebook.py").write_text(HONEST)
    return course


def start(course: Path, out: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "autograder", "grade", "target", "class", "--out", out]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, cwd=course, env=environment(course, os.environ["PATH"]), **quiet)


def reports(course: Path, out: str) -> dict[Path, float]:
    return {path: path.stat().st_mtime_ns for path in (course / out).glob("*/report.json")}


def wait_for(count: int, course: Path, out: str, run: subprocess.Popen) -> None:
    while len(reports(course, out)) < count:
        assert run.poll() is None, "the run ended before it could be killed"
        time.sleep(0.01)


@pytest.mark.slow
def test_a_killed_run_is_gone_on_with(course):
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1)
    before = children()
    assert start(course, "whole").wait(300) == 0

    for count in (1, 4, 8):
        kept = reports(course, "cut")
        run = start(course, "cut")
        wait_for(count, course, "cut", run)
        run.kill()
        run.wait()
        assert kept.items() <= reports(course, "cut").items()  # what was graded before was not graded again
        deadline = time.monotonic() + 10
        while (left := left_running(before)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not left
    kept = reports(course, "cut")
    run = start(course, "cut")
    wait_for(len(kept) + 1, course, "cut", run)
    for pid in Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split():
        os.kill(int(pid), signal.SIGKILL)  # the server
    assert run.wait(300) == 0
    assert kept.items() <= reports(course, "cut").items()

    for path in (course / "whole").rglob("*.*"):
        takes_time = ".scores" in path.parts or path.name == "times.html"  # how long, which differs
        if path.is_file() and not takes_time:
            assert path.read_bytes() == (course / "cut" / path.relative_to(course / "whole")).read_bytes()
