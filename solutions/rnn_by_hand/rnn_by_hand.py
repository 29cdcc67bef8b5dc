# %% [markdown]
# # A recurrent network with a pencil
#
# Tonight nothing is trained until the very end. You set every weight of a network yourself, push numbers
# through it step by step, and send gradients back by hand. It is slow, and you do it once in your life. After
# it a recurrent network holds no secret: when a training fails later in this course, you'll know which of the
# few things inside it to look at.
#
# You need a pencil, paper, and NumPy. Six short parts, and a few questions at the end:
#
# | Part | You will | Points |
# | --- | --- | ---: |
# | 1. `counter` | turn a for-loop into a weight matrix, without training | 22 (+3) |
# | 2. `back_propagation` | send a gradient back along a string of bits | 21 |
# | 3. `kmer_network` | differentiate a real network, and find a mistake in a lecture | 31 |
# | 4. `hello` | follow letters through a network, and solve a riddle | 11 |
# | 5. `shapes` | know the size of every matrix before you print it | 5 |
# | 6. `jacobians` | see why gradients vanish or explode | 10 |
# | 9. `concepts` | say what it all means, in numbers and in your own words | 10 |
#
# Hand in this notebook and the three models that it saves: `counter.keras`, `hello.keras`, and, for the
# bonus, `counter_one_unit.keras`.
#
# **How to work.** Where a cell says `# YOUR CODE HERE`, put your code in place of the line below it. Each part
# ends with a line such as `check("counter")`. Run it as often as you like, with half of the part still empty:
# it tries your functions as they stand, with the very items and the very words that the grader uses, and says
# what to try next. Each function is tried on an example and then on inputs drawn at random, of other sizes and
# down to a single step; the grader draws others than the check, so write it for all of them. The grader takes the
# functions out of the notebook and calls them alone; pass what a function needs as its arguments, and don't lean
# on a variable that another cell leaves behind (plain constants such as `BASES` are fine).
#
# **Sign it.** Some numbers are yours alone: your bits, your weights, your sizes. They are drawn from the id
# that you hand in under, so write it into the next cell before anything else.

# %%
# Your id, in quotes: what you hand in under.
STUDENT = "perfect"  # SOLUTION

# %%
from autograder.notebook_checks import start_checks

rubric, check = start_checks("rnn_by_hand", STUDENT)

# %%
import os

os.environ.setdefault(
    "TF_CPP_MIN_LOG_LEVEL", "2"
)  # TensorFlow is talkative when it starts; errors still show

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers
from scipy.optimize import least_squares

BASES = "ACGT"
BLUE, ORANGE, RED, GREEN = "#2f6db5", "#e08a00", "#c0392b", "#2e8b57"
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 100})

# %% [markdown]
# ## 1. A loop becomes a matrix
#
# A sequence of DNA belongs to a family if it holds **three or more G**. A program for that walks along the
# sequence and keeps three flags: "I have seen one G", "... two", "... three". Write it first as a program,
# and write down the flags after every base.
#
# One thing decides between right and wrong: each flag looks at the flags **as they were before this base**. If
# flag 2 looks at a flag 1 that this same G has just raised, a single G runs through all of them.


# %%
def flag_course(sequence):
    """The three flags after each base of `sequence`: an array of 0 and 1, (time, 3)."""
    flags, course = [0, 0, 0], []
    # BEGIN SOLUTION
    for base in sequence:
        if base == "G":
            one, two, three = flags
            flags = [1, max(one, two), max(two, three)]
        course.append(flags)
    # END SOLUTION
    return np.array(course)


# %% [markdown]
# ### The body of the loop as one layer
#
# The body of your loop takes a base and the old flags, and gives the new flags. A layer of three units can do
# that: write the base as a one-hot row $x$ of 4 numbers, put the old state $q$ of 3 numbers behind it and a 1
# for the bias, and multiply:
#
# $$R = (x\;\; q\;\; 1)\,W, \qquad Q = a(R).$$
#
# $W$ has $4 + 3 + 1 = 8$ rows and 3 columns: the lecture's 8 x 3 matrix. Rows 0 to 3 say what each base does to
# each unit, rows 4 to 6 what each old flag does, row 7 is the bias. The same $W$ serves at every step, as the
# body of a loop does.


# %%
def layer(W, x, q, a=np.tanh):
    """One step: W (8, 3), a one-hot base x (4,), the old state q (3,) -> the new state a([x q 1] W), (3,)."""
    # BEGIN SOLUTION
    return a(np.concatenate([x, q, [1.0]]) @ W)
    # END SOLUTION


# %% [markdown]
# ### Set the weights
#
# As activation we take `hard_sigmoid`, which in Keras 3 is $a(r) = r/6 + 1/2$, cut off at 0 and at 1. Up to
# $r = -3$ it is exactly 0, from $r = 3$ on exactly 1: a flag that is really up or really down, not nearly.
#
# So for each flag you look for weights that make $r \geq 3$ whenever the new flag should be up, and $r \leq
# -3$ whenever it should be down. Take flag 2. It is up after this base if
#
# * it was up before, whatever the base; **or**
# * flag 1 was up before **and** the base is a G.
#
# Draw a table with a row for each case (flag 1, flag 2, is it a G?) and write into it whether $r$ must be high
# or low. Then choose a weight for the old flag 1, one for the old flag 2, one for G, and a bias, and go through
# your rows. Leave out cases that can't come up: flag 2 is never up when flag 1 is down. With flag 2 done, flag 3
# is a copy, and flag 1 is easier than both.


