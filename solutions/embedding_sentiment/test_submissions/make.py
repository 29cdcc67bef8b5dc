"""Makes the test submissions anew: python make.py REFERENCE [NAME]..., where REFERENCE is the folder that the reference
notebook saved its models and its vectors into, with SST-2 and GloVe fetched.

`perfect` is the whole reference. Each other test submission is the reference's functions and answers, signed with the
test submission's own name and with the numbers drawn from it, the reference's model and its vectors; then one thing
in it is wrong. The marks and the reason that the student must read are written by hand in its expected.toml.
"""

import ast
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from keras import layers

from autograder.authoring import answer_cells, read_cells, write_notebook
from autograder.core import load_module, read_course
from autograder.data import practice_data

HERE = Path(__file__).parent
MODEL, SKIPGRAM, VECTORS, PROJECTED = (
    "sentiment.keras",
    "skipgram.keras",
    "vectors.txt",
    "vectors_projected.txt",
)
REAL, REAL_GLOVE, EFFECTS = "sst2.keras", "sst2_glove.keras", "weat_glove.csv"
SOURCE = HERE.parent.joinpath("embedding_sentiment.py").read_text(encoding="utf-8")
RUBRIC = load_module(HERE.parents[2] / "assignments" / "embedding_sentiment" / "rubric.py")
answers = partial(answer_cells, SOURCE, RUBRIC)  # cells that answer a student's own questions
GRADED = (
    "lookup", "distances", "encode", "parameters", "skipgram_pairs", "glove_vectors", "kmer_tokens", "cosine",
    "association", "weat_effect_size", "permutation_p_value", "bias_direction", "project_out", "by_words",
)  # fmt: skip
IMPORTS = """import numpy as np
from itertools import combinations, product
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
"""
MISTAKES = """
def lookup(ids, matrix):
    return matrix[ids - 1]

def distances(vectors):
    return ((vectors[:, None] - vectors[None]) ** 2).sum(axis=-1)

def encode(sentence, vocabulary):
    return np.array([vocabulary.index(word) for word in sentence.split() if word in vocabulary])

def parameters():
    return 1, 2, 3, 4

def skipgram_pairs(tokens, window):
    return [(tokens[i], tokens[j]) for i in range(len(tokens)) for j in range(i + 1, min(len(tokens), i + window + 1))]

def glove_vectors(text, wanted):
    lines = [line.split(" ") for line in text.splitlines()]
    found = {parts[0]: [float(part) for part in parts[1:]] for parts in lines if len(parts) == 4}
    return np.array([found.get(word, [np.nan] * 3) for word in wanted])

def kmer_tokens(sequence, k):
    words = ["".join(letters) for letters in product("ACGT", repeat=k)]
    spans = [sequence[i : i + k] for i in range(len(sequence) - k + 1)]
    return np.array([words.index(span) + 2 for span in spans if span in words])

def association(w, A, B):
    return np.mean(A @ w) - np.mean(B @ w)

def bias_direction(pairs):
    return (pairs[:, 0] - pairs[:, 1]).mean(axis=0)

def project_out(matrix, direction):
    return matrix - np.outer(matrix @ direction, direction)

def by_words(sentences, labels, new):
    model = make_pipeline(CountVectorizer(), LogisticRegression(max_iter=1000)).fit(sentences, labels)
    return model.predict_proba(new)[:, 1]
"""
ALONE = """
def associated(words, A, B):
    return np.array([np.mean([cosine(w, a) for a in A]) - np.mean([cosine(w, b) for b in B]) for w in words])

def weat_effect_size(X, Y, A, B):
    x, y = associated(X, A, B), associated(Y, A, B)
    return (x.mean() - y.mean()) / np.concatenate([x, y]).std(ddof=1)

def permutation_p_value(X, Y, A, B):
    scores = np.concatenate([associated(X, A, B), associated(Y, A, B)])
    sums = [scores[list(split)].sum() for split in combinations(range(len(scores)), len(X))]
    return np.mean(np.array(sums) > scores[: len(X)].sum() + 1e-9)
"""
GROUPS_APART = """
def weat_effect_size(X, Y, A, B):
    x, y = [association(w, A, B) for w in X], [association(w, A, B) for w in Y]
    return (np.mean(x) - np.mean(y)) / np.sqrt((np.var(x, ddof=1) + np.var(y, ddof=1)) / 2)
"""


def perfect(folder: Path) -> None:
    """The reference's own notebook, whole."""
    (folder / "work.ipynb").unlink()
    write_notebook(folder / "embedding_sentiment.ipynb", *read_cells(SOURCE))


def guessed_concepts(folder: Path) -> None:
    """Each concept question answered with a usual mistake, the one in own words not at all."""
    write_notebook(
        folder / "work.ipynb",
        *functions(folder.name),
        *answers(folder.name, guessed=True),
    )


