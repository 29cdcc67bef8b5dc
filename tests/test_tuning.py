"""`tuning`: its functions and its table, right and wrong; what trains is proved by `verify` and by slow tests."""

from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

from autograder.authoring.verify._test_submissions import is_lost
from autograder.core import Failure, load_module, read_course
from autograder.data import DEMO_SECRET, HiddenData
from autograder.grading import Grader
from autograder.models import Predictor, read_untrained_model
from autograder.rubric import Submission, hidden_from, items_of, score
from autograder.submissions import RawSubmission

COURSE = read_course(Path(__file__).parents[1])
ASSIGNMENT = COURSE.assignment("tuning")
RUBRIC = load_module(ASSIGNMENT.rubric)
DATA = HiddenData(COURSE, DEMO_SECRET)
QUICK = {
    "differentiates_the_steps": "the slope stands in rows",
    "multiplies_back": "an upper bound",
    "counts_the_steps": "Not right yet: steps until below 1e-6, steps until above 1e6",
    "sets_the_radius": "its largest singular value is brought there",
    "differentiates_the_skip": "the slope is taken at the new state",
    "bounds_the_skip": "Not right yet: the least, the most.",
    "finds_the_slip": "it is greater than 25",
    "clips_entries": "the lecture's slip",
    "clips_the_length": "each array is clipped by its own length",
    "measures_the_turn": "not divided by the two lengths",
    "steps_with_a_skip": "the old state is not added",
    "builds_what_is_searched": "build_motif_model(12, 0) is made of",
    "knows_how_sure_a_score_is": "the root is missing",
    "compares_on_the_same_rows": "as for two different exams",
}
ITEMS = {item.__name__: item for item in items_of(RUBRIC)}


def open_submission(name: str, sandbox) -> Submission:
    return Submission(name, ASSIGNMENT.test_submissions / name, Predictor(), sandbox)


@pytest.mark.parametrize("item, says", QUICK.items())
def test_a_mistake_is_named_and_the_right_function_earns_all(item, says, sandbox):
    with hidden_from(DATA):
        assert score(ITEMS[item], open_submission("perfect", sandbox)).is_full
        wrong = score(ITEMS[item], open_submission("usual_mistakes", sandbox))
    assert wrong.earned == 0 and says in wrong.message


CONCEPTS = {
    "knows_what_a_limit_does": RUBRIC.clipped_steps,
    "knows_what_relu_passes_on": RUBRIC.first_remedy,
    "knows_what_a_gate_starts_with": RUBRIC.gates,
    "knows_the_luck_of_the_best": RUBRIC.lucky_best,
}


def written(folder: Path, source: str, sandbox) -> Submission:
    """Return a submission of one cell, and of the perfect table."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    nbformat.write(notebook, folder / "work.ipynb")
    return Submission("ann", folder, Predictor(), sandbox)


BUILDER = """
import keras
from keras import layers
def build_memory_model(length):
    return keras.Sequential([keras.Input((length, 8)), {}, layers.Dense(4, activation="softmax")])
