"""What tells real splice junctions apart, and what 106 promoters can tell: the tables of the datasheets.

    python benchmarks/splice.py [--seeds 5] [--only NAME ...]

Everything learns from the part "train" of `datasets/splice`, which has to be fetched, and is measured on the part
"test"; a seed sets a network's start and the order of its batches. Two more names: `strengths`, which C the training
rows ask for, and `promoters`.
"""

import argparse
import os
import time
from itertools import product
from pathlib import Path

os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
import keras
import numpy as np
import pandas as pd
from keras import layers
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneOut, StratifiedKFold, cross_val_predict, cross_val_score

from autograder.data import load_maker

DATASETS = Path(__file__).parents[1] / "datasets"
LABELS = "EI", "IE", "N"
ROWS = np.vstack([np.eye(4), np.full(4, 0.25)]).astype("float32")  # A, C, G, T, and any other letter
FOLDS = StratifiedKFold(10, shuffle=True, random_state=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--only", nargs="+", choices=[*CONTESTANTS, *OTHERS], help="only these")
    options = parser.parse_args()
    train, test = (load_maker(DATASETS / "splice")(seed=0, part=part) for part in ("train", "test"))
    chosen = options.only or [*CONTESTANTS, *OTHERS]
    print("| | accuracy | parameters | CPU s |\n| --- | --- | ---: | ---: |")
    for name in (name for name in chosen if name in CONTESTANTS):
        print(f"| {name} | {measured(CONTESTANTS[name], train, test, options.seeds)} |", flush=True)
    for name in (name for name in chosen if name in OTHERS):
        OTHERS[name](train)


def measured(learn, train: pd.DataFrame, test: pd.DataFrame, seeds: int) -> str:
    """Cells of a contestant's row: least, median and greatest accuracy, parameters, processor time of learning."""
    found, start = [], time.process_time()
    for seed in range(seeds if learn.is_random else 1):
        answer, size = learn(train, seed)
        found.append((np.mean(answer(test) == test.label), size))
    seconds = (time.process_time() - start) / len(found)
    shares = np.sort([share for share, _ in found])
    spread = shares[[0, len(shares) // 2, -1]] if learn.is_random else shares
    return f"{' / '.join(f'{share:.3f}' for share in spread)} | {size:,} | {seconds:.1f}"


def one_hot(data: pd.DataFrame) -> np.ndarray:
    """Sequences of one length as float32 (n, time, 4), bases in the order A, C, G, T."""
    return ROWS[[["ACGT".find(letter) for letter in sequence] for sequence in data.sequence]]


def places(data: pd.DataFrame) -> np.ndarray:
    return one_hot(data).reshape(len(data), -1)


def kmers(k: int):
    """Count of all words of k bases."""
    words = ["".join(letters) for letters in product("ACGT", repeat=k)]
    counter = CountVectorizer(analyzer="char", ngram_range=(k, k), lowercase=False, vocabulary=words)
    return lambda data: counter.transform(data.sequence)


# Contestants: functions (training table, seed) -> (table -> labels, number of parameters) ----------------------------


def fixed(learn):
    """One that learns the same with every seed."""
    learn.is_random = False
    return learn


@fixed
def majority(data, seed):
    return lambda test: np.full(len(test), data.label.mode()[0]), 1


def regression(features, C: float):
    @fixed
    def learn(data, seed):
        model = LogisticRegression(C=C, max_iter=3000).fit(features(data), data.label)
        return lambda test: model.predict(features(test)), model.coef_.size + len(model.coef_)

    return learn


def network(read, dropout: float = 0.5, blotting: float = 0.25, epochs: int = 40):
    """`read` leads from windows (batch, 60, 4) to what a soft-max answers from; trained as in the notebook."""

    def learn(data, seed):
        keras.utils.set_random_seed(seed)
        window = keras.Input((60, 4))
        states = read(layers.Dropout(blotting, noise_shape=(None, 60, 1))(window))
        answer = layers.Dense(3, activation="softmax")(layers.Dropout(dropout)(states))
        model = keras.Model(window, answer)
        falling = keras.optimizers.schedules.CosineDecay(0.003, epochs * -(-len(data) // 64))
        model.compile(keras.optimizers.Adam(falling, clipnorm=1.0), "sparse_categorical_crossentropy")
        labels = data.label.map(LABELS.index).to_numpy()
        model.fit(one_hot(data), labels, batch_size=64, epochs=epochs, verbose=0)

        def answered(test):
            return np.array(LABELS)[np.asarray(model.predict_on_batch(one_hot(test))).argmax(axis=1)]

        return answered, model.count_params()

    learn.is_random = True
    return learn


def two_readers(units: int):
    def read(window):
        left = layers.SimpleRNN(units)(window[:, :30])
        right = layers.SimpleRNN(units, go_backwards=True)(window[:, 30:])
        return layers.Concatenate()([left, right])

    return read


def maximum(window):
    both = layers.Bidirectional(layers.SimpleRNN(28, return_sequences=True))(window)
    return layers.GlobalMaxPooling1D()(both)


CONTESTANTS = {
    "majority": majority,
    "base counts, logistic regression": regression(kmers(1), 1),
    "5-mer counts, logistic regression": regression(kmers(5), 0.01),
    "places, logistic regression, C = 1": regression(places, 1),
    "places, logistic regression, C = 0.1": regression(places, 0.1),
    "places, logistic regression, C = 0.01": regression(places, 0.01),
    "one reader, last state, 44 units": network(lambda window: layers.SimpleRNN(44)(window)),
    "one reader, 44 units, nothing blotted out": network(
        lambda window: layers.SimpleRNN(44)(window), blotting=0.0
    ),
    "two directions, last states, 28 units each": network(
        lambda window: layers.Bidirectional(layers.SimpleRNN(28))(window)
    ),
    "two directions, maximum, 28 units each": network(maximum),
    "two readers, 30 units each, nothing blotted out": network(two_readers(30), blotting=0.0),
    "two readers, 16 units each": network(two_readers(16)),
    "**two readers, 30 units each**": network(two_readers(30)),
}


# What is measured beside the table ----------------------------------------------------------------------------------


def strengths(train: pd.DataFrame) -> None:
    """Print what logistic regression reaches within the training rows for each C, in ten folds."""
    for C in (1, 0.3, 0.1, 0.03, 0.01, 0.003):
        folds = cross_val_score(LogisticRegression(C=C, max_iter=3000), places(train), train.label, cv=FOLDS)
        print(f"ten folds of the training rows, C = {C}: {folds.mean():.4f}, {standard_error(folds):.4f}")


def promoters(train: pd.DataFrame) -> None:
    """Print what it reaches on the 106 promoters, one by one with its interval, and in ten folds."""
    data = load_maker(DATASETS / "promoters")(seed=0, part="all")
    x, model = places(data), LogisticRegression(max_iter=3000)
    right = int((cross_val_predict(model, x, data.label, cv=LeaveOneOut()) == data.label).sum())
    least, most = wilson(right, len(data))
    print(
        f"promoters, one by one: {right} of {len(data)}, {right / len(data):.3f} ({least:.3f} to {most:.3f})"
    )
    folds = cross_val_score(model, x, data.label, cv=FOLDS)
    print(f"promoters, ten folds: {folds.mean():.3f}, {standard_error(folds):.3f}")


def standard_error(folds: np.ndarray) -> float:
    return folds.std(ddof=1) / len(folds) ** 0.5


def wilson(right: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """Return the interval of 95 % for a share of which `right` of `count` were seen (Wilson 1927)."""
    share, own = right / count, z**2 / count
    middle, spread = share + own / 2, np.sqrt(own * share * (1 - share) + own**2 / 4)
    return (middle - spread) / (1 + own), (middle + spread) / (1 + own)


OTHERS = {"strengths": strengths, "promoters": promoters}

if __name__ == "__main__":
    main()
