"""The ladder of memory: which start, and which remedy, learns to remember how far; seeds 0 to 4, one core.

Each cell trains with the grader's own loop, on fresh sequences, at the best setting of datasets/memory/README.md, where
the table stands. `python benchmarks/memory_ladder.py [SEEDS]`.
"""

import io
import os
import sys
from contextlib import redirect_stdout

os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}

from pathlib import Path

import keras
import numpy as np
from keras import layers

from autograder.core import load_module
from autograder.models import read_untrained_model
from autograder.models._keras_classes import skip_cell
from autograder.models._training_loop import train

ROOT = Path(__file__).parents[1]
RUBRIC = load_module(ROOT / "assignments" / "tuning" / "rubric.py")
GENERATE = load_module(ROOT / "datasets" / "memory" / "generate.py")
WEAK = keras.initializers.RandomNormal(stddev=0.05)
METHODS = {
    "tanh, deviation 0.05": lambda: layers.SimpleRNN(32, recurrent_initializer=WEAK),
    "tanh, Keras's start": lambda: layers.SimpleRNN(32),
    "relu, identity": lambda: layers.SimpleRNN(32, activation="relu", recurrent_initializer="identity"),
    "GRU": lambda: layers.GRU(20),
    "LSTM": lambda: layers.LSTM(20),
    "skip, s = 0.05": lambda: layers.RNN(skip_cell()(32, 0.05)),
    "skip, s = 0.3": lambda: layers.RNN(skip_cell()(32, 0.3)),
}
RUNS = [  # method, kind, length, learning rate, limit of the norm
    ("tanh, deviation 0.05", "language", 50, 0.003, 1.0),
    ("GRU", "language", 50, 0.01, 1.0),
    ("LSTM", "language", 50, 0.01, 1.0),
    ("tanh, Keras's start", "language", 50, 0.02, 1.0),
    ("tanh, Keras's start", "language", 100, 0.02, 1.0),
    ("relu, identity", "language", 50, 0.001, 0.0),
    ("relu, identity", "language", 100, 0.0005, 0.0),
    ("relu, identity", "language", 50, 0.001, 1.0),
    ("relu, identity", "language", 100, 0.001, 1.0),
    ("relu, identity", "language", 200, 0.0007, 0.3),
    ("relu, identity", "language", 400, 0.0005, 0.3),
    ("skip, s = 0.05", "language", 100, 0.003, 1.0),
    ("skip, s = 0.05", "language", 200, 0.003, 1.0),
    ("skip, s = 0.05", "language", 400, 0.003, 1.0),
    ("tanh, Keras's start", "dna", 40, 0.02, 1.0),
    ("relu, identity", "dna", 40, 0.002, 1.0),
    ("skip, s = 0.05", "dna", 40, 0.003, 1.0),
    ("skip, s = 0.3", "dna", 40, 0.005, 1.0),
]


def accuracy(method: str, kind: str, length: int, rate: float, clipnorm: float, seed: int) -> float:
    """Return the share of 1,000 new sequences that are right after the budget of the ladder's rung."""
    updates = RUBRIC.updates_for(length)
    train_rows, new = (
        GENERATE.make(s, n, length, kind) for s, n in ((seed, 64 * updates), (100 + seed, 1000))
    )
    model = keras.Sequential(
        [keras.Input((length, 8)), METHODS[method](), layers.Dense(4, activation="softmax")]
    )
    blueprint = read_untrained_model(model.to_json().encode())
    x, test = RUBRIC.one_hot(train_rows.sequence), RUBRIC.one_hot(new.sequence)
    budget = {"updates": updates, "batch": 64, "runs": 1, "seed": seed}
    optimizer = {"optimizer": "adam", "learning_rate": rate, "clipnorm": clipnorm, "clipvalue": 0.0}
    config = np.frombuffer(blueprint.config, np.uint8)
    with redirect_stdout(io.StringIO()):  # lines of progress
        _, [said] = train(config, x, train_rows.label.to_numpy(), test, **budget, **optimizer)
    return float((said.argmax(axis=-1) == new.label).mean())


def main(seeds: int = 5) -> None:
    """Print a line for each cell of the table: mean, least and greatest."""
    for run in RUNS:
        shares = [accuracy(*run, seed) for seed in range(seeds)]
        method, kind, length, rate, clipnorm = run
        where = f"{method:>22} {kind:>8} {length:>3} rate {rate:g} clip {clipnorm:g}"
        print(f"{where}: {np.mean(shares):.2f} ({min(shares):.2f}-{max(shares):.2f})", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
