#!/usr/bin/env bash
# docs/settings.md and docs/strategies.md are what `entrain docs` prints, and docs/fidelity.md names
# tests that there are.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
entrain=build/release/tools/entrain/entrain
status=0

for page in settings strategies; do
  diff -u "docs/$page.md" <("$entrain" docs "$page") && continue
  echo "docs/$page.md is out of date: $entrain docs $page > docs/$page.md"
  status=1
done

tests=$(for binary in unit_tests conformance_tests process_tests; do
  "build/release/tests/$binary" --gtest_list_tests
done | awk '/^[^ ]/ {suite = $1} /^ / {print suite $1}')
# shellcheck disable=SC2016
while read -r name; do
  grep -qx -- "$name" <<<"$tests" && continue
  echo "docs/fidelity.md names the test $name, which there is not"
  status=1
done < <(grep -o '`[A-Z][A-Za-z0-9]*\.[A-Za-z0-9_]*`' docs/fidelity.md | tr -d '`')
exit $status
