"""Files made on purpose: a good one taken apart, changed in one place and put together again."""

import io
import json
import zipfile
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

FIXTURES = Path(__file__).parent / "fixtures"


def good(name: str, version: str = "3.15.1") -> bytes:
    """Return a file that Keras saved."""
    with zipfile.ZipFile(FIXTURES / f"keras-{version}.zip") as archive:
        return archive.read(f"{name}.keras")


def entries(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(contents: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, method)
    return stream.getvalue()


def replaced(data: bytes, **contents: bytes) -> bytes:
    """Return the file with other contents: replaced(data, config=b"{}", weights=b"")."""
    names = {"config": "config.json", "metadata": "metadata.json", "weights": "model.weights.h5"}
    return packed(entries(data) | {names[name]: content for name, content in contents.items()})


def reconfigured(data: bytes, change: Callable[[dict], object]) -> bytes:
    """Return the file after `change` was done to its config."""
    config = json.loads(entries(data)["config.json"])
    change(config)
    return replaced(data, config=json.dumps(config).encode())


def layer(config: dict, kind: str) -> dict:
    """Return the first layer of a class in a model's config."""
    return next(entry for entry in config["config"]["layers"] if entry["class_name"] == kind)


def with_option(data: bytes, kind: str, **options) -> bytes:
    """Return the file with options of its first layer of a class changed."""
    return reconfigured(data, lambda config: layer(config, kind)["config"].update(deepcopy(options)))


def with_layer(
    data: bytes, kind: str, module: str = "keras.layers", registered: str | None = None, **options
) -> bytes:
    """Return the file with one more layer, before the last one."""
    new = {
        "module": module,
        "class_name": kind,
        "config": {"name": "extra", **options},
        "registered_name": registered,
    }
    return reconfigured(data, lambda config: config["config"]["layers"].insert(-1, new))
