"""A submission: what one student handed in, its files, its models, its functions."""

import csv
import hashlib
import io
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from pathlib import PurePosixPath

import numpy as np

from autograder.failure import Failure, Printed, Remark, Undecided, plain
from autograder.files import Files
from autograder.handed_in import Source, opened
from autograder.item_run import current_run
from autograder.models import Blueprint, Model, Predictor, read_blueprint, read_model
from autograder.sandbox import Sandbox
from autograder.sandbox.definitions import all_cells, cells
from autograder.student import is_same, tokens
from autograder.training import trained

LONG_ROW = 1_000  # bytes, on average, of a row of a table
MOST_TEXT = 16 * 2**20  # bytes of a notebook parsed here: as values they may take twenty times the memory
SIGNATURE = re.compile(r"""(?m)^STUDENT[ \t]*=(?!=)[ \t]*(?:(["'])([^"'\\\n]{0,100})\1[ \t]*(?:#.*)?\r?$)?""")
COPY = re.compile(
    r"(?P<copied>Copy of )?(?P<stem>.*?)(?: ?\((?P<round>\d{1,3})\)|-(?P<dashed>\d{1,3}))?(?P<suffix>\.\w+)?",
    re.IGNORECASE | re.DOTALL,
)
STUB = "YOUR ANSWER HERE"


@dataclass(frozen=True)
class Answer:
    """What a student wrote in own words, for a person to read."""

    text: str


