"""Writes one endless file."""

EXPECTS = "File too large"


def double(x):
    with open("big", "wb", buffering=0) as file:
        while True:
            if file.write(bytes(2**24)) < 2**24:
                file.write(b"x")
