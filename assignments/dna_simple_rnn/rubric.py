"""The items of `dna_simple_rnn`: 110 points, and bonus points on top.

A notebook and three models are handed in. Functions of the notebook are held against plain loops, on a fixed example
that shows the usual mistakes and then on inputs from `input_generator`, which no table of answers can hold; a wrong
answer is compared with what the usual mistakes give, so that the feedback can name the mistake. Each model takes
one-hot sequences `(batch, time, 4)` in the order A, C, G, T, of any length, and returns the probability of the
label `(batch, 1)`. Accuracy is measured on data that nobody has seen; the thresholds rest on the measurements in
the datasheets of `datasets/`. Only the concept questions draw numbers from the student's id.

The items of the section "splice" are on real DNA, and wait until somebody fetches it.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

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
    hidden,
    input_generator,
    item,
    public,
    remark,
)

FAMILY, ORDER, MOTIF, SPLICE = "dna_family.keras", "dna_order.keras", "motif.keras", "splice.keras"
MOST_PARAMETERS = 2_500
DATASETS = Path(__file__).parents[2] / "datasets"
BASES = "ACGT"

ALLOWED = {
    "InputLayer", "Masking", "SimpleRNN", "Bidirectional", "Dense", "TimeDistributed", "Activation", "ReLU",
    "Dropout", "SpatialDropout1D", "GaussianNoise", "LayerNormalization", "Concatenate", "Add",
    "GlobalMaxPooling1D", "GlobalAveragePooling1D",
}  # fmt: skip


@item(points=2, section="one_hot")
def encodes_one_hot(submission):
    """one_hot(sequence): float32 (time, 4), a one for each base in the order A, C, G, T."""
    rng = input_generator("one_hot")
    two_bases = "".join(rng.choice(list(BASES), 2, replace=False))
    drawn = (
        draw_dna(rng, rng.integers(15, 25)),
        draw_dna(rng, rng.integers(10, 15), two_bases),
        draw_dna(rng, 1),
    )
    for sequence in ("GATTACACCGGTA", *drawn):
        right = one_hot(sequence)
        usual = {
            "its rows and columns are swapped": right.T,
            "its columns are in the order A, T, G, C": right[:, [0, 3, 2, 1]],
            "its columns are in the order A, T, C, G": right[:, [0, 3, 1, 2]],
        }
        assert_close(submission.call("one_hot", sequence), right, usual, f"one_hot({sequence!r})")


@item(points=4, section="loop")
def runs_the_loop(submission):
    """states(x, kernel, recurrent, bias): the states of a SimpleRNN along a sequence, (time, units)."""
    rng = input_generator("states")
    steps, units = int(rng.integers(5, 12)), int(rng.integers(2, 6))
    examples = (np.random.default_rng(4), 9, 4, 3), (rng, steps, units + 1, units), (rng, 1, 2, units + 1)
    for draw, time, features, units in examples:
        shapes = (time, features), (features, units), (units, units), units
        x, kernel, recurrent, bias = (draw.normal(0, 0.7, shape) for shape in shapes)
        inputs, nothing = x @ kernel + bias, np.zeros(units)
        right = loop(inputs, recurrent, nothing)
        usual = {
            "no state is passed on from one step to the next": np.tanh(inputs),
            "the bias is missing": loop(x @ kernel, recurrent, nothing),
            "the recurrent matrix is transposed": loop(inputs, recurrent.T, nothing),
            "the activation is missing": loop(inputs, recurrent, nothing, lambda state: state),
            "the steps are read backwards": loop(inputs[::-1], recurrent, nothing),
            "each state is put down a step late": np.vstack([nothing, right[:-1]]),
        }
        asked = (
            f"states for x {x.shape}, kernel {kernel.shape}, recurrent {recurrent.shape}, bias {bias.shape}"
        )
        assert_close(submission.call("states", x, kernel, recurrent, bias), right, usual, asked)


@item(points=2, section="baselines")
def counts_bases(submission):
    """base_counts(sequences): how often each base occurs, (n, 4), columns A, C, G, T."""
    rng = input_generator("base_counts")
    drawn = (
        [draw_dna(rng, length) for length in rng.integers(1, 30, 5)],
        [draw_dna(rng, rng.integers(20, 30))],
    )
    for sequences in (["GATTACA", "CCCC", "ACGTACGTTT", "G"], *drawn):
        right = np.array([[sequence.count(base) for base in BASES] for sequence in sequences])
        usual = {
            "shares are returned where counts are asked for": right / right.sum(axis=1, keepdims=True),
            "its columns are in the order A, T, G, C": right[:, [0, 3, 2, 1]],
            "its rows and columns are swapped": right.T,
        }
        assert_close(submission.call("base_counts", sequences), right, usual, f"base_counts({sequences})")


@item(points=4, section="baselines")
def counts_kmers(submission):
    """kmer_counts(sequences, k): how often each word of k bases occurs, (n, 4**k), columns AA, AC, ..., TT."""
    rng = input_generator("kmer_counts")
    size = int(rng.integers(2, 4))
    repeats = [draw_dna(rng, 1) * int(rng.integers(5, 9)), draw_dna(rng, size) * int(rng.integers(3, 6))]
    drawn = [*repeats, draw_dna(rng, size), draw_dna(rng, rng.integers(15, 25))]
    teaching = ["AAAAAC", "GATTACAGATTACA", "ACGTACGT"]
    for sequences, k in ((teaching, 2), (drawn, size), ([draw_dna(rng, 25)], 1)):
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
        assert_close(
            submission.call("kmer_counts", sequences, k), right, usual, f"kmer_counts({sequences}, {k})"
        )


@item(points=2, section="baselines")
def knows_the_majority(submission):
    """majority_accuracy(train_labels, test_labels): how often the most frequent training label is right."""
    rng = input_generator("majority_accuracy")
    teaching = np.array([1, 1, 1, 0, 0]), np.array([1, 0, 0, 0, 0, 0, 0, 1])
    drawn = rng.permutation([(0, 0), (0, 1), (1, 0), (1, 1)])  # the labels that are more frequent
    for train, test in (teaching, *([draw_labels(rng, often) for often in pair] for pair in drawn)):
        often = train.mean() > 0.5
        usual = {
            "the most frequent label is taken from the test labels": max(np.mean(test), np.mean(test == 0)),
            "it measures on the training labels": np.mean(train == often),
        }
        asked = f"majority_accuracy({train.tolist()}, {test.tolist()})"
        assert_close(submission.call("majority_accuracy", train, test), np.mean(test == often), usual, asked)


@item(points=4, section="family")
def family_model_is_a_simple_rnn(submission):
    """dna_family.keras: a SimpleRNN for sequences of any length, with at most 2,500 parameters."""
    simple_rnn(submission, FAMILY)


@item(points=8, section="family")
def family_at_training_lengths(submission):
    """Three or more G: accuracy on new sequences of 5 to 20 bases."""
    probability = simple_rnn(submission, FAMILY)
    data = public("dna_family", count=400)
    look(probability, data, at_most(data.sequence.str.count("G"), 6), "by how many G there are")
    data = hidden("dna_family", count=2000)
    hint = "Short sequences come first: train for longer, and check your labels and your order of bases."
    return accuracy(data.label, probability(data.sequence), zero=0.80, full=0.99, hint=hint)


@item(points=18, section="family")
def family_at_50_bases(submission):
    """Three or more G: accuracy on sequences of 50 bases, longer than any in training."""
    probability = simple_rnn(submission, FAMILY)
    drawn = [public("dna_family", count=80, length=length) for length in (5, 10, 20, 35, 50, 100, 200)]
    data = pd.concat(drawn, ignore_index=True)
    look(probability, data, data.sequence.str.len(), "by length")
    data = hidden("dna_family", count=1000, length=50)
    hint = (
        "The state must hold its count for longer than it ever had to: mask the padding in training, "
        "and tell the network at every step what it should have counted so far."
    )
    return accuracy(data.label, probability(data.sequence), zero=0.70, full=0.90, hint=hint)


@item(points=5, bonus=True, section="family")
def family_at_200_bases(submission):
    """Three or more G: accuracy on sequences of 200 bases, ten times the longest in training."""
    probability = simple_rnn(submission, FAMILY)
    data = hidden("dna_family", count=500, length=200)
    hint = "A count that fades by 2 % a step is gone after 200: plot the state over a long sequence."
    return accuracy(data.label, probability(data.sequence), zero=0.70, full=0.95, hint=hint)


@item(points=4, section="order")
def order_model_is_a_simple_rnn(submission):
    """dna_order.keras: a SimpleRNN for sequences of any length, with at most 2,500 parameters."""
    simple_rnn(submission, ORDER)


@item(points=8, section="order")
def order_one_by_one(submission):
    """Three or more G after the first T: accuracy on new sequences of 5 to 20 bases."""
    probability = simple_rnn(submission, ORDER)
    data = public("dna_order", count=400)
    late = data.sequence.str.partition("T")[2].str.count("G")
    look(probability, data, at_most(late, 5), "by how many G follow the first T")
    data = hidden("dna_order", count=2000)
    hint = "Counting bases can't tell these apart: the state must know whether a T has come by."
    return accuracy(data.label, probability(data.sequence), zero=0.75, full=0.995, hint=hint)


@item(points=18, section="order")
def order_in_pairs(submission):
    """Three or more G after the first T: both sequences of a pair right, which hold the same bases."""
    probability = simple_rnn(submission, ORDER)
    look_at_pairs(probability, public("dna_order", count=400))
    data = hidden("dna_order", count=2000)
    right = data.label.astype(bool) == decide(probability(data.sequence))
    pairs = right.groupby(data.pair).all().mean()
    hint = "Leaning to one answer gets one of each pair right, and no pair: it has to learn the order."
    return credit(pairs, 0.60, 0.99, hint, "The share of pairs with both right")


@item(points=4, section="motif")
def motif_model_is_a_simple_rnn(submission):
    """motif.keras: a SimpleRNN for sequences of any length, with at most 2,500 parameters."""
    simple_rnn(submission, MOTIF)


@item(points=8, section="motif")
def motif_on_one_strand(submission):
    """A transcription factor's motif in 60 bases: area under the ROC curve (AUC)."""
    probability = simple_rnn(submission, MOTIF)
    data = public("motif", strands="forward", count=200)
    look(probability, data, data.label.map({1: "holds the motif", 0: "its letters, shuffled"}), "by kind")
    data = hidden("motif", strands="forward", count=2000)
    hint = "The motif may lie anywhere: read out the maximum over all states, not the last state alone."
    return credit(roc_auc_score(data.label, probability(data.sequence)), 0.85, 0.955, hint, "AUC")


