"""Questions with numbers of each student's own: shown in a notebook, answered by a constant, judged at once.

The questions of an assignment are functions in `solutions/<slug>/questions.py`: each takes the name of a variant,
draws numbers from it, and returns a `Number` or a `Choice`. A rubric takes them over by `concept_questions`; the
notebook shows a question, an item judges the answer. A wrong answer that stands for a known mistake is told which.

Students have no `solutions/`. Beside their rubric lies `questions.json`, in which the right answer and each mistake are
sealed: an answer is recognised by a digest, and what is said of it is encrypted with the answer itself. The digest is
scrypt's, so that trying a thousand numbers takes minutes.
"""

import base64
import hashlib
import inspect
import json
import math
import secrets
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from autograder.core import CourseError, Failure, load_module, own

LETTERS = "ABCDEFGH"
VARIANTS = 24  # of each question
SEALED = "questions.json"
SCRYPT = {
    "n": 2**15,
    "r": 8,
    "p": 1,
    "maxmem": 2**26,
    "dklen": 32,
}  # about 0.1 s for each answer that is tried
COUNT_AGAIN = "Write each step down with its unit, and count again."
BLOCK = 32  # bytes: the length of a hint tells nothing finer


class Question:
    """A question that shows itself: as Markdown in a notebook, as plain text elsewhere; never its answer."""

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        return str(self)

    def judge(self, value: float | str) -> None:
        """Raise Failure unless `value` is the right answer; a known mistake is named."""
        raise NotImplementedError


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
        number = read_number(value)
        if self._is(number, self.right):
            return
        hint = next((hint for wrong, hint in self.mistakes.items() if self._is(number, wrong)), COUNT_AGAIN)
        raise Failure(f"{number:g} is not the answer.", hint)

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
        letter = read_letter(value, self.options)
        if letter != self.answer:
            raise Failure(f"{letter} is not the answer.", self.wrong[self.options[letter]])


@dataclass(frozen=True, repr=False)
class Sealed(Question):
    """A question as students have it: its text, and its answers sealed.

    letters: of a choice; empty for a number. entries: for each known answer, a tag that recognises it, and the
    encrypted hint.
    """

    text: str
    letters: str
    tolerance: float
    salt: str
    entries: Mapping[str, str]

    def __str__(self) -> str:
        return self.text

    def judge(self, value: float | str) -> None:
        """Judge as the open question does, in a tenth of a second."""
        if self.letters:
            answers = [read_letter(value, self.letters)]
        else:
            answers = list(nearest_bins(read_number(value), self.tolerance))
        hints = [hint for hint in (self._hint(answer) for answer in answers) if hint is not None]
        if "" in hints:
            return
        reason = f"{answers[0] if self.letters else format(value, 'g')} is not the answer."
        raise Failure(reason, hints[0] if hints else COUNT_AGAIN)

    def _hint(self, answer: str) -> str | None:
        """Return what is said of an answer: nothing of the right one; None of one that is not known."""
        key = stretch_key(answer, self.salt)
        sealed = self.entries.get(tag(key))
        return None if sealed is None else mask(base64.b64decode(sealed), key).rstrip(b"\0").decode()


def read_number(value: float | str) -> float:
    if isinstance(value, str):
        raise Failure(f"{value!r} is a text, expected a number.", "Write it without quotes.")
    return value


def read_letter(value: float | str, letters: Mapping | str) -> str:
    letter = str(value).strip().upper()
    if not letter or letter not in letters:
        raise Failure(
            f"{value!r} is none of the letters {', '.join(letters)}.",
            'Write one of them in quotes, as in "A".',
        )
    return letter


def concept_questions(rubric: str, *names: str) -> list[Callable[[str], Question]]:
    """Return the questions of these names, for a rubric that passes its `__file__`: each is a function of the student.

    Which of the variants is a student's follows from the id that the notebook is signed with. With `solutions/` beside,
    the questions are open; on a student's machine they come sealed from `questions.json`.
    """
    folder = Path(rubric).parent
    source = questions_path(folder)
    makers: Mapping[str, Callable[[str], Question]]
    if source.is_file():
        makers = question_functions(source)
    else:
        makers = {name: variants.__getitem__ for name, variants in read_sealed(folder / SEALED).items()}

    def ask(name: str, student: str) -> Question:
        return makers[name](variant_of(student, name))

    return [partial(ask, name) for name in names]


def questions_path(assignment: Path) -> Path:
    """Return the file among the solutions in which the questions of this folder's assignment are written."""
    return assignment.parents[1] / "solutions" / assignment.name / "questions.py"


