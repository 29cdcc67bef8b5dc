"""Devices: whether TensorFlow has a GPU to train on, and what a process must see of it."""

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PROBE = """
import json, tensorflow, keras
gpus = tensorflow.config.list_physical_devices("GPU")
names = [tensorflow.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus]
print(json.dumps({"tensorflow": tensorflow.__version__, "keras": keras.__version__, "gpus": names}))
"""
HIDDEN = "AUTOGRADER_GPU"  # the card, where `hide_gpu` has hidden it
MISSING = (
    "No GPU: TensorFlow finds none. Install NVIDIA's driver (nvidia-smi then names the card) and, here, "
    "`pip install -r requirements-gpu.txt`; or leave --device gpu out."
)


@dataclass(frozen=True)
class DeviceInfo:
    """What TensorFlow says of itself: versions, names of the GPUs it can use; or why it does not start."""

    tensorflow: str = ""
    keras: str = ""
    gpus: tuple[str, ...] = ()
    trouble: str = ""


class DeviceError(Exception):
    """A device was asked for that is not there."""


def probe_tensorflow() -> DeviceInfo:
    """Asks TensorFlow in a process of its own: a broken installation may crash whoever imports it."""
    seen = os.environ | ({"CUDA_VISIBLE_DEVICES": training_gpu()} if HIDDEN in os.environ else {})
    asked = subprocess.run(
        [sys.executable, "-P", "-c", PROBE], capture_output=True, text=True, check=False, env=seen
    )
    if asked.returncode:
        lines = asked.stderr.strip().splitlines()
        return DeviceInfo(trouble=lines[-1] if lines else f"exit status {asked.returncode}")
    said = json.loads(asked.stdout.splitlines()[-1])
    return DeviceInfo(said["tensorflow"], said["keras"], tuple(said["gpus"]))


def choose_device(wanted: str) -> Literal["cpu", "gpu"]:
    """ "cpu" or "gpu" for what was wanted: "auto", "cpu", "gpu". Raises DeviceError."""
    there = bool(gpu_device_files()) and wanted != "cpu" and bool(probe_tensorflow().gpus)
    if wanted == "gpu" and not there:
        raise DeviceError(MISSING)
    return "gpu" if there else "cpu"


def device_environment(device: str) -> dict[str, str]:
    """Return what shows a process the one GPU to train on, or none for "cpu".

    It takes of the memory what it needs, and computes with all of a float32: an H100 would cut it to 10 bits.
    """
    if device == "cpu":
        return {"CUDA_VISIBLE_DEVICES": "-1"}
    return {
        "CUDA_VISIBLE_DEVICES": training_gpu(),
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "NVIDIA_TF32_OVERRIDE": "0",
    }


def training_gpu() -> str:
    """Return the GPU to train on, as CUDA calls it: the first that whoever started this process left visible."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0].strip() or "0"
    return os.environ.get(HIDDEN, visible)


def hide_gpu() -> None:
    """Keep the GPU out of this process's sight, for those that it starts to train on: a rubric may use TensorFlow."""
    os.environ[HIDDEN], os.environ["CUDA_VISIBLE_DEVICES"] = training_gpu(), "-1"


def gpu_lock() -> Path:
    """Return the file that whoever trains on the GPU holds locked, one for a user and machine."""
    return Path(tempfile.gettempdir()) / re.sub(
        r"[^\w.-]", "_", f"autograder-{os.getuid()}-gpu-{training_gpu()}.lock"
    )


def gpu_device_files() -> list[Path]:
    """Return the device files of NVIDIA's driver; WSL has one of another name."""
    dev = Path("/dev")
    return [*sorted(path for path in dev.glob("nvidia*") if not path.is_dir()), *dev.glob("dxg")]


def gpu_driver_paths() -> list[Path]:
    """Where the driver says what it is, and its libraries, where they lie outside /usr and /lib."""
    return [path for path in map(Path, ("/proc/driver/nvidia", "/usr/lib/wsl")) if path.exists()]