@item(points=14, section="motif")
def motif_on_both_strands(submission):
    """The motif on either strand, in 60 to 120 bases: area under the ROC curve (AUC)."""
    probability = simple_rnn(submission, MOTIF)
    drawn = [public("motif", strands=strands, count=120, length=60) for strands in ("forward", "both")]
    data = pd.concat([*drawn, public("motif", strands="both", count=120, length=120)], ignore_index=True)
    kinds = data.strands.map({"forward": "this strand", "both": "either strand"})
    look(probability, data, kinds + data.sequence.str.len().map(", {} bases".format), "by strand and length")
    data = hidden("motif", strands="both", count=1000)
    hint = "Half of the motifs lie on the other strand, reversed and complemented: train on both kinds."
    return credit(roc_auc_score(data.label, probability(data.sequence)), 0.80, 0.92, hint, "AUC")


# --- real DNA, where it was fetched. The rows of the part "test" are public: a network that has learned from them is
# measured on what it knows by heart, and its student has cheated nobody else.

JUNCTIONS = "EI", "IE", "N"
STRENGTH = 0.01  # C of the regression to beat: the best in ten-fold cross-validation of the part "train"
TOO_GOOD = 0.985  # of rows right: nothing that is published or was measured here comes near


@item(points=2, bonus=True, section="splice")
def regresses_on_places(submission):
    """place_regression(sequences, labels, new_sequences, C): probabilities (m, labels), by logistic regression."""
    drawn = input_generator("place_regression")
    count, length, percent = drawn.integers([50, 6, 10], [70, 11, 40]).tolist()
    examples = (np.random.default_rng(7), 60, 8, 0.3), (drawn, count, length, percent / 100)
    for rng, count, length, C in examples:
        sequences = draw_windows(rng, count, length)
        labels = [JUNCTIONS["ACGTN".index(sequence[3]) % 3] for sequence in sequences]
        new = [*draw_windows(rng, 5, length), "N" * length]
        x, new_x = boxed(sequences), boxed(new)
        right, usual = regression(x, labels, new_x, C), {}
        if rng is not drawn:  # a fit for each mistake, which the fixed example shows
            zeros = x * (x != 0.25), new_x * (new_x != 0.25)
            counts = [part.sum(axis=1, keepdims=True) for part in zeros]
            mistakes = {
                "a letter that is no base becomes a row of zeros, in place of four quarters": (zeros, C),
                "it counts the bases and forgets at which places they stand": (counts, C),
                "C is left at 1": ((x, new_x), 1.0),
                "1 / C is given where C is asked for": ((x, new_x), 1 / C),
            }
            usual = {
                why: regression(old, labels, some, other) for why, ((old, some), other) in mistakes.items()
            }
            usual["it says which label, and not how probable each is"] = right.argmax(axis=1)
        came = submission.call("place_regression", sequences, labels, new, C)
        asked = f"place_regression on {count} sequences of {length} letters, C = {C}"
        assert_close(came, right, usual, asked, atol=0.005)


