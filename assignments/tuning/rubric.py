"""The items of `tuning`: 110 points, and bonus points on top.

A notebook of functions and the table of a search are handed in, and no model: what a builder of the notebook
describes the grader trains itself, three times, under a budget of updates, on fresh data. Weights come from the
initialisers that the builder names, so nothing that was trained elsewhere can stand in. The thresholds rest on the
tables in datasets/memory/README.md and, for the search and the real sequences, on the spread between seeds that is
stated below. Functions are called with inputs that are drawn from the term's seed.
"""

import hashlib
import json
import math
from functools import cache, reduce
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.metrics.pairwise import cosine_similarity

from autograder import (
    RECURRENT,
    Credit,
    Failure,
    assert_close,
    assert_parts_close,
    cache_by_value,
    check_architecture,
    concept_questions,
    credit,
    figures,
    fresh,
    fresh_seed,
    input_generator,
    item,
    own,
    read_untrained_model,
    share_right,
    split_parts,
)

EXACT = 1e-8  # how closely a Jacobian must agree with automatic differentiation, in float64
LIMIT = 25  # the lecture's


# --- the student's own numbers; the notebook shows them, the items ask for them


def factors(student: str) -> tuple[float, float, int]:
    """A shrinking and a growing factor per step, and a distance in steps, one student's own.

    No power of either comes within 1 % of 1e-6 or 1e6, so that rounding decides nothing.
    """
    rng = own(student, "factors")
    shrinking = [g for g in np.arange(80, 96) / 100 if clear(g)]
    growing = [g for g in np.arange(106, 130) / 100 if clear(g)]
    return float(rng.choice(shrinking)), float(rng.choice(growing)), int(rng.integers(4, 16)) * 10


def clear(g: float) -> bool:
    """Whether the powers of g pass 1e-6, or 1e6, with at least 1 % to spare on both sides."""
    powers = g ** np.arange(1.0, 500)
    return bool(np.min(abs(powers / (1e-6 if g < 1 else 1e6) - 1)) > 0.01)


def skip_numbers(student: str) -> tuple[float, int]:
    """The scale of a skip connection in time and a number of steps, one student's own."""
    rng = own(student, "skip")
    return int(rng.integers(1, 5)) / 100, int(rng.integers(4, 11)) * 10


# --- gradients


@item(points=5, section="gradients")
def differentiates_the_steps(submission):
    """step_jacobians(U, states, activation): J_1, ..., J_T, (T, n, n), in rows as Keras has them, 3 activations."""
    rng = input_generator("step_jacobians")
    runs = [run_rows(name) for name in ("tanh", "relu", "linear")]
    for run in (*runs, *(drawn_rows(rng, name) for name in ("tanh", "relu"))):
        name = run.activation
        right, (old, new) = run.jacobians(), (run.states[:-1], run.states[1:])
        slopes = {"tanh": 1 - new**2, "relu": 1.0 * (new > 0), "linear": np.ones_like(new)}[name]
        before = {"tanh": 1 - old**2, "relu": 1.0 * (old > 0), "linear": np.ones_like(old)}[name]
        repeated = np.repeat(run.U[None], len(new), axis=0)
        usual = {
            "the slope is missing (that of relu is 0 where h is 0)": repeated,
            "the slope stands in rows: that of the new unit j belongs to column j": run.U
            * slopes[:, :, None],
            "U is transposed: rows times U need no transposing": run.U.T * slopes[:, None],
            "it is transposed, as for columns; here row i is unit i of h_(t-1), column j unit j of h_t": (
                right.transpose(0, 2, 1)
            ),
            "the slope is taken at the old state: J_t has that of h_t": run.U * before[:, None],
            "1 - h^2 is used, which belongs to tanh": run.U * (1 - new**2)[:, None],
            "h (1 - h) is used, the slope of the sigmoid": run.U * (new * (1 - new))[:, None],
            "tanh is applied to the state once more: 1 - h^2 is all": run.U
            * (1 - np.tanh(new) ** 2)[:, None],
            "h_0 has a Jacobian too: it is where the run begins, there are T of them": np.concatenate(
                [run.U * before[:1, None], right]
            ),
            "the last one is missing": right[:-1],
            "only the diagonal is returned": np.einsum("tii->ti", right),
        }
        asked = f"step_jacobians(U, states, {name!r})"
        assert_close(submission.call("step_jacobians", run.U, run.states, name), right, usual, asked, EXACT)


@item(points=6, section="gradients")
def multiplies_back(submission):
    """product_norms(jacobians): the spectral norm of dh_T/dh_k = J_(k+1) ... J_T for k = 0, ..., T, (T + 1,)."""
    rng = input_generator("product_norms")
    for run in (run_rows("tanh"), drawn_rows(rng, "tanh"), drawn_rows(rng, "linear")):
        steps = run.jacobians()
        products = [run.product(k) for k in range(len(steps) + 1)]
        forward = [multiplied(steps[:k]) for k in range(len(steps) + 1)]
        right = spectral(products)
        usual = {
            "the norms of the single steps are multiplied, which is an upper bound: take the norm of the product": (
                np.cumprod([1, *spectral(steps)[::-1]])[::-1]
            ),
            "it is Frobenius's norm: np.linalg.norm(M, 2) is the spectral one": np.linalg.norm(
                products, axis=(1, 2)
            ),
            "it is the spectral radius: what an eigenvector is lengthened by, and others are lengthened more": (
                abs(np.linalg.eigvals(products)).max(axis=1)
            ),
            "it is the largest singular value squared": right**2,
            "the largest entry is taken": np.max(np.abs(products), axis=(1, 2)),
            "the factors stand in the other order: in rows the earliest step is leftmost": spectral(
                [multiplied(steps[k:][::-1]) for k in range(len(steps) + 1)]
            ),
            "it is dh_k/dh_0, from the front: the products end at T": spectral(forward),
            "the values stand in the order of the distance: the first is k = 0, the farthest": right[::-1],
            "each k has a factor too many: dh_T/dh_k begins with J_(k+1)": np.append(right[:1], right[:-1]),
            "the last one, k = T, is missing: an empty product is the identity": right[:-1],
            "k = 0 is missing": right[1:],
            "each step stands by itself, nothing is multiplied": np.append(spectral(steps), 1),
            "the matrices are multiplied element by element": spectral(
                [
                    np.prod(steps[k:], axis=0) if k < len(steps) else np.eye(len(run.U))
                    for k in range(len(steps) + 1)
                ]
            ),
        }
        assert_close(submission.call("product_norms", steps), right, usual, "product_norms(jacobians)", EXACT)


@item(points=3, section="gradients")
def counts_the_steps(submission):
    """steps_until(): your own factors: steps until below 1e-6, until above 1e6, and the factor that leaves one half."""
    shrinking, growing, distance = factors(submission.signed)
    names = "steps until below 1e-6", "steps until above 1e6", "the factor that leaves one half"
    down, up = (shrinking ** np.arange(1000.0) < 1e-6).argmax(), (growing ** np.arange(1000.0) > 1e6).argmax()
    right = dict(zip(names, (float(down), float(up), 0.5 ** (1 / distance)), strict=True))
    came = split_parts(submission.call("steps_until"), right, "steps_until()")
    yours = f"Yours: {shrinking}, {growing}, {distance} steps. g^n < 1e-6 where n log g < log 1e-6: the first whole n."
    if any(np.shape(came[name]) == () and came[name] == right[name] - 1 for name in names[:2]):
        yours += " You are one step short: round up."
    if np.shape(came[names[2]]) == () and abs(came[names[2]] - 0.5 / distance) < 1e-6:
        yours += " Halves multiply: the root of one half is asked for, not one half shared out."
    return share_right(came, right, yours)


