"""A student's id: the numbers that are drawn from it, and whether a notebook's signature stands for it."""

import hashlib
import re
import unicodedata

import numpy as np


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


def is_same(signature: str, student: str) -> bool:
    """Whether `signature` stands for `student`: "ann.lee" for the folder "lee_ann_12345", "ann" not for "joanne"."""
    return bool(tokens(signature)) and set(tokens(signature)) <= set(tokens(student))
