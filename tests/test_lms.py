"""A class is read from whatever a platform exports: real layouts of names, and what people and systems add to them."""

import contextlib
import zipfile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autograder.core import CourseError, Failure, NeedsReview, sanitize
from autograder.lms import _export as export_module
from autograder.lms._detect import read_cohort
from autograder.submissions import leads_out, zip_files

SLUG = "rnn_by_hand"


@pytest.fixture(params=["folder", "zip", "zip in a folder", "zip with a folder around"])
def laid(request, tmp_path):
    """Lays an export out, in each of the ways in which it may be named to the grader."""

    def lay(files):
        inside = (
            {f"export/{name}": data for name, data in files.items()} if "around" in request.param else files
        )
        if request.param == "folder":
            return on_disk(tmp_path / "class", files)
        (tmp_path / "class").mkdir()
        path = tmp_path / "class" / "submissions.zip"
        path.write_bytes(zip_files(inside))
        return path.parent if "in a folder" in request.param else path

    return lay


def on_disk(root, files):
    root.mkdir(exist_ok=True)
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def held(found):
    """Student and file names of each submission."""
    return {one.student: one.source().names for one in found.submissions}


CANVAS = {
    "doejane_LATE_1234_98765_rnn.ipynb": b"jane",
    "doejane_LATE_1234_98766_model.keras": b"old",
    "doejane_LATE_1234_98767_model.keras": b"new",
    "doejane_99_98768_work.zip": zip_files({"w/rnn.ipynb": b"another Jane"}),
    "under_scoreanna_7_12_a_b.ipynb": b"underscores",
    "李明_8_13_rnn-1.ipynb": b"li",
    "9_14_rnn.ipynb": b"no word in the name",
    "oldlee_late_10_15_rnn.ipynb": b"lower case",
    "textonly_11_text.html": b"typed",
    "linkonly_12_link.html": b"linked",
    "what is this.txt": b"",
    "__MACOSX/._x": b"",
    ".DS_Store": b"",
}


def test_canvas(laid):
    found = read_cohort(laid(CANVAS), SLUG)
    assert found.platform == "canvas"
    assert {name: set(files) for name, files in held(found).items()} == {
        "9": {"rnn.ipynb"},
        "doejane_1234": {"model.keras", "rnn.ipynb"},
        "doejane_99": {"w/rnn.ipynb"},
        "oldlee_10": {"rnn.ipynb"},
        "under_scoreanna_7": {"a_b.ipynb"},
        "李明_8": {"rnn-1.ipynb"},
    }
    by_name = {one.student: one for one in found.submissions}
    assert [name for name, one in by_name.items() if one.origin.late] == ["doejane_1234", "oldlee_10"]
    assert by_name["doejane_1234"].source().read("model.keras") == b"new"
    assert by_name["doejane_1234"].origin.prefix == "doejane_LATE_1234_98765_"
    assert {"doejane", "1234"} <= by_name["doejane_1234"].words
    assert found.left_out.pop("__MACOSX/._x", "") or found.left_out.pop("__MACOSX") == "litter of macOS"
    assert found.left_out == {
        "doejane_LATE_1234_98766_model.keras": "replaced by a later one",
        "textonly_11_text.html": "text that was typed into Canvas, no file",
        "linkonly_12_link.html": "a link to another place, no file",
        "what is this.txt": "not named as Canvas names what is handed in",
        ".DS_Store": "litter of macOS",
    }


def test_canvas_anonymous(tmp_path):
    names = ["LATE_anon_Xy1_5_rnn.ipynb", "anon_Zz2_6_rnn.ipynb", "anon_Zz2_7_a.keras"]
    found = read_cohort(on_disk(tmp_path / "c", dict.fromkeys(names, b"")), SLUG)
    assert [(one.student, one.origin.late) for one in found.submissions] == [
        ("anon_Xy1", True),
        ("anon_Zz2", False),
    ]
    assert {one.origin.name for one in found.submissions} == {""}


