"""Student code, run where it can do no harm: a fork server, a child for each notebook, values over a pipe.

The grader (`client`) starts one server (`server`) that imports TensorFlow once and then only forks. A child
(`child`) gives up every right it does not need (`confinement`), takes the functions out of a student's notebook
(`definitions`), calls one and sends arrays back (`wire`), as often as it is asked: each call finds the notebook as
a fresh child would, and who leaves a trace (`traces`) makes way for one. Whoever has seen hidden data ends with the
item that showed them. Labels, rubrics and seeds
are never sent to a child that runs student code, so there is nothing in it to find; what it returns is checked and
never trusted. The grader's own code may be called in a child too, for its limits: there it is given what it needs.
"""

from autograder.sandbox._client import Answer, FunctionCaller, Sandbox, SandboxError, training_sandbox
from autograder.sandbox._in_process import InProcessSandbox, keep_random_state
from autograder.sandbox._isolation import Isolation, Limits, die_with_parent, probe
from autograder.sandbox._requirements import count_missing, missing_packages

__all__ = [
    "Answer",
    "FunctionCaller",
    "InProcessSandbox",
    "Isolation",
    "Limits",
    "Sandbox",
    "SandboxError",
    "count_missing",
    "die_with_parent",
    "keep_random_state",
    "missing_packages",
    "probe",
    "training_sandbox",
]
