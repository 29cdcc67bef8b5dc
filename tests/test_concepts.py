"""Concept questions keep what they promise to every student, in every assignment of the course."""

from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from autograder.authoring import asked, questions
from autograder.course import load_module, read_course
from autograder.failure import Failure
from autograder.questions import Choice
from autograder.verify import Bench

COURSE = read_course(Path(__file__).parents[1])
STUDENTS = [f"student {number}" for number in range(200)]
GUESSED = "guessed_concepts"


@pytest.fixture(scope="module", params=COURSE.assignments, ids=lambda assignment: assignment.slug)
def assignment(request):
    return request.param


@pytest.fixture(scope="module")
def ask(assignment):
    """`ask(student)`: the student's questions, by the constants that answer them."""
    rubric, known = load_module(assignment.rubric), asked(assignment.reference.read_text("utf-8"))
    return lambda student: {name: getattr(rubric, question)(student) for name, question in known.items()}


@pytest.fixture(scope="module")
def of_students(ask):
    """The questions of 200 students, by constant."""
    each = [ask(student) for student in STUDENTS]
    return {name: [one[name] for one in each] for name in each[0]}


def said(question, value) -> str:
    """What is said of a wrong answer."""
    with pytest.raises(Failure) as failure:
        question.judge(value)
    return failure.value.hint


def test_two_numbers_and_two_choices_are_asked_and_each_student_has_others(of_students):
    kinds = Counter(type(each[0]).__name__ for each in of_students.values())
    assert kinds == {"Number": 2, "Choice": 2}
    for each in of_students.values():
        answers = Counter(question.answer for question in each)
        if isinstance(each[0], Choice):
            assert set(answers) == set("ABCD") and min(answers.values()) > 25
        else:
            assert len(answers) > 15


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
    bench = Bench(COURSE, sandbox)
    items = {item.__name__ for item in bench.grader(assignment.slug).items if item.section == "concepts"}
    perfect, guessed = (
        bench.scores(assignment.slug, assignment.specimens / name, name, names=items)
        for name in ("perfect", GUESSED)
    )
    assert Counter(score.outcome if score.earned is None else score.earned for score in perfect.values()) == {
        2: 4,
        "unread": 1,
    }
    assert {score.earned for score in guessed.values()} == {0}
    reproaches = {said(question, question.mistake) for question in ask(GUESSED).values()}
    assert reproaches <= {score.hint for score in guessed.values()} and len(reproaches) == 4
