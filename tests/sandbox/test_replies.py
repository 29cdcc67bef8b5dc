"""What a function may return: numbers of any library travel, everything else is a sentence with a way out."""

import numpy as np
import pytest

from autograder.core import Failure, StudentError
from autograder.rubric import assert_close, assert_parts_close, share_right, split_parts
from autograder.sandbox._client import SeveralArrays, check_reply
from autograder.sandbox._definitions import define, read_statements
from autograder.sandbox._invoke import as_arrays, call_function

IMPORTS = "import numpy as np, pandas as pd, scipy.sparse\nfrom fractions import Fraction\n"


def returned(expression: str) -> tuple[list, dict]:
    source = f"{IMPORTS}def f(): return {expression}"
    return call_function(define(read_statements(source.encode(), "work.py", []), []), "f", [], as_arrays)


RETURNED = {  # what f returns, and what its student is told
    "None": "nothing: is there a `return`?",
    "(1, None)": "nothing: is there a `return`? as value 2 of 2",
    "[1, None]": "an array with None in it",
    "'abc'": "a text",
    "['a', 'b']": "texts",
    "(k for k in [1])": "a generator, which holds no numbers yet",
    "map(int, '12')": "a map, which holds no numbers yet",
    "{1: 2}.values()": "a dict_values, which holds no numbers yet",
    "{1, 2}": "a set, which has no order",
    "{1: 2}": "a dictionary",
    "len": "a function: did you forget to call it?",
    "lambda: 1": "a function: did you forget to call it?",
    "object()": "an object of type object",
    "1 + 2j": "complex numbers",
    "np.array([[1], [2, 3]], dtype=object)": "an array of list",
    "np.array(['2026-01-01'], dtype='datetime64[D]')": "an array of datetime64[D]",
    "np.ma.masked_array([1, 2], [0, 1])": "an array in which values are masked",
    "pd.Series(['a'])": "an array of str",
    "pd.DataFrame({'a': [1], 'b': ['x']})": "an array of int, str",
    "()": "an empty tuple",
    "[[0] * (n % 2) for n in range(99)]": "99 values that make no array together",
}


@pytest.mark.parametrize("expression", RETURNED)
def test_what_is_no_array_of_numbers_is_named_with_a_way_out(expression):
    values, said = returned(expression)
    assert not values and said["hint"]
    assert said["reason"].rstrip(".") == f"f returned {RETURNED[expression]}"


@pytest.mark.parametrize(
    ("expression", "dtype"),
    [
        ("np.array([1, 2, 3], 'longdouble')", "float64"),
        ("np.array([1, 2, 3], 'float16')", "float16"),
        ("np.array([1, 2, 3], object)", "float64"),
        ("[Fraction(1), 2, True + 2.0]", "float64"),
        ("pd.Series([1, 2, 3])", "int64"),
        ("np.ma.masked_array([1, 2, 3], [0, 0, 0])", "int64"),
        ("np.array([1, 2, 3], '>i4')", "int32"),
        ("scipy.sparse.csr_matrix([1, 2, 3])", "int64"),
        ("range(1, 4)", "int64"),
    ],
)
def test_numbers_of_any_library_travel(expression, dtype):
    [value], _ = returned(expression)
    assert value.dtype == dtype and value.reshape(-1).tolist() == [1, 2, 3]


@pytest.mark.slow
def test_tensors_travel_and_those_of_a_graph_are_named(run):
    source = """
    import tensorflow as tf, keras
    def f(what):
        x = tf.constant([1, 2, 3])
        if what == "graph":
            kept = []
            tf.function(lambda: kept.append(x + 1))()
            return kept[0]
        if what == "keras":
            return keras.Input((3,))
        return tf.cast(x, what) if what else keras.Variable([1.0, 2.0, 3.0])
    """
    for what in ("bfloat16", "float32", "bool", ""):
        answer = run(source, what)
        assert answer.failure is None and answer.value.shape == (3,), (what, answer.failure)
    for what in ("graph", "keras"):
        assert run(source, what).failure.reason == "f returned a tensor of a graph, which has no value yet."


@pytest.mark.parametrize(
    "expression", ["...", "NotImplemented", "(_ for _ in ()).throw(NotImplementedError)"]
)
def test_every_stub_is_unwritten(expression):
    _, said = returned(expression)
    assert said["reason"] == "f is not written yet." and said["final"]


def reply_to(source: str, *arguments) -> dict:
    """Return what is said of a call of `forward_pass` in a notebook."""
    notebook = define(read_statements(source.encode(), "work.py", []), [])
    return call_function(notebook, "forward_pass", list(arguments), as_arrays)[1]


