"""A GPU: found or said to be missing in one line, shown to the children that train, and used by one at a time."""

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from subprocess import CompletedProcess

import keras
import numpy as np
import pytest

from autograder.cli._examine import examine_tensorflow
from autograder.core import DeviceError, Failure, StudentError
from autograder.core import _devices as devices
from autograder.core._devices import DeviceInfo
from autograder.models import Predictor, read_untrained_model
from autograder.models._training import ON_THE_CPU
from autograder.rubric import ItemRun, Submission, record_run
from autograder.sandbox import Answer, Isolation, Sandbox, training_sandbox
from autograder.sandbox._isolation import bubblewrap
from autograder.sandbox._visible_paths import visible_paths

ROOT = Path(__file__).parents[1]
CARD = Path("/dev/null")  # stands for a device file
HOLDS = Isolation(True, 7, True)


@pytest.fixture
def machine(monkeypatch):
    """`machine(gpus, files)` is a machine whose TensorFlow lists these GPUs and whose /dev holds these files."""
    monkeypatch.setattr(os, "environ", os.environ.copy())

    def has(gpus=(), files=()):
        monkeypatch.setattr(devices, "gpu_device_files", lambda: list(files))
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
    before = dict(os.environ)
    assert devices.choose_device(wanted) == chosen
    assert os.environ == before  # another run in this process may want the other


@pytest.mark.parametrize("gpus, files", [([], []), ([], [CARD])])
def test_where_there_is_none_one_line_says_what_to_install(machine, gpus, files):
    machine(gpus, files)
    with pytest.raises(DeviceError, match=r"No GPU: .*requirements-gpu\.txt") as raised:
        devices.choose_device("gpu")
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
    assert devices.probe_tensorflow() == DeviceInfo(trouble="ImportError: no libcuda")


def test_only_the_children_that_train_see_it(machine):
    machine(["H100"], [CARD])
    with training_sandbox(HOLDS, "gpu") as trainer:
        assert f"--dev-bind {CARD} {CARD}" in " ".join(trainer._command(9))
        shown = trainer._environment()
        assert shown["CUDA_VISIBLE_DEVICES"] == "0"
        assert shown["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"  # or the first child takes all its memory
    students = Sandbox(HOLDS)
    assert "--dev-bind" not in students._command(9)
    assert students._environment()["CUDA_VISIBLE_DEVICES"] == "-1"
    with training_sandbox(HOLDS, "cpu") as trainer:
        assert trainer is None


def test_nothing_but_its_files_is_added_to_what_a_child_sees():
    without, with_card = bubblewrap(visible_paths()), bubblewrap(visible_paths(), [CARD])
    assert {word for word in with_card if word not in without} == {"--dev-bind", str(CARD)}


@pytest.mark.parametrize("given, card", {"1": "1", "2,3": "2", " GPU-8f2c , 1": "GPU-8f2c", "": "0"}.items())
def test_the_card_that_the_user_or_dask_chose_is_the_one_that_trains(monkeypatch, given, card):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    assert Sandbox(HOLDS, device="gpu")._environment()["CUDA_VISIBLE_DEVICES"] == card
    assert Sandbox(HOLDS)._environment()["CUDA_VISIBLE_DEVICES"] == "-1"


CONFIG = keras.Sequential([keras.Input((None, 2)), keras.layers.GRU(3), keras.layers.Dense(1)]).to_json()
TRAINED = np.zeros((1, 2)), np.ones((1, 3, 1))
DATA = np.ones((4, 5, 2)), np.ones(4, int), np.ones((3, 5, 2))
HOLDER = """
from autograder.models._training import own_gpu
with own_gpu(print):
    print("mine", flush=True)
    input()
"""


@dataclass
class Stub:
    """Stands for a sandbox: answers each call with this, counts them, and knows whether its child still lives."""

    answer: Answer
    calls: int = 0
    alive: bool = False
    waited: float = 0.0

    def call(self, *arguments, **options) -> Answer:
        self.calls, self.alive = self.calls + 1, True
        return self.answer

    def discard_child(self) -> None:
        self.alive = False


def gives() -> Stub:
    return Stub(Answer(TRAINED, None, "", ()))


def fails(reason: str, kind=StudentError, printed: str = "") -> Stub:
    return Stub(Answer(None, kind(reason), printed, ()))


def work(sandbox: Stub, trainer: Stub | None) -> Submission:
    return Submission("ann", Path(), Predictor(), sandbox, trainer=trainer)


def train(submission: Submission) -> tuple:
    return submission.train(read_untrained_model(CONFIG.encode()), *DATA, updates=2, learning_rate=0.1)


def train_and_report(submission: Submission, on_progress) -> tuple:
    with record_run(ItemRun(on_progress=on_progress)):
        return train(submission)


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Return a folder for temporary files, here and in the processes that a test starts."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def holder():
    """`holder(**environment)` starts a process that has the GPU until it is killed."""
    started = []

    def start(**environment) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER], cwd=ROOT, env=os.environ | environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        assert process.stdout.readline() == "mine\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_trainings_of_several_processes_queue_for_the_gpu(holder):
    """One waits while another process has it, says so, and gets it when that process is killed."""
    told, trainer, other = SimpleQueue(), gives(), holder()
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(train_and_report, work(gives(), trainer), told.put)
        try:
            assert told.get(timeout=20) == "waiting for the GPU"
            assert trainer.calls == 0 and not waiting.done()
        finally:
            other.kill()
        assert waiting.result(60) == TRAINED and trainer.calls == 1
    assert not trainer.alive  # or it would hold memory that the next one needs


