"""The assignment `dna_simple_rnn`: no number in the rubric can be moved without a specimen noticing."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.course import read_course
from autograder.grading import Grader
from autograder.hidden import DEMO_SECRET, HiddenData
from autograder.models import Predictor
from autograder.rubric import read_rubric
from autograder.verify import KNOWN, check_specimen

COURSE = read_course(Path(__file__).parents[1])
ASSIGNMENT = COURSE.assignment("dna_simple_rnn")
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
    """What is wrong with the marks of a few specimens that together hold every number in place."""
    folders = [ASSIGNMENT.specimens / name for name in HOLDING]
    return [
        p for folder in folders for p in check_specimen(grader.grade(folder, folder.name), folder / KNOWN)
    ]


@pytest.mark.parametrize("number", numbers())
def test_no_number_can_be_moved_unnoticed(number, grader, tmp_path):
    if not grader.predictor.answers:
        assert problems(grader) == []
    rubric = tmp_path / "rubric.py"
    rubric.write_text(changed(number), encoding="utf-8")
    assert problems(replace(grader, items=read_rubric(rubric)))
