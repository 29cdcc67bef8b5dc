"""The items of `embedding_sentiment`: 110 points, and bonus points on top.

A notebook of functions, a model of sentiment, a skip-gram and two files of word vectors are handed in. Functions are
called with inputs that are drawn from the term's seed. The model of sentiment takes the token ids of a review, int32
`(batch, time)`, by `datasets/sentiment/vocabulary.txt` (0 padding, 1 unknown), of any length and never padded, and
returns the probability that it is positive, `(batch, 1)`. The vectors are those of the words of
`datasets/profession_corpus`, in GloVe's text format, and count where they are the rows of a skip-gram that has learnt
to guess neighbours. The thresholds rest on the measurements in the datasheets of both data sets.

Bonus points can also be had on real sentences, SST-2 and GloVe, by those who fetched them: two more models, whose
ids go by `word_list`, and a table of effect sizes. What asks for such data waits where they are not on the machine.
"""

import math
import re
from collections import Counter
from collections.abc import Callable
from functools import cache, partial
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics.pairwise import cosine_similarity, euclidean_distances

from autograder import (
    Credit,
    Failure,
    assert_close,
    cache_by_value,
    check_architecture,
    check_memory,
    concept_questions,
    credit,
    decide,
    figures,
    fresh,
    hidden,
    input_generator,
    item,
    own,
    remark,
    share_right,
    split_parts,
)

MODEL, SKIPGRAM, VECTORS, PROJECTED = (
    "sentiment.keras",
    "skipgram.keras",
    "vectors.txt",
    "vectors_projected.txt",
)
MOST_PARAMETERS = 150_000
LONGEST = 40  # words of a sentence in training
LARGEST = 5_000_000  # bytes of a file of vectors
WINDOW = 4  # words on each side that the notebook's skip-gram guesses
MOST_DIMENSIONS = 32  # of a skip-gram
LEAST_LEARNT = 0.83  # of what a word tells of its neighbours; see `learnt_share`
REAL, REAL_GLOVE, EFFECTS = "sst2.keras", "sst2_glove.keras", "weat_glove.csv"
MOST_REAL = 1_000_000  # parameters: GloVe's rows for the words of SST-2 alone are 720,500
TOO_GOOD = 0.93  # of SST-2's test sentences, which are public; what is learnt from 6,909 reaches 0.83
EQUAL = 1e-4  # to which a number is GloVe's, which have five digits
MOST_MOVED = 0.1  # of the rows, as copies of GloVe differ in a few words
MOST_ROWS = 100  # of the table of effect sizes
DATASETS = Path(__file__).parents[2] / "datasets"
MEN = ["he", "his", "himself", "man", "father", "brother", "uncle"]
WOMEN = ["she", "her", "herself", "woman", "mother", "sister", "aunt"]

ALLOWED = {
    "InputLayer", "Embedding", "SimpleRNN", "Bidirectional", "Dense", "TimeDistributed", "Activation", "ReLU",
    "Dropout", "SpatialDropout1D", "GaussianNoise", "LayerNormalization", "Concatenate", "Add",
    "GlobalMaxPooling1D", "GlobalAveragePooling1D",
}  # fmt: skip


def network_sizes(student: str) -> tuple[int, int, int]:
    """Words of the vocabulary, dimensions of the embedding and units of the SimpleRNN, one student's own."""
    rng = own(student, "network sizes")
    return int(rng.integers(10, 60)) * 500, int(rng.integers(3, 13)) * 8, int(rng.integers(2, 9)) * 12


# --- words become numbers


@item(points=2, section="lookup")
def looks_up_rows(submission):
    """lookup(ids, matrix): one-hot rows times the matrix (words, d), without making them: (time, d)."""
    example = np.array(
        [[8, 2, 1, 9], [6, 5, 4, 0], [7, 1, 6, 2], [1, 3, 5, 8], [0, 4, 9, 1]]
    )  # the lecture's
    rng = input_generator("lookup")
    matrices = [rng.normal(size=rng.integers(2, 12, 2)).round(2) for _ in range(3)]
    drawn = [(rng.integers(0, len(matrix), rng.integers(1, 9)), matrix) for matrix in matrices]
    for ids, matrix in ((np.array([3, 0, 3, 4]), example), *drawn):
        right = np.eye(len(matrix))[ids] @ matrix
        usual = {
            "ids begin at 1 for it: id 0 is the first row": matrix[ids - 1],
            "columns are picked, and each word has a row": matrix[:, ids % matrix.shape[1]],
            "it is transposed": right.T,
            "the rows are added up": right.sum(axis=0),
        }
        assert_close(submission.call("lookup", ids, matrix), right, usual, f"lookup({ids.tolist()}, matrix)")


@item(points=2, section="lookup")
def measures_distances(submission):
    """distances(vectors): the Euclidean distance of each two rows of (n, d): (n, n)."""
    rng = input_generator("distances")
    shapes = (5, 3), (1, rng.integers(1, 6)), *rng.integers(2, 12, (2, 2))
    for shape in shapes:  # whole numbers: the root of a rounding error below 0 is no number
        vectors = rng.integers(-9, 10, shape).astype(float)
        right = euclidean_distances(vectors)
        usual = {
            "the root is missing": right**2,
            "it is the cosine, not the distance": cosine_similarity(vectors),
            "differences are not squared but taken as they are": abs(vectors[:, None] - vectors).sum(axis=2),
        }
        asked = f"distances of {len(vectors)} vectors"
        assert_close(submission.call("distances", vectors), right, usual, asked)


@item(points=3, section="lookup")
def encodes_sentences(submission):
    """encode(sentence, vocabulary): the id of each word, its place in the list; 1 where it is not in it."""
    known = ["the", ".", "film", "good", "is", "not"]
    rng = input_generator("encode")
    example = "the new film is not good , the film is long ."
    texts = [(known, example.split())]
    for count in rng.integers(4, 20, 3):
        words = drawn_words(rng, count + 3)  # the last three are unknown
        texts.append((words[:count], rng.choice(words, rng.integers(1, 16)).tolist()))
    for known, words in texts:
        vocabulary, sentence = ["<padding>", "<unknown>", *known], " ".join(words)
        right = np.array([vocabulary.index(word) if word in known else 1 for word in words])
        usual = {
            "unknown words are left out: each has the id 1": right[right != 1],
            "unknown words get 0, which is the padding; theirs is 1": np.where(right == 1, 0, right),
            "ids are off by one: the place counts from 0, and 0 is the padding": right + 1,
            "ids are off by two: padding and unknown have places too": np.where(right > 1, right - 2, right),
            "it ends with the ids of different words only": np.unique(right),
        }
        asked = f"encode({sentence!r}, {vocabulary})"
        assert_close(submission.call("encode", sentence, vocabulary), right, usual, asked)


def drawn_words(rng: np.random.Generator, count: int) -> list[str]:
    """So many different words of four letters."""
    words = {"".join(rng.choice(list("abcdefghiklmnoprstuvwxyz"), 4)): None for _ in range(2 * count)}
    return [*words][:count]


