"""Text that two students hand in alike: code whatever its names, answers word for word, with the lines as evidence.

Fingerprints are chosen by winnowing (Schleimer, Wilkerson, Aiken 2003: "Winnowing: Local Algorithms for Document
Fingerprinting"). The package copydetect does the same, but its fingerprints differ from run to run, it loses code
that is repeated as soon as boilerplate is given, and it imports matplotlib.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Name, Number, String, Token

MOST_LETTERS = 200_000  # of one notebook's code; the course's references have 50,000
LONGEST_LINE = 1_000
BASE = np.uint64(0x9E3779B97F4A7C15)  # odd: no power of it is lost modulo 2**64
NAMES = {Name, Name.Variable, Name.Function, Name.Class, Name.Decorator, Name.Function.Magic}


@dataclass(frozen=True)
class Measures:
    """What counts as alike: runs of `gram` symbols (all runs of `gram + window - 1` are found), and how much of it."""

    gram: int
    window: int
    fewest: int  # symbols in common
    share: float  # of the shorter text's own symbols


CODE = Measures(gram=16, window=5, fewest=80, share=0.5)
WORDS = Measures(gram=5, window=3, fewest=15, share=0.3)


@dataclass(frozen=True, eq=False)
class Text:
    """What a student wrote: its lines as they stand, its symbols, and the line of each symbol."""

    owner: str
    lines: tuple[str, ...]
    symbols: tuple[str, ...]
    places: tuple[int, ...]  # index into `lines`

    @cached_property
    def digest(self) -> str:
        """Equal for texts of the same symbols."""
        return hashlib.sha256("\n".join(self.symbols).encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True)
class Passage:
    """Lines that are alike: the number of the first of each, counted from 1, and both texts."""

    first: int
    second: int
    mine: tuple[str, ...]
    other: tuple[str, ...]


@dataclass(frozen=True)
class Alike:
    """Two texts that are alike. `share` is of the shorter text's own symbols; `symbols` counts those in common."""

    first: Text
    second: Text
    symbols: int
    share: float
    passages: tuple[Passage, ...]


def code(owner: str, cells: Iterable[str]) -> Text:
    """The code cells of a notebook: names become V, strings S, numbers N; comments and blanks count for nothing."""
    lines, symbols, places, left = [], [], [], MOST_LETTERS
    for cell in cells:
        own = clipped(cell[: max(left, 0)])
        for symbol, place in read_code("\n".join(own)):
            symbols.append(symbol)
            places.append(len(lines) + place)
        lines += own
        left -= len(cell)
    return Text(owner, tuple(lines), tuple(symbols), tuple(places))


@lru_cache(maxsize=2_000)  # most cells of a class are the starter's
def read_code(source: str) -> tuple[tuple[str, int], ...]:
    """The symbols of a cell, and the line of each, counted from 0."""
    found, line, dotted = [], 0, False
    for kind, value in PythonLexer(stripnl=False).get_tokens(source):
        symbol = symbol_of(kind, value, dotted)
        if symbol and not (
            symbol == "S" and found and found[-1][0] == "S"
        ):  # a string comes in several pieces
            found.append((symbol, line))
        dotted = value == "." if symbol else dotted
        line += value.count("\n")
    return tuple(found)


def symbol_of(kind, value: str, dotted: bool) -> str:
    """What a token counts as; empty for nothing. A name behind a dot is a library's, which nobody can rename."""
    if kind in Comment or (kind in Token.Text and not value.strip()):
        return ""
    if kind in String:
        return "S"
    if kind in Number:
        return "N"
    return "V" if kind in NAMES and not dotted else value.strip()


def words(owner: str, cells: Iterable[str]) -> Text:
    """The Markdown cells of a notebook, word by word."""
    lines = clipped("\n".join(cells))
    found = [
        (word, place) for place, line in enumerate(lines) for word in re.findall(r"[^\W_]+", line.casefold())
    ]
    return Text(owner, lines, tuple(word for word, _ in found), tuple(place for _, place in found))


def clipped(text: str) -> tuple[str, ...]:
    """The lines of a text, none of them endless."""
    lines = text[:MOST_LETTERS].replace("\r", "").split("\n")
    return tuple(line[:LONGEST_LINE] for line in lines)


# --- fingerprints


def grams(text: Text, size: int) -> np.ndarray:
    """A 64-bit hash of each run of `size` symbols: (runs,), the same on every machine."""
    values = np.array([number(symbol) for symbol in text.symbols], np.uint64)
    if len(values) < size:
        return np.zeros(0, np.uint64)
    hashes = np.zeros(len(values) - size + 1, np.uint64)
    with np.errstate(over="ignore"):
        for place in range(size):
            hashes = hashes * BASE + values[place : place + len(hashes)]
        return (hashes ^ (hashes >> np.uint64(29))) * BASE


