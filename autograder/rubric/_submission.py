"""A submission: what one student handed in, its files, its models, its functions."""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import partial
from pathlib import PurePath
from typing import Any, TypeVar

import numpy as np

from autograder.core import (
    Failure,
    NeedsReview,
    Signature,
    names_student,
    read_signature,
    sanitize,
    split_tokens,
)
from autograder.models import Model, Predictor, UntrainedModel, read_model, read_untrained_model, train_model
from autograder.rubric._run import current_run, remark
from autograder.rubric._written import find_answer
from autograder.sandbox import FunctionCaller, Sandbox
from autograder.submissions import (
    OTHER_ARCHIVES,
    Cell,
    Files,
    Source,
    Unreadable,
    base_name,
    fold_name,
    is_archive,
    latest_copy,
    list_names,
    name_stem,
    nearest_name,
    open_source,
    python_version,
    read_all_cells,
    zip_files,
)
from autograder.submissions import _filenames as filenames

LONG_ROW = 1_000  # bytes, on average, of a row of a table
MAX_COMPARED = 20  # notebooks of one submission that are read to find the one that counts


Result = TypeVar("Result")


@dataclass(frozen=True)
class Answer:
    """What a student wrote in own words, for a person to read."""

    text: str


@dataclass(frozen=True)
class Expected:
    """What is known of the assignment, by which a student's notebook and answers are found.

    slug: the notebook's name. functions: what the items call. starter: the text of each cell of the starter.
    """

    slug: str = ""
    functions: frozenset[str] = frozenset()
    starter: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Submission:
    """What items see. Methods raise Failure for what is wrong with the student's files.

    student: for messages alone, an item's points rest on what was handed in and who signed it.
    sandbox: runs the notebook's functions; None where files are only read.
    draft: name and content of the notebook where the student is still at work on it, in place of a file.
    trainer: the sandbox that models are trained in, where it is another; it never runs student code.
    trainings: what equal trainings gave, for all submissions.
    words, shared, name: by which a signature may name the student, see `names_student`.
    accepts_any_signature: whether the notebook counts, whoever signed it.
    expected: what is known of the assignment.
    """

    student: str
    source: Source
    predictor: Predictor = field(default_factory=Predictor)
    sandbox: FunctionCaller | None = None
    draft: tuple[str, bytes] | None = None
    trainer: Sandbox | None = None
    trainings: dict[str, tuple] = field(default_factory=dict)
    words: frozenset[str] | None = None
    shared: frozenset[frozenset[str]] = frozenset()
    name: str = ""
    accepts_any_signature: bool = False
    expected: Expected = Expected()
    _known: dict = field(default_factory=dict)  # several items ask for the same file and the same model

    def model(self, name: str) -> Model:
        """Return the model in the file `name`: its plan and its weights, read as data (see `autograder.models`)."""
        current_run().used.add(("file", name))
        model = _once(self._known, name, lambda: read_model(self.read(name)))
        for text in model.remarks:
            remark(f"{name}: {text}")
        return model

    def predict(self, name: str, inputs: Sequence) -> np.ndarray | list[np.ndarray]:
        """Predictions `(n, k)` of the model `name` for n inputs `(time, ...)`; none of them is padded.

        An input is an array, or a tuple of arrays for a model of several inputs; where the model answers at each
        step, n arrays come back.
        """
        return self.predictor.predict(self.model(name), inputs)

    def call(self, function: str, *arguments: Any, seconds: float = 60.0) -> Any:
        """Return what a function of the student's notebook returns for these arrays, numbers or texts.

        It runs in a process apart that can do no harm, as if nothing had been called before; it gets nothing but
        the arguments, and ends after so many seconds. Numbers in nested lists come back as an array; a tuple, or
        a ragged list, as a tuple of arrays.
        """
        return self._called(function, arguments, seconds)

    def value(self, constant: str) -> float | str:
        """Return the number or text of a constant in the student's notebook; read in the sandbox, like `call`."""
        came = self._called(constant, (), 10.0, wanted="constant")
        return (
            sanitize(came[0].tobytes().decode("utf-8", "replace")) if isinstance(came, tuple) else float(came)
        )

    def text(self, name: str) -> Answer:
        """Return what the student wrote as the answer `name`, for a person to read; see `find_answer`.

        Raises Failure if nothing is written. A check in the notebook sees no Markdown, so its answer is empty.
        """
        current_run().used.add(("answer", name))
        return Answer("") if self.draft else Answer(find_answer(name, self.cells, self.expected.starter))

    def build(self, function: str, *arguments: Any, seconds: float = 10.0) -> UntrainedModel:
        """Return the model that a function of the student's notebook builds for these arguments, to be trained here.

        Only its configuration is taken; what the function trains or loads has no effect. Equal calls build once.
        """
        current_run().used.add(("name", function))
        return _once(
            self._known, f"{function}{arguments!r}", lambda: self._built(function, arguments, seconds)
        )

    def _built(self, function: str, arguments: Sequence, seconds: float) -> UntrainedModel:
        config, claimed = self._called(function, arguments, seconds, wanted="model")
        return read_untrained_model(config.tobytes(), claimed)

    def train(
        self, blueprint: UntrainedModel, x: np.ndarray, y: np.ndarray, test: np.ndarray, **budget: Any
    ) -> tuple:
        """Losses and predictions of a model that the grader trains; see `train_model`. Equal calls train once."""
        arrays = (hashlib.sha256(array.tobytes()).hexdigest() for array in (x, y, test))
        key = f"{blueprint.signature} {sorted(budget.items())} {[*arrays]}"
        if key not in self.trainings:
            train = partial(
                train_model, self._running_sandbox, current_run().on_progress, trainer=self.trainer
            )
            self.trainings[key] = _once(self._known, key, partial(train, blueprint, x, y, test, **budget))
        result, text = self.trainings[key]
        if text:
            remark(text)
        return result

    def discard_child(self) -> None:
        """End the process in which the notebook's functions were called so far, with all that they have seen there.

        For an item where a function must not know what another was given, which code could keep for it on purpose:
        `decode` what `encode` was to encode, say. After an item that drew hidden data it is done in any case.
        """
        if self.sandbox:
            self.sandbox.discard_child()

    def _called(self, function: str, arguments: Sequence, seconds: float, wanted: str = "arrays") -> Any:
        run = current_run()
        run.used.add(("name", function))
        name, content = self.code
        run.discard.append(self.discard_child)
        answer = self._running_sandbox.call(
            content, name, function, arguments, seconds=seconds, wanted=wanted
        )
        for problem in answer.problems:
            run.remark(problem, is_from_student=True)
        if answer.printed:
            run.remark(f"{function} printed: {answer.printed}", is_from_student=True)
        if answer.failure:
            raise answer.failure
        return answer.value

    @property
    def _running_sandbox(self) -> FunctionCaller:
        if self.sandbox is None:
            raise RuntimeError("this submission was opened without a sandbox")
        return self.sandbox

    @property
    def signed(self) -> str:
        """The signature of the notebook, from which the student's own numbers are drawn.

        Raises Failure if there is none, and NeedsReview if it is not that of whoever hands it in.
        """
        current_run().used.add(("name", "STUDENT"))
        found = self._signature
        if not found.text:
            got = f" It says {found.near}." if found.near else ""
            hint = 'Set STUDENT = "..." in its first cell to the id you hand in under, as plain text, and run it again.'
            raise Failure(f"Your notebook is not signed: your own numbers are drawn from your id.{got}", hint)
        if not self.signs(found.text):
            reason = f"the notebook that {self.student} handed in is signed by {found.text}."
            raise NeedsReview(reason, assumption=f"by the numbers of {found.text}")
        if self.is_ambiguous(found.text):
            remark(f"Another student can sign with {found.text}, too: their own numbers are then the same.")
        return found.text

    def signs(self, signature: str) -> bool:
        """Return whether this signature names the student."""
        if self.accepts_any_signature:
            return True
        words = frozenset(split_tokens(self.student)) if self.words is None else self.words
        return names_student(signature, words, self.shared, self.name, self.student)

    def accepting(self) -> "Submission":
        """Return the submission as it stands when a person accepts its signature."""
        return replace(self, accepts_any_signature=True)

    def is_ambiguous(self, signature: str) -> bool:
        """Return whether this signature names another student as well: two may have the same full name."""
        return any(names_student(signature, words) for words in self.shared)

    @property
    def signature(self) -> str:
        """The last value that the notebook gives STUDENT, read and never run; empty if it names nobody."""
        return self._signature.text

    @property
    def near_signature(self) -> str:
        """A line that looks like a signature in a notebook that has none."""
        return self._signature.near

    @property
    def _signature(self) -> Signature:
        return _once(self._known, "STUDENT =", lambda: read_signature(_sources(self.cells)))

    @property
    def code(self) -> tuple[str, bytes]:
        """The notebook's name and its code cells, as a notebook without anything else."""
        if self.draft:
            return self.draft
        path = self.notebook
        name = path if path.lower().endswith(".ipynb") else f"{path}.ipynb"
        return name, _once(self._known, "code cells", lambda: self._code_of(path))

    def _code_of(self, path: str) -> bytes:
        cells = [{"cell_type": "code", "source": source} for source in _sources(self._cells_of(path))]
        notebook: dict[str, Any] = {"cells": cells}
        if version := python_version(self.files.read(path), path):
            notebook["metadata"] = {"language_info": {"version": version}}
        return json.dumps(notebook).encode()

    @property
    def cells(self) -> list[Cell]:
        """The cells of the notebook. Raises Failure if it can't be read."""
        if draft := self.draft:
            return _once(self._known, "cells of the draft", lambda: read_cells(*draft))
        return self._cells_of(self.notebook)

    @property
    def notebook(self) -> str:
        """The path of the notebook that counts; of a .py file if there is none.

        That is the one called as the assignment, nearest the top; else the only one, the latest of numbered copies,
        the only one that is signed, or the only one with functions that items call. Raises NeedsReview for several.
        """
        path, text = _once(self._known, "the notebook", self._choose_notebook)
        if text:
            remark(text)
        return path

    def _choose_notebook(self) -> tuple[str, str]:
        """Return the path of the notebook, and the remark that names the others."""
        names = self.files.names
        for suffix in (".ipynb", ".py"):
            found = [path for path in names if name_stem(path, suffix) is not None]
            if not found:
                continue
            meant = [path for path in found if not filenames.is_leftover(path)] or found
            path = self._named_as_assignment(meant, suffix) or self._only(meant, suffix)
            if not path:
                reason = f"{len(meant)} notebooks are handed in: {list_names(meant)}."
                raise NeedsReview(f"{reason} Which of them counts? Hand in just the one that is meant")
            others = sorted(set(found) - {path})
            if others and latest_copy(found, suffix) == path:
                return path, f"Of {len(found)} copies of the notebook, {path} counts."
            return path, f"{path} counts; also handed in: {list_names(others)}." if others else ""
        raise _missing("notebook", names, "Hand in the .ipynb file with your functions.")

    def _named_as_assignment(self, paths: list[str], suffix: str) -> str:
        """Return the path that has the assignment's name, or is the latest copy of it; empty if it stays open.

        The nearest to the top counts among those that are signed, if any is; of equal files any may be taken.
        """
        stem = fold_name(self.expected.slug)
        named = [path for path in paths if name_stem(path, suffix) == stem]
        copies = [
            path for path in paths if filenames.strip_copy_marks(name_stem(path, suffix) or "")[0] == stem
        ]
        if not named:
            return copies[0] if len(copies) == 1 else latest_copy(copies, suffix) if copies else ""
        named = sorted(named, key=lambda path: path.count("/"))[:MAX_COMPARED]
        return self._one_of(nearest_name(self._signed(named) or self._readable(named) or named))

    def _only(self, paths: list[str], suffix: str) -> str:
        """Return the only path, the latest copy, or the only one that is signed or has functions that items call."""
        if len(paths) == 1 or len(paths) > MAX_COMPARED:
            return paths[0] if len(paths) == 1 else ""
        if latest := latest_copy(paths, suffix):
            return latest
        paths = self._readable(paths) or paths
        defining = [path for path in paths if self._defines(path)]
        for some in (paths, self._signed(paths), defining, self._signed(defining)):
            if path := self._one_of(some):
                return path
        return ""

    def _one_of(self, paths: list[str]) -> str:
        """Return the one path, or the first if all have the same content; empty otherwise."""
        if len(paths) == 1:
            return paths[0]
        try:
            contents = {self.files.read(path) for path in paths[:MAX_COMPARED]}
        except (Failure, NeedsReview):
            return ""
        return paths[0] if len(contents) == 1 and len(paths) <= MAX_COMPARED else ""

    def _readable(self, paths: list[str]) -> list[str]:
        return [path for path in paths if self._try_cells(path)]

    def _signed(self, paths: list[str]) -> list[str]:
        return [path for path in paths if read_signature(_sources(self._try_cells(path))).text]

    def _defines(self, path: str) -> bool:
        """Return whether a notebook has one of the functions that items call."""
        text = "\n".join(_sources(self._try_cells(path)))
        return any(f"def {name}(" in text or f"\n{name} =" in text for name in self.expected.functions)

    def _try_cells(self, path: str) -> list[Cell]:
        try:
            return self._cells_of(path)
        except (Failure, NeedsReview):
            return []

    def _cells_of(self, path: str) -> list[Cell]:
        return _once(self._known, f"cells of {path}", lambda: read_cells(path, self.files.read(path)))

    def read(self, name: str) -> bytes:
        """Return the content of the file called `name`, in whichever folder of the submission it lies."""
        current_run().used.add(("file", name))
        path = self.find(name)
        if fold_name(base_name(path)) != fold_name(name):
            remark(f"{base_name(path)} was taken for {name}.")
        return self.content(path)

    def content(self, path: str) -> bytes:
        """Return the bytes at a path that `find` gave: of a file, or of a model that was unpacked into a folder."""
        if path in self.files.names:
            return self.files.read(path)
        inside = [name for name in self.files.names if name.startswith(f"{path}/")]
        return zip_files({name.removeprefix(f"{path}/"): self.files.read(name) for name in inside})

    def table(self, name: str, columns: Sequence[str], most: int) -> list[dict[str, str]]:
        """Return the rows of the CSV file `name`, texts by column, with these columns and at most so many rows.

        A row may be short. Raises Failure for what is no such table, or too large a one.
        """
        content = self.read(name)
        if len(content) > most * LONG_ROW:
            reason = f"{name} has {len(content):,} bytes, at most {most * LONG_ROW:,} are read."
            raise Failure(reason, "A short line for each row is all it needs.")
        lines = csv.reader(io.StringIO(content.decode("utf-8-sig", "replace"), newline=""))
        try:
            rows = [line for line in lines if line]
        except csv.Error:
            rows = []
        header = [column.strip() for column in rows.pop(0)] if rows else []
        if missing := [column for column in columns if column not in header]:
            reason = f"{name} lacks the columns {' and '.join(missing)}; its first line is {','.join(header)[:100]!r}."
            raise Failure(reason, f"Its first line: {','.join(columns)}")
        if len(rows) > most:
            raise Failure(f"{name} has {len(rows):,} rows.", f"At most {most:,} are read.")
        return [dict(zip(header, row, strict=False)) for row in rows]

    def find(self, name: str) -> str:
        """Return the path of the file `name`; of several, the one nearest the top or beside the notebook.

        If none has the name itself: the latest of its copies, a file to whose name a browser added something, or the
        folder of a model that was unpacked. Raises Failure if there is none, NeedsReview if several could be meant.
        """
        names, suffix = self.files.names, PurePath(name).suffix
        stem = fold_name(name).removesuffix(fold_name(suffix))
        exact = nearest_name(path for path in names if fold_name(base_name(path)) == fold_name(name))
        added = [path for path in names if name_stem(path, suffix) == stem]
        copies = [
            path for path in names if filenames.strip_copy_marks(name_stem(path, suffix) or "")[0] == stem
        ]
        for paths in (exact, added, copies):
            if path := self._one_of(paths) or self._beside_notebook(paths) or latest_copy(paths, suffix):
                return path
            if paths:
                reason = f"{len(paths)} files are called {name}: {list_names(paths)}"
                raise NeedsReview(f"{reason}. Which of them counts? Hand in just the one that is meant")
        models = [path for path in _model_folders(names) if name_stem(path, suffix) == stem]
        if models and suffix == ".keras":
            return models[0]
        save = f'Run model.save("{name}")' if suffix == ".keras" else f"Run the cell that writes {name}"
        raise _missing(name, names, f"{save} and hand that file in too.")

    def _beside_notebook(self, paths: list[str]) -> str:
        """Return the one path that lies in the notebook's folder."""
        if len(paths) < 2 or self.draft:
            return ""
        try:
            folder = self.notebook.rpartition("/")[0]
        except (Failure, NeedsReview):
            return ""
        beside = [path for path in paths if path.rpartition("/")[0] == folder]
        return beside[0] if len(beside) == 1 else ""

    @property
    def files(self) -> Files:
        """The submission's files; a Failure says why they can't be opened."""
        return _once(self._known, "", partial(open_source, self.source))


