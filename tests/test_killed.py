"""A run that is killed at any moment, and started again, ends in the same bytes as one that nobody disturbed."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
STUDENTS, KILLS = 120, 10


def start_grade(course, out, *options):
    """Start `autograder grade` as a TA does, in a process group of its own."""
    command = [
        sys.executable,
        "-m",
        "autograder",
        "grade",
        "hello",
        str(course.root.parent / "class"),
        "--out",
        str(out),
        *options,
    ]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen(
        command,
        cwd=course.root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def run_grade(course, out, *options):
    """Run to the end, and return the output."""
    process = start_grade(course, out, *options)
    output = process.communicate(timeout=120)[0].decode()
    assert process.returncode == 0, output
    return output


def result_files(out):
    """Return all files that people read, by path, but for the times, which differ in each run."""
    paths = (path for path in sorted(out.rglob("*")) if path.is_file() and not path.name.startswith("."))
    files = (path for path in paths if ".scores" not in path.parts and path.name != "times.html")
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def count_reports(out):
    return len(list(out.glob("*/report.json")))


def kill_soon(course, out, moment, *options):
    """Kill a run so many seconds after it has saved its first new report."""
    before, process = count_reports(out), start_grade(course, out, *options)
    while count_reports(out) == before:
        assert process.poll() is None, process.communicate()[0].decode()
        time.sleep(0.01)
    time.sleep(moment)
    assert process.poll() is None, "it ended before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_killed_at_ten_moments(course, hand_in, tmp_path, jobs):
    for number in range(STUDENTS):
        hand_in(f"student {number:03}", **{"greeting.txt": "hello" * number})
    rubric = course.assignments[0].rubric
    slow = rubric.read_text().replace("    length = ", "    time.sleep(0.05)\n    length = ")
    rubric.write_text("import time\n" + slow)
    run_grade(course, tmp_path / "undisturbed", "--jobs", "1")
    out, moments = tmp_path / "killed", random.Random(9)
    for _ in range(KILLS):
        kill_soon(course, out, moments.uniform(0, 0.4) / int(jobs), "--jobs", jobs)
    assert 0 < count_reports(out) < STUDENTS
    output = run_grade(course, out, "--jobs", jobs)
    assert f" of {2 * STUDENTS} items were run now" in output
    assert f"{2 * STUDENTS} of" not in output
    assert result_files(out) == result_files(tmp_path / "undisturbed")
    assert len(result_files(out)) > 2 * STUDENTS
