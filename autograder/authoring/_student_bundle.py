"""The student bundle: a folder and an archive of what students may have, by an allow-list, and the proof of it.

The proof reads the archive as it was written. It knows what must not be in it: the lines of the references'
solutions, the terms' seeds, this term's hidden rows, and the names of files in `solutions`.
"""

import ast
import inspect
import json
import re
import shutil
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from autograder.authoring._markers import read_cells, regions
from autograder.authoring._starter import is_stale, stale_questions
from autograder.core import COURSE_FILE, Assignment, Course, CourseError, load_module
from autograder.data import hidden_data, is_remote
from autograder.rubric import SEALED, questions_path
from autograder.submissions import zip_files

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "rnn-course"
ENGINE = Path(__file__).parents[1]
ENGINE_FILES = {".py", ".html", ".css", ".js"}
REQUIRED = {
    "requirements.txt": "requirements.txt",
    "pyproject.toml": "pyproject.toml",
    "README.md": "docs/students.md",
}
OPTIONAL = ("requirements-gpu.txt",)
FORBIDDEN_FOLDERS = {"solutions", "test_submissions"}
MIN_DISTINCT = 6  # distinct words or numbers that make a line of a solution more than a turn of phrase
LONG, VARIED = 24, 4  # characters of a hidden value, and different ones: poorer ones come up by chance
FIELD_ENDS = ("", "\n", "\r", ",", ";", "\t", '"', "'", "\\")
_WORD = re.compile(r"\w+")
_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"')
_FIELD = re.compile(r"""^[ \t]*|["',;\t]""", re.MULTILINE)
COURSE_KEYS, ENTRY_KEYS = ("title", "bundle", "timezone", "late"), ("slug", "title", "points", "due")
PRIVATE = 6  # characters of a name or reason, with more than letters, that are told from chance


@dataclass(frozen=True)
class Bundle:
    """What was written: the archive, its files, and what the proof could not look for, a line each."""

    archive: Path
    names: tuple[str, ...]
    unproved: tuple[str, ...]


def write_bundle(course: Course, assignments: Iterable[Assignment], out: Path) -> Bundle:
    """Write the folder and the archive of the students' bundle into `out`, and prove the archive.

    Raises CourseError, with nothing left behind, where the bundle is not complete or holds what it must not.
    """
    if not course.bundle:
        raise CourseError(
            f"{course.root / COURSE_FILE} has no `bundle`: the address from which students fetch it."
        )
    chosen, archive = list(assignments), out / PurePosixPath(course.bundle).name
    files = bundle_files(course, chosen)
    folder = out / FOLDER
    if folder.exists() and not (folder / COURSE_FILE).is_file():
        raise CourseError(f"{folder} is there and is no bundle: name another folder for --out.")
    out.mkdir(parents=True, exist_ok=True)
    try:
        archive.write_bytes(zip_files({f"{FOLDER}/{name}": content for name, content in files.items()}))
        unproved = tuple(prove(course, archive))
        shutil.rmtree(folder, ignore_errors=True)
        zipfile.ZipFile(archive).extractall(out)
    except BaseException:
        archive.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Bundle(archive, tuple(files), unproved)


def bundle_files(course: Course, assignments: list[Assignment]) -> dict[str, bytes]:
    """Return the content of each file that students may have, by its place in the bundle."""
    files = {COURSE_FILE: to_toml(public_course(course, assignments)).encode()}
    for name, source in REQUIRED.items():
        if not (course.root / source).is_file():
            raise CourseError(f"{course.root / source} is missing: it becomes the bundle's {name}.")
        files[name] = (course.root / source).read_bytes()
    files |= {name: (course.root / name).read_bytes() for name in OPTIONAL if (course.root / name).is_file()}
    files |= {f"autograder/{name}": content for name, content in engine_files()}
    for assignment in assignments:
        if reason := is_stale(assignment, assignment.starter) or stale_questions(assignment):
            raise CourseError(f"{reason}; run `autograder release starters {assignment.slug}` first.")
        place = f"assignments/{assignment.slug}"
        files |= {
            f"{place}/{path.name}": path.read_bytes()
            for path in (assignment.starter, assignment.rubric, assignment.folder / SEALED)
            if path.name != SEALED or path.is_file()
        }
    for folder in sorted(path for path in (course.root / "datasets").glob("*") if path.is_dir()):
        files |= {f"datasets/{folder.name}/{path.name}": path.read_bytes() for path in public_files(folder)}
    return files


