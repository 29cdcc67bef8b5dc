"""`verify` passes on a sound assignment and turns red at each thing that can be wrong with one."""

import pytest
from toy import write

from autograder.authoring import read_cells, release, write_notebook
from autograder.authoring.verify import VerifyWorker, check_course, single_worker, verify, verify_workers

REFERENCE = """
# %% [markdown]
# # Say hello

# %%
from pathlib import Path

# %%
def greeting(name):
    # BEGIN SOLUTION
    return "hello" + name
    # END SOLUTION

# %%
TIMES = 200  # SOLUTION

# %%
Path("greeting.txt").write_text(greeting("o" * TIMES))

# %% [markdown]
# BEGIN SOLUTION
# What nobody grades.
# END SOLUTION
"""

PERFECT = "[marks]\ngreets = 6\ncounts = 4\n"
STARTER = "[marks]\ngreets = 0\ncounts = 0\n"
SHORT = '[marks]\ngreets = 6\ncounts = 2.4\n[says]\ncounts = "no points at 0"\n'
SILENT = '[marks]\ngreets = 0\ncounts = 4\n[says]\ngreets = "Write hello"\n'


@pytest.fixture
def sound(course):
    """Return the toy course with test submissions; the number drawn from the demo seed is 100 or 101."""
    assignment = course.assignments[0]
    write(assignment.reference, REFERENCE)
    write(course.root / "datasets/numbers/README.md", "Numbers.")
    for name, known, greeting in [
        ("perfect", PERFECT, "hello" + "o" * 200),
        ("short", SHORT, "hello" + "o" * 55),
        ("silent", SILENT, "x" * 200),
        ("untouched_starter", STARTER, None),
    ]:
        write(assignment.test_submissions / name / "expected.toml", known)
        if greeting:
            write(assignment.test_submissions / name / "greeting.txt", greeting)
    derive(course)
    return course


def derive(course):
    """Write what follows from the reference."""
    assignment = course.assignments[0]
    perfect = read_cells(assignment.reference.read_text(encoding="utf-8"))
    write_notebook(assignment.test_submissions / "perfect" / "hello.ipynb", *perfect)
    for starter in assignment.starters:
        release(assignment, starter)


@pytest.fixture
def prove(sandbox):
    def proof(course):
        return next(verify(course.assignments, single_worker(VerifyWorker(course, sandbox))))

    return proof


@pytest.fixture
def problems(prove):
    def of(course):
        found = [problem for finding in prove(course).findings for problem in finding.problems]
        return [*check_course(course), *found]

    return of


def change(course, path, old, new):
    path = course.root / path
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_sound_assignment_passes(sound, problems):
    assert problems(sound) == []


TEST_SUBMISSIONS = "solutions/hello/test_submissions"
REFERENCE_PY = "solutions/hello/hello.py"


def test_marks_may_be_known_as_a_range(sound, problems):
    change(sound, f"{TEST_SUBMISSIONS}/short/expected.toml", "2.4", "[1, 3]")
    assert problems(sound) == []


@pytest.mark.parametrize(
    "path, old, new, complaint",
    [
        ("assignments/hello/rubric.py", "full=1", "full=0.9", "counts earned"),
        ("assignments/hello/rubric.py", "zero=0", "zero=0.1", "counts earned"),
        ("assignments/hello/rubric.py", "points=6", "points=7", "worth 11 points"),
        ("assignments/hello/rubric.py", '"""greeting.txt says hello."""', "", "no docstring"),
        ("assignments/hello/rubric.py", 'if b"hello"', 'if b"bye"', "the perfect test submission earns 0"),
        ("assignments/hello/rubric.py", "Write hello into it", "Try again", "should say 'Write hello'"),
        ("assignments/hello/hello.ipynb", "Say hello", "Say Hello", "the starter has"),
        (f"{TEST_SUBMISSIONS}/untouched_starter/hello.ipynb", "Say hello", "Say Hello", "the starter has"),
        (f"{TEST_SUBMISSIONS}/short/expected.toml", "2.4", "2.6", "known marks are 2.6"),
        (f"{TEST_SUBMISSIONS}/short/expected.toml", "2.4", "[2.5, 3]", "known marks are [2.5, 3]"),
        (f"{TEST_SUBMISSIONS}/short/expected.toml", "2.4", "[0, 2.3]", "known marks are [0, 2.3]"),
        (f"{TEST_SUBMISSIONS}/short/expected.toml", "greets = 6\n", "", "greets is missing"),
        (
            f"{TEST_SUBMISSIONS}/short/expected.toml",
            "greets = 6",
            "greets = 6\ngreet = 6",
            "names greet, which is no item",
        ),
        (f"{TEST_SUBMISSIONS}/short/greeting.txt", "ooooo", "", "known marks are 2.4"),
        ("datasets/numbers/generate.py", "largest=100", "largest=200", "counts earned"),
    ],
)
def test_one_change_turns_it_red(sound, path, old, new, complaint, problems):
    change(sound, path, old, new)
    assert any(complaint in problem for problem in problems(sound)), problems(sound)


