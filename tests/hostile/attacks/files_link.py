"""Makes links in its own folder to files it may not read, and reads through them."""

import glob
import os

EXPECTS = "followed 0 links"


def double(x):
    followed = 0
    for number, path in enumerate(
        ["/etc/passwd", "/proc/1/environ", *glob.glob("/tmp/autograder-canary-*/*")]
    ):
        for link in (os.symlink, os.link):
            try:
                link(path, f"{link.__name__}{number}")
                followed += len(open(f"{link.__name__}{number}").read()) > 0
            except OSError:
                pass
    raise RuntimeError(f"followed {followed} links")
