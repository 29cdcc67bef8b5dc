"""The proof of a course's assignments, each check as a finding, and a table of them all."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, as_completed
from dataclasses import dataclass, field
from functools import partial

from autograder.authoring.verify._layout import (
    PERFECT,
    check_layout,
    check_perfect,
    check_rubric,
    check_starter,
)
from autograder.authoring.verify._mutation import Mutation, mutate
from autograder.authoring.verify._seeds import check_seed, seeds_to_try
from autograder.authoring.verify._test_submissions import (
    KNOWN,
    check_test_submission,
    check_test_submissions,
    grade_perfect,
    grade_test_submission,
    is_waiting,
    list_test_submissions,
    lost_by,
)
from autograder.authoring.verify._workers import Submit
from autograder.core import Assignment
from autograder.rubric import Score, read_rubric

Tasks = dict[Future, Callable[..., "Tasks"]]  # what is to be done with each result


@dataclass(frozen=True)
class Finding:
    """One thing that was checked, and what is wrong with it; nothing wrong where `problems` is empty."""

    what: str
    problems: tuple[str, ...] = ()


@dataclass
class Verification:
    """What is known of one assignment so far: findings, the scores of its test submissions, what its stubs lose."""

    assignment: Assignment
    findings: list[Finding] = field(default_factory=list)
    scores: dict[str, dict[str, Score]] = field(default_factory=dict)
    mutation: Mutation = field(default_factory=Mutation)

    @property
    def problems(self) -> int:
        return sum(len(finding.problems) for finding in self.findings)

    def find(self, what: str, problems: Iterable[str]) -> None:
        self.findings.append(Finding(what, tuple(problems)))

    def begin(self, submit: Submit, slow: bool) -> Tasks:
        """Look at what lies there; the tasks that the rest begins with."""
        assignment = self.assignment
        self.find("rooms", check_layout(assignment))
        self.find("rubric", check_rubric(assignment, read_rubric(assignment.rubric)))
        self.find("starter", check_starter(assignment))
        self.find("reference", check_perfect(assignment))
        tasks: Tasks = {}
        if PERFECT in list_test_submissions(assignment):
            tasks[submit(grade_perfect, assignment.slug)] = partial(self.take_perfect, submit)
        for seed in seeds_to_try(assignment) if slow else ():
            tasks[submit(check_seed, assignment.slug, seed)] = partial(self.take_seed, seed)
        return tasks

    def take_perfect(self, submit: Submit, result: tuple) -> Tasks:
        """Note what the perfect test submission earned; return the tasks that waited for it."""
        scores, asks, trainings = result
        self.take_test_submission(PERFECT, scores)
        slug, others = self.assignment.slug, set(list_test_submissions(self.assignment)) - {PERFECT}
        tasks = {submit(mutate, slug, scores, asks, trainings): self.take_mutation}
        for name in sorted(others):
            tasks[submit(grade_test_submission, slug, name, trainings)] = partial(
                self.take_test_submission, name
            )
        return tasks

    def take_test_submission(self, name: str, scores: dict[str, Score]) -> Tasks:
        self.scores[name] = scores
        earned = sum(score.earned or 0 for score in scores.values())
        problems = check_test_submission(scores, self.assignment.test_submissions / name / KNOWN)
        self.find(f"test submission {name} ({earned:g} points)", problems)
        return {}

    def take_mutation(self, mutation: Mutation) -> Tasks:
        self.mutation = mutation
        return {}

    def take_seed(self, seed: int | None, problems: list[str]) -> Tasks:
        self.find("the reference run anew" if seed is None else f"the reference with seed {seed}", problems)
        return {}

    def end(self) -> "Verification":
        """Return what can be said only of all test submissions and regions together."""
        graded = [finding for finding in self.findings if finding.what.startswith("test submission ")]
        self.findings = [finding for finding in self.findings if finding not in graded]
        self.findings += sorted(graded, key=lambda finding: finding.what)
        self.find("test submissions as a whole", check_test_submissions(self.scores))
        self.find(f"{len(self.mutation.lost)} regions replaced by their stubs", self.mutation.problems)
        lost = lost_by(self.scores).union(*self.mutation.lost.values())
        perfect = self.scores.get(PERFECT, {})
        waiting = {name for name, score in perfect.items() if is_waiting(score)}
        self.find(
            f"items ({len(waiting)} wait for data: autograder fetch)" if waiting else "items",
            (
                f"{name} can't be lost: by no test submission at work, and by no region"
                for name in perfect
                if name not in lost | waiting
            ),
        )
        return self


def verify(
    assignments: Iterable[Assignment],
    submit: Submit,
    slow: bool = False,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[Verification]:
    """Proves assignments side by side; yields each proof when it is complete.

    submit: runs a task on a bench. slow: also runs the references with other seeds, on other terms' data. watch: is
    told how many tasks are done, of those that are known so far.
    """
    proofs = [Verification(assignment) for assignment in assignments]
    waiting: dict[Future, tuple[Verification, Callable[..., Tasks]]] = {}  # what takes the result
    for proof in reversed(proofs):  # the later assignments of a course take longer
        tasks = proof.begin(submit, slow)
        waiting |= {future: (proof, take) for future, take in tasks.items()}
        if not tasks:
            yield proof.end()
    done = 0
    while waiting:
        future = next(as_completed(waiting))
        proof, take = waiting.pop(future)
        waiting |= {following: (proof, then) for following, then in take(future.result()).items()}
        done += 1
        watch(done, done + len(waiting))
        if all(other is not proof for other, _ in waiting.values()):
            yield proof.end()