@item(points=6, bonus=True, section="splice")
def tells_junctions_apart(submission):
    """splice.keras: accuracy on real splice junctions; full marks from that of logistic regression on the same rows."""
    probability = junction_reader(submission)
    train, test = public("splice", part="train"), hidden("splice", part="test")
    label, to_beat = test.label.map(JUNCTIONS.index).to_numpy(), regressed(*columns(train), *columns(test))
    said = probability(test.sequence)
    right = (said.argmax(axis=1) == label).mean()
    if right > TOO_GOOD:
        often = f"{right:.1%} of the test rows, which are public, and nothing published is so often right"
        remark(f"{SPLICE} is right on {often}: did it learn from them?")
    figures.show(
        figures.confusion(
            label, said.argmax(axis=1), JUNCTIONS, "Test part: the right answer and the model's"
        )
    )
    return credit(right, 0.88, to_beat, after_junctions(label, said), "Accuracy")


# --- concepts: the questions are shown in the notebook

box, anagrams, zeros, fading = concept_questions(__file__, "box", "anagrams", "zeros", "fading")


@item(points=2, section="concepts")
def fills_a_box(submission):
    """BOX: how many numbers a batch of one-hot words of bases holds, for your own sequences."""
    box(submission.signed).judge(submission.value("BOX"))


