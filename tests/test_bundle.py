"""The students' bundle: an allow-list, and a proof that no solution, no seed and no hidden row is in it."""

import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from toy import add_bundle_files, write

from autograder.authoring import release, write_bundle
from autograder.authoring._student_bundle import ENGINE, FOLDER, is_distinctive
from autograder.core import CourseError, read_course

REFERENCE = """
# %% [markdown]
# # Say hello
# A greeting says good day to everyone in the room.

# %%
ROOM = ["ann", "bob"]
# BEGIN SOLUTION
greeting = "hello and good day to " + " and ".join(ROOM)
x = 3
# END SOLUTION

# %% [markdown] tags=["solution"]
# A good teacher says this aloud before anyone asks.

# %%
ANSWER = "it greets whoever came in last"  # SOLUTION
"""
SENTENCES = """
import random

import pandas as pd


def make(seed, count=5):
    words = random.Random(seed).choices("abcdefghijklmnopqrstuvwxyz", k=50 * count)
    return pd.DataFrame({"sentence": ["".join(words[i::count]) for i in range(count)]})
"""
SEED = "a-long-secret-line-of-this-term"


@pytest.fixture
def toy(course):
    """Return the toy course with all that a bundle needs, a seed, and data whose rows are long."""
    add_bundle_files(course.root)
    write(course.root / "solutions/hello/hello.py", REFERENCE)
    write(course.root / "datasets/sentences/generate.py", SENTENCES)
    write(course.root / "solutions/secret_seed", SEED + "\n")
    write(course.root / "solutions/secret_seed.2026-01-01", "an-older-secret-line\n")
    rubric = course.root / "assignments/hello/rubric.py"
    rubric.write_text(rubric.read_text() + "\n\ndef data():\n    return hidden('sentences', count=7)\n")
    course = read_course(course.root)
    release(course.assignments[0], course.assignments[0].starter)
    return course


def build(course, out):
    return write_bundle(course, course.assignments, out)


def test_the_bundle_holds_what_is_allowed_and_nothing_else(toy, tmp_path):
    for stray in (
        "datasets/numbers/hidden.csv",
        "datasets/numbers/__pycache__/x.pyc",
        "assignments/hello/notes.md",
    ):
        write(toy.root / stray, "stray")
    bundle = build(toy, tmp_path / "out")
    names = set(zipfile.ZipFile(bundle.archive).namelist())
    assert bundle.archive == tmp_path / "out" / "toy-course.zip"
    engine = {name for name in names if name.startswith(f"{FOLDER}/autograder/")}
    assert (
        f"{FOLDER}/autograder/notebook_checks.py" in engine
        and f"{FOLDER}/autograder/reports/page.html" in engine
    )
    assert {name.rpartition(".")[2] for name in engine} <= {"py", "html", "css", "js"}
    assert {name.removeprefix(f"{FOLDER}/") for name in names - engine} == {
        "README.md", "assignments/hello/hello.ipynb", "assignments/hello/rubric.py", "course.toml",
        "datasets/numbers/README.md", "datasets/numbers/extra.csv", "datasets/numbers/generate.py",
        "datasets/numbers/train.csv", "datasets/sentences/generate.py", "pyproject.toml", "requirements.txt",
    }  # fmt: skip
    unpacked = {path for path in (tmp_path / "out" / FOLDER).rglob("*") if path.is_file()}
    assert {path.relative_to(tmp_path / "out").as_posix() for path in unpacked} == names
    assert (tmp_path / "out" / FOLDER / "README.md").read_text() == "# For students\n"


def test_the_same_files_give_the_same_bytes(toy, tmp_path):
    digests = {hashlib.sha256(build(toy, tmp_path / out).archive.read_bytes()).hexdigest() for out in "ab"}
    assert len(digests) == 1
    build(toy, tmp_path / "a")  # over the one that is there


