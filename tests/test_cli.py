"""The command line as its people type it: exit status, one line for a mistake, no traceback, no slow start."""

import io
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from toy import write
from typer.testing import CliRunner

from autograder import __version__
from autograder.cli import _app as cli
from autograder.cli._app import app
from autograder.sandbox import Isolation
from autograder.sandbox._isolation import NO_ISOLATION

ROOT = Path(__file__).parents[1]


def run(*arguments, cwd=ROOT):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "autograder", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, errors="replace")


def test_a_class_is_graded_from_any_folder_of_the_course(course, hand_in):
    hand_in("ann", **{"greeting.txt": "hello" * 50})
    folder = hand_in("[red]bob", **{"greeting.txt": "x"})
    done = run("grade", "hello", folder, "--out", "out", cwd=course.root / "assignments")
    assert done.returncode == 0, done.stderr
    for expected in ("ann", "[red]bob", "10 / 10", "does not say hello", "DEMO", "out/grades.csv"):
        assert expected in done.stdout
    assert (course.root / "assignments/out/[red]bob/report.html").is_file()


def test_status_1_when_a_person_must_look(course, hand_in):
    (course.root / "datasets/numbers/generate.py").write_text("")
    done = run("grade", "hello", hand_in("ann", **{"greeting.txt": "hello"}), cwd=course.root)
    assert done.returncode == 1
    assert "needs a person" in done.stdout


def test_a_students_copy_defers_what_is_hidden(course, hand_in):
    shutil.rmtree(course.root / "solutions")
    folder = hand_in("ann", **{"greeting.txt": "hello"})
    done = run("check", "hello", folder / "ann", cwd=course.root)
    assert done.returncode == 0, done.stderr
    assert "6 / 6" in done.stdout and "– / 4" in done.stdout and "data you have not seen" in done.stdout


@pytest.mark.parametrize(
    "arguments, line",
    [
        (["grade", "helo", "."], "did you mean hello"),
        (["grade", "hello", "nowhere"], "nowhere is no folder"),
        (["check", "hello", "nowhere"], "nowhere is neither a folder nor a .zip"),
        (["verify", "x"], "no assignment named 'x'"),
        (["gradee", "hello", "."], "grade"),
        (["release"], "got `release`. Fix: `release starters`."),
        (["release", "hello"], "Fix: `release starters hello`."),
        (["release", "--check"], "Fix: `release starters --check`."),
        (["release", "hello", "--solutions"], "Fix: `release solutions`."),
        (["release", "--gradescope=a.zip", "hello"], "Fix: `release gradescope ASSIGNMENT`."),
        (["release", "starter"], "Expected `release starters | bundle | solutions | gradescope | perfect`"),
        (["release", "starters", "helo"], "did you mean hello"),
        (["grade", "hello", ".", "--roster", "nowhere.csv"], "nowhere.csv can't be read"),
        (["export", ".", "--to", "canvas"], "holds no grades.csv"),
        (["export", "nowhere", "--to", "csv"], "holds no grades.csv"),
        (["export", ".", "--to", "blackboard"], "blackboard"),
        (["integrity", "hello", "nowhere"], "nowhere is no folder"),
        (["grade", "hello", "datasets", "--out", "course.toml"], "course.toml"),
    ],
)
def test_a_mistake_gets_one_line_and_status_2(course, arguments, line):
    done = run(*arguments, cwd=course.root)
    assert done.returncode == 2
    assert line in done.stderr and "Traceback" not in done.stderr


def test_outside_any_course_it_finds_the_one_it_was_installed_with(tmp_path):
    assert "dna_simple_rnn" in run("check", "simple_rnn", cwd=tmp_path).stderr


def test_the_version_is_printed():
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.output) == (0, f"autograder {__version__}\n")


@pytest.mark.parametrize(
    ("command", "default"),
    [
        (["grade"], "[default: (results/ASSIGNMENT)]"),
        (["pack"], "[default: (ASSIGNMENT_YOUR-ID.zip)]"),
        (["export"], "[default: (RESULTS/<name of FILE>)]"),
        (["verify"], "[default: (as cores and memory allow)]"),
        (["release", "gradescope"], "[default: (ASSIGNMENT_gradescope.zip)]"),
    ],
)
def test_help_states_defaults(command, default):
    """In square brackets, which rich takes for markup in a help text."""
    shown = CliRunner().invoke(app, [*command, "--help"], terminal_width=200).output
    assert default in " ".join(shown.replace("│", " ").split())


@pytest.mark.slow
def test_release_writes_and_then_finds_nothing_stale(course):
    assert run("release", "starters", "--check", cwd=course.root).returncode == 1
    assert run("release", "starters", cwd=course.root).stdout.count("written") == 2
    assert run("release", "starters", "--check", cwd=course.root).returncode == 0
    write(course.root / "solutions/hello/hello.py", "# %%\n# BEGIN SOLUTION\nx = 1\n")
    done = run("release", "starters", cwd=course.root)
    assert done.returncode == 2 and "hello.py:2" in done.stderr


def test_verify_says_what_is_wrong_and_exits_with_1(course):
    done = run("verify", cwd=course.root)
    assert done.returncode == 1
    assert "no test submission named perfect" in done.stdout and "problem(s)" in done.stdout


