"""The items of `rnn_by_hand`: 110 points, and stretch points on top.

A notebook of NumPy functions and three small models are handed in. What is right comes from automatic
differentiation, from Keras or from a plain count, never from a table; a wrong answer is compared with what the
usual mistakes give, so that the feedback can name the mistake. Numbers to work out with a pencil are drawn from
the student's id, and so are those of the concept questions. Vectors are rows unless an item says otherwise.
"""

from collections.abc import Callable, Iterable
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np

from autograder.agreement import agree, agree_parts, parts, same, share_right
from autograder.figures import by_group, show
from autograder.models import RECURRENT, check_architecture
from autograder.questions import concept_questions
from autograder.remembered import remembered
from autograder.rubric import Credit, Failure, item, own

BASES, LETTERS = "ACGT", "helo"
COUNTER, ONE_UNIT, HELLO = "counter.keras", "counter_one_unit.keras", "hello.keras"
EXACT = 1e-8  # how closely a gradient must agree with automatic differentiation, in float64


# --- the student's own numbers; the notebook shows them, the items ask for them


def bitstring(student: str) -> tuple[str, int, int, int]:
    """Bits, w_1, w_2 and target y of one student: the first bit and two of the next three are set; y is 1 to 5 off."""
    rng = own(student, "bitstring")
    bits = str(rng.choice(["1011", "1101", "1110"]))
    w_1, w_2 = int(rng.integers(2, 5)), int(rng.integers(1, 6))
    last = walk_bits(bits, w_1, w_2, 0, "identity").states[-1]
    return bits, w_1, w_2, int(last + rng.choice([-5, -4, -3, -2, -1, 1, 2, 3, 4, 5]))


def sizes(student: str) -> tuple[int, int, int]:
    """Inputs, hidden units and outputs of one student's network; no two are equal, so a swap shows."""
    rng = own(student, "sizes")
    return int(rng.integers(5, 13)), int(rng.integers(14, 30)), int(rng.integers(2, 5))


def riddle(student: str) -> tuple[np.ndarray, float, float]:
    """W_xh (3, 4), and the scalars w and b that the student is to recover from the state after 'h' and 'e'."""
    rng = own(student, "riddle")
    return rng.uniform(0.05, 0.9, (3, 4)).round(3), *(float(x) for x in rng.uniform(0.2, 0.7, 2).round(3))


# --- the counter


@item(points=4, section="counter")
def raises_flags(submission):
    """flag_course(sequence): the three flags after each base, (time, 3), from the loop over the bases."""
    sequence = "AGGTCGAGC"
    seen = np.array([0, 1, 2, 2, 2, 3, 3, 4, 4])  # G, counted by hand
    right = np.stack([seen >= 1, seen >= 2, seen >= 3], axis=1)
    usual = {
        "the first G raises all flags: each flag looks at the others as this same G has left them, and should "
        "look at the old ones": np.repeat(right[:, :1], 3, axis=1),
        "flags go down again: a flag that is up stays up": np.stack([seen == n for n in (1, 2, 3)], axis=1),
        "the flags are noted before the base is read, not after": np.vstack([[[0] * 3], right[:-1]]),
        "its rows and columns are swapped": right.T,
    }
    agree(submission.call("flag_course", sequence), right, usual, f"flag_course({sequence!r})")


@item(points=3, section="counter")
def computes_one_layer(submission):
    """layer(W, x, q): R = [x q 1] W, then tanh, for W (8, 3), the base x (4,) and the old state q (3,)."""
    rng = np.random.default_rng(3)
    W, x, q = rng.normal(0, 0.7, (8, 3)), np.eye(4)[2], rng.normal(0, 0.7, 3)
    kernel, recurrent, bias = W[:4], W[4:7], W[7]
    usual = {
        "the bias, the last row of W, is forgotten": np.tanh(x @ kernel + q @ recurrent),
        "the state comes before the base": np.tanh(np.concatenate([q, x, [1]]) @ W),
        "the activation is missing": x @ kernel + q @ recurrent + bias,
        "the old state has no part in it": np.tanh(x @ kernel + bias),
        "the block of the state, rows 4 to 6, is transposed": np.tanh(x @ kernel + q @ recurrent.T + bias),
    }
    right = keras_states(x[None], q, kernel, recurrent, bias)[0]
    agree(submission.call("layer", W, x, q), right, usual, "layer(W, x, q)", atol=1e-6)


