"""What of a submission is compared: its trained models, its code, its answers, and what tells where they come from."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from autograder.cells import all_cells
from autograder.failure import Failure, plain
from autograder.files import Files
from autograder.handed_in import HandedIn, opened
from autograder.integrity.code import MOST_LETTERS, Text, code, words
from autograder.integrity.units import Layout
from autograder.integrity.weights import Trained, trained
from autograder.models import read_model
from autograder.submission import refuse_text

MOST_MODELS, MOST_NOTEBOOKS = 30, 5
DRAWN_ID = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f-]{4,36})?|[A-Za-z0-9_-]{12}"
)  # as Jupyter and as Colab draw them
ASSIGNED = re.compile(r"(?m)^[ \t]*\w*SEED\w*[ \t]*=[ \t]*(\d{1,18})\b")
CALLED = re.compile(r"(?:set_random_seed|random\.seed|default_rng)\([ \t]*(\d{1,18})[ \t]*\)")


@dataclass(frozen=True, eq=False)
class Work:
    """One student's. seeds: the numbers it is trained by; cells: of each drawn cell id, what stands in it;
    team: equal for those who hand in together, empty for those who don't; skipped: what could not be read, and why.
    """

    owner: str
    models: tuple[Trained, ...] = ()
    code: Text = Text("", (), (), ())
    words: Text = Text("", (), (), ())
    seeds: frozenset[int] = frozenset()
    cells: dict[str, str] = field(default_factory=dict)
    team: tuple[str, str] = ("", "")
    skipped: tuple[str, ...] = ()


def read_work(owner: str, handed: HandedIn, layouts: dict[str, Layout]) -> Work:
    """What was handed in, as far as it can be read. Never raises for what a student handed in."""
    skipped = []
    try:
        files = opened(handed.source)
    except (Failure, OSError) as failure:
        return Work(owner, skipped=(plain(f"{owner}: {failure}"),))
    models = tuple(read_models(owner, files, layouts, skipped))
    notebooks = [*read_notebooks(owner, files, skipped)]
    team = (handed.origin.platform, handed.origin.id) if handed.origin.id else ("", "")
    return of_notebooks(owner, notebooks, models, team, skipped)


def of_notebooks(owner: str, notebooks: list, models=(), team=("", ""), skipped: list | None = None) -> Work:
    """The work that stands in these notebooks, each a name and its bytes."""
    skipped = [] if skipped is None else skipped
    cells = [cell for name, content in notebooks for cell in cells_of(owner, name, content, skipped)]
    sources = [source for kind, source, _ in cells if kind == "code"]
    texts = [source for kind, source, _ in cells if kind == "markdown"]
    ids = {identity: source for _, source, identity in cells if identity and source.strip()}
    seeds = seeds_of("\n".join(sources)[:MOST_LETTERS])
    return Work(owner, models, code(owner, sources), words(owner, texts), seeds, ids, team, tuple(skipped))


def seeds_of(source: str) -> frozenset[int]:
    """The numbers that a name such as SEED is set to; where there is none, those that a generator is started with."""
    return frozenset(map(int, ASSIGNED.findall(source) or CALLED.findall(source)))


def read_models(
    owner: str, files: Files, layouts: dict[str, Layout], skipped: list[str]
) -> Iterator[Trained]:
    """The models that were handed in; of those that can't be read, a line goes to `skipped`."""
    names = sorted(name for name in files.names if name.lower().endswith(".keras"))
    if len(names) > MOST_MODELS:
        skipped.append(plain(f"{owner}: {len(names)} models, of which the first {MOST_MODELS} are compared."))
    for name in names[:MOST_MODELS]:
        try:
            model = trained(owner, plain(name, 100), read_model(files.read(name)), layouts)
        except (Failure, OSError, MemoryError) as failure:
            skipped.append(plain(f"{owner}: {name[:100]} is not compared: {failure}"))
            continue
        if model:
            yield model


def read_notebooks(owner: str, files: Files, skipped: list[str]) -> Iterator[tuple[str, bytes]]:
    """The notebooks that were handed in; a .py file counts where there is none."""
    for suffix in (".ipynb", ".py"):
        names = sorted(name for name in files.names if name.lower().endswith(suffix))[:MOST_NOTEBOOKS]
        for name in names:
            try:
                content = files.read(name)
                refuse_text(content)
                yield name, content
            except (Failure, OSError, MemoryError) as failure:
                skipped.append(plain(f"{owner}: {name[:100]} is not compared: {failure}"))
        if names:
            return


def cells_of(owner: str, name: str, content: bytes, skipped) -> list[tuple[str, str, str]]:
    """Kind, source and drawn id of each cell; a notebook that can't be read has none."""
    try:
        cells = [(kind, source) for kind, source, _ in all_cells(content, name) if isinstance(kind, str)]
        ids = identities(content) if not name.endswith(".py") else []
    except (ValueError, RecursionError, MemoryError):
        skipped.append(plain(f"{owner}: {name[:100]} is not compared: it is no notebook that can be read."))
        return []
    ids += [""] * (len(cells) - len(ids))
    return [(kind, source, identity) for (kind, source), identity in zip(cells, ids, strict=False)]


def identities(content: bytes) -> list[str]:
    """The id of each cell, in Jupyter's place or in Colab's; empty where none was drawn by chance."""
    found = []
    for cell in json.loads(content).get("cells") or []:
        data = cell.get("metadata")
        told = cell.get("id") or (data.get("id") if isinstance(data, dict) else "")
        found.append(told if isinstance(told, str) and DRAWN_ID.fullmatch(told) else "")
    return found
