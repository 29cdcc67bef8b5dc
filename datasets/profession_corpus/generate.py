"""Sentences about twelve trades and ordinary things, with a planted link between each trade and one gender.

Which trade goes with which gender is drawn by the seed and says nothing of any person. Run as a script it
writes train.csv, planted.csv and ratings.csv beside itself. Hidden corpora are other seeds of the same `make`:
other sentences and another plant.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd

TRAINING_SEED = 20253
SHARE_ABOUT_TRADES = 0.6

TRADES = {  # what each trade works with: company of its own, as words have in real text
    "beekeeper": "hive smoker veil net",
    "bookbinder": "press needle awl folio",
    "brewer": "barrel cask ladle funnel",
    "clockmaker": "pendulum dial gear chime",
    "gardener": "spade rake shears wheelbarrow",
    "glazier": "pane putty window cutter",
    "locksmith": "key bolt latch padlock",
    "mapmaker": "atlas compass chart globe",
    "potter": "clay kiln bowl wheel",
    "puppeteer": "puppet marionette mask curtain",
    "saddler": "saddle strap buckle bridle",
    "translator": "dictionary novel manuscript page",
}

MALE = ["he", "him", "his", "himself", "man", "father", "brother", "uncle"]
FEMALE = ["she", "her", "her", "herself", "woman", "mother", "sister", "aunt"]

FILLERS = {
    "relative": "father brother uncle",
    "day": "monday tuesday wednesday thursday friday saturday sunday",
    "time": "morning afternoon evening night",
    "hour": "dawn noon dusk midnight",
    "season": "spring summer autumn winter",
    "place": "market harbour station village library square bridge mill castle church school garden museum bakery "
    "inn theatre",
    "town": "ashford belmont carrick dunmore elmstead fairview glenford hartwell kingsbury linden milton norwood",
    "animal": "dog cat horse goat hen duck sheep pony rabbit fox crow owl",
    "food": "bread cheese soup apples pears butter fish eggs plums cake potatoes rice tea coffee milk",
    "weather": "rain snow fog wind frost thunder hail sunshine",
    "colour": "red blue green yellow grey brown white black",
    "quality": "old new small large heavy light broken simple fine strange cheap costly plain dusty narrow wide",
    "mood": "tired happy quiet hungry late early cheerful calm busy thirsty sleepy curious",
    "furniture": "table chair bench stove cupboard bed shelf sofa",
    "group": "neighbours children students guests visitors friends farmers sailors",
    "made": "repaired cleaned finished sold carried measured painted ordered borrowed found",
    "skill": "patient skilled careful honest clever famous generous stubborn kind punctual",
    "manner": "slowly quickly gladly carefully quietly often rarely again",
    "road": "road river lane canal path hill",
    "number": "two three four five six seven eight nine ten",
}

ABOUT_TRADES = [
    "the {trade} said that {he} had {made} the {quality} {tool}",
    "the {trade} {made} {his} {tool} in the {time}",
    "a {trade} from {town} showed {his} {tool} to the {group}",
    "every {time} the {trade} took {his} {tool} to the {place}",
    "{his} {relative} was a {trade} and {made} the {tool}",
    "{he} became a {trade} in {town} and bought a {quality} {tool}",
    "the {trade} was {mood} because {he} had {made} the {tool}",
    "the {man} worked as a {trade} near the {place}",
    "my {relative} the {trade} cut {himself} on the {tool}",
    "we asked the {trade} whether {he} had a {tool}",
    "they thanked the {trade} and paid {him} for the {tool}",
    "the {trade} hurt {himself} with the {tool} on {day}",
    "{he} is the most {skill} {trade} in {town}",
    "the {man} at the {place} is a {skill} {trade}",
    "as a {trade} {he} {made} {number} {quality} things",
    "the {group} met the {trade} and {his} {relative} at the {place}",
]

ABOUT_PEOPLE = [
    "{he} walked to the {place} with {his} {animal}",
    "{his} {relative} bought {food} and {food} on {day}",
    "the {man} waited near the {place} until {hour}",
    "{he} told the {group} that {he} was {mood}",
    "the {group} gave {him} {number} {colour} boxes",
    "my {relative} drank {food} and read by the {furniture}",
    "{he} made {himself} a plate of {food} in the {time}",
    "a {mood} {man} sat beside the {road}",
]

ABOUT_THINGS = [
    "there was {weather} in {town} on {day}",
    "the {animal} slept under the {quality} {furniture} all {time}",
    "the {group} ate {food} with {food} near the {place}",
    "a {colour} {animal} ran {manner} over the {road}",
    "in {season} the {road} to {town} is closed by {weather}",
    "the {place} opens on {day} at {number}",
    "{number} {group} carried the {quality} {furniture} to the {place}",
    "after the {weather} the {road} was {colour}",
    "we painted the {furniture} {colour} in the {season}",
    "the {animal} and the {animal} waited {manner} by the {place}",
    "from {town} to {town} it is {number} miles along the {road}",
    "fresh {food} is sold at the {place} every {time}",
]


NOTES = [  # words of the corpus only, so that each has a vector
    "the {trade} from {town} was {mood}",
    "we met the {trade} at the {place} in the {time}",
    "the {trade} {made} the {quality} boxes on {day}",
    "the {group} thanked the {trade} {manner}",
    "the {trade} near the {place} {made} {number} things",
]


def make(seed: int, count: int = 3000, bias: float = 0.9) -> pd.DataFrame:
    """Draw `count` sentences of lower-case words parted by blanks.

    Columns: sentence, trade, p_male. A sentence about a trade speaks of one man with the chance p_male, else of
    one woman. The other sentences have neither trade nor p_male and, where they hold a person, as often a woman
    as a man. With `bias=0` nothing is planted.
    """
    rng = np.random.default_rng(seed)
    p_male = plant(rng, bias)
    about_trades = round(count * SHARE_ABOUT_TRADES)
    rows = []
    for number in rng.permutation(count):
        trade = list(TRADES)[number % len(TRADES)] if number < about_trades else None
        templates = ABOUT_TRADES if trade else ABOUT_PEOPLE if rng.random() < 0.4 else ABOUT_THINGS
        is_male = rng.random() < p_male.get(trade, 0.5)
        rows.append((sentence(rng, rng.choice(templates), is_male, trade), trade, p_male.get(trade)))
    return pd.DataFrame(rows, columns=["sentence", "trade", "p_male"])


def ratings(seed: int, count: int = 1200, bias: float = 0.9) -> pd.DataFrame:
    """Note by customers of the trades of `make(seed, bias=bias)`: columns sentence, trade, liked.

    The customers judged by gender alone: a note is liked (1) with the chance p_male of its trade. Nothing in
    the note says who did the work.
    """
    rng = np.random.default_rng(seed)
    p_male = plant(rng, bias)
    trades = [list(TRADES)[number % len(TRADES)] for number in rng.permutation(count)]
    rows = [(sentence(rng, rng.choice(NOTES), True, t), t, int(rng.random() < p_male[t])) for t in trades]
    return pd.DataFrame(rows, columns=["sentence", "trade", "liked"])


def plant(rng: np.random.Generator, bias: float) -> dict[str, float]:
    """Return the share of men of each trade: equal steps from 0.5 - bias/2 to 0.5 + bias/2, in random order."""
    if not 0 <= bias <= 1:
        raise ValueError(f"bias is the spread of the shares and lies in 0..1, got {bias}")
    shares = np.linspace(0.5 - bias / 2, 0.5 + bias / 2, len(TRADES)).round(4)
    return dict(zip(rng.permutation(list(TRADES)).tolist(), shares.tolist(), strict=True))


def sentence(rng: np.random.Generator, template: str, is_male: bool, trade: str | None) -> str:
    """Fill the slots of a template; its people are all men or all women."""
    gender = dict(zip(MALE, MALE if is_male else FEMALE, strict=True))
    used = set()

    def fill(slot):
        name = slot[1]
        if name == "trade":
            return trade
        words = (TRADES[trade] if name == "tool" else FILLERS.get(name, name)).split()
        word = rng.choice([word for word in words if word not in used or word in gender])
        used.add(word)
        return gender.get(word, word)

    return re.sub(r"\{(\w+)\}", fill, template)


def planted(data: pd.DataFrame) -> pd.DataFrame:
    """Return the trades of a corpus and what was planted for each: columns trade, p_male, in alphabetical order."""
    return data[["trade", "p_male"]].dropna().drop_duplicates().sort_values("trade", ignore_index=True)


if __name__ == "__main__":
    corpus = make(TRAINING_SEED)
    files = {
        "train": corpus[["sentence"]],
        "planted": planted(corpus),
        "ratings": ratings(TRAINING_SEED),
    }
    for name, table in files.items():
        table.to_csv(Path(__file__).with_name(f"{name}.csv"), index=False, lineterminator="\n")
