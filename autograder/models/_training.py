"""Training a student's model: the grader's budget and loop, in a sandbox that student code never entered.

A child gets the configuration, the data and plain numbers; it answers with losses and predictions. Labels of the
test data stay here, as always.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, cast

import numpy as np

from autograder.core import Failure, StudentError
from autograder.core import _devices as devices
from autograder.models._predictor import check_inputs
from autograder.models._untrained_model import UntrainedModel
from autograder.sandbox import Answer, FunctionCaller, Sandbox

LOOP = b"from autograder.models._training_loop import train"  # a child calls it as it would a notebook's function
MAX_OPTION = {"learning_rate": 100.0, "clipnorm": 1e6, "clipvalue": 1e6}
OUT_OF_MEMORY = (
    "MemoryError", "ResourceExhausted", "RESOURCE_EXHAUSTED", "bad_alloc", "CUDA_ERROR_OUT_OF_MEMORY",
    "CUDNN_STATUS_ALLOC_FAILED", "CUBLAS_STATUS_ALLOC_FAILED", "CUBLAS_STATUS_NOT_INITIALIZED",
)  # fmt: skip
OF_THE_MACHINE = (
    "ImportError", "ModuleNotFoundError", "OSError", "FileNotFoundError", "PermissionError", "BrokenPipeError",
    "UnavailableError", "CUDA_ERROR", "libcuda", "No space left",
)  # fmt: skip
ON_THE_CPU = "Trained on the CPU: the GPU had too little memory."


def train_model(
    sandbox: FunctionCaller,
    watch: Callable[[str], None],
    blueprint: UntrainedModel,
    x: np.ndarray,
    y: np.ndarray,
    test: np.ndarray,
    *,
    trainer: Sandbox | None = None,
    updates: int,
    learning_rate: float,
    clipnorm: float = 0.0,
    clipvalue: float = 0.0,
    optimizer: str = "adam",
    batch: int = 64,
    runs: int = 3,
    seed: int = 0,
    seconds: float = 120.0,
) -> tuple[tuple[np.ndarray, np.ndarray], str]:
    """Losses (runs, updates), and predictions (runs, n, k) for `test` (n, ...), of a model trained `runs` times.

    With them a remark, mostly empty, on where it was trained. sandbox: trains on the CPU; trainer: on the GPU, where
    there is one. x: (rows, ...), y: (rows,) classes; the rest as `autograder.models._training_loop.train` says.
    Raises Failure where the student's model doesn't take the data, where a number of the student's makes no
    sense, and where training takes more than `seconds` or all memory; any other trouble is the grader's.
    """
    chosen = {"learning_rate": learning_rate, "clipnorm": clipnorm, "clipvalue": clipvalue}
    for name, value in chosen.items():
        chosen[name] = check_option(name, value)
    check_inputs(blueprint.plan, [(x[0],), (test[0],)])
    config = np.frombuffer(blueprint.config, np.uint8)
    arguments = (config, x, y, test, updates, batch, runs, seed, optimizer, *chosen.values())
    call = partial(run_loop, arguments=arguments, seconds=seconds, watch=watch)
    answer, remark = on_the_gpu(call, trainer, sandbox, watch) if trainer else (call(sandbox), "")
    if answer.failure:
        what = f"Training for {runs} x {updates} updates{' on the CPU' if remark else ''}"
        raise training_failure(answer, what, seconds)
    return cast(tuple[np.ndarray, np.ndarray], answer.value), remark


def run_loop(sandbox: FunctionCaller, **options: Any) -> Answer:
    """Return what the loop gave, in a child that ends with it: it holds memory, that of a GPU too."""
    try:
        return sandbox.call(LOOP, "loop.py", "train", **options)
    finally:
        sandbox.discard_child()


def on_the_gpu(
    call: Callable[[FunctionCaller], Answer],
    trainer: Sandbox,
    sandbox: FunctionCaller,
    watch: Callable[[str], None],
) -> tuple[Answer, str]:
    """Return a training's result on the GPU; if its memory was too small, on the CPU, with a remark."""
    start = time.monotonic()
    with own_gpu(watch):
        trainer.waited += time.monotonic() - start
        answer = call(trainer)
    if not lacks_memory(answer):
        return answer, ""
    watch("once more, on the CPU: the GPU has too little memory")
    return call(sandbox), ON_THE_CPU


@contextmanager
def own_gpu(watch: Callable[[str], None]) -> Iterator[None]:
    """Return the GPU for one training: the others of this user and machine, in whatever process, queue for it.

    Who is killed gives it back, since the lock is the kernel's.
    """
    from filelock import FileLock, Timeout  # takes 0.1 s, and most machines have no GPU

    lock = FileLock(devices.gpu_lock())
    try:
        lock.acquire(blocking=False)
    except Timeout:
        while not lock.is_locked:
            watch("waiting for the GPU")  # again and again, so that nobody takes this process to hang
            with suppress(Timeout):
                lock.acquire(timeout=60)
    try:
        yield
    finally:
        lock.release()


def lacks_memory(answer: Answer) -> bool:
    """Return True if a training ended for want of memory, by its own words or TensorFlow's."""
    output = f"{reason_of(answer)} {answer.printed}" if answer.failure else ""
    return any(word in output for word in OUT_OF_MEMORY)


def reason_of(answer: Answer) -> str:
    return getattr(answer.failure, "reason", str(answer.failure))


def check_option(name: str, value: Any) -> float:
    """Return a number that a student chose for the optimiser. Raises Failure where it is none that makes sense."""
    if np.ndim(value) or not (np.isfinite(value) and 0 <= value <= MAX_OPTION[name]):
        raise Failure(
            f"{name} should be a number from 0 to {MAX_OPTION[name]:g}, but is {value}.",
            "0 stands for no clipping.",
        )
    if name == "learning_rate" and value == 0:
        raise Failure(
            "learning_rate is 0: nothing is ever learnt.", "Try 0.001, then a few times more or less."
        )
    return float(value)


def training_failure(answer: Answer, what: str, seconds: float) -> Exception:
    """Return why a training gave nothing: the student's model, unless an error names the machine.

    The loop runs no code but the grader's own, on a model that the student chose: an initializer that Keras refuses,
    shapes that only meet in training. So what went wrong is the model's fault, with TensorFlow's words.
    """
    said = reason_of(answer)
    if lacks_memory(answer):
        return Failure(f"{what} takes more memory than there is.", "Make the model smaller.")
    if "took more than" in said:
        return Failure(f"{what} took more than {seconds:g} s.", "Use fewer units, or fewer layers.")
    if any(word in said for word in OF_THE_MACHINE):
        return RuntimeError(f"{what} failed: {said}")
    if isinstance(answer.failure, StudentError):
        return Failure(
            f"{what} failed: {said}", "Does model.fit train this model on such data in your notebook?"
        )
    return Failure(f"{what} came to no end: {said}", "Make the model smaller.")
