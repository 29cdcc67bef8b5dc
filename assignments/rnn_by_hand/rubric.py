"""The items of `rnn_by_hand`: 110 points, and bonus points on top.

A notebook of NumPy functions and three small models are handed in. Each function is tried on a fixed example,
which shows the usual mistakes, and then on inputs from `input_generator`, which no table of answers can hold. What
is right comes from a plain forward pass or count and from its `derivative`; tests compare both with Keras and with
automatic differentiation. A wrong answer is compared with what the usual mistakes give, so that the feedback can
name the mistake. Numbers to work out with a pencil are drawn from the student's id, and so are those of the concept
questions. Vectors are rows unless an item says otherwise.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy.special import expit, softmax

from autograder import ACTIVATIONS as OF_KERAS
from autograder import (
    RECURRENT,
    Credit,
    Failure,
    assert_close,
    assert_parts_close,
    check_architecture,
    concept_questions,
    figures,
    input_generator,
    is_close,
    item,
    own,
    share_right,
    split_parts,
)

BASES, LETTERS = "ACGT", "helo"
COUNTER, ONE_UNIT, HELLO = "counter.keras", "counter_one_unit.keras", "hello.keras"
EXACT = 1e-8  # how closely a gradient must agree with the derivative, in float64
ACTIVATIONS = {  # for real and for complex numbers, see `derivative`
    "identity": lambda r: r,
    "tanh": np.tanh,
    "sigmoid": lambda r: 1 / (1 + np.exp(-r)),
    "relu": lambda r: np.maximum(r, 0),
}


# --- the student's own numbers; the notebook shows them, the items ask for them


def bitstring(student: str) -> tuple[str, int, int, int]:
    """Bits, w_1, w_2 and target y of one student: the first bit and two of the next three are set; y is 1 to 5 off."""
    rng = own(student, "bitstring")
    bits = str(rng.choice(["1011", "1101", "1110"]))
    w_1, w_2 = int(rng.integers(2, 5)), int(rng.integers(1, 6))
    last = Walk(bits, w_1, w_2).states[-1]
    return bits, w_1, w_2, int(last + rng.choice([-5, -4, -3, -2, -1, 1, 2, 3, 4, 5]))


def sizes(student: str) -> tuple[int, int, int]:
    """Inputs, hidden units and outputs of one student's network; no two are equal, so a swap shows."""
    rng = own(student, "sizes")
    return int(rng.integers(5, 13)), int(rng.integers(14, 30)), int(rng.integers(2, 5))


def riddle(student: str) -> tuple[np.ndarray, float, float]:
    """W_xh (3, 4), and the scalars w and b that the student is to recover from the state after 'h' and 'e'."""
    return draw_riddle(own(student, "riddle"))


def draw_riddle(rng: np.random.Generator) -> tuple[np.ndarray, float, float]:
    """Draw W_xh (3, 4), w and b."""
    return rng.uniform(0.05, 0.9, (3, 4)).round(3), *(float(x) for x in rng.uniform(0.2, 0.7, 2).round(3))


# --- the counter


@item(points=4, section="counter")
def raises_flags(submission):
    """flag_course(sequence): the three flags after each base, (time, 3), from the loop over the bases."""
    rng = input_generator("flag_course")
    drawn = draw_dna(rng, rng.integers(15, 25)), draw_dna(rng, rng.integers(8, 13), "ACT"), draw_dna(rng, 1)
    for sequence in ("AGGTCGAGC", *drawn):
        seen = np.array([sequence[:read].count("G") for read in range(1, len(sequence) + 1)])
        right = np.stack([seen >= 1, seen >= 2, seen >= 3], axis=1)
        usual = {
            "the first G raises all flags: each flag looks at the others as this same G has left them, and should "
            "look at the old ones": np.repeat(right[:, :1], 3, axis=1),
            "flags go down again: a flag that is up stays up": np.stack(
                [seen == n for n in (1, 2, 3)], axis=1
            ),
            "the flags are noted before the base is read, not after": np.vstack([[[0] * 3], right[:-1]]),
            "its rows and columns are swapped": right.T,
        }
        assert_close(submission.call("flag_course", sequence), right, usual, f"flag_course({sequence!r})")


@item(points=3, section="counter")
def computes_one_layer(submission):
    """layer(W, x, q): R = [x q 1] W, then tanh, for W (8, 3), the base x (4,) and the old state q (3,)."""
    drawn = input_generator("layer")
    for rng in (np.random.default_rng(3), drawn, drawn):
        W, x, q = rng.normal(0, 0.7, (8, 3)), np.eye(4)[rng.integers(4)], rng.normal(0, 0.7, 3)
        kernel, recurrent, bias = W[:4], W[4:7], W[7]
        usual = {
            "the bias, the last row of W, is forgotten": np.tanh(x @ kernel + q @ recurrent),
            "the state comes before the base": np.tanh(np.concatenate([q, x, [1]]) @ W),
            "the activation is missing": x @ kernel + q @ recurrent + bias,
            "the old state has no part in it": np.tanh(x @ kernel + bias),
            "the block of the state, rows 4 to 6, is transposed": np.tanh(
                x @ kernel + q @ recurrent.T + bias
            ),
        }
        right = rnn_states(x[None], q, kernel, recurrent, bias)[0]
        assert_close(submission.call("layer", W, x, q), right, usual, "layer(W, x, q)", atol=1e-6)


@item(points=9, section="counter")
def counts_short_sequences(submission):
    """counter.keras: three units set by hand, right on each of the 87,380 sequences of 1 to 8 bases."""
    check_counter(submission, COUNTER, 3, "short")


@item(points=6, section="counter")
def counts_long_sequences(submission):
    """counter.keras: right on sequences of 100, 1,000 and 10,000 bases, half of them with two or three G."""
    check_counter(submission, COUNTER, 3, "long")


@item(points=3, bonus=True, section="counter")
def counts_with_one_unit(submission):
    """counter_one_unit.keras: one unit is enough, on the 87,380 short sequences and on the long ones."""
    check_counter(submission, ONE_UNIT, 1, "short", "long")


# --- back-propagation on a bitstring


