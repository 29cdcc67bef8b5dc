"""A student's signature: how a notebook states it, whom it names, and the numbers that are drawn from it."""

import ast
import hashlib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Set
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

MAX_PERMUTED_WORDS = 5  # words of a signature that are tried in every order
MAX_PIECES = 3  # names that one word of a signature may join
MAX_SIGNATURE = 100  # characters
MAX_CELL = 100_000  # characters of a cell that is parsed as a whole
MAX_TRIED = 20  # assignments that are read one by one in a cell that is not Python
MAX_LINES = 10  # of such an assignment

LABELS = {"email", "id", "login", "mail", "name", "netid", "no", "nr", "number", "student", "user"}
PLACEHOLDERS = {"here", "my", "your"}
LATIN = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"})
GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
APOSTROPHES = re.compile(r"(?<=\w)['\u2018\u2019\u02bc`\u00b4](?=\w)")
EMAIL = re.compile(r"([^\s@<>]+?)(?:\+[^\s@<>]*)?@[^\s@<>]+")
IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2,5}")  # a name without a space
ASSIGNED = re.compile(r"(?im)^[a-z_]{0,20}stud[a-z_]{0,20}[ \t]*(?::|=(?!=))")
STRAIGHT = str.maketrans("\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb", '"""\'\'\'""')


def own(student: str | int, topic: str) -> "np.random.Generator":
    """Return random numbers that are this student's own, and others for each topic.

    Signatures with the same canonical words draw the same. PCG64 is named because NumPy may change its default, and
    marks with it.
    """
    seed = hashlib.sha256(f"{topic}\n{' '.join(canonical_signature(str(student)))}".encode()).digest()
    import numpy as np  # here: the command line does without it

    return np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big")))


def canonical_signature(signature: str) -> tuple[str, ...]:
    """Return what own numbers rest on: the words of a signature, each once, sorted, numbers last, without accents.

    So there are few ways to sign that draw other numbers: order, repeated words, initials, labels ("id: "), leading
    zeros and the domain of an address make no difference. Names of folders ("lee_ann_12345") keep their order;
    `names_student` takes them only as they are.
    """
    words = split_tokens(_local_part(signature))
    if _is_folder_name(signature):
        return words
    parts = {without_accents(part) for word in words for part in _syllables(word)}
    parts = {part for part in parts if not _is_initial(part) and part not in LABELS} or parts
    return tuple(sorted(parts, key=lambda part: (part.isdigit(), part)))


def split_tokens(name: str) -> tuple[str, ...]:
    """Return the runs of letters and digits in `name`, in order, whatever its case and the encoding of its accents."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return tuple(re.findall(r"[^\W_]+", folded))


def names_student(
    signature: str, words: Set[str], shared: Collection[Set[str]] = (), name: str = "", folder: str = ""
) -> bool:
    """Return whether `signature` names the student known by `words`: "ann.lee" for lee, ann, 12345.

    Names may be joined ("janedoe", "O'Brien" as "obrien"), in any order, with initials and without accents.

    Args:
        signature: what the notebook says.
        words: all words of the student's name, login, address and id.
        shared: for each other student, the words that both have. A signature that these explain names nobody.
        name: the student's full name, which signs even if another student has the same.
        folder: the folder name of the submission. A signature written like one has to keep its order.
    """
    if _is_folder_name(signature) and not _is_part_of(
        split_tokens(signature), split_tokens(folder), bool(folder)
    ):
        return False
    for spell in (_exact, _spellings):
        known = {spelling for word in words for spelling in spell(word)}
        others = [{spelling for word in each for spelling in spell(word)} for each in shared]
        for signed in _readings(signature):
            if _fits(signed, known, spell) and (
                not any(_fits(signed, other, spell) for other in others)
                or _letters(signed) == _letters(split_tokens(name))
            ):
                return True
    return False


def signature_text(value: object) -> str:
    """Return the signature that a value of STUDENT is: a text or a whole number; empty if it names nobody."""
    if (
        isinstance(value, bool)
        or not isinstance(value, str | int)
        or (isinstance(value, int) and value >= 10**30)
    ):
        return ""
    text = str(value)
    words = set(split_tokens(text))
    is_placeholder = words & PLACEHOLDERS and words <= PLACEHOLDERS | LABELS
    return text if words and not is_placeholder and len(text) <= MAX_SIGNATURE else ""


@dataclass(frozen=True)
class Signature:
    """Who signed a notebook: `text`, empty for nobody. near: a line that looks like a signature and is none."""

    text: str = ""
    near: str = ""


def read_signature(sources: Iterable[str]) -> Signature:
    """Return the signature in these code cells: the last value that is assigned to STUDENT, read and never run."""
    text, near = "", ""
    for source in sources:
        for name, value in _assignments(source):
            if name == "STUDENT":
                text = signature_text(value)
            elif signature_text(value):
                near = f"{name} = {value!r}"
    return Signature(text, "" if text else near)


def _assignments(source: str) -> Iterator[tuple[str, object]]:
    """Yield the names like STUDENT that a cell assigns to at its top level, and the values; `...` for unknown ones."""
    if not ASSIGNED.search(source) and "STUDENT" not in source:
        return
    tree = _parsed(source) if len(source) <= MAX_CELL else None
    if tree is None:
        lines = source.splitlines()
        starts = [number for number, line in enumerate(lines) if ASSIGNED.match(line)][-MAX_TRIED:]
        trees = (_parsed_line(lines[start : start + MAX_LINES]) for start in starts)
        statements = [statement for tree in trees if tree for statement in tree.body]
    else:
        statements = tree.body
    for statement in statements:
        targets: list[ast.expr] = []
        if isinstance(statement, ast.AnnAssign | ast.AugAssign):
            targets = [statement.target]
        elif isinstance(statement, ast.Assign):
            targets = statement.targets
        value = ... if isinstance(statement, ast.AugAssign) else getattr(statement, "value", None)
        if value is None:  # `STUDENT: str` assigns nothing
            continue
        for target, part in _pairs(targets, value):
            if isinstance(target, ast.Name) and "stud" in target.id.casefold():
                yield target.id, _constant(part)


def _pairs(targets: list[ast.expr], value: object) -> Iterator[tuple[ast.expr, object]]:
    """Yield each target with its part of the value, for `STUDENT, TEAM = "ann", 7` too."""
    for target in targets:
        if (
            isinstance(target, ast.Tuple)
            and isinstance(value, ast.Tuple)
            and len(target.elts) == len(value.elts)
        ):
            yield from zip(target.elts, value.elts, strict=True)
        else:
            yield target, value


def _constant(node: object) -> object:
    """Return the value of a text (also joined, or an f-string without fields) or a number; `...` for another."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [_constant(part) for part in node.values]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [_constant(node.left), _constant(node.right)]
    else:
        return ...
    texts = [part for part in parts if isinstance(part, str)]
    return "".join(texts) if len(texts) == len(parts) else ...