def test_help_is_quick_and_imports_no_tensorflow():
    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert run("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) < 0.6, "seconds of processor, which a busy machine does not stretch"
    slow = "tensorflow", "keras", "pandas", "jupytext", "h5py"
    code = f"import sys, autograder.cli; print([m for m in {slow} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).strip() == "[]"


def test_a_package_named_datasets_changes_nothing(course, hand_in, tmp_path):
    write(tmp_path / "site/datasets/__init__.py", "raise ImportError('the wrong datasets')")
    folder = hand_in("ann", **{"greeting.txt": "hello" * 50})
    environment = os.environ | {"PYTHONPATH": f"{tmp_path / 'site'}:{ROOT}"}
    command = [sys.executable, "-m", "autograder", "grade", "hello", str(folder)]
    done = subprocess.run(
        command, cwd=course.root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "10 / 10" in done.stdout


def test_a_gpu_that_is_not_there_is_one_line(course, hand_in):
    done = run("grade", "hello", hand_in("ann"), "--device", "gpu", cwd=course.root)
    if done.returncode == 2:
        assert done.stderr.startswith("autograder: No GPU") and done.stderr.count("\n") == 1
    else:
        assert list(Path("/dev").glob("nvidia*"))  # there is one


@pytest.mark.parametrize("encoding", [pytest.param("ascii", marks=pytest.mark.slow), "cp1252"])
def test_a_pipe_that_cannot_encode_a_name_shows_another_sign(course, hand_in, monkeypatch, encoding):
    monkeypatch.setenv("PYTHONIOENCODING", f"{encoding}:strict")
    for name in ("李明", "Zoë Łuk", "\udcff" if sys.platform == "linux" else "x"):
        folder = hand_in(name, **{"greeting.txt": "hello"})
    done = run("grade", "hello", folder, "--out", "out", cwd=course.root)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert "?" in done.stdout and " / 10" in done.stdout
    (course.root / "list.csv").write_text(
        "Student,ID,Section,Héllo → (1)\nPoints Possible,,,10\n李,1,A,\n", "utf-8"
    )
    done = run("export", "out", "--to", "canvas", "--file", "list.csv", "--column", "Ł → 名", cwd=course.root)
    assert done.returncode == 2 and "Traceback" not in done.stderr and "no column" in done.stderr


COMMANDS = [command.name or command.callback.__name__ for command in cli.app.registered_commands]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("arguments", [["--help"], ["名前 → ✓"], ["--nö→"]])
def test_no_command_ends_in_a_traceback_where_its_words_cannot_be_shown(
    course, monkeypatch, command, arguments
):
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict") for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    monkeypatch.setattr(sys, "argv", ["autograder", command, *arguments])
    monkeypatch.chdir(course.root)
    for module in ("examine", "new_term"):  # slow, or writes
        monkeypatch.setattr(
            f"autograder.{'cli._examine' if module == 'examine' else 'data'}.{module}", lambda *_: ()
        )
    with pytest.raises(SystemExit):
        cli.main()
    for stream in streams:
        stream.flush()
        assert b"Traceback" not in stream.buffer.getvalue()


@pytest.mark.slow
def test_modules_beside_the_work_are_not_imported(course):
    """A TA stands in a folder that a student filled: the course's own commands import nothing from it."""
    work = course.root / "assignments/hello"
    write(work / "greeting.txt", "hello")
    write(work / "class/ann/greeting.txt", "hello")
    write(work / "class/bob/greeting.txt", "hello!")
    code = f"open({str(course.root / 'it_ran')!r}, 'a').write(__name__ + ' ')\n"
    for name in ("numpy", "typer", "rich", "json", "keras", "tensorflow", "filelock", "pandas", "string"):
        write(work / f"{name}.py", code)
    for command in (["check", "hello"], ["grade", "hello", "class"], ["--help"]):
        done = run(*command, cwd=work)
        assert done.returncode in (0, 1) and "Traceback" not in done.stderr, done.stderr
    code = "from autograder.core import probe_tensorflow; print(probe_tensorflow())"
    look = [sys.executable, "-P", "-c", code]
    quick = write(course.root / "quick/tensorflow.py", "raise ImportError").parent
    subprocess.run(look, cwd=work, env=os.environ | {"PYTHONPATH": f"{ROOT}:{quick}"}, check=True)
    assert not (course.root / "it_ran").exists()


@pytest.mark.parametrize("command", ["check", "pack"])
def test_where_nothing_isolates_the_folder_whose_code_runs_is_named(course, monkeypatch, command):
    monkeypatch.chdir(course.root)
    monkeypatch.setattr("autograder.sandbox.probe", lambda: NO_ISOLATION)
    friend = write(course.root / "from a friend/greeting.txt", "hello").parent
    done = CliRunner().invoke(app, [command, "hello", str(friend), "--device", "cpu"])
    assert f"the code in {friend} runs without isolation" in " ".join(done.output.split())
    monkeypatch.setattr("autograder.sandbox.probe", lambda: Isolation(False, 7, True))
    assert "without isolation" not in CliRunner().invoke(app, [command, "hello", str(friend)]).output
