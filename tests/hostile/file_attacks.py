"""Hostile archives, models and notebooks, each a function that writes one submission; its docstring says what it tries.

place: where the submission goes, as a folder or, with a suffix, as an archive; perfect: a folder with a perfect one.
"""

import io
import json
import os
import shutil
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

# --- archives


def zipped(place: Path, *entries: tuple[zipfile.ZipInfo | str, bytes]) -> None:
    with zipfile.ZipFile(f"{place}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)


def zip_slip(place, perfect):
    """Return a zip whose entry climbs out of its folder to the class's marks."""
    zipped(place, ("../../results/grades.csv", b"student,earned\nmallory,100\n"))


def zip_absolute(place, perfect):
    """Return a zip whose entry has an absolute path."""
    zipped(place, ("/tmp/autograder-canary-zip", b"here"))


def zip_backslash(place, perfect):
    """Return a zip whose entry climbs out the way Windows writes it."""
    zipped(place, ("..\\..\\grades.csv", b"here"))


def zip_link(place, perfect):
    """Return a zip whose model is a link to the neighbour's."""
    link = zipfile.ZipInfo("model.keras")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    zipped(place, (link, str(perfect / "model.keras").encode()))


def zip_bomb(place, perfect):
    """Return a zip of a megabyte that inflates to a gigabyte."""
    zipped(place, ("model.keras", bytes(2**30)))


def zip_lie(place, perfect):
    """Return a zip that claims ten bytes and inflates to a hundred megabytes."""
    zipped(place, ("model.keras", bytes(100 * 2**20)))
    path = Path(f"{place}.zip")
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 100 * 2**20), struct.pack("<I", 10)))


def zip_crowd(place, perfect):
    """Return a zip of twenty thousand files."""
    zipped(place, *((f"f{number}", b"") for number in range(20_000)))


def zip_depth(place, perfect):
    """Return a zip whose folders lie three hundred deep."""
    zipped(place, ("d/" * 300 + "model.keras", b""))


def zip_cut(place, perfect):
    """Half a zip."""
    shutil.make_archive(str(place), "zip", perfect)
    path = Path(f"{place}.zip")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def tarred(place: Path, *entries: tuple[str, bytes, str, bytes]) -> None:
    """entries: name, type, where a link leads, content."""
    with tarfile.open(f"{place}.tar.gz", "w:gz") as archive:
        for name, kind, target, content in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname, entry.size = kind, target, len(content)
            archive.addfile(entry, io.BytesIO(content))


def tar_link(place, perfect):
    """Return a tar with a link to the password file, and a file written through it."""
    tarred(place, ("model.keras", tarfile.SYMTYPE, "/etc/passwd", b""))


def tar_hard_link(place, perfect):
    """Return a tar with a hard link out of itself."""
    tarred(place, ("model.keras", tarfile.LNKTYPE, "../../solutions/target/model.keras", b""))


def tar_device(place, perfect):
    """Return a tar with a device that never ends and a pipe that no one writes to."""
    tarred(place, ("model.keras", tarfile.CHRTYPE, "", b""), ("notebook.py", tarfile.FIFOTYPE, "", b""))


def tar_climb(place, perfect):
    """Return a tar whose entry climbs out of its folder."""
    tarred(place, ("../grades.csv", tarfile.REGTYPE, "", b"mallory,100"))


def tar_bomb(place, perfect):
    """Return a tar of half a megabyte that inflates to half a gigabyte."""
    tarred(place, ("model.keras", tarfile.REGTYPE, "", bytes(2**29)))


# --- folders


def folder_link(place, perfect):
    """Return a folder whose model is a link to the reference in `solutions`."""
    place.mkdir()
    (place / "model.keras").symlink_to(perfect.parents[1] / "solutions/target/model.keras")


def folder_pipe(place, perfect):
    """Return a folder whose notebook is a pipe, at which a reader would wait for ever."""
    place.mkdir()
    os.mkfifo(place / "notebook.py")


def folder_of_neighbour(place, perfect):
    """Return a submission that is a link to nowhere inside a folder linked to the neighbour's."""
    place.mkdir()
    (place / "work").symlink_to(perfect)


def huge_notebook(place, perfect):
    """Return a notebook of a hundred megabytes, with holes."""
    place.mkdir()
    with open(place / "notebook.ipynb", "wb") as file:
        file.truncate(100 * 2**20)


# --- notebooks


def deep_notebook(place, perfect):
    """Return a notebook whose JSON nests a hundred thousand lists."""
    place.mkdir()
    (place / "notebook.ipynb").write_text('{"cells": ' + "[" * 10**5)


def deep_source(place, perfect):
    """Return a cell whose expression nests a hundred thousand brackets, to overflow the parser's stack."""
    place.mkdir()
    (place / "notebook.py").write_text("x = " + "(" * 10**5 + ")" * 10**5)


