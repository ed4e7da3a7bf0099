#!/usr/bin/env bash
# studies.sh: runs the quick form of every study, from an empty folder. A study counts as passed if
# each of its claims comes out as it is declared; the claims are printed. `# Needs the sets ...` in
# the first line of a study skips it where $ENTRAIN_TEST_DATA is not there.
set -uo pipefail
root=$(dirname "$(dirname "$(readlink -f "$0")")")
folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder" || exit 1
[[ ${ENTRAIN_TEST_DATA:-} ]] && export ENTRAIN_DATA__ROOT=$ENTRAIN_TEST_DATA

passed=0 failed=0 skipped=0
for study in "$root"/studies/*/quick.toml; do
  name=$(basename "$(dirname "$study")") started=$SECONDS
  if [[ ! ${ENTRAIN_TEST_DATA:-} ]] && head -1 "$study" | grep -q '^# Needs the sets'; then
    echo "skipped, needs its sets in ENTRAIN_TEST_DATA: $name"
    skipped=$((skipped + 1))
    continue
  fi
  if "$root/build/release/tools/entrain/entrain" study "$study" --out "$folder/$name" 2>"$name.log"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    tail -n 5 "$name.log"
    echo "failed: $name"
  fi
  echo "$name: $((SECONDS - started)) s"
done
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
