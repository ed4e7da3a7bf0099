#!/usr/bin/env bash
# run.sh [SECONDS]: fuzzes the readers of texts (strategy_text.cpp) for 30 s or SECONDS with AFL++, from the
# inputs in corpus/ and the files of examples/. Exits 1 where an input ends in a crash or hangs, and names it.
#   build/fuzz/strategy_text INPUT...    shows what is wrong with one
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
seconds=${1:-30}
tree=build/fuzz findings=build/fuzz/findings
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "usage: fuzz/run.sh [SECONDS]" >&2; exit 2; }
for tool in afl-fuzz afl-clang-fast++; do
  command -v $tool >/dev/null || { echo "$tool is not installed (Debian: afl++)"; exit 77; }
done

mkdir -p $tree
build() {
  cmake -G Ninja -S fuzz -B $tree -DCMAKE_CXX_COMPILER=afl-clang-fast++ && cmake --build $tree
} >$tree/build.log 2>&1 </dev/null
build || { tail -n 40 $tree/build.log; echo "the build failed; the whole log: $tree/build.log"; exit 1; }

rm -rf $tree/seeds $findings
mkdir -p $tree/seeds
cp fuzz/corpus/* $tree/seeds
for example in examples/*.toml; do
  { printf t; cat "$example"; } >"$tree/seeds/${example##*/}"
done
# AFL++ passes over a seed that crashes, so they are tried first: all in one process, then which it was.
if ! timeout 60 $tree/strategy_text $tree/seeds/* 2>/dev/null; then
  for seed in $tree/seeds/*; do
    timeout 20 $tree/strategy_text "$seed" || echo "the seed ends in a crash or hangs: $seed"
  done
  exit 1
fi
$tree/strategy_text --words >$tree/words.dict || exit 1

# What AFL++ would have changed on the machine is not ours to change: governors, where cores are dumped.
export AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_AFFINITY=1 AFL_NO_UI=1
afl-fuzz -V "$seconds" -t 2000 -G 70000 -x $tree/words.dict -i $tree/seeds -o $findings -- $tree/strategy_text \
  >$tree/afl.log 2>&1 </dev/null
status=$?

figure() { sed -n "s/^$1 *: *//p" $findings/default/fuzzer_stats 2>/dev/null; }
executions=$(figure execs_done)
if ((status)) || [[ ! $executions ]] || ((executions == 0)); then
  tail -n 20 $tree/afl.log
  echo "afl-fuzz failed with status $status; the whole log: $tree/afl.log"
  exit 1
fi
mapfile -t found < <(find $findings/default/crashes $findings/default/hangs -type f -name 'id:*')
echo "$executions executions in $(figure run_time) s, ${#found[@]} crashes and hangs"
((${#found[@]})) || exit 0
printf '%s\n' "${found[@]}"
exit 1
