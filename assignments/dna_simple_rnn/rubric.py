"""The items of `dna_simple_rnn`: 100 points, and stretch points on top.

A notebook and three models are handed in. Functions of the notebook are held against plain loops, and a wrong
answer is compared with what the usual mistakes give, so that the feedback can name the mistake. Each model takes
one-hot sequences `(batch, time, 4)` in the order A, C, G, T, of any length, and returns the probability of the
label `(batch, 1)`. Accuracy is measured on data that nobody has seen; the thresholds rest on the measurements in
the datasheets of `datasets/`.
"""

from collections.abc import Callable
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from autograder.agreement import agree
from autograder.rubric import Credit, Failure, credit, decide, hidden, item

FAMILY, ORDER, MOTIF = "dna_family.keras", "dna_order.keras", "motif.keras"
MOST_PARAMETERS = 2_500
BASES = "ACGT"

ALLOWED = {
    "InputLayer", "Masking", "SimpleRNN", "Bidirectional", "Dense", "TimeDistributed", "Activation", "ReLU",
    "Dropout", "SpatialDropout1D", "GaussianNoise", "LayerNormalization", "Concatenate", "Add",
    "GlobalMaxPooling1D", "GlobalAveragePooling1D",
}  # fmt: skip


@item(points=2)
def encodes_one_hot(submission):
    """one_hot(sequence): float32 (time, 4), a one for each base in the order A, C, G, T."""
    sequence = "GATTACACCGGTA"
    [right] = one_hot([sequence])
    usual = {
        "its rows and columns are swapped": right.T,
        "its columns are in the order A, T, G, C": right[:, [0, 3, 2, 1]],
        "its columns are in the order A, T, C, G": right[:, [0, 3, 1, 2]],
    }
    agree(submission.call("one_hot", sequence), right, usual, f"one_hot({sequence!r})")


@item(points=4)
def runs_the_loop(submission):
    """states(x, kernel, recurrent, bias): the states of a SimpleRNN along a sequence, (time, units)."""
    rng = np.random.default_rng(4)
    x, kernel, recurrent, bias = (rng.normal(0, 0.7, shape) for shape in ((9, 4), (4, 3), (3, 3), 3))
    inputs, nothing = x @ kernel + bias, np.zeros(3)
    usual = {
        "no state is passed on from one step to the next": np.tanh(inputs),
        "the bias is missing": loop(x @ kernel, recurrent, nothing),
        "the recurrent matrix is transposed": loop(inputs, recurrent.T, nothing),
        "the activation is missing": loop(inputs, recurrent, nothing, lambda state: state),
        "the steps are read backwards": loop(inputs[::-1], recurrent, nothing),
        "each state is put down a step late": np.vstack([nothing, loop(inputs, recurrent, nothing)[:-1]]),
    }
    right = loop(inputs, recurrent, nothing)
    agree(
        submission.call("states", x, kernel, recurrent, bias), right, usual, "states of 9 steps and 3 units"
    )


@item(points=2)
def counts_bases(submission):
    """base_counts(sequences): how often each base occurs, (n, 4), columns A, C, G, T."""
    sequences = ["GATTACA", "CCCC", "ACGTACGTTT", "G"]
    right = np.array([[sequence.count(base) for base in BASES] for sequence in sequences])
    usual = {
        "shares are returned where counts are asked for": right / right.sum(axis=1, keepdims=True),
        "its columns are in the order A, T, G, C": right[:, [0, 3, 2, 1]],
        "its rows and columns are swapped": right.T,
    }
    agree(submission.call("base_counts", sequences), right, usual, f"base_counts({sequences})")


@item(points=4)
def counts_kmers(submission):
    """kmer_counts(sequences, k): how often each word of k bases occurs, (n, 4**k), columns AA, AC, ..., TT."""
    sequences, k = ["AAAAAC", "GATTACAGATTACA", "ACGTACGT"], 2
    words = ["".join(letters) for letters in product(BASES, repeat=k)]
    spans = [[s[i : i + k] for i in range(len(s) - k + 1)] for s in sequences]
    right = np.array([[span.count(word) for word in words] for span in spans])
    usual = {
        "words that overlap are missed, as str.count misses them": [
            [s.count(w) for w in words] for s in sequences
        ],
        "it says whether a word occurs, not how often": right > 0,
        "words are taken in steps of k": [[span[::k].count(word) for word in words] for span in spans],
        "shares are returned where counts are asked for": right / right.sum(axis=1, keepdims=True),
    }
    agree(submission.call("kmer_counts", sequences, k), right, usual, f"kmer_counts({sequences}, {k})")


