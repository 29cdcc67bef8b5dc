"""Text that two students hand in alike: code whatever its names, answers word for word, with the lines as evidence.

Fingerprints are chosen by winnowing (Schleimer, Wilkerson, Aiken 2003: "Winnowing: Local Algorithms for Document
Fingerprinting"). The package copydetect does the same, but its fingerprints differ from run to run, it loses code
that is repeated as soon as boilerplate is passed, and it imports matplotlib. Code is split into tokens here, in linear
time and also where it is no Python: pygments takes quadratic time for crafted code.
"""

import builtins
import hashlib
import keyword
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import chain
from typing import NamedTuple
from unicodedata import normalize

import numpy as np

MAX_SYMBOLS = 200_000  # of one notebook's code, and as many words; the course's references have 10,000
MAX_QUIET = 100_000  # letters of lines without symbols that are kept to be shown
MAX_LINE = 1_000  # letters of a line that are kept to be shown
BASE = np.uint64(0x9E3779B97F4A7C15)  # odd: no power of it is lost modulo 2**64
FIXED_NAMES = frozenset({*keyword.kwlist, *dir(builtins), "self", "cls"})  # nobody can rename them
TOKEN = re.compile(
    r"""(?P<blank>[ \t\f\r]++|\\\r?\n)
    |(?P<comment>\#[^\n]*+)
    |(?P<string>[bBfFrRuU]{0,2}(?:'''|\"""|'|"))
    |(?P<number>\.?[0-9](?:[eE][+-]|[\w.])*+)
    |(?P<name>\w++)
    |(?P<newline>\n)
    |(?P<operator>\*\*=?|//=?|>>=?|<<=?|->|:=|\.\.\.|[-+*/%&|^@=<>!]=|.)""",
    re.VERBOSE,
)
STRING_STOPS = {
    quote: re.compile(rf"(?s)\\.|{quote}" + ("" if len(quote) == 3 else r"|\n"))
    for quote in ("'''", '"""', "'", '"')
}
NEVER = re.compile(
    r"False|None|[0_.]+[jJ]?|0[xXoObB][0_]+|[bBfFrRuU]*(''|\"\")"
)  # conditions that don't hold
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")


@dataclass(frozen=True)
class Measures:
    """What counts as alike: runs of `gram` symbols (all runs of `gram + window - 1` are found), and how much of it."""

    gram: int
    window: int
    fewest: int  # symbols in common
    share: float  # of the shorter text's own symbols


CODE = Measures(gram=16, window=5, fewest=80, share=0.5)
WORDS = Measures(gram=5, window=3, fewest=15, share=0.3)


class Token(NamedTuple):
    """A token of code. column: of the first token of a statement, counted from 0; -1 for all others."""

    kind: str
    text: str
    line: int
    column: int


@dataclass(frozen=True, eq=False)
class Text:
    """What a student wrote: lines to show, a 64-bit hash of each symbol, and the line of each symbol.

    places: indices into `lines`. numbers: of the lines in the notebook, counted from 1. left_out: how many symbols
    are beyond MAX_SYMBOLS and not compared.
    """

    owner: str
    lines: tuple[str, ...] = ()
    symbols: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint64))
    places: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    numbers: tuple[int, ...] = ()
    left_out: int = 0

    @cached_property
    def digest(self) -> str:
        """Equal for texts of the same symbols."""
        return hashlib.sha256(self.symbols.tobytes()).hexdigest()


@dataclass(frozen=True)
class Passage:
    """Lines that are alike: the number of the first of each, counted from 1, and both texts."""

    first: int
    second: int
    mine: tuple[str, ...]
    other: tuple[str, ...]


@dataclass(frozen=True)
class TextMatch:
    """Two texts that are alike. `share` is of the shorter text's own symbols; `symbols` counts those in common."""

    first: Text
    second: Text
    symbols: int
    share: float
    passages: tuple[Passage, ...]


