"""The exceptions of items, and the cleaning of text that comes from a submission."""

import unicodedata

MAX_MESSAGE = 400  # characters; a message longer than this hides what matters


class Failure(Exception):
    """A submission did not do what an item asks for.

    reason: what was expected and what came, one sentence; hint: what to try next, may be empty.
    Both are cleaned by `sanitize`, so text quoted from a submission can do no harm in a terminal.
    Any other exception out of an item is the grader's fault, never the student's.
    """

    def __init__(self, reason: str, hint: str = ""):
        self.reason, self.hint = sanitize(reason), sanitize(hint)
        super().__init__(f"{self.reason} {self.hint}".strip())

    def __reduce__(self) -> tuple[type["Failure"], tuple[str, str]]:
        return type(self), (self.reason, self.hint)  # as one text, a hint would become part of the reason


class NeedsReview(Exception):
    """An item leaves its points to a person, for this reason: no student is blamed and none is rewarded.

    assumption: what a person may decide, such as "by the numbers of bob", where `Submission.accepting` can apply it;
    the report then says what the item would give.
    """

    def __init__(self, reason: str, assumption: str = ""):
        self.assumption = sanitize(assumption)
        super().__init__(sanitize(reason))


class StudentError(Failure):
    """A Failure in words that the student's own code chose; withheld where it ran on hidden data."""


def sanitize(text: str, longest: int = MAX_MESSAGE) -> str:
    """`text` on one line, cut at `longest`, without control, bidirectional or surrogate characters."""
    line = " ".join(text[: 4 * longest].split())
    line = "".join(c for c in line if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn"})
    line = " ".join(line.split())  # again, for blanks beside what is left out: a clean text stays as it is
    return line if len(line) <= longest else line[: longest - 1] + "…"
