"""`integrity.html` and `integrity.csv`: what a person reads about submissions that are alike; no script, no network."""

from importlib.resources import files

from jinja2 import ChoiceLoader, PackageLoader
from markupsafe import Markup

from autograder.core import csv_text, escape_formula, sanitize
from autograder.reports import asset, content_policy, environment
from autograder.similarity._evidence import STRENGTHS, Finding, Findings
from autograder.similarity._permutations import MAX_UNITS
from autograder.similarity._weights import MAX_ALIGNED

MAX_SHOWN = 300  # findings on the page; all are in the table
MAX_PASSAGES, MAX_LINES = 8, 40
COLUMNS = ["strength", "kind", "first", "second", "measure", "says", "reading"]


def integrity_html(findings: Findings) -> str:
    """Return the findings as one HTML page; every text of a submission is escaped."""
    style = asset("page.css") + Markup(
        files(__package__).joinpath("integrity.css").read_text(encoding="utf-8")
    )
    pages = environment()
    loaders = [PackageLoader("autograder.similarity", "."), *filter(None, [pages.loader])]
    template = pages.overlay(loader=ChoiceLoader(loaders)).get_template("integrity.html")
    shown = findings.found[:MAX_SHOWN]
    groups = [
        (strength, [finding for finding in shown if finding.strength == strength]) for strength in STRENGTHS
    ]
    return template.render(
        findings=findings, groups=[group for group in groups if group[1]], shown=len(shown), style=style,
        policy=content_policy(style), sides=sides, max_units=MAX_UNITS, max_aligned=MAX_ALIGNED,
        more=lambda finding: max(0, len(finding.passages) - MAX_PASSAGES),
    )  # fmt: skip


def integrity_csv(findings: Findings) -> str:
    """Return the findings as a table, the strongest first; no cell is run as a formula."""
    rows = [
        {
            name: f"{finding.measure:.4f}"
            if name == "measure"
            else escape_formula(sanitize(getattr(finding, name)))
            for name in COLUMNS
        }
        for finding in findings.found
    ]
    return csv_text(COLUMNS, rows)


def sides(finding: Finding) -> list[tuple]:
    """Return the passages that are shown: the number of the first line and the lines, of either."""
    return [
        ((passage.first, clip_passage(passage.mine)), (passage.second, clip_passage(passage.other)))
        for passage in finding.passages[:MAX_PASSAGES]
    ]


def clip_passage(lines: tuple[str, ...]) -> str:
    rest = len(lines) - MAX_LINES
    shown = [line[:200] for line in lines[:MAX_LINES]]
    return "\n".join([*shown, f"… {rest} more lines"] if rest > 0 else shown)