def public_course(course: Course, assignments: Iterable[Assignment]) -> dict:
    """Return what course.toml says of the course, of being late, and of these assignments.

    Who has an extension, and why, stays here; so do comments, which may say the same.
    """
    written = tomllib.loads((course.root / COURSE_FILE).read_text(encoding="utf-8"))
    slugs = {assignment.slug for assignment in assignments}
    kept = [entry for entry in written["assignment"] if entry["slug"] in slugs]
    entries = [{name: entry[name] for name in ENTRY_KEYS if name in entry} for entry in kept]
    return {name: written[name] for name in COURSE_KEYS if name in written} | {"assignment": entries}


def to_toml(course: dict) -> str:
    """Return what `public_course` gave as the text of a course.toml."""
    lines = [f"{name} = {toml_value(value)}" for name, value in course.items() if isinstance(value, str)]
    tables = [(f"[{name}]", value) for name, value in course.items() if isinstance(value, dict)]
    lists = ((name, value) for name, value in course.items() if isinstance(value, list))
    for head, table in tables + [(f"[[{name}]]", table) for name, entries in lists for table in entries]:
        lines += ["", head, *(f"{name} = {toml_value(value)}" for name, value in table.items())]
    return "\n".join(lines) + "\n"


def toml_value(value: str | float | datetime) -> str:
    """Return a text, a number or a date and time as TOML, which has JSON's texts but for one character."""
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def engine_files() -> Iterator[tuple[str, bytes]]:
    for path in sorted(ENGINE.rglob("*")):
        if path.suffix in ENGINE_FILES and path.is_file():
            yield path.relative_to(ENGINE).as_posix(), path.read_bytes()


def public_files(folder: Path) -> list[Path]:
    """Return the files of a data set for students: datasheet, generator, train.csv, what the datasheet names."""
    sheet = folder / "README.md"
    text = sheet.read_text(encoding="utf-8") if sheet.is_file() else ""
    named = {"README.md", "generate.py", "fetch.py", "train.csv"} | set(re.findall(r"[\w-]+\.\w+", text))
    return [path for path in sorted(folder.iterdir()) if path.is_file() and path.name in named]


# --- the proof


@dataclass(frozen=True)
class Secrets:
    """What must not be in the archive: see the functions that find each."""

    lines: dict[str, str]
    seeds: tuple[tuple[bytes, str], ...]
    values: dict[str, dict[str, str]]
    private: tuple[str, ...]

    def extension_in(self, name: str, line: str) -> bool:
        """Return True if a line of the file `name` tells of an extension; in course.toml no word is too short to tell.

        The engine knows no student; the names in its examples are some students' as well.
        """
        if name.startswith(f"{FOLDER}/autograder/"):
            return False
        at_all, line = PurePosixPath(name).name == COURSE_FILE, line.casefold()
        return any(
            text in line and re.search(rf"(?<!\w){re.escape(text)}(?!\w)", line)
            for text in self.private
            if at_all or is_private(text)
        )


def prove(course: Course, archive: Path) -> Iterator[str]:
    """Raise CourseError, naming file and line, for what must not be in the archive; yield what it can't look for."""
    values, unproved = hidden_values(course)
    secrets = Secrets(solution_lines(course), tuple(seeds_of(course)), values, private_texts(course))
    with zipfile.ZipFile(archive) as opened:
        for name in opened.namelist():
            content = opened.read(name)
            if FORBIDDEN_FOLDERS & set(PurePosixPath(name).parts):
                raise CourseError(f"{name}: nothing of `solutions` belongs in the students' bundle.")
            prove_file(name, content, secrets)
    yield from unproved
    if short := [text for text in secrets.private if not is_private(text)]:
        yield f"{len(short)} names or reasons of extensions were looked for in course.toml alone: they are too short."