# --- code


@dataclass
class Chunk:
    """A part of a notebook that is compared as a whole or not at all: a definition, or a cell of text.

    begin: of its symbols among all; name: what it defines; uses: the names in it.
    """

    begin: int
    name: str = ""
    uses: set[str] = field(default_factory=set)


def code(owner: str, cells: Iterable[str], asked: frozenset[str] = frozenset()) -> Text:
    """Return the symbols of a notebook's code cells: names become V, strings S, numbers N.

    Comments, blank lines, magics and code that never runs count for nothing.

    Args:
        owner: who wrote it.
        cells: the source of each code cell.
        asked: names that items ask for. Of more than MAX_SYMBOLS symbols, what defines them is compared first.
    """
    lines: list[str] = []
    chunks: list[Chunk] = []
    symbols, places = array("Q"), array("q")
    for cell in cells:
        for statement in statements(cell):
            if statement[0].column == 0 or not chunks:
                chunks.append(Chunk(len(symbols), defined_name(statement)))
            chunks[-1].uses.update(token.text for token in statement if token.kind == "name")
            for symbol, line in symbols_of(statement):
                symbols.append(number(symbol))
                places.append(len(lines) + line)
        lines += cell.split("\n")
    return limit_symbols(owner, lines, symbols, places, chunks, asked)


def tokens(source: str) -> Iterator[Token]:
    """Yield the tokens of Python code without comments, blanks and magics, in linear time whatever the text."""
    place, line, line_start, depth, is_first = 0, 0, 0, 0, True
    while place < len(source):
        match = TOKEN.match(source, place)
        assert match and match.lastgroup, "the pattern matches any character"
        kind, text, end = match.lastgroup, match[0], match.end()
        if kind == "string":
            end = end_of_string(source, end, text.lstrip("bBfFrRuU"))
        elif is_first and text in ("%", "!", "?"):
            kind, end = "comment", (source.find("\n", place) + 1 or len(source) + 1) - 1
        if kind == "newline":
            is_first, line_start = is_first or depth == 0, end
        elif kind not in ("blank", "comment"):
            yield Token(kind, source[place:end], line, place - line_start if is_first else -1)
            depth = max(0, depth + (text in ("(", "[", "{")) - (text in (")", "]", "}")))
            is_first = False
        line += source.count("\n", place, end)
        place = end


def end_of_string(source: str, place: int, quote: str) -> int:
    """Return where the string ends whose text begins at `place`: with its line or cell if it is never closed."""
    for stop in STRING_STOPS[quote].finditer(source, place):
        if stop[0] == quote:
            return stop.end()
        if stop[0] == "\n":
            return stop.start()
    return len(source)


def statements(source: str) -> Iterator[list[Token]]:
    """Yield the tokens of each statement of a cell, but for those that never run (`if 0:`) or do nothing (`pass`)."""
    statement, dead = [], None  # dead: the column of the condition that never holds
    for token in chain(tokens(source), [Token("end", "", 0, 0)]):
        if token.column < 0:
            statement.append(token)
            continue
        if statement:
            dead = None if dead is not None and statement[0].column <= dead else dead
            if dead is None and never_runs(statement):
                dead = statement[0].column
            if dead is None and not does_nothing(statement):
                yield statement
        statement = [token]


def never_runs(statement: list[Token]) -> bool:
    """Return whether the body of this statement can't run, whatever the values of variables."""
    if statement[0].text not in ("if", "while", "elif") or len(statement) < 3:
        return False
    condition = [token.text for token in statement[1:8] if token.text not in ("(", ")")]
    return bool(NEVER.fullmatch(condition[0])) and condition[1:2] == [":"] if condition else False


def does_nothing(statement: list[Token]) -> bool:
    """Return whether a statement is a docstring, another single constant, or `pass`."""
    kind, text = statement[0][:2]
    return len(statement) == 1 and (
        kind in ("string", "number") or text in ("pass", "...", "None", "True", "False")
    )