@item(points=2)
def knows_the_majority(submission):
    """majority_accuracy(train_labels, test_labels): how often the most frequent training label is right."""
    train, test = np.array([1, 1, 1, 0, 0]), np.array([1, 0, 0, 0, 0, 0, 0, 1])
    usual = {
        "the most frequent label is taken from the test labels": np.mean(test == 0),
        "it measures on the training labels": np.mean(train == 1),
    }
    given = f"majority_accuracy({train.tolist()}, {test.tolist()})"
    agree(submission.call("majority_accuracy", train, test), np.mean(test == 1), usual, given)


@item(points=4)
def family_model_is_a_simple_rnn(submission):
    """dna_family.keras: a SimpleRNN for sequences of any length, with at most 2,500 parameters."""
    simple_rnn(submission, FAMILY)


@item(points=8)
def family_at_training_lengths(submission):
    """Three or more G: accuracy on new sequences of 5 to 20 bases."""
    probability = simple_rnn(submission, FAMILY)
    data = hidden("dna_family", count=2000)
    hint = "Short sequences come first: train for longer, and check your labels and your order of bases."
    return accuracy(data.label, probability(data.sequence), zero=0.80, full=0.99, hint=hint)


@item(points=18)
def family_at_50_bases(submission):
    """Three or more G: accuracy on sequences of 50 bases, longer than any in training."""
    probability = simple_rnn(submission, FAMILY)
    data = hidden("dna_family", count=1000, length=50)
    hint = (
        "The state must hold its count for longer than it ever had to: mask the padding in training, "
        "and tell the network at every step what it should have counted so far."
    )
    return accuracy(data.label, probability(data.sequence), zero=0.70, full=0.90, hint=hint)


@item(points=5, stretch=True)
def family_at_200_bases(submission):
    """Three or more G: accuracy on sequences of 200 bases, ten times the longest in training."""
    probability = simple_rnn(submission, FAMILY)
    data = hidden("dna_family", count=500, length=200)
    hint = "A count that fades by 2 % a step is gone after 200: plot the state over a long sequence."
    return accuracy(data.label, probability(data.sequence), zero=0.70, full=0.95, hint=hint)


@item(points=4)
def order_model_is_a_simple_rnn(submission):
    """dna_order.keras: a SimpleRNN for sequences of any length, with at most 2,500 parameters."""
    simple_rnn(submission, ORDER)


@item(points=8)
def order_one_by_one(submission):
    """Three or more G after the first T: accuracy on new sequences of 5 to 20 bases."""
    probability = simple_rnn(submission, ORDER)
    data = hidden("dna_order", count=2000)
    hint = "Counting bases can't tell these apart: the state must know whether a T has come by."
    return accuracy(data.label, probability(data.sequence), zero=0.75, full=0.995, hint=hint)


@item(points=18)
def order_in_pairs(submission):
    """Three or more G after the first T: both sequences of a pair right, which hold the same bases."""
    probability = simple_rnn(submission, ORDER)
    data = hidden("dna_order", count=2000)
    right = data.label.astype(bool) == decide(probability(data.sequence))
    pairs = right.groupby(data.pair).all().mean()
    hint = "Leaning to one answer gets one of each pair right, and no pair: it has to learn the order."
    return credit(pairs, 0.60, 0.99, hint, "The share of pairs with both right")


@item(points=4)
def motif_model_is_a_simple_rnn(submission):
    """motif.keras: a SimpleRNN for sequences of any length, with at most 2,500 parameters."""
    simple_rnn(submission, MOTIF)


@item(points=8)
def motif_on_one_strand(submission):
    """A transcription factor's motif in 60 bases: area under the ROC curve (AUC)."""
    probability = simple_rnn(submission, MOTIF)
    data = hidden("motif", strands="forward", count=2000)
    hint = "The motif may lie anywhere: read out the maximum over all states, not the last state alone."
    return credit(roc_auc_score(data.label, probability(data.sequence)), 0.85, 0.955, hint, "AUC")


