"""Failure: the one exception that blames a submission, and the cleaning of text that came out of one."""

import unicodedata

LONGEST = 400  # characters; a message longer than this hides what matters


class Failure(Exception):
    """A submission did not do what an item asks for.

    reason: what was expected and what came, one sentence; hint: what to try next, may be empty.
    Both are cleaned by `plain`, so text quoted from a submission can do no harm in a terminal.
    Any other exception out of an item is the grader's fault, never the student's.
    """

    def __init__(self, reason: str, hint: str = ""):
        self.reason, self.hint = plain(reason), plain(hint)
        super().__init__(f"{self.reason} {self.hint}".strip())


def plain(text: str, longest: int = LONGEST) -> str:
    """`text` on one line, cut at `longest`, without control, bidirectional or surrogate characters."""
    line = " ".join(text[: 4 * longest].split())
    line = "".join(c for c in line if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn"})
    return line if len(line) <= longest else line[: longest - 1] + "…"
