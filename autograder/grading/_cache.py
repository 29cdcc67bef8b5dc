"""Scores that were given before, kept in a folder: one file for each, named by all that the score depends on.

Since the name is a digest of the submission, the item's code, the data and the versions, a file that is there holds
the score that would come out again. A file is written whole or not at all, so any kill leaves only good ones.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from autograder.reports import json_text, read_score, score_record
from autograder.rubric import Score


@dataclass(frozen=True)
class ScoreCache:
    """The folder of kept scores; `fresh` reads none of them and replaces what it meets."""

    folder: Path
    fresh: bool = False

    def get(self, key: str) -> tuple[Score, float] | None:
        """Return the score kept under `key` and the seconds that it took; None where there is none that can be read."""
        if self.fresh or not key:
            return None
        try:
            record = json.loads(self.place(key).read_text(encoding="utf-8"))
            return read_score(record["score"]), float(record["seconds"])
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def put(self, key: str, score: Score, seconds: float) -> None:
        """Keep a score; not one that is broken or deferred, which a later run may decide."""
        if not key or score.outcome in ("broken", "deferred"):
            return
        place = self.place(key)
        place.parent.mkdir(parents=True, exist_ok=True)
        record = {"score": score_record(score), "seconds": round(seconds, 3)}
        write_atomically(place, json_text(record))

    def place(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key[2:]}.json"


def write_atomically(path: Path, text: str) -> None:
    """Write a file whole or not at all, however the run ends; one that holds this text already is left alone."""
    content = text.encode("utf-8", errors="replace")
    if path.is_file() and path.read_bytes() == content:
        return
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(content)
    os.replace(draft, path)