@item(points=2, section="concepts")
def counts_anagrams(submission):
    """ANAGRAMS: how many sequences are one and the same to a model that sees base counts; your own sequence."""
    anagrams(submission.signed).judge(submission.value("ANAGRAMS"))


@item(points=2, section="concepts")
def knows_what_zeros_do(submission):
    """ZEROS: what rows of zeros do to a state that nothing masks."""
    zeros(submission.signed).judge(submission.value("ZEROS"))


@item(points=2, section="concepts")
def knows_why_it_fades(submission):
    """FADING: why a network that is right at 20 bases is wrong on long sequences."""
    fading(submission.signed).judge(submission.value("FADING"))


@item(points=2, section="concepts")
def explains_a_limit(submission):
    """For which task on DNA is all that you built the wrong tool, and why? A person reads it."""
    return submission.text("explains_a_limit")


# --- what the items are made of


def draw_dna(rng: np.random.Generator, length: int, bases: str = BASES) -> str:
    return "".join(rng.choice(list(bases), length))


def draw_labels(rng: np.random.Generator, often: int) -> np.ndarray:
    """Draw labels of which more than half are `often`."""
    return rng.permutation(np.repeat([often, 1 - often], rng.integers([11, 4], [25, 11])))


def draw_windows(rng: np.random.Generator, count: int, length: int) -> list[str]:
    """Draw sequences of one length, in which one letter of 13 is no base."""
    return [draw_dna(rng, length, 3 * BASES + "N") for _ in range(count)]


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
    plan = small_rnn(submission, name)
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
    return partial(probabilities, submission, name)


