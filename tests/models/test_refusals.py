"""Files that must not be read, each refused with a Failure whose message names the culprit."""

import io
import json
import struct
import subprocess
import sys
import time
import zipfile

import h5py
import numpy as np
import pytest
from crafted import entries, good, layer, packed, reconfigured, replaced, with_layer, with_option

from autograder.core import Failure
from autograder.models import Layer, read_model
from autograder.models._archive import MAX_BYTES
from autograder.models._shapes import ShapeError, joined

BASE = good("masked_bidirectional")  # Masking, Bidirectional(SimpleRNN(4)), Dense(1)
GRAPH = good("two_heads")
CONV = good("conv_same_dilated")
LEAKY = with_layer(BASE, "LeakyReLU", negative_slope=0.1)
KERNEL = "layers/dense/vars/0"


def reworked(change, data: bytes = BASE) -> bytes:
    """Return the file after `change` was done to its weights with h5py."""
    stream = io.BytesIO(entries(data)["model.weights.h5"])
    with h5py.File(stream, "r+") as file:
        change(file)
    return replaced(data, weights=stream.getvalue())


def dataset(**options):
    """Put a data set made with other options in place of a kernel."""

    def change(file):
        values = file[KERNEL][()]
        del file[KERNEL]
        if "external" in options or "layout" in options:
            values = None
        file.create_dataset(KERNEL, **({"data": values} if values is not None else {}), **options)

    return change


def linked(link):
    def change(file):
        del file[KERNEL]
        file[KERNEL] = link

    return change


def emptied(file):
    del file[KERNEL]


def spoilt(value):
    def change(file):
        file["layers/bidirectional/forward_layer/cell/vars/1"][1, 1] = value

    return change


def virtual(file):
    del file[KERNEL]
    layout = h5py.VirtualLayout(shape=(8, 1), dtype="f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", shape=(8, 1))
    file.create_virtual_dataset(KERNEL, layout)


def hard_linked(file):
    file["layers/dense/loop"] = file["layers"]


def patched(data: bytes, old: bytes, new: bytes, name: str = "model.weights.h5") -> bytes:
    """Return the file with the first `old` in one entry overwritten."""
    content = entries(data)[name]
    assert old in content
    return replaced(
        data, **{{"model.weights.h5": "weights", "config.json": "config"}[name]: content.replace(old, new, 1)}
    )


def declared(data: bytes, shape: tuple[int, ...], size: int) -> bytes:
    """Return the file with another shape and size in the header of the kernel (8, 1) than are there."""
    old = struct.pack("<QQQQ", 8, 1, 8, 1)
    return patched(data, old, struct.pack("<QQQQ", *shape, *shape)) if size else data


def bomb(name: str, size: int) -> bytes:
    """Return an entry of zeros, a thousandth of its size when deflated."""
    return packed(entries(BASE) | {name: b"\0" * size}, zipfile.ZIP_DEFLATED)


