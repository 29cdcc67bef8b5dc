"""The TA's evening: a made-up class from two platforms' exports to their filled tables, and one threshold changed.

python benchmarks/ta_evening.py FOLDER [--students 300] [--assignment rnn_by_hand] [--seed 0]

In FOLDER: a class by make_class.py, a copy of the course, what each command wrote and how long it took. Canvas's export
is graded from nothing; Moodle's run is given the scores kept of it, and runs what it finds other files for. The answers
in own words are read by a rule (points by the text's checksum). Then one number in the copy's rubric is changed and the
class is graded again: how many items run, how many are kept, how long it takes beside the first time.
Exit status 1 unless the totals of both platforms and both tables of marks agree to the cent, the marks are those that
the test submissions are known to earn, and nothing else in the platforms' tables has changed.
"""

import argparse
import csv
import io
import os
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from autograder.authoring.verify._test_submissions import TOLERANCE
from autograder.core import unescape_formula
from autograder.core._csv import FORMULA

ROOT = Path(__file__).parents[1]
ROOMS = "assignments", "datasets", "solutions", "autograder"  # the engine too: scores of another are not kept
CHANGES = {  # a line of the rubric, and what it is changed to: one threshold of one item
    "rnn_by_hand": ('usual, "layer(W, x, q)", atol=1e-6)', 'usual, "layer(W, x, q)", atol=2e-6)'),
    "dna_simple_rnn": ("zero=0.70, full=0.90, hint=hint)", "zero=0.70, full=0.91, hint=hint)"),
}
TABLES = {"canvas": "canvas_gradebook.csv", "moodle": "moodle_worksheet.csv"}
PERSON = {"canvas": "ID", "moodle": "Identifier"}  # the column that tells who a row is about


@dataclass(frozen=True)
class Evening:
    """Where all lies, and what was found wrong so far."""

    folder: Path
    slug: str
    wrong: list[str]

    def autograder(self, *arguments: str | Path) -> float:
        """Run a command in the copy of the course, as a TA would, and give the seconds that it took."""
        environment = os.environ | {"PYTHONPATH": str(self.folder / "course"), "COLUMNS": "120"}
        command = [sys.executable, "-m", "autograder", *map(str, arguments)]
        began = time.perf_counter()
        done = subprocess.run(
            command, cwd=self.folder / "course", env=environment, capture_output=True, text=True
        )
        seconds = time.perf_counter() - began
        with (self.folder / "said.txt").open("a", encoding="utf-8") as said:
            said.write(f"$ autograder {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}\n")
        if done.returncode not in (0, 1):  # 1: some submission needs a person
            raise SystemExit(
                f"autograder {arguments[0]} ended with {done.returncode}:\n{done.stderr[-2_000:]}"
            )
        return seconds

    def grade(self, platform: str) -> float:
        made, out = self.folder / "class", self.folder / "results" / platform
        roster = made / TABLES[platform]
        return self.autograder("grade", self.slug, made / f"{platform}.zip", "--roster", roster, "--out", out)

    def require(self, holds: bool, what: str) -> None:
        print(f"  {'yes' if holds else 'NO '} {what}")
        self.wrong.extend([] if holds else [what])


def main() -> None:
    arguments = parse()
    evening = Evening(arguments.folder.absolute(), arguments.assignment, [])
    prepare(evening, arguments)
    for platform in TABLES:
        one_platform(evening, platform)
    compare(evening)
    change_one_threshold(evening)
    sys.exit(1 if evening.wrong else 0)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--students", type=int, default=300)
    parser.add_argument("--assignment", default="rnn_by_hand", choices=CHANGES)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def prepare(evening: Evening, arguments: argparse.Namespace) -> None:
    """Return an empty folder, the copy of the course, the class."""
    shutil.rmtree(evening.folder, ignore_errors=True)
    for room in ROOMS:
        shutil.copytree(
            ROOT / room, evening.folder / "course" / room, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "course.toml", evening.folder / "course")
    made = evening.folder / "class", "--students", arguments.students, "--seed", arguments.seed
    command = [Path(__file__).with_name("make_class.py"), *made, "--assignment", evening.slug]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, *map(str, command)], check=True, env=environment)


def one_platform(evening: Evening, platform: str) -> None:
    """From the export's zip to the filled table."""
    out, table = evening.folder / "results" / platform, evening.folder / "class" / TABLES[platform]
    canvas = evening.folder / "results" / "canvas" / ".scores"
    if platform != "canvas":
        shutil.copytree(canvas, out / ".scores")
    known = len(kept_scores(out))
    first = evening.grade(platform)
    scores = kept_scores(out)
    read_answers(out / "answers.csv")
    again = evening.grade(platform)
    filled = evening.folder / f"{platform}_filled.csv"
    exported = evening.autograder("export", out, "--to", platform, "--file", table, "--as", filled)
    print(
        f"{platform}: {len(rows(out / 'grades.csv'))} submissions graded in {first:.0f} s "
        f"({len(scores) - known} items run, {known} scores were there),"
    )
    print(f"  again with the answers read in {again:.0f} s, exported in {exported:.0f} s.")
    evening.require(kept_scores(out) == scores, "with the answers read, no item ran again")


