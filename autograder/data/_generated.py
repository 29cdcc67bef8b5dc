"""Hidden data: test sets that a data set's own `generate.py` or `fetch.py` draws from the secret seed of the term."""

import hashlib
import secrets
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.core import Course, CourseError, is_guessable, unknown_name, write_atomically
from autograder.data._download import is_fetched, is_remote, load_maker

if TYPE_CHECKING:
    import pandas as pd

DEMO_SECRET = "demo"  # public, so that a fresh clone can grade; every report that used it says so
SEED_FILE = "secret_seed"


class HiddenData:
    """Draws each hidden data set once per run.

    Two draws of a data set with different options, or in different terms, share no random numbers: the
    generator's seed is a hash of the secret, the data set's name and the options. On a student's own machine, for
    practice, the secret is the public one, and nothing that is drawn counts as hidden. `term` names a term whose
    seed was kept; it is empty for the present one.
    """

    def __init__(self, course: Course, secret: str, practice: bool = False, term: str = ""):
        self._course, self._datasets, self._secret = course, course.root / "datasets", secret
        self._drawn: dict[str, pd.DataFrame] = {}
        self.practice, self.term = practice, term

    @property
    def is_demo(self) -> bool:
        return self._secret == DEMO_SECRET

    @cached_property
    def public(self) -> "HiddenData":
        """Data from the public seed: the same in every term, for everyone to see."""
        return HiddenData(self._course, DEMO_SECRET)

    @cached_property
    def for_practice(self) -> "HiddenData":
        """The data of a student's own machine."""
        return practice_data(self._course)

    def at(self, course: Course) -> "HiddenData":
        """Return the same data, drawn by another copy of the course."""
        return HiddenData(course, self._secret, self.practice, self.term)

    @property
    def identity(self) -> str:
        """Tells these data from those of other terms and data sets, and is too slow to guess the secret by."""
        files = (path for path in sorted(self._datasets.rglob("*")) if path.suffix not in {".pyc", ".md"})
        content = b"".join(path.read_bytes() for path in files if path.is_file())
        salt = hashlib.sha256(content).digest()
        return hashlib.scrypt(self._secret.encode(), salt=salt, n=2**14, r=8, p=1).hex()

    @property
    def fetched(self) -> tuple[str, ...]:
        """The names of the data sets that are fetched, and are on this machine."""
        folders = sorted(path for path in self._datasets.glob("*") if is_remote(path))
        return tuple(path.name for path in folders if is_fetched(path))

    def draw(self, dataset: str, options: dict) -> "pd.DataFrame":
        """Return the data frame that the data set's `generate.py`, or its `fetch.py`, makes for these options.

        Raises NotFetched where the data set would have to be fetched first.
        """
        key = f"{dataset}/{sorted(options.items())}"
        if key not in self._drawn:
            self._drawn[key] = load_maker(self._datasets / dataset)(seed=self.seed(key), **options)
        return self._drawn[key].copy()

    def seed(self, topic: str) -> int:
        """Return a seed of this term's own, for each topic another."""
        return int.from_bytes(hashlib.sha256(f"{self._secret}/{topic}".encode()).digest()[:8], "big")


def hidden_data(course: Course, term: str = "") -> HiddenData:
    """Hidden data of this term; with the demo seed where none is set; for practice where `solutions` is absent.

    term: the name of one whose seed was kept (see `new_term`), to regrade its submissions; a CourseError that says
    which there are where none has this name.
    """
    if term:
        return HiddenData(course, read_secret(keep_seed_of_term(course, term)), term=term)
    if not (course.root / "solutions").is_dir():
        return practice_data(course)
    return HiddenData(course, term_seed(course) or DEMO_SECRET)


def new_term(course: Course, today: date) -> Path | None:
    """Begins a term with a fresh seed. The old one is kept under today's date; gives its path, or None.

    Raises CourseError if there is no folder `solutions` to put it in.
    """
    seed = solutions_folder(course) / SEED_FILE
    old = seed.read_text(encoding="utf-8") if seed.is_file() else ""
    kept = free_seed_name(seed, today) if old.strip() else None
    if kept:
        write_atomically(
            kept, old, private=True
        )  # before the new one: whatever happens between, no seed is lost
    write_atomically(seed, f"{secrets.token_hex(20)}\n", private=True)
    return kept


def keep_seed_of_term(course: Course, term: str) -> Path:
    """Return the file that keeps the seed of `term`."""
    files = sorted(solutions_folder(course).glob(f"{SEED_FILE}.*"))
    kept = {path.name.removeprefix(f"{SEED_FILE}."): path for path in files if path.is_file()}
    if term not in kept:
        raise unknown_name("kept term", term, kept)
    return kept[term]


def solutions_folder(course: Course) -> Path:
    """Return the folder `solutions`, where seeds lie."""
    if not (course.root / "solutions").is_dir():
        raise CourseError(f"There is no folder solutions in {course.root}: terms and seeds are the TA's.")
    return course.root / "solutions"


def free_seed_name(seed: Path, today: date) -> Path:
    """Where to keep a seed that ends today; a second one of a day gets a number."""
    kept, number = seed.with_name(f"{SEED_FILE}.{today}"), 2
    while kept.exists():
        kept, number = seed.with_name(f"{SEED_FILE}.{today}.{number}"), number + 1
    return kept


def read_secret(path: Path) -> str:
    """Return the seed in a file; one that is empty would be guessed at once."""
    secret = path.read_text(encoding="utf-8").strip()
    if not secret:
        raise CourseError(f"{path} is empty: run `autograder term`, or delete it.")
    return secret


def term_seed(course: Course) -> str:
    """Return this term's seed; empty where there is none. Raises CourseError for one that can be guessed.

    Seeds of terms before are read as they are: their submissions can still be regraded.
    """
    path = course.root / "solutions" / SEED_FILE
    if not path.is_file():
        return ""
    if is_guessable(seed := read_secret(path)):
        advice = "`autograder term` writes a good one and keeps this one for regrading"
        raise CourseError(f"The seed in {path} is too short or too regular to stay a secret: {advice}.")
    return seed


def practice_data(course: Course) -> HiddenData:
    """Return the data for a student's own machine."""
    return HiddenData(course, DEMO_SECRET, practice=True)