def read_cells(path: str, content: bytes) -> list[Cell]:
    """Return the cells of a notebook or script. Raises Failure if it can't be read."""
    try:
        return [*read_all_cells(content, path if name_stem(path, ".ipynb") is None else "notebook.ipynb")]
    except Unreadable as error:
        raise Failure(f"{error}.".replace("notebook.ipynb", base_name(path), 1), error.hint) from None


def _sources(cells: list[Cell]) -> list[str]:
    return [source for kind, source, _ in cells if kind == "code"]


def _model_folders(names: Sequence[str]) -> list[str]:
    """Return the folders that hold what a .keras file holds."""
    folders = {path.rpartition("/")[0] for path in names if base_name(path) == "config.json"}
    return sorted(folder for folder in folders if f"{folder}/model.weights.h5" in names)


def _once(known: dict, name: str, make: Callable[[], Result]) -> Result:
    """`make()`, remembered in `known` under `name` whether it succeeds or fails."""
    if name not in known:
        try:
            known[name] = make()
        except (Failure, NeedsReview) as failure:
            known[name] = failure
    if isinstance(known[name], Failure):
        raise Failure(known[name].reason, known[name].hint)
    if isinstance(known[name], NeedsReview):
        raise NeedsReview(str(known[name]))
    return known[name]


def _missing(name: str, paths: Sequence[str], hint: str) -> Failure:
    """Return the Failure for a missing file. It names a near miss, an unknown archive, or what is there."""
    found = sorted(base_name(path) for path in paths)
    reason = f"There is no {name} in your submission"
    if near := get_close_matches(name, found, n=1, cutoff=0.75):
        return Failure(f"{reason}, but there is {near[0][:100]}.", f"Save it as {name} and hand in again.")
    if archives := [path for path in found if is_archive(path)]:
        return Failure(
            f"{reason}, but there is {archives[0][:100]}, which is damaged or lies in too many other archives.",
            "Hand in the files themselves, or one .zip of them.",
        )
    if archives := [path for path in found if path.lower().endswith(OTHER_ARCHIVES)]:
        ending = PurePath(archives[0]).suffix
        return Failure(
            f"{reason}, but there is {archives[0][:100]}: archives that end in {ending} are not opened here.",
            "Hand in the files themselves, or a .zip of them.",
        )
    return Failure(f"{reason}; it holds {list_names(found)}." if found else f"{reason}; it is empty.", hint)
