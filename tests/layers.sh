#!/usr/bin/env bash
# Proves the layers: a folder of src/entrain includes only itself and the folders that its
# entrain_target() links, directly or through others, none of them links back, and the headers that
# are slow to compile are included by .cpp files only. Unit tests (*_test.cpp) may include any folder.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
wrong=0
complain() { printf '%s\n' "$*"; wrong=1; }

# links[x]: the folders x may include, between blanks.
declare -A links
while read -r folder rest; do
  rest=" ${rest%%LIBRARIES*} "
  links[$folder]=${rest/ LINKS / }
done < <(tr '\n' ' ' <src/entrain/CMakeLists.txt | grep -oP 'entrain_target\(\K[^)]*')

for ((changed = 1; changed;)); do
  changed=0
  for folder in "${!links[@]}"; do
    for direct in ${links[$folder]}; do
      for further in ${links[$direct]-}; do
        [[ ${links[$folder]} == *" $further "* ]] && continue
        links[$folder]+="$further "
        changed=1
      done
    done
  done
done

for folder in "${!links[@]}"; do
  [[ ${links[$folder]} == *" $folder "* ]] && complain "src/entrain/$folder links itself, through others"
done

includes=0
while IFS=: read -r file line text; do
  folder=${file#src/entrain/} folder=${folder%%/*} included=${text#*\"} included=${included%%\"*}
  includes=$((includes + 1))
  [[ $folder == *.h ]] && continue  # src/entrain/entrain.h, the door of the library, stands above the folders
  if [[ ! -v links[$folder] ]]; then
    complain "$file: src/entrain/CMakeLists.txt has no entrain_target($folder)"
  elif [[ $included != entrain/*/* ]]; then
    complain "$file:$line: \"$included\": quotes are for our own headers, named \"entrain/<folder>/<name>\""
  else
    target=${included#entrain/} target=${target%%/*}
    [[ $target == "$folder" || ${links[$folder]} == *" $target "* ]] ||
      complain "$file:$line: $folder may not include $included (it links:${links[$folder]})"
  fi
done < <(grep -rnE '^ *# *include *"' src/entrain --include='*.h' --include='*.cpp' --exclude='*_test.cpp')
((includes)) || complain "no includes found under src/entrain: is this the root of the repository?"

slow='^ *# *include *[<"](torch/(torch|all|nn|optim|data|serialize)\.h|CLI/|toml\+\+/|nlohmann/)'
heavy=$(grep -rnE "$slow" src tools tests bench examples --include='*.h' 2>/dev/null)
[[ $heavy ]] && complain "slow headers belong in .cpp files:"$'\n'"$heavy"

((wrong)) || echo "${#links[@]} folders, $includes includes: every one points down"
exit $wrong
