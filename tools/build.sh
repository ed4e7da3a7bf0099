# shellcheck shell=bash disable=SC1091,SC2154
# Sourced by ./entrain and ./check once they have set `root`: installs packages and builds a tree.
# Everything printed goes to stderr; what apt and the compiler say goes to logs under build/.

note() { printf 'entrain: %s\n' "$*" >&2; }

# Held until release_lock, so that two calls at once install and build one after the other. Ninja
# inherits it: should this shell be killed, the lock is held until the compilers have ended.
take_lock() {
  mkdir -p "$root/build" && exec 9>"$root/build/lock" || exit 1
  flock --nonblock 9 && return
  note "another ./entrain or ./check is building; waiting for it"
  flock 9 || exit
}
release_lock() { exec 9>&-; }

# packages_missing LIST...: the packages named in the lists that are not installed, one a line.
# A libtorch found by CMAKE_PREFIX_PATH stands in for Debian's.
packages_missing() {
  local wanted installed package
  mapfile -t wanted < <(grep -hv -e '^#' -e '^$' "$@")
  # shellcheck disable=SC2016
  installed=$'\n'$(dpkg-query -Wf '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null)$'\n'
  for package in "${wanted[@]}"; do
    [[ $installed == *$'\n'"installed $package"$'\n'* ]] && continue
    [[ $package == lib@(torch|gloo)-dev ]] && own_libtorch && continue
    echo "$package"
  done
}

own_libtorch() {
  local prefixes prefix
  IFS=':;' read -ra prefixes <<<"${CMAKE_PREFIX_PATH:-}"
  for prefix in "${prefixes[@]}"; do
    compgen -G "$prefix/*/cmake/Torch/TorchConfig.cmake" >/dev/null && return
  done
  return 1
}

system_name() { (. /etc/os-release 2>/dev/null && echo "$ID ${VERSION_ID:-}") || uname -s; }

has_build_tools() {
  command -v cmake && { command -v ninja || command -v ninja-build; } &&
    { command -v "${CXX:-c++}" || command -v g++; }
} >/dev/null

# require_packages LIST...: installs what is missing, or says what is needed and exits 1. Where it may
# not install, it goes on if only speed is missing, or with a libtorch and build tools of the user's own.
require_packages() {
  local missing
  mapfile -t missing < <(packages_missing "$@")
  ((${#missing[@]})) || return 0
  if [[ $(system_name) != "debian 12" ]]; then
    can_do_without "${missing[@]}" && return
    note "this is $(system_name), not Debian 12; needed is what these packages of Debian 12 hold:"
  elif ((EUID)) && ! command -v sudo >/dev/null; then
    can_do_without "${missing[@]}" && return
    note "packages needed and not installed, and neither root nor sudo to install them:"
  else
    note "packages needed and not installed: ${missing[*]}"
    install_packages "${missing[@]}" && return
    note "installing them failed (log: $root/build/packages.log):"
  fi
  note "  ${missing[*]}"
  note "as root, on a system that has them under these names:"
  note "  apt-get update && apt-get install --no-install-recommends ${missing[*]}"
  note "any libtorch will do, with cmake, ninja and a C++20 compiler beside it:"
  note "  CMAKE_PREFIX_PATH=/path/to/libtorch $0"
  exit 1
}

can_do_without() {
  local package
  own_libtorch && has_build_tools && return
  for package in "$@"; do
    [[ $package == @(ccache|lld) ]] || return
  done
}

install_packages() {
  local log=$root/build/packages.log as_root=(env DEBIAN_FRONTEND=noninteractive)
  ((EUID)) && as_root=(sudo "${as_root[@]}")
  note "installing them (log: $log)"
  {
    "${as_root[@]}" apt-get update &&
      "${as_root[@]}" apt-get -y -o DPkg::Lock::Timeout=600 install --no-install-recommends "$@"
  } >"$log" 2>&1 </dev/null && return
  tail -n 20 "$log" >&2
  return 1
}

# build PRESET TARGET [-DNAME=VALUE...]: brings build/PRESET up to date, or shows the end of its log
# and returns non-zero. Ninja itself runs CMake again when a CMakeLists.txt changed.
build() {
  local preset=$1 target=$2 log=$root/build/$1.log start=$SECONDS
  shift 2
  : >"$log"
  trap 'note "interrupted"; trap - INT; kill -INT $$' INT
  if { configured "$preset" "$@" || configure "$preset" "$log" "$@"; } &&
    make_target "$preset" "$target" "$log"; then
    trap - INT
    grep -q '^\[[1-9]' "$log" && note "built build/$preset in $((SECONDS - start)) s"
    return 0
  fi
  trap - INT
  tail -n 40 "$log" >&2
  note "the build failed after $((SECONDS - start)) s; the whole log: $log"
  return 1
}

# configured PRESET [-DNAME=VALUE...]: is the tree configured so, and since the presets last changed?
configured() {
  local tree=$root/build/$1 setting
  [[ $tree/build.ninja -nt $root/CMakePresets.json ]] || return
  for setting in "${@:2}"; do
    setting=${setting#-D}
    grep -q "^${setting%%=*}:[A-Z]*=${setting#*=}$" "$tree/CMakeCache.txt" || return
  done
}

configure() {
  local preset=$1 log=$2 found=()
  command -v ccache >/dev/null && found+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  command -v ld.lld >/dev/null && found+=(-DCMAKE_{EXE,SHARED,MODULE}_LINKER_FLAGS=-fuse-ld=lld)
  note "configuring build/$preset (log: $log)"
  cmake -S "$root" --preset "$preset" "${found[@]}" "${@:3}" >>"$log" 2>&1 </dev/null &&
    touch "$root/build/$preset/build.ninja"
}

make_target() {
  NINJA_STATUS='[%f/%t] ' cmake --build "$root/build/$1" --target "$2" 2>&1 </dev/null |
    show_progress "$1" "$3"
}

# show_progress NAME LOG: copies its input to the log, and what Ninja is at to one line of the terminal.
show_progress() {
  local line start=$SECONDS shown=
  trap '' INT
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$2"
    [[ $line =~ ^\[([1-9][0-9]*/[0-9]+)\] ]] || continue
    [[ $shown ]] || note "building build/$1 (log: $2)"
    shown=yes
    [[ -t 2 ]] && printf '\r\033[K  %s  %d s' "${BASH_REMATCH[1]}" $((SECONDS - start)) >&2
  done
  [[ $shown && -t 2 ]] && printf '\r\033[K' >&2
  return 0
}
