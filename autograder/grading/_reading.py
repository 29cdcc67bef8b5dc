"""Reads a submission into memory, with digests of all that its scores depend on."""

from dataclasses import dataclass, replace

from autograder.core import digest
from autograder.rubric import Expected, Submission
from autograder.submissions import RawSubmission, checksums, read_bundle


@dataclass(frozen=True)
class ReadSubmission:
    """A submission whose files are in memory: the source of `raw` is a FileBundle.

    checksums: the SHA-256 of each file by its path, or why it can't be read. digest: of all that scores depend on;
    empty if this machine could not read it all.
    """

    raw: RawSubmission
    checksums: dict[str, str]
    digest: str


def read_submission(raw: RawSubmission, expected: Expected) -> ReadSubmission:
    """Read a submission of the assignment `expected`. Never raises for anything a student submits."""
    bundle = read_bundle(raw.source, expected.slug)
    raw = replace(raw, source=bundle)
    sums, whole = checksums(bundle)
    return ReadSubmission(
        raw, sums, digest(whole.encode(), describe_signature(raw, expected).encode()) if whole else ""
    )


def describe_signature(raw: RawSubmission, expected: Expected) -> str:
    """Return what scores depend on of the notebook's signature: does it name the student, and others too?"""
    submission = open_submission(raw, expected)
    try:
        return f"{submission.signs(submission.signature)} {submission.is_ambiguous(submission.signature)}"
    except Exception as error:  # of any kind, for crafted bytes; items report what is wrong
        return f"{type(error).__name__}: {error}"


def open_submission(raw: RawSubmission, expected: Expected) -> Submission:
    """Return the submission without a sandbox: its files can be read, and its functions can't be called."""
    return Submission(
        raw.student, raw.source, expected=expected, words=raw.words, shared=raw.shared, name=raw.origin.name
    )
