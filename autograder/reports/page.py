"""`report.html`: the page a student opens; plain HTML, no script, no network, light and dark."""

from jinja2 import Environment, PackageLoader

from autograder.reports.text import points, total
from autograder.rubric import Report


def report_html(report: Report) -> str:
    """The report as one HTML page; every text of the submission is escaped."""
    environment = Environment(
        loader=PackageLoader("autograder.reports", "."), autoescape=True, trim_blocks=True
    )
    return environment.get_template("page.html").render(report=report, points=points, total=total)
