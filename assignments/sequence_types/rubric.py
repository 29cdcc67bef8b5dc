"""The items of `sequence_types`: 110 points, and bonus points on top.

A notebook and seven models are handed in, one for each kind of sequence task and some for another. Functions are
compared with plain loops and Keras on inputs that are drawn from the term's seed; a wrong answer is compared with what
the usual mistakes give. Models are scored on data that nobody has seen, beside the honest baselines in the datasheets
of `datasets/`, where the thresholds are measured too. What a model says about the next letter is asked prefix by
prefix: it never sees what comes after.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import matthews_corrcoef

from autograder import (
    RECURRENT,
    Failure,
    assert_close,
    assert_parts_close,
    check_architecture,
    concept_questions,
    credit,
    decide,
    figures,
    fresh_seed,
    hidden,
    input_generator,
    item,
    load_module,
    own,
    public,
    share_right,
    split_parts,
)

DATASETS = Path(__file__).parents[2] / "datasets"
MOST_PARAMETERS = 40_000
BASES = "ACGT"

ALLOWED = {
    "InputLayer", "Embedding", "Masking", "SimpleRNN", "GRU", "LSTM", "Bidirectional", "Dense", "TimeDistributed",
    "Activation", "Softmax", "ReLU", "Dropout", "SpatialDropout1D", "GaussianNoise", "LayerNormalization",
    "Concatenate", "Add", "Rescaling",
}  # fmt: skip
OF_TWO = (
    "Reshape",
    "RepeatVector",
)  # in encoder_decoder.keras alone: elsewhere they would stand in for a memory


# --- what models have in common


def keeps_the_rules(submission, name: str, inputs: list[tuple], output: tuple) -> None:
    """Raises Failure unless the model `name` has these input shapes and this output shape, and keeps the rules.

    Shapes are those of Keras, with None for the batch and for any length, such as (None, None, 4).
    """
    plan = submission.model(name).plan
    check_layers(submission, name)
    if plan.input_shapes != tuple(inputs):
        came, wanted = (" and ".join(map(str, shapes)) for shapes in (plan.input_shapes, inputs))
        hint = "Write keras.Input(shape=...) without the batch; None there stands for any length."
        if set(plan.input_shapes) == set(inputs):
            hint = "Their order counts: keras.Model([first, second], output)."
        raise Failure(f"{name} takes inputs of shape {came}, expected {wanted}.", hint)
    if plan.output_shape != output:
        raise Failure(
            f"{name} returns shape {plan.output_shape}, expected {output}.",
            "return_sequences=True answers at every step, False at the last one alone; Dense sets the last number.",
        )
    if plan.parameters > MOST_PARAMETERS:
        reason = f"{name} has {plan.parameters:,} parameters, at most {MOST_PARAMETERS:,} are allowed."
        raise Failure(reason, "Take fewer units.")


def check_layers(submission, name: str) -> None:
    """Raise Failure unless the model `name` is built of what is allowed; codon.keras alone needs no memory."""
    allow = [*ALLOWED, *OF_TWO] if name == ENCODER_DECODER else ALLOWED
    paths = [] if name == CODON else RECURRENT[:3]
    check_architecture(submission.model(name).plan, name, allow, every_path=paths, before=["Reshape"])


def predicted(submission, name: str, inputs: Sequence):
    """What the model `name` predicts. Raises Failure unless it is built of what is allowed."""
    check_layers(submission, name)
    return submission.predict(name, inputs)


def distributions(name: str, rows: np.ndarray) -> np.ndarray:
    """The rows (..., k) that the model `name` returned, where each is a distribution. Raises Failure."""
    if rows.min() < 0 or abs(rows.sum(axis=-1) - 1).max() > 1e-3:
        reason = (
            f"{name} returns rows that don't add up to 1 or hold negative numbers, expected probabilities."
        )
        raise Failure(reason, "End with Dense(..., activation='softmax').")
    return rows


def next_probabilities(submission, name: str, prefixes: np.ndarray) -> np.ndarray:
    """What the model `name` says comes next, (n, k), after n prefixes of one length: tokens (n, time)."""
    return distributions(name, np.stack(predicted(submission, name, list(prefixes)))[:, -1])


def one_hot(sequences: Sequence[str]) -> list[np.ndarray]:
    """Each sequence as float32 `(time, 4)`, a one for each base in the order A, C, G, T."""
    return list(map(one_hot_of, sequences))


@cache  # the whole class is asked about the same sequences
def one_hot_of(sequence: str) -> np.ndarray:
    """One sequence, `(time, 4)`."""
    return np.eye(len(BASES), dtype=np.float32)[[BASES.index(base) for base in sequence]]


# --- the five kinds

KINDS = "one-to-one", "one-to-many", "many-to-one", "many-to-many aligned", "many-to-many delayed"
TASKS = {
    "a codon -> its residue": 0,
    "an iris's four measures -> its species": 0,
    "a photo of 64 x 64 pixels -> cat or dog": 0,
    "a family of promoters -> a new promoter of this family": 1,
    "a photo -> a sentence that describes it": 1,
    "a composer's name -> a melody in that style": 1,
    "a review of a film -> does it praise": 2,
    "'The sky is' -> the next word": 2,
    "sixty bases -> does a protein bind here": 2,
    "the words of a sentence -> for each, noun or verb or other": 3,
    "a stretch of DNA -> for each base, in a gene or not": 3,
    "a film, frame by frame -> what is to be seen in each": 3,
    "a sentence in English -> the same sentence in French": 4,
    "a whole gene -> its protein, letter by letter": 4,
    "a spoken question -> a written answer": 4,
}  # the place in KINDS of each


def tasks(student: str) -> list[str]:
    """Five tasks, one student's own."""
    return [str(task) for task in own(student, "tasks").choice([*TASKS], 5, replace=False)]


@item(points=1, section="kinds")
def one_to_one_tape(submission):
    """tape("one-to-one", 1, 1): the steps at which it reads and those at which it writes, (2, 1)."""
    assert_close(submission.call("tape", KINDS[0], 1, 1), steps(1, [0], [0]), {}, 'tape("one-to-one", 1, 1)')


@item(points=1, section="kinds")
def one_to_many_tape(submission):
    """tape("one-to-many", 1, n): one thing is read, n are written, (2, n)."""
    for n in (4, *drawn_counts("one-to-many tape")):
        usual = {
            "something is read at every step: it is read once, and then the network lives on its state": (
                steps(n, range(n), range(n))
            ),
            "only the last step writes": steps(n, [0], [n - 1]),
            "writing begins a step late: the first answer comes at the step that reads": (
                steps(n + 1, [0], range(1, n + 1))
            ),
        }
        came = submission.call("tape", KINDS[1], 1, n)
        assert_close(came, steps(n, [0], range(n)), usual, f'tape("{KINDS[1]}", 1, {n})')