def prove_file(name: str, content: bytes, secrets: Secrets) -> None:
    """Raise for the first thing in a file that students must not have."""
    for seed, file in secrets.seeds:
        if (place := content.find(seed)) >= 0:
            number = content.count(b"\n", 0, place) + 1
            raise CourseError(f"{name}:{number} holds the seed of {file}; the bundle is not written.")
    text = content.decode("utf-8", errors="replace")
    for number, line in readable_lines(name, text):
        if origin := secrets.lines.get(normalize_line(line)):
            said = f"holds a line of the solution in {origin}: {line.strip()[:80]!r}"
            raise CourseError(f"{name}:{number} {said}; the bundle is not written.")
        if secrets.extension_in(name, line):
            raise CourseError(f"{name}:{number} tells of a student's extension; the bundle is not written.")
    if found := hidden_value(text, secrets.values):
        place, value = found
        number = text.count("\n", 0, place) + 1
        said = f"holds a row of this term's hidden {secrets.values[value[:LONG]][value]}: {value[:40]!r}"
        raise CourseError(f"{name}:{number} {said}; the bundle is not written.")


def private_texts(course: Course) -> tuple[str, ...]:
    """Who has an extension, and why, as it stands in course.toml, line by line, in small letters."""
    texts = (
        text
        for extension in course.extensions
        for text in f"{extension.student}\n{extension.why}".splitlines()
    )
    return tuple(dict.fromkeys(text.strip().casefold() for text in texts if text.strip()))


def is_private(text: str) -> bool:
    """Whether a name or reason would not come up by chance: it is long enough, and more than one word of letters."""
    return len(text) >= PRIVATE and not text.isalpha()


def readable_lines(name: str, text: str) -> Iterator[tuple[int, str]]:
    """Return the numbered lines of a file; of a notebook, those of its texts, numbered as they stand in the file."""
    for number, line in enumerate(text.split("\n"), start=1):
        yield number, line
        for literal in _LITERAL.findall(line) if name.endswith(".ipynb") else ():
            yield from ((number, part) for part in json.loads(literal).split("\n"))


def solution_lines(course: Course) -> dict[str, str]:
    """Each telling line of a solution, and where it stands; none that some reference shows to students."""
    secret, shown = {}, set()
    for path in (assignment.reference for assignment in course.assignments if assignment.reference.is_file()):
        for number, line, hidden in distinguish(path):
            if not hidden:
                shown.add(normalize_line(line))
            elif is_distinctive(line):
                secret[normalize_line(line)] = f"{path.name}:{number}"
    for assignment in course.assignments:
        secret |= dict(answer_lines(questions_path(assignment.folder)))
    return {line: origin for line, origin in secret.items() if line not in shown}


def answer_lines(path: Path) -> Iterator[tuple[str, str]]:
    """Each telling line of a right answer in a file of concept questions, and where it stands."""
    source = path.read_text(encoding="utf-8") if path.is_file() else ""
    lines = source.split("\n")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg == "right":
            for number in range(node.value.lineno, (node.value.end_lineno or 0) + 1):
                if is_distinctive(lines[number - 1]):
                    yield normalize_line(lines[number - 1]), f"{path.name}:{number}"


def distinguish(path: Path) -> Iterator[tuple[int, str, bool]]:
    """Return the numbered lines of a reference, and whether each is hidden from students."""
    source, hidden = path.read_text(encoding="utf-8"), set()
    for region in regions(source, path.name):
        hidden |= set(range(region.first, region.last + 1))
    tagged = {
        normalize_line(line)
        for cell in read_cells(source)
        if "solution" in cell.tags
        for line in cell.source.split("\n")
    }
    for number, line in enumerate(source.split("\n"), start=1):
        yield number, line, number in hidden or normalize_line(line) in tagged


