"""The concept questions of `embedding_sentiment`, with numbers of each variant's own; students have them sealed."""

import numpy as np

from autograder import Choice, Number, own

MEN = ["he", "his", "himself", "man", "father", "brother", "uncle"]

WOMEN = ["she", "her", "herself", "woman", "mother", "sister", "aunt"]


def moved(variant: str) -> Number:
    """How many numbers of an embedding a batch can move, for one variant's batch."""
    batch, (tokens, size) = batch_of_ids(variant), embedding_sizes(variant)
    seen, places = set(batch.ravel().tolist()) - {0}, int((batch > 0).sum())
    return Number(
        f"""`Embedding({tokens}, {size}, mask_zero=True)` comes first in a network that reads each whole review.
This is one batch of three reviews, 0 for padding and 1 for words that are not in the list:

{as_code(batch)}

For how many *numbers* of the embedding's matrix can the gradient of this batch be anything but zero?""",
        right=len(seen) * size,
        mistakes={
            tokens * size: (
                "That is the whole matrix. Multiply a one-hot word with it: how many rows have a part in the result?"
            ),
            places * size: (
                "It seems that a word which occurs again has another row each time. All its places look up the same "
                "row, and what they send back adds up there."
            ),
            (len(seen) + 1) * size: (
                "It seems that row 0 is among them. mask_zero=True: what does the network do at a place with a 0?"
            ),
            (len(seen) - 1) * size: (
                "One row is left out. Is it that of id 1? Unknown words share it: it is looked up and trained like "
                "any other."
            ),
            batch.size * size: (
                "That counts each place of the box. Some places are padding, and some words stand in several."
            ),
            len(seen): "So many rows can move. How many numbers are in each?",
        },
    )


def batch_of_ids(variant: str) -> np.ndarray:
    """Three reviews (3, 7), two of them padded; some words occur again, and one is unknown."""
    rng = own(variant, "concepts: moved")
    words = rng.choice(range(2, 90), 7, replace=False)
    batch = np.zeros((3, 7), int)
    for row, length in zip(batch, rng.permutation([7, 5, 3]), strict=True):
        row[:length] = rng.choice(words, length)
    batch[batch[:, 4] > 0, rng.integers(0, 4)] = 1  # in both of the longer ones
    return batch


def embedding_sizes(variant: str) -> tuple[int, int]:
    """Tokens and dimensions of the embedding in a question."""
    rng = own(variant, "concepts: sizes")
    return int(rng.integers(15, 60)) * 10, int(rng.integers(3, 13)) * 4


def as_code(batch: np.ndarray) -> str:
    """A batch as lines of code in Markdown: four blanks in front."""
    return "\n".join("    " + " ".join(f"{token:>3}" for token in row) for row in batch)


def stretched(variant: str) -> Number:
    """What becomes of an association when vectors change their lengths, for one variant's numbers."""
    rng = own(variant, "concepts: stretched")
    to_a, to_b = int(rng.integers(41, 75)) / 100, int(rng.integers(5, 20)) / 100
    of_w, of_a = int(rng.integers(3, 7)), 2
    return Number(
        f"""The mean cosine of *saddler* with the men's words is {to_a}, with the women's words {to_b}. In
another training everything comes out in the same directions, but the vector of *saddler* is {of_w} times as
long and those of the men's words are {of_a} times as long as before. What is the association of *saddler* now?""",
        right=round(to_a - to_b, 2),
        mistakes={
            round(of_a * to_a - to_b, 2): (
                "It seems that longer vectors weigh more. By what does a cosine divide the dot product?"
            ),
            round(of_w * (to_a - to_b), 2): (
                "It seems that a longer vector has a larger association with everything. By what does a cosine "
                "divide the dot product?"
            ),
            round(of_w * (of_a * to_a - to_b), 2): (
                "That is how dot products grow. A cosine divides by both lengths: what is left of them?"
            ),
            round(
                to_b - to_a, 2
            ): "The sign: the association is that with A, the men's words, minus that with B.",
            round(to_a + to_b, 2): "The association is a difference of two mean cosines, not their sum.",
            round(to_a, 2): "That is one of two parts. Minus the mean cosine with the women's words!",
        },
    )


def apart(variant: str) -> Choice:
    """What can part words of opposite opinion, with one variant's words."""
    rng = own(variant, "concepts: apart")
    good, bad = rng.choice(["brilliant", "superb", "charming"]), rng.choice(["dreadful", "boring", "awful"])
    near, size = int(rng.integers(80, 93)) / 100, int(rng.choice([16, 32, 64]))
    return Choice(
        f"""In skip-gram vectors of {size} dimensions, learnt from reviews without their labels, *{good}* and
*{bad}* have a cosine of {near}. A classifier on these vectors, frozen, can hardly tell praise from blame. Which
of these would help most?""",
        right="A thousand labelled reviews, and a training that may move the vectors.",
        wrong={
            "Ten times as many reviews without labels, so that the two vectors become more exact.": (
                "More exact at what? A skip-gram is asked which words stand near. Write five sentences with the one "
                "word and put the other in its place: does its company change?"
            ),
            f"{4 * size} dimensions: in {size} there is no room to keep them apart.": (
                "There is room for far more directions than opinions. But what would make the training use them, when "
                "both words must guess the same neighbours?"
            ),
            "Distances in the place of cosines: vectors of one direction can still lie far apart.": (
                "That measures the same vectors in another way. What is not in them no measure finds: was the "
                "skip-gram ever told which word is praise?"
            ),
        },
        order=own(variant, "concepts: apart, order"),
    )


def way_in(variant: str) -> Choice:
    """Where a bias enters, with one variant's pair of relatives."""
    rng = own(variant, "concepts: way in")
    he, she = MEN[rng.integers(4, 7)], WOMEN[rng.integers(4, 7)]
    liked, less = int(rng.integers(76, 90)) / 100, int(rng.integers(12, 30)) / 100
    return Choice(
        f"""With the *{he}* in the place of the trade, the notes of part 4 get P(liked) = {liked}; with the
*{she}*, {less}. Now the same logistic regression is trained on the same notes and labels, but on **one-hot
words** (how often each word of the corpus stands in the note) in the place of the skip-gram vectors. What does
it say when the trades are swapped for *{he}* and for *{she}*?""",
        right="The same to both. But some trades are still liked less than others, because of who did the work.",
        wrong={
            "The same to both, and nothing unfair is left: one-hot words know no prejudice.": (
                "Half of it is right. The vectors carried the customers' judgement on to the relatives. But where did "
                "that judgement come from, and is it still there?"
            ),
            f"{liked} and {less} as before: the labels are the same, and the bias comes from them.": (
                f"The labels say which trades are liked, and no note says {he}. Through what did the classifier come "
                "from the trades to a word it never saw, and is a one-hot word near anything?"
            ),
            "Something by chance: words that it never saw have random weights.": (
                "A new row of an Embedding is random. A logistic regression begins at zero, and the column of a word "
                "that never occurs gives no gradient: where does its weight stay?"
            ),
        },
        order=own(variant, "concepts: way in, order"),
    )
