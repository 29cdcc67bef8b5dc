"""HDF5: the small part of the format that h5py writes for Keras, read from bytes in Python alone.

What Keras writes needs little of HDF5: superblock 0, version 1 object headers, groups as symbol tables (a B-tree
of nodes and a heap of names), data sets in one piece. h5py 3.14.0 and 3.16.0 write just this (libver "earliest").
The library would do far more with a hostile file in the grader's own process: follow links to other files, run
filters, allocate what a header claims. Here all of that is refused, each structure is visited once, every offset
is checked and the reads are counted. (It is not that libhdf5 is fragile: version 1.14.6 neither crashed nor
hung on 5,000 damaged files.)

Source: HDF5 File Format Specification 3.0; sections are named where they are read. Addresses and lengths have
8 bytes, as in every file of h5py.
"""

import struct
from collections.abc import Iterator
from math import prod

import numpy as np

from autograder.core import Failure

SIGNATURE = b"\x89HDF\r\n\x1a\n"
UNDEFINED = 2**64 - 1
MAX_NAME = 255
MAX_PATH = 1_000  # of a data set; a layer in four nested models reaches 150
MAX_READS = 300_000  # fields looked at in one file; a model of 100 layers and its optimizer take 30,000

# Types of header messages (section IV.A.2)
DATASPACE, DATATYPE, EXTERNAL, LAYOUT, FILTERS, CONTINUATION, SYMBOL_TABLE = 1, 3, 7, 8, 11, 16, 17
LINK_INFO, LINK = 2, 6  # of groups in the newer form, which links to other files need
FORBIDDEN = {EXTERNAL: "stores its values in another file", FILTERS: "is compressed or filtered"}

FLOATS = {2: "<f2", 4: "<f4", 8: "<f8"}  # IEEE little endian, by size in bytes
FLOAT_CLASS = b"\x11\x20"  # version 1, class floating point; little endian, implied leading bit
OPAQUE_CLASS = 0x15  # version 1, class opaque: h5py writes bfloat16 as two bytes that HDF5 does not interpret
FLOAT_FIELDS = {  # sign bit; offset, precision, exponent at and bits, mantissa at and bits, bias (section IV.A.2.d)
    2: (15, 0, 16, 10, 5, 0, 10, 15),
    4: (31, 0, 32, 23, 8, 0, 23, 127),
    8: (63, 0, 64, 52, 11, 0, 52, 1023),
}


