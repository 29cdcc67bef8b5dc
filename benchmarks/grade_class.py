"""A class graded by this project, by a loop over Keras, by nbgrader and by Otter, taking turns in one run.

python benchmarks/grade_class.py FOLDER [--submissions 100] [--peers VENVS]
python benchmarks/grade_class.py FOLDER --growth 10,100,1000,5000
python benchmarks/grade_class.py FOLDER --profile
python benchmarks/grade_class.py FOLDER --one-by-one [--assignment rnn_by_hand]

Every submission is the assignment's perfect test submission with other weights, signed by someone else, so that
nothing is equal. CPU is user and system time of a command and all that it starts; memory the most that these
processes hold at once, what they share counted once. A table is printed; `FOLDER/ASSIGNMENT/said.txt` has what the
commands said. Exit status 1 where marks differ that must be equal. `benchmarks/README.md` says how to read it.
"""

import csv
import json
import os
import platform
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import typer
from make_class import Resigned, jittered
from metering import ALL, Cost, metered
from peers import checks, installed, nbgrader_costs, nbgrader_course, otter_costs, otter_course
from recording import recorded
from rich.console import Console
from rich.table import Table

from autograder.authoring.verify._layout import PERFECT
from autograder.core import Assignment, find_course
from autograder.data import hidden_data
from autograder.grading import Grader
from autograder.sandbox import Sandbox, probe

HERE = Path(__file__).parent
NOISE = 1e-3  # by this share of itself a weight may differ from the test submission's
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"
)
QUIET = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "COLUMNS": "120",
    "PYTHONPATH": str(HERE.parent),
}
OURS, LOOP, QUICKEST = "this project", "load_model + predict", "load_model + predict_on_batch"
ITEMS = {OURS: "ours", LOOP: "predict", QUICKEST: "predict_on_batch"}  # the ways of `model_items.py`
PEERS = {
    "nbgrader autograde": ("nbgrader", nbgrader_course, nbgrader_costs),
    "otter run": ("otter-grader", otter_course, otter_costs),
}
MIB = 2**20
FEW = 4  # submissions that start all workers of two cores and little more
BEYOND = f"{OURS}, beyond the first {FEW}"


@dataclass(frozen=True)
class Each:
    """What one submission took: seconds of processor, seconds of the clock, the most bytes of the whole run."""

    cpu: float
    wall: float
    memory: int = 0


