"""The concept questions of `tuning`, with numbers of each variant's own; students have them sealed."""

import math

from autograder import Choice, Number, own


def clipped_steps(variant: str) -> Number:
    """How far two clipped updates lead, with one variant's rate, limit and lengths."""
    rng = own(variant, "concepts: clipped steps")
    rate, limit = int(rng.integers(2, 10)) / 100, int(rng.integers(2, 9)) / 2
    long, short = int(rng.integers(12, 90)) * 10, round(limit * int(rng.integers(2, 8)) / 10, 2)
    return Number(
        f"""Plain gradient descent with a rate of {rate}, where the gradients of all weights *together* are clipped to a
length of {limit}. Two updates: the first gradient has a length of {long}, the second one of {short}, and both point
the same way. How far, measured over all weights together, do the two updates move the network?""",
        right=rate * (limit + short),
        mistakes={
            rate * (long + short): "So far it would go unclipped. What is left of the first gradient's length?",
            rate * 2 * limit: (
                "It seems that the second gradient was made longer. Clipping sets a limit, not a length: what does "
                "it do to an arrow that is shorter than the limit?"
            ),
            rate * (limit + short * limit / long): (
                "It seems that the second gradient was shortened by the first one's factor. Each update is looked at "
                "for itself: is the second arrow too long?"
            ),
            rate * limit: "That is the first update. The second gradient is short, and it counts in full.",
            limit + short: "Those are the lengths of two gradients. What is a gradient multiplied by in an update?",
            2 * limit: (
                "Two gradients of the limit's length. One of them was shorter than that and stays so; and an update "
                "is not a gradient, but a rate times one."
            ),
            long + short: "Two gradients as they came. Clip each for itself; then think of the rate.",
        },
    )  # fmt: skip


def first_remedy(variant: str) -> Choice:
    """What relu and the identity pass on, with one variant's numbers of units."""
    rng = own(variant, "concepts: first remedy")
    alive, back, lost = int(rng.integers(6, 14)), int(rng.integers(3, 6)), int(rng.integers(7, 15))
    units, steps = alive + back + lost, int(rng.integers(5, 13)) * 10
    return Choice(
        f"""A relu network of {units} units, whose recurrent matrix is exactly the identity, reads {steps} letters. You
watch its units: {alive} are above 0 at every step; {back} fall to 0 halfway and are well above 0 again for the last ten
steps; {lost} fall to 0 and stay there. What are the singular values of $\\partial h_T/\\partial h_0$, the end by the
state before the first letter?""",
        right=f"{alive} are 1 and {units - alive} are 0.",
        wrong={
            f"{alive + back} are 1 and {lost} are 0.": (
                "Alive at the end is not the same as alive all the way. A unit that is above 0 again hears what is "
                "read from then on. But a nudge from before had to pass every step, and what is a product with a "
                "single 0 in it?"
            ),
            f"All {units} are 1.": (
                "That is so for the identity alone, in a linear network. Each step is U times the slopes, "
                "and relu has no slope where it is flat: for which units is none of the factors 0?"
            ),
            f"All are about $0.5^{{{steps}}}$: relu takes away a half at each step.": (
                "A matrix that mixes the units at each step would do something like it: half of them flat, others at "
                "each step. The identity mixes nothing. Each unit is on its own, and meets its own slopes only: 1 or 0."
            ),
        },
        order=own(variant, "concepts: first remedy, order"),
    )


def gates(variant: str) -> Choice:
    """What a gate does for a gradient before anything is learnt, at one variant's distance."""
    letters = int(own(variant, "concepts: gates").integers(6, 15)) * 10
    power = f"$10^{{-{round(letters * math.log10(2))}}}$"
    return Choice(
        f"""A GRU's new state is $z\\,h_{{t-1}} + (1 - z)\\,c_t$: the gate $z$, a sigmoid of its own small network, says
how much of the old state stays. As Keras starts it, $z$ is about one half. A poster claims: *GRU and LSTM have no
vanishing gradients.* You train a GRU to remember the first of {letters} letters, and after 300 updates its loss still
stands at $\\ln 4$. Who is right?""",
        right=(
            f"The poster is too kind: a gate *can* come to keep a state, but at the start {letters} steps leave about "
            f"{power} of it, and that is also all that arrives to teach the gate."
        ),
        wrong={
            "The poster: the old state is added and not squashed by tanh, so that its gradient arrives whole, as over "
            "a skip connection. The GRU only needs a larger rate.": (
                "Compare the factors in front of the old state: for the skip connection it is 1, here it is z. For "
                "which z are they the same road, and what is z before anything is learnt?"
            ),
            "Nobody can remember that long with gates: z is less than 1, and a factor below 1 at each step vanishes, "
            "however it is trained.": (
                f"How near to 1 must a factor be for one half to be left after {letters} steps? steps_until told you "
                "for your own distance, and a sigmoid reaches such numbers easily. So it isn't what a gate can be "
                "that stands in the way: it is where it starts."
            ),
            "The poster: a GRU has three times the weights of a SimpleRNN, so that it needs three times the updates "
            "before its loss begins to fall.": (
                "Count what arrives rather than what there is to be moved: a weight that hears nothing of the first "
                "letter doesn't learn of it in three times the updates either. What is left of a state after "
                f"{letters} halvings?"
            ),
        },
        order=own(variant, "concepts: gates, order"),
    )


def lucky_best(variant: str) -> Number:
    """How likely luck alone makes the best of one variant's number of trials look good."""
    rng = own(variant, "concepts: the lucky best")
    one_in, trials = int(rng.integers(4, 13)), int(rng.integers(6, 13))
    none = (1 - 1 / one_in) ** trials
    return Number(
        f"""A search of {trials} trials, each trained from one random start. What nobody knows: the settings that it
varies don't matter at all. From one start in {one_in}, whatever the settings, training goes well by luck and scores
0.95 or more. The best trial of the search is reported. How likely is it that the report says 0.95 or more? (A number
from 0 to 1.)""",
        right=1 - none,
        mistakes={
            trials / one_in: (
                "Chances of several trials don't add up: two may be lucky in one search, and with enough trials "
                "your sum would pass 1. Ask the other way round: how likely is it that none is lucky?"
            ),
            1 / one_in: (
                f"So likely it is for a single trial. Here are {trials}, and the report shows whichever came out best."
            ),
            none: "So likely it is that none of them is lucky. The report speaks of the best one.",
            (1 / one_in) ** trials: "So likely it is that all are lucky. One is enough to be the best.",
            100 * (1 - none): "In per cent that is right; a number from 0 to 1 is asked for.",
        },
        tolerance=1e-3,
    )  # fmt: skip
