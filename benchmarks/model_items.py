"""The items on models alone, of many submissions in one warm process: by this project, or by a loop over Keras.

python benchmarks/model_items.py WAY CLASS ASSIGNMENT FIRST COUNT

One of the programs that `grade_class.py` measures; prints a line of JSON. WAY is "ours", "predict" (load_model, then
predict) or "predict_on_batch". All get the same inputs, hidden and public, in batches of equal length that are made
before the clock starts; the submission before the first is done once to warm the process up. `ours` also says what
the products of matrices alone would cost. Run it with one thread a library.
"""

import json
import math
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
from recording import batches, recorded

from autograder.core import find_course
from autograder.data import hidden_data
from autograder.grading import Grader
from autograder.models import Plan
from autograder.models._plan import count_values
from autograder.sandbox import Sandbox, probe
from autograder.submissions import RawSubmission

LARGEST = 1024  # rows of a batch, as the grader's
SIZE, TIMES = 1024, 5  # of the product that tells how fast this processor multiplies


def main(way: str, folder: str, slug: str, first: str, count: str) -> None:
    warm, *students = sorted(Path(folder).iterdir())[int(first) : int(first) + int(count) + 1]
    course = find_course(Path(__file__))
    with Sandbox(probe()) as sandbox:
        grader = Grader.create(course.assignment(slug), hidden_data(course), sandbox)
        asked = [one for one in recorded(grader, warm) if one.rests_on_models]
    questions = [question for one in asked for question in one.predictions]
    if way == "ours":
        work = partial(ours, grader, [one.item for one in asked])
    else:
        work = partial(naive, way, in_batches(questions))
    work(warm)
    said = measured(work, students) | {"models": len(students) * len({name for name, *_ in questions})}
    print(json.dumps(said | (floor(grader, warm, questions) if way == "ours" else {})))


def measured(work: Callable, students: list[Path]) -> dict:
    """Seconds of processor and of the clock for all of these, and the marks."""
    cpu, wall = time.process_time(), time.perf_counter()
    marks = {student.name: work(student) for student in students}
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "marks": marks}


def ours(grader: Grader, items: list, folder: Path) -> dict[str, float | None]:
    """Return the points of each item, as any run of the grader comes to them; all else that a report says as well."""
    submission = grader.open_submission(RawSubmission(folder.name, folder))
    scores = [grader.run_item(item, submission).score for item in items]
    return {score.item: score.earned for score in scores}


def in_batches(questions: list[tuple]) -> dict[str, list]:
    """For each model all that it is asked about, in as few batches as there can be."""
    inputs = {}
    for name, xs, _ in questions:
        inputs.setdefault(name, []).extend(xs)
    return {name: [x for x, _ in batches(xs)] for name, xs in inputs.items()}


def naive(way: str, asked: dict[str, list], folder: Path) -> None:
    """Return what a TA would write: each model loaded and asked about every batch."""
    import keras

    for name, xs in asked.items():
        model = keras.models.load_model(folder / name, compile=False)
        if way == "predict":
            answers = [model.predict(x, batch_size=LARGEST, verbose=0) for x in xs]
        else:
            answers = [np.asarray(model.predict_on_batch(x)) for x in xs]
        if not all(np.isfinite(answer).all() for answer in answers):
            raise SystemExit(f"{folder / name} predicts what is no number")


# --- the floor: what the products of matrices alone would cost


def floor(grader: Grader, folder: Path, questions: list[tuple]) -> dict[str, float]:
    """Floating-point operations of one submission's predictions, how many a second this processor does.

    shaped: seconds of processor of these very products, each as small as a recurrent layer makes it.
    """
    submission = grader.open_submission(RawSubmission(folder.name, folder))
    sizes = [size for name, xs, _ in questions for size in products(submission.model(name).plan, xs)]
    flops = sum(2 * times * rows * a * b for times, rows, a, b in sizes)
    square = np.random.default_rng(0).random((SIZE, SIZE), np.float32)
    rate = max(2 * SIZE**3 / seconds(lambda: square @ square) for _ in range(TIMES))
    return {"flops": flops, "rate": rate, "shaped": min(seconds(partial(multiply, sizes)) for _ in range(3))}


def products(plan: Plan, inputs: list) -> list[tuple[int, int, int, int]]:
    """How often (rows, a) is multiplied with (a, b), to predict for these inputs in batches of equal length.

    A recurrent layer multiplies its inputs with the kernel once for all steps, and its states step by step.
    """
    found = []
    for x, _ in batches(inputs):
        rows, steps = (x[0] if isinstance(x, list) else x).shape[:2]
        for call in plan.calls[len(plan.inputs) :]:
            layer = plan.layers[call.layer]
            if layer.is_operation or layer.kind == "Embedding":
                continue
            shapes = [plan.calls[one.call].shapes[one.output] for one in call.results if one != call.mask]
            each = rows * count_values(shapes[0][:-1], steps)
            recurs = any("return_state" in one.options for one in layer.all)
            matrices = [shape for shape in layer.weights(*shapes).values() if len(shape) > 1]
            for place, (*others, b) in enumerate(matrices):
                stepwise = recurs and place % 2
                found.append((steps if stepwise else 1, rows if stepwise else each, math.prod(others), b))
    return found


def multiply(sizes: list[tuple[int, int, int, int]]) -> None:
    for times, rows, a, b in sizes:
        x, w, y = np.ones((rows, a), np.float32), np.ones((a, b), np.float32), np.empty((rows, b), np.float32)
        for _ in range(times):
            np.matmul(x, w, out=y)


def seconds(action: Callable) -> float:
    began = time.process_time()
    action()
    return time.process_time() - began


if __name__ == "__main__":
    main(*sys.argv[1:])
