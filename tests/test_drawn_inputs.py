"""Inputs of function items, drawn from the term's seed: honest functions pass with any, a table of answers with none.

Items whose inputs a student's own numbers fix (`by_hand`, `shapes`) and those on models and concepts stay outside.
"""

import inspect
import json
from functools import cache
from itertools import compress, count
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from autograder.core import Failure, load_module, read_course
from autograder.data import HiddenData, practice_data
from autograder.models import Predictor
from autograder.rubric import Credit, Submission, hidden_from, is_close, items_of, score
from autograder.rubric._comparison import CLOSE
from autograder.sandbox import _in_process as here
from autograder.sandbox._definitions import define

COURSE = read_course(Path(__file__).parents[1])
SLUGS = "rnn_by_hand", "dna_simple_rnn"
WRONG = 12345.678  # what a table says until it has learnt an answer
TERMS = [f"term {number}" for number in range(20)]


@pytest.fixture(scope="module", params=SLUGS)
def rubric(request):
    """Each rubric, run on a single thread, as the grader does."""
    rubric = load_module(COURSE.assignment(request.param).rubric)
    rubric.slug = request.param
    with threadpool_limits(1, "blas"):
        yield rubric


@pytest.fixture
def reference(rubric, monkeypatch) -> Submission:
    """Return the reference's functions, defined once."""
    definitions = cache(lambda number: define(statements[number], []))
    statements = {}

    def defined(read, problems):
        statements[id(read)] = read
        return definitions(id(read))

    monkeypatch.setattr(here, "define", defined)
    folder = COURSE.assignment(rubric.slug).test_submissions / "perfect"
    return Submission("perfect", folder, Predictor(), here.InProcessSandbox())


def function_items(rubric) -> list:
    return [item for item in items_of(rubric) if "submission.call(" in inspect.getsource(item)]


def comparisons(rubric, item, reference, monkeypatch) -> list[dict]:
    """Return the comparisons of one item: the right result, and that of each usual mistake, flattened."""
    found = []

    def flat(whole: dict) -> np.ndarray:
        return np.concatenate([np.ravel(np.asarray(part, float)) for part in whole.values()])

    def agree(came, right, usual, asked, atol=CLOSE):
        results = {"right": right} | usual
        found.append({why: (np.asarray(result, float), atol) for why, result in results.items()})

    def agree_parts(came, right, usual, asked, atol=CLOSE):
        wholes = {"right": right} | {why: right | changed for why, changed in usual.items()}
        found.append({why: (flat(whole), atol) for why, whole in wholes.items()})

    monkeypatch.setattr(rubric, "assert_close", agree)
    monkeypatch.setattr(rubric, "assert_parts_close", agree_parts, raising=False)
    item(reference)
    return found


def test_honest_functions_pass_in_every_term(rubric, reference):
    for term in TERMS:
        with hidden_from(HiddenData(COURSE, term)):
            scores = [score(item, reference) for item in function_items(rubric)]
        assert [(term, one.item, one.message) for one in scores if not one.is_full] == []


def test_fixed_and_drawn_inputs_show_the_usual_mistakes(rubric, reference, monkeypatch):
    """A fixed example comes first. Each mistake shows there, and also in what each term draws."""
    for item in function_items(rubric):
        if "assert_close" not in inspect.getsource(item):
            continue
        terms = []
        for term in TERMS[:8]:
            with hidden_from(HiddenData(COURSE, term)):
                terms.append(comparisons(rubric, item, reference, monkeypatch))
        same_in_all = [
            len({case["right"][0].tobytes() for case in cases}) == 1 for cases in zip(*terms, strict=True)
        ]
        assert same_in_all[0] and not all(same_in_all), item.__name__
        assert_mistakes_show(item.__name__, list(compress(terms[0], same_in_all)))
        for cases in terms:
            assert_mistakes_show(item.__name__, list(compress(cases, np.logical_not(same_in_all))))


def assert_mistakes_show(name: str, cases: list[dict]) -> None:
    for why in {why for case in cases for why in case} - {"right"}:
        apart = [not is_close(case[why][0], case["right"][0], case[why][1]) for case in cases if why in case]
        assert any(apart), f"{name}: nothing shows that {why}"


# --- a notebook that knows nothing: what the rubric compares with on a student's own machine, written down


class Unknown(Exception):
    """A call whose answer is not in the table yet."""


class Table:
    """Stands for a submission; answers from a table of calls. learning: whether what is missing is written down."""

    student = signature = signed = "perfect"
    code = "table.ipynb", b""

    def __init__(self):
        self.answers, self.learning, self.asked = {}, True, ()

    def call(self, function, *arguments, **_):
        key = json.dumps([function, *(np.asarray(argument).tolist() for argument in arguments)])
        if key not in self.answers and not self.learning:
            raise Failure("KeyError")
        self.asked = key
        return self.answers.get(key, np.full(1, WRONG))

    def learn(self, right) -> None:
        self.answers[self.asked] = right
        raise Unknown

    def __getattr__(self, name):
        raise Failure("no models, no constants")


def eavesdrop(rubric, table: Table, monkeypatch) -> None:
    """Lets the rubric's comparisons tell the table what is right."""

    def agree(came, right, usual, asked, atol=CLOSE):
        if isinstance(came, tuple) or not is_close(came, right, atol):
            table.learn(np.asarray(right, float))

    def agree_parts(came, right, usual, asked, atol=CLOSE):
        if not isinstance(came, tuple) or not all(map(is_close, came, right.values())):
            table.learn(tuple(map(np.asarray, right.values())))

    def share_right(came, right, hint):
        if not all(is_close(np.ravel(came[name]), np.ravel(right[name])) for name in right):
            table.learn(tuple(map(np.asarray, right.values())))
        return Credit(1, "")

    def parts(came, names, asked, **form):
        names = list(names)
        return dict(
            zip(names, came if len(came) == len(names) else [np.array(WRONG)] * len(names), strict=True)
        )

    stand_ins = {
        "assert_close": agree,
        "assert_parts_close": agree_parts,
        "share_right": share_right,
        "split_parts": parts,
    }
    for name, stand_in in stand_ins.items():
        monkeypatch.setattr(rubric, name, stand_in, raising=False)


def test_a_table_of_answers_earns_its_own_numbers_at_most(rubric, monkeypatch):
    table, items = Table(), function_items(rubric)
    with monkeypatch.context() as patch, hidden_from(practice_data(COURSE)):
        eavesdrop(rubric, table, patch)
        for item in items:
            for tries in count():
                try:
                    item(table)
                    break
                except Unknown:
                    assert tries < 100
    table.learning = False
    with hidden_from(practice_data(COURSE)):
        assert all(score(item, table).is_full for item in items), (
            "the table is worth nothing, and proves nothing"
        )
    for term in TERMS[:5]:
        with hidden_from(HiddenData(COURSE, term)):
            scores = [score(item, table) for item in items]
        assert {one.item for one in scores if one.earned} <= {"back_propagates_by_hand", "names_the_shapes"}
        assert sum(one.earned for one in scores) <= 10
