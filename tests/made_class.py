"""A made-up class with every outcome, every figure and names of many scripts, for tests of the pages."""

import numpy as np

from autograder.rubric import AWAITING_REVIEW, Adjustment, Bars, Confusion, Report, Score
from autograder.rubric.figures import Examples
from autograder.submissions import Submitter

EVIL = "<script>alert(1)</script> {{ 7 * 7 }} =cmd \u202egnp.exe"
NAMES = (
    "Zoë Ångström", "Ярослав Ковальчук", "Ελένη Παπαδοπούλου", "محمد الأمين", "נועה לוי", "王小明", "山田 花子",
    "김민준", "अनन्या शर्मा", "สมชาย ใจดี", "Nguyễn Thị Hương", "አበበ በቀለ", "Jane Doe", "Jane Doe", "O'Brien, Seán", "=1+1",
    "@SUM(A1)", EVIL, "X Æ A-12", "Hubert Blaine Wolfeschlegelsteinhausenbergerdorff Sr.",
)  # fmt: skip
ITEMS = (
    ("encodes_one_hot", "one_hot(sequence): float32 (time, 4), a one for each letter in order.", 4, False),
    (
        "runs_the_loop",
        "states(x, kernel, recurrent, bias): the states along a sequence, (time, units).",
        8,
        False,
    ),
    ("reads_the_picture", "Why does the state forget? Three sentences.", 6, False),
    ("at_training_lengths", "Accuracy on new sequences of 5 to 20 letters.", 12, False),
    ("at_50_letters", "Accuracy on sequences of 50 letters, longer than any in training.", 20, False),
    ("tells_kinds_apart", "Tells three kinds of sentence apart, on data you have not seen.", 30, False),
    ("few_parameters", "The model has at most 2,500 parameters.", 20, False),
    ("at_200_letters", "Accuracy on sequences of 200 letters, ten times the longest in training.", 5, True),
)
HINT = "The state must hold its count for longer than it ever had to: mask the padding in training."
VERSIONS = {
    "python": "3.11.9",
    "keras": "3.15.1",
    "tensorflow": "2.19.0",
    "rubric": "9f1c",
    "data": "demo seed",
}
LENGTHS = ("5–8", "9–11", "12–14", "15–17", "18–19", "20")


def made_class(count: int = 40, seed: int = 0) -> list[Report]:
    """So many reports; the same arguments give the same."""
    rng = np.random.default_rng(seed)
    return [made_report(number, rng) for number in range(count)]


def made_report(number: int, rng: np.random.Generator) -> Report:
    """One student's report; every sixth waits for a person, every third for a reader."""
    name = NAMES[number] if number < len(NAMES) else f"Student {number:03d}"
    skill = rng.beta(4, 2)
    scores = tuple(made_score(index, number, skill, rng) for index in range(len(ITEMS)))
    origin = Submitter("canvas", str(4000 + number), name, f"login{number}", f"s{number}@example.org",
                    submitted="2027-03-05T23:59:00+01:00", late=number % 9 == 4)  # fmt: skip
    late = Adjustment(-11.0, "2 days late (handed in 8 March, due 5 March): 10 % of 100 points a day.")
    by_hand = Adjustment(1.5, "A beautiful plot in part 3.", "Dr. Reader")
    doubts = (
        (f"The notebook is signed by {EVIL!r}, and lies in another's folder.",) if number % 17 == 1 else ()
    )
    files = {f"{name}/notebook.ipynb": "ab12" * 16, "model.keras": "cd34" * 16}
    given = ((late,) if origin.late else ()) + ((by_hand,) if number % 13 == 4 else ())
    said = "Scored on data of the public demo seed: students can know it."
    key = f"student{number:03d}_{4000 + number}"
    return Report(key, "long_memories", scores, said, VERSIONS, origin, files, given, doubts)


def made_score(index: int, number: int, skill: float, rng: np.random.Generator) -> Score:
    item, text, possible, bonus = ITEMS[index]
    asked = Score(item, text, possible, bonus, "broken", None)
    share = round(float(np.clip(skill + rng.normal(0, 0.25), 0, 1)), 2)
    told = {"figures": figures(item, share), **outcome(item, number, possible, share)}
    return Score(**{name: getattr(asked, name) for name in ("item", "text", "possible", "bonus")} | told)


def outcome(item: str, number: int, possible: float, share: float) -> dict:
    """Return what there is to say of a score besides what was asked and drawn."""
    if item == "reads_the_picture":
        answer = (
            "The gradient shrinks with every step back.\nAnd with it what is learned of early letters. "
            + EVIL
        )
        read = {
            "outcome": "scored",
            "earned": round(possible * share, 1),
            "hint": "The second half is missing.",
        }
        waits = {"outcome": "awaiting review", "earned": None, "message": AWAITING_REVIEW}
        return {"answer": answer} | (waits if number % 3 == 0 else read | {"message": "Read by A. Reader."})
    if item == "runs_the_loop" and number % 6 == 5:
        said = (
            "The grader could not decide, a person will look: ValueError: shapes (9, 4) (rubric.py, line 61)"
        )
        return {"outcome": "broken", "earned": None, "message": said}
    if item == "encodes_one_hot" and share < 0.6:
        said = f"one_hot('GATTACA') gave {round(9 * share)} rows, expected 7: {EVIL}"
        return {
            "outcome": "scored",
            "earned": 0.0,
            "message": said,
            "hint": "Look at the axes.",
            "remarks": ("seen",),
        }
    if item == "few_parameters":
        return {"outcome": "scored", "earned": float(possible), "message": "As expected."}
    said = f"Accuracy is {0.7 + 0.3 * share:.4g}: no points at 0.7, full marks at 1."
    full = share == 1
    return {
        "outcome": "scored",
        "earned": round(possible * share, 2),
        "message": said,
        "hint": "" if full else HINT,
    }


def figures(item: str, share: float) -> tuple:
    """Return the figures of an item."""
    if item == "at_training_lengths":
        shares = tuple(float(np.clip(share - 0.04 * step, 0, 1)) for step in range(6))
        return (Bars("Right answers by length", LENGTHS, shares, (340, 331, 333, 330, 332, 334)),)
    if item == "tells_kinds_apart":
        kinds = ("plain", "with not", "with neither … nor")
        counts = ((180, 12, 8), (9, round(150 * share), 41), (30, 60, round(110 * share)))
        rows = (
            ("not only good but brilliant", "plain", "with not"),
            (f"{'aminoacid' * 9} {EVIL}", "with not", "plain"),
        )
        shown = Examples(
            "Public sentences that it gets wrong", ("sentence", "it is", "your model says"), rows
        )
        return Confusion("Kinds of sentence", kinds, counts), shown
    return ()
