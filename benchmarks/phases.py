"""Where the time of a grading run goes: `autograder` as it is, with a clock in its parts.

python benchmarks/phases.py OUT.json grade ASSIGNMENT CLASS --jobs 1 ...

One of the programs that `grade_class.py` runs. Writes, for each phase, the seconds of the clock and of the grader's own
processor that were spent in it and in no phase inside it, and how often it was entered. Sandboxes are other processes:
waiting for them takes the clock alone.
"""

import importlib
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import contextmanager
from functools import wraps
from pathlib import Path

BEGAN = time.perf_counter(), time.process_time()
IMPORTS, REST = "start-up and imports", "all else"
CALLS = "sandbox: first call of a notebook", "sandbox: its other calls"
PHASES = {  # of the engine: what is timed, where it stands; what is not there is named in the result
    "the class read": ["lms._detect:read_cohort"],
    "files opened and read": [
        "submissions._archives:open_files",
        "submissions._archives:read_regular",
        "submissions._archives:read_entry",
    ],
    "checksums, signature": ["grading._reading:read_submission", "grading._grader:Grader.compute_keys"],
    "cached scores": ["grading._cache:ScoreCache.get", "grading._cache:ScoreCache.put"],
    "hidden data drawn, copied": ["data:HiddenData.draw"],
    "model files read": ["models._model:read_model"],
    "predictions": ["models:Predictor.predict"],
    "sandbox: start and end": ["sandbox._client:Sandbox.start", "sandbox._client:Sandbox.stop"],
    "figures for reports": [
        f"rubric.figures:{name}" for name in ("by_group", "by_length", "confusion", "examples")
    ],
    "items: encoding, comparing, marking": ["rubric._item:score"],
    "reports written": ["grading._results:save_report"],
    "tables and pages of the class": ["grading._results:save_results", "grading._runner:MarkSources.save"],
    "points by hand, lateness": ["grading._runner:MarkSources.apply"],
}


class Clock:
    """Gives each moment to the innermost phase that is open."""

    def __init__(self):
        self.spent = defaultdict(lambda: [0.0, 0.0, 0])
        self._open, self._last = [IMPORTS], BEGAN

    def turn(self) -> None:
        now = time.perf_counter(), time.process_time()
        spent = self.spent[self._open[-1]]
        spent[0] += now[0] - self._last[0]
        spent[1] += now[1] - self._last[1]
        self._last = now

    @contextmanager
    def phase(self, name: str):
        self.turn()
        self._open.append(name)
        self.spent[name][2] += 1
        try:
            yield
        finally:
            self.turn()
            self._open.pop()

    def timed(self, function: Callable, name: Callable[..., str]) -> Callable:
        @wraps(function)
        def call(*arguments, **named):
            with self.phase(name(*arguments, **named)):
                return function(*arguments, **named)

        return call


def main(out: str, *arguments: str) -> None:
    clock, missing = Clock(), []
    for name, places in PHASES.items():
        missing += [place for place in places if not watch(clock, place, lambda *_, name=name, **__: name)]
    watch(clock, "sandbox._client:Sandbox.call", call_name())
    from autograder.cli._app import app
    from autograder.grading import _readers, _runner

    _runner.ProcessPool = _readers.ProcessPool = in_this_process
    sys.argv[1:] = arguments
    try:
        with clock.phase(REST):
            app()
    finally:
        clock.turn()
        Path(out).write_text(json.dumps({"phases": clock.spent, "missing": missing}), encoding="utf-8")


@contextmanager
def in_this_process(jobs: int, opening: Callable, watch: Callable = lambda line: None, patience: float = 0):
    """In place of processes, in which there is no clock."""
    from autograder.grading import SerialExecutor

    if opening.__name__ == "open_reader":
        yield SerialExecutor(False)
    else:
        with opening(watch) as opened:
            yield SerialExecutor(opened)


def watch(clock: Clock, place: str, name: Callable[..., str]) -> bool:
    """Put the clock into a function or a method, wherever it is known by; whether there is one."""
    module, _, path = place.partition(":")
    owner, _, attribute = path.rpartition(".")
    module = importlib.import_module(f"autograder.{module}")
    holder = getattr(module, owner, None) if owner else module
    function = vars(holder).get(attribute) if holder else None
    if not callable(function):
        return False
    timed = clock.timed(function, name)
    setattr(holder, attribute, timed)
    for other in [one for key, one in sys.modules.items() if key.startswith("autograder.") and not owner]:
        for known in [known for known, value in vars(other).items() if value is function]:
            setattr(other, known, timed)
    return True


def call_name() -> Callable[..., str]:
    """Tells a notebook's first call, which reads it, from the others."""
    latest = None

    def name(sandbox, content, *rest, **named) -> str:
        nonlocal latest
        first, latest = content != latest, content
        return CALLS[not first]

    return name


if __name__ == "__main__":
    main(*sys.argv[1:])
