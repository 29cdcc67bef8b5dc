"""Makes the test submissions anew: python make.py REFERENCE [NAME]..., where REFERENCE is the folder that the reference
notebook saved its models into.

`perfect` is the whole reference. Each other test submission is a notebook of the reference's graded functions and
answers, signed with the test submission's own name, and the reference's seven models; then one thing in it is wrong.
Bad models are built and trained by the reference's own functions, from which they differ in the mistake alone. The
marks and the words that the student must read are written by hand in its expected.toml.
"""

import ast
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
from keras import layers

from autograder.authoring import answer_cells, read_cells, write_notebook
from autograder.core import load_module

HERE = Path(__file__).parent
SOURCE = HERE.parent.joinpath("sequence_types.py").read_text(encoding="utf-8")
RUBRIC = load_module(HERE.parents[2] / "assignments" / "sequence_types" / "rubric.py")
answers = partial(answer_cells, SOURCE, RUBRIC)  # cells that answer a student's own questions
DATASETS = RUBRIC.DATASETS
MODELS = ("codon", "frames", "aligned", "encoder_decoder", "generator", "completion", "forecast")
IMPORTS = """import keras
import numpy as np
from keras import layers
"""
GRADED = (
    "tape", "kinds_of_mine", "known_at", "masked_loss", "aligned_targets", "decoder_tokens", "draw", "bits",
    "context_needed", "baselines",
)  # fmt: skip
MISTAKES = """
def tape(kind, reads, writes):
    if kind.endswith("delayed"):
        return np.ones((2, reads))
    return np.array([[1] * reads + [0] * writes, [0] * reads + [1] * writes])

def kinds_of_mine():
    return 2, 2, 2, 2, 2

def known_at(sequence):
    known, here = np.arange(len(sequence)), sequence.find("ATG")
    while here >= 0:
        places = range(here + 3, len(sequence) - 2)
        stop = next((i for i in places if sequence[i : i + 3] in ("TAA", "TAG", "TGA")), None)
        if stop is None:
            known[here:] = len(sequence)
            break
        known[here : stop + 3] = stop + 2
        here = sequence.find("ATG", stop + 3)
    return known

def masked_loss(labels, probabilities, lengths):
    return -np.log(np.where(labels == 1, probabilities, 1 - probabilities)).mean()

def aligned_targets(classes):
    return np.repeat(classes, 3), np.tile([1.0, 0.0, 0.0], len(classes))

def decoder_tokens(tokens, start):
    return tokens, tokens

def draw(probabilities, temperature, uniform):
    return probabilities.argmax(axis=1)

def bits(probabilities, tokens):
    return -np.log(probabilities[np.arange(len(probabilities)), tokens[1:]]).sum()

def context_needed(word):
    for k in range(len(word)):
        before = word[max(0, len(word) - 1 - k) : -1]
        if len({word[i] for i in range(1, len(word)) if word[max(0, i - k) : i] == before}) <= 1:
            return k
    return 0

def baselines(history, period, horizon):
    return np.full(horizon, history[-1]), history[:period][np.arange(horizon) % period]
"""


def perfect(folder: Path) -> None:
    """The reference's own notebook and models."""
    write_notebook(folder / "sequence_types.ipynb", *read_cells(SOURCE))


def usual_mistakes(folder: Path) -> None:
    """Each graded function with the mistake that is made most often."""
    work(folder, MISTAKES)


def guessed_concepts(folder: Path) -> None:
    """Each question answered with a usual mistake, the one in own words not at all."""
    write_notebook(
        folder / "work.ipynb",
        *definitions(folder.name),
        *answers(folder.name, guessed=True),
    )


def nothing_but_the_notebook(folder: Path) -> None:
    """The models were forgotten."""
    for name in MODELS:
        (folder / f"{name}.keras").unlink()


def untrained(folder: Path) -> None:
    """The right layers, with the weights that they were born with."""
    for name in MODELS:
        model = keras.saving.load_model(folder / f"{name}.keras")
        save(keras.models.clone_model(model), folder, name)


def stopped_early(folder: Path) -> None:
    """Every training was cut short: what is learnt late earns a part of its points."""
    codon = ref.codon_network(32)
    codes = np.stack(RUBRIC.one_hot(list(RUBRIC.genetic_code()))).reshape(64, 12)
    right = np.array([RUBRIC.RESIDUES.index(residue) for residue in RUBRIC.genetic_code().values()])
    ref.learn_by_heart(codon, codes, right, updates=9)
    save(codon, folder, "codon")
    tagger = ref.tagger(layers.Bidirectional(layers.GRU(48, return_sequences=True)))
    ref.fit_tagger(tagger, 20_000, 2)
    save(tagger, folder, "frames")
    aligned, (genes, labels, weights) = ref.aligned_network(), ref.aligned_data(train("translation"))
    fit(aligned, genes, labels, weights, epochs=3)
    save(aligned, folder, "aligned")
    fit_decoder(decoder := ref.encoder_decoder_network(64), updates=500)
    save(decoder, folder, "encoder_decoder")
    fit(generator := ref.generator(80), *ref.inputs_and_targets(generator_rows()), epochs=17)
    save(generator, folder, "generator")
    save(fitted_completer(epochs=3), folder, "completion")
    save(fitted_forecaster(epochs=6), folder, "forecast")