@item(points=3, section="back_propagation")
def walks_along_the_bits(submission):
    """bit_states(bits, w_1, w_2, activation): q_0, ..., q_T with q_t = a(w_1 q_(t-1) + w_2 x_t), (T + 1,)."""
    examples = bit_examples("bit_states", "1101", 0.7, -1.3)
    for (bits, w_1, w_2, _), name in product(examples, ("identity", "tanh", "sigmoid", "relu")):
        right = Walk(bits, w_1, w_2, name=name).states
        usual = {
            "q_0 = 0 is missing in front": right[1:],
            "w_1 and w_2 have changed places": Walk(bits, w_2, w_1, name=name).states,
            "the activation is not applied": Walk(bits, w_1, w_2).states,
            "the bits are read from right to left": Walk(bits[::-1], w_1, w_2, name=name).states,
        }
        asked = f"bit_states({bits!r}, {w_1}, {w_2}, {name!r})"
        assert_close(submission.call("bit_states", bits, w_1, w_2, name), right, usual, asked)


@item(points=6, section="back_propagation")
def back_propagates_by_hand(submission):
    """by_hand(): q_1, q_2, q_3, q_4, dL/dw_1, dL/dw_2 for your own numbers and the identity, a point each."""
    bits, w_1, w_2, y = bitstring(submission.signed)
    walk = Walk(bits, w_1, w_2, y)
    right = dict(zip(("q_1", "q_2", "q_3", "q_4"), walk.states[1:], strict=True))
    right |= {"dL/dw_1": walk.gradient[0], "dL/dw_2": walk.gradient[1]}
    came = split_parts(submission.call("by_hand"), right, "by_hand()")
    yours = f"Yours are the bits {bits}, w_1 = {w_1}, w_2 = {w_2}, y = {y}."
    if is_close(came["dL/dw_1"], 32) and is_close(came["dL/dw_2"], 68):
        lecture = "32 and 68 belong to the lecture's 101 with w_1 = 4, w_2 = 1, y = 15."
        raise Failure(f"by_hand() gives the lecture's numbers: {lecture}", yours)
    return share_right(came, right, yours)


@item(points=2, section="back_propagation")
def knows_the_slopes(submission):
    """slope(r, activation): a'(r), elementwise, for identity, tanh, sigmoid and relu."""
    rng = input_generator("slope")
    drawn = (  # not near 0, where relu has a corner
        (rng.choice([-1, 1], shape) * rng.uniform(0.1, 3, shape)).round(3) for shape in ((2, 3), 1)
    )
    examples = np.array([-2.0, -0.3, 0.4, 1.7]), *drawn
    for r, name in product(examples, ("identity", "tanh", "sigmoid", "relu")):
        value = ACTIVATIONS[name](r)
        usual = {
            "a(r) is returned, not its slope": value,
            "r is put in where the formula has a(r)": {"tanh": 1 - r**2, "sigmoid": r * (1 - r)}.get(
                name, value
            ),
            "a (1 - a) is used, which belongs to the sigmoid": value * (1 - value),
            "1 - a^2 is used, which belongs to tanh": 1 - value**2,
        }
        assert_close(
            submission.call("slope", r, name), slope(r, name), usual, f"slope({r.tolist()}, {name!r})"
        )


@item(points=4, section="back_propagation")
def follows_every_copy(submission):
    """contributions(bits, w_1, w_2, y): what each copy of w_1 adds to dL/dw_1, with the identity, (T,)."""
    for bits, w_1, w_2, y in bit_examples("contributions", "11011", 0.8, 1.5, 2.0):
        walk = Walk(bits, w_1, w_2, y)
        right, old, steps = walk.copies, walk.states[:-1], np.arange(len(bits))
        loss = 2 * (walk.states[-1] - y)
        usual = {
            "the copies stand in the order from the last to the first": right[::-1],
            "copy t is multiplied by q_t, and it multiplies the old state, q_(t-1)": (
                walk.errors * walk.states[1:]
            ),
            "the way from step t to the end, a factor w_1 for each step, is missing": loss * old,
            "there is a factor w_1 too many: from step t to step T there are T - t": right * w_1,
            "the early copies have the short way: theirs is the longest": loss * w_1**steps * old,
            "the factor of the loss, -2 (y - q_T), is missing": right / loss,
            "the sign is wrong: dL/dq_T is -2 (y - q_T)": -right,
            "the sum is returned and its parts are asked for": right.sum(),
        }
        asked = f"contributions({bits!r}, {w_1}, {w_2}, {y})"
        assert_close(submission.call("contributions", bits, w_1, w_2, y), right, usual, asked)


@item(points=6, section="back_propagation")
def differentiates_any_activation(submission):
    """bit_gradient(bits, w_1, w_2, y, activation): (dL/dw_1, dL/dw_2), with a'(r_t) at every step, the last too."""
    examples = bit_examples("bit_gradient", "110100", 0.9, -0.7, 0.5)
    for (bits, w_1, w_2, y), name in product(examples, ("identity", "tanh", "sigmoid")):
        walk = Walk(bits, w_1, w_2, y, name)
        slopes, last = slope(walk.inputs, name), np.arange(len(bits)) == len(bits) - 1
        no_slope = 2 * (walk.states[-1] - y) * w_1 ** np.arange(len(bits))[::-1]
        usual = {
            "the lecture's numbers are written in place of the formula": [32, 68],
            f"a'(r_{len(bits)}), the slope at the last step, is missing; the identity hides it": (
                walk.gradient / slopes[-1]
            ),
            "a'(r_t) is missing at every step; the identity hides it": walk.summed(no_slope),
            "only the copy of the last step is counted": walk.summed(walk.errors * last),
            "copy t of w_2 is multiplied by a state, and it multiplies the bit x_t": [walk.gradient[0]] * 2,
            "the two have changed places": walk.gradient[::-1],
            "the sign is wrong: dL/dq_T is -2 (y - q_T)": -walk.gradient,
        }
        asked = f"bit_gradient({bits!r}, {w_1}, {w_2}, {y}, {name!r})"
        came = submission.call("bit_gradient", bits, w_1, w_2, y, name)
        came = split_parts(came, ("dL/dw_1", "dL/dw_2"), asked, shape=())
        assert_close(np.array(list(came.values())), walk.gradient, usual, asked, EXACT)


# --- the k-mer network