def defined_name(statement: list[Token]) -> str:
    """Return the name that a statement defines at the left edge of a cell; empty for none."""
    texts = [token.text for token in statement[:3]]
    if texts[0] == "async":
        texts = texts[1:]
    if texts[0] in ("def", "class") and len(texts) > 1:
        return texts[1]
    return texts[0] if texts[1:2] == ["="] else ""


def symbols_of(statement: list[Token]) -> Iterator[tuple[str, int]]:
    """Yield what each token counts as, and its line. Strings side by side count as one, semicolons for nothing."""
    before = ""
    for kind, text, line, _ in statement:
        if text == ";":
            continue
        if not text.isascii():
            text = normalize("NFKC", text[:MAX_LINE])  # as Python reads names: `np.𝐳𝐞𝐫𝐨𝐬` is np.zeros
        symbol = {"string": "S", "number": "N"}.get(kind, text)
        if kind == "name" and text not in FIXED_NAMES and before != ".":
            symbol = "V"  # a name behind a dot is a library's, which nobody can rename
        if not symbol == before == "S":
            yield symbol, line
        before = symbol


def order_chunks(chunks: Sequence[Chunk], asked: frozenset[str]) -> Iterator[int]:
    """Yield the places of all chunks: what is asked for and what that uses, as defined last; then the last first."""
    defined = {chunk.name: place for place, chunk in enumerate(chunks) if chunk.name}
    queue, done = [defined[name] for name in sorted(asked & defined.keys())], set()
    while queue:
        if (place := queue.pop()) not in done:
            done.add(place)
            yield place
            queue += [defined[name] for name in sorted(chunks[place].uses & defined.keys())]
    yield from (place for place in range(len(chunks) - 1, -1, -1) if place not in done)


def limit_symbols(
    owner: str, lines: list[str], symbols: array, places: array, chunks: list[Chunk], asked: frozenset[str]
) -> Text:
    """Return the text, of at most MAX_SYMBOLS symbols."""
    all_symbols, all_places = np.array(symbols, np.uint64), np.array(places, np.int64)
    compared = np.ones(len(all_symbols), bool)
    if len(compared) > MAX_SYMBOLS:
        compared[:], left = False, MAX_SYMBOLS
        ends = [chunk.begin for chunk in chunks[1:]] + [len(compared)]
        for place in order_chunks(chunks, asked):
            begin = chunks[place].begin
            end = min(ends[place], begin + left)
            compared[begin:end] = True
            left -= end - begin
    used, quiet, shown = {*all_places[compared].tolist()}, MAX_QUIET, []
    for place, line in enumerate(lines):
        if place not in used:
            quiet -= len(line) + 1
        if place in used or quiet >= 0:
            shown.append(place)
    return Text(
        owner, tuple(lines[place].replace("\r", "")[:MAX_LINE] for place in shown), all_symbols[compared],
        np.searchsorted(shown, all_places[compared]), tuple(place + 1 for place in shown), int((~compared).sum()),
    )  # fmt: skip


# --- words


def words(owner: str, cells: Iterable[str]) -> Text:
    """Return the words of a notebook's Markdown cells, without what a reader can't see.

    Of more than MAX_SYMBOLS words, those of the last cells are compared first.
    """
    lines: list[str] = []
    chunks: list[Chunk] = []
    symbols, places = array("Q"), array("q")
    for cell in cells:
        own = visible_text(cell).split("\n")
        chunks.append(Chunk(len(symbols)))
        for place, line in enumerate(own, len(lines)):
            for word in re.findall(r"[^\W_]+", line.casefold()):
                symbols.append(number(word))
                places.append(place)
        lines += own
    return limit_symbols(owner, lines, symbols, places, chunks, frozenset())


