"""cli"""

from autograder.cli._app import main

__all__ = [
    "main",
]