@item(points=2, section="kmer_network")
def numbers_kmers(submission):
    """kmer_ids(sequence, k): the number of each k-mer in turn, AA..A is 0 and TT..T is 4**k - 1, (time - k + 1,)."""
    rng = input_generator("kmer_ids")
    k = int(rng.integers(1, 5))
    drawn = (
        (draw_dna(rng, rng.integers(12, 20)), 2),
        (draw_dna(rng, rng.integers(8, 12)), k),
        (draw_dna(rng, 5), 5),
    )
    for sequence, k in (("GATTACAGT", 3), *drawn):
        words = ["".join(letters) for letters in product(BASES, repeat=k)]
        right = np.array([words.index(sequence[i : i + k]) for i in range(len(sequence) - k + 1)])
        backwards = [words.index(sequence[i : i + k][::-1]) for i in range(len(right))]
        usual = {
            "the k-mers are taken side by side: they overlap, the next begins one base later": right[::k],
            "the last k-mer is left out": right[:-1],
            "the first base has the least weight: it is the leading digit": backwards,
            "counting begins at 1: AA..A is 0": right + 1,
        }
        assert_close(submission.call("kmer_ids", sequence, k), right, usual, f"kmer_ids({sequence!r}, {k})")


@item(points=6, section="kmer_network")
def runs_forward(submission):
    """forward(ids, h_0, L, H, I, b_1, U, b_2): e (T, d), z and h (T, D_h), q and y_hat (T, |V|), a row a step."""
    for run in kmer_runs("forward"):
        H, q = run.weights["H"], run.forward["q"]
        usual = {
            "H is transposed": run.changed(H=H.T),
            "the bias b_1 is forgotten": run.changed(b_1=0),
            "the bias b_2 is forgotten": run.changed(b_2=0),
            "the run begins at zero and not at h_0": run.changed(h_0=0 * run.h_0),
            "no state is passed on": run.changed(H=0 * H),
            "tanh stands in the place of the sigmoid": run.changed(name="tanh"),
            "y_hat is not divided by its sum over the k-mers": {"y_hat": np.exp(q)},
            "the soft-max runs over the steps: it belongs over the k-mers": {"y_hat": softmax(q, axis=0)},
        }
        came = submission.call("forward", run.ids, *run.weights.values())
        assert_parts_close(came, run.forward, usual, f"forward(...) of {run.size}")


@item(points=2, section="kmer_network")
def measures_cross_entropy(submission):
    """cross_entropy(labels, y_hat): J at each step, minus the log of the probability of the label, (T,)."""
    for run in kmer_runs("cross_entropy"):
        losses = run.losses()
        usual = {
            "the sum or the mean is returned and a loss for each step is asked for": losses.mean(),
            "the sum is returned and a loss for each step is asked for": losses.sum(),
            "the minus is missing": -losses,
            "the logarithm is missing": 1 - np.exp(-losses),
            "the logarithm has base 2": losses / np.log(2),
        }
        came = submission.call("cross_entropy", run.labels, run.y_hat)
        assert_close(came, losses, usual, f"cross_entropy(labels, y_hat) of {run.size}")


@item(points=3, section="kmer_network")
def differentiates_the_output(submission):
    """output_gradients(label, y_hat, h): dJ/db_2 and dJ/dU of the last step, (|V|,) and (D_h, |V|)."""
    for run in kmer_runs("output_gradients"):
        delta, state, probabilities = run.gradient("b_2"), run.h[-1], run.y_hat[-1]
        usual = {
            "delta_1 is y - y_hat: its sign is wrong": {"dJ/db_2": -delta, "dJ/dU": np.outer(state, -delta)},
            "the 1 of the label is not taken off": {
                "dJ/db_2": probabilities, "dJ/dU": np.outer(state, probabilities),
            },
            "dJ/dU is transposed: U is D_h x |V|, and so is its gradient": {"dJ/dU": np.outer(delta, state)},
        }  # fmt: skip
        right = {"dJ/db_2": delta, "dJ/dU": run.gradient("U")}
        came = submission.call("output_gradients", int(run.labels[-1]), probabilities, state)
        assert_parts_close(came, right, usual, "output_gradients(label, y_hat, h)", EXACT)


@item(points=6, section="kmer_network")
def sends_the_error_back(submission):
    """errors(delta_1, U, H, h): dJ/dz at each step for the loss of the last step, (T, D_h)."""
    for run in kmer_runs("errors"):
        U, H, h = run.weights["U"], run.weights["H"], run.h
        usual = {
            "1 - h^2 is used, the slope of tanh; this network has a sigmoid, whose slope is h (1 - h)": (
                run.sent_back(H, 1 - h**2)
            ),
            "the slope h (1 - h) is missing": run.sent_back(H, np.ones_like(h)),
            "H should be transposed on the way back": run.sent_back(H.T, h * (1 - h)),
            "the error stops at the last step": run.sent_back(0 * H, h * (1 - h)),
            "the steps stand in the order from the last to the first": run.errors[::-1],
        }
        came = submission.call("errors", run.gradient("b_2"), U, H, h)
        assert_close(came, run.errors, usual, f"errors(delta_1, U, H, h) of {run.size}", EXACT)


@item(points=5, section="kmer_network")
def mends_the_slip(submission):
    """gradient_H(errors, h_0, h): dJ/dH, summed over the steps, (D_h, D_h). The lecture's formula has a slip."""
    for run in kmer_runs("gradient_H"):
        right, errors, h = run.gradient("H"), run.errors, run.h
        old = np.vstack([run.h_0, h[:-1]])
        usual = {
            "step t is multiplied by h of the same step, as lecture 001 prints it; z of step t holds h of step t - 1": (
                h.T @ errors
            ),
            "the first step has no part: its old state is h_0, which need not be zero": old[1:].T
            @ errors[1:],
            "only the last step is counted": np.outer(old[-1], errors[-1]),
            "it is transposed": right.T,
        }
        came = submission.call("gradient_H", errors, run.h_0, h)
        assert_close(came, right, usual, f"gradient_H(errors, h_0, h) of {run.size}", EXACT)


