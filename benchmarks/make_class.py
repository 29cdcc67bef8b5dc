"""A made-up class: what a platform gives a TA after the deadline, built from an assignment's test submissions.

python benchmarks/make_class.py FOLDER [--students 300] [--assignment rnn_by_hand] [--seed 0] [--distinct]

Writes `canvas.zip` with `canvas_gradebook.csv`, `moodle.zip` with `moodle_worksheet.csv` (the same class twice),
and `truth.csv`: which test submission each student handed in, in which form, and the marks that it is known to earn
without the answers that a person reads. Equal arguments give equal bytes. Each notebook is signed anew, and what
depends on the signature is answered anew: rightly where the test submission did, by a usual mistake where it did that.
With --distinct each model's weights differ from the test submission's by a millionth, as no two trainings are equal.
"""

import argparse
import csv
import io
import json
import re
import tomllib
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np

from autograder.authoring import _concepts as authoring
from autograder.authoring import read_cells
from autograder.authoring.verify._layout import PERFECT, STARTER
from autograder.authoring.verify._test_submissions import AWAITING_REVIEW, KNOWN, list_test_submissions
from autograder.core import Assignment, Course, escape_formula, find_course, load_module
from autograder.core._csv import BYTE_ORDER_MARK
from autograder.rubric import read_rubric
from autograder.submissions import zip_files

# Given and family names, each as it is written and, after a colon, as a login spells it where the two differ much.
PEOPLE = {
    "Latin": (
        "Zoë Chloé Łukasz Søren Ann José Ümit Ğülay",
        "Müller Åkesson Đorđević Nuñez Lee Žižek Öztürk İnan",
    ),
    "Vietnamese": ("Thị_Ánh Văn_Đức Ngọc Thuỷ", "Nguyễn Trần Đặng Phạm"),
    "Cyrillic": (
        "Анна:anna Юрій:yuriy Ольга:olga Борис:boris",
        "Иванова:ivanova Шевченко:shevchenko Ђокић:djokic",
    ),
    "Greek": ("Ελένη:eleni Νίκος:nikos Ζωή:zoi", "Παπαδοπούλου:papadopoulou Γεωργίου:georgiou"),
    "Arabic": ("محمد:mohammed فاطمة:fatima ليلى:layla", "الخطيب:alkhatib حدّاد:haddad منصور:mansour"),
    "Hebrew": ("נועה:noa דוד:david שירה:shira", "כהן:cohen לוי:levi בן־דוד:bendavid"),
    "Chinese": ("伟:wei 秀英:xiuying 芳:fang 小明:xiaoming", "张:zhang 王:wang 欧阳:ouyang"),
    "Japanese": ("さくら:sakura 健太:kenta ユイ:yui", "佐藤:sato 鈴木:suzuki 髙橋:takahashi"),
    "Korean": ("민준:minjun 서연:seoyeon 지우:jiwoo", "김:kim 이:yi 박:park"),
    "Devanagari": ("अनन्या:ananya राहुल:rahul प्रिया:priya", "शर्मा:sharma सिंह:singh गुप्ता:gupta"),
    "Thai": ("สมชาย:somchai มาลี:malee กมล:kamon", "ใจดี:jaidee ศรีสุข:srisuk"),
    "Amharic": ("ሰላም:selam አበበ:abebe ሄለን:helen", "ተስፋዬ:tesfaye ከበደ:kebede"),
    "Georgian": ("ნინო:nino გიორგი:giorgi", "ბერიძე:beridze კაპანაძე:kapanadze"),
    "Tamil": ("கமலா:kamala முருகன்:murugan", "இராமன்:raman செல்வி:selvi"),
}
# Given name, family name, login: those that tables, file names and signatures stumble over.
AWKWARD = [
    ("Ann", "Lee", "ann.lee"), ("Ann", "Lee", "ann.lee2"),
    ("伟", "张", "wei.zhang"), ("伟", "张", "wei.zhang88"),
    ("Seán", "O'Brien", "sean.obrien"), ("=1+1", "Cell", "one.cell"), ("", "@SUM(A1)", "sum.a1"),
    ("+49", "Telefon", "telefon49"), ("-2", "Minus", "minus.two"), ('=HYPERLINK("x","y")', "Link", "h.link"),
    ("Sammy, Jr.", "Davis", "sammy.davis"), ("Renée “Ren”", "de la Cruz-Ólafsdóttir", "r.delacruz"),
    ("Con", "Aux", "con.aux"), ("Robert'); DROP TABLE Students;--", "Tables", "bobby.tables"),
    ("<b>Mark</b>", "Up", "mark.up"), ("علي", "O'Neil", "ali.oneil"), ("X Æ A-12", "Void", "void.x"),
    ("Anna_77_Maria", "Under_Score", "anna.under"),
]  # fmt: skip
CELLS = (
    "functions",
    "definitions",
    "work",
)  # what makes a test submission's notebook, by its name in the several make.py
FORMS = {
    "files": 42, "zip": 24, "zip with a folder": 10, "files saved again": 6, "two attempts": 4, "zip from a Mac": 5,
    "zip from Windows": 4, "zip in a zip": 3, "cut off zip": 1, "cut off notebook": 1,
}  # fmt: skip
SPOILT = {"cut off zip", "cut off notebook"}
MAC = ("__MACOSX/._work.ipynb", "__MACOSX/work/._counter.keras", ".DS_Store", "work/.DS_Store", "._.DS_Store")
WINDOWS = ("Thumbs.db", "desktop.ini", "~$report.docx", "work/Thumbs.db")
TYPED = (
    "text entry"  # in place of a form: nothing was uploaded, something was written into the platform's box
)
COLUMNS = (
    "canvas", "moodle", "name", "login", "signature", "test submission", "form", "late", "least", "most"
)  # fmt: skip
LATE, ABSENT = 0.08, 0.03  # shares of the class
WORD = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Pc"}
UNSAFE = re.compile(r"[\x00/\\:*?\"<>|]+")
SIGNED = re.compile(r'(?m)^STUDENT = "[^"]*"')
DEFINES = re.compile(r"(?m)^(?:def )?(\w+)(?: = |\()")


