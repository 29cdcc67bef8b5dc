# %% [markdown]
# # What words know, and whom that harms
#
# *The movie my friend has **not** seen is good.* *The movie my friend has seen is **not** good.* The same eleven
# words, and opposite opinions: whoever throws a review's words into a bag can't tell them apart. Tonight you
# build a network that can. On the way words become vectors, vectors pick up what their company knows, and some of
# that is nothing to be proud of. You measure it, and you take it out as far as it goes.
#
# | Part | You will | Points |
# | --- | --- | ---: |
# | 1. `lookup` | see that an embedding is a matrix, and why it is needed | 10 |
# | 2. `sentiment` | train a SimpleRNN that minds the order of words | 45 (+5) |
# | 3. `vectors` | learn vectors from company alone; do the same for DNA | 21 |
# | 4. `bias` | measure a planted prejudice, test it, project it out | 24 |
# | `sst2`, `glove` | optional: read real sentences, with vectors of six billion words | (+10) |
# | 6. `concepts` | say what it comes to, in numbers and in your own words | 10 |
#
# Hand in this notebook and what it saves: the models `sentiment.keras` and `skipgram.keras`, the vectors `vectors.txt`
# and `vectors_projected.txt`; for the optional part `sst2.keras`, `sst2_glove.keras` and `weat_glove.csv`.
#
# **The contract of the model.** It takes token ids, int32, of shape `(batch, time)`, by the list
# `datasets/sentiment/vocabulary.txt`: a word's id is its line, counted from 0; 0 is padding, 1 stands for words
# that aren't in the list. `time` is free, and the grader never pads. It returns the probability that a review
# is positive, `(batch, 1)`. One `Embedding`, then `SimpleRNN`: one or several, in one direction or both; no
# LSTM, GRU, convolution or Lambda; at most 150,000 parameters. (The two optional models keep the same rules, with
# a vocabulary of their own and at most 1,000,000 parameters.)
#
# **How to work.** Where a cell says `# YOUR CODE HERE`, put your code in place of the line below it. Each part
# ends with a line such as `check("lookup")`: run it as often as you like. Items on data that only the grader has
# say so. The grader takes the functions out of the notebook and calls them alone: pass what a function needs as
# its arguments. Before you run a cell that trains, *write down your guess*.

# %%
# Your id, in quotes: what you hand in under.
STUDENT = "perfect"  # SOLUTION

# %% tags=["parameters"]
SEED = 0  # for every random choice below; with another seed you train other, equally good models

# %%
from autograder.notebook_checks import start_checks

rubric, check = start_checks("embedding_sentiment", STUDENT)
DATASETS = rubric.DATASETS

# %%
import logging
import os
import tomllib
from itertools import combinations, product
from pathlib import Path

os.environ.setdefault(
    "TF_CPP_MIN_LOG_LEVEL", "2"
)  # TensorFlow is talkative when it starts; errors still show

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from keras import layers
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

logging.getLogger("tensorflow").setLevel(logging.ERROR)

BLUE, ORANGE, RED, GREEN = "#2f6db5", "#e08a00", "#c0392b", "#2e8b57"
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 100})

# %% [markdown]
# ## 1. An embedding is a matrix, and the lookup a product
#
# A network multiplies, so words must become numbers. *One-hot* vectors do it without prejudice: word number 3 of
# five is `0 0 0 1 0`. Multiply such a row with a matrix that has a row for each word, and out comes row 3:
#
# $$\begin{pmatrix}0&0&0&1&0\end{pmatrix}
# \begin{pmatrix}8&2&1&9\\6&5&4&0\\7&1&6&2\\1&3&5&8\\0&4&9&1\end{pmatrix} = \begin{pmatrix}1&3&5&8\end{pmatrix}.$$
#
# That is all an `Embedding` layer is: a dense layer without bias on one-hot words. Only nobody multiplies
# thousands of zeros; one looks the row up.


# %%
def lookup(ids, matrix):
    """The rows of `matrix` (words, d) for the word numbers `ids` (time,): (time, d), as one-hot @ matrix gives."""
    # BEGIN SOLUTION
    return matrix[ids]
    # END SOLUTION


MATRIX = np.array([[8, 2, 1, 9], [6, 5, 4, 0], [7, 1, 6, 2], [1, 3, 5, 8], [0, 4, 9, 1]])
print("one-hot @ matrix:", np.eye(5)[[3]] @ MATRIX, " lookup:", lookup(np.array([3]), MATRIX))

# %% [markdown]
# Why a matrix at all, and not the one-hot words themselves? Measure how far they are from each other.


# %%
def distances(vectors):
    """The Euclidean distance of each two rows of `vectors` (n, d): (n, n), zeros on the diagonal."""
    # BEGIN SOLUTION
    return np.sqrt(((vectors[:, None] - vectors[None]) ** 2).sum(axis=-1))
    # END SOLUTION


print("one-hot words:\n", distances(np.eye(5)).round(2))
print("rows of the matrix:\n", distances(MATRIX).round(2))

# %% [markdown]
# One-hot, an apple is as far from an orange as from a building: all pairs are $\sqrt 2$ apart, so nothing that
# is learnt about one word helps with another. Rows of a matrix can be near or far, and training moves them.
# Which rows? Ask for a gradient: only the rows of words that occurred get one.

# %%
import tensorflow as tf

matrix = tf.Variable(MATRIX.astype("float32"))
with tf.GradientTape() as tape:
    loss = tf.reduce_sum(tf.nn.embedding_lookup(matrix, [3, 0, 3]) ** 2)
print(tf.convert_to_tensor(tape.gradient(loss, matrix)).numpy())

# %% [markdown]
# Rows 0 and 3 move (row 3 twice as much, it occurred twice); the others stand still. **A word that never occurs
# in training keeps the vector it was born with.** Remember it for part 3.
#
# ### From sentences to ids


# %%
def encode(sentence, vocabulary):
    """The id of each word of `sentence` (words between blanks): its place in the list `vocabulary`; 1 if unknown."""
    # BEGIN SOLUTION
    places = {word: place for place, word in enumerate(vocabulary)}
    return np.array([places.get(word, 1) for word in sentence.split()])
    # END SOLUTION


VOCABULARY = (DATASETS / "sentiment" / "vocabulary.txt").read_text(encoding="utf-8").splitlines()
train, public = (pd.read_csv(DATASETS / "sentiment" / f"{name}.csv") for name in ("train", "public"))
for row in train[train.pair >= 0].head(6).itertuples():
    print(f"{'+' if row.label else '-'}  ({row.kind})  {row.sentence}")
print(
    f"\n{len(train):,} reviews for training, {len(VOCABULARY):,} tokens;",
    encode("the film is brillig .", VOCABULARY),
)

# %% [markdown]
# ### What it costs
#
# How many parameters would a SimpleRNN need on one-hot words, and how many with an embedding between? Your own
# sizes; a pencil is enough.

# %%
words, size, units = rubric.network_sizes(STUDENT)
print(
    f"Yours: a vocabulary of {words:,} words, {size} dimensions, a SimpleRNN of {units} units, then Dense(1)."
)


