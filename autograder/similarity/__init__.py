"""Find submissions that are so alike that a person should look. Findings are evidence, never a mark.

Submissions are read (`_submissions`); models are compared by their weights, reordered units included (`_weights`,
`_permutations`, `_matching`, `_arrays`), tables by their rows (`_tables`), notebooks by their code, words and cells
(`_code`). `_evidence` says how strong each finding is, `_page` shows it.
"""

from autograder.similarity._compare import compare
from autograder.similarity._page import integrity_csv, integrity_html

__all__ = [
    "compare",
    "integrity_csv",
    "integrity_html",
]
