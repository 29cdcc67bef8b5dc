"""`dna_simple_rnn`: no number in the rubric moves without a test submission noticing; its questions; real DNA."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from autograder.authoring.verify._test_submissions import KNOWN, check_test_submission
from autograder.core import Failure, load_module, read_course
from autograder.data import DEMO_SECRET, HiddenData, practice_data
from autograder.grading import Grader
from autograder.models import Predictor
from autograder.rubric import Submission, hidden_from, items_of, questions_path, read_rubric, score
from autograder.sandbox import InProcessSandbox
from autograder.submissions import RawSubmission

COURSE = read_course(Path(__file__).parents[1])
ASSIGNMENT = COURSE.assignment("dna_simple_rnn")
RUBRIC = load_module(ASSIGNMENT.rubric)
QUESTIONS = load_module(questions_path(COURSE.assignment("dna_simple_rnn").folder))
HOLDING = "perfect", "usual_mistakes", "stopped_early", "flags_that_sag", "too_many_parameters"
HOLDING_REAL = "perfect", "splice_one_reader"
REAL = {"STRENGTH", *(item.__name__ for item in items_of(RUBRIC) if item.section == "splice")}
NO_MARK = {"TOO_GOOD"}  # a remark hangs on it, see below
SOURCE = ASSIGNMENT.rubric.read_text(encoding="utf-8")


class Remembering:
    """Passes calls on and remembers the answers, so that a changed rubric costs no new predictions."""

    def __init__(self, real):
        self.real, self.answers = real, {}

    def predict(self, model, inputs):
        key = model.sha256, len(inputs), b"".join(x.tobytes() for x in inputs[:20])
        return self.remembered(key, lambda: self.real.predict(model, inputs))

    def call(self, content, file, function, arguments, **limits):
        key = content, function, repr(arguments)
        return self.remembered(key, lambda: self.real.call(content, file, function, arguments, **limits))

    def discard_child(self):
        self.real.discard_child()

    def remembered(self, key, make):
        if key not in self.answers:
            self.answers[key] = make()
        return self.answers[key]


@pytest.fixture(scope="module")
def grader(sandbox):
    grader = Grader.create(ASSIGNMENT, HiddenData(COURSE, DEMO_SECRET), sandbox)
    return replace(grader, predictor=Remembering(Predictor()), sandbox=Remembering(sandbox))


def numbers(real: bool) -> list:
    """Every number that marks hang on: points, the thresholds given to `credit` and `accuracy`, the constants.

    real: those of the section on real DNA, or all others.
    """
    found = []
    for node in ast.parse(SOURCE).body:
        if isinstance(node, ast.Assign):
            found.append((ast.unparse(node.targets[0]), node.value))
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            calls = [call for call in ast.walk(node) if isinstance(call, ast.Call)]
            calls = [call for call in calls if ast.unparse(call.func) in ("item", "credit", "accuracy")]
            given = [
                value for call in calls for value in [*call.args, *(word.value for word in call.keywords)]
            ]
            found += [(f"{node.name}-{ast.unparse(value)}", value) for value in given]
    is_number = [isinstance(node, ast.Constant) and type(node.value) in (int, float) for _, node in found]
    return [
        pytest.param(node, id=name)
        for (name, node), number in zip(found, is_number, strict=True)
        if number and name not in NO_MARK and (name.partition("-")[0] in REAL) == real
    ]


def changed(number: ast.Constant) -> str:
    """Return the rubric with this one number moved a little (a whole one is doubled)."""
    lines = SOURCE.encode().splitlines(keepends=True)
    line = lines[number.lineno - 1]
    other = number.value * 2 if type(number.value) is int else round(number.value - 0.02, 4)
    lines[number.lineno - 1] = line[: number.col_offset] + str(other).encode() + line[number.end_col_offset :]
    return b"".join(lines).decode()


def written(rubric: str, folder: Path) -> Path:
    """Write a rubric where it finds its concept questions, and return its path."""
    (folder / "solutions").symlink_to(COURSE.root / "solutions")
    path = folder / "assignments" / ASSIGNMENT.slug / "rubric.py"
    path.parent.mkdir(parents=True)
    path.write_text(rubric, encoding="utf-8")
    return path


def problems(grader: Grader, holding: tuple[str, ...] = HOLDING) -> Iterator[str]:
    """Return what is wrong with the points, and the marks of a few test submissions that hold every number in place."""
    points = sum(item.points for item in grader.items if not item.bonus)
    if points != ASSIGNMENT.points:
        yield f"the items are worth {points} points"
    for folder in (ASSIGNMENT.test_submissions / name for name in holding):
        scores = {
            score.item: score for score in grader.grade(RawSubmission(folder.name, folder)).report.scores
        }
        yield from check_test_submission(scores, folder / KNOWN)


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(*number.values, id=number.id, marks=pytest.mark.slow if place % 5 else ())
        for place, number in enumerate(numbers(real=False))
    ],
)
def test_no_number_can_be_moved_unnoticed(number, grader, tmp_path):
    if not grader.predictor.answers:
        assert list(problems(grader)) == []
    rubric = written(changed(number), tmp_path)
    assert any(problems(replace(grader, items=read_rubric(rubric))))


@pytest.mark.slow
@pytest.mark.parametrize("number", numbers(real=True))
def test_no_number_on_real_dna_can_be_moved_unnoticed(number, grader, tmp_path, real_data):
    assert list(problems(grader, HOLDING_REAL)) == []
    rubric = written(changed(number), tmp_path)
    assert any(problems(replace(grader, items=read_rubric(rubric)), HOLDING_REAL))


# --- concepts


CONCEPTS = {
    "fills_a_box": RUBRIC.box,
    "counts_anagrams": RUBRIC.anagrams,
    "knows_what_zeros_do": RUBRIC.zeros,
    "knows_why_it_fades": RUBRIC.fading,
}


def open_submission(name: str, sandbox) -> Submission:
    return Submission(name, ASSIGNMENT.test_submissions / name, Predictor(), sandbox)


def test_a_box_holds_what_an_array_would():
    for number in range(20):
        question = QUESTIONS.box(f"student{number}")
        *lengths, k = map(int, re.findall(r"\d+", str(question))[:5])
        rows = max(length - k + 1 for length in lengths)
        assert np.zeros((4, rows, 4**k), bool).size == question.answer


def test_anagrams_are_counted_one_by_one():
    """On ids whose sequence is short enough to write down all its orders."""
    said = {f"student{n}": str(QUESTIONS.anagrams(f"student{n}")) for n in range(60)}
    short = {student: re.search("`([ACGT]+)`", text)[1] for student, text in said.items()}
    some = [(student, sequence) for student, sequence in short.items() if len(sequence) <= 8]
    assert len(some) >= 3
    for student, sequence in some:
        assert len(set(permutations(sequence))) == QUESTIONS.anagrams(student).answer


def test_only_the_questions_need_a_signature(sandbox):
    unsigned = open_submission("variable_from_elsewhere", sandbox)
    assert not unsigned.signature
    with hidden_from(practice_data(COURSE)):
        scores = [score(item, unsigned) for item in items_of(RUBRIC) if item.section == "baselines"]
    assert len(scores) == 3 and all(score.is_full for score in scores)
    assert "is not signed" in score(RUBRIC.fills_a_box, unsigned).message


# --- real DNA


DATA = HiddenData(COURSE, DEMO_SECRET)
TWO_READERS = """
left = layers.SimpleRNN(4)(window[:, :30])
right = layers.SimpleRNN(4, go_backwards=True)(window[:, 30:])
answer = ends(layers.Concatenate()([left, right]))
"""


def reader(folder: Path, code: str, time: int | None = 60) -> tuple[Submission, object]:
    """Return a submission whose splice.keras leads from `window` to `answer`, and the Keras model."""
    import keras
    from keras import layers

    window = keras.Input((time, 4))
    made = {"layers": layers, "window": window, "ends": layers.Dense(3, activation="softmax")}
    exec(code, made)
    model = keras.Model(window, made["answer"])
    model.save(folder / "splice.keras")
    return Submission("ann", folder, Predictor(), InProcessSandbox()), model


@pytest.mark.parametrize("time", [60, None])
def test_two_readers_answer_as_in_keras(time, tmp_path):
    submission, model = reader(tmp_path, TWO_READERS, time)
    rng = np.random.default_rng(0)
    sequences = ["".join(row) for row in rng.choice(list("ACGTNDRS"), (20, 60))]
    came = RUBRIC.junction_reader(submission)(sequences)
    x = np.array([[np.eye(4)["ACGT".index(c)] if c in "ACGT" else [0.25] * 4 for c in s] for s in sequences])
    assert np.allclose(came, model.predict_on_batch(x), atol=1e-5)


@pytest.mark.parametrize(
    "code, time, says",
    {
        "another cell": ("answer = ends(layers.GRU(4)(window))", 60, "uses GRU"),
        "none": ("answer = ends(layers.GlobalAveragePooling1D()(window))", 60, "holds no SimpleRNN"),
        "a regression beside it": (
            "answer = ends(layers.Concatenate()([layers.SimpleRNN(2)(window), window[:, 29], window[:, 30]]))",
            60,
            "past every SimpleRNN",
        ),
        "large": ("answer = ends(layers.SimpleRNN(60)(window))", 60, "4,083 parameters, at most 2,500"),
        "other windows": ("answer = ends(layers.SimpleRNN(4)(window))", 30, "expected (None, 60, 4)"),
        "one answer": ("answer = layers.Dense(1)(layers.SimpleRNN(4)(window))", 60, "expected (None, 3)"),
        "each step": ("answer = ends(layers.SimpleRNN(4, return_sequences=True)(window))", 60, "(None, 60, 3)"),
        "no soft-max": ("answer = layers.Dense(3)(layers.SimpleRNN(4)(window))", 60, "expected probabilities"),
    }.values(),
)  # fmt: skip
def test_a_reader_against_the_rules_is_told_which(code, time, says, tmp_path):
    submission, _ = reader(tmp_path, code, time)
    with pytest.raises(Failure) as raised:
        RUBRIC.junction_reader(submission)(["ACGTN" * 12])
    assert says in str(raised.value)


def scored(monkeypatch, probability):
    """Return the score on real DNA of a model that gives a frame's rows these probabilities."""
    rows = DATA.draw("splice", {"part": "test"})
    known = dict(zip(rows.sequence, probability(rows), strict=True))
    monkeypatch.setattr(
        RUBRIC, "junction_reader", lambda submission: lambda asked: np.array([known[s] for s in asked])
    )
    with hidden_from(DATA):
        return score(RUBRIC.tells_junctions_apart, None)


