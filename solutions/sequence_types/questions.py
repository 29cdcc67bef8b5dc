"""The concept questions of `sequence_types`, with numbers of each variant's own; students have them sealed."""

import numpy as np

from autograder import Choice, Number, own


def settled_late(variant: str) -> Number:
    """How much of a frame a reader can know that may answer late, with one variant's lengths."""
    rng = own(variant, "concepts: settled late")
    codons, delay = int(rng.integers(16, 25)), int(rng.integers(6, 23))
    bases = 3 * codons
    return Number(
        f"""A sequencer reads a strand base by base. A network follows it from left to right and may answer *late*: at
the step that reads base $t$ it says the label of base $t - {delay}$. An open reading frame of {codons} codons goes by,
start and stop counted. Of how many of its {bases} bases can the network *know* the label at the moment at which it has
to say it?""",
        right=delay + 1,
        mistakes={
            delay: (
                "Nearly. Count from the end: the last base of the stop settles all. Which label is due at that very "
                "step, and is the last base itself among those that you counted?"
            ),
            0: "Without any delay it would know one: the label of the last base is settled as that base is read.",
            1: (
                f"One it would know without any delay. Now it waits: when the stop is read, the last {delay} answers "
                "have not been given yet."
            ),
            bases: (
                f"All of them are settled by the last base of the stop. But the first one's answer was due {delay} "
                f"steps behind the first base: how many bases of {bases} had been read by then?"
            ),
            bases - delay: (
                "Those are, but for one, the bases whose answers were due too early. Draw the frame, mark its last "
                "base, and from there go back as far as answers are still open."
            ),
            bases - delay - 1: "So many answers were due before the stop was read. The others are asked for.",
            delay // 3: "That would be codons; bases are asked for, and labels come base by base.",
            delay // 3 + 1: "That would be codons; bases are asked for, and labels come base by base.",
        },
    )  # fmt: skip


def fourth_family(variant: str) -> Number:
    """The entropy of a family that nobody has trained on, with one variant's lengths."""
    rng = own(variant, "concepts: a fourth family")
    site, lengths = int(rng.choice([3, 5, 6, 7])), int(rng.choice([4, 8]))
    least = int(rng.integers(3, 10))
    most, mean = least + lengths - 1, least + (lengths - 1) / 2
    right = 2 * site + np.log2(lengths) + 2 * mean
    return Number(
        f"""A fourth family: a site of {site} bases, then `TG`, a spacer of {least} to {most} bases, `CA`, and the site
once more, *backwards* (ACC is followed by CCA in the end). Each free base is even among four, each length of the spacer
is as likely as the others. The best writer there can be reads new sequences of this family, the end of each included:
how many bits does a sequence cost it on average?""",
        right=float(right),
        mistakes={
            float(right + 2 * site): (
                "It seems that both sites cost something. Whoever has read the first one knows the second, letter by "
                "letter, forwards or backwards: what does a thing cost that is certain?"
            ),
            float(right - np.log2(lengths)): (
                "The bases are all counted. One thing more is news, and only once: where the spacer ends. How "
                f"many bits is one of {lengths}?"
            ),
            float(right + 8): "TG and CA are always there: what is certain costs nothing.",
            float(right + 2 * (most - mean)): "Spacers are that long at the most. An average is asked for.",
            float(right - 2 * (mean - least)): "Spacers are that short at the least. An average is asked for.",
            float(right * np.log(2)): "It is counted in powers of e. Bits are counted in powers of 2.",
            float(2 * (2 * site + mean + 4)): (
                "Two bits for each base, as if every base were free. Which of them could you have told beforehand?"
            ),
            float(right - np.log2(lengths) + lengths): (
                f"One of {lengths} lengths is not {lengths} bits: with one bit you tell two apart, with two bits four."
            ),
            float(site + np.log2(lengths) + mean): "One of four bases: is that one bit, or two?",
        },
    )  # fmt: skip