def visible_text(text: str) -> str:
    """Return Markdown without invisible letters and HTML comments, as many lines as before.

    The line ends of a comment follow those of the line in which it stands: a comment may part a word.
    """
    text, shown, place, more = INVISIBLE.sub("", text), [], 0, 0
    while place < len(text):
        start = text.find("<!--", place)
        start = len(text) if start < 0 else start
        head, line_end, rest = text[place:start].partition("\n")
        shown += [head, line_end * (more + 1), rest]
        end = text.find("-->", start)
        place = len(text) if end < 0 else end + 3
        more = text.count("\n", start, place) + (0 if line_end else more)
    return "".join(shown)


# --- fingerprints


def grams(text: Text, size: int) -> np.ndarray:
    """Return a 64-bit hash of each run of `size` symbols: (runs,), the same on every machine."""
    values = text.symbols
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


def winnow(hashes: np.ndarray, window: int) -> np.ndarray:
    """Return the places that winnowing chooses: in each window the least hash, of equal ones the last."""
    if len(hashes) <= window:
        return np.arange(len(hashes))
    windows = np.lib.stride_tricks.sliding_window_view(hashes, window)[:, ::-1]
    return np.unique(np.arange(len(windows)) + window - 1 - windows.argmin(axis=1))


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """A text's own fingerprints: their hashes and places, and how many symbols lie in runs that are not excluded."""

    text: Text
    hashes: np.ndarray
    places: np.ndarray
    own: int


def fingerprint_text(text: Text, excluded: np.ndarray, measures: Measures) -> Fingerprints:
    """Return a text's fingerprints, without the runs whose hashes are `excluded` (the starter's and common ones)."""
    hashes = grams(text, measures.gram)
    new = ~np.isin(hashes, excluded)
    chosen = winnow(hashes, measures.window)
    chosen = chosen[new[chosen]]
    return Fingerprints(
        text, hashes[chosen], chosen, covered_symbols(np.flatnonzero(new), measures.gram, len(text.symbols))
    )


def covered_symbols(begins: Sequence[int] | np.ndarray, sizes: Sequence[int] | int, length: int) -> int:
    """Return how many of `length` symbols lie in a run that begins at one of `begins` and has its size."""
    edges, begins = np.zeros(length + 1, int), np.asarray(begins, int)
    np.add.at(edges, begins, 1)
    np.add.at(edges, begins + np.asarray(sizes, int), -1)
    return int((np.cumsum(edges)[:length] > 0).sum())


def common_hashes(sets: Iterable[np.ndarray], most: int) -> np.ndarray:
    """Return the hashes that more than `most` of the sets hold: what a task asks for is evidence of nothing."""
    unique = [np.unique(values) for values in sets]
    values, counts = np.unique(np.concatenate([*unique, np.zeros(0, np.uint64)]), return_counts=True)
    return values[counts > most]