@item(points=9, section="counter")
def counts_short_sequences(submission):
    """counter.keras: three units set by hand, right on each of the 87,380 sequences of 1 to 8 bases."""
    check_counter(submission, COUNTER, 3, "short")


@item(points=6, section="counter")
def counts_long_sequences(submission):
    """counter.keras: right on sequences of 100, 1,000 and 10,000 bases, half of them with two or three G."""
    check_counter(submission, COUNTER, 3, "long")


@item(points=3, stretch=True, section="counter")
def counts_with_one_unit(submission):
    """counter_one_unit.keras: one unit is enough, on the 87,380 short sequences and on the long ones."""
    check_counter(submission, ONE_UNIT, 1, "short", "long")


# --- back-propagation on a bitstring


@item(points=3, section="back_propagation")
def walks_along_the_bits(submission):
    """bit_states(bits, w_1, w_2, activation): q_0, ..., q_T with q_t = a(w_1 q_(t-1) + w_2 x_t), (T + 1,)."""
    bits, w_1, w_2 = "1101", 0.7, -1.3
    for name in ("identity", "tanh", "sigmoid", "relu"):
        right = walk_bits(bits, w_1, w_2, 0, name).states
        usual = {
            "q_0 = 0 is missing in front": right[1:],
            "w_1 and w_2 have changed places": walk_bits(bits, w_2, w_1, 0, name).states,
            "the activation is not applied": walk_bits(bits, w_1, w_2, 0, "identity").states,
            "the bits are read from right to left": walk_bits(bits[::-1], w_1, w_2, 0, name).states,
        }
        asked = f"bit_states({bits!r}, {w_1}, {w_2}, {name!r})"
        agree(submission.call("bit_states", bits, w_1, w_2, name), right, usual, asked)


@item(points=6, section="back_propagation")
def back_propagates_by_hand(submission):
    """by_hand(): q_1, q_2, q_3, q_4, dL/dw_1, dL/dw_2 for your own numbers and the identity, a point each."""
    bits, w_1, w_2, y = bitstring(submission.signed)
    walk = walk_bits(bits, w_1, w_2, y, "identity")
    right = dict(zip(("q_1", "q_2", "q_3", "q_4"), walk.states[1:], strict=True))
    right |= {"dL/dw_1": walk.gradient[0], "dL/dw_2": walk.gradient[1]}
    came = parts(submission.call("by_hand"), right, "by_hand()")
    yours = f"Yours are the bits {bits}, w_1 = {w_1}, w_2 = {w_2}, y = {y}."
    if same(came["dL/dw_1"], 32) and same(came["dL/dw_2"], 68):
        lecture = "32 and 68 belong to the lecture's 101 with w_1 = 4, w_2 = 1, y = 15."
        raise Failure(f"by_hand() gives the lecture's numbers: {lecture}", yours)
    return share_right(came, right, yours)


@item(points=2, section="back_propagation")
def knows_the_slopes(submission):
    """slope(r, activation): a'(r), elementwise, for identity, tanh, sigmoid and relu."""
    r = np.array([-2.0, -0.3, 0.4, 1.7])
    for name in ("identity", "tanh", "sigmoid", "relu"):
        value, right = activation(r, name)
        usual = {
            "a(r) is returned, not its slope": value,
            "r is put in where the formula has a(r)": {"tanh": 1 - r**2, "sigmoid": r * (1 - r)}.get(
                name, value
            ),
            "a (1 - a) is used, which belongs to the sigmoid": value * (1 - value),
            "1 - a^2 is used, which belongs to tanh": 1 - value**2,
        }
        agree(submission.call("slope", r, name), right, usual, f"slope({r.tolist()}, {name!r})")


@item(points=4, section="back_propagation")
def follows_every_copy(submission):
    """contributions(bits, w_1, w_2, y): what each copy of w_1 adds to dL/dw_1, with the identity, (T,)."""
    bits, w_1, w_2, y = "11011", 0.8, 1.5, 2.0
    walk = walk_bits(bits, w_1, w_2, y, "identity")
    right, old, steps = walk.copies, walk.states[:-1], np.arange(len(bits))
    loss = 2 * (walk.states[-1] - y)
    usual = {
        "the copies stand in the order from the last to the first": right[::-1],
        "copy t is multiplied by q_t, and it multiplies the old state, q_(t-1)": walk.errors
        * walk.states[1:],
        "the way from step t to the end, a factor w_1 for each step, is missing": loss * old,
        "there is a factor w_1 too many: from step t to step T there are T - t": right * w_1,
        "the early copies have the short way: theirs is the longest": loss * w_1**steps * old,
        "the factor of the loss, -2 (y - q_T), is missing": right / loss,
        "the sign is wrong: dL/dq_T is -2 (y - q_T)": -right,
        "the sum is returned and its parts are asked for": right.sum(),
    }
    asked = f"contributions({bits!r}, {w_1}, {w_2}, {y})"
    agree(submission.call("contributions", bits, w_1, w_2, y), right, usual, asked)


