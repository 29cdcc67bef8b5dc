"""What each concept question must keep for every student: tests of the assignments call it with their questions."""

from collections import Counter
from itertools import combinations

from autograder.failure import Failure
from autograder.questions import Choice, Number

STUDENTS = [f"student {number}" for number in range(200)]


def keeps_its_promise(make) -> None:
    """Asserts, over 200 students: the right answer is taken, each mistake told its own; letters and numbers vary."""
    questions = [make(student) for student in STUDENTS]
    for student, question in zip(STUDENTS, questions, strict=True):
        question.judge(question.answer)
        assert str(make(student)) == str(question)
        {Choice: tells_options_apart, Number: tells_numbers_apart}[type(question)](question)
    if isinstance(questions[0], Choice):
        right = Counter(question.answer for question in questions)
        assert set(right) == set("ABCD") and min(right.values()) > 25, right
    else:
        assert len({question.answer for question in questions}) > 15


def tells_options_apart(question: Choice) -> None:
    assert len(question.options) == 4
    for letter, text in question.options.items():
        if letter != question.answer:
            assert said(question, letter).hint == question.wrong[text]


def tells_numbers_apart(question: Number) -> None:
    near = 2 * question.tolerance  # even an answer that is rounded a little is told what it is
    values = [question.right, *question.mistakes]
    for one, other in combinations(values, 2):
        assert abs(one - other) > near * max(1, abs(other)) or max(map(abs, (one, other))) < near, question
    for value, why in question.mistakes.items():
        assert said(question, value).hint == why


def first_reproach(question: Choice | Number) -> str:
    """What is said of the first of its usual mistakes, which the specimen `guessed_concepts` makes."""
    reproaches = question.wrong if isinstance(question, Choice) else question.mistakes
    return next(iter(reproaches.values()))


def said(question, value) -> Failure:
    """What is said of a wrong answer."""
    try:
        question.judge(value)
    except Failure as failure:
        return failure
    raise AssertionError(f"{value} is taken for right: {question}")