@dataclass(frozen=True)
class Bench:
    """Where a benchmark works, and on what."""

    folder: Path
    assignment: Assignment
    jobs: int | None

    @property
    def log(self) -> Path:
        return self.folder / "said.txt"

    def command(self, program: list, **options) -> Cost:
        environment = os.environ | QUIET | ONE_THREAD
        return metered([sys.executable, *program], HERE.parent, environment, self.log, **options)

    def grade(
        self, made: Path, name: str, program: tuple = ("-m", "autograder"), jobs: int | None = None, **options
    ):
        """Return the cost of grading a class from nothing, by the command that a TA types; see `results/name`."""
        out = self.folder / "results" / name
        shutil.rmtree(out, ignore_errors=True)
        jobs = jobs or self.jobs
        given = [self.assignment.slug, made, "--out", out, *(["--jobs", jobs] if jobs else [])]
        return self.command([*program, "grade", *given], fine=(0, 1), **options)  # 1: one needs a person

    def marks(self, name: str) -> dict[str, dict[str, str]]:
        """Each student's row of the table of marks."""
        with (self.folder / "results" / name / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
            return {row["student"]: row for row in csv.DictReader(file)}

    def made(self, count: int) -> Path:
        """Return a class of so many; a submission that an earlier run made is taken as it is."""
        made, students, notebooks = self.folder / f"class-{count}", self.folder / "students", None
        for number in range(count):
            student = students / f"student{number:05d}"
            if not student.exists():
                notebooks = notebooks or Resigned(self.assignment)
                lay_down(notebooks.files(PERFECT, student.name), student, number)
            if not (made / student.name).exists():
                shutil.copytree(student, made / student.name, copy_function=os.link)
        return made


def lay_down(files: dict[str, bytes], student: Path, seed: int) -> None:
    """Return a submission whole or not at all."""
    draft = student.parent / ".draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for name, data in files.items():
        data = jittered(data, seed, NOISE) if name.endswith(".keras") else data
        (draft / name).write_bytes(data)
    draft.rename(student)


def main(
    folder: Annotated[
        Path, typer.Argument(help="Where classes are made and results go; kept for a next run.")
    ],
    assignment: Annotated[str, typer.Option(help="Its name in course.toml.")] = "dna_simple_rnn",
    submissions: Annotated[int, typer.Option(min=2, help="How many this project grades in a round.")] = 100,
    rounds: Annotated[int, typer.Option(min=1, help="A figure is the median of so many.")] = 3,
    looped: Annotated[int, typer.Option(min=1, help="How many the loops over Keras take in a round.")] = 34,
    peers: Annotated[
        Path | None, typer.Option(help="Also nbgrader and Otter: a folder for their environments, made once.")
    ] = None,
    handed: Annotated[int, typer.Option(min=1, help="How many nbgrader and Otter take in a round.")] = 3,
    jobs: Annotated[
        int | None, typer.Option(help="For `autograder grade`; its own choice if left out.")
    ] = None,
    growth: Annotated[str, typer.Option(help="Only this: classes of these sizes, such as 10,100,1000.")] = "",
    one_by_one: Annotated[
        bool,
        typer.Option(
            "--one-by-one", help="Only this: are marks in a class those of each test submission alone?"
        ),
    ] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Only this: where the time of a run goes.")
    ] = False,
) -> None:
    """Speed and memory of grading a class, measured beside what one would do without this project."""
    bench = Bench((folder / assignment).absolute(), find_course(HERE).assignment(assignment), jobs)
    bench.folder.mkdir(parents=True, exist_ok=True)
    print(f"{assignment}; {machine()}; isolation: {probe()}\n")
    if growth:
        grow(bench, [int(size) for size in growth.split(",")])
    elif one_by_one:
        together_and_alone(bench)
    elif profile:
        profiled(bench, submissions)
    else:
        compare(bench, submissions, rounds, min(looped, submissions - 1), peers, handed)


def machine() -> str:
    """Return the machine and the versions that figures hold for."""
    from importlib.metadata import version

    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "?")
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    made = ", ".join(f"{one} {version(one)}" for one in ("keras", "numpy"))
    system = f"Linux {platform.release()}, Python {platform.python_version()}, {made}"
    return f"{cores} cores ({model}), load {load:.1f}, {system}"


# --- beside the others


def compare(bench: Bench, count: int, rounds: int, looped: int, venvs: Path | None, handed: int) -> None:
    """Every way in turn, round after round; the table of medians; whether marks are equal that must be."""
    made, told, costs = bench.made(count), [], []
    whole = {OURS: lambda number: grade(bench, made, count, costs)}
    if count > FEW:
        whole[BEYOND] = lambda number: beyond(bench, count, costs)
    others, versions = peers_ready(bench, made, venvs, handed) if venvs else ({}, "")
    alone = {
        name: lambda number, name=name: items(bench, made, name, count - 1 if name == OURS else looped, told)
        for name in ITEMS
    }
    ways = {("whole", name): way for name, way in (whole | others).items()}
    ways |= {("models", name): way for name, way in alone.items()}
    found = in_turn(ways, rounds)
    print(table(f"All items, of {count} submissions{versions}", found, "whole", OURS))
    per_model = next(one["models"] / one["count"] for one in told)
    title = f"The items on models alone, {per_model:g} models a submission, one warm process"
    print(table(title, found, "models", OURS))
    print(floor_line(found["models", OURS], [one for one in told if "flops" in one]))
    judge(list(unequal(bench, told)))


def judge(differing: list[str]) -> None:
    """Says whether marks are equal that must be; ends with status 1 where they are not."""
    print(
        "\n".join(["MARKS DIFFER", *differing])
        if differing
        else "Marks of one-by-one and class runs are equal."
    )
    raise typer.Exit(int(bool(differing)))