@dataclass(frozen=True)
class Person:
    """One of the class, as both platforms know them; nothing was handed in where there is no test submission."""

    given: str
    family: str
    login: str
    signature: str
    canvas: int
    moodle: int
    test_submission: str
    form: str
    submitted: datetime | None
    late: bool

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}".strip()

    @property
    def sortable(self) -> str:
        return f"{self.family}, {self.given}" if self.given else self.family


def main() -> None:
    arguments = parse()
    assignment = find_course(Path(__file__)).assignment(arguments.assignment)
    rng = np.random.Generator(np.random.PCG64(arguments.seed))
    people = enrolled(assignment, arguments.students, rng)
    notebooks = Resigned(assignment)
    handed_in = {
        person.login: handed_in_by(person, assignment, notebooks, arguments.distinct)
        for person in people
        if person.test_submission
    }
    arguments.folder.mkdir(parents=True, exist_ok=True)
    made = canvas(people, handed_in, find_course(Path(__file__)), assignment) | moodle(
        people, handed_in, assignment
    )
    made["truth.csv"] = truth(people, assignment, notebooks.unsure)
    for name, content in made.items():
        (arguments.folder / name).write_bytes(content)
    print(f"{arguments.folder}: {len(handed_in)} submissions of {len(people)} students, {', '.join(made)}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--students", type=int, default=300, help="who handed in")
    parser.add_argument("--assignment", default="rnn_by_hand")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--distinct", action="store_true", help="no two students' weights are equal to the bit"
    )
    return parser.parse_args()


# --- who is in the class