def long_source(place, perfect):
    """Return a cell of a sum that nests half a million deep in the syntax tree, to overflow the compiler's stack."""
    place.mkdir()
    (place / "notebook.py").write_text("x = " + "-" * 500_000 + "1")


# --- models


def model(place: Path, perfect: Path, config=lambda c: c, weights=lambda file: None) -> None:
    """Return the perfect model with another configuration or other weights: functions that change them in place."""
    place.mkdir()
    with zipfile.ZipFile(perfect / "model.keras") as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    described = json.loads(entries["config.json"])
    entries["config.json"] = json.dumps(config(described) or described).encode()
    file = io.BytesIO(entries["model.weights.h5"])
    with h5py.File(file, "a") as opened:
        weights(opened)
    entries["model.weights.h5"] = file.getvalue()
    with zipfile.ZipFile(place / "model.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def layers(config: dict) -> list:
    return config["config"]["layers"]


def with_layer(config: dict, name: str, module: str = "keras.layers", **options) -> None:
    """Put a layer before the last one."""
    layers(config).insert(
        -1, {"module": module, "class_name": name, "config": options, "registered_name": None}
    )


def datasets(file: h5py.File) -> list[str]:
    found = []
    file.visititems(lambda name, thing: found.append(name) if isinstance(thing, h5py.Dataset) else None)
    return found


def first_weights(file: h5py.File) -> tuple[h5py.Group, str]:
    """Return the group and the name of the first data set."""
    group, _, name = datasets(file)[0].rpartition("/")
    return file[group], name


def replaced_weights(file: h5py.File, **how) -> None:
    group, name = first_weights(file)
    del group[name]
    group.create_dataset(name, **how)


def model_lambda(place, perfect):
    """Return a Lambda layer whose marshalled code runs a command when the model is loaded."""
    code = {"class_name": "__lambda__", "config": {"code": "4wAAAAA=", "defaults": None, "closure": None}}
    model(place, perfect, lambda c: with_layer(c, "Lambda", function=code))


def model_foreign(place, perfect):
    """Return a layer from another module: os.system, with a command as its option."""
    model(
        place, perfect, lambda c: with_layer(c, "system", "os", command="touch /tmp/autograder-canary-model")
    )


def model_get_file(place, perfect):
    """Return a config that has Keras fetch a file and unpack it while it loads."""
    model(
        place,
        perfect,
        lambda c: with_layer(c, "get_file", "keras.utils", origin="http://x/y.tar", extract=True),
    )


def model_unsafe(place, perfect):
    """Return a config that first calls the function of Keras that switches its own safety off."""
    model(place, perfect, lambda c: with_layer(c, "enable_unsafe_deserialization", "keras.config"))


def model_vocabulary(place, perfect):
    """Return a lookup layer whose vocabulary is the password file."""
    model(place, perfect, lambda c: with_layer(c, "StringLookup", vocabulary="/etc/passwd"))


def model_reads_labels(place, perfect):
    """Return a text layer whose vocabulary is the file of the term's secret."""
    secret = str(perfect.parents[1] / "solutions/secret_seed")
    model(place, perfect, lambda c: with_layer(c, "TextVectorization", vocabulary=secret))


def model_dropout(place, perfect):
    """Dropout that is switched on while predicting, to draw again until the luck is good."""
    model(place, perfect, lambda c: with_layer(c, "Dropout", rate=0.5, training=True))


def model_huge_layer(place, perfect):
    """Return a dense layer of a billion units."""
    model(place, perfect, lambda c: layers(c)[-1]["config"].update(units=10**9))


def model_many_layers(place, perfect):
    """Five thousand layers."""

    def multiplied(config):
        config["config"]["layers"] += [layers(config)[-1]] * 5000

    model(place, perfect, multiplied)


def model_deep(place, perfect):
    """Return a config of a hundred thousand nested lists."""
    model(place, perfect)
    with zipfile.ZipFile(place / "model.keras") as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    entries["config.json"] = b'{"config": ' + b"[" * 10**5
    with zipfile.ZipFile(place / "model.keras", "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def model_zip_bomb(place, perfect):
    """Weights of a hundred kilobytes that inflate to a hundred megabytes."""
    place.mkdir()
    with zipfile.ZipFile(place / "model.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("metadata.json", '{"keras_version": "3.8.0"}')
        archive.writestr("model.weights.h5", bytes(100 * 2**20))


def weights_external_link(place, perfect):
    """Weights that are a link into another HDF5 file: the reference's."""

    def link(file):
        group, name = first_weights(file)
        del group[name]
        group[name] = h5py.ExternalLink("/solutions/target/model.weights.h5", f"{group.name}/{name}")

    model(place, perfect, weights=link)


def weights_external_values(place, perfect):
    """Weights whose values are the bytes of another file."""
    external = [("/etc/passwd", 0, 4)]
    model(place, perfect, weights=lambda f: replaced_weights(f, shape=(1, 1), dtype="f4", external=external))


def weights_virtual(place, perfect):
    """Weights that are a view of another file."""

    def view(file):
        group, name = first_weights(file)
        del group[name]
        layout = h5py.VirtualLayout((1, 1), "f4")
        layout[:] = h5py.VirtualSource("/etc/passwd", "x", (1, 1))
        group.create_virtual_dataset(name, layout)

    model(place, perfect, weights=view)


def weights_compressed(place, perfect):
    """Weights that gzip holds small and that inflate to a gigabyte."""
    how = {"shape": (2**28,), "dtype": "f4", "compression": "gzip", "chunks": (2**20,), "fillvalue": 0.0}
    model(place, perfect, weights=lambda f: replaced_weights(f, **how))


def weights_huge_shape(place, perfect):
    """Weights that claim a terabyte which the file does not hold."""
    model(place, perfect, weights=lambda f: replaced_weights(f, shape=(2**20, 2**18), dtype="f4"))


def weights_nan(place, perfect):
    """Weights of NaN, which make every comparison false and some of them right."""
    model(place, perfect, weights=lambda f: replaced_weights(f, data=np.full((1, 1), np.nan, "f4")))


def weights_objects(place, perfect):
    """Weights that are texts of variable length, which readers take for objects."""
    model(place, perfect, weights=lambda f: replaced_weights(f, data=["x"], dtype=h5py.string_dtype()))


def weights_of_reference(place, perfect):
    """Return the weights of the course's own solution, handed in as one's own."""
    place.mkdir()
    shutil.copy(perfect.parents[1] / "solutions/target/model.keras", place)


def weights_constant(place, perfect):
    """Return a model that hides the answer in a constant: it says yes whatever it is shown."""

    def constant(file):
        for path in datasets(file):
            file[path][...] = 1.0 if file[path].ndim == 1 else 0.0

    model(place, perfect, weights=constant)


def model_pickle(place, perfect):
    """Return a pickle that runs a command, under the name of a model."""
    place.mkdir()
    (place / "model.keras").write_bytes(b"cos\nsystem\n(S'touch /tmp/autograder-canary-pickle'\ntR.")


def model_old(place, perfect):
    """Return an HDF5 model of Keras 2, whose Lambda layers were run without asking, under a new name."""
    place.mkdir()
    with h5py.File(place / "model.keras", "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Lambda"})


EXPECTS: dict[Callable, str] = {
    zip_slip: "leads out of the folder",
    zip_absolute: "leads out of the folder",
    zip_backslash: "leads out of the folder",
    zip_link: "model.keras is a link",
    zip_bomb: "MiB are read",
    zip_lie: "not an archive that can be opened",
    zip_crowd: "There is no model.keras",
    zip_depth: "or is too long or too deep",
    zip_cut: "not an archive that can be opened",
    tar_link: "model.keras is a link or a device",
    tar_hard_link: "model.keras is a link or a device",
    tar_device: "notebook.py is a link or a device",
    tar_climb: "leads out of the folder",
    tar_bomb: "at most archives of 512 MiB, unpacked",
    folder_link: "model.keras is a link or a device",
    folder_pipe: "notebook.py is a link or a device",
    folder_of_neighbour: "it is empty",
    huge_notebook: "too large, even without its outputs",
    deep_notebook: "not a notebook that can be read",
    deep_source: "The notebook defines no function double",
    long_source: "The notebook defines no function double",
    model_lambda: "Lambda",
    model_foreign: "it comes from 'os'",
    model_get_file: "it comes from 'keras.utils'",
    model_unsafe: "it comes from 'keras.config'",
    model_vocabulary: "StringLookup",
    model_reads_labels: "TextVectorization",
    model_dropout: "has the option 'training'",
    model_huge_layer: "at most 5,000,000 are accepted",
    model_many_layers: "beside lists of numbers",
    model_deep: "nests deeper than 60 levels",
    model_zip_bomb: "model.weights.h5 claims 104,857,600 bytes",
    weights_external_link: "holds a link",
    weights_external_values: "stores its values in another file",
    weights_virtual: "chunked or virtual",
    weights_compressed: "is compressed or filtered",
    weights_huge_shape: "but has (1048576, 262144)",
    weights_nan: "hold NaN or infinity",
    weights_objects: "should hold 32-bit floating point numbers",
    weights_of_reference: "the weights of the course's own solution",
    weights_constant: "Accuracy of the model is 0.",
    model_pickle: "is a text file",
    model_old: "an HDF5 file",
}
