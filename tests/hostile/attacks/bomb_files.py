"""Writes files for ever, empty ones, three hundred thousand if it may."""

EXPECTS = "double fills the disk", "double took more than 2 s"  # whichever is first


def double(x):
    number = 0
    while True:
        number += 1
        open(f"f{number}", "w").close()
