"""Messages between grader and child: a JSON header and raw little-endian arrays, checked before they are believed.

A message is: the header's length (4 bytes), the header (JSON), then the bytes of its arrays, one after another.
Nothing is ever unpickled. Every size, type and shape is checked before memory is taken for it, and a reader
waits no longer than its deadline.
"""

import io
import json
import math
import os
import select
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

MAX_HEADER = 64 * 2**10
MAX_ARRAYS = 64
MAX_AXES = 8
TYPES = ("|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8")


class WireError(Exception):
    """What came is no message, or a larger one than was allowed."""


class Clock(Protocol):
    """What a message waits by: the seconds that are left, and whether there are more when none is."""

    @property
    def left(self) -> float: ...

    def extend(self) -> bool: ...


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock, in seconds."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(time.monotonic() + seconds)

    @property
    def left(self) -> float:
        return max(0.0, self.at - time.monotonic())

    def extend(self) -> bool:
        """Return whether there is more time after all, when there is none left."""
        return False


def pack(header: dict, arrays: Sequence[np.ndarray] = ()) -> bytes:
    """One message. Raises TypeError for an array of objects, text or dates: only numbers and booleans travel."""
    arrays = [plain_array(array) for array in arrays]
    shapes = [{"dtype": array.dtype.str, "shape": array.shape} for array in arrays]
    text = json.dumps(header | {"arrays": shapes}).encode()
    return struct.pack("<I", len(text)) + text + b"".join(array.tobytes() for array in arrays)


def plain_array(value: Any) -> np.ndarray:
    """Return `value` as a little-endian array in one piece; a sparse matrix of SciPy is filled up with its zeros."""
    array = np.asarray(value.toarray() if hasattr(value, "toarray") else value)
    array = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
    if array.dtype.str not in TYPES:
        raise TypeError(f"expected an array of numbers, got {array.dtype}")
    return array


def send(fd: int, message: bytes, deadline: Clock) -> None:
    """Write a whole message; raise TimeoutError where the reader does not take it in time."""
    os.set_blocking(fd, False)
    rest = memoryview(message)
    while rest:
        _, writable, _ = select.select([], [fd], [], deadline.left)
        if writable:
            rest = rest[os.write(fd, rest) :]
        elif not deadline.extend():
            raise TimeoutError


def receive(fd: int, most_bytes: int, deadline: Clock) -> tuple[dict, list[np.ndarray]]:
    """One message whose arrays hold at most `most_bytes` together.

    Raises WireError for anything else, EOFError where the sender is gone, TimeoutError at the deadline.
    """
    return _message(lambda size: _exactly(fd, size, deadline), most_bytes)


def unpack(message: bytes, most_bytes: int) -> tuple[dict, list[np.ndarray]]:
    """Return the same, of a message that is here already."""
    stream = io.BytesIO(message)
    return _message(lambda size: bytearray(stream.read(size)), most_bytes)


def _message(read: Callable[[int], bytearray], most_bytes: int) -> tuple[dict, list[np.ndarray]]:
    (length,) = struct.unpack("<I", read(4))
    if length > MAX_HEADER:
        raise WireError(f"a header of {length} bytes")
    header = _header(read(length))
    shapes = [_checked(entry) for entry in header.pop("arrays")]
    # an axis of length 0 counts as 1: an array of no numbers may not have 10**9 rows either
    if (
        sum(np.dtype(dtype).itemsize * math.prod(axis or 1 for axis in shape) for dtype, shape in shapes)
        > most_bytes
    ):
        raise WireError(f"arrays of more than {most_bytes} bytes")
    return header, [_array(read, dtype, shape) for dtype, shape in shapes]


def _header(text: bytes | bytearray) -> dict:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        raise WireError("a header that is not JSON") from None
    if not isinstance(header, dict) or not isinstance(header.get("arrays"), list):
        raise WireError("a header without a list of arrays")
    if len(header["arrays"]) > MAX_ARRAYS:
        raise WireError(f"{len(header['arrays'])} arrays")
    return header


def _checked(entry: object) -> tuple[str, tuple[int, ...]]:
    """Type and shape of one announced array."""
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape"} or entry["dtype"] not in TYPES:
        raise WireError("an array of a type that does not travel")
    shape = entry["shape"]
    if not isinstance(shape, list) or len(shape) > MAX_AXES:
        raise WireError("an array of too many axes")
    if any(type(axis) is not int or not 0 <= axis < 2**40 for axis in shape):
        raise WireError("an array of an impossible shape")
    return entry["dtype"], tuple(shape)


def _array(read: Callable[[int], bytearray], dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    size = np.dtype(dtype).itemsize * math.prod(shape)
    return np.frombuffer(read(size), dtype=dtype).reshape(shape)


def _exactly(fd: int, size: int, deadline: Clock) -> bytearray:
    """`size` bytes; memory grows with what really comes, not with what was announced."""
    os.set_blocking(fd, False)
    data = bytearray()
    while len(data) < size:
        readable, _, _ = select.select([fd], [], [], deadline.left)
        if not readable:
            if deadline.extend():
                continue
            raise TimeoutError
        piece = os.read(fd, min(size - len(data), 2**20))
        if not piece:
            raise EOFError
        data += piece
    return data