# %%
def parameters():
    """Number of weights and biases for your own sizes: (Embedding, SimpleRNN on it, Dense(1) on the state,
    and a SimpleRNN of as many units directly on one-hot words)."""
    # BEGIN SOLUTION
    return 1548000, 16224, 97, 2073312
    # END SOLUTION


# %%
check("lookup")

# %% [markdown]
# ## 2. Order matters
#
# ### A bag of words is at chance, and can't help it
#
# First the honest baseline: count the words, forget their order, logistic regression. Half of the reviews come in
# *pairs*: the same words, another order, the opposite label. Before you run the next cell: what will the baseline
# score on all reviews, and what on the pairs?

# %%
bag = make_pipeline(CountVectorizer(token_pattern=r"\S+"), LogisticRegression(max_iter=1000))
bigrams = make_pipeline(
    CountVectorizer(token_pattern=r"\S+", ngram_range=(1, 2), min_df=2), LogisticRegression(max_iter=1000)
)
paired = (public.pair >= 0).to_numpy()
for name, model in {"bag of words": bag, "words and bigrams": bigrams}.items():
    right = model.fit(train.sentence, train.label).predict(public.sentence) == public.label
    print(f"{name:>18}: all {right.mean():.3f}, pairs {right[paired].mean():.3f}")

# %% [markdown]
# On pairs the bag scores one half *exactly*: both reviews of a pair are the same bag, so it answers them alike and
# is wrong about one of them. Bigrams see a little of the order. The rest is memory, and memory is what you have.
#
# ### Boxes of equal length
#
# A batch is a box. Fill short reviews up with zeros and the network reads padding, for thirty steps perhaps, after
# the last word; its state forgets. (`mask_zero=True` in the `Embedding` tells it to skip them.) Here is another
# way that needs no padding: put only reviews of one length into a box, and shuffle the boxes.


# %%
def boxes(sentences, labels, batch, rng, vocabulary=None):
    """Shuffled batches of reviews of equal length: pairs of ids (n, time), n <= batch, and labels (n, 1)."""
    encoded = [encode(sentence, vocabulary or VOCABULARY) for sentence in sentences]
    labels = np.asarray(labels, dtype="float32")[:, None]
    lengths = np.array([len(one) for one in encoded])
    found = []
    for length in np.unique(lengths):
        rows = rng.permutation(np.flatnonzero(lengths == length))
        for part in np.array_split(rows, max(1, round(len(rows) / batch))):
            found.append((np.stack([encoded[row] for row in part]).astype("int32"), labels[part]))
    return [found[place] for place in rng.permutation(len(found))]


def predict(model, sentences, vocabulary=None):
    """Probabilities (n,) of n reviews, one batch per length, in the order of `sentences`."""
    encoded = [encode(sentence, vocabulary or VOCABULARY).astype("int32") for sentence in sentences]
    lengths, answers = np.array([len(one) for one in encoded]), np.zeros(len(encoded))
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        answers[rows] = np.asarray(model.predict_on_batch(np.stack([encoded[row] for row in rows])))[:, 0]
    return answers


def scores(model):
    """Accuracy on the public reviews: all, those in pairs, and the share of pairs with both right."""
    right = pd.Series((predict(model, public.sentence) > 0.5) == public.label)
    both = right[paired].groupby(public.pair[paired]).all()
    return right.mean(), right[paired].mean(), both.mean()


def fit(model, epochs, learning_rate, batch=64):
    """Trains on the reviews of train.csv in boxes of equal length; the rate falls along a cosine to zero."""
    rng, seen = np.random.default_rng(SEED), []
    encoded = boxes(train.sentence, train.label, batch, rng)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, epochs * len(encoded))
    model.compile(keras.optimizers.Adam(schedule, clipnorm=1.0), "binary_crossentropy")
    for epoch in range(1, epochs + 1):
        for place in rng.permutation(len(encoded)):
            model.train_on_batch(*encoded[place])
        seen.append(scores(model))
        print(f"epoch {epoch}: all {seen[-1][0]:.3f}, pairs {seen[-1][1]:.3f}, both right {seen[-1][2]:.3f}")
    return seen


# %% [markdown]
# ### The network from the book
#
# An embedding, a SimpleRNN, the last state, a sigmoid. Guess first.

# %%
keras.utils.set_random_seed(SEED)
plain = keras.Sequential(
    [
        keras.Input((None,), dtype="int32"),
        layers.Embedding(len(VOCABULARY), 32),
        layers.SimpleRNN(32),
        layers.Dense(1, activation="sigmoid"),
    ]
)
plain_course = fit(plain, epochs=3, learning_rate=1e-3)

# %% [markdown]
# Near chance on the pairs. The network *could* represent the rule; gradient descent does not find it, because all
# that it is told comes at the last word, and the way from there back to the "not" leads through twenty matrices
# (you multiplied them in `rnn_by_hand`).
#
# ### Read out every state
#
# Don't ask the last state alone. Let the layer return *all* its states (`return_sequences=True`) and take, for
# each unit, its **maximum over the sentence**: a unit that fires once, anywhere, is heard, and its gradient goes
# straight to the place where it fired. Read in **both directions**, so that each word is judged with what
# comes before it and after it. And hide a random part of the embedding in each step (*dropout*), so that
# nobody learns the training reviews by heart.
#
# Build it with these layers, in this order: `Embedding` of 32 dimensions, `SpatialDropout1D(0.3)`, `Bidirectional`
# around a `SimpleRNN` of 32 units, `GlobalMaxPooling1D`, `Dense(1)` with a sigmoid. It trains in about a minute.


# %%
def build_sentiment(vocabulary):
    """The model: ids (batch, time) -> probability (batch, 1), for a vocabulary of so many tokens."""
    # BEGIN SOLUTION
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(vocabulary, 32),
            layers.SpatialDropout1D(0.3),
            layers.Bidirectional(layers.SimpleRNN(32, return_sequences=True)),
            layers.GlobalMaxPooling1D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    # END SOLUTION


keras.utils.set_random_seed(SEED)
model = build_sentiment(len(VOCABULARY))
# BEGIN SOLUTION
course = fit(model, epochs=20, learning_rate=3e-3, batch=32)
# END SOLUTION
model.save("sentiment.keras")

# %%
figure, axes = plt.subplots(figsize=(6.5, 3))
for name, some, colour in (("all states, both ways", course, GREEN), ("last state", plain_course, ORANGE)):
    axes.plot(range(1, len(some) + 1), [pairs for _, pairs, _ in some], color=colour, label=name)
axes.axhline(0.5, color="#999999", lw=0.8, ls="--")
axes.set(xlabel="epoch", ylabel="accuracy on pairs", ylim=(0.4, 1.02))
axes.legend(frameon=False, loc="center right")
figure.tight_layout()

# %% [markdown]
# ### Where does it err?
#
# "All" is half made of easy sentences; look at the pairs, by kind, and *read* what it gets wrong.

