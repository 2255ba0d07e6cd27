#!/usr/bin/env bash
# Install the Debian packages that CI needs, only those that are missing.
set -euo pipefail

missing=()
need() {
    command -v "$1" > /dev/null || missing+=("$2")
}
need git git
need make make
need python3 python3
need chromium chromium
python3 -c 'import ensurepip, venv' 2> /dev/null || missing+=(python3-venv)

if ((${#missing[@]} == 0)); then
    echo 'Nothing is missing.'
    exit 0
fi
as_root=()
if ((EUID != 0)); then
    as_root=(sudo)
fi
echo "Installing ${missing[*]}"
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