@item(points=3, section="lookup")
def counts_parameters(submission):
    """parameters(): for your own sizes: Embedding, SimpleRNN, Dense(1), and a SimpleRNN on one-hot words."""
    words, size, units = network_sizes(submission.signed)
    right = counts_for(words, size, units)
    yours = (
        f"Yours: {words:,} words, {size} dimensions, {units} units. An Embedding has no bias, the others do."
    )
    return share_right(split_parts(submission.call("parameters"), right, "parameters()"), right, yours)


def counts_for(words: int, size: int, units: int) -> dict[str, float]:
    """How many weights each layer has; a SimpleRNN of u units on n inputs has u (n + u + 1)."""
    return {
        "Embedding": float(words * size),
        "SimpleRNN": float(units * (size + units + 1)),
        "Dense": float(units + 1),
        "SimpleRNN on one-hot words": float(units * (words + units + 1)),
    }


# --- the model of sentiment


@item(points=3, section="sentiment")
def is_a_simple_rnn(submission):
    """sentiment.keras: an Embedding and a SimpleRNN for reviews of any length, at most 150,000 parameters."""
    sentiment(submission)


@item(points=6, section="sentiment")
def on_public_sentences(submission):
    """Accuracy on the 1,000 reviews of public.csv, which you can read; errors are shown."""
    predict = sentiment(submission)
    data = reviews("public")
    said = decide(predict(ids(data.sentence)))
    look(data, said)
    hint = diagnosis(predict, said) or examples(data, said)
    return credit((said == data.label).mean(), 0.77, 0.95, hint, "Accuracy")


@item(points=8, section="sentiment")
def on_new_sentences(submission):
    """Accuracy on 2,000 new reviews."""
    _, data, said = on_hidden(submission, count=2000)
    figures.show(
        figures.by_length(
            words_in(data.sentence), said == data.label, "New reviews: right answers by number of words"
        )
    )
    hint = "Where the public reviews are right and these are not, the model has learnt them by heart."
    return credit((said == data.label).mean(), 0.77, 0.95, hint, "Accuracy")


@item(points=12, section="sentiment")
def on_pairs(submission):
    """New pairs, the same words in another order and the opposite label: the share with both right."""
    predict, data, said = on_hidden(submission, count=2000)
    right = pd.Series(said == data.label)[data.pair >= 0]
    pairs = right.groupby(data.pair[data.pair >= 0]).all()
    both, kinds = pairs.mean(), data.groupby("pair").kind.first()[pairs.index]
    figures.show(figures.by_group(kinds, pairs, "New pairs: both right, by the kind of sentence"))
    hint = (
        f"{right.mean():.3f} of the paired reviews are right; one answer to both gets one right, and no pair."
    )
    if not any("Pooling" in kind for kind in submission.model(MODEL).plan.kinds):
        hint += " The last state has forgotten how the review began: read out all states, by their maximum."
        hint += (
            " If zeros stood behind the reviews in training, it has read nothing else for a while: mask them."
        )
    return credit(both, 0.55, 0.90, hint, "The share of pairs with both right")


@item(points=8, section="sentiment")
def in_every_kind(submission):
    """Accuracy on new reviews of the kind of sentence that your model finds hardest."""
    predict, data, said = on_hidden(submission, count=2000)
    by_kind = pd.Series(said == data.label).groupby(data.kind).mean().sort_values()
    worst = by_kind.index[0]
    figures.show(
        figures.by_group(data.kind, said == data.label, "New reviews: right answers by the kind of sentence")
    )
    public = reviews("public")
    public = public[public.kind == worst].reset_index(drop=True)
    shown = examples(public, decide(predict(ids(public.sentence))))
    table = ", ".join(f"{kind} {share:.2f}" for kind, share in by_kind.items())
    return credit(by_kind.iloc[0], 0.60, 0.90, f"By kind: {table}. {shown}", f"Accuracy on {worst!r}")


@item(points=8, section="sentiment")
def on_longer_sentences(submission):
    """Accuracy on new reviews of 41 to 60 words, longer than any in training."""
    _, data, said = on_hidden(submission, count=800, longer=True)
    figures.show(
        figures.by_length(
            words_in(data.sentence), said == data.label, "New reviews: right answers by number of words"
        )
    )
    hint = (
        "What stands before and after the opinion is longer here: a maximum over the states reaches over it."
    )
    return credit((said == data.label).mean(), 0.65, 0.90, hint, "Accuracy")


@item(points=5, bonus=True, section="sentiment")
def nearly_every_pair(submission):
    """New pairs, both right, nearly all of them."""
    _, data, said = on_hidden(submission, count=2000)
    right = pd.Series(said == data.label)[data.pair >= 0]
    hint = "More dimensions or units, a smaller learning rate at the end, some dropout: one at a time."
    return credit(
        right.groupby(data.pair[data.pair >= 0]).all().mean(),
        0.90,
        0.96,
        hint,
        "The share of pairs with both right",
    )


# --- vectors from company


@item(points=4, section="vectors")
def pairs_words(submission):
    """skipgram_pairs(tokens, window): each (centre, context) at most `window` apart, (n, 2), in any order."""
    rng = input_generator("skipgram_pairs")
    drawn = [(rng.integers(0, 9, rng.integers(3, 12)), int(rng.integers(2, 5))) for _ in range(3)]
    for tokens, window in ((np.array([7, 3, 9, 3, 5]), 2), *drawn):
        asked, places = f"skipgram_pairs({tokens.tolist()}, {window})", np.arange(len(tokens))
        every = np.array([*product(places, repeat=2)])
        apart = every[:, 1] - every[:, 0]
        near = every[(apart != 0) & (abs(apart) <= window)]
        right = sorted_rows(tokens[near])
        usual = {
            "each word is paired with itself too": sorted_rows(tokens[every[abs(apart) <= window]]),
            "only the words behind the centre are taken": sorted_rows(tokens[near[near[:, 0] < near[:, 1]]]),
            "only the words before the centre are taken": sorted_rows(tokens[near[near[:, 0] > near[:, 1]]]),
            "places are returned and tokens are asked for": sorted_rows(near),
            "the window is one word too short": sorted_rows(
                tokens[every[(apart != 0) & (abs(apart) < window)]]
            ),
            "pairs that occur twice are kept once: how often is what it learns from": np.unique(
                right, axis=0
            ),
            "words of equal id are not paired, though they stand in two places": right[
                right[:, 0] != right[:, 1]
            ],
        }
        came = submission.call("skipgram_pairs", tokens, window)
        if not isinstance(came, np.ndarray) or came.ndim != 2 or came.shape[1] != 2:
            shape = came.shape if isinstance(came, np.ndarray) else f"{len(came)} values"
            reason = f"{asked} returns {shape}, expected rows of two, (n, 2)."
            raise Failure(reason, "Return a list of pairs.")
        assert_close(sorted_rows(came), right, usual, asked)


