"""Makes the test submissions anew: python make.py REFERENCE [NAME]..., where REFERENCE is the folder that the reference
notebook wrote its trials.csv into.

`perfect` is the whole reference. Each other test submission is the reference's functions and answers, signed with the
test submission's own name and with the numbers drawn from it, and the reference's table of trials; then one thing in
it is wrong. It is wrong where it shows, and right wherever it can be, so that a proof trains little beyond what the
perfect one trains. The marks and the reason that the student must read are written by hand in its expected.toml.
"""

import ast
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from autograder.authoring import answer_cells, read_cells, write_notebook
from autograder.core import load_module
from autograder.models._training_loop import train

HERE = Path(__file__).parent
TRIALS = "trials.csv"
SOURCE = HERE.parent.joinpath("tuning.py").read_text(encoding="utf-8")
RUBRIC = load_module(HERE.parents[2] / "assignments" / "tuning" / "rubric.py")
answers = partial(answer_cells, SOURCE, RUBRIC)  # cells that answer a student's own questions
IMPORTS = """import keras
import numpy as np
from keras import layers
"""
GRADED = (
    "step_jacobians", "product_norms", "steps_until", "scaled_to_radius", "skip_jacobians", "skip_bounds",
    "slips_through", "clip_elementwise", "clip_norm", "turned_by", "clip_settings", "SkipCell", "skip_cell_step",
    "build_memory_model", "memory_settings", "build_sentiment_model", "build_motif_model", "chosen_settings",
    "standard_error", "error_of_difference", "splice_network", "splice_settings",
)  # fmt: skip
MISTAKES = """
def step_jacobians(U, states, activation):
    new = states[1:]
    slopes = {"tanh": 1 - new**2, "relu": (new > 0).astype(float), "linear": np.ones_like(new)}[activation]
    return slopes[:, :, None] * U

def product_norms(jacobians):
    norms = [1.0]
    for J in jacobians[::-1]:
        norms.append(norms[-1] * np.linalg.norm(J, 2))
    return np.array(norms[::-1])

def steps_until():
    return 1, 2, 0.5

def scaled_to_radius(U, radius):
    return U * radius / np.linalg.norm(U, 2)

def skip_jacobians(W, U, b, inputs, states, scale):
    return np.eye(len(U)) + scale * U * (1 - states[1:, None] ** 2)

def skip_bounds():
    return 0, 2

def slips_through():
    return 60

def clip_elementwise(limit, gradient):
    return np.where(gradient > limit, limit, gradient)

def clip_norm(limit, *gradients):
    norms = [np.linalg.norm(gradient) for gradient in gradients]
    return tuple(g * limit / n if n > limit else g for g, n in zip(gradients, norms))

def turned_by(gradient, clipped):
    return gradient @ clipped

def skip_cell_step(x, h, kernel, recurrent, bias, scale):
    added = scale * np.tanh(x @ kernel + h @ recurrent + bias)
    return added, added

def build_motif_model(units, dropout):
    return keras.Sequential([keras.Input((60, 4)), layers.SimpleRNN(units), layers.Dense(1, activation="sigmoid")])

def standard_error(accuracy, n):
    return accuracy * (1 - accuracy) / n

def error_of_difference(first, second):
    return np.sqrt(sum(right.mean() * (1 - right.mean()) / len(right) for right in (first, second)))
"""
TANH = """
def build_memory_model(length):
    if length != 200:
        return remedy_for(length)
    return keras.Sequential([keras.Input((length, 8)), layers.SimpleRNN(32), layers.Dense(4, activation="softmax")])
"""
IDENTITY = """
def build_memory_model(length):
    if length != 200:
        return remedy_for(length)
    recurrent = layers.SimpleRNN(32, activation="relu", recurrent_initializer="identity")
    return keras.Sequential([keras.Input((length, 8)), recurrent, layers.Dense(4, activation="softmax")])

def memory_settings(length):
    rate = 0.0015 if length < 50 else 0.001 if length <= 200 else 0.003
    return rate, 1.0, 0.0
"""
NOT_CLIPPED = """
def memory_settings(length):
    rate = 0.0015 if length < 50 else 0.001 if length <= 100 else 0.003
    return rate, 0.0 if length == 100 else 1.0, 0.0
"""
TWENTY_FIVE = """
def clip_settings():
    return 0.0, 25.0
"""
PRETRAINED = """
def build_memory_model(length):
    model = remedy_for(length)
    if length == 50:
        letters = np.random.default_rng(3).integers(0, 4, (256, length))
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(np.eye(8)[letters], letters[:, 0], epochs=2, batch_size=64, verbose=0)
    return model
"""
IGNORED = """
def build_memory_model(length):
    recurrent = layers.SimpleRNN(32, activation="relu", recurrent_initializer="identity")
    return keras.Sequential([keras.Input((50, 8)), recurrent, layers.Dense(4, activation="softmax")])
"""
ENDLESS = """
def build_memory_model(length):
    rung = length
    while rung != 50:
        rung = rung / 2
    return remedy_for(length)
"""
ONE_READER = """
def splice_network(units, dropout):
    end = [layers.Dropout(dropout), layers.Dense(3, activation="softmax")]
    return keras.Sequential([keras.Input((60, 4)), layers.SimpleRNN(units), *end])
"""
HUNGRY = """
def build_memory_model(length):
    kept = []
    while True:
        kept.append(np.zeros(2**27))
"""