def small_rnn(submission, name: str):
    """The plan of the model `name`. Raises Failure unless it is a SimpleRNN, and a small one."""
    plan = submission.model(name).plan
    allow = ALLOWED | {"ops.GetItem"} if name == SPLICE else ALLOWED
    check_architecture(plan, name, allow, every_path=["SimpleRNN"])
    if plan.parameters > MOST_PARAMETERS:
        raise Failure(
            f"{name} has {plan.parameters:,} parameters, at most {MOST_PARAMETERS:,} are allowed.",
            "Take fewer units: a SimpleRNN of u units on 4 inputs has u * (u + 5) parameters.",
        )
    return plan


def probabilities(submission, name: str, sequences: pd.Series) -> np.ndarray:
    """What the model `name` returns for n sequences, `(n,)`; a value outside 0..1 is a Failure."""
    inputs = list(map(one_hot, sequences.to_numpy(object)))
    values = submission.predict(name, inputs).reshape(-1)
    if values.min() < 0 or values.max() > 1:
        raise Failure(
            f"{name} returns values from {values.min():.3g} to {values.max():.3g}, expected probabilities.",
            "End with Dense(1, activation='sigmoid').",
        )
    check_memory(submission.predictor, submission.model(name), name, inputs)
    return values


@cache  # the whole class is asked about the same sequences
def one_hot(sequence: str) -> np.ndarray:
    """A sequence as float32 `(time, 4)`, a one in the column A, C, G or T; four quarters for other letters."""
    rows = np.vstack([np.eye(len(BASES)), np.full(len(BASES), 0.25)]).astype(np.float32)
    return rows[[BASES.find(letter) for letter in sequence]]  # -1, which is no base, is the last row


def junction_reader(submission) -> Callable[[pd.Series], np.ndarray]:
    """splice.keras as a function from n sequences of 60 letters to probabilities `(n, 3)`.

    Raises Failure unless it keeps the rules.
    """
    plan = small_rnn(submission, SPLICE)
    if tuple(plan.input_shape) not in {(None, 60, 4), (None, None, 4)}:
        raise Failure(
            f"{SPLICE} takes inputs of shape {plan.input_shape}, expected (None, 60, 4).",
            "Begin the model with keras.Input(shape=(60, 4)).",
        )
    if tuple(plan.output_shape) != (None, 3):
        raise Failure(
            f"{SPLICE} returns shape {plan.output_shape}, expected (None, 3): a probability each for EI, IE and N.",
            "End with Dense(3, activation='softmax').",
        )
    return partial(junction_probabilities, submission)


def junction_probabilities(submission, sequences: pd.Series) -> np.ndarray:
    """What splice.keras returns for n sequences, `(n, 3)`; rows that are no probabilities are a Failure."""
    inputs = list(map(one_hot, sequences))
    values = submission.predict(SPLICE, inputs)
    sums = values.sum(axis=1)
    if values.min() < 0 or abs(sums - 1).max() > 0.001:
        raise Failure(
            f"The three values of {SPLICE} add up to {sums.min():.3g} to {sums.max():.3g}, expected probabilities.",
            "End with Dense(3, activation='softmax').",
        )
    check_memory(submission.predictor, submission.model(SPLICE), SPLICE, inputs)
    return values


def boxed(sequences: list[str]) -> np.ndarray:
    """n sequences of one length as one-hot `(n, time, 4)`."""
    return np.stack(list(map(one_hot, sequences)))


