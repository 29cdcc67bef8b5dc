"""`report.html`, the page a student opens, and its table alone for a notebook: no script, no network."""

from datetime import datetime

from autograder.reports._plots import figure_html, strip_svg
from autograder.reports._templates import asset, content_policy, render
from autograder.reports._text import points_text, total_line
from autograder.rubric import Report, Score

STATUS = {"graded": "full", "incomplete": "part", "awaiting review": "part", "needs a person": "none"}


def report_html(report: Report, title: str = "") -> str:
    """Return the report as one HTML page; every text of the submission is escaped. title: the assignment's."""
    style = asset("scores.css", "page.css")
    values = {
        "title": title or report.assignment.replace("_", " "),
        "name": report.origin.name or report.student,
        "submitted": time_text(report.origin.submitted),
        "strip": strip_svg(report.scores),
    }
    page = render("page.html", style=style, policy=content_policy(style), **template_values(report), **values)
    return str(page)


def section_html(section: str, report: Report) -> str:
    """Return the scores of a section as a piece of HTML for a notebook, escaped likewise."""
    return str(render("section.html", section=section, style=asset("scores.css"), **template_values(report)))


def template_values(report: Report) -> dict:
    """Return what the templates of a report use."""
    return {
        "report": report,
        "points": points_text,
        "total": total_line,
        "grade": grade_class,
        "figure_html": figure_html,
        "status": STATUS,
    }


def grade_class(score: Score) -> str:
    """Return the class of a score's mark: "full", "part", "none", or "open" where nothing is decided."""
    if score.earned is None:
        return "open"
    return "full" if score.is_full else "part" if score.earned else "none"


def time_text(submitted: str) -> str:
    """Return a time as people read it, "5 March 2027, 23:59:00 UTC+01:00"; a text that is no time as it is."""
    try:
        time = datetime.fromisoformat(submitted)
    except ValueError:
        return submitted
    return f"{time.day} {time:%B %Y, %H:%M:%S} {time.tzname() or ''}".strip()
