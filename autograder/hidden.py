"""Hidden data: test sets that a data set's own `generate.py` draws from the secret seed of the term."""

import hashlib

from autograder.course import Course, CourseError, load_module

DEMO_SECRET = "demo"  # public, so that a fresh clone can grade; every report that used it says so


class HiddenData:
    """Draws each hidden data set once per run.

    Two draws of a data set with different options, or in different terms, share no random numbers: the
    generator's seed is a hash of the secret, the data set's name and the options. On a student's own machine, for
    practice, the secret is the public one, and nothing that is drawn counts as hidden.
    """

    def __init__(self, course: Course, secret: str, practice: bool = False):
        self._datasets, self._secret, self._drawn = course.root / "datasets", secret, {}
        self.practice = practice

    @property
    def is_demo(self) -> bool:
        return self._secret == DEMO_SECRET

    @property
    def identity(self) -> str:
        """Tells these data from those of other terms and data sets, and is too slow to guess the secret by."""
        files = (path for path in sorted(self._datasets.rglob("*")) if path.suffix not in {".pyc", ".md"})
        content = b"".join(path.read_bytes() for path in files if path.is_file())
        salt = hashlib.sha256(content).digest()
        return hashlib.scrypt(self._secret.encode(), salt=salt, n=2**14, r=8, p=1).hex()

    def draw(self, dataset: str, options: dict):
        """The data frame that `datasets/<dataset>/generate.py` makes for these options."""
        key = f"{dataset}/{sorted(options.items())}"
        if key not in self._drawn:
            generator = load_module(self._datasets / dataset / "generate.py")
            self._drawn[key] = generator.make(seed=self.seed(key), **options)
        return self._drawn[key].copy()

    def seed(self, topic: str) -> int:
        """A seed of this term's own, for each topic another."""
        return int.from_bytes(hashlib.sha256(f"{self._secret}/{topic}".encode()).digest()[:8], "big")


def hidden_data(course: Course) -> HiddenData:
    """Hidden data of this term; with the demo seed where none is set; for practice where `solutions` is absent."""
    solutions = course.root / "solutions"
    if not solutions.is_dir():
        return practice_data(course)
    seed_file = solutions / "secret_seed"
    if not seed_file.is_file():
        return HiddenData(course, DEMO_SECRET)
    secret = seed_file.read_text(encoding="utf-8").strip()
    if not secret:
        raise CourseError(f"{seed_file} is empty: write a long random line into it, or delete it.")
    return HiddenData(course, secret)


def practice_data(course: Course) -> HiddenData:
    """Data for a student's own machine."""
    return HiddenData(course, DEMO_SECRET, practice=True)
