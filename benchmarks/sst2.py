"""What recurrent networks reach on SST-2, with embeddings of their own and with GloVe's: the tables of the datasheet.

    python benchmarks/sst2.py [--seeds 5] [--first 0] [--only NAME ...] [--sizes 500 2000 6909] [--weat]

Both data sets must have been fetched: `python -m autograder fetch sst2 glove`. Every contestant learns from the
training part by a plan that was chosen on dev, and is asked once about dev and test after its last epoch. A cell is
the least, the median and the greatest value over the seeds, which set the random start and the order of the batches.
With --sizes: the two readers of `embedding_sentiment` on the first sentences of the training part. With --weat: effect
sizes on GloVe beside the published ones. About twenty minutes on one core.
"""

import argparse
import os
import sys
import time
from functools import cache
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from embedding_bias import lesson
from keras import layers

from autograder.core import load_module, read_course
from autograder.data import practice_data

ROOT = Path(__file__).parents[1]
RUBRIC = load_module(ROOT / "assignments" / "embedding_sentiment" / "rubric.py")
DATA = practice_data(read_course(ROOT))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--only", nargs="*", choices=CONTESTANTS, help="only these")
    parser.add_argument("--sizes", type=int, nargs="*", default=[], help="training sentences, for the curves")
    parser.add_argument("--weat", action="store_true", help="the effect sizes on GloVe")
    options = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    seeds = range(options.first, options.first + options.seeds)
    names = CONTESTANTS if options.only is None else options.only
    print_table([measure(name, name, len(part("train")), seed) for name in names for seed in seeds])
    print_table(
        [
            measure(f"{name}, {size:,} sentences", name, size, seed)
            for size in options.sizes
            for name in (TRAINED, FROZEN)
            for seed in seeds
        ]
    )
    if options.weat:
        print_weat()
    print(f"\nKeras {keras.__version__}, TensorFlow {tf.__version__}, CPU, one thread")


def print_table(rows: list[dict]) -> None:
    """Markdown: a row per contestant, each measure as least / median / greatest."""
    if not rows:
        return
    print("\n| | dev | test | CPU s |\n| --- | --- | --- | --- |")
    for name, some in pd.DataFrame(rows).groupby("name", sort=False):
        cells = (
            " / ".join(f"{some[column].quantile(q):.{digits}f}" for q in (0, 0.5, 1))
            for column, digits in (("dev", 3), ("test", 3), ("CPU s", 0))
        )
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def print_weat() -> None:
    """Return the ten tests on GloVe, by the grader's own computation."""
    lists = DATA.draw("glove", {"part": "weat"})
    vectors = DATA.draw("glove", {"part": "vectors", "words": tuple(sorted(set(lists.word)))})
    found = RUBRIC.real_effects(lists, vectors)
    print("\n| test | d | published | words without a vector |\n| --- | --- | --- | --- |")
    for test, some in lists.groupby("test"):
        names = some.drop_duplicates("role").set_index("role").name
        missing = " ".join(sorted(set(some.word) - set(vectors.index)))
        title = f"{test} {names.X}, {names.Y}: {names.A}, {names.B}"
        print(f"| {title} | {found[test]:.2f} | {some.d.iloc[0]:.2f} | {missing} |")


# Data -------------------------------------------------------------------------------------------------------------


@cache
def part(name: str) -> pd.DataFrame:
    return DATA.draw("sst2", {"part": name})


@cache
def words() -> list[str]:
    return RUBRIC.word_list(part("train").sentence)


@cache
def ids(name: str) -> list[np.ndarray]:
    return RUBRIC.real_ids(part(name).sentence.tolist(), words())


@cache
def glove() -> np.ndarray:
    """GloVe's row for each word, zeros where there is none."""
    vectors = DATA.draw("glove", {"part": "vectors", "words": tuple(words())})
    return vectors.reindex(words()).fillna(0).to_numpy()


def measure(title: str, name: str, size: int, seed: int) -> dict:
    """Accuracy on dev and test after learning from the first `size` training sentences, and processor time."""
    start = time.process_time()
    answer = CONTESTANTS[name](size, seed)
    row = {"name": title, "CPU s": time.process_time() - start}
    row |= {one: np.mean((answer(one) > 0.5) == part(one).label) for one in ("dev", "test")}
    print(pd.Series(row | {"seed": seed}).to_json(double_precision=4), file=sys.stderr, flush=True)
    return row


# Contestants: functions (size, seed) -> (name of a part -> probabilities) ----------------------------------------


def majority(size, seed):
    return lambda name: np.full(len(part(name)), part("train").label[:size].mean())


