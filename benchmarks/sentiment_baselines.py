"""What recurrent networks and their shortcuts reach on the film reviews: the tables of the datasheet.

    python benchmarks/sentiment_baselines.py [--seeds 5] [--only NAME ...] [--first 0]

Every contestant learns from train.csv and is scored on fresh hidden sentences. The seed sets both its random
start and the draw of the test data; a cell is the least, the median and the greatest value over the seeds.
Tokens go in as the autograder sends them: sentences of one length share a batch and nothing is padded. All
5 seeds take about three quarters of an hour on one core.
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import layers
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from autograder.core import load_module

FOLDER = Path(__file__).parents[1] / "datasets" / "sentiment"
LONGEST = 40  # words of a training sentence


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS, help="only these")
    options = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    data, rows = pd.read_csv(FOLDER / "train.csv"), []
    for name in options.only or CONTESTANTS:
        for seed in range(options.first, options.first + options.seeds):
            rows.append({"name": name} | measure(CONTESTANTS[name], data, seed))
            print(pd.Series(rows[-1]).to_json(double_precision=3), file=sys.stderr, flush=True)
    found = pd.DataFrame(rows)
    print(f"\n{options.seeds} seeds: least / median / greatest\n\n{table(found, ['all', 'pairs', 'both'])}")
    print(f"\n{table(found, ['longer', 'longer pairs', 'longer both', 'CPU s'])}")
    print(f"\nPairs by kind, least of the seeds\n\n{kinds_table(found)}")
    print(f"\nKeras {keras.__version__}, TensorFlow {tf.__version__}, CPU, one thread")


def table(rows: pd.DataFrame, columns: list[str]) -> str:
    """Markdown: a row per contestant, the columns as least / median / greatest."""
    lines = [" | ".join(["", *columns]), " | ".join(["---"] * (len(columns) + 1))]
    for name, part in rows.groupby("name", sort=False):
        digits = {column: 0 if column == "CPU s" else 3 for column in columns}
        cells = [" / ".join(f"{part[c].quantile(q):.{digits[c]}f}" for q in (0, 0.5, 1)) for c in columns]
        lines.append(" | ".join([name, *cells]))
    return "\n".join(f"| {line.strip()} |" for line in lines)


def kinds_table(rows: pd.DataFrame) -> str:
    """Markdown: a row per contestant, a column per kind, the least accuracy on its pairs over the seeds."""
    kinds = [column for column in rows.columns if column.startswith("in ")]
    least = rows.groupby("name", sort=False)[kinds].min()
    lines = [" | ".join(["", *(kind[3:] for kind in kinds)]), " | ".join(["---"] * (len(kinds) + 1))]
    lines += [" | ".join([name, *(f"{value:.3f}" for value in row)]) for name, row in least.iterrows()]
    return "\n".join(f"| {line.strip()} |" for line in lines)


# Scoring ---------------------------------------------------------------------------------------------------------


def generator():
    return load_module(FOLDER / "generate.py")


def measure(learn, data, seed: int) -> dict[str, float]:
    """Scores on 4,000 hidden sentences and on 2,000 longer ones, and the processor time of learning."""
    start = time.process_time()
    answer = learn(data, seed)
    seconds = time.process_time() - start
    make = generator().make
    hidden, longer = make(seed=10_000 + seed, count=4000), make(seed=10_000 + seed, count=2000, longer=True)
    right, right_longer = ((answer(part.sentence) > 0.5) == part.label for part in (hidden, longer))
    paired = hidden.pair >= 0
    kinds = right[paired].groupby("in " + hidden.kind[paired]).mean()
    return (
        shares(hidden, right)
        | {
            ("longer " + name).removesuffix(" all"): share
            for name, share in shares(longer, right_longer).items()
        }
        | {"CPU s": seconds}
        | kinds.to_dict()
    )


def shares(data, right) -> dict[str, float]:
    """Return the share of right answers in all sentences and in pairs, and of pairs with both right."""
    paired = data.pair >= 0
    both = right[paired].groupby(data.pair[paired]).all()
    return {"all": right.mean(), "pairs": right[paired].mean(), "both": both.mean()}


# Contestants: functions (training table, seed) -> (sentences -> probabilities) -------------------------------------


def majority(data, seed):
    return lambda sentences: np.full(len(sentences), data.label.mean())


def words(longest):
    """Logistic regression on counts of words, and of runs of up to `longest` words."""

    def learn(data, seed):
        counts = CountVectorizer(token_pattern=r"\S+", ngram_range=(1, longest))
        model = make_pipeline(counts, LogisticRegression(max_iter=3000)).fit(data.sentence, data.label)
        return lambda sentences: model.predict_proba(sentences)[:, 1]

    return learn


def ids(sentences, first=None) -> pd.Series:
    """List of token ids, of the `first` words only where given."""
    lines = (FOLDER / "vocabulary.txt").read_text(encoding="utf-8").splitlines()
    number = {word: line for line, word in enumerate(lines)}
    return sentences.map(lambda sentence: [number.get(word, 1) for word in sentence.split()[:first]])


def by_length(tokens):
    """(index, int32 array) of all sentences of one length, for every length."""
    for _, group in tokens.groupby(tokens.map(len)):
        yield group.index, np.array(group.tolist(), "int32")


def answering(model, first=None):
    """Return a Keras model as a function of sentences; equal lengths share a batch and nothing is padded."""

    def answer(sentences):
        probability = pd.Series(0.0, index=sentences.index)
        for index, x in by_length(ids(sentences, first)):
            probability[index] = np.asarray(model.predict_on_batch(x))[:, 0]
        return probability

    return answer


def network(body, mask=False, dropout=0.0):
    """Embedding of 32 numbers, `body` and a sigmoid; `dropout` of the embedding's numbers while it learns."""
    size = len((FOLDER / "vocabulary.txt").read_text(encoding="utf-8").splitlines())
    embedding = layers.Embedding(size, 32, mask_zero=mask)
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            embedding,
            layers.Dropout(dropout),
            *body(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def padded(body, side, mask=False, epochs=10):
    """Keras's defaults on sentences padded to 40 words: Adam, rate 0.001, batches of 32."""

    def learn(data, seed):
        keras.utils.set_random_seed(seed)
        x = keras.utils.pad_sequences(ids(data.sentence), maxlen=LONGEST, padding=side)
        model = network(body, mask)
        model.compile("adam", "binary_crossentropy")
        model.fit(x, data.label.to_numpy("float32"), epochs=epochs, batch_size=32, verbose=0)
        return answering(model)

    return learn


def tuned(body, sentences=None, first=None, epochs=20, rate=0.003, dropout=0.3):
    """Batches of up to 32 sentences of equal length; Adam, its rate falling along a cosine; gradients clipped."""

    def learn(data, seed):
        keras.utils.set_random_seed(seed)
        rng, data = np.random.default_rng(seed), data[:sentences]
        model = network(body, dropout=dropout)
        groups = [
            (x, data.label[index].to_numpy("float32")) for index, x in by_length(ids(data.sentence, first))
        ]
        steps = epochs * sum(-(-len(x) // 32) for x, _ in groups)
        falling = keras.optimizers.schedules.CosineDecay(rate, steps)
        model.compile(keras.optimizers.Adam(falling, clipnorm=1.0), "binary_crossentropy")
        for _ in range(epochs):
            batches = [
                (x[rows], y[rows])
                for x, y in groups
                for rows in np.array_split(rng.permutation(len(x)), -(-len(x) // 32))
            ]
            for number in rng.permutation(len(batches)):
                model.train_on_batch(*batches[number])
        return answering(model, first)

    return learn


def mean():
    return [layers.GlobalAveragePooling1D()]


def last(units, cell=layers.SimpleRNN, **options):
    return lambda: [cell(units, **options)]


def maximum(units, cell=layers.SimpleRNN, **options):
    return lambda: [cell(units, return_sequences=True, **options), layers.GlobalMaxPooling1D()]


def both_ways(units, **options):
    def body():
        rnn = layers.SimpleRNN(units, return_sequences=True, **options)
        return [layers.Bidirectional(rnn), layers.GlobalMaxPooling1D()]

    return body


IDENTITY = {"activation": "relu", "recurrent_initializer": "identity"}
REFERENCE = both_ways(32)
CONTESTANTS = {
    "**two directions, maximum**": tuned(REFERENCE),
    "majority": majority,
    "words, logistic regression": words(1),
    "words and bigrams, logistic regression": words(2),
    "mean of the embeddings": tuned(mean),
    "first 12 words, two directions, maximum": tuned(REFERENCE, first=12),
    "SimpleRNN(32), zeros before, no mask": padded(last(32), "pre"),
    "SimpleRNN(32), zeros after, no mask": padded(last(32), "post"),
    "SimpleRNN(32), zeros after, masked": padded(last(32), "post", mask=True),
    "SimpleRNN(32), last state": tuned(last(32)),
    "two directions, 5,000 sentences": tuned(REFERENCE, sentences=5000, epochs=24),
    "two directions, 2,000 sentences": tuned(REFERENCE, sentences=2000, epochs=40, dropout=0.5),
    "two directions, 1,000 sentences": tuned(REFERENCE, sentences=1000, epochs=60, dropout=0.5),
    "one direction of 64, maximum": tuned(maximum(64)),
    "relu and identity, 64, last state": tuned(last(64, **IDENTITY), rate=0.001),
    "(GRU(32), last state)": tuned(last(32, cell=layers.GRU)),
}

if __name__ == "__main__":
    main()
