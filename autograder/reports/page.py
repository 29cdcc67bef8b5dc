"""`report.html`, the page a student opens, and its table alone for a notebook: no script, no network."""

from jinja2 import Environment, PackageLoader

from autograder.reports.text import points, total
from autograder.rubric import Report


def report_html(report: Report) -> str:
    """The report as one HTML page; every text of the submission is escaped."""
    return _filled("page.html", report=report)


def section_html(section: str, report: Report) -> str:
    """The scores of a section as a piece of HTML, escaped likewise."""
    return _filled("section.html", report=report, section=section)


def _filled(template: str, **values) -> str:
    environment = Environment(
        loader=PackageLoader("autograder.reports", "."), autoescape=True, trim_blocks=True
    )
    return environment.get_template(template).render(points=points, total=total, **values)
