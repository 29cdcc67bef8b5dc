"""Proof of an assignment: its rooms are in order, its specimens earn what is known, its items can be lost."""

from autograder.authoring.verify._checks import Finding, Proof, verify
from autograder.authoring.verify._layout import check_course
from autograder.authoring.verify._tables import proof_table, region_table
from autograder.authoring.verify._workers import Bench, at, benches

__all__ = [
    "Bench",
    "Finding",
    "Proof",
    "at",
    "benches",
    "check_course",
    "proof_table",
    "region_table",
    "verify",
]