@item(points=3, section="kmer_network")
def differentiates_the_input(submission):
    """input_gradients(errors, e): dJ/dI and dJ/db_1, summed over the steps, (d, D_h) and (D_h,)."""
    for run in kmer_runs("input_gradients"):
        errors, e = run.errors, run.forward["e"]
        right = {"dJ/dI": run.gradient("I"), "dJ/db_1": run.gradient("b_1")}
        usual = {
            "only the last step is counted": {"dJ/dI": np.outer(e[-1], errors[-1]), "dJ/db_1": errors[-1]},
            "dJ/dI is transposed": {"dJ/dI": right["dJ/dI"].T},
            "dJ/db_1 is not summed over the steps": {"dJ/db_1": errors},
        }
        came = submission.call("input_gradients", errors, e)
        assert_parts_close(came, right, usual, f"input_gradients(errors, e) of {run.size}", EXACT)


@item(points=4, section="kmer_network")
def differentiates_the_embedding(submission):
    """gradient_L(errors, ids, I, vocabulary): dJ/dL, (|V|, d): nothing in the rows of k-mers that do not occur."""
    for run in kmer_runs("gradient_L"):
        ids, I, right = run.ids, run.weights["I"], run.gradient("L")  # noqa: E741
        sent = run.errors @ I.T
        once, last = np.zeros_like(right), np.zeros_like(right)
        once[ids], last[ids[-1]] = sent, sent[-1]
        usual = {
            "a k-mer that occurs twice counts once: L[ids] += ... adds only its last step, np.add.at adds all": once,
            "only the last step is counted; all steps share one L": last,
            "every row gets a share: row i belongs to k-mer i and gets what its own steps send": (
                np.broadcast_to(sent.sum(axis=0), right.shape)
            ),
            "a row for each step is returned and a row for each k-mer is asked for": sent,
        }
        came = submission.call("gradient_L", run.errors, ids, I, len(right))
        assert_close(came, right, usual, f"gradient_L(errors, {ids.tolist()}, I, {len(right)})", EXACT)


# --- hello


@item(points=3, section="hello")
def reads_letters(submission):
    """letter_states(ids, W_xh, w, b): h_t = tanh(W_xh x_t + w h_(t-1) + b) for scalars w and b, h_0 = 0, (T, 3)."""
    rng = input_generator("letter_states")
    examples = [(np.random.default_rng(5).uniform(0, 0.9, (3, 4)), 0.45, 0.6, np.array([0, 1, 2, 2]))]
    for length in (rng.integers(5, 10), 1):
        w, b = draw_weights(rng, 2)
        examples.append((rng.normal(0, 0.6, (3, 4)), w, b, rng.integers(0, 4, length)))
    for W_xh, w, b, ids in examples:
        right = letter_states(ids, W_xh, w, b)
        usual = {
            "the bias is missing": letter_states(ids, W_xh, w, 0),
            "the bias is missing at the first letter": letter_states(ids, W_xh, w, b, start=-b / w),
            "no state is passed on": letter_states(ids, W_xh, 0, b),
            "w multiplies the bias too": letter_states(ids, W_xh, w, w * b),
            "the activation is missing": letter_states(ids, W_xh, w, b, name="identity"),
        }
        asked = f"letter_states({ids.tolist()}, W_xh, {w}, {b})"
        assert_close(submission.call("letter_states", ids, W_xh, w, b), right, usual, asked)


@item(points=2, section="hello")
def gives_probabilities(submission):
    """letter_probabilities(state, W_hy): the soft-max of W_hy h, (4,), also where W_hy h holds a thousand."""
    rng, drawn = np.random.default_rng(6), input_generator("letter_probabilities")
    examples = [(rng.uniform(0.3, 1, 3), scale * rng.uniform(0, 1, (4, 3))) for scale in (1, 1000)]
    examples += [(drawn.uniform(-1, 1, 3), scale * drawn.normal(0, 1, (4, 3))) for scale in (1, 1000)]
    for state, W_hy in examples:
        scores = W_hy @ state
        usual = {
            "the scores are divided by their sum, without the exponential": scores / scores.sum(),
            "each score has its own sigmoid: the four don't add up to 1": expit(scores),
            "the exponentials are not divided by their sum": np.exp(np.minimum(scores, 700)),
        }
        came = submission.call("letter_probabilities", state, W_hy)
        asked = f"letter_probabilities for scores {scores.round(2).tolist()}"
        if not isinstance(came, tuple) and not np.isfinite(came).all():
            hint = "exp(1000) is infinite: subtract the largest score first, which changes no probability."
            raise Failure(f"{asked} gives {came}.", hint)
        assert_close(came, softmax(scores), usual, asked)


@item(points=3, section="hello")
def recovers_the_weights(submission):
    """recover(W_xh, state): (w, b), the scalars that led to this state after 'h' and 'e'; your own numbers."""
    shares = []
    for W_xh, w, b in (riddle(submission.signed), draw_riddle(input_generator("recover"))):
        right, state = {"w": w, "b": b}, letter_states([0, 1], W_xh, w, b)[-1]
        came = split_parts(submission.call("recover", W_xh, state), right, "recover(W_xh, state)")
        if not is_close(came["w"], w) and is_close(came["w"], b) and is_close(came["b"], w):
            raise Failure("recover(W_xh, state) returns (b, w), expected (w, b).", "Swap the two.")
        hint = (
            "Put your w and b into letter_states: the state after 'h' and 'e' must be the one you were given."
        )
        shares.append(share_right(came, right, hint))
    return min(shares, key=lambda credit: credit.share)


@item(points=3, section="hello")
def says_hello(submission):
    """hello.keras: one-hot letters h, e, l, o, (batch, time, 4); after h, e, l, l it says e, l, l, o."""
    plan = submission.model(HELLO).plan
    check_architecture(
        plan, HELLO, [*RECURRENT, "Dense", "Dropout"]
    )  # without memory, three of four are right
    require_shapes(HELLO, plan, (None, None, 4), (None, None, 4), "Dense(4, activation='softmax')")
    [scores] = submission.predict(HELLO, [np.eye(4, dtype=np.float32)[[0, 1, 2, 2]]])
    said = "".join(LETTERS[letter] for letter in scores.argmax(axis=1))
    good = np.mean([one == other for one, other in zip(said, "ello", strict=True)])
    if said[2] == said[3]:
        hint = "After both l it says the same: only a memory can tell the first l from the second."
    else:
        hint = "Train for more updates, and print what it says after each ten."
    return Credit(
        good, f"After h, e, l, l it says {', '.join(said)}; expected e, l, l, o.", "" if good == 1 else hint
    )