def enrolled(assignment: Assignment, handed_in: int, rng: np.random.Generator) -> list[Person]:
    """Return the class: so many who handed in, and a few who did not, in the order of their Canvas ids."""
    absent = max(1, round(ABSENT * handed_in))
    names = full_names(handed_in + absent, rng)
    canvas_ids = draw_ids(1_200, 90_000, len(names), rng)
    moodle_ids = draw_ids(310_000, 390_000, len(names), rng)
    known = [name for name in list_test_submissions(assignment) if name not in (PERFECT, STARTER)]
    forms = rng.choice(list(FORMS), len(names), p=np.array(list(FORMS.values())) / sum(FORMS.values()))
    forms = [TYPED if place == 5 else str(form) for place, form in enumerate(forms)]  # one of any class
    people = []
    for place, (given, family, login) in enumerate(names):
        absence = place >= handed_in
        drawn = rng.choice([PERFECT, STARTER, "any"], p=[0.25, 0.02, 0.73])
        test_submission = str(drawn if drawn != "any" else rng.choice(known))
        late = bool(rng.random() < LATE) and not absence
        people.append(
            Person(
                given, family, login, signature(given, family, login, place), canvas_ids[place],
                moodle_ids[place], "" if absence else test_submission, "" if absence else forms[place],
                None if absence else when(assignment, late, rng), late,
            )
        )  # fmt: skip
    return sorted(people, key=lambda person: person.canvas)


def draw_ids(least: int, most: int, count: int, rng: np.random.Generator) -> list[int]:
    return [int(number) for number in rng.choice(np.arange(least, most), count, replace=False)]


def when(assignment: Assignment, late: bool, rng: np.random.Generator) -> datetime:
    """When one handed in: in the week before the assignment is due, or in the three days after."""
    due = datetime.fromisoformat(str(assignment.due))
    minutes = int(rng.integers(2, 3 * 24 * 60)) if late else -int(rng.integers(1, 7 * 24 * 60))
    return due.replace(second=0) + timedelta(minutes=minutes)


