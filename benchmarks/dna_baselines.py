"""What the reference of dna_simple_rnn reaches, and what its shortcuts reach: the tables of the datasheets.

    python benchmarks/dna_baselines.py [--seeds 5] [--task dna_family] [--only shortcuts] [--models FOLDER]

Every contestant learns from train.csv and is scored on fresh sequences. The seed sets both its random start and
the draw of the test data; a cell is the least, the median and the greatest value over the seeds. The reference is
the notebook of solutions/ itself, run with its SEED replaced. All 5 seeds take about half an hour on one core.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import layers
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from autograder.core import load_module

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "solutions" / "dna_simple_rnn" / "dna_simple_rnn.py"
TESTS = {
    "dna_family": {"5..20": {}, "50": {"length": 50}, "200": {"length": 200}},
    "dna_order": {"5..20": {}, "50": {"length": 50}},
    "motif": {"forward": {"strands": "forward"}, "both": {"strands": "both"}},
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="how many; 0, 1, 2, ...")
    parser.add_argument("--task", choices=TESTS, action="append", help="only this one (may be repeated)")
    parser.add_argument("--only", choices=["reference", "shortcuts"], help="only half of the work")
    parser.add_argument(
        "--models",
        type=Path,
        help="keep the reference's models here, in a folder per seed, and use those that are",
    )
    options = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tasks, rows = options.task or TESTS, []
    with tempfile.TemporaryDirectory() as temporary:
        for seed in range(options.seeds):
            if options.only != "shortcuts":
                rows += reference_rows(tasks, seed, (options.models or Path(temporary)) / str(seed))
            if options.only != "reference":
                rows += shortcut_rows(tasks, seed)
            print(f"seed {seed} done", file=sys.stderr, flush=True)
    for task in tasks:
        part = pd.DataFrame([row for row in rows if row["task"] == task])
        print(f"\n{task}, {options.seeds} seeds: least / median / greatest\n\n{table(part)}")
    print(f"\nKeras {keras.__version__}, TensorFlow {tf.__version__}, CPU, one thread")


def table(rows: pd.DataFrame) -> str:
    """Markdown: a row per contestant, a column per test."""
    columns = rows.columns.drop(["task", "name"])
    lines = [" | ".join(["", *columns]), " | ".join(["---"] * (len(columns) + 1))]
    for name, part in rows.groupby("name", sort=False):
        cells = [" / ".join(f"{part[c].quantile(q):.3f}" for q in (0, 0.5, 1)) for c in columns]
        lines.append(" | ".join([name, *cells]))
    return "\n".join(f"| {line.strip()} |" for line in lines)


# Scoring ---------------------------------------------------------------------------------------------------------


def generator(task):
    return load_module(ROOT / "datasets" / task / "generate.py")


def training(task) -> pd.DataFrame:
    return pd.read_csv(ROOT / "datasets" / task / "train.csv")


def scores(task: str, answer, seed: int) -> dict[str, float]:
    """AUC for motif, accuracy for the others, and for pairs the share with both right; 2,000 sequences a test."""
    found = {}
    for name, options in TESTS[task].items():
        data = generator(task).make(seed=10_000 + seed, count=2000, **options)
        probability = answer(data.sequence)
        if task == "motif":
            found[name] = roc_auc_score(data.label, probability)
            continue
        right = (probability > 0.5) == data.label
        found[name] = right.mean()
        if "pair" in data:
            found[f"{name}, pairs"] = right.groupby(data.pair).all().mean()
    return found


def shortcut_rows(tasks, seed: int) -> list[dict]:
    """Return the scores of all contestants that are not the reference."""
    return [
        {"task": task, "name": name} | scores(task, learn(training(task), seed), seed)
        for task in tasks
        for name, learn in CONTESTANTS[task].items()
    ]


def reference_rows(tasks, seed: int, folder: Path) -> list[dict]:
    """Return the scores of the models that the reference notebook trained with this seed in `folder`."""
    if not (folder / "motif.keras").exists():  # the last that the notebook saves
        train_reference(seed, folder)
    models = {task: keras.models.load_model(folder / f"{task}.keras") for task in tasks}
    return [
        {"task": task, "name": "**reference**"} | scores(task, answering(model), seed)
        for task, model in models.items()
    ]


def train_reference(seed: int, folder: Path) -> None:
    """Run the reference notebook with this seed in `folder`; its processor time goes to stderr."""
    folder.mkdir(parents=True)
    (folder / "datasets").symlink_to(ROOT / "datasets")
    source = NOTEBOOK.read_text(encoding="utf-8")
    assert source.count("\nSEED = 0") == 1, f"expected one line 'SEED = 0' in {NOTEBOOK}"
    script = folder / NOTEBOOK.name
    script.write_text(source.replace("\nSEED = 0", f"\nSEED = {seed}"), encoding="utf-8")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    quiet = os.environ | {"MPLBACKEND": "Agg", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    subprocess.run(
        [sys.executable, script.name], cwd=folder, env=quiet, stdout=subprocess.DEVNULL, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"reference, seed {seed}: {seconds:.0f} s of processor time", file=sys.stderr, flush=True)


# Contestants: functions (training table, seed) -> (sequences -> probabilities) ------------------------------------


def majority(data, seed):
    return lambda sequences: np.full(len(sequences), data.label.mean())


def kmers(k, c):
    """Logistic regression on the counts of the 4^k words of k bases, `c` the best of 0.01, 0.1, 1, 10, 100."""

    def learn(data, seed):
        counts = CountVectorizer(analyzer="char", ngram_range=(k, k), lowercase=False)
        model = make_pipeline(counts, LogisticRegression(C=c, max_iter=2000))
        model.fit(data.sequence, data.label)
        return lambda sequences: model.predict_proba(sequences)[:, 1]

    return learn


def padded(cell, side, mask):
    """Return a recurrent layer of 16 units, its last state read, trained on sequences padded to 20 bases."""

    def learn(data, seed):
        keras.utils.set_random_seed(seed)
        x = np.zeros((len(data), 20, 4), "float32")
        for row, sequence in zip(x, data.sequence, strict=True):
            rows = slice(len(sequence)) if side == "after" else slice(-len(sequence), None)
            row[rows] = one_hot([sequence])[0]
        body = [layers.Masking()] if mask else []
        model = keras.Sequential(
            [keras.Input((None, 4)), *body, cell(16), layers.Dense(1, activation="sigmoid")]
        )
        compile_for(model, epochs=30, steps=len(x) // 128)
        model.fit(x, data.label.to_numpy("float32"), epochs=30, batch_size=128, verbose=0)
        return answering(model)

    return learn


def by_length(*body, epochs=10):
    """`body` and a sigmoid, trained on batches of equal length."""

    def learn(data, seed):
        keras.utils.set_random_seed(seed)
        rng = np.random.default_rng(seed)
        model = keras.Sequential(
            [keras.Input((None, 4)), *[layer() for layer in body], layers.Dense(1, activation="sigmoid")]
        )
        compile_for(model, epochs, steps=len(data) // 100)
        groups = [
            (one_hot(part.sequence), part.label.to_numpy("float32"))
            for _, part in data.groupby(data.sequence.str.len())
        ]
        for _ in range(epochs):
            batches = [
                (x[rows], y[rows])
                for x, y in groups
                for rows in np.split(rng.permutation(len(x)), len(x) // 100)
            ]
            for number in rng.permutation(len(batches)):
                model.train_on_batch(*batches[number])
        return answering(model)

    return learn


def compile_for(model, epochs, steps):
    rate = keras.optimizers.schedules.CosineDecay(0.005, epochs * steps)
    model.compile(keras.optimizers.Adam(rate, clipnorm=1.0), "binary_crossentropy")


def one_hot(sequences) -> np.ndarray:
    """Sequences of one length as float32 (batch, time, 4), bases in the order A, C, G, T."""
    return np.eye(4, dtype="float32")[[["ACGT".index(base) for base in sequence] for sequence in sequences]]


def answering(model):
    """Return a Keras model as a function of sequences; equal lengths share a batch and nothing is padded."""

    def answer(sequences):
        probability = pd.Series(0.0, index=sequences.index)
        for _, group in sequences.groupby(sequences.str.len()):
            probability[group.index] = np.asarray(model.predict_on_batch(one_hot(group)))[:, 0]
        return probability.to_numpy()

    return answer


def true_matrix(data, seed):
    """Return the best log-odds score of the matrix that planted the sites, on either strand."""
    score = np.log2(generator("motif").MATRIX / 0.25)

    def answer(sequences):
        windows = [
            np.lib.stride_tricks.sliding_window_view(one_hot([s])[0], (10, 4))[:, 0] for s in sequences
        ]
        return np.array([max((w * s).sum((1, 2)).max() for s in (score, score[::-1, ::-1])) for w in windows])

    return answer


def both_ways(**options):
    return lambda: layers.Bidirectional(layers.SimpleRNN(**options))


COUNTING = {
    "majority": majority,
    "base counts, logistic regression": kmers(1, c=100),
    "3-mer counts, logistic regression": kmers(3, c=10),
    "SimpleRNN, zeros after, no mask": padded(layers.SimpleRNN, "after", mask=False),
    "SimpleRNN, zeros before, no mask": padded(layers.SimpleRNN, "before", mask=False),
    "SimpleRNN, masked": padded(layers.SimpleRNN, "after", mask=True),
    "(GRU, masked)": padded(layers.GRU, "after", mask=True),
}
CONTESTANTS = {
    "dna_family": COUNTING,
    "dna_order": COUNTING | {"5-mer counts, logistic regression": kmers(5, c=10)},
    "motif": {
        "majority": majority,
        "base counts, logistic regression": kmers(1, c=100),
        "6-mer counts, logistic regression": kmers(6, c=0.01),
        "7-mer counts, logistic regression": kmers(7, c=0.1),
        "two directions, last state": by_length(both_ways(units=24)),
        "one direction, maximum": by_length(
            lambda: layers.SimpleRNN(44, return_sequences=True), layers.GlobalMaxPooling1D
        ),
        "two directions, maximum": by_length(
            both_ways(units=24, return_sequences=True), layers.GlobalMaxPooling1D
        ),
        "(Conv1D, maximum)": by_length(
            lambda: layers.Conv1D(32, 12, activation="relu"), layers.GlobalMaxPooling1D
        ),
        "(the true matrix)": true_matrix,
    },
}

if __name__ == "__main__":
    main()
