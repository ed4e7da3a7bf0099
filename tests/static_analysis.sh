#!/usr/bin/env bash
# cppcheck is clean; what it gets wrong is suppressed where it stands, with the reason beside it.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
command -v cppcheck >/dev/null || { echo "cppcheck is not installed"; exit 77; }
mkdir -p build/cppcheck
cppcheck --quiet --std=c++20 --language=c++ --library=googletest -I src -j "$(nproc)" \
  --enable=warning,performance,portability --inline-suppr --cppcheck-build-dir=build/cppcheck \
  --error-exitcode=1 src tools
