#!/usr/bin/env bash
# Every C++ file is formatted as .clang-format says.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
command -v clang-format >/dev/null || { echo "clang-format is not installed"; exit 77; }
folders=()
for folder in src tools tests bench examples fuzz; do
  [[ -d $folder ]] && folders+=("$folder")
done
find "${folders[@]}" \( -name '*.h' -o -name '*.cpp' \) -print0 | xargs -0r clang-format --dry-run -Werror
