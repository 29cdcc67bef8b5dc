"""Caches scores in a folder: a file for each, named by a digest of all that the score depends on.

The digest covers the submission, the item's code, the data and the versions, so a cached score is the one that would
be earned again. A file is written whole or not at all: a run that is killed leaves only good ones.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from autograder.core import write_atomically
from autograder.grading._grader import ItemResult
from autograder.reports import json_text, read_score, score_record


@dataclass(frozen=True)
class ScoreCache:
    """The cached scores in `folder`. If `fresh`, none is read, and those that are put are replaced."""

    folder: Path
    fresh: bool = False

    def get(self, key: str) -> ItemResult | None:
        """Return the result under `key`; None if there is none that can be read."""
        if self.fresh or not key:
            return None
        try:
            record = json.loads(self.path(key).read_text(encoding="utf-8"))
            return ItemResult(read_score(record["score"]), float(record["seconds"]))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def put(self, key: str, result: ItemResult) -> None:
        """Store a result, unless a later run may decide otherwise."""
        if not key or not result.is_final or result.score.outcome in ("broken", "deferred"):
            return
        path = self.path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        record = {"score": score_record(result.score), "seconds": round(result.seconds, 3)}
        write_atomically(path, json_text(record))

    def path(self, key: str) -> Path:
        """Return the file of `key`."""
        return self.folder / key[:2] / f"{key[2:]}.json"