def two_writers(variant: str) -> Choice:
    """Which of two generators is better, with one variant's figures."""
    rng = own(variant, "concepts: two writers")
    cold, mine = int(rng.integers(2, 5)) / 10, int(rng.integers(80, 89)) / 100
    theirs = int(rng.integers(97, 100)) / 100
    bits = 14.4 + int(rng.integers(9, 17)) / 10
    more = bits + int(rng.integers(15, 35)) / 10
    return Choice(
        f"""Two generators, one family of sequences, whose true entropy is 14.4 bits:

| | drawn at temperature | valid | different ones in 1,000 | bits spent on a new sequence |
| --- | ---: | ---: | ---: | ---: |
| your friend's | {cold} | {theirs} | 990 | {more:.1f} |
| yours | 1 | {mine} | 998 | {bits:.1f} |

Which of the two has learnt the family better?""",
        right=(
            "Yours: the bits ask both for the whole family, at temperature 1, and your friend's is often surprised by "
            "true members of it."
        ),
        wrong={
            "Your friend's: nearly all it writes is valid and hardly anything is said twice, and that is what "
            "a writer is for.": (
                "And if yours were drawn as cold? Validity is measured on what a model chooses to say, and at a low "
                "temperature it says the common things only. Which column asks about what it would rather not say?"
            ),
            "That can't be told from this table: the bits were counted while each model was handed the true beginning, "
            "and a writer has only its own.": (
                "The chain rule: multiply what a model says of each token after the true beginning, and you have "
                "the probability that it writes this very sequence all by itself. No help is given there, a question "
                "is asked: had you written this so far, how likely would the next token be?"
            ),
            "Your friend's: a lower temperature makes the likely likelier, so that it would spend fewer bits on a "
            "sequence, too, if they were counted at that temperature.": (
                "On a common sequence, perhaps. Sum up what the cold one pays for a rare one, whose tokens all got "
                "less likely: new sequences are drawn from the family, rare ones included, and nobody can go "
                "below its entropy on average."
            ),
        },
        order=own(variant, "concepts: two writers, order"),
    )  # fmt: skip


def one_month_ahead(variant: str) -> Choice:
    """What a forecast has learnt whose curve lies on the truth, with one variant's figures."""
    rng = own(variant, "concepts: one month ahead")
    last = int(rng.integers(30, 46)) / 100
    error = round(last * (1 + int(rng.integers(2, 9)) / 100), 3)
    like = int(rng.integers(95, 98)) / 100
    return Choice(
        f"""In a talk you see a forecast of moths, *one month* ahead, laid over what came: two curves one can hardly
tell apart. On a slide in small print: correlation with the truth {like:.2f}, mean absolute error {error:.3f}, values
from 0 to 6. You ask for the error of the last value, each month's forecast being the month before: {last:.2f}. What
has the network learnt?""",
        right=(
            f"Nothing that the last value doesn't know as well: its error is {error / last:.2f} times that of a "
            "forecast that costs nothing."
        ),
        wrong={
            f"Nearly everything: with a correlation of {like:.2f} only {1 - like**2:.0%} of the ups and downs are left "
            "unexplained.": (
                "How well does the last value correlate with what comes? Any curve that changes slowly looks like "
                "itself a month later. A correlation needs a baseline beside it as much as an error does."
            ),
            f"Much: on values up to 6 an error of {error:.3f} is about {error / 6:.0%}.": (
                "Small beside what? From one month to the next little changes, so that everybody is off by little. "
                "The range of the values is nobody's forecast; compare it with one that knows nothing."
            ),
            "To follow, and that is the first half: fed with its own answers month by month it will forecast twelve "
            "months about as well.": (
                "Think what the last value does when it is fed with its own answers: it draws a flat line. And who "
                "reads own answers has own mistakes for a history: errors don't stay, they pile up."
            ),
        },
        order=own(variant, "concepts: one month ahead, order"),
    )
