"""What of a submission is compared: what the grader grades of it, and what tells where that comes from.

That is the notebook that counts and the files that items ask for, then other models as long as the budget lasts.
Copies that nobody grades hide nothing.
"""

import ast
import hashlib
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np

from autograder.core import Assignment, Failure, NeedsReview, sanitize
from autograder.models import Predictor, read_model
from autograder.rubric import Expected, Submission
from autograder.similarity._code import MAX_SYMBOLS, Text, code, number, statements, words
from autograder.similarity._permutations import MAX_UNITS
from autograder.similarity._weights import TrainedModel, read_trained
from autograder.submissions import Files, RawSubmission, cell_ids, open_source, read_all_cells, strip_outputs

MAX_MODELS, MAX_NOTEBOOKS = 30, 5
MAX_KEPT = 2_000_000  # weights of one work that may be aligned
MAX_ROWS = 50_000  # of a table
SECONDS = 30.0  # of this processor, after which no more files of a work are read
TELLING = 5  # digits behind the dot, in all of a row: fewer may agree by chance
DRAWN_ID = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f-]{4,36})?|[A-Za-z0-9_-]{12}"
)  # as Jupyter and as Colab draw them
NUMBER = re.compile(r"[-+]?(?:[0-9]++(?:\.(?P<digits>[0-9]*+))?|\.(?P<only>[0-9]++))(?:[eE][-+]?[0-9]++)?")
FILE_NAME = re.compile(r"[\w. -]+\.[A-Za-z]\w{0,8}")
SEEDING = {"set_random_seed", "seed", "default_rng"}


@dataclass(frozen=True, eq=False)
class Table:
    """A file of rows that an item asks for.

    rows: a hash of the numbers of each row that has so many digits that it tells something, sorted. digest: equal for
    the same lines in whatever order. length: how many lines there are.
    """

    file: str
    rows: np.ndarray
    digest: str
    length: int


@dataclass(frozen=True, eq=False)
class Work:
    """One student's. seeds: the numbers it is trained by; cells: of each drawn cell id, what stands in it;
    team: equal for those who hand in together, empty for those who don't; skipped: what could not be read, and why.
    """

    owner: str
    models: tuple[TrainedModel, ...] = ()
    tables: tuple[Table, ...] = ()
    code: Text = Text("")
    words: Text = Text("")
    seeds: frozenset[int] = frozenset()
    cells: dict[str, str] = field(default_factory=dict)
    team: tuple[str, str] = ("", "")
    skipped: tuple[str, ...] = ()


def asked_names(assignment: Assignment) -> frozenset[str]:
    """Return the names that items may ask for: texts of the rubric, and the perfect test submission's files."""
    nodes = ast.walk(ast.parse(assignment.rubric.read_bytes()))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    perfect = assignment.test_submissions / "perfect"
    files = {path.name for path in perfect.iterdir()} if perfect.is_dir() else set()
    return frozenset({text for text in texts if text.isidentifier() or FILE_NAME.fullmatch(text)} | files)


def read_work(
    owner: str,
    raw: RawSubmission,
    expected: Expected,
    asked: frozenset[str],
    parts: Sequence[str] = ("notebook", "files"),
) -> Work:
    """Return what was handed in, as far as it can be read. Never raises for what a student handed in.

    expected: what is known of the assignment. asked: see `asked_names`. parts: what is read of it.
    """
    skipped: list[str] = []
    start = time.process_time()
    try:
        files = open_source(raw.source, expected.slug)
    except (Failure, NeedsReview) as failure:
        return Work(owner, skipped=(sanitize(f"{owner}: {failure}"),))
    submission = Submission(
        owner, lambda budget=None: files, Predictor(), sandbox=None, expected=expected,
        words=raw.words, shared=raw.shared, name=raw.origin.name,
    )  # fmt: skip
    notebooks = [*read_notebooks(owner, submission, skipped)] if "notebook" in parts else []
    graded = graded_files(submission, asked)
    tables, models = [], []
    if "files" in parts:
        tables = [*read_tables(owner, files, graded, skipped)]
        models = [*read_models(owner, files, graded, start, skipped)]
    team = (raw.origin.platform, raw.origin.id) if raw.origin.id else ("", "")
    try:
        return work_of_notebooks(owner, notebooks, asked, models, tables, team, skipped)
    except Exception as error:  # of any kind, for crafted text
        skipped.append(sanitize(f"{owner}: the notebook is not compared: {type(error).__name__}"))
        return Work(owner, tuple(models), tuple(tables), team=team, skipped=tuple(skipped))