@cache_by_value
def regression(x: np.ndarray, labels: list[str], new_x: np.ndarray, strength: float) -> np.ndarray:
    """Probabilities `(m, labels)` for new_x `(m, time, 4)`, by logistic regression on x `(n, time, 4)`."""
    model = LogisticRegression(C=strength, max_iter=3000).fit(x.reshape(len(x), -1), labels)
    return model.predict_proba(new_x.reshape(len(new_x), -1))


def columns(data: pd.DataFrame) -> tuple[list[str], list[str]]:
    return data.sequence.tolist(), data.label.tolist()


@cache_by_value
def regressed(sequences: list[str], labels: list[str], new: list[str], new_labels: list[str]) -> float:
    """The accuracy of logistic regression on each place of the sequences, measured on the new ones."""
    said = regression(boxed(sequences), labels, boxed(new), STRENGTH).argmax(axis=1)
    return round(float(np.mean(np.array(JUNCTIONS)[said] == new_labels)), 4)


def after_junctions(label: np.ndarray, probability: np.ndarray) -> str:
    """What to try next, for labels `(n,)` and probabilities `(n, 3)`."""
    orders = {
        order: np.mean(np.array(order)[probability.argmax(axis=1)] == label)
        for order in permutations(range(3))
    }
    best = max(orders, key=orders.get)
    if orders[best] > orders[0, 1, 2] + 0.2:
        found = ", ".join(JUNCTIONS[number] for number in best)
        return f"Its columns seem to be in the order {found}; EI, IE, N is asked for."
    return (
        "What a reader saw 30 letters ago has faded: let the last step of each be the one at the junction, "
        "and let dropout keep it from learning the training rows by heart."
    )


def look(probability: Callable, data: pd.DataFrame, groups: pd.Series, by: str) -> None:
    """Adds to the report how the model errs on public data, `(n,)` rows in as many groups: marks don't rest on it.

    Shown are the share of right answers in each group and, where some are wrong, which way, and the shortest ones.
    """
    with suppress(Failure):  # what the report says of a model comes from the data that it is scored on
        said, label = probability(data.sequence), data.label.to_numpy(dtype=bool)
        right = (said > 0.5) == label
        figures.show(figures.by_group(groups, right, f"Public sequences: right answers {by}"))
        if right.all():
            return
        figures.show(
            figures.confusion(
                label, said > 0.5, ("no", "yes"), "Public sequences: the right answer and the model's"
            )
        )
        wrong = sorted(np.flatnonzero(~right), key=lambda row: len(data.sequence[row]))
        rows = [(data.sequence[row], "yes" if label[row] else "no", f"{said[row]:.2f}") for row in wrong]
        columns = "sequence", "right answer", "probability of yes"
        figures.show(figures.examples("Public sequences that it gets wrong", columns, rows))


def look_at_pairs(probability: Callable, data: pd.DataFrame) -> None:
    """The same for pairs of public sequences, which are right where both are."""
    with suppress(Failure):
        data = data.assign(said=probability(data.sequence)).sort_values(["pair", "label"])
        no, yes = (data[data.label == label].reset_index(drop=True) for label in (0, 1))
        right, lengths = (no.said <= 0.5) & (yes.said > 0.5), no.sequence.str.len()
        figures.show(figures.by_length(lengths, right, "Public pairs: both right, by length"))
        wrong = sorted(np.flatnonzero(~right), key=lengths.get)
        rows = [
            (no.sequence[row], f"{no.said[row]:.2f}", yes.sequence[row], f"{yes.said[row]:.2f}")
            for row in wrong
        ]
        columns = "right answer no", "its probability of yes", "right answer yes", "its probability of yes"
        if rows:
            figures.show(figures.examples("Public pairs that it gets wrong", columns, rows))


def at_most(counts: pd.Series, most: int) -> pd.Series:
    """Small counts as they are, larger ones in one group."""
    return counts.clip(upper=most).astype(str).replace(str(most), f"{most} or more")


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