@item(points=6, section="back_propagation")
def differentiates_any_activation(submission):
    """bit_gradient(bits, w_1, w_2, y, activation): (dL/dw_1, dL/dw_2), with a'(r_t) at every step, the last too."""
    bits, w_1, w_2, y = "110100", 0.9, -0.7, 0.5
    for name in ("identity", "tanh", "sigmoid"):
        walk = walk_bits(bits, w_1, w_2, y, name)
        slopes, last = activation(walk.inputs, name)[1], np.arange(len(bits)) == len(bits) - 1
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
        came = parts(submission.call("bit_gradient", bits, w_1, w_2, y, name), ("dL/dw_1", "dL/dw_2"), asked)
        agree(np.array(list(came.values())), walk.gradient, usual, asked, EXACT)


# --- the k-mer network


@item(points=2, section="kmer_network")
def numbers_kmers(submission):
    """kmer_ids(sequence, k): the number of each k-mer in turn, AA..A is 0 and TT..T is 4**k - 1, (time - k + 1,)."""
    sequence, k = "GATTACAGT", 3
    words = ["".join(letters) for letters in product(BASES, repeat=k)]
    right = np.array([words.index(sequence[i : i + k]) for i in range(len(sequence) - k + 1)])
    backwards = [words.index(sequence[i : i + k][::-1]) for i in range(len(right))]
    usual = {
        "the k-mers are taken side by side: they overlap, the next begins one base later": right[::k],
        "the last k-mer is left out": right[:-1],
        "the first base has the least weight: it is the leading digit": backwards,
        "counting begins at 1: AA..A is 0": right + 1,
    }
    agree(submission.call("kmer_ids", sequence, k), right, usual, f"kmer_ids({sequence!r}, {k})")


@item(points=6, section="kmer_network")
def runs_forward(submission):
    """forward(ids, h_0, L, H, I, b_1, U, b_2): e (T, d), z and h (T, D_h), q and y_hat (T, |V|), a row a step."""
    run = run_kmers()
    w = run.weights
    usual = {
        "H is transposed": run_kmers(H=w["H"].T),
        "the bias b_1 is forgotten": run_kmers(b_1=0 * w["b_1"]),
        "the bias b_2 is forgotten": run_kmers(b_2=0 * w["b_2"]),
        "the run begins at zero and not at h_0": run_kmers(h_0=0 * run.h_0),
        "no state is passed on": run_kmers(H=0 * w["H"]),
        "tanh stands in the place of the sigmoid": run_kmers(squash="tanh"),
        "y_hat is not divided by its sum over the k-mers": run._replace(y_hat=np.exp(run.q)),
        "the soft-max runs over the steps: it belongs over the k-mers": (
            run._replace(y_hat=np.exp(run.q) / np.exp(run.q).sum(axis=0))
        ),
    }
    came = submission.call("forward", run.ids, run.h_0, *w.values())
    agree_parts(came, run.forward, {why: other.forward for why, other in usual.items()}, "forward(...)")


@item(points=2, section="kmer_network")
def measures_cross_entropy(submission):
    """cross_entropy(labels, y_hat): J at each step, minus the log of the probability of the label, (T,)."""
    run = run_kmers()
    usual = {
        "the sum or the mean is returned and a loss for each step is asked for": run.losses.mean(),
        "the sum is returned and a loss for each step is asked for": run.losses.sum(),
        "the minus is missing": -run.losses,
        "the logarithm is missing": 1 - np.exp(-run.losses),
        "the logarithm has base 2": run.losses / np.log(2),
    }
    came = submission.call("cross_entropy", run.labels, run.y_hat)
    agree(came, run.losses, usual, "cross_entropy(labels, y_hat)")