@item(points=4, section="gradients")
def sets_the_radius(submission):
    """scaled_to_radius(U, radius): U times a number, so that its largest eigenvalue has that absolute value."""
    rng = input_generator("scaled_to_radius")
    drawn = [(turning_matrix(rng, int(rng.integers(3, 7))), round(rng.uniform(0.4, 2), 2)) for _ in range(3)]
    for U, radius in ((turning_matrix(np.random.default_rng(23), 4), 0.9), *drawn):
        eigenvalues = np.linalg.eigvals(U)
        right = U * radius / abs(eigenvalues).max()
        usual = {
            "its largest singular value is brought there: the radius is that of the eigenvalues": (
                U * radius / np.linalg.norm(U, 2)
            ),
            "its Frobenius norm is brought there": U * radius / np.linalg.norm(U),
            "its largest entry is brought there": U * radius / abs(U).max(),
            "only the real parts of the eigenvalues are looked at: they are complex, take the absolute value": (
                U * radius / eigenvalues.real.max()
            ),
            "the real parts of the eigenvalues are made positive: take the absolute value of the complex numbers": (
                U * radius / abs(eigenvalues.real).max()
            ),
            "eigenvalues of a symmetric matrix are taken (eigvalsh); U is not symmetric": (
                U * radius / abs(np.linalg.eigvalsh(U)).max()
            ),
            "its radius is brought to 1 and not to `radius`": right / radius,
            "it is multiplied by `radius` and not divided by the radius it had": U * radius,
            "its determinant is used": U * radius / abs(np.linalg.det(U)) ** (1 / len(U)),
        }
        try:
            came = submission.call("scaled_to_radius", U, radius)
        except Failure as failure:
            if "complex" not in failure.reason:
                raise
            reason = "scaled_to_radius(U, ...) returns complex numbers: some eigenvalues of U are complex."
            raise Failure(reason, "Take the absolute value of each, then the largest.") from None
        assert_close(came, right, usual, f"scaled_to_radius(U, {radius})", EXACT)


@item(points=4, section="gradients")
def differentiates_the_skip(submission):
    """skip_jacobians(W, U, b, inputs, states, scale): J_t of h_t = h_(t-1) + scale tanh(x_t W + h_(t-1) U + b)."""
    rng = input_generator("skip_jacobians")
    drawn = [(drawn_rows(rng, "tanh"), round(rng.uniform(0.05, 0.9), 2)) for _ in range(2)]
    for run, scale in ((run_rows("tanh"), 0.3), *drawn):
        states = run.skip_states(scale)
        right, one = run.skip_jacobians(states, scale), np.eye(len(run.U))
        slopes = 1 - ((states[1:] - states[:-1]) / scale)[:, None] ** 2
        usual = {
            "the 1 of the old state is missing": right - one,
            "the scale is missing": one + run.U * slopes,
            "the scale is put on the old state too: h_(t-1) passes as it is": scale * (one + run.U * slopes),
            "the old state is shrunk by 1 - scale": right - scale * one,
            "the slope is taken at the new state, h_t: it is that of the tanh, and h_t is not the tanh any more": (
                one + scale * run.U * (1 - states[1:, None] ** 2)
            ),
            "the slope is taken at the old state, h_(t-1), and not at the tanh": (
                one + scale * run.U * (1 - states[:-1, None] ** 2)
            ),
            "the slope is missing": np.repeat((one + scale * run.U)[None], len(right), axis=0),
            "the slope stands in rows: that of the new unit j belongs to column j": (
                one + scale * run.U * slopes.transpose(0, 2, 1)
            ),
            "it is transposed, as for columns; here row i is unit i of h_(t-1), column j unit j of h_t": (
                right.transpose(0, 2, 1)
            ),
            "ones are added everywhere; the identity has them on the diagonal": right - one + 1,
            "the tanh is taken at the new state: x_t goes with h_(t-1)": (
                one + scale * run.U * (1 - np.tanh(run.x @ run.W + states[1:] @ run.U + run.b)[:, None] ** 2)
            ),
            "the bias is forgotten": (
                one + scale * run.U * (1 - np.tanh(run.x @ run.W + states[:-1] @ run.U)[:, None] ** 2)
            ),
        }
        came = submission.call("skip_jacobians", run.W, run.U, run.b, run.x, states, scale)
        assert_close(came, right, usual, f"skip_jacobians(..., scale={scale})", EXACT)


@item(points=2, section="gradients")
def bounds_the_skip(submission):
    """skip_bounds(): your own scale and steps: the least and the most that can become of a nudge of length 1."""
    scale, steps = skip_numbers(submission.signed)
    identity = np.eye(2)
    least, most = (
        np.linalg.matrix_power(identity + sign * scale * identity, steps)[0, 0] for sign in (-1, 1)
    )
    right = {"the least": least, "the most": most}
    came = split_parts(submission.call("skip_bounds"), right, "skip_bounds()")
    yours = f"Yours: s = {scale}, {steps} steps. One step makes it 1 - s to 1 + s times as long."
    values = list(came.values())
    if not all(np.shape(value) == () for value in values):
        pass
    elif np.allclose(values, [most, least]):
        yours += " The two have changed places."
    elif np.allclose(values, [1 - scale * steps, 1 + scale * steps]):
        yours += " Steps multiply, they don't add up."
    elif np.allclose(values, [np.exp(-scale * steps), np.exp(scale * steps)]):
        yours += " The exponential is close, and what the bounds become for tiny steps; give the powers."
    return share_right(came, right, yours)


# --- clipping


@item(points=2, section="clipping")
def finds_the_slip(submission):
    """slips_through(): a number of a size beyond 25 that the lecture's `if gradient > 25` leaves as it is."""
    came = submission.call("slips_through")
    if isinstance(came, tuple) or came.size != 1:
        raise Failure("slips_through() returns several values, expected one number.", "One gradient will do.")
    value = float(came.item())
    if not math.isfinite(value):
        raise Failure(
            f"slips_through() gives {value}, expected a number with a size.", "Try an ordinary number."
        )
    if value > LIMIT:
        reason = f"slips_through() gives {value:g}: it is greater than {LIMIT}, and the two lines make {LIMIT} of it."
        raise Failure(reason, "Which numbers are far from 0 and yet not greater than 25?")
    if value >= -LIMIT:
        reason = f"slips_through() gives {value:g}, which needs no clipping: its size is not beyond {LIMIT}."
        raise Failure(reason, "It must be far from 0, and the condition must be false for it.")


@item(points=3, section="clipping")
def clips_entries(submission):
    """clip_elementwise(limit, gradient): each entry cut off at -limit and at limit, for any shape."""
    rng = input_generator("clip_elementwise")
    drawn = [(round(rng.uniform(0.5, 6), 2), rng.integers(1, 6, dimensions)) for dimensions in (1, 2, 3)]
    for limit, shape in ((2.5, (3, 4)), *drawn):
        gradient = rng.normal(0, 1.2 * limit, shape).round(2)
        length = np.linalg.norm(gradient)
        usual = {
            "it has the lecture's slip: an entry far below 0 stays as it is": np.minimum(gradient, limit),
            "entries far above 0 stay as they are": np.maximum(gradient, -limit),
            "the sign is lost: an entry below -limit becomes -limit": np.where(
                abs(gradient) > limit, limit, gradient
            ),
            "all signs are lost": np.minimum(abs(gradient), limit),
            "entries beyond the limit become 0: they become the limit": np.where(
                abs(gradient) > limit, 0, gradient
            ),
            "all entries are multiplied by one number: that is clip_norm": gradient * limit / length,
            "all entries are divided by the largest: each is cut for itself": gradient
            * limit
            / abs(gradient).max(),
            "every entry becomes the limit: only those beyond it do": limit * np.sign(gradient),
            "nothing is clipped": gradient,
        }
        right = by_keras(gradient, clipvalue=limit)[0]
        assert_close(
            submission.call("clip_elementwise", limit, gradient),
            right,
            usual,
            f"clip_elementwise({limit}, gradient)",
        )


@item(points=6, section="clipping")
def clips_the_length(submission):
    """clip_norm(limit, *gradients): all arrays times one number, so that their common length is at most the limit."""
    rng = input_generator("clip_norm")
    drawn = [
        (round(rng.uniform(0.5, 6), 2), [rng.integers(1, 5, 2) for _ in range(rng.integers(2, 5))])
        for _ in "ab"
    ]
    for limit, shapes in ((2.5, [(3, 4), (4,), (4, 2)]), *drawn):
        pieces = [rng.uniform(1, 3) * rng.normal(size=shape) for shape in shapes]
        length = np.sqrt(sum((piece**2).sum() for piece in pieces))
        for share, what in ((rng.uniform(2, 9), "long"), (rng.uniform(0.1, 0.8), "short"), (0, "all zero")):
            check_clip_norm(submission, limit, [share * limit / length * piece for piece in pieces], what)


