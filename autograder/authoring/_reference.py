"""The reference, run as the notebook that it is: what is published as the solution, and the perfect test submission."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from autograder.authoring._markers import node, read_cells, strip_markers, write_notebook
from autograder.core import Assignment, CourseError

Watch = Callable[[int, int], None]  # is told how many cells are done, of how many

ENGINE = Path(__file__).parents[2]
CACHES = ("__pycache__", ".*")
KNOWN = 'about = "The reference itself."\nothers = "full"\n'


def run_reference(
    assignment: Assignment,
    folder: Path,
    watch: Watch = lambda done, total: None,
    seed: int | None = None,
) -> Any:
    """Run the reference in `folder` and give the executed notebook; what it saves lies in `folder` afterwards.

    seed: takes the place of the line `SEED = 0`. A `folder` inside the course lets `start_checks` find that course.
    Raises CourseError with file, cell and the first line of the error for a cell that fails.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError
    from nbformat import v4

    parts = read_cells(
        with_seed(assignment.reference.read_text(encoding="utf-8"), assignment.reference, seed)
    )
    notebook = v4.new_notebook(cells=[node(cell, f"cell-{place}") for place, cell in enumerate(parts)])
    at = [0]  # the cell that runs, from 1

    def started(cell: object, cell_index: int) -> None:
        at[0] = cell_index + 1
        watch(cell_index, len(parts))

    client = NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--log-level=ERROR"],
        on_cell_start=started,
    )
    try:
        client.execute(env=environment(assignment.root))
    except CellExecutionError as error:
        first = f"{error.ename}: {error.evalue}".splitlines()[0]
        raise CourseError(f"{assignment.reference}: cell {at[0]} of {len(parts)} fails: {first}") from None
    except DeadKernelError:
        raise CourseError(f"{assignment.reference}: cell {at[0]} of {len(parts)} ends the kernel.") from None
    watch(len(parts), len(parts))
    return notebook


def environment(root: Path) -> dict[str, str]:
    """Return this process's environment, with the course's root and the engine first among what Python imports."""
    paths = dict.fromkeys([str(root), str(ENGINE), *filter(None, [os.environ.get("PYTHONPATH")])])
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}


def with_seed(source: str, path: Path, seed: int | None) -> str:
    """Return the reference's source with another seed; path: where it lies, for the message if it has no such line."""
    if seed is None:
        return source
    changed, count = re.subn(r"(?m)^SEED = 0\b", f"SEED = {seed}", source)
    if count != 1:
        raise CourseError(
            f"{path} has {count} lines `SEED = 0`: write one, so that another seed can be tried."
        )
    return changed


def write_perfect(assignment: Assignment, watch: Watch = lambda done, total: None) -> None:
    """Run the reference and make the test submission `perfect` of it: its notebook, and the files that it saved."""
    perfect = assignment.test_submissions / "perfect"
    with work_folder(assignment) as folder:
        run_reference(assignment, folder, watch)
        empty_test_submission(perfect)
        shutil.copytree(folder, perfect, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*CACHES))
    parts = read_cells(assignment.reference.read_text(encoding="utf-8"))
    write_notebook(perfect / assignment.starter.name, *parts)
    known = perfect / "expected.toml"
    if not known.exists():
        known.write_text(KNOWN, encoding="utf-8")


@contextmanager
def work_folder(assignment: Assignment) -> Iterator[Path]:
    """Return a folder of the course, for a while."""
    results = assignment.root / "results"
    results.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=results, prefix="reference-") as folder:
        yield Path(folder)


def empty_test_submission(perfect: Path) -> None:
    """Empty the test submission's folder but for its known marks, which a person wrote."""
    perfect.mkdir(parents=True, exist_ok=True)
    for path in perfect.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "expected.toml":
            path.unlink()


def publish(assignment: Assignment, out: Path, watch: Watch = lambda done, total: None) -> tuple[Path, Path]:
    """Run the reference and write the solution into `out`: the executed notebook, and a page with its plots."""
    out.mkdir(parents=True, exist_ok=True)
    with work_folder(assignment) as folder:
        notebook = run_reference(assignment, folder, watch)
    for cell in notebook.cells:
        cell.source = strip_markers(cell.source)
    notebook.metadata["title"] = assignment.title
    solution = out / assignment.starter.name
    solution.write_text(nbformat_text(notebook), encoding="utf-8", newline="\n")
    page = solution.with_suffix(".html")
    page.write_text(as_page(notebook), encoding="utf-8", newline="\n")
    return solution, page


def require_due(assignment: Assignment, now: datetime) -> None:
    """Raise CourseError unless the assignment was due before `now`; for its solution must not go out earlier."""
    if assignment.due is None:
        said = f"{assignment.slug} has no due date in course.toml"
    elif now < assignment.due:
        said = f"{assignment.slug} is due on {assignment.due:%Y-%m-%d at %H:%M %Z}"
    else:
        return
    raise CourseError(f"{said}: its solution is not published; --before-due does it all the same.")


def nbformat_text(notebook: Any) -> str:
    from nbformat import writes

    return writes(notebook) + "\n"


def as_page(notebook: Any) -> str:
    """Return a page of HTML that holds its plots; it asks the network for nothing but MathJax, which draws formulas."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(embed_images=True, require_js_url="", jquery_url="", mermaid_js_url="")
    return exporter.from_notebook_node(notebook)[0]
