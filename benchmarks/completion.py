"""Who knows how a sentence ends, and who only guesses: the table of the datasheet.

    python benchmarks/completion.py [--seeds 5] [--only NAME ...]

Everyone learns from 10,000 sentences of their own draw and is scored on 2,000 fresh ones with 0 to 2 fillers and on
2,000 with 3 and pairs of names never met together. The seed sets the start and all draws. Networks read one
length a batch when they are tested, as with the autograder.
"""

import argparse
import os
import time
from collections import Counter, defaultdict
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

FOLDER = Path(__file__).parents[1] / "datasets" / "completion"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS, help="only these")
    options = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    columns = ["all", "longer", "longer speaks", "longer chases", "longer sky"]
    print(f"best possible: {generator().best_accuracy():.3f}\n\n| | {' | '.join([*columns, 'CPU s'])} |")
    print("|" + " --- |" * (len(columns) + 2))
    for name in options.only or CONTESTANTS:
        found = pd.DataFrame([measured(CONTESTANTS[name], seed) for seed in range(options.seeds)])
        cells = [f"{found[c].mean():.3f} ({found[c].min():.3f}-{found[c].max():.3f})" for c in columns]
        print(f"| {name} | {' | '.join(cells)} | {found['CPU s'].mean():.0f} |", flush=True)


def generator():
    return load_module(FOLDER / "generate.py")


def measured(learn, seed: int) -> dict[str, float]:
    """Accuracies, and the processor time of learning."""
    make, start = generator().make, time.process_time()
    answer = learn(make(20_000 + seed, 10_000), seed)
    row = {"CPU s": time.process_time() - start}
    short, longer = make(30_000 + seed, 2000), make(40_000 + seed, 2000, longer=True)
    right = longer.word == answer(longer.sentence)
    kinds = {f"longer {kind}": share for kind, share in right.groupby(longer.kind).mean().items()}
    return row | kinds | {"all": (short.word == answer(short.sentence)).mean(), "longer": right.mean()}


# Contestants: functions (training table, seed) -> (sentences -> words) ---------------------------------------------


def after(number):
    """Return the word that followed the last `number` words most often; 0 for the most frequent word of all."""

    def last(sentence):
        return tuple(sentence.split()[len(sentence.split()) - number :])

    def learn(data, seed):
        counts = defaultdict(Counter)
        for sentence, word in zip(data.sentence, data.word, strict=True):
            counts[last(sentence)][word] += 1
        return lambda sentences: [counts[last(sentence)].most_common(1)[0][0] for sentence in sentences]

    return learn


def counted(longest):
    """Logistic regression on counts of words, and of runs of up to `longest` words."""

    def learn(data, seed):
        counts = CountVectorizer(token_pattern=r"\S+", ngram_range=(1, longest))
        return make_pipeline(counts, LogisticRegression(max_iter=500)).fit(data.sentence, data.word).predict

    return learn


def network(recurrent, last=None, epochs=8):
    """Embedding, a recurrent layer, softmax; `last` words only where given."""

    def learn(data, seed):
        keras.utils.set_random_seed(seed)
        train = pd.read_csv(FOLDER / "train.csv")
        words = ["", "?", *sorted(set(" ".join([*train.sentence, *train.word]).split()))]
        number = {word: place for place, word in enumerate(words)}

        def tokens(sentences):
            return [[number[word] for word in sentence.split()][-(last or 0) :] for sentence in sentences]

        x = keras.utils.pad_sequences(tokens(data.sentence), padding="post")
        y = np.array([number[word] for word in data.word])
        embedding = layers.Embedding(len(words), 16, mask_zero=True)
        head = layers.Dense(len(words), activation="softmax")
        model = keras.Sequential([keras.Input((None,), dtype="int32"), embedding, recurrent(), head])
        falling = keras.optimizers.schedules.CosineDecay(0.01, epochs * -(-len(x) // 64))
        adam = keras.optimizers.Adam(falling, clipnorm=1.0)
        model.compile(adam, "sparse_categorical_crossentropy", jit_compile=True)
        model.fit(x, y, batch_size=64, epochs=epochs, verbose=0)
        model.compile(jit_compile=False)  # tests come in many lengths, and each would be compiled anew
        return lambda sentences: answers(model, words, tokens(sentences))

    return learn


def answers(model, words, tokens) -> list[str]:
    said = [""] * len(tokens)
    for length in set(map(len, tokens)):
        places = [place for place, row in enumerate(tokens) if len(row) == length]
        rows = np.asarray(model.predict_on_batch(np.array([tokens[place] for place in places])))
        for place, token in zip(places, rows.argmax(axis=-1), strict=True):
            said[place] = words[token]
    return said


CONTESTANTS = {
    "**GRU(24), both directions**": network(lambda: layers.Bidirectional(layers.GRU(24))),
    "GRU(48), one direction": network(lambda: layers.GRU(48)),
    "GRU(48), the last 4 words alone": network(lambda: layers.GRU(48), last=4, epochs=3),
    "the most frequent word": after(0),
    "after the last word": after(1),
    "after the last two words": after(2),
    "counts of words, logistic regression": counted(1),
    "counts of up to 2 words, logistic regression": counted(2),
    "counts of up to 3 words, logistic regression": counted(3),
}

if __name__ == "__main__":
    main()
