"""The assignment `sequence_types`: whoever knows the trick and not the task earns nothing, on the data of any term."""

import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autograder.core import load_module, read_course
from autograder.data import HiddenData
from autograder.rubric import Submission, hidden_from, items_of, questions_path, score
from autograder.sandbox import InProcessSandbox

COURSE = read_course(Path(__file__).parents[1])
ASSIGNMENT = COURSE.assignment("sequence_types")
RUBRIC = load_module(ASSIGNMENT.rubric)
QUESTIONS = load_module(questions_path(COURSE.assignment("sequence_types").folder))
ITEMS = {item.__name__: item for item in items_of(RUBRIC)}
TERMS = [
    pytest.param(HiddenData(COURSE, f"term {k}"), id=f"term{k}", marks=[pytest.mark.slow] if k else [])
    for k in range(5)
]


class Shortcut:
    """In place of the predictor: the perfect submission's models keep all rules, and what they say is a shortcut's."""

    def __init__(self, shortcut):
        self.shortcut = shortcut

    def predict(self, model, inputs):
        said = [self.shortcut(one) for one in inputs]
        return said if None in model.plan.output_shape[1:] else np.stack(said)


def train(name: str) -> pd.DataFrame:
    return pd.read_csv(COURSE.root / "datasets" / name / "train.csv")


def sure_of(classes, count: int) -> np.ndarray:
    return np.eye(count, dtype=np.float32)[classes]


def text(bases: np.ndarray) -> str:
    """Return the bases of one-hot rows (time, 4)."""
    return "".join("ACGT"[place] for place in bases.argmax(axis=-1))


# --- shortcuts: each answers one input as the model of its item would


def two_bases_of_a_codon(codon):
    """Return the likeliest residue after two bases, blind to the third."""
    return residue_after_two(text(codon.reshape(3, 4)))


def residue_after_two(codon: str):
    code = RUBRIC.genetic_code()
    [(residue, _)] = Counter(code[codon[:2] + third] for third in "ACGT").most_common(1)
    return sure_of(RUBRIC.RESIDUES.index(residue), len(RUBRIC.RESIDUES))


