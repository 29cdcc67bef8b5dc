"""Devices: whether TensorFlow has a GPU to train on, and what a process must see of it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROBE = """
import json, tensorflow, keras
gpus = tensorflow.config.list_physical_devices("GPU")
names = [tensorflow.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus]
print(json.dumps({"tensorflow": tensorflow.__version__, "keras": keras.__version__, "gpus": names}))
"""
MISSING = (
    "No GPU: TensorFlow finds none. Install NVIDIA's driver (nvidia-smi then names the card) and, here, "
    "`pip install -r requirements-gpu.txt`; or leave --device gpu out."
)


@dataclass(frozen=True)
class Found:
    """What TensorFlow says of itself: versions, names of the GPUs it can use; or why it does not start."""

    tensorflow: str = ""
    keras: str = ""
    gpus: tuple[str, ...] = ()
    trouble: str = ""


class DeviceError(Exception):
    """A device was asked for that is not there."""


def look() -> Found:
    """Asks TensorFlow in a process of its own: a broken installation may crash whoever imports it."""
    asked = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=False)
    if asked.returncode:
        lines = asked.stderr.strip().splitlines()
        return Found(trouble=lines[-1] if lines else f"exit status {asked.returncode}")
    said = json.loads(asked.stdout.splitlines()[-1])
    return Found(said["tensorflow"], said["keras"], tuple(said["gpus"]))


def choose(wanted: str) -> str:
    """ "cpu" or "gpu" for what was wanted: "auto", "cpu", "gpu". Raises DeviceError.

    Called before TensorFlow is imported here: what it then sees of a GPU is settled for the whole process.
    """
    there = bool(files()) and wanted != "cpu" and bool(look().gpus)
    if wanted == "gpu" and not there:
        raise DeviceError(MISSING)
    if there:
        os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"  # otherwise the first process takes all its memory
        return "gpu"
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    return "cpu"


def files() -> list[Path]:
    """The device files of NVIDIA's driver; WSL has one of another name."""
    dev = Path("/dev")
    return [*sorted(path for path in dev.glob("nvidia*") if not path.is_dir()), *dev.glob("dxg")]


def driver() -> list[Path]:
    """Where the driver says what it is, and its libraries, where they lie outside /usr and /lib."""
    return [path for path in map(Path, ("/proc/driver/nvidia", "/usr/lib/wsl")) if path.exists()]
