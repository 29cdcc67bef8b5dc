"""How well writers know `datasets/dna_generator`: n-grams, networks that know it by heart, networks that learnt it.

Seeds 0 to 4 of the start and of the test data, one core; each cell is a mean (least-greatest). Excess: bits spent on a
new sequence above the true entropy. Valid, new: the shares of 450 sequences drawn at temperature 1 that belong to
their class, and that do and are neither in train.csv nor repeated, beside the same share of the process itself.
`python benchmarks/dna_generator.py [SEEDS]`.
"""

import os
import sys

os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}

import time
from collections import Counter
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from keras import layers

from autograder.core import load_module

FOLDER = Path(__file__).parents[1] / "datasets" / "dna_generator"
GENERATE = load_module(FOLDER / "generate.py")
TRAIN = pd.read_csv(FOLDER / "train.csv")
LETTERS = "_123ACGT."  # the tokens: padding, the classes, the bases, the end
LONGEST = 22
NETWORKS = {  # layer, learning rate, epochs, rows of train.csv
    "GRU(80)": (layers.GRU, 80, 0.008, 40, 3600),
    "GRU(80), 60 rows by heart": (layers.GRU, 80, 0.008, 300, 60),
}


def tokens(data: pd.DataFrame) -> np.ndarray:
    """Class, bases, end, zeros behind: int32 (n, LONGEST)."""
    rows = np.zeros((len(data), LONGEST), np.int32)
    for row, kind, sequence in zip(rows, data["class"], data.sequence, strict=True):
        said = f"{1 + GENERATE.CLASSES.index(kind)}{sequence}."
        row[: len(said)] = [LETTERS.index(letter) for letter in said]
    return rows


class Grams:
    """Says what follows the class and the last n - 1 letters, as often as train.csv has it, plus a hundredth."""

    def __init__(self, n: int):
        self.n, self.counts = n, Counter()
        for row in tokens(TRAIN):
            for place in range(1, np.count_nonzero(row)):
                self.counts[(*self.context(row, place), row[place])] += 1

    def context(self, row: np.ndarray, place: int) -> tuple:
        return row[0], *row[max(1, place - self.n + 1) : place]

    def predict_on_batch(self, rows: np.ndarray) -> np.ndarray:
        said = [[self.count(self.context(row, place)) for place in range(1, LONGEST)] for row in rows]
        return np.array(said) / np.sum(said, axis=-1, keepdims=True)

    def count(self, context: tuple) -> list[float]:
        return [self.counts[(*context, token)] + 0.01 for token in range(len(LETTERS))]


def network(name: str) -> keras.Model:
    recurrent, units, rate, epochs, count = NETWORKS[name]
    rows, batch = tokens(TRAIN[:count]), min(64, count)
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(9, 16),
            recurrent(units, return_sequences=True),
            layers.Dense(9, activation="softmax"),
        ]
    )
    falling = keras.optimizers.schedules.CosineDecay(rate, epochs * -(-count // batch))
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=0)
    model.compile(keras.optimizers.Adam(falling, clipnorm=1.0), loss, jit_compile=True)
    model.fit(rows[:, :-1], rows[:, 1:], batch_size=batch, epochs=epochs, verbose=0)
    return model


def excess(model, data: pd.DataFrame) -> float:
    """Bits above the true entropy, per sequence. What none of these models does is look ahead."""
    rows = tokens(data)
    said = np.take_along_axis(np.asarray(model.predict_on_batch(rows[:, :-1])), rows[:, 1:, None], axis=2)[
        ..., 0
    ]
    bits = -np.where(rows[:, 1:] > 0, np.log2(np.maximum(said, 1e-12)), 0).sum(axis=1)
    true = map(GENERATE.log2_probability, data.sequence, data["class"])
    return float(np.mean(bits + np.array(list(true))))


def drawn(model, count: int, rng: np.random.Generator) -> pd.DataFrame:
    rows = np.zeros((count, LONGEST), np.int32)
    rows[:, 0] = 1 + np.arange(count) % 3
    for place in range(1, LONGEST):
        sums = np.asarray(model.predict_on_batch(rows[:, :-1]))[:, place - 1].cumsum(axis=1)
        rows[:, place] = (sums > rng.random((count, 1)) * sums[:, -1:]).argmax(axis=1)
    texts = ["".join(LETTERS[token] for token in row[1:]) + "_" for row in rows]
    kinds = [GENERATE.CLASSES[token - 1] for token in rows[:, 0]]
    return pd.DataFrame({"class": kinds, "sequence": [text.split(".")[0] for text in texts]})


def shares(data: pd.DataFrame) -> tuple[float, float]:
    """Of sequences: valid; valid, not repeated and not in train.csv."""
    valid = np.array(list(map(GENERATE.is_valid, data.sequence, data["class"])))
    taken = pd.concat([TRAIN, data]).duplicated().to_numpy()[len(TRAIN) :]
    return valid.mean(), (valid & ~taken).mean()


def measured(maker, seed: int) -> tuple[float, ...]:
    """Excess, valid, new, and the seconds of processor that making the writer took."""
    keras.utils.set_random_seed(seed)
    start = time.process_time()
    model = maker()
    spent = time.process_time() - start
    valid, new = shares(drawn(model, 450, np.random.default_rng(seed)))
    true = GENERATE.make(200 + seed, 450)
    return excess(model, GENERATE.make(100 + seed, 450)), valid, new / shares(true)[1], spent


def main(seeds: int = 5) -> None:
    """Print a line for each writer."""
    makers = {f"{n}-grams": lambda n=n: Grams(n) for n in (3, 5, 7)}
    makers |= {name: lambda name=name: network(name) for name in NETWORKS}
    for name, maker in makers.items():
        columns = zip(*(measured(maker, seed) for seed in range(seeds)), strict=True)
        cells = [f"{np.mean(column):.2f} ({min(column):.2f}-{max(column):.2f})" for column in columns]
        print(f"{name:>26}: excess {cells[0]}; valid {cells[1]}; new {cells[2]}; {cells[3]} s", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
