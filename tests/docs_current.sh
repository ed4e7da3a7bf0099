#!/usr/bin/env bash
# docs/settings.md is what `entrain docs settings` prints.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
entrain=build/release/tools/entrain/entrain
printed=$("$entrain" docs settings)
case $? in
  0) ;;
  2) echo "this entrain has no verb \`docs settings\`"; exit 77 ;;
  *) exit 1 ;;
esac
diff -u docs/settings.md <(printf '%s\n' "$printed") && exit
echo "docs/settings.md is out of date: $entrain docs settings > docs/settings.md"
exit 1
