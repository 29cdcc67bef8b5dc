"""Makes the models of the test submissions anew: python make.py REFERENCE [NAME]..., where REFERENCE is the folder
that the reference notebook saved its models into.

Each function below is one test submission: it starts from the reference's three models (those on real DNA also from
its fourth, and they need the data set `splice`, which has to be fetched), with a notebook of the functions that are
graded and of right answers, signed with the test submission's own name, and makes one mistake; `perfect` is the whole
reference. The marks that each is known to earn are written by hand in its expected.toml, with the reason the student
must read.
"""

import ast
import io
import sys
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from keras import layers

from autograder.authoring import answer_cells, read_cells, write_notebook
from autograder.core import load_module
from autograder.data import load_maker

HERE = Path(__file__).parent
DATASETS = HERE.parents[2] / "datasets"
FAMILY, ORDER, MOTIF, SPLICE = "dna_family.keras", "dna_order.keras", "motif.keras", "splice.keras"
NOTEBOOK = "work.ipynb"
SOURCE = HERE.parent.joinpath("dna_simple_rnn.py").read_text(encoding="utf-8")
RUBRIC = load_module(HERE.parents[2] / "assignments" / "dna_simple_rnn" / "rubric.py")
answers = partial(answer_cells, SOURCE, RUBRIC)  # cells that answer a student's own questions
GRADED = "one_hot", "states", "base_counts", "kmer_counts", "majority_accuracy"
OPTIONAL = "soft_one_hot", "soft_boxes", "place_regression"
IMPORTS = """import numpy as np
from itertools import product
from sklearn.feature_extraction.text import CountVectorizer

BASES = "ACGT"
"""
MISTAKES = """
def one_hot(sequence):
    return np.eye(4, dtype="float32")[["ATGC".index(base) for base in sequence]]

def states(x, kernel, recurrent, bias):
    return np.tanh(x @ kernel + bias)

def base_counts(sequences):
    return np.array([[sequence.count(base) / len(sequence) for base in BASES] for sequence in sequences])

def kmer_counts(sequences, k):
    words = ["".join(letters) for letters in product(BASES, repeat=k)]
    return np.array([[sequence.count(word) for word in words] for sequence in sequences])

def majority_accuracy(train_labels, test_labels):
    return np.mean(np.asarray(test_labels) == np.bincount(test_labels).argmax())

def place_regression(sequences, labels, new_sequences, C):
    from sklearn.linear_model import LogisticRegression
    old, new = ([[sequence.count(base) for base in BASES] for sequence in part] for part in (sequences, new_sequences))
    return LogisticRegression(C=C, max_iter=3000).fit(old, labels).predict_proba(new)
"""


def perfect(folder: Path) -> None:
    """The reference's own notebook and models."""
    (folder / NOTEBOOK).unlink()
    write_notebook(folder / "dna_simple_rnn.ipynb", *read_cells(SOURCE))


def guessed_concepts(folder: Path) -> None:
    """Each concept question answered with a usual mistake, the one in own words not at all."""
    write_notebook(folder / NOTEBOOK, *work(folder.name), *answers(folder.name, guessed=True))


def no_notebook(folder: Path) -> None:
    """The models were handed in and the notebook was forgotten."""
    (folder / NOTEBOOK).unlink()


def usual_mistakes(folder: Path) -> None:
    """Each graded function with the mistake that is made most often; not signed, and no question answered."""
    write_notebook(folder / NOTEBOOK, IMPORTS, MISTAKES)


def variable_from_elsewhere(folder: Path) -> None:
    """one_hot leans on a variable that training leaves behind; a later cell can't be read as Python."""
    functions = graded_functions().replace("BASES.index(base)", "positions[base]", 1)
    loose = "def number(bases):\n    return {base: bases.index(base) for base in bases}\n\npositions = number(BASES)"
    write_notebook(folder / NOTEBOOK, IMPORTS, loose, functions, "print('done'")


def no_model(folder: Path) -> None:
    """The notebook was handed in and the models were forgotten."""
    for name in (FAMILY, ORDER, MOTIF):
        (folder / name).unlink()


