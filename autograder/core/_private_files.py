"""Secrets on a disk that others use too: folders and files that only their owner reads, and what others can reach."""

import os
import re
import stat
from pathlib import Path

MIN_SEED_LENGTH, MIN_SEED_BITS = 16, 56
WORD_BITS = 11  # of a word, as in a list of 2,048; letters that make none are not told from it
OTHERS = stat.S_IRWXO


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for its owner alone; one that exists stays as it is.

    In a folder with the set-group-ID bit, by which a team shares files, the group may use the new one too.
    """
    for path in reversed([folder, *folder.absolute().parents]):
        if not path.exists():
            is_shared = path.absolute().parent.stat().st_mode & stat.S_ISGID
            path.mkdir(mode=0o770 if is_shared else 0o700, exist_ok=True)


def is_exposed(path: Path, rights: int = OTHERS) -> bool:
    """Return True if every user of this machine has one of these rights to a file or folder, and can reach it."""
    if os.name != "posix" or not path.exists():
        return False
    path = path.resolve()
    reachable = all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents)
    return reachable and bool(path.stat().st_mode & rights)


def exposure_warning(what: str, path: Path) -> str:
    """Return a line that says that other users can read `path`, which holds `what`; empty if they can't."""
    if not is_exposed(path):
        return ""
    mode = stat.S_IMODE(path.stat().st_mode)
    return (
        f"Every user of this machine can get at {what} in {path} (mode {mode:o}). Run: chmod -R o-rwx {path}"
    )


def is_guessable(seed: str) -> bool:
    """Return True if a seed is short or regular: a person wrote it, and a program that tries many finds it.

    Words, dates and runs such as "1234" count little, and a second time nothing.
    """
    tokens = set(re.findall(r"[A-Z]+|[a-z]+|\d+|[^\W\d_a-zA-Z]+|[\W_]", seed))
    return len(seed) < MIN_SEED_LENGTH or sum(map(token_bits, tokens)) < MIN_SEED_BITS


def token_bits(token: str) -> float:
    """Return how many bits it takes, at most, to name a token of a seed."""
    if re.fullmatch(r"(19|20)\d\d", token):  # a year
        return 6
    if token.isdecimal():
        steps = set(zip(map(int, token), map(int, token[1:]), strict=False))
        return 3.3 * (1 + sum((after - before) % 10 not in {0, 1, 9} for before, after in steps))
    return min(WORD_BITS, 4.7 * len(token)) if token.isalpha() else 2
