"""Announces an array of objects."""

import json
import os
import struct

EXPECTS = "an array of a type that does not travel"


def double(x):
    text = json.dumps({"arrays": [{"dtype": "|O", "shape": [1]}]}).encode()
    os.write(4, struct.pack("<I", len(text)) + text + b"cos\nsystem\n(S'touch /tmp/x'\ntR.")
    os._exit(0)