@item(points=3, section="kmer_network")
def differentiates_the_output(submission):
    """output_gradients(label, y_hat, h): dJ/db_2 and dJ/dU of the last step, (|V|,) and (D_h, |V|)."""
    run = run_kmers()
    delta, state = run.gradients["b_2"], run.h[-1]
    usual = {
        "delta_1 is y - y_hat: its sign is wrong": {"dJ/db_2": -delta, "dJ/dU": np.outer(state, -delta)},
        "the 1 of the label is not taken off": {
            "dJ/db_2": run.y_hat[-1], "dJ/dU": np.outer(state, run.y_hat[-1]),
        },
        "dJ/dU is transposed: U is D_h x |V|, and so is its gradient": {"dJ/dU": np.outer(delta, state)},
    }  # fmt: skip
    right = {"dJ/db_2": delta, "dJ/dU": run.gradients["U"]}
    came = submission.call("output_gradients", int(run.labels[-1]), run.y_hat[-1], state)
    agree_parts(came, right, usual, "output_gradients(label, y_hat, h)", EXACT)


@item(points=6, section="kmer_network")
def sends_the_error_back(submission):
    """errors(delta_1, U, H, h): dJ/dz at each step for the loss of the last step, (T, D_h)."""
    run = run_kmers()
    U, H = run.weights["U"], run.weights["H"]
    slopes = run.h * (1 - run.h)
    usual = {
        "1 - h^2 is used, the slope of tanh; this network has a sigmoid, whose slope is h (1 - h)": (
            sent_back(run, H, 1 - run.h**2)
        ),
        "the slope h (1 - h) is missing": sent_back(run, H, np.ones_like(run.h)),
        "H should be transposed on the way back": sent_back(run, H.T, slopes),
        "the error stops at the last step": sent_back(run, 0 * H, slopes),
        "the steps stand in the order from the last to the first": run.errors[::-1],
    }
    delta_1 = run.gradients["b_2"]
    agree(
        submission.call("errors", delta_1, U, H, run.h), run.errors, usual, "errors(delta_1, U, H, h)", EXACT
    )


@item(points=5, section="kmer_network")
def mends_the_slip(submission):
    """gradient_H(errors, h_0, h): dJ/dH, summed over the steps, (D_h, D_h). The lecture's formula has a slip."""
    run = run_kmers()
    right, old = run.gradients["H"], np.vstack([run.h_0, run.h[:-1]])
    usual = {
        "step t is multiplied by h of the same step, as lecture 001 prints it; z of step t holds h of step t - 1": (
            run.h.T @ run.errors
        ),
        "the first step has no part: its old state is h_0, which need not be zero": old[1:].T
        @ run.errors[1:],
        "only the last step is counted": np.outer(old[-1], run.errors[-1]),
        "it is transposed": right.T,
    }
    agree(
        submission.call("gradient_H", run.errors, run.h_0, run.h),
        right,
        usual,
        "gradient_H(errors, h_0, h)",
        EXACT,
    )


@item(points=3, section="kmer_network")
def differentiates_the_input(submission):
    """input_gradients(errors, e): dJ/dI and dJ/db_1, summed over the steps, (d, D_h) and (D_h,)."""
    run = run_kmers()
    last = run.errors[-1]
    usual = {
        "only the last step is counted": {"dJ/dI": np.outer(run.e[-1], last), "dJ/db_1": last},
        "dJ/dI is transposed": {"dJ/dI": run.gradients["I"].T},
        "dJ/db_1 is not summed over the steps": {"dJ/db_1": run.errors},
    }
    right = {"dJ/dI": run.gradients["I"], "dJ/db_1": run.gradients["b_1"]}
    came = submission.call("input_gradients", run.errors, run.e)
    agree_parts(came, right, usual, "input_gradients(errors, e)", EXACT)


@item(points=4, section="kmer_network")
def differentiates_the_embedding(submission):
    """gradient_L(errors, ids, I, vocabulary): dJ/dL, (|V|, d): nothing in the rows of k-mers that do not occur."""
    run = run_kmers()
    I, right = run.weights["I"], run.gradients["L"]  # noqa: E741
    once = np.zeros_like(right)
    once[run.ids] = run.errors @ I.T
    last = np.zeros_like(right)
    last[run.ids[-1]] = run.errors[-1] @ I.T
    usual = {
        "a k-mer that occurs twice counts once: L[ids] += ... adds only its last step, np.add.at adds all": once,
        "only the last step is counted; all steps share one L": last,
        "every row gets a share: row i belongs to k-mer i and gets what its own steps send": (
            np.broadcast_to((run.errors @ I.T).sum(axis=0), right.shape)
        ),
        "a row for each step is returned and a row for each k-mer is asked for": run.errors @ I.T,
    }
    came = submission.call("gradient_L", run.errors, run.ids, I, len(right))
    agree(came, right, usual, f"gradient_L(errors, {run.ids.tolist()}, I, {len(right)})", EXACT)