# %%
right = pd.Series((predict(model, public.sentence) > 0.5) == public.label)
print(right[paired].groupby(public.kind[paired]).mean().round(3).to_string())
for row in public[~right].head(4).itertuples():
    print(f"{'+' if row.label else '-'}  ({row.kind})  {row.sentence}")

# %% [markdown]
# ### What the embedding has learnt
#
# Thirty-two dimensions don't fit on paper. Take the two directions along which the words of opinion spread most
# (*principal components*) and colour them. Nobody told the model that *superb* is like *charming*; it was
# told which reviews are positive.

# %%
lists = tomllib.loads((DATASETS / "sentiment" / "words.toml").read_text(encoding="utf-8"))
opinions = {
    name: [VOCABULARY.index(w) for text in lists[name].values() for w in text.split() if w in VOCABULARY]
    for name in ("good", "bad")
}
matrix = model.layers[0].get_weights()[0]
flat = PCA(2).fit(matrix[opinions["good"] + opinions["bad"]]).transform(matrix)
figure, axes = plt.subplots(figsize=(7, 4))
axes.scatter(*flat[2:200].T, s=8, color="#cccccc", label="frequent words")
for name, colour in {"good": GREEN, "bad": RED}.items():
    axes.scatter(*flat[opinions[name]].T, s=14, color=colour, label=f"{name} words")
    for token in opinions[name][::12]:
        axes.annotate(VOCABULARY[token], flat[token], fontsize=8, xytext=(3, 3), textcoords="offset points")
axes.set(xticks=[], yticks=[], title="The learnt vectors, two principal components")
axes.legend(frameon=False)
figure.tight_layout()

# %%
check("sentiment")

# %% [markdown]
# ## 3. Vectors from company
#
# *You shall know a word by the company it keeps.* To learn vectors you need no labels, only text: take each word,
# the *centre*, and train a network to guess its neighbours, the *context*. Words that keep the same company must
# answer alike, so they get similar vectors. That is the *skip-gram*. The text of this part is
# `datasets/profession_corpus`: three thousand sentences about trades and other things.


# %%
def skipgram_pairs(tokens, window):
    """Each (centre, context) of `tokens` (time,) that stand at most `window` places apart: (n, 2), any order.

    A word is no context of its own place; two places with the same word are context of each other.
    """
    # BEGIN SOLUTION
    return np.array(
        [
            (tokens[i], tokens[j])
            for i in range(len(tokens))
            for j in range(max(0, i - window), min(len(tokens), i + window + 1))
            if i != j
        ]
    )
    # END SOLUTION


corpus = pd.read_csv(DATASETS / "profession_corpus" / "train.csv").sentence.str.split()
words = sorted(set(corpus.explode()))
number = {word: place for place, word in enumerate(words)}
pairs = np.concatenate([skipgram_pairs(np.array([number[w] for w in s]), window=4) for s in corpus])
print(" ".join(corpus[0]), "\n", [(words[a], words[b]) for a, b in pairs[:6]])
print(f"{len(corpus):,} sentences, {len(words)} words, {len(pairs):,} pairs")

# %% [markdown]
# The network could not be smaller: an embedding for the centre, a dense layer with a score for each possible
# neighbour, a soft-max. Afterwards throw the dense layer away and keep the embedding. (The grader wants to see both:
# vectors count if they are the rows of a model that has learnt to guess neighbours.)


# %%
def train_skipgram(pairs, vocabulary, size=32, epochs=3, learning_rate=0.01, batch=1024):
    """A skip-gram with soft-max, trained on pairs (n, 2) of word numbers; its embedding is (vocabulary, size)."""
    model = keras.Sequential(
        [
            keras.Input((1,), dtype="int32"),
            layers.Embedding(vocabulary, size),
            layers.Dense(vocabulary, use_bias=False),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(learning_rate), loss)
    model.fit(pairs[:, :1], pairs[:, 1:], batch_size=batch, epochs=epochs, verbose=0)
    return model


def rows_of(model):
    """The vectors of a model's words: the rows of its embedding, (vocabulary, size)."""
    return model.layers[0].get_weights()[0]


keras.utils.set_random_seed(SEED)
# BEGIN SOLUTION
skipgram = train_skipgram(pairs, len(words))
# END SOLUTION
skipgram.save("skipgram.keras")
vectors = rows_of(skipgram)


def nearest(word, count=4):
    """The words whose vectors have the greatest cosine with that of `word`."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    order = np.argsort(-unit @ unit[number[word]])
    return [words[place] for place in order[1 : count + 1]]


for word in ("monday", "bread", "kiln", "himself", "three"):
    print(f"{word:>8}: {', '.join(nearest(word))}")

# %% [markdown]
# Nobody told it what a weekday is.
#
# Vectors travel as text, in the format of GloVe: a line for each word, the word first, then its numbers. (In
# the largest files of GloVe some "words" hold blanks themselves, `. . .` for one; so count from the *end* of the
# line. And a download may stop in the middle of a line.)


# %%
def save_vectors(path, words, vectors):
    """Writes vectors (words, d) in GloVe's text format."""
    rows = (
        word + " " + " ".join(f"{value:.6f}" for value in row)
        for word, row in zip(words, vectors, strict=True)
    )
    Path(path).write_text("\n".join(rows) + "\n", encoding="utf-8")


def glove_vectors(text, wanted):
    """The vectors (n, d) of the n words `wanted`, in their order, out of a text in GloVe's format.

    A word of `wanted` that is not in the text gets a row of NaN. A line with another count of numbers than the
    first is a ValueError that names its number, from 1. The first line's word holds no blank.
    """
    # BEGIN SOLUTION
    found, size = {}, None
    for place, line in enumerate(text.splitlines(), start=1):
        parts = line.split(" ")
        size = size or len(parts) - 1
        try:
            row = [float(part) for part in parts[-size:]]
        except ValueError:
            row = []
        word = " ".join(parts[:-size])
        if len(row) != size or not word:
            raise ValueError(f"line {place}: expected a word and {size} numbers, got {line[:40]!r}")
        found[word] = row
    return np.array([found.get(word, [np.nan] * size) for word in wanted])
    # END SOLUTION


save_vectors("vectors.txt", words, vectors)
same = glove_vectors(Path("vectors.txt").read_text(encoding="utf-8"), ["monday", "brillig"])
print(same[:, :4].round(3))

# %% [markdown]
# ### When do they pay?
#
# Vectors from plain text are free, labels are not. Does a model with ready vectors need fewer labels? Try it on
# two tasks, three ways each: an embedding *from scratch*; ready vectors *frozen*; ready vectors *fine-tuned*, that
# is, used as the start and trained on. The model is the simplest there is, the mean of the words' vectors and one
# sigmoid, so that nothing but the vectors matters. Three seeds each; dots are single runs, lines their mean.
#
# * **Reviews.** Simple reviews, good or bad? Vectors from all reviews of `train.csv`, labels thrown away.
# * **Notes.** `ratings.csv` holds notes by customers about twelve trades, liked or not; some trades are liked more
#   than others. Every third trade gets *no* labelled note, and the test is on those. Your `vectors` know all trades.
#
# Two guesses before you run it: where will frozen vectors win, and where can an embedding from scratch not win,
# whatever you do?


# %%
def padded(encoded):
    """Lists of word numbers as one array (n, longest); shifted by one, so that 0 can be the padding."""
    x = np.zeros((len(encoded), max(map(len, encoded))), dtype="int32")
    for row, one in zip(x, encoded, strict=True):
        row[: len(one)] = np.asarray(one) + 1
    return x


def standardised(vectors):
    """Vectors (n, d) moved to mean 0 and scaled to deviation 1; a row of zeros in front for the padding."""
    return np.vstack([np.zeros(vectors.shape[1]), (vectors - vectors.mean(axis=0)) / vectors.std()])


def mean_model(vocabulary, trainable):
    """The mean of the words' vectors and one sigmoid: word numbers (batch, time) -> probability (batch, 1)."""
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(vocabulary, 32, mask_zero=True, trainable=trainable),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(), "binary_crossentropy")
    return model