# --- shapes


@item(points=4, section="shapes")
def names_the_shapes(submission):
    """shapes(): for your own sizes, the shapes of W_hx, W_hh, W_yh, b_h, b_y and the number of parameters."""
    inputs, units, outputs = sizes(submission.signed)
    right = shapes_for(inputs, units, outputs)
    came = split_parts(submission.call("shapes"), right, "shapes()")
    yours = f"Yours are {inputs} inputs, {units} hidden units, {outputs} outputs."
    if is_close(came["W_hx"], right["W_hx"][::-1]):
        yours += " The lecture multiplies from the left, W_hx x: its W_hx has a row for each hidden unit."
    return share_right(came, right, yours)


def shapes_for(inputs: int, units: int, outputs: int) -> dict[str, np.ndarray]:
    """The shapes of lecture 003's matrices and biases, which multiply columns, and how many numbers they hold."""
    shapes = {
        "W_hx": (units, inputs), "W_hh": (units, units), "W_yh": (outputs, units), "b_h": (units,), "b_y": (outputs,)
    }  # fmt: skip
    total = sum(map(np.prod, shapes.values()))
    return {name: np.array(shape) for name, shape in shapes.items()} | {"parameters": total}


@item(points=1, section="shapes")
def stacks_two_matrices(submission):
    """stacked(W_hh, W_hx, b, h, x): tanh(W [h; x] + b) with W = (W_hh W_hx), for columns h and x: (units,)."""
    rng = input_generator("stacked")
    units = int(rng.integers(2, 6))
    for draw, n, m in ((np.random.default_rng(8), 3, 4), (rng, units, units + 1), (rng, units + 2, 1)):
        W_hh, W_hx, b, h, x = (draw.normal(0, 0.6, shape) for shape in ((n, n), (n, m), n, n, m))
        usual = {
            "W_hh is transposed": np.tanh(W_hh.T @ h + W_hx @ x + b),
            "the bias is missing": np.tanh(W_hh @ h + W_hx @ x),
            "the activation is missing": W_hh @ h + W_hx @ x + b,
        }
        right, asked = (
            rnn_states(x[None], h, W_hx.T, W_hh.T, b)[0],
            f"stacked(...) of {n} units and {m} inputs",
        )
        assert_close(submission.call("stacked", W_hh, W_hx, b, h, x), right, usual, asked, atol=1e-6)


# --- Jacobians


@item(points=2, section="jacobians")
def differentiates_one_step(submission):
    """jacobian(h, W_hh): dh_t/dh_(t-1) for h_t = tanh(W_hh h_(t-1) + ...), columns as in lecture 003, (n, n)."""
    for run in column_runs("jacobian"):
        right, W_hh, h = run.jacobian(2, 1), run.W_hh, run.states[2]
        usual = {
            "the slope stands on the columns: row i of W_hh gets the slope of unit i": W_hh * (1 - h**2),
            "W_hh is transposed": (1 - h**2)[:, None] * W_hh.T,
            "it is transposed as a whole: row i is unit i of h_t, column j unit j of h_(t-1)": right.T,
            "the slope 1 - h^2 is missing": W_hh,
            "h (1 - h) is used, the slope of the sigmoid; here is tanh": (h * (1 - h))[:, None] * W_hh,
        }
        assert_close(submission.call("jacobian", h, W_hh), right, usual, "jacobian(h, W_hh)", EXACT)


@item(points=4, section="jacobians")
def multiplies_jacobians(submission):
    """jacobian_product(states, W_hh, k, t): dh_t/dh_k from the states h_0, ..., h_T, rows of (T + 1, n); (n, n)."""
    for run in column_runs("jacobian_product"):
        k, t = 1, len(run.inputs) - 2
        steps, right = [run.jacobian(i, i - 1) for i in range(k + 1, t + 1)], run.jacobian(t, k)
        usual = {
            "the factors stand in the other order: the step to h_t is the leftmost": np.linalg.multi_dot(
                steps
            ),
            "it has a factor too many: it begins with dh_k/dh_(k-1), but h_k stays as it is": (
                run.jacobian(t, k - 1)
            ),
            "the last factor, dh_t/dh_(t-1), is missing": run.jacobian(t - 1, k),
            "the factors are multiplied element by element": np.prod(steps, axis=0),
            "states[0] is h_0; the states are read one step too late": run.jacobian(t + 1, k + 1),
            "it is transposed": right.T,
        }
        asked = f"jacobian_product(states, W_hh, {k}, {t})"
        assert_close(
            submission.call("jacobian_product", run.states, run.W_hh, k, t), right, usual, asked, EXACT
        )
        same_step = submission.call("jacobian_product", run.states, run.W_hh, t, t)
        asked = f"jacobian_product(states, W_hh, {t}, {t}), an empty product,"
        assert_close(same_step, np.eye(len(run.W_hh)), {}, asked)


@item(points=4, section="jacobians")
def sums_over_all_steps(submission):
    """gradient_W_hh(dL_dh, states, W_hh): dL/dW_hh for L, the sum of L_t, where row t - 1 of dL_dh is dL_t/dh_t."""
    for run in column_runs("gradient_W_hh"):
        right, slopes, last = run.gradient(run.dL_dh), 1 - run.states[1:] ** 2, run.dL_dh.copy()
        last[:-1] = 0
        usual = {
            "only the loss of the last step is counted": run.gradient(last),
            "of the sum over k only k = t is counted: W_hh also acted at every step before": (
                (run.dL_dh * slopes).T @ run.states[:-1]
            ),
            "h of the same step is used: dh_k/dW_hh holds the old state h_(k-1)": (
                run.errors(run.dL_dh).T @ run.states[1:]
            ),
            "it is transposed": right.T,
        }
        came = submission.call("gradient_W_hh", run.dL_dh, run.states, run.W_hh)
        assert_close(
            came, right, usual, f"gradient_W_hh(dL_dh, states, W_hh) of {len(run.inputs)} steps", EXACT
        )


# --- concepts: the questions are shown in the notebook

