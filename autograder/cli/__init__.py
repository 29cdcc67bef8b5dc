"""The command line, one module for each command."""

from autograder.cli._app import main

__all__ = [
    "main",
]