@lru_cache(maxsize=65_536)
def number(symbol: str) -> int:
    digest = hashlib.blake2b(symbol.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def winnowed(hashes: np.ndarray, window: int) -> np.ndarray:
    """The places that winnowing chooses: in each window the least hash, of equal ones the last."""
    if len(hashes) <= window:
        return np.arange(len(hashes))
    windows = np.lib.stride_tricks.sliding_window_view(hashes, window)[:, ::-1]
    return np.unique(np.arange(len(windows)) + window - 1 - windows.argmin(axis=1))


@dataclass(frozen=True, eq=False)
class Prints:
    """A text's own fingerprints: their hashes and places, and how many of its symbols no given text holds."""

    text: Text
    hashes: np.ndarray
    places: np.ndarray
    own: int


def prints(text: Text, given: np.ndarray, measures: Measures) -> Prints:
    """The fingerprints of a text, without runs that are `given` (hashes of runs: the starter's, and common ones)."""
    hashes = grams(text, measures.gram)
    new = ~np.isin(hashes, given)
    chosen = winnowed(hashes, measures.window)
    chosen = chosen[new[chosen]]
    return Prints(
        text, hashes[chosen], chosen, covered(np.flatnonzero(new), measures.gram, len(text.symbols))
    )


def covered(places: np.ndarray, size: int, length: int) -> int:
    """How many of `length` symbols lie in a run of `size` that begins at one of `places`."""
    edges = np.zeros(length + size + 1, int)
    np.add.at(edges, places, 1)
    np.add.at(edges, places + size, -1)
    return int((np.cumsum(edges)[:length] > 0).sum())


def common(texts: Sequence[Text], most: int, measures: Measures) -> np.ndarray:
    """The runs that more than `most` students hand in: what a task asks for is evidence of nothing."""
    each = [np.unique(grams(text, measures.gram)) for text in texts]
    values, counts = np.unique(np.concatenate([*each, np.zeros(0, np.uint64)]), return_counts=True)
    return values[counts > most]


# --- pairs


def alike(
    texts: Sequence[Text], others: Sequence[Text], given: Sequence[Text], most: int, measures: Measures
) -> list[Alike]:
    """The pairs that are alike, the texts' with one another and with `others`, the most alike first.

    given: what all students received; most: how many students may hand in a run alike and it still counts.
    """
    known = np.concatenate([np.zeros(0, np.uint64), *(grams(text, measures.gram) for text in given)])
    known = np.union1d(known, common(texts, most, measures))
    own = [prints(text, known, measures) for text in (*texts, *others)]
    found = [
        compared(own[first], own[second], measures)
        for first, second in sharing(own, len(texts), measures)
        if own[first].text.owner != own[second].text.owner
    ]
    kept = [one for one in found if one.symbols >= measures.fewest and one.share >= measures.share]
    return sorted(kept, key=lambda one: (-one.share, -one.symbols, one.first.owner, one.second.owner))


def sharing(own: Sequence[Prints], ours: int, measures: Measures) -> list[tuple[int, int]]:
    """Pairs with so many fingerprints in common that they may be alike, by place; the first is among `ours`."""
    from scipy.sparse import csr_array

    hashes = [np.unique(one.hashes) for one in own]
    every, columns = np.unique(np.concatenate([np.zeros(0, np.uint64), *hashes]), return_inverse=True)
    rows = np.repeat(np.arange(len(own)), [len(one) for one in hashes])
    table = csr_array((np.ones(len(rows), np.int32), (rows, columns)), shape=(len(own), len(every)))
    shared = (table[:ours] @ table.T).tocoo()
    held = np.array([len(one) for one in hashes])
    least = np.maximum(1, measures.share / 2 * np.minimum(held[shared.row], held[shared.col]))
    kept = (shared.row < shared.col) & (shared.data >= least)
    return sorted(zip(shared.row[kept].tolist(), shared.col[kept].tolist(), strict=True))


def compared(first: Prints, second: Prints, measures: Measures) -> Alike:
    """Two texts and the runs they share, each run as long as it goes."""
    runs = shared_runs(first, second, measures.gram)
    mine = marked([(i, length) for i, _, length in runs], len(first.text.symbols))
    other = marked([(j, length) for _, j, length in runs], len(second.text.symbols))
    shorter = min(first.own, second.own)
    symbols = min(mine, other)
    share = min(1.0, symbols / shorter) if shorter else 0.0
    return Alike(first.text, second.text, symbols, share, passages(first.text, second.text, runs))


def shared_runs(first: Prints, second: Prints, size: int) -> list[tuple[int, int, int]]:
    """Runs of equal symbols that hold a fingerprint of both: where they begin in each, and their length."""
    at = dict(zip(second.hashes.tolist(), second.places.tolist(), strict=True))
    runs, reached = [], -1
    for value, i in sorted(
        zip(first.hashes.tolist(), first.places.tolist(), strict=True), key=lambda one: one[1]
    ):
        if value in at and i + size > reached:
            begin, other, length = stretched(first.text.symbols, second.text.symbols, i, at[value], reached)
            if length >= size:
                runs.append((begin, other, length))
                reached = begin + length
    return runs


def stretched(mine: tuple, other: tuple, i: int, j: int, reached: int) -> tuple[int, int, int]:
    """The run of equal symbols through places i and j, to both sides, from `reached` on."""
    back = 0
    while i - back > max(reached, 0) and j - back > 0 and mine[i - back - 1] == other[j - back - 1]:
        back += 1
    ahead = 0
    while i + ahead < len(mine) and j + ahead < len(other) and mine[i + ahead] == other[j + ahead]:
        ahead += 1
    return i - back, j - back, back + ahead


def marked(runs: list[tuple[int, int]], length: int) -> int:
    """How many symbols lie in the runs."""
    flags = np.zeros(length, bool)
    for begin, count in runs:
        flags[begin : begin + count] = True
    return int(flags.sum())


def passages(first: Text, second: Text, runs: list[tuple[int, int, int]]) -> tuple[Passage, ...]:
    """The lines of each run, the longest runs first."""
    found = []
    for i, j, length in sorted(runs, key=lambda run: -run[2]):
        mine = first.places[i], first.places[i + length - 1] + 1
        other = second.places[j], second.places[j + length - 1] + 1
        found.append(
            Passage(mine[0] + 1, other[0] + 1, first.lines[slice(*mine)], second.lines[slice(*other)])
        )
    return tuple(found)