@item(points=1, section="kinds")
def many_to_one_tape(submission):
    """tape("many-to-one", n, 1): all is read before the one answer, (2, n)."""
    for n in (6, *drawn_counts("many-to-one tape")):
        usual = {
            "an answer is written at each step: that is what return_sequences=True does": (
                steps(n, range(n), range(n))
            ),
            "the answer comes a step late: it is read off the state that the last input leaves": (
                steps(n + 1, range(n), [n])
            ),
            "the answer comes at the first step, which has read one thing only": steps(n, range(n), [0]),
        }
        came = submission.call("tape", KINDS[2], n, 1)
        assert_close(came, steps(n, range(n), [n - 1]), usual, f'tape("{KINDS[2]}", {n}, 1)')


@item(points=1, section="kinds")
def aligned_tape(submission):
    """tape("many-to-many aligned", n, n): an answer for each input as it comes, (2, n)."""
    for n in (5, *drawn_counts("aligned tape")):
        usual = {
            "only the last step writes": steps(n, range(n), [n - 1]),
            "writing waits until all is read: that is the delayed kind": (
                steps(2 * n, range(n), range(n, 2 * n))
            ),
        }
        came = submission.call("tape", KINDS[3], n, n)
        assert_close(came, steps(n, range(n), range(n)), usual, f'tape("{KINDS[3]}", {n}, {n})')


@item(points=1, section="kinds")
def delayed_tape(submission):
    """tape("many-to-many delayed", n, m): m answers, the first a step after all n inputs are read, (2, n + m)."""
    drawn = zip(drawn_counts("delayed tape, read"), drawn_counts("delayed tape, written"), strict=True)
    for n, m in ((6, 2), *drawn):
        usual = {
            "it writes while it reads: that is the aligned kind": steps(n, range(n), range(n)),
            "writing begins at the step that still reads: here it begins one later": (
                steps(n + m - 1, range(n), range(n - 1, n + m - 1))
            ),
            "it goes on reading while it writes": steps(n + m, range(n + m), range(n, n + m)),
            "as many are written as were read": steps(2 * n, range(n), range(n, 2 * n)),
        }
        came = submission.call("tape", KINDS[4], n, m)
        assert_close(came, steps(n + m, range(n), range(n, n + m)), usual, f'tape("{KINDS[4]}", {n}, {m})')


@item(points=3, section="kinds")
def tells_the_kinds(submission):
    """kinds_of_mine(): the kinds of your own five tasks, as places in KINDS."""
    mine = tasks(submission.signed)
    right = {task: float(TASKS[task]) for task in mine}
    came = split_parts(submission.call("kinds_of_mine"), right, "kinds_of_mine()")
    hint = "Ask twice: how many things are read, how many written? And: must all be read before the first is written?"
    return share_right(came, right, hint)


def drawn_counts(topic: str) -> list[int]:
    """Three numbers of steps, drawn for an item."""
    return input_generator(topic).integers(2, 1000, 3).tolist()


def steps(count: int, reads, writes) -> np.ndarray:
    """(2, count): ones where it reads, in row 0, and where it writes, in row 1."""
    table = np.zeros((2, count))
    table[0, [*reads]], table[1, [*writes]] = 1, 1
    return table


# --- one-to-one


CODON, ALIGNED, ENCODER_DECODER = "codon.keras", "aligned.keras", "encoder_decoder.keras"
RESIDUES = "ACDEFGHIKLMNPQRSTVWY*"  # in the order of the classes; the star is a stop
START = len(RESIDUES) + 1  # the token that a protein begins with; the residues are 1 to 21, and 0 is padding


@cache
def genetic_code() -> dict[str, str]:
    """The residue of each of the 64 codons, as genes and proteins of the training data tell it."""
    data = pd.read_csv(DATASETS / "translation" / "train.csv")
    genes, proteins = "".join(data.gene), "".join(data.protein)
    return dict(sorted({genes[3 * i : 3 * i + 3]: residue for i, residue in enumerate(proteins)}.items()))


def protein_tokens(proteins: Sequence[str]) -> np.ndarray:
    """Proteins of one length as the tokens 1 to 21, (n, time)."""
    return np.array([[1 + RESIDUES.index(residue) for residue in protein] for protein in proteins])


def is_renamed(came: np.ndarray, right: np.ndarray) -> bool:
    """Whether the classes that came are the right ones by other names, all but 5 % of them, in arrays of one shape."""
    table = np.zeros((len(RESIDUES), len(RESIDUES)))
    np.add.at(table, (came.ravel(), right.ravel()), 1)
    return bool((came == right).mean() < 0.5 and table.max(axis=1).sum() > 0.95 * right.size)


RENAMED = f"It tells residues apart and gives them other numbers: the order of the classes is {RESIDUES}."


@item(points=1, section="one_to_one")
def takes_a_codon(submission):
    """codon.keras takes (None, 12) and returns (None, 21), a distribution; at most 40,000 parameters."""
    keeps_the_rules(submission, CODON, [(None, 12)], (None, 21))
    distributions(CODON, codon_rows(submission))


@item(points=5, section="one_to_one")
def knows_all_codons(submission):
    """codon.keras: the share of the 64 codons that it gives the right residue; two of three bases tell 49."""
    right = protein_tokens(["".join(genetic_code().values())])[0] - 1
    rows = codon_rows(submission).reshape(4, 4, 4, -1)
    came = rows.argmax(axis=-1).ravel()
    wrong = [codon for codon, one, other in zip(genetic_code(), came, right, strict=True) if one != other]
    hint = (
        f"Wrong: {', '.join(wrong[:6])}{' ...' if wrong[6:] else ''}. Train for longer, or at a larger rate."
    )
    if is_renamed(came, right):
        hint = RENAMED
    elif (rows.transpose(2, 1, 0, 3).argmax(axis=-1).ravel() == right).mean() > 0.9:
        hint = "It reads the codon backwards: the first four numbers are the first base."
    elif np.ptp(rows, axis=2).max() < 1e-3:
        hint = "What it says doesn't hang on the third base."
    return credit((came == right).mean(), 0.77, 1, hint, "The share of codons right")


def codon_rows(submission) -> np.ndarray:
    """What codon.keras says of the 64 codons in alphabetic order, (64, k)."""
    return predicted(submission, CODON, [codon.ravel() for codon in one_hot(list(genetic_code()))])