def test_nobody_waits_for_another_card_or_where_the_cpu_trains(holder):
    def refuse(said: str):
        raise AssertionError(said)

    holder(CUDA_VISIBLE_DEVICES="1")
    assert train_and_report(work(gives(), gives()), refuse) == TRAINED
    holder()
    assert train_and_report(work(gives(), None), refuse) == TRAINED


@pytest.mark.parametrize(
    "full",
    [
        fails("train raised ResourceExhaustedError: OOM when allocating tensor with shape[64,3000]"),
        fails(
            "train crashed Python (SIGABRT).", Failure, "INTERNAL: CUDA_ERROR_OUT_OF_MEMORY: out of memory"
        ),
    ],
    ids=["told", "crashed"],
)
def test_what_the_gpu_has_no_memory_for_is_trained_on_the_cpu_with_a_remark(full):
    sandbox = gives()
    ann = work(sandbox, full)
    for one in (ann, replace(ann, student="bob", _known={})):  # whose equal training is not run again
        with record_run(ItemRun()) as run:
            assert train(one) == TRAINED
        assert ON_THE_CPU in run.remarks[0].text
    assert (full.calls, sandbox.calls) == (1, 1)


def test_what_neither_has_memory_for_is_too_large():
    too_large = fails("train raised MemoryError: no")
    with pytest.raises(Failure, match="updates on the CPU takes more memory than there is"):
        train(work(too_large, too_large))
    assert too_large.calls == 2


@pytest.mark.parametrize(
    "trouble, says",
    [
        (fails("train took more than 120 s.", Failure), (Failure, "took more than 120 s")),
        (fails("train raised ValueError: no"), (Failure, "failed: train raised ValueError")),
        (
            fails("train raised ModuleNotFoundError: x"),
            (RuntimeError, "failed: train raised ModuleNotFoundError"),
        ),
    ],
    ids=["slow", "broken", "lacking"],
)
def test_other_trouble_is_not_tried_again(trouble, says):
    kind, reason = says
    sandbox = gives()
    with pytest.raises(kind, match=reason):
        train(work(sandbox, trouble))
    assert sandbox.calls == 0


def test_a_grader_hides_it_from_its_own_tensorflow_and_not_from_its_children(machine):
    machine(["H100"], [CARD])
    os.environ["CUDA_VISIBLE_DEVICES"] = "1,2"
    for _ in range(2):  # a worker does it again
        devices.hide_gpu()
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "-1" and devices.training_gpu() == "1"
    with training_sandbox(HOLDS, devices.choose_device("gpu")) as trainer:
        assert trainer._environment()["CUDA_VISIBLE_DEVICES"] == "1"