def perfect(folder: Path) -> None:
    """The reference's own notebook, whole."""
    write_notebook(folder / "tuning.ipynb", *read_cells(SOURCE))


def usual_mistakes(folder: Path) -> None:
    """Graded functions with the mistake that is made most often."""
    write_notebook(folder / "work.ipynb", *definitions(folder.name, MISTAKES), *answers(folder.name))


def guessed_concepts(folder: Path) -> None:
    """Each question answered with a usual mistake, the one in own words not at all."""
    write_notebook(
        folder / "work.ipynb",
        *definitions(folder.name),
        *answers(folder.name, guessed=True),
    )


def tanh_at_200(folder: Path) -> None:
    """SimpleRNN as Keras gives it, on the rung of 200 letters."""
    work(folder, TANH)


def not_clipped_at_100(folder: Path) -> None:
    """Identity and relu, and nothing is clipped, on the rung of 100 letters."""
    work(folder, NOT_CLIPPED)


def identity_at_200(folder: Path) -> None:
    """Identity, relu and clipping, where only a skip connection reaches."""
    work(folder, IDENTITY)


def clipped_at_25(folder: Path) -> None:
    """The lecture's limit, entry by entry, in the case that explodes."""
    work(folder, TWENTY_FIVE)


def pretrained_builder(folder: Path) -> None:
    """The builder trains the model for 50 letters on data of its own."""
    work(folder, PRETRAINED)


def length_ignored(folder: Path) -> None:
    """The builder makes the same model for every length."""
    work(folder, IGNORED)


def endless_builder(folder: Path) -> None:
    """The builder halves the length until it is 50, which 40 never is: for DNA it does not return."""
    work(folder, ENDLESS)


def hungry_builder(folder: Path) -> None:
    """The builder takes all memory that it gets."""
    work(folder, HUNGRY)


def one_reader_of_real_dna(folder: Path) -> None:
    """The real sequences are read from the first letter to the last, and what counts lies in the middle."""
    work(folder, ONE_READER)


def trial_of_one_epoch(folder: Path) -> None:
    """The trial that was chosen for sentiment ran one epoch, in Keras's batches of 32: `clone` had dropped the rest."""
    trials = pd.read_csv(folder / TRIALS)
    place = trials.index[(trials.task == "sentiment") & (trials.units == 16)][-1]
    trials.loc[place, "score"] = after_one_epoch(trials.loc[place])
    trials.to_csv(folder / TRIALS, index=False)