def test_only_named_assignments_are_in_it(toy, tmp_path):
    file = toy.root / "course.toml"
    file.write_text(file.read_text() + '\n[[assignment]]\nslug = "later"\ntitle = "Later"\npoints = 5\n')
    course = read_course(toy.root)
    bundle = write_bundle(course, [course.assignment("hello")], tmp_path / "out")
    released = read_course(tmp_path / "out" / FOLDER)
    assert [one.slug for one in released.assignments] == ["hello"] and released.bundle == course.bundle
    assert not [name for name in bundle.names if "later" in name]


def add_a_line(file, line):
    def change(course):
        path = course.root / file
        path.write_text(path.read_text() + line + "\n", encoding="utf-8")

    return change


def leak_in_a_notebook(course):
    path = course.assignments[0].starter
    notebook = json.loads(path.read_text())
    notebook["cells"][0]["source"] = ["fine\n", 'greeting = "hello and good day to " + " and ".join(ROOM)']
    path.write_text(json.dumps(notebook, indent=1))


def leak_a_hidden_row(course):
    from autograder.data import hidden_data

    row = hidden_data(course).draw("sentences", {"count": 7}).sentence[6]
    add_a_line("datasets/numbers/extra.csv", f"1,{row}")(course)


@pytest.mark.parametrize(
    ("leak", "message"),
    [
        (
            add_a_line("docs/students.md", '   greeting = "hello and good day to " +  " and ".join(ROOM)'),
            "README.md:2 holds a line of the solution in hello.py:8: ",
        ),
        (add_a_line("docs/students.md", "A good teacher says this aloud before anyone asks."), "README.md:2 holds a"),
        (
            add_a_line("datasets/numbers/README.md", '> \nANSWER = "it greets whoever came in last"'),
            "datasets/numbers/README.md:3 holds a line of the solution in hello.py:16: ",
        ),
        (add_a_line("requirements.txt", f"# seed={SEED}"), "requirements.txt:2 holds the seed of secret_seed;"),
        (add_a_line("datasets/numbers/extra.csv", "an-older-secret-line"), "holds the seed of secret_seed.2026"),
        (leak_a_hidden_row, "datasets/numbers/extra.csv:3 holds a row of this term's hidden sentences: "),
    ],
)  # fmt: skip
def test_a_leak_is_named_and_nothing_is_left_behind(toy, tmp_path, leak, message):
    leak(toy)
    with pytest.raises(CourseError, match=re.escape(message)) as complaint:
        build(toy, tmp_path / "out")
    assert "\n" not in str(complaint.value)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_leak_in_a_notebook_is_found(toy, tmp_path, monkeypatch):
    leak_in_a_notebook(toy)
    with pytest.raises(CourseError, match="hello.ipynb.*run `autograder release starters hello` first"):
        build(toy, tmp_path / "out")
    monkeypatch.setattr("autograder.authoring._student_bundle.is_stale", lambda assignment, path: None)
    with pytest.raises(CourseError, match=r"hello.ipynb:\d+ holds a line of the solution in hello.py:8"):
        build(toy, tmp_path / "out")


def test_no_file_of_the_solutions_by_name(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "autograder.authoring._student_bundle.engine_files", lambda: iter([("test_submissions/a.py", b"")])
    )
    with pytest.raises(CourseError, match="autograder/test_submissions/a.py: nothing of `solutions`"):
        build(toy, tmp_path / "out")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda root: (root / "docs/students.md").unlink(),
            "students.md is missing: it becomes the bundle's README.md",
        ),
        (
            lambda root: (root / "assignments/hello/hello.ipynb").unlink(),
            "hello.ipynb is missing; run `autograder rel",
        ),
        (lambda root: write(root / "course.toml", 'title = "Toy"\n'), "course.toml has no `bundle`"),
    ],
)
def test_what_is_not_complete_is_refused(toy, tmp_path, spoil, message):
    spoil(toy.root)
    with pytest.raises(CourseError, match=message):
        write_bundle(read_course(toy.root), toy.assignments, tmp_path / "out")


def test_another_folder_of_that_name_is_left_alone(toy, tmp_path):
    mine = write(tmp_path / "out" / FOLDER / "mine.txt", "mine")
    with pytest.raises(CourseError, match="is there and is no bundle"):
        build(toy, tmp_path / "out")
    assert mine.read_text() == "mine"