@item(points=4, section="vectors")
def reads_glove(submission):
    """glove_vectors(text, wanted): a row of numbers for each word wanted, NaN where it is missing: (n, d)."""
    rng = input_generator("glove_vectors")
    example = ["good 0.5 -1 2", ". . . 1 2 3", "new york 4 5 6", "bad -0.5 1e-2 7"]
    check_glove(submission, example, 3, ["bad", "york", ". . .", "good", "new york"])
    for _ in range(2):
        first, second, third, *more = drawn_words(rng, rng.integers(8, 16))
        size, words = int(rng.integers(2, 7)), [first, f"{second} {third}", "- - -", *more[:-2]]
        lines = [f"{word} {' '.join(f'{x:.4g}' for x in rng.normal(size=size))}" for word in words]
        check_glove(submission, lines, size, rng.permutation([*words, second, *more[-2:]]).tolist())
        place = int(rng.integers(3, len(lines)))
        lines[place] = lines[place].rpartition(" ")[0]
        check_broken_glove(submission, lines, place + 1, wanted=first)


def check_glove(submission, lines: list[str], size: int, wanted: list[str]) -> None:
    """Raise Failure unless glove_vectors reads lines of so many numbers."""
    found = {" ".join(parts[:-size]): np.array(parts[-size:], float) for parts in map(str.split, lines)}
    right = np.array([found.get(word, np.full(size, np.nan)) for word in wanted])
    is_found = np.array([word in found for word in wanted])
    in_file = [wanted.index(word) for word in found if word in wanted]
    usual = {
        "the rows stand in the order of the file; the order of `wanted` is asked for": right[in_file],
        "words that are missing are left out; they get a row of NaN": right[is_found],
        "a word ends at its first blank: the numbers are the last d parts, the word is all before": np.where(
            [[" " in word] for word in wanted], np.nan, right
        ),
    }
    came = submission.call("glove_vectors", "\n".join(lines) + "\n", wanted)
    assert_close(came, right, usual, f"glove_vectors of a file of {len(lines)} lines")


def check_broken_glove(submission, lines: list[str], number: int, wanted: str) -> None:
    """Raise Failure unless glove_vectors raises a ValueError that names the line that lacks a number."""
    try:
        submission.call("glove_vectors", "\n".join(lines), [wanted])
    except Failure as failure:
        if "ValueError" in failure.reason and re.search(rf"\b{number}\b", failure.reason):
            return
        reason = f"For a file whose line {number} lacks a number: {failure.reason}"
        raise Failure(reason, f"Expected a ValueError that names line {number}.") from None
    reason = f"A file whose line {number} lacks a number is read as if nothing were wrong."
    raise Failure(reason, "Raise a ValueError that names the line: half a download looks like that.")


@item(points=10, section="vectors")
def learns_the_planted_shares(submission):
    """vectors.txt: the association of the twelve trades with men's words follows the planted shares: r."""
    measured = associations(learnt_vectors(submission), VECTORS)
    r = np.corrcoef(measured, planted().p_male)[0, 1]
    hint = "Are the trades guessed worse than other words? 0.7 means too few epochs or a small rate."
    return credit(r, 0.6, 0.9, hint, "The correlation r")


@item(points=3, section="vectors")
def numbers_kmers(submission):
    """kmer_tokens(sequence, k): ids of the overlapping k-mers from 2 on, AA..A first; 1 for one with another letter."""
    rng = input_generator("kmer_tokens")
    drawn = (
        (int(k), "".join(rng.choice(list("AACCGGTTN"), k + rng.integers(0, 20))))
        for k in rng.integers(1, 5, 4)
    )
    for k, sequence in ((2, "ACGTNACCA"), *drawn):
        words = ["".join(letters) for letters in product("ACGT", repeat=k)]
        spans = [sequence[i : i + k] for i in range(len(sequence) - k + 1)]
        right = np.array([words.index(span) + 2 if span in words else 1 for span in spans])
        usual = {
            "ids begin at 0: 0 is the padding and 1 the unknown, the first k-mer is 2": np.where(
                right > 1, right - 2, right
            ),
            "k-mers with another letter are left out; they get 1": right[right > 1],
            "the k-mers are taken side by side: they overlap": right[::k],
            "the last k-mer is left out": right[:-1],
        }
        assert_close(
            submission.call("kmer_tokens", sequence, k), right, usual, f"kmer_tokens({sequence!r}, {k})"
        )


# --- bias


@item(points=4, section="bias")
def associates(submission):
    """association(w, A, B): mean cosine of w (d,) with the rows of A, minus that with the rows of B."""
    rng = input_generator("association")
    for X, _, A, B in (example(), *(word_groups(rng) for _ in range(3))):
        to_a, to_b = cosine_similarity(X[:1], A)[0], cosine_similarity(X[:1], B)[0]
        right = to_a.mean() - to_b.mean()
        usual = {
            "dot products are taken: a cosine divides by both lengths": (
                (X[0] @ A.T).mean() - (X[0] @ B.T).mean()
            ),
            "sums are taken, not means: A and B may differ in size": to_a.sum() - to_b.sum(),
            "B is left out": to_a.mean(),
            "A and B have changed places": to_b.mean() - to_a.mean(),
            "the vectors are averaged before the cosine": associated(
                X[:1], A.mean(axis=0)[None], B.mean(axis=0)[None]
            )[0],
        }
        assert_close(submission.call("association", X[0], A, B), right, usual, "association(w, A, B)")


@item(points=5, section="bias")
def measures_the_effect(submission):
    """weat_effect_size(X, Y, A, B): difference of mean associations over the deviation (ddof=1) of all of them."""
    rng = input_generator("weat_effect_size")
    for X, Y, A, B in (example(), *(word_groups(rng) for _ in range(3))):
        of_x, of_y = associated(X, A, B), associated(Y, A, B)
        gap, both = of_x.mean() - of_y.mean(), np.concatenate([of_x, of_y])
        within = np.sqrt((of_x.var(ddof=1) + of_y.var(ddof=1)) / 2)
        usual = {
            "the deviation is missing: divide by that of all associations": gap,
            "the deviation is taken within X and within Y; it is that of both together": gap / within,
            "the deviation divides by n; the paper's divides by n - 1 (ddof=1)": gap / both.std(),
            "it divides by the variance": gap / both.var(ddof=1),
            "sums are taken, not means": (of_x.sum() - of_y.sum()) / both.std(ddof=1),
            "X and Y have changed places": -gap / both.std(ddof=1),
        }
        right = gap / pd.Series(both).std()
        came = submission.call("weat_effect_size", X, Y, A, B)
        assert_close(came, right, usual, "weat_effect_size(X, Y, A, B)")