# --- tagging: a label for every base

OPENING, STOPS = "ATG", ("TAA", "TAG", "TGA")


@item(points=4, section="tagging")
def knows_when_labels_settle(submission):
    """known_at: for each base, how far one must read until its label is settled."""
    for sequence in (
        "CATGCCCTAAG",  # the notebook's
        "ATGAAATGACCATGCCATAGC",
        "CCATGAAATGACC",
        "ATGCTAACTGACATGATAACC",
        "GATGCATGATTAGCTGATTATGTCATGACC",
        *random_reads(12),
    ):
        right = settled(sequence)
        usual = {
            "every label is settled with its own base": np.arange(len(right)),
            "a stop counts that is out of step with its ATG": settled(sequence, step=1),
            "a label is settled with the first base of the stop, not with its last": settled(
                sequence, last=0
            ),
            "an ATG inside an open frame opens another": settled(sequence, anew=True),
            "a frame without a stop is settled with the last base: only the end tells": np.minimum(
                right, len(right) - 1
            ),
            "a frame without a stop is taken as settled at once": np.where(
                right < len(right), right, np.arange(len(right))
            ),
            "frames are sought at every third base only, counted from the first": settled(
                sequence, third=True
            ),
            "the number of bases is counted, not the index of the last one": right + 1,
        }
        assert_close(
            np.asarray(submission.call("known_at", sequence)), right, usual, f'known_at("{sequence}")'
        )


@item(points=4, section="tagging")
def counts_real_bases_only(submission):
    """masked_loss: the mean binary cross-entropy over real bases, for labels and probabilities (n, time)."""
    rng = input_generator("masked_loss")
    for lengths in ([3, 7], [1, 9, 4, 6], rng.integers(1, 30, rng.integers(2, 9)), rng.integers(2, 30, 1)):
        lengths = np.array(lengths)
        shape = len(lengths), lengths.max() + 1  # no row is full
        real = np.arange(shape[1]) < lengths[:, None]
        labels = real * rng.integers(0, 2, shape).astype(float)
        probabilities = rng.uniform(0.05, 0.95, shape)
        losses = -np.log(np.where(labels == 1, probabilities, 1 - probabilities))
        usual = {
            "padding is counted as if it were bases": losses.mean(),
            "the padding's loss is left out of the sum, and still counts in the number divided by": (
                losses * real
            ).mean(),
            "each sequence counts alike, however long it is": np.mean(
                np.sum(losses * real, axis=1) / lengths
            ),
            "one base too many of each sequence is counted": losses[
                np.arange(shape[1]) <= lengths[:, None]
            ].mean(),
            "the losses are summed, not averaged": losses[real].sum(),
            "it is divided by the number of sequences, not of bases": losses[real].sum() / len(lengths),
            "the minus sign is missing": -losses[real].mean(),
            "bases with label 0 don't count": -(labels * np.log(probabilities))[real].mean(),
            "the logarithm is the one with base 2": losses[real].mean() / np.log(2),
        }
        came = submission.call("masked_loss", labels, probabilities, lengths)
        assert_close(
            np.asarray(came), losses[real].mean(), usual, f"masked_loss for lengths {lengths.tolist()}"
        )


@item(points=2, section="tagging")
def frames_keep_the_rules(submission):
    """frames.keras: one-hot bases (None, None, 4) to a probability for each base (None, None, 1)."""
    keeps_the_rules(submission, "frames.keras", [(None, None, 4)], (None, None, 1))


@item(points=4, section="tagging")
def tags_bases(submission):
    """Matthews correlation over all bases of 1,000 new sequences of 30 to 60 bases."""
    look_at_tags(submission, public("reading_frames", count=150))
    data = hidden("reading_frames", count=1000)
    said, right = tags(submission, data)
    value = matthews_corrcoef(np.concatenate(right), np.concatenate(said))
    return credit(value, 0.80, 0.95, how_tags_err(submission, said), "Matthews correlation")


@item(points=6, section="tagging")
def tags_whole_sequences(submission):
    """Share of 1,000 new sequences of 90 to 120 bases, longer than all in training, with every base right."""
    said, right = tags(submission, hidden("reading_frames", count=1000, shortest=90, longest=120))
    whole = np.array([(one == other).all() for one, other in zip(said, right, strict=True)])
    figures.show(
        figures.by_length([len(one) for one in right], whole, "New sequences: all bases right, by length")
    )
    value = whole.mean()
    hint = how_tags_err(submission, said)
    return credit(value, 0.50, 0.80, hint, "The share of sequences all right")


def random_reads(count: int) -> list[str]:
    """Drawn DNA with much A and T, so that starts and stops are frequent; the first two reads are very short."""
    rng = input_generator("known_at")
    lengths = [*rng.integers(1, 6, 2), *rng.integers(20, 40, count - 2)]
    return ["".join(rng.choice(list("AATTGGC"), length)) for length in lengths]


def settled(
    sequence: str, step: int = 3, last: int = 2, anew: bool = False, third: bool = False
) -> np.ndarray:
    """For each base the index of the base after which its label is settled, or the length where the end settles it.

    The options are mistakes: the places tried for a stop, the base of the stop, ATG within frames, ATG in step with
    the sequence.
    """
    known, here = np.arange(len(sequence)), 0
    while here < len(sequence):
        if sequence[here : here + 3] == OPENING and not (third and here % 3):
            tried = range(here + 3, len(sequence) - 2, step)
            stop = next((place for place in tried if sequence[place : place + 3] in STOPS), len(sequence))
            end = min(stop + 3, len(sequence))
            known[here:end] = min(stop + last, len(sequence)) if end > stop else stop
            here = here + 3 if anew else end
        else:
            here += 1
    return known


def tags(submission, data: pd.DataFrame) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """What frames.keras says and what is right, for each sequence booleans (time,)."""
    rows = [row[:, 0] for row in predicted(submission, "frames.keras", one_hot(data.sequence))]
    flat = np.concatenate(rows)
    if flat.min() < 0 or flat.max() > 1:
        reason = (
            f"frames.keras returns numbers from {flat.min():.3g} to {flat.max():.3g}, expected probabilities."
        )
        raise Failure(reason, "End with Dense(1, activation='sigmoid').")
    said = np.split(decide(flat), np.cumsum([len(row) for row in rows])[:-1])
    return said, [np.array(list(label)) == "1" for label in data.label]


