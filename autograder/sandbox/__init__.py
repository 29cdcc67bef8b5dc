"""Student code, run where it can do no harm: a fork server, a child for each call, values over a pipe.

The grader (`client`) starts one server (`server`) that imports TensorFlow once and then only forks. Each call
gets a fresh child (`child`), which gives up every right it does not need (`confinement`), takes the functions
out of the student's notebook (`definitions`), calls one and sends arrays back (`wire`). Labels, rubrics and seeds
are never sent to a child that runs student code, so there is nothing in it to find; what it returns is checked and
never trusted. The grader's own code may be called in a child too, for its limits: there it is given what it needs.
"""

from autograder.sandbox.client import Answer, Sandbox, SandboxError, training_sandbox
from autograder.sandbox.confinement import Isolation, Limits, probe

__all__ = ["Answer", "Isolation", "Limits", "Sandbox", "SandboxError", "probe", "training_sandbox"]
