"""Reports as text, HTML, CSV, JSON and for Gradescope, each a function of the same `autograder.rubric.Report`."""

from autograder.reports._class_page import Timing, class_html, times_html
from autograder.reports._csv import NOT_GRADED, grades_csv, left_out_csv
from autograder.reports._gradescope import results_json
from autograder.reports._progress import Progress
from autograder.reports._serialization import json_text, read_report, read_score, report_json, score_record
from autograder.reports._student_page import report_html, section_html
from autograder.reports._templates import asset, content_policy, environment
from autograder.reports._text import class_lines, class_table, render_text, section_report, student_report

__all__ = [
    "NOT_GRADED",
    "Progress",
    "Timing",
    "asset",
    "class_html",
    "class_lines",
    "class_table",
    "content_policy",
    "environment",
    "grades_csv",
    "json_text",
    "left_out_csv",
    "read_report",
    "read_score",
    "report_html",
    "report_json",
    "results_json",
    "render_text",
    "score_record",
    "section_html",
    "section_report",
    "student_report",
    "times_html",
]