def read_answers(path: Path) -> None:
    """Give points to each answer as a reader would, by a rule that leaves cents."""
    table = rows(path)
    for row in table:
        share = Decimal(zlib.crc32(unescape_formula(row["answer"]).encode()) % 4) / 3
        row["points"] = str((Decimal(row["possible"]) * share).quantize(Decimal("0.01")))
        row["comment"], row["reader"] = "read", "the benchmark"
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.DictWriter(file, list(table[0]))
        lines.writeheader()
        lines.writerows(table)


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table by the names in its first row."""
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def kept_scores(out: Path) -> dict[Path, int]:
    """When each score was written that a run keeps for later ones."""
    return {path: path.stat().st_mtime_ns for path in (out / ".scores").rglob("*.json")}


# --- what must agree


def compare(evening: Evening) -> None:
    """Return the totals of both platforms in four tables, the known marks, and all else in the platforms' tables."""
    truth = rows(evening.folder / "class" / "truth.csv")
    graded = {platform: graded_by_id(evening, platform) for platform in TABLES}
    filled = {platform: filled_by_id(evening, platform) for platform in TABLES}
    people = [one for one in truth if one["canvas"] in graded["canvas"]]
    print(f"{len(people)} of {len(truth)} students were graded.")
    handed_in = {one["canvas"] for one in truth if one["test submission"] and one["form"] != "text entry"}
    evening.require({one["canvas"] for one in people} == handed_in, "everyone who handed in files was graded")
    differing = [one["canvas"] for one in people if len(totals(one, graded, filled)) != 1]
    evening.require(
        not differing, f"both platforms and all tables give the same totals, to the cent {differing[:5]}"
    )
    unknown = [one["canvas"] for one in people if not is_known(evening, one, graded["canvas"][one["canvas"]])]
    evening.require(
        not unknown, f"the marks are those that the test submissions are known to earn {unknown[:5]}"
    )
    for platform in TABLES:
        changed = list(changed_elsewhere(evening, platform))
        evening.require(not changed, f"nothing but marks has changed in {TABLES[platform]} {changed[:3]}")
        text = rows(evening.folder / "results" / platform / "grades.csv")
        live = [
            row["student"] for row in text if any(is_formula(row[name]) for name in ("student", "name", "id"))
        ]
        evening.require(not live, f"names that are formulas stay text in {platform}'s grades.csv {live[:3]}")


def graded_by_id(evening: Evening, platform: str) -> dict[str, dict[str, str]]:
    """Return the rows of grades.csv by the platform's own id."""
    return {row["id"]: row for row in rows(evening.folder / "results" / platform / "grades.csv")}


def filled_by_id(evening: Evening, platform: str) -> dict[str, str]:
    """Return what stands in the filled column, by the platform's own id."""
    table, column = rows(evening.folder / f"{platform}_filled.csv"), marks_column(evening, platform)
    return {row[PERSON[platform]].removeprefix("Participant "): row[column] for row in table}


def marks_column(evening: Evening, platform: str) -> str:
    """Return the column that changed; Moodle's has a name of its own."""
    if platform == "moodle":
        return "Grade"
    before, after = tables(evening, platform)
    pairs = zip(before, after, strict=True)
    return next((name for one, other in pairs for name in one if one[name] != other[name]), "ID")


def tables(evening: Evening, platform: str) -> tuple[list[dict], list[dict]]:
    """Return the platform's table as it was exported, and filled."""
    return rows(evening.folder / "class" / TABLES[platform]), rows(evening.folder / f"{platform}_filled.csv")


def totals(person: dict, graded: dict, filled: dict) -> set[Decimal | None]:
    """Return what the tables say of one person; None where a cell is empty or there is no row."""
    found = [graded[platform].get(person[platform], {}).get("earned") for platform in TABLES]
    found += [filled[platform].get(person[platform]) for platform in TABLES]
    return {Decimal(text) if text else None for text in found}


def is_known(evening: Evening, person: dict, row: dict) -> bool:
    """Whether the grader alone gave what truth.csv promises; a promise it does not make is kept."""
    if not person["least"]:
        return True
    given = {line["item"] for line in rows(evening.folder / "results" / "canvas" / "answers.csv")}
    fixed = {"student", "name", "id", "adjustment", "earned", "possible", "status"} | given
    alone = sum(float(mark or 0) for name, mark in row.items() if name not in fixed)
    slack = TOLERANCE * len(row)
    return float(person["least"]) - slack <= alone <= float(person["most"]) + slack


def changed_elsewhere(evening: Evening, platform: str) -> Iterator[str]:
    """Cells outside the column of marks that are not what they were."""
    before, after = tables(evening, platform)
    column = marks_column(evening, platform)
    if len(before) != len(after):
        yield f"{len(before)} rows became {len(after)}"
    for one, other in zip(before, after, strict=False):
        yield from (f"{name} of {one}" for name in one if name != column and one[name] != other[name])


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would run the cell; numbers may begin with a minus."""
    return text.startswith(FORMULA) and not text[1:].replace(".", "", 1).isdigit()


# --- one threshold


def change_one_threshold(evening: Evening) -> None:
    """Change a number in the rubric of the copy and grade again."""
    rubric, out = (
        evening.folder / "course/assignments" / evening.slug / "rubric.py",
        evening.folder / "results/canvas",
    )
    text, (old, new) = rubric.read_text(encoding="utf-8"), CHANGES[evening.slug]
    if text.count(old) != 1:
        raise SystemExit(f"{rubric} holds {old!r} {text.count(old)} times: name another line in CHANGES")
    before, first = kept_scores(out), len(rows(out / "grades.csv"))
    rubric.write_text(text.replace(old, new), encoding="utf-8")
    seconds = evening.grade("canvas")
    ran = sum(time != before.get(path) for path, time in kept_scores(out).items())
    print(f"one threshold changed: {ran} items ran, {len(before) - ran} were kept, {seconds:.0f} s.")
    evening.require(0 < ran <= first, f"at most one item of each of {first} students ran again")


if __name__ == "__main__":
    main()
