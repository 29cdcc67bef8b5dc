"""The sandbox in both of its modes, one server each for the whole session."""

from collections.abc import Iterator
from textwrap import dedent

import pytest

from autograder.sandbox import Answer, Isolation, Sandbox, probe


def isolation(mode: str) -> Isolation:
    """Return what this machine has; without namespaces in the mode "plain". Skips where too little holds."""
    found = probe()
    if mode == "namespaces" and not found.namespaces:
        pytest.skip("no namespaces here: bubblewrap is missing or refused")
    chosen = Isolation(mode == "namespaces", found.landlock, found.seccomp)
    if not chosen.holds:
        pytest.skip(f"no isolation that holds here: {chosen}")
    return chosen


@pytest.fixture(scope="session", params=["namespaces", pytest.param("plain", marks=pytest.mark.slow)])
def box(request) -> Iterator[Sandbox]:
    with Sandbox(isolation(request.param)) as sandbox:
        yield sandbox


@pytest.fixture
def run(box):
    """`run(source, *arguments)` calls the function `f` of a Python source."""

    def call(source: str, *arguments, seconds: float = 60, seed: int = 0) -> Answer:
        return box.call(dedent(source).encode(), "work.py", "f", arguments, seed=seed, seconds=seconds)

    return call
