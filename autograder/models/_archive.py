"""Archive: the three entries of a `.keras` file, taken out of its zip and its JSON under limits.

A zip file names its entries twice (a directory at the end, a header before each entry) and may say different
things in the two places; a few kilobytes may inflate to gigabytes. So the standard library only finds the
directory here, and every statement in it is checked before a byte is inflated.
"""

import io
import json
import re
import struct
import zipfile
import zlib
from collections import Counter
from itertools import accumulate
from typing import NamedTuple

from autograder.core import Failure

ENTRIES = ("config.json", "metadata.json", "model.weights.h5")
OLDEST_KERAS = (3, 3)  # Keras 3.3; earlier versions name the weights differently

MAX_BYTES = {"config.json": 2**25, "metadata.json": 2**12, "model.weights.h5": 2**27}
MAX_TEXT = 2**20  # characters of a JSON text without its long lists of numbers
MAX_ENTRIES = 100  # entries to list at most; three, and what looks like one among weights by chance
MAX_RATIO = 200  # inflated to deflated; text of a config reaches 30
MAX_DEPTH = 60  # nested lists and objects in a JSON text; a bidirectional layer in a nested model reaches 20
MAX_DIGITS = 25  # of one number in a JSON text

# A matrix that an initializer starts from: nothing depends on it, since the weights themselves are in the file.
LONG_LIST = re.compile(r"\[[-+0-9.eE,\sINafinty]{64,}+\]")
LITTER = re.compile(
    r"(__MACOSX/.*|(.*/)?\._.*|(.*/)?\.DS_Store|(.*/)?Thumbs\.db|(.*/)?desktop\.ini)", re.DOTALL
)

SAVE_ANEW = 'With Keras 3.3 or later, save it anew: model.save("name.keras").'


class Archive(NamedTuple):
    """The entries of a `.keras` file: two JSON objects and the bytes of an HDF5 file.

    extra: the names of other entries, which are never inflated.
    """

    config: dict
    metadata: dict
    weights: bytes
    extra: tuple[str, ...] = ()


