"""What a prediction costs: Keras as a TA would call it, one traced function for all weights, and the grader's NumPy.

OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 python benchmarks/evaluate.py [ASSIGNMENT ...]

Each model of the perfect test submission is asked what the rubric asks it, on data of the demo seed, in batches of
equal length that are made before the clock starts. The three ways take turns, so that a busy machine is equally busy
for each; processor time of all threads of this process, medians. The last column is the floor: what the model's
products of matrices would take if nothing else were done, at the speed of a large product in the same run.
"""

import os
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Annotated

import numpy as np
import typer
from recording import recorded

from autograder.core import find_course
from autograder.data import DEMO_SECRET, HiddenData
from autograder.grading import Grader
from autograder.models import Model, Plan, Predictor, read_model
from autograder.models._builder import keras_model, zero_initializers
from autograder.models._plan import count_values
from autograder.models._predictor import prepare
from autograder.sandbox import Sandbox, probe

SLUGS = ("rnn_by_hand", "dna_simple_rnn", "embedding_sentiment", "sequence_types")
WAYS = ("Keras", "traced", "NumPy")
LARGE = 1024


def main(
    slugs: Annotated[list[str] | None, typer.Argument()] = None, rounds: int = 5, rows: int = 1024
) -> None:
    """Print a row of a Markdown table for each model, as it is measured."""
    course, rate = find_course(Path(__file__)), speed()
    print(
        f"A product of {LARGE} x {LARGE} float32 matrices: {rate / 1e9:.0f} GFLOP/s; {os.cpu_count()} cores.\n"
    )
    row("assignment", "model", "inputs", *(f"{way}, ms" for way in WAYS), "floor, ms", "NumPy / floor")
    row(*["---"] * 3, *["---:"] * (len(WAYS) + 2))
    for slug in slugs or SLUGS:
        assignment = course.assignment(slug)
        folder = assignment.test_submissions / "perfect"
        with Sandbox(probe()) as sandbox:
            asked = recorded(Grader.create(assignment, HiddenData(course, DEMO_SECRET), sandbox), folder)
        questions = defaultdict(list)
        for name, inputs, _ in (prediction for item in asked for prediction in item.predictions):
            questions[name].append(inputs)
        for name, several in questions.items():
            data = next(folder.rglob(name)).read_bytes()
            times = {
                way: 1000 * median(seconds) for way, seconds in measured(data, several, rounds, rows).items()
            }
            least = 1000 * sum(work(read_model(data).plan, batch) for batch in several) / rate
            figures = [f"{times[way]:,.1f}" for way in WAYS]
            row(
                slug,
                name,
                f"{sum(map(len, several)):,}",
                *figures,
                f"{least:.2f}",
                f"{times['NumPy'] / least:.0f}",
            )


def row(*cells: str) -> None:
    print("|", " | ".join(cells), "|", flush=True)


def measured(data: bytes, several: list, rounds: int, rows: int) -> dict[str, list[float]]:
    """Processor seconds of each way in each round; the first round, which warms up, is not counted."""
    model, predictor, times = read_model(data), Predictor(), defaultdict(list)
    function, variables = trace(model.plan)
    ways = {
        "Keras": lambda: naive(data, batches),
        "traced": lambda: traced(function, variables, model, batches),
        "NumPy": lambda: [predictor.predict(read_model(data), batch, rows) for batch in several],
    }
    prepared = [prepare(batch, model.plan.input_dtypes, 1024).batches for batch in several]
    batches = [[np.moveaxis(x, -1, 0).copy() for x in batch.xs] for found in prepared for batch in found]
    for _ in range(rounds + 1):
        for way, run in ways.items():
            start = time.process_time()
            run()
            times[way].append(time.process_time() - start)
    return {way: found[1:] for way, found in times.items()}


def trace(plan) -> tuple:
    """Return a traced function from inputs to predictions, and its variables in the order of `plan.weights`."""
    import tensorflow as tf

    model, variables = keras_model(plan, zero_initializers)
    function = tf.function(
        lambda *xs: model(list(xs) if len(xs) > 1 else xs[0], training=False),
        input_signature=[
            tf.TensorSpec(*spec) for spec in zip(plan.input_shapes, plan.input_dtypes, strict=True)
        ],
        autograph=False,
    )
    return function, variables


def naive(data: bytes, batches: list) -> None:
    import keras

    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"evaluate_{os.getpid()}.keras"
    path.write_bytes(data)
    model = keras.models.load_model(path, compile=False)
    path.unlink()
    for xs in batches:
        model.predict(xs if len(xs) > 1 else xs[0], batch_size=1024, verbose=0)


def traced(function, variables: list, model: Model, batches: list) -> None:
    for variable, array in zip(variables, model.weights, strict=True):
        variable.assign(array)
    for xs in batches:
        function(*xs).numpy()


def work(plan: Plan, inputs) -> float:
    """Floating-point operations of the products of matrices for these inputs."""
    total = 0
    for batch in inputs:
        steps = max(len(x) for x in (batch if isinstance(batch, tuple) else (batch,)))
        for call in plan.calls[len(plan.inputs) :]:
            layer = plan.layers[call.layer]
            given = call.inputs[0]
            if layer.is_operation or layer.kind == "Embedding" or not isinstance(given, type(plan.output)):
                continue
            shape = plan.calls[given.call].shapes[given.output]
            kernels = sum(np.prod(w) for w in layer.weights(shape).values() if len(w) > 1)
            total += 2 * count_values(shape[:-1], steps) * kernels
    return float(total)


def speed() -> float:
    """Floating-point operations a second of a large product, the best of five."""
    x, best = np.random.default_rng(0).random((LARGE, LARGE), np.float32), 0.0
    for _ in range(5):
        start = time.process_time()
        x @ x
        best = max(best, 2 * LARGE**3 / (time.process_time() - start))
    return best


if __name__ == "__main__":
    typer.run(main)