def work_of_notebooks(
    owner: str, notebooks: Sequence[tuple[str, bytes]], asked: frozenset[str] = frozenset(),
    models: Iterable[TrainedModel] = (), tables: Iterable[Table] = (), team: tuple[str, str] = ("", ""),
    skipped: Sequence[str] = (),
) -> Work:  # fmt: skip
    """Return the work that stands in these notebooks, each a name and its bytes."""
    skipped = list(skipped)
    cells = [cell for name, content in notebooks for cell in cells_of(owner, name, content, skipped)]
    sources = [source for kind, source, _ in cells if kind == "code"]
    texts = [source for kind, source, _ in cells if kind == "markdown"]
    ids = {identity: source for _, source, identity in cells if identity and source.strip()}
    program, prose = code(owner, sources, asked), words(owner, texts)
    for text, what in ((program, "symbols of code"), (prose, "words")):
        if text.left_out:
            count = f"{text.left_out + len(text.symbols):,} {what}, of which {MAX_SYMBOLS:,} are compared"
            skipped.append(sanitize(f"{owner}: {count}."))
    seeds = frozenset().union(*map(seeds_of, sources))
    return Work(owner, tuple(models), tuple(tables), program, prose, seeds, ids, team, tuple(skipped))


def seeds_of(source: str) -> frozenset[int]:
    """Return the numbers that names such as SEED are set to; without any, those that a generator is started with."""
    assigned, called = set(), set()
    if "SEED" in source or any(name in source for name in SEEDING):
        for statement in statements(source):
            for before, sign, after in zip(statement, statement[1:], statement[2:], strict=False):
                if after.kind == "number" and len(after.text) <= 18 and after.text.isdecimal():
                    if before.kind == "name" and "SEED" in before.text and sign.text == "=":
                        assigned.add(int(after.text))
                    elif before.text in SEEDING and sign.text == "(":
                        called.add(int(after.text))
    return frozenset(assigned or called)


def graded_files(submission: Submission, asked: frozenset[str]) -> list[str]:
    """Return the paths of the files that items ask for, as far as they are there, in order."""
    paths = []
    for name in sorted(asked):
        if PurePosixPath(name).suffix.lower() not in ("", ".ipynb", ".py", ".toml"):
            try:
                paths.append(submission.find(name))
            except Exception:  # of any kind, for crafted names; mostly it is missing
                continue
    return list(dict.fromkeys(paths))


def read_models(
    owner: str, files: Files, graded: Sequence[str], start: float, skipped: list[str]
) -> Iterator[TrainedModel]:
    """Yield the models: those that items ask for, then others. A line for each that can't be read goes to `skipped`.

    start: when reading the work began, by this process's time.
    """
    first = [name for name in graded if name.lower().endswith(".keras")]
    rest = sorted({name for name in files.names if name.lower().endswith(".keras")}.difference(first))
    contents: set[bytes] = set()
    left, digests = MAX_KEPT, set()
    for place, name in enumerate([*first, *rest]):
        if len(contents) >= max(MAX_MODELS, len(first)) or time.process_time() - start > SECONDS:
            others = len(first) + len(rest) - place
            skipped.append(
                sanitize(f"{owner}: after {len(contents)} models, {others} others are not compared.")
            )
            return
        try:
            content = files.read(name)
            sum_ = hashlib.sha256(content).digest()
            if sum_ in contents:
                continue
            contents.add(sum_)
            model = read_trained(owner, sanitize(name, 100), read_model(content), left)
        except Exception as failure:  # of any kind, for crafted bytes
            skipped.append(not_compared(owner, name, failure))
            continue
        if model and model.digest not in digests:
            digests.add(model.digest)
            left -= sum(array.size for array in model.weights)
            if widest := max((size for size in model.layout.sizes if size > MAX_UNITS), default=0):
                note = f"a layer of {widest:,} units, which are compared in the order of the file alone"
                skipped.append(sanitize(f"{owner}: {name[:100]} has {note}."))
            yield model


