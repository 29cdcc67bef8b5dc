"""What networks and shortcuts reach in translation: the tables of datasets/translation/README.md.

    python benchmarks/translation.py [--seeds 5] [--only NAME]...

Each seed sets the draw of the training genes, the random start and the test genes. A line is the mean over the seeds
(least to greatest), and CPU seconds of one training. All of it takes about 20 minutes on one core.
"""

import argparse
import os
import runpy
import time
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf
from keras import layers

DATA = runpy.run_path(str(Path(__file__).parents[1] / "datasets" / "translation" / "generate.py"))
RESIDUES, make = DATA["RESIDUES"], DATA["make"]
START = len(RESIDUES) + 1
TESTS = {"50": (50, 50), "200": (200, 200)}
DELAYED_TESTS = {"2-6": (2, 6), "7": (7, 7), "8": (8, 8), "9": (9, 9), "10": (10, 10), "12": (12, 12)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="how many; 0, 1, 2, ...")
    parser.add_argument(
        "--only", action="append", choices=CONTESTANTS, help="only this one (may be repeated)"
    )
    options = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    for name in options.only or CONTESTANTS:
        contestant, tests = CONTESTANTS[name]
        results = [result(contestant, tests, seed) for seed in range(options.seeds)]
        print(f"{name}: {np.mean([seconds for _, seconds in results]):.0f} s of training")
        for test in tests:
            residues, whole = zip(*(shares[test] for shares, _ in results), strict=True)
            print(f"    {test}: residues {spread(residues)}, whole proteins {spread(whole)}", flush=True)


def result(contestant, tests: dict, seed: int) -> tuple[dict, float]:
    """Shares of residues and of whole proteins right in each test, and the CPU seconds of the training."""
    keras.utils.set_random_seed(seed)
    start = time.process_time()
    write = contestant(seed)
    seconds = time.process_time() - start
    return {test: right(write, make(10_000 + seed, 500, range_)) for test, range_ in tests.items()}, seconds


def right(write, data) -> tuple[float, float]:
    hits = []
    for _, group in data.groupby(data.gene.str.len()):
        proteins = tokens(group.protein)
        hits += list(write(one_hot(group.gene), proteins.shape[1]) == proteins)
    return np.concatenate(hits).mean(), np.mean([hit.all() for hit in hits])


def spread(values) -> str:
    return f"{np.mean(values):.3f} ({min(values):.3f}-{max(values):.3f})"


# --- contestants: each learns from a seed and returns write(genes (n, time, 4), steps) -> tokens (n, steps)


def most_frequent(keep: str, seed: int):
    """Return the residue most frequent with the bases kept of a codon, such as "12"; the end is a stop."""
    places = [int(place) - 1 for place in keep]
    data = make(seed, 20_000, (4, 12))
    codons = np.concatenate([one_hot([gene])[0].reshape(-1, 3, 4) for gene in data.gene])
    counts = np.zeros((64, START))
    np.add.at(counts, (numbers(codons, places), np.concatenate([tokens([p])[0] for p in data.protein])), 1)
    counts[:, -1] = 0  # a stop has its own place, the end

    def write(genes, steps):
        said = counts.argmax(axis=1)[numbers(genes.reshape(len(genes), steps, 3, 4), places)]
        return np.hstack([said[:, :-1], np.full((len(said), 1), START - 1)])

    return write


def numbers(codons: np.ndarray, places: list[int]) -> np.ndarray:
    """Return a number below 64 for what stands at these places of codons (..., 3, 4)."""
    return sum(
        (4**i * codons[..., place, :].argmax(axis=-1) for i, place in enumerate(places)),
        np.zeros(codons.shape[:-2], int),
    )


def aligned(recurrent, seed: int):
    """One recurrent layer, trained on as many genes as train.csv holds, of 4 to 12 residues."""
    model = keras.Sequential([keras.Input((None, 4)), layers.Masking(), recurrent(), softmax()])
    data = make(seed, 2000, (4, 12))
    proteins = tokens(data.protein)
    weights = ((proteins > 0)[:, :, None] * [0.0, 0.0, 1.0]).reshape(len(data), -1)
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    labels = np.repeat(np.maximum(proteins - 1, 0), 3, axis=1)
    model.fit(one_hot(data.gene), labels, sample_weight=weights, batch_size=64, epochs=8, verbose=0)
    return lambda genes, steps: np.asarray(model(genes))[:, 2::3].argmax(axis=-1) + 1


