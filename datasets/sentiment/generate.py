"""Short film reviews whose label is the polarity of the main clause, half of them in matched pairs.

The two sentences of a pair hold the same words in another order and have opposite labels, so whoever only
counts words is at chance. Run as a script it writes train.csv, public.csv and vocabulary.txt beside itself.
Hidden test data are other seeds of the same `make`; which split a sentence can be in follows from its words.
"""

import hashlib
import random
import re
import tomllib
from collections import Counter
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
SEED = 20253
SIZES = {"train": 7000, "public": 1000}
SHARES = {"train": 6, "public": 1, "hidden": 3}  # of ten possible sentences
LENGTHS, LONGER = range(4, 41), range(41, 61)
CATEGORIES = {"adjective": 8, "noun": 2, "verb": 2}  # how often an opinion is one, of twelve
CLAUSES = {"M": ("clause", "main"), "S": ("clause", "side"), "G": ("fact", "main"), "F": ("fact", "side")}

WORDS = tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8"))
PHRASES = tomllib.loads((HERE / "phrases.toml").read_text(encoding="utf-8"))
OPINIONS = [{name: text.split() for name, text in WORDS[label].items()} for label in ("bad", "good")]
CONTENT = {name: text.split() for name, text in WORDS["words"].items()}
LISTS = CONTENT | {name: text.split() for name, text in WORDS["forms"].items()} | PHRASES["phrases"]
ONCE = {word for words in CONTENT.values() for word in words}
KINDS = PHRASES["kinds"]


def make(
    seed: int, count: int = 2000, split: str = "hidden", kind: str | None = None, longer: bool = False
) -> pd.DataFrame:
    """Draw `count` sentences (a multiple of 4) of 4 to 40 words, or of 41 to 60 if `longer`.

    Columns: sentence (words and punctuation between single blanks), label (1 positive), kind, pair. Half of
    them are pairs, adjacent and in random order; the others have pair -1, and half of those are simple. With a
    `kind` all are of that kind; simple ones come in no pairs. No sentence can be in two splits.
    """
    if count % 4 or split not in SHARES or kind not in [None, *KINDS]:
        expected = f"count a multiple of 4, split one of {list(SHARES)}, kind None or one of {list(KINDS)}"
        raise ValueError(f"expected {expected}; got count={count}, split={split!r}, kind={kind!r}")
    rng = random.Random(seed)
    rows, used, pair = [], set(), 0
    for name, paired in plan(rng, count, kind):
        versions = fresh(rng, name, split, longer, used)
        rows += [(*version, name, pair if paired else -1) for version in versions[: 1 + paired]]
        pair += paired
    return pd.DataFrame(rows, columns=["sentence", "label", "kind", "pair"])


def plan(rng, count, kind):
    """Return what to draw in which order: (kind, whether both sentences of the pair are kept)."""
    if kind == "simple":
        return [(kind, False)] * count
    mixed = [kind] if kind else [name for name in KINDS if name != "simple"]
    pairs = [(mixed[i % len(mixed)], True) for i in range(count // 4)]
    singles = [(mixed[i // 2 % len(mixed)], False) for i in range(count // 2)]
    if not kind:
        singles[::2] = [("simple", False)] * len(singles[::2])
    return rng.sample(pairs + singles, len(pairs + singles))


def fresh(rng, kind, split, longer, used):
    """Both versions of a sentence, as (sentence, label) in random order, that fit the split and the length."""
    while True:
        versions = draw(rng, kind, longer)
        keys = {" ".join(sorted(sentence.split())) for sentence, _ in versions}
        words = versions[0][0].split()
        twice = any(times > 1 and word in ONCE for word, times in Counter(words).items())
        right_length = len(words) in (LONGER if longer else LENGTHS)
        if len(keys) == 1 and not twice and right_length and not keys & used and split_of(*keys) == split:
            used |= keys
            return rng.sample(versions, 2)


def split_of(key: str) -> str:
    """Return the split of all sentences whose sorted words are `key`, the same on every machine and for every seed."""
    digest = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    return [split for split, share in SHARES.items() for _ in range(share)][digest % 10]


def draw(rng, kind, longer):
    """Return a sentence and its mate, each with its label; a simple sentence is its own mate."""
    rich = 0.7 if longer else 0.5
    fitting = [name for name in CATEGORIES if any(name in key.split() for key in KINDS[kind])]
    [category] = rng.choices(fitting, [CATEGORIES[name] for name in fitting])
    templates = [text for key, texts in KINDS[kind].items() if category in key.split() for text in texts]
    text = expand(rng, with_clauses(rng, rng.choice(templates), category, rich), rich)
    text = surround(rng, text, longer, rich)
    label = rng.randrange(2)
    ours, others = OPINIONS[label][category], OPINIONS[1 - label][category]
    if kind == "simple":
        main, side = rng.sample(ours, 2)
        return [(fill(text, main, side), label)] * 2
    if kind == "negation":
        text, negator = text.replace("<word>", rng.choice(ours)), rng.choice(LISTS["not"])
        return [(fill(text, "", negator), label), (fill(text, negator, ""), 1 - label)]
    main, side = rng.choice(ours), rng.choice(others)
    return [(fill(text, main, side), label), (fill(text, side, main), 1 - label)]


def with_clauses(rng, template, category, rich):
    """Return the template with M, S, G and F replaced by clauses."""

    def clause(match):
        name, place = CLAUSES[match[0]]
        return expand(rng, f"{{{name}_{category}}}", rich).replace("<>", f"<{place}>")

    return re.sub(r"\b[MSGF]\b", clause, template)


def expand(rng, text, rich):
    """`text` with every {name} replaced by one of that list; {name?} stands with probability `rich`."""

    def one(match):
        if match[2] and rng.random() > rich:
            return ""
        return expand(rng, rng.choice(LISTS[match[1]]), rich)

    return re.sub(r"\{(\w+)(\?)?\}", one, text) if "{" in text else text


def surround(rng, text, longer, rich):
    """Return the sentence with neutral text before and after it; much of it if `longer`."""
    before, after = ("{opener}", "{tail} {tail}") if longer else ("{opener?}", "{tail?}")
    text = f"{expand(rng, before, rich)} {text} {expand(rng, after, rich)}"
    while longer and len(text.split()) < LONGER[0]:
        extra = [expand(rng, "{opener}", rich), text, expand(rng, "{tail}", rich)]
        text = " ".join(extra[:2] if rng.random() < 0.4 else extra[1:])
    return f"{text} {rng.choice(LISTS['end'])}"


def fill(text, main, side):
    """Return the finished sentence: both places filled, single blanks, "an" before a vowel."""
    text = " ".join(text.replace("<main>", main).replace("<side>", side).split())
    text = re.sub(r", (?=[,.!])", "", text)
    return re.sub(r"\ba (?=[aeiou])", "an ", text)


def vocabulary(sentences) -> list[str]:
    """Return padding, unknown, then every word of the sentences, by frequency, then by alphabet."""
    counts = Counter(word for sentence in sentences for word in sentence.split())
    return ["<padding>", "<unknown>", *sorted(counts, key=lambda word: (-counts[word], word))]


if __name__ == "__main__":
    for name, size in SIZES.items():
        data = make(SEED, size, split=name)
        data.to_csv(HERE / f"{name}.csv", index=False, lineterminator="\n")
        if name == "train":
            text = "\n".join(vocabulary(data.sentence)) + "\n"
            (HERE / "vocabulary.txt").write_text(text, encoding="utf-8", newline="\n")