class Hdf5:
    """The data sets of an HDF5 file, by path. Raises Failure wherever the file is not what Keras writes.

    datasets: the header of each by path, {"layers/dense/vars/0": {message type: offset, ...}, ...}.
    """

    def __init__(self, data: bytes):
        self.data = data
        self.reads = 0
        self.seen: set[int] = set()
        self.datasets: dict[str, dict[int, int]] = {}
        if data[:8] != SIGNATURE:
            raise self.damaged("does not begin as an HDF5 file")
        if self.at("B", 8) != (0,) or self.at("BB", 13) != (8, 8):
            raise self.damaged("is of a version of HDF5 that Keras does not write")
        root = self.at("QQQQQQ", 24)  # base, free space, end, driver; then the root's name and header (II.A)
        if root[0] != 0 or root[3] != UNDEFINED:
            raise self.damaged("is spread over several files")
        self.walk(root[5])

    def damaged(self, reason: str) -> Failure:
        return Failure(f"model.weights.h5 {reason}.", 'Save the model again: model.save("name.keras").')

    def at(self, form: str, offset: int) -> tuple:
        """Return the little-endian fields at an offset."""
        self.reads += 1
        if self.reads > MAX_READS:
            raise self.damaged(f"takes more than {MAX_READS:,} steps to read")
        try:
            return struct.unpack_from("<" + form, self.data, offset)
        except (struct.error, OverflowError):
            raise self.damaged(f"breaks off: offset {offset:,} of {len(self.data):,} bytes") from None

    def visit(self, address: int) -> None:
        if address in self.seen:
            raise self.damaged("holds a loop or a hard link: one place is reached twice")
        self.seen.add(address)

    def walk(self, root: int) -> None:
        """Fill `datasets`, group by group."""
        groups = [("", root)]
        while groups:
            path, address = groups.pop()
            if len(path) > MAX_PATH:
                raise self.damaged(f"nests too deep: a path of more than {MAX_PATH:,} characters")
            messages = dict(self.messages(address))
            if messages.keys() & {LINK_INFO, LINK}:
                raise self.damaged("holds a link, or a group in a form that Keras does not write")
            if SYMBOL_TABLE not in messages:
                if path in self.datasets:
                    raise self.damaged(f"holds {path!r} twice")
                self.datasets[path] = messages
                continue
            tree, heap = self.at("QQ", messages[SYMBOL_TABLE])
            for name, child in self.members(tree, heap):
                groups.append((f"{path}/{name}".lstrip("/"), child))

    def messages(self, address: int) -> Iterator[tuple[int, int]]:
        """Type and offset of each message in a version 1 object header (IV.A.1.a)."""
        self.visit(address)
        version, count, size = self.at("BxHxxxxI", address)
        if version != 1:
            raise self.damaged("is of a version of HDF5 that Keras does not write")
        blocks = [(address + 16, size)]
        while blocks:
            offset, size = blocks.pop()
            end = offset + size
            while offset + 8 <= end and count:
                kind, length = self.at("HH", offset)
                if kind == CONTINUATION:
                    blocks.append(self.at("QQ", offset + 8))
                    self.visit(blocks[-1][0])
                yield kind, offset + 8
                offset, count = offset + 8 + length, count - 1

    def members(self, tree: int, heap: int) -> Iterator[tuple[str, int]]:
        """Name and header address of each member of a group."""
        (names,) = self.at("24xQ", heap)
        self.expect(heap, b"HEAP")
        for node in self.leaves(tree):
            self.expect(node, b"SNOD")
            (count,) = self.at("6xH", node)
            for entry in range(node + 8, node + 8 + 40 * count, 40):
                name, header, cached = self.at("QQI", entry)
                if cached == 2:
                    raise self.damaged("holds a soft link")
                yield self.name(names + name), header

    def leaves(self, tree: int) -> Iterator[int]:
        """Addresses of the symbol nodes under a version 1 B-tree (III.A.1): keys and children take turns."""
        nodes = [tree]
        while nodes:
            node = nodes.pop()
            self.expect(node, b"TREE")
            kind, level, count = self.at("4xBBH", node)
            if kind != 0:
                raise self.damaged("holds a group whose tree is no tree of names")
            children = [self.at("Q", node + 32 + 16 * k)[0] for k in range(count)]
            if level:
                nodes.extend(reversed(children))
            else:
                yield from children

    def expect(self, address: int, signature: bytes) -> None:
        self.visit(address)
        if self.data[address : address + 4] != signature:
            raise self.damaged(f"is damaged: no {signature.decode()} at offset {address:,}")

    def name(self, start: int) -> str:
        end = self.data.find(b"\0", start, start + MAX_NAME + 1)
        if end <= start:
            raise self.damaged("holds a member without a name, or with a very long one")
        return self.data[start:end].decode("utf-8", "replace")

    def array(self, path: str, shape: tuple[int, ...]) -> np.ndarray:
        """Return the data set at `path` as float32, which must have the given shape and be stored in one piece."""
        messages = self.datasets.get(path, {})
        for kind in FORBIDDEN.keys() & messages.keys():
            raise self.damaged(f"cannot be read: {path} {FORBIDDEN[kind]}")
        if not {DATASPACE, DATATYPE, LAYOUT} <= messages.keys():
            raise self.damaged(f"lacks the weight {path}")
        found, dtype = self.shape(messages[DATASPACE], path), self.dtype(messages[DATATYPE], path)
        if found != shape:
            raise Failure(
                f"The weight {path} should have shape {shape} by the model's config, but has {found}.",
                "The file was put together from two models; save the model again.",
            )
        start = self.storage(messages[LAYOUT], prod(shape) * dtype.itemsize, path)
        values = np.frombuffer(self.data, dtype, prod(shape), start).reshape(shape)
        if dtype.kind == "u":  # bfloat16 is the upper half of float32
            return (values.astype(np.uint32) << 16).view(np.float32)
        with np.errstate(over="ignore"):
            return values.astype(np.float32)

    def shape(self, offset: int, path: str) -> tuple[int, ...]:
        version, rank = self.at("BB", offset)
        if version != 1 or rank > 8:
            raise self.damaged(f"is of a version of HDF5 that Keras does not write, at {path}")
        return self.at(f"{rank}Q", offset + 8)

    def dtype(self, offset: int, path: str) -> np.dtype:
        head, sign, size = self.at("2sBxI", offset)
        if head[0] == OPAQUE_CLASS and size == 2:
            return np.dtype("<u2")
        fields = (sign, *self.at("HHBBBBI", offset + 8)) if head == FLOAT_CLASS else None
        if fields is None or FLOAT_FIELDS.get(size) != fields:
            raise Failure(
                f"The weight {path} should hold 32-bit floating point numbers, but does not.",
                "Save the model before you quantize it.",
            )
        return np.dtype(FLOATS[size])

    def storage(self, offset: int, size: int, path: str) -> int:
        """Where the values of a data set begin: contiguous, or compact inside its header (IV.A.2.i)."""
        version, kind = self.at("BB", offset)
        if version != 3 or kind not in (0, 1):
            raise self.damaged(f"cannot be read: {path} is not stored in one piece (chunked or virtual)")
        if kind == 0:
            (stored,), start = self.at("H", offset + 2), offset + 4
        else:
            start, stored = self.at("QQ", offset + 2)
        if stored != size or start + size > len(self.data):
            raise self.damaged(f"is damaged: {path} should take {size:,} bytes, {stored:,} are stored")
        return start