@pytest.mark.parametrize(
    "gone, complaint",
    [
        (f"{TEST_SUBMISSIONS}/perfect", "no test submission named perfect"),
        (f"{TEST_SUBMISSIONS}/untouched_starter", "no test submission named untouched_starter"),
        (f"{TEST_SUBMISSIONS}/short/expected.toml", "expected.toml is missing"),
        ("assignments/hello/hello.ipynb", "hello.ipynb is missing"),
    ],
)
def test_something_missing_turns_it_red(sound, gone, complaint, tmp_path, problems):
    (sound.root / gone).rename(tmp_path / "gone")
    assert any(complaint in problem for problem in problems(sound)), problems(sound)


def test_a_stray_file_turns_it_red(sound, problems):
    write(sound.root / "assignments/hello/answers.txt", "42")
    assert any("answers.txt" in problem and "stray" in problem for problem in problems(sound))


def test_a_starter_that_earns_points_turns_it_red(sound, problems):
    write(sound.root / TEST_SUBMISSIONS / "untouched_starter" / "greeting.txt", "hello")
    assert any("the starter earns 6" in problem for problem in problems(sound))


def test_a_submission_that_only_a_person_can_decide_turns_it_red(sound, problems):
    change(sound, "assignments/hello/rubric.py", 'if b"hello"', 'submission.signed\n    if b"hello"')
    change(sound, REFERENCE_PY, "# %%\nfrom", '# %%\nSTUDENT = "perfect"  # SOLUTION\n\n# %%\nfrom')
    derive(sound)
    for name in ("short", "silent"):
        write(sound.root / TEST_SUBMISSIONS / name / "work.py", 'STUDENT = "perfect"')
    [silent] = [
        problem for problem in problems(sound) if problem.startswith("greets earned None, known marks are 0")
    ]
    assert "a person will look: the notebook that silent handed in is signed by perfect" in silent
    write(sound.root / TEST_SUBMISSIONS / "silent" / "work.py", 'STUDENT = "silent"')
    write(sound.root / TEST_SUBMISSIONS / "short" / "work.py", 'STUDENT = "short"')
    assert problems(sound) == []


def test_marks_do_not_depend_on_the_terms_secret(sound, problems):
    (sound.root / "solutions" / "secret_seed").write_text("kq7-Zr2vX.m9Lt4pW8sB")
    assert problems(sound) == []


def test_the_map_says_what_each_region_is_for(sound, prove):
    assert prove(sound).mutation.lost == {
        "greeting (line 9)": ("greets", "counts"),
        "TIMES (line 14)": ("greets", "counts"),
        "text (line 20)": (),
    }


def test_an_item_that_no_stub_and_no_submission_loses_is_named(sound, problems):
    idle = '\n\n@item(points=1, bonus=True)\ndef is_kind(submission):\n    """Be kind."""\n'
    rubric = sound.root / "assignments/hello/rubric.py"
    rubric.write_text(rubric.read_text() + idle)
    for known in (sound.root / TEST_SUBMISSIONS).glob("*/expected.toml"):
        known.write_text(known.read_text().replace("[marks]", "[marks]\nis_kind = 1"))
    assert problems(sound) == [
        "is_kind: the starter earns 1.0",
        "is_kind can't be lost: by no test submission at work, and by no region",
    ]


FUNCTION = """

@item(points=2, bonus=True)
def calls(submission):
    \"\"\"{asked}(5) is 25.\"\"\"
    try:
        if submission.call("{asked}", 5) != 25:
            raise Failure("It is another number.")
    except {forgiven}:
        pass
"""
FIVES = """# %%
def square(number):
    # BEGIN SOLUTION
    return number * number
    # END SOLUTION


def fives(number):
    {body}


# %%
from pathlib"""