def variant_of(student: str, name: str) -> str:
    """Return the name of the student's variant of the question `name`."""
    return f"variant {own(student, f'variant of {name}').integers(VARIANTS)}"


def read_sealed(path: Path) -> dict[str, dict[str, Sealed]]:
    """Return the sealed questions in a file: by name and variant. Raises CourseError where it can't be read."""
    try:
        questions = json.loads(path.read_text(encoding="utf-8"))["questions"]
        return {
            name: {variant: Sealed(**fields) for variant, fields in variants.items()}
            for name, variants in questions.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise CourseError(f"{path} can't be read: unpack the course's archive again.") from None


# --- sealing


def sealed_json(source: Path) -> str:
    """Return the text of `questions.json` for all questions in the file `source`; it takes half a minute."""
    variants = [f"variant {number}" for number in range(VARIANTS)]

    def seal_variants(ask: Callable[[str], Number | Choice]) -> dict[str, dict]:
        return dict(zip(variants, threads.map(lambda variant: seal(ask(variant)), variants), strict=True))

    with ThreadPoolExecutor() as threads:  # scrypt runs outside Python's lock
        questions = {name: seal_variants(ask) for name, ask in question_functions(source).items()}
    record = {"source": source_digest(source), "questions": questions}
    return json.dumps(record, indent=0, sort_keys=True) + "\n"


def question_functions(source: Path) -> dict[str, Callable[[str], Number | Choice]]:
    """Return the functions in the file `source` that make a question of a variant, by their names."""
    functions = {
        name: value for name, value in vars(load_module(source)).items() if inspect.isfunction(value)
    }
    return {
        name: function
        for name, function in functions.items()
        if function.__annotations__.get("return") in (Number, Choice)
    }


def source_digest(source: Path) -> str:
    """Return the digest by which `questions.json` shows what it was made of."""
    return hashlib.sha256(source.read_bytes()).hexdigest()


def seal(question: Number | Choice) -> dict:
    """Return the fields of the question as Sealed."""
    salt = secrets.token_hex(16)
    if isinstance(question, Choice):
        letters, tolerance = "".join(question.options), 0.0
        hints = {letter: question.wrong.get(text, "") for letter, text in question.options.items()}
    else:
        letters, tolerance = "", question.tolerance
        hints = {nearest_bin(wrong, tolerance): hint for wrong, hint in [*question.mistakes.items()][::-1]}
        hints[nearest_bin(question.right, tolerance)] = ""
    lengths = sorted(len(hint.encode()) for hint in hints.values())
    usual = lengths[len(lengths) // 2]
    entries = {}
    for answer, hint in hints.items():
        key, length = stretch_key(answer, salt), len(hint.encode()) or usual
        padded = hint.encode().ljust(-(-length // BLOCK) * BLOCK, b"\0")
        entries[tag(key)] = base64.b64encode(mask(padded, key)).decode()
    return {
        "text": str(question),
        "letters": letters,
        "tolerance": tolerance,
        "salt": salt,
        "entries": entries,
    }


def stretch_key(answer: str, salt: str) -> bytes:
    """Return a key made of an answer, slowly."""
    return hashlib.scrypt(answer.encode(), salt=bytes.fromhex(salt), **SCRYPT)


def tag(key: bytes) -> str:
    return hashlib.sha256(b"tag" + key).hexdigest()[:24]


def mask(text: bytes, key: bytes) -> bytes:
    """Encrypt or decrypt a text with a key that is used for it alone."""
    stream = hashlib.shake_256(b"hint" + key).digest(len(text))
    return bytes(left ^ right for left, right in zip(text, stream, strict=True))


def nearest_bin(value: float, tolerance: float) -> str:
    """Return the bin that stands for a known answer: its multiple of the tolerance, in the magnitude of the number."""
    step = bin_step(value, tolerance)
    return f"{round(Fraction(value) / step)} of {step}"


def nearest_bins(value: float, tolerance: float) -> Iterator[str]:
    """Return the one or two bins on either side of a number; none for what is not finite."""
    if math.isfinite(value):
        step = bin_step(value, tolerance)
        places = Fraction(value) / step
        yield from (f"{place} of {step}" for place in sorted({math.floor(places), math.ceil(places)}))


def bin_step(value: float, tolerance: float) -> Fraction:
    """Twice the tolerance, relative for a number above 1."""
    return 2 * Fraction(tolerance).limit_denominator(10**9) * 2 ** max(0, math.frexp(value)[1] - 1)
