# %% [markdown]
# # Five shapes of a sequence task
#
# So far your networks read a sequence and gave one answer at its end. Look around and that is only one shape among
# several. A camera's picture becomes a sentence. A chromosome becomes a mark for each base: gene, or not. A gene
# becomes a protein, and not a letter of it may be written before the message is understood. The recurrent layer in the
# middle is the same in all of them; what differs is **when it reads and when it writes**.
#
# Tonight you build one network for each of these shapes, six of them recurrent, and each of them small.
#
# | Part | Kind | You hand in | Points |
# | --- | --- | --- | ---: |
# | 1. `kinds` | all five | functions | 8 |
# | 2. `one_to_one` | one-to-one | `codon.keras`: a codon is a residue | 6 |
# | 3. `tagging` | many-to-many, aligned | `frames.keras`: which bases lie in an open reading frame | 20 |
# | 4. `translation` | many-to-many, both | `aligned.keras`, `encoder_decoder.keras`: a gene is a protein | 24 (+5) |
# | 5. `generation` | one-to-many | `generator.keras`: invent sequences of a family | 22 |
# | 6. `completion` | many-to-one | `completion.keras`: the sky is ... | 10 |
# | 7. `forecast` | many-to-many | `forecast.keras`: the next twelve values | 10 |
# | 8. `concepts` | all of them | answers: what it comes to, in numbers and in your own words | 10 |
#
# **The rules.** At most 40,000 parameters a model, of Dense, Embedding, SimpleRNN, GRU and LSTM layers and what goes
# between them; no attention, no convolution, no code of your own inside a model. GRU and LSTM are for the next
# lecture to open. Tonight they are boxes with a longer memory that fit wherever a SimpleRNN does; use them where you
# like. Sequences come in any length, and the grader never pads: equal lengths share a batch. Train on what
# `train.csv` holds or on what you draw yourself; you are graded on sequences that nobody has seen.
#
# **How to work.** Where a cell says `# YOUR CODE HERE`, put your code in place of the line below it. Each part ends
# with a line such as `check("tagging")`; what needs data that only your TA has, it calls deferred. The grader takes
# the functions out of the notebook and calls them alone: pass what a function needs as its arguments. Before each
# training, *write down your guess*. All trainings together take some five minutes on one core.

# %%
# Your id, in quotes: what you hand in under.
STUDENT = "perfect"  # SOLUTION

# %% tags=["parameters"]
SEED = 0  # for every random choice below; with another seed you train other, equally good models

# %%
from autograder.notebook_checks import start_checks

rubric, check = start_checks("sequence_types", STUDENT)
DATASETS = rubric.DATASETS

# %%
import logging
import os

os.environ.setdefault(
    "TF_CPP_MIN_LOG_LEVEL", "2"
)  # TensorFlow is talkative when it starts; errors still show

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from keras import layers
from sklearn.metrics import matthews_corrcoef

from autograder import load_module

logging.getLogger("tensorflow").setLevel(logging.ERROR)

BASES = "ACGT"
BLUE, ORANGE, RED, GREEN = "#2f6db5", "#e08a00", "#c0392b", "#2e8b57"
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 100})

# %% [markdown]
# ## 1. When it reads, and when it writes
#
# Unroll a recurrent network and you have a row of steps. At some of them it is handed an input, at some of them we
# listen to what it says. Those two choices make the five kinds of the lectures:
#
# | Kind | Reads | Writes | Example |
# | --- | --- | --- | --- |
# | one-to-one | one thing | one thing, at once | a codon, its residue |
# | one-to-many | one thing, at the first step | at every step, from the first on | a photo, a sentence about it |
# | many-to-one | at every step | at the last step alone | a review, praise or not |
# | many-to-many, aligned | at every step | at every step | a word, its part of speech |
# | many-to-many, delayed | first all of it | then all of it, from the step after the last input | English, French |
#
# A step costs one pass through the cell. So a kind is a small table with a column for each step and two rows: a 1 in
# the upper row where something is read, a 1 in the lower row where something is written. How many steps are there for
# each kind, and where are the ones?

# %%
KINDS = "one-to-one", "one-to-many", "many-to-one", "many-to-many aligned", "many-to-many delayed"


def tape(kind, reads, writes):
    """When a network of this kind, one of KINDS, that reads `reads` things and writes `writes`, does so.

    Returns (2, steps), 0 or 1: row 0 is 1 at the steps that read, row 1 at those that write. (aligned: writes = reads)
    """
    # BEGIN SOLUTION
    steps = {"many-to-many delayed": reads + writes}.get(kind, max(reads, writes))
    table = np.zeros((2, steps))
    table[0, :reads] = 1
    table[1, steps - writes :] = 1
    return table
    # END SOLUTION


# %% [markdown]
# The picture below is drawn from **your** table. Compare it with the table in words: blue arrows bring an input, green
# ones take an answer away, and the grey ones between the states are the memory, which is all that ever passes from
# one step to the next. Look at the gap in the last one: where the blue arrows have ended, everything that was read
# must fit into the one grey arrow that crosses over.


# %%
def draw_kind(axes, kind, reads, writes):
    """One kind unrolled, as tape(kind, reads, writes) tells it."""
    table = tape(kind, reads, writes)
    arrow = {"arrowstyle": "-|>", "lw": 2, "shrinkA": 9, "shrinkB": 9}
    for t in range(table.shape[1]):
        axes.plot(t, 1, "s", markersize=15, markerfacecolor="white", markeredgecolor="#444444")
        if t:
            axes.annotate("", (t, 1), (t - 1, 1), arrowprops=arrow | {"color": "#999999"})
        if table[0, t]:
            axes.annotate("", (t, 1), (t, 0), arrowprops=arrow | {"color": BLUE})
        if table[1, t]:
            axes.annotate("", (t, 2), (t, 1), arrowprops=arrow | {"color": GREEN})
    axes.set(xlim=(-0.6, table.shape[1] - 0.4), ylim=(-0.1, 2.1))
    axes.set_title(kind.replace(" ", "\n"), fontsize=9)
    axes.axis("off")


sizes = dict(zip(KINDS, ((1, 1), (1, 4), (5, 1), (4, 4), (4, 3)), strict=True))
figure, pictures = plt.subplots(
    1, 5, figsize=(11, 2.6), gridspec_kw={"width_ratios": [2, 4, 5, 4, 7]}, layout="constrained"
)
for axes, (kind, size) in zip(pictures, sizes.items(), strict=True):
    draw_kind(axes, kind, *size)

# %% [markdown]
# ### How each is said in Keras
#
# | Kind | In Keras | Where tonight |
# | --- | --- | --- |
# | one-to-one | `Dense` layers, no recurrence | `codon.keras`: part 2 |
# | many-to-many, aligned | `return_sequences=True`, `Dense` on every state | `frames.keras`, `aligned.keras`: 3, 4 |
# | many-to-many, delayed | two; the last state of one is `initial_state` of the other | `encoder_decoder.keras`: 4 |
# | one-to-many | as aligned, and each answer is fed back in as the next input | `generator.keras`: 5 |
# | many-to-one | `return_sequences=False`, `Dense` on the last state | `completion.keras`, `forecast.keras`: 6, 7 |
#
# That is all there is to it, and yet each kind has a trap of its own: answers that can't be known yet, padding that is
# counted, a shift by one that is forgotten, a number that looks good for a bad reason. You'll meet all of them.
#
# ### Five tasks of your own
#
# Which kind is each of these? Two questions settle it. *How many things are read, and how many written?* And if both
# are many: *may the first answer be given before the last input is seen?*

# %%
for number, task in enumerate(rubric.tasks(STUDENT)):
    print(f"{number + 1}. {task}")


# %%
def kinds_of_mine():
    """The kinds of your own five tasks, in their order: five whole numbers, each the place of a kind in KINDS."""
    # BEGIN SOLUTION
    return 0, 4, 1, 3, 4
    # END SOLUTION


# %%
check("kinds")

# %% [markdown]
# ## 2. One-to-one: a dictionary
#
# A cell reads genes three bases at a time. Three bases are a *codon*, and each of the 64 codons stands for one of 20
# amino acids (a *residue* of the protein that is being built) or for a stop. That dictionary, the genetic code, is
# the same in you and in a bacterium. In our data nobody states it; but genes stand beside their proteins, and the
# two tell it.

