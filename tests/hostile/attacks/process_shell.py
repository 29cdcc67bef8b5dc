"""Runs a shell, an installer and a program."""

import os
import subprocess
import sys

EXPECTS = "ran 0 programs"


def double(x):
    ran = int(os.system("true") == 0)
    for command in (["/bin/sh", "-c", "true"], [sys.executable, "-m", "pip", "list"]):
        try:
            subprocess.run(command, check=True)
            ran += 1
        except Exception:
            pass
    raise RuntimeError(f"ran {ran} programs")