@item(points=14)
def motif_on_both_strands(submission):
    """The motif on either strand, in 60 to 120 bases: area under the ROC curve (AUC)."""
    probability = simple_rnn(submission, MOTIF)
    data = hidden("motif", strands="both", count=1000)
    hint = "Half of the motifs lie on the other strand, reversed and complemented: train on both kinds."
    return credit(roc_auc_score(data.label, probability(data.sequence)), 0.80, 0.92, hint, "AUC")


def loop(inputs: np.ndarray, recurrent: np.ndarray, start: np.ndarray, activation=np.tanh) -> np.ndarray:
    """States (time, units) of h_t = activation(inputs_t + h_(t-1) @ recurrent), from the state `start` on."""
    course = [start]
    for step in inputs:
        course.append(activation(step + course[-1] @ recurrent))
    return np.array(course[1:])


def simple_rnn(submission, name: str) -> Callable[[pd.Series], np.ndarray]:
    """The model `name` as a function from n sequences to probabilities `(n,)`.

    Raises Failure unless it keeps the assignment's rules: what is measured is what a SimpleRNN can do.
    """
    plan = submission.model(name).plan
    foreign = next((kind for kind in plan.kinds if kind not in ALLOWED), None)
    if foreign:
        raise Failure(f"{name} uses {foreign}, which this assignment leaves out.", "Use SimpleRNN.")
    if "SimpleRNN" not in plan.kinds:
        raise Failure(f"{name} holds no SimpleRNN.", "Without one, nothing remembers what has been read.")
    if tuple(plan.input_shape) != (None, None, len(BASES)):
        raise Failure(
            f"{name} takes inputs of shape {plan.input_shape}, expected (None, None, 4) for any length.",
            "Begin the model with keras.Input(shape=(None, 4)).",
        )
    if tuple(plan.output_shape) != (None, 1):
        raise Failure(
            f"{name} returns shape {plan.output_shape}, expected (None, 1): one probability a sequence.",
            "End with Dense(1, activation='sigmoid') on the last state or on the maximum over the states.",
        )
    if plan.parameters > MOST_PARAMETERS:
        raise Failure(
            f"{name} has {plan.parameters:,} parameters, at most {MOST_PARAMETERS:,} are allowed.",
            "Take fewer units: a SimpleRNN of u units on 4 inputs has u * (u + 5) parameters.",
        )
    return partial(probabilities, submission, name)


def probabilities(submission, name: str, sequences: pd.Series) -> np.ndarray:
    """What the model `name` returns for n sequences, `(n,)`; a value outside 0..1 is a Failure."""
    values = submission.predict(name, one_hot(sequences)).reshape(-1)
    if values.min() < 0 or values.max() > 1:
        raise Failure(
            f"{name} returns values from {values.min():.3g} to {values.max():.3g}, expected probabilities.",
            "End with Dense(1, activation='sigmoid').",
        )
    return values


def one_hot(sequences: pd.Series) -> list[np.ndarray]:
    """Each sequence as float32 `(time, 4)`, a one for each base in the order A, C, G, T."""
    rows = np.eye(len(BASES), dtype=np.float32)
    codes = str.maketrans(BASES, "\x00\x01\x02\x03")
    return [rows[np.frombuffer(sequence.translate(codes).encode(), np.uint8)] for sequence in sequences]


def accuracy(label: pd.Series, probability: np.ndarray, zero: float, full: float, hint: str) -> Credit:
    """Credit for the share of right answers; the hint begins with how the model errs."""
    said, label = decide(probability), label.to_numpy(dtype=bool)
    return credit((said == label).mean(), zero, full, f"{how_it_errs(said, label)} {hint}", "Accuracy")


def how_it_errs(said: np.ndarray, label: np.ndarray) -> str:
    """Which side the errors fall on, for booleans `(n,)`."""
    if said.all() or not said.any():
        return f"It answers {'yes' if said.all() else 'no'} to every sequence."
    wrong_yes, wrong_no = said[~label].mean(), 1 - said[label].mean()
    return f"It says yes to {wrong_yes:.0%} of the negatives and no to {wrong_no:.0%} of the positives."