unshared, long_looks, same_state, one_update = concept_questions(
    __file__, "unshared", "long_looks", "same_state", "one_update"
)


@item(points=2, section="concepts")
def knows_what_sharing_saves(submission):
    """UNSHARED: the weights and biases that a network without shared weights has more, for your own sizes."""
    unshared(submission.signed).judge(submission.value("UNSHARED"))


@item(points=2, section="concepts")
def counts_long_looks(submission):
    """LONG_LOOKS: the terms of the gradient that reach back over many steps, for your own lengths."""
    long_looks(submission.signed).judge(submission.value("LONG_LOOKS"))


@item(points=2, section="concepts")
def knows_what_a_state_is(submission):
    """SAME_STATE: what a network still knows of two beginnings that left the same state."""
    same_state(submission.signed).judge(submission.value("SAME_STATE"))


@item(points=2, section="concepts")
def knows_what_an_update_does(submission):
    """ONE_UPDATE: how far one update moves a weight that is used at every step."""
    one_update(submission.signed).judge(submission.value("ONE_UPDATE"))


@item(points=2, section="concepts")
def explains_memory(submission):
    """Where does a recurrent network keep what it has learnt, and where what it has just read? A person reads it."""
    return submission.text("explains_memory")


# --- the counter on many sequences


def short_sequences() -> list[np.ndarray]:
    """Every sequence of 1 to 8 bases, as numbers 0 to 3: an array (4**length, length) for each length."""
    return [np.indices([4] * length).reshape(length, -1).T for length in range(1, 9)]


def long_sequences() -> list[np.ndarray]:
    """Of 100, 1,000 and 10,000 bases, twelve each: three with two G, three with three, one with none, five random."""
    rng, drawn = np.random.default_rng(9), []
    for length in (100, 1_000, 10_000):
        drawn.append(rng.integers(0, 4, (12, length)))
        for row, guanines in zip(drawn[-1], (2, 3, 2, 3, 2, 3, 0), strict=False):
            row[row == BASES.index("G")] = BASES.index("A")
            row[rng.choice(length, guanines, replace=False)] = BASES.index("G")
    return drawn


class Counted(NamedTuple):
    """Sequences as numbers 0 to 3 and one-hot, (time,) and (time, 4) each, and how many G are in each, (n,)."""

    codes: list[np.ndarray]
    one_hot: list[np.ndarray]
    count: np.ndarray


@cache  # the whole class is asked about the same sequences
def counted(*kinds: str) -> Counted:
    """The "short" sequences, the "long" ones, or both."""
    if len(kinds) > 1:
        codes, one_hot, count = zip(*map(counted, kinds), strict=True)
        return Counted(sum(codes, []), sum(one_hot, []), np.concatenate(count))
    sequences = {"short": short_sequences, "long": long_sequences}[kinds[0]]()
    rows = np.eye(len(BASES), dtype=np.float32)
    codes, one_hot = (
        [row for many in all_of for row in many] for all_of in (sequences, [rows[many] for many in sequences])
    )
    return Counted(codes, one_hot, np.array([(one == BASES.index("G")).sum() for one in codes]))


def check_counter(submission, name: str, units: int, *kinds: str) -> None:
    """Raise Failure unless the model says yes, above 0.5, to the sequences with three or more G and no others.

    kinds: of the sequences, see `counted`. The first that it gets wrong is shown, with the course of the state over
    it.
    """
    model = submission.model(name)
    require_counter(name, model.plan, units)
    sequences, one_hot, count = counted(*kinds)
    said = submission.predict(name, one_hot)[:, 0] > 0.5
    wrong = np.flatnonzero(said != (count >= 3))
    title = "Right answers by how many G there are, six or more in one group"
    figures.show(figures.by_group(np.minimum(count, 6), said == (count >= 3), title))
    if not wrong.size:
        return
    first = wrong[0]
    codes, answer = sequences[first], "yes" if said[first] else "no"
    text = "".join(BASES[code] for code in codes) if len(codes) <= 8 else f"one of {len(codes):,} bases"
    reason = f"{name} is wrong on {wrong.size:,} of {len(said):,} sequences; the shortest is {text}, "
    reason += f"which holds {count[first]} G: the model says {answer}."
    if threshold := next((n for n in (2, 4, 1, 5) if (said == (count >= n)).all()), None):
        reason += f" It says yes from {threshold} G on: its threshold is off by {abs(threshold - 3)}."
    elif said.all() or not said.any():
        reason += f" It says {answer} to every sequence."
    raise Failure(reason, f"The state over it: {course(model, codes)}.")


def require_counter(name: str, plan, units: int) -> None:
    """Raise Failure unless the model is a SimpleRNN of so many units and a Dense(1) on its last state."""
    if plan.kinds != ("InputLayer", "SimpleRNN", "Dense"):
        came = ", ".join(plan.kinds)
        raise Failure(
            f"{name} holds {came}; expected an input, a SimpleRNN and a Dense layer.",
            "Nothing else is needed.",
        )
    check_architecture(plan, name, ["SimpleRNN", "Dense"], every_path=["SimpleRNN"])
    recurrent = plan.layers[1]
    if recurrent["units"] != units:
        raise Failure(f"{name} has {recurrent['units']} units, expected {units}.", f"SimpleRNN({units}, ...)")
    if recurrent["go_backwards"]:
        raise Failure(f"{name} reads from right to left.", "Leave go_backwards at False.")
    require_shapes(name, plan, (None, None, len(BASES)), (None, 1), "Dense(1) on the last state")


def require_shapes(name: str, plan, inputs: tuple, outputs: tuple, end: str) -> None:
    """Raise Failure unless a model takes and returns these shapes; None stands for any number."""
    if tuple(plan.input_shape) != inputs:
        reason = f"{name} takes inputs of shape {plan.input_shape}, expected {inputs}."
        raise Failure(reason, f"Begin it with keras.Input(shape=(None, {inputs[-1]})).")
    if tuple(plan.output_shape) != outputs:
        raise Failure(f"{name} returns shape {plan.output_shape}, expected {outputs}.", f"End with {end}.")