@pytest.mark.parametrize(
    "asked, body, forgiven, complaint, lost",
    [
        ("fives", "return square(number)", "()", None, ["calls"]),
        ("fives", "return 25 if number else square(number)", "()", None, []),
        (
            "fives",
            'return eval("sq" + "uare")(number)',
            "()",
            "calls rests on more than no region: stubs",
            [],
        ),
        ("square", "pass", "()", None, ["calls"]),
        (
            "square",
            "pass",
            "Failure",
            "calls asks for what square (line 6) makes, and earns full marks with",
            [],
        ),
    ],
)
def test_what_an_item_rests_on_is_tried_both_ways(sound, prove, asked, body, forgiven, complaint, lost):
    rubric = sound.root / "assignments/hello/rubric.py"
    rubric.write_text(rubric.read_text() + FUNCTION.format(asked=asked, forgiven=forgiven))
    change(sound, REFERENCE_PY, "# %%\nfrom pathlib", FIVES.format(body=body))
    derive(sound)
    mutation = prove(sound).mutation
    assert list(mutation.lost["square (line 6)"]) == lost
    assert [problem[: len(complaint or "")] for problem in mutation.problems] == [complaint] * bool(complaint)


@pytest.mark.parametrize(
    "place, complaint",
    [
        ("assignments/goodbye/rubric.py", "assignments/goodbye is no assignment of course.toml"),
        ("solutions/goodbye/goodbye.py", "solutions/goodbye is no assignment of course.toml"),
        ("datasets/words/generate.py", "datasets/words: README.md is missing"),
        ("datasets/words/README.md", "datasets/words: fetch.py or generate.py is missing"),
    ],
)
def test_a_stray_room_turns_it_red(sound, place, complaint, problems):
    write(sound.root / place, "")
    assert complaint in problems(sound)


def test_a_perfect_submission_of_another_day_turns_it_red(sound, problems):
    change(sound, REFERENCE_PY, "nobody grades", "no one grades")
    for starter in sound.assignments[0].starters:
        release(sound.assignments[0], starter)
    [problem] = problems(sound)
    assert "cell 6 is not the reference's; run `autograder release perfect hello`" in problem


OWN_WORDS = """

@item(points=3, bonus=True)
def explains(submission):
    \"\"\"Why?\"\"\"
    return submission.text("explains")
"""


def test_an_answer_in_own_words_is_left_to_its_reader(sound, problems):
    rubric = sound.root / "assignments/hello/rubric.py"
    rubric.write_text(rubric.read_text() + OWN_WORDS)
    change(
        sound, REFERENCE_PY, "# %% [markdown]\n# BEGIN", '# %% [markdown] tags=["answer:explains"]\n# BEGIN'
    )
    derive(sound)
    for known in (sound.root / TEST_SUBMISSIONS).glob("*/expected.toml"):
        marks = '"awaiting review"' if known.parent.name == "perfect" else 0
        known.write_text(known.read_text().replace("[marks]", f"[marks]\nexplains = {marks}"))
    assert problems(sound) == []
    change(sound, f"{TEST_SUBMISSIONS}/perfect/expected.toml", '"awaiting review"', "3")
    assert "explains earned None, known marks are 3: A person reads what you write here." in problems(sound)
    change(sound, f"{TEST_SUBMISSIONS}/perfect/expected.toml", "explains = 3", 'explains = "awaiting review"')
    change(sound, f"{TEST_SUBMISSIONS}/short/expected.toml", "explains = 0", 'explains = "awaiting review"')
    assert any(
        "explains earned 0.0, known marks are awaiting review" in problem for problem in problems(sound)
    )


def test_two_benches_find_what_one_finds(sound, prove):
    with verify_workers(sound, jobs=2) as submit:
        [proof] = verify(sound.assignments, submit)
    alone = prove(sound)
    assert sorted(proof.findings, key=str) == sorted(alone.findings, key=str)
    assert proof.mutation == alone.mutation


@pytest.mark.slow
def test_a_threshold_that_one_seed_of_five_misses_is_named(sound, sandbox):
    change(sound, REFERENCE_PY, "# %%\nfrom", "# %%\nSEED = 0\n\n# %%\nfrom")
    change(sound, REFERENCE_PY, '"o" * TIMES', '"o" * (20 if SEED == 3 else TIMES)')
    derive(sound)
    [proof] = verify(sound.assignments, single_worker(VerifyWorker(sound, sandbox)), slow=True)
    found = {finding.what: finding.problems for finding in proof.findings if "seed" in finding.what}
    assert [len(found[f"the reference with seed {seed}"]) for seed in range(5)] == [0, 0, 0, 1, 0]
    assert found["the reference with seed 3"][0].startswith("counts earns 1.0 of 4: Length is 0.25")
