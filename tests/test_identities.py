"""Nobody can touch another's mark: a class with a hostile name or upload keeps every other row, on each platform."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.core import Failure, read_sheet, split_tokens
from autograder.lms import _canvas as canvas
from autograder.lms._detect import read_cohort
from autograder.lms._roster import read_roster
from autograder.rubric import Report, Score
from autograder.submissions import zip_files

SLUG = "rnn_by_hand"
PEOPLE = {"roeann": (5678, "Roe, Ann"), "ekbo": (4321, "Ek, Bo"), "itocy": (8765, "Ito, Cy")}
MALLORY = 2345
HOSTILE = (
    "roeann", "ROEANN", "roeann_5678", "roeann_5678_1", "roeann_5678_91000", "x_5678", "_5678", "5678", "5678_91000",
    "late", "LATE", "late_5678", "roeann_LATE_5678", "roeann_late", "anon", "anon_5678", "doejane_9_8", "roeann ",
    "roeann.", "roeann\u202e", "\u200broeann", "ro\u00adeann", "ｒｏｅａｎｎ", "rоeann", "roeann (1)", "roeann(1)",
    "roeann_attempt_9", "roeann_attempt9", "roeann attempt 2", "roeann-version-3", "roeann_2", "roeann.zip",
    "Roe, Ann", "Ann Roe", "roe ann", "ann.roe@uni.example", "aroe", "Ann Roe_5678_assignsubmission_file_",
    "Ann Roe_5678_assignsubmission_file", "Ann Roe_5678", "submission_1", "submitted", "timestamp.txt",
    "rnn_by_hand", "submission_metadata.yml", "grades.csv", "../roeann", "roeann/x", "con", "=1+1", "名", "",
)  # fmt: skip
CONTENT = b"the work of "
FUZZ = st.lists(
    st.sampled_from(["roeann", "Roe", "Ann", "_", "_", " ", "5678", "91000", "LATE", "late", "anon", "(1)", "attempt",
                     "_assignsubmission_file_", "-", ".", "9", "\u202e", "é", "e\u0301", "É"]), max_size=8
).map("".join)  # fmt: skip


def rows(found):
    """Return what is graded for each student: the files' contents, who it is, and what a person must settle."""
    return {one.student: (contents(one), one.origin, one.doubts) for one in found.submissions}


def contents(one):
    files = one.source()
    return {name: files.read(name) for name in files.names}


def in_canvas(name, file="rnn.ipynb"):
    return {f"{key}_{id}_9000{number}_rnn.ipynb": CONTENT + key.encode()
            for number, (key, (id, _)) in enumerate(PEOPLE.items())} | (
        {f"{name.lower()}_{MALLORY}_91000_{file}": b"hostile"} if name is not None else {})  # fmt: skip


def in_moodle(name):
    files = {
        f"{full}_{id}_assignsubmission_file_/rnn.ipynb": CONTENT + full.encode()
        for id, full in PEOPLE.values()
    }
    return files | (
        {f"{name}_{MALLORY}_assignsubmission_file_/rnn.ipynb": b"hostile"} if name is not None else {}
    )


def in_flat_moodle(name):
    return {path.replace("_/", "_"): content for path, content in in_moodle(name).items()}


def in_gradescope(name):
    people = {str(number): (full, str(id), f"{key}@uni.example")
              for number, (key, (id, full)) in enumerate(PEOPLE.items(), 1)}  # fmt: skip
    files = {f"submission_{id}/rnn.ipynb": CONTENT + id.encode() for id in people}
    if name is not None:
        people["9"] = name, name if len(name) % 2 else "5678", "" if len(name) % 3 else "mallory@uni.example"
        files["submission_9/rnn.ipynb"] = b"hostile"
    entries = {
        f"submission_{id}": {
            ":submitters": [{":name": full, ":sid": sid, ":email": email}],
            ":created_at": f"2027-03-0{id} 10:00:00 Z",
        }
        for id, (full, sid, email) in people.items()
    }
    return files | {"submission_metadata.yml": json.dumps(entries).encode()}


def in_nbgrader(name):
    files = {f"{key}/{SLUG}/{file}": CONTENT + key.encode()
             for key in PEOPLE for file in (f"{SLUG}.ipynb", "timestamp.txt")}  # fmt: skip
    return files | ({f"{name}/{SLUG}/{SLUG}.ipynb": b"hostile"} if name is not None else {})


def in_folders(name):
    files = {f"{key}/rnn.ipynb": CONTENT + key.encode() for key in PEOPLE}
    return files | ({f"{name}/rnn.ipynb": b"hostile"} if name is not None else {})