def _parsed(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _parsed_line(lines: list[str]) -> ast.Module | None:
    """Return the assignment that begins with the first line; typographic quotes stand for straight ones."""
    for count in range(1, len(lines) + 1):
        source = "\n".join(lines[:count])
        if len(source) > 20 * MAX_SIGNATURE:
            break
        if tree := _parsed(source) or _parsed(source.translate(STRAIGHT)):
            return tree
    assigned = ASSIGNED.match(lines[0])
    return _parsed(f"{assigned[0].rstrip(':= ')} = ...") if assigned else None


def _fits(signed: tuple[str, ...], known: Set[str], spell: Callable[[str], Set[str]]) -> bool:
    """Return whether the words of a signature are among those known, or join them, or are joined there."""
    if not signed:
        return False
    if all(spell(word) & known or _is_joined(word, known) for word in signed):
        return True
    orders = permutations(signed) if len(signed) <= MAX_PERMUTED_WORDS else ()
    return any(spell("".join(order)) & known for order in orders)


def _is_joined(word: str, known: Set[str], pieces: int = MAX_PIECES) -> bool:
    """Return whether a word is some of the known ones, each once, without a space."""
    starts = [start for start in known if word.startswith(start) and not start.isdigit()] if pieces else ()
    return any(
        word == start or _is_joined(word[len(start) :], known - {start}, pieces - 1) for start in starts
    )


def _readings(signature: str) -> Iterator[tuple[str, ...]]:
    """Yield the ways to read a signature: with apostrophes as breaks or not, without labels and initials."""
    for text in dict.fromkeys((_local_part(signature), APOSTROPHES.sub("", _local_part(signature)))):
        words = split_tokens(text)
        without_labels = tuple(word for word in words if word not in LABELS)
        yield words
        yield without_labels
        yield tuple(part for word in words for part in _syllables(word))
        yield tuple(word for word in without_labels if not _is_initial(word))


def _local_part(signature: str) -> str:
    """Return a signature with e-mail addresses cut down to what stands before the @ and any +tag."""
    return EMAIL.sub(r"\1", signature[: 2 * MAX_SIGNATURE])


def _is_folder_name(signature: str) -> bool:
    return bool(re.fullmatch(r"[^\W_]+(_[^\W_]+)+", signature))


def _is_part_of(signed: tuple[str, ...], folder: tuple[str, ...], is_known: bool) -> bool:
    """Return whether a folder name as signature has each word once; three or more in the order of the folder."""
    rest = iter(folder)
    if is_known and all(word in rest for word in signed):
        return True
    return len(set(signed)) == len(signed) and (len(signed) <= 2 or not is_known)


def _syllables(word: str) -> Iterable[str]:
    """Return the signs of a Chinese, Japanese or Korean name, which may be written in either order, without a space."""
    return word if IDEOGRAPHS.fullmatch(word) else (word,)


def _is_initial(word: str) -> bool:
    return len(word) == 1 and word.isalpha() and word < "\u0530"


def _exact(word: str) -> set[str]:
    return {word}


def _spellings(word: str) -> set[str]:
    """Return a word without accents, in both ways that umlauts are written, and a number without leading zeros."""
    return {without_accents(word), without_accents(word.translate(GERMAN))}


def without_accents(word: str) -> str:
    """Return a word in plain letters where it is Latin, Greek or Cyrillic; a number loses its leading zeros."""
    plain = ""
    for letter in unicodedata.normalize("NFKD", word.translate(LATIN)):
        if not (unicodedata.combining(letter) and plain and plain[-1] < "\u0530"):
            plain += letter
    return plain.lstrip("0") or "0" if plain.isdigit() else unicodedata.normalize("NFC", plain)


def _letters(words: Iterable[str]) -> list[str]:
    return sorted("".join(words))