def bag(longest):
    """Logistic regression on counts of words, and of runs of up to `longest` words."""

    def learn(size, seed):
        data = part("train")[:size]
        texts, labels = data.sentence.tolist(), data.label.tolist()
        runs = {"ngram_range": (1, longest)}
        return lambda name: RUBRIC.by_words(texts, labels, part(name).sentence.tolist(), **runs)

    return learn


def network(build, epochs, rate, hidden=0.1):
    """Batches of up to 64 sentences of equal length; Adam, its rate falling along a cosine; gradients clipped.

    hidden: the share of the words that is replaced by <unknown> in each step.
    """

    def learn(size, seed):
        keras.utils.set_random_seed(seed)
        model, rng = build(), np.random.default_rng(seed)
        labels = part("train").label.to_numpy("float32")[:, None]
        batches = by_length(ids("train")[:size], 64, rng)
        falling = keras.optimizers.schedules.CosineDecay(rate, epochs(size) * len(batches))
        model.compile(keras.optimizers.Adam(falling, clipnorm=1.0), "binary_crossentropy")
        for _ in range(epochs(size)):
            for place in rng.permutation(len(batches)):
                rows, x = batches[place]
                model.train_on_batch(np.where(rng.random(x.shape) < hidden, 1, x), labels[rows])
        return lambda name: answers(model, ids(name), rng)

    return learn


def by_length(encoded, batch, rng):
    """(rows, ids of these rows (n, time)) for batches of sentences of equal length, in any order."""
    lengths, found = np.array([len(one) for one in encoded]), []
    for length in np.unique(lengths):
        rows = rng.permutation(np.flatnonzero(lengths == length))
        for some in np.array_split(rows, max(1, round(len(rows) / batch))):
            found.append((some, np.stack([encoded[row] for row in some])))
    return found


def answers(model, encoded, rng) -> np.ndarray:
    probabilities = np.zeros(len(encoded))
    for rows, x in by_length(encoded, 1024, rng):
        probabilities[rows] = np.asarray(model.predict_on_batch(x))[:, 0]
    return probabilities


def simple(body, dropout=0.5, vectors=False):
    """Embedding (of 32 dimensions, or GloVe's rows, frozen), `body` and a sigmoid."""

    def build():
        start = glove() if vectors else None
        embedding = layers.Embedding(len(words()), 100 if vectors else 32, trainable=not vectors)
        ends = layers.Dropout(0.5), layers.Dense(1, activation="sigmoid")
        hiding = layers.SpatialDropout1D(dropout)
        model = keras.Sequential([keras.Input((None,), dtype="int32"), embedding, hiding, *body(), *ends])
        if vectors:
            embedding.set_weights([start])
        return model

    return build


def reference(vectors=False, trainable=None):
    """Return the network of the reference notebook; trainable: whether GloVe's rows are trained on."""

    def build():
        model = lesson()["build_reader"](len(words()), glove() if vectors else None)
        if trainable:
            [embedding] = (layer for layer in model.layers if isinstance(layer, layers.Embedding))
            embedding.trainable = True
        return model

    return build


def last(units):
    return lambda: [layers.SimpleRNN(units)]


def maximum(units):
    def body():
        rnn = layers.SimpleRNN(units, return_sequences=True)
        return [layers.Bidirectional(rnn), layers.GlobalMaxPooling1D()]

    return body


def mean():
    return [layers.GlobalAveragePooling1D()]


def rounds(size) -> int:
    """More of them where there are few sentences, as in the notebook."""
    return 12 if size <= 500 else 10 if size <= 2000 else 6


TRAINED, FROZEN = "**maximum and mean, trained on the fly**", "**maximum and mean, GloVe frozen**"
CONTESTANTS = {
    "majority": majority,
    "words, logistic regression": bag(1),
    "words and bigrams, logistic regression": bag(2),
    "mean of the embeddings, trained on the fly": network(simple(mean), rounds, 3e-3),
    "SimpleRNN(32), last state, trained on the fly": network(simple(last(32)), rounds, 1e-3),
    "two directions, maximum, trained on the fly": network(simple(maximum(32)), rounds, 3e-3),
    TRAINED: network(reference(), rounds, 3e-3),
    "two directions, maximum, GloVe frozen": network(simple(maximum(32), 0.2, vectors=True), rounds, 2e-3),
    FROZEN: network(reference(vectors=True), rounds, 2e-3),
    "maximum and mean, GloVe fine-tuned": network(reference(vectors=True, trainable=True), rounds, 2e-3),
}

if __name__ == "__main__":
    main()
