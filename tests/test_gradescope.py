"""Gradescope: results.json for a report, the archive that is uploaded, and its programs run in Gradescope's layout."""

import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from toy import add_bundle_files, write

from autograder.authoring import write_zip
from autograder.authoring.verify._test_submissions import check_test_submission
from autograder.core import CourseError, read_course
from autograder.reports import results_json
from autograder.rubric import Adjustment, Report, Score, questions_path

COURSE = read_course(Path(__file__).parents[1])
TOP = {  # of Gradescope's specification: what may stand at the top, and in a test
    "score", "execution_time", "output", "output_format", "test_output_format", "test_name_format", "visibility",
    "stdout_visibility", "extra_data", "tests", "leaderboard",
}  # fmt: skip
TEST = {
    "score", "max_score", "status", "name", "name_format", "number", "output", "output_format", "tags", "visibility",
    "extra_data",
}  # fmt: skip
SEED = "a-long-secret-line-of-this-term"


# --- results.json


def scored(outcome="scored", earned=3.0, message="It came.", bonus=False, hint="Try.", remarks=("Close.",)):
    return Score("greets_all", "It greets.", 4, bonus, outcome, earned, message, hint, remarks)


def results(*scores, **more):
    report = Report("ann", "hello", scores, "Scored on hidden data.", {"python": "3"}, files={"a.txt": "0f"})
    return json.loads(results_json(replace(report, **more)))


def test_an_item_is_a_test_with_its_points():
    found = results(scored(), scored(earned=4.0, bonus=True, hint="", remarks=()))
    assert found["score"] == 7 and found["visibility"] == "visible" and found["stdout_visibility"] == "hidden"
    assert found["output"].splitlines() == ["7 of 4 points.", "Scored on hidden data."]
    assert found["extra_data"]["files"] == {"a.txt": "0f"} and found["extra_data"]["student"] == "ann"
    assert found["tests"][0] == {
        "score": 3.0, "max_score": 4, "status": "failed", "number": "1", "name": "greets all",
        "output": "It greets.\nIt came.\nTry.\nClose.", "visibility": "visible",
    }  # fmt: skip
    assert (found["tests"][1]["status"], found["tests"][1]["name"]) == ("passed", "greets all (bonus)")
    assert set(found) <= TOP and all(set(test) <= TEST for test in found["tests"])


@pytest.mark.parametrize("outcome", ["broken", "awaiting review", "deferred"])
def test_what_waits_for_a_person_has_a_note_and_no_points(outcome):
    found = results(scored(), scored(outcome, None, "Because."), doubts=("Who signed it?",))
    waits = found["tests"][1]
    assert not {"score", "max_score", "status"} & set(waits)
    assert waits["output"].splitlines()[1].startswith(("No points yet: ",)) and "Because." in waits["output"]
    assert "This is not the final mark" in found["output"] and "Who signed it?" not in json.dumps(found)
    assert found["score"] == 3


def test_a_doubt_waits_as_well():
    assert "This is not the final mark" in results(scored(), doubts=("Who signed it?",))["output"]
    assert "final mark" not in results(scored())["output"]


def test_adjustments_are_told_and_are_in_the_total():
    found = results(
        scored(), adjustments=(Adjustment(-2.0, "2 days late."), Adjustment(0.5, "By hand: kind", "Eve"))
    )
    assert found["score"] == 1.5
    assert found["output"].startswith("1.5 of 4 points: 3 for the items, then what stands below them.")
    told = [(test["name"], test["output"]) for test in found["tests"][1:]]
    assert told == [
        ("Adjustment of -2 points", "2 days late."),
        ("Adjustment of +0.5 points", "By hand: kind (by Eve)"),
    ]


# --- the archive


@pytest.fixture
def toy(course):
    add_bundle_files(course.root)
    file = course.root / "course.toml"
    file.write_text(
        file.read_text()
        + "due = 2027-03-05T23:59:00+01:00\n"
        + '[late]\npolicy = "percentage"\npenalty = 10\n'
        + '[[assignment]]\nslug = "later"\ntitle = "Later"\npoints = 5\ndue = 2027-03-06T23:59:00+01:00\n'
        + "".join(
            f'[[extension]]\nstudent = "{who}"\nassignment = "{slug}"\n'
            'due = 2027-03-09T23:59:00+01:00\nwhy = "in hospital"\n'
            for who, slug in (("ann@x.org", "hello"), ("bob@x.org", "later"))
        )
    )
    shutil.copytree(COURSE.root / "gradescope", course.root / "gradescope")
    write(course.root / "datasets/numbers/__pycache__/x.pyc", "stray")
    write(course.root / "solutions/secret_seed", SEED + "\n")
    write(course.root / "solutions/secret_seed.2026-01-01", "an-older-one\n")
    return read_course(course.root)


