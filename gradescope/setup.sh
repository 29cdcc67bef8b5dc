#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image: Python, what isolates student code, and the packages.
set -euo pipefail
source=${AUTOGRADER_ROOT:-/autograder}/source

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq -y python3 python3-venv bubblewrap libseccomp2 >/dev/null
python=python3
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    apt-get install -qq -y python3.11 python3.11-venv >/dev/null # Ubuntu 22.04's own is older
    python=python3.11
fi
"$python" -m venv "$source/venv"
"$source/venv/bin/pip" install -q --disable-pip-version-check -r "$source/requirements.txt"
chmod -R go-rwx "$source/solutions"