def test_what_could_not_be_looked_for_is_said(toy, tmp_path):
    assert build(toy, tmp_path / "out").unproved == (
        "Hidden rows of numbers were not looked for: they are too short to tell from chance.",
    )
    (toy.root / "solutions/secret_seed").unlink()
    [said] = build(toy, tmp_path / "out").unproved
    assert "no seed of its own" in said


# --- extensions are nobody's business

EXTENSION = """due = 2027-03-05T23:59:00+01:00
# zoë has pneumonia
[late]
policy = "percentage"
penalty = 12.5
[[ extension ]]  # for Ann
student = "Ann Lee"
assignment = "hello"
due = 2027-03-09T23:59:00+01:00
why = '''
in hospital since Monday
flu'''
"""


@pytest.fixture
def extended(toy):
    """Return the toy course with a rule on late work and an extension, and a title that needs care."""
    file = toy.root / "course.toml"
    text = file.read_text().replace('"Toy"', r'"T\"o\\y\u007f → é"')
    file.write_text(text + EXTENSION, encoding="utf-8")
    return read_course(toy.root)


def test_who_has_an_extension_stays_out_of_it(extended, tmp_path):
    bundle = build(extended, tmp_path / "out")
    with zipfile.ZipFile(bundle.archive) as archive:
        content = b"\n".join(archive.read(name) for name in archive.namelist() if "autograder/" not in name)
    for word in (b"Ann", b"hospital", b"flu", b"pneumonia", b"zo", b"[[extension"):
        assert word not in content
    released = read_course(tmp_path / "out" / FOLDER)
    assert released.extensions == () and extended.extensions
    assert (released.title, released.bundle, released.late) == (
        extended.title,
        extended.bundle,
        extended.late,
    )
    assert (released.title, released.late.penalty) == ('T"o\\y\x7f → é', 12.5)
    kept = [(one.slug, one.title, one.points, one.due) for one in released.assignments]
    assert kept == [(one.slug, one.title, one.points, one.due) for one in extended.assignments]


@pytest.mark.parametrize(
    "line", ["Ask ann lee.", "| Ann Lee |", "She is in hospital since Monday, poor thing."]
)
def test_what_tells_of_an_extension_is_refused(extended, tmp_path, line):
    add_a_line("docs/students.md", line)(extended)
    with pytest.raises(CourseError, match="README.md:2 tells of a student's extension") as complaint:
        build(extended, tmp_path / "out")
    assert "\n" not in str(complaint.value) and list((tmp_path / "out").iterdir()) == []


def test_a_course_file_with_extensions_is_refused(extended, tmp_path, monkeypatch):
    for leaked in ("[[extension]]\nstudent = 'ann lee'\n", "# Flu!\n"):
        monkeypatch.setattr(
            "autograder.authoring._student_bundle.to_toml", lambda written, leaked=leaked: leaked
        )
        with pytest.raises(CourseError, match=r"course.toml:\d tells of a student's extension"):
            build(extended, tmp_path / "out")


def test_short_words_are_no_proof_elsewhere_and_that_is_said(extended, tmp_path):
    add_a_line("docs/students.md", "Annie Leeds had the flu.")(extended)
    assert (
        "1 names or reasons of extensions were looked for in course.toml alone"
        in build(extended, tmp_path / "out").unproved[-1]
    )


@pytest.mark.slow
def test_release_out_on_the_command_line(toy, tmp_path):
    def command():
        environment = os.environ | {"PYTHONPATH": str(ENGINE.parent), "COLUMNS": "200"}
        words = [
            sys.executable,
            "-m",
            "autograder",
            "release",
            "bundle",
            "hello",
            "--out",
            str(tmp_path / "out"),
        ]
        return subprocess.run(
            words, cwd=toy.root, env=environment, capture_output=True, text=True, timeout=120
        )

    done = command()
    assert done.returncode == 0, done.stderr
    assert "toy-course.zip" in done.stdout and "too short to tell from chance" in done.stdout
    add_a_line("docs/students.md", f"The seed: {SEED}")(toy)
    done = command()
    assert done.returncode == 2 and "README.md:2 holds the seed" in done.stderr
    assert "Traceback" not in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "telling"),
    [
        ("return h", False),
        ("    for place, word in enumerate(vocabulary, start=1):", False),
        ("layers.Dense(1, activation='sigmoid'),", False),
        ("h = np.tanh(x @ kernel + h @ recurrent + bias)", True),
        ("# Because the gradient is a product of many factors.", True),
        ("return 3, 9, 30, 93, -840, -310", True),
    ],
)
def test_turns_of_phrase_do_not_count(line, telling):
    assert is_distinctive(line) is telling


