"""IMDB: whole film reviews, as numbers for words, in the files and with the numbering of `keras.datasets.imdb`.

The files belong to others and lie where they were fetched to, never in the project. Keras is not needed to read them:
its own `load_data` takes no path but a name in its own cache, and downloads again what it does not find there.
"""

import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

SOURCE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets"
FILES = {  # pinned as Keras 3.15 pins them: the index by MD5, for want of another digest
    "imdb.npz": {
        "url": f"{SOURCE}/imdb.npz",
        "sha256": "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
        "bytes": 17464789,
    },
    "imdb_word_index.json": {
        "url": f"{SOURCE}/imdb_word_index.json",
        "md5": "bfafd718b763782e994055a2d397834f",
        "bytes": 1641221,
    },
}
PARTS = ["train", "test"]  # in this order, for `make` keeps the last of equal reviews
START, UNKNOWN, OFFSET = 1, 2, 3  # 0 is left for padding; word i of the index is token i + OFFSET

# What the pickled object arrays of the file are made of; `_reconstruct` has moved between versions of NumPy.
RECONSTRUCT = np.empty(0).__reduce__()[0]
ALLOWED = {
    "numpy.ndarray": np.ndarray,
    "numpy.dtype": np.dtype,
    "numpy.core.multiarray._reconstruct": RECONSTRUCT,
    "numpy._core.multiarray._reconstruct": RECONSTRUCT,
}


def read(folder: Path) -> pd.DataFrame:
    """Every review of imdb.npz, in the file's order. Columns: part, tokens (list of int), label (1 positive).

    The tokens are those of `keras.datasets.imdb.load_data()` with its defaults: 1 at the start, then i + 3 for word i
    of the index. Its one quirk is kept: the greatest token of the whole file becomes 2 (unknown). A file that is not of
    this make is a ValueError that names it and, where one review is at fault, that review's number, from 1.
    """
    rows = reviews(Path(folder) / "imdb.npz")
    return rows.assign(tokens=rows.tokens.map(np.ndarray.tolist))


def make(seed: int, folder: Path, part: str = "test", count: int | None = None) -> pd.DataFrame:
    """Return the reviews of a part (train or test) in an order drawn from the seed: all, or the first `count`.

    Columns: tokens (list of int, see `read`), label (1 positive). The parts are the file's own, without repeats: of
    equal reviews one stays, in test if one of them is there.
    """
    if part not in PARTS:
        raise ValueError(f"imdb has no part {part!r}: expected one of {', '.join(PARTS)}")
    rows = reviews(Path(folder) / "imdb.npz")
    again = rows.tokens.map(np.ndarray.tobytes).duplicated(keep="last")
    rows = rows.loc[~again & (rows.part == part), ["tokens", "label"]]
    if count is not None and not 1 <= count <= len(rows):
        raise ValueError(f"part {part!r} of imdb has {len(rows)} rows, so a count of {count} cannot be drawn")
    order = np.random.default_rng(seed).permutation(len(rows))
    rows = rows.iloc[order[:count]].reset_index(drop=True)
    return rows.assign(tokens=rows.tokens.map(np.ndarray.tolist))


def word_index(folder: Path) -> dict[str, int]:
    """Return the number of each word, the most frequent first, from 1. In a review it is that number + 3."""
    return json.loads((Path(folder) / "imdb_word_index.json").read_text(encoding="utf-8"))


def reviews(path: Path) -> pd.DataFrame:
    """As `read`, with the tokens as arrays, which take a ninth of the room that lists of numbers take."""
    arrays = members(path)
    rows = []
    for part in PARTS:
        texts, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if len(texts) != len(labels):
            raise ValueError(f"{path.name}: {part} has {len(texts)} reviews and {len(labels)} labels")
        for number, (text, label) in enumerate(zip(texts, labels, strict=True), start=1):
            words = np.asarray(text)
            if words.ndim != 1 or words.dtype.kind not in "iu" or label not in (0, 1):
                raise ValueError(
                    f"{path.name}, {part}, review {number}: expected whole numbers and a label of 0 or 1"
                )
            rows.append((part, np.append(START, words + OFFSET).astype("int32"), int(label)))
    greatest = max((tokens.max() for _, tokens, _ in rows), default=0)
    for _, tokens, _ in rows:
        tokens[tokens == greatest] = UNKNOWN  # Keras keeps what is *less* than the greatest
    return pd.DataFrame(rows, columns=["part", "tokens", "label"])


def members(path: Path) -> dict[str, np.ndarray]:
    """Return the four arrays of the file, by name."""
    names = [f"{kind}_{part}" for part in PARTS for kind in "xy"]
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: array(archive.read(f"{name}.npy")) for name in names}
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path.name} does not hold the arrays {', '.join(names)}: {error}") from error


def array(data: bytes) -> np.ndarray:
    """One array in NumPy's format. Lists of unequal length are pickled there; nothing but arrays is unpickled."""
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in header:
        raise ValueError(f"version {version} of NumPy's format")
    _, _, dtype = header[version](file)
    if dtype.hasobject:
        return ArraysOnly(file).load()
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)


class ArraysOnly(pickle.Unpickler):
    """Unpickles NumPy's arrays of plain Python values. A pickle can name any function there is and have it called."""

    def find_class(self, module, name):
        if f"{module}.{name}" not in ALLOWED:
            raise pickle.UnpicklingError(f"a pickle asks for {module}.{name}, which no review is made of")
        return ALLOWED[f"{module}.{name}"]