@item(points=3, section="clipping")
def measures_the_turn(submission):
    """turned_by(gradient, clipped): the cosine of the angle between two arrows (n,)."""
    rng = input_generator("turned_by")
    drawn = [rng.normal(0, 9, size).round(1) for size in rng.integers(4, 12, 3)]
    for gradient in (np.array([30.0, -4.0, 7.0, 1.0]), *drawn):
        clipped = gradient.clip(-5, 5)
        right = cosine_similarity(gradient[None], clipped[None])[0, 0]
        lengths = np.linalg.norm(gradient), np.linalg.norm(clipped)
        usual = {
            "the scalar product is not divided by the two lengths": gradient @ clipped,
            "it is divided by the length of the gradient alone": gradient @ clipped / lengths[0],
            "it is divided by the length of the clipped one alone": gradient @ clipped / lengths[1],
            "it is divided by the squared lengths": gradient @ clipped / (lengths[0] * lengths[1]) ** 2,
            "it is divided by the square of the first length": gradient @ clipped / lengths[0] ** 2,
            "it is the angle, in radians": np.arccos(right),
            "it is the angle, in degrees": np.degrees(np.arccos(right)),
            "it is 1 minus the cosine": 1 - right,
            "it is the sine": np.sqrt(1 - right**2),
            "the lengths are compared, and the direction is asked for": lengths[1] / lengths[0],
            "it is a correlation: no mean is taken off": np.corrcoef(gradient, clipped)[0, 1],
        }
        assert_close(
            submission.call("turned_by", gradient, clipped), right, usual, "turned_by(gradient, clipped)"
        )


def check_clip_norm(submission, limit: float, pieces: list[np.ndarray], what: str) -> None:
    """Raise Failure unless clip_norm does to these arrays what Keras's optimiser does with global_clipnorm."""
    names = [f"array {place}" for place in range(len(pieces))]
    length = np.sqrt(sum((piece**2).sum() for piece in pieces))

    def whole(factor: float) -> dict:
        return {name: factor * piece for name, piece in zip(names, pieces, strict=True)}

    usual = {
        "each array is clipped by its own length (Keras's clipnorm); the arrow is all of them together": dict(
            zip(names, by_keras(*pieces, clipnorm=limit), strict=True)
        ),
        "each entry is cut for itself, which turns the arrow": dict(
            zip(names, by_keras(*pieces, clipvalue=limit), strict=True)
        ),
        "nothing is clipped": whole(1),
    }
    if length:
        usual |= {
            "it is made as long as the limit where it was shorter: then it stays as it is": whole(
                limit / length
            ),
            "the root is missing: the length is the root of the sum of squares": whole(limit / length**2),
            "the length is the sum of the arrays' lengths; squares add up, lengths don't": whole(
                limit / sum(np.linalg.norm(piece) for piece in pieces)
            ),
            "it is brought to length 1 and not to the limit": whole(1 / length),
            "the limit is compared with the largest entry": whole(
                limit / max(abs(piece).max() for piece in pieces)
            ),
            "the mean of the squares is taken: the length has their sum": whole(
                limit / np.sqrt(np.mean(np.concatenate([piece.ravel() ** 2 for piece in pieces])))
            ),
        }
    right = dict(zip(names, by_keras(*pieces, global_clipnorm=limit), strict=True))
    came = submission.call("clip_norm", limit, *pieces)
    assert_parts_close(came, right, usual, f"clip_norm({limit}, ...) of {len(pieces)} arrays, {what},")


@cache_by_value
def by_keras(*gradients: np.ndarray, **clip: float) -> list[np.ndarray]:
    """What Keras's optimiser makes of gradients: where one step of rate 1 from 0 leads, with the other sign."""
    import keras

    places = [keras.Variable(np.zeros(gradient.shape)) for gradient in gradients]
    optimizer = keras.optimizers.SGD(1.0, **clip)
    optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32") for gradient in gradients], places)
    return [-place.numpy() for place in places]


# --- networks whose Jacobians come from automatic differentiation


class Rows(NamedTuple):
    """A SimpleRNN as Keras has it, rows times kernels: inputs x (T, d), its weights, and states (T + 1, n)."""

    x: np.ndarray
    W: np.ndarray
    U: np.ndarray
    b: np.ndarray
    states: np.ndarray
    activation: str

    @cache_by_value
    def jacobians(self) -> np.ndarray:
        """dh_t/dh_(t-1) of every step, (T, n, n), old unit by new: the steps are the batch of Keras's own cell."""
        cell = rnn_cell(self.activation, *self.W.shape)
        cell.set_weights([self.W, self.U, self.b])
        return slopes_of(lambda old: cell(self.x, [old])[0], self.states[:-1])

    @cache_by_value
    def product(self, k: int) -> np.ndarray:
        """dh_T/dh_k, (n, n), old unit by new, of Keras's cell from step k on."""
        cell = rnn_cell(self.activation, *self.W.shape)
        cell.set_weights([self.W, self.U, self.b])

        def end(h):
            for x in self.x[k:]:
                h, _ = cell(x[None], [h])
            return h

        return slopes_of(end, self.states[k][None])[0]

    def skip_states(self, scale: float) -> np.ndarray:
        """States (T + 1, n) of h + scale tanh(x W + h U + b) from the same start."""
        course = [self.states[0]]
        for x in self.x:
            course.append(course[-1] + scale * np.tanh(x @ self.W + course[-1] @ self.U + self.b))
        return np.array(course)

    @cache_by_value
    def skip_jacobians(self, states: np.ndarray, scale: float) -> np.ndarray:
        """dh_t/dh_(t-1) of its steps, (T, n, n), old unit by new."""
        import tensorflow as tf

        return slopes_of(
            lambda old: old + scale * tf.tanh(self.x @ self.W + old @ self.U + self.b), states[:-1]
        )


@cache
def run_rows(activation: str) -> Rows:
    """Five steps of three units from a random state; every matrix is far from symmetric."""
    return rows_of(np.random.default_rng(20), activation, steps=5, inputs=2, units=3)


def drawn_rows(rng: np.random.Generator, activation: str) -> Rows:
    """A run of drawn sizes."""
    steps, inputs, units = rng.integers((1, 1, 2), (7, 4, 5)).tolist()
    return rows_of(rng, activation, steps, inputs, units)


def rows_of(rng: np.random.Generator, activation: str, steps: int, inputs: int, units: int) -> Rows:
    """A run with random weights, inputs and start."""
    import tensorflow as tf

    x, W = rng.normal(size=(steps, inputs)), rng.normal(0, 0.6, (inputs, units))
    U, b, start = rng.normal(0, 0.8, (units, units)), rng.normal(0, 0.3, units), rng.uniform(-0.9, 0.9, units)
    cell = rnn_cell(activation, inputs, units)
    cell.set_weights([W, U, b])
    states = [tf.constant(start[None])]
    for step in x:
        states.append(cell(step[None], [states[-1]])[0])
    return Rows(x, W, U, b, np.concatenate(states), activation)


@cache  # to make one takes longer than to run it
def rnn_cell(activation: str, inputs: int, units: int):
    """A cell of Keras in float64, without weights of its own yet."""
    import keras

    cell = keras.layers.SimpleRNNCell(units, activation, dtype="float64")
    cell.build((None, inputs))
    return cell


def slopes_of(function, places: np.ndarray) -> np.ndarray:
    """A function's Jacobian at each of the rows `places` (m, n), by automatic differentiation: (m, n old, n new)."""
    import tensorflow as tf

    places = tf.constant(places)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(places)
        values = function(places)
    return tape.batch_jacobian(values, places, experimental_use_pfor=False).numpy().transpose(0, 2, 1)


def multiplied(matrices) -> np.ndarray:
    """Their product from left to right; the identity for none."""
    return reduce(np.matmul, matrices, np.eye(np.shape(matrices)[-1]))


def spectral(matrices) -> np.ndarray:
    """The spectral norm of each, (m,)."""
    return np.linalg.norm(np.asarray(matrices), 2, axis=(1, 2))


def turning_matrix(rng: np.random.Generator, size: int) -> np.ndarray:
    """U (size, size), not symmetric, whose largest eigenvalues are a complex pair, of absolute value 1.5."""
    core = np.diag([0.9, 0.9, -1.1, *rng.uniform(0.2, 0.9, size - 3)])
    core[0, 1], core[1, 0] = -1.2, 1.2
    basis = rng.normal(size=(size, size))
    while np.linalg.cond(basis) > 30:  # rounding would move the eigenvalues
        basis = rng.normal(size=(size, size))
    return rng.uniform(0.5, 2) * basis @ core @ np.linalg.inv(basis)


LETTERS = "ACGTwxyz"  # in the order of the one-hot columns
ALLOWED_IN_MEMORY = {
    "SimpleRNN", "GRU", "LSTM", "RNN", "SkipCell", "Dense", "Dropout", "LayerNormalization"
}  # fmt: skip
MOST_IN_MEMORY = 2_000  # parameters
DNA_LENGTH = 40
TESTED = 1_000  # new sequences
# Mean accuracy without points and with full marks. On a rung one training of three at chance is nothing; in the
# explosion no limit that was tried reached 0.9 on each seed, and several do on the mean.
RUNG = 0.80, 0.95
TAME = 0.60, 0.90