def untrained(folder: Path) -> None:
    """The right layers with the weights they were born with."""
    for name in (FAMILY, ORDER, MOTIF):
        network(layers.SimpleRNN(16)).save(folder / name)


def padding_without_a_mask(folder: Path) -> None:
    """Short sequences were filled up with zeros behind, and nothing told the network to skip them."""
    for name, data in ((FAMILY, "dna_family"), (ORDER, "dna_order")):
        model = network(layers.SimpleRNN(16))
        sequences, labels = training_data(data)
        fit(model, padded(sequences), labels, epochs=30)
        model.save(folder / name, include_optimizer=False)


def stopped_early(folder: Path) -> None:
    """Every training was cut short: each item earns a part of its points."""
    keras.utils.set_random_seed(3)  # with which every measure lands between its zero and its full marks
    for name, data, epochs in ((FAMILY, "dna_family", 2), (ORDER, "dna_order", 3)):
        model = network(layers.Masking(0.0), layers.SimpleRNN(16))
        sequences, labels = training_data(data)
        fit(model, padded(sequences), labels, epochs)
        model.save(folder / name, include_optimizer=False)
    sequences, labels = training_data("motif")
    model = network(
        layers.Bidirectional(layers.SimpleRNN(16, return_sequences=True)), layers.GlobalMaxPooling1D()
    )
    for length in 2 * sorted(sequences.str.len().unique()):
        chosen = sequences.str.len() == length
        fit(model, padded(sequences[chosen]), labels[chosen], epochs=1)
    model.save(folder / MOTIF, include_optimizer=False)


def flags_that_sag(folder: Path) -> None:
    """Told the flags at every step, but never shaken: the memory holds for 50 bases and sags before 200."""
    sequences, _ = training_data("dna_family")
    x = padded(sequences)
    seen = x[:, :, 2].cumsum(axis=1)
    flags = np.stack([seen >= 1, seen >= 2, seen >= 3], axis=-1).astype("float32")
    stepwise = network(
        layers.Masking(0.0),
        layers.SimpleRNN(16, return_sequences=True),
        head=layers.Dense(3, activation="sigmoid"),
    )
    fit(stepwise, x, flags, epochs=30)
    *recurrent, kernel, bias = stepwise.get_weights()
    model = network(layers.SimpleRNN(16))
    model.set_weights([*recurrent, kernel[:, 2:], bias[2:]])
    model.save(folder / FAMILY)


def last_state_only(folder: Path) -> None:
    """The motif model reads one strand in one direction and hands on its last state."""
    sequences, labels = training_data("motif")
    model = network(layers.Masking(0.0), layers.SimpleRNN(32))
    fit(model, padded(sequences), labels, epochs=8)
    model.save(folder / MOTIF, include_optimizer=False)


def bases_in_another_order(folder: Path) -> None:
    """Trained on one-hot bases in the order A, G, C, T: right ideas, wrong contract."""
    for name in (FAMILY, ORDER, MOTIF):
        model = keras.saving.load_model(folder / name)
        weights = model.get_weights()
        model.set_weights([weight[[0, 2, 1, 3]] if weight.shape[0] == 4 else weight for weight in weights])
        model.save(folder / name)


def fixed_length_input(folder: Path) -> None:
    """The input layer names the longest training sequence: 20 bases and no other number."""
    reference = keras.saving.load_model(folder / FAMILY)
    model = keras.Sequential(
        [
            keras.Input((20, 4)),
            *[layer.__class__.from_config(layer.get_config()) for layer in reference.layers],
        ]
    )
    model.set_weights(reference.get_weights())
    model.save(folder / FAMILY)


def lstm_in_place_of_simple_rnn(folder: Path) -> None:
    """An LSTM, which the next lecture brings, in place of a SimpleRNN."""
    network(layers.LSTM(8)).save(folder / FAMILY)


