"""Concept questions keep what they promise to every student, in every assignment of the course."""

from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from autograder.authoring import stale_questions
from autograder.authoring._concepts import asked_questions, questions
from autograder.authoring.verify import VerifyWorker
from autograder.core import Failure, load_module, read_course
from autograder.rubric import SEALED, Choice, questions_path
from autograder.rubric._questions import question_functions, read_sealed, variant_of

COURSE = read_course(Path(__file__).parents[1])
STUDENTS = [f"student {number}" for number in range(200)]
GUESSED = "guessed_concepts"


@pytest.fixture(scope="module", params=COURSE.assignments, ids=lambda assignment: assignment.slug)
def assignment(request):
    return request.param


@pytest.fixture(scope="module")
def ask(assignment):
    """`ask(student)`: the student's questions, by the constants that answer them."""
    rubric, known = load_module(assignment.rubric), asked_questions(assignment.reference.read_text("utf-8"))
    return lambda student: {name: getattr(rubric, question)(student) for name, question in known.items()}


@pytest.fixture(scope="module")
def of_students(ask):
    """Return the questions of 200 students, by constant."""
    each = [ask(student) for student in STUDENTS]
    return {name: [one[name] for one in each] for name in each[0]}


def said(question, value) -> str:
    """Return what is said of a wrong answer."""
    with pytest.raises(Failure) as failure:
        question.judge(value)
    return failure.value.hint


def test_two_numbers_and_two_choices_are_asked_and_each_student_has_others(of_students):
    kinds = Counter(type(each[0]).__name__ for each in of_students.values())
    assert kinds == {"Number": 2, "Choice": 2}
    for each in of_students.values():
        answers = Counter(question.answer for question in each)
        if isinstance(each[0], Choice):
            assert set(answers) == set("ABCD")
        else:
            assert len(answers) > 10


def test_the_right_answer_is_taken_and_every_mistake_is_told_its_own(of_students):
    for question in (question for each in of_students.values() for question in each):
        question.judge(question.answer)
        if isinstance(question, Choice):
            wrong = {letter: question.wrong.get(text) for letter, text in question.options.items()}
            del wrong[question.answer]
        else:
            wrong = question.mistakes
        assert len(wrong) == 3 or not isinstance(question, Choice)
        assert {value: said(question, value) for value in wrong} == wrong


def test_no_number_is_near_another_that_means_something_else(of_students):
    numbers = (
        question for each in of_students.values() for question in each if not isinstance(question, Choice)
    )
    for question in numbers:
        near = 2 * question.tolerance  # even an answer that is rounded a little is told what it is
        for one, other in combinations([question.right, *question.mistakes], 2):
            assert abs(one - other) > near * max(1, abs(other)) or max(map(abs, (one, other))) < near, (
                question
            )


def test_a_question_is_the_same_whenever_it_is_asked(assignment, ask):
    reference = assignment.reference.read_text("utf-8")
    first, again = ask("ann"), questions(reference, load_module(assignment.rubric), "ann")
    assert {name: str(one) for name, one in first.items()} == {name: str(one) for name, one in again.items()}


def test_the_reference_answers_rightly_and_a_guess_is_told_why(assignment, ask, sandbox):
    bench = VerifyWorker(COURSE, sandbox)
    items = {item.__name__ for item in bench.grader(assignment.slug).items if item.section == "concepts"}
    perfect, guessed = (
        bench.scores(assignment.slug, assignment.test_submissions / name, name, names=items)
        for name in ("perfect", GUESSED)
    )
    assert Counter(score.outcome if score.earned is None else score.earned for score in perfect.values()) == {
        2: 4,
        "awaiting review": 1,
    }
    assert {score.earned for score in guessed.values()} == {0}
    reproaches = {said(question, question.mistake) for question in ask(GUESSED).values()}
    assert reproaches <= {score.hint for score in guessed.values()} and len(reproaches) == 4


def outcome(question, value) -> str:
    """Return what a question says of an answer; nothing of the right one."""
    try:
        question.judge(value)
    except Failure as failure:
        return str(failure)
    return ""


def answers(question) -> list:
    """Return the right answer, a known mistake, one that is not known, and one of the wrong kind."""
    if isinstance(question, Choice):
        return [question.answer.lower(), question.mistake, "Z", 3.0]
    return [question.right, question.mistake, question.right + 0.37, "12"]


def test_students_have_the_same_questions_sealed(assignment):
    """Each says of an answer what the open one says; each variant is there, and no hint can be read."""
    assert stale_questions(assignment) is None
    text = (assignment.folder / SEALED).read_text(encoding="utf-8")
    sealed, functions = (
        read_sealed(assignment.folder / SEALED),
        question_functions(questions_path(assignment.folder)),
    )
    assert set(sealed) == set(functions) and len(sealed) == 4
    for name, variants in sealed.items():
        assert {variant_of(f"student {number}", name) for number in range(1000)} == set(variants)
        opened = {variant: functions[name](variant) for variant in variants}
        assert {variant: str(question) for variant, question in variants.items()} == {
            variant: str(question) for variant, question in opened.items()
        }
        question = opened["variant 7"]
        tried = answers(question) if assignment is COURSE.assignments[0] else answers(question)[:1]
        for value in tried:  # a tenth of a second each
            assert outcome(variants["variant 7"], value) == outcome(question, value)
        hints = question.wrong if isinstance(question, Choice) else question.mistakes
        assert not [hint for hint in hints.values() if hint[:30] in text]


def test_the_rubric_of_a_bundle_has_sealed_questions_alone(assignment, ask, tmp_path):
    (tmp_path / "datasets").symlink_to(COURSE.root / "datasets")
    for name in ("rubric.py", SEALED):
        folder = tmp_path / "assignments" / assignment.slug
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((assignment.folder / name).read_bytes())
    rubric = load_module(folder / "rubric.py")
    for name in asked_questions(assignment.reference.read_text("utf-8")).values():
        question = getattr(rubric, name)("ann")
        assert not {"right", "wrong", "answer", "mistakes", "order"} & set(dir(question))
    assert "right=" not in (folder / "rubric.py").read_text(encoding="utf-8")