@item(points=4, section="bias")
def tests_by_permutation(submission):
    """permutation_p_value(X, Y, A, B): the share of all equal splits whose difference is at least the real one."""
    rng = input_generator("permutation_p_value")
    for X, Y, A, B in (example(mixed=True), *(exact_groups(rng) for _ in range(3))):
        scores = np.concatenate([associated(X, A, B), associated(Y, A, B)])
        splits = [list(split) for split in combinations(range(len(scores)), len(X))]
        sums = np.array([scores[split].sum() for split in splits])
        real, middle = scores[: len(X)].sum(), scores.sum() * len(X) / len(scores)
        right = np.mean(sums >= real - 1e-9)
        usual = {
            "the real split is not counted: with >= it is, and p is never 0": np.mean(sums > real + 1e-9),
            "both sides are counted: the test asks for differences as large, not as far off": np.mean(
                abs(sums - middle) >= abs(real - middle) - 1e-9
            ),
            "the other side is counted": np.mean(sums <= real + 1e-9),
            "1 - p is returned": 1 - right,
        }
        came = submission.call("permutation_p_value", X, Y, A, B)
        assert_close(came, right, usual, f"permutation_p_value, over {len(splits)} splits,", atol=1e-6)


@item(points=2, section="bias")
def finds_the_direction(submission):
    """bias_direction(pairs): the mean of first minus second of the pairs (n, 2, d), at length 1: (d,)."""
    rng = input_generator("bias_direction")
    for count, size in ((4, 6), (1, 3), *rng.integers(2, 9, (2, 2))):
        pairs = rng.normal(0.3, 1, (count, 2, size))
        differences = pairs[:, 0] - pairs[:, 1]
        mean = differences.mean(axis=0)
        right = mean / np.linalg.norm(mean)
        usual = {
            "its length is not 1": mean,
            "it is second minus first": -right,
            "only the first pair is used": differences[0] / np.linalg.norm(differences[0]),
        }
        assert_close(
            submission.call("bias_direction", pairs), right, usual, f"bias_direction of {count} pairs"
        )


@item(points=4, section="bias")
def projects_out(submission):
    """project_out(matrix, direction): each row without its part along the direction, of any length: (n, d)."""
    rng = input_generator("project_out")
    for shape, length in (
        ((5, 4), 3),
        ((1, 3), 0.2),
        *((rng.integers(2, 9, 2), rng.uniform(2, 9)) for _ in range(2)),
    ):
        matrix, unit = rng.normal(size=shape), rng.normal(size=shape[1])
        unit /= np.linalg.norm(unit)
        direction = length * unit
        right = matrix - np.outer(matrix @ unit, unit)
        usual = {
            "the direction is not brought to length 1": matrix - np.outer(matrix @ direction, direction),
            "the direction is brought to length 1 in one of two places": matrix
            - np.outer(matrix @ unit, direction),
            "the part along the direction is kept and the rest taken away": matrix - right,
            "the direction itself is subtracted from each row": matrix - direction,
            "the part is added, not taken away": 2 * matrix - right,
        }
        came = submission.call("project_out", matrix, direction)
        assert_close(came, right, usual, "project_out(matrix, direction)")


@item(points=5, section="bias")
def takes_the_bias_out(submission):
    """vectors_projected.txt: vectors.txt without one direction; the part of the trades' range that is left."""
    before, after = learnt_vectors(submission), word_vectors(submission, PROJECTED)
    if before.shape != after.shape:
        reason = f"{PROJECTED} has rows of {after.shape[1]} numbers, {VECTORS} of {before.shape[1]}."
        raise Failure(
            reason, "A projected vector is as long as it was: subtract its part along the direction."
        )
    taken = np.linalg.svd(before.to_numpy() - after.to_numpy(), compute_uv=False)
    if taken[0] < 1e-6 * np.linalg.norm(before):
        raise Failure(
            f"{PROJECTED} holds the same vectors as {VECTORS}.", "Project the direction out of all rows."
        )
    if taken[1] > 0.01 * taken[0]:
        reason = f"{PROJECTED} differs from {VECTORS} by more than one direction."
        raise Failure(reason, "Project out of the vectors that you hand in, once, and change nothing else.")
    left = np.ptp(associated_trades(after)) / np.ptp(associations(before, VECTORS))
    hint = "Build the direction from all seven pairs: he - she alone leaves a third of it."
    return credit(left, 0.30, 0.05, hint, "The part that is left")


# --- real sentences: SST-2 and GloVe, for those who fetched them


@item(points=2, bonus=True, section="sst2")
def classifies_by_words(submission):
    """by_words(sentences, labels, new): logistic regression on counts of words; P(positive) of each new one, (n,)."""
    for sentences, labels, new in (opinions(), *drawn_opinions()):
        right = by_words(sentences, labels, new)
        usual = {
            "marks and words of one letter are lost: token_pattern of CountVectorizer takes words of two letters on": (
                by_words(sentences, labels, new, token_pattern=r"(?u)\b\w\w+\b")
            ),
            "it notes whether a word occurs, and how often is asked for": by_words(
                sentences, labels, new, binary=True
            ),
            "it is the chance that a sentence is negative": 1 - right,
            "labels are returned, and probabilities are asked for: predict_proba": right > 0.5,
        }
        came = submission.call("by_words", sentences, labels, new)
        if isinstance(came, np.ndarray) and came.shape == (len(new), 2):
            reason = f"by_words returns two columns, {came.shape}, expected one number a sentence."
            raise Failure(reason, "predict_proba has a column for each class: take that of the positive one.")
        assert_close(came, right, usual, f"by_words of {len(new)} new sentences", atol=2e-3)


@item(points=3, bonus=True, section="sst2")
def reads_real_sentences(submission):
    """sst2.keras: accuracy on SST-2's 1,821 test sentences."""
    reader(submission, REAL, MOST_REAL)
    return on_real(submission, REAL, full=0.79)


@item(points=1, bonus=True, section="glove")
def keeps_the_rows_of_glove(submission):
    """sst2_glove.keras: its Embedding holds GloVe's own rows, in 100 dimensions."""
    refuse_moved_rows(submission)


@item(points=2, bonus=True, section="glove")
def reads_with_glove(submission):
    """sst2_glove.keras: accuracy on SST-2's test sentences, with GloVe's rows as they are."""
    refuse_moved_rows(submission)
    return on_real(submission, REAL_GLOVE, full=0.77)


@item(points=2, bonus=True, section="glove")
def measures_real_bias(submission):
    """weat_glove.csv: the effect sizes d of the ten tests of Caliskan et al. on GloVe; the share within 0.02."""
    came = read_effects(submission)
    lists = fresh("glove", part="weat")
    words = tuple(sorted(set(lists.word)))
    right = real_effects(lists, fresh("glove", part="vectors", words=words))
    wrong = [test for test in right if not abs(came.get(test, math.inf) - right[test]) <= 0.02]
    if not wrong:
        return Credit(1, f"All {len(right)} effect sizes agree.")
    missing = [test for test in wrong if test not in came]
    said = f"Not within 0.02: tests {', '.join(map(str, wrong))}."
    said += f" No row for {', '.join(map(str, missing))}." if missing else ""
    return Credit(1 - len(wrong) / len(right), said, advice(came, right))


