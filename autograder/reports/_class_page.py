"""`index.html`, the page on which a TA sees a class, and `times.html`, which tells how long a run took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from autograder.reports._analysis import LEAST, broken_items, distribution, item_table, loss_causes
from autograder.reports._plots import histogram_svg, percent
from autograder.reports._student_page import STATUS
from autograder.reports._templates import asset, content_policy, render
from autograder.reports._text import first_loss
from autograder.rubric import Report

SLOWEST = 8
MAX_RARE = 5  # causes that one student each met, and that are shown without a click


@dataclass(frozen=True)
class Timing:
    """How long one item of one student took, in seconds; `kept` where an earlier run's score was taken over."""

    student: str
    item: str
    seconds: float
    kept: bool = False


def class_html(
    reports: Sequence[Report],
    left_out: Mapping[str, str],
    folders: Mapping[str, str],
    title: str = "",
    told: Sequence[str] = (),
) -> str:
    """Return the class as one page; the same arguments give the same bytes.

    left_out: files that were not taken, with the reason. folders: the name, as it is on disk, of the folder beside
    the page that holds a student's report.html; one who is not in it gets no link. title: the assignment's. told:
    what a TA should know of the class, a line each.
    """
    reports = sorted(reports, key=lambda report: report.student)
    style, script = asset("scores.css", "page.css"), asset("class.js")
    values = {
        "reports": reports,
        "title": title or (reports[0].assignment.replace("_", " ") if reports else "No submission"),
        "names": {report.student: report.origin.name or report.student for report in reports},
        "ids": identities(reports),
        "links": report_links(folders),
        "told": told,
        "style": style,
        "script": script,
        "policy": content_policy(style, script, frames=True),
        **class_head(reports),
        **open_tasks(reports, left_out),
        **class_marks(reports),
    }
    return str(render("class.html", **values))


def times_html(took: Sequence[Timing], folders: Mapping[str, str]) -> str:
    """Return what was run and what was kept, and what took longest; index.html shows it in a frame."""
    import pandas as pd

    style = asset("scores.css", "page.css")
    table = pd.DataFrame(took, columns=list(Timing.__dataclass_fields__))
    table = table.astype({"seconds": float, "kept": bool})
    run = table[~table.kept]
    students = run.groupby("student").seconds.sum()
    items = run[run["item"] != ""].groupby("item").seconds.mean()
    values = {
        "run": len(run),
        "kept": len(table) - len(run),
        "seconds": float(run.seconds.sum()),
        "students": list(students.nlargest(SLOWEST).items()),
        "items": [(name.replace("_", " "), mean) for name, mean in items.nlargest(SLOWEST).items()],
        "links": report_links(folders),
    }
    return str(render("times.html", style=style, policy=content_policy(style), **values))


def report_links(folders: Mapping[str, str]) -> dict[str, str]:
    """Return the address of each student's report, which no name can turn into another kind of address."""
    return {
        student: f"./{quote(folder, safe='', errors='replace')}/report.html"
        for student, folder in folders.items()
    }


def identities(reports: Sequence[Report]) -> dict[str, str]:
    """Return what distinguishes students of one name: the platform's id, else the folder's name."""
    ids = {report.student: report.origin.id or report.student for report in reports}
    named = (report.origin.name or report.student for report in reports)
    return {} if list(ids.values()) == list(named) else ids


def class_head(reports: Sequence[Report]) -> dict:
    """Return what the reports rest on: sentences on the data, and versions; several where the reports differ."""
    versions: dict[str, dict[str, None]] = {}
    for report in reports:
        for name, version in report.versions.items():
            versions.setdefault(name, {})[version] = None
    possible = max((report.possible for report in reports), default=0)
    return {
        "data": list(dict.fromkeys(report.data for report in reports)),
        "versions": {name: list(values) for name, values in versions.items()},
        "possible": f"{possible:g}",
    }


def open_tasks(reports: Sequence[Report], left_out: Mapping[str, str]) -> dict:
    """Return what waits for the TA: doubts, broken items, answers to read, files that were not understood."""
    reasons: dict[str, list[str]] = {}
    for path, reason in sorted(left_out.items()):
        reasons.setdefault(reason, []).append(path)
    doubts: dict[str, list[str]] = {}
    awaiting_review: dict[str, list[str]] = {}
    for report in reports:
        for doubt in report.doubts:
            doubts.setdefault(doubt, []).append(report.student)
        for score in (score for score in report.scores if score.outcome == "awaiting review"):
            awaiting_review.setdefault(score.text, []).append(report.student)
    return {
        "needs": sum(report.status == "needs a person" for report in reports),
        "doubts": doubts,
        "broken": broken_items(reports),
        "awaiting_review": awaiting_review,
        "students_awaiting_review": len(
            {student for students in awaiting_review.values() for student in students}
        ),
        "left_out": len(left_out),
        "reasons": reasons,
    }


def class_marks(reports: Sequence[Report]) -> dict:
    """Return what the class earned: the distribution, the items, the causes of lost points, the students."""
    found = distribution(reports) if reports else None
    why = loss_causes(reports)
    rare = [cause for cause in why if len(cause.students) == 1]
    folded = rare if len(rare) > MAX_RARE else []  # sorted last, since the most frequent come first
    return {
        "found": found,
        "histogram": histogram_svg(found) if found else "",
        "items": list(item_table(reports).itertuples()) if reports else [],
        "causes": why[: len(why) - len(folded)],
        "rare": folded,
        "least": LEAST,
        "percent": percent,
        "status": STATUS,
        "first_loss": first_loss,
        "adjusted": adjustment_rows,
    }


def adjustment_rows(report: Report) -> float:
    """All adjustments of a report together."""
    return round(sum(adjustment.points for adjustment in report.adjustments), 2)
