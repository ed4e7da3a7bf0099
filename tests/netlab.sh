#!/usr/bin/env bash
# Tests tools/netlab: hosts, rates, delays, shares and faults as promised, and nothing left behind.
# The last line counts the tests; those that need network namespaces skip where none can be made.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
export PYTHONDONTWRITEBYTECODE=1
exec python3 tests/netlab/all.py