# %%
code = rubric.genetic_code()  # {"AAA": "K", ...}, read off datasets/translation/train.csv
RESIDUES = rubric.RESIDUES
print(f"{len(code)} codons for {len(RESIDUES)} classes, in this order: {RESIDUES}")
CODONS = np.stack(rubric.one_hot(list(code))).reshape(64, 12)  # three one-hot bases side by side
ANSWERS = np.array([RESIDUES.index(residue) for residue in code.values()])

# %% [markdown]
# Twelve numbers in, 21 probabilities out, always: fixed size to fixed size. No time, no state, and a plain `Dense`
# network will do. Nor is there a test set to hold back: there are just these 64, and a dictionary is learnt by heart.
#
# Write `codon_network(hidden)`: `(None, 12)` -> `(None, 21)` with softmax; where `hidden` is 0 it has no hidden layer
# at all, otherwise one of so many units.
#
# **Guess**: the code is irregular. Leucine (L) has six codons in two groups, and so have R and S; ATG alone is
# M. How many of 64 can a network *without* a hidden layer get right, one that adds up what each base says by itself?


# %%
def codon_network(hidden):
    """A network that isn't trained yet: a codon, one-hot (None, 12) -> a softmax over residues (None, 21)."""
    # BEGIN SOLUTION
    between = [layers.Dense(hidden, activation="relu")] if hidden else []
    return keras.Sequential([keras.Input((12,)), *between, layers.Dense(21, activation="softmax")])
    # END SOLUTION


def learn_by_heart(model, inputs, answers, updates=45):
    """Trains on all rows at once; returns the share right before each update, (updates,)."""
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model.fit(inputs, answers, batch_size=64, epochs=updates, verbose=0).history["accuracy"]


figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
learnt = {}
for hidden, colour in ((0, ORANGE), (32, BLUE)):
    keras.utils.set_random_seed(SEED)
    learnt[hidden] = codon_network(hidden)
    axes.plot(learn_by_heart(learnt[hidden], CODONS, ANSWERS), color=colour, label=f"{hidden} hidden units")
keras.utils.set_random_seed(SEED)
hides_the_third = codon_network(32)
two_bases = CODONS * np.repeat([1, 1, 0], 4)
axes.plot(learn_by_heart(hides_the_third, two_bases, ANSWERS), color="#999999", label="32, two bases only")
axes.set(xlabel="updates", ylabel="share of 64 right", ylim=(0, 1.03))
axes.legend(frameon=False, fontsize=8, loc="lower right")

# %% [markdown]
# Did you guess it? A sum is enough. However irregular it looks, the code is *linearly separable*: the first two bases
# nearly settle the residue, and the third, where it matters, mostly tells A and G from C and T. (Without the third,
# 49 of 64 is the most there is: the grey line.) A hidden layer learns it sooner and is more certain. Look at how
# certain: the colour is the probability of the right residue.