def unzip(archive, folder):
    """As Gradescope does: with the permissions that the archive keeps."""
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            path = Path(opened.extract(entry, folder))
            path.chmod(entry.external_attr >> 16 & 0o777)


def test_the_archive_holds_what_grading_needs_and_nothing_else(toy, tmp_path):
    names = set(write_zip(toy, toy.assignment("hello"), tmp_path / "new" / "hello.zip"))
    assert names == set(zipfile.ZipFile(tmp_path / "new" / "hello.zip").namelist())
    assert {name for name in names if not name.startswith("autograder/")} == {
        "setup.sh", "run_autograder", "assignment", "course.toml", "requirements.txt",
        "assignments/hello/rubric.py", "solutions/secret_seed", "datasets/numbers/README.md",
        "datasets/numbers/extra.csv", "datasets/numbers/generate.py", "datasets/numbers/train.csv",
    }  # fmt: skip
    assert {
        "autograder/__main__.py",
        "autograder/authoring/templates/rubric.txt",
        "autograder/reports/page.html",
    } <= names
    assert not [name for name in names if "pyc" in name]


def test_programs_are_programs_and_equal_files_give_equal_bytes(toy, tmp_path):
    for name in ("a.zip", "b.zip"):
        write_zip(toy, toy.assignment("hello"), tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    unzip(tmp_path / "a.zip", tmp_path / "source")
    modes = {name: stat.filemode((tmp_path / "source" / name).stat().st_mode)[1:] for name in (
        "setup.sh", "run_autograder", "course.toml", "solutions/secret_seed")}  # fmt: skip
    assert list(modes.values()) == ["rwxr-xr-x", "rwxr-xr-x", "rw-r--r--", "rw-------"]


def test_its_course_has_this_assignments_extensions_and_no_reasons(toy, tmp_path):
    write_zip(toy, toy.assignment("hello"), tmp_path / "a.zip")
    unzip(tmp_path / "a.zip", tmp_path / "source")
    found = read_course(tmp_path / "source")
    assert [one.slug for one in found.assignments] == ["hello"] and found.late == toy.late
    assert found.extensions == (replace(toy.extensions[0], why="agreed"),)
    assert "hospital" not in (tmp_path / "source/course.toml").read_text()
    assert (tmp_path / "source/assignment").read_text() == "hello\n"


def test_late_days_are_not_counted_where_one_assignment_is_known(toy, tmp_path):
    file = toy.root / "course.toml"
    file.write_text(file.read_text().replace('"percentage"\npenalty = 10', '"late days"\ndays = 4'))
    toy = read_course(toy.root)
    write_zip(toy, toy.assignment("hello"), tmp_path / "a.zip")
    unzip(tmp_path / "a.zip", tmp_path / "source")
    assert (toy.late.policy, read_course(tmp_path / "source").late.policy) == ("late days", "none")


@pytest.mark.parametrize("missing", ["solutions/secret_seed", "gradescope/setup.sh", "requirements.txt"])
def test_what_is_missing_is_one_line(toy, tmp_path, missing):
    (toy.root / missing).unlink()
    with pytest.raises(CourseError, match=f"{missing} is missing: ") as complaint:
        write_zip(toy, toy.assignment("hello"), tmp_path / "a.zip")
    assert "\n" not in str(complaint.value) and not (tmp_path / "a.zip").exists()


def test_the_archive_is_its_owners_alone(toy, tmp_path):
    path = write(tmp_path / "hello.zip", "an older one, open to all")
    path.chmod(0o666)
    write_zip(toy, toy.assignment("hello"), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_git_never_takes_the_archive_for_one_to_commit(toy, tmp_path):
    """In a repository it is written where git ignores it: by a rule, and not if it was committed once."""
    repository = tmp_path / "repository"
    git = ["git", "-C", repository, "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", "init", "--quiet", repository], check=True)
    (repository / ".gitignore").write_text((COURSE.root / ".gitignore").read_text())
    for name in ("hello.zip", "new/folder/upload.zip"):
        with pytest.raises(CourseError, match="does not ignore it: add .*zip to .gitignore") as complaint:
            write_zip(toy, toy.assignment("hello"), repository / name)
        assert "\n" not in str(complaint.value) and not (repository / name).exists()
    for name in ("hello_gradescope.zip", "new/Gradescope-hello.zip", "results/any.zip"):
        write_zip(toy, toy.assignment("hello"), repository / name)
    subprocess.run([*git, "add", "--force", "hello_gradescope.zip"], check=True)
    with pytest.raises(CourseError, match="does not ignore it"):
        write_zip(toy, toy.assignment("hello"), repository / "hello_gradescope.zip")


def test_without_git_a_repository_is_still_seen(toy, tmp_path, monkeypatch):
    (tmp_path / ".git").write_text("gitdir: elsewhere")  # a worktree's or submodule's
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(CourseError, match="does not ignore it"):
        write_zip(toy, toy.assignment("hello"), tmp_path / "hello_gradescope.zip")


# --- its programs


@pytest.fixture
def root(tmp_path):
    """Gradescope's folder with run_autograder."""
    shutil.copytree(COURSE.root / "gradescope", tmp_path / "autograder" / "source")
    write(tmp_path / "autograder/source/assignment", "hello\n")
    return tmp_path / "autograder"


def run(root, lines):
    """Run run_autograder with shell lines in place of Python; give the exit status and results.json."""
    python, work = write(root.parent / "python", f"#!/bin/bash\n{lines}\n"), root.parent / "tmp"
    python.chmod(0o755)
    work.mkdir()
    environment = os.environ | {"AUTOGRADER_ROOT": str(root), "PYTHON": str(python), "TMPDIR": str(work)}
    done = subprocess.run([root / "source/run_autograder"], env=environment, capture_output=True, timeout=60)
    assert done.returncode or not list(work.iterdir())
    return done.returncode, json.loads((root / "results/results.json").read_text())


GRADE = """
if [ "$3" = grade ]; then
    [ "$4" = hello ] && [ "$5" = "$AUTOGRADER_ROOT" ] || exit 2
    mkdir -p "$7/ann lee" "$7/.scores" && echo '{}' >"$7/grades.csv"
    exit STATUS
fi
[ "$3 $5 $6" = "export --to gradescope" ] || exit 2
"""
GRADED, NEEDS_A_PERSON = GRADE.replace("STATUS", "0"), GRADE.replace("STATUS", "1")
EXPORT = """echo '{"score": 7}' >"$4/ann lee/results.json"\n"""


@pytest.mark.parametrize("lines", [GRADED, NEEDS_A_PERSON])
def test_a_mark_takes_the_place_of_the_notice(root, lines):
    assert run(root, lines + EXPORT) == (0, {"score": 7})


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ("exit 2", 0),
        ("kill -9 $$", 0),
        (GRADED + "exit 1", 0),
        (GRADED, 0),
        (GRADE.replace("STATUS", "2") + EXPORT, 0),
        (GRADED + EXPORT + 'cp -r "$4/ann lee" "$4/bob"', 0),
        ("kill -9 $PPID", -9),
    ],
    ids=["usage", "killed", "export fails", "no file", "grade fails", "two students", "the whole is killed"],
)
def test_whatever_goes_wrong_a_kind_notice_stays(root, lines, status):
    ended, found = run(root, lines)
    assert ended == status and set(found) <= TOP
    assert found["score"] == 0 and "no mark: a person will look" in found["output"]