def convolution(folder: Path) -> None:
    """A one-dimensional convolution finds the motif as well, and remembers nothing."""
    network(layers.Conv1D(16, 10, padding="same", activation="relu"), layers.GlobalMaxPooling1D()).save(
        folder / MOTIF
    )


def lambda_layer(folder: Path) -> None:
    """Code inside a model file: the grader never runs it."""
    network(layers.SimpleRNN(16), layers.Lambda(lambda state: state * 2)).save(folder / ORDER)


def one_output_a_step(folder: Path) -> None:
    """return_sequences=True on the last recurrent layer: a probability for each base."""
    network(layers.SimpleRNN(16, return_sequences=True)).save(folder / FAMILY)


def two_outputs(folder: Path) -> None:
    """Two classes with softmax where one probability is asked for."""
    network(layers.SimpleRNN(16), head=layers.Dense(2, activation="softmax")).save(folder / ORDER)


def logits(folder: Path) -> None:
    """No sigmoid at the end: any number comes out, not a probability."""
    reference = keras.saving.load_model(folder / FAMILY)
    model = network(layers.SimpleRNN(reference.layers[0].units), head=layers.Dense(1))
    model.set_weights(reference.get_weights())
    model.save(folder / FAMILY)


def too_many_parameters(folder: Path) -> None:
    """A state of 64 units where 2,500 parameters are allowed."""
    network(layers.SimpleRNN(64)).save(folder / MOTIF)


def nan_weights(folder: Path) -> None:
    """The loss diverged and nobody looked."""
    model = keras.saving.load_model(folder / FAMILY)
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    model.save(folder / FAMILY)