@dataclass(frozen=True)
class Submission:
    """What items see. Methods raise Failure for what is wrong with the student's files.

    student: for messages alone, an item's points rest on what was handed in and who signed it.
    draft: name and content of the notebook where the student is still at work on it, in place of a file.
    trainer: the sandbox that models are trained in, where it is another; it never runs student code.
    watch: is told, in a line, how far a training is. trainings: what equal trainings gave, for all submissions.
    asks: is told what an item asks for: "file", "name" (a function, a constant) or "answer", and which.
    words, shared: by which a signature may name the student, and by which nobody can sign (see `HandedIn`).
    """

    student: str
    source: Source
    predictor: Predictor
    sandbox: Sandbox
    draft: tuple[str, bytes] | None = None
    trainer: Sandbox | None = None
    watch: Callable[[str], None] = lambda line: None
    asks: Callable[[str, str], None] = lambda kind, name: None
    trainings: dict[str, tuple] = field(default_factory=dict)
    words: frozenset[str] | None = None
    shared: frozenset[str] = frozenset()
    _known: dict = field(default_factory=dict)  # several items ask for the same file and the same model

    def model(self, name: str) -> Model:
        """The model in the file `name`: its plan and its weights, read as data (see `autograder.models`)."""
        self.asks("file", name)
        model = _once(self._known, name, lambda: read_model(self.read(name)))
        for remark in model.remarks:
            warnings.warn(Remark(f"{name}: {remark}"), stacklevel=2)
        return model

    def predict(self, name: str, inputs: Sequence) -> np.ndarray | list[np.ndarray]:
        """Predictions `(n, k)` of the model `name` for n inputs `(time, ...)`; none of them is padded.

        An input is an array, or a tuple of arrays for a model of several inputs; where the model answers at each
        step, n arrays come back.
        """
        return self.predictor.predict(self.model(name), inputs)

    def call(self, function: str, *arguments, seconds: float = 60.0) -> np.ndarray | tuple[np.ndarray, ...]:
        """What a function of the student's notebook returns for these arrays, numbers or texts.

        It runs in a process apart that can do no harm, as if nothing had been called before; it gets nothing but
        the arguments, and ends after so many seconds. Numbers in nested lists come back as an array; a tuple, or
        a ragged list, as a tuple of arrays.
        """
        return self._called(function, arguments, seconds)

    def value(self, constant: str) -> float | str:
        """The number or the text that a constant of the student's notebook is; read in the sandbox, like `call`."""
        came = self._called(constant, (), 10.0, wanted="constant")
        return plain(came[0].tobytes().decode("utf-8", "replace")) if isinstance(came, tuple) else float(came)

    def text(self, name: str) -> Answer:
        """What stands in the notebook's Markdown cell that is tagged `answer:name`: for a person to read.

        Raises Failure while nothing is written there. A check in the notebook sees no Markdown, and no text comes.
        """
        self.asks("answer", name)
        return Answer("") if self.draft else Answer(written(name, *self.code))

    def build(self, function: str, *arguments, seconds: float = 10.0) -> Blueprint:
        """The model that a function of the student's notebook builds for these arguments, to be trained here.

        Only its configuration is taken; what the function trains or loads has no effect. Equal calls build once.
        """
        self.asks("name", function)
        return _once(
            self._known, f"{function}{arguments!r}", lambda: self._built(function, arguments, seconds)
        )

    def _built(self, function: str, arguments: Sequence, seconds: float) -> Blueprint:
        config, claimed = self._called(function, arguments, seconds, wanted="model")
        return read_blueprint(config.tobytes(), claimed)

    def train(self, blueprint: Blueprint, x: np.ndarray, y: np.ndarray, test: np.ndarray, **budget) -> tuple:
        """Losses and predictions of a model that the grader trains; see `trained`. Equal calls train once."""
        arrays = (hashlib.sha256(array.tobytes()).hexdigest() for array in (x, y, test))
        key = f"{blueprint.signature} {sorted(budget.items())} {[*arrays]}"
        if key not in self.trainings:
            train = partial(trained, self.sandbox, self.watch, blueprint, x, y, test, trainer=self.trainer)
            self.trainings[key] = _once(self._known, key, partial(train, **budget))
        result, remark = self.trainings[key]
        if remark:
            warnings.warn(Remark(remark), stacklevel=2)
        return result

    def forget(self) -> None:
        """Ends the process in which the notebook's functions were called so far, with all that they have seen there.

        For an item where a function must not know what another was given, which code could keep for it on purpose:
        `decode` what `encode` was to encode, say. After an item that drew hidden data it is done in any case.
        """
        self.sandbox.forget()

    def _called(self, function: str, arguments: Sequence, seconds: float, wanted: str = "arrays"):
        self.asks("name", function)
        name, content = self.code
        current_run().discard.append(self.forget)
        answer = self.sandbox.call(content, name, function, arguments, seconds=seconds, wanted=wanted)
        for problem in answer.problems:
            warnings.warn(Printed(problem), stacklevel=3)
        if answer.printed:
            warnings.warn(Printed(f"{function} printed: {answer.printed}"), stacklevel=3)
        if answer.failure:
            raise answer.failure
        return answer.value

    @property
    def signed(self) -> str:
        """The id that the student's own numbers are drawn from: the notebook's signature.

        Raises Failure where there is none, and Undecided where it is not that of whoever hands it in.
        """
        self.asks("name", "STUDENT")
        if not self.signature:
            hint = 'Set STUDENT = "..." in its first cell to the id you hand in under, and run it again.'
            raise Failure("Your notebook is not signed: your own numbers are drawn from your id.", hint)
        if not self.signs(self.signature):
            raise Undecided(f"the notebook that {self.student} handed in is signed by {self.signature}.")
        return self.signature

    def signs(self, signature: str) -> bool:
        """Whether this signature stands for the student."""
        words = frozenset(tokens(self.student)) if self.words is None else self.words
        return is_same(signature, words, self.shared)

    @property
    def signature(self) -> str:
        """What the notebook's last line `STUDENT = "..."` says, read as text; empty where it names nobody."""
        return _once(self._known, "STUDENT =", lambda: signature(*self.code))

    @property
    def code(self) -> tuple[str, bytes]:
        """Name and content of the notebook."""
        if self.draft:
            return self.draft
        return self.notebook, self.files.read(self.notebook)

    @property
    def notebook(self) -> str:
        """The path of the one notebook in the submission, whatever it is called; a .py file where there is none."""
        for suffix in (".ipynb", ".py"):
            found = [path for path in self.files.names if path.lower().endswith(suffix)]
            latest = found and latest_copy(found)
            if found and not latest:
                several = ", ".join(found[:6])
                raise Failure(
                    f"{len(found)} notebooks are handed in: {several}.", "Hand in just one of them."
                )
            if len(found) > 1:
                warnings.warn(
                    Remark(f"Of {len(found)} copies of the notebook, {latest} counts."), stacklevel=2
                )
            if found:
                return latest
        raise Failure(
            "There is no notebook in your submission.", "Hand in the .ipynb file with your functions."
        )

    def read(self, name: str) -> bytes:
        """The content of the file called `name`, in whichever folder of the submission it lies."""
        self.asks("file", name)
        path = self.find(name)
        if _folded(PurePosixPath(path).name) != _folded(name):
            warnings.warn(Remark(f"{PurePosixPath(path).name} was taken for {name}."), stacklevel=2)
        return self.files.read(path)

    def table(self, name: str, columns: Sequence[str], most: int) -> list[dict[str, str]]:
        """The rows of the CSV file `name`, each a text by column, with at least these columns and at most so many rows.

        A row may be short. Raises Failure for what is no such table, or too large a one.
        """
        content = self.read(name)
        if len(content) > most * LONG_ROW:
            reason = f"{name} has {len(content):,} bytes, at most {most * LONG_ROW:,} are read."
            raise Failure(reason, "A short line for each row is all it needs.")
        lines = csv.reader(io.StringIO(content.decode("utf-8-sig", "replace"), newline=""))
        try:
            header, *rows = (line for line in lines if line)
        except (ValueError, csv.Error):
            header, rows = [], []
        header = [column.strip() for column in header]
        if missing := [column for column in columns if column not in header]:
            reason = f"{name} lacks the columns {' and '.join(missing)}; its first line is {','.join(header)[:100]!r}."
            raise Failure(reason, f"Its first line: {','.join(columns)}")
        if len(rows) > most:
            raise Failure(f"{name} has {len(rows):,} rows.", f"At most {most:,} are read.")
        return [dict(zip(header, row, strict=False)) for row in rows]

    def find(self, name: str) -> str:
        """The path of the file called `name`; of several, that of the one nearest the top.

        Where none has the name itself, the latest of its copies, as browsers and platforms number them.
        """
        files = self.files
        matches = nearest(path for path in files.names if _folded(PurePosixPath(path).name) == _folded(name))
        copies = [path for path in files.names if without_number(path)[0] == _folded(name)]
        if not matches and (latest := latest_copy(copies)):
            return latest
        if not matches and not copies:
            raise _missing(name, [PurePosixPath(path).name[:100] for path in files.names])
        if len(matches or copies) > 1:
            found = ", ".join(matches or copies)
            raise Failure(
                f"{len(matches or copies)} files are called {name}: {found}.", "Hand in just one of them."
            )
        return matches[0]

    @property
    def files(self) -> Files:
        """The submission's files; a Failure says why they can't be opened."""
        return _once(self._known, "", partial(opened, self.source))


