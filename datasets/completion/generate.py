"""Sentences whose next word is decided by a word far back, and by the part which that word plays.

"I was born in Italy but I live in France ... every day I speak" goes on with one language, "... as a child I spoke"
with the other. Run as a script it writes train.csv beside itself. Hidden test data are other seeds of the same
`make`.
"""

from pathlib import Path

import numpy as np
import pandas as pd

TRAINING_SEED = 20261
LANGUAGES = {
    "france": "french", "italy": "italian", "spain": "spanish",
    "japan": "japanese", "greece": "greek", "poland": "polish", "china": "chinese",
    "russia": "russian", "norway": "norwegian", "turkey": "turkish",
}  # fmt: skip
REGIONS = ["", "sunny ", "the north of ", "the hills of "]
ANIMALS = ["dog", "cat", "fox", "goose", "wolf", "hen", "horse", "goat", "duck", "mouse"]
LOOKS = ["", "old ", "shy ", "very small "]
SKIES = {"night": {"black": 1.0}, "noon": {"blue": 0.7, "grey": 0.3}}  # at noon nobody can know for sure
FILLERS = [
    "the bread is good", "i walk to work", "we have a garden with two trees", "it rained all week",
    "my brother plays the piano", "the train was late again", "they sell apples on the market",
    "she reads a book every month", "nobody said a word", "the soup tastes of pepper", "i like the quiet",
    "there was music in the street", "the house has a red door", "he paints in the evening",
]  # fmt: skip
SHARES = {"speaks": 0.5, "chases": 0.3, "sky": 0.2}


def make(seed: int, count: int, longer: bool = False) -> pd.DataFrame:
    """Draw `count` sentences, each with the word that ends it; 0 to 2 fillers stand between, or 3 if `longer`.

    The pairs of names in longer sentences, such as Italy and France, stand together in no others. Columns: sentence
    (words between blanks, without the last), word, kind.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")
    rng = np.random.default_rng(seed)
    rows = []
    for kind in rng.choice(list(SHARES), count, p=list(SHARES.values())):
        beginning, end, word = KINDS[kind](rng, longer)
        number = 3 if longer else rng.integers(3)
        fillers = rng.choice(FILLERS, number, replace=False)
        rows.append((" ".join([beginning, *fillers, end]), word, kind))
    return pd.DataFrame(rows, columns=["sentence", "word", "kind"])


def speaks(rng: np.random.Generator, longer: bool) -> tuple[str, str, str]:
    """Two countries, of birth and of now; the end asks for the language of one of them."""
    born, now = two(rng, list(LANGUAGES), longer)
    first, second = rng.choice(REGIONS, 2)
    asked = rng.integers(2)
    end = ("as a child i spoke", "every day i speak")[asked]
    return f"i was born in {first}{born} but i live in {second}{now}", end, LANGUAGES[(born, now)[asked]]


def chases(rng: np.random.Generator, longer: bool) -> tuple[str, str, str]:
    """Two animals, one after the other; the end asks for the hunter or the hunted."""
    animals = two(rng, ANIMALS, longer)
    first, second = rng.choice(LOOKS, 2)
    asked = rng.integers(2)
    end = ("the one that came behind was the", "the one that ran ahead was the")[asked]
    return f"the {first}{animals[0]} chased the {second}{animals[1]}", end, animals[asked]


def sky(rng: np.random.Generator, longer: bool) -> tuple[str, str, str]:
    """Night or noon; the colour of the sky, which at noon is a matter of chance."""
    hour = rng.choice(list(SKIES))
    colour = rng.choice(list(SKIES[hour]), p=list(SKIES[hour].values()))
    return f"we came home at {hour}", "the sky is", str(colour)


def two(rng: np.random.Generator, names: list[str], longer: bool) -> list[str]:
    """Two different names in either order, of a pair that is reserved for longer sentences or of one that isn't."""
    while True:
        one, other = rng.choice(len(names), 2, replace=False)
        if (one // 2 == other // 2) == longer:  # two and two in the list: each name has one such partner
            return [names[one], names[other]]


def best_accuracy() -> float:
    """Of one who knows the grammar: right wherever chance doesn't decide, and with its likelier side where it does."""
    return 1 - SHARES["sky"] + SHARES["sky"] * np.mean([max(colours.values()) for colours in SKIES.values()])


KINDS = {"speaks": speaks, "chases": chases, "sky": sky}

if __name__ == "__main__":
    make(TRAINING_SEED, 3000).to_csv(Path(__file__).with_name("train.csv"), index=False, lineterminator="\n")
