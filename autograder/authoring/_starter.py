"""Release: the starter notebook that students receive, derived one way from the instructor's reference."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

from autograder.authoring._markers import Cell, MarkerError, node, read_cells, regions, replace_regions
from autograder.authoring._nbgrader import metadata
from autograder.core import Assignment, CourseError, read_course
from autograder.rubric import SEALED, questions_path, sealed_json, source_digest

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
BEGIN = "from autograder.notebook_checks import start_checks"
_OTHER_BEGIN = re.compile(
    r"\s*(from autograder\.notebook_checks import .*\bstart_checks\b|import autograder\.notebook_checks\b)"
)
FINDER = '''\
import sys
from pathlib import Path

# The course lies in a folder above this notebook, in its own, or in one beside it; what is found there goes first.
for folder in [Path.cwd(), *Path.cwd().parents, *sorted(Path.cwd().glob("*/"))]:
    if (folder / "course.toml").is_file():
        sys.path.insert(0, str(folder))
        break
try:
    from autograder.notebook_checks import start_checks
except ModuleNotFoundError as error:
    if error.name not in ("autograder", "autograder.notebook_checks"):
        raise
    sys.exit("""{advice}""")
'''
FETCH = """
import io, urllib.request, zipfile  # The course isn't here: run these two lines, then this cell again.
zipfile.ZipFile(io.BytesIO(urllib.request.urlopen("{bundle}").read())).extractall()"""
NO_ADDRESS = "The course isn't here: unpack its archive beside this notebook, then run this cell again."


def starter(source: str, name: str, bundle: str = "", items: Sequence = ()) -> str:
    """Return the starter notebook (nbformat 4.5) of a percent-format reference, as text; the same bytes every time.

    Solution regions become stubs, cells tagged `solution` are left out; the course's package is looked for before it
    is imported. name: the reference, for messages; bundle: the address that students fetch the course from; items:
    of the rubric, for nbgrader's points. Raises MarkerError with file and line where the reference is marked wrongly.
    """
    import nbformat

    found = regions(source, name)
    if not any(region.kind == "SOLUTION" for region in found):
        advice = "put what students write between `# BEGIN SOLUTION` and `# END SOLUTION`"
        raise MarkerError(name, 1, "nothing is marked as a solution", advice)
    kept = [
        _with_finder(cell, bundle)
        for cell in read_cells(replace_regions(source, found))
        if "solution" not in cell.tags
    ]
    _check_import(source, name)
    _check_answers(kept, items, source, name)
    notebook = nbformat.v4.new_notebook(metadata=METADATA, cells=_nodes(kept, items))
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def release(assignment: Assignment, path: Path) -> bool:
    """Write the starter of `assignment` to `path`; True where that changed the file."""
    if is_stale(assignment, path) is None:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(make_starter(assignment).encode())
    return True


def stale_questions(assignment: Assignment) -> str | None:
    """Return why the sealed questions are not those of the open ones; None where they are, or where there are none."""
    source, path = questions_path(assignment.folder), assignment.folder / SEALED
    if not source.is_file():
        return None
    if not path.is_file():
        return f"{path} is missing"
    try:
        digest = json.loads(path.read_text(encoding="utf-8")).get("source")
    except (ValueError, AttributeError):
        digest = None
    return None if digest == source_digest(source) else f"{path} is not made of {source}"


def seal_questions(assignment: Assignment) -> bool:
    """Write the questions as students have them, sealed; True where that changed the file."""
    if stale_questions(assignment) is None:
        return False
    text = sealed_json(questions_path(assignment.folder))
    (assignment.folder / SEALED).write_text(text, encoding="utf-8")
    return True


def is_stale(assignment: Assignment, path: Path) -> str | None:
    """Return why `path` is not, byte for byte, what reference, rubric and course.toml give; None where it is."""
    if not path.is_file():
        return f"{path} is missing"
    expected, bytes_found = make_starter(assignment), path.read_bytes()
    if expected.encode() == bytes_found:
        return None
    found = bytes_found.decode(errors="replace")
    return f"{path}: " + (_differing_cell(expected, found) or _differing_line(expected, found, "line"))


def make_starter(assignment: Assignment) -> str:
    """Return the starter of an assignment as its files give it today."""
    from autograder.rubric import read_rubric

    reference, rubric = assignment.reference, assignment.rubric
    source = reference.read_text(encoding="utf-8")
    if not rubric.is_file():
        raise CourseError(f"{rubric} is missing: the starter holds the points of its items.")
    return starter(source, str(reference), read_course(assignment.root).bundle, read_rubric(rubric))


def _with_finder(cell: Cell, bundle: str) -> Cell:
    """Return the cell with the finder in the place of the plain import, where it has one."""
    lines = cell.source.split("\n")
    if cell.kind != "code" or BEGIN not in lines:
        return cell
    advice = FETCH.format(bundle=bundle) if bundle else NO_ADDRESS
    place = lines.index(BEGIN)
    lines[place : place + 1] = FINDER.replace("{advice}", advice).rstrip("\n").split("\n")
    return replace(cell, source="\n".join(lines))


def _check_import(source: str, name: str) -> None:
    """Raise where `start_checks` is imported in another way than the one that becomes the finder."""
    for number, line in enumerate(source.split("\n"), start=1):
        if line != BEGIN and _OTHER_BEGIN.match(line):
            advice = f"write `{BEGIN}` on a line of its own, so that the starter finds the course"
            raise MarkerError(name, number, f"another import of start_checks: {line.strip()!r}", advice)


def _check_answers(kept: list[Cell], items: Sequence, source: str, name: str) -> None:
    """Raise for a tag `answer:NAME` that names no item, or that two cells have."""
    known, seen = {item.__name__ for item in items}, set()
    for answer in filter(None, (cell.answers for cell in kept)):
        if answer not in known or answer in seen:
            *_, place = (found.start() for found in re.finditer(rf"answer:{answer}\b", source))
            line = source[:place].count("\n") + 1
            what = f"the rubric has no item {answer}" if answer not in known else f"a second answer:{answer}"
            raise MarkerError(name, line, what, "tag each answer with the item that reads it")
        seen.add(answer)


def _nodes(kept: list[Cell], items: Sequence) -> list:
    """Return the cells for nbformat; a cell's id follows from its content: an edit elsewhere leaves it alone."""
    nodes = []
    seen: dict[Cell, int] = {}
    for cell, marks in zip(kept, metadata(kept, items), strict=True):
        seen[cell] = seen.get(cell, -1) + 1  # equal cells are told apart by how many came before
        identity = hashlib.sha256(f"{seen[cell]} {cell}".encode()).hexdigest()[:12]
        nodes.append(node(cell, identity))
        if marks:
            nodes[-1].metadata["nbgrader"] = marks
    return nodes


def _differing_cell(fresh: str, found: str) -> str | None:
    """Where the cells' text first differs; None where the difference lies elsewhere (metadata, layout)."""
    try:
        pairs = zip_longest(*([_text(cell) for cell in json.loads(text)["cells"]] for text in (fresh, found)))
    except (ValueError, KeyError, TypeError):
        return None
    for number, (expected, came) in enumerate(pairs, start=1):
        if came is None or expected is None:
            return f"cell {number} is {'missing' if came is None else 'not in the reference'}"
        if expected != came:
            return _differing_line(expected, came, f"cell {number}, line")
    return None


def _text(cell: dict) -> str:
    return "".join(cell["source"])


def _differing_line(expected: str, came: str, place: str) -> str:
    lines = enumerate(zip_longest(expected.split("\n"), came.split("\n")), start=1)
    number, (want, have) = next((number, pair) for number, pair in lines if pair[0] != pair[1])
    quoted = ["nothing" if line is None else repr(line[:80]) for line in (want, have)]
    return f"{place} {number}: the reference gives {quoted[0]}, the starter has {quoted[1]}"
