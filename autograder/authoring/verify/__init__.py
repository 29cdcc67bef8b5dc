"""Proof of an assignment: its files are there, its test submissions earn their known marks, its items can be lost."""

from autograder.authoring.verify._checks import Finding, Verification, verify
from autograder.authoring.verify._layout import check_course
from autograder.authoring.verify._tables import region_table, verification_table
from autograder.authoring.verify._workers import VerifyWorker, single_worker, verify_workers

__all__ = [
    "Finding",
    "Verification",
    "VerifyWorker",
    "check_course",
    "region_table",
    "single_worker",
    "verification_table",
    "verify",
    "verify_workers",
]