def in_turn(ways: dict[tuple, Callable], rounds: int) -> dict[tuple, Each]:
    """Medians; another way is first in each round."""
    found, order = defaultdict(list), list(ways)
    for number in range(rounds):
        for key in order:
            found[key].append(ways[key](number))
            print(f"round {number + 1}, {' '.join(key)}: {found[key][-1]}", file=sys.stderr, flush=True)
        order.append(order.pop(0))
    return {
        key: Each(*(median(getattr(one, part) for one in several) for part in ("cpu", "wall", "memory")))
        for key, several in found.items()
    }


def grade(bench: Bench, made: Path, count: int, costs: list[Cost]) -> Each:
    """Return a whole run, shared out; the run itself is added to `costs`."""
    cost = bench.grade(made, "class")
    costs.append(cost)
    return Each(cost.cpu / count, cost.wall / count, cost.memory[ALL])


def beyond(bench: Bench, count: int, costs: list[Cost]) -> Each:
    """Return what a submission adds to a run that is going already: the latest whole run less one of a few."""
    few, more = bench.grade(bench.made(FEW), "few"), count - FEW
    return Each((costs[-1].cpu - few.cpu) / more, (costs[-1].wall - few.wall) / more, few.memory[ALL])


def items(bench: Bench, made: Path, name: str, count: int, told: list[dict]) -> Each:
    """Return the items on models in a process of their own; what else it tells is added to `told`."""
    bench.log.touch()
    before = bench.log.stat().st_size
    program = [HERE / "model_items.py", ITEMS[name], made, bench.assignment.slug, 0, count]
    cost = bench.command(program)
    [line] = [line for line in bench.log.read_bytes()[before:].splitlines() if line.startswith(b'{"cpu"')]
    said = json.loads(line) | {"count": count}
    told.append(said)
    return Each(said["cpu"] / count, said["wall"] / count, cost.memory[ALL])


def peers_ready(bench: Bench, made: Path, venvs: Path, handed: int) -> tuple[dict[str, Callable], str]:
    """Return what grades some of the class by each peer, and the peers' versions."""
    students = sorted(made.iterdir())[: handed + 1]  # the first shows what starting takes
    shared, course = bench.folder / "checks", find_course(HERE)
    with Sandbox(probe()) as sandbox:
        asked = recorded(Grader.create(bench.assignment, hidden_data(course), sandbox), students[0])
    points, ways, versions = checks(asked, shared), {}, []
    possible = sum(points.values())
    for name, (package, prepare, costs) in PEERS.items():
        peer = installed(package, venvs, bench.folder / package)
        prepare(peer, points, shared, students)
        ways[name] = lambda number, peer=peer, costs=costs: Each(*costs(peer, students, possible))
        versions.append(f"{package} {peer.version}")
    return ways, f" ({', '.join(versions)}: {handed} a round, {len(points)} items)"


def table(title: str, found: dict[tuple, Each], kind: str, ours: str) -> str:
    """Return a table in Markdown; the last columns say how many times as much a way takes as ours."""
    base = found[kind, ours]
    lines = [
        f"{title}\n",
        "| way | CPU s each | s each | a minute | peak MiB | CPU, times ours | s, times ours |",
    ]
    lines.append("| --- |" + " ---: |" * 6)
    for (group, name), one in found.items():
        if group == kind:
            cells = f"{one.cpu:.3f}", f"{one.wall:.3f}", f"{60 / one.wall:.1f}", f"{one.memory / MIB:,.0f}"
            times = f"{one.cpu / base.cpu:.1f}", f"{one.wall / base.wall:.1f}"
            lines.append(f"| {name} | {' | '.join((*cells, *times))} |")
    return "\n".join(lines) + "\n"