def course(model, codes: np.ndarray) -> str:
    """The state of a model's SimpleRNN after each base, in words; of a long sequence, after the first four G."""
    layer = model.plan.layers[1]
    kernel, recurrent, *bias = model.weights[: 2 + layer["use_bias"]]
    one_hot, start, activation = (
        np.eye(len(BASES))[codes],
        np.zeros(layer["units"]),
        OF_KERAS[layer["activation"]],
    )
    states = rnn_states(
        one_hot, start, kernel, recurrent, bias[0] if bias else 0, lambda r: activation(r[:, None])[:, 0]
    )
    steps: Iterable[int] = range(len(codes))
    if len(codes) > 8:
        steps = [*np.flatnonzero(codes == BASES.index("G"))[:4], len(codes) - 1]
    return ", ".join(f"{BASES[codes[t]]} at {t + 1} -> ({numbers(states[t])})" for t in steps)


def numbers(values: np.ndarray) -> str:
    return " ".join(f"{value:.3g}" for value in values)


# --- the inputs of functions: one fixed example, the others drawn


def draw_dna(rng: np.random.Generator, length: int, bases: str = BASES) -> str:
    return "".join(rng.choice(list(bases), length))


def draw_weights(rng: np.random.Generator, count: int) -> list[float]:
    """Draw positive and negative numbers, none of them near 0 or large."""
    return (rng.choice([-1, 1], count) * rng.uniform(0.3, 1.3, count)).round(3).tolist()


def bit_examples(
    topic: str, bits: str, w_1: float, w_2: float, y: float = 0.0
) -> Iterator[tuple[str, float, float, float]]:
    """Yield bits, w_1, w_2 and y: those of the fixed example, then drawn ones; the last example is a single bit.

    The longer string starts with 1 and ends with 0, so that it reads differently backwards.
    """
    yield bits, w_1, w_2, y
    rng = input_generator(topic)
    inner = "".join(rng.choice(["0", "1"], rng.integers(5, 9)))
    for bits in (f"1{inner}0", "1"):
        yield bits, *draw_weights(rng, 3)


def kmer_runs(topic: str) -> Iterator["Kmers"]:
    """Yield the fixed example, five 2-mers, then drawn ones; a k-mer occurs twice; the last example is a single one.

    The sizes of a network differ, so that a swap shows.
    """
    shapes = {"L": (16, 2), "H": (3, 3), "I": (2, 3), "b_1": (3,), "U": (3, 16), "b_2": (16,)}
    yield draw_kmers(np.random.default_rng(7), [2, 11, 7, 2, 13], [11, 7, 2, 13, 5], shapes)
    rng = input_generator(topic)
    for steps in (rng.integers(4, 8), 1):
        d, units, words = int(rng.integers(2, 4)), int(rng.integers(4, 6)), 4 ** int(rng.integers(1, 3))
        ids, labels = rng.integers(0, words, (2, steps))
        ids[2::2] = ids[0]
        shapes = {
            "L": (words, d), "H": (units, units), "I": (d, units), "b_1": (units,), "U": (units, words), "b_2": (words,)
        }  # fmt: skip
        yield draw_kmers(rng, ids, labels, shapes)


def draw_kmers(rng: np.random.Generator, ids, labels, shapes: dict[str, tuple]) -> "Kmers":
    """Draw h_0 and weights of these shapes for a run over these k-mers."""
    weights = {name: rng.normal(0, 0.8, shape) for name, shape in shapes.items()}
    h_0 = rng.uniform(0.1, 0.9, shapes["b_1"])
    return Kmers(np.array(ids), np.array(labels), {"h_0": h_0, **weights})


def column_runs(topic: str) -> Iterator["Columns"]:
    """Yield the fixed example, six steps of three units, then two drawn ones of other sizes."""
    yield draw_columns(np.random.default_rng(10), 3, 6)
    rng = input_generator(topic)
    for units in (2, int(rng.integers(4, 7))):
        yield draw_columns(rng, units, int(rng.integers(5, 9)))


def draw_columns(rng: np.random.Generator, units: int, steps: int) -> "Columns":
    """Draw a run from a random h_0, and a loss at each step."""
    W_hh, inputs = rng.normal(0, 0.8, (units, units)), rng.normal(0, 0.5, (steps, units))
    return Columns(W_hh, inputs, rng.uniform(-1, 1, units), rng.normal(0, 1, (steps, units)))


# --- networks as plain forward passes, and their derivatives


STEP = 2.0**-100


def derivative(function: Callable[[np.ndarray], np.ndarray], at: np.ndarray) -> np.ndarray:
    """Return d function / d at: an array whose first axes are those of the result and whose last are those of `at`.

    Wiggles each number by an imaginary STEP. Nothing is subtracted, so no digit is lost, however small the step
    (Squire and Trapp, 1998). Holds for functions made of +, *, /, exp, log and tanh.
    """
    at = np.asarray(at)
    wiggles = 1j * STEP * np.eye(at.size).reshape(at.size, *at.shape)
    columns = [np.imag(function(at + wiggle)) / STEP for wiggle in wiggles]
    return np.stack(columns, axis=-1).reshape(*columns[0].shape, *at.shape)


def slope(r: np.ndarray, name: str) -> np.ndarray:
    """Return a'(r), elementwise, of the activation called `name`."""
    return np.imag(ACTIVATIONS[name](r + 1j * STEP)) / STEP


