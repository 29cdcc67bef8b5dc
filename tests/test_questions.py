"""Questions show themselves, take the right answer, and tell a wrong one what it mistook."""

import pytest
from IPython.core.formatters import DisplayFormatter

from autograder.core import Failure, own
from autograder.rubric import Choice, Number

WRONG = {"It halves.": "You halved.", "It doubles.": "You doubled.", "It stays.": "You stood still."}


def choice(student="ann") -> Choice:
    return Choice("What happens?", right="It grows.", wrong=WRONG, order=own(student, "order"))


def test_a_choice_shows_every_option_once():
    shown = choice()._repr_markdown_()
    assert shown.startswith("What happens?")
    assert all(shown.count(text) == 1 for text in ["It grows.", *WRONG])


@pytest.mark.parametrize("question", [choice(), Number("How many?", right=1234, mistakes={99: "You added."})])
def test_nothing_that_a_notebook_saves_tells_the_answer(question):
    data, _ = DisplayFormatter().format(question)
    assert set(data) == {"text/plain", "text/markdown"} and data["text/plain"] == str(question)
    assert not any(told in text for text in data.values() for told in ("right", "1234", "99", "You ", "Keep"))


def test_the_options_stand_in_an_order_of_the_students_own():
    letters = {student: choice(student).answer for student in map(str, range(40))}
    assert set(letters.values()) == set("ABCD")
    assert all(choice(student).answer == letter for student, letter in letters.items())


@pytest.mark.parametrize("case", [str.upper, str.lower, " {} ".format])
def test_the_right_letter_is_taken(case):
    choice().judge(case(choice().answer))


def test_a_wrong_letter_is_told_what_it_mistook():
    for letter, text in choice().options.items():
        if text in WRONG:
            with pytest.raises(Failure, match=f"{letter} is not the answer. {WRONG[text]}"):
                choice().judge(letter)


@pytest.mark.parametrize("value", ["E", "", "It grows.", 3.0])
def test_what_is_no_letter_is_told_the_letters(value):
    with pytest.raises(Failure, match="none of the letters A, B, C, D"):
        choice().judge(value)


NUMBER = Number("How many?", right=12, mistakes={7: "You added; multiply."})


def test_a_number_is_taken_to_its_tolerance():
    NUMBER.judge(12.000001)
    Number("How many?", right=0.5, tolerance=0.01).judge(0.504)


@pytest.mark.parametrize(
    "value, said",
    [
        (7, "7 is not the answer. You added; multiply."),
        (11.9, "11.9 is not the answer."),
        (float("nan"), "nan is not the answer."),
        (float("inf"), "inf is not the answer."),
        ("12", "is a text, expected a number. Write it without quotes."),
    ],
)
def test_another_number_is_refused(value, said):
    with pytest.raises(Failure) as failure:
        NUMBER.judge(value)
    assert said in str(failure.value)