def usual_mistakes(folder: Path) -> None:
    """Each graded function but one with the mistake that is made most often."""
    write_notebook(
        folder / "work.ipynb",
        *functions(folder.name, MISTAKES, ALONE),
        *answers(folder.name),
    )


def weat_without_pooled_deviation(folder: Path) -> None:
    """The effect size is divided by the deviation within the two groups."""
    write_notebook(
        folder / "work.ipynb",
        *functions(folder.name, GROUPS_APART),
        *answers(folder.name),
    )


def mean_of_embeddings(folder: Path) -> None:
    """No recurrent layer: the mean of the words' vectors, a bag of words with another name."""
    model = network(layers.GlobalAveragePooling1D())
    fit(model, RUBRIC.ids, epochs=3)
    model.save(folder / MODEL, include_optimizer=False)


def last_state_only(folder: Path) -> None:
    """The network from the book: one direction, the last state, Adam as it comes."""
    model = network(layers.SimpleRNN(32))
    fit(model, RUBRIC.ids, epochs=3, rate=1e-3)
    model.save(folder / MODEL, include_optimizer=False)


def cut_at_12_words(folder: Path) -> None:
    """Only the first twelve words of each review were trained on."""
    model = reference_network()
    fit(model, lambda sentences: [one[:12] for one in RUBRIC.ids(sentences)], epochs=8)
    model.save(folder / MODEL, include_optimizer=False)


def padded_behind_without_mask(folder: Path) -> None:
    """Reviews were filled up with zeros to 40 words: the last state has read nothing else for a while."""
    model = network(layers.SimpleRNN(32))
    fit(
        model,
        lambda sentences: [np.pad(one, (0, 40 - len(one))) for one in RUBRIC.ids(sentences)],
        epochs=3,
    )
    model.save(folder / MODEL, include_optimizer=False)


def vocabulary_off_by_one(folder: Path) -> None:
    """Ids were counted without the padding: every word has the vector of the one before it."""
    model = keras.saving.load_model(folder / MODEL)
    matrix, *rest = model.get_weights()
    model.set_weights([np.roll(matrix, -1, axis=0), *rest])
    model.save(folder / MODEL)


def trained_on_1000(folder: Path) -> None:
    """Only the first thousand reviews were trained on."""
    model = reference_network()
    fit(model, RUBRIC.ids, epochs=25, first=1000)
    model.save(folder / MODEL, include_optimizer=False)


def vectors_shuffled(folder: Path) -> None:
    """The rows went to the wrong words, but for the men's and women's words."""
    words, vectors = read_vectors(folder / VECTORS)
    kept = np.isin(words, RUBRIC.MEN + RUBRIC.WOMEN)
    vectors[~kept] = np.random.default_rng(0).permutation(vectors[~kept])
    place = {word: row for row, word in enumerate(words)}
    men, women = ([place[word] for word in some] for some in (RUBRIC.MEN, RUBRIC.WOMEN))
    direction = (vectors[men] - vectors[women]).mean(axis=0)
    unit = direction / np.linalg.norm(direction)
    write_vectors(folder / VECTORS, words, vectors)
    write_vectors(folder / PROJECTED, words, vectors - np.outer(vectors @ unit, unit))


def not_debiased(folder: Path) -> None:
    """The same vectors were handed in twice."""
    shutil.copy(folder / VECTORS, folder / PROJECTED)


def nothing_but_the_notebook(folder: Path) -> None:
    """The models and the vectors were forgotten."""
    for name in (MODEL, SKIPGRAM, VECTORS, PROJECTED):
        (folder / name).unlink()


def guessed_real_sentences(folder: Path) -> None:
    """A reader of SST-2 that has learnt from labels that were dealt at random; effect sizes with X and Y exchanged."""
    data = fetched("sst2", part="train")
    data["label"] = np.random.default_rng(0).permutation(data.label)
    words = RUBRIC.word_list(data.sentence)
    model = network(layers.SimpleRNN(4), tokens=len(words), size=4)
    fit(model, lambda sentences: RUBRIC.real_ids(list(sentences), words), epochs=1, data=data)
    model.compile()  # forgets what the optimizer remembers
    model.save(folder / REAL)
    lists = fetched("glove", part="weat").replace({"role": {"X": "Y", "Y": "X"}})
    vectors = fetched("glove", part="vectors", words=tuple(sorted(set(lists.word))))
    swapped = pd.Series(RUBRIC.real_effects(lists, vectors), name="d").rename_axis("test")
    swapped.to_csv(folder / EFFECTS)


