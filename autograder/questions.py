"""Questions with numbers of each student's own: shown in a notebook, answered by a constant, judged at once.

A rubric makes one for a student and uses it twice: the notebook shows it, an item judges the answer. A wrong answer
that stands for a known mistake is told which.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from autograder.failure import Failure

LETTERS = "ABCDEFGH"


class Question:
    """A question that shows itself: as Markdown in a notebook, as plain text elsewhere; never its answer."""

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        return str(self)


@dataclass(frozen=True, repr=False)
class Number(Question):
    """A question whose answer is a number.

    mistakes: for numbers that usual mistakes lead to, what to say of each; tolerance: relative, and absolute near 0.
    """

    question: str
    right: float
    mistakes: Mapping[float, str] = field(default_factory=dict)
    tolerance: float = 1e-6

    def __str__(self) -> str:
        return self.question

    @property
    def answer(self) -> float:
        return self.right

    @property
    def mistake(self) -> float:
        """What the first of the usual mistakes leads to."""
        return next(iter(self.mistakes))

    def judge(self, value: float | str) -> None:
        """Raise Failure unless `value` is the right number; a usual mistake is named."""
        if isinstance(value, str):
            raise Failure(f"{value!r} is a text, expected a number.", "Write it without quotes.")
        if self._is(value, self.right):
            return
        named = next((said for wrong, said in self.mistakes.items() if self._is(value, wrong)), None)
        raise Failure(
            f"{value:g} is not the answer.", named or "Write each step down with its unit, and count again."
        )

    def _is(self, value: float, other: float) -> bool:
        return math.isclose(value, other, rel_tol=self.tolerance, abs_tol=self.tolerance)


@dataclass(frozen=True, repr=False)
class Choice(Question):
    """A question with one right option among several, whose order is drawn for each student.

    wrong: each other option, with what to say to whoever picks it; order: the student's own generator.
    """

    question: str
    right: str
    wrong: Mapping[str, str]
    order: np.random.Generator

    @cached_property
    def options(self) -> dict[str, str]:
        """The options by letter, in the student's order."""
        texts = [self.right, *self.wrong]
        return {
            LETTERS[place]: texts[index] for place, index in enumerate(self.order.permutation(len(texts)))
        }

    def __str__(self) -> str:
        options = (f"- **{letter}.** {text}" for letter, text in self.options.items())
        return "\n".join([self.question, "", *options])

    @property
    def answer(self) -> str:
        return self._letter(self.right)

    @property
    def mistake(self) -> str:
        """The letter of the first of the wrong options, as they were written."""
        return self._letter(next(iter(self.wrong)))

    def _letter(self, text: str) -> str:
        return next(letter for letter, option in self.options.items() if option == text)

    def judge(self, value: float | str) -> None:
        """Raise Failure unless `value` is the letter of the right option; a wrong one is told why it is wrong."""
        letter = str(value).strip().upper()
        if letter not in self.options:
            letters = ", ".join(self.options)
            raise Failure(
                f"{value!r} is none of the letters {letters}.", 'Write one of them in quotes, as in "A".'
            )
        if letter != self.answer:
            raise Failure(f"{letter} is not the answer.", self.wrong[self.options[letter]])
