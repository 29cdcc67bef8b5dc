"""Learning platforms: what they export is read as a class, and marks and feedback are given back in their own files."""

from autograder.lms._feedback import feedback_zip
from autograder.lms._matching import as_file, told_apart

__all__ = ["as_file", "feedback_zip", "told_apart"]
