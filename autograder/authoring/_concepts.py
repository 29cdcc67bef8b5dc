"""What test submissions are made with: a student's answers to the concept questions that a reference asks."""

import re
from itertools import pairwise
from types import ModuleType

from autograder.authoring._markers import Cell, read_cells, strip_markers
from autograder.rubric import STUB, Choice, Number

_ASKED = re.compile(r"rubric\.(\w+)\(STUDENT\)")
_CONSTANT = re.compile(r"(\w+) = ")


def questions(reference: str, rubric: ModuleType, student: str) -> dict[str, Number | Choice]:
    """Return the student's own questions, by the constant that answers each. reference: percent-format source."""
    return {
        constant: getattr(rubric, question)(student)
        for constant, question in asked_questions(reference).items()
    }


def asked_questions(reference: str) -> dict[str, str]:
    """Return the constants that answer concept questions, and the function of the rubric that asks each.

    A cell `rubric.question(STUDENT)` shows a question, and the cell after it gives the constant.
    """
    pairs = pairwise(cell.source for cell in read_cells(reference))
    matches = ((_ASKED.fullmatch(call), _CONSTANT.match(source)) for call, source in pairs)
    return {constant[1]: call[1] for call, constant in matches if call and constant}


def answer_cells(reference: str, rubric: ModuleType, student: str, guessed: bool = False) -> list[str | Cell]:
    """Cells that answer a student's own questions: rightly, or each by a usual mistake and nothing in own words."""
    owed = questions(reference, rubric, student)
    made = [
        f"{name} = {(question.mistake if guessed else question.answer)!r}" for name, question in owed.items()
    ]
    own = [cell for cell in read_cells(reference) if cell.answers]
    written = [STUB if guessed else strip_markers(cell.source) for cell in own]
    return [*made, *(Cell("markdown", text, cell.tags) for text, cell in zip(written, own, strict=True))]