# --- hello


@item(points=3, section="hello")
def reads_letters(submission):
    """letter_states(ids, W_xh, w, b): h_t = tanh(W_xh x_t + w h_(t-1) + b) for scalars w and b, h_0 = 0, (T, 3)."""
    rng = np.random.default_rng(5)
    W_xh, w, b, ids = rng.uniform(0, 0.9, (3, 4)), 0.45, 0.6, np.array([0, 1, 2, 2])
    right = letter_states(ids, W_xh, w, b)
    usual = {
        "the bias is missing": letter_states(ids, W_xh, w, 0),
        "the bias is missing at the first letter": letter_states(ids, W_xh, w, b, start=-b / w),
        "no state is passed on": letter_states(ids, W_xh, 0, b),
        "w multiplies the bias too": letter_states(ids, W_xh, w, w * b),
        "the activation is missing": letter_states(ids, W_xh, w, b, squash="linear"),
    }
    agree(
        submission.call("letter_states", ids, W_xh, w, b), right, usual, f"letter_states({ids.tolist()}, ...)"
    )


@item(points=2, section="hello")
def gives_probabilities(submission):
    """letter_probabilities(state, W_hy): the soft-max of W_hy h, (4,), also where W_hy h holds a thousand."""
    import tensorflow as tf

    rng = np.random.default_rng(6)
    for scale in (1.0, 1000.0):
        state, W_hy = rng.uniform(0.3, 1, 3), scale * rng.uniform(0, 1, (4, 3))
        scores = W_hy @ state
        usual = {
            "the scores are divided by their sum, without the exponential": scores / scores.sum(),
            "each score has its own sigmoid: the four don't add up to 1": 1 / (1 + np.exp(-scores)),
            "the exponentials are not divided by their sum": np.exp(np.minimum(scores, 700)),
        }
        came = submission.call("letter_probabilities", state, W_hy)
        if not np.isfinite(came).all():
            hint = "exp(1000) is infinite: subtract the largest score first, which changes no probability."
            raise Failure(f"letter_probabilities gives {came} for scores of about a thousand.", hint)
        asked = f"letter_probabilities for scores {scores.round(2).tolist()}"
        agree(came, tf.nn.softmax(scores).numpy(), usual, asked)


@item(points=3, section="hello")
def recovers_the_weights(submission):
    """recover(W_xh, state): (w, b), the scalars that led to this state after 'h' and 'e'; your own numbers."""
    W_xh, w, b = riddle(submission.signed)
    state = letter_states([0, 1], W_xh, w, b)[-1]
    right = {"w": w, "b": b}
    came = parts(submission.call("recover", W_xh, state), right, "recover(W_xh, state)")
    if same(came["w"], b) and same(came["b"], w):
        raise Failure("recover(W_xh, state) returns (b, w), expected (w, b).", "Swap the two.")
    hint = "Put your w and b into letter_states: the state after 'h' and 'e' must be the one you were given."
    return share_right(came, right, hint)


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
    came = parts(submission.call("shapes"), right, "shapes()")
    yours = f"Yours are {inputs} inputs, {units} hidden units, {outputs} outputs."
    if same(came["W_hx"], right["W_hx"][::-1]):
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
    rng = np.random.default_rng(8)
    W_hh, W_hx, b, h, x = (rng.normal(0, 0.6, shape) for shape in ((3, 3), (3, 4), 3, 3, 4))
    usual = {
        "W_hh is transposed": np.tanh(W_hh.T @ h + W_hx @ x + b),
        "the bias is missing": np.tanh(W_hh @ h + W_hx @ x),
        "the activation is missing": W_hh @ h + W_hx @ x + b,
    }
    right = keras_states(x[None], h, W_hx.T, W_hh.T, b)[0]
    agree(submission.call("stacked", W_hh, W_hx, b, h, x), right, usual, "stacked(...)", atol=1e-6)


# --- Jacobians