def unidirectional(folder: Path) -> None:
    """A tagger that reads from left to right alone: it bets on each stop."""
    tagger = ref.tagger(layers.GRU(48, return_sequences=True))
    ref.fit_tagger(tagger, 20_000, 2)
    save(tagger, folder, "frames")


def padding_counted(folder: Path) -> None:
    """The loss counts padding as bases with the label 0."""
    work(folder, only(MISTAKES, "masked_loss"))


def asked_at_the_first_base(folder: Path) -> None:
    """The aligned network had to answer at the first base of each codon, before the others are read."""
    work(folder, only(MISTAKES, "aligned_targets"))
    aligned, (genes, labels, weights) = ref.aligned_network(), ref.aligned_data(train("translation"))
    fit(aligned, genes, labels, np.roll(weights, -2, axis=1), epochs=6)
    save(aligned, folder, "aligned")


def shift_forgotten(folder: Path) -> None:
    """Inputs equal targets, in the function and in both networks that write: they learnt to copy what they get."""
    work(folder, only(MISTAKES, "decoder_tokens"))
    fit_decoder(decoder := ref.encoder_decoder_network(64), updates=200, shifted=False)
    save(decoder, folder, "encoder_decoder")
    rows = generator_rows()
    fit(generator := ref.generator(80), rows, rows, epochs=3)
    save(generator, folder, "generator")


def state_not_handed_on(folder: Path) -> None:
    """The decoder starts from zeros: it writes proteins without having seen the gene."""
    gene, so_far = keras.Input((None, 4)), keras.Input((None,), dtype="int32")
    state = layers.GRU(64, go_backwards=True)(layers.Masking()(layers.Reshape((-1, 12))(gene)))
    said = layers.GRU(64, return_sequences=True)(layers.Embedding(23, 16)(so_far))
    loose = layers.Rescaling(0.0)(layers.RepeatVector(1)(state))  # the gene is read, and adds nothing
    answer = layers.Dense(21, activation="softmax")(layers.Add()([said, loose]))
    fit_decoder(decoder := keras.Model([gene, so_far], answer), updates=200)
    save(decoder, folder, "encoder_decoder")


def softmax_twice(folder: Path) -> None:
    """A Dense layer with a softmax, and a Softmax layer behind it: nothing gets beyond a quarter."""
    generator = keras.Sequential([*ref.generator(80).layers, layers.Softmax()])
    generator.build((None, None))
    fit(generator, *ref.inputs_and_targets(generator_rows()), epochs=3)
    save(generator, folder, "generator")


def argmax_sampler(folder: Path) -> None:
    """The likeliest token each time: no chance, and one sequence for ever."""
    work(folder, only(MISTAKES, "draw"))


def memorising(folder: Path) -> None:
    """Trained on thirty sequences until it knows them by heart."""
    fit(generator := ref.generator(80), *ref.inputs_and_targets(generator_rows()[:30]), epochs=600)
    save(generator, folder, "generator")


def last_word_only(folder: Path) -> None:
    """The completer's state forgets all but the last word: its recurrent kernel is 0."""
    completer = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(len(RUBRIC.vocabulary()), 16, mask_zero=True),
            recurrent := layers.SimpleRNN(32),
            layers.Dense(len(RUBRIC.vocabulary()), activation="softmax"),
        ]
    )
    data = train("completion")
    last = np.array([RUBRIC.word_tokens(sentence)[-1:] for sentence in data.sentence])
    fit(completer, last, data.word.map(RUBRIC.vocabulary().index).to_numpy(), epochs=5)
    kernel, _, bias = recurrent.get_weights()
    recurrent.set_weights([kernel, np.zeros((32, 32)), bias])
    save(completer, folder, "completion")


def last_value_in_disguise(folder: Path) -> None:
    """A SimpleRNN whose weights hand on the last value twelve times."""
    recurrent = layers.SimpleRNN(1, activation="linear")
    model = keras.Sequential([keras.Input((None, 1)), recurrent, layers.Dense(12)])
    model.set_weights([np.ones((1, 1)), np.zeros((1, 1)), np.zeros(1), np.ones((1, 12)), np.zeros(12)])
    save(model, folder, "forecast")


TEST_SUBMISSIONS = (
    perfect, usual_mistakes, guessed_concepts, nothing_but_the_notebook, untrained, stopped_early, unidirectional,
    padding_counted, asked_at_the_first_base, shift_forgotten, state_not_handed_on, softmax_twice, argmax_sampler,
    memorising, last_word_only, last_value_in_disguise,
)  # fmt: skip