def in_archives(name):
    files = {f"{key}.zip": zip_files({"rnn.ipynb": CONTENT + key.encode()}) for key in PEOPLE}
    return files | ({f"{name}.zip": zip_files({"rnn.ipynb": b"hostile"})} if name is not None else {})


def in_drive(name):
    files = {f"rnn - {' '.join(reversed(full.split(', ')))}.ipynb": CONTENT + full.encode()
             for _, full in PEOPLE.values()}  # fmt: skip
    return files | ({f"rnn - {name}.ipynb": b"hostile"} if name is not None else {})


PLATFORMS = [
    in_canvas, in_moodle, in_flat_moodle, in_gradescope, in_nbgrader, in_folders, in_archives, in_drive
]  # fmt: skip


def gradebook(platform, name=None):
    """Return a list of the class as the platform gives it, with the hostile name or without."""
    people = dict(PEOPLE) | ({"mallory": (MALLORY, name.strip() or "Mallory")} if name is not None else {})
    if "moodle" in platform.__name__:
        lines = ["Identifier,Full name,Email address,Grade,Maximum Grade"]
        lines += [f'Participant {id},"{full}",{key}@uni.example,,10' for key, (id, full) in people.items()]
    elif "gradescope" in platform.__name__:
        lines = ["Name,SID,Email"]
        lines += [f'"{full}",{id},{key}@uni.example' for key, (id, full) in people.items()]
    else:
        lines = ["Student,ID,SIS Login ID,Section,RNN (7)"]
        lines += [f'"{full}",{id},{key},A,' for key, (id, full) in people.items()]
    return "\n".join(lines) + "\n"


def read(folder, files, roster=""):
    folder.mkdir(exist_ok=True)
    path, table = folder / "class.zip", folder / "roster.csv"
    path.write_bytes(zip_files(files))
    table.write_text(roster, encoding="utf-8")
    return read_cohort(path, SLUG, table if roster else None)


def is_the_same(platform, name, roster):
    """Whether nothing at all tells the two apart: one path, or two of one name in a list where only names are known."""
    before, after = platform(None), platform(name)
    same_path = any(after[path] != before[path] for path in before if not path.endswith(".yml"))
    same_path |= "/" in name and not any(
        word in platform.__name__ for word in ("canvas", "moodle", "gradescope")
    )
    names = [
        line
        for line in roster.splitlines()
        if platform is in_drive and set(split_tokens("Roe Ann")) <= set(split_tokens(line))
    ]
    return same_path or len(names) > 1


def assert_others_keep_their_rows(folder, platform, name, roster):
    """Compare the class with the hostile upload with the class without."""
    if is_the_same(platform, name, roster):
        return
    before = rows(read(folder, platform(None), roster))
    after = rows(read(folder, platform(name), roster))
    assert len(before) == len(PEOPLE)
    changed = {student for student in before if after.get(student) != before[student]}
    claimed = {student for student in changed if after.get(student, ((),))[0] == before[student][0]}
    assert changed == claimed
    for (
        student
    ) in claimed:  # the list of the class fits two: a person decides, and the work is the student's own
        assert roster and after[student][2]


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("listed", ["no list", "list", "list with the name"])
def test_a_hostile_name_changes_no_other_row(tmp_path, platform, listed):
    for name in HOSTILE:
        roster = "" if listed == "no list" else gradebook(platform, name if "with" in listed else None)
        assert_others_keep_their_rows(tmp_path, platform, name, roster)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FUZZ, st.sampled_from(PLATFORMS), st.booleans())
def test_no_name_changes_another_row(tmp_path, name, platform, listed):
    assert_others_keep_their_rows(tmp_path, platform, name, gradebook(platform) if listed else "")


@pytest.mark.parametrize("file", ["rnn.ipynb", "text.html", "91000_rnn.ipynb", "5678_91000_rnn.ipynb"])
@pytest.mark.parametrize("listed", [None, "Mallory, M", "roeann_5678"])
def test_a_file_that_reads_as_two_students_is_given_to_none(tmp_path, file, listed):
    name = "roeann_5678"
    roster = gradebook(in_canvas, listed) if listed else ""
    found = read(tmp_path, in_canvas(name, file), roster)
    whole = f"{name}_{MALLORY}_91000_{file}"
    users = {one.origin.id for one in found.submissions if b"hostile" in contents(one).values()}
    assert users <= {str(MALLORY)}
    assert whole in found.left_out or users
    assert bool(found.doubts) == (whole in found.left_out)


def test_numbers_in_honest_file_names_lose_nothing(tmp_path):
    files = {
        "leeann_1234_98765_rnn_2027_03_05_final.ipynb": b"date",
        "ekbo_1235_98766_lab_3_2_x.ipynb": b"part",
        "itocy_1236_98767_rnn.ipynb": b"",
    }
    found = read(tmp_path, files)
    assert {one.student for one in found.submissions} == {"leeann_1234", "ekbo_1235", "itocy_1236"}
    assert not found.left_out and not found.doubts