def two_bases_of_each_codon(gene):
    codons = [text(gene)[3 * k : 3 * k + 3] for k in range(len(gene) // 3)]
    return np.repeat([residue_after_two(codon) for codon in codons], 3, axis=0)


def most_frequent_residue(gene):
    return sure_of([RUBRIC.RESIDUES.index(frequent_at(0))] * len(gene), len(RUBRIC.RESIDUES))


def residues_that_stand_there(two):
    """At each place of a protein the residue that is most frequent there, and the stop at the end."""
    gene, so_far = two
    said = [frequent_at(min(k, 3)) if k < len(gene) // 3 - 1 else "*" for k in range(len(so_far))]
    return sure_of([RUBRIC.RESIDUES.index(residue) for residue in said], len(RUBRIC.RESIDUES))


@cache
def frequent_at(place: int) -> str:
    return Counter(train("translation").protein.str[place]).most_common(1)[0][0]


def bases_alone(tokens):
    """Return the bases and the end as often as in train.csv, whatever went before."""
    return markov(tokens, 0)


def two_before(tokens):
    """Return what followed the class and the last two tokens in train.csv."""
    return markov(tokens, 2)


def markov(tokens, order: int):
    rows = np.full((len(tokens), RUBRIC.TOKENS), 1 / RUBRIC.TOKENS, np.float32)
    counts = followers(order)[before(tokens, order)] + 0.01
    rows[-1] = counts / counts.sum()
    return rows


def before(tokens, order: int) -> tuple:
    """Return the class, and the last `order` tokens behind it."""
    return tokens[0], *tokens[max(1, len(tokens) - order) :]


@cache
def followers(order: int) -> dict:
    found, data = defaultdict(lambda: np.zeros(RUBRIC.TOKENS)), train("dna_generator")
    for tokens in map(RUBRIC.generator_tokens, data.sequence, data["class"]):
        for k in range(1, len(tokens)):
            found[before(tokens[:k], order)][tokens[k]] += 1
    return found


def every_frame_closes(bases):
    """Read from the left, knows the rules, and bets that a stop will come."""
    labels = load_module(COURSE.root / "datasets" / "reading_frames" / "generate.py").seen(text(bases))
    return np.array([[float(label)] for label in labels])


def inside_everywhere(bases):
    return np.ones((len(bases), 1))


def last_three_words(tokens):
    """Return what followed the last three words most often in train.csv."""
    return sure_of(completions()[tuple(tokens[-3:])].most_common(1)[0][0], len(RUBRIC.vocabulary()))


def one_of_the_two(tokens):
    """Return the language of the country named first, the animal named first: right whenever that one is asked for."""
    words = [RUBRIC.vocabulary()[token] for token in tokens]
    grammar = load_module(COURSE.root / "datasets" / "completion" / "generate.py")
    answers = (
        grammar.LANGUAGES
        | {animal: animal for animal in grammar.ANIMALS}
        | {"noon": "blue", "night": "black"}
    )
    said = next(answers[word] for word in words if word in answers)
    return sure_of(RUBRIC.vocabulary().index(said), len(RUBRIC.vocabulary()))


@cache
def completions() -> dict:
    found, data = defaultdict(Counter), train("completion")
    for sentence, word in zip(data.sentence, data.word, strict=True):
        found[tuple(RUBRIC.word_tokens(sentence)[-3:])][RUBRIC.vocabulary().index(word)] += 1
    return found


def last_value(history):
    return np.repeat(history[-1], 12)


def last_season(history):
    return history[-12:, 0]


SHORTCUTS = {
    two_bases_of_a_codon: ("knows_all_codons",),
    two_bases_of_each_codon: ("aligned_proteins",),
    most_frequent_residue: ("aligned_residues", "aligned_proteins"),
    residues_that_stand_there: ("decoded_residues", "decoded_proteins", "decoded_longer"),
    bases_alone: ("generator_bits", "generator_validity", "generator_novelty"),
    two_before: ("generator_bits", "generator_validity", "generator_novelty"),
    every_frame_closes: ("tags_bases", "tags_whole_sequences"),
    inside_everywhere: ("tags_bases", "tags_whole_sequences"),
    last_three_words: ("completes_sentences",),
    one_of_the_two: ("completes_sentences",),
    last_value: ("forecasts",),
    last_season: ("forecasts",),
}


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize(
    "shortcut, name",
    [
        pytest.param(shortcut, name, id=f"{shortcut.__name__}-{name}")
        for shortcut, names in SHORTCUTS.items()
        for name in names
    ],
)
def test_a_shortcut_earns_nothing(shortcut, name, term):
    submission = Submission(
        "perfect", ASSIGNMENT.test_submissions / "perfect", Shortcut(shortcut), InProcessSandbox()
    )
    with hidden_from(term):
        given = score(ITEMS[name], submission)
    assert (given.outcome, given.earned) == ("scored", 0), given.message


CONCEPTS = {
    "knows_what_a_delay_buys": RUBRIC.settled_late,
    "knows_what_is_news": RUBRIC.fourth_family,
    "knows_the_better_writer": RUBRIC.two_writers,
    "knows_a_forecast_from_a_copy": RUBRIC.one_month_ahead,
}


def open_submission(name: str, sandbox) -> Submission:
    return Submission(name, ASSIGNMENT.test_submissions / name, None, sandbox)


def test_what_a_late_answer_knows_is_counted_as_the_datasheet_defines_it():
    """Along a frame of so many codons, base by base: the answer for base t is due at step t + delay."""
    for student in map("student {}".format, range(50)):
        question = QUESTIONS.settled_late(student)
        delay, codons = (
            int(found) for found in re.findall(r"t - (\d+).*frame of (\d+) codons", str(question), re.S)[0]
        )
        frame = "ATG" + "GCC" * (codons - 2) + "TAA"
        due = np.arange(len(frame)) + delay
        assert (RUBRIC.settled(frame) <= due).sum() == question.answer


def test_the_fourth_family_costs_what_its_draws_cost():
    """The mean of -log2 of the probability of sequences, each the product of the draws that made it."""
    numbers = r"site of (\d+) bases.*spacer of (\d+) to (\d+) bases"
    for student in map("student {}".format, range(50)):
        question = QUESTIONS.fourth_family(student)
        site, least, most = map(int, re.findall(numbers, str(question), re.S)[0])
        spacers = np.arange(least, most + 1)
        probability = (
            0.25**site / len(spacers) * 0.25**spacers
        )  # of one sequence with a spacer of that length
        assert np.isclose(np.mean(-np.log2(probability)), question.answer)
