"""Thousands of damaged files: each is read or refused with a Failure, in bounded time and memory."""

import json
import random
import resource
import struct
import time
import zipfile
from copy import deepcopy

import numpy as np
import pytest
from crafted import FIXTURES, entries, good, replaced
from oracle import attempt

from autograder.core import Failure
from autograder.models import Model, Predictor, read_model
from autograder.models._builder import keras_model, zero_initializers
from autograder.models._config import read_plan
from autograder.models._layers import OPTIONS

with zipfile.ZipFile(FIXTURES / "keras-3.15.1.zip") as archive:
    BASES = [good(name.removesuffix(".keras")) for name in archive.namelist() if name.endswith(".keras")]

ODD = (
    None,
    True,
    False,
    0,
    1,
    2,
    4,
    -1,
    -2,
    1.5,
    -0.0,
    1e30,
    10**9,
    2**63,
    "",
    "relu",
    "softmax",
    "same",
    "causal",
    "sum",
)
ODD += ("é\u202e", [], [1], [None], {})
ODD_BYTES = (
    b"\0" * 8,
    b"\xff" * 8,
    struct.pack("<Q", 2**40),
    struct.pack("<Q", 96),
    b"TREE",
    b"SNOD",
    b"\x11\0\x10\0",
)
SECONDS = 1.0  # of processor time for one file
MEGABYTES = 300  # of memory for all of them together


def flipped(data: bytes, rng: random.Random, within: int | None = None) -> bytes:
    """Return a few bytes overwritten, cut out or put in."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        at = rng.randrange(min(len(data), within or len(data)))
        match rng.randrange(5):
            case 0:
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                data[at] = rng.randrange(256)
            case 2 | 3:
                odd = rng.choice(ODD_BYTES)
                at -= at % 8
                data[at : at + len(odd)] = odd
            case 4:
                source, size = rng.randrange(len(data)), rng.choice((1, 8, 40, 400))
                data[at : at + size] = data[source : source + size]
    return bytes(data)


def of_archive(rng: random.Random) -> bytes:
    """Return a zip file with damage anywhere, mostly in what describes its entries; or cut; or two joined."""
    data, other = rng.choice(BASES), rng.choice(BASES)
    match rng.randrange(6):
        case 0:
            return data[: rng.randrange(len(data))]
        case 1:
            return data[: rng.randrange(len(data))] + other[rng.randrange(len(other)) :]
        case 2:
            return flipped(data, rng)
        case _:
            tail = len(data) - 250  # the directory
            return data[:tail] + flipped(data[tail:], rng)


def of_weights(rng: random.Random) -> bytes:
    """Return an HDF5 file with damage anywhere, or in its first structures."""
    data = rng.choice(BASES)
    weights = entries(data)["model.weights.h5"]
    weights = weights[: rng.randrange(len(weights))] if rng.random() < 0.1 else weights
    return replaced(data, weights=flipped(weights, rng, rng.choice((100, 3000, None))) if weights else b"")


def places(value) -> list[tuple]:
    """(container, key) of everything inside a JSON value."""
    found, waiting = [], [value]
    while waiting:
        one = waiting.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        found += [(one, key) for key in keys]
        waiting += [one[key] for key in keys]
    return found


def of_config(rng: random.Random) -> bytes:
    """Return a config with values replaced, removed, doubled, or taken from another config."""
    data = rng.choice(BASES)
    config = json.loads(entries(data)["config.json"])
    other = places(json.loads(entries(rng.choice(BASES))["config.json"]))
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        container, key = rng.choice([(c, k) for c, k in places(config) if not relates_to_training(k)])
        match rng.randrange(8):
            case 0:
                del container[key]
            case 1 if isinstance(container, list):
                container.insert(rng.randrange(len(container) + 1), deepcopy(container[key]))
            case 2:
                donor, donor_key = rng.choice(other)
                container[key] = deepcopy(donor[donor_key])
            case 3:
                similar = [c[k] for c, k in other if k == key and isinstance(key, str)] or [None]
                container[key] = deepcopy(rng.choice(similar))
            case 4:
                container[key] = deepcopy(rng.choice(ODD))
            case _:
                container[key] = deepcopy(
                    rng.choice([one for one in ODD if type(one) is type(container[key])])
                )
    return replaced(data, config=json.dumps(config).encode())


def relates_to_training(key) -> bool:
    """Return what the reader leaves unread would use up most of the tries."""
    return str(key).endswith(
        ("_initializer", "_regularizer", "_constraint", "_config", "optimizer")
    ) or key in (
        "seed",
        "shared_object_id",
    )


def read_all(mutate, seeds: range) -> list[Model]:
    """Return the models that were read among the mutants of these seeds; each was read or refused in time."""
    models = []
    for seed in seeds:
        data = mutate(random.Random(seed))
        start = time.process_time()
        try:
            models.append(read_model(data))
        except Failure as failure:
            assert str(failure).isprintable()
        assert time.process_time() - start < SECONDS, seed
    return models


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


MUTATORS = (of_archive, of_config, of_weights)


@pytest.mark.parametrize("mutate", MUTATORS, ids=lambda one: one.__name__)
def test_damaged_files_are_read_or_refused(mutate):
    before = peak()
    models = read_all(mutate, range(400))
    assert 0 < len(models) < 400  # the damage is neither always fatal nor never
    assert peak() - before < MEGABYTES


@pytest.mark.slow
@pytest.mark.parametrize("mutate", MUTATORS, ids=lambda one: one.__name__)
def test_thousands_of_damaged_files_are_read_or_refused(mutate):
    before = peak()
    read_all(mutate, range(1000, 11_000))
    assert peak() - before < MEGABYTES


PLAUSIBLE = (True, False, 1, 2, 3, -1, -2, 0.5, 2.0, "relu", "softmax", "same", "causal", "valid", "sum")


def planned(seed: int) -> Model | None:
    """Return a model with other options that may well be right, and with weights to fit: few that came would."""
    rng = random.Random(seed)
    config = json.loads(entries(rng.choice(BASES))["config.json"])
    options = [(container, key) for container, key in places(config) if key in OPTIONS]
    for container, key in rng.sample(options, rng.choice((1, 2, 3))):
        container[key] = rng.choice([one for one in PLAUSIBLE if type(one) is type(container[key])] or [1])
    try:
        plan = read_plan(config)
    except Failure:
        return None
    random_weights = np.random.default_rng(seed)
    return Model(
        plan, tuple(random_weights.normal(size=one.shape).astype("float32") for one in plan.weights), ""
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask:UserWarning")
def test_what_the_plan_lets_through_is_built_and_predicts():
    """Shapes and weights of the plan are Keras's own (`network` compares them); only running may still fail."""
    predictor, seen, refused = Predictor(), set(), 0
    for model in filter(None, map(planned, range(1500))):
        [shape] = [[n or 6 for n in shape[1:]] for shape in model.plan.input_shapes]
        if model.plan.signature in seen or np.prod(shape) > 1e6:
            continue
        seen.add(model.plan.signature)
        try:
            attempt(lambda plan=model.plan: keras_model(plan, zero_initializers))
            predictor.predict(model, [np.random.default_rng(k).integers(0, 3, shape) for k in range(3)])
        except Failure as failure:
            assert str(failure).isprintable()
            refused += 1
    assert len(seen) > 100 and refused < len(seen) / 3