# %%
def counter_matrix():
    """W (8, 3) for the counter: rows A, C, G, T, old flag 1, old flag 2, old flag 3, bias; a column per flag."""
    W = np.zeros((8, 3))
    # BEGIN SOLUTION
    #             A  C  G  T  flags....  bias
    W[:, 0] = [0, 0, 6, 0, 6, 0, 0, -3]
    W[:, 1] = [0, 0, 6, 0, 6, 12, 0, -9]
    W[:, 2] = [0, 0, 6, 0, 0, 6, 12, -9]
    # END SOLUTION
    return W


# %% [markdown]
# Watch it before you save it. The picture shows each unit's value after every base; with right weights it is
# the table that `flag_course` gave, in colour.


# %%
def hard_sigmoid(r):
    """Keras 3's hard_sigmoid: r / 6 + 1 / 2, cut off at 0 and 1."""
    return np.clip(r / 6 + 0.5, 0, 1)


def draw_course(states, sequence, title):
    """The course of a state (time, units) over a sequence: a column a step, a row a unit, dark for 1."""
    figure, axes = plt.subplots(figsize=(0.55 * len(sequence) + 1.5, 0.5 * states.shape[1] + 0.9))
    axes.imshow(states.T, cmap="Blues", vmin=0, vmax=1.4, aspect="auto")
    for (t, unit), value in np.ndenumerate(states):
        ink = "white" if value > 0.7 else "black"
        axes.text(t, unit, f"{value:.2g}", ha="center", va="center", fontsize=9, color=ink)
    axes.set_xticks(range(len(sequence)), list(sequence))
    axes.set_yticks(range(states.shape[1]), [f"unit {unit + 1}" for unit in range(states.shape[1])])
    axes.set_title(title, fontsize=11)
    axes.tick_params(length=0)
    figure.tight_layout()


sequence = "AGGTCGAGC"
W, state, course = counter_matrix(), np.zeros(3), []
for base in sequence:
    state = layer(W, np.eye(4)[BASES.index(base)], state, hard_sigmoid)
    course.append(state)
draw_course(np.array(course), sequence, "Your counter: the state after each base")

# %% [markdown]
# ### The same as a Keras model
#
# Keras keeps the three blocks of $W$ apart: the *kernel* (rows 0 to 3), the *recurrent kernel* (rows 4 to 6)
# and the *bias* (row 7). A `Dense(1)` with a sigmoid reads the last flag and says yes above one half.