def test_nobody_hands_in_for_another_canvas_user(tmp_path):
    files = {
        "leeann_1234_55_rnn.ipynb": b"ann",
        "x_1234_5_malloryx_66_77_rnn.ipynb": b"",
        "bo_3_4_a_5_6_b.ipynb": b"",
    }
    found = read_cohort(on_disk(tmp_path / "c", files), SLUG)
    assert held(found) == {"leeann_1234": ("rnn.ipynb",), "x_1234_5_malloryx_66": ("rnn.ipynb",)}
    assert list(found.left_out) == ["bo_3_4_a_5_6_b.ipynb"]
    assert found.left_out["bo_3_4_a_5_6_b.ipynb"] == (
        "may be handed in by bo (3) or by bo_3_4_a (5): a person decides"
    )
    assert found.doubts[0].startswith("1 file has a name that can be read as more than one student's")
    roster = tmp_path / "gradebook.csv"
    roster.write_text('Student,ID,Section\n"Lee, Ann",1234,A\nBo,3,A\n')
    found = read_cohort(tmp_path / "c", SLUG, roster)
    assert held(found)["bo_3"] == ("a_5_6_b.ipynb",)


MOODLE = {
    "Ann Lee_101_assignsubmission_file/rnn.ipynb": b"one Ann",
    "Ann Lee_101_assignsubmission_onlinetext/onlinetext.html": b"hello",
    "Ann Lee_102_assignsubmission_file_/models/a.keras": b"the other",
    "Ann Lee_102_assignsubmission_file_/work.zip": zip_files({"rnn.ipynb": b"zipped"}),
    "محمد_103_assignsubmission_file_rnn.ipynb": b"without a folder",
    "Participant_104_assignsubmission_file_/rnn.ipynb": b"anonymous",
    "Team 7_105_assignsubmission_file_/rnn.ipynb": b"a team",
    "Bo_106_assignsubmission_onlinetext_/onlinetext.html": b"all there is",
    "stray.pdf": b"",
}


def test_moodle(laid):
    found = read_cohort(laid(MOODLE), SLUG)
    assert found.platform == "moodle"
    assert {name: set(files) for name, files in held(found).items()} == {
        "Ann Lee_101": {"rnn.ipynb"},
        "Ann Lee_102": {"models/a.keras", "work.zip/rnn.ipynb"},
        "Bo_106": {"onlinetext.html"},
        "Participant_104": {"rnn.ipynb"},
        "Team 7_105": {"rnn.ipynb"},
        "محمد_103": {"rnn.ipynb"},
    }
    origins = {one.student: one.origin for one in found.submissions}
    assert origins["Ann Lee_101"].prefix == "Ann Lee_101_assignsubmission_file/"
    assert origins["محمد_103"].prefix == "محمد_103_assignsubmission_file_"
    assert origins["Participant_104"].name == ""
    assert found.left_out == {
        "Ann Lee_101_assignsubmission_onlinetext/onlinetext.html": "text that was typed into Moodle, no file",
        "stray.pdf": "not named as Moodle names what is handed in",
    }


YAML = """
submission_1:
  :submitters:
  - :name: Ann Lee
    :sid: '77'
    :email: ann@uni.example
  :created_at: 2027-03-02 10:00:00.123456789 Z
  :score: 1.0
  :results: !ruby/hash:ActiveSupport::HashWithIndifferentAccess
    tests: [!ruby/object:Test {name: !ruby/symbol one}, !ruby/array:List [1]]
submission_2:
  :submitters:
  - :name: Ann Lee
    :sid: '77'
    :email: ann@uni.example
  :created_at: 2027-03-01 10:00:00 Z
submission_3:
  :submitters:
  - {":name": Bo Ek, ":sid": , ":email": bo@uni.example}
  - {":name": Cy Ito, ":sid": "79", ":email": cy@uni.example}
  :created_at: '2027-03-01T23:30:00+01:00'
submission_4: []
"""


def test_gradescope(laid):
    files = {f"submission_{number}/rnn.ipynb": b"" for number in range(1, 6)}
    found = read_cohort(laid(files | {"submission_metadata.yml": YAML.encode(), "log.txt": b""}), SLUG)
    assert found.platform == "gradescope"
    assert {(one.student, one.origin.id, one.origin.submitted) for one in found.submissions} == {
        ("Ann Lee_77", "1", "2027-03-02T10:00:00+00:00"),
        ("Bo Ek_3", "3", "2027-03-01T23:30:00+01:00"),
        ("Cy Ito_79", "3", "2027-03-01T23:30:00+01:00"),
        ("submission_4", "4", ""),
        ("submission_5", "5", ""),
    }
    assert found.left_out == {
        "submission_2/rnn.ipynb": "an earlier submission of the same student",
        "log.txt": "in no submission's folder",
    }


