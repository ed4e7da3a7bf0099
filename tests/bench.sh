#!/usr/bin/env bash
# Tests the drivers of bench/ that run on a pretend network. The last line counts the tests; those
# that need network namespaces or MNIST skip where they are not.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
export PYTHONDONTWRITEBYTECODE=1
exec python3 tests/netlab/all.py tests/bench bench
