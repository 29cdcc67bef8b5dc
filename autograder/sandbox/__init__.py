"""Student code, run where it can do no harm: a fork server, a child for each notebook, values over a pipe.

The grader (`_client`) starts one server (`_server`) that imports TensorFlow once and then only forks. A child
(`_child`) gives up every right it does not need (`_isolation`), takes the functions out of a student's notebook
(`_definitions`), calls them (`_invoke`) and sends arrays back (`_protocol`). Each call finds the notebook as a fresh
child would; a call that leaves side effects (`_side_effects`) ends its child. A child that has seen hidden data ends
with the item that showed them. Labels, rubrics and seeds are never sent to a child that runs student code; what it
returns is checked and never trusted. The grader's own training loop runs in a child too, for its limits.
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