@pytest.mark.parametrize(
    "text", [b"a: [", b"!!python/object/apply:os.system [id]", b"\xff\xfe\x00", b"a: *b"]
)
def test_gradescopes_metadata_are_read_as_data(tmp_path, text):
    files = {"submission_1/a.ipynb": b"", "submission_metadata.yml": text}
    with pytest.raises(CourseError, match="submission_metadata.yml can't be read"):
        read_cohort(on_disk(tmp_path / "c", files), SLUG)


def test_the_folders_of_gradescopes_autograder(tmp_path):
    metadata = b"""{"id": 55, "created_at": "2027-03-01T10:00:00.000000-08:00", "assignment": {"due_date": "x"},
        "users": [{"id": 1, "name": "Ann Lee", "email": "ann@uni.example"},
                  {"id": 2, "name": "Bo Ek", "email": "b@e"}]}"""
    files = {"submission_metadata.json": metadata, "submission/rnn.ipynb": b"x", "submission/m/a.keras": b""}
    root = on_disk(tmp_path / "autograder", files | {"source/secret.ipynb": b"", "run_autograder": b""})
    [one] = read_cohort(root, SLUG).submissions
    assert one.student == "Ann Lee_55" and set(one.source().names) == {"rnn.ipynb", "m/a.keras"}
    assert one.origin.submitted == "2027-03-01T10:00:00-08:00" and {"bo", "ek", "ann"} <= one.words
    (root / "submission" / "link.zip").symlink_to(root / "source" / "secret.ipynb")
    (root / "submission" / "source").symlink_to(root / "source")
    [one] = read_cohort(root, SLUG).submissions
    assert set(one.source().names) == {"rnn.ipynb", "m/a.keras"}
    (root / "submission_metadata.json").write_bytes(b"[")
    with pytest.raises(CourseError, match="submission_metadata.json can't be read"):
        read_cohort(root, SLUG)


NBGRADER = {
    "ann/rnn_by_hand/rnn_by_hand.ipynb": b"",
    "ann/rnn_by_hand/timestamp.txt": b"2015-02-02 14:58:23.948203 America/Los_Angeles\n",
    "ann/tuning/tuning.ipynb": b"",
    "ann/tuning/timestamp.txt": b"2015-02-02 14:58:23.948203 UTC",
    "bo/rnn_by_hand/rnn_by_hand.ipynb": b"",
    "bo/rnn_by_hand/timestamp.txt": b"2015-02-02 14:58:23 ../../etc/passwd",
    "cy/tuning/tuning.ipynb": b"",
}


@pytest.mark.parametrize("room", ["", "submitted/"])
def test_nbgrader(laid, room):
    beside = {"release/rnn_by_hand/rnn_by_hand.ipynb": b"", "gradebook.db": b""} if room else {}
    found = read_cohort(laid({room + name: data for name, data in NBGRADER.items()} | beside), SLUG)
    assert found.platform == "nbgrader"
    assert held(found) == {"ann": ("rnn_by_hand.ipynb",), "bo": ("rnn_by_hand.ipynb",)}
    assert [one.origin.submitted for one in found.submissions] == ["2015-02-02T14:58:23-08:00", ""]
    assert found.left_out["*/tuning/"] == "of another assignment, 3 files"
    assert ("release" in found.left_out) is bool(room)


def test_nbgrader_without_this_assignment_says_which_there_are(tmp_path):
    with pytest.raises(CourseError, match="did you mean tuning"):
        read_cohort(on_disk(tmp_path / "c", NBGRADER), "tunings")