def test_a_mark_of_an_earlier_run_does_not_stay(root):
    write(root / "results/results.json", '{"score": 9}')
    assert run(root, "exit 2")[1]["score"] == 0


@pytest.mark.parametrize(("old", "python"), [(0, "python3"), (1, "python3.11")])
def test_setup_installs_into_an_environment_of_its_own(root, tmp_path, old, python):
    """With stand-ins for apt-get and Python, of which python3 may be too old."""
    write(root / "source/requirements.txt", "numpy\n")
    write(root / "source/solutions/secret_seed", SEED)
    said = f'echo "$(basename "$0") $*" >>{tmp_path}/said'
    write(tmp_path / "bin/apt-get", f"#!/bin/bash\n{said}\n")
    for name, too_old in (("python3", old), ("python3.11", 0)):
        venv = f'mkdir -p "$3/bin"; cp {tmp_path}/bin/apt-get "$3/bin/pip"'
        write(tmp_path / "bin" / name, f'#!/bin/bash\n[ "$1" = -c ] && exit {too_old}\n{said}\n{venv}\n')
    for stand_in in (tmp_path / "bin").iterdir():
        stand_in.chmod(0o755)
    environment = os.environ | {"AUTOGRADER_ROOT": str(root), "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    subprocess.run([root / "source/setup.sh"], env=environment, check=True, timeout=60)
    lines, source = (tmp_path / "said").read_text().splitlines(), root / "source"
    assert lines[:2] == [
        "apt-get update -qq",
        "apt-get install -qq -y python3 python3-venv bubblewrap libseccomp2",
    ]
    assert lines[2 + old :] == [
        f"{python} -m venv {source}/venv",
        f"pip install -q --disable-pip-version-check -r {source}/requirements.txt",
    ]
    assert stat.filemode((source / "solutions/secret_seed").stat().st_mode)[4:] == "------"


# --- all of it, in Gradescope's layout

SLUG = "rnn_by_hand"
SPY = """
def flag_course(sequence):
    try:
        open({path!r}).read()
    except OSError:
        return _flag_course(sequence)
    return "It can be read."
"""
IN_TIME, LATE = "2027-03-01T10:00:00.000000-08:00", "2027-03-06T10:00:00.000000+01:00"


def metadata(login, created):
    """submission_metadata.json of one student, as Gradescope documents it."""
    moments = {"due_date": None, "late_due_date": None, "release_date": "2027-02-01T00:00:00.000000-08:00"}
    assignment = {"id": 25828, "course_id": 1, "title": "By hand", "total_points": "110.0", "group_size": 1}
    return {
        "id": 123456, "created_at": created, "submission_method": "upload", "previous_submissions": [],
        "assignment": assignment | moments | {"group_submission": False},
        "users": [{"email": f"{login}@example.org", "id": 1, "name": "Ann Lee"}],
    }  # fmt: skip


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    """Gradescope's layout with the archive of an assignment unpacked, and how to grade a test submission in it."""
    tmp_path = tmp_path_factory.mktemp("layout")
    home, root = tmp_path / "course", tmp_path / "autograder"
    shutil.copytree(
        COURSE.root, home, ignore=shutil.ignore_patterns(".*", "results", "__pycache__", "solutions")
    )
    text = (home / "course.toml").read_text()
    write(home / "course.toml", text.replace('policy = "none"', 'policy = "percentage"\npenalty = 10'))
    write(home / "solutions/secret_seed", SEED + "\n")
    questions = questions_path(COURSE.assignment(SLUG).folder)
    write(home / "solutions" / SLUG / questions.name, questions.read_text(encoding="utf-8"))
    course = read_course(home)
    write_zip(course, course.assignment(SLUG), tmp_path / "a.zip")
    unzip(tmp_path / "a.zip", root / "source")

    def grade(name, created=IN_TIME, change=lambda notebook: notebook):
        shutil.rmtree(root / "submission", ignore_errors=True)
        shutil.copytree(COURSE.assignment(SLUG).test_submissions / name, root / "submission")
        for notebook in (root / "submission").glob("*.ipynb"):
            notebook.write_text(json.dumps(change(json.loads(notebook.read_text()))))
        (root / "submission_metadata.json").write_text(json.dumps(metadata(name, created)))
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        environment |= {"AUTOGRADER_ROOT": str(root), "PYTHON": sys.executable}
        program = root / "source/run_autograder"
        done = subprocess.run([program], env=environment, capture_output=True, text=True, timeout=540)
        assert SEED not in done.stdout + done.stderr
        return json.loads((root / "results/results.json").read_text())

    return root, grade


def scores(found):
    """Return the tests of results.json as the Scores that they came from."""
    items = [test for test in found["tests"] if "number" in test]
    names = [test["name"].removesuffix(" (bonus)").replace(" ", "_") for test in items]
    return {
        name: Score(
            name, "", test.get("max_score", 0), False, "scored" if "score" in test else "awaiting review",
            test.get("score"), test["output"],
        )
        for name, test in zip(names, items, strict=True)
    }  # fmt: skip


def spy(path):
    """Return a change of a notebook: a function first tries to open a file, and then does as it should."""

    def change(notebook):
        for cell in notebook["cells"]:
            cell["source"] = "".join(cell["source"]).replace("def flag_course(", "def _flag_course(")
        code = {"cell_type": "code", "source": SPY.format(path=str(path)), "metadata": {}, "outputs": []}
        notebook["cells"].append(code | {"execution_count": None, "id": "spy"})
        return notebook

    return change


@pytest.mark.slow
def test_late_work_earns_its_known_marks_less_the_penalty(layout):
    _, grade = layout
    found = grade("forgotten_bias", LATE)
    earned = scores(found)
    known = COURSE.assignment(SLUG).test_submissions / "forgotten_bias" / "expected.toml"
    assert list(check_test_submission(earned, known)) == []
    assert found["score"] == round(sum(score.earned or 0 for score in earned.values()) - 11, 2)
    assert found["tests"][-1]["name"] == "Adjustment of -11 points"
    assert found["tests"][-1]["output"].startswith(
        "1 day late (handed in 2027-03-06 10:00, due 2027-03-05 23:59)"
    )


@pytest.mark.slow
def test_a_perfect_notebook_earns_all_and_cannot_read_the_seed(layout):
    root, grade = layout
    found = grade("perfect", change=spy(root / "source/solutions/secret_seed"))
    known = COURSE.assignment(SLUG).test_submissions / "perfect" / "expected.toml"
    assert list(check_test_submission(scores(found), known)) == [] and SEED not in json.dumps(found)
    assert found["extra_data"]["versions"]["isolation"] != "none"
    readable = grade("perfect", change=spy(os.__file__))  # what could be read would cost the points
    assert scores(readable)["raises_flags"].earned == 0