def nearest(paths: Iterable[str]) -> list[str]:
    """Those of the paths that lie nearest the top."""
    paths = list(paths)
    depth = min((path.count("/") for path in paths), default=0)
    return [path for path in paths if path.count("/") == depth]


def without_number(path: str) -> tuple[str, int]:
    """A file's name without what marks it as a copy, folded, and the copy's number: "Copy of a (2).py" is a.py, 2.

    Browsers write "a (2).ipynb", Canvas "a-2.ipynb" for a second upload, Drive "Copy of a.ipynb".
    """
    match = COPY.fullmatch(PurePosixPath(path).name)
    number = next(
        (int(found) for found in match.group("round", "dashed") if found), int(bool(match["copied"]))
    )
    return _folded(match["stem"] + (match["suffix"] or "")), number


def latest_copy(paths: Sequence[str]) -> str:
    """The copy of the highest number where all paths are copies of one file, numbered apart; empty otherwise."""
    numbered = {without_number(path): path for path in paths}
    if len({name for name, _ in numbered}) != 1 or len(numbered) != len(paths):
        return ""
    return numbered[max(numbered)]


def signature(name: str, content: bytes) -> str:
    """Who signed the notebook `content`, by a line at the left edge of a code cell; empty for nobody."""
    refuse_text(content)
    try:
        found = [match[2] for cell in cells(content, name) for match in SIGNATURE.finditer(cell)]
    except ValueError as error:
        raise Failure(f"{error}.", "Save it again from Jupyter or Colab.") from None
    last = (found or [""])[-1] or ""
    return last if tokens(last) else ""