DRIVE = {
    "motif - Ann Lee.keras": b"",
    "Ann Lee - rnn.ipynb": b"1",
    "Copy of rnn - Ann Lee (1).ipynb": b"2",
    "Kopie von Ann Lee - rnn.ipynb": b"3",
    "rnn_by_hand - 李明.ipynb": b"",
    "motif - 李明.keras": b"",
    "bo_ek_rnn_by_hand.ipynb": b"",
    "rnn_by_hand - O'Brien, Cy.zip": zip_files({"rnn.ipynb": b""}),
    "rnn - Jean-Luc d'Arc.ipynb": b"",
    "final_v2.ipynb": b"",
    "Di Ono/rnn.ipynb": b"",
    "rnn - Di Ono.ipynb": b"",
}


@pytest.mark.parametrize("parts", [0, 2])
def test_drive(tmp_path, parts):
    path = on_disk(tmp_path / "class", {} if parts else DRIVE)
    for part in range(parts):
        files = {f"Week 1/{name}": data for name, data in list(DRIVE.items())[part::parts]}
        (path / f"Week 1-20270301T101010Z-00{part + 1}.zip").write_bytes(zip_files(files))
    found = read_cohort(path, SLUG)
    assert found.platform == "drive"
    assert {name: set(files) for name, files in held(found).items()} == {
        "Ann Lee": {"motif.keras", "rnn.ipynb", "Copy of rnn (1).ipynb", "Kopie von rnn.ipynb"},
        "Di Ono": {"rnn.ipynb"},
        "Jean-Luc d'Arc": {"rnn.ipynb"},
        "O'Brien, Cy": {"rnn.ipynb"},
        "李明": {"motif.keras", "rnn_by_hand.ipynb"},
    }
    assert found.left_out == {
        "bo_ek_rnn_by_hand.ipynb": "its name does not tell whose it is",
        "final_v2.ipynb": "its name does not tell whose it is",
        "rnn - Di Ono.ipynb": "a second rnn.ipynb of Di Ono",
    }


def test_drive_gives_no_file_to_a_name_that_two_people_of_the_table_have(tmp_path):
    roster = tmp_path / "roster.csv"
    names = ["Ann Lee", "Ann Lee Kim", "Cy Ito", "Ito Cy", "Bo Ek"]
    rows = (f"{name},{number},a{number}@uni.example" for number, name in enumerate(names))
    roster.write_text("\n".join(["Name,SID,Email", *rows]))
    files = dict.fromkeys(
        ["rnn - Ann Lee.ipynb", "rnn - Kim Ann Lee.ipynb", "Cy Ito - rnn.ipynb", "rnn - Bo Ek (2).ipynb"], b""
    )
    found = read_cohort(on_disk(tmp_path / "class", files), SLUG, roster)
    assert held(found) == {
        "Ann Lee": ("rnn.ipynb",),
        "Kim Ann Lee": ("rnn.ipynb",),
        "Bo Ek": ("rnn (2).ipynb",),
    }
    assert list(found.left_out) == ["Cy Ito - rnn.ipynb"]
    assert [raw.origin.name for raw in found.submissions] == ["Ann Lee", "Bo Ek", "Ann Lee Kim"]
    assert "more than one student" in found.doubts[0]


PLAIN = {
    "ann/rnn.ipynb": b"",
    "ann.zip": zip_files({"rnn.ipynb": b""}),
    "bo (1).zip": zip_files({"rnn.ipynb": b"new"}),
    "bo.zip": zip_files({"rnn.ipynb": b"old"}),
    "cy_attempt2/rnn.ipynb": b"new",
    "cy_attempt1/rnn.ipynb": b"old",
    "Student (1)/rnn.ipynb": b"",
    "Student (2)/rnn.ipynb": b"",
    "lee.zip": zip_files({"rnn.ipynb": b""}),
    "lee_2.zip": zip_files({"rnn.ipynb": b""}),
    "broken.tar.gz": b"\x1f\x8b cut short",
    "notes.txt": b"",
    "late.rar": b"",
    "Thumbs.db": b"",
}