def updates_for(length: int) -> int:
    """How many updates the grader makes with sequences of so many letters."""
    return 300 if length <= 100 else 150


# --- section "clipping": the explosion


@item(points=6, section="clipping")
def tames_the_explosion(submission):
    """clip_settings(): (clipnorm, clipvalue) with which 1.1 x identity learns by gradient descent, rate 0.03."""
    clipnorm, clipvalue = limits(submission.call("clip_settings"), "clip_settings()")
    x, y, test, answers = memory(length=50, updates=300)
    losses, predictions = submission.train(
        exploding(50), x, y, test, updates=300, learning_rate=0.03, clipnorm=clipnorm, clipvalue=clipvalue,
        optimizer="sgd", seed=fresh_seed("explosion"),
    )  # fmt: skip
    look(predictions, answers)
    hint = after_an_explosion(losses, clipnorm, clipvalue)
    return shared_out(right_shares(predictions, answers), losses, hint, TAME)


def limits(came, asked: str) -> tuple[float, float]:
    """Two limits of which at most one is in force; 0 is none."""
    clipnorm, clipvalue = plain_numbers(came, ["clipnorm", "clipvalue"], asked)
    if clipnorm and clipvalue:
        raise Failure(f"{asked} gives two limits.", "Keras clips in one way at a time: let the other be 0.")
    return clipnorm, clipvalue


def after_an_explosion(losses: np.ndarray, clipnorm: float, clipvalue: float) -> str:
    """What to try next in the case that explodes."""
    if not clipnorm and not clipvalue:
        return (
            "Nothing is clipped, and one step is the rate times a gradient that is thousands long. Limit it."
        )
    ends = losses[:, -20:].mean(axis=1)
    if np.isnan(ends).any() or (abs(ends - np.log(4)) < 0.03).any():
        long = (
            "Each of 1,444 entries may still be that large" if clipvalue else "A step may still be that long"
        )
        return f"{long}: the limit is too generous. A clipped gradient should move the weights by a little."
    if clipvalue:
        return "Entry by entry turns the gradient. Try a limit for the norm of all of them together."
    return "It is tame, and too slow for 300 updates: a limit below 1 shortens steps that were right."


def exploding(length: int):
    """The case of the notebook, untrained: relu, 32 units, 1.1 times the identity."""
    import keras

    recurrent = keras.layers.SimpleRNN(32, activation="relu", recurrent_initializer="identity")
    head = keras.layers.Dense(4, activation="softmax")
    config = json.loads(keras.Sequential([keras.Input((length, 8)), recurrent, head]).to_json())
    start = config["config"]["layers"][1]["config"]["recurrent_initializer"]
    start["config"]["gain"] = 1.1  # Keras 3.15.1 takes it and doesn't write it down
    return read_untrained_model(json.dumps(config).encode())


# --- section "ladder"


@item(points=6, section="ladder")
def steps_with_a_skip(submission):
    """SkipCell: output and new state are h + scale * tanh(x kernel + h recurrent + bias)."""
    rng = input_generator("skip_cell_step")
    for rows, inputs, units, scale in (
        (3, 8, 5, 0.3),
        *((*rng.integers(1, 9, 3), rng.uniform(0.1, 0.9)) for _ in "ab"),
    ):
        x, h = rng.normal(size=(rows, inputs)), rng.normal(size=(rows, units))
        kernel, recurrent = rng.normal(0, 0.4, (inputs, units)), rng.normal(0, 0.4, (units, units))
        bias = rng.normal(size=units)
        inside = x @ kernel + h @ recurrent + bias
        right = h + scale * np.tanh(inside)
        states = {
            "the old state is not added": scale * np.tanh(inside),
            "the scale is missing": h + np.tanh(inside),
            "the scale stands inside tanh: it belongs in front": h + np.tanh(scale * inside),
            "tanh is missing: the state could grow without bound": h + scale * inside,
            "tanh is taken of the sum, old state included: then the 1 is gone again": np.tanh(
                h + scale * inside
            ),
            "tanh is taken of all, and the 1 is gone": np.tanh(h + scale * np.tanh(inside)),
            "the bias is missing": h + scale * np.tanh(inside - bias),
            "the old state is missing inside tanh": h + scale * np.tanh(x @ kernel + bias),
            "the input is missing": h + scale * np.tanh(h @ recurrent + bias),
            "recurrent is transposed: rows times a matrix need no transposing": (
                h + scale * np.tanh(x @ kernel + h @ recurrent.T + bias)
            ),
            "the old state is weighted too: it passes as it is": (1 - scale) * h + scale * np.tanh(inside),
            "it subtracts": h - scale * np.tanh(inside),
            "the scale is squared: it is there twice": h + scale**2 * np.tanh(inside),
            "relu is used for tanh": h + scale * np.maximum(inside, 0),
        }
        usual = {why: {"output": wrong, "state": wrong} for why, wrong in states.items()}
        usual |= {
            "the old state is handed on as the new one": {"state": h},
            "the output is only what is added; it is the new state": {"output": right - h},
            "the output is the tanh alone; it is the new state": {"output": np.tanh(inside)},
            "the output is the old state; it is the new one": {"output": h},
            "only the output has the old state added: hand the same on": {"state": right - h},
        }
        single = (array.astype("float32") for array in (x, h, kernel, recurrent, bias))
        came = submission.call("skip_cell_step", *single, scale)
        assert_parts_close(came, {"output": right, "state": right}, usual, "skip_cell_step(x, h, ...)")


@item(points=3, section="ladder")
def builds_for_each_length(submission):
    """build_memory_model(length): letters (batch, length, 8) -> (batch, 4), at most 2,000 parameters, any length."""
    for length in (50, 100, 200, 400):
        memory_model(submission, length)
        adam(submission, length)


@item(points=6, section="ladder")
def remembers_50(submission):
    """The first of 50 letters, 300 updates: mean accuracy of three seeds at your rate and three at twice that."""
    return rung(submission, 50)


@item(points=7, section="ladder")
def remembers_100(submission):
    """The first of 100 letters, 300 updates: mean accuracy of three seeds at your rate and three at twice that."""
    return rung(submission, 100)


@item(points=8, section="ladder")
def remembers_200(submission):
    """The first of 200 letters, 150 updates: mean accuracy of three seeds."""
    return rung(submission, 200)


@item(points=6, section="ladder")
def remembers_dna(submission):
    """The first of 40 bases, among bases, 300 updates: mean accuracy of three seeds at your rate and three at twice."""
    return rung(submission, DNA_LENGTH, "dna")


@item(points=5, bonus=True, section="ladder")
def remembers_400(submission):
    """The first of 400 letters, 150 updates: mean accuracy of three seeds."""
    return rung(submission, 400)


def rung(submission, length: int, kind: str = "language") -> Credit:
    """Trains the student's network for one rung of the ladder and credits the mean accuracy.

    Three seeds, and up to 100 letters three more at twice the rate: what holds at one rate alone is luck.
    """
    blueprint = memory_model(submission, length)
    rate, clipnorm, clipvalue = adam(submission, length)
    updates = updates_for(length)
    x, y, test, answers = memory(length, updates, kind)
    seed = fresh_seed(f"rung of {length}")
    budget = {"updates": updates, "clipnorm": clipnorm, "clipvalue": clipvalue, "seed": seed}
    rates = (rate, 2 * rate) if length <= 100 else (rate,)
    runs = [submission.train(blueprint, x, y, test, learning_rate=one, **budget) for one in rates]
    losses, predictions = map(np.concatenate, zip(*runs, strict=True))
    look(predictions, answers)
    hint = next_try(blueprint.plan, losses, bool(clipnorm or clipvalue), kind)
    return shared_out(right_shares(predictions, answers), losses, hint, RUNG)


def memory(length: int, updates: int, kind: str = "language") -> tuple[np.ndarray, ...]:
    """A fresh batch for each update and new sequences: one-hot x, labels, one-hot test, its labels."""
    rows = 64 * updates
    data = fresh("memory", count=rows + TESTED, length=length, kind=kind)
    x, y = one_hot(data.sequence), data.label.to_numpy()
    return x[:rows], y[:rows], x[rows:], y[rows:]


def one_hot(sequences) -> np.ndarray:
    """Sequences of one length as rows of letters, uint8 (rows, length, 8)."""
    codes = np.frombuffer("".join(sequences).encode(), np.uint8).reshape(len(sequences), -1)
    places = np.zeros(128, np.uint8)
    places[list(LETTERS.encode())] = range(len(LETTERS))
    return np.eye(len(LETTERS), dtype=np.uint8)[places[codes]]