"""


@pytest.mark.parametrize(
    "layer, says",
    {
        "layers.Bidirectional(layers.SimpleRNN(8))": "uses Bidirectional",
        "layers.SimpleRNN(8, go_backwards=True)": "a layer that reads backwards",
        "layers.Flatten()": "uses Flatten",
        "layers.SimpleRNN(64)": "parameters, at most 2,000 are allowed",
        "layers.SimpleRNN(8, return_sequences=True)": "expected (None, 50, 8) and (None, 4)",
    }.items(),
)
def test_a_builder_against_the_rules_is_told_which(layer, says, sandbox, tmp_path):
    with pytest.raises(Failure) as raised:
        RUBRIC.memory_model(written(tmp_path, BUILDER.format(layer), sandbox), 50)
    assert says in str(raised.value)


TABLE = pd.read_csv(ASSIGNMENT.test_submissions / "perfect" / "trials.csv")


@pytest.mark.parametrize(
    "changed, says",
    {
        "no column": (TABLE.drop(columns="clipnorm"), "lacks the columns clipnorm"),
        "empty": (TABLE.head(0), "has 0 trials for sentiment"),
        "one task": (TABLE[TABLE.task == "motif"], "has 0 trials for sentiment"),
        "few": (TABLE.groupby("task").head(5), "has 5 trials for sentiment, expected at least 8"),
        "all alike": (pd.concat([TABLE.groupby("task").head(1)] * 9), "are 1 different ones"),
        "no number": (TABLE.assign(score="good"), "score is 'good', expected a number from 0 to 1"),
        "not finite": (TABLE.assign(learning_rate=np.inf), "learning_rate is 'inf'"),
        "half a unit": (TABLE.assign(units=2.5), "expected a whole number"),
        "another task": (TABLE.assign(task="weather"), "the task is 'weather'"),
        "one score": (TABLE.assign(score=0.9), "whatever their settings"),
        "hardly any learnt": (
            TABLE.assign(score=TABLE.score.where(TABLE.index.isin([16, 17, 18, 19]), 0.5)),
            "2 trials for sentiment score 0.6 or more, expected 4",
        ),
        "one that learnt, again and again": (
            pd.concat([TABLE.assign(score=0.5), *[TABLE[16:20].assign(score=x) for x in (0.9, 0.91, 0.92)]]),
            "2 trials for sentiment score 0.6 or more, expected 4",
        ),
        "rates that differ in the last digits": (
            pd.concat(
                [TABLE[16:].assign(learning_rate=lambda t, k=k: t.learning_rate + k * 1e-9) for k in range(9)]
            ),
            "2 different ones",
        ),
        "too long": (pd.concat([TABLE] * 100), "At most 1,000 are read"),
    }.values(),
)
def test_a_table_that_is_no_good_is_told_why(changed, says, sandbox, tmp_path):
    changed.to_csv(tmp_path / "trials.csv", index=False)
    with pytest.raises(Failure) as raised:
        RUBRIC.read_trials(written(tmp_path, "", sandbox))
    assert says in str(raised.value)


def audited(table: pd.DataFrame, folder: Path, sandbox, term: str = "term 0") -> pd.DataFrame:
    """Return the rows beside the chosen ones that a TA trains again."""
    table.to_csv(folder / "trials.csv", index=False)
    chosen = """def chosen_settings(task):
        return {"sentiment": (16, 0.0, 0.005, 1.0), "motif": (32, 0.2, 0.007, 1.0)}[task]"""
    submission = written(folder, chosen, sandbox)
    with hidden_from(HiddenData(COURSE, term)):
        rows = [row for task in RUBRIC.BUILDERS for row in RUBRIC.audited_rows(submission, task)]
    return pd.DataFrame(rows).reset_index(drop=True)


def test_rows_are_audited_by_lot_among_those_that_learnt(sandbox, tmp_path):
    drawn = [audited(TABLE, tmp_path, sandbox, f"term {k}") for k in range(12)]
    assert len({rows.to_csv() for rows in drawn}) > 8
    every = pd.concat(drawn)
    assert (every.score >= RUBRIC.LEARNT).all()
    assert all(rows.groupby("task").size().to_dict() == RUBRIC.AUDITED for rows in drawn)
    assert not any(rows.duplicated().any() for rows in drawn)
    chosen = (every.task == "sentiment") & (every.units == 16) & (every.learning_rate == 0.005)
    assert not chosen.any()


def test_the_lot_is_the_tables_own_and_not_its_orders(sandbox, tmp_path):
    first = audited(TABLE, tmp_path, sandbox)
    shuffled = pd.concat([TABLE.sample(frac=1, random_state=1), TABLE.head(3)])
    assert audited(shuffled, tmp_path, sandbox).equals(first)
    changed = [audited(TABLE.assign(score=TABLE.score - k / 1e4), tmp_path, sandbox) for k in range(1, 9)]
    assert any(not rows.learning_rate.equals(first.learning_rate) for rows in changed)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"\x00" * 99, b'"' * 2**17, b"a,b\n" + b"," * 2**17, b"x" * 2**21]
)
def test_what_is_no_table_is_told_so(content, sandbox, tmp_path):
    (tmp_path / "trials.csv").write_bytes(content)
    with pytest.raises(Failure, match="trials.csv"):
        RUBRIC.read_trials(written(tmp_path, "", sandbox))


def test_ones_own_numbers_leave_no_doubt():
    """No power comes so near to its bound that rounding decides; few of 300 students share all numbers."""
    drawn = [(*RUBRIC.factors(f"student {k}"), *RUBRIC.skip_numbers(f"student {k}")) for k in range(300)]
    for shrinking, growing, *_ in drawn:
        for g, bound in ((shrinking, 1e-6), (growing, 1e6)):
            powers = g ** np.arange(1000.0)
            assert abs(powers / bound - 1).min() > 0.01
    assert len(set(drawn)) > 290


@pytest.mark.parametrize(
    "losses, says",
    [
        (np.full((3, 300), np.log(4)), "nothing arrives from the first letter"),
        (np.full((3, 300), np.nan), "The loss is not a number"),
        (np.tile(np.r_[np.zeros(150), 9 * np.ones(150)], (3, 1)), "falls and leaps up again"),
        (np.array([[np.log(4)] * 300, [0.1] * 300, [0.1] * 300]), "luck, not memory"),
        (np.full((3, 300), 0.6), "too slowly for so few updates"),
    ],
    ids=["flat", "nan", "leaps", "luck", "slow"],
)
def test_the_course_of_a_loss_says_what_to_try(losses, says):
    import keras

    layers = [keras.Input((50, 8)), keras.layers.SimpleRNN(8), keras.layers.Dense(4, activation="softmax")]
    plan = read_untrained_model(keras.Sequential(layers).to_json().encode()).plan
    assert says in RUBRIC.next_try(plan, losses, clipped=False, kind="language")


def test_training_data_are_fresh_and_new_ones_are_other():
    with hidden_from(DATA):
        x, y, test, answers = RUBRIC.memory(length=50, updates=3)
    assert x.shape == (192, 50, 8) and test.shape == (1000, 50, 8)
    assert (x[:, 0].argmax(axis=1) == y).all() and (test[:, 0].argmax(axis=1) == answers).all()
    assert not {row.tobytes() for row in x} & {row.tobytes() for row in test}


SPLICE = """
import keras
from keras import layers
def splice_settings():
    return {}