def look_at_tags(submission, data: pd.DataFrame) -> None:
    """Adds to the report, on public data, which bases are right by how far one must look ahead, and where it errs."""
    with suppress(Failure):  # the item's own words on a model come from the data that it is scored on
        said, right = tags(submission, data)
        ahead = np.concatenate([settled(sequence) - np.arange(len(sequence)) for sequence in data.sequence])
        same = np.concatenate(said) == np.concatenate(right)
        figures.show(
            figures.by_length(
                ahead, same, "Public sequences: right bases by how many more bases settle the label"
            )
        )
        wrong = [
            row for row, (one, other) in enumerate(zip(said, right, strict=True)) if (one != other).any()
        ]
        rows = [
            (data.sequence[row], data.label[row], "".join("01"[x] for x in said[row].astype(int)))
            for row in wrong
        ]
        if rows:
            figures.show(
                figures.examples(
                    "Public sequences that it gets wrong", ("sequence", "right", "the model says"), rows
                )
            )


def how_tags_err(submission, said: list[np.ndarray]) -> str:
    """What to try: first whether what comes later moves the answers before it."""
    flat = np.concatenate(said)
    if flat.all() or not flat.any():
        return f"It says {int(flat[0])} of every base: has it been trained?"
    rng = np.random.default_rng(fresh_seed("look ahead"))
    same, other, another = ("".join(rng.choice(list(BASES), 30)) for _ in range(3))
    one, two = predicted(submission, "frames.keras", one_hot([same + other, same + another]))
    if abs(one[:30] - two[:30]).max() < 1e-5:
        return (
            "Nothing that comes later changes its answers: it reads from left to right alone, and can't know "
            "whether a stop will come. Use Bidirectional."
        )
    return "It looks ahead. Train longer, and on more sequences."


# --- translation


@item(points=3, section="translation")
def asks_at_the_third_base(submission):
    """aligned_targets(classes): labels and weights, (3 n,) each: what to answer, and which steps count."""
    rng = input_generator("aligned_targets")
    for count in (7, *rng.integers(1, 30, 3)):
        classes, asked = rng.integers(0, 21, count), f"aligned_targets of {count} classes"
        came = split_parts(submission.call("aligned_targets", classes), ("labels", "weights"), asked)
        first, second, third = (np.tile(row, count) for row in np.eye(3))
        usual = {
            "the answer is asked at the first base of a codon, before the others are read": first,
            "the answer is asked at the second base, before the third is read": second,
            "all steps count: at the first two bases nobody can know the residue": first + second + third,
            "weights are the wrong way round: 1 counts, 0 doesn't": first + second,
            "there is one weight for each codon; there must be one for each base": np.ones(count),
        }
        assert_close(came["weights"], third, usual, f"weights of {asked}")
        if came["labels"].shape != third.shape:
            reason = f"labels of {asked} has shape {came['labels'].shape}, expected {third.shape}."
            raise Failure(reason, "One label for each base, and those of weight 0 may be anything.")
        usual = {
            "labels are a codon late": np.append(0, classes[:-1]),
            "labels repeat the protein; each residue belongs at its own codon": np.tile(classes, 3)[2::3],
            "labels are tokens: a class is a token less 1": classes + 1,
        }
        assert_close(came["labels"][2::3], classes, usual, f"labels[2::3] of {asked}")


@item(points=4, section="translation")
def shifts_by_one(submission):
    """decoder_tokens(tokens, start): (inputs, targets), (n, time) each: what the decoder reads and what it must say."""
    example = protein_tokens(["MKV*", "WAC*", "GL*A"])
    example[2, 3] = 0  # a protein of two residues and a stop, padded
    rng = input_generator("decoder_tokens")
    single, several = (rng.integers(1, START, (n, rng.integers(1, 9))) for n in (1, rng.integers(2, 9)))
    several[0, -1] = 0
    starts = START, *rng.integers(START, 100, 2).tolist()
    for tokens, begin in zip((example, single, several), starts, strict=True):
        start, none = np.full((len(tokens), 1), begin), np.zeros((len(tokens), 1), int)
        late, early = np.hstack([start, tokens[:, :-1]]), np.hstack([tokens[:, 1:], none])
        unstarted, rolled = np.hstack([none, tokens[:, :-1]]), np.roll(tokens, 1, axis=1)
        replaced, longer = np.hstack([start, tokens[:, 1:]]), np.hstack([start, tokens])
        usual = {
            "the shift is forgotten: inputs equal targets, and it would learn to copy": (tokens, tokens),
            "the shift goes the other way: the decoder reads what comes after the answer": (early, tokens),
            "the start token is missing: padding stands in its place": (unstarted, tokens),
            "inputs roll round: the last token stands in place of the start": (rolled, tokens),
            "the start replaces the first token and nothing is shifted": (replaced, tokens),
            "inputs and targets have changed places": (tokens, late),
            "both are shifted, so inputs equal targets": (late, late),
            "the answer is two tokens ahead: shift inputs or targets, not both": (late, early),
            "inputs are a step too long: the decoder never reads the last token": (longer, tokens),
            "the start token is missing, and the first is never asked": (tokens[:, :-1], tokens[:, 1:]),
            "the start token is missing: targets are shifted instead of inputs": (tokens, early),
        }
        right, *wrong = ({"inputs": x, "targets": y} for x, y in ((late, tokens), *usual.values()))
        asked = f"decoder_tokens({tokens.tolist()}, {begin})"
        came = submission.call("decoder_tokens", tokens, begin)
        assert_parts_close(came, right, dict(zip(usual, wrong, strict=True)), asked)


@item(points=1, section="translation")
def answers_along_the_gene(submission):
    """aligned.keras takes (None, None, 4) and returns (None, None, 21) by SimpleRNN, GRU or LSTM."""
    keeps_the_rules(submission, ALIGNED, [(None, None, 4)], (None, None, 21))
    distributions(ALIGNED, np.stack(predicted(submission, ALIGNED, one_hot(["ATGTAA", "TGGTGA"]))))


@item(points=4, section="translation")
def aligned_residues(submission):
    """aligned.keras: the share of residues right in proteins of 50, longer than all that it was trained on."""
    came, right = read_along(submission)
    hits = came == right[:, :, None]
    first, second, third = hits.mean(axis=(0, 1))
    places = np.broadcast_to(["1st", "2nd", "3rd"], hits.shape)
    figures.show(
        figures.by_group(places.ravel(), hits.ravel(), "New genes: residues known at each base of a codon")
    )
    letters = np.array(list(RESIDUES))[right].ravel()
    figures.show(
        figures.by_group(letters, hits[:, :, 2].ravel(), "New genes: right at the third base, by residue")
    )
    hint = (
        f"Of the first ten {hits[:, :10, 2].mean():.0%} are right, of the last {hits[:, -10:, 2].mean():.0%}."
    )
    if is_renamed(came[:, :, 2], right):
        hint = RENAMED
    elif max(first, second) > third + 0.05:
        hint = f"At the first base of a codon {first:.0%} are right, at the second {second:.0%}: the third is asked."
    return credit(third, 0.75, 0.99, hint, "Residue accuracy")