@item(points=2, section="jacobians")
def differentiates_one_step(submission):
    """jacobian(h, W_hh): dh_t/dh_(t-1) for h_t = tanh(W_hh h_(t-1) + ...), columns as in lecture 003, (n, n)."""
    run = run_columns()
    right, W_hh, h = run.jacobian(2, 1), run.W_hh, run.states[2]
    usual = {
        "the slope stands on the columns: row i of W_hh gets the slope of unit i": W_hh * (1 - h**2),
        "W_hh is transposed": (1 - h**2)[:, None] * W_hh.T,
        "it is transposed as a whole: row i is unit i of h_t, column j unit j of h_(t-1)": right.T,
        "the slope 1 - h^2 is missing": W_hh,
        "h (1 - h) is used, the slope of the sigmoid; here is tanh": (h * (1 - h))[:, None] * W_hh,
    }
    agree(submission.call("jacobian", h, W_hh), right, usual, "jacobian(h, W_hh)", EXACT)


@item(points=4, section="jacobians")
def multiplies_jacobians(submission):
    """jacobian_product(states, W_hh, k, t): dh_t/dh_k from the states h_0, ..., h_T, rows of (T + 1, n); (n, n)."""
    run, (k, t) = run_columns(), (1, 4)
    steps = [run.jacobian(i, i - 1) for i in range(k + 1, t + 1)]
    right = run.jacobian(t, k)
    usual = {
        "the factors stand in the other order: the step to h_t is the leftmost": np.linalg.multi_dot(steps),
        "it has a factor too many: it begins with dh_k/dh_(k-1), but h_k stays as it is": run.jacobian(
            t, k - 1
        ),
        "the last factor, dh_t/dh_(t-1), is missing": run.jacobian(t - 1, k),
        "the factors are multiplied element by element": np.prod(steps, axis=0),
        "states[0] is h_0; the states are read one step too late": run.jacobian(t + 1, k + 1),
        "it is transposed": right.T,
    }
    asked = f"jacobian_product(states, W_hh, {k}, {t})"
    agree(submission.call("jacobian_product", run.states, run.W_hh, k, t), right, usual, asked, EXACT)
    same_step = submission.call("jacobian_product", run.states, run.W_hh, t, t)
    agree(
        same_step, np.eye(len(run.W_hh)), {}, f"jacobian_product(states, W_hh, {t}, {t}), an empty product,"
    )


@item(points=4, section="jacobians")
def sums_over_all_steps(submission):
    """gradient_W_hh(dL_dh, states, W_hh): dL/dW_hh for L, the sum of L_t, where row t - 1 of dL_dh is dL_t/dh_t."""
    run = run_columns()
    last = run.dL_dh.copy()
    last[:-1] = 0
    usual = {
        "only the loss of the last step is counted": run.gradient(last),
        "of the sum over k only k = t is counted: W_hh also acted at every step before": (
            (run.dL_dh * (1 - run.states[1:] ** 2)).T @ run.states[:-1]
        ),
        "h of the same step is used: dh_k/dW_hh holds the old state h_(k-1)": (
            run.errors(run.dL_dh).T @ run.states[1:]
        ),
        "it is transposed": run.gradient(run.dL_dh).T,
    }
    came = submission.call("gradient_W_hh", run.dL_dh, run.states, run.W_hh)
    agree(came, run.gradient(run.dL_dh), usual, "gradient_W_hh(dL_dh, states, W_hh)", EXACT)


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
    show(by_group(np.minimum(count, 6), said == (count >= 3), title))
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
    one_hot, start = np.eye(len(BASES))[codes], np.zeros(layer["units"])
    states = keras_states(
        one_hot, start, kernel, recurrent, bias[0] if bias else 0 * start, layer["activation"]
    )
    steps: Iterable[int] = range(len(codes))
    if len(codes) > 8:
        steps = [*np.flatnonzero(codes == BASES.index("G"))[:4], len(codes) - 1]
    return ", ".join(f"{BASES[codes[t]]} at {t + 1} -> ({numbers(states[t])})" for t in steps)


def numbers(values: np.ndarray) -> str:
    return " ".join(f"{value:.3g}" for value in values)


# --- networks whose gradients come from automatic differentiation


