"""Which calls a notebook's definitions may make: quick ones that read and write no file and train nothing.

A pattern is a dotted name as it is imported, `*` stands for any text (see `fnmatch`). A call that no pattern of
SAFE matches, or that one of UNSAFE matches, is not run, and neither is the statement that holds it.
"""

import re
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from functools import cache
from pathlib import PurePath
from random import Random
from string import Formatter, Template

import numpy as np

# fmt: off
SAFE = (
    # Python
    "builtins.abs", "builtins.all", "builtins.any", "builtins.ascii", "builtins.bin", "builtins.bool",
    "builtins.bytearray", "builtins.bytes", "builtins.callable", "builtins.chr", "builtins.complex", "builtins.dict",
    "builtins.dict.*", "builtins.divmod", "builtins.enumerate", "builtins.filter", "builtins.float",
    "builtins.float.*", "builtins.format", "builtins.frozenset", "builtins.getattr", "builtins.hasattr",
    "builtins.hash", "builtins.hex", "builtins.id", "builtins.int", "builtins.int.*", "builtins.isinstance",
    "builtins.issubclass", "builtins.iter", "builtins.len", "builtins.list", "builtins.map", "builtins.max",
    "builtins.min", "builtins.next", "builtins.object", "builtins.oct", "builtins.ord", "builtins.pow",
    "builtins.print", "builtins.property", "builtins.range", "builtins.repr", "builtins.reversed", "builtins.round",
    "builtins.set", "builtins.setattr", "builtins.slice", "builtins.sorted", "builtins.staticmethod",
    "builtins.classmethod", "builtins.str", "builtins.str.*", "builtins.sum", "builtins.super", "builtins.tuple",
    "builtins.type", "builtins.zip", "builtins.*Error", "builtins.Exception", "abc.*", "base64.*", "bisect.*",
    "cmath.*", "collections.*", "copy.*", "dataclasses.*", "datetime.*", "decimal.*", "enum.*", "fractions.*",
    "functools.*", "hashlib.*", "heapq.*", "itertools.*", "json.dumps", "json.loads", "logging.getLogger",
    "logging.NullHandler", "math.*", "numbers.*", "operator.*", "os.cpu_count", "os.environ.get", "os.getcwd",
    "os.getenv", "os.path.*", "pathlib.*", "platform.*", "pprint.pformat", "random.*", "re.*", "statistics.*",
    "string.*", "sys.getsizeof", "textwrap.*", "threading.Lock", "threading.RLock", "time.time", "time.perf_counter",
    "types.*", "typing.*", "typing_extensions.*", "unicodedata.*", "uuid.UUID", "warnings.warn",
    "IPython.display.display",
    # Arrays and tables
    "numpy.*", "pandas.*", "scipy.constants.*", "scipy.linalg.*", "scipy.signal.*", "scipy.sparse.*",
    "scipy.spatial.distance.*", "scipy.special.*", "scipy.stats.*",
    # Objects of TensorFlow, Keras and scikit-learn that are made, but not trained
    "tensorflow.constant", "tensorflow.convert_to_tensor", "tensorflow.cast", "tensorflow.concat", "tensorflow.eye",
    "tensorflow.expand_dims", "tensorflow.fill", "tensorflow.function", "tensorflow.linspace", "tensorflow.math.*",
    "tensorflow.one_hot", "tensorflow.ones", "tensorflow.ones_like", "tensorflow.range", "tensorflow.reshape",
    "tensorflow.squeeze", "tensorflow.stack", "tensorflow.TensorShape", "tensorflow.TensorSpec",
    "tensorflow.transpose", "tensorflow.Variable", "tensorflow.zeros", "tensorflow.zeros_like",
    "tensorflow.*_initializer", "keras.activations.get", "keras.constraints.[A-Z]*", "keras.initializers.[A-Z]*",
    "keras.layers.[A-Z]*", "keras.losses.[A-Z]*", "keras.metrics.[A-Z]*", "keras.ops.*", "keras.optimizers.[A-Z]*",
    "keras.regularizers.*", "keras.utils.to_categorical", "keras.utils.pad_sequences", "sklearn.*.[A-Z]*", "tqdm.*",
)
UNSAFE = (
    "numpy.*fromfile", "numpy.*genfromtxt", "numpy.*load*", "numpy.*memmap*", "numpy.*save*", "numpy.DataSource",
    "numpy.set_printoptions", "numpy.test", "pandas.*read_*", "pandas.ExcelFile", "pandas.ExcelWriter",
    "pandas.HDFStore", "pandas.plotting.*", "pandas.set_option", "platform.popen",
)
CALLING = (  # what calls the functions that it is given
    "builtins.filter", "builtins.map", "builtins.max", "builtins.min", "builtins.sorted", "functools.reduce",
    "heapq.n*", "itertools.*", "numpy.apply_*", "numpy.from*", "numpy.piecewise",
)
CHANGING = (  # what changes its first argument
    "bisect.insort*", "builtins.delattr", "builtins.next", "builtins.setattr", "heapq.heap*", "numpy.copyto",
    "numpy.fill_diagonal", "numpy.place", "numpy.put*", "numpy.*.at", "operator.delitem", "operator.setitem",
    "operator.i[a-z]*", "random.shuffle", "numpy.random.shuffle", "contextlib.redirect_*",
)
CHANGING_METHODS = frozenset({
    "add", "append", "appendleft", "apply_gradients", "assign", "assign_add", "assign_sub", "clear",
    "difference_update", "discard", "extend", "extendleft", "fill", "insert", "intersection_update", "itemset",
    "move_to_end", "pop", "popitem", "popleft", "put", "remove", "resize", "reverse", "rotate", "seed", "setdefault",
    "setflags", "setstate", "shuffle", "sort", "subtract", "symmetric_difference_update", "update",
})
READING_METHODS = frozenset({  # of arrays, tables, tensors and models, beside those of Python's own types
    "agg", "apply", "corr", "describe", "drop", "dropna", "evaluate", "fillna", "get_config", "get_weights",
    "groupby", "head", "iterrows", "itertuples", "loc", "map", "merge", "nunique", "numpy", "pivot_table", "plot",
    "predict", "reset_index", "sample", "save", "score", "set_index", "sort_index", "sort_values", "summary", "tail",
    "to_csv", "to_dict", "to_frame", "to_json", "to_list", "to_numpy", "transform", "unique", "value_counts",
})
# fmt: on
TYPES = (
    str,
    bytes,
    list,
    tuple,
    dict,
    set,
    frozenset,
    int,
    float,
    complex,
    range,
    slice,
    Counter,
    OrderedDict,
    defaultdict,
    deque,
    date,
    datetime,
    time,
    timedelta,
    Fraction,
    PurePath,
    Random,
    Formatter,
    Template,
    re.Pattern,
    re.Match,
    np.ndarray,
    np.random.Generator,
    np.dtype,
)  # fmt: skip
TYPE_METHODS = frozenset(name for kind in TYPES for name in dir(kind) if not name.startswith("__"))
SAFE_METHODS = (
    TYPE_METHODS
    | CHANGING_METHODS - {"apply_gradients"}
    | {"_replace", "_asdict", "_make", "cache_clear", "exists", "is_dir", "is_file", "numpy", "resolve"}
    | {"drop", "dropna", "fillna", "head", "nunique", "reset_index", "set_index", "sort_index", "sort_values"}
    | {
        "tail",
        "to_dict",
        "to_frame",
        "to_list",
        "to_numpy",
        "unique",
        "value_counts",
        "iterrows",
        "itertuples",
    }
) - {"dump", "dumps", "tofile"}


@cache
def _pattern(patterns: tuple[str, ...]) -> re.Pattern:
    parts = (re.escape(text).replace(r"\*", ".*").replace(r"\[A\-Z\]", "[A-Z]") for text in patterns)
    return re.compile("|".join(part.replace(r"\[a\-z\]", "[a-z]") for part in parts))


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Return whether the dotted `name` matches one of the patterns; one that is longer than any real name does not."""
    return len(name) < 200 and _pattern(patterns).fullmatch(name) is not None


def is_safe(name: str) -> bool:
    """Return whether a notebook's definitions may call what has this dotted name."""
    return matches(name, SAFE) and not matches(name, UNSAFE)


def is_changing(method: str) -> bool:
    """Return whether a method of this name may change the object that it belongs to."""
    return method in CHANGING_METHODS or method not in TYPE_METHODS | READING_METHODS