def forged_trials(folder: Path) -> None:
    """Scores that nobody measured: a smooth hill over the logarithm of the rate."""
    trials = pd.read_csv(folder / TRIALS)
    distance = np.log10(trials.learning_rate / 0.004)
    wobble = np.random.default_rng(4).normal(0, 0.006, len(trials))
    score = 0.95 - 0.09 * distance**2 - 0.03 * trials.dropout + wobble
    trials.assign(score=score.clip(0.5, 0.99).round(3)).to_csv(folder / TRIALS, index=False)


def nothing_but_the_notebook(folder: Path) -> None:
    """The table of trials was forgotten."""
    (folder / TRIALS).unlink()


TEST_SUBMISSIONS = (
    perfect, usual_mistakes, guessed_concepts, tanh_at_200, not_clipped_at_100, identity_at_200, clipped_at_25,
    pretrained_builder, length_ignored, endless_builder, hungry_builder, one_reader_of_real_dna, trial_of_one_epoch,
    forged_trials, nothing_but_the_notebook,
)  # fmt: skip


def main(reference: Path, *names: str) -> None:
    """Writes the test submissions named, or all."""
    trials = (reference / TRIALS).read_bytes()  # the reference may be one of those that are written
    for make in [make for make in TEST_SUBMISSIONS if not names or make.__name__ in names]:
        folder = HERE / make.__name__
        folder.mkdir(exist_ok=True)
        (folder / TRIALS).write_bytes(trials)
        if make is not perfect:
            work(folder)
        make(folder)
        print(make.__name__)


def work(folder: Path, *changed: str) -> None:
    """The notebook: signature, functions, those `changed` in place of the reference's, and right answers."""
    write_notebook(folder / "work.ipynb", *definitions(folder.name, *changed), *answers(folder.name))


def definitions(student: str, *changed: str) -> list[str]:
    """Cells: the signature, the imports, and what of the reference is graded, those `changed` in its place."""
    tree = ast.parse("\n".join(cell.source for cell in read_cells(SOURCE) if cell.kind == "code"))
    found = {node.name: node for node in tree.body if hasattr(node, "name")}
    graded = {
        "remedy_for": ast.unparse(found["build_memory_model"]).replace("build_memory_model", "remedy_for")
    }
    graded |= {name: ast.unparse(found[name]) for name in GRADED}
    for source in (own_numbers(student), *changed):
        graded |= {node.name: ast.unparse(node) for node in ast.parse(source).body}
    return [f'STUDENT = "{student}"', IMPORTS, *graded.values()]


def after_one_epoch(row: pd.Series) -> float:
    """What a trial scores after one epoch."""
    x, y, held, label = RUBRIC.task_rows(row.task)
    build = {}
    exec("\n".join(definitions("")[1:]), build)
    model = build[RUBRIC.BUILDERS[row.task]](int(row.units), float(row.dropout))
    config = np.frombuffer(model.to_json().encode(), np.uint8)
    settings = {
        "learning_rate": float(row.learning_rate),
        "clipnorm": float(row.clipnorm),
        "clipvalue": 0.0,
        "optimizer": "adam",
    }
    _, [said] = train(config, x, y, held, updates=len(x) // 32, batch=32, runs=1, seed=1, **settings)
    return round(RUBRIC.score(row.task, label, said[:, 0]), 4)


def own_numbers(student: str) -> str:
    """The two functions whose results are a student's own, by trying where the reference has a formula."""
    shrinking, growing, distance = RUBRIC.factors(student)
    down = next(n for n in range(10_000) if shrinking**n < 1e-6)
    up = next(n for n in range(10_000) if growing**n > 1e6)
    scale, steps = RUBRIC.skip_numbers(student)
    return f"""
def steps_until():
    return {down}, {up}, 0.5 ** (1 / {distance})

def skip_bounds():
    return (1 - {scale}) ** {steps}, (1 + {scale}) ** {steps}
"""


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