def central(data: bytes, offset: int, new: bytes, entry: int = 2) -> bytes:
    """Return the file with bytes of an entry's place in the zip directory overwritten."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        start = archive.start_dir
    for _ in range(entry):
        start = data.index(b"PK\x01\x02", start + 1)
    return data[: start + offset] + new + data[start + offset + len(new) :]


def overlapping() -> bytes:
    """Two entries of which one lies inside the other: an archive is stored as the weights of another one."""
    inner = packed({"config.json": entries(BASE)["config.json"]})
    outer = packed(entries(BASE) | {"model.weights.h5": inner})
    start = outer.index(inner)
    return central(outer, 42, struct.pack("<I", start), entry=1)


def twice() -> bytes:
    stream = io.BytesIO(BASE)
    with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("config.json", b"{}")
    return stream.getvalue()


def link() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in entries(BASE).items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o120777 if name == "config.json" else 0o100644) << 16
            archive.writestr(info, b"/etc/passwd" if name == "config.json" else content)
    return stream.getvalue()


def config_text(text: str) -> bytes:
    return replaced(BASE, config=text.encode())


def version(text) -> bytes:
    return replaced(BASE, metadata=json.dumps({"keras_version": text, "date_saved": ""}).encode())


def many_layers(config):
    config["config"]["layers"][-1:] *= 300


def rewired(name: str, source: str, call: int = 0, output: int = 0):
    """Lets the first call of a layer take its input from elsewhere."""

    def change(config):
        entry = next(one for one in config["config"]["layers"] if one["name"] == name)
        tensor = entry["inbound_nodes"][0]["args"][0]
        (tensor if isinstance(tensor, dict) else tensor[0])["config"]["keras_history"] = [
            source,
            call,
            output,
        ]

    return change


def called_with(**kwargs):
    def change(config):
        layer(config, "Dense")["inbound_nodes"][0]["kwargs"].update(kwargs)

    return change


def unused(config):
    extra = json.loads(json.dumps(layer(config, "Dense")))
    extra["name"] = extra["config"]["name"] = "idle"
    extra["inbound_nodes"] = extra["inbound_nodes"][:1]
    config["config"]["layers"].append(extra)


def second_input(config):
    extra = json.loads(json.dumps(config["config"]["layers"][0]))
    extra["name"] = extra["config"]["name"] = "other"
    config["config"]["layers"].append(extra)


def listed(config):
    config["config"]["input_layers"] = [["input_layer", 0, 0], ["other", 0, 0]]


def inputs_by_name(config):
    second_input(config)
    config["config"]["input_layers"] = {"a": ["input_layer", 0, 0], "b": ["other", 0, 0]}


def index(key):
    def change(config):
        entry = next(one for one in config["config"]["layers"] if one["class_name"] == "GetItem")
        entry["inbound_nodes"][0]["args"][1] = key

    return change


def policy(name, kind="DTypePolicy"):
    return {"module": "keras", "class_name": kind, "config": {"name": name}, "registered_name": None}


GADGET = {"module": "os", "class_name": "system", "config": {"command": "true"}, "registered_name": None}
FUNCTION = {
    "module": "builtins",
    "class_name": "function",
    "config": "my_tanh",
    "registered_name": "function",
}
DEEP = "[" * 60_000 + "]" * 60_000

CASES = {
    # what it is not
    "empty": (lambda: b"", "empty"),
    "text": (lambda: b"# my model\nimport keras\n", "text file"),
    "notebook": (lambda: b'{\n "cells": [], "nbformat": 4}', "notebook"),
    "h5_renamed": (lambda: entries(BASE)["model.weights.h5"], "HDF5", "keras"),
    "saved_model": (lambda: b"\x08\x01\x12\x00saved_model", "SavedModel"),
    "saved_model_zipped": (lambda: packed({"m/saved_model.pb": b"", "m/variables/x": b""}), "SavedModel"),
    "noise": (lambda: bytes(range(256)), "no known format"),
    "truncated": (lambda: BASE[: len(BASE) // 2], "breaks off"),
    "only_a_head": (lambda: BASE[:40], "breaks off"),
    "keras_2": (lambda: version("2.15.0"), "Keras 2.15.0", "3.3"),
    "keras_3_0": (lambda: version("3.0.5"), "Keras 3.0.5", "3.3"),
    "keras_unsaid": (lambda: version(None), "Keras version"),
    "keras_of_many_digits": (lambda: version("3." + "9" * 500), "Keras version"),
    # the archive
    "no_weights": (
        lambda: packed({k: v for k, v in entries(BASE).items() if "weights" not in k}),
        "model.weights.h5",
        "0 times",
    ),
    "stranger": (lambda: packed(entries(BASE) | {"assets/vocabulary.txt": b"x"}), "assets/vocabulary.txt"),
    "climbing_out": (lambda: packed(entries(BASE) | {"../config.json": b"x"}), "../config.json"),
    "named_twice": (lambda: twice(), "config.json", "2 times"),
    "link": (lambda: link(), "config.json", "link"),
    "encrypted": (lambda: central(BASE, 8, b"\x01\x00"), "encrypted"),
    "bzip2": (lambda: packed(entries(BASE), zipfile.ZIP_BZIP2), "method 12"),
    "zip_bomb_weights": (
        lambda: bomb("model.weights.h5", MAX_BYTES["model.weights.h5"] + 1),
        "model.weights.h5",
        "at most",
    ),
    "zip_bomb_config": (lambda: bomb("config.json", 2**24), "config.json", "at most"),
    "size_understated": (
        lambda: central(bomb("config.json", 2**20), 24, struct.pack("<I", 5000), entry=1),
        "config.json",
    ),
    "size_overstated": (lambda: central(BASE, 20, struct.pack("<II", 2**31, 2**31)), "model.weights.h5"),
    "overlapping": (lambda: overlapping(), "overlaps"),
    "header_elsewhere": (lambda: central(BASE, 42, struct.pack("<I", 0)), "two things"),
    "checksum": (lambda: BASE.replace(b'"Sequential"', b'"Sequentiel"', 1), "config.json", "damaged"),
    "many_entries": (lambda: packed({f"{k}": b"" for k in range(3000)}), "very many entries"),
    # the JSON
    "not_json": (lambda: config_text("model = 1"), "config.json", "JSON"),
    "not_an_object": (lambda: config_text("[1]"), "object"),
    "not_utf8": (lambda: replaced(BASE, config=b'{"a": "\xff"}'), "config.json"),
    "deep": (lambda: config_text(DEEP), "nests deeper"),
    "deep_inside": (lambda: config_text('{"a":' * 60_000 + "1" + "}" * 60_000), "nests deeper"),
    "huge_number": (lambda: config_text('{"a": ' + "9" * 100_000 + "}"), "100,000 digits"),
    "endless_number": (lambda: with_option(BASE, "Dense", units=float("inf")), "units", "inf"),
    "not_a_number": (
        lambda: with_option(LEAKY, "LeakyReLU", negative_slope=float("nan")),
        "negative_slope",
        "nan",
    ),
    "a_number_of_100_digits": (lambda: config_text('{"a": 1.%s}' % ("1" * 100)), "too long"),
    "said_twice": (
        lambda: config_text('{"class_name": "Sequential", "class_name": "Functional"}'),
        "'class_name' twice",
    ),
    "nothing_said": (lambda: config_text("{}"), "settings"),
    # classes
    "lambda": (
        lambda: with_layer(BASE, "Lambda", function={"class_name": "__lambda__"}),
        "Lambda",
        "extra",
        "code",
    ),
    "text_vectorization": (
        lambda: with_layer(BASE, "TextVectorization", vocabulary="/etc/passwd"),
        "TextVectorization",
    ),
    "string_lookup": (
        lambda: with_layer(BASE, "StringLookup", vocabulary="/etc/passwd"),
        "StringLookup",
        "notebook",
    ),
    "hashing": (lambda: with_layer(BASE, "Hashing", num_bins=3), "Hashing", "can be graded"),
    "module_os": (lambda: with_layer(BASE, "system", module="os", command="true"), "system", "'os'"),
    "own_class": (
        lambda: with_layer(BASE, "Dense", module="mine", registered="Mine>Dense", units=3),
        "Mine>Dense",
    ),
    "own_class_posing": (lambda: with_layer(BASE, "Dense", registered="Mine>Dense", units=3), "Mine>Dense"),
    "own_model": (lambda: reconfigured(BASE, lambda c: c.update(class_name="MyModel")), "MyModel"),
    "own_operation": (lambda: with_layer(BASE, "Eval", module="keras.src.ops.numpy"), "ops.Eval"),
    "nested_functional": (lambda: with_layer(BASE, "Functional", module="keras"), "list of layers"),
    "wrapped_functional": (
        lambda: with_layer(BASE, "TimeDistributed", layer={"class_name": "Functional", "config": {}}),
        "inside another layer",
        "each of its layers",
    ),
    "wrapped_lambda": (
        lambda: with_layer(BASE, "TimeDistributed", layer={"class_name": "Lambda", "config": {}}),
        "Lambda",
    ),
    "class_is_a_list": (lambda: reconfigured(BASE, lambda c: c.update(class_name=["Sequential"])), "class"),
    # options
    "units_10_9": (lambda: with_option(BASE, "Dense", units=10**9), "Dense", "9,000,000,", "5,000,000"),
    "units_of_a_text": (lambda: with_option(BASE, "Dense", units="3"), "units", "whole number", "'3'"),
    "units_true": (lambda: with_option(BASE, "Dense", units=True), "units", "whole number"),
    "units_zero": (lambda: with_option(BASE, "Dense", units=0), "units", "0"),
    "unknown_option": (lambda: with_option(BASE, "Dense", backdoor=1), "'backdoor'"),
    "lora": (lambda: with_option(BASE, "Dense", lora_rank=4), "lora_rank"),
    "own_activation": (
        lambda: with_option(BASE, "Dense", activation=FUNCTION),
        "activation",
        "my_tanh",
        "code",
    ),
    "gadget_as_activation": (lambda: with_option(BASE, "Dense", activation=GADGET), "activation"),
    "option_missing": (
        lambda: reconfigured(BASE, lambda c: layer(c, "Dense")["config"].pop("units")),
        "units",
    ),
    "whole_numbers_as_dtype": (
        lambda: with_option(BASE, "Dense", dtype=policy("int32")),
        "floating",
        "'int32'",
    ),
    "quantized": (
        lambda: with_option(BASE, "Dense", dtype=policy("int8_from_float32", "QuantizedDTypePolicy")),
        "int8",
    ),
    "batch_of_0": (lambda: with_option(BASE, "InputLayer", batch_shape=[0, None, 4]), "batch_shape"),
    "texts": (lambda: with_option(BASE, "InputLayer", dtype="string"), "float32", "notebook"),
    "stateful_by_text": (lambda: with_layer(BASE, "GRU", stateful="yes", units=3), "GRU"),
    "embedding_10_9": (
        lambda: with_option(good("tokens"), "Embedding", input_dim=10**9),
        "Embedding",
        "5,000,000",
    ),
    "repeated_10_9": (lambda: with_layer(BASE, "RepeatVector", n=10**9), "RepeatVector", "10,000,000"),
    "long_input": (lambda: with_option(BASE, "InputLayer", batch_shape=[None, 10**9, 4]), "10,000,000"),
    "wide_input": (
        lambda: with_option(BASE, "InputLayer", batch_shape=[None, None, 10**6]),
        "Bidirectional",
        "parameters",
    ),
    "wide_kernel": (lambda: with_option(CONV, "Conv1D", kernel_size=[10**9]), "Conv1D", "5,000,000"),
    "flat_input": (lambda: with_option(BASE, "InputLayer", batch_shape=[None, 4]), "3 axes"),
    "unknown_features": (
        lambda: with_option(BASE, "InputLayer", batch_shape=[None, None, None]),
        "number of features",
    ),
    "hundreds_of_layers": (lambda: reconfigured(BASE, many_layers), "100 layers"),
    "no_layers": (lambda: reconfigured(BASE, lambda c: c["config"].update(layers=[])), "input"),
    "layers_are_numbers": (lambda: reconfigured(BASE, lambda c: c["config"].update(layers=[1])), "layers"),
    "no_input": (lambda: reconfigured(BASE, lambda c: c["config"]["layers"].pop(0)), "input", "keras.Input"),
    # graphs
    "cycle": (lambda: reconfigured(GRAPH, rewired("simple_rnn", "dense")), "waits for itself"),
    "from_nowhere": (lambda: reconfigured(GRAPH, rewired("simple_rnn", "nobody")), "not there"),
    "fifth_output": (lambda: reconfigured(GRAPH, rewired("simple_rnn", "input_layer", 0, 5)), "not there"),
    "an_input_that_is_not_listed": (lambda: reconfigured(GRAPH, second_input), "input layers, each once"),
    "one_input_listed_twice": (
        lambda: reconfigured(GRAPH, lambda c: c["config"].update(input_layers=[["input_layer", 0, 0]] * 2)),
        "input layers, each once",
    ),
    "five_inputs": (
        lambda: reconfigured(GRAPH, lambda c: [second_input(c) for _ in range(4)]),
        "up to 4, but has 5",
    ),
    "inputs_by_name": (lambda: reconfigured(GRAPH, inputs_by_name), "no order", "[first, second]"),
    "idle_layer": (lambda: reconfigured(GRAPH, unused), "idle", "does not lead"),
    "two_outputs": (
        lambda: reconfigured(GRAPH, lambda c: c["config"].update(output_layers=[["dense", 0, 0]] * 2)),
        "2",
    ),
    "training_true": (lambda: reconfigured(GRAPH, called_with(training=True)), "'training' = True"),
    "mask_from_numbers": (lambda: reconfigured(GRAPH, called_with(mask=[1])), "mask"),
    "across_the_batch": (lambda: reconfigured(GRAPH, index([0])), "batch"),
    "index_of_text": (lambda: reconfigured(GRAPH, index("x")), "get_item", "tensors"),
    "slice_of_step_0": (
        lambda: reconfigured(GRAPH, index({"class_name": "__slice__", "config": {"step": 0}})),
        "argument that cannot be read",
    ),
    # weights
    "nan_weights": (lambda: reworked(spoilt(np.nan)), "Bidirectional", "NaN", "clipnorm"),
    "infinite_weights": (lambda: reworked(spoilt(np.inf)), "Bidirectional", "infinity"),
    "missing_weight": (lambda: reworked(emptied), KERNEL),
    "wrong_shape": (lambda: with_option(BASE, "Dense", units=2), "(8, 2)", "(8, 1)"),
    "one_more_weight": (
        lambda: reworked(lambda f: f.create_dataset("layers/dense/vars/2", data=[1.0])),
        "vars/2",
    ),
    "weights_of_int": (lambda: reworked(dataset(dtype="i4")), KERNEL, "32-bit"),
    "big_endian": (lambda: reworked(dataset(dtype=">f4")), KERNEL, "32-bit"),
    "compressed": (lambda: reworked(dataset(compression="gzip")), KERNEL, "compressed"),
    "chunked": (lambda: reworked(dataset(chunks=(1, 1))), KERNEL, "one piece"),
    "external_storage": (
        lambda: reworked(dataset(shape=(8, 1), dtype="f4", external=[("/etc/passwd", 0, 32)])),
        KERNEL,
        "another file",
    ),
    "external_link": (lambda: reworked(linked(h5py.ExternalLink("/etc/passwd", "/x"))), "link"),
    "soft_link": (lambda: reworked(linked(h5py.SoftLink("/layers/masking"))), "soft link"),
    "hard_link": (lambda: reworked(hard_linked), "reached twice"),
    "virtual": (lambda: reworked(virtual), KERNEL, "virtual"),
    "huge_shape": (lambda: declared(BASE, (8, 10**12), 1), str(10**12)),
    "weights_are_text": (lambda: replaced(BASE, weights=b"1 2 3"), "model.weights.h5"),
    "weights_are_empty": (lambda: replaced(BASE, weights=b""), "model.weights.h5"),
    "weights_cut": (
        lambda: replaced(BASE, weights=entries(BASE)["model.weights.h5"][:-3000]),
        "model.weights.h5",
    ),
    "newest_hdf5": (
        lambda: patched(BASE, b"\x89HDF\r\n\x1a\n\0", b"\x89HDF\r\n\x1a\n\x03"),
        "version of HDF5",
    ),
    # text that would harm a terminal
    "escape_codes": (lambda: with_option(BASE, "Dense", name="\x1b[31m\u202e<script>", units=0), "Dense"),
}


@pytest.mark.parametrize("name", CASES)
def test_is_refused_by_name(name):
    make, *expected = CASES[name]
    data = make()
    start = time.process_time()
    with pytest.raises(Failure) as caught:
        read_model(data)
    message = str(caught.value)
    assert [words for words in expected if words not in message] == [], message
    assert message.isprintable() and len(message) < 900
    assert time.process_time() - start < 1.0


def test_reading_imports_no_keras(tmp_path):
    (tmp_path / "model.keras").write_bytes(BASE)
    code = "import sys; from autograder.models import read_model; read_model(open(sys.argv[1], 'rb').read());"
    code += "sys.exit(bool({'keras', 'tensorflow', 'h5py'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code, tmp_path / "model.keras"], check=True)


def test_the_file_the_cases_start_from_is_read():
    for data in (BASE, GRAPH, CONV, good("tokens")):
        assert read_model(data).plan.parameters > 0


def test_a_loop_in_a_group_s_tree_ends():
    """The B-tree node of the root group is made its own child, on another level."""
    content = bytearray(entries(BASE)["model.weights.h5"])
    tree = content.index(b"TREE")
    content[tree + 5] = 1
    content[tree + 32 : tree + 40] = struct.pack("<Q", tree)
    with pytest.raises(Failure, match="reached twice"):
        read_model(replaced(BASE, weights=bytes(content)))


def test_groups_that_nest_deep_are_refused_at_once():
    """Each adds a long name to the paths of all within, so that reading them would take the square of the size."""

    def nest(file):
        group = file
        for _ in range(400):
            group = group.create_group("g" * 200)

    start = time.process_time()
    with pytest.raises(Failure, match="nests too deep"):
        read_model(reworked(nest))
    assert time.process_time() - start < 5


def test_an_initial_state_of_a_layer_that_has_none_is_named():
    def change(config):
        entry = next(one for one in config["config"]["layers"] if one["class_name"] == "Concatenate")
        entry["inbound_nodes"][0]["kwargs"]["initial_state"] = entry["inbound_nodes"][0]["args"][0][0]

    with pytest.raises(Failure, match="initial state, which only recurrent layers take"):
        read_model(reconfigured(GRAPH, change))


def test_whatever_reading_raises_is_a_failure(monkeypatch):
    """But for the machine's lack of memory."""
    from autograder.models import _model as models

    for error in (TypeError, AssertionError, RecursionError, AttributeError, OverflowError):
        monkeypatch.setattr(models, "read_plan", raising(error))
        with pytest.raises(Failure, match=f"cannot be read: {error.__name__}: odd"):
            read_model(BASE)
    monkeypatch.setattr(models, "read_plan", raising(MemoryError))
    with pytest.raises(MemoryError):
        read_model(BASE)


def raising(error: type):
    def fail(config):
        raise error("odd")

    return fail


@pytest.mark.parametrize("shapes", [[(None, 4), (None,)], [(None, 5, 4), (None, 4)]])
def test_inputs_of_another_number_of_axes_are_not_joined(shapes):
    with pytest.raises(ShapeError, match="number of axes"):
        joined(Layer("Concatenate", {"axis": -1}), *shapes)
