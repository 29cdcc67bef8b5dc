"""The assignment `rnn_by_hand`: numbers of one's own, and its oracles against other ways to compute."""

import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from autograder.authoring.verify._test_submissions import list_test_submissions
from autograder.core import load_module, read_course
from autograder.data import DEMO_SECRET, HiddenData
from autograder.grading import Grader
from autograder.models import Predictor
from autograder.rubric import Submission, hidden_from, questions_path
from autograder.sandbox import InProcessSandbox
from autograder.submissions import RawSubmission

COURSE = read_course(Path(__file__).parents[1])
ASSIGNMENT = COURSE.assignment("rnn_by_hand")
RUBRIC = load_module(ASSIGNMENT.rubric)
QUESTIONS = load_module(questions_path(COURSE.assignment("rnn_by_hand").folder))
STUDENTS = [f"student{number}" for number in range(300)]


class Remembering(Predictor):
    """Predicts once for all test submissions with the same model."""

    def __init__(self):
        super().__init__()
        self.answers = {}

    def predict(self, model, inputs):
        key = model.sha256, len(inputs), len(inputs[-1])
        if key not in self.answers:
            self.answers[key] = super().predict(model, inputs)
        return self.answers[key]


@pytest.fixture(scope="module")
def grader(sandbox):
    grader = Grader.create(ASSIGNMENT, HiddenData(COURSE, DEMO_SECRET), sandbox)
    return replace(grader, predictor=Remembering())


@pytest.mark.slow
@pytest.mark.parametrize("name", list_test_submissions(ASSIGNMENT)[::4])
def test_check_says_what_grade_says(name, grader):
    live, folder = replace(grader, sandbox=InProcessSandbox()), ASSIGNMENT.test_submissions / name
    checked, graded = (  # what a function prints, a check shows as it comes
        [replace(score, remarks=()) for score in one.grade(RawSubmission(name, folder)).report.scores]
        for one in (live, grader)
    )
    assert checked == graded


def test_a_notebook_signed_by_another_waits_for_a_person(grader):
    report = grader.grade(RawSubmission("somebody_else", ASSIGNMENT.test_submissions / "perfect")).report
    undecided = {score.item for score in report.scores if score.outcome == "broken"}
    assert undecided == {"back_propagates_by_hand", "recovers_the_weights", "names_the_shapes", *CONCEPTS}
    assert report.status == "needs a person"


# --- the student's own numbers


def test_neighbours_have_other_numbers():
    for draw in (RUBRIC.bitstring, RUBRIC.sizes, lambda student: RUBRIC.riddle(student)[0].tobytes()):
        drawn = [draw(student) for student in STUDENTS]
        assert drawn == [draw(student) for student in STUDENTS]
        assert max(drawn.count(one) for one in drawn) <= 6, "of 300"


def test_shapes_are_those_of_keras_turned_for_columns():
    inputs, units, outputs = 5, 7, 3
    layers = [keras.layers.SimpleRNN(units), keras.layers.Dense(outputs)]
    model = keras.Sequential([keras.Input((None, inputs)), *layers])
    W_hx, W_hh, b_h, W_yh, b_y = (weight.shape[::-1] for weight in model.weights)
    right = RUBRIC.shapes_for(inputs, units, outputs)
    assert right.pop("parameters") == model.count_params()
    assert {name: tuple(shape) for name, shape in right.items()} == {
        "W_hx": W_hx, "W_hh": W_hh, "W_yh": W_yh, "b_h": b_h, "b_y": b_y
    }  # fmt: skip


def test_all_numbers_are_equally_difficult():
    for student in STUDENTS[:60]:
        bits, w_1, w_2, y = RUBRIC.bitstring(student)
        walk = RUBRIC.Walk(bits, w_1, w_2, y)
        assert np.count_nonzero(walk.copies) == 3 and bits.count("1") == 3
        assert 1 <= abs(y - walk.states[-1]) <= 5
        assert (abs(walk.states) < 1000).all() and (abs(walk.gradient) < 10_000).all()
        assert not np.allclose(walk.gradient, [32, 68])
        assert len(set(RUBRIC.sizes(student))) == 3