@item(points=5, section="translation")
def aligned_proteins(submission):
    """aligned.keras: the share of whole proteins right, 50 residues and the stop."""
    came, right = read_along(submission)
    place = np.tile(1 + np.arange(right.shape[1]), len(right))
    right_ones = (came[:, :, 2] == right).ravel()
    figures.show(
        figures.by_length(place, right_ones, "New genes: right residues by their place in the protein")
    )
    hint = "A protein of 51 letters is right if all are: 99 % of residues make 60 % of proteins. Train for longer."
    return credit((came[:, :, 2] == right).all(axis=1).mean(), 0.3, 0.95, hint, "The share of proteins right")


def read_along(submission) -> tuple[np.ndarray, np.ndarray]:
    """Classes that aligned.keras gives at the three bases of each codon, (n, 51, 3), and the right ones, (n, 51)."""
    data = hidden("translation", count=200, residues=(50, 50))
    rows = distributions(ALIGNED, np.stack(predicted(submission, ALIGNED, one_hot(data.gene))))
    return rows.argmax(axis=-1).reshape(len(data), -1, 3), protein_tokens(data.protein) - 1


@item(points=1, section="translation")
def reads_then_writes(submission):
    """encoder_decoder.keras takes a gene (None, None, 4), tokens 0 to 22 (None, None); returns (None, None, 21)."""
    keeps_the_rules(submission, ENCODER_DECODER, [(None, None, 4), (None, None)], (None, None, 21))
    pairs = [(gene, np.array([START])) for gene in one_hot(["ATGTAA", "TGGTGA"])]
    distributions(ENCODER_DECODER, np.stack(predicted(submission, ENCODER_DECODER, pairs)))


@item(points=3, section="translation")
def decoded_residues(submission):
    """encoder_decoder.keras: the share of residues right in proteins of 2 to 6, each read from what it wrote before."""
    groups = short_genes()
    hits = np.concatenate([decoded(submission, group).ravel() for group in groups])
    return credit(hits.mean(), 0.6, 0.97, what_it_does(submission, groups[-1]), "Residue accuracy")


@item(points=3, section="translation")
def decoded_proteins(submission):
    """encoder_decoder.keras: the share of whole proteins right, 2 to 6 residues and the stop."""
    groups = short_genes()
    whole = [decoded(submission, group).all(axis=1) for group in groups]
    residues = np.repeat(range(2, 2 + len(whole)), [len(group) for group in whole])
    figures.show(
        figures.by_group(residues, np.concatenate(whole), "New genes: proteins all right, by residues")
    )
    shares = ", ".join(f"{residues}: {right.mean():.0%}" for residues, right in enumerate(whole, start=2))
    hint = f"By residues: {shares}. {what_it_does(submission, groups[-1])}"
    return credit(np.concatenate(whole).mean(), 0.3, 0.9, hint, "The share of proteins right")


@item(points=5, bonus=True, section="translation")
def decoded_longer(submission):
    """encoder_decoder.keras: the share of whole proteins right, 8 residues and the stop."""
    data = hidden("translation", count=300, residues=(8, 8))
    hint = "All of the gene must pass through one state of fixed size. What does it cost to train on longer genes?"
    return credit(decoded(submission, data).all(axis=1).mean(), 0.2, 0.8, hint, "The share of proteins right")


def short_genes() -> list[pd.DataFrame]:
    """Genes and proteins of 2 to 6 residues, a table for each length."""
    data = hidden("translation", count=600, residues=(2, 6))
    return [group for _, group in data.groupby(data.gene.str.len())]


def decoded(submission, data: pd.DataFrame) -> np.ndarray:
    """Which residues are right, (n, time), for genes of one length: each is the likeliest after those written."""
    genes, right = one_hot(data.gene), protein_tokens(data.protein)
    so_far = np.full((len(genes), 1), START)
    for _ in right.T:
        rows = written(submission, genes, so_far)
        so_far = np.column_stack([so_far, rows[:, -1].argmax(axis=-1) + 1])
    return so_far[:, 1:] == right


def written(submission, genes: list[np.ndarray], so_far: np.ndarray) -> np.ndarray:
    """What encoder_decoder.keras says at each step, (n, time, 21), for genes of one length and tokens (n, time)."""
    said = predicted(submission, ENCODER_DECODER, list(zip(genes, so_far, strict=True)))
    return distributions(ENCODER_DECODER, np.stack(said))


def what_it_does(submission, data: pd.DataFrame) -> str:
    """A hint, from genes of one length and a decoder that is told the right protein: does it copy, is it blind?"""
    genes, right = one_hot(data.gene), protein_tokens(data.protein)
    told = np.column_stack([np.full(len(right), START), right[:, :-1]])
    said, blind = (written(submission, read, told) for read in (genes, genes[1:] + genes[:1]))
    came = said.argmax(axis=-1) + 1
    if (came == told)[:, 1:].mean() > 0.5:
        return "It repeats the token that it was just given: in training, targets must be one step ahead of inputs."
    if abs(said - blind).max() < 1e-3:
        return "Another gene changes nothing: hand the encoder's state to the decoder, initial_state=..."
    share = f"{(came == right).mean():.0%}"
    return f"Told what came before, it gets {share} of the longest right. Train for longer."


# --- generation: one-to-many

GENERATOR = "generator.keras"
PROCESS = load_module(DATASETS / "dna_generator" / "generate.py")
FAMILIES = PROCESS.CLASSES  # terminator, promoter, insertion: tokens 1, 2, 3
END, TOKENS = 8, 9  # 0 is padding; A, C, G, T are 4 to 7
LONGEST = 20  # bases
ZERO_EXCESS, FULL_EXCESS = 3.5, 1.0  # bits; a writer that remembers neither stem nor site spends 5.3 too many
ZERO_VALID, FULL_VALID = 0.4, 0.75  # the same writer gets promoters alone: a third
ZERO_NEW, FULL_NEW = 0.4, 0.75
SAYS = np.array([*"????", *BASES, "?"])  # a base for its token; what isn't one has no place in a sequence