def normalize_line(line: str) -> str:
    """Return a line without indent, comment sign of Markdown, marker of a solution and repeated blanks."""
    text = re.sub(r"#[# ]*SOLUTION( NO PROMPT)?[ \t]*$", "", line.strip())
    return " ".join(text.removeprefix("# ").split())


def is_distinctive(line: str) -> bool:
    """Return True if a line says more than a turn of phrase, or the head of a loop, would."""
    text = normalize_line(line)
    return len(set(_WORD.findall(text))) >= MIN_DISTINCT and not text.endswith(":")


def seeds_of(course: Course) -> Iterator[tuple[bytes, str]]:
    """Return this term's seed and the earlier ones, each with the name of its file."""
    for path in sorted((course.root / "solutions").glob("secret_seed*")):
        if path.is_file() and (seed := path.read_bytes().strip()):
            yield seed, path.name


def hidden_values(course: Course) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Return the long texts of this term's hidden rows, with their data set, and what can't be drawn."""
    source = hidden_data(course)
    if source.is_demo:
        return {}, [
            "This term has no seed of its own, so there are no hidden rows to look for: `autograder term`."
        ]
    values: dict[str, dict[str, str]] = {}
    unproved = []
    for dataset, options in drawn_data(course):
        options = options if options is not None else default_options(course, dataset)
        drawn = set() if options is None else set(table_texts(source.draw(dataset, options)))
        if not drawn:
            why = (
                "its options are worked out" if options is None else "they are too short to tell from chance"
            )
            said = ", ".join(f"{name}={value}" for name, value in (options or {}).items())
            rows = f"{dataset}({said})" if said else dataset
            unproved.append(f"Hidden rows of {rows} were not looked for: {why}.")
        for value in drawn:
            values.setdefault(value[:LONG], {})[value] = dataset
    return values, list(dict.fromkeys(unproved))


def drawn_data(course: Course) -> Iterator[tuple[str, dict | None]]:
    """Return the data that the rubrics draw, with their options; None for options that are not written out.

    Not those that are fetched: whoever fetches them has all rows.
    """
    for assignment in course.assignments:
        if assignment.rubric.is_file():
            for node in ast.walk(ast.parse(assignment.rubric.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"hidden", "fresh"}:
                    dataset = getattr(node.args[0], "value", None) if node.args else None
                    if isinstance(dataset, str) and not is_remote(course.root / "datasets" / dataset):
                        yield dataset, literal_options(node)


def literal_options(call: ast.Call) -> dict | None:
    try:
        return {keyword.arg or "": ast.literal_eval(keyword.value) for keyword in call.keywords}
    except ValueError:
        return None


def default_options(course: Course, dataset: str) -> dict | None:
    """Return the options with which a data set draws if none are given; None where it must be told some."""
    make = load_module(course.root / "datasets" / dataset / "generate.py").make
    needed = [
        parameter.name
        for parameter in inspect.signature(make).parameters.values()
        if parameter.default is parameter.empty
    ]
    return {} if needed == ["seed"] else None


def table_texts(table: "pd.DataFrame") -> Iterator[str]:
    """Return the texts of a table, or its lines where it holds numbers only, that are too rich to come up by chance."""
    columns = [table[name] for name in table if isinstance(table[name].iloc[0], str)]
    lines = table.to_csv(index=False, lineterminator="\n").split("\n")[1:]
    for value in (value for column in columns or [lines] for value in column):
        if isinstance(value, str) and len(value) >= LONG and len(set(value)) >= VARIED:
            yield value


def hidden_value(text: str, values: dict[str, dict[str, str]]) -> tuple[int, str] | None:
    """Where in a text the first hidden value stands as a field or a line of its own, and which."""
    for start in _FIELD.finditer(text) if values else ():
        place = start.end()
        for value in values.get(text[place : place + LONG], ()):
            if (
                text.startswith(value, place)
                and text[place + len(value) : place + len(value) + 1] in FIELD_ENDS
            ):
                return place, value
    return None