def advice(came: dict[int, float], right: dict[int, float]) -> str:
    """What the effect sizes that are off have in common."""
    off = {test: d for test, d in came.items() if abs(d - right[test]) > 0.02}
    if off and all(abs(d + right[test]) <= 0.02 for test, d in off.items()):
        return "They have the wrong sign: the first target is X, the first attribute A."
    return "Words without a vector are left out, and the deviation is that of X and Y together (ddof=1)."


def opinions() -> tuple[list[str], np.ndarray, list[str]]:
    """Made-up sentences with labels, and new ones: some words are of one letter, some marks, some occur twice."""
    good = [
        "a warm , warm film , and what a cast !", "it 's a joy from start to end", "funny , sad and true",
        "i laughed , i cried , i 'd go again", "a small film with a big heart", "what a lovely mess !",
    ]  # fmt: skip
    bad = [
        "a long , long film , and what for ?", "it is n't funny and it is n't true", "i did n't laugh once",
        "a big cast and a small story", "sad , dull and far too long", "what a mess of a film",
    ]  # fmt: skip
    new = [
        "a true joy !", "i did n't cry , i left", "a long and funny mess", "dull , dull , dull",
        "a film that is n't for you ?", "brillig",
    ]  # fmt: skip
    return [*good, *bad], np.repeat([1, 0], [len(good), len(bad)]), new


def drawn_opinions() -> list[tuple[list[str], np.ndarray, list[str]]]:
    """Two more sets, of drawn words among words of one letter and marks."""
    rng = input_generator("by_words")
    sets = []
    for _ in range(2):
        words = [*drawn_words(rng, rng.integers(6, 12)), "a", "i", ",", "!", "'s"]
        texts = [" ".join(rng.choice(words, rng.integers(4, 10))) for _ in range(18)]
        sets.append((texts[:12], rng.permutation(np.arange(12) % 2), texts[12:]))
    return sets


