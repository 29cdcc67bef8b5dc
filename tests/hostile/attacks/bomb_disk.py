"""Writes many large files."""

EXPECTS = "No space left", "double fills the disk", "double took more than 2 s"  # whichever is first


def double(x):
    for number in range(10_000):
        with open(f"large{number}", "wb") as file:
            file.write(bytes(2**25))