def floor_line(ours: Each, told: list[dict]) -> str:
    """How far the items on models are from what their products of matrices alone would take."""
    least = median(one["flops"] / one["rate"] for one in told)
    shaped, rate = median(one["shaped"] for one in told), median(one["rate"] for one in told)
    return (
        f"The floor: {told[0]['flops'] / 1e9:.2f} GFLOP in products of matrices a submission, {1000 * least:.0f} ms at "
        f"{rate / 1e9:.0f} GFLOP/s (one large float32 product, one thread);\nthese products in their own shapes take "
        f"{1000 * shaped:.0f} ms. {OURS.capitalize()} takes {ours.cpu / least:.1f} times the first and "
        f"{ours.cpu / shaped:.1f} times the second.\n"
    )


def unequal(bench: Bench, told: list[dict]) -> Iterator[str]:
    """Mark that differ between the table of the class and submissions scored by themselves."""
    together = bench.marks("class")
    for student, alone in ((s, m) for one in told for s, m in one["marks"].items() if m):
        for item, earned in alone.items():
            if float(together[student][item]) != earned:
                yield f"{student}, {item}: {together[student][item]} in the class, {earned} alone"


def together_and_alone(bench: Bench) -> None:
    """Each test submission of the assignment graded in a class of all, and in a run of its own; rows must be equal."""
    bench.grade(bench.assignment.test_submissions, "together")
    together, differing = bench.marks("together"), []
    for student, row in together.items():
        alone = bench.folder / "alone"
        shutil.rmtree(alone, ignore_errors=True)
        shutil.copytree(bench.assignment.test_submissions / student, alone / student)
        bench.grade(alone, "alone", jobs=1)
        differing += [f"{student}: {row} in the class"] if bench.marks("alone") != {student: row} else []
        print(f"{student}: {row['earned']}", file=sys.stderr, flush=True)
    print(f"{len(together)} test submissions of {bench.assignment.slug}, each with the others and alone.")
    judge(differing)


# --- growth


def grow(bench: Bench, sizes: list[int]) -> None:
    """Time and memory for classes of these sizes, each graded from nothing."""
    roles = "grader", "workers", "sandboxes"
    heads = "s each", "CPU s each", "s each beyond the size before", *(f"{role}, peak MiB" for role in roles)
    lines = [f"| submissions | {' | '.join(heads)} |", "| ---: |" + " ---: |" * len(heads)]
    before = (0, 0.0)
    for size in sizes:
        cost = bench.grade(bench.made(size), f"growth-{size}", pause=0.5)
        more = (cost.wall - before[1]) / (size - before[0])
        memory = (f"{cost.memory.get(role, 0) / MIB:,.0f}" for role in roles)
        cells = f"{size:,}", f"{cost.wall / size:.3f}", f"{cost.cpu / size:.3f}", f"{more:.3f}", *memory
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], file=sys.stderr, flush=True)
        before = size, cost.wall
    print("\n".join(lines))


# --- where the time goes


def profiled(bench: Bench, count: int) -> None:
    """Return the phases of one run in one process, by the clock."""
    said = bench.folder / "phases.json"
    program = HERE / "phases.py", said
    cost = bench.grade(bench.made(count), "profile", program, jobs=1)
    found = json.loads(said.read_text(encoding="utf-8"))
    phases = found["phases"]
    own = sum(cpu for _, cpu, _ in phases.values())
    said = f"{cost.wall:.1f} s; {cost.cpu:.1f} s of processor, {own:.1f} s of it the grader's own"
    shown = Table("phase", title=f"{count} submissions, one job: {said}")
    for head in ("s", "share", "ms each", "grader's CPU, ms each", "times each"):
        shown.add_column(head, justify="right")
    for name, (wall, cpu, times) in sorted(phases.items(), key=lambda one: -one[1][0]):
        each = f"{1000 * wall / count:.1f}", f"{1000 * cpu / count:.1f}", f"{times / count:.2f}"
        shown.add_row(name, f"{wall:.2f}", f"{wall / cost.wall:.1%}", *each)
    Console(width=120).print(shown)
    if found["missing"]:
        print(f"Not found, and so part of others: {', '.join(found['missing'])}")


if __name__ == "__main__":
    typer.run(main)
