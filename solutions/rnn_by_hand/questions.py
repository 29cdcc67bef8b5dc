"""The concept questions of `rnn_by_hand`, with numbers of each variant's own; students have them sealed."""

import numpy as np

from autograder import Choice, Number, own


def unshared(variant: str) -> Number:
    """What it would cost to share no weights, for one variant's sizes."""
    rng = own(variant, "concepts: unshared")
    steps, inputs, units = int(rng.integers(40, 90)), int(rng.integers(3, 9)), int(rng.integers(10, 30))
    one_set = units * (inputs + units + 1)
    return Number(
        f"""Somebody who has never heard of shared weights builds a network for sequences of exactly {steps}
steps: {inputs} inputs a step, {units} hidden units, and **at each step a $W_{{hx}}$, a $W_{{hh}}$ and a $b_h$
of its own**. Beside it stands a recurrent network of the same sizes. How many weights and biases *more* has the
first one, from the inputs up to the last hidden state? (The readout is the same in both.)""",
        right=(steps - 1) * one_set,
        mistakes={
            steps * one_set: (
                "That is all that the unshared network has. The recurrent one doesn't come for nothing: how many such "
                "sets does it hold?"
            ),
            one_set: (
                "That is one set, all that the recurrent network has. How many sets has the other one, and how many "
                "of them are too many?"
            ),
            (steps - 1) * units * (inputs + units): (
                "The biases seem to be missing: here each step has a b_h of its own as well."
            ),
            (steps - 1) * units * (inputs + 1): (
                "It seems that W_hh is missing. The way from one state to the next is a matrix too, and here it is "
                "another one at each step."
            ),
            (steps - 1)
            * units: "That many biases there are too many. What else does each step have of its own?",
            steps - 1: "So many sets are too many. How many numbers are in one set?",
            0: (
                "The length of the sequence is not among the parameters of a recurrent network. The other one needs "
                "a new set for each step: which of the two can read one step more without growing?"
            ),
        },
    )


def long_looks(variant: str) -> Number:
    """How many terms of the gradient's double sum reach back far, for one variant's lengths."""
    rng = own(variant, "concepts: long looks")
    steps, far = int(rng.integers(25, 90)), int(rng.integers(4, 20))
    return Number(
        f"""A sequence has {steps} steps, and each step has a loss. Then $\\partial L/\\partial W_{{hh}}$ is the
double sum of part 6: a term for each loss $t$ and each step $k \\leq t$ at which $W_{{hh}}$ acted, and $k$
begins at 1. In how many of these terms does the error travel back through **{far} or more** Jacobians
$\\partial h_i/\\partial h_{{i-1}}$ on its way from $h_t$ to $h_k$?""",
        right=(steps - far) * (steps - far + 1) // 2,
        mistakes={
            steps * (steps + 1) // 2: (
                f"These are all the terms. In many of them k is close to t: how many Jacobians lie between, and are "
                f"there {far} of them?"
            ),
            (steps - far) * (steps - far - 1) // 2: (
                f"It seems that {far} Jacobians themselves are left out: {far} or more are asked for."
            ),
            (steps - far + 1) * (steps - far + 2) // 2: (
                "It seems that there is a Jacobian too many between h_t and h_k. Write them down for k = t - 1: one. "
                "And for k = t: none, the product is empty."
            ),
            steps - far: (
                f"There are that many losses that look back so far at all, or that many terms with exactly {far} "
                f"Jacobians. How many steps k does each of these losses reach?"
            ),
            (steps - far) ** 2: (
                "It seems that each loss is paired with as many steps as the last one. The first loss that looks back "
                "so far reaches one step only."
            ),
            steps: "That is a term for each loss. W_hh acted at every step before it as well.",
            steps**2: "A loss can't depend on states that come after it: pairs with k > t are no terms.",
        },
    )


def same_state(variant: str) -> Choice:
    """What a network knows of two pasts that left the same state."""
    rng = own(variant, "concepts: same state")
    short, long = (with_two_guanines(rng, int(rng.integers(*span))) for span in ((5, 8), (10, 14)))
    return Choice(
        f"""Your counter has read `{short}`; another time it has read `{long}`. Both times its three units now
hold 1, 1, 0. Both times it goes on with the same bases. What of the difference between the two beginnings can
show in its answers from here on?""",
        right="Nothing: with equal states and equal bases to come, all that follows is equal.",
        wrong={
            "Which of the two was longer, since it has taken more steps over that one.": (
                "No input says which step it is, and the same W acts at each. What a network is to know about the "
                "length it must keep in its state: does this one?"
            ),
            "Which bases it read, since reading them has changed its weights a little.": (
                "Weights change in training only. While a network reads, W is the same at each step and for each "
                "sequence. What does change from base to base?"
            ),
            "All of it, if an answer needs it: the way back to the first base is open.": (
                "You may be thinking of the gradient, which walks back in training to change the weights. While a "
                "network answers, things run forward only. Through which numbers must they pass?"
            ),
        },
        order=own(variant, "concepts: same state, order"),
    )


def with_two_guanines(rng: np.random.Generator, length: int) -> str:
    """A sequence with two G among other bases."""
    bases = rng.choice(list("ACT"), length)
    bases[rng.choice(length, 2, replace=False)] = "G"
    return "".join(bases)


def one_update(variant: str) -> Choice:
    """What an update does to a shared weight, for what one variant's copies of it add."""
    rng = own(variant, "concepts: one update")
    adds = [0, int(rng.integers(2, 6)), -int(rng.integers(6, 10)), int(rng.integers(11, 20))]
    moved = [f"{-value / 10:+g}" if value else "0" for value in (*adds, sum(adds), sum(adds) / 4)]
    return Choice(
        f"""A lecture says that in one pass backwards each weight is updated more than once. You know the
copies: over four bits those of $w_1$ add {adds[0]}, {adds[1]}, {adds[2]} and {adds[3]} to
$\\partial L/\\partial w_1$, first step first. Now comes **one** update of plain gradient descent with a rate
of 0.1. What happens to $w_1$?""",
        right=f"It moves once, by {moved[4]}.",
        wrong={
            f"It moves by {moved[0]} at step 1, by {moved[1]} at step 2, by {moved[2]} at step 3 and by {moved[3]} at "
            "step 4, and each step goes on with its own value.": (
                "Then the steps would have different weights, and nothing would be shared any more. The copies were "
                "pretended, to find the gradient. How many numbers w_1 does the network really have?"
            ),
            f"It moves once, by {moved[5]}.": (
                "That is the mean over the steps. A copy's share says how much the loss changes when that copy moves. "
                "All copies move together: do their effects average or add up?"
            ),
            f"It moves once, by {moved[3]}.": (
                "That is the share of the last copy alone, the one next to the loss. The copies before it act on the "
                "loss as well, through the states."
            ),
        },
        order=own(variant, "concepts: one update, order"),
    )