# %%
def set_by_hand(W, readout, readout_bias, activation):
    """A Keras model: SimpleRNN with W (4 + units + 1, units), then Dense(1) with readout (units,)."""
    units = W.shape[1]
    model = keras.Sequential(
        [
            keras.Input((None, 4)),
            layers.SimpleRNN(units, activation=activation),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    readout = np.reshape(readout, (units, 1))
    model.set_weights([W[:4], W[4:-1], W[-1], readout, np.array([readout_bias])])
    return model


counter = set_by_hand(counter_matrix(), readout=[0, 0, 10], readout_bias=-5, activation="hard_sigmoid")
counter.save("counter.keras")

# %% [markdown]
# No training, and it must be right on *every* sequence: the check tries all 87,380 of up to 8 bases, and some
# of 10,000. A network can represent this rule at any length. Whether a training would *find* such weights is
# another question, and the next assignment asks it.
#
# **Bonus.** `relu` doesn't cut off above, so a single unit can count: 1, 2, 3, ... Set one unit by hand and
# save it as `counter_one_unit.keras`. What do the readout and its bias have to be?

# %%
one_unit = np.zeros((6, 1))  # rows A, C, G, T, the old state, bias
# BEGIN SOLUTION
one_unit[[2, 4], 0] = 1  # a G adds one, and the old count stays
set_by_hand(one_unit, readout=[4], readout_bias=-10, activation="relu").save("counter_one_unit.keras")
# END SOLUTION

# %%
check("counter")

# %% [markdown]
# ## 2. A gradient along a string of bits
#
# Learning needs derivatives of the loss. In a network that uses one weight again and again this looks
# difficult, and isn't. Take the smallest network there is: one unit, two weights, bits for inputs.
#
# $$r_t = w_1 q_{t-1} + w_2 x_t, \qquad q_t = a(r_t), \qquad q_0 = 0, \qquad L = (y - q_T)^2.$$
#
# First the way forward. Here are the four activations of this part, by name.

# %%
ACTIVATIONS = {
    "identity": lambda r: r,
    "tanh": lambda r: np.tanh(r),
    "sigmoid": lambda r: 1 / (1 + np.exp(-r)),
    "relu": lambda r: np.maximum(r, 0),
}


def bit_states(bits, w_1, w_2, activation):
    """q_0, q_1, ..., q_T for a text of T bits such as "101": an array (T + 1,) that begins with q_0 = 0."""
    a, q = ACTIVATIONS[activation], [0.0]
    # BEGIN SOLUTION
    for bit in bits:
        q.append(a(w_1 * q[-1] + w_2 * int(bit)))
    # END SOLUTION
    return np.array(q)


# %% [markdown]
# ### Your own numbers, with a pencil
#
# The lecture works out the bits 101 with $w_1 = 4$, $w_2 = 1$, $y = 15$ and the identity as activation: the
# states are 0, 1, 4, 17, and $\partial L/\partial w_1 = 32$. Here are *your* bits, weights and target.


# %%
def draw_unrolled(bits, w_1, w_2, states=None):
    """The bit network unrolled: a circle a state with its value (a question mark where none is given)."""
    figure, axes = plt.subplots(figsize=(1.9 * len(bits) + 1.5, 2.6))
    circle = {"boxstyle": "circle,pad=0.35", "facecolor": "white", "edgecolor": "#444444"}
    arrow = {"arrowstyle": "-|>", "lw": 2, "shrinkA": 17, "shrinkB": 17}
    for t in range(len(bits) + 1):
        value = "0" if t == 0 else "?" if states is None else f"{states[t]:g}"
        axes.text(t, 1, value, ha="center", va="center", fontsize=12, bbox=circle)
        axes.text(t, 1.5, f"$q_{t}$", ha="center", color="#666666")
        if t:
            axes.annotate("", (t, 1), (t - 1, 1), arrowprops=arrow | {"color": RED})
            axes.annotate("", (t, 1), (t, 0), arrowprops=arrow | {"color": BLUE})
            axes.text(t - 0.5, 1.12, f"$w_1={w_1:g}$", ha="center", color=RED)
            axes.text(t + 0.06, 0.42, f"$w_2={w_2:g}$", color=BLUE)
            axes.text(t, 0, bits[t - 1], ha="center", va="center", fontsize=14, weight="bold")
    axes.set(xlim=(-0.4, len(bits) + 0.7), ylim=(-0.25, 1.8))
    axes.axis("off")
    figure.tight_layout()


bits, w_1, w_2, y = rubric.bitstring(STUDENT)
print(
    f"Yours: the bits {bits}, w_1 = {w_1}, w_2 = {w_2}, the target y = {y}; the activation is the identity."
)
draw_unrolled(bits, w_1, w_2)

# %% [markdown]
# Copy the picture and fill in the states. Then the gradient. The trick of the lecture: **pretend that every
# step has a weight of its own**, a copy of $w_1$, and ask for each copy how much the loss changes with it. The
# copies are one and the same number, so what $w_1$ does to the loss is the *sum* of what its copies do:
#
# $$\frac{\partial L}{\partial w_1} = \sum_{t=1}^{T} \frac{\partial L}{\partial w_1^{(t)}}
# \qquad\text{with}\qquad
# \frac{\partial L}{\partial w_1^{(t)}} =
# \underbrace{-2\,(y - q_T)}_{\text{the loss}} \cdot
# \underbrace{w_1^{\,T-t}}_{\text{the way from step } t \text{ to } T} \cdot
# \underbrace{q_{t-1}}_{\text{what the copy multiplies}}$$
#
# for the identity, whose slope is 1. For a copy of $w_2$ the last factor is the bit $x_t$. Put your six
# numbers into the next cell; each is worth a point.


# %%
def by_hand():
    """Your own numbers, from paper: (q_1, q_2, q_3, q_4, dL/dw_1, dL/dw_2)."""
    # BEGIN SOLUTION
    return 3, 9, 30, 93, -840, -310
    # END SOLUTION


# %% [markdown]
# Now let NumPy do what your pencil did: what each copy of $w_1$ adds, for any bits.


# %%
def contributions(bits, w_1, w_2, y):
    """What copies 1, ..., T of w_1 add to dL/dw_1, with the identity as activation: (T,), first step first."""
    q = bit_states(bits, w_1, w_2, "identity")
    # BEGIN SOLUTION
    way = w_1 ** np.arange(len(bits))[::-1]
    return -2 * (y - q[-1]) * way * q[:-1]
    # END SOLUTION


# %%
draw_unrolled(bits, w_1, w_2, bit_states(bits, w_1, w_2, "identity"))
figure, axes = plt.subplots(figsize=(6, 2.4))
mine = contributions(bits, w_1, w_2, y)
axes.bar([f"copy {t}" for t in range(1, len(bits) + 1)], mine, color=RED, width=0.5)
axes.axhline(0, color="#444444", lw=0.8)
axes.set(ylabel="adds to $dL/dw_1$", title=f"Your numbers: the copies add up to {mine.sum():g}")
figure.tight_layout()

# %% [markdown]
# The first copy adds nothing, since it multiplies $q_0 = 0$. After that two things work against each other:
# an early copy has a long way to the loss (many factors $w_1$) and a late copy multiplies a large state.
#
# ### Any activation
#
# With the identity one factor has been hiding: the slope $a'(r)$. On its way back the gradient passes every
# activation, *also the last one*, between $r_T$ and $q_T$. With $a' = 1$ you can't see whether it is there; the
# formula that the lecture prints leaves $a'(r_3)$ out, and gets 32 all the same.
#
# Slopes first. For tanh and the sigmoid they are short in terms of $a = a(r)$: $1 - a^2$ and $a(1 - a)$.


# %%
def slope(r, activation):
    """a'(r), elementwise, for r of any shape and the activations "identity", "tanh", "sigmoid" and "relu"."""
    # BEGIN SOLUTION
    value = ACTIVATIONS[activation](r)
    return {
        "identity": np.ones_like(r),
        "tanh": 1 - value**2,
        "sigmoid": value * (1 - value),
        "relu": (np.asarray(r) > 0).astype(float),
    }[activation]
    # END SOLUTION


# %% [markdown]
# Now the whole gradient. Walk back from the end and keep one number, $e_t = \partial L/\partial r_t$. At the
# end it is $-2(y - q_T)\,a'(r_T)$; one step earlier it is $e_{t-1} = e_t\, w_1\, a'(r_{t-1})$. Copy $t$ of
# $w_1$ adds $e_t\, q_{t-1}$, copy $t$ of $w_2$ adds $e_t\, x_t$.


# %%
def bit_gradient(bits, w_1, w_2, y, activation):
    """(dL/dw_1, dL/dw_2) of L = (y - q_T)^2, for any bits and any of the four activations."""
    q = bit_states(bits, w_1, w_2, activation)
    x = np.array([int(bit) for bit in bits])
    # BEGIN SOLUTION
    slopes = slope(w_1 * q[:-1] + w_2 * x, activation)
    e = np.zeros(len(bits))
    e[-1] = -2 * (y - q[-1]) * slopes[-1]
    for t in reversed(range(len(bits) - 1)):
        e[t] = e[t + 1] * w_1 * slopes[t]
    return e @ q[:-1], e @ x
    # END SOLUTION


# %% [markdown]
# How would you find out that such a function is right, without anybody's check? Wiggle the weight: move $w_1$ a
# little up and a little down and see how the loss moves. It costs two runs a weight, and it never lies. Keep
# this trick; in part 3 it convicts a textbook formula.


# %%
def wiggled(loss, value, step=1e-5):
    """The slope of loss(value) by two runs, for a number or, entry by entry, an array."""
    value, slopes = np.array(value, dtype=float), np.zeros(np.shape(value))
    for index in np.ndindex(value.shape):
        moved = np.zeros(value.shape)
        moved[index] = step
        slopes[index] = (loss(value + moved) - loss(value - moved)) / (2 * step)
    return slopes


for activation in ("identity", "tanh", "sigmoid"):
    exact = bit_gradient("101", 0.8, 1.1, 2.0, activation)[0]
    tried = wiggled(lambda w: (2.0 - bit_states("101", w, 1.1, activation)[-1]) ** 2, 0.8)  # noqa: B023
    print(f"{activation:>8}: your gradient {exact:+.6f}, wiggled {float(tried):+.6f}")

# %%
check("back_propagation")

# %% [markdown]
# ## 3. The k-mer network
#
# Now a network that one would use: it reads k-mers, words of k bases, and at each step predicts the next one.
# There are $|V| = 4^k$ of them. A row $x_t$ picks a k-mer, an *embedding* $L$ gives it $d$ numbers, a state
# of $D_h$ sigmoid units remembers, and a soft-max over all k-mers predicts:
#
# $$e_t = x_t L, \quad z_t = h_{t-1} H + e_t I + b_1, \quad h_t = \sigma(z_t), \quad
# q_t = h_t U + b_2, \quad \hat y_t = \mathrm{softmax}(q_t), \quad J_t = -\log \hat y_t[\text{label}].$$
#
# All vectors are rows. With $|V| = 16$, $d = 2$, $D_h = 3$ the shapes are: $L$ `(16, 2)`, $H$ `(3, 3)`, $I$
# `(2, 3)`, $b_1$ `(3,)`, $U$ `(3, 16)`, $b_2$ `(16,)`. (The lecture writes $L_x^{(t)}$ with a step: these are
# copies of one $L$, as in part 2.)
#
# From a sequence to numbers first. The k-mers overlap: GATTA holds GA, AT, TT, TA. Number them as a dictionary
# would sort them: AA is 0, AC is 1, ..., TT is 15.


# %%
def kmer_ids(sequence, k):
    """The number of each k-mer of `sequence` in turn: whole numbers from 0 to 4**k - 1, (time - k + 1,)."""
    # BEGIN SOLUTION
    codes = np.array([BASES.index(base) for base in sequence])
    weights = 4 ** np.arange(k)[::-1]
    return np.array([codes[i : i + k] @ weights for i in range(len(codes) - k + 1)])
    # END SOLUTION


# %% [markdown]
# Forward. Write the six formulas in six lines, in a loop over the steps. Multiplying a one-hot row with $L$
# just picks a row of it: `L[ids]` is all of $e$ at once.


# %%
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(q):
    """Over the last axis, with the largest score taken off first, so that no exponential overflows."""
    exponentials = np.exp(q - q.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def forward(ids, h_0, L, H, I, b_1, U, b_2):  # noqa: E741
    """(e, z, h, q, y_hat), a row a step: (T, d), (T, D_h), (T, D_h), (T, |V|), (T, |V|).

    ids (T,) k-mers; h_0 (D_h,) the state before the first step; the weights as above.
    """
    # BEGIN SOLUTION
    e, z, h = L[ids], [], [h_0]
    for step in e:
        z.append(h[-1] @ H + step @ I + b_1)
        h.append(sigmoid(z[-1]))
    h = np.array(h[1:])
    q = h @ U + b_2
    return e, np.array(z), h, q, softmax(q)
    # END SOLUTION


def cross_entropy(labels, y_hat):
    """J at each step, (T,): minus the log of the probability that y_hat (T, |V|) gives to the label."""
    # BEGIN SOLUTION
    return -np.log(y_hat[np.arange(len(labels)), labels])
    # END SOLUTION


# %% [markdown]
# ### Backward, one stop at a time
#
# We want the gradient of the *last* step's loss. It arrives at the output, goes down into the last state,
# and from there back through all states before it:
#
# 1. **Output.** $\delta_1 = \hat y_T - y_T$ (the soft-max and the log cancel to that), so $\partial J/\partial
#    b_2 = \delta_1$ and $\partial J/\partial U = h_T^\top \delta_1$. Only step $T$: $J_T$ meets $U$ nowhere else.
# 2. **Errors.** $\delta_T = (\delta_1 U^\top) \circ \sigma'(z_T)$, and one step back
#    $\delta_{t-1} = (\delta_t H^\top) \circ \sigma'(z_{t-1})$. For the sigmoid $\sigma'(z) = h(1-h)$.
# 3. **Weights.** Every weight that acts on $z_t$ collects from *all* steps, a sum over copies as in part 2.
#
# Each function below gets what it needs as arguments, so you can write them in any order.


# %%
def output_gradients(label, y_hat, h):
    """dJ/db_2 (|V|,) and dJ/dU (D_h, |V|) of the last step, from its label, its y_hat (|V|,) and h (D_h,)."""
    # BEGIN SOLUTION
    delta_1 = y_hat - np.eye(len(y_hat))[label]
    return delta_1, np.outer(h, delta_1)
    # END SOLUTION


def errors(delta_1, U, H, h):
    """dJ/dz_t at every step for the loss of the last one, (T, D_h); delta_1 (|V|,), h (T, D_h)."""
    # BEGIN SOLUTION
    delta = np.zeros_like(h)
    arriving = delta_1 @ U.T
    for t in reversed(range(len(h))):
        delta[t] = arriving * h[t] * (1 - h[t])
        arriving = delta[t] @ H.T
    return delta
    # END SOLUTION


# %% [markdown]
# ### Find the slip
#
# The lecture prints, for the last of three steps,
#
# $$\left(\frac{\partial J}{\partial H}\right)_{(3)} = h_3^\top \delta_3 \qquad\text{(as printed)}.$$
#
# Before you type it in, look at the formula of $z_t$ once more: *which* state does $H$ multiply? Decide, write
# `gradient_H` for all steps, and let the cell after it wiggle every entry of $H$. Mind the first step too: its
# old state is $h_0$, and a network may well start from something other than zeros.


# %%
def gradient_H(errors, h_0, h):
    """dJ/dH, summed over all steps, (D_h, D_h); errors (T, D_h), h_0 (D_h,), h (T, D_h)."""
    # BEGIN SOLUTION
    old = np.vstack([h_0, h[:-1]])
    return old.T @ errors
    # END SOLUTION


# %%
rng = np.random.default_rng(1)
sizes = {"L": (16, 2), "H": (3, 3), "I": (2, 3), "b_1": (3,), "U": (3, 16), "b_2": (16,)}
weights = {name: rng.normal(0, 0.8, size) for name, size in sizes.items()}
ids, h_0 = kmer_ids("GATTACA", 2), rng.uniform(0.1, 0.9, 3)
ids, labels = ids[:-1], ids[1:]


def last_loss(**changed):
    """J_T with some weights changed."""
    return cross_entropy(labels, forward(ids, h_0, **(weights | changed))[-1])[-1]


_, _, h, _, y_hat = forward(ids, h_0, **weights)
delta_1, _ = output_gradients(labels[-1], y_hat[-1], h[-1])
delta = errors(delta_1, weights["U"], weights["H"], h)
tried = wiggled(lambda H: last_loss(H=H), weights["H"])
for name, formula in {"yours": gradient_H(delta, h_0, h), "as printed": h.T @ delta}.items():
    print(f"dJ/dH {name:>10}: off by at most {abs(formula - tried).max():.1e}")

# %% [markdown]
# The printed formula is off by far more than rounding. It would still have *looked* right: the shape is the
# same, the loss may even go down for a while. With $h_0 = 0$ and a short sequence the error hides better still.
# This is how real bugs in training code look, and why one wiggles.
#
# The remaining weights. $I$ and $b_1$ act on every $z_t$. $L$ is the one to think about: step $t$ touches one
# row of it, the row of its k-mer. A k-mer that occurs twice collects twice, and a row whose k-mer doesn't
# occur gets nothing.


# %%
def input_gradients(errors, e):
    """dJ/dI (d, D_h) and dJ/db_1 (D_h,), summed over all steps; errors (T, D_h), e (T, d)."""
    # BEGIN SOLUTION
    return e.T @ errors, errors.sum(axis=0)
    # END SOLUTION


def gradient_L(errors, ids, I, vocabulary):  # noqa: E741
    """dJ/dL (vocabulary, d); errors (T, D_h), ids (T,) k-mers, I (d, D_h)."""
    # BEGIN SOLUTION
    gradient = np.zeros((vocabulary, len(I)))
    np.add.at(gradient, ids, errors @ I.T)
    return gradient
    # END SOLUTION


# %% [markdown]
# Put the parts together and take steps downhill: the loss of the last k-mer falls to almost nothing. That is
# training, and you have written all of it.

# %%
trained, course = {name: weight.copy() for name, weight in weights.items()}, []
for _ in range(60):
    e, _, h, _, y_hat = forward(ids, h_0, **trained)
    course.append(cross_entropy(labels, y_hat)[-1])
    b_2, U = output_gradients(labels[-1], y_hat[-1], h[-1])
    delta = errors(b_2, trained["U"], trained["H"], h)
    I, b_1 = input_gradients(delta, e)  # noqa: E741
    L, H = gradient_L(delta, ids, trained["I"], 16), gradient_H(delta, h_0, h)
    for name, gradient in {"L": L, "H": H, "I": I, "b_1": b_1, "U": U, "b_2": b_2}.items():
        trained[name] -= 0.5 * gradient
figure, axes = plt.subplots(figsize=(6, 2.4))
axes.plot(course, color=BLUE)
axes.set(xlabel="update", ylabel="$J_T$", title="Gradient descent with your gradients")
figure.tight_layout()

# %%
check("kmer_network")

# %% [markdown]
# ## 4. 'hello'
#
# A lecture follows the letters h and e through a network of three units and asks what comes next. Its
# recurrent weight and its bias are *scalars*, the same for all three units, and its vectors are columns:
#
# $$h_t = \tanh(W_{xh}\, x_t + w\, h_{t-1} + b), \qquad y_t = W_{hy}\, h_t, \qquad h_0 = 0.$$
#
# The letters are h, e, l, o in this order, and a one-hot column $x_t$ picks a column of $W_{xh}$.

# %%
LETTERS = "helo"
W_XH = np.array(
    [[0.287027, 0.84606, 0.572392, 0.486813],
     [0.902874, 0.871522, 0.691079, 0.18998],
     [0.537524, 0.09224, 0.558159, 0.491528]]
)  # fmt: skip
W_HY = np.array(
    [[0.37168, 0.974829459, 0.830034886],
     [0.39141, 0.282585823, 0.659835709],
     [0.64985, 0.09821557, 0.334287084],
     [0.91266, 0.32581642, 0.144630018]]
)  # fmt: skip
AFTER_E = np.array([0.936534, 0.949104, 0.762341])  # the lecture's state after 'h' and 'e'


def letter_states(ids, W_xh, w, b):
    """States after each letter, (T, 3), from h_0 = 0; ids (T,) count in "helo", W_xh (3, 4), w and b numbers."""
    h, course = np.zeros(len(W_xh)), []
    # BEGIN SOLUTION
    for letter in ids:
        h = np.tanh(W_xh[:, letter] + w * h + b)
        course.append(h)
    # END SOLUTION
    return np.array(course)


def letter_probabilities(state, W_hy):
    """The soft-max of W_hy @ state, (4,): positive, of sum 1, and finite even where a score is 1,000."""
    # BEGIN SOLUTION
    return softmax(W_hy @ state)
    # END SOLUTION


# %% [markdown]
# ### The riddle
#
# The lecture prints the state after h and e, `AFTER_E`, but neither $w$ nor $b$. Can you get them back? Undo the
# tanh: $\operatorname{artanh}(h_2) - W_{xh} x_e = w\, h_1 + b$, and $h_1$ depends on $b$ alone. Three
# equations, two unknowns. Solve them as you like: by a search over a grid that you refine, or by handing the
# three differences to `scipy.optimize.least_squares`.


# %%
def recover(W_xh, state):
    """(w, b) such that letter_states([0, 1], W_xh, w, b)[-1] is `state` (3,); both lie between 0 and 1."""

    # BEGIN SOLUTION
    def differences(pair):
        w, b = pair
        return np.arctanh(state) - W_xh[:, 1] - w * np.tanh(W_xh[:, 0] + b) - b

    w, b = least_squares(differences, [0.5, 0.5], xtol=1e-14, ftol=1e-14, gtol=1e-14).x
    return w, b
    # END SOLUTION


# %%
w, b = recover(W_XH, AFTER_E)
state = letter_states([0, 1], W_XH, w, b)[-1]
print(f"w = {w:.6f}, b = {b:.6f} lead to {state.round(6)}; the lecture has {AFTER_E}")
for letter, probability in zip(LETTERS, letter_probabilities(state, W_HY), strict=True):
    print(f"after 'he' comes {letter} with probability {probability:.5f}")

# %% [markdown]
# It says h, and is wrong, as an untrained network may be. So train one. After h comes e, after e comes l; but
# after the first l comes an l and after the second an o. A network without memory sees the same letter twice
# and must answer twice the same: at most three of four. Watch both.


# %%
def train(*hidden, updates=60):
    """A model on h, e, l, l -> e, l, l, o, and how many of the four it gets right after each update."""
    x, y = np.eye(4, dtype="float32")[[[0, 1, 2, 2]]], np.array([[1, 2, 2, 3]])
    model = keras.Sequential([keras.Input((None, 4)), *hidden, layers.Dense(4, activation="softmax")])
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    right = []
    for _ in range(updates):
        model.train_on_batch(x, y)
        right.append((np.asarray(model(x)).argmax(axis=-1) == y).sum())
    return model, right


keras.utils.set_random_seed(0)
memoryless, without = train(layers.Dense(8, activation="tanh"))
# BEGIN SOLUTION
model, right = train(layers.SimpleRNN(8, return_sequences=True))
# END SOLUTION
model.save("hello.keras")
figure, axes = plt.subplots(figsize=(6, 2.4))
axes.step(range(1, len(right) + 1), right, color=GREEN, label="SimpleRNN")
axes.step(range(1, len(without) + 1), without, color=ORANGE, label="no memory")
axes.set(xlabel="update", ylabel="letters right", ylim=(-0.2, 4.3), yticks=range(5))
axes.legend(frameon=False)
figure.tight_layout()

# %%
check("hello")

# %% [markdown]
# ## 5. Shapes
#
# Most errors in this course will be shapes. Lecture 003 multiplies from the left: $z_h = W_{hx} x + W_{hh}
# h + b_h$ and $z_y = W_{yh} h + b_y$ with *columns*, so $W_{hx}$ has a row for each hidden unit and a column for
# each input. (Keras multiplies from the right, rows times kernel: its kernels are the transposed ones.)

# %%
inputs, units, outputs = rubric.sizes(STUDENT)
print(f"Yours: {inputs} inputs, {units} hidden units, {outputs} outputs.")


# %%
def shapes():
    """The shapes of W_hx, W_hh, W_yh, b_h, b_y for your own sizes, as pairs such as (3, 4) or (3,),
    and then the number of all parameters together."""
    # BEGIN SOLUTION
    return (21, 11), (21, 21), (2, 21), (21,), (2,), 737
    # END SOLUTION


# %% [markdown]
# How long is the sequence? You weren't told, and you didn't need it.
#
# One more form of the same step, which you'll meet in papers: put the two matrices side by side and the two
# columns on top of each other, $\tanh(W_{hh} h + W_{hx} x + b) = \tanh\left(W \binom{h}{x} + b\right)$ with $W =
# (W_{hh}\; W_{hx})$.


# %%
def stacked(W_hh, W_hx, b, h, x):
    """tanh(W [h; x] + b) with a single W of shape (units, units + inputs): the new state (units,)."""
    # BEGIN SOLUTION
    return np.tanh(np.hstack([W_hh, W_hx]) @ np.concatenate([h, x]) + b)
    # END SOLUTION


# %%
check("shapes")

# %% [markdown]
# ## 6. Why gradients vanish, and why they explode
#
# Stay with columns and tanh: $h_t = \tanh(W_{hh} h_{t-1} + W_{hx} x_t + b_h)$. How does a small change of $h_k$
# show in $h_t$, many steps later? Each step has a *Jacobian*, a matrix whose row $i$, column $j$ says how unit
# $i$ now answers to unit $j$ a step ago:
#
# $$\frac{\partial h_i}{\partial h_{i-1}} = \mathrm{diag}(1 - h_i^2)\; W_{hh},
# \qquad
# \frac{\partial h_t}{\partial h_k} = \prod_{i=k+1}^{t} \frac{\partial h_i}{\partial h_{i-1}},$$
#
# the latest step leftmost. For $k = t$ the product is empty: the identity.


# %%
def jacobian(h, W_hh):
    """dh_t/dh_(t-1), (n, n), from the new state h = h_t (n,) and W_hh (n, n)."""
    # BEGIN SOLUTION
    return (1 - h**2)[:, None] * W_hh
    # END SOLUTION


def jacobian_product(states, W_hh, k, t):
    """dh_t/dh_k, (n, n), from the states h_0, ..., h_T, the rows of `states` (T + 1, n)."""
    # BEGIN SOLUTION
    product = np.eye(len(W_hh))
    for i in range(k + 1, t + 1):
        product = jacobian(states[i], W_hh) @ product
    return product
    # END SOLUTION


# %% [markdown]
# A picture of what this product does: the size of $\partial h_t/\partial h_k$ against the distance $t - k$, for
# three recurrent matrices that differ by a factor alone. The axis is logarithmic, so a straight line is a
# factor at each step. (The inputs are small here, or tanh would flatten the largest one too.)

# %%
rng = np.random.default_rng(3)
orthogonal, _ = np.linalg.qr(rng.normal(size=(16, 16)))
figure, axes = plt.subplots(figsize=(6.5, 3))
for scale, colour in ((0.7, BLUE), (1.0, GREEN), (1.3, RED)):
    W_hh, course = scale * orthogonal, [np.zeros(16)]
    for _ in range(40):
        course.append(np.tanh(W_hh @ course[-1] + rng.normal(0, 1e-6, 16)))
    size = [np.linalg.norm(jacobian_product(np.array(course), W_hh, 0, t), 2) for t in range(41)]
    axes.semilogy(size, color=colour, label=f"{scale} x an orthogonal matrix")
axes.set(xlabel="distance $t - k$", ylabel=r"$\|\partial h_t / \partial h_k\|$")
axes.legend(frameon=False)
figure.tight_layout()

# %% [markdown]
# Below one it vanishes, above one it explodes, and only a knife's edge lies between. The assignment on tuning
# lives on that edge.
#
# ### All losses, all steps
#
# If every step has a loss, $L = \sum_t L_t$, the gradient of the shared $W_{hh}$ is a sum over pairs: each loss
# $t$, and each step $k \leq t$ at which $W_{hh}$ acted,
#
# $$\frac{\partial L}{\partial W_{hh}} = \sum_{t} \sum_{k \leq t}
# \frac{\partial L_t}{\partial h_t}\, \frac{\partial h_t}{\partial h_k}\, \frac{\partial h_k}{\partial W_{hh}}.$$
#
# In the last factor $h_{k-1}$ counts as a constant: only the copy of step $k$ moves, so row $i$ of it is
# $(1 - h_{k,i}^2)\, h_{k-1}$. You may write the double sum as it stands, or walk back once and let the errors add
# up on the way.


# %%
def gradient_W_hh(dL_dh, states, W_hh):
    """dL/dW_hh (n, n); row t - 1 of dL_dh (T, n) is dL_t/dh_t, the rows of states (T + 1, n) are h_0, ..., h_T."""
    gradient = np.zeros_like(W_hh)
    # BEGIN SOLUTION
    arriving = np.zeros(len(W_hh))
    for t in range(len(dL_dh), 0, -1):
        error = (arriving + dL_dh[t - 1]) * (1 - states[t] ** 2)  # dL/dz_t
        gradient += np.outer(error, states[t - 1])
        arriving = W_hh.T @ error
    # END SOLUTION
    return gradient


# %%
check("jacobians")

# %% [markdown]
# ## 7. Every formula, and where it was tried
#
# You have now computed each formula of three lectures at least once. Come back to this list when a later
# lecture leans on one of them.
#
# **Lecture 000**
#
# * (3): the loop over three flags: `raises_flags`
# * (4) to (6): one-hot base, old state and 1 through one shared 8 x 3 matrix: $R = (x\; q\; 1) W$,
#   $Q = a(R)$: `computes_one_layer`, `counts_short_sequences`, `counts_long_sequences`
# * (9), (10), (15): $r_t = w_1 q_{t-1} + w_2 x_t$, $q_t = a(r_t)$ along the bits: `walks_along_the_bits`,
#   `back_propagates_by_hand`
# * (11), (12): copies of $w_1$; the gradient is the sum over them: `follows_every_copy`
# * (13): $\partial r_{t+1} / \partial r_t = w_1\, a'(r_t)$, and products of these: `knows_the_slopes`,
#   `differentiates_any_activation`
# * (14), (16): $\partial L / \partial w_1$, as a formula and as a number: `back_propagates_by_hand`,
#   `differentiates_any_activation`
#
# **Lecture 001**
#
# * k-mers as a vocabulary of size $4^k$, one-hot $x_t$: `numbers_kmers`
# * $e_t$, $z_t$, $h_t$, $q_t$, $\hat y_t$: `runs_forward`
# * $J_t$, the cross-entropy: `measures_cross_entropy`
# * $\delta_1 = \hat y_T - y_T$, $\partial J/\partial b_2$, and $\partial J/\partial U$, which it leaves
#   out: `differentiates_the_output`
# * $\partial J/\partial h_T$, $\delta_2$, $\partial J/\partial h_{T-1} = \delta_2 H^\top$, and so on back:
#   `sends_the_error_back`
# * $(\partial J/\partial H)_{(t)}$, at each step and in sum, with the slip mended: `mends_the_slip`
# * $(\partial J/\partial I)_{(t)}$, and $\partial J/\partial b_1$, which it leaves out:
#   `differentiates_the_input`
# * $\partial J/\partial e_t = \delta_t I^\top$, $\partial J/\partial L$: `differentiates_the_embedding`
#
# **Lecture 003**
#
# * $z_h = W_{hx} x + W_{hh} h + b_h$, $h = \sigma_h(z_h)$: `reads_letters`, `stacks_two_matrices`
# * $z_y = W_{yh} h + b_y$, $y = \sigma_y(z_y)$: `runs_forward`, `gives_probabilities`
# * $h_t = f_W(h_{t-1}, x_t)$; the shapes of $W_{hx}$, $W_{hh}$, $W_{yh}$: `computes_one_layer`,
#   `names_the_shapes`
# * $\tanh(W \binom{h}{x} + b)$, $W = (W_{hh}\; W_{hx})$: `stacks_two_matrices`
# * $L = \sum_t L_t$, and $\partial L_t / \partial W_{hh}$ as a sum over $k$: `sums_over_all_steps`
# * $\partial h_t / \partial h_k$ as a product over adjacent steps: `differentiates_one_step`,
#   `multiplies_jacobians`
#
# **Lecture 004**
#
# * 'hello': state, scores, soft-max; a network that learns it: `reads_letters`, `gives_probabilities`,
#   `recovers_the_weights`, `says_hello`
#
#
# ## 8. Think
#
# Three questions without points, for you and whoever sits next to you. Write three or four sentences each before you
# turn to the course's answers, which come with the solution.

# %% [markdown]
# **1.** Your counter is right at every length, and no data were used. Which weights of $W$ hold the words "or"
# and "and" of the rule for flag 2? What would happen to the counter if its activation were a plain sigmoid with
# the same weights, and how could you repair it without another matrix?
#
# BEGIN SOLUTION
# The old flag 2 has weight 12, enough to pass the bias of -9 alone: that is the "or". The old flag 1 and the
# G have 6 each, so one of them stays below and both together pass: that is the "and". A plain sigmoid never
# reaches 0 or 1, so each flag is a little wrong at each step and the error feeds back. Multiply $W$ by a large
# number: the sigmoid then saturates so far that the flags restore themselves at every step.
# END SOLUTION

# %% [markdown]
# **2.** A friend writes `gradient_H` as the lecture prints it, starts from $h_0 = 0$, trains on sequences of two
# k-mers and reports that the loss falls. Why does the loss fall although the gradient is wrong? Which two tests
# would have shown the mistake in a minute?
#
# BEGIN SOLUTION
# The other gradients are right, and all states lie between 0 and 1, so the wrong product often points to the
# same side as the right one: a step along it is still downhill more often than not. Wiggling the entries of H
# shows the mistake at once, and so does automatic differentiation, best from a random $h_0$ and over several
# steps.
# END SOLUTION

# %% [markdown]
# **3.** In the picture of part 6, which curve would you wish for, and why is it so hard to have? Say what the
# activation does to it.
#
# BEGIN SOLUTION
# The flat one: every distance then counts alike. It needs a matrix whose singular values are all one, and the
# first update of a training moves them; what is then off by a few per cent is off by its 40th power. The slope
# of tanh is at most 1 and smaller for every state that isn't near zero, so the activation pulls the curve down:
# with inputs of ordinary size even the red curve bends.
# END SOLUTION

# %% [markdown]
# ## 9. Say it in your own words
#
# A function can pass every check although a formula was only copied. These five questions ask for what lies behind
# the formulas: what is shared, what is summed, what is kept. The numbers in them are yours. Take a pencil, put the
# number, or the letter in quotes, into the cell below each question, and run the check at the end as often as you
# like: it says where a wrong answer probably came from. The last answer is read by a person.
#
# **1.** What does sharing save?

# %%
rubric.unshared(STUDENT)

# %%
UNSHARED = (60 - 1) * 20 * (7 + 20 + 1)  # SOLUTION

# %% [markdown]
# **2.** How many terms look back far? (Draw the pairs of $t$ and $k$ as dots on squared paper.)

# %%
rubric.long_looks(STUDENT)

# %%
LONG_LOOKS = 2701  # SOLUTION

# %% [markdown]
# **3.** What is a state?

# %%
rubric.same_state(STUDENT)

# %%
SAME_STATE = "A"  # SOLUTION

# %% [markdown]
# **4.** What does one update do?

# %%
rubric.one_update(STUDENT)

# %%
ONE_UPDATE = "D"  # SOLUTION

# %% [markdown]
# **5.** A friend says: "A recurrent network remembers a sequence because its weights store it." Where does a
# recurrent network keep what it has *learnt*, and where what it has just *read*? When does each of the two change, and
# which of them is gone when the next sequence begins? Take your counter as the example; three or four sentences.

# %% [markdown] tags=["answer:explains_memory"]
# BEGIN SOLUTION
# What it has learnt is in the weights: in my counter the 8 x 3 matrix says how flags follow from flags and a base. They
# change in training (or when I set them), and then stay as they are, at every step and for every sequence. What it has
# read is in the state: three flags, new after each base, and all that is left of the sequence so far. At the start of
# the next sequence the state goes back to $h_0$ and the weights stay. So my friend has it the wrong way round: weights
# hold the rule and the state holds the case, which is also why a state of three numbers can't hold a whole sequence.
# END SOLUTION

# %%
check("concepts")

# %% [markdown]
# **Done?** Save this notebook. In a terminal, in the course's folder,
#
# ```
# python -m autograder pack rnn_by_hand assignments/rnn_by_hand
# ```
#
# makes the one file that you hand in, of this notebook and of what it saved, and checks it once more as it will arrive.