def generator_tokens(sequence: str, kind: str) -> np.ndarray:
    """The class, the bases and the end as tokens: int32 (len(sequence) + 2,)."""
    bases = [4 + BASES.index(base) for base in sequence]
    return np.array([1 + FAMILIES.index(kind), *bases, END], np.int32)


def generated_sequence(tokens: np.ndarray) -> str:
    """The bases between the class and the first end; a ? for each token that has no business there."""
    after = np.asarray(tokens)[1:]
    stops = np.flatnonzero(after == END)
    return "".join(SAYS[after[: stops[0]]]) if stops.size else "".join(SAYS[after]) + "?"


@item(points=5, section="generation")
def draws_by_chance(submission):
    """draw(probabilities, temperature, uniform): a token for each row (n, k) by its number from 0 to 1, (n,)."""
    rng = input_generator("draw")
    for temperature in (1.0, 0.5, 2.0, *rng.uniform(0.4, 3, 2).round(2).tolist()):
        p = rng.dirichlet(np.full(rng.integers(2, 13), 0.7), rng.integers(60, 90))
        powers = p ** (1 / temperature)
        uniform = away_from_edges(rng, powers)
        right = picked(powers, uniform)
        usual = {
            "it is the argmax sampler: the likeliest token each time": p.argmax(axis=1),
            "logarithms are multiplied by the temperature, not divided": picked(p**temperature, uniform),
            "the logarithms are forgotten": picked(np.exp(p / temperature), uniform),
            "the powers are not divided by their sum": (powers.cumsum(1) > uniform[:, None]).argmax(1),
            "the temperature has no effect": picked(p, uniform),
            "it is one token too high": right + 1,
            "it is one token too low": right - 1,
        }
        asked = f"draw(probabilities, {temperature:g}, uniform)"
        assert_close(submission.call("draw", p, temperature, uniform), right, usual, asked)


def away_from_edges(rng: np.random.Generator, weights: np.ndarray) -> np.ndarray:
    """A number from 0 to 1 for each row (n, k), at which rounding can't decide between two tokens: (n,)."""
    edges = weights.cumsum(axis=1) / weights.sum(axis=1, keepdims=True)
    uniform = rng.random(len(weights))
    while (close := (abs(edges - uniform[:, None]) < 1e-5).any(axis=1)).any():
        uniform[close] = rng.random(close.sum())
    return uniform


