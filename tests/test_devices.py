"""A GPU: found or said to be missing in one line, and shown to the children that train and to no others."""

import json
import os
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from autograder import devices
from autograder.devices import DeviceError, Found
from autograder.doctor import examine_tensorflow
from autograder.sandbox import Isolation, Sandbox, training_sandbox
from autograder.sandbox.confinement import bubblewrap

CARD = Path("/dev/null")  # stands for a device file
HOLDS = Isolation(True, 7, True)


@pytest.fixture
def machine(monkeypatch):
    """`machine(gpus, files)` is a machine whose TensorFlow lists these GPUs and whose /dev holds these files."""
    monkeypatch.setattr(os, "environ", os.environ.copy())

    def has(gpus=(), files=()):
        monkeypatch.setattr(devices, "files", lambda: list(files))
        answer = json.dumps({"tensorflow": "2.21", "keras": "3.15", "gpus": gpus})
        monkeypatch.setattr(
            "subprocess.run", lambda *a, **k: CompletedProcess(a, 0, f"noise\n{answer}\n", "")
        )

    return has


@pytest.mark.parametrize(
    "gpus, files, wanted, chosen",
    [
        (["H100"], [CARD], "auto", "gpu"),
        (["H100"], [CARD], "gpu", "gpu"),
        (["H100"], [CARD], "cpu", "cpu"),
        ([], [CARD], "auto", "cpu"),
        ([], [], "auto", "cpu"),
    ],
)
def test_auto_takes_a_gpu_where_there_is_one(machine, gpus, files, wanted, chosen):
    machine(gpus, files)
    assert devices.choose(wanted) == chosen
    if chosen == "cpu":
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "-1"
    else:
        assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"


@pytest.mark.parametrize("gpus, files", [([], []), ([], [CARD])])
def test_where_there_is_none_one_line_says_what_to_install(machine, gpus, files):
    machine(gpus, files)
    with pytest.raises(DeviceError, match=r"No GPU: .*requirements-gpu\.txt") as raised:
        devices.choose("gpu")
    assert "\n" not in str(raised.value)


def test_doctor_names_it(machine):
    machine(["NVIDIA H100 80GB HBM3"], [CARD])
    assert any("GPU: NVIDIA H100 80GB HBM3" in sign.what for sign in examine_tensorflow())
    machine()
    assert any("GPU: none" in sign.what for sign in examine_tensorflow())


def test_a_tensorflow_that_does_not_start_is_told(monkeypatch):
    monkeypatch.setattr(
        "subprocess.run", lambda *a, **k: CompletedProcess(a, 1, "", "much\nImportError: no libcuda")
    )
    assert devices.look() == Found(trouble="ImportError: no libcuda")


def test_only_the_children_that_train_see_it(machine):
    machine(["H100"], [CARD])
    with training_sandbox(HOLDS, "gpu") as trainer:
        assert f"--dev-bind {CARD} {CARD}" in " ".join(trainer._command(9))
        assert trainer._environment()["CUDA_VISIBLE_DEVICES"] == "0"
    students = Sandbox(HOLDS)
    assert "--dev-bind" not in students._command(9)
    assert students._environment()["CUDA_VISIBLE_DEVICES"] == "-1"
    with training_sandbox(HOLDS, "cpu") as trainer:
        assert trainer is None


def test_nothing_but_its_files_is_added_to_what_a_child_sees():
    without, with_card = bubblewrap([]), bubblewrap([], [CARD])
    assert {word for word in with_card if word not in without} == {"--dev-bind", str(CARD)}