def test_the_riddle_has_one_answer():
    """On a fine grid of (w, b), only the neighbourhood of the answer comes near the state."""
    grid = np.linspace(0, 1, 401)
    w, b = np.meshgrid(grid, grid, indexing="ij")
    for student in STUDENTS[:40]:
        W_xh, right_w, right_b = RUBRIC.riddle(student)
        state = RUBRIC.letter_states([0, 1], W_xh, right_w, right_b)[-1]
        first = np.tanh(W_xh[:, 0, None, None] + b)
        off = abs(np.arctanh(state)[:, None, None] - W_xh[:, 1, None, None] - w * first - b).max(axis=0)
        near = np.argwhere(off < 0.003)
        assert len(near) and (abs(grid[near] - [right_w, right_b]) < 0.12).all()


# --- the oracles against other ways to compute


def close(one, other) -> bool:
    return np.shape(one) == np.shape(other) and np.allclose(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["identity", "tanh", "sigmoid", "relu"])
def test_slopes_are_those_of_automatic_differentiation(name):
    r = np.array([[-30.0, -2.0, -0.1], [0.1, 1.7, 30.0]])
    with tf.GradientTape() as tape:
        tape.watch(x := tf.constant(r))
        value = {"identity": tf.identity, "relu": tf.nn.relu}.get(name, getattr(tf, name, None))(x)
    assert close(RUBRIC.ACTIVATIONS[name](r), value)
    assert close(RUBRIC.slope(r, name), tape.gradient(value, x))


@pytest.mark.parametrize("name", ["linear", "tanh", "sigmoid", "relu"])
def test_states_are_those_of_keras(name):
    rng = np.random.default_rng(0)
    layer = keras.layers.SimpleRNN(3, name, return_sequences=True, dtype="float64")
    layer.build((None, None, 2))
    x, start, weights = (
        rng.normal(size=(5, 2)),
        rng.normal(size=3),
        [rng.normal(size=s) for s in ((2, 3), (3, 3), 3)],
    )
    layer.set_weights(weights)
    states = RUBRIC.rnn_states(x, start, *weights, RUBRIC.ACTIVATIONS[name.replace("linear", "identity")])
    assert close(states, layer(x[None], initial_state=start[None])[0])


@pytest.mark.parametrize("name", ["identity", "tanh", "sigmoid"])
def test_the_bitstrings_gradient_is_that_of_automatic_differentiation(name):
    """With a copy of both weights, and of nothing that is added to r, at each step."""
    bits, w_1, w_2, y = "1101001", 0.7, -1.4, 0.5
    copies_1, copies_2, nudges = (
        tf.Variable([number] * len(bits), dtype=tf.float64) for number in (w_1, w_2, 0)
    )
    with tf.GradientTape() as tape:
        q = tf.zeros((), tf.float64)
        for t, bit in enumerate(bits):
            r = copies_1[t] * q + copies_2[t] * int(bit) + nudges[t]
            q = r if name == "identity" else getattr(tf, name)(r)
        loss = (y - q) ** 2
    first, second, errors = (
        gradient.numpy() for gradient in tape.gradient(loss, [copies_1, copies_2, nudges])
    )
    walk = RUBRIC.Walk(bits, w_1, w_2, y, name)
    assert close(walk.states[-1], q) and close(walk.copies, first) and close(walk.errors, errors)
    assert close(walk.gradient, [first.sum(), second.sum()]) and close(walk.summed(errors), walk.gradient)


@pytest.mark.parametrize("number", range(3))
def test_the_kmer_networks_gradients_are_those_of_automatic_differentiation(number):
    with hidden_from(HiddenData(COURSE, "some term")):
        run = list(RUBRIC.kmer_runs("a topic"))[number]
    weights = {name: tf.Variable(weight) for name, weight in run.weights.items()}
    nudges = tf.Variable(np.zeros_like(run.h))
    with tf.GradientTape() as tape:
        h, z = weights["h_0"][None], []
        for t, number in enumerate(run.ids):
            e = tf.one_hot([number], len(run.weights["L"]), dtype=tf.float64) @ weights["L"]
            z.append(h @ weights["H"] + e @ weights["I"] + weights["b_1"] + nudges[t])
            h = tf.sigmoid(z[-1])
        q = h @ weights["U"] + weights["b_2"]
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(run.labels[-1:], q)
    gradients = tape.gradient(loss, weights | {"nudges": nudges})
    assert close(run.forward["z"], tf.concat(z, axis=0)) and close(run.forward["q"][-1:], q)
    assert (
        close(run.forward["e"][-1:], e)
        and close(run.losses()[-1:], loss)
        and close(run.y_hat[-1:], tf.nn.softmax(q))
    )
    assert close(run.errors, gradients.pop("nudges"))
    for name, gradient in gradients.items():
        assert close(run.gradient(name), tf.convert_to_tensor(gradient)), name
    assert close(run.sent_back(run.weights["H"], run.h * (1 - run.h)), run.errors)


