"""Compare all submissions of a class: read them, compare them kind by kind, rank the findings."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import replace
from functools import partial

from autograder.core import Assignment, Course, sanitize
from autograder.grading import Executor, SerialExecutor, describe_error, limit_processor, read_expectations
from autograder.rubric import Expected
from autograder.similarity import _evidence as evidence
from autograder.similarity._arrays import shared_arrays
from autograder.similarity._code import CODE, WORDS, Measures, compare_texts
from autograder.similarity._evidence import STRENGTHS, Finding, Findings
from autograder.similarity._submissions import Work, asked_names, read_work, work_of_notebooks
from autograder.similarity._tables import shared_tables
from autograder.similarity._weights import match_models
from autograder.submissions import RawSubmission

REFERENCE = "the reference: perfect"  # no student's key holds a colon


def compare(
    course: Course,
    assignment: Assignment,
    submissions: Sequence[RawSubmission],
    others: Mapping[str, RawSubmission] | None = None,
    on_progress: Callable[[str], None] = lambda line: None,
    readers: Executor | None = None,
) -> Findings:
    """Return which submissions are alike: with one another, with earlier classes and with the reference.

    Never raises for what a student handed in.

    Args:
        course: the course of the assignment.
        assignment: what was handed in.
        submissions: those of the class.
        others: submissions of earlier classes, by the name that they are shown under.
        on_progress: is called with a line on each step.
        readers: the processes that read submissions; this process if None.

    Returns:
        The findings, the strongest first; `skipped` names what can't be read.
    """
    workers = readers or SerialExecutor(None)
    expected, asked = read_expectations(assignment), asked_names(assignment)
    read = partial(read_all, workers, expected, asked, on_progress)
    works = read({submission.student: submission for submission in submissions})
    students = {work.owner for work in works}
    earlier = read(
        {
            f"{name} (earlier)" if name in students else name: submission
            for name, submission in sorted((others or {}).items())
        }
    )
    path = assignment.starter
    starter = work_of_notebooks("the starter", [(path.name, path.read_bytes())] if path.is_file() else [])
    compared, perfect = list(earlier), assignment.test_submissions / "perfect"
    if perfect.is_dir():
        compared.append(read_work(REFERENCE, RawSubmission("perfect", perfect), expected, asked))
    most = evidence.most_in_common(len(works))
    on_progress("weights")
    findings, common, not_compared = compare_weights(works, compared, most, workers)
    on_progress("tables")
    tables, lines = shared_tables(works, compared, most)
    on_progress("code and words")
    findings += tables + compare_code_and_words(works, compared, starter, most)
    findings += evidence.cell_findings(works, compared, starter, most)
    skipped = (*(line for work in (*works, *earlier) for line in work.skipped), *not_compared)
    ranked = tuple(sorted(exclude_teams(findings, (*works, *compared)), key=rank_findings))
    return Findings(assignment.title, len(works), len(earlier), ranked, (*common, *lines), skipped)


def read_all(
    workers: Executor,
    expected: Expected,
    asked: frozenset[str],
    on_progress: Callable[[str], None],
    submissions: Mapping[str, RawSubmission],
) -> list[Work]:
    """Return the works by the names of their owners. Of one whose reader is lost, the parts are read one by one."""
    futures = {
        name: workers.submit(read_work_task, name, raw, expected, asked) for name, raw in submissions.items()
    }
    works: list[Work] = []
    for name, future in futures.items():
        on_progress(f"{len(works) + 1} of {len(futures)}: {name}")
        try:
            works.append(future.result())
        except CancelledError:
            raise
        except Exception:  # of any kind: it is no reason to compare no other
            works.append(read_in_parts(workers, name, submissions[name], expected, asked))
    return works


def read_in_parts(
    workers: Executor, name: str, raw: RawSubmission, expected: Expected, asked: frozenset[str]
) -> Work:
    """Return what can be read of a work: a file that ends its reader hides no notebook, and the other way round."""
    parts = {"notebook": Work(name), "files": Work(name)}
    for part in parts:
        try:
            parts[part] = workers.submit(read_work_task, name, raw, expected, asked, (part,)).result()
        except CancelledError:
            raise
        except Exception as error:  # of any kind
            line = sanitize(f"{name}: the {part} can't be compared: {describe_error(error)}")
            parts[part] = Work(name, skipped=(line,))
    notebook, files = parts.values()
    skipped = tuple(dict.fromkeys(notebook.skipped + files.skipped))
    return replace(notebook, models=files.models, tables=files.tables, skipped=skipped)


def read_work_task(
    is_reader: bool | None,
    name: str,
    raw: RawSubmission,
    expected: Expected,
    asked: frozenset[str],
    parts: Sequence[str] = ("notebook", "files"),
) -> Work:
    """Run as the task of a reader."""
    if is_reader:
        limit_processor()
    return read_work(name, raw, expected, asked, parts)


def compare_weights(
    works: Sequence[Work], compared: Sequence[Work], most: int, workers: Executor
) -> tuple[list[Finding], list[str], list[str]]:
    """Return what the weights say, what so many have in common that it says nothing, and what was not compared."""
    owners = {work.owner: work for work in (*compared, *works)}
    models = [model for work in works for model in work.models]
    others = [model for work in compared for model in work.models]
    pairs, not_compared = match_models(models, others, workers)
    findings = [
        evidence.weight_findings(match, owners[match.first.owner], owners[match.second.owner])
        for match in pairs
    ]
    findings, common = evidence.exclude_crowds(findings, most, {work.owner for work in works})
    arrays, lines = shared_arrays(works, compared, pairs, most)
    return findings + arrays, common + lines, not_compared


def compare_code_and_words(
    works: Sequence[Work], compared: Sequence[Work], starter: Work, most: int
) -> list[Finding]:
    """Return what code and words say."""
    kinds: dict[str, Measures] = {"code": CODE, "words": WORDS}
    return [
        evidence.text_findings(pair, kind)
        for kind, measures in kinds.items()
        for pair in compare_texts(
            [getattr(work, kind) for work in works], [getattr(work, kind) for work in compared],
            getattr(starter, kind), most, measures,
        )
    ]  # fmt: skip


def exclude_teams(findings: Sequence[Finding], works: Sequence[Work]) -> list[Finding]:
    """Return the findings without those about people who hand in together."""
    teams = {work.owner: work.team for work in works}
    return [
        finding
        for finding in findings
        if not any(teams[finding.first]) or teams[finding.first] != teams[finding.second]
    ]


def rank_findings(finding: Finding) -> tuple:
    """Return the strongest first; then by kind and measure."""
    kinds = ("weights", "arrays", "tables", "cells", "code", "words")
    return (
        STRENGTHS.index(finding.strength), kinds.index(finding.kind), -round(finding.measure, 6),
        finding.first, finding.second, finding.says,
    )  # fmt: skip