@pytest.mark.parametrize("laid", ["folder", "zip", "zip with a folder around"], indirect=True)
def test_a_plain_folder(laid):
    found = read_cohort(laid(PLAIN), SLUG)
    assert found.platform == "folder"
    sources = {one.student: one.source for one in found.submissions}
    assert set(sources) == {
        "ann", "ann.zip", "bo", "bo (1)", "cy_attempt1", "cy_attempt2", "Student (1)", "Student (2)", "lee", "lee_2",
        "broken",
    }  # fmt: skip
    assert sources["bo"]().read("rnn.ipynb") == b"old" and sources["bo (1)"]().read("rnn.ipynb") == b"new"
    assert {one.student: one.doubts for one in found.submissions if one.doubts} == {
        "ann.zip": ("ann has the same name: find out whether both are of one student.",),
        "bo (1)": ("May be a later attempt of bo.zip, or another student's: keep one, or rename it.",),
        "cy_attempt2": (
            "May be a later attempt of cy_attempt1, or another student's: keep one, or rename it.",
        ),
    }
    with pytest.raises(Failure, match="broken.tar.gz is not an archive"):
        sources["broken"]()
    assert found.left_out == {
        "notes.txt": "neither a folder nor a .zip or .tar archive",
        "late.rar": "an archive of a kind that is not understood: ask for a .zip",
        "Thumbs.db": "litter of Windows",
    }


def test_a_folder_on_disk_keeps_the_empty_and_the_linked(tmp_path):
    root = on_disk(tmp_path / "class", {"ann/rnn.ipynb": b"x"})
    (root / "bo").mkdir()
    on_disk(tmp_path / "elsewhere", {"rnn.ipynb": b"y", "deep/rnn.ipynb": b""})
    (tmp_path / "elsewhere" / "link").symlink_to(root)
    (root / "cy").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "di.zip").write_bytes(zip_files({"rnn.ipynb": b"z"}))
    (root / "di.zip").symlink_to(tmp_path / "di.zip")
    (root / "gone.zip").symlink_to(tmp_path / "gone.zip")
    found = {one.student: one for one in read_cohort(root, SLUG).submissions}
    with pytest.raises(NeedsReview, match="gone.zip can't be read"):
        found.pop("gone").source()
    found = {student: one.source().names for student, one in found.items()}
    assert found == {
        "ann": ("rnn.ipynb",),
        "bo": (),
        "cy": ("rnn.ipynb", "deep/rnn.ipynb"),
        "di": ("rnn.ipynb",),
    }


@pytest.mark.parametrize(
    "files, complaint",
    [
        ({"model.keras": b""}, "looks like one submission"),
        (
            {"rnn_by_hand.ipynb": b"", "Copy of rnn_by_hand (1).ipynb": b"", "m.keras": b""},
            "looks like one submission",
        ),
        ({"notes.txt": b""}, "holds no submission"),
        ({}, "holds no submission"),
    ],
)
def test_what_is_no_class_is_told_so(tmp_path, files, complaint):
    with pytest.raises(CourseError, match=complaint):
        read_cohort(on_disk(tmp_path / "class", files), SLUG)
    (tmp_path / "class.zip").write_bytes(zip_files(files))
    with pytest.raises(CourseError, match=complaint):
        read_cohort(tmp_path / "class.zip", SLUG)


def test_what_is_neither_folder_nor_zip_is_told_so(tmp_path):
    with pytest.raises(CourseError, match="is no folder: expected"):
        read_cohort(tmp_path / "none", SLUG)
    (tmp_path / "a.7z").write_bytes(b"")
    with pytest.raises(CourseError, match="is no .zip: expected"):
        read_cohort(tmp_path / "a.7z", SLUG)
    (tmp_path / "a.zip").write_bytes(b"PK")
    with pytest.raises(CourseError, match="can't be opened as a zip .*: download it again"):
        read_cohort(tmp_path / "a.zip", SLUG)


def test_one_students_files_make_no_other_platform_of_the_class(tmp_path):
    files = {f"s{number}/rnn.ipynb": b"" for number in range(4)}
    files |= {
        "mallory/x/timestamp.txt": b"",
        "mallory/submission_metadata.yml": b"",
        "mallory/a_1_2_x.ipynb": b"",
    }
    assert read_cohort(on_disk(tmp_path / "1", files), SLUG).platform == "folder"
    hostile = {"1_2_3_mallory.ipynb": b"", "x_9_8_m.ipynb": b""}
    archives = {"ann.zip": zip_files({"rnn.ipynb": b""}), "mallory.zip": zip_files(hostile)}
    assert read_cohort(on_disk(tmp_path / "2", archives), SLUG).platform == "folder"


