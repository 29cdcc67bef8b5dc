"""Opens password files, the grader's command line and the canary by name."""

import glob

EXPECTS = "read 0 files"


def double(x):
    read = 0
    for path in ["/etc/passwd", "/etc/shadow", "/proc/1/cmdline", *glob.glob("/tmp/autograder-canary-*/*")]:
        try:
            read += len(open(path, "rb").read()) > 0
        except OSError:
            pass
    raise RuntimeError(f"read {read} files")