@pytest.mark.parametrize("number", range(3))
def test_jacobians_are_those_of_automatic_differentiation(number):
    with hidden_from(HiddenData(COURSE, "some term")):
        run = list(RUBRIC.column_runs("a topic"))[number]
    W_hh, nudges = tf.Variable(run.W_hh), tf.Variable(np.zeros_like(run.inputs))
    states, loss = [tf.Variable(run.h_0)], 0.0
    with tf.GradientTape(persistent=True) as tape:
        for step, row, nudge in zip(run.inputs, run.dL_dh, tf.unstack(nudges), strict=True):
            states.append(tf.tanh(tf.linalg.matvec(W_hh, states[-1]) + step + nudge))
            loss += tf.reduce_sum(row * states[-1])
    assert close(run.states, tf.stack(states))
    for k, t in ((0, 1), (1, 3), (0, len(run.inputs))):
        assert close(run.jacobian(t, k), tape.jacobian(states[t], states[k], experimental_use_pfor=False))
    assert close(run.gradient(run.dL_dh), tape.gradient(loss, W_hh))
    assert close(run.errors(run.dL_dh), tape.gradient(loss, nudges))


def test_the_lectures_printed_numbers():
    """A second check: 32 and 68 of lecture 000, the state after 'e' of lecture 004."""
    walk = RUBRIC.Walk("101", 4, 1, 15)
    assert [*walk.states, *walk.gradient] == [0, 1, 4, 17, 32, 68]
    W_xh = [[0.287027, 0.84606, 0, 0], [0.902874, 0.871522, 0, 0], [0.537524, 0.09224, 0, 0]]
    state = RUBRIC.letter_states([0, 1], np.array(W_xh), 0.427035, 0.567007)[-1]
    assert state == pytest.approx([0.936534, 0.949104, 0.762341], abs=1e-6)


def test_the_counter_is_tried_on_every_short_sequence():
    tried = {tuple(codes) for batch in RUBRIC.short_sequences() for codes in batch.tolist()}
    assert tried == {codes for length in range(1, 9) for codes in product(range(4), repeat=length)}
    assert len(tried) == 87_380
    long = RUBRIC.long_sequences()
    assert [batch.shape for batch in long] == [(12, 100), (12, 1_000), (12, 10_000)]
    for batch in long:
        guanines = (batch == 2).sum(axis=1).tolist()
        assert (guanines.count(2), guanines.count(3)) == (3, 3)


# --- concepts


CONCEPTS = {
    "knows_what_sharing_saves": RUBRIC.unshared,
    "counts_long_looks": RUBRIC.long_looks,
    "knows_what_a_state_is": RUBRIC.same_state,
    "knows_what_an_update_does": RUBRIC.one_update,
}


def open_submission(name: str, sandbox) -> Submission:
    return Submission(name, ASSIGNMENT.test_submissions / name, Predictor(), sandbox)


@pytest.mark.slow
def test_sharing_saves_what_keras_layers_would_cost():
    for student in STUDENTS[:5]:
        question = QUESTIONS.unshared(student)
        steps, inputs, units = map(int, re.findall(r"\d+", str(question))[:3])
        layers = [keras.layers.SimpleRNN(units) for _ in range(steps - 1)]
        for layer in layers:
            layer.build((None, None, inputs))
        assert sum(layer.count_params() for layer in layers) == question.answer


def test_long_looks_are_counted_one_by_one():
    for student in STUDENTS[:20]:
        question = QUESTIONS.long_looks(student)
        steps, far = (
            int(re.search(r"(\d+) steps", str(question))[1]),
            int(re.search(r"(\d+) or more", str(question))[1]),
        )
        looks = [(t, k) for t in range(1, steps + 1) for k in range(1, t + 1) if t - k >= far]
        assert len(looks) == question.answer


def test_both_beginnings_leave_the_state_that_is_told():
    for student in STUDENTS[:50]:
        short, long = re.findall(r"`([ACGT]+)`", str(QUESTIONS.same_state(student)))
        assert short.count("G") == long.count("G") == 2 and len(short) < len(long)