def memory_model(submission, length: int):
    """The blueprint for a length. Raises Failure where it isn't one of the ladder's."""
    asked = f"build_memory_model({length})"
    blueprint = submission.build("build_memory_model", length)
    plan = blueprint.plan
    hint = f"Read forwards, one layer after the other: {', '.join(sorted(ALLOWED_IN_MEMORY))}."
    check_architecture(plan, asked, ALLOWED_IN_MEMORY, every_path=RECURRENT, hint=hint)
    if any(layer.options.get("go_backwards") for layer in plan.layers):
        raise Failure(
            f"{asked} holds a layer that reads backwards; who begins at the end need not remember.", hint
        )
    takes, gives = plan.input_shape, plan.output_shape
    if len(takes) == 3 and takes[1] not in (None, length):
        reason = f"{asked} takes sequences of {takes[1]} letters: it ignores its argument."
        raise Failure(reason, "keras.Input((length, 8)) takes what it is given.")
    if len(takes) != 3 or takes[2] != 8 or gives != (None, 4):
        reason = f"{asked} takes {takes} and returns {gives}, expected (None, {length}, 8) and (None, 4)."
        raise Failure(
            reason, "keras.Input((length, 8)) first; Dense(4, activation='softmax') on the last state."
        )
    if plan.layers[-1].options.get("activation") != "softmax":
        raise Failure(f"{asked} does not end in probabilities.", "End it in Dense(4, activation='softmax').")
    if plan.parameters > MOST_IN_MEMORY:
        reason = f"{asked} has {plan.parameters:,} parameters, at most {MOST_IN_MEMORY:,} are allowed."
        raise Failure(reason, "32 units are enough on every rung: look for the gradient, not for size.")
    if blueprint.set_by_hand:
        which = ", ".join(blueprint.set_by_hand)
        raise Failure(
            f"{asked} returns a model whose weights were set or trained: {which}.",
            "Return it untrained; name the start you want by an initialiser. (Keras forgets Identity's gain.)",
        )
    return blueprint


def adam(submission, length: int) -> tuple[float, ...]:
    """The student's learning rate, clipnorm and clipvalue for a length."""
    asked = f"memory_settings({length})"
    names = ["learning_rate", "clipnorm", "clipvalue"]
    rate, *clip = plain_numbers(submission.call("memory_settings", length), names, asked)
    return rate, *limits(np.array(clip), asked)


def plain_numbers(came, names: list[str], asked: str) -> tuple[float, ...]:
    """The numbers a function returned. Raises Failure where there are others, or one is no number from 0 on."""
    values = split_parts(came, names, asked)
    for name, value in values.items():
        value = np.asarray(value)
        if value.size != 1 or value.dtype.kind not in "biuf" or not 0 <= value.item() < np.inf:
            reason = f"{asked}: {name} is {value}, expected a number from 0 on."
            raise Failure(reason, "0 stands for no clipping.")
    return tuple(np.asarray(value).item() for value in values.values())