def knowing(rows, wrong: int) -> np.ndarray:
    """Return the right answer to all rows but so many."""
    label = rows.label.map(RUBRIC.JUNCTIONS.index).to_numpy()
    return np.eye(3)[(label + (np.arange(len(rows)) < wrong)) % 3]


@pytest.mark.parametrize("share, remarked", [(0, True), (0.0148, True), (0.0152, False), (0.03, False)])
def test_who_is_right_too_often_is_remarked_on_and_loses_nothing(share, remarked, real_data, monkeypatch):
    result = scored(monkeypatch, lambda rows: knowing(rows, round(share * len(rows))))
    assert result.is_full and remarked == any("which are public" in remark for remark in result.remarks)


def test_full_marks_are_what_the_regression_reaches(real_data, monkeypatch):
    train = DATA.public.draw("splice", {"part": "train"})

    def regression(rows):
        x, new_x = (RUBRIC.boxed(part.sequence) for part in (train, rows))
        return RUBRIC.regression(x, train.label, new_x, RUBRIC.STRENGTH)

    result = scored(monkeypatch, regression)
    assert result.is_full, result.message
    right = RUBRIC.regressed(*RUBRIC.columns(train), *RUBRIC.columns(DATA.draw("splice", {"part": "test"})))
    assert 0.955 < right < 0.97
    assert scored(monkeypatch, lambda rows: knowing(rows, round((1.003 - right) * len(rows)))).earned < 6


def test_real_dna_that_is_not_here_is_waited_for_by_who_handed_a_model_in(sandbox, monkeypatch, tmp_path):
    monkeypatch.setenv("AUTOGRADER_DATA", str(tmp_path))
    with hidden_from(HiddenData(COURSE, DEMO_SECRET)):
        waiting, missing = (
            score(RUBRIC.tells_junctions_apart, open_submission(name, sandbox))
            for name in ("perfect", "no_model")
        )
    assert waiting.outcome == "deferred" and "autograder fetch splice" in waiting.message
    assert (missing.outcome, missing.earned) == ("scored", 0) and "no splice.keras" in missing.message


def test_on_a_students_machine_the_model_is_the_tas_to_score(sandbox, real_data):
    with hidden_from(practice_data(COURSE)):
        said = score(RUBRIC.tells_junctions_apart, open_submission("perfect", sandbox))
    assert said.outcome == "deferred" and "fetch" not in said.message