def splice_network(units, dropout):
    letters = keras.Input((60, 4))
    def joined(*parts):
        return layers.Concatenate()(list(parts))
    def ends(states, activation="softmax"):
        return keras.Model(letters, layers.Dense(3, activation=activation)(layers.Dropout(dropout)(states)))
    return {}
"""
FAIR = "16, 0.2, 0.003, 1.0"
TWO_READERS = (
    "ends(joined(layers.SimpleRNN(units)(letters[:, :30]), "
    "layers.SimpleRNN(units, go_backwards=True)(letters[:, 30:])))"
)
ONE_READER = "ends(layers.SimpleRNN(units)(letters))"


AGAINST_THE_RULES = {
    "another cell": (FAIR, "ends(layers.GRU(units)(letters))", "uses GRU"),
    "a regression": (FAIR, "ends(layers.Flatten()(letters))", "uses Flatten"),
    "a disguised one": (
        FAIR,
        "ends(joined(letters[:, 29], letters[:, 30], layers.SimpleRNN(units)(letters)))",
        "past every SimpleRNN",
    ),
    "none at all": (FAIR, "ends(layers.Dense(units)(letters[:, 30]))", "holds no SimpleRNN"),
    "large": ("64, 0, 0.003, 0", TWO_READERS, "parameters, at most 5,000 are allowed"),
    "each step": (FAIR, "ends(layers.SimpleRNN(units, return_sequences=True)(letters))", "expected (None, 60, 4)"),
    "no soft-max": (FAIR, 'ends(layers.SimpleRNN(units)(letters), "linear")', "does not end in probabilities"),
    "half a unit": ("2.5, 0.2, 0.003, 1.0", TWO_READERS, "2.5 units"),
    "all dropped": ("16, 1.0, 0.003, 1.0", TWO_READERS, "a dropout of 1"),
    "too few": ("16, 0.2, 0.003", TWO_READERS, "returns 3 values, expected 4"),
}  # fmt: skip


@pytest.mark.parametrize("settings, network, says", AGAINST_THE_RULES.values(), ids=AGAINST_THE_RULES)
def test_a_network_for_junctions_against_the_rules_is_told_which(settings, network, says, sandbox, tmp_path):
    with pytest.raises(Failure) as raised:
        RUBRIC.splice_network(written(tmp_path, SPLICE.format(settings, network), sandbox))
    assert says in str(raised.value)


def test_real_data_that_are_not_here_are_waited_for_by_who_handed_something_in(
    sandbox, tmp_path, monkeypatch
):
    monkeypatch.setenv("AUTOGRADER_DATA", str(tmp_path))
    item = ITEMS["reads_towards_the_junction"]
    with hidden_from(DATA):
        waiting = score(item, open_submission("perfect", sandbox))
        missing = score(item, open_submission("untouched_starter", sandbox))
    assert waiting.outcome == "deferred" and "autograder fetch splice" in waiting.message
    assert (missing.outcome, missing.earned) == ("scored", 0) and "is not written yet" in missing.message


def test_which_real_sequences_are_asked_for_is_the_terms_own(real_data):
    with hidden_from(DATA):
        x, y, test, truth = RUBRIC.splice_split()
    with hidden_from(HiddenData(COURSE, "term 1")):
        _, _, other, _ = RUBRIC.splice_split()
    assert x.shape == (2000, 60, 4) and test.shape == (1004, 60, 4) and len(y) == 2000 and len(truth) == 1004
    assert (x.sum(axis=-1) == 1).all() and (test.sum(axis=-1) == 1).all()
    asked = {row.tobytes() for row in test}
    assert len(asked) == 1004 and not {row.tobytes() for row in x} & asked
    assert 250 < len(asked & {row.tobytes() for row in other}) < 420  # a third of a third by chance


def test_a_letter_that_leaves_the_base_open_is_four_quarters():
    [row] = RUBRIC.bases(pd.DataFrame({"sequence": ["AND"]}))
    assert row.tolist() == [[1, 0, 0, 0], [0.25] * 4, [0.25] * 4]


@pytest.mark.parametrize(
    "network, loss, says",
    [
        (ONE_READER, 0.9, "What counts lies in the middle"),
        ("ends(layers.Bidirectional(layers.SimpleRNN(units))(letters))", 0.1, "What counts lies in the middle"),
        (TWO_READERS, np.nan, "The loss is not a number"),
        (TWO_READERS, 0.5, "It has not learnt its own"),
        (TWO_READERS, 0.1, "It knows its own rows and not the others"),
        (
            "ends(layers.Bidirectional(layers.SimpleRNN(units, return_sequences=True))(letters)[:, 30])",
            0.1,
            "It knows its own rows and not the others",
        ),
    ],
    ids=["one reader", "both to the end", "nan", "slow", "over", "picked in the middle"],
)  # fmt: skip
def test_a_network_for_junctions_that_falls_short_is_told_what_to_try(network, loss, says, sandbox, tmp_path):
    blueprint, _, _ = RUBRIC.splice_network(written(tmp_path, SPLICE.format(FAIR, network), sandbox))
    assert says in RUBRIC.after_junctions(blueprint.plan, np.full((3, 600), loss))


@pytest.mark.slow
@pytest.mark.parametrize("term", range(5), ids="seed{}".format)
def test_two_readers_pass_and_one_fails_on_every_split(term, sandbox, real_data):
    item = ITEMS["reads_towards_the_junction"]
    with hidden_from(HiddenData(COURSE, f"term {term}")):
        two, one = (
            score(item, open_submission(name, sandbox)) for name in ("perfect", "one_reader_of_real_dna")
        )
    assert two.is_full, two.message
    assert one.earned == 0 and "What counts lies in the middle" in one.hint


@pytest.mark.slow
@pytest.mark.parametrize("term", range(5), ids="seed{}".format)
def test_what_the_grader_trains_earns_full_marks_on_other_data(term, sandbox):
    """On another term's data and seeds: the reference's builders, settings and table."""
    grader = Grader.create(ASSIGNMENT, HiddenData(COURSE, f"term {term}"), sandbox)
    report = grader.grade(RawSubmission("perfect", ASSIGNMENT.test_submissions / "perfect")).report
    assert [(one.item, one.message) for one in report.scores if is_lost(one)] == []


REMEDIES = {  # on every rung: what a builder and its settings earn at most; test submissions show one rung of each
    "tanh": (
        "layers.SimpleRNN(32)",
        "0.003, 1.0, 0.0",
        {"remembers_50": 2, "remembers_100": 1, "remembers_200": 0, "remembers_dna": 3, "remembers_400": 0},
    ),
    "not clipped": (
        "layers.SimpleRNN(32, activation='relu', recurrent_initializer='identity')",
        "0.001, 0.0, 0.0",
        {"remembers_100": 4, "remembers_200": 0, "remembers_400": 0},
    ),
    "identity": (
        "layers.SimpleRNN(32, activation='relu', recurrent_initializer='identity')",
        "0.001, 1.0, 0.0",
        {"remembers_200": 3, "remembers_400": 0},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("layer, settings, most", REMEDIES.values(), ids=REMEDIES)
def test_a_remedy_fails_where_it_must(layer, settings, most, sandbox, tmp_path):
    source = f"{BUILDER.format(layer)}\ndef memory_settings(length):\n    return {settings}\n"
    submission = written(tmp_path, source, sandbox)
    with hidden_from(DATA):
        earned = {name: score(ITEMS[name], submission).earned for name in most}
    assert {name: points for name, points in earned.items() if points > most[name]} == {}