def right_shares(predictions: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Accuracy of each seed; one that diverged has predictions that are not numbers, and none right."""
    lost = np.isnan(predictions).any(axis=(1, 2))
    return np.where(lost, 0.0, (predictions.argmax(axis=-1) == answers).mean(axis=1))


def look(predictions: np.ndarray, answers: np.ndarray) -> None:
    """Adds to the report how each training did, and which first letter the worst of them took for which."""
    shares = right_shares(predictions, answers)
    names = tuple(f"training {number + 1}" for number in range(len(shares)))
    counts = (len(answers),) * len(shares)
    figures.show(
        figures.Bars(
            "New sequences: right answers by training", names, tuple(shares.round(4).tolist()), counts
        )
    )
    said, letters = predictions[shares.argmin()], LETTERS[:4]
    if shares.min() < 1 and not np.isnan(said).any():
        title = "The worst training: the letter that was first, and what it says"
        figures.show(figures.confusion(answers, said.argmax(axis=-1), letters, title))


def shared_out(shares: np.ndarray, losses: np.ndarray, hint: str, bounds: tuple[float, float]) -> Credit:
    """Credit for the mean of the trainings, with all of them and their last losses in the message."""
    given = credit(shares.mean(), *bounds, hint, "Mean accuracy")
    each = ", ".join(f"{share:.2f}" for share in shares)
    ends = ", ".join("nan" if np.isnan(loss) else f"{loss:.3g}" for loss in losses[:, -20:].mean(axis=1))
    return Credit(given.share, f"{given.message} By seed: {each}; loss at the end: {ends}.", given.hint)


def next_try(plan, losses: np.ndarray, clipped: bool, kind: str) -> str:
    """What to try next, from the course of the losses (trainings, updates) and the recurrent layer that was used."""
    scales = [one.options["scale"] for layer in plan.layers for one in layer.all if one.kind == "SkipCell"]
    if np.isnan(losses).any():
        return "The loss is not a number: a step was too long. " + (
            "Take a smaller rate." if clipped else "Clip."
        )
    if scales and kind == "dna":
        moves = f"A state that moves by {max(scales):g} at most can't shut the door behind the first base"
        return f"{moves}: try a larger scale, or the identity."
    if (losses[:, 20:].max(axis=1) > 5).any():
        return leaping(bool(scales), clipped)
    ends = losses[:, -20:].mean(axis=1)
    flat, learnt = abs(ends - np.log(4)) < 0.03, ends < 0.2
    if learnt.any():
        luck = f"{learnt.sum()} of {len(ends)} trainings learn it: that is luck, not memory."
        return f"{luck} {instead_of(plan, scales, clipped)}"
    if flat.any():
        stuck = f"The loss stands at ln 4 in {flat.sum()} of {len(ends)} trainings"
        return f"{stuck}: nothing arrives from the first letter. {instead_of(plan, scales, clipped)}"
    slow = "The loss falls, too slowly for so few updates: a larger rate"
    return f"{slow}." if scales else f"{slow}, or a skip connection in time."


def leaping(skips: bool, clipped: bool) -> str:
    """What to try where the loss leaps up again."""
    if not clipped:
        return "The loss falls and leaps up again: one long step undoes what was learnt. Clip by the norm."
    if skips:
        return "The loss leaps, although clipped: a smaller scale, or a smaller rate."
    return "The loss leaps, although clipped: build the 1 in where training can't move it, with SkipCell."


def instead_of(plan, scales: list[float], clipped: bool) -> str:
    """The next remedy for a network whose loss stands still."""
    if scales:
        return (
            f"A scale of {max(scales):g} is too large for this length, or the rate is too small or too large."
        )
    if {"GRU", "LSTM"} & set(plan.kinds):
        return "Gates begin half open, and each step loses a part of the state. Start relu at the identity."
    if any(layer.options.get("activation") == "relu" for layer in plan.layers if layer.kind == "SimpleRNN"):
        if not clipped:
            return "relu needs clipping: one long step pushes units below 0, where they have no slope."
        return "Does relu start at the identity? Is the rate small enough that its units stay above 0?"
    return "tanh loses a little at each step: start relu at the identity, or keep the state with SkipCell."


DATASETS = Path(__file__).parents[2] / "datasets"

TRIALS = "trials.csv"
SETTINGS = "units", "dropout", "learning_rate", "clipnorm"
COLUMNS = "task", *SETTINGS, "score"
RANGES = {
    "units": (1, 64), "dropout": (0, 0.95), "learning_rate": (1e-6, 10), "clipnorm": (0, 1e6), "score": (0, 1)
}  # fmt: skip
MOST_TRIALS, LEAST_TRIALS = 1_000, 8  # for each task the least, for both together the most
LEARNT, LEAST_LEARNT = 0.6, 4  # a score that no coin gets on 1,000 rows; so many trials of each task have it
AUDITED = {"sentiment": 1, "motif": 2}  # rows beside the chosen one; a training of a motif costs less
BUILDERS = {"sentiment": "build_sentiment_model", "motif": "build_motif_model"}
UPDATES = {"sentiment": 500, "motif": 200}  # batches of 64 in a trial, as in the notebook
ROUNDING = 0.05  # relative: 0.0047 stands for 0.004731
NOISE = {"sentiment": 0.06, "motif": 0.06}  # see `disagreement`
INPUTS = {"sentiment": (None, 40), "motif": (None, 60, 4)}
KINDS = {
    "sentiment": "Embedding, SpatialDropout1D, Bidirectional, SimpleRNN, GlobalMaxPooling1D, Dense",
    "motif": "SimpleRNN, GlobalMaxPooling1D, Dropout, Dense",
}


@item(points=3, section="search")
def builds_what_is_searched(submission):
    """build_sentiment_model and build_motif_model (units, dropout): the networks described, of these units."""
    for task in BUILDERS:
        rng = input_generator(BUILDERS[task])
        drawn = int(rng.integers(2, 40)), round(rng.uniform(0.05, 0.6), 2)
        for units, dropout in ((12, 0.0), drawn):
            network(submission, task, units, dropout)


@item(points=3, section="search")
def hands_in_a_table(submission):
    """trials.csv: at least eight trials for each task, of different rates, four that learnt, and your two choices."""
    table = read_trials(submission)
    for task in BUILDERS:
        rates = table.learning_rate[table.task == task]
        if rates.max() < 10 * rates.min():
            reason = f"The rates tried for {task} reach from {rates.min():g} to {rates.max():g}: less than a factor 10."
            raise Failure(reason, "Draw its logarithm evenly over a wide range: loguniform(3e-4, 3e-2).")
        chosen_row(submission, task)


@item(points=4, section="search")
def chosen_rows_are_true(submission):
    """The scores of your two chosen rows agree with the grader's own three trainings of the same settings."""
    return truth(submission, {task: [chosen_row(submission, task)] for task in BUILDERS})


@item(points=3, section="search")
def other_rows_are_true(submission):
    """So do other rows that learnt, one for sentiment, two for motif, by lot; your TA's lot is another than yours."""
    told = truth(submission, {task: audited_rows(submission, task) for task in BUILDERS})
    return (
        told
        if told.share == 1
        else Credit(0, f"{told.message} A table is believed whole or not at all.", told.hint)
    )


@item(points=4, section="search")
def chosen_for_sentiment(submission):
    """Accuracy on 1,000 new reviews of your chosen settings, trained by the grader: mean of three."""
    return on_fresh(submission, "sentiment", 0.70, 0.90)


@item(points=3, section="search")
def chosen_for_motif(submission):
    """AUC on 2,000 new sequences of your chosen settings, trained by the grader: mean of three."""
    return on_fresh(submission, "motif", 0.85, 0.95)


# --- the table of trials


def read_trials(submission) -> pd.DataFrame:
    """The rows of trials.csv with the columns COLUMNS, sorted, equal ones once.

    Raises Failure with the first thing that is wrong.
    """
    rows = submission.table(TRIALS, COLUMNS, MOST_TRIALS)
    read = [trial(row, number) for number, row in enumerate(rows, start=1)]
    table = pd.DataFrame(read, columns=COLUMNS)
    for task in BUILDERS:
        refuse_few(table[table.task == task], task)
    return table.drop_duplicates().sort_values([*COLUMNS], ignore_index=True)


def trial(row: dict, number: int) -> dict:
    """One trial as text and numbers. Raises Failure where a cell is missing or makes no sense."""
    task = row.get("task", "").strip()
    if task not in BUILDERS:
        reason = f"{TRIALS}, trial {number}: the task is {task[:40]!r}, expected {' or '.join(BUILDERS)}."
        raise Failure(reason, "Each row names its task.")
    return {"task": task} | {name: cell(row.get(name, ""), name, number) for name in RANGES}


def cell(text: str, name: str, number: int) -> float:
    low, high = RANGES[name]
    try:
        value = float(text) if len(text) <= 40 else math.nan
    except ValueError:
        value = math.nan
    if not low <= value <= high or (name == "units" and value % 1):
        kind = "a whole number" if name == "units" else "a number"
        reason = (
            f"{TRIALS}, trial {number}: {name} is {text[:40]!r}, expected {kind} from {low:g} to {high:g}."
        )
        raise Failure(reason, "0 stands for no clipping; a trial that failed scores 0.5, as a coin does.")
    return value


def refuse_few(some: pd.DataFrame, task: str) -> None:
    """Raise Failure unless there are enough trials of a task, and not all alike."""
    if len(some) < LEAST_TRIALS:
        reason = f"{TRIALS} has {len(some)} trials for {task}, expected at least {LEAST_TRIALS}."
        raise Failure(reason, "Save all trials of both tasks in one file: pd.concat, then to_csv once.")
    rounded = some.assign(learning_rate=(np.log(some.learning_rate) / ROUNDING).round())
    different, learnt = (
        len(rows.drop_duplicates(list(SETTINGS))) for rows in (rounded, rounded[some.score >= LEARNT])
    )
    if different < LEAST_TRIALS:
        reason = f"The {len(some)} trials for {task} are {different} different ones, expected {LEAST_TRIALS}."
        raise Failure(reason, "Is a new setting drawn for each trial, and does it reach the table?")
    if learnt < LEAST_LEARNT:
        reason = (
            f"{learnt} trials for {task} score {LEARNT:g} or more, expected {LEAST_LEARNT}: a coin gets 0.5."
        )
        raise Failure(reason, "At which rates does training begin to learn? Draw more trials from there.")
    if some.score.max() - some.score.min() < 0.005:
        reason = f"All trials for {task} score {some.score.max():.3f}, whatever their settings."
        raise Failure(reason, "Do the settings reach the model and the optimiser? Print what fit uses.")


def chosen_row(submission, task: str) -> pd.Series:
    """The row of the table that chosen_settings(task) names. Raises Failure where there is none."""
    table, asked = read_trials(submission), f'chosen_settings("{task}")'
    named = split_parts(submission.call("chosen_settings", task), SETTINGS, asked)
    if any(np.size(value) != 1 or np.asarray(value).dtype.kind not in "iuf" for value in named.values()):
        raise Failure(f"{asked} should return four plain numbers.", f"In this order: {', '.join(SETTINGS)}.")
    chosen = np.array([np.ravel(value)[0] for value in named.values()], float)
    near = np.isclose(table[list(SETTINGS)], chosen, rtol=ROUNDING, atol=1e-9).all(axis=1)
    rows = table[near & (table.task == task)]
    if rows.empty:
        settings = ", ".join(f"{name} {value:g}" for name, value in zip(SETTINGS, chosen, strict=True))
        raise Failure(f"{asked} is no row of {TRIALS}: {settings}.", "Choose among the trials you have run.")
    return rows.loc[abs(rows.learning_rate - chosen[2]).idxmin()]


def audited_rows(submission, task: str) -> list[pd.Series]:
    """Rows of the task that learnt, other than the chosen one, drawn by lot from the term's seed and the table."""
    chosen, table = chosen_row(submission, task), read_trials(submission)
    rows = table[(table.task == task) & (table.index != chosen.name) & (table.score >= LEARNT)]
    digest = hashlib.sha256(table.to_csv(index=False).encode()).hexdigest()
    rng = np.random.default_rng(fresh_seed(f"audited trials, {task}, {digest}"))
    return [rows.iloc[place] for place in rng.choice(len(rows), min(AUDITED[task], len(rows)), replace=False)]


# --- trained again


def network(submission, task: str, units: int, dropout: float):
    """The student's untrained network. Raises Failure unless it is the one described, with these settings."""
    blueprint = submission.build(BUILDERS[task], units, dropout)
    plan, asked = blueprint.plan, f"{BUILDERS[task]}({units}, {dropout:g})"
    check_architecture(plan, asked, KINDS[task].split(", "), every_path=["SimpleRNN"])
    if list(dict.fromkeys(plan.kinds[1:])) != KINDS[task].split(", "):
        raise Failure(
            f"{asked} is made of {', '.join(plan.kinds[1:])}.", f"Expected, in this order: {KINDS[task]}."
        )
    if tuple(plan.input_shape) != INPUTS[task] or tuple(plan.output_shape) != (None, 1):
        reason = f"{asked} leads from {plan.input_shape} to {plan.output_shape}, expected {INPUTS[task]} to (None, 1)."
        raise Failure(reason, "Compare keras.Input and the last Dense with the docstring.")
    layers = [one for layer in plan.layers for one in layer.all]
    for name, option, value, kind in (
        ("units", "units", units, "SimpleRNN"),
        ("dropout", "rate", dropout, "Drop"),
    ):
        came = {one[option] for one in layers if kind in one.kind}
        if came != {value}:
            reason = f"{asked} has {name} {', '.join(f'{one:g}' for one in came)}."
            raise Failure(reason, f"Use the argument {name}: what the search draws must reach the layer.")
    if plan.parameters != parameters(task, units):
        reason = f"{asked} has {plan.parameters:,} parameters, expected {parameters(task, units):,}."
        raise Failure(
            reason, "Embedding(1714, 32) for the reviews, one SimpleRNN (in both directions), Dense(1)."
        )
    return blueprint


def parameters(task: str, units: int) -> int:
    """Of the network described: kernel, recurrent matrix and bias for each direction, and what stands around."""
    if task == "motif":
        return units * (4 + units + 1) + units + 1
    return len(token_numbers()) * 32 + 2 * units * (32 + units + 1) + 2 * units + 1


@cache
def task_rows(task: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training rows, their labels, the rows that score a trial, and their labels."""
    if task == "sentiment":
        train, public = (pd.read_csv(DATASETS / "sentiment" / f"{name}.csv") for name in ("train", "public"))
        return reviews(train), train.label.to_numpy(), reviews(public), public.label.to_numpy()
    motif = pd.read_csv(DATASETS / "motif" / "train.csv").query("strands == 'forward'")
    x, y, held = bases(motif), motif.label.to_numpy(), np.arange(len(motif)) % 5 == 0
    return x[~held], y[~held], x[held], y[held]


@cache
def token_numbers() -> dict[str, int]:
    words = (DATASETS / "sentiment" / "vocabulary.txt").read_text(encoding="utf-8").splitlines()
    return {word: number for number, word in enumerate(words)}


def reviews(data: pd.DataFrame) -> np.ndarray:
    """Token ids of reviews, zeros in front: int32 (n, 40)."""
    rows = np.zeros((len(data), 40), np.int32)
    for row, sentence in zip(rows, data.sentence, strict=True):
        ids = [token_numbers().get(word, 1) for word in sentence.split()]
        row[40 - len(ids) :] = ids
    return rows


def bases(data: pd.DataFrame) -> np.ndarray:
    """One-hot bases, a quarter of each for a letter that leaves open which one it is: float32 (n, 60, 4)."""
    letters = np.array([list(sequence) for sequence in data.sequence])
    hot = (letters[:, :, None] == np.array(list("ACGT"))).astype(np.float32)
    return hot + (1 - hot.sum(axis=-1, keepdims=True)) / 4


def new_rows(task: str) -> tuple[np.ndarray, np.ndarray]:
    if task == "sentiment":
        data = fresh("sentiment", count=1000)
        return reviews(data), data.label.to_numpy()
    data = fresh("motif", strands="forward", count=2000)
    return bases(data), data.label.to_numpy()


def retrained(submission, task: str, row: pd.Series, **budget) -> tuple[np.ndarray, np.ndarray]:
    """Scores of the grader's three trainings of a row's settings: on the rows that score a trial, on new ones."""
    x, y, held, held_y = task_rows(task)
    new, new_y = new_rows(task)
    blueprint = network(submission, task, int(row.units), float(row.dropout))
    settings = {"learning_rate": float(row.learning_rate), "clipnorm": float(row.clipnorm)}
    budget = {"updates": UPDATES[task], "seed": fresh_seed(task)} | budget
    _, predictions = submission.train(blueprint, x, y, np.concatenate([held, new]), **settings, **budget)
    both = [(one[: len(held), 0], one[len(held) :, 0]) for one in predictions]
    return tuple(
        np.array([score(task, truth, pair[side]) for pair in both])
        for side, truth in enumerate((held_y, new_y))
    )


def score(task: str, label: np.ndarray, probability: np.ndarray) -> float:
    """Accuracy for sentiment, AUC for motif; one half where training diverged."""
    if not np.isfinite(probability).all():
        return 0.5
    return (
        accuracy_score(label, probability > 0.5) if task == "sentiment" else roc_auc_score(label, probability)
    )


def truth(submission, rows: dict[str, list[pd.Series]]) -> Credit:
    """Half of the points for each task whose rows tell the truth; what is wrong with the others, named."""
    wrong = {}
    for task, some in rows.items():
        if why := next(filter(None, (disagreement(submission, task, row) for row in some)), ""):
            wrong[task] = why
    if not wrong:
        return Credit(1, "The table and the grader's own trainings agree.")
    hint = "Did each fit run its whole budget, on train.csv only, scored on the rows of the notebook's plan?"
    return Credit(1 - len(wrong) / len(rows), " ".join(wrong.values()), hint)


def disagreement(submission, task: str, row: pd.Series) -> str:
    """In what a row's score is not what training gives; empty where it is.

    Some settings fail from one start in five, so a score that three trainings don't bear out gets three more.
    """
    scores, _ = retrained(submission, task, row)
    if far(row.score, scores, NOISE[task]):
        more, _ = retrained(submission, task, row, seed=fresh_seed(task) + 3)
        scores = np.concatenate([scores, more])
    if not far(row.score, scores, NOISE[task]):
        return ""
    settings = f"{row.units:g} units, dropout {row.dropout:g}, rate {row.learning_rate:.3g}, clipnorm {row.clipnorm:g}"
    said = f"{task}, {settings}: your table says {row.score:.3f}, six trainings give {spanned(scores)}."
    return said + after_an_epoch(submission, task, row) if row.score < scores.min() else said


def after_an_epoch(submission, task: str, row: pd.Series) -> str:
    """What to say of a score that is too low, where it is that of a single epoch in Keras's batches; else nothing."""
    once, _ = retrained(submission, task, row, updates=len(task_rows(task)[0]) // 32, batch=32)
    if far(row.score, once, NOISE[task]):
        return ""
    return f" A single epoch gives {spanned(once)}: were the arguments of fit dropped by clone?"


def far(claimed: float, scores: np.ndarray, noise: float) -> bool:
    """Whether a score lies outside what the others span, further than noise and than they span themselves.

    NOISE is more than honest trials were off in settled settings; elsewhere the others tell how far they scatter.
    """
    beyond = max(scores.min() - claimed, claimed - scores.max())
    return bool(beyond > max(noise, np.ptp(scores)))


def spanned(scores: np.ndarray) -> str:
    return f"{scores.min():.3f} to {scores.max():.3f}"


def on_fresh(submission, task: str, zero: float, full: float) -> Credit:
    row = chosen_row(submission, task)
    _, scores = retrained(submission, task, row)
    name = "Mean accuracy" if task == "sentiment" else "Mean AUC"
    hint = f"The three: {spanned(scores)}. Far apart? Choose settings that do not hang on luck. Low? Try other rates."
    return credit(scores.mean(), zero, full, hint, name)


# --- section "splice": real sequences, where they were fetched

JUNCTIONS = "EI", "IE", "N"
SPLICE_TRAINING = 2_000  # of 3,004 sequences: the term's seed says which; the others are asked for
SPLICE_UPDATES = 600  # batches of 64: nineteen times through the training rows
MOST_IN_SPLICE = 5_000  # parameters
ALLOWED_IN_SPLICE = (
    "SimpleRNN", "Bidirectional", "Dense", "Dropout", "SpatialDropout1D", "LayerNormalization", "Concatenate", "Add",
    "Average", "Maximum", "GlobalMaxPooling1D", "GlobalAveragePooling1D",
)  # fmt: skip
# Median accuracy of three, less that of the logistic regression on the same split; on 1,004 sequences this difference
# has a standard error of 0.6 %. On five splits the reference came to 0.000 to 0.008, readers of all 60 letters to -0.42
# to -0.19, whatever their units and rates.
AGAINST_A_LINE = -0.04, -0.01
STILL_LEARNING = 0.25  # a loss; the reference ended at 0.12 to 0.15


@item(points=1, bonus=True, section="splice")
def knows_how_sure_a_score_is(submission):
    """standard_error(accuracy, n): by how much an accuracy on n sequences is off, as a standard deviation."""
    rng = input_generator("standard_error")
    drawn = [(round(rng.uniform(0.6, 0.97), 3), int(rng.integers(50, 3000))) for _ in range(3)]
    for p, n in ((0.9, 300), *drawn):
        right = math.sqrt(p * (1 - p) / n)
        usual = {
            "the root is missing: that is the variance": p * (1 - p) / n,
            "n stands outside the root": math.sqrt(p * (1 - p)) / n,
            "it is not divided by n: that is how far a single answer scatters": math.sqrt(p * (1 - p)),
            "1 - p is missing: the variance of one answer is p (1 - p)": math.sqrt(p / n),
            "p is missing: the variance of one answer is p (1 - p)": math.sqrt((1 - p) / n),
            "the accuracy is left out: 1 / sqrt(n) is for something that scatters by 1": 1 / math.sqrt(n),
            "p = 1/2 is put in: that is the most it can be, and yours is better known": 0.5 / math.sqrt(n),
            "it is given in per cent: the accuracy is a number from 0 to 1": 100 * right,
            "it is doubled, as for an interval of 95 %": 1.96 * right,
            "it is doubled: one standard error is asked for": 2 * right,
        }
        assert_close(submission.call("standard_error", p, n), right, usual, f"standard_error({p}, {n})", 1e-5)


@item(points=1, bonus=True, section="splice")
def compares_on_the_same_rows(submission):
    """error_of_difference(first, second): the standard error of two trials' difference on the same n sequences."""
    rng = input_generator("error_of_difference")
    example = 300, 30, 2, 54
    drawn = [(rng.integers(400, 900), *rng.integers((30, 2, 60), (50, 20, 150))) for _ in range(2)]
    for count, wrong, begin, end in (example, *drawn):
        first, second = np.ones((2, count), int)
        first[:wrong], second[begin:end] = 0, 0  # in the example 28 that both have wrong
        difference, n = first - second, len(first)
        alone = [math.sqrt(one.mean() * (1 - one.mean()) / n) for one in (first, second)]
        right = difference.std() / math.sqrt(n)
        usual = {
            "the two errors are put together as for two different exams; both sat the same": math.hypot(
                *alone
            ),
            "the two errors are added": sum(alone),
            "it is the standard error of the first alone": alone[0],
            "it is the standard error of the second alone": alone[1],
            "it is how far one difference scatters: divide it by the root of n for a mean": difference.std(),
            "it is divided by n and not by its root": difference.std() / n,
            "the root is missing: that is the variance of the mean": difference.var() / n,
            "it is the difference itself": abs(difference.mean()),
            "the sign is lost: where the one is right the difference is 1, where the other is, -1": (
                abs(difference).std() / math.sqrt(n)
            ),
            "the variances are subtracted": math.sqrt(abs(alone[0] ** 2 - alone[1] ** 2)),
        }
        came = submission.call("error_of_difference", first, second)
        assert_close(
            came, right, usual, "error_of_difference(first, second)", 5e-5
        )  # n - 1 in place of n is as good


@item(points=4, bonus=True, section="splice")
def reads_towards_the_junction(submission):
    """splice_network with splice_settings(): trained on 2,000 real sequences, median of three on the other 1,004."""
    blueprint, rate, clipnorm = splice_network(submission)
    x, y, test, truth = splice_split()
    flat, flat_test = x.reshape(len(x), -1), test.reshape(len(test), -1)
    line = LogisticRegression(C=0.1, max_iter=1_000).fit(flat, y).score(flat_test, truth)
    losses, predictions = submission.train(
        blueprint, x, y, test, updates=SPLICE_UPDATES, learning_rate=rate, clipnorm=clipnorm,
        seed=fresh_seed("splice"),
    )  # fmt: skip
    shares = right_shares(predictions, truth)
    look_at_junctions(predictions, truth, line)
    hint = after_junctions(blueprint.plan, losses)
    given = credit(np.median(shares) - line, *AGAINST_A_LINE, hint, "The difference")
    each = ", ".join(f"{share:.3f}" for share in shares)
    against = f"The median of {each}, less the {line:.3f} of a logistic regression on the same rows"
    return Credit(given.share, f"{against}. {given.message}", given.hint)


def splice_split() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """This term's split of all real sequences: x (2000, 60, 4), its classes, x of the others (1004, 60, 4), theirs."""
    data = fresh("splice", part="all")
    x, y, cut = bases(data), data.label.map(JUNCTIONS.index).to_numpy(), SPLICE_TRAINING
    return x[:cut], y[:cut], x[cut:], y[cut:]


def splice_network(submission):
    """The blueprint of the student's own settings, rate and clipnorm. Raises Failure where a rule is broken."""
    asked = "splice_settings()"
    units, dropout, rate, clipnorm = plain_numbers(submission.call("splice_settings"), SETTINGS, asked)
    if units % 1 or not 1 <= units <= 64 or dropout > 0.95:
        reason = f"{asked} gives {units:g} units and a dropout of {dropout:g}."
        raise Failure(reason, f"In this order: {', '.join(SETTINGS)}; 1 to 64 units, dropout up to 0.95.")
    blueprint = submission.build("splice_network", int(units), float(dropout))
    plan, asked = blueprint.plan, f"splice_network({units:g}, {dropout:g})"
    hint = f"Build it of {', '.join(ALLOWED_IN_SPLICE)}; slices are free."
    check_architecture(plan, asked, [*ALLOWED_IN_SPLICE, "ops.GetItem"], every_path=["SimpleRNN"], hint=hint)
    if tuple(plan.input_shape) != (None, 60, 4) or plan.output_shape != (None, 3):
        reason = f"{asked} leads from {plan.input_shape} to {plan.output_shape}, expected (None, 60, 4) to (None, 3)."
        raise Failure(reason, "keras.Input((60, 4)) first, Dense(3, activation='softmax') last.")
    if plan.layers[plan.calls[plan.output.call].layer].options.get("activation") != "softmax":
        raise Failure(f"{asked} does not end in probabilities.", "End it in Dense(3, activation='softmax').")
    if plan.parameters > MOST_IN_SPLICE:
        reason = f"{asked} has {plan.parameters:,} parameters, at most {MOST_IN_SPLICE:,} are allowed."
        raise Failure(reason, "2,000 sequences can't teach more: take fewer units.")
    return blueprint, rate, clipnorm


def look_at_junctions(predictions: np.ndarray, truth: np.ndarray, line: float) -> None:
    """Adds to the report how each training did beside the regression, and what the middle one took for what."""
    shares = right_shares(predictions, truth)
    names = ("logistic regression", *(f"training {number + 1}" for number in range(len(shares))))
    values = tuple(round(float(value), 4) for value in (line, *shares))
    figures.show(figures.Bars("Unseen sequences: right answers", names, values, (len(truth),) * len(names)))
    said = predictions[np.argsort(shares)[len(shares) // 2]]
    if not np.isnan(said).any():
        title = "The middle training: what it is, and what it says"
        figures.show(figures.confusion(truth, said.argmax(axis=-1), JUNCTIONS, title))


def after_junctions(plan, losses: np.ndarray) -> str:
    """What to try next, from the readers and the course of the losses (trainings, updates)."""
    if np.isnan(losses).any():
        return "The loss is not a number: a step was too long. Clip, or take a smaller rate."
    if reads_past_the_middle(plan):
        return "What counts lies in the middle: let no reader have 30 letters to forget it in. Where should one stop?"
    if np.median(losses[:, -60:]) > STILL_LEARNING:
        return "It has not learnt its own 2,000 rows yet: a larger rate, or less dropout."
    return "It knows its own rows and not the others: fewer units, more dropout, or another rate."


def reads_past_the_middle(plan) -> bool:
    """Whether a recurrent layer reads all 60 letters and hands on nothing but its last state."""
    calls = [call for call in plan.calls if "SimpleRNN" in {one.kind for one in plan.layers[call.layer].all}]
    given = [plan.calls[call.inputs[0].call].shapes[call.inputs[0].output] for call in calls]
    return any(shape[1] == 60 and len(call.shapes[0]) == 2 for call, shape in zip(calls, given, strict=True))


# --- concepts: the questions are shown in the notebook

clipped_steps, first_remedy, gates, lucky_best = concept_questions(
    __file__, "clipped_steps", "first_remedy", "gates", "lucky_best"
)


@item(points=2, section="concepts")
def knows_what_a_limit_does(submission):
    """CLIPPED_STEPS: how far two updates of your own lengths move the network, clipped to your own limit."""
    clipped_steps(submission.signed).judge(submission.value("CLIPPED_STEPS"))


@item(points=2, section="concepts")
def knows_what_relu_passes_on(submission):
    """FIRST_REMEDY: what is left of a nudge where relu starts at the identity and some units fall to 0."""
    first_remedy(submission.signed).judge(submission.value("FIRST_REMEDY"))


@item(points=2, section="concepts")
def knows_what_a_gate_starts_with(submission):
    """GATES: whether GRU and LSTM have no vanishing gradients."""
    gates(submission.signed).judge(submission.value("GATES"))


@item(points=2, section="concepts")
def knows_the_luck_of_the_best(submission):
    """LUCKY_BEST: how likely the best of your own number of trials looks good by luck alone."""
    lucky_best(submission.signed).judge(submission.value("LUCKY_BEST"))


@item(points=2, section="concepts")
def explains_what_patience_buys(submission):
    """Two friends would save tanh at 100 letters, by ten times the updates or by larger gradients: what do you say?"""
    return submission.text("explains_what_patience_buys")