def test_the_mark_of_being_late_is_not_escaped_by_a_name(tmp_path):
    files = in_canvas(None) | {"doejane_9_8_LATE_2345_91000_rnn.ipynb": b"late"}
    found = read(tmp_path, files)
    assert [one.origin.late for one in found.submissions if one.origin.name == "doejane_9_8"] == [True]
    found = read(tmp_path, in_canvas(None) | {"late_2345_91000_rnn.ipynb": b"?"})
    assert [one.doubts != () for one in found.submissions if one.origin.name == "late"] == [True]
    roster = gradebook(in_canvas, "Late")
    found = read(tmp_path, in_canvas(None) | {"late_2345_91000_rnn.ipynb": b"?"}, roster)
    assert not any(one.doubts for one in found.submissions)


def test_two_entries_for_one_submission_are_taken_by_none(tmp_path):
    files = in_gradescope("x")
    doubled = files["submission_metadata.yml"].decode().replace('"submission_9"', '"submission_1"')
    found = read(tmp_path, files | {"submission_metadata.yml": doubled.encode()})
    by_id = {one.origin.id: one.origin.name for one in found.submissions}
    assert (by_id["1"], by_id["2"]) == ("", "Ek, Bo")
    assert found.doubts == (
        "submission_metadata.yml has two entries for submission_1: none is taken, find out whose it is.",
    )


def test_being_added_to_a_group_replaces_no_work_unseen(tmp_path):
    text = """
submission_1:
  :submitters: [{":name": Ann Roe, ":sid": '1', ":email": ann@uni.example}]
  :created_at: 2027-03-01 10:00:00 Z
submission_2:
  :submitters:
  - {":name": Ann Roe, ":sid": '1', ":email": ann@uni.example}
  - {":name": Mallory, ":sid": '2', ":email": mallory@uni.example}
  :created_at: 2027-03-02 10:00:00 Z
"""
    files = {
        "submission_1/a.ipynb": b"",
        "submission_2/a.ipynb": b"",
        "submission_metadata.yml": text.encode(),
    }
    found = {one.origin.login: one.doubts for one in read(tmp_path, files).submissions}
    assert found["2"] == () and "different groups (submission_1, submission_2)" in found["1"][0]


def test_drive_gives_a_file_with_two_names_to_nobody(tmp_path):
    files = in_drive(None) | {"Ann Roe - Mallory Em.ipynb": b"", "Ann Roe - mallory.ipynb": b""}
    found = read(tmp_path, files)
    assert len(found.submissions) == 3 and set(found.left_out) == set(files) - set(in_drive(None))
    found = read(tmp_path, files, gradebook(in_canvas, "mallory"))
    assert len(found.submissions) == 3 and "Ann Roe - mallory.ipynb" in found.left_out


def test_a_row_that_two_submissions_claim_is_filled_by_none(tmp_path):
    files = in_folders(None) | {"Roe Ann/rnn.ipynb": b"", "ann roe/rnn.ipynb": b""}
    table = tmp_path / "gradebook.csv"
    table.write_text(gradebook(in_canvas))
    found = read(tmp_path / "c", files, table.read_text())
    marks = [(one.origin, Report(one.student, SLUG, (Score("one", "", 9, False, "scored", 7.0),), "", {},
                                 origin=one.origin)) for one in found.submissions]  # fmt: skip
    filled = canvas.write_grades(read_sheet(table), marks, "RNN")
    assert '"Roe, Ann",5678,roeann,A,\n' in filled.text
    assert sum("another submission" in line for line in filled.untouched) == 2
    assert any("may both be Roe, Ann" in line for line in found.doubts)


def test_no_list_completes_two_with_one_person(tmp_path):
    table = tmp_path / "list.csv"
    table.write_text(gradebook(in_canvas))
    people = read_roster(table)
    found = read(tmp_path / "c", {"roe ann/a.ipynb": b"", "ann roe/a.ipynb": b"", "ek bo/a.ipynb": b""},
                 table.read_text())  # fmt: skip
    by_name = {one.student: one.origin for one in found.submissions}
    assert people.people[1].login == by_name["ek bo"].login == "ekbo"
    assert by_name["ann roe"].login == "" and by_name["roe ann"].login == "roeann"


def test_what_cannot_be_opened_is_still_nobodys_but_the_uploaders(tmp_path):
    found = read(tmp_path, in_archives(None) | {"roeann (1).zip": b"PK broken"})
    broken = {one.student: one for one in found.submissions}["roeann (1)"]
    with pytest.raises(Failure):
        broken.source()
    assert broken.doubts