CALLED = {  # a notebook, and what its student is told when `forward_pass(x)` is called
    "a helper that is not written yet": (
        "def step(x): raise NotImplementedError()\ndef forward_pass(x): return step(x)",
        "forward_pass calls step, which is not written yet.",
    ),
    "an error of a library": (
        "import numbers\ndef forward_pass(x): return numbers.Complex.__complex__(x) + abs_of(x)\n"
        "class C(dict):\n    pass\ndef abs_of(x):\n    import os\n    return os.PathLike.__fspath__(x)",
        "forward_pass stopped with NotImplementedError",
    ),
    "another spelling": ("def Forward_pass(x): return x", "but it defines Forward_pass."),
    "a letter too few": ("def foward_pass(x): return x", "but it defines foward_pass."),
    "no such function": ("def g(x): return x", "The notebook defines no function forward_pass."),
    "a class": ("class forward_pass: pass", "forward_pass is a class, expected a function."),
    "a parameter too many": (
        "def forward_pass(W, x): return x",
        "Expected forward_pass to take 1 argument, it is written as forward_pass(W, x).",
    ),
    "no parameter": ("def forward_pass(): return 1", "it is written as forward_pass()."),
    "a lambda of two": ("forward_pass = lambda W, x: x", "it is written as forward_pass(W, x)."),
    "a coroutine": ("async def forward_pass(x): return x", "forward_pass returned a coroutine."),
}


@pytest.mark.parametrize("name", CALLED)
def test_a_usual_mistake_is_named(name):
    source, reason = CALLED[name]
    assert reason in reply_to(source, np.ones(2))["reason"]


@pytest.mark.filterwarnings("error")
def test_a_coroutine_leaves_no_warning_behind():
    assert (
        reply_to("async def forward_pass(x): return x", np.ones(2))["hint"] == "Write `def`, not `async def`."
    )


def test_defaults_and_starred_parameters_take_what_they_can():
    for parameters in ("x, scale=2", "*values", "x, **options", "x, /, *, scale=2"):
        assert "reason" not in reply_to(f"def forward_pass({parameters}): return 1.0", np.ones(2))


# --- what reaches the grader is checked by what was wanted

NUMBER, TEXT = np.zeros(()), [np.frombuffer(b"A", np.uint8), np.zeros(0)]
MODEL = [np.frombuffer(b"{}", np.uint8), np.zeros(3, np.float32)]


@pytest.mark.parametrize(
    ("wanted", "arrays", "several", "passes"),
    [
        ("constant", [NUMBER], False, True),
        ("constant", TEXT, True, True),
        ("constant", [np.zeros(2)], False, False),
        ("constant", [np.zeros((), bool)], False, False),
        ("constant", TEXT, False, False),
        ("constant", [NUMBER, NUMBER], True, False),
        ("constant", MODEL, True, False),
        ("model", MODEL, True, True),
        ("model", MODEL[:1], False, False),
        ("model", [*MODEL, NUMBER], True, False),
        ("model", MODEL[::-1], True, False),
        ("arrays", TEXT, True, True),
    ],
)
def test_a_forged_reply_is_the_students_failure(wanted, arrays, several, passes):
    answer = check_reply("f", wanted, (b"", "w.py"), {"several": several}, arrays, "")
    assert (answer.failure is None) is passes and (answer.value is None) is not passes
    if not passes:
        assert isinstance(answer.failure, Failure) and answer.failure.reason and answer.failure.hint


def values(*arrays) -> SeveralArrays:
    answer = check_reply(
        "f", "arrays", (b"", "w.py"), {"several": True}, [np.asarray(array) for array in arrays], ""
    )
    return answer.value


def test_several_values_where_one_array_was_wanted_are_the_students_failure():
    ragged, even = values(1, [1, 2]), values(1, 2)
    assert isinstance(even, tuple) and np.asarray(even).tolist() == [1, 2] and len(ragged) == 2
    for use in (
        np.asarray,
        np.shape,
        lambda came: came - np.zeros(2),
        lambda came: came.shape,
        np.mean,
        float,
    ):
        with pytest.raises(
            Failure if use is not float else (Failure, TypeError), match="f returned 2 values|float"
        ):
            use(ragged)


ODD = [
    values(1, [1, 2]),
    values([1.0], [2.0]),
    values(*[[1]] * 64),
    *(np.zeros(shape, kind) for shape in ((), (0,), (2,), (3, 0), (1, 2, 1)) for kind in "?bBeg"[:4]),
    np.array([np.nan, np.inf]),
    np.full(2, 2**63, np.uint64),
    np.array(True),
    np.zeros((2, 1, 1, 1, 1, 1, 1, 1)),
]
RIGHT = [np.array([1, 2]), np.array(3.5), np.array([True, False]), np.zeros((2, 2)), 7]


@pytest.mark.parametrize("right", RIGHT, ids=str)
@pytest.mark.parametrize(
    "came", ODD, ids=lambda came: f"{np.shape(came[0]) if isinstance(came, tuple) else came.shape}"
)
def test_comparing_raises_nothing_but_a_failure(came, right):
    names = {"a": right, "b": right}
    for compare in (
        lambda: assert_close(came, right, {"it is twice as large": np.multiply(right, 2)}, "f()"),
        lambda: assert_parts_close(came, names, {"a is b": {"a": 0}}, "f()"),
        lambda: share_right(split_parts(came, names, "f()"), names, "Look again."),
    ):
        try:
            compare()
        except Failure as failure:
            assert failure.reason and not isinstance(failure, StudentError)


def test_the_parts_of_a_huge_reply_are_counted_and_not_unpacked():
    huge = np.broadcast_to(np.float64(1), (2**40,))  # as tuple it would fill any memory
    with pytest.raises(Failure, match="returns 1099511627776 values, expected 2"):
        split_parts(huge, ["a", "b"], "f()")
