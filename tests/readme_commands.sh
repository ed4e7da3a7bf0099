#!/usr/bin/env bash
# Runs the commands of README.md: every line of its ```sh blocks that starts with ./entrain, in an
# empty folder with links to the repository's entrain, check and examples, in one order, so that a
# command finds what an earlier one wrote. A comment `<!-- needs: mnist -->` before a block skips it
# where $ENTRAIN_TEST_DATA/mnist is not there. Lines with ./check are shown, not run: this is part of it.
set -uo pipefail
root=$(dirname "$(dirname "$(readlink -f "$0")")")
seconds_at_most=900

# One line per command: the data it needs, a tab, the command with its continued lines joined.
commands() {
  awk '
    /^<!-- *needs: .*-->$/ { needs = $0; gsub(/^<!-- *needs: *| *-->$/, "", needs); next }
    /^```sh *$/            { inside = 1; next }
    /^```/                 { inside = 0; needs = "" ; next }
    !inside                { if (NF) needs = ""; next }
    /\\$/                  { joined = joined substr($0, 1, length($0) - 1); next }
                           { line = joined $0; joined = "" }
    line ~ /^\.\/(entrain|check)( |$)/ { print needs "\t" line }
  ' "$root/README.md"
}

missing_data() {
  local name
  for name in $1; do
    [[ -e ${ENTRAIN_TEST_DATA:-/nowhere}/$name ]] || echo "$name"
  done
}

folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && cd "$folder" || exit 1
ln -s "$root"/{entrain,check,examples} .
[[ ${ENTRAIN_TEST_DATA:-} ]] && export ENTRAIN_DATA__ROOT=$ENTRAIN_TEST_DATA

passed=0 failed=0 skipped=0
while IFS= read -r line; do
  needs=${line%%$'\t'*} command=${line#*$'\t'} started=$SECONDS
  if [[ $command == ./check* ]]; then
    echo "not run here: $command"
  elif [[ $(missing_data "$needs") ]]; then
    echo "skipped, needs $needs: $command"
    skipped=$((skipped + 1))
  elif timeout "$seconds_at_most" bash -c "$command" >output 2>&1 </dev/null; then
    echo "exit 0, $((SECONDS - started)) s: $command"
    passed=$((passed + 1))
  else
    echo "FAILED, exit $?, $((SECONDS - started)) s: $command"
    tail -n 30 output
    failed=$((failed + 1))
  fi
done < <(commands)
((passed + failed + skipped)) || { echo "no commands found in README.md"; failed=1; }
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
