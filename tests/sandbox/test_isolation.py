"""Which layers hold: the policy, and the probe, which sees it when one of them is taken away."""

import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import asdict
from itertools import product
from pathlib import Path

import pyseccomp
import pytest

from autograder.sandbox import Isolation, Sandbox, SandboxError, probe
from autograder.sandbox import _isolation as confinement
from autograder.sandbox._visible_paths import visible_paths

PACKAGE = Path(confinement.__file__).parents[2]
PROBE = "import json, dataclasses; from autograder.sandbox import probe; print(json.dumps(dataclasses.asdict(probe())))"


@pytest.fixture(scope="module")
def here() -> Isolation:
    found = probe()
    if not (found.landlock and found.seccomp):
        pytest.skip(f"too few layers here to take one away: {found}")
    return found


@pytest.mark.parametrize("layers", [*product([True, False], [0, 2, 7], [True, False])])
def test_isolation_holds_with_seccomp_and_something_that_hides_files(layers):
    namespaces, landlock, seccomp = layers
    assert Isolation(*layers).holds is (seccomp and (namespaces or landlock > 0))


@pytest.mark.parametrize("layers", [(False, 0, False), (True, 7, False), (False, 0, True)])
def test_student_code_is_refused_where_isolation_does_not_hold(layers):
    with (
        pytest.raises(SandboxError, match="Student code is not run") as caught,
        Sandbox(Isolation(*layers)) as box,
    ):
        box.call(b"def f(): return 1", "work.py", "f", [])
    assert "\n" not in str(caught.value) and "--no-isolation" in str(caught.value)
    assert box._server is None


def test_isolation_reads_well():
    assert str(Isolation(True, 7, True)) == "namespaces, Landlock 7, seccomp"
    assert str(Isolation(False, 0, False)) == "none"


def probed(wrap: list[str], **environment: str) -> dict:
    command = [*wrap, sys.executable, "-c", PROBE]
    environment = os.environ | {"PYTHONPATH": str(PACKAGE)} | environment
    return json.loads(
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    )


def test_the_probe_agrees_with_itself(here):
    assert probed([]) == asdict(here)


def test_without_bubblewrap_there_are_no_namespaces(here):
    assert probed([], PATH="/nowhere") == asdict(here) | {"namespaces": False}


def test_where_user_namespaces_are_forbidden_there_are_none(here):
    if not here.namespaces:
        pytest.skip("no namespaces here to forbid them in")
    wrap = ["bwrap", "--unshare-user", "--disable-userns", "--dev-bind", "/", "/", "--"]
    assert probed(wrap) == asdict(here) | {"namespaces": False}


@pytest.mark.parametrize("error", [ImportError, OSError])
def test_without_landlock_its_version_is_zero(here, monkeypatch, error):
    class Missing:
        def find_spec(self, name, *rest):
            if name == "landlockpy":
                raise error

    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    monkeypatch.delitem(sys.modules, "landlockpy", raising=False)
    assert probe() == Isolation(here.namespaces, 0, here.seccomp)


def test_a_kernel_without_landlock_is_seen(here, monkeypatch):
    import landlockpy

    def missing():
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(landlockpy, "abi_version", missing)
    assert probe().landlock == 0


def test_without_pyseccomp_there_is_no_filter(here, monkeypatch, tmp_path):
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')  # -S: without site-packages
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))
    assert probe() == Isolation(here.namespaces, here.landlock, False)


def test_a_filter_that_does_not_bite_does_not_hold(here, monkeypatch, tmp_path):
    (tmp_path / "pyseccomp.py").write_text(
        Path(pyseccomp.__file__).read_text() + "\nSyscallFilter.load = lambda self: 0\n"
    )
    loose = tmp_path / "python"
    loose.write_text(f'#!/bin/sh\nexport PYTHONPATH={tmp_path}:$PYTHONPATH\nexec {sys.executable} "$@"\n')
    loose.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(loose))
    assert probe().seccomp is False


@pytest.mark.parametrize("system", ["Darwin", "Windows"])
def test_other_systems_have_no_isolation(monkeypatch, system):
    monkeypatch.setattr("platform.system", lambda: system)
    assert probe() == confinement.NO_ISOLATION and not probe().holds


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors have fewer calls")
def test_every_refused_call_is_one_that_the_kernel_has():
    """A misspelt name would be passed over in silence, and its call allowed."""
    younger = {
        "fchmodat2",
        "setxattrat",
        "removexattrat",
        "memfd_secret",
        "quotactl_fd",
        "process_mrelease",
        "mount_setattr",
    }
    groups = ("PROCESSES", "SIGNALS", "NETWORK", "MEMORY", "IDENTITY", "SYSTEM", "FILE_MARKS")
    names = {name for group in groups for name in getattr(confinement, group).split()}
    unknown = {name for name in names if not known(name)}
    assert unknown <= younger


def known(name: str) -> bool:
    try:
        pyseccomp.SyscallFilter(pyseccomp.ALLOW).add_rule(pyseccomp.ERRNO(1), name)
    except (ValueError, OSError):
        return False
    return True


def test_bubblewrap_shows_python_and_nothing_else(here):
    if not here.namespaces:
        pytest.skip("no namespaces here")
    code = "import os; print(sorted(os.listdir('/'))); print(open('/proc/self/status').read())"
    command = [*confinement.bubblewrap(visible_paths()), sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    shown = set(eval(done.stdout.splitlines()[0]))
    allowed = {path.parts[1] for path in [*visible_paths().paths, *visible_paths().links]} | {
        "proc",
        "dev",
        "tmp",
    }
    assert shown <= allowed
    assert "CapEff:\t0000000000000000" in done.stdout and "CapBnd:\t0000000000000000" in done.stdout


def test_a_closed_folder_on_the_way_down_is_noticed():
    """A virtual environment in a folder of root's own: who becomes nobody can't read it any more."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    inner = folder / "venv"
    inner.mkdir(mode=0o755)
    try:
        for mode, expected in ((0o700, False), (0o711, True), (0o755, True), (0o754, False)):
            folder.chmod(mode)
            assert confinement.is_open(str(inner)) is expected
    finally:
        inner.rmdir(), folder.rmdir()