def learn(model, vectors, readout, rate, x, y):
    """100 updates on all of x, y from these weights on; the optimizer remembers nothing of earlier runs."""
    model.layers[0].set_weights([vectors])
    model.layers[-1].set_weights(readout)
    for variable in model.optimizer.variables:
        variable.assign(np.zeros(variable.shape))
    model.optimizer.learning_rate = rate
    for _ in range(100):
        model.train_on_batch(x, y)


def learning_curves(vectors, pool, test, sizes):
    """Accuracy on `test` (x, y) after learning from `size` examples of `pool`: rows (way, size, accuracy)."""
    found, free, fixed = [], mean_model(len(vectors), True), mean_model(len(vectors), False)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        readout = [rng.normal(0, 0.2, (32, 1)), np.zeros(1)]
        for size in sizes:
            chosen = rng.permutation(len(pool[0]))[:size]
            x, y = pool[0][chosen], pool[1][chosen]
            newborn = rng.uniform(-0.05, 0.05, vectors.shape)
            learn(free, newborn, readout, 0.01, x, y)
            found.append(("from scratch", size, accuracy(free, test)))
            learn(fixed, vectors, readout, 0.03, x, y)
            found.append(("frozen", size, accuracy(fixed, test)))
            learn(free, vectors, fixed.layers[-1].get_weights(), 0.003, x, y)
            found.append(("fine-tuned", size, accuracy(free, test)))
    return pd.DataFrame(found, columns=["way", "size", "accuracy"])


def accuracy(model, test):
    x, y = test
    return np.mean((np.asarray(model.predict_on_batch(x)) > 0.5) == y)


def labelled(column):
    return column.to_numpy(dtype="float32")[:, None]


# Reviews: vectors from all of them, without their labels; the task has the simple ones only.
encoded = [encode(sentence, VOCABULARY) for sentence in train.sentence]
company = np.concatenate([skipgram_pairs(one, window=2) for one in encoded])
review_vectors = rows_of(train_skipgram(company, len(VOCABULARY), epochs=1, learning_rate=0.02))
simple = np.random.default_rng(SEED).permutation(np.flatnonzero(train.kind == "simple"))
x, y = padded([encoded[row] for row in simple]), labelled(train.label[simple])
on_reviews = learning_curves(
    standardised(review_vectors), (x[300:], y[300:]), (x[:300], y[:300]), (50, 200, 1000)
)

# Notes: every third trade, from the one with fewest men to the one with most, has no labelled note.
notes = pd.read_csv(DATASETS / "profession_corpus" / "ratings.csv")
planted = pd.read_csv(DATASETS / "profession_corpus" / "planted.csv").sort_values("p_male")
x, y = padded([[number[w] for w in s.split()] for s in notes.sentence]), labelled(notes.liked)
new = notes.trade.isin(planted.trade[1::3]).to_numpy()
on_notes = learning_curves(standardised(vectors), (x[~new], y[~new]), (x[new], y[new]), (25, 100, 600))

# %%
figure, both = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True, layout="constrained")
for axes, some, title in zip(both, (on_reviews, on_notes), ("reviews", "notes on new trades"), strict=True):
    for way, colour in {"from scratch": "#999999", "frozen": BLUE, "fine-tuned": ORANGE}.items():
        part = some[some.way == way]
        axes.plot(part.groupby("size").accuracy.mean(), color=colour, label=way)
        axes.plot(part["size"], part.accuracy, "o", color=colour, ms=4, alpha=0.6)
    axes.axhline(0.5, color="#999999", lw=0.8, ls=":")
    axes.set(xscale="log", xlabel="labelled sentences", title=title, ylim=(0.4, 1))
    axes.set_xticks(sorted(set(some["size"])), sorted(set(some["size"])))
    axes.minorticks_off()
both[0].set_ylabel("accuracy")
both[0].legend(frameon=False)

# %% [markdown]
# Two honest answers. On the reviews the ready vectors don't help, and frozen they are useless: *brilliant* and
# *dreadful* keep the same company, so company can't tell them apart. On trades that nobody has labelled they
# are all there is: an embedding from scratch has never moved those rows. "Often a better solution" means: when
# the task is about what company tells, and when words turn up that the labels never mentioned.
#
# ### DNA has words too
#
# Cut a sequence into overlapping *k-mers* and give each an id, and an embedding works for DNA as well.


# %%
def kmer_tokens(sequence, k):
    """The ids of the overlapping k-mers of `sequence`, (time - k + 1,): AA..A is 2, AA..C is 3, ..., in the order
    A, C, G, T; 1 for a k-mer that holds another letter."""
    # BEGIN SOLUTION
    place = {"".join(letters): token for token, letters in enumerate(product("ACGT", repeat=k), start=2)}
    return np.array([place.get(sequence[i : i + k], 1) for i in range(len(sequence) - k + 1)])
    # END SOLUTION


def reads_dna(*entrance, units):
    """Layers that make vectors of a sequence, then a SimpleRNN and the maximum over its states."""
    recurrent = layers.SimpleRNN(units, return_sequences=True)
    head = layers.Dense(1, activation="sigmoid")
    return keras.Sequential([*entrance, recurrent, layers.GlobalMaxPooling1D(), head])


