"""The items of `dna_simple_rnn`: 100 points, and stretch points on top.

Three models are handed in. Each takes one-hot sequences `(batch, time, 4)` in the order A, C, G, T, of any
length, and returns the probability of the label `(batch, 1)`. Accuracy is measured on data that nobody has
seen; thresholds rest on the measurements in the datasheets of `datasets/`.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from autograder.rubric import Credit, Failure, credit, decide, hidden, item

FAMILY, ORDER, MOTIF = "dna_family.keras", "dna_order.keras", "motif.keras"
MOST_PARAMETERS = 2_500
BASES = "ACGT"

ALLOWED = {
    "InputLayer", "Masking", "SimpleRNN", "Bidirectional", "Dense", "TimeDistributed", "Activation", "ReLU",
    "Dropout", "SpatialDropout1D", "GaussianNoise", "LayerNormalization", "Concatenate", "Add",
    "GlobalMaxPooling1D", "GlobalAveragePooling1D", "NotEqual", "Any", "GetItem",
}  # fmt: skip


@item(points=5)
def family_model_is_a_simple_rnn(submission):
    """dna_family.keras: a SimpleRNN for sequences of any length, with at most 2,500 parameters."""
    simple_rnn(submission, FAMILY)


@item(points=10)
def family_at_training_lengths(submission):
    """Three or more G: accuracy on new sequences of 5 to 20 bases."""
    probability = simple_rnn(submission, FAMILY)
    data = hidden("dna_family", count=2000)
    hint = "Short sequences come first: train for longer, and check your labels and your order of bases."
    return accuracy(data.label, probability(data.sequence), zero=0.80, full=0.99, hint=hint)


@item(points=20)
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
    return accuracy(data.label, probability(data.sequence), zero=0.85, full=0.95, hint=hint)


@item(points=5)
def order_model_is_a_simple_rnn(submission):
    """dna_order.keras: a SimpleRNN for sequences of any length, with at most 2,500 parameters."""
    simple_rnn(submission, ORDER)


@item(points=10)
def order_one_by_one(submission):
    """Three or more G after the first T: accuracy on new sequences of 5 to 20 bases."""
    probability = simple_rnn(submission, ORDER)
    data = hidden("dna_order", count=2000)
    hint = "Counting bases can't tell these apart: the state must know whether a T has come by."
    return accuracy(data.label, probability(data.sequence), zero=0.75, full=0.97, hint=hint)


@item(points=20)
def order_in_pairs(submission):
    """Three or more G after the first T: both sequences of a pair right, which hold the same bases."""
    probability = simple_rnn(submission, ORDER)
    data = hidden("dna_order", count=2000)
    right = data.label.astype(bool) == decide(probability(data.sequence))
    pairs = right.groupby(data.pair).all().mean()
    hint = "Leaning to one answer gets one of each pair right, and no pair: it has to learn the order."
    return credit(pairs, 0.50, 0.95, hint, "The share of pairs with both right")


@item(points=5)
def motif_model_is_a_simple_rnn(submission):
    """motif.keras: a SimpleRNN for sequences of any length, with at most 2,500 parameters."""
    simple_rnn(submission, MOTIF)


@item(points=10)
def motif_on_one_strand(submission):
    """A transcription factor's motif in 60 bases: area under the ROC curve (AUC)."""
    probability = simple_rnn(submission, MOTIF)
    data = hidden("motif", strands="forward", count=1000)
    hint = "The motif may lie anywhere: read out the maximum over all states, not the last state alone."
    return credit(roc_auc_score(data.label, probability(data.sequence)), 0.85, 0.95, hint, "AUC")


@item(points=15)
def motif_on_both_strands(submission):
    """The motif on either strand, in 60 to 120 bases: area under the ROC curve (AUC)."""
    probability = simple_rnn(submission, MOTIF)
    data = hidden("motif", strands="both", count=1000)
    hint = "Half of the motifs read backwards: let a second SimpleRNN run from the other end (Bidirectional)."
    return credit(roc_auc_score(data.label, probability(data.sequence)), 0.80, 0.92, hint, "AUC")


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
    return [rows[[BASES.index(base) for base in sequence]] for sequence in sequences]


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
