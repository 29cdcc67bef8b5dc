"""The wire: arrays come through as they are; whatever else comes ends in one of three errors, soon and cheaply."""

import json
import os
import struct
import threading
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from autograder.sandbox import _protocol as wire
from autograder.sandbox._protocol import Deadline, WireError

NUMBERS = st.one_of(
    arrays.boolean_dtypes(),
    arrays.integer_dtypes(endianness="="),
    arrays.unsigned_integer_dtypes(endianness="="),
    arrays.floating_dtypes(sizes=(16, 32, 64), endianness="="),
    arrays.integer_dtypes(endianness=">"),
)
ANY_ARRAY = arrays.arrays(NUMBERS, arrays.array_shapes(min_dims=0, max_dims=6, min_side=0, max_side=5))
ENDS = (WireError, EOFError, TimeoutError)


def message(header, body: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<I", len(text)) + text + body


def received(data: bytes, most: int = 2**20, seconds: float = 5.0, hang: bool = False):
    """Return what `receive` makes of `data`, written by a thread which then closes the pipe, or leaves it open."""
    out, into = os.pipe()

    def write():
        try:
            os.write(into, data) if len(data) < 2**16 else _write_all(into, data)
        except OSError:
            pass
        finally:
            hang or os.close(into)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        return wire.receive(out, most, Deadline.after(seconds))
    finally:
        os.close(out)
        writer.join()
        hang and os.close(into)


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


@given(
    st.lists(ANY_ARRAY, max_size=4),
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(), max_size=3),
)
@settings(max_examples=150, deadline=None)
def test_every_array_comes_through(sent, header):
    header.pop("arrays", None)
    said, came = received(wire.pack(header, sent))
    assert said == header
    assert len(came) == len(sent)
    for one, other in zip(sent, came, strict=True):
        assert other.dtype == one.dtype.newbyteorder("<") and other.shape == one.shape
        np.testing.assert_array_equal(one, other)
        other[...] = 0  # the receiver owns it


@pytest.mark.parametrize(
    "odd", [np.arange(12).reshape(3, 4).T, np.arange(9)[::-2], np.broadcast_to(1.0, (3, 2))]
)
def test_arrays_that_are_views_come_through(odd):
    np.testing.assert_array_equal(received(wire.pack({}, [odd]))[1][0], odd)


@pytest.mark.parametrize("kind", [object, "U3", "S3", "M8[s]", "m8[s]", [("a", "f4")], "c16"])
def test_only_numbers_are_packed(kind):
    with pytest.raises(TypeError, match="expected an array of numbers"):
        wire.pack({}, [np.zeros(2, kind)])


def announced(**entry) -> dict:
    return {"arrays": [{"dtype": "<f8", "shape": [2]} | entry]}


HOSTILE = {
    "long header": struct.pack("<I", 2**32 - 1),
    "no JSON": message(b"\xff\xfe{"),
    "not a dictionary": message([]),
    "no arrays": message({}),
    "arrays no list": message({"arrays": {"dtype": "<f8"}}),
    "deep": message(b"[" * 30_000 + b"]" * 30_000),
    "deep inside": message(b'{"arrays": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"),
    "long number": message(b'{"arrays": [{"dtype": "<f8", "shape": [' + b"9" * 20_000 + b"]}]}"),
    "many arrays": message({"arrays": [{"dtype": "<f8", "shape": []}] * 65}),
    "entry no dictionary": message({"arrays": ["<f8"]}),
    "entry with more": message(announced(order="F")),
    "type unhashable": message(announced(dtype=["<f8"])),
    "objects": message(announced(dtype="|O")),
    "void": message(announced(dtype="|V100000000")),
    "text": message(announced(dtype="<U1000000")),
    "big-endian": message(announced(dtype=">f8")),
    "many axes": message(announced(shape=[1] * 9)),
    "negative": message(announced(shape=[-1])),
    "negative twice": message(announced(shape=[-2, -2])),
    "a float": message(announced(shape=[2.0])),
    "a boolean": message(announced(shape=[True])),
    "shape no list": message(announced(shape=4)),
    "terabytes": message(announced(shape=[2**39])),
    "product overflows": message(announced(shape=[2**32, 2**32])),
    "a little too much": message(announced(shape=[2**17 + 1])),
    "too much together": message({"arrays": [{"dtype": "<f8", "shape": [2**16]}] * 3}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_headers_are_refused_before_memory_is_taken(name):
    data = HOSTILE[name]
    tracemalloc.start()
    with pytest.raises(WireError):
        received(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * len(data) + 2**18


@given(st.binary(max_size=200), st.booleans())
@settings(max_examples=200, deadline=None)
def test_any_bytes_end_in_one_of_three_errors(data, framed):
    with pytest.raises(ENDS):
        received(message(data) if framed else data)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_message_cut_anywhere_is_an_end_of_file(data):
    whole = wire.pack({"a": 1}, [np.arange(5.0), np.arange(3)])
    with pytest.raises(EOFError):
        received(whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_memory_grows_with_what_comes_and_not_with_what_is_announced():
    header = message({"arrays": [{"dtype": "<f8", "shape": [2**27]}]})
    tracemalloc.start()
    with pytest.raises(EOFError):
        received(header + b"few", most=2**31)
    assert tracemalloc.get_traced_memory()[1] < 2**23
    tracemalloc.stop()


@pytest.mark.parametrize(
    "data", [b"", b"\x05\x00\x00", message(announced()), message(announced()) + bytes(15)]
)
def test_a_silent_sender_is_waited_for_until_the_deadline(data):
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        received(data, seconds=0.3, hang=True)
    assert 0.25 < time.monotonic() - started < 5


def test_a_slow_sender_does_not_move_the_deadline():
    out, into = os.pipe()
    stop = threading.Event()

    def trickle():
        for byte in message(announced()):
            os.write(into, bytes([byte]))
            if stop.wait(0.05):
                return

    writer = threading.Thread(target=trickle)
    writer.start()
    with pytest.raises(TimeoutError):
        wire.receive(out, 2**20, Deadline.after(0.4))
    stop.set()
    writer.join()
    os.close(into)
    os.close(out)


def test_a_reader_that_does_not_read_stops_the_sender_at_the_deadline():
    out, into = os.pipe()
    with pytest.raises(TimeoutError):
        wire.send(into, bytes(2**20), Deadline.after(0.2))
    os.close(out)
    with pytest.raises(BrokenPipeError):
        wire.send(into, bytes(2**20), Deadline.after(0.2))
    os.close(into)