def glove_in_name_only(folder: Path) -> None:
    """An embedding of GloVe's size that was never GloVe's: a quarter, or minus a quarter, by lot."""
    words = RUBRIC.word_list(fetched("sst2", part="train").sentence)
    model = network(layers.SimpleRNN(4), tokens=len(words), size=100)
    model.layers[0].set_weights([np.random.default_rng(0).choice([-0.25, 0.25], (len(words), 100))])
    model.save(folder / REAL_GLOVE)


TEST_SUBMISSIONS = (
    perfect, guessed_concepts, usual_mistakes, weat_without_pooled_deviation, mean_of_embeddings, last_state_only,
    cut_at_12_words, padded_behind_without_mask, vocabulary_off_by_one, trained_on_1000, vectors_shuffled, not_debiased,
    nothing_but_the_notebook, guessed_real_sentences, glove_in_name_only,
)  # fmt: skip


def main(reference: Path, *names: str) -> None:
    """Writes the test submissions named, or all."""
    for make in [make for make in TEST_SUBMISSIONS if not names or make.__name__ in names]:
        folder = HERE / make.__name__
        folder.mkdir(exist_ok=True)
        for name in (MODEL, SKIPGRAM):  # without the optimizer
            keras.saving.load_model(reference / name, compile=False).save(folder / name)
        optional = (REAL, REAL_GLOVE, EFFECTS) if make is perfect else ()
        for name in (VECTORS, PROJECTED, *optional):
            shutil.copy(reference / name, folder / name)
        write_notebook(folder / "work.ipynb", *functions(folder.name), *answers(folder.name))
        keras.utils.set_random_seed(1)
        make(folder)
        print(make.__name__)


def fetched(dataset: str, **options) -> pd.DataFrame:
    """Rows of a data set that must have been fetched."""
    return practice_data(read_course(HERE.parents[2])).draw(dataset, options)


def functions(student: str, *changed: str) -> list[str]:
    """Cells: the signature, the imports, and each graded function of the reference, those `changed` in its place."""
    words, size, units = RUBRIC.network_sizes(student)
    counts = words * size, units * (size + units + 1), units + 1, units * (words + units + 1)
    tree = ast.parse("\n".join(cell.source for cell in read_cells(SOURCE) if cell.kind == "code"))
    found = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    graded = {name: ast.unparse(found[name]) for name in GRADED}
    for source in (f"def parameters():\n    return {counts}", *changed):
        graded |= {node.name: ast.unparse(node) for node in ast.parse(source).body}
    return [f'STUDENT = "{student}"', IMPORTS, *graded.values()]


def reference_network() -> keras.Model:
    recurrent = layers.Bidirectional(layers.SimpleRNN(32, return_sequences=True))
    return network(layers.SpatialDropout1D(0.3), recurrent, layers.GlobalMaxPooling1D())


def network(*hidden: layers.Layer, tokens: int = 0, size: int = 32) -> keras.Model:
    """Token ids (batch, time), an embedding, the hidden layers, one probability; tokens: else those of the reviews."""
    embedding = layers.Embedding(tokens or len(RUBRIC.vocabulary()), size)
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            embedding,
            *hidden,
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def fit(
    model: keras.Model,
    encode: Callable,
    epochs: int,
    rate: float = 3e-3,
    first: int | None = None,
    data: pd.DataFrame | None = None,
) -> None:
    """Trains on the (first) reviews of train.csv or of other data, encoded in some way, in batches of equal length."""
    data = (RUBRIC.reviews("train") if data is None else data)[:first]
    inputs, labels = encode(data.sentence), data.label.to_numpy("float32")[:, None]
    lengths, rng = np.array([len(one) for one in inputs]), np.random.default_rng(1)
    groups = [rng.permutation(np.flatnonzero(lengths == length)) for length in np.unique(lengths)]
    batches = [part for rows in groups for part in np.array_split(rows, -(-len(rows) // 32))]
    schedule = keras.optimizers.schedules.CosineDecay(rate, epochs * len(batches))
    model.compile(keras.optimizers.Adam(schedule, clipnorm=1.0), "binary_crossentropy")
    for _ in range(epochs):
        for place in rng.permutation(len(batches)):
            rows = batches[place]
            model.train_on_batch(np.stack([inputs[row] for row in rows]), labels[rows])


def read_vectors(path: Path) -> tuple[list[str], np.ndarray]:
    rows = [line.split(" ") for line in path.read_text(encoding="utf-8").splitlines()]
    return [word for word, *_ in rows], np.array([numbers for _, *numbers in rows], dtype=float)


def write_vectors(path: Path, words: list[str], vectors: np.ndarray) -> None:
    lines = (
        f"{word} " + " ".join(f"{value:.6f}" for value in row)
        for word, row in zip(words, vectors, strict=True)
    )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
