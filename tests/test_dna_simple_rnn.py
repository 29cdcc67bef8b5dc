"""The assignment `dna_simple_rnn`: no number in the rubric moves without a specimen noticing; its questions."""

import ast
import re
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from autograder.course import load_module, read_course
from autograder.grader import Grader
from autograder.handed_in import HandedIn
from autograder.hidden import DEMO_SECRET, HiddenData
from autograder.models import Predictor
from autograder.rubric import items_of, read_rubric, score
from autograder.submission import Submission
from autograder.verify.specimens import KNOWN, check_specimen

COURSE = read_course(Path(__file__).parents[1])
ASSIGNMENT = COURSE.assignment("dna_simple_rnn")
RUBRIC = load_module(ASSIGNMENT.rubric)
HOLDING = "perfect", "usual_mistakes", "stopped_early", "flags_that_sag", "too_many_parameters"
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

    def forget(self):
        self.real.forget()

    def remembered(self, key, make):
        if key not in self.answers:
            self.answers[key] = make()
        return self.answers[key]


@pytest.fixture(scope="module")
def grader(sandbox):
    grader = Grader.of(ASSIGNMENT, HiddenData(COURSE, DEMO_SECRET), sandbox)
    return replace(grader, predictor=Remembering(Predictor()), sandbox=Remembering(sandbox))


def numbers() -> list:
    """Every number that marks hang on: points, the thresholds given to `credit` and `accuracy`, the constants."""
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
        pytest.param(node, id=name) for (name, node), number in zip(found, is_number, strict=True) if number
    ]


def changed(number: ast.Constant) -> str:
    """The rubric with this one number moved a little (a whole one is doubled)."""
    lines = SOURCE.encode().splitlines(keepends=True)
    line = lines[number.lineno - 1]
    other = number.value * 2 if type(number.value) is int else round(number.value - 0.02, 4)
    lines[number.lineno - 1] = line[: number.col_offset] + str(other).encode() + line[number.end_col_offset :]
    return b"".join(lines).decode()


def problems(grader: Grader) -> list[str]:
    """What is wrong with the points, and with the marks of a few specimens that together hold every number in place."""
    points = sum(item.points for item in grader.items if not item.stretch)
    found = [] if points == ASSIGNMENT.points else [f"the items are worth {points} points"]
    for folder in (ASSIGNMENT.specimens / name for name in HOLDING):
        scores = {score.item: score for score in grader.grade(HandedIn(folder.name, folder)).report.scores}
        found += check_specimen(scores, folder / KNOWN)
    return found


@pytest.mark.parametrize("number", numbers())
def test_no_number_can_be_moved_unnoticed(number, grader, tmp_path):
    if not grader.predictor.answers:
        assert problems(grader) == []
    rubric = tmp_path / "rubric.py"
    rubric.write_text(changed(number), encoding="utf-8")
    assert problems(replace(grader, items=read_rubric(rubric)))


# --- concepts


CONCEPTS = {
    "fills_a_box": RUBRIC.box,
    "counts_anagrams": RUBRIC.anagrams,
    "knows_what_zeros_do": RUBRIC.zeros,
    "knows_why_it_fades": RUBRIC.fading,
}


def specimen(name: str, sandbox) -> Submission:
    return Submission(name, ASSIGNMENT.specimens / name, Predictor(), sandbox)


def test_a_box_holds_what_an_array_would():
    for number in range(20):
        question = RUBRIC.box(f"student{number}")
        *lengths, k = map(int, re.findall(r"\d+", str(question))[:5])
        rows = max(length - k + 1 for length in lengths)
        assert np.zeros((4, rows, 4**k), bool).size == question.answer


def test_anagrams_are_counted_one_by_one():
    """On ids whose sequence is short enough to write down all its orders."""
    said = {f"student{n}": str(RUBRIC.anagrams(f"student{n}")) for n in range(60)}
    short = {student: re.search("`([ACGT]+)`", text)[1] for student, text in said.items()}
    some = [(student, sequence) for student, sequence in short.items() if len(sequence) <= 8]
    assert len(some) >= 3
    for student, sequence in some:
        assert len(set(permutations(sequence))) == RUBRIC.anagrams(student).answer


def test_only_the_questions_need_a_signature(sandbox):
    unsigned = specimen("variable_from_elsewhere", sandbox)
    assert not unsigned.signature
    scores = [score(item, unsigned) for item in items_of(RUBRIC) if item.section == "baselines"]
    assert len(scores) == 3 and all(score.is_full for score in scores)
    assert "is not signed" in score(RUBRIC.fills_a_box, unsigned).message
