"""A student's id: the numbers that are drawn from it, and whether a notebook's signature stands for it."""

import hashlib
import re
import unicodedata
from collections.abc import Set
from itertools import permutations

import numpy as np

MOST_JOINED = 5  # words of a name that are tried in every order


def own(student: str, topic: str) -> np.random.Generator:
    """Random numbers that are this student's own, and others for each topic.

    Ids of equal `tokens` draw the same. PCG64 is named because NumPy may change its default, and marks with it.
    """
    seed = hashlib.sha256(f"{topic}\n{' '.join(tokens(student))}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big")))


def tokens(name: str) -> tuple[str, ...]:
    """The runs of letters and digits in `name`, in order; case and the ways to write an accent don't matter."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return tuple(re.findall(r"[^\W_]+", folded))


def is_same(signature: str, words: Set[str], shared: Set[str] = frozenset()) -> bool:
    """Whether `signature` stands for the student known by `words`: "ann.lee" for lee, ann, 12345; "ann" not for joanne.

    Platforms run names together: "jane.doe" stands for doejane as well. shared: words by which nobody can sign alone.
    """
    signed = tokens(signature)
    if not set(signed) - shared:
        return False
    return set(signed) <= words or (
        len(signed) <= MOST_JOINED and any("".join(order) in words for order in permutations(signed))
    )
