"""Fills the disk in a folder that can be written and not be listed, so that no one can count."""

import os

EXPECTS = "double fills the disk", "double took more than 2 s"  # whichever is first


def double(x):
    os.mkdir("hidden", 0o300)
    number = 0
    while True:
        number += 1
        open(f"hidden/{number}", "w").close()