class Walk(NamedTuple):
    """A network along a bitstring: its states (T + 1,), inputs r (T,), and derivatives of its loss.

    errors: dL/dr_t (T,); copies: dL/d(copy t of w_1) (T,); gradient: dL/dw_1, dL/dw_2.
    """

    bits: np.ndarray
    states: np.ndarray
    inputs: np.ndarray
    errors: np.ndarray
    copies: np.ndarray
    gradient: np.ndarray

    def summed(self, errors: np.ndarray) -> np.ndarray:
        """The gradient that other errors would give."""
        return np.array([errors @ self.states[:-1], errors @ self.bits])


@remembered
def walk_bits(bits: str, w_1: float, w_2: float, y: float, name: str) -> Walk:
    """Lecture 000's network of one unit, with a copy of both weights at each step, and L = (y - q_T)^2."""
    import tensorflow as tf

    squash, x = squashing(name), np.array([float(bit) for bit in bits])
    copies_1, copies_2, nudges = (
        tf.Variable(np.full(len(bits), value, dtype=float)) for value in (w_1, w_2, 0)
    )
    with tf.GradientTape() as tape:
        inputs, states = [], [tf.zeros((), tf.float64)]
        for t in range(len(bits)):
            inputs.append(copies_1[t] * states[-1] + copies_2[t] * x[t] + nudges[t])
            states.append(squash(inputs[-1]))
        loss = (y - states[-1]) ** 2
    first, second, errors = (g.numpy() for g in tape.gradient(loss, [copies_1, copies_2, nudges]))
    return Walk(x, np.array(states), np.array(inputs), errors, first, np.array([first.sum(), second.sum()]))