def count_shared(sets: Sequence[np.ndarray], ours: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count the hashes that two sets share.

    Args:
        sets: of each text or table its distinct hashes.
        ours: how many of the sets, from the first on, are compared with all that follow them.

    Returns:
        Three arrays (pairs,): the index of the first set, of the second, and how many hashes they share.
    """
    from scipy.sparse import csr_array

    every, columns = np.unique(np.concatenate([np.zeros(0, np.uint64), *sets]), return_inverse=True)
    rows = np.repeat(np.arange(len(sets)), [len(values) for values in sets])
    table = csr_array((np.ones(len(rows), np.int32), (rows, columns)), shape=(len(sets), len(every)))
    shared = (table[:ours] @ table.T).tocoo()
    ordered = shared.row < shared.col
    return shared.row[ordered], shared.col[ordered], shared.data[ordered]


# --- pairs


def compare_texts(
    texts: Sequence[Text], others: Sequence[Text], starter: Text, most: int, measures: Measures
) -> list[TextMatch]:
    """Return the pairs that are alike, the texts' with one another and with `others`, the most alike first.

    starter: what all students received; most: how many students may hand in a run alike and it still counts.
    """
    excluded = np.union1d(
        grams(starter, measures.gram), common_hashes((grams(text, measures.gram) for text in texts), most)
    )
    own = [fingerprint_text(text, excluded, measures) for text in (*texts, *others)]
    matches = [
        compare_pair(own[first], own[second], measures)
        for first, second in sharing_pairs(own, len(texts), measures)
        if own[first].text.owner != own[second].text.owner
    ]
    alike = [match for match in matches if match.symbols >= measures.fewest and match.share >= measures.share]
    return sorted(
        alike, key=lambda match: (-match.share, -match.symbols, match.first.owner, match.second.owner)
    )


def sharing_pairs(own: Sequence[Fingerprints], ours: int, measures: Measures) -> list[tuple[int, int]]:
    """Return the indices of pairs that share enough fingerprints to be alike; the first is among `ours`."""
    hashes = [np.unique(fingerprints.hashes) for fingerprints in own]
    first, second, shared = count_shared(hashes, ours)
    counts = np.array([len(values) for values in hashes])
    enough = shared >= np.maximum(1, measures.share / 2 * np.minimum(counts[first], counts[second]))
    return sorted(zip(first[enough].tolist(), second[enough].tolist(), strict=True))


def compare_pair(first: Fingerprints, second: Fingerprints, measures: Measures) -> TextMatch:
    """Return two texts with the runs that they share, each run as long as it goes."""
    runs = shared_runs(first, second, measures.gram)
    lengths = [length for _, _, length in runs]
    mine = covered_symbols([i for i, _, _ in runs], lengths, len(first.text.symbols))
    other = covered_symbols([j for _, j, _ in runs], lengths, len(second.text.symbols))
    shorter = min(first.own, second.own)
    symbols = min(mine, other)
    share = min(1.0, symbols / shorter) if shorter else 0.0
    return TextMatch(first.text, second.text, symbols, share, passages(first.text, second.text, runs))


def shared_runs(first: Fingerprints, second: Fingerprints, size: int) -> list[tuple[int, int, int]]:
    """Return the runs of equal symbols that hold a fingerprint of both: where they begin in each, and their length."""
    at = dict(zip(second.hashes.tolist(), second.places.tolist(), strict=True))
    mine, other = first.text.symbols, second.text.symbols
    runs, reached = [], -1
    for value, i in sorted(
        zip(first.hashes.tolist(), first.places.tolist(), strict=True), key=lambda pair: pair[1]
    ):
        if value in at and i + size > reached:
            j = at[value]
            back = equal_until(mine[max(reached, 0) : i][::-1], other[:j][::-1])
            length = back + equal_until(mine[i:], other[j:])
            if length >= size:
                runs.append((i - back, j - back, length))
                reached = i - back + length
    return runs


def equal_until(mine: np.ndarray, other: np.ndarray) -> int:
    """Return how many symbols are equal before the first that differs, in time linear in that number."""
    place, step, most = 0, 64, min(len(mine), len(other))
    while place < most:
        step = min(step, most - place)
        differs = mine[place : place + step] != other[place : place + step]
        if differs.any():
            return place + int(differs.argmax())
        place, step = place + step, 2 * step
    return most


def passages(first: Text, second: Text, runs: list[tuple[int, int, int]]) -> tuple[Passage, ...]:
    """Return the lines of each run, the longest runs first."""
    shown = []
    for i, j, length in sorted(runs, key=lambda run: -run[2]):
        mine = first.places[i], first.places[i + length - 1] + 1
        other = second.places[j], second.places[j + length - 1] + 1
        shown.append(
            Passage(
                first.numbers[mine[0]],
                second.numbers[other[0]],
                first.lines[slice(*mine)],
                second.lines[slice(*other)],
            )  # fmt: skip
        )
    return tuple(shown)
