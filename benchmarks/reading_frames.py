"""What reads the frames, and what only seems to: the table of the datasheet.

    python benchmarks/reading_frames.py [--seeds 5] [--only NAME ...]

Every network learns from 12,000 sequences of its own draw and is scored on 1,000 fresh ones of 30 to 60 bases and
on 1,000 of 90 to 120: Matthews correlation over all bases, and the share of sequences with every base right. The
seed sets the start and both draws. Tests go in as the autograder sends them: one length a batch, no padding.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import layers
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import matthews_corrcoef

from autograder.core import load_module

FOLDER = Path(__file__).parents[1] / "datasets" / "reading_frames"
TESTS = {"30..60": (30, 60), "90..120": (90, 120)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS, help="only these")
    options = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    columns = [f"{lengths}, {measure}" for lengths in TESTS for measure in ("MCC", "whole")]
    print("| | " + " | ".join([*columns, "CPU s"]) + " |\n|" + " --- |" * (len(columns) + 2))
    for name in options.only or CONTESTANTS:
        found = pd.DataFrame([measured(CONTESTANTS[name], seed) for seed in range(options.seeds)])
        cells = [f"{found[c].mean():.3f} ({found[c].min():.3f}-{found[c].max():.3f})" for c in columns]
        print(f"| {name} | {' | '.join(cells)} | {found['CPU s'].mean():.0f} |", flush=True)


def measured(learn, seed: int) -> dict[str, float]:
    """Both measures on both tests, and the processor time of learning."""
    make, start = generator().make, time.process_time()
    answer = learn(make(20_000 + seed, 12_000), seed)
    row = {"CPU s": time.process_time() - start}
    for name, (shortest, longest) in TESTS.items():
        data = make(30_000 + seed, 1000, shortest, longest)
        said = answer(data.sequence)
        right = [np.array(list(label)) == "1" for label in data.label]
        row[f"{name}, MCC"] = matthews_corrcoef(np.concatenate(right), np.concatenate(said))
        row[f"{name}, whole"] = np.mean([(a == b).all() for a, b in zip(right, said, strict=True)])
    return row


def generator():
    return load_module(FOLDER / "generate.py")


def padded(sequences, labels) -> tuple[np.ndarray, np.ndarray]:
    """One-hot (n, longest, 4) and labels (n, longest, 1), zeros behind the end."""
    longest = max(map(len, sequences))
    x, y = (
        np.zeros((len(sequences), longest, 4), "float32"),
        np.zeros((len(sequences), longest, 1), "float32"),
    )
    for row, target, sequence, label in zip(x, y, sequences, labels, strict=True):
        row[range(len(sequence)), ["ACGT".index(base) for base in sequence]] = 1
        target[: len(sequence), 0] = list(map(int, label))
    return x, y


# Contestants: functions (training table, seed) -> (sentences -> a list of boolean arrays) ---------------------------


def constant(data, seed):
    share = np.mean([label.count("1") / len(label) for label in data.label])
    return lambda sequences: [np.full(len(sequence), share > 0.5) for sequence in sequences]


def window(reach):
    """Logistic regression on the bases up to `reach` places to the left and to the right."""

    def around(sequence):
        x, _ = padded([sequence], ["0" * len(sequence)])
        x = np.pad(x[0], ((reach, reach), (0, 0)))
        return np.stack([x[place : place + 2 * reach + 1].ravel() for place in range(len(sequence))])

    def learn(data, seed):
        some = data[:1000]
        labels = np.array(list("".join(some.label)))
        model = LogisticRegression(max_iter=300).fit(np.concatenate([*map(around, some.sequence)]), labels)
        return lambda sequences: [model.predict(around(sequence)) == "1" for sequence in sequences]

    return learn


def network(cell=layers.GRU, both=True, mask=True, units=48, epochs=7, rate=0.01):
    """Return a recurrent layer, 32 relu units per base, one probability; Adam with a cosine schedule."""

    def learn(data, seed):
        keras.utils.set_random_seed(seed)
        x, y = padded(data.sequence, data.label)
        recurrent = cell(units, return_sequences=True)
        body = [layers.Masking()] * mask + [layers.Bidirectional(recurrent) if both else recurrent]
        head = [layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid")]
        model = keras.Sequential([keras.Input((None, 4)), *body, *head])
        falling = keras.optimizers.schedules.CosineDecay(rate, epochs * -(-len(x) // 64))
        model.compile(keras.optimizers.Adam(falling, clipnorm=1.0), "binary_crossentropy", jit_compile=True)
        model.fit(x, y, batch_size=64, epochs=epochs, verbose=0)
        model.compile(jit_compile=False)  # tests come in many lengths, and each would be compiled anew
        return lambda sequences: by_length(model, sequences)

    return learn


def by_length(model, sequences) -> list[np.ndarray]:
    answers = [None] * len(sequences)
    for length in set(map(len, sequences)):
        places = [place for place, sequence in enumerate(sequences) if len(sequence) == length]
        x, _ = padded([sequences[place] for place in places], ["0" * length] * len(places))
        for place, said in zip(places, np.asarray(model.predict_on_batch(x))[..., 0] > 0.5, strict=True):
            answers[place] = said
    return answers


CONTESTANTS = {
    "**GRU(48), both directions**": network(),
    "GRU(48), one direction": network(both=False),
    "GRU(48), both directions, padding counted": network(mask=False),
    "LSTM(48), both directions": network(layers.LSTM),
    "SimpleRNN(48), both directions": network(layers.SimpleRNN, rate=0.003),
    "15 bases to either side, logistic regression": window(15),
    "one answer for all": constant,
}

if __name__ == "__main__":
    main()