def refuse_text(content: bytes) -> None:
    """Raise Failure for a notebook that is too large to be parsed here."""
    if len(content) > MOST_TEXT:
        size = f"{len(content) >> 20} MiB, at most {MOST_TEXT >> 20} MiB are read"
        raise Failure(
            f"Your notebook is too large: {size}.", "Clear its outputs, save it and hand it in again."
        )


def written(name: str, file: str, content: bytes) -> str:
    """The text in the cell of the notebook `content` that is tagged `answer:name`, or begins with these words."""
    refuse_text(content)
    try:
        kept = [
            source for kind, source, data in all_cells(content, file) if is_answer(name, kind, source, data)
        ]
    except ValueError as error:
        raise Failure(f"{error}.", "Save it again from Jupyter or Colab.") from None
    if not kept:
        hint = f"Write the answer into a Markdown cell whose first line is `answer:{name}`."
        raise Failure(f"No cell of your notebook is marked as the answer to {name}.", hint)
    text = kept[-1].strip().removeprefix(f"answer:{name}").strip()
    if not text or text.strip("#_* \n") == STUB:
        raise Failure("Nothing is written here yet.", "Write into the cell itself, in place of its one line.")
    return text


def is_answer(name: str, kind: str, source: str, metadata: dict) -> bool:
    """Whether a cell is the one for the answer `name`; the first line counts where an editor lost the tag."""
    tags, own = metadata.get("tags"), metadata.get("nbgrader")
    tagged = isinstance(tags, list) and f"answer:{name}" in tags
    named = isinstance(own, dict) and own.get("grade_id") == name
    return kind == "markdown" and (
        tagged or named or source.strip().split("\n")[0].strip() == f"answer:{name}"
    )


def _folded(name: str) -> str:
    """`name` as file systems that ignore case, or compose accents their own way, would tell it from others."""
    return unicodedata.normalize("NFC", name).casefold()


def _once(known: dict, name: str, make: Callable):
    """`make()`, remembered in `known` under `name` whether it succeeds or fails."""
    if name not in known:
        try:
            known[name] = make()
        except Failure as failure:
            known[name] = failure
    if isinstance(known[name], Failure):
        raise Failure(known[name].reason, known[name].hint)
    return known[name]


def _missing(name: str, found: list[str]) -> Failure:
    """There is no file `name` among those `found`; a near miss of a name is pointed out."""
    reason = f"There is no {name} in your submission"
    if near := get_close_matches(name, found, n=1, cutoff=0.75):
        return Failure(f"{reason}, but there is {near[0]}.", f"Save it as {name} and hand in again.")
    some = ", ".join(sorted(found)[:6]) + (" …" if len(found) > 6 else "")
    reason = f"{reason}; it holds {some}." if found else f"{reason}; it is empty."
    way = f'Run model.save("{name}")' if name.endswith(".keras") else f"Run the cell that writes {name}"
    return Failure(reason, f"{way} and hand that file in too.")