def full_names(count: int, rng: np.random.Generator) -> list[tuple[str, str, str]]:
    """Given name, family name and login of so many people, the awkward ones among them, in a drawn order."""
    found, taken = list(AWKWARD[: count // 2]), Counter(login for *_, login in AWKWARD)
    scripts = list(PEOPLE)
    while len(found) < count:
        given, family = (
            str(rng.choice(names.split())) for names in PEOPLE[scripts[len(found) % len(scripts)]]
        )
        login = f"{spelled(given)}.{spelled(family)}"
        taken[login] += 1
        number = taken[login] if taken[login] > 1 else ""
        found.append((written(given), written(family), f"{login}{number}"))
    return [found[place] for place in rng.permutation(count)]


def written(name: str) -> str:
    return name.partition(":")[0].replace("_", " ")


def spelled(name: str) -> str:
    """How a login spells a name: small ASCII letters."""
    latin = (name.partition(":")[2] or name).translate(str.maketrans("ŁłĐđØøİı", "LlDdOoIi"))
    return "".join(c for c in unicodedata.normalize("NFKD", latin).lower() if c.isascii() and c.isalnum())


def signature(given: str, family: str, login: str, place: int) -> str:
    """How one signs the notebook: with the login, or, a seventh of the class, with the name where it is one."""
    plain = all(part.replace(" ", "").isalpha() for part in (given, family))
    return f"{given} {family}" if plain and place % 7 == 3 else login


# --- what each of them hands in


class Resigned:
    """The notebooks of an assignment's test submissions, signed by someone else, with the same answers."""

    def __init__(self, assignment: Assignment):
        self.assignment = assignment
        self._make = load_module(assignment.test_submissions / "make.py")
        self._make.cells = authoring.cells = cache(read_cells)  # or the reference is parsed a thousand times
        self._known = {}
        self.unsure = set()  # test submissions whose marks may be others where someone else has signed
        several = (self._by_name(name) for name in ("ann.lee", "wei.zhang", "perfect"))
        ours, *others = several
        constants = {defined(cell) for cell in self._make.answers("ann.lee") if isinstance(cell, str)}
        differing = {name for name, cell in ours.items() if any(other[name] != cell for other in others)}
        self._personal = constants | differing - {"STUDENT"}

    def files(self, test_submission: str, name: str) -> dict[str, bytes]:
        """Return the test submission's files by name, the notebook signed with `name`."""
        folder = self.assignment.test_submissions / test_submission
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != KNOWN}
        for file in (file for file in files if file.endswith(".ipynb")):
            with suppress(ValueError):  # one that no editor could read is handed in as it is
                files[file] = self._signed(json.loads(files[file]), test_submission, name)
        return files

    def _signed(self, notebook: dict, test_submission: str, name: str) -> bytes:
        answers = self._answers(test_submission, name)
        for one in (one for one in notebook["cells"] if one["cell_type"] == "code"):
            source = "".join(one["source"])
            if test_submission == PERFECT and defined(source) in self._personal:
                source = self._by_name(name)[defined(source)]
            else:
                self.unsure |= (
                    {test_submission}
                    if defined(source) in self._personal and source not in answers
                    else set()
                )
                source = answers.get(source, source)
            one["source"] = SIGNED.sub(lambda _: f'STUDENT = "{name}"', source).splitlines(keepends=True)
        return json.dumps(notebook, indent=1, ensure_ascii=False).encode() + b"\n"

    def _answers(self, test_submission: str, name: str) -> dict[str, str]:
        """Return the cells that `name` writes where the test submission has these: right ones, and usual mistakes."""
        pairs = {}
        for guessed in (True, False):
            pairs |= dict(zip(self._cells(test_submission, guessed), self._cells(name, guessed), strict=True))
        return {old: new for old, new in pairs.items() if defined(old) in self._personal}

    def _by_name(self, name: str) -> dict[str, str]:
        return {defined(cell): cell for cell in self._cells(name, False)}

    def _cells(self, name: str, guessed: bool) -> list[str]:
        """Return the code cells of a test submission of this name: its functions, then its answers."""
        if (name, guessed) not in self._known:
            functions = next(getattr(self._make, kind) for kind in CELLS if hasattr(self._make, kind))
            made = [*functions(name), *self._make.answers(name, guessed=guessed)]
            self._known[name, guessed] = [cell.strip() for cell in made if isinstance(cell, str)]
        return self._known[name, guessed]


def defined(source: str) -> str:
    """Return the function or the constant that a cell of code begins with."""
    found = DEFINES.match(source)
    return found[1] if found else ""


def handed_in_by(
    person: Person, assignment: Assignment, notebooks: Resigned, distinct: bool
) -> dict[str, bytes]:
    """Return the files as they are uploaded, by name; of someone who typed a text, that text."""
    if person.form == TYPED:
        return {"": f"<p>Dear TA, I could not upload it. {person.login}</p>".encode()}
    files = notebooks.files(person.test_submission, person.signature)
    if distinct:
        files = {
            name: jittered(data, person.canvas) if name.endswith(".keras") else data
            for name, data in files.items()
        }
    return uploaded(files, person.form, assignment.slug)


def jittered(model: bytes, seed: int, share: float = 1e-6) -> bytes:
    """Return the same model with weights that differ by up to this share; as it came where it is no whole model."""
    import h5py  # here, because a class is made without it unless weights must differ

    rng = np.random.default_rng(seed)
    with suppress(OSError, KeyError, ValueError, zipfile.BadZipFile):
        with zipfile.ZipFile(io.BytesIO(model)) as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
        weights = io.BytesIO(entries["model.weights.h5"])
        with h5py.File(weights, "r+") as file:
            file.visititems(
                lambda _, node: jitter(node, rng, share) if isinstance(node, h5py.Dataset) else None
            )
        return zip_files(entries | {"model.weights.h5": weights.getvalue()})
    return model


def jitter(weights, rng: np.random.Generator, share: float) -> None:
    if weights.dtype.kind == "f" and weights.size:
        weights[...] = weights[()] * (1 + share * rng.uniform(-1, 1, weights.shape))


def uploaded(files: dict[str, bytes], form: str, slug: str) -> dict[str, bytes]:
    """Return the files in the form in which they are handed in."""
    archive = f"{slug}.zip"
    if form == "files saved again":
        return {again(name, 1): data for name, data in files.items()}
    if form == "two attempts":
        return two_attempts(files)
    if form == "cut off notebook":
        return {n: data[: len(data) // 2] if n.endswith(".ipynb") else data for n, data in files.items()}
    made = {
        "files": lambda: files,
        "zip": lambda: {archive: zip_files(files)},
        "zip with a folder": lambda: {archive: zip_files(under("my work", files))},
        "zip from a Mac": lambda: {archive: zip_files(under("work", files) | litter(MAC))},
        "zip from Windows": lambda: {archive: zip_files(files | litter(WINDOWS))},
        "zip in a zip": lambda: {archive: zip_files({f"final/{archive}": zip_files(files)})},
        "cut off zip": lambda: {archive: zip_files(files)[:-200]},
    }
    return made[form]()


def two_attempts(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the notebook twice: an empty first attempt, and the one that counts."""
    empty = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
    notebooks = [name for name in files if name.endswith(".ipynb")]
    others = {name: data for name, data in files.items() if name not in notebooks}
    first = {again(name, 1): empty for name in notebooks}
    return others | first | {again(name, 2): files[name] for name in notebooks}


def again(name: str, number: int) -> str:
    """Return the name that a browser gives the next copy of a file."""
    return f"{Path(name).stem} ({number}){Path(name).suffix}"


def under(folder: str, files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{folder}/{name}": data for name, data in files.items()}


def litter(names: Iterable[str]) -> dict[str, bytes]:
    return dict.fromkeys(names, b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        ")


# --- Canvas: lib/content_zipper.rb and lib/gradebook_exporter.rb of canvas-lms


def canvas(people: list[Person], handed_in: dict, course: Course, assignment: Assignment) -> dict[str, bytes]:
    """`canvas.zip` and `canvas_gradebook.csv`."""
    files, attachment = {}, 500_000
    for person in (person for person in people if person.login in handed_in):
        for name, data in sorted(handed_in[person.login].items()):
            attachment += 7
            files[canvas_name(person, attachment, name)] = data
    return {
        "canvas.zip": zip_files(files),
        "canvas_gradebook.csv": gradebook(people, course, assignment).encode(),
    }


def canvas_name(person: Person, attachment: int, file: str) -> str:
    """Return the name of a file in the zip; no file stands for a text that was typed in."""
    name = word_characters(re.sub(r"_(\d+)_", r"\1", person.sortable).lower())
    prefix = "_".join(filter(None, [name, "LATE" if person.late else "", str(person.canvas)]))
    return f"{prefix}_{attachment}_{UNSAFE.sub('_', file)}" if file else f"{prefix}_text.html"


def word_characters(name: str) -> str:
    """Return what Ruby's `[[:word:]]` leaves of a name: letters, marks, digits, and connectors such as `_`."""
    return "".join(c for c in name if unicodedata.category(c) in WORD)


def gradebook(people: list[Person], course: Course, assignment: Assignment) -> str:
    """Return the gradebook as Canvas exports it: the other assignments too, and totals that it alone computes."""
    columns = [f"{one.title} ({41_000 + place})" for place, one in enumerate(course.assignments)]
    scores = ["Current Score", "Unposted Current Score", "Final Score", "Unposted Final Score"]
    points = [f"{one.points:.2f}" for one in course.assignments]
    rows = [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *columns, *scores],
        ["    Points Possible", "", "", "", "", *points, *["(read only)"] * len(scores)],
    ]
    for person in sorted(people, key=lambda person: person.sortable.casefold()):
        known = [person.sortable, person.canvas, f"S{person.canvas:07d}", person.login, "RNN 101"]
        rows.append([*known, *[""] * (len(columns) + len(scores))])
    rows.append(["Student, Test", 99_999, "", "f3a1c0ffee", "RNN 101", *[""] * (len(columns) + len(scores))])
    return table(rows)


# --- Moodle: mod/assign/locallib.php (download_submissions) and feedback/offline


def moodle(people: list[Person], handed_in: dict, assignment: Assignment) -> dict[str, bytes]:
    """`moodle.zip` and `moodle_worksheet.csv`."""
    files = {}
    for person in (person for person in people if person.login in handed_in):
        for name, data in handed_in[person.login].items():
            files[moodle_name(person, name)] = data
    return {"moodle.zip": zip_files(files), "moodle_worksheet.csv": worksheet(people, assignment).encode()}


def moodle_name(person: Person, file: str) -> str:
    name = re.sub(r"[\x00-\x1f\x7f&<>\"`|':\\/]", "", person.name.replace("_", " "))
    kind, file = ("file", file) if file else ("onlinetext", "onlinetext.html")
    return f"{name}_{person.moodle}_assignsubmission_{kind}/{file}"


def worksheet(people: list[Person], assignment: Assignment) -> str:
    """Return the offline grading worksheet, in English."""
    header = [
        "Identifier", "Full name", "Email address", "Status", "Grade", "Maximum Grade", "Grade can be changed",
        "Last modified (submission)", "Last modified (grade)", "Feedback comments",
    ]  # fmt: skip
    rows = [header]
    # Moodle skips a mark above its maximum: who gives bonus points has to make room for them.
    maximum = f"{sum(item.points for item in read_rubric(assignment.rubric)):.2f}"
    for person in sorted(people, key=lambda person: person.moodle):
        status = "Submitted for grading - " if person.test_submission else "No submission - "
        mail = f"{person.login}@students.example.org"
        time = spoken(person.submitted) if person.submitted else "-"
        rows.append(
            [f"Participant {person.moodle}", person.name, mail, status, "", maximum, "Yes", time, "-", ""]
        )
    return BYTE_ORDER_MARK + table(rows, quoted=' \t,"\r\n')


def spoken(time: datetime) -> str:
    """Return a time as Moodle writes it for people: Friday, 5 March 2027, 11:59 PM."""
    return f"{time:%A}, {time.day} {time:%B %Y}, {time:%I:%M %p}"


# --- tables


def table(rows: Iterable[Iterable], quoted: str = ',"\r\n') -> str:
    """CSV with quotes around the cells that hold one of these characters."""

    def text(value) -> str:
        value = str(value)
        return '"' + value.replace('"', '""') + '"' if any(c in value for c in quoted) else value

    return "".join(",".join(map(text, row)) + "\n" for row in rows)


def truth(people: list[Person], assignment: Assignment, unsure: set[str]) -> bytes:
    """Who handed in what, and the least and the most that it earns without the answers that a person reads."""
    text, items = io.StringIO(), read_rubric(assignment.rubric)
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    points = {item.__name__: item.points for item in items}
    for person in people:
        marks = (
            known_marks(assignment, person, points)
            if person.test_submission not in unsure | {""}
            else ("", "")
        )
        known = person.name, person.login, person.signature
        late = "late" if person.late else ""
        lines.writerow(
            [
                person.canvas,
                person.moodle,
                *map(escape_formula, known),
                person.test_submission,
                person.form,
                late,
                *marks,
            ]
        )
    return text.getvalue().encode()


def known_marks(
    assignment: Assignment, person: Person, points: dict[str, float]
) -> tuple[float | str, float | str]:
    """Return the marks that the test submission's `expected.toml` promises; none for what was spoilt on the way."""
    if person.form in SPOILT or person.form == TYPED:
        return "", ""
    known, perfect = (
        tomllib.loads((assignment.test_submissions / name / KNOWN).read_text(encoding="utf-8"))
        for name in (person.test_submission, PERFECT)
    )
    read = {name for name, mark in perfect["marks"].items() if mark == AWAITING_REVIEW}
    marks = (points if known.get("others") == "full" else {}) | known.get("marks", {})
    counted = [
        mark for name, mark in marks.items() if mark != AWAITING_REVIEW and not (name in read and mark)
    ]
    spans = [mark if isinstance(mark, list) else [mark, mark] for mark in counted]
    return sum(least for least, _ in spans), sum(most for _, most in spans)


if __name__ == "__main__":
    main()