def read_tables(owner: str, files: Files, graded: Sequence[str], skipped: list[str]) -> Iterator[Table]:
    """Yield the tables that items ask for. A line for each that can't be read goes to `skipped`."""
    for name in (name for name in graded if not name.lower().endswith(".keras")):
        try:
            yield read_table(name, files.read(name))
        except Exception as failure:  # of any kind, for crafted bytes
            skipped.append(not_compared(owner, name, failure))


def read_table(name: str, content: bytes) -> Table:
    """Return a table as it is compared. Raises Failure for one of too many rows."""
    lines = [line for line in content.decode("utf-8-sig", "replace").splitlines() if line.strip()]
    if len(lines) > MAX_ROWS:
        raise Failure(f"it has {len(lines):,} rows, at most {MAX_ROWS:,} are compared.")
    rows = {number(key) for line in lines if (key := numbers_of(line))}
    same = sorted(" ".join(re.split(r"[\s,;]+", line.strip())) for line in lines)
    digest = hashlib.sha256("\n".join(same).encode("utf-8", "replace")).hexdigest()
    return Table(
        sanitize(PurePosixPath(name).name, 100), np.array(sorted(rows), np.uint64), digest, len(lines)
    )


def not_compared(owner: str, name: str, failure: Exception) -> str:
    """Return a line on a file that can't be read."""
    return sanitize(f"{owner}: {name[:100]} is not compared: {failure or type(failure).__name__}")


def numbers_of(line: str) -> str:
    """Return the numbers of a row, sorted; empty where their digits are so few that others may have them by chance."""
    matches = [*NUMBER.finditer(line)]
    digits = sum(len(match["digits"] or match["only"] or "") for match in matches)
    values = sorted(float(match[0]) for match in matches if match["digits"] or match["only"])
    return " ".join(f"{value:.6g}" for value in values) if digits >= TELLING else ""


def read_notebooks(owner: str, submission: Submission, skipped: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the notebook that is graded; of a submission that leaves open which one that is, the first few."""
    names = [
        name
        for suffix in (".ipynb", ".py")
        for name in submission.files.names
        if name.lower().endswith(suffix)
    ]
    try:
        names = [submission.notebook]
    except Exception:  # of any kind, for crafted bytes; mostly it stays open which one counts
        if len(names) > MAX_NOTEBOOKS:
            skipped.append(
                sanitize(f"{owner}: {len(names)} notebooks, of which {MAX_NOTEBOOKS} are compared.")
            )
    for name in names[:MAX_NOTEBOOKS]:
        try:
            content = submission.files.read(name)
            yield name, content if name.lower().endswith(".py") else strip_outputs(content)
        except Exception as failure:  # of any kind
            skipped.append(not_compared(owner, name, failure))


def cells_of(owner: str, name: str, content: bytes, skipped: list[str]) -> list[tuple[str, str, str]]:
    """Return kind, source and drawn id of each cell; none for a notebook that can't be read."""
    try:
        cells = [(kind, source) for kind, source, _ in read_all_cells(content, name)]
        ids = [] if name.lower().endswith(".py") else cell_ids(content, name)
    except Exception:  # of any kind, for crafted bytes
        skipped.append(
            sanitize(f"{owner}: {name[:100]} is not compared: it is no notebook that can be read.")
        )
        return []
    ids = [text if DRAWN_ID.fullmatch(text) else "" for text in ids]  # others are not drawn by chance
    ids += [""] * (len(cells) - len(ids))
    return [(kind, source, identity) for (kind, source), identity in zip(cells, ids, strict=False)]