@dataclass(frozen=True)
class Walk:
    """Lecture 000's network of one unit along a bitstring, from q_0 = 0, with the loss L = (y - q_T)^2."""

    bits: str
    w_1: float
    w_2: float
    y: float = 0.0
    name: str = "identity"

    def run(self, copies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs r (T,) and states q (T + 1,); copies (T, 3) hold w_1, w_2 and a term of r for each step."""
        inputs, states = [], [0.0]
        for x, (w_1, w_2, nudge) in zip(self.x, copies, strict=True):
            inputs.append(w_1 * states[-1] + w_2 * x + nudge)
            states.append(ACTIVATIONS[self.name](inputs[-1]))
        return np.array(inputs), np.array(states)

    @cached_property
    def x(self) -> np.ndarray:
        return np.array([float(bit) for bit in self.bits])

    @cached_property
    def shared(self) -> np.ndarray:
        """Equal copies for all steps."""
        return np.tile([self.w_1, self.w_2, 0.0], (len(self.bits), 1))

    @property
    def inputs(self) -> np.ndarray:
        return self.run(self.shared)[0]

    @cached_property
    def states(self) -> np.ndarray:
        return self.run(self.shared)[1]

    @cached_property
    def _gradients(self) -> np.ndarray:
        return derivative(lambda copies: (self.y - self.run(copies)[1][-1]) ** 2, self.shared)

    @property
    def copies(self) -> np.ndarray:
        """What each copy of w_1 adds to dL/dw_1, (T,)."""
        return self._gradients[:, 0]

    @property
    def errors(self) -> np.ndarray:
        """dL/dr_t, (T,)."""
        return self._gradients[:, 2]

    @property
    def gradient(self) -> np.ndarray:
        """dL/dw_1 and dL/dw_2, (2,)."""
        return self._gradients[:, :2].sum(axis=0)

    def summed(self, errors: np.ndarray) -> np.ndarray:
        """Return the gradient that other errors would give."""
        return np.array([errors @ self.states[:-1], errors @ self.x])


@dataclass(frozen=True)
class Kmers:
    """Lecture 001's network along k-mers, a row a step; its gradients are those of the last step's loss.

    weights: h_0, L, H, I, b_1, U and b_2, in the order in which `forward` takes them.
    """

    ids: np.ndarray
    labels: np.ndarray
    weights: dict[str, np.ndarray]

    def run(self, h_0, L, H, I, b_1, U, b_2, name="sigmoid", nudges=0.0) -> dict[str, np.ndarray]:  # noqa: E741
        """Return e, z, h, q and y_hat; nudges (T, D_h) are added to z."""
        e = L[self.ids]
        z, h = [], [h_0]
        for inputs in e @ I + b_1 + nudges:
            z.append(h[-1] @ H + inputs)
            h.append(ACTIVATIONS[name](z[-1]))
        q = np.array(h[1:]) @ U + b_2
        exponentials = np.exp(q)
        y_hat = exponentials / exponentials.sum(axis=1, keepdims=True)
        return {"e": e, "z": np.array(z), "h": np.array(h[1:]), "q": q, "y_hat": y_hat}

    def changed(self, **changed) -> dict[str, np.ndarray]:
        """Return e, z, h, q and y_hat with some weights changed, or with another activation."""
        return self.run(**(self.weights | changed))

    def losses(self, **changed) -> np.ndarray:
        """Return J at each step, (T,), with some weights changed."""
        return -np.log(self.changed(**changed)["y_hat"][np.arange(len(self.ids)), self.labels])

    @cached_property
    def forward(self) -> dict[str, np.ndarray]:
        return self.changed()

    @property
    def h_0(self) -> np.ndarray:
        return self.weights["h_0"]

    @property
    def h(self) -> np.ndarray:
        return self.forward["h"]

    @property
    def y_hat(self) -> np.ndarray:
        return self.forward["y_hat"]

    @property
    def size(self) -> str:
        return f"{len(self.ids)} k-mers" if len(self.ids) > 1 else "1 k-mer"

    @cached_property
    def errors(self) -> np.ndarray:
        """dJ/dz, (T, D_h)."""
        return derivative(lambda nudges: self.losses(nudges=nudges)[-1], np.zeros_like(self.h))

    def gradient(self, name: str) -> np.ndarray:
        """Return the gradient of the last step's loss for the weight called `name`."""
        return derivative(lambda weight: self.losses(**{name: weight})[-1], self.weights[name])

    def sent_back(self, H: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """Return the errors (T, D_h) that a recursion with another H or with other slopes gives."""
        errors = np.zeros_like(slopes)
        arriving = self.gradient("b_2") @ self.weights["U"].T
        for t in reversed(range(len(slopes))):
            errors[t] = arriving * slopes[t]
            arriving = errors[t] @ H.T
        return errors


@dataclass(frozen=True)
class Columns:
    """Lecture 003's network on columns: W_hh (n, n), what comes in at each step (T, n), and a loss at each step.

    dL_dh: the gradient of L_t at h_t, in row t - 1 of (T, n).
    """

    W_hh: np.ndarray
    inputs: np.ndarray
    h_0: np.ndarray
    dL_dh: np.ndarray

    def run(self, start: np.ndarray, W_hh: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        """Return the state `start` and those after it, a row each."""
        return np.vstack([start, rnn_states(inputs, start, np.eye(len(start)), W_hh.T, 0.0)])

    @cached_property
    def states(self) -> np.ndarray:
        """h_0, ..., h_T, rows of (T + 1, n)."""
        return self.run(self.h_0, self.W_hh, self.inputs)

    def jacobian(self, t: int, k: int) -> np.ndarray:
        """Return dh_t/dh_k, (n, n)."""
        return derivative(lambda h: self.run(h, self.W_hh, self.inputs[k:t])[-1], self.states[k])

    def gradient(self, dL_dh: np.ndarray) -> np.ndarray:
        """Return dL/dW_hh for the losses whose gradients at the states are dL_dh."""
        return derivative(lambda W_hh: (self.run(self.h_0, W_hh, self.inputs)[1:] * dL_dh).sum(), self.W_hh)

    def errors(self, dL_dh: np.ndarray) -> np.ndarray:
        """Return dL/dz_k, (T, n)."""
        return derivative(lambda z: (self.run(self.h_0, self.W_hh, z)[1:] * dL_dh).sum(), self.inputs)


def letter_states(
    ids: Iterable[int], W_xh: np.ndarray, w: float, b: float, start: float = 0.0, name: str = "tanh"
) -> np.ndarray:
    """Return the states (T, 3) of lecture 004's network: a scalar recurrent weight and a scalar bias."""
    ones = np.ones(len(W_xh))
    return rnn_states(
        np.eye(4)[list(ids)], start * ones, W_xh.T, w * np.diag(ones), b * ones, ACTIVATIONS[name]
    )


def rnn_states(x, start, kernel, recurrent, bias, activation: Callable = np.tanh) -> np.ndarray:
    """Return the states (T, units) of a SimpleRNN over x (T, inputs) from `start` on; weights as Keras has them."""
    states = [start]
    for inputs in x @ kernel + bias:
        states.append(activation(inputs + states[-1] @ recurrent))
    return np.array(states[1:])
