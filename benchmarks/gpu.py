"""What a GPU is worth: scoring by the grader's NumPy and by Keras, training by the grader's own loop, on CPU and GPU.

python benchmarks/gpu.py [--rehearse]

Scored are the networks of the perfect test submission of `dna_simple_rnn`, trained is one of each kind of recurrent
layer. The lever of a GPU is the size of a batch, as it has no fast path for a SimpleRNN. Medians of ROUNDS. Exit
status 1 where a prediction differs from Keras's on the GPU by more than TOLERANCE, or a decision does.
"""

import os
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from autograder.core import _devices as devices
from autograder.models import Predictor, read_model

PERFECT = Path(__file__).parents[1] / "solutions/dna_simple_rnn/test_submissions/perfect"
ROUNDS, TOLERANCE = 5, 1e-4
SEQUENCES, LENGTH = 4096, 50
MISSING = (
    "No GPU: TensorFlow finds none, so nothing is measured; --rehearse tries the script with the CPU alone."
)
SCORED = 256, 1024, 4096  # rows of a batch
KINDS, TRAINED, UPDATES = ("SimpleRNN", "GRU", "LSTM"), (64, 512), 100


def by_keras(path: Path, x: np.ndarray, batch: int) -> tuple[list[float], np.ndarray]:
    """Seconds of each round, without loading and tracing, and predictions (n, 1), on this process's device."""
    import keras
    import tensorflow as tf

    model = keras.models.load_model(path)
    call = tf.function(lambda part: model(part, training=False), autograph=False)
    parts = [x[start : start + batch] for start in range(0, len(x), batch)]
    call(parts[0])
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        predictions = np.concatenate([call(part).numpy() for part in parts])
        seconds.append(time.perf_counter() - start)
    return seconds, predictions


def by_grader(path: Path, x: np.ndarray, batch: int) -> tuple[list[float], np.ndarray]:
    """Return the same by the grader's own evaluator."""
    model, predictor, seconds = read_model(path.read_bytes()), Predictor(), []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        predictions = predictor.predict(model, x, batch)
        seconds.append(time.perf_counter() - start)
    return seconds[1:], predictions  # the first makes batches, which a class shares


def by_loop(kind: str, batch: int) -> tuple[float, float]:
    """Seconds of an update, and the accuracy on new sequences, of which class the first letter says."""
    import keras

    from autograder.models._training_loop import train

    layer = getattr(keras.layers, kind)(32)
    model = keras.Sequential([keras.Input((None, 4)), layer, keras.layers.Dense(1, activation="sigmoid")])
    config = np.frombuffer(model.to_json().encode(), np.uint8)
    x, test = sequences(batch * 8, 20, seed=1), sequences(1000, 20, seed=2)
    y, answers = x[:, 0, :2].any(axis=1), test[:, 0, :2].any(axis=1)
    seconds = []
    for updates in (2, UPDATES):  # the first compiles; its time is in both
        start = time.perf_counter()
        with redirect_stdout(StringIO()):
            _, predictions = train(config, x, y, test, updates, batch, 1, 0, "adam", 0.01, 1.0, 0.0)
        seconds.append(time.perf_counter() - start)
    return (seconds[1] - seconds[0]) / (UPDATES - 2), float(((predictions[0, :, 0] > 0.5) == answers).mean())


def sequences(count: int, length: int, seed: int) -> np.ndarray:
    """Random one-hot letters (count, length, 4)."""
    return np.eye(4, dtype=np.float32)[np.random.default_rng(seed).integers(4, size=(count, length))]


def settle(shown: dict[str, str]) -> None:
    """Return what a new process sees, before it imports TensorFlow."""
    os.environ.update(shown)


@contextmanager
def on(device: str):
    """Give `do(function, ...)`: its result, from a process that sees this device and no other."""
    shown = devices.device_environment(device) | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    with ProcessPoolExecutor(1, get_context("spawn"), settle, (shown,)) as pool:
        yield lambda function, *arguments: pool.submit(function, *arguments).result()


def scoring(cpu, gpu, console: Console) -> bool:
    """Print the table of scoring; whether all ways agree."""
    table = Table("network", "rows of a batch", "NumPy, CPU", "Keras, CPU", "Keras, GPU", "largest difference",
                  title=f"Scoring {SEQUENCES:,} sequences of {LENGTH}, ms")  # fmt: skip
    x, agree = sequences(SEQUENCES, LENGTH, seed=0), True
    for path in sorted(PERFECT.glob("*.keras")):
        for batch in SCORED:
            ways = (
                cpu(by_grader, path, x, batch),
                cpu(by_keras, path, x, batch),
                gpu(by_keras, path, x, batch),
            )
            (_, ours), _, (_, theirs) = ways
            times = (f"{1000 * median(seconds):.1f}" for seconds, _ in ways)
            apart = abs(ours - theirs).max()
            agree &= bool(apart <= TOLERANCE and ((ours > 0.5) == (theirs > 0.5)).all())
            table.add_row(path.stem, str(batch), *times, f"{apart:.1e}")
    console.print(table)
    return agree


def training(cpu, gpu, console: Console) -> None:
    table = Table("layer", "rows of a batch", "CPU", "GPU", "accuracy, CPU", "accuracy, GPU",
                  title="Training, ms for an update")  # fmt: skip
    for kind in KINDS:
        for batch in TRAINED:
            rounds = [(cpu(by_loop, kind, batch), gpu(by_loop, kind, batch)) for _ in range(ROUNDS // 2)]
            times = (f"{1000 * median(ways[way][0] for ways in rounds):.1f}" for way in (0, 1))
            table.add_row(kind, str(batch), *times, *(f"{rounds[0][way][1]:.3f}" for way in (0, 1)))
    console.print(table)


def main(
    rehearse: Annotated[bool, typer.Option("--rehearse", help="Let the CPU stand for the GPU.")] = False,
) -> None:
    console, found = Console(), devices.probe_tensorflow()
    if not (found.gpus or rehearse):
        raise SystemExit(MISSING)
    console.print(f"GPU: {', '.join(found.gpus) or 'none, a rehearsal'}; TensorFlow {found.tensorflow}")
    with on("cpu") as cpu, on("cpu" if rehearse else "gpu") as gpu:
        agree = scoring(cpu, gpu, console)
        training(cpu, gpu, console)
    raise SystemExit(int(not agree))


if __name__ == "__main__":
    typer.run(main)