@remembered
def activation(r: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """a(r) and a'(r), elementwise."""
    import tensorflow as tf

    r = tf.constant(r, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(r)
        value = squashing(name)(r)
    return value.numpy(), tape.gradient(value, r).numpy()


def squashing(name: str) -> Callable:
    """The activation called `name`, for tensors."""
    import tensorflow as tf

    return {"identity": tf.identity, "tanh": tf.tanh, "sigmoid": tf.sigmoid, "relu": tf.nn.relu}[name]


class Kmers(NamedTuple):
    """Lecture 001's network along k-mers: every value of the forward pass, a row a step, and gradients.

    losses: J at each step, (T,); errors: dJ/dz of the last step's loss, (T, D_h); gradients: of the same loss.
    """

    ids: np.ndarray
    labels: np.ndarray
    h_0: np.ndarray
    weights: dict[str, np.ndarray]
    e: np.ndarray
    z: np.ndarray
    h: np.ndarray
    q: np.ndarray
    y_hat: np.ndarray
    losses: np.ndarray
    errors: np.ndarray
    gradients: dict[str, np.ndarray]

    @property
    def forward(self) -> dict[str, np.ndarray]:
        return {name: getattr(self, name) for name in ("e", "z", "h", "q", "y_hat")}


@remembered
def run_kmers(squash: str = "sigmoid", **changed: np.ndarray) -> Kmers:
    """A run over five 2-mers, one of them twice, from a random h_0; sizes differ, so that a swap shows."""
    import tensorflow as tf

    rng = np.random.default_rng(7)
    shapes = {"L": (16, 2), "H": (3, 3), "I": (2, 3), "b_1": (3,), "U": (3, 16), "b_2": (16,)}
    drawn = {name: rng.normal(0, 0.8, shape) for name, shape in shapes.items()}
    drawn["h_0"] = rng.uniform(0.1, 0.9, 3)
    ids, labels = np.array([2, 11, 7, 2, 13]), np.array([11, 7, 2, 13, 5])
    weights = {name: tf.Variable(value) for name, value in (drawn | changed).items()}
    nudges = tf.Variable(np.zeros((len(ids), 3)))
    with tf.GradientTape() as tape:
        e = tf.one_hot(ids, 16, dtype=tf.float64) @ weights["L"]
        z, h = [], [weights["h_0"]]
        for t in range(len(ids)):
            inputs = e[t : t + 1] @ weights["I"] + weights["b_1"] + nudges[t]
            z.append((h[-1][None] @ weights["H"] + inputs)[0])
            h.append(squashing(squash)(z[-1]))
        q = tf.stack(h[1:]) @ weights["U"] + weights["b_2"]
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, q)
        last = losses[-1]
    gradients = tape.gradient(last, weights | {"nudges": nudges})
    gradients = {name: tf.convert_to_tensor(gradient).numpy() for name, gradient in gradients.items()}
    values = (tf.stack(one).numpy() for one in (e, z, h[1:], q, tf.nn.softmax(q), losses))
    h_0 = weights.pop("h_0").numpy()
    weights = {name: weight.numpy() for name, weight in weights.items()}
    return Kmers(ids, labels, h_0, weights, *values, gradients.pop("nudges"), gradients)


def sent_back(run: Kmers, H: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """The errors (T, D_h) that a recursion with another H or with other slopes gives."""
    errors = np.zeros_like(run.h)
    arriving = run.gradients["b_2"] @ run.weights["U"].T
    for t in reversed(range(len(run.h))):
        errors[t] = arriving * slopes[t]
        arriving = errors[t] @ H.T
    return errors


class Columns(NamedTuple):
    """Lecture 003's network on columns: weights (n, n), what comes in at each step, and a loss at each step.

    states: h_0, ..., h_T, rows of (T + 1, n); dL_dh: the gradient of L_t at h_t, in row t - 1.
    """

    W_hh: np.ndarray
    inputs: np.ndarray
    states: np.ndarray
    dL_dh: np.ndarray

    @remembered
    def jacobian(self, t: int, k: int) -> np.ndarray:
        """dh_t/dh_k, (n, n)."""
        import tensorflow as tf

        start = tf.Variable(self.states[k])
        with tf.GradientTape(persistent=True) as tape:
            h = tf.identity(start)
            for i in range(k, t):
                h = tf.tanh(tf.linalg.matvec(self.W_hh, h) + self.inputs[i])
        return tape.jacobian(h, start, experimental_use_pfor=False).numpy()

    def gradient(self, dL_dh: np.ndarray) -> np.ndarray:
        """dL/dW_hh for the losses whose gradients at the states are dL_dh."""
        return self.errors(dL_dh).T @ self.states[:-1]

    @remembered
    def errors(self, dL_dh: np.ndarray) -> np.ndarray:
        """dL/dz_k, (T, n)."""
        import tensorflow as tf

        nudges = tf.Variable(np.zeros_like(self.inputs))
        with tf.GradientTape() as tape:
            h, loss = tf.constant(self.states[0]), 0.0
            for t in range(len(self.inputs)):
                h = tf.tanh(tf.linalg.matvec(self.W_hh, h) + self.inputs[t] + nudges[t])
                loss += tf.reduce_sum(h * dL_dh[t])
        return tape.gradient(loss, nudges).numpy()


def run_columns() -> Columns:
    """Six steps of three units from a random h_0."""
    rng = np.random.default_rng(10)
    W_hh, inputs, states = rng.normal(0, 0.8, (3, 3)), rng.normal(0, 0.5, (6, 3)), [rng.uniform(-1, 1, 3)]
    for step in inputs:
        states.append(np.tanh(W_hh @ states[-1] + step))
    return Columns(W_hh, inputs, np.array(states), rng.normal(0, 1, (6, 3)))


def letter_states(
    ids: Iterable[int], W_xh: np.ndarray, w: float, b: float, start: float = 0.0, squash: str = "tanh"
) -> np.ndarray:
    """States (T, 3) of lecture 004's network: a scalar recurrent weight and a scalar bias."""
    ones = np.ones(len(W_xh))
    return keras_states(np.eye(4)[list(ids)], start * ones, W_xh.T, w * np.diag(ones), b * ones, squash)


@remembered
def keras_states(x, start, kernel, recurrent, bias, squash="tanh") -> np.ndarray:
    """States (T, units) of a Keras SimpleRNN over x (T, inputs), from the state `start` on, in float64."""
    layer, states = keras_layer(len(bias), x.shape[-1], squash)
    layer.set_weights([kernel, recurrent, bias])
    return states(x[None], np.asarray(start, dtype=float)[None]).numpy()[0]


@cache  # to make one takes longer than to run it, and 10,000 steps one by one half a minute
def keras_layer(units: int, inputs: int, squash: str):
    """A SimpleRNN without weights of its own yet; its states (1, T, units) as a function of x and the first one."""
    import keras
    import tensorflow as tf

    layer = keras.layers.SimpleRNN(units, squash, return_sequences=True, dtype="float64")
    layer.build((None, None, inputs))
    takes = [tf.TensorSpec((1, None, inputs), tf.float64), tf.TensorSpec((1, units), tf.float64)]
    states = tf.function(
        lambda x, start: layer(x, initial_state=start), input_signature=takes, autograph=False
    )
    return layer, states