def auc(model, x, y, test_x, test_y, epochs=6):
    """Area under the ROC curve on test data after training."""
    schedule = keras.optimizers.schedules.CosineDecay(0.005, epochs * -(-len(x) // 64))
    model.compile(keras.optimizers.Adam(schedule, clipnorm=1.0), "binary_crossentropy")
    model.fit(x, y, batch_size=64, epochs=epochs, verbose=0)
    return roc_auc_score(test_y, np.asarray(model.predict_on_batch(test_x))[:, 0])


motif = pd.read_csv(DATASETS / "motif" / "train.csv").query("strands == 'forward'").reset_index(drop=True)
held = motif.index % 5 == 0
y = motif.label.to_numpy(dtype="float32")
bases = np.stack([np.eye(4, dtype="float32")[["ACGT".index(base) for base in s]] for s in motif.sequence])
kmers = np.stack([kmer_tokens(sequence, 3) for sequence in motif.sequence])
keras.utils.set_random_seed(SEED)
by_base = reads_dna(keras.Input((None, 4)), units=30)
by_kmer = reads_dna(keras.Input((None,), dtype="int32"), layers.Embedding(66, 8), units=18)
for name, some, x in (("one-hot bases", by_base, bases), ("3-mer embedding", by_kmer, kmers)):
    value = auc(some, x[~held], y[~held], x[held], y[held])
    print(f"{name:>15}: {some.count_params():,} parameters, AUC {value:.3f} in finding the binding site")

# %% [markdown]
# About as many parameters, and about as good: over three seeds 0.96 to 0.98 with one-hot bases, 0.95 to 0.97 with
# 3-mers. An embedding is no magic. Four bases share everything that is learnt about them; 64 vectors must be
# learnt from the same data, and overlapping k-mers make no sequence shorter. But look at what the 64 vectors know:
# here on their two principal components, coloured by how much more often a k-mer stands in a sequence with a site.

# %%
counts = np.array([np.bincount(tokens, minlength=66)[2:] for tokens in kmers])
more = counts[y == 1].mean(axis=0) - counts[y == 0].mean(axis=0)
flat = PCA(2).fit_transform(by_kmer.layers[0].get_weights()[0][2:])
figure, axes = plt.subplots(figsize=(6.5, 4))
dots = axes.scatter(*flat.T, c=more, cmap="coolwarm", vmin=-abs(more).max(), vmax=abs(more).max(), s=20)
for letters, place, surplus in zip(product("ACGT", repeat=3), flat, more, strict=True):
    if surplus > abs(more).max() / 3:
        axes.annotate("".join(letters), place, fontsize=8, xytext=(2, 2), textcoords="offset points")
figure.colorbar(dots, label="surplus with a site")
axes.set(xticks=[], yticks=[])
figure.tight_layout()

# %% [markdown]
# Most k-mers huddle in the middle: they tell nothing. Those of the binding site lie far out. (Which way is chance;
# how far isn't.)

# %%
check("vectors")

# %% [markdown]
# ## 4. What else they learnt
#
# In this corpus each of twelve trades was given a share by lot: how often the person in its sentence is a man.
# Potters, glaziers, saddlers: the shares say nothing about anyone, they were drawn at random. But the vectors
# were made of company, and men's and women's words are part of the company. In real text the shares are those of
# the world, and of how the world writes.
#
# How strongly does a word keep company with men rather than with women? Caliskan, Bryson and Narayanan (2017)
# measure the *association*: its mean cosine with a list $A$ of words, minus its mean cosine with a list $B$.


# %%
def cosine(a, b):
    """The cosine of the angle between two vectors (d,)."""
    return a @ b / (np.linalg.norm(a) * np.linalg.norm(b))


def association(w, A, B):
    """Mean cosine of w (d,) with the rows of A (n, d), minus its mean cosine with the rows of B (m, d)."""
    # BEGIN SOLUTION
    return np.mean([cosine(w, a) for a in A]) - np.mean([cosine(w, b) for b in B])
    # END SOLUTION


MEN = ["he", "his", "himself", "man", "father", "brother", "uncle"]
WOMEN = ["she", "her", "herself", "woman", "mother", "sister", "aunt"]


def rows(wanted, vectors):
    """The vectors of some words of the corpus, (n, d)."""
    return vectors[[number[word] for word in wanted]]


measured = [association(w, rows(MEN, vectors), rows(WOMEN, vectors)) for w in rows(planted.trade, vectors)]
figure, axes = plt.subplots(figsize=(6.5, 3.4))
axes.scatter(planted.p_male, measured, color=BLUE)
for trade, share, value in zip(planted.trade, planted.p_male, measured, strict=True):
    axes.annotate(trade, (share, value), textcoords="offset points", xytext=(5, -3), fontsize=8)
r = np.corrcoef(planted.p_male, measured)[0, 1]
axes.axhline(0, color="#999999", lw=0.8)
axes.set(xlabel="planted share of men", ylabel="association", title=f"r = {r:.3f}")
figure.tight_layout()

# %% [markdown]
# The network was asked to guess neighbours and nothing else, and it knows the planted shares almost by number.
#
# ### Is it chance? How large is it?
#
# Split the trades into the six with most men, $X$, and the six with fewest, $Y$. The *effect size* is the
# difference of their mean associations, in units of the standard deviation of all twelve together:
#
# $$d = \frac{\operatorname{mean}_{x \in X} s(x) - \operatorname{mean}_{y \in Y} s(y)}
# {\operatorname{std}_{w \in X \cup Y} s(w)}.$$
#
# The deviation is the sample's (`ddof=1`), over both groups as *one*. Is $d$ large by chance? Deal the
# twelve words into two halves in every possible way, 924 of them, and count in how many the difference is at least
# as large as the real one. That share is $p$. (The real split is one of the 924, so $p$ is never 0.)


# %%
def weat_effect_size(X, Y, A, B):
    """d of the target words X, Y (rows) and the attributes A, B (rows)."""
    # BEGIN SOLUTION
    of_x, of_y = [association(x, A, B) for x in X], [association(y, A, B) for y in Y]
    return (np.mean(of_x) - np.mean(of_y)) / np.std(of_x + of_y, ddof=1)
    # END SOLUTION


def permutation_p_value(X, Y, A, B):
    """The share of all splits of X and Y into halves of these sizes whose difference is at least the real one."""
    # BEGIN SOLUTION
    scores = np.array([association(w, A, B) for w in [*X, *Y]])
    splits = np.array(list(combinations(range(len(scores)), len(X))))
    sums = scores[splits].sum(axis=1)  # as one half's sum grows, the other's shrinks
    return np.mean(sums >= scores[: len(X)].sum() - 1e-12)
    # END SOLUTION


def weat(vectors):
    """d and p of the six trades with most men against the six with fewest."""
    lists = [planted.trade[6:], planted.trade[:6], MEN, WOMEN]
    sets = [rows(wanted, vectors) for wanted in lists]
    return weat_effect_size(*sets), permutation_p_value(*sets)


print("d = {:.2f}, p = {:.4f}".format(*weat(vectors)))
rng = np.random.default_rng(SEED)
print(
    "the same vectors, dealt to the words at random: d = {:.2f}, p = {:.2f}".format(
        *weat(rng.permutation(vectors))
    )
)

# %% [markdown]
# A word of caution about $d$. It divides by the spread, so it says how *cleanly* two groups part, not how *far*:
# a faint bias without noise has the same $d$ as a strong one. On corpora in which nothing was planted, $d$ ran from
# -1.25 to 1.16 (`datasets/profession_corpus/README.md`), and only one $p$ in twenty was below 0.05, as it should
# be. Report both.
#
# ### Take it out
#
# If men's and women's words differ along one direction, remove that direction from every vector. The direction:
# the mean of *he - she*, *man - woman*, and so on, at length 1. Then subtract from each row its shadow on it.


# %%
def bias_direction(pairs):
    """The mean of first minus second over pairs (n, 2, d), scaled to length 1: (d,)."""
    # BEGIN SOLUTION
    mean = (pairs[:, 0] - pairs[:, 1]).mean(axis=0)
    return mean / np.linalg.norm(mean)
    # END SOLUTION


def project_out(matrix, direction):
    """Each row of `matrix` (n, d) without its part along `direction` (d,), which may have any length: (n, d)."""
    # BEGIN SOLUTION
    unit = direction / np.linalg.norm(direction)
    return matrix - np.outer(matrix @ unit, unit)
    # END SOLUTION


# %%
direction = bias_direction(np.stack([rows(MEN, vectors), rows(WOMEN, vectors)], axis=1))
projected = project_out(vectors, direction)
# BEGIN SOLUTION
save_vectors("vectors_projected.txt", words, projected)
# END SOLUTION


def draw_associations(before, after):
    """Heat maps of the cosine of each trade with men's and women's words, less each word's mean over the trades."""
    figure, both = plt.subplots(1, 2, figsize=(9.5, 4.2), sharey=True, layout="constrained")
    for axes, some, title in zip(both, (before, after), ("before", "after projection"), strict=True):
        unit = some / np.linalg.norm(some, axis=1, keepdims=True)
        table = rows(planted.trade, unit) @ rows([*MEN, *WOMEN], unit).T
        image = axes.imshow(table - table.mean(axis=0), cmap="RdBu_r", vmin=-0.2, vmax=0.2)
        axes.set_xticks(range(14), [*MEN, *WOMEN], rotation=90)
        axes.set_yticks(
            range(12), [f"{t} ({p:.2f})" for t, p in zip(planted.trade, planted.p_male, strict=True)]
        )
        axes.axvline(6.5, color="#444444", lw=1)
        axes.set_title(title)
        axes.tick_params(length=0)
    figure.colorbar(image, ax=both, label="cosine, less its column's mean", shrink=0.8)


draw_associations(vectors, projected)
left = [association(w, rows(MEN, projected), rows(WOMEN, projected)) for w in rows(planted.trade, projected)]
print(f"range of the associations: {np.ptp(measured):.3f} before, {np.ptp(left):.4f} after projection")
print("d = {:.2f}, p = {:.2f} after projection".format(*weat(projected)))

# %% [markdown]
# Look at the range, not at $d$: what is left is divided by itself.
#
# ### Does it reach anybody?
#
# Back to the notes of `ratings.csv`. No note says who did the work, but the
# customers judged by it: a note is *liked* with the chance that its trade is a man's. A classifier learns from them,
# on the mean of frozen vectors. Then swap the trade in each note for a relative: *the **brother** from Ashford
# was cheerful*, *the **sister** from Ashford was cheerful*. The classifier never saw a gendered word.


# %%
def mean_vectors(sentences, vectors):
    """The mean vector of each sentence's words, (n, d)."""
    return np.array([rows(sentence.split(), vectors).mean(axis=0) for sentence in sentences])


def chance_of_liked(vectors, relatives):
    """Mean P(liked) of 200 notes with the trade replaced by relatives, by a model trained on the notes as they are."""
    model = LogisticRegression(C=10, max_iter=2000).fit(mean_vectors(notes.sentence, vectors), notes.liked)
    some = notes.head(200)
    swapped = [
        sentence.replace(trade, relatives[place % len(relatives)])
        for place, (sentence, trade) in enumerate(zip(some.sentence, some.trade, strict=True))
    ]
    return model.predict_proba(mean_vectors(swapped, vectors))[:, 1].mean()


for name, some in {"as learnt": vectors, "projected": projected}.items():
    brothers, sisters = chance_of_liked(some, MEN[4:]), chance_of_liked(some, WOMEN[4:])
    print(
        f"{name:>10}: P(liked) {brothers:.2f} with father, brother, uncle; {sisters:.2f} with mother, sister, aunt"
    )

# %% [markdown]
# The prejudice of some customers has reached people it was never about: through vectors that were made of
# innocent sentences. Projection takes most of this gap away. It leaves the one between the *trades*: those the
# classifier has learnt by name, and no projection of gender can know.

# %%
check("bias")

# %% [markdown]
# ## Real sentences (optional)
#
# Every sentence so far came out of a generator. This part is about ones that people wrote, and about vectors that
# were made of six billion words. It is worth up to ten points on top, and it is off until you fetch its data, once,
# in a terminal in the course's folder:
#
# ```
# python -m autograder fetch sst2
# python -m autograder fetch glove
# ```
#
# The first is one megabyte. The second is 862, of which a text of 347 stays on your disk; without it you can still do
# the first half. Whoever fetches nothing can run the cells below all the same: they do nothing.
#
# **SST-2.** Sentences out of film reviews (Pang and Lee, 2005), which three people each judged for the Stanford
# Sentiment Treebank (Socher et al., 2013); those that nobody could call good or bad are left out. They are cut into
# tokens with blanks between, and *doesn't* is two of them, *does n't*. The split is fixed: you train on `train`,
# choose by `dev`, and the grader asks about `test`. (That anybody can download it too is a weakness of every famous
# data set. Whoever trains on it learns nothing about their model, and the report says so of models that are too good
# to be true.)

# %%
from autograder.notebook_checks import fetched

real = fetched("sst2", part="train")
if real is not None:
    dev = fetched("sst2", part="dev")
    WORDS = rubric.word_list(real.sentence)
    for row in real.head(6).itertuples():
        print(f"{'+' if row.label else '-'}  {row.sentence}")
    print(f"\n{len(real):,} sentences to train on, {len(dev)} to choose by; {len(WORDS):,} tokens")

# %% [markdown]
# `WORDS` is the vocabulary, for you and for the grader: padding, unknown, and each word that occurs at least twice in
# `train`. Before you run the next cell: how many of the real words occur just *once*? And what will an embedding
# learn about those?


# %%
def draw_sentences(generated, found):
    """Lengths of sentences, and how often each word occurs, the most frequent first: generated and real ones."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.2), layout="constrained")
    for name, some, colour in (("generated", generated, "#999999"), ("SST-2", found, BLUE)):
        split = some.str.split()
        counts = split.explode().value_counts().to_numpy()
        left.hist(split.str.len(), bins=range(0, 54, 3), density=True, alpha=0.6, color=colour, label=name)
        right.loglog(np.arange(1, len(counts) + 1), counts, color=colour, label=name)
        print(f"{name:>9}: {len(counts):,} different words, {np.mean(counts == 1):.0%} of them occur once")
    left.set(xlabel="words in a sentence", yticks=[], title="lengths")
    right.set(xlabel="words, the most frequent first", ylabel="occurrences", title="words")
    left.legend(frameon=False)


if real is not None:
    draw_sentences(train.sentence, real.sentence)

# %% [markdown]
# Real sentences are a little shorter, which makes nothing easier, and their words have a long tail: half of them
# occur once, so half of all rows would get a gradient from a single sentence. (That is why `WORDS` leaves them out,
# and `<unknown>` stands for them.)
#
# ### A bag of words is hard to beat
#
# The honest baseline first, this time as a function of your own: logistic regression on how often each word occurs.
# Two traps: what counts as a word for `CountVectorizer` unless you tell it, and which column of `predict_proba` is
# which.


# %%
def by_words(sentences, labels, new):
    """The probability that each sentence of `new` is positive, (n,), by logistic regression on counts of words.

    sentences, labels: what to learn from, m texts (words between blanks) and m numbers, 1 for positive, 0 for
    negative. The regression's C is scikit-learn's own, 1.
    """
    # BEGIN SOLUTION
    counts = CountVectorizer(token_pattern=r"\S+")
    model = make_pipeline(counts, LogisticRegression(max_iter=1000)).fit(sentences, labels)
    return model.predict_proba(new)[:, 1]
    # END SOLUTION


if real is not None:
    bag_on_dev = np.mean((by_words(real.sentence, real.label, dev.sentence) > 0.5) == dev.label)
    print(f"bag of words, on dev: {bag_on_dev:.3f}")

# %% [markdown]
# In part 2 a bag was at chance, because the reviews were made so. Nobody made these, and mostly the words alone give
# the opinion away. What is left for a network that minds the order is the rest: *not*, *but*, *if only*.
#
# ### A reader for few sentences
#
# Some seven thousand sentences are few, and a network learns them by heart in three rounds. So:
#
# * it reads twice: the **maximum over the states** of a SimpleRNN in both directions, as in part 2, and beside it the
#   **mean of the embedded words**, a bag that learns quickly. `Concatenate` puts both before one sigmoid;
# * much of it is hidden while it learns: `SpatialDropout1D(0.5)` behind the embedding, `Dropout(0.5)` before the
#   sigmoid, and a tenth of the words is replaced by `<unknown>`, so that `<unknown>` learns its trade as well.
#
# 32 dimensions and 32 units are plenty.
#
# With `vectors` the same function builds a network for later, whose embedding is ready and *frozen*: its rows are
# these, and `trainable=False`. Two things are different in it. Both dropouts are 0.3: what is frozen can't be learnt
# by heart. And `Dense(64, activation="relu")` follows the dropout on the embedding, the same for each word: in
# vectors that were made of company, praise and blame stand side by side, and a layer of its own can part them.


# %%
def build_reader(vocabulary, vectors=None):
    """A model: ids (batch, time) -> probability (batch, 1), for a vocabulary of so many tokens.

    vectors: the rows (vocabulary, d) of an Embedding that is not trained; where there are none it learns its own.
    """
    # BEGIN SOLUTION
    frozen, rate = vectors is not None, 0.5 if vectors is None else 0.3
    embedding = layers.Embedding(vocabulary, vectors.shape[1] if frozen else 32, trainable=not frozen)
    ids = keras.Input((None,), dtype="int32")
    embedded = layers.SpatialDropout1D(rate)(embedding(ids))
    if frozen:
        embedding.set_weights([vectors])
        embedded = layers.Dense(64, activation="relu")(embedded)
    states = layers.Bidirectional(layers.SimpleRNN(32, return_sequences=True))(embedded)
    heard = [layers.GlobalMaxPooling1D()(states), layers.GlobalAveragePooling1D()(embedded)]
    both = layers.Dropout(rate)(layers.Concatenate()(heard))
    return keras.Model(ids, layers.Dense(1, activation="sigmoid")(both))
    # END SOLUTION


def train_reader(model, some, epochs, learning_rate=3e-3):
    """Trains on the sentences of `some`; the accuracy on dev after each epoch. The rate falls along a cosine."""
    rng, seen = np.random.default_rng(SEED), []
    encoded = boxes(some.sentence, some.label, 64, rng, WORDS)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, epochs * len(encoded))
    model.compile(keras.optimizers.Adam(schedule, clipnorm=1.0), "binary_crossentropy")
    for _ in range(epochs):
        for place in rng.permutation(len(encoded)):
            ids, labels = encoded[place]
            model.train_on_batch(np.where(rng.random(ids.shape) < 0.1, 1, ids), labels)  # 1 is <unknown>
        seen.append(np.mean((predict(model, dev.sentence, WORDS) > 0.5) == dev.label))
    print(f"{len(some):,} sentences, on dev: " + ", ".join(f"{one:.3f}" for one in seen))
    return seen[-1]


if real is not None:
    keras.utils.set_random_seed(SEED)
    # BEGIN SOLUTION
    reader = build_reader(len(WORDS))
    train_reader(reader, real, epochs=6)
    # END SOLUTION
    reader.compile()  # forgets what the optimizer remembers: a third of the file remains
    reader.save("sst2.keras")

# %% [markdown]
# About as good as the bag, perhaps a little better: with so few real sentences, word order is worth a point or two.
# The gains of the last ten years came from elsewhere, from pre-training on billions of words. Have a taste of it.

# %%
check("sst2")

# %% [markdown]
# ### Vectors of six billion words
#
# GloVe (Pennington, Socher and Manning, 2014) is made of company alone, as your skip-gram is, but the text is all of
# Wikipedia and some years of newspapers. Copy its rows into the embedding, each to the id of its word, and freeze
# them: then only the reading is learnt. What has no vector gets zeros.


# %%
def rows_for(words, vectors):
    """For each of n words its row of `vectors` (a data frame whose index is the word), or zeros: (n, d)."""
    # BEGIN SOLUTION
    return vectors.reindex(words).fillna(0).to_numpy()
    # END SOLUTION


weat_words = fetched("glove", part="weat")  # for later; None without GloVe
if real is not None and weat_words is not None:
    glove = fetched("glove", part="vectors", words=tuple(WORDS))
    print(
        f"{len(glove):,} of {len(WORDS):,} tokens have a vector; not these: {sorted(set(WORDS) - set(glove.index))[:8]}"
    )
    glove_rows = rows_for(WORDS, glove)
    keras.utils.set_random_seed(SEED)
    # BEGIN SOLUTION
    glove_reader = build_reader(len(WORDS), glove_rows)
    train_reader(glove_reader, real, epochs=6, learning_rate=2e-3)
    # END SOLUTION
    glove_reader.save("sst2_glove.keras")

# %% [markdown]
# Back to the question of part 3, on real text: *when* do ready vectors pay? Guess before you run it: at which number
# of sentences do the two lines meet? (It takes a minute or two.)


# %%
def draw_real_curves(found):
    """The accuracy on dev by the number of labelled sentences, a line for each way."""
    figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
    for way, colour in {"trained on the fly": "#999999", "GloVe, frozen": BLUE}.items():
        axes.plot(found[found.way == way].set_index("size").accuracy, "o-", color=colour, label=way)
    axes.axhline(bag_on_dev, color="#999999", lw=0.8, ls=":")
    axes.set(xscale="log", xlabel="labelled sentences", ylabel="accuracy on dev")
    axes.set_xticks(sorted(set(found["size"])), sorted(set(found["size"])))
    axes.minorticks_off()
    axes.legend(frameon=False)


if real is not None and weat_words is not None:
    ways = {"trained on the fly": (None, 3e-3, reader), "GloVe, frozen": (glove_rows, 2e-3, glove_reader)}
    real_curves = []
    for way, (start, rate, trained) in ways.items():
        for size, epochs in ((500, 12), (2000, 10)):
            keras.utils.set_random_seed(SEED)
            some = build_reader(len(WORDS), start)
            real_curves.append((way, size, train_reader(some, real.head(size), epochs, rate)))
        on_dev = np.mean((predict(trained, dev.sentence, WORDS) > 0.5) == dev.label)
        real_curves.append((way, len(real), on_dev))
    draw_real_curves(pd.DataFrame(real_curves, columns=["way", "size", "accuracy"]))

# %% [markdown]
# Ready vectors pay where labels are few: with 500 sentences they are well ahead, for nearly every word of a new
# sentence has a place already, near its like. With all sentences the embedding that was trained on the fly has caught
# up. It learns what the task asks for, and company does not tell praise from blame.
#
# ### And what did *they* pick up?
#
# The prejudice of part 4 was planted. This one was not. Caliskan, Bryson and Narayanan (2017) took tests that
# psychologists had given to people, who link flowers with pleasant words and insects with unpleasant ones, and, less
# harmlessly, names with a skin colour, women with family and men with careers, and gave them to word vectors. You
# have written the measure. Apply it to all ten.


# %%
def effect_sizes(tests, vectors):
    """d of each test, a data frame with the columns test and d.

    tests: the rows (test, role, word), role X or Y for the targets, A or B for the attributes; vectors: a data frame
    whose index is the word. Words without a vector are left out.
    """
    # BEGIN SOLUTION
    found = []
    for test, part in tests[tests.word.isin(vectors.index)].groupby("test"):
        sets = [vectors.loc[part.word[part.role == role]].to_numpy() for role in "XYAB"]
        found.append((test, weat_effect_size(*sets)))
    return pd.DataFrame(found, columns=["test", "d"])
    # END SOLUTION


if weat_words is not None:
    weat_vectors = fetched("glove", part="vectors", words=tuple(sorted(set(weat_words.word))))
    # BEGIN SOLUTION
    effects = effect_sizes(weat_words, weat_vectors)
    # END SOLUTION
    effects.to_csv("weat_glove.csv", index=False)
    for test, part in weat_words.groupby("test"):
        names = part.drop_duplicates("role").set_index("role").name
        came = effects.set_index("test").d[test]
        said = f"{test:>2}  d {came:5.2f}, published {part.d.iloc[0]:.2f}"
        print(f"{said}   {names.X} or {names.Y}: {names.A} or {names.B}")

# %% [markdown]
# The same sign in all ten, and nearly the same size. Not the same numbers, and they should not be: the published ones
# are of vectors of 300 dimensions from 840 billion words of the web, capitals kept; yours have 100, from six billion
# words of an encyclopaedia and the news. That the two agree so far says it is no accident of one text. And
# *these* files are what people download, to sort letters, to rank answers, to read applications.

# %%
check("glove")

# %% [markdown]
# ## 5. Think
#
# Three questions without points, for you and whoever sits next to you. Write three or four sentences each before you
# turn to the course's answers, which come with the solution.

# %% [markdown]
# **1.** A bag of words scores exactly one half on the pairs, whatever it is trained on. Bigrams do better, the
# network much better. Name, for a kind of sentence of your choice, the least that a reader must remember at each
# word to judge it.
#
# BEGIN SOLUTION
# For *the movie my friend has not seen is good*: whether it is inside the relative clause or in the main clause,
# and whether a "not" of the main clause is waiting for its adjective. A "not" inside the relative clause must be
# dropped when the clause ends. Two bits, but their meaning depends on each other, so a bag or a few neighbours
# can't hold them.
# END SOLUTION

# %% [markdown]
# **2.** Pre-trained vectors are called "often a better solution" than training on the fly. When were they in your
# learning curves, when not, and why? What has the lookup of part 1, and which rows move, to do with it?
#
# BEGIN SOLUTION
# They pay where labels are few, and above all for words that never occur among the labelled sentences: their
# rows get no gradient, so an embedding trained on the fly leaves them where they were born, while the skip-gram
# has placed them near their like. With many labels every row moves often enough, and training on the fly catches
# up or wins, since it learns what the task needs and the company of words does not tell.
# END SOLUTION

# %% [markdown]
# **3.** After projection the association with gender is gone. Name two ways in which the planted shares can
# still be found in the vectors or in what is built on them.
#
# BEGIN SOLUTION
# Words that kept company with the same gender also share other company, so they still lie near each other: trades
# can be grouped by their neighbours. And a model that was trained on biased labels learns the trades by name,
# which no projection touches. Taking one direction out removes what is measured along it, not what it came from.
# END SOLUTION

# %% [markdown]
# ## 6. Say it in your own words
#
# Five questions on what an embedding is, what it learns from, and how a prejudice gets into it. None of them asks for
# code; all ask you to think of what you saw above once more, from another side. The numbers in them are yours. Put the
# number, or the letter in quotes, into the cell below each question, and run the check at the end as often as you
# like: it says where a wrong answer probably came from. The last answer is read by a person.
#
# **1.** Which rows move?

# %%
rubric.moved(STUDENT)

# %%
MOVED = 280  # SOLUTION

# %% [markdown]
# **2.** What does a cosine leave out?

# %%
rubric.stretched(STUDENT)

# %%
STRETCHED = 0.37  # SOLUTION

# %% [markdown]
# **3.** What would part them?

# %%
rubric.apart(STUDENT)

# %%
APART = "D"  # SOLUTION

# %% [markdown]
# **4.** Where does it come in?

# %%
rubric.way_in(STUDENT)

# %%
WAY_IN = "C"  # SOLUTION

# %% [markdown]
# **5.** Your university wants to sort applications with vectors like these. Which measurement of tonight would you
# ask for before it is switched on, and what exactly would it have to show? And what would make you advise against it
# *whatever* it shows? Three or four sentences.

# %% [markdown] tags=["answer:explains_what_to_measure"]
# BEGIN SOLUTION
# A swap test on the whole system, not on the vectors alone: the same applications with names, pronouns and whatever
# goes with them exchanged must get the same answers, over many applications, with the spread shown. An effect size of
# the vectors says neither how far apart two groups are nor whether it reaches anybody. I would advise against it where
# the labels it learns from are past decisions that were biased themselves: then even a system without any gendered
# direction repeats them, by way of trades, hobbies and all the other words that go with gender. And it would take
# away the person who can be asked why.
# END SOLUTION

# %%
check("concepts")

# %% [markdown]
# **Done?** Save this notebook. In a terminal, in the course's folder,
#
# ```
# python -m autograder pack embedding_sentiment assignments/embedding_sentiment
# ```
#
# makes the one file that you hand in, of this notebook and of what it saved, and checks it once more as it will arrive.