def truncated_file(folder: Path) -> None:
    """The upload broke off in the middle."""
    content = (folder / MOTIF).read_bytes()
    (folder / MOTIF).write_bytes(content[: len(content) // 2])


def text_renamed(folder: Path) -> None:
    """A text file with the name of a model."""
    (folder / FAMILY).write_text("My model had 99 % accuracy, but it did not save.\n")


def legacy_h5_renamed(folder: Path) -> None:
    """Saved in the format of Keras 2 and renamed."""
    keras.saving.load_model(folder / ORDER).save(folder / "old.h5")
    (folder / "old.h5").replace(folder / ORDER)


def old_keras(folder: Path) -> None:
    """The file says that Keras 3.0 wrote it."""
    rewrite(folder / FAMILY, "metadata.json", lambda text: text.replace(keras.__version__, "3.0.5"))


def billion_units(folder: Path) -> None:
    """A file that asks for 10^9 units: a few bytes that would take exabytes of memory."""
    units = keras.saving.load_model(folder / FAMILY).layers[0].units
    rewrite(
        folder / FAMILY, "config.json", lambda text: text.replace(f'"units": {units}', '"units": 1000000000')
    )


def splice_one_reader(folder: Path) -> None:
    """Real DNA: one SimpleRNN reads past the junction to the end, and answers from what it still knows there."""
    write_with_regression(folder)
    data = load_maker(DATASETS / "splice")(seed=0, part="train")
    encoded = dict(zip("ACGT", np.eye(4), strict=True))
    x = np.array([[encoded.get(letter, [0.25] * 4) for letter in sequence] for sequence in data.sequence])
    model = network(layers.SimpleRNN(44), layers.Dropout(0.5), head=layers.Dense(3, activation="softmax"))
    falling = keras.optimizers.schedules.CosineDecay(0.003, 40 * -(-len(x) // 64))
    model.compile(keras.optimizers.Adam(falling, clipnorm=1.0), "sparse_categorical_crossentropy")
    model.fit(x, data.label.map(["EI", "IE", "N"].index).to_numpy(), batch_size=64, epochs=40, verbose=0)
    model.save(folder / SPLICE, include_optimizer=False)


def splice_in_another_order(folder: Path) -> None:
    """Real DNA: the model's answers are in the order N, EI, IE, and place_regression leaves C as it is."""
    write_with_regression(folder, "C=C, ")
    model = keras.saving.load_model(folder / SPLICE)
    *weights, kernel, bias = model.get_weights()
    model.set_weights([*weights, kernel[:, [2, 0, 1]], bias[[2, 0, 1]]])
    model.save(folder / SPLICE)


TEST_SUBMISSIONS = (
    perfect, guessed_concepts, no_model, no_notebook, usual_mistakes, variable_from_elsewhere, untrained,
    padding_without_a_mask, stopped_early, flags_that_sag, last_state_only, bases_in_another_order, fixed_length_input,
    lstm_in_place_of_simple_rnn, convolution, lambda_layer, one_output_a_step, two_outputs, logits,
    too_many_parameters, nan_weights, truncated_file, text_renamed, legacy_h5_renamed, old_keras, billion_units,
    splice_one_reader, splice_in_another_order,
)  # fmt: skip
ON_REAL_DNA = perfect, splice_one_reader, splice_in_another_order


def main(reference: Path, *names: str) -> None:
    """Writes the test submissions named, or all; models that one does not change are the reference's."""
    for make in [make for make in TEST_SUBMISSIONS if not names or make.__name__ in names]:
        folder = HERE / make.__name__
        folder.mkdir(exist_ok=True)
        for name in (FAMILY, ORDER, MOTIF, *[SPLICE] * (make in ON_REAL_DNA)):
            model = keras.saving.load_model(reference / name, compile=False)  # without the optimizer: smaller
            model.save(folder / name)
        write_notebook(folder / NOTEBOOK, *work(folder.name), *answers(folder.name))
        keras.utils.set_random_seed(1)
        make(folder)
        print(make.__name__)


def graded_functions(names: tuple[str, ...] = GRADED) -> str:
    """The source of the functions that the rubric calls, out of the reference."""
    tree = ast.parse("".join(cell.source + "\n" for cell in read_cells(SOURCE) if cell.kind == "code"))
    found = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in names)
    return "\n\n".join(ast.unparse(node) for node in found)


def work(student: str) -> list[str]:
    """Cells: the signature, the imports and the functions that the rubric calls."""
    return [f'STUDENT = "{student}"', IMPORTS, graded_functions()]


def write_with_regression(folder: Path, left_out: str = "") -> None:
    """The notebook of one that did the section on real DNA; left_out: what is missing in its functions."""
    functions = graded_functions(OPTIONAL).replace(left_out, "", 1)
    imports = "from sklearn.linear_model import LogisticRegression"
    write_notebook(folder / NOTEBOOK, *work(folder.name), imports, functions, *answers(folder.name))


def network(*hidden: layers.Layer, head: layers.Layer | None = None) -> keras.Model:
    """One-hot bases `(batch, time, 4)`, the hidden layers, one probability."""
    return keras.Sequential([keras.Input((None, 4)), *hidden, head or layers.Dense(1, activation="sigmoid")])


def training_data(name: str) -> tuple[pd.Series, np.ndarray]:
    table = pd.read_csv(DATASETS / name / "train.csv")
    return table.sequence, table.label.to_numpy(dtype="float32")


def padded(sequences: pd.Series) -> np.ndarray:
    """One-hot `(n, longest, 4)`, zeros behind the end of each sequence."""
    x = np.zeros((len(sequences), sequences.str.len().max(), 4), "float32")
    for row, sequence in zip(x, sequences, strict=True):
        row[range(len(sequence)), ["ACGT".index(base) for base in sequence]] = 1
    return x


def fit(model: keras.Model, x: np.ndarray, y: np.ndarray, epochs: int) -> None:
    model.compile(keras.optimizers.Adam(0.003, clipnorm=1.0), "binary_crossentropy")
    model.fit(x, y, batch_size=128, epochs=epochs, verbose=0)


def rewrite(path: Path, entry: str, change: Callable[[str], str]) -> None:
    """Changes one text entry of a `.keras` archive and leaves the others as they are."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    changed = change(contents[entry].decode())
    if changed == contents[entry].decode():
        raise ValueError(f"nothing to change in {entry} of {path}")
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in (contents | {entry: changed.encode()}).items():
            archive.writestr(name, content)
    path.write_bytes(whole.getvalue())


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
