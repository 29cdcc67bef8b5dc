"""The assignment `rnn_by_hand`: numbers of one's own, and its oracles against other ways to compute."""

import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from autograder.course import load_module, read_course
from autograder.grader import Grader
from autograder.handed_in import HandedIn
from autograder.hidden import DEMO_SECRET, HiddenData
from autograder.models import Predictor
from autograder.questions import open_questions
from autograder.sandbox.here import Here
from autograder.submission import Submission
from autograder.verify.specimens import specimens

COURSE = read_course(Path(__file__).parents[1])
ASSIGNMENT = COURSE.assignment("rnn_by_hand")
RUBRIC = load_module(ASSIGNMENT.rubric)
QUESTIONS = load_module(open_questions(COURSE.assignment("rnn_by_hand").room))
STUDENTS = [f"student{number}" for number in range(300)]


class Remembering(Predictor):
    """Predicts once for all specimens with the same model."""

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
    grader = Grader.of(ASSIGNMENT, HiddenData(COURSE, DEMO_SECRET), sandbox)
    return replace(grader, predictor=Remembering())


@pytest.mark.slow
@pytest.mark.parametrize("name", specimens(ASSIGNMENT)[::4])
def test_check_says_what_grade_says(name, grader):
    live, folder = replace(grader, sandbox=Here()), ASSIGNMENT.specimens / name
    checked, graded = (  # what a function prints, a check shows as it comes
        [replace(score, remarks=()) for score in one.grade(HandedIn(name, folder)).report.scores]
        for one in (live, grader)
    )
    assert checked == graded


def test_a_notebook_signed_by_another_waits_for_a_person(grader):
    report = grader.grade(HandedIn("somebody_else", ASSIGNMENT.specimens / "perfect")).report
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
    import keras

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
        walk = RUBRIC.walk_bits(bits, w_1, w_2, y, "identity")
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


@pytest.mark.parametrize("name", ["identity", "tanh", "sigmoid"])
def test_the_bitstrings_gradient_against_finite_differences(name):
    def loss(weights):
        return (0.5 - RUBRIC.walk_bits("11010", *weights.tolist(), 0.5, name).states[-1]) ** 2

    walk = RUBRIC.walk_bits("11010", 0.7, -0.4, 0.5, name)
    assert walk.gradient == pytest.approx(approx_fprime(np.array([0.7, -0.4]), loss, 1e-7), abs=1e-5)
    assert walk.copies.sum() == pytest.approx(walk.gradient[0])
    assert walk.summed(walk.errors) == pytest.approx(walk.gradient)


@pytest.mark.parametrize("weight", ["L", "H", "I", "b_1", "U", "b_2", "h_0"])
def test_the_kmer_networks_gradient_against_finite_differences(weight):
    run = RUBRIC.run_kmers()
    start = run.h_0 if weight == "h_0" else run.weights[weight]

    def loss(flat):
        return RUBRIC.run_kmers(**{weight: flat.reshape(start.shape)}).losses[-1]

    tried = approx_fprime(start.ravel(), loss, 1e-7).reshape(start.shape)
    assert run.gradients[weight] == pytest.approx(tried, abs=1e-5)


def test_jacobians_against_finite_differences():
    run = RUBRIC.run_columns()

    def end(h):
        for step in run.inputs[1:4]:
            h = np.tanh(run.W_hh @ h + step)
        return h

    assert run.jacobian(4, 1) == pytest.approx(approx_fprime(run.states[1], end, 1e-7), abs=1e-5)

    def loss(W_hh):
        h, total = run.states[0], 0.0
        for step, row in zip(run.inputs, run.dL_dh, strict=True):
            h = np.tanh(W_hh.reshape(3, 3) @ h + step)
            total += row @ h
        return total

    tried = approx_fprime(run.W_hh.ravel(), loss, 1e-7).reshape(3, 3)
    assert run.gradient(run.dL_dh) == pytest.approx(tried, abs=1e-5)


def test_the_lectures_printed_numbers():
    """A second check: 32 and 68 of lecture 000, the state after 'e' of lecture 004."""
    walk = RUBRIC.walk_bits("101", 4, 1, 15, "identity")
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


def specimen(name: str, sandbox) -> Submission:
    return Submission(name, ASSIGNMENT.specimens / name, Predictor(), sandbox)


@pytest.mark.slow
def test_sharing_saves_what_keras_layers_would_cost():
    import keras

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
