"""A class graded side by side earns what its submissions earn one by one: every test submission of the course."""

from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from autograder.core import read_course
from autograder.data import DEMO_SECRET, HiddenData
from autograder.grading import Grader, GraderFactory, MarkSources, ProcessPool, grade_cohort
from autograder.lms._detect import read_cohort
from autograder.sandbox import probe

COURSE = read_course(Path(__file__).parents[1])
TRAINED = (
    "tuning"  # by the grader itself, for minutes; `verify` trains its test submissions on several workers
)


@pytest.mark.slow
@pytest.mark.parametrize("slug", [result.slug for result in COURSE.assignments if result.slug != TRAINED])
def test_a_class_earns_what_its_submissions_earn_alone(slug, sandbox, tmp_path):
    assignment, source = COURSE.assignment(slug), HiddenData(COURSE, DEMO_SECRET)
    cohort, grader = (
        read_cohort(assignment.test_submissions, slug),
        Grader.create(assignment, source, sandbox),
    )
    sources = MarkSources.read(COURSE, grader, cohort, tmp_path)
    with ProcessPool(2, GraderFactory(assignment, source, isolation=probe()).open) as workers:
        graded = list(grade_cohort(grader, sources, cohort, tmp_path, executor=workers))
    together = {result.report.student: result.report.scores for result in graded}
    with threadpool_limits(1, "blas"):
        for handed in reversed(cohort.submissions):
            alone = Grader.create(assignment, source, sandbox).grade(
                handed
            )  # nothing is shared, nothing known
            assert alone.report.scores == together.pop(handed.student)
    assert not together
