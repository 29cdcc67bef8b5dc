"""`verify` passes on a sound assignment and turns red at each thing that can be wrong with one."""

import pytest
from toy import write

from autograder.release import release
from autograder.verify import verify

PERFECT = "[marks]\ngreets = 6\ncounts = 4\n"
STARTER = "[marks]\ngreets = 0\ncounts = 0\n"
SHORT = '[marks]\ngreets = 6\ncounts = 2.4\n[says]\ncounts = "no points at 0"\n'
SILENT = '[marks]\ngreets = 0\ncounts = 4\n[says]\ngreets = "Write hello"\n'


@pytest.fixture
def sound(course):
    """The toy course with specimens; the number drawn from the demo seed is 100 or 101."""
    specimens = course.assignments[0].specimens
    for name, known, greeting in [
        ("perfect", PERFECT, "hello" + "o" * 200),
        ("short", SHORT, "hello" + "o" * 55),
        ("silent", SILENT, "x" * 200),
        ("untouched_starter", STARTER, None),
    ]:
        write(specimens / name / "specimen.toml", known)
        if greeting:
            write(specimens / name / "greeting.txt", greeting)
    for starter in course.assignments[0].starters:
        release(course.assignments[0].reference, starter)
    return course


@pytest.fixture
def problems(sandbox):
    def of(course):
        findings = verify(course, course.assignments[0], sandbox)
        return [problem for finding in findings for problem in finding.problems]

    return of


def change(course, path, old, new):
    path = course.root / path
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_sound_assignment_passes(sound, problems):
    assert problems(sound) == []


SPECIMENS = "solutions/hello/specimens"


def test_marks_may_be_known_as_a_range(sound, problems):
    change(sound, f"{SPECIMENS}/short/specimen.toml", "2.4", "[1, 3]")
    assert problems(sound) == []


@pytest.mark.parametrize(
    "path, old, new, complaint",
    [
        ("assignments/hello/rubric.py", "full=1", "full=0.9", "counts earned"),
        ("assignments/hello/rubric.py", "zero=0", "zero=0.1", "counts earned"),
        ("assignments/hello/rubric.py", "points=6", "points=7", "worth 11 points"),
        ("assignments/hello/rubric.py", '"""greeting.txt says hello."""', "", "no docstring"),
        ("assignments/hello/rubric.py", 'if b"hello"', 'if b"bye"', "the perfect specimen earns 0"),
        ("assignments/hello/rubric.py", "Write hello into it", "Try again", "should say 'Write hello'"),
        ("assignments/hello/hello.ipynb", "Say hello", "Say Hello", "the starter has"),
        (f"{SPECIMENS}/untouched_starter/hello.ipynb", "Say hello", "Say Hello", "the starter has"),
        (f"{SPECIMENS}/short/specimen.toml", "2.4", "2.6", "known marks are 2.6"),
        (f"{SPECIMENS}/short/specimen.toml", "2.4", "[2.5, 3]", "known marks are [2.5, 3]"),
        (f"{SPECIMENS}/short/specimen.toml", "2.4", "[0, 2.3]", "known marks are [0, 2.3]"),
        (f"{SPECIMENS}/short/specimen.toml", "greets = 6\n", "", "greets is missing"),
        (
            f"{SPECIMENS}/short/specimen.toml",
            "greets = 6",
            "greets = 6\ngreet = 6",
            "names greet, which is no item",
        ),
        (f"{SPECIMENS}/short/greeting.txt", "ooooo", "", "known marks are 2.4"),
        ("datasets/numbers/generate.py", "largest=100", "largest=200", "counts earned"),
    ],
)
def test_one_change_turns_it_red(sound, path, old, new, complaint, problems):
    change(sound, path, old, new)
    assert any(complaint in problem for problem in problems(sound)), problems(sound)


@pytest.mark.parametrize(
    "gone, complaint",
    [
        (f"{SPECIMENS}/perfect", "no specimen named perfect"),
        (f"{SPECIMENS}/untouched_starter", "no specimen named untouched_starter"),
        (f"{SPECIMENS}/silent", "greets: no specimen that earns points elsewhere loses it"),
        (f"{SPECIMENS}/short/specimen.toml", "specimen.toml is missing"),
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
    write(sound.root / SPECIMENS / "untouched_starter" / "greeting.txt", "hello")
    assert any("the starter earns 6" in problem for problem in problems(sound))


def test_a_specimen_that_only_a_person_can_decide_turns_it_red(sound, problems):
    change(sound, "assignments/hello/rubric.py", 'if b"hello"', 'submission.signed\n    if b"hello"')
    for specimen in (sound.root / SPECIMENS).iterdir():
        if specimen.name != "untouched_starter":
            write(specimen / "work.py", 'STUDENT = "perfect"')
    [silent] = [
        problem for problem in problems(sound) if problem.startswith("greets earned None, known marks are 0")
    ]
    assert "a person will look: the notebook that silent handed in is signed by perfect" in silent
    write(sound.root / SPECIMENS / "silent" / "work.py", 'STUDENT = "silent"')
    write(sound.root / SPECIMENS / "short" / "work.py", 'STUDENT = "short"')
    assert problems(sound) == []


def test_marks_do_not_depend_on_the_terms_secret(sound, problems):
    (sound.root / "solutions" / "secret_seed").write_text("spring")
    assert problems(sound) == []
