"""`check` in a notebook: the items of a section, run on the functions as they stand, with the grader's own words.

A student's notebook imports this module, and so does the sandbox that takes the functions out of it: everything
heavy is imported by `start_checks`.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from autograder.core import (
    CourseError,
    find_course,
    load_module,
    read_signature,
    signature_text,
    unknown_name,
)
from autograder.submissions import read_code_cells

if TYPE_CHECKING:
    import pandas as pd

    from autograder.rubric import Report

WIDTH = 100  # characters of a line of progress


def start_checks(slug: str, student: str | int) -> tuple[ModuleType, Callable[..., float | None]]:
    """Return the rubric of the assignment `slug`, and `check(section)`, which shows what a section would earn.

    `check` takes a section or an item by name, and all items where none is named. student: the id handed in under.
    """
    from autograder.data import practice_data
    from autograder.models import Predictor
    from autograder.rubric import hidden_from, items_of

    student = signature_text(student)
    if not student:
        raise CourseError('Set STUDENT = "..." to the id that you hand in under, and run this cell again.')
    refuse_unwritten(student)
    course = find_course(Path.cwd())
    assignment = course.assignment(slug)
    rubric, kept = load_module(assignment.rubric), {"predictor": Predictor(), "trainings": {}}
    items = items_of(rubric)

    def check(section: str = "") -> float | None:
        """Run the items of a section, one item by its name, or all, and show what they earn."""
        from IPython.display import display

        chosen = named(section, items)
        with hidden_from(practice_data(course)):
            report = graded(chosen, slug, student, kept)
        display(Result(section or slug, report))
        return points(report) if "NBGRADER_EXECUTION" in os.environ else None

    return rubric, check


def refuse_unwritten(student: str) -> None:
    """Raise CourseError in a notebook whose signature, as the grader reads it, is not `student`."""
    if notebook_shell():
        name, content = draft()
        written = read_signature(read_code_cells(content, name)).text
        if written != student:
            got = f"the notebook says {written or 'nothing that can be read as text'}"
            advice = 'Write STUDENT = "..." on a line of its own, as plain text, and run this cell again.'
            raise CourseError(
                f"The grader reads who you are from the notebook: expected {student}, {got}. {advice}"
            )


def fetched(dataset: str, **options: Any) -> "pd.DataFrame | None":
    """Rows of real data, as the data set's `fetch.py` makes them for these options; the same for everyone.

    None, and a line that says how to get them, where the data set is not on this machine.
    """
    from autograder.data import NotFetched, practice_data

    try:
        return practice_data(find_course(Path.cwd())).draw(dataset, options)
    except NotFetched as missing:
        print(missing)
        return None


class Result:
    """A section's scores: a table in a notebook, text in a terminal."""

    def __init__(self, section: str, report: "Report"):
        self.section, self.report = section, report

    def _repr_html_(self) -> str:
        from autograder.reports import section_html

        return section_html(self.section, self.report)

    def __repr__(self) -> str:
        from autograder.reports import render_text, section_report

        return render_text(section_report(self.section, self.report))


def points(report: "Report") -> float:
    """Return what nbgrader, which runs a notebook and reads a cell's value, takes for points: those that are not lost.

    Deferred points count, as nothing is known against them; answers that a person reads have cells of their own.
    Raises CourseError where none is left: nbgrader takes a zero for full marks.
    """
    judged = [score for score in report.scores if not score.bonus and score.outcome != "awaiting review"]
    left = sum(score.possible if score.outcome == "deferred" else score.earned or 0 for score in judged)
    if left <= 0:
        raise CourseError("No points yet: see what the table above says.")
    return round(float(left), 2)


def named(name: str, items: tuple) -> tuple:
    """Return the items of the section `name`, or the one of that name; all for an empty name."""
    chosen = tuple(item for item in items if not name or name in (item.section, item.__name__))
    if not chosen:
        sections = dict.fromkeys(item.section for item in items if item.section)
        raise unknown_name("section or item", name, [*sections, *(item.__name__ for item in items)])
    return chosen


def graded(items: tuple, slug: str, student: str, kept: dict) -> "Report":
    """Return the Report on `items` as the grader would give it for the notebook now; hidden data are deferred.

    kept: what a Submission may take over from the check before: batches of inputs, trainings.
    """
    from autograder.rubric import Report, Submission, run_item
    from autograder.sandbox import InProcessSandbox, keep_random_state

    submission = Submission(student, Path.cwd(), sandbox=InProcessSandbox(), draft=draft(), **kept)
    with keep_random_state():
        scores = tuple(run_item(item, submission, line_of(item.__name__)).score for item in items)
    return Report(student, slug, scores, "", {})


def line_of(name: str) -> Callable[[str], None]:
    """Show how far an item's training is, in one line that is written again and again."""
    out = sys.stdout  # while a model trains, what is printed goes to whoever is told
    return lambda said: print(f"{name}: {said}".ljust(WIDTH)[:WIDTH], end="\r", flush=True, file=out)


def notebook_shell() -> Any:
    """Return the shell in which a notebook runs; None outside of one."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def draft() -> tuple[str, bytes]:
    """Name and content of the notebook as it stands: the cells run so far; outside IPython, the file that is run."""
    if shell := notebook_shell():
        cells = [{"cell_type": "code", "source": cell} for cell in shell.history_manager.input_hist_raw[1:]]
        return "notebook.ipynb", json.dumps({"cells": cells}).encode()
    file = getattr(sys.modules["__main__"], "__file__", None)
    if file is None or not Path(file).is_file():
        raise CourseError("Your functions can't be found here: call check in a notebook, or in a .py file.")
    return "notebook.py", Path(file).read_bytes()
