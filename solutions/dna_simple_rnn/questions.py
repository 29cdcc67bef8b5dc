"""The concept questions of `dna_simple_rnn`, with numbers of each variant's own; students have them sealed."""

from math import factorial, prod

from autograder import Choice, Number, own

BASES = "ACGT"


def box(variant: str) -> Number:
    """The numbers in a padded box of one-hot k-mers, for one variant's sequences."""
    rng = own(variant, "concepts: box")
    k, lengths = int(rng.choice([3, 5, 6])), sorted(rng.choice(range(30, 100), 4, replace=False).tolist())
    longest, words = lengths[-1], 4**k
    spans = longest - k + 1
    said = ", ".join(map(str, lengths[:3]))
    return Number(
        f"""Four sequences of {said} and {longest} bases are cut into **overlapping words of {k} bases**. Each
word becomes a one-hot row, with a column for every word of {k} bases that there can be. The four go into *one*
batch, and rows of zeros fill up what is short. How many numbers does this box hold, zeros counted?""",
        right=4 * spans * words,
        mistakes={
            4 * longest * words: (
                f"It seems that a word begins at each base. Where would the word begin whose last base is the last "
                f"of the sequence, and how many of the {longest} bases come after that?"
            ),
            sum(length - k + 1 for length in lengths) * words: (
                "These are the rows that hold a word. A batch is a box: each of the four takes as many rows as the "
                "longest, whether it has words for them or not."
            ),
            4 * (longest // k) * words: (
                f"It seems that the words stand side by side. They overlap: the next one begins one base later, not "
                f"{k} bases later."
            ),
            4 * spans * 4 * k: (
                f"It seems that a word is written as {k} one-hot bases in a row. Here each word has a column of its "
                f"own: how many words of {k} letters can four letters make?"
            ),
            4 * spans * k**4: (
                f"The alphabet has 4 letters and the word {k} places: each place can be filled in 4 ways. Is that "
                f"{k}^4?"
            ),
            spans * words: "That is one sequence. The box holds four, each with as many rows as the longest.",
            4 * spans: "So many rows has the box. How many columns has each?",
            4 * longest * 4: "That is the box of single bases. With words, how many columns does a row need?",
        },
    )


def anagrams(variant: str) -> Number:
    """How many sequences base counts can't tell apart, for one variant's sequence."""
    rng = own(variant, "concepts: anagrams")
    counts = [int(rng.integers(*span)) for span in ((1, 5), (1, 5), (3, 5), (2, 4))]
    sequence = "".join(
        rng.permutation(list("".join(base * count for base, count in zip(BASES, counts, strict=True))))
    )
    total = sum(counts)
    right = factorial(total) // prod(map(factorial, counts))
    return Number(
        f"""A model sees base counts and nothing else. You show it `{sequence}`. How many *different* sequences,
this one included, are for the model exactly the same input?""",
        right=right,
        mistakes={
            factorial(total): (
                "In this way two G that change places make a new sequence, and nobody could see a difference. How "
                "often is each sequence counted?"
            ),
            4**total: (
                f"These are all sequences of {total} bases. How many of them have as many A, C, G and T as this one?"
            ),
            factorial(total) // factorial(counts[2]): (
                "It seems that only equal G are allowed for. Two equal T that change places make no new sequence "
                "either."
            ),
            2: "Its twin of section 5 is one of them, and there are many more. In how many places can the first T go?",
            1: (
                "Then counts would tell everything. Swap two bases that differ: the counts stay, and the sequence "
                "is another one."
            ),
            24: "That is the number of ways to order four letters. How many letters has this sequence?",
        },
    )


def zeros(variant: str) -> Choice:
    """What rows of zeros do to a state where nothing masks them."""
    rng = own(variant, "concepts: zeros")
    short, long = int(rng.integers(6, 16)), int(rng.integers(25, 60))
    return Choice(
        f"""A friend fills all sequences up to {long} rows with rows of zeros *behind* the bases and uses **no
mask**. "Zeros are harmless", she says: "$x_t W_x = 0$, so nothing happens." A sequence of {short} bases is
read, and the answer comes from the last state. What happens to the state in the {long - short} rows of zeros?""",
        right="It moves on at each of them, by $h_t = \\tanh(h_{t-1} W_h + b)$, away from where the last base left it.",
        wrong={
            "Nothing, as she says: without an input a state stays what it is.": (
                "Only one of the three terms of the step is zero. Write the whole step down for x_t = 0: does h_t = "
                "h_(t-1) come out?"
            ),
            "It is set back to $h_0 = 0$ by the first of them, so the answer rests on the bias alone.": (
                "A row of zeros is no signal to begin anew: it is an input like any other, and the old state still "
                "goes through W_h. When is a state really set to h_0?"
            ),
            "Keras sees that these rows are empty and takes the state after the last base.": (
                "That is what a Masking layer is for, and there is none here. To the layer a row of zeros is four "
                "numbers like any other four."
            ),
        },
        order=own(variant, "concepts: zeros, order"),
    )


def fading(variant: str) -> Choice:
    """Why a network that is right at the lengths of its training fails at longer ones."""
    rng = own(variant, "concepts: fading")
    long, share = int(rng.integers(15, 60)) * 10, int(rng.integers(58, 75))
    return Choice(
        f"""A SimpleRNN of 16 units is trained to say whether a sequence holds three or more G, on 5 to 20
bases, with a mask, and told right or wrong at the end. It is right on 99 % of new sequences of 20 bases and on
{share} % of those of {long}. Which of these explains it?""",
        right="Its flags sag a little at every step. Over 20 steps that costs nothing, so training left it at that.",
        wrong={
            f"The weights of steps 21 to {long} were never trained.": (
                "How many sets of weights has a SimpleRNN? The one that acts at step 21 acted at step 1, too. What "
                "differs at step 21 must lie in the state."
            ),
            f"16 units hold enough for 20 bases; for {long} it needs more of them.": (
                "What must be kept in mind doesn't grow with the length: no G yet, one, two, three or more. Three "
                "units are enough for that at any length. So what is it about these weights?"
            ),
            "A SimpleRNN can't hold a flag for so long, whatever its weights.": (
                "You set such weights with a pencil in the first assignment, and they were right on 10,000 bases. "
                "What a network can represent is one thing; which is the other?"
            ),
        },
        order=own(variant, "concepts: fading, order"),
    )
