"""Announces an array of a billion billion numbers."""

import json
import os
import struct

EXPECTS = "arrays of more than"


def double(x):
    text = json.dumps({"arrays": [{"dtype": "<f8", "shape": [10**9, 10**9]}]}).encode()
    os.write(4, struct.pack("<I", len(text)) + text + b"x" * 1000)
    os._exit(0)
