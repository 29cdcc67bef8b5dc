"""Integrity: which submissions are so alike that a person should look. Lists with evidence, never a mark.

Works are read (work), models are compared by their weights (units, alignment, weights) and by single arrays of these
(arrays), tables by their rows (tables), notebooks by their code, words and cells (code); what is found is graded by
how strongly it speaks (evidence) and shown (page).
"""

from autograder.similarity._compare import compare
from autograder.similarity._page import integrity_csv, integrity_html

__all__ = [
    "compare",
    "integrity_csv",
    "integrity_html",
]