# %%
def draw_code(axes, probabilities, title):
    """The 64 codons: a row for each first base, a column for the other two; probabilities (64, 21)."""
    right = probabilities[np.arange(64), ANSWERS].reshape(4, 16)
    image = axes.imshow(right, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for place, residue in enumerate(code.values()):
        row, column = divmod(place, 16)
        wrong = probabilities[place].argmax() != ANSWERS[place]
        shade = RED if wrong else "white" if right[row, column] > 0.5 else "black"
        axes.text(column, row, residue, ha="center", va="center", color=shade, weight="bold")
    others = [codon[1:] for codon in list(code)[:16]]
    axes.set(xticks=range(16), xticklabels=others, yticks=range(4), yticklabels="ACGT", ylabel="first base")
    axes.set_title(title, fontsize=10)
    return image


figure, rows = plt.subplots(2, 1, figsize=(9, 4.4), layout="constrained")
for axes, hidden in zip(rows, learnt, strict=True):
    image = draw_code(axes, np.asarray(learnt[hidden].predict_on_batch(CODONS)), f"{hidden} hidden units")
rows[1].set_xlabel("second and third base (red letters would be wrong answers)")
figure.colorbar(image, ax=rows, label="probability of the right residue")
learnt[32].save("codon.keras")

# %%
check("one_to_one")

# %% [markdown]
# Done with genetics? Give this network a *gene*. It can't take one: a gene has as many codons as it has, and the
# network takes twelve numbers. You could cut the gene into codons yourself and ask 64 times about each, and that is
# a loop that *you* wrote. The rest of the lesson is about networks that hold the loop. Keep this one as a yardstick:
# what they reach at best is what it does.

# %% [markdown]
# ## 3. A label for every base: many-to-many, aligned
#
# A gene is written in codons, three bases each. Reading begins at `ATG`, the *start*, and goes on codon by codon until
# one of `TAA`, `TAG`, `TGA`, a *stop*, comes **in step**: a multiple of three bases behind the start. The stretch from
# start to stop is an *open reading frame*. Tag every base: 1 if it lies in a frame that has both ends, 0 if not.
#
# ```
# C C A T G A C T G A T C T A A G A T G C G
# 0 0 1 1 1 1 1 1 1 1 1 ...
# ```
#
# Does this frame close? Count codons, and write the labels down before you read further.
#
# It doesn't. Behind `ATG` come ACT, GAT, CTA, AGA, TGC, then a lone G and the end: there are a `TGA` and a `TAA`,
# and both are out of step. All labels are 0, and the line above is wrong from the third base on. If you went on with
# ones: so would any reader who has to answer before seeing the rest. And the `ATG` near the end? While a frame is
# open, no other start counts.
#
# One answer for each input, at the same step: in Keras that is `return_sequences=True`. The shapes are simple,
# `(batch, time, 4)` to `(batch, time, 1)`. What's hard is **when** the network has to answer.
#
# The sequences are pieces cut out of a densely written genome, wherever the cut fell; so most of them end inside a
# frame, which then counts for nothing. `train.csv` shows what they look like, and `make` draws as many more as you
# want.

# %%
reads = load_module(DATASETS / "reading_frames" / "generate.py")
shown = pd.read_csv(DATASETS / "reading_frames" / "train.csv", dtype=str)  # "0110" is a text, not a number
for sequence, label in zip(shown.sequence[:3], shown.label[:3], strict=True):
    print(sequence, label, sep="\n", end="\n\n")

# %% [markdown]
# ### When is a label settled?
#
# Read from the left with a finger. At the A of a start you can't know its label: the stop may come, or the end. The
# label of *every* base of a frame is settled by one and the same event, the last base of the stop. Where no stop
# comes, only the end of the sequence tells, and that is no base: we write the length of the sequence. A base outside
# all frames we take as settled at once. (Strictly, an A might begin an `ATG`, and you would need two bases more. Let
# that pass.)
#
# For `CATGCCCTAAG` the answer is `0 9 9 9 9 9 9 9 9 9 10`.


# %%
def known_at(sequence):
    """For each base of `sequence`, (time,) whole numbers: the index of the base after which its label is settled.

    In a frame that a stop closes: the index of the stop's last base. In one that no stop closes: len(sequence).
    Outside: the base's own index. While a frame is open no other ATG counts.
    """
    known = np.arange(len(sequence))
    # BEGIN SOLUTION
    here = sequence.find("ATG")
    while here >= 0:
        codons = range(here, len(sequence) - 2, 3)
        stop = next((i for i in codons if sequence[i : i + 3] in ("TAA", "TAG", "TGA")), None)
        if stop is None:
            known[here:] = len(sequence)
            break
        known[here : stop + 3] = stop + 2
        here = sequence.find("ATG", stop + 3)
    # END SOLUTION
    return known


# %%
print(known_at("CATGCCCTAAG"))
wait = np.concatenate([known_at(sequence) - np.arange(len(sequence)) for sequence in shown.sequence])
late = wait[wait > 0]
print(
    f"{len(late) / len(wait):.0%} of all bases are settled later than they are read, by {late.mean():.1f} on average."
)
check("tagging")

# %% [markdown]
# That is a proof, and no training can get around it. A network that reads from left to right gives its answer for base
# $t$ out of $h_t$, and $h_t$ holds nothing but bases $0 \dots t$. For all those bases the same $h_t$ belongs to two
# futures with different labels. More units don't help, nor does patience.
#
# `Bidirectional` runs a second network from the right and puts the two states side by side: $[\overrightarrow{h}_t,
# \overleftarrow{h}_t]$. One knows whether a frame is open, and which of its three steps we are at; the other knows
# at which of the three steps a stop lies ahead. Neither has the label. Together they do: *open, and a stop in step
# ahead*. That "and" is why a `Dense` layer with relu stands between the states and the sigmoid.
#
# ### Padding that doesn't count
#
# The sequences have 30 to 60 bases, and a batch is a box. We fill up with rows of zeros behind the end, and labels
# of 0. If nobody tells the loss, it counts these made-up steps too. They're easy (nothing there is always 0), so the
# loss looks better than the network is, and the gradient spends itself on nothing. Write the loss that counts real
# bases only:
#
# $$L = -\frac{1}{\sum_i T_i} \sum_i \sum_{t < T_i} \bigl( y_{it} \ln p_{it} + (1 - y_{it}) \ln (1 - p_{it}) \bigr).$$
#
# Mind what it is divided by: the number of real bases, neither of all cells nor of sequences.


# %%
def masked_loss(labels, probabilities, lengths):
    """Mean binary cross-entropy over real bases, one number: labels of 0 and 1 and probabilities (n, time), the
    numbers of real bases in each row (n,)."""
    # BEGIN SOLUTION
    real = np.arange(labels.shape[1]) < lengths[:, None]
    return -np.log(np.where(labels == 1, probabilities, 1 - probabilities)[real]).mean()
    # END SOLUTION


def padded(sequences, labels):
    """One-hot bases (n, longest, 4) and labels (n, longest, 1), float32, zeros behind the end of each sequence."""
    longest = max(map(len, sequences))
    x, y = (
        np.zeros((len(sequences), longest, 4), "float32"),
        np.zeros((len(sequences), longest, 1), "float32"),
    )
    for row, target, sequence, label in zip(x, y, sequences, labels, strict=True):
        row[: len(sequence)] = rubric.one_hot([sequence])[0]
        target[: len(sequence), 0] = list(map(int, label))
    return x, y


# %% [markdown]
# Keras can do this for you. `layers.Masking()` marks each step whose numbers are all 0. The mark, the *mask*, is
# carried along beside the numbers: a recurrent layer skips marked steps (the backward half then starts at the last
# real base, as it should), `Dense` passes the mask on, and at the end **the loss finds it** and leaves the marked
# steps out. So do the metrics. Nothing of this shows in `summary()`.
#
# And little shows when it is lost. A layer that rearranges the steps, such as `Reshape`, can't say which of its
# outputs belong to padding, so behind it there is no mask. **Guess**: of the three numbers below, which agree?

# %%
x, y = padded(shown.sequence[:50], shown.label[:50])
lengths = shown.sequence[:50].str.len().to_numpy()
for name, between in {"masked": [], "behind a Reshape": [layers.Reshape((-1, 8))]}.items():
    keras.utils.set_random_seed(SEED)
    body = [
        layers.Masking(),
        layers.GRU(8, return_sequences=True, bias_initializer="random_normal"),
        *between,
    ]
    model = keras.Sequential(
        [keras.Input((None, 4)), *body, layers.Dense(1, activation="sigmoid", bias_initializer="ones")]
    )
    model.compile(loss="binary_crossentropy")
    p = model.predict_on_batch(x)
    cells = keras.losses.binary_crossentropy(y, p).numpy().mean()
    print(f"{name:>16}: Keras {model.evaluate(x, y, batch_size=50, verbose=0):.5f}, ", end="")
    print(f"yours {masked_loss(y[..., 0], p[..., 0], lengths):.5f}, over all cells {cells:.5f}")
check("tagging")

# %% [markdown]
# Same answers, and another loss. Keras did warn you, once, in the middle of much else, when the `Reshape` met the
# mask; where `Masking` was never there, nobody warns. When a model tags padded data, compare the loss once with your
# own. (The grader avoids the question: it never pads.)
#
# ### Two readers
#
# Build a tagger around a recurrent layer: `Masking`, the layer, `Dense(32)` with relu, `Dense(1)` with sigmoid.
# `Dense` works on the last axis, so it is applied to each step by itself.


# %%
def tagger(recurrent):
    """(None, None, 4) -> (None, None, 1): Masking, the layer `recurrent`, Dense(32, relu), Dense(1, sigmoid)."""
    # BEGIN SOLUTION
    hidden, answer = layers.Dense(32, activation="relu"), layers.Dense(1, activation="sigmoid")
    return keras.Sequential([keras.Input((None, 4)), layers.Masking(), recurrent, hidden, answer])
    # END SOLUTION


def fit_tagger(model, count, epochs):
    """Train on `count` new sequences; Adam, with gradients clipped and a rate that falls along a cosine."""
    data = reads.make(20_260_000 + SEED, count)
    x, y = padded(data.sequence, data.label)
    rate = keras.optimizers.schedules.CosineDecay(0.01, epochs * -(-count // 64))
    adam = keras.optimizers.Adam(rate, clipnorm=1.0)
    model.compile(adam, "binary_crossentropy", jit_compile=True)
    losses = model.fit(x, y, batch_size=64, epochs=epochs, verbose=0).history["loss"]
    model.compile(jit_compile=False)  # XLA pays for one long training; it would compile each other shape anew
    return losses


# %% [markdown]
# **Write down** before you run it: a GRU of 48 units in one direction, the same in both. How many bases will each
# get right, and of how many *whole sequences* will each get every base right? (For bases we use Matthews
# correlation: 0 for guessing, 1 for all right, fair where 0 and 1 aren't equally frequent.) The test has sequences
# twice as long as the training data, too. To save your time the first reader gets two passes over the data and the
# other eight; if you suspect that patience is what it lacks, give it eight.

# %%
keras.utils.set_random_seed(SEED + 1)
one_way = tagger(layers.GRU(48, return_sequences=True))
print("one direction, loss:", *(f"{loss:.3f}" for loss in fit_tagger(one_way, 20_000, 2)))
keras.utils.set_random_seed(SEED + 2)
both_ways = tagger(layers.Bidirectional(layers.GRU(48, return_sequences=True)))
print("both directions, loss:", *(f"{loss:.3f}" for loss in fit_tagger(both_ways, 20_000, 8)))
both_ways.save("frames.keras")

# %%
for lengths in ((30, 60), (90, 120)):
    data = reads.make(30_260_000 + SEED, 500, *lengths)
    x, y = padded(data.sequence, data.label)
    real = x.any(axis=-1)
    for name, model in {"one direction": one_way, "both directions": both_ways}.items():
        said = model.predict(x, batch_size=500, verbose=0) > 0.5
        right = (said == y)[..., 0]
        mcc, whole = (
            matthews_corrcoef(y[real].ravel(), said[real].ravel()),
            (right | ~real).all(axis=1).mean(),
        )
        print(f"{lengths[0]}..{lengths[1]} bases, {name:>15}: MCC {mcc:.3f}, whole {whole:.2f}")

# %% [markdown]
# Now look over their shoulders. Two sequences that differ in **one base**: in the upper one a stop comes, `TAA`; in
# the lower one its middle base is a C, and no stop comes any more. Up to that base they are the same. **Draw** with
# a pencil what the one-way reader must say along both, before you run the cell.

# %%
closed = "CATGCGTTAACCATACATGGCTGATCACTAACGTCC"
stop = closed.index("TAACG")
still_open = closed[: stop + 1] + "C" + closed[stop + 2 :]
figure, both = plt.subplots(2, 1, figsize=(9.5, 4.4), sharey=True, layout="constrained")
for axes, sequence in zip(both, (closed, still_open), strict=True):
    x, label = np.stack(rubric.one_hot([sequence])), np.array(list(map(int, reads.look_ahead(sequence))))
    places = np.arange(len(sequence))
    axes.fill_between(places, label, step="mid", color=GREEN, alpha=0.2, label="the label")
    axes.plot(places, one_way.predict_on_batch(x)[0, :, 0], "o-", ms=3, color=BLUE, label="one direction")
    axes.plot(
        places, both_ways.predict_on_batch(x)[0, :, 0], "o-", ms=3, color=ORANGE, label="both directions"
    )
    axes.axvline(stop + 1, color=RED, ls=":")
    axes.set_xticks(places, list(sequence), fontfamily="monospace")
    axes.set(ylim=(-0.05, 1.1), ylabel="probability of 1")
both[0].annotate("here the two sequences part", (stop + 0.8, 0.5), color=RED, fontsize=8, ha="right")
both[0].legend(frameon=False, fontsize=8, loc="upper left")
both[0].set_title("A stop comes")
both[1].set_title("One base is another, and no stop comes")

# %%
check("tagging")

# %% [markdown]
# Left of the dotted line the blue curve is the same in both pictures, dot for dot. It bets: so many frames are
# closed, so many are cut. The orange curve knows at the A of the start what happens thirteen bases later. Each time
# a tagger looks too good at a first step, ask what it has read by then; each time it can't get better, ask what it
# *would have to* read.
#
# Speech that is written down as you talk, a device that warns *before* the fault: such tasks can't use the second
# reader, because the future isn't there yet. A sequence in a file is all there.

# %% [markdown]
# ## 4. Translation: from a sequence to a sequence
#
# Gene in, protein out, both of any length. There are two ways to wire that, and they differ in one thing: *when the
# answer is given*.
#
# | | aligned | delayed |
# | --- | --- | --- |
# | answers | while it reads | after it has read all |
# | must remember | the last three bases | the whole gene |
# | wiring | one recurrent layer | two: an *encoder* reads, a *decoder* writes |
# | fits | where answer and question go in step | anywhere: "I have seen it" is *ich habe es gesehen* |

# %%
data = pd.read_csv(DATASETS / "translation" / "train.csv")
# make_genes(seed, count, (least, most residues before the stop)): a table like it, as large as you like
make_genes = load_module(DATASETS / "translation" / "generate.py").make
print(f"{len(data):,} genes of {data.protein.str.len().min()} to {data.protein.str.len().max()} codons")
data.head(3)

# %% [markdown]
# ### a) Aligned: answer as you read
#
# One base a step, 21 probabilities a step. After the first base of a codon nobody can know the residue, and after the
# second rarely; so the answer counts at the **third** base alone: steps 2, 5, 8, ... from 0. At the other steps the
# network may say what it likes. How do you tell Keras? By a *weight* for each step: the loss at a step is multiplied
# by its weight, and 0 silences it.


# %%
def aligned_targets(classes):
    """What a protein asks of each base: classes of n codons, int (n,) -> labels int (3 n,), weights (3 n,).

    The weight is 1 at the third base of a codon and 0 elsewhere; a label of weight 0 may be any class.
    """
    # BEGIN SOLUTION
    return np.repeat(classes, 3), np.tile([0.0, 0.0, 1.0], len(classes))
    # END SOLUTION


def filled(rows, longest):
    """Arrays of any lengths, up to `longest`, as one array: zeros behind the end of each."""
    box = np.zeros((len(rows), longest, *rows[0].shape[1:]), rows[0].dtype)
    for place, row in enumerate(rows):
        box[place, : len(row)] = row
    return box


def classes_of(protein):
    return np.array([RESIDUES.index(residue) for residue in protein])


def aligned_data(data):
    """Genes (n, time, 4), labels (n, time), weights (n, time), filled up with zeros behind."""
    longest = data.gene.str.len().max()
    labels, weights = zip(*(aligned_targets(classes_of(protein)) for protein in data.protein), strict=True)
    return [filled(rows, longest) for rows in (rubric.one_hot(data.gene), labels, weights)]


# %% [markdown]
# Filled up, again: `Masking` skips rows of zeros, as you know it. And the padding's weight is 0 too.
#
# Build it: `(None, None, 4)` -> `(None, None, 21)`, one recurrent layer that answers at every step
# (`return_sequences=True`), at most 40,000 parameters. `SimpleRNN` would do; so would a `GRU`, a recurrent layer with
# gates that the next lecture opens.
#
# **Guess**, with a pencil: (1) What must its state remember at the least? (2) Must it count to three? (3) It
# learns from genes of 5 to 13 codons. How many of 100 genes of 51 codons will it translate without a single error?


# %%
def aligned_network():
    """A network that isn't trained yet: bases (None, None, 4) -> a softmax over residues a step (None, None, 21)."""
    # BEGIN SOLUTION
    recurrent = layers.GRU(32, return_sequences=True)
    return keras.Sequential(
        [keras.Input((None, 4)), layers.Masking(), recurrent, layers.Dense(21, activation="softmax")]
    )
    # END SOLUTION


keras.utils.set_random_seed(SEED + 1)
aligned = aligned_network()
aligned.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
genes, labels, weights = aligned_data(data)
aligned.fit(genes, labels, sample_weight=weights, batch_size=64, epochs=8, verbose=2)
aligned.save("aligned.keras")

# %%
long_genes = make_genes(SEED + 2, 200, (50, 50))
at_third = np.asarray(aligned.predict_on_batch(np.stack(rubric.one_hot(long_genes.gene))))[:, 2::3]
hits = at_third.argmax(axis=-1) == np.stack([classes_of(protein) for protein in long_genes.protein])
print(f"51 codons: {hits.mean():.2%} of residues, {hits.all(axis=1).mean():.2%} of whole proteins right.")

# %% [markdown]
# Four times as long as anything it has read, and nothing gets worse: what it must remember doesn't grow with the
# gene. Two bases, and not even where it stands in the codon, for it is never asked elsewhere.
#
# Score *whole* proteins when you compare: at 99 % of residues, only $0.99^{51}$, 60 of 100 proteins, are right.
#
# ### b) Delayed: read all, then write
#
# Now forbid it to answer before the gene is over. The **encoder** reads the gene and says nothing; all that is left of
# the gene is its last state, a few dozen numbers. The **decoder** starts from that state (`initial_state=`) and writes
# the protein, one residue a step. At each step it reads the residue that was written *before*, since it must know
# where it stands; at the first step that is a *start* token.
#
# Tokens are whole numbers: 0 for padding, 1 to 21 for the residues (a token is the class plus 1), 22 for the start.
#
# In training we don't let it stumble over its own mistakes: it reads what it *should* have written. This is *teacher
# forcing*, and it is nothing but a shift by one:
#
# ```
# decoder reads       start  M  K  V
# and should say          M  K  V  *
# ```
#
# **What happens without the shift?** Think it through before you go on: what would the decoder learn, how good would
# the training look, and how good would the proteins be?

# %%
START = rubric.START


def decoder_tokens(tokens, start):
    """What the decoder reads and what it must say: tokens int (n, time) -> inputs (n, time), targets (n, time).

    tokens: proteins with 0 behind their end. Inputs begin with `start`, and lag a step behind the targets.
    """
    # BEGIN SOLUTION
    first = np.full((len(tokens), 1), start)
    return np.hstack([first, tokens[:, :-1]]), tokens
    # END SOLUTION


inputs, targets = decoder_tokens(np.array([[11, 9, 18, 21], [6, 21, 0, 0]]), START)
print("reads", *inputs, "\nsays ", *targets, sep="\n")

# %% [markdown]
# ### Build it
#
# Two inputs, so `Sequential` won't do: name each layer's output and hand it on. Call the inputs' shapes `(None, 4)`,
# float, and `(None,)` with `dtype="int32"`.
#
# 1. encoder: `Reshape((-1, 12))`, `Masking`, `GRU(units, go_backwards=True)`: its last state, `(None, units)`.
# 2. decoder: `Embedding` of 23 tokens, then `GRU(units, return_sequences=True)`, called with `initial_state=`.
# 3. `Dense(21, activation="softmax")`, and `keras.Model([gene, so_far], said)`.
#
# Two of these words shorten the way that a gradient has to go. *Backwards*: what was read last is fresh in memory, and
# now that is the first codon, which is the first to be written; from there the longer ways can be learnt. Sutskever,
# Vinyals and Le found it for English and French (2014, *Advances in Neural Information Processing Systems* 27).
# *Reshape*: nobody forces the encoder to read base by base. Three rows of 4 side by side are a row of 12, a codon a
# step, and only a third of the steps is left. (Leave it out, and the same lesson takes over twice as long.)


# %%
def encoder_decoder_network(units):
    """A network that isn't trained yet: [gene (None, None, 4), so far (None, None)] -> softmax (None, None, 21)."""
    gene, so_far = keras.Input((None, 4)), keras.Input((None,), dtype="int32")
    # BEGIN SOLUTION
    codons = layers.Masking()(layers.Reshape((-1, 12))(gene))
    state = layers.GRU(units, go_backwards=True)(codons)
    read = layers.Embedding(23, 16)(so_far)
    said = layers.GRU(units, return_sequences=True)(read, initial_state=state)
    return keras.Model([gene, so_far], layers.Dense(21, activation="softmax")(said))
    # END SOLUTION


def decoder_data(data):
    """[genes (n, time, 4), inputs (n, steps)], targets as classes (n, steps), weights (n, steps): 0 behind the end."""
    longest = data.protein.str.len().max()
    tokens = filled([classes_of(protein) + 1 for protein in data.protein], longest)
    inputs, targets = decoder_tokens(tokens, START)
    genes = filled(rubric.one_hot(data.gene), 3 * longest)
    return [genes, inputs], np.maximum(targets - 1, 0), (targets > 0).astype("float32")


# %% [markdown]
# It is a harder task than it looks, so the genes must be short, and we draw as many as we like. You decide how short,
# for how long it learns, and how fast. A start: 1 to 6 residues, 2,000 batches of 128, a rate of 0.005 for Adam. That
# is enough for full marks, which ask for proteins of 2 to 6 residues. (The bonus points ask for 8.) The rate falls
# along a cosine and gradients are clipped. `jit_compile=True` lets XLA compile the update, a quarter quicker.
# About a minute.
#
# **Guess**: how many of 100 whole proteins are right at 3 residues? At the longest it has learnt from? At one more
# than that? And at three more?


# %%
def lesson():
    """How the encoder-decoder learns: the most residues before the stop, how many batches, the learning rate."""
    # BEGIN SOLUTION
    return 8, 4_000, 0.005
    # END SOLUTION


longest, updates, rate = lesson()
keras.utils.set_random_seed(SEED + 3)
encoder_decoder = encoder_decoder_network(64)
falling = keras.optimizers.schedules.CosineDecay(rate, updates, alpha=0.02)
encoder_decoder.compile(
    keras.optimizers.Adam(falling, global_clipnorm=1.0), "sparse_categorical_crossentropy", jit_compile=True
)
inputs, targets, weights = decoder_data(make_genes(SEED + 4, 128 * updates // 4, (1, longest)))
encoder_decoder.fit(inputs, targets, sample_weight=weights, batch_size=128, epochs=4, verbose=2)
encoder_decoder.save("encoder_decoder.keras")

# %% [markdown]
# ### Let it write
#
# No teacher now. It says a distribution for the first residue; take the likeliest (*greedy* decoding), put its token
# behind what is written, and ask again. All genes of a batch at once, of one length, so that nothing is padded. (Ask
# by `model([genes, so_far])`: `predict` would have XLA compile each new length of what is written.)


# %%
def translate(model, genes, steps):
    """Tokens written for genes (n, time, 4), one after another, `steps` of them: (n, steps)."""
    so_far = np.full((len(genes), 1), START)
    for _ in range(steps):
        # BEGIN SOLUTION
        said = np.asarray(model([genes, so_far]))[:, -1]
        so_far = np.hstack([so_far, said.argmax(axis=1)[:, None] + 1])
        # END SOLUTION
    return so_far[:, 1:]


# %% [markdown]
# Watch one being written. Each column is a step; under it stands what the decoder just read, and the darkest row is
# what it says; red circles mark the protein. Left, a gene as long as the longest that it has learnt from; right, one
# three codons longer. Where does it lose the thread?

# %%
figure, pair = plt.subplots(1, 2, figsize=(9.5, 4.4), sharey=True, layout="constrained", width_ratios=(3, 4))
for axes, residues in zip(pair, (longest, longest + 3), strict=True):
    row = make_genes(SEED + 5, 1, (residues, residues)).iloc[0]
    gene = np.stack(rubric.one_hot([row.gene]))
    written = translate(encoder_decoder, gene, residues + 1)
    so_far = np.hstack([[[START]], written[:, :-1]])
    said = np.asarray(encoder_decoder([gene, so_far]))[0]
    axes.imshow(said.T, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.scatter(
        range(residues + 1), classes_of(row.protein), s=110, facecolors="none", edgecolors=RED, label="right"
    )
    read = ["start", *(RESIDUES[token - 1] for token in written[0, :-1])]
    axes.set(xticks=range(residues + 1), xticklabels=read, yticks=range(21), yticklabels=RESIDUES)
    axes.set(xlabel="what the decoder reads", title=f"{residues} residues: {row.protein}")
pair[0].set_ylabel("what it says")
pair[1].legend(frameon=False, fontsize=8, loc="upper right")

# %% [markdown]
# ### The bottleneck
#
# Now both networks on genes of every length. The line marks the longest gene the encoder-decoder has learnt from.


# %%
def right_by_length(write, lengths):
    """Shares of residues and of whole proteins that write(genes, steps) -> classes gets right, for each length."""
    shares = []
    for residues in lengths:
        some = make_genes(SEED + 6, 200, (residues, residues))
        came = write(np.stack(rubric.one_hot(some.gene)), residues + 1)
        hits = came == np.stack([classes_of(protein) for protein in some.protein])
        shares.append((hits.mean(), hits.all(axis=1).mean()))
    return np.array(shares).T


lengths = sorted({1, 2, 4, 6, longest, longest + 1, longest + 2, longest + 4})
writers = {
    "aligned": (
        BLUE,
        lambda genes, steps: np.asarray(aligned.predict_on_batch(genes))[:, 2::3].argmax(axis=-1),
    ),
    "encoder-decoder": (ORANGE, lambda genes, steps: translate(encoder_decoder, genes, steps) - 1),
}
figure, axes = plt.subplots(figsize=(7.5, 3.4), layout="constrained")
for name, (colour, write) in writers.items():
    residues, whole = right_by_length(write, lengths)
    axes.plot(lengths, whole, "o-", color=colour, label=f"{name}: whole proteins")
    axes.plot(lengths, residues, "o:", color=colour, alpha=0.6, label=f"{name}: residues")
axes.axvline(longest, color="#999999", lw=0.8, ls="--")
axes.set(xlabel="residues before the stop", ylabel="share right", ylim=(-0.03, 1.05), xticks=lengths)
axes.legend(frameon=False, fontsize=8, loc="lower left")

# %% [markdown]
# Same data, same task, and two fates. The aligned network asks little of its memory, and always the same. The
# encoder-decoder must press the whole gene through one state; each further codon brings $\log_2 20$, 4.3 bits, into as
# many numbers as before, and a length it has never seen it has no practice in packing. So a sentence that is long
# enough is always too long. The way out, found a year after the backward reading: keep *all* states of the encoder and
# let the decoder look up the ones it needs at each step (Bahdanau, Cho and Bengio, 2015, *International Conference on
# Learning Representations*). That is attention.
#
# Why not always aligned, then? Because here, and only here, the third base of a codon settles its residue. Where the
# verb comes last, an answer in step comes too early.
#
# *For the bonus points:* 8 residues. Train on longer genes, and ask yourself what it costs.

# %%
check("translation")

# %% [markdown]
# ## 5. One-to-many: a network that writes
#
# Give it one token, the name of a family, and let it write a sequence of that family. There is no other input: what
# it has written is what it reads next. Three families of DNA wait in `train.csv`, 1,200 sequences each.
#
# | Class | What a sequence is made of | What must be remembered |
# | --- | --- | --- |
# | terminator | a stem of 4 bases, a loop, the stem's reverse complement, 3 to 6 T | **last in, first out** |
# | promoter | `TTGACA`, a spacer of 6 to 8 bases, `TATAAT` | how far it is |
# | insertion | a site of 4 bases, `TG`, 3 bases, `CA`, the same site again | **first in, first out** |
#
# (Such a stem folds back onto its partner and makes RNA fall off the DNA; a jumping gene leaves its target site
# doubled, once at each end.) The first half is free, the second must *fit*. To write a valid sequence a network has
# to know what it wrote ten steps ago, and nobody else tells it.
#
# **Tokens.** 0 is padding; 1, 2, 3 are the classes; 4 to 7 are A, C, G, T; 8 is the end. The network says at every
# step what comes next: `(batch, time)` tokens go in, `(batch, time, 9)` probabilities come out.

# %%
FAMILIES = "terminator", "promoter", "insertion"
dna = pd.read_csv(DATASETS / "dna_generator" / "train.csv")
rows = [
    rubric.generator_tokens(sequence, kind) for kind, sequence in zip(dna["class"], dna.sequence, strict=True)
]
token_rows = np.zeros((len(rows), max(map(len, rows))), "int32")
for place, row in enumerate(rows):
    token_rows[place, : len(row)] = row
print(dna.groupby("class").sequence.agg(["count", "first"]))
print("The first row, as tokens:", token_rows[0])

# %% [markdown]
# ### Teacher forcing
#
# How do you train a writer without letting it write? Hand it the true beginning and ask for the next token, at all
# places at once: the targets are the inputs, **one step later**. The first input is the class and the last target
# the end. You know it from part 4: even after a wrong guess the network goes on from what is true. Forget
# the shift and it learns to repeat what it was given just now, perfectly, with a loss near 0, and can write
# nothing. A layer that reads in both directions would do the same thing for another reason: it peeks.
#
# Behind the end there is padding, and padding is nobody's task: `ignore_class=0` leaves these places out of the
# loss.


# %%
def inputs_and_targets(rows):
    """Tokens (n, time), padded behind -> what goes in and what should come out, both (n, time - 1)."""
    # BEGIN SOLUTION
    return rows[:, :-1], rows[:, 1:]
    # END SOLUTION


def generator(units):
    """Tokens (batch, time) -> Embedding(9, 16), a GRU, one softmax over the 9 tokens at every step."""
    # BEGIN SOLUTION
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(9, 16),
            layers.GRU(units, return_sequences=True),
            layers.Dense(9, activation="softmax"),
        ]
    )
    # END SOLUTION


# %% [markdown]
# ### How good can it get?
#
# No network can know the free bases: each costs $\log_2 4 = 2$ bits, whoever guesses. **Bits** are the fair way to
# score a writer. Let it read a sequence it has never seen and add up $-\log_2$ of the probability it gave to each
# token that really came,
#
# $$-\log_2 p(\text{sequence}) = \sum_t -\log_2 p(x_t \mid x_1, \dots, x_{t-1}).$$
#
# It is the chain rule, and the length of the shortest note that would tell somebody who has the same network which
# sequence it was. The process that made our data is known, so the least possible mean is known as well, its
# **entropy**. A terminator has 4 free bases (8 bits), one of 12 loops ($\log_2 12 = 3.58$) and one of 4 lengths (2
# bits): 13.58 bits. **With a pencil:** an insertion? A promoter, whose spacer has 6, 7 or 8 bases?


# %%
def bits(probabilities, tokens):
    """The bits of one sequence: tokens (time + 1,) with its class in front, probabilities (time, k), whose row t is
    what was said after tokens[: t + 1]; a number. The class itself is given and costs nothing."""
    # BEGIN SOLUTION
    return -np.log2(probabilities[np.arange(len(probabilities)), tokens[1:]]).sum()
    # END SOLUTION


# %% [markdown]
# Train it. Keras counts in natural logarithms and per token; times the tokens of a sequence, divided by $\ln 2$,
# that is bits per sequence. **Guess:** how far above the entropy will new sequences end? And the training data: can
# a model get *below* the entropy on those, and what has it learnt if so?

# %%
held = np.random.default_rng(SEED).random(len(rows)) < 0.1  # not trained on: to see what is learnt by heart
inputs, targets = inputs_and_targets(token_rows)
epochs, batch = 40, 64
rate = keras.optimizers.schedules.CosineDecay(0.008, epochs * -(-(~held).sum() // batch))
keras.utils.set_random_seed(SEED + 50)
model = generator(80)
model.compile(
    keras.optimizers.Adam(rate, clipnorm=1.0),
    keras.losses.SparseCategoricalCrossentropy(ignore_class=0),
    jit_compile=True,
)
history = model.fit(
    inputs[~held],
    targets[~held],
    batch_size=batch,
    epochs=epochs,
    validation_data=(inputs[held], targets[held]),
    validation_batch_size=batch,
    verbose=0,
).history
model.save("generator.keras")

# %%
entropy = np.mean([rubric.PROCESS.entropy_bits(kind) for kind in FAMILIES])
figure, axes = plt.subplots(figsize=(7, 3.4), layout="constrained")
for name, chosen, colour, label in (
    ("loss", ~held, BLUE, "trained on"),
    ("val_loss", held, ORANGE, "held out"),
):
    per_sequence = (targets[chosen] > 0).sum(axis=1).mean() / np.log(2)
    axes.plot(np.arange(1, epochs + 1), np.array(history[name]) * per_sequence, color=colour, label=label)
axes.axhline(entropy, color="#888888", lw=0.9, ls="--", label=f"entropy of the process, {entropy:.2f}")
axes.set(xlabel="epoch", ylabel="bits per sequence", ylim=(entropy - 1.5, entropy + 8))
axes.legend(frameon=False)

# %% [markdown]
# Below the dashed line nothing is to be understood any more: whoever gets there knows sequences by heart. Watch the
# gap between the two lines. A model that has read sixty sequences three hundred times has most of those by heart,
# and pays a fortune for every new one.
#
# Here is your own count for three held-out sequences. How many bits did each *token* cost? Before you look, say
# where the bars will be 2 high, and where the network should have known. (A bar far above 2 is a surprise: a spacer
# that goes on where its end was likelier, say.)

# %%
figure, three = plt.subplots(3, 1, figsize=(9, 4.6), sharey=True, layout="constrained")
for axes, kind in zip(three, FAMILIES, strict=True):
    row = next(rows[place] for place in np.flatnonzero(held) if dna["class"][place] == kind)
    said = np.asarray(model(row[None, :-1]))[0]
    cost = [bits(said[t : t + 1], row[t : t + 2]) for t in range(len(said))]
    axes.bar(np.arange(len(cost)), cost, color=BLUE)
    axes.axhline(2, color="#888888", lw=0.8, ls="--")
    axes.set_xticks(np.arange(len(cost)), [*rubric.generated_sequence(row), "end"])
    axes.set(ylabel="bits", title=f"{kind}: {bits(said, row):.1f} bits")

# %% [markdown]
# ### Let it write
#
# To write is to draw: the network says how likely each token is, a die falls, and what came up is read next. Always
# to take the likeliest token (*argmax*) would write the same sequence for ever. In between lies the **temperature**
# $T$: divide the logarithms by it and take the softmax again, which for probabilities is
#
# $$p_i^{1/T} \Big/ \sum_j p_j^{1/T}.$$
#
# Cold, the likely gets likelier; at 1 nothing changes; hot, all become alike. And the die: a number $u$ between 0
# and 1. Lay the probabilities end to end, from token 0 on, and see into whose stretch it falls: the first token
# whose *running sum is greater than* $u$. (`np.cumsum`.)


# %%
def draw(probabilities, temperature, uniform):
    """A token for each row of probabilities (n, k), by its number `uniform` (n,) from 0 to 1: int (n,)."""
    # BEGIN SOLUTION
    powers = probabilities ** (1 / temperature)
    sums = np.cumsum(powers / powers.sum(axis=1, keepdims=True), axis=1)
    return (sums > uniform[:, None]).argmax(axis=1)
    # END SOLUTION


def write(model, kinds, temperature, rng, longest=21):
    """Lets the model write: kinds (n,) are class tokens, n sequences as text come back.

    The row is as long as it will get from the start. The zeros behind don't matter: nobody reads backwards.
    """
    rows = np.zeros((len(kinds), longest + 1), "int32")
    rows[:, 0] = kinds
    for time in range(longest):
        # BEGIN SOLUTION
        said = np.asarray(model.predict_on_batch(rows), "float64")[:, time]
        rows[:, time + 1] = draw(said, temperature, rng.random(len(rows)))
        # END SOLUTION
    return [rubric.generated_sequence(row) for row in rows]


# %% [markdown]
# `rubric.PROCESS.is_valid(sequence, kind)` says whether a sequence belongs to its class. **Guess** before you run
# it: at which temperature is the largest share valid? Is that the best writer?

# %%
kinds = 1 + np.arange(300) % 3
temperatures = [0.02, 0.1, 0.3, 0.6, 1.0, 1.5, 2.0]
shares = []
for temperature in temperatures:
    texts = write(model, kinds, temperature, np.random.default_rng(SEED))
    fits = [
        rubric.PROCESS.is_valid(text, FAMILIES[kind - 1]) for text, kind in zip(texts, kinds, strict=True)
    ]
    loops = [text[4] for text, kind, fit in zip(texts, kinds, fits, strict=True) if fit and kind == 1]
    shares.append((np.mean(fits), len(set(texts)) / len(texts), np.mean([base == "G" for base in loops])))
    if temperature in (0.3, 1.0, 2.0):
        shown = zip(texts[:6], fits[:6], strict=True)
        print(f"T = {temperature}:", ", ".join(text + ("" if fit else " (not valid)") for text, fit in shown))

figure, axes = plt.subplots(figsize=(7, 3.4), layout="constrained")
for curve, colour, name in zip(
    zip(*shares, strict=True),
    (GREEN, RED, BLUE),
    ("valid", "different ones", "loops that begin with G (dots: in truth)"),
    strict=True,
):
    axes.semilogx(temperatures, curve, "o-", color=colour, label=name)
axes.axhline(2 / 3, color=BLUE, lw=0.9, ls=":")
axes.axvline(1, color="#888888", lw=0.8, ls="--")
axes.set_xticks(temperatures, temperatures)
axes.set(xlabel="temperature (dashes: as it was trained)", ylabel="share", ylim=(0, 1.05))
axes.legend(frameon=False, fontsize=8, loc="lower center")

# %% [markdown]
# Hot, it stammers. Ice-cold, it is always right and says the same few things over and over. In between lies a trap:
# a somewhat cold writer is nearly always right, hardly repeats itself, and looks better than the one that was
# trained. The blue line tells what it costs: two loops of three should begin with G, and what is common drives out
# what is rare. **Temperature can't make a model better; it hides mistakes and variety alike.** So nobody should
# score validity alone, and the grader turns no knob. It draws 450 sequences itself, at temperature 1, and asks how
# many are valid, and how many of these are new: not in `train.csv`, and not said before. The process itself is the
# measure: now and then it, too, writes a sequence that is in `train.csv`. And what temperature would distort, the
# bits on new sequences find out.
#
# One trap is left. Two softmaxes in a row (a `Dense` with one and a `Softmax` layer behind) look harmless. What
# can come out of the second? Its inputs lie between 0 and 1, so no token gets more than $e / (e + 8) = 0.25$. Such
# a model can't be sure of anything, and no patience will train it.

# %%
check("generation")

# %% [markdown]
# ## 6. The next word: many-to-one
#
# The lecture writes `hello` with a network: it reads h, e, l, l, and after each letter it says the next. After h
# comes e, after e comes l. And after l? Once l, once o. A table from letter to next letter can't do it, not even for
# a single word of five letters: something must be remembered. How much? With two letters, `el` and `ll`, it is
# clear.
#
# For any word: what is the least number $k$ such that the $k$ letters before (or all, where there are fewer) always
# decide the next one? You need not say the first letter, before which nothing stands. `hello` needs 2, `world` needs 1
# (no letter of it comes twice), `aaaa` needs 0: the answer is a, whatever was before. `aaaab` needs 4: only who counts
# all four knows that b is next. A network is not told $k$. It has to find out what to keep.


# %%
def context_needed(word):
    """The least k for which the k letters before a letter of `word` (all, where there are fewer) always decide it."""
    # BEGIN SOLUTION
    for k in range(len(word)):
        told = {(word[max(0, i - k) : i], word[i]) for i in range(1, len(word))}
        if len(told) == len({before for before, _ in told}):
            return k
    return len(word)
    # END SOLUTION


# %%
for word in ("world", "hello", "banana", "mississippi", "aaaab"):
    print(f"{word:>12}: {context_needed(word)}")
check("completion")

# %% [markdown]
# ### Sentences
#
# *The sky is* ... blue: the three words before are enough. Now finish these:
#
# * *I was born in Italy but I live in France. It rained all week. Every day I speak* ...
# * *I was born in Italy but I live in France. It rained all week. As a child I spoke* ...
#
# The last three words tell you that it's a language. Which one was said more than ten words ago; and both countries
# were. Count words, and you know the two candidates and nothing else: the sentence about someone from France who
# lives in Italy has exactly the same words. What counts is which **role** a word played, and which role is asked for
# in the end.
#
# The sentences here come from a small grammar, without capitals and stops. In the ones to train on, up to two idle
# sentences stand between; in those of the grader three, and two countries (or animals) that never stood
# together in training. Now and then nobody can know: at noon the sky is blue, but 3 in 10 times grey.

# %%
grammar = load_module(DATASETS / "completion" / "generate.py")
shown = pd.read_csv(DATASETS / "completion" / "train.csv")
for sentence, word, _ in shown[:6].to_numpy():
    print(sentence, "->", word)
words = rubric.vocabulary()
print(f"\n{len(words)} words; 0 is padding, 1 an unknown word:", rubric.word_tokens("the sky is mauve"))

# %% [markdown]
# Before any network, the plain thing: after the last three words, say what followed them most often. What will it
# reach? And what's the **best** that anyone can reach, who knows the grammar by heart? (Four in five sentences are
# certain; of the others look at `SKIES` in `datasets/completion/generate.py`, and work it out.)

# %%
longer = grammar.make(40_261_000 + SEED, 1000, longer=True)
ends = shown.sentence.str.split().str[-3:].str.join(" ")
usual = shown.word.groupby(ends).agg(lambda followed: followed.value_counts().index[0])
guess = longer.sentence.str.split().str[-3:].str.join(" ").map(usual)
print(
    f"After the last three words: {(guess == longer.word).mean():.3f}. Best possible: {grammar.best_accuracy():.3f}."
)


# %% [markdown]
# Many words in, one out: here the recurrent layer returns its last state alone. `Embedding(len(words), 16,
# mask_zero=True)` turns each token into 16 numbers and marks padding; a recurrent layer; `Dense` with softmax, a
# probability for each word.
#
# One direction or both? In one direction the network must carry *two* countries with their roles through all the idle
# talk, because the question comes last. Read from the end, the question comes first, and one can look for its answer.
# Try both, if you like; the cell takes about half a minute.


# %%
def completer(words):
    """A model of tokens (None, None) -> (None, words): Embedding with a mask, a recurrent layer, Dense with softmax."""
    # BEGIN SOLUTION
    embedding, answer = layers.Embedding(words, 16, mask_zero=True), layers.Dense(words, activation="softmax")
    reader = layers.Bidirectional(layers.GRU(24))
    return keras.Sequential([keras.Input((None,), dtype="int32"), embedding, reader, answer])
    # END SOLUTION


def word_rows(sentences):
    """Tokens (n, longest), zeros behind the end."""
    return keras.utils.pad_sequences([rubric.word_tokens(sentence) for sentence in sentences], padding="post")


# %%
keras.utils.set_random_seed(SEED + 3)
data, epochs = grammar.make(20_261_000 + SEED, 10_000), 8
model = completer(len(words))
rate = keras.optimizers.schedules.CosineDecay(0.01, epochs * -(-len(data) // 64))
model.compile(keras.optimizers.Adam(rate, clipnorm=1.0), "sparse_categorical_crossentropy", jit_compile=True)
answers = data.word.map(words.index).to_numpy()
learnt = model.fit(word_rows(data.sentence), answers, batch_size=64, epochs=epochs, verbose=0)
model.compile(jit_compile=False)
print("loss:", *(f"{loss:.2f}" for loss in learnt.history["loss"]))
said = model.predict(word_rows(longer.sentence), batch_size=500, verbose=0).argmax(axis=-1)
right = longer.word.map(words.index) == said
by_kind = right.groupby(longer.kind).mean()
print(f"longer sentences: {right.mean():.3f};", *(f"{kind} {share:.2f}" for kind, share in by_kind.items()))
model.save("completion.keras")

# %% [markdown]
# The loss falls in steps. On the first landing the network knows which words are asked for, on the next which two are
# candidates; there it is exactly as good as a count of words, and stays for a while. Only then does it find the roles.
#
# Look at what each word changes. We stop a sentence after each of its words and ask at once, *every day I speak*, and
# then *as a child I spoke*. **Guess** at which words the curves will cross. (Where the country asked for hasn't been
# named yet nothing is known, and whatever the curves do there is a habit, not knowledge.)

# %%
told = "i was born in italy but i live in the hills of france he paints in the evening"
begun = told.split()
figure, both = plt.subplots(2, 1, figsize=(9.5, 4.4), sharex=True, sharey=True, layout="constrained")
for axes, question in zip(both, ("every day i speak", "as a child i spoke"), strict=True):
    asked = [" ".join([*begun[: place + 1], question]) for place in range(len(begun))]
    rows = model.predict_on_batch(word_rows(asked))
    for word, colour in (("italian", GREEN), ("french", BLUE), ("japanese", "#888888")):
        axes.plot(rows[:, words.index(word)], "o-", ms=3, color=colour, label=word)
    axes.set(ylim=(-0.05, 1.05), ylabel="probability", title=f"... {question} ___")
both[1].set_xticks(range(len(begun)), begun, rotation=45, ha="right")
both[0].legend(frameon=False, fontsize=8, loc="upper left")

# %%
check("completion")

# %% [markdown]
# ## 7. Many-to-many: a history, and what comes next
#
# A light trap, moths counted every month, in hundreds. Moths have one generation a year here, and a hard rule: in a
# crowded year the caterpillars starve each other, so that **a large year is followed by a small one**; after a
# middling one comes a large one. The rule is simple. What comes out of it never repeats.
#
# You get the history, of any length, and forecast the next twelve months: many in, many out, but all of the answer
# at once and at the end. So the network is one you know, `Dense(12)` behind the last state.


# %%
def numbers(text):
    """The numbers of a line of numbers and blanks, float32 (n,)."""
    return np.array(text.split(), "float32")


moths = pd.read_csv(DATASETS / "forecast" / "train.csv")
histories, futures = list(map(numbers, moths.history)), np.stack(list(map(numbers, moths.future)))
print(f"{len(moths)} histories, of {sorted(set(map(len, histories)))} months; futures: {futures.shape}")

# %% [markdown]
# ### The forecasters to beat
#
# Before any network, two forecasts that cost nothing. **Last value**: it stays as it is. **Seasonal**: this year
# will be like the last; month after month take the value one period back, and beyond one period begin again. A
# model that isn't clearly better than both has learnt nothing worth having, however nice its curve looks.


# %%
def baselines(history, period, horizon):
    """Two forecasts of `horizon` values from a history (n,): the last value, and the value one period before (of the
    newest period, repeated where the horizon is longer); each (horizon,)."""
    # BEGIN SOLUTION
    last = np.full(horizon, history[-1])
    seasonal = history[-period:][np.arange(horizon) % period]
    return last, seasonal
    # END SOLUTION


# %%
naive = np.array([baselines(history, 12, 12) for history in histories])
errors = abs(naive - futures[:, None]).mean(axis=(0, 2))
print(f"Mean absolute error: last value {errors[0]:.3f}, seasonal {errors[1]:.3f}.")

# %% [markdown]
# ### Cut more exercises out of the same data
#
# 1,080 histories are few. But a series of 60 months holds many smaller ones: any 36 months in a row are a history,
# and the 12 behind them its future. Cut at every fourth month. (What you test on must not overlap with what you
# train on: keep whole *series* apart, not windows.)


# %%
def windows(series, length, horizon, stride):
    """All histories (n, length) in a series (m,) that begin at 0, stride, 2 stride, ... and have a future
    (n, horizon) behind them: histories, futures."""
    # BEGIN SOLUTION
    both = np.lib.stride_tricks.sliding_window_view(series, length + horizon)[::stride]
    return both[:, :length], both[:, length:]
    # END SOLUTION


# %%
held = np.arange(len(histories)) % 10 == 0
whole = [np.concatenate(pair) for pair in zip(histories, futures, strict=True)]
x, y = map(
    np.concatenate, zip(*(windows(whole[place], 36, 12, 4) for place in np.flatnonzero(~held)), strict=True)
)
print(f"Trained on {x.shape} -> {y.shape}")


def forecaster(units):
    """Histories (batch, time, 1) -> a SimpleRNN, Dense(64) with relu, twelve numbers of any size (batch, 12)."""
    # BEGIN SOLUTION
    return keras.Sequential(
        [
            keras.Input((None, 1)),
            layers.SimpleRNN(units),
            layers.Dense(64, activation="relu"),
            layers.Dense(12),
        ]
    )
    # END SOLUTION


# %% [markdown]
# **Guess** the error of the network, between the better baseline's and 0. There is a floor: a catch isn't the moths
# that fly but those that happened to come by, and that noise nobody can forecast.

# %%
epochs, batch = 10, 64
keras.utils.set_random_seed(SEED + 70)
model = forecaster(64)
rate = keras.optimizers.schedules.CosineDecay(0.003, epochs * -(-len(x) // batch))
model.compile(keras.optimizers.Adam(rate, clipnorm=1.0), "mae", jit_compile=True)
model.fit(x[..., None], y, batch_size=batch, epochs=epochs, verbose=0)
model.save("forecast.keras")

newest = np.stack([histories[place][-36:, None] for place in np.flatnonzero(held)])
forecasts = np.asarray(model.predict_on_batch(newest))
error = abs(forecasts - futures[held]).mean()
better = abs(naive[held] - futures[held, None]).mean(axis=(0, 2)).min()
print(f"Held out: {error:.3f}, {error / better:.2f} of the better baseline's {better:.3f}.")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.6), width_ratios=[2, 1], layout="constrained")
example = np.flatnonzero(held)[-1]
past, ahead = len(histories[example]), np.arange(12)
left.plot(histories[example], color="#999999", label="history")
for line, colour, style, name in (
    (futures[example], "black", "-", "what came"),
    (naive[example, 0], ORANGE, "--", "last value"),
    (naive[example, 1], RED, "--", "last season"),
    (forecasts[-1], BLUE, "-", "network"),
):
    left.plot(past + ahead, line, style, color=colour, label=name)
left.set(xlabel="month", ylabel="hundreds of moths", ylim=(0, 6.5), title="Twelve months ahead")
left.legend(frameon=False, fontsize=8, loc="upper left", ncols=3)
truth = whole[example][-30:]
right.plot(truth[1:], color="black", label="what came")
right.plot(truth[:-1], "--", color=ORANGE, label="last value, one month ahead")
right.set(xlabel="month", title="One month ahead: a trick of the eye", ylim=(None, truth.max() * 1.35))
right.legend(frameon=False, fontsize=8, loc="upper left")

# %% [markdown]
# Look at the right-hand picture for a while: many a published forecast looks like it. Drawn one step ahead, the
# last value hugs the truth, because it *is* the truth, moved by one step; the eye forgives a shift to the right and
# doesn't see that every turn is missed. Twelve months ahead it is a flat line. So compare numbers, with a baseline
# beside them, as far ahead as you need to know. The grader does the same: your error, divided by that of the better
# baseline. And it measures whether your forecasts lie nearer to the last value than to the truth.

# %%
check("forecast")

# %% [markdown]
# ## 8. Say it in your own words
#
# Everything is trained. Five questions remain, about reading, writing and judging, and no network will answer them
# for you. Some of them take a pencil; none is answered word by word above. A wrong answer that we have often seen
# tells you what to think of next, so answer, check, and answer again: it costs nothing.
#
# The numbers are your own. Leave arithmetic to Python and don't round: `SOMETHING = 3 * np.log2(5)` is a fine
# answer. For a choice write its letter in quotes: `SOMETHING = "A"`.

# %%
rubric.settled_late(STUDENT)

# %%
SETTLED_LATE = 21 + 1  # SOLUTION

# %%
rubric.fourth_family(STUDENT)

# %%
FOURTH_FAMILY = 2 * 3 + np.log2(8) + 2 * (4 + 11) / 2  # SOLUTION

# %%
rubric.two_writers(STUDENT)

# %%
TWO_WRITERS = "B"  # SOLUTION

# %%
rubric.one_month_ahead(STUDENT)

# %%
ONE_MONTH_AHEAD = "A"  # SOLUTION

# %% [markdown]
# **The bottleneck.** Your encoder-decoder translates short genes and stumbles over longer ones; the aligned network
# doesn't mind length at all. Both know the code. Where exactly is the difference? Which of the remedies of `tuning`
# could help the encoder-decoder, and why is none of them a cure? (Four or five sentences, for a person to read.)

# %% [markdown] tags=["answer:explains_the_bottleneck"]
# BEGIN SOLUTION
# The aligned network has to remember two bases, whatever the length of the gene, since it answers at once. The
# encoder's last state must hold the whole gene, $\log_2 20$ or about 4.3 bits for each codon, in a fixed number of
# units, before the first residue may be written. An identity start, clipping or a skip connection in time carry
# early codons further and let a gradient reach them, so they make longer genes learnable and push the limit out. So
# do more units and longer genes to learn from. But the room in the state stays what it is, and for any state there
# is a gene that is too long. A cure must not press everything through the last state: it lets the decoder look back
# at all states of the encoder and take the one it needs.
# END SOLUTION

# %%
check("concepts")

# %% [markdown]
# **Done?** Save this notebook. In a terminal, in the course's folder,
#
# ```
# python -m autograder pack sequence_types assignments/sequence_types
# ```
#
# makes the one file that you hand in, of this notebook and of what it saved, and checks it once more as it will arrive.