def picked(weights: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """For each row of weights (n, k) the first token whose share of the running sum exceeds `uniform` (n,)."""
    sums = weights.cumsum(axis=1)
    return (sums > (uniform * sums[:, -1])[:, None]).argmax(axis=1)


@item(points=3, section="generation")
def counts_bits(submission):
    """bits(probabilities, tokens): the sum of -log2 of what was said of each token after the first, a number."""
    rng = input_generator("bits")
    drawn = ["".join(rng.choice(list(BASES), length)) for length in (0, *rng.integers(1, LONGEST, 3))]
    for sequence, kind in (("GATTTGACACAGATT", "insertion"), *((one, rng.choice(FAMILIES)) for one in drawn)):
        tokens = generator_tokens(sequence, kind)
        p = rng.dirichlet(np.ones(TOKENS), len(tokens) - 1)
        steps, true = np.arange(len(p)), tokens[1:]
        each = -np.log2(p[steps, true])
        usual = {
            "the logarithm is the natural one: bits count in powers of 2": each.sum() * np.log(2),
            "the mean is taken: the chain rule adds up": each.mean(),
            "the sign is missing: bits are -log2": -each.sum(),
            "it asks for the token just given, not the next": -np.log2(p[steps, tokens[:-1]]).sum(),
            "the end is left out: it is a token like any other": each[:-1].sum(),
            "it is the entropy of what was said, whatever came": -(p * np.log2(p)).sum(),
            "the steps are not added up": each,
        }
        assert_close(
            submission.call("bits", p, tokens), each.sum(), usual, f"bits(probabilities, {tokens.tolist()})"
        )


@item(points=2, section="generation")
def generator_contract(submission):
    """generator.keras: tokens (None, None) -> (None, None, 9), what comes next, by one softmax; the rules are kept."""
    keeps_the_rules(submission, GENERATOR, [(None, None)], (None, None, TOKENS))
    layers = [one for layer in submission.model(GENERATOR).plan.layers for one in layer.all]
    times = sum(layer.kind == "Softmax" or layer.options.get("activation") == "softmax" for layer in layers)
    if times > 1:
        most = np.e / (np.e + TOKENS - 1)  # what the second makes of a 1 among zeros
        reason = f"{GENERATOR} takes the softmax {times} times: no probability gets beyond {most:.2f}."
        raise Failure(reason, "Dense(9, activation='softmax') is a softmax already: leave out the other.")
    next_probabilities(submission, GENERATOR, np.array([[1], [2], [3]]))


@item(points=6, section="generation")
def generator_bits(submission):
    """Bits that the model spends on a new sequence above the true entropy, asked prefix by prefix: mean of 450."""
    data = hidden("dna_generator", count=450)
    true = -np.array(list(map(PROCESS.log2_probability, data.sequence, data["class"])))
    model, expected, given = spent(submission, list(map(generator_tokens, data.sequence, data["class"])))
    excess = model - true
    hint = f"By class: {by_family(data, excess)}. Train longer, and let the rate fall towards the end."
    if given.mean() > 0.5:
        hint = (
            f"It repeats the token just given ({given.mean():.2f} of it): targets are inputs one step later."
        )
    elif peeks(submission):
        hint = "What comes later changes what it says: it peeked in training. Read from left to right alone."
    elif expected.mean() < 0.7 * model.mean():
        hint = f"It expects to spend {expected.mean():.1f} bits and spends {model.mean():.1f}: too sure of itself, "
        hint += "as if it knew a few sequences by heart. All of train.csv? Fewer epochs? A rate that falls?"
    name = f"Excess over the true {true.mean():.2f} bits"
    return credit(excess.mean(), ZERO_EXCESS, FULL_EXCESS, hint, name)


def peeks(submission) -> bool:
    """Whether generator.keras says something else of a place when it sees what comes after it."""
    row = generator_tokens("GATTACAGATTACA", FAMILIES[0])
    [whole] = predicted(submission, GENERATOR, [row])
    return abs(whole[5] - next_probabilities(submission, GENERATOR, row[None, :6])[0]).max() > 1e-3


def spent(submission, rows: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each row of tokens: the model's bits, the bits it expected to spend, the mean share of the token given."""
    model, expected, given = np.zeros((3, len(rows)))
    for time in range(1, max(map(len, rows))):
        some = [place for place, row in enumerate(rows) if len(row) > time]
        prefixes = np.stack([rows[place][:time] for place in some])
        p = np.maximum(next_probabilities(submission, GENERATOR, prefixes), 1e-12)
        each = np.arange(len(some))
        model[some] -= np.log2(p[each, [rows[place][time] for place in some]])
        expected[some] -= (p * np.log2(p)).sum(axis=1)
        given[some] += p[each, prefixes[:, -1]]
    return model, expected, given / [len(row) - 1 for row in rows]


@item(points=3, section="generation")
def generator_validity(submission):
    """The share of 450 sequences, drawn from the model by the grader at temperature 1, that belong to their class."""
    data = sampled(submission, 450)
    valid = np.array(list(map(PROCESS.is_valid, data.sequence, data["class"])))
    wrong = dict(zip(data["class"][~valid], data.sequence[~valid], strict=True))
    figures.show(figures.by_group(data["class"], valid, "What the model wrote: valid sequences by class"))
    hint = f"By class: {by_family(data, valid)}. Not valid: "
    hint += "; ".join(f"{kind} {sequence or '(nothing)'}" for kind, sequence in wrong.items())
    return credit(valid.mean(), ZERO_VALID, FULL_VALID, f"{hint}.", "Share that is valid")


@item(points=3, section="generation")
def generator_novelty(submission):
    """The share of these that are valid, said for the first time and not in train.csv, beside the true process's."""
    data, true = sampled(submission, 450), PROCESS.make(fresh_seed("the process itself"), 450)
    known = pd.read_csv(DATASETS / "dna_generator" / "train.csv")
    copied = len(data.merge(known.drop_duplicates())) / len(data)
    share = original(data, known).mean() / original(true, known).mean()
    hint = f"{copied:.0%} stand in train.csv, {data.duplicated().mean():.0%} are repeated; the rest is not valid."
    hint += " It knows sequences by heart: use all of train.csv, and fewer epochs." * (copied > 0.5)
    return credit(share, ZERO_NEW, FULL_NEW, hint, "New and valid, relative to the process itself,")


def by_family(data: pd.DataFrame, values: np.ndarray) -> str:
    return ", ".join(f"{kind} {values[data['class'] == kind].mean():.2f}" for kind in FAMILIES)


def original(data: pd.DataFrame, known: pd.DataFrame) -> np.ndarray:
    """Which rows are valid, the first of their kind, and none of the rows `known`: booleans."""
    valid = list(map(PROCESS.is_valid, data.sequence, data["class"]))
    taken = pd.concat([known, data], ignore_index=True).duplicated().to_numpy()[len(known) :]
    return valid & ~taken


def sampled(submission, count: int) -> pd.DataFrame:
    """Sequences that the model writes at temperature 1, as many of each class: columns class, sequence."""
    rng = np.random.default_rng(fresh_seed("samples of generator.keras"))
    rows = 1 + np.arange(count)[:, None] % len(FAMILIES)
    for _ in range(LONGEST + 1):
        p = next_probabilities(submission, GENERATOR, rows)
        rows = np.hstack([rows, picked(p, rng.random(count))[:, None]])
    kinds = np.array(FAMILIES)[rows[:, 0] - 1]
    return pd.DataFrame({"class": kinds, "sequence": list(map(generated_sequence, rows))})


# --- completion: the last word of a sentence


@item(points=3, section="completion")
def knows_the_context_needed(submission):
    """context_needed: how many letters before must be known so that they always decide the next one."""
    rng = input_generator("context_needed")
    alphabets = (rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 3) for _ in range(8))
    drawn = ["".join(rng.choice(letters, rng.integers(8, 16), p=[0.5, 0.3, 0.2])) for letters in alphabets]
    for word in ("hello", "banana", "mississippi", "aaaab", "aaaa", "abcabd", "a", *drawn):
        right = context(word)
        usual = {
            "the letter to be told is counted among those that tell it": right + 1,
            "it stops a letter too soon: the same letters before still have different ones after them": right
            - 1,
            "only the last letter is told": context_of_last(word),
            "the letters before are taken without their order": context(word, sorted),
            "letters that come twice count even where the same letter follows": longest_repeat(word) + 1,
            "the length of the longest run of letters that comes twice is given": longest_repeat(word),
        }
        assert_close(
            np.asarray(submission.call("context_needed", word)), right, usual, f'context_needed("{word}")'
        )


@item(points=1, section="completion")
def completion_keeps_the_rules(submission):
    """completion.keras: word tokens (None, None) to a probability for each word of the vocabulary."""
    keeps_the_rules(submission, "completion.keras", [(None, None)], (None, len(vocabulary())))


@item(points=6, section="completion")
def completes_sentences(submission):
    """Accuracy on 2,000 new sentences, longer than those in training, with pairs of names never met together."""
    data = hidden("completion", count=2000, longer=True)
    tokens = [word_tokens(sentence) for sentence in data.sentence]
    rows = distributions("completion.keras", np.stack(predicted(submission, "completion.keras", tokens)))
    words = np.array(vocabulary())[rows.argmax(axis=-1)]
    figures.show(
        figures.by_group(
            data.kind, words == data.word, "New sentences: the right word, by the kind of sentence"
        )
    )
    look_at_words(submission, public("completion", count=200, longer=True))
    right = (words == data.word).groupby(data.kind).mean()
    told = ", ".join(f"{kind} {share:.2f}" for kind, share in right.items())
    hint = f"By kind: {told}. It knows the two names and not always the part that each plays: train longer."
    if right[["speaks", "chases"]].max() < 0.3:
        hint = f"By kind: {told}. It doesn't know the two names: what was read first doesn't reach its last state."
    return credit((words == data.word).mean(), 0.65, 0.85, hint, "Accuracy")


def look_at_words(submission, data: pd.DataFrame) -> None:
    """Adds public sentences to the report whose last word the model gets wrong, the shortest first."""
    rows = np.stack(predicted(submission, "completion.keras", list(map(word_tokens, data.sentence))))
    data = data.assign(said=np.array(vocabulary())[rows.argmax(axis=-1)])
    wrong = data[data.said != data.word].sort_values(
        "sentence", key=lambda text: text.str.len(), kind="stable"
    )
    columns = "sentence", "last word", "the model says"
    if len(wrong):
        figures.show(
            figures.examples(
                "Public sentences that it gets wrong", columns, wrong[["sentence", "word", "said"]].values
            )
        )


@cache
def vocabulary() -> list[str]:
    """Padding "", unknown "?", then the words of datasets/completion/train.csv in the order of the alphabet."""
    data = pd.read_csv(DATASETS / "completion" / "train.csv")
    return ["", "?", *sorted(set(" ".join([*data.sentence, *data.word]).split()))]


@cache
def numbered() -> dict[str, int]:
    """The place of each word in `vocabulary`."""
    return {word: place for place, word in enumerate(vocabulary())}


@cache  # the whole class is asked about the same sentences
def word_tokens(sentence: str) -> np.ndarray:
    """The numbers of the words of a sentence in `vocabulary`, int32 (time,); 1 for a word that isn't there."""
    return np.array([numbered().get(word, 1) for word in sentence.split()], np.int32)


def context(word: str, seen: Callable = tuple) -> int:
    """The least k for which no two places with the same k letters before them go on differently."""
    for k in range(len(word)):
        following = {}
        for place in range(1, len(word)):
            following.setdefault(tuple(seen(word[max(0, place - k) : place])), set()).add(word[place])
        if all(len(letters) == 1 for letters in following.values()):
            return k
    return len(word)


def context_of_last(word: str) -> int:
    """The same for the last letter alone."""
    for k in range(len(word)):
        before = word[max(0, len(word) - 1 - k) : -1]
        others = {word[p] for p in range(1, len(word)) if word[max(0, p - k) : p] == before}
        if len(others) <= 1:
            return k
    return 0


def longest_repeat(word: str) -> int:
    """The length of the longest run of letters that stands at two places before the end."""
    runs = (
        k
        for k in range(len(word), 0, -1)
        if len({word[p : p + k] for p in range(len(word) - k)}) < len(word) - k
    )
    return next(runs, 0)


# --- forecast: from a history to the months that follow

AHEAD = 12  # months, and as many to a season
ZERO_ERROR, FULL_ERROR = 0.42, 0.28  # of the better baseline's
HISTORIES = (36, 48, 60, 72)  # months of each test; train.csv has the first three


@item(points=3, section="forecast")
def knows_the_baselines(submission):
    """baselines(history, period, horizon): the last value again and again, the last season again and again, (2, h)."""
    rng = input_generator("baselines")
    drawn = ((int(rng.integers(1, 14)), int(rng.integers(1, 30))) for _ in range(4))
    for period, horizon in ((12, 12), (7, 5), (5, 12), *drawn):
        history = rng.normal(size=rng.integers(30, 60)).round(2)
        turns = np.arange(horizon) % period
        last, right = np.full(horizon, history[-1]), history[-period:][turns]
        usual = {
            "the season is one step late": history[-period - 1 : -1][turns],
            "the first season is taken: the newest one tells most": history[turns],
            "the season before the last is taken": history[-2 * period : -period][turns],
            "beyond one season it is not repeated but goes back further": history[-horizon:],
        }
        usual = {why: {"seasonal": wrong} for why, wrong in usual.items()} | {
            "the two have changed places": {"last": right, "seasonal": last},
            "the last value is that of the beginning": {"last": np.full(horizon, history[0])},
        }
        asked = f"baselines(history, {period}, {horizon})"
        came = submission.call("baselines", history, period, horizon)
        assert_parts_close(came, {"last": last, "seasonal": right}, usual, asked)


@item(points=1, section="forecast")
def forecast_contract(submission):
    """forecast.keras: a history (None, None, 1) -> the next twelve values (None, 12); the rules are kept."""
    keeps_the_rules(submission, "forecast.keras", [(None, None, 1)], (None, AHEAD))


@item(points=6, section="forecast")
def forecasts(submission):
    """Mean absolute error, divided by the better baseline's: histories of 36, 48, 60, 72 months, 250 of each."""
    data = pd.concat([hidden("forecast", count=250, length=length) for length in HISTORIES])
    history, future = (list(map(numbers, data[column])) for column in ("history", "future"))
    came = np.stack(predicted(submission, "forecast.keras", list(map(column_of, data.history))))
    last = np.repeat([[one[-1]] for one in history], AHEAD, axis=1)
    season = np.stack([one[-AHEAD:] for one in history])
    better = min(abs(last - future).mean(), abs(season - future).mean())
    error = abs(came - future).mean()
    nearer = abs(came - future) < np.minimum(abs(last - future), abs(season - future))
    months = np.tile(1 + np.arange(AHEAD), len(came))
    figures.show(
        figures.by_group(months, nearer.ravel(), "New histories: nearer than both baselines, by months ahead")
    )
    hint = f"Off by {error:.3f} on average. What does this year's height say of the next one's? Train longer."
    distances = {"value": abs(came - last).mean(), "season": abs(came - season).mean()}
    what = min(distances, key=distances.get)
    if distances[what] < error / 2:
        hint = f"The last {what} in disguise: {distances[what]:.3f} from it, {error:.3f} from what came."
    return credit(error / better, ZERO_ERROR, FULL_ERROR, hint, "Error, the better baseline's being 1,")


@cache  # the whole class is asked about the same histories
def numbers(text: str) -> np.ndarray:
    """The numbers of a line of blanks and numbers, float32 (n,)."""
    return np.array(text.split(), np.float32)


@cache
def column_of(text: str) -> np.ndarray:
    """The same as a sequence of one number a step, (n, 1)."""
    return numbers(text)[:, None]


# --- concepts: the questions are shown in the notebook

settled_late, fourth_family, two_writers, one_month_ahead = concept_questions(
    __file__, "settled_late", "fourth_family", "two_writers", "one_month_ahead"
)


@item(points=2, section="concepts")
def knows_what_a_delay_buys(submission):
    """SETTLED_LATE: of how many bases of your own frame a reader knows the label that may answer late."""
    settled_late(submission.signed).judge(submission.value("SETTLED_LATE"))


@item(points=2, section="concepts")
def knows_what_is_news(submission):
    """FOURTH_FAMILY: the bits that a sequence of your own family costs the best writer there can be."""
    fourth_family(submission.signed).judge(submission.value("FOURTH_FAMILY"))


@item(points=2, section="concepts")
def knows_the_better_writer(submission):
    """TWO_WRITERS: which of two generators has learnt the family better."""
    two_writers(submission.signed).judge(submission.value("TWO_WRITERS"))


@item(points=2, section="concepts")
def knows_a_forecast_from_a_copy(submission):
    """ONE_MONTH_AHEAD: what a forecast has learnt whose curve lies on what came."""
    one_month_ahead(submission.signed).judge(submission.value("ONE_MONTH_AHEAD"))


@item(points=2, section="concepts")
def explains_the_bottleneck(submission):
    """Two networks know the genetic code; why does one stumble over long genes, and what would help, or cure it?"""
    return submission.text("explains_the_bottleneck")