def read_archive(data: bytes) -> Archive:
    """Return the three entries in `data`, the bytes of a `.keras` file. Raises Failure."""
    if not data.startswith(b"PK\x03\x04"):
        reason = f"Expected a .keras file of Keras 3 (a zip archive), but the file {identify_file(data)}."
        raise Failure(reason, advice_for_file(data))
    if data.count(b"PK\x01\x02") > MAX_ENTRIES or len(data) > sum(MAX_BYTES.values()):
        raise Failure(f"The archive is far larger than a model's: {len(data):,} bytes, or very many entries.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except MemoryError:
        raise
    except Exception:  # whatever the standard library makes of damaged bytes
        raise Failure(
            f"The file is a zip archive that breaks off or is damaged ({len(data):,} bytes came).",
            "Save the model again, and compare the size of the file before and after the upload.",
        ) from None
    with archive:
        infos = [info for info in archive.infolist() if not LITTER.fullmatch(info.filename)]
    entries = checked_entries(infos, data)
    config, metadata, weights = (entry_content(data, entries.pop(name)) for name in ENTRIES)
    return Archive(
        read_json(config, "config.json"), read_json(metadata, "metadata.json"), weights, tuple(entries)
    )


def identify_file(data: bytes) -> str:
    """Return what a file is that is no zip archive."""
    if not data:
        return "is empty (0 bytes)"
    if data.startswith(b"\x89HDF\r\n\x1a\n"):
        whole = b"model_config" in data
        return f"is an HDF5 file ({'the older .h5 format' if whole else 'weights alone'}); renaming does not convert it"
    if data.startswith(b"\x08\x01\x12"):
        return "is a SavedModel of TensorFlow (saved_model.pb)"
    if data.startswith((b"PK\x05\x06", b"PK\x07\x08")):
        return "is an archive of another kind, or an empty one"
    if b"\0" in data[:4096]:
        return "is of no known format"
    return "is a Jupyter notebook" if b'"cells"' in data else "is a text file"


def advice_for_file(data: bytes) -> str:
    """Return the code that makes a `.keras` file out of a file that is no zip archive."""
    if not data.startswith(b"\x89HDF\r\n\x1a\n"):
        return SAVE_ANEW
    if b"model_config" in data:
        return 'Convert it: keras.models.load_model("name.h5", compile=False).save("name.keras").'
    return 'Build the model as before, then model.load_weights("name.weights.h5"); model.save("name.keras").'


def checked_entries(infos: list[zipfile.ZipInfo], data: bytes) -> dict[str, zipfile.ZipInfo]:
    """All entries by name. Raise Failure unless the three expected ones are there, once, and in order.

    Others are allowed in assets/ only, where Keras puts vocabularies.
    """
    names = [info.filename for info in infos]
    if any(name.split("/")[-1] == "saved_model.pb" for name in names):
        raise Failure(
            "Expected a .keras file of Keras 3, but this is a zipped SavedModel of TensorFlow.", SAVE_ANEW
        )
    for name in ENTRIES:
        if names.count(name) != 1:
            raise Failure(
                f"The archive should hold {name} once, but holds it {names.count(name)} times.", SAVE_ANEW
            )
    refuse_extra([name for name in names if name not in ENTRIES and not name.startswith("assets/")])
    needed = [info for info in infos if info.filename in ENTRIES]
    for info in needed:
        check_entry(info)
    check_layout(needed, data)
    return {info.filename: info for info in infos}


def refuse_extra(names: list[str] | tuple[str, ...]) -> None:
    """Raise Failure if there are other entries than the three that Keras writes."""
    if names:
        raise Failure(f"The archive holds {names[0]!r}; only {', '.join(ENTRIES)} may be in it.", SAVE_ANEW)


def check_entry(info: zipfile.ZipInfo) -> None:
    """Failure unless the entry is a regular file, stored or deflated, not encrypted and of a fair size."""
    name, kind = info.filename, (info.external_attr >> 16) & 0o170000
    if kind not in (0, 0o100000) or info.external_attr & 0x10:
        raise Failure(
            f"The entry {name} should be a regular file, but is a link, folder or device.", SAVE_ANEW
        )
    if info.flag_bits & ~0x080E:  # deflate's level, a size written after the data, names in UTF-8
        raise Failure(f"The entry {name} is encrypted or patched.", SAVE_ANEW)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Failure(
            f"The entry {name} is compressed by method {info.compress_type}; Keras stores or deflates."
        )
    most = min(MAX_BYTES[name], MAX_RATIO * (info.compress_size + 1))
    if info.file_size > most:
        raise Failure(f"The entry {name} claims {info.file_size:,} bytes; at most {most:,} are read.")


def check_layout(infos: list[zipfile.ZipInfo], data: bytes) -> None:
    """Failure unless the headers before the entries agree with the directory and no two entries overlap."""
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        start = entry_body(data, info)
        if info.header_offset < end or start + info.compress_size > len(data):
            raise Failure(f"The entry {info.filename} overlaps another one or runs past the end.", SAVE_ANEW)
        end = start + info.compress_size


def entry_body(data: bytes, info: zipfile.ZipInfo) -> int:
    """Where the bytes of an entry begin."""
    header = data[info.header_offset : info.header_offset + 30]
    if len(header) == 30 and header.startswith(b"PK\x03\x04"):
        method, name_length, extra_length = struct.unpack("<8xH16xHH", header)
        start = info.header_offset + 30 + name_length
        name = data[info.header_offset + 30 : start]
        if name == info.filename.encode() and method == info.compress_type:
            return start + extra_length
    raise Failure(f"The archive says two things about its entry {info.filename}.", SAVE_ANEW)


def entry_content(data: bytes, info: zipfile.ZipInfo) -> bytes:
    """Return the bytes of one entry, counted while they are inflated and compared with the checksum."""
    start = entry_body(data, info)
    raw = data[start : start + info.compress_size]
    if info.compress_type == zipfile.ZIP_DEFLATED:
        inflate = zlib.decompressobj(-15)
        try:
            raw = inflate.decompress(raw, info.file_size + 1)
        except zlib.error:
            raise Failure(f"The entry {info.filename} is damaged.", SAVE_ANEW) from None
    if len(raw) != info.file_size or zlib.crc32(raw) != info.CRC:
        raise Failure(
            f"The entry {info.filename} is damaged: size or checksum differ from the directory.", SAVE_ANEW
        )
    return raw


def read_json(raw: bytes, name: str) -> dict:
    """Return the JSON object in `raw`, within limits that no file of Keras comes near. Raises Failure."""
    try:
        text = LONG_LIST.sub("[null]", raw.decode("utf-8"))
        if len(text) > MAX_TEXT:
            raise ValueError(
                f"it has {len(text):,} characters beside lists of numbers, at most {MAX_TEXT:,} are read"
            )
        check_depth(text)
        value = json.loads(text, parse_int=short_int, parse_float=short_float, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise Failure(f"{name} is not the JSON that Keras writes: {error}.", SAVE_ANEW) from None
    if not isinstance(value, dict):
        raise Failure(f"{name} should hold a JSON object, but holds {type(value).__name__}.", SAVE_ANEW)
    return value


def check_depth(text: str) -> None:
    """ValueError where lists and objects nest deeper than MAX_DEPTH, counted without recursion."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*+\\?"?', "", text, flags=re.DOTALL)  # without what stands in quotes
    if max(accumulate((c in "[{") - (c in "]}") for c in bare), default=0) > MAX_DEPTH:
        raise ValueError(f"it nests deeper than {MAX_DEPTH} levels")


def short_int(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number has {len(digits):,} digits, at most {MAX_DIGITS} are read")
    return int(digits)


def short_float(digits: str) -> float:
    """Return a number too large for a float is Infinity, which no option that matters may be."""
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"the number {digits[:MAX_DIGITS]} is too long")
    return float(digits)


def unique(pairs: list[tuple[str, object]]) -> dict:
    values = dict(pairs)
    if len(values) < len(pairs):
        [(name, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"it names {name!r} twice in one object")
    return values


def check_version(metadata: dict) -> None:
    """Failure unless the file says that Keras 3.3 or later wrote it."""
    version = metadata.get("keras_version")
    parts = version.split(".")[:2] if isinstance(version, str) else []
    if not (len(parts) == 2 and all(part.isdecimal() and len(part) < 6 for part in parts)):
        raise Failure(f"metadata.json should name the Keras version, but says {version!r}.", SAVE_ANEW)
    if tuple(map(int, parts)) < OLDEST_KERAS:
        reason = f"Keras {version} saved this file; the grader reads files of Keras 3.3 and later."
        raise Failure(reason, 'Upgrade (pip install --upgrade "keras>=3.3"), then: model.save("name.keras").')