def delayed(longest: int, updates: int, seed: int, step: int = 3, backwards: bool = True, sees: bool = True):
    """Build encoder and decoder of 64 units for genes of 1 to `longest` residues; `step` bases are read at once."""
    gene, so_far = keras.Input((None, 4)), keras.Input((None,), dtype="int32")
    rows = layers.Masking()(layers.Reshape((-1, 4 * step))(gene))
    state = layers.GRU(64, go_backwards=backwards)(rows)
    state = state if sees else layers.Rescaling(0.0)(state)
    said = layers.GRU(64, return_sequences=True)(layers.Embedding(START + 1, 16)(so_far), initial_state=state)
    model = keras.Model([gene, so_far], softmax()(said))
    data = make(seed, 32 * updates, (1, longest))
    proteins = tokens(data.protein)
    inputs = np.hstack([np.full((len(data), 1), START), proteins[:, :-1]])
    falling = keras.optimizers.schedules.CosineDecay(0.005, updates, alpha=0.02)
    adam = keras.optimizers.Adam(falling, global_clipnorm=1.0)
    model.compile(adam, "sparse_categorical_crossentropy", jit_compile=True)
    x, y, weights = (
        [one_hot(data.gene), inputs],
        np.maximum(proteins - 1, 0),
        (proteins > 0).astype("float32"),
    )
    model.fit(x, y, sample_weight=weights, batch_size=128, epochs=4, verbose=0)
    return partial(decoded, model)


def decoded(model, genes: np.ndarray, steps: int) -> np.ndarray:
    """Return the likeliest token after those written before, step by step: (n, steps)."""
    so_far = np.full((len(genes), 1), START)
    for _ in range(steps):
        so_far = np.hstack([so_far, np.asarray(model([genes, so_far]))[:, -1:].argmax(axis=-1) + 1])
    return so_far[:, 1:]


def softmax() -> layers.Layer:
    return layers.Dense(len(RESIDUES), activation="softmax")


def one_hot(genes) -> np.ndarray:
    """(n, longest, 4), zeros behind the end."""
    box = np.zeros((len(genes), max(map(len, genes)), 4), "float32")
    for row, gene in zip(box, genes, strict=True):
        row[range(len(gene)), ["ACGT".index(base) for base in gene]] = 1
    return box


def tokens(proteins) -> np.ndarray:
    """1 to 21, (n, longest), zeros behind the end."""
    box = np.zeros((len(proteins), max(map(len, proteins))), int)
    for row, protein in zip(box, proteins, strict=True):
        row[: len(protein)] = [1 + RESIDUES.index(residue) for residue in protein]
    return box


CONTESTANTS = {
    "most frequent residue": (partial(most_frequent, ""), TESTS | DELAYED_TESTS),
    "first base": (partial(most_frequent, "1"), TESTS),
    "first two bases": (partial(most_frequent, "12"), TESTS),
    "last two bases": (partial(most_frequent, "23"), TESTS),
    "aligned, SimpleRNN(64)": (partial(aligned, partial(layers.SimpleRNN, 64, return_sequences=True)), TESTS),
    "aligned, GRU(32)": (partial(aligned, partial(layers.GRU, 32, return_sequences=True)), TESTS),
    "blind decoder": (partial(delayed, 6, 500, sees=False), DELAYED_TESTS),
    "1 to 6, 2,000 batches": (partial(delayed, 6, 2000), DELAYED_TESTS),
    "the same, forwards": (partial(delayed, 6, 2000, backwards=False), DELAYED_TESTS),
    "the same, base by base": (partial(delayed, 6, 2000, step=1), DELAYED_TESTS),
    "1 to 8, 4,000 batches": (partial(delayed, 8, 4000), DELAYED_TESTS),
}

if __name__ == "__main__":
    main()