def test_one_students_upload_hurts_no_other(tmp_path):
    with zipfile.ZipFile(tmp_path / "canvas.zip", "w") as archive:
        for number in range(3):
            archive.writestr(f"s{number}_{number}_1_rnn.ipynb", f"notebook {number}" * 50)
        archive.writestr("../s8_8_1_rnn.ipynb", "out")
        archive.writestr("s7_7_1_../../rnn.ipynb", "out")
        archive.writestr("s9_9_1_work.zip", b"PK damaged")
    content = (tmp_path / "canvas.zip").read_bytes()
    (tmp_path / "canvas.zip").write_bytes(content.replace(b"notebook 1", b"NOTEBOOK 1", 1))
    found = read_cohort(tmp_path / "canvas.zip", SLUG)
    sources = {one.student: one.source for one in found.submissions}
    assert set(sources) == {"s0_0", "s1_1", "s2_2", "s9_9"}
    assert sources["s0_0"]().read("rnn.ipynb").startswith(b"notebook 0")
    with pytest.raises(Failure, match="rnn.ipynb is damaged in canvas.zip"):
        sources["s1_1"]().read("rnn.ipynb")
    with pytest.raises(Failure):
        sources["s9_9"]()
    assert {name for name, why in found.left_out.items() if "leads out" in why} == {
        "../s8_8_1_rnn.ipynb", "s7_7_1_../../rnn.ipynb"
    }  # fmt: skip


def test_an_export_of_far_too_many_files_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(export_module, "MAX_COHORT_FILES", 5)
    with pytest.raises(CourseError, match="more than 5 files: is it the class"):
        read_cohort(on_disk(tmp_path / "c", CANVAS), SLUG)


def test_words_of_everyone_are_shared(tmp_path):
    files = {"ann_uni/rnn.ipynb": b"", "bo_uni/rnn.ipynb": b""}
    found = read_cohort(on_disk(tmp_path / "c", files), SLUG)
    assert {one.shared for one in found.submissions} == {frozenset({frozenset({"uni"})})}


PIECES = st.sampled_from(
    ["ann", "Bo Lee", "_12_", "_LATE_", "34", "_", "/", "/", ".ipynb", ".keras", ".zip", " - ", "rnn_by_hand", "..",
     "~$", "_assignsubmission_file_/", "submission_1", "submitted/", "timestamp.txt", "__MACOSX/", "(1)", "\u202e",
     "\\", "名", "submission_metadata.yml", "_text.html"]
)  # fmt: skip
PATHS = st.lists(PIECES, min_size=1, max_size=6).map("".join)


@given(st.lists(PATHS, max_size=8))
@example(["ann", "ann/ann"])
@example(["x/ann", "x/ann/ann", "x/b/c"])
@settings(max_examples=300)
def test_every_file_is_taken_or_told(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("class") / "class.zip"
    files = {name for name in names if not name.replace("\\", "/").endswith("/")}
    path.write_bytes(zip_files(dict.fromkeys(files, b"")))
    try:
        found = read_cohort(path, SLUG)
    except CourseError as error:
        assert "\n" not in str(error)
        return
    taken = [name.entry for one in found.submissions for name in one.source.places.values()]
    assert len(taken) == len(set(taken)) or found.platform == "gradescope"
    told = (*found.left_out, *map(sanitize, taken), "timestamp.txt", "submission_metadata.yml")
    for name in files:
        assert (
            any(sanitize(name.replace("\\", "/")).endswith(known) for known in told)
            or found.platform == "nbgrader"
        )
    for one in found.submissions:
        with contextlib.suppress(Failure):
            assert not any(leads_out(name) for name in one.source().names)


def test_a_name_is_kept_whatever_names_look_like_it(tmp_path):
    path = tmp_path / "class.zip"
    path.write_bytes(zip_files(dict.fromkeys(["Ann/rnn.ipynb", "ann/rnn.ipynb", "a:nn/rnn.ipynb"], b"")))
    found = read_cohort(path, SLUG)
    assert [one.student for one in found.submissions] == ["Ann", "a-nn", "ann"]
    assert found.doubts == (
        "'Ann' and 'a-nn' and 'ann' look alike: make sure that they are not one student.",
    )
