"""A class on a Dask cluster: the same marks; workers that would mark otherwise are left out, and workers may die."""

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
from test_killed import result_files, run_grade, start_grade
from test_workers import MIXED

from autograder.core import CourseError
from autograder.data import hidden_data
from autograder.grading import GraderFactory, MarkSources, grade_cohort
from autograder.lms._detect import read_cohort

pytest.importorskip("distributed")

from distributed import Client, LocalCluster  # noqa: E402

from autograder.grading import _dask_executor as cluster_module  # noqa: E402
from autograder.grading._dask_executor import COURSE, connect_client, describe_difference, open_dask_executor  # noqa: E402

STUDENTS = 24


@pytest.mark.parametrize(
    "address", ["local:0", "local:many", "somewhere", "tcp://127.0.0.1:{port}", "what://x"]
)
def test_a_missing_scheduler_is_one_line_within_seconds(address, monkeypatch):
    monkeypatch.setattr(cluster_module, "PATIENCE", 0.5)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = time.monotonic()
    with (
        pytest.raises(CourseError, match="No Dask scheduler answers at") as output,
        connect_client(address.format(port=port)),
    ):
        pass
    assert "\n" not in str(output.value) and time.monotonic() - begun < 10


def test_differences_of_fingerprints_are_named():
    here = {"keras": "3.15.1", "isolation": "seccomp", "basis": "a"}
    assert describe_difference(here, dict(here)) == ""
    assert describe_difference(here, here | {"basis": "b"}) == "its autograder is of another version"
    output = describe_difference(here, {"keras": "3.3.0", "basis": "b", "trained on": "gpu"})
    assert "keras is 3.3.0 there and 3.15.1 here" in output
    assert "isolation is absent there and seccomp here" in output
    assert "trained on is gpu there and absent here" in output


def hand_in_class(course, hand_in, seconds=0.0):
    """Return the folder of a class whose items take so many seconds each."""
    rubric = MIXED.replace("    length = ", f"    time.sleep({seconds})\n    length = ")
    course.assignments[0].rubric.write_text(rubric)
    for number in range(STUDENTS):
        folder = hand_in(f"student {number:02}", **{"greeting.txt": "hello" * number})
    return folder


@pytest.mark.slow
def test_a_cluster_gives_the_same_bytes(course, hand_in, tmp_path):
    hand_in_class(course, hand_in)
    run_grade(course, tmp_path / "1" / "out", "--jobs", "1")
    run_grade(course, tmp_path / "2" / "out", "--dask", "local:2")
    assert result_files(tmp_path / "1" / "out") == result_files(tmp_path / "2" / "out")


def dask_workers(process):
    """Return the Dask workers among the descendants of a process: each has a grading process."""
    below = psutil.Process(process.pid).children(recursive=True)
    parents = [
        child.parent() for child in below if "autograder.grading._executors" in " ".join(child.cmdline())
    ]
    return [parent for parent in parents if parent.pid != process.pid]


@pytest.mark.slow
@pytest.mark.parametrize("victims", [1, 2])
def test_workers_killed_in_the_middle_change_no_mark(course, hand_in, tmp_path, victims):
    """Kill one, while another goes on; and both, so that all waits until Dask has started new ones."""
    hand_in_class(course, hand_in, seconds=0.4)
    run_grade(course, tmp_path / "1" / "out", "--jobs", "2")
    out = tmp_path / "2" / "out"
    process = start_grade(course, out, "--dask", "local:2")
    while len(list(out.glob("*/report.json"))) < 4:
        assert process.poll() is None, process.communicate()[0].decode()
        time.sleep(0.05)
    workers = dask_workers(process)
    assert len(workers) == 2
    inner = [child for worker in workers[:victims] for child in worker.children()]
    for worker in workers[:victims]:
        worker.kill()
    output = process.communicate(timeout=180)[0].decode()
    assert process.returncode == 0, output
    assert result_files(tmp_path / "1" / "out") == result_files(out)
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in inner)