@cache_by_value
def by_words(sentences: list[str], labels, new: list[str], **options) -> np.ndarray:
    """P(positive) of each new sentence by logistic regression on counts of words between spaces, (n,).

    The penalised log-likelihood (C = 1) is maximised by SciPy, so that no line of it is what a student writes.
    """
    vocabulary = CountVectorizer(**{"token_pattern": r"\S+"} | options)
    counts, signs = vocabulary.fit_transform(sentences), 2 * np.asarray(labels) - 1

    def loss(parameters):
        weights, bias = parameters[:-1], parameters[-1]
        margins = signs * (counts @ weights + bias)
        slopes = -signs * expit(-margins)
        gradient = np.append(counts.T @ slopes + weights, slopes.sum())
        return np.logaddexp(0, -margins).sum() + weights @ weights / 2, gradient

    best = minimize(loss, np.zeros(counts.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return expit(vocabulary.transform(new) @ best[:-1] + best[-1])


# --- concepts: the questions are shown in the notebook

moved, stretched, apart, way_in = concept_questions(__file__, "moved", "stretched", "apart", "way_in")


@item(points=2, section="concepts")
def knows_what_a_batch_moves(submission):
    """MOVED: how many numbers of an embedding one batch can move, for your own batch."""
    moved(submission.signed).judge(submission.value("MOVED"))


@item(points=2, section="concepts")
def knows_what_a_cosine_leaves_out(submission):
    """STRETCHED: the association of a word whose vector becomes longer, for your own numbers."""
    stretched(submission.signed).judge(submission.value("STRETCHED"))


@item(points=2, section="concepts")
def parts_good_from_bad(submission):
    """APART: what would help vectors that can't tell praise from blame."""
    apart(submission.signed).judge(submission.value("APART"))


@item(points=2, section="concepts")
def finds_the_way_in(submission):
    """WAY_IN: what becomes of a bias when one-hot words take the place of vectors."""
    way_in(submission.signed).judge(submission.value("WAY_IN"))


@item(points=2, section="concepts")
def explains_what_to_measure(submission):
    """Vectors are to sort applications: what would you have measured, and when advise against it? A person reads it."""
    return submission.text("explains_what_to_measure")


# --- the data


@cache
def vocabulary() -> dict[str, int]:
    """The id of each word of vocabulary.txt: its line, from 0."""
    lines = (DATASETS / "sentiment" / "vocabulary.txt").read_text(encoding="utf-8").splitlines()
    return {word: place for place, word in enumerate(lines)}


@cache
def reviews(name: str) -> pd.DataFrame:
    return pd.read_csv(DATASETS / "sentiment" / f"{name}.csv")


@cache
def planted() -> pd.DataFrame:
    return pd.read_csv(DATASETS / "profession_corpus" / "planted.csv")


def ids(sentences: pd.Series) -> list[np.ndarray]:
    """The token ids (time,) of each review."""
    return list(map(ids_of, sentences))


@cache  # the whole class is asked about the same reviews
def ids_of(sentence: str) -> np.ndarray:
    """The token ids (time,) of one review."""
    return np.array([vocabulary().get(word, 1) for word in sentence.split()], np.int32)


def word_list(sentences) -> list[str]:
    """The vocabulary of sst2.keras, in the order of its ids: padding, unknown, and each word that occurs at least
    twice in `sentences`, the training part of SST-2; the most frequent first, of equal ones by the alphabet."""
    counts = Counter(word for sentence in sentences for word in sentence.split())
    words = sorted((word for word in counts if counts[word] > 1), key=lambda word: (-counts[word], word))
    return ["<padding>", "<unknown>", *words]


@cache_by_value
def real_ids(sentences: list[str], vocabulary: list[str]) -> list[np.ndarray]:
    """The token ids (time,) of each sentence; the same arrays for the whole class."""
    number = {word: place for place, word in enumerate(vocabulary)}
    return [np.array([number.get(word, 1) for word in one.split()], np.int32) for one in sentences]


def on_real(submission, name: str, full: float) -> Credit:
    """Points for the accuracy of the model `name` on SST-2's test sentences, beside that of a bag of words."""
    test = hidden("sst2", part="test")
    training = fresh("sst2", part="train").sort_values("sentence")
    words = word_list(training.sentence)
    [embedding] = (layer for layer in submission.model(name).plan.layers if layer.kind == "Embedding")
    refuse_other_ids(name, embedding, len(words), "rubric.word_list of the training sentences")
    said = decide(probabilities(submission, name, real_ids(test.sentence.tolist(), words)))
    right = said == test.label.to_numpy()
    figures.show(figures.by_length(words_in(test.sentence), right, "SST-2: right answers by number of words"))
    if right.mean() > TOO_GOOD:
        told = f"{name} is right on {right.mean():.3f} of SST-2's test sentences, which anybody can download"
        remark(f"{told}: was it trained on them? From the training part alone about 0.82 is reached.")
    bag = by_words(training.sentence.tolist(), training.label.tolist(), test.sentence.tolist())
    bag = np.mean((bag > 0.5) == test.label)
    hint = f"Logistic regression on words reaches {bag:.3f}. "
    hint += (
        "More dropout on the embedding? Choose the number of epochs by the dev part, and let the rate fall."
    )
    return credit(right.mean(), 0.70, full, hint, "Accuracy")


# --- GloVe's rows


def refuse_moved_rows(submission) -> None:
    """Raise Failure unless sst2_glove.keras keeps the rules, and its Embedding's rows are GloVe's."""
    embedding = reader(submission, REAL_GLOVE, MOST_REAL)
    words = word_list(fresh("sst2", part="train").sentence)
    refuse_other_ids(REAL_GLOVE, embedding, len(words), "rubric.word_list of the training sentences")
    glove = fresh("glove", part="vectors", words=tuple(words))
    if embedding["output_dim"] != glove.shape[1]:
        reason = f"{REAL_GLOVE} has rows of {embedding['output_dim']} numbers, GloVe's have {glove.shape[1]}."
        raise Failure(
            reason, f"Embedding({len(words)}, {glove.shape[1]}, trainable=False), then set_weights."
        )
    model = submission.model(REAL_GLOVE)
    [rows] = (
        array
        for weight, array in zip(model.plan.weights, model.weights, strict=True)
        if weight.layer == str(embedding)
    )
    places = [place for place, word in enumerate(words) if word in glove.index]
    wanted = glove.loc[[words[place] for place in places]].to_numpy()
    same = close(rows[places], wanted)
    if same.mean() < 1 - MOST_MOVED:
        reason = f"Of {len(places):,} words with a vector in GloVe, {same.mean():.3f} have that row in {REAL_GLOVE}"
        raise Failure(f"{reason}, expected {1 - MOST_MOVED:g}.", moved_how(rows, places, wanted))


def close(rows: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Which rows (n, d) hold the numbers that are wanted, as booleans (n,)."""
    return (abs(rows - wanted) <= EQUAL).all(axis=1)


def moved_how(rows: np.ndarray, places: list[int], wanted: np.ndarray) -> str:
    """What has become of GloVe's rows, as far as it can be told."""
    for off in (-2, -1, 1, 2):
        if close(rows[(np.array(places) + off) % len(rows)], wanted).mean() > 0.5:
            return f"They are GloVe's, {abs(off)} too {'low' if off < 0 else 'high'}: padding is row 0, unknown row 1."
    pairs = zip(rows[places], wanted, strict=True)
    alike = np.median([one @ two / (np.linalg.norm(one) * np.linalg.norm(two) + 1e-12) for one, two in pairs])
    if alike > 0.5:
        return (
            "They point nearly where GloVe's do: were they trained on? Freeze the Embedding: trainable=False."
        )
    return "Set them before you train, row by row in the order of rubric.word_list, and freeze them."


# --- effect sizes on GloVe


def read_effects(submission) -> dict[int, float]:
    """d by the number of the test, from weat_glove.csv. Raises Failure with the first thing that is wrong."""
    found = {}
    for number, row in enumerate(submission.table(EFFECTS, ("test", "d"), MOST_ROWS), start=1):
        test, d = effect(row, number)
        if test in found:
            raise Failure(f"{EFFECTS}, row {number}: test {test} has a row already.", "One row for each.")
        found[test] = d
    return found


def effect(row: dict[str, str], number: int) -> tuple[int, float]:
    """One row as the number of the test and d. Raises Failure where a cell is missing or makes no sense."""
    cells = [row.get(name, "").strip() for name in ("test", "d")]
    try:
        test, d = (float(text) if len(text) <= 40 else math.nan for text in cells)
    except ValueError:
        test = d = math.nan
    if test not in range(1, 11) or not -2 <= d <= 2:
        reason = (
            f"{EFFECTS}, row {number}: came {','.join(cells)[:40]!r}, expected a test from 1 to 10 and its d."
        )
        raise Failure(reason, "d lies between -2 and 2. Save with to_csv(..., index=False).")
    return int(test), d


def real_effects(lists: pd.DataFrame, vectors: pd.DataFrame) -> dict[int, float]:
    """d of each test, by its number; words without a vector are left out."""
    found = lists[lists.word.isin(vectors.index)]
    return {
        int(test): effect_size(
            *(vectors.loc[part.word[part.role == role]].to_numpy(float) for role in "XYAB")
        )
        for test, part in found.groupby("test")
    }


def effect_size(X, Y, A, B) -> float:
    """WEAT's d of the rows X, Y and the attributes A, B (n, d)."""
    of_x, of_y = associated(X, A, B), associated(Y, A, B)
    return float((of_x.mean() - of_y.mean()) / np.concatenate([of_x, of_y]).std(ddof=1))


def on_hidden(submission, **options) -> tuple[Callable, pd.DataFrame, np.ndarray]:
    """The model, new reviews, and what it says to them."""
    predict = sentiment(submission)
    data = hidden("sentiment", **options)
    return predict, data, decide(predict(ids(data.sentence)))


# --- the model


def sentiment(submission) -> Callable[[list[np.ndarray]], np.ndarray]:
    """The model as a function from n reviews' ids to probabilities (n,). Raises Failure unless it keeps the rules."""
    embedding = reader(submission, MODEL, MOST_PARAMETERS)
    refuse_other_ids(MODEL, embedding, len(vocabulary()), "vocabulary.txt")
    return partial(probabilities, submission, MODEL)


def reader(submission, name: str, most: int):
    """The Embedding of the model `name`. Raises Failure unless the model is an Embedding and SimpleRNNs that keep
    the rules, of at most so many parameters."""
    plan = submission.model(name).plan
    if "SimpleRNN" not in plan.kinds:
        means = any("Pooling" in kind for kind in plan.kinds)
        why = "It pools the words' vectors, so their order is lost: " if means else ""
        reason = f"{name} holds no SimpleRNN: {', '.join(plan.kinds)}."
        raise Failure(reason, f"{why}put a SimpleRNN between the Embedding and what reads it out.")
    # On real sentences, the mean of the words' vectors may be read beside the states.
    check_architecture(plan, name, ALLOWED, every_path=["SimpleRNN"] if name == MODEL else [])
    found = [layer for layer in plan.layers if layer.kind == "Embedding"]
    if plan.kinds.count("Embedding") != 1 or not found:
        raise Failure(f"{name} has {len(found)} Embedding layers of its own, expected one.")
    if tuple(plan.input_shape) != (None, None):
        reason = f"{name} takes inputs of shape {plan.input_shape}, expected (None, None): ids, any length."
        raise Failure(reason, 'Begin the model with keras.Input(shape=(None,), dtype="int32").')
    if tuple(plan.output_shape) != (None, 1):
        reason = f"{name} returns shape {plan.output_shape}, expected (None, 1): one probability a review."
        raise Failure(reason, 'End with Dense(1, activation="sigmoid").')
    if plan.parameters > most:
        reason = f"{name} has {plan.parameters:,} parameters, at most {most:,} are allowed."
        raise Failure(reason, "Nearly all of them are in the Embedding: take fewer dimensions.")
    return found[0]


def refuse_other_ids(name: str, embedding, words: int, source: str) -> None:
    """Raise Failure unless the Embedding has a row for each of so many tokens; source: where they are listed."""
    if embedding["input_dim"] != words:
        reason = f"{name} knows {embedding['input_dim']:,} tokens, {source} has {words:,}."
        raise Failure(
            reason, f"Embedding({words}, ...): a row for each of them, padding and unknown included."
        )


def probabilities(submission, name: str, inputs: list[np.ndarray]) -> np.ndarray:
    values = submission.predict(name, inputs).reshape(-1)
    if values.min() < 0 or values.max() > 1:
        came = f"{values.min():.3g} to {values.max():.3g}"
        raise Failure(f"{name} returns values from {came}.", 'End with Dense(1, activation="sigmoid").')
    if name == MODEL:
        check_memory(submission.predictor, submission.model(name), name, inputs)
    return values


def diagnosis(predict: Callable, said: np.ndarray) -> str:
    """What a usual mistake in the training would look like from here; empty where none does.

    If the model is clearly better on reviews that are changed in a certain way, it was trained on such.
    """
    data = reviews("public")
    plain, inputs = (said == data.label).mean(), ids(data.sentence)
    if plain >= 0.95:
        return ""
    changed = {
        "when all ids are one higher: its vocabulary is off by one, 0 is the padding and 1 the unknown": [
            (one + 1) % len(vocabulary()) for one in inputs
        ],
        "when all ids are one lower: its vocabulary is off by one, 0 is the padding and 1 the unknown": [
            one - 1 for one in inputs
        ],
        "when zeros are put behind each review: mask the padding (mask_zero=True) or train on equal lengths": [
            np.pad(one, (0, LONGEST - len(one))) for one in inputs
        ],
        "when zeros are put before each review: mask the padding (mask_zero=True) or train on equal lengths": [
            np.pad(one, (LONGEST - len(one), 0)) for one in inputs
        ],
        "when each review is read from its end": [one[::-1] for one in inputs],
    }
    shares = {why: (decide(predict(many)) == data.label).mean() for why, many in changed.items()}
    why = max(shares, key=shares.get)
    if shares[why] > plain + 0.04:
        return f"It is right on {shares[why]:.2f} {why}."
    short = data.sentence.str.split().str.len() <= 12
    by_length = pd.Series(said == data.label).groupby(short).mean()
    if by_length[True] > by_length[False] + 0.1:
        shares = (
            f"{by_length[True]:.2f} of the reviews of up to 12 words and on {by_length[False]:.2f} of longer"
        )
        return f"It is right on {shares} ones: were those cut in training?"
    return by_heart(predict, plain)


def by_heart(predict: Callable, plain: float) -> str:
    """Whether the model knows the first thousand training reviews much better than the others."""
    data = reviews("train")
    right = decide(predict(ids(data.sentence))) == data.label
    first, others = right[:1000].mean(), right[1000:].mean()
    if first > others + 0.05:
        known = f"It knows the first 1,000 reviews of train.csv ({first:.2f})"
        return f"{known}, and the others less ({others:.2f}): train on all of them."
    if right.mean() > plain + 0.08:
        known = f"It knows train.csv ({right.mean():.2f}) and not what is new ({plain:.2f})"
        return f"{known}: fewer epochs, some dropout."
    return ""


def look(data: pd.DataFrame, said: np.ndarray) -> None:
    """Adds to the report how the model errs on public reviews: which way, in which kinds, and the shortest ones."""
    right = said == data.label
    figures.show(figures.by_group(data.kind, right, "Public reviews: right answers by the kind of sentence"))
    if right.all():
        return
    classes = "negative", "positive"
    figures.show(
        figures.confusion(data.label, said, classes, "Public reviews: the right answer and the model's")
    )
    wrong = data[~right].sort_values("sentence", key=words_in, kind="stable")
    rows = [(one.sentence, one.kind, classes[one.label]) for one in wrong.itertuples()]
    figures.show(
        figures.examples("Public reviews that it gets wrong", ("review", "kind", "right answer"), rows)
    )


def words_in(sentences: pd.Series) -> pd.Series:
    return sentences.str.count(" ") + 1


def examples(data: pd.DataFrame, said: np.ndarray) -> str:
    """Two short public reviews that the model gets wrong, with their labels."""
    wrong = data[said != data.label]
    if wrong.empty:
        return ""
    short = wrong.loc[wrong.sentence.str.len().sort_values().index[:2]]
    words = {0: "negative", 1: "positive"}
    return "Wrong, for example: " + " ".join(
        f"“{row.sentence}” ({row.kind}) is {words[row.label]}." for row in short.itertuples()
    )


# --- word vectors


def word_vectors(submission, name: str) -> pd.DataFrame:
    """The rows of a file in GloVe's text format for every word of the corpus, indexed by word, sorted."""
    content, wanted = submission.read(name), corpus_words()
    if len(content) > LARGEST:
        raise Failure(
            f"{name} has {len(content):,} bytes, at most {LARGEST:,} are read.", "The corpus has 316 words."
        )
    rows = {}
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
        word, *texts = line.rstrip().split(" ")
        if word in wanted:
            rows[word] = row_of(texts, f"{name}, line {number}")
    sizes = {len(row) for row in rows.values()}
    if len(sizes) > 1:
        raise Failure(
            f"{name} has rows of {min(sizes)} and of {max(sizes)} numbers.", "All rows are of one length."
        )
    missing = sorted(wanted - rows.keys())
    if missing:
        some = ", ".join(missing[:5])
        raise Failure(f"{name} lacks {len(missing)} words of the corpus: {some}.", "A line for every word.")
    return pd.DataFrame(rows).T.sort_index()


def learnt_vectors(submission) -> pd.DataFrame:
    """The rows of vectors.txt, by word. Raises Failure unless they are those of a skip-gram that has learnt."""
    vectors = word_vectors(submission, VECTORS)
    rows, scores = skipgram(submission)
    if vectors.shape != rows.shape:
        reason = f"{VECTORS} has rows of {vectors.shape[1]} numbers, the Embedding of {SKIPGRAM} of {rows.shape[1]}."
        raise Failure(reason, "Write the rows of the model that you hand in.")
    same = np.isclose(vectors.to_numpy(), rows, rtol=1e-3, atol=1e-3 * np.sqrt(np.mean(rows**2))).all(axis=1)
    if not same.all():
        reason = (
            f"{VECTORS}: {len(rows) - same.sum()} of {len(rows)} words, such as {vectors.index[~same][0]!r}, "
        )
        reason += f"have another row in {SKIPGRAM}."
        raise Failure(
            reason, "Does each row belong to its word? Were both files saved after the same training?"
        )
    share = learnt_share(scores)
    if not share >= LEAST_LEARNT:
        reason = f"{SKIPGRAM} has learnt {share:.2f} of what a word tells of its neighbours, expected {LEAST_LEARNT}."
        hint = f"32 dimensions, a window of {WINDOW}, 3 epochs at a rate of 0.01, words numbered by the alphabet: 0.86."
        raise Failure(reason, hint)
    return vectors


def skipgram(submission) -> tuple[np.ndarray, np.ndarray]:
    """The Embedding's rows (words, d) of skipgram.keras, and its scores (centres, contexts) before the soft-max."""
    words = len(corpus_words())
    model = submission.model(SKIPGRAM)
    plan = model.plan
    if plan.kinds != ("InputLayer", "Embedding", "Dense"):
        reason = f"{SKIPGRAM} is made of {', '.join(plan.kinds)}, expected one Embedding and one Dense."
        raise Failure(reason, "Save the model that train_skipgram returns.")
    _, embedding, dense = plan.layers
    if (embedding["input_dim"], dense["units"]) != (words, words):
        reason = (
            f"{SKIPGRAM} leads from {embedding['input_dim']:,} words to {dense['units']:,}, expected {words}."
        )
        raise Failure(reason, "Its words are those of the corpus, numbered by the alphabet.")
    if dense["activation"] not in {"linear", "softmax"}:
        raise Failure(
            f"{SKIPGRAM} ends in {dense['activation']}.", "A score for each word: a Dense without activation."
        )
    if embedding["output_dim"] > MOST_DIMENSIONS:
        reason = (
            f"{SKIPGRAM} has {embedding['output_dim']} dimensions, at most {MOST_DIMENSIONS} are allowed."
        )
        raise Failure(reason, "With more, words could be told apart without learning what they share.")
    rows, kernel, *bias = (weight.astype(float) for weight in model.weights)
    return rows, rows @ kernel + (bias[0] if bias else 0)


def learnt_share(scores: np.ndarray) -> float:
    """How much of what a word tells of its neighbours a skip-gram knows, by its scores (centres, contexts).

    It is 0 for who knows how frequent each word is, and 1 for who knows all. Measured: trained as in the notebook 0.856
    to 0.859 on five seeds, in batches of 128 at 0.003 0.846; for one epoch 0.65, in 16 dimensions 0.75; shuffled or
    untrained below 0. Without training, the SVD of smoothed logarithms of the shares reaches 0.61; with the best Dense
    on top, found to convergence, it has 0.82 and PPMI 0.72.
    """
    counts = neighbours()
    logs = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
    shares = counts / counts.sum(axis=1, keepdims=True)
    frequent, best = np.log(counts.sum(axis=0) / counts.sum()), np.log(np.where(shares > 0, shares, 1))
    model, least, most = ((counts * bits).sum() for bits in (logs, frequent, best))
    return float((model - least) / (most - least))


@cache
def neighbours() -> np.ndarray:
    """How often each word of the corpus has each other within the window, by the alphabet: (316, 316)."""
    number = {word: place for place, word in enumerate(sorted(corpus_words()))}
    counts = np.zeros((len(number), len(number)))
    for sentence in pd.read_csv(DATASETS / "profession_corpus" / "train.csv").sentence:
        tokens = [number[word] for word in sentence.split()]
        for i, j in combinations(range(len(tokens)), 2):
            if j - i <= WINDOW:
                counts[tokens[i], tokens[j]] += 1
    return counts + counts.T


def row_of(texts: list[str], place: str) -> np.ndarray:
    """The numbers of one line. Raises Failure where there is none, or one that isn't fit for a vector."""
    try:
        row = np.array([float(text) for text in texts])
    except ValueError:
        row = np.array([])
    if not 0 < len(row) <= 1000 or not (abs(row) < 1e6).all() or not row.any():
        came = " ".join(texts)[:40]
        raise Failure(
            f"{place}: expected a word and up to 1,000 numbers that are not all zero, came {came!r}.",
            "Write the word and its numbers with single blanks between, a line for each word.",
        )
    return row


@cache
def corpus_words() -> frozenset[str]:
    sentences = pd.read_csv(DATASETS / "profession_corpus" / "train.csv").sentence
    return frozenset(word for sentence in sentences for word in sentence.split())


def associations(vectors: pd.DataFrame, name: str) -> np.ndarray:
    """The association of each trade with men's words against women's, (12,). Raises Failure if all are equal."""
    measured = associated_trades(vectors)
    if np.ptp(measured) < 1e-6:
        raise Failure(
            f"{name} gives all trades the same association.", "Are all its rows equal? Print a few."
        )
    return measured


def associated_trades(vectors: pd.DataFrame) -> np.ndarray:
    return associated(vectors.loc[planted().trade], vectors.loc[MEN], vectors.loc[WOMEN])


def associated(words, A, B) -> np.ndarray:
    """Mean cosine of each row of `words` with the rows of A, minus that with those of B."""
    return cosine_similarity(words, A).mean(axis=1) - cosine_similarity(words, B).mean(axis=1)


def example(mixed: bool = False) -> tuple[np.ndarray, ...]:
    """X, Y (5, 6) and A (4, 6), B (3, 6): X leans to A and Y to B, unless mixed; their sizes differ."""
    rng = np.random.default_rng(11)
    A, B = rng.normal(1, 1, (4, 6)), rng.normal(-1, 1, (3, 6))
    leaning = np.linspace(1.5, -1.5, 10)[:, None] * (A.mean(axis=0) - B.mean(axis=0)) / 2
    words = leaning + rng.normal(0, 0.7, (10, 6))
    order = np.array([0, 1, 3, 5, 9, 2, 4, 6, 7, 8]) if mixed else np.arange(10)
    return words[order[:5]], words[order[5:]], A, B


def word_groups(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Drawn X, Y of one size, and A, B of two: rows of one length."""
    size, count, *others = rng.integers(3, 9), rng.integers(2, 6), *rng.choice(range(1, 7), 2, replace=False)
    return tuple(rng.normal(0.2, 1, (rows, size)) for rows in (count, count, *others))


def exact_groups(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """The same, with associations that are eighths: equal sums are equal in whichever order they are added up."""
    axes = rng.permutation(np.eye(6))
    count, A, B = rng.integers(3, 6), axes[: rng.choice([1, 2, 4])], axes[4 : 4 + rng.integers(1, 3)]
    words = np.array([rng.permutation([*rng.choice([-1.0, 1.0], 4), 0, 0]) for _ in range(2 * count)])
    return words[:count], words[count:], A, B


def sorted_rows(rows) -> np.ndarray:
    """The rows (n, 2) in a fixed order, repeated ones kept."""
    rows = np.asarray(rows)
    return rows[np.lexsort(rows.T[::-1])]
