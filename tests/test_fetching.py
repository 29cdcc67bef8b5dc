"""Data sets that are fetched: from a server of the test's own: good, cut short, wrong, silent, not there."""

import hashlib
import io
import shutil
import tempfile
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.cli import main
from autograder.cli._app import app
from autograder.core import Course, CourseError
from autograder.data import NotFetched, fetch, is_fetched, load_maker
from autograder.data import _download as fetching

LETTERS = bytes(range(256)) * 2_000  # half a megabyte
CUT = 3 * fetching.CHUNK  # what a server sends that cuts off
MAKE = (
    "def make(seed, folder, part='all'):\n    return (folder / 'letters.bin').read_bytes()[:4], seed, part\n"
)


class Server(ThreadingHTTPServer):
    """Serves `content`, as `mode` says; remembers from which byte each request asked."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.mode, self.asked = LETTERS, "good", []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        mode, content = self.server.mode, self.server.content
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        start = 0 if mode == "cut, and no middle" else start
        self.server.asked.append(start)
        if mode == "missing" or start >= len(content):
            self.send_error(404 if mode == "missing" else 416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        last = {"cut": start + CUT, "cut, and no middle": CUT, "silent": 100_000}.get(mode, len(content))
        self.wfile.write(content[start:last])
        self.wfile.flush()
        if mode == "silent":
            time.sleep(3)
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    """Return a server that is good, for now."""
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def letters(course: Course, server: Server, tmp_path: Path, monkeypatch) -> Path:
    """Return a data set of one file, which the server has; the cache is empty."""
    monkeypatch.setenv("AUTOGRADER_DATA", str(tmp_path / "cache"))
    monkeypatch.chdir(course.root)
    return data_set(course, server, {"letters.bin": LETTERS})


def data_set(course: Course, server: Server, files: dict[str, bytes], zipped: bytes = b"") -> Path:
    """Return the folder of a data set `letters`; its files come one by one, or in one zip."""
    listed = {}
    for name, content in files.items():
        own = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        outer = {"sha256": hashlib.sha256(zipped).hexdigest(), "bytes": len(zipped), "member": own}
        listed[name] = (outer if zipped else own) | {
            "url": f"{server.address}/{'all.zip' if zipped else name}"
        }
    folder = course.root / "datasets" / "letters"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fetch.py").write_text(f'"""Letters."""\nFILES = {listed}\n\n\n{MAKE}')
    return folder


def in_cache(tmp_path: Path) -> set[str]:
    """Return the files of the data set `letters` in the cache."""
    return {path.name for path in (tmp_path / "cache" / "letters").glob("*")}


def growing(tmp_path: Path) -> int:
    """Return the bytes that a broken download has left aside."""
    return sum(path.stat().st_size for path in (tmp_path / "cache").rglob("*.part"))


def fails(letters: Path, *offered: Path) -> str:
    """Return the line that fetching ends with."""
    with pytest.raises(CourseError) as raised:
        list(fetch(letters, offered))
    line = str(raised.value)
    assert "\n" not in line and len(line) < 400
    return line


def test_a_good_download_is_made_once(letters, server, tmp_path):
    told = []
    assert not is_fetched(letters)
    assert ["fetched from" in line for line in fetch(letters, told=lambda *said: told.append(said))] == [True]
    assert told[-1] == ("letters.bin", len(LETTERS), len(LETTERS))
    assert (tmp_path / "cache/letters/letters.bin").read_bytes() == LETTERS
    assert ["here already" in line for line in fetch(letters)] == [True]
    assert server.asked == [0]
    assert load_maker(letters)(seed=3, part="test") == (LETTERS[:4], 3, "test")


def test_what_is_not_here_is_named_with_the_way_to_get_it(letters):
    with pytest.raises(
        NotFetched, match="letters is not on this machine; `python -m autograder fetch letters`"
    ):
        load_maker(letters)


def test_a_server_that_cuts_off_is_asked_for_the_rest(letters, server, tmp_path):
    server.mode = "cut"
    list(fetch(letters))
    assert server.asked == [0, CUT, 2 * CUT]
    assert (tmp_path / "cache/letters/letters.bin").read_bytes() == LETTERS


def test_a_download_cut_short_leaves_the_cache_clean_and_the_next_run_works(letters, server, tmp_path):
    server.mode = "cut, and no middle"
    line = fails(letters)
    assert f"after {CUT:,} of 512,000 bytes: run it again" in line and "--file letters.bin" in line
    assert in_cache(tmp_path) == set() and growing(tmp_path) == CUT
    server.mode = "good"
    list(fetch(letters))
    assert server.asked[-1] == CUT  # where the first run got to
    assert in_cache(tmp_path) == {"letters.bin"} and growing(tmp_path) == 0


def test_another_file_is_thrown_away_and_the_next_run_works(letters, server, tmp_path):
    server.content = LETTERS[:-1] + b"!"
    line = fails(letters)
    assert "sent is not letters.bin (512,000 bytes, sha256" in line and "thrown away" in line
    assert in_cache(tmp_path) == set() and growing(tmp_path) == 0
    server.content = LETTERS
    list(fetch(letters))
    assert in_cache(tmp_path) == {"letters.bin"}


@pytest.mark.parametrize("content", [LETTERS[:300_000], LETTERS + b"more"], ids=["shorter", "longer"])
def test_a_file_of_another_size_is_not_taken(letters, server, tmp_path, content):
    server.content = content
    for _ in range(2):
        fails(letters)
        assert in_cache(tmp_path) == set()
    server.content = LETTERS
    list(fetch(letters))
    assert (tmp_path / "cache/letters/letters.bin").read_bytes() == LETTERS


def test_a_silent_server_is_given_up_and_the_next_run_goes_on(letters, server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "PATIENCE", 0.3)
    monkeypatch.setattr(fetching, "ATTEMPTS", 1)
    server.mode = "silent"
    line = fails(letters)
    assert "was silent for 0.3 s, after " in line and in_cache(tmp_path) == set()
    had, server.mode = growing(tmp_path), "good"
    assert had > 0
    list(fetch(letters))
    assert server.asked[-1] == had and in_cache(tmp_path) == {"letters.bin"}


def test_a_file_that_is_not_there_or_no_server_at_all(letters, server, tmp_path):
    server.mode = "missing"
    assert f"answers 404 Not Found to {server.address}/letters.bin" in fails(letters)
    server.mode = "good"
    server.shutdown()
    server.server_close()
    assert "there is no connection to 127.0.0.1" in fails(letters)
    assert in_cache(tmp_path) == set() and growing(tmp_path) == 0


def test_a_file_at_hand_is_taken_whatever_its_name(letters, server, tmp_path):
    mine = tmp_path / "from a friend.dat"
    mine.write_bytes(LETTERS)
    assert [str(mine) in line for line in fetch(letters, [mine])] == [True]
    assert mine.read_bytes() == LETTERS and in_cache(tmp_path) == {"letters.bin"} and server.asked == []


def test_a_file_at_hand_that_is_another_is_refused(letters, server, tmp_path):
    mine = tmp_path / "letters.bin"
    mine.write_bytes(LETTERS[:-1])
    line = fails(letters, mine)
    assert "(511,999 bytes, sha256" in line and "expected: letters.bin (512,000 bytes" in line
    assert "There is no file" in fails(letters, tmp_path / "none")
    assert in_cache(tmp_path) == set() and server.asked == []


def test_a_file_in_the_cache_that_was_spoilt_is_fetched_anew(letters, tmp_path):
    list(fetch(letters))
    (tmp_path / "cache/letters/letters.bin").write_bytes(b"spoilt")
    list(fetch(letters))
    assert (tmp_path / "cache/letters/letters.bin").read_bytes() == LETTERS


def test_a_file_comes_out_of_its_zip(course, letters, server, tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        opened.writestr("letters.bin", LETTERS)
        opened.writestr("others.bin", b"others")
    server.content = packed.getvalue()
    zipped = data_set(course, server, {"letters.bin": LETTERS}, server.content)
    list(fetch(zipped))
    assert in_cache(tmp_path) == {"letters.bin"}
    assert [path.name for path in (tmp_path / "cache/.parts").iterdir() if path.suffix != ".lock"] == []
    assert ["here already" in line for line in fetch(zipped)] == [True]
    for content in (server.content, LETTERS):  # the zip at hand, or what is in it
        (tmp_path / "cache/letters/letters.bin").unlink()
        (tmp_path / "mine").write_bytes(content)
        list(fetch(zipped, [tmp_path / "mine"]))
        assert (tmp_path / "cache/letters/letters.bin").read_bytes() == LETTERS


def test_a_cache_that_can_not_be_written_is_named(letters, tmp_path, monkeypatch):
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("AUTOGRADER_DATA", str(tmp_path / "a file"))
    assert "can't be written" in fails(letters) and "AUTOGRADER_DATA" in fails(letters)


def test_the_command(letters, monkeypatch, capsys):
    run = CliRunner().invoke
    assert "letters: to fetch, 512.0 kB" in run(app, ["fetch"]).output
    assert "letters.bin: fetched from" in run(app, ["fetch", "letters"]).output
    assert "letters: is here" in run(app, ["fetch"]).output
    for words in (["leters"], ["--file", "x"]):
        monkeypatch.setattr("sys.argv", ["autograder", "fetch", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr().err
        assert ended.value.code == 2 and said.count("\n") == 1
        assert ("did you mean letters?" if words == ["leters"] else "--file goes with the name") in said


def test_a_file_is_read_for_its_digest_once_and_again_when_it_changes(letters, monkeypatch):
    list(fetch(letters))
    read, place = [], fetching.cache_folder("letters") / "letters.bin"
    real = fetching.digest_of
    monkeypatch.setattr(fetching, "digest_of", lambda path, like: read.append(path) or real(path, like))
    for _ in range(3):
        load_maker(letters)
    assert read == [place]
    place.write_bytes(LETTERS)  # equal bytes, written anew
    load_maker(letters)
    assert read == [place, place]
    place.write_bytes(LETTERS[::-1])
    with pytest.raises(
        CourseError, match=r"changed after it was fetched \(expected sha256 .*, got sha256 "
    ) as said:
        load_maker(letters)
    assert not isinstance(said.value, NotFetched) and "\n" not in str(said.value)


@pytest.mark.parametrize("inner", ["", "letters"])
def test_a_cache_that_every_user_can_change_is_told(letters, course, monkeypatch, inner):
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="autograder-test-"))
    try:
        folder.chmod(0o755)
        (folder / "letters").mkdir(mode=0o755)
        monkeypatch.setenv("AUTOGRADER_DATA", str(folder))
        assert fetching.open_cache(course) == ""
        (folder / inner).chmod(0o777)
        assert fetching.open_cache(course).endswith(f"Run: chmod -R o-w {folder / inner}")
        done = CliRunner().invoke(app, ["fetch"])
        assert "can change the data in" in " ".join(done.output.split())
    finally:
        shutil.rmtree(folder)
