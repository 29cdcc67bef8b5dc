"""Runs one item on one submission, and turns what it did into a score."""

import hashlib
import traceback
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from autograder.core import CourseError, Failure, NeedsReview, StudentError, sanitize
from autograder.data import NotFetched
from autograder.rubric._item import Credit, Item
from autograder.rubric._report import Score
from autograder.rubric._run import Deferred, ItemRun, current_run, hidden_from, record_run
from autograder.rubric._submission import Answer, Submission

WITHHELD = Failure(  # what the student's code says after it has seen hidden data could repeat them
    "Your function gave no result on data you have not seen.",
    "Try it on other inputs: more of them or fewer, longer or shorter.",
)
AWAITING_REVIEW = "A person reads what you write here."
MAX_ANSWER = 5_000  # characters of an answer in own words
RIGHT_IN_PUBLIC = "Right on the public example, wrong on others:"
DEFERRED = "Scored by your TA on data you have not seen."
DOUBT = "The grader could not decide, a person will look"


def run_item(
    item: Item, submission: Submission, on_progress: Callable[[str], None] = lambda line: None
) -> ItemRun:
    """Return the record of an item that ran on a submission. Never raises, whatever either of them does.

    What the student's code says may be shown only if the item can't have seen hidden data. So an item runs first in
    a copy of the rubric that never sees any; where it asks for them, it runs again in a second copy, and all that
    the student's code says there is withheld. No cache or global variable of a rubric connects the two.

    Args:
        item: an item of a rubric.
        submission: the submission.
        on_progress: called with a line about how far a training is.
    """
    source, salt = current_run().source, cache(lambda: hashlib.sha256(submission.code[1]).hexdigest())
    new_run = partial(ItemRun, source, inputs_salt=salt, on_progress=on_progress)
    run = _run(item, submission, new_run())
    if run.asked_hidden and source and not source.practice:
        first, run = run, _run(item.copy("hidden"), submission, new_run(may_draw_hidden=True))
        run.used |= first.used
        run.score = replace(run.score, remarks=_unique(first.score.remarks + run.score.remarks))
    elif run.drew_inputs and source and not source.practice and run.score.is_lost:
        with hidden_from(source.for_practice):
            public = _run(item.copy("public"), submission, ItemRun(source.for_practice)).score
        run.score = _explain_with_public_inputs(run.score, public)
    if run.assumption:
        would_be = run_item(item, submission.accepting()).score
        if would_be.outcome == "scored":
            points = f"{would_be.earned:g} of {item.points:g} points"
            message = f"{run.score.message} ({run.assumption}: {points})"
            run.score = replace(run.score, message=message)
    return run


def score(item: Item, submission: Submission) -> Score:
    """Return the score of `run_item`."""
    return run_item(item, submission).score


def _explain_with_public_inputs(score: Score, public: Score) -> Score:
    """Return a lost score with a message that the student can reproduce, if there is one."""
    if public.is_lost:
        return replace(score, message=public.message, hint=public.hint)
    if public.outcome == "scored":
        return replace(score, message=f"{RIGHT_IN_PUBLIC} {score.message}")
    return score


def _run(item: Item, submission: Submission, run: ItemRun) -> ItemRun:
    with record_run(run), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of libraries
        score = _score(item, submission, run)
    remarks = [remark.text for remark in run.remarks if not (run.may_draw_hidden and remark.is_from_student)]
    run.score = replace(score, remarks=_unique(remarks), figures=tuple(run.figures))
    if run.may_draw_hidden:
        for discard in run.discard:
            discard()  # a process that ran on hidden data could tell a later item of them
    return run


def _unique(remarks: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(remarks))


def _score(item: Item, submission: Submission, run: ItemRun) -> Score:
    text = " ".join((item.__doc__ or "").split())
    unscored = partial(Score, item.__name__, text, item.points, item.bonus, earned=None)
    lost = partial(Score, item.__name__, text, item.points, item.bonus, "scored", 0.0)
    try:
        returned = item(submission)
        if isinstance(returned, Answer):
            answer = sanitize(returned.text, MAX_ANSWER)
            return unscored(outcome="awaiting review", message=AWAITING_REVIEW, answer=answer)
        credit = _read_credit(returned)
        earned = round(item.points * float(credit.share), 2)  # NumPy's numbers are no JSON
        return replace(lost(credit.message, credit.hint), earned=earned)
    except StudentError as error:
        shown = WITHHELD if run.may_draw_hidden else error
        return lost(shown.reason, shown.hint)
    except Failure as failure:
        return lost(failure.reason, failure.hint)
    except Deferred:
        return unscored(outcome="deferred", message=DEFERRED)
    except NotFetched as missing:
        return unscored(outcome="deferred", message=str(missing))
    except NeedsReview as error:
        run.assumption = error.assumption
        return unscored(outcome="broken", message=f"{DOUBT}: {error}")
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        # the text of any other error may be what the student's code returned
        is_safe = isinstance(error, CourseError) or not run.may_draw_hidden
        text = f": {error}" if is_safe else ""
        what = sanitize(f"{type(error).__name__}{text} ({Path(frame.filename).name}, line {frame.lineno})")
        return unscored(outcome="broken", message=f"{DOUBT}: {what}")


def _read_credit(returned: Credit | float | None) -> Credit:
    """Return what an item's return value stands for; a nonsensical one is the grader's fault."""
    if returned is None:
        return Credit(1, "As expected.")
    if not isinstance(returned, Credit):
        returned = Credit(float(returned), f"{float(returned):.0%} of the points.")
    if not 0 <= returned.share <= 1:
        raise ValueError(f"the item returned a share of {returned.share}, expected 0 to 1")
    return replace(returned, message=sanitize(returned.message), hint=sanitize(returned.hint))