# --- the first cells of a starter find the course

STARTER = """
# %%
STUDENT = "ann"
# BEGIN SOLUTION
x = 3
# END SOLUTION

# %%
from autograder.notebook_checks import start_checks

rubric, check = start_checks("hello", STUDENT)
"""
UNINSTALLED = """
import sys
sys.meta_path = [one for one in sys.meta_path if "editable" not in repr(one).lower()]
"""
FOREIGN = "raise ImportError('this package expects another')\n"


@pytest.fixture
def served(toy, tmp_path):
    """Return a bundle served on this machine: its folder, and the starter's code cells as a program."""
    write(toy.root / "solutions/hello/hello.py", STARTER)
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path / "out")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        file = toy.root / "course.toml"
        address = f"http://127.0.0.1:{server.server_port}/toy-course.zip"
        file.write_text(file.read_text().replace("https://example.org/toy-course.zip", address))
        course = read_course(toy.root)
        release(course.assignments[0], course.assignments[0].starter)
        build(course, tmp_path / "out")
        yield tmp_path / "out" / FOLDER, address
        server.shutdown()
        thread.join()


def run_cells(folder, bundle, path=(), before="", after="print(rubric.__file__)"):
    """Run the starter's code cells in `folder` as a program, with `path` before what Python finds by itself."""
    notebook = json.loads((bundle / "assignments/hello/hello.ipynb").read_text())
    code = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    code[0] = code[0].replace("raise NotImplementedError()", "")
    folder.mkdir(parents=True, exist_ok=True)
    program = write(folder / "work.py", "\n".join([UNINSTALLED, before, *code, after]))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    command = [sys.executable, program.name]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    "place", ["rnn-course", "rnn-course/assignments/hello", ".", "rnn-course/work/deeper"]
)
def test_a_starter_finds_the_bundle_around_or_beside_it(served, place):
    bundle, _ = served
    done = run_cells(bundle.parent / place, bundle)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(bundle / "assignments/hello/rubric.py")


def test_without_the_bundle_two_lines_say_how_to_fetch_it(served, tmp_path):
    bundle, address = served
    done = run_cells(tmp_path / "laptop", bundle)
    assert done.returncode == 1 and "Traceback" not in done.stderr and done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 2 and address in lines[1]
    again = run_cells(tmp_path / "laptop", bundle, before="\n".join(lines))
    assert again.returncode == 0, again.stderr
    assert again.stdout.strip() == str(tmp_path / "laptop" / FOLDER / "assignments/hello/rubric.py")


@pytest.mark.parametrize("package", ["datasets", "autograder"])
def test_foreign_packages_are_in_nobodys_way(served, tmp_path, package):
    bundle, _ = served
    write(tmp_path / "site" / package / "__init__.py", FOREIGN)
    done = run_cells(bundle.parent, bundle, path=[tmp_path / "site"])
    assert done.returncode == 0, done.stderr


def test_a_foreign_autograder_is_not_taken_for_ours(served, tmp_path):
    write(tmp_path / "site/autograder/__init__.py", "")
    done = run_cells(tmp_path / "laptop", served[0], path=[tmp_path / "site"])
    assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 2


def test_something_else_that_is_missing_shows_as_itself(served):
    bundle, _ = served
    live = bundle / "autograder/notebook_checks.py"
    live.write_text("import a_package_that_is_not_there\n" + live.read_text())
    done = run_cells(bundle.parent, bundle)
    assert "ModuleNotFoundError: No module named 'a_package_that_is_not_there'" in done.stderr
    assert "urllib" not in done.stderr.splitlines()[-1]
