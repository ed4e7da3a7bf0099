#!/usr/bin/env bash
# No file of the repository names a folder or a package mirror that only one machine has.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1

# An absolute path: not preceded by what would make it the end of a longer path, a URL or a variable.
folder='(^|file://|[^[:alnum:]_.~$})/-])/(home|root|work|Users)/[[:alnum:]._+-]'
mirror='https?://[^/[:space:]]*((mirror|proxy|artifactory|nexus)[^/[:space:]]*|\.internal|\.corp|\.lan)[:/]'

files() {
  git ls-files -z --cached --others --exclude-standard 2>/dev/null ||
    find . -path ./build -prune -o -type f -print0
}
found=$(files | xargs -0r grep -snIE -e "$folder" -e "$mirror" --)
[[ -z $found ]] && exit
echo "paths or hosts of one machine:"
printf '%s\n' "$found"
exit 1