@pytest.fixture
def scheduler(tmp_path):
    """Return the address of a scheduler without workers, and a function that starts one, as docs/cluster.md does."""
    processes, file = [], tmp_path / "scheduler.json"

    def begin(program, *options, **environment):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment
        command = [sys.executable, "-m", "dask", program, *options, "--no-dashboard"]
        processes.append(subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, cwd=tmp_path))

    begin("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
    while not file.is_file() or not file.read_text().endswith("}"):
        time.sleep(0.1)
    address = json.loads(file.read_text())["address"]
    yield address, lambda **environment: begin("worker", address, "--nthreads", "2", **environment)
    for process in reversed(processes):
        process.terminate()
        process.wait(30)


def grade_on_cluster(setup, grader, address, folder, out, notices, course):
    cohort = read_cohort(folder, "hello")
    sources = MarkSources.read(course, grader, cohort, out)
    with open_dask_executor(address, setup, grader, notices) as workers:
        yield from grade_cohort(grader, sources, cohort, out, executor=workers)


@pytest.mark.slow
def test_a_worker_that_would_mark_otherwise_is_left_out(course, hand_in, tmp_path, scheduler, sandbox):
    folder = hand_in_class(course, hand_in, seconds=0.2)
    address, worker = scheduler
    other, moved = tmp_path / "other", tmp_path / "moved"
    shutil.copytree(course.root, other)
    shutil.copytree(course.root, moved)
    rubric = other / "assignments/hello/rubric.py"
    rubric.write_text(rubric.read_text().replace("full=1", "full=2"))
    setup = GraderFactory(course.assignments[0], hidden_data(course), isolation=sandbox.isolation)
    run_grade(course, tmp_path / "1" / "out", "--jobs", "1")
    out, notices, done = tmp_path / "2" / "out", [], []
    with setup.open() as grader, Client(address, set_as_default=False) as client:
        worker(**{COURSE: str(tmp_path / "nowhere")})
        client.wait_for_workers(1, 60)
        with pytest.raises(CourseError, match=f"can grade: .*no course.toml in .*nowhere; set {COURSE}"):
            list(grade_on_cluster(setup, grader, address, folder, out, notices.append, course))
        worker(**{COURSE: str(other)})
        worker(**{COURSE: str(moved)})
        client.wait_for_workers(3, 60)
        for result in grade_on_cluster(setup, grader, address, folder, out, notices.append, course):
            if not done:
                worker(**{COURSE: str(other)})  # late, and looked at as well
                client.wait_for_workers(4, 60)
            done.append(result)
    assert result_files(tmp_path / "1" / "out") == result_files(out)
    assert sum("no course.toml" in line for line in notices) == 1
    assert sum("rubric is" in line for line in notices) == 2
    left_out = [line for line in notices if "is not encrypted" not in line]
    assert all("is left out: " in line and line.startswith("The worker at tcp://") for line in left_out)


def test_as_many_workers_start_here_as_are_asked_for():
    with connect_client("local:1") as client:
        client.wait_for_workers(1, 60)
        assert list(client.nthreads().values()) == [1]


THIEF = """
import asyncio, os, sys
from distributed import Client, Security
own = Security.temporary()

async def steal(port, kind, security):
    address = f"{kind}://127.0.0.1:{port}"
    async with Client(address, security=security, asynchronous=True, timeout=8, set_as_default=False) as client:
        print("stolen from", port, await client.run_on_scheduler(os.getpid))

async def steal_all():
    tries = [steal(port, *way) for port in sys.argv[1:] for way in (("tcp", None), ("tls", own))]
    ended = await asyncio.gather(*(asyncio.wait_for(attempt, 10) for attempt in tries), return_exceptions=True)
    print("refused:", sum(isinstance(outcome, Exception) for outcome in ended))

if os.geteuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
asyncio.run(steal_all())
"""


def ports(process):
    """Return the ports on which a process and those that it started listen."""
    family = [process, *process.children(recursive=True)]
    return {
        link.laddr.port
        for member in family
        for link in member.net_connections("inet")
        if link.status == "LISTEN"
    }


@pytest.mark.slow
def test_another_user_of_this_machine_cannot_use_a_cluster_that_is_started_here():
    """A certificate is needed, one of their own does not help them, and the pages of the cluster are off."""
    folders = [Path(sys.prefix), *Path(sys.prefix).parents]
    if not all(folder.stat().st_mode & stat.S_IXOTH for folder in folders):
        pytest.skip("another user can't run this Python")
    before = ports(psutil.Process())
    with connect_client("local:1") as client:
        client.wait_for_workers(1, 60)
        opened = sorted(ports(psutil.Process()) - before)
        assert len(opened) >= 3 and client.scheduler_info()["address"].startswith("tls://127.0.0.1:")
        for port in opened:
            with pytest.raises(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/info/main/workers.html", timeout=5)
        with LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0", host="127.0.0.1") as plain:
            open_port = int(plain.scheduler_address.rpartition(":")[2])
            command = [sys.executable, "-W", "ignore", "-c", THIEF, *map(str, [*opened, open_port])]
            output = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
        assert output.splitlines() == [
            f"stolen from {open_port} {os.getpid()}",
            f"refused: {2 * len(opened) + 1}",
        ]


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:{port}", "127.0.0.1:{port}", "ws://127.0.0.1:{port}"])
def test_an_address_without_tls_is_told_in_one_line(address, course, monkeypatch):
    monkeypatch.setattr(cluster_module, "PATIENCE", 0.2)
    notices = []
    with (
        pytest.raises(CourseError, match="No Dask scheduler answers"),
        open_dask_executor(
            address.format(port=1),
            GraderFactory(course.assignments[0], hidden_data(course)),
            None,
            notices.append,
        ),
    ):
        pass
    assert len(notices) == 1 and "tls://" in notices[0] and "\n" not in notices[0]


def test_with_tls_nothing_is_told(course, monkeypatch):
    monkeypatch.setattr(cluster_module, "PATIENCE", 0.2)
    notices, setup = [], GraderFactory(course.assignments[0], hidden_data(course))
    with pytest.raises(CourseError), open_dask_executor("tls://127.0.0.1:1", setup, None, notices.append):
        pass
    assert notices == []


def test_without_cryptography_it_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    output = "needs the package cryptography, for TLS: pip install"
    with pytest.raises(CourseError, match=output), connect_client("local:1"):
        pass
