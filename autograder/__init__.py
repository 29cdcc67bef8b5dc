"""The engine: grades notebooks and Keras models by a rubric; it knows nothing of a course's content.

These names are all that the author of a rubric needs; docs/instructors.md explains them. A name is loaded when it is
first used, so `import autograder` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograder.core import Failure, cache_by_value, load_module, own
    from autograder.models import (
        ACTIVATIONS,
        RECURRENT,
        check_architecture,
        check_memory,
        read_untrained_model,
    )
    from autograder.rubric import (
        Choice,
        Credit,
        Number,
        assert_close,
        assert_parts_close,
        concept_questions,
        credit,
        decide,
        figures,
        fresh,
        fresh_seed,
        hidden,
        input_generator,
        is_close,
        item,
        public,
        remark,
        share_right,
        split_parts,
    )

__version__ = "0.1.0"
__all__ = [
    "ACTIVATIONS",
    "Choice",
    "Credit",
    "Failure",
    "Number",
    "RECURRENT",
    "assert_close",
    "assert_parts_close",
    "cache_by_value",
    "check_architecture",
    "check_memory",
    "concept_questions",
    "credit",
    "decide",
    "figures",
    "fresh",
    "fresh_seed",
    "hidden",
    "input_generator",
    "is_close",
    "item",
    "load_module",
    "own",
    "public",
    "read_untrained_model",
    "remark",
    "share_right",
    "split_parts",
]
_PACKAGES = ("autograder.rubric", "autograder.core", "autograder.models")


def __getattr__(name: str) -> object:
    if name in __all__:
        for package in _PACKAGES:
            module = import_module(package)
            if name in module.__all__:
                return getattr(module, name)
    raise AttributeError(f"module 'autograder' has no attribute {name!r}")