def main(reference: Path, *names: str) -> None:
    """Writes the test submissions named, or all."""
    models = {name: keras.saving.load_model(reference / f"{name}.keras", compile=False) for name in MODELS}
    for make in [make for make in TEST_SUBMISSIONS if not names or make.__name__ in names]:
        folder = HERE / make.__name__
        folder.mkdir(exist_ok=True)
        for name, model in models.items():
            save(model, folder, name)
        if make is not perfect:
            work(folder)
        keras.utils.set_random_seed(1)
        make(folder)
        print(make.__name__, flush=True)


def work(folder: Path, *changed: str) -> None:
    """The notebook: signature, functions, those `changed` in place of the reference's, and right answers."""
    write_notebook(folder / "work.ipynb", *definitions(folder.name, *changed), *answers(folder.name))


def definitions(student: str, *changed: str) -> list[str]:
    """Cells: the signature, the imports, and each graded function of the reference, those `changed` in its place."""
    found = functions()
    graded = {name: ast.unparse(found[name]) for name in GRADED}
    mine = [RUBRIC.TASKS[task] for task in RUBRIC.tasks(student)]
    for source in (f"def kinds_of_mine():\n    return {mine}", *changed):
        graded |= {node.name: ast.unparse(node) for node in ast.parse(source).body}
    return [f'STUDENT = "{student}"', IMPORTS, *graded.values()]


def only(source: str, name: str) -> str:
    """One function of several."""
    return next(ast.unparse(node) for node in ast.parse(source).body if node.name == name)


def functions() -> dict[str, ast.FunctionDef]:
    """The functions of the reference."""
    tree = ast.parse("\n".join(cell.source for cell in read_cells(SOURCE) if cell.kind == "code"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def reference_functions() -> SimpleNamespace:
    """The same, to be called; the notebook's constants stand around them."""
    names = {"keras": keras, "layers": layers, "np": np, "pd": pd, "rubric": RUBRIC, "SEED": 1}
    names |= {"START": RUBRIC.START, "RESIDUES": RUBRIC.RESIDUES, "reads": process("reading_frames")}
    exec("\n\n".join(map(ast.unparse, functions().values())), names)
    return SimpleNamespace(**names)


def process(dataset: str):
    return load_module(DATASETS / dataset / "generate.py")


def train(dataset: str) -> pd.DataFrame:
    return pd.read_csv(DATASETS / dataset / "train.csv")


def fit(model: keras.Model, x, y: np.ndarray, weights: np.ndarray | None = None, epochs: int = 1) -> None:
    """Adam, clipped, with a constant rate; targets that are padding don't count where they are tokens."""
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=0 if weights is None else None)
    model.compile(keras.optimizers.Adam(0.005, clipnorm=1.0), loss)
    model.fit(x, y, sample_weight=weights, batch_size=64, epochs=epochs, verbose=0)


def fit_decoder(model: keras.Model, updates: int, shifted: bool = True) -> None:
    """Proteins of 1 to 6 residues; without the shift the decoder reads what it has to say."""
    data = process("translation").make(1, 128 * updates, (1, 6))
    (genes, inputs), targets, weights = ref.decoder_data(data)
    inputs = inputs if shifted else np.where(weights > 0, targets + 1, 0)
    model.compile(keras.optimizers.Adam(0.005, clipnorm=1.0), "sparse_categorical_crossentropy")
    model.fit([genes, inputs], targets, sample_weight=weights, batch_size=128, verbose=0)


def fitted_completer(epochs: int) -> keras.Model:
    data, model = process("completion").make(1, 10_000), ref.completer(len(RUBRIC.vocabulary()))
    fit(
        model,
        ref.word_rows(data.sentence),
        data.word.map(RUBRIC.vocabulary().index).to_numpy(),
        epochs=epochs,
    )
    return model


def fitted_forecaster(epochs: int) -> keras.Model:
    data, model = train("forecast"), ref.forecaster(64)
    history = np.stack([RUBRIC.numbers(line)[-36:, None] for line in data.history])
    model.compile(keras.optimizers.Adam(0.003, clipnorm=1.0), "mae")
    model.fit(history, np.stack(list(map(RUBRIC.numbers, data.future))), epochs=epochs, verbose=0)
    return model


def generator_rows() -> np.ndarray:
    """All rows of dna_generator's train.csv as tokens (n, longest), zeros behind the end."""
    data = train("dna_generator")
    return keras.utils.pad_sequences(
        list(map(RUBRIC.generator_tokens, data.sequence, data["class"])), padding="post"
    )


def save(model: keras.Model, folder: Path, name: str) -> None:
    """Without the optimizer: smaller."""
    model.save(folder / f"{name}.keras", include_optimizer=False)


ref = reference_functions()

if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
