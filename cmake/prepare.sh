# SPDX-License-Identifier: MIT
# cmake/prepare.sh: from a bare Debian or Ubuntu to built programs; sourced by the run scripts.
#
# LRQAT_PRESET         gcc (default), clang or asan: see CMakePresets.json
# LRQAT_CMAKE_OPTIONS  further options for the configuration, separated by blanks

# What each script needs, by Debian's names.
toolchain="cmake ninja-build g++"
file_formats="nlohmann-json3-dev libsentencepiece-dev"
packages_for_examples="$toolchain $file_formats libcli11-dev libeigen3-dev gnuplot-nox"
packages_for_tests="$packages_for_examples libxtensor-dev libdnnl-dev catch2
  librapidcheck-dev clang libclang-rt-dev libomp-dev"
if [[ $(uname -m) == x86_64 ]]; then
  packages_for_tests+=" g++-aarch64-linux-gnu qemu-user"
fi
packages_for_benchmarks="$toolchain $file_formats libbenchmark-dev libeigen3-dev libopenblas-dev
  libdnnl-dev"

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${LRQAT_PRESET:-gcc}
build=$project/build/$preset
jobs=$(nproc)

stop() {
  echo "lrqat: $*" >&2
  exit 1
}

# install_packages <name>...: those that are missing. Where that cannot be done it says what is
# missing and goes on if at least the tools are there; CMake then names what it does not find.
install_packages() {
  local name missing=() as_root=()
  for name in "$@"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
  done
  ((${#missing[@]})) || return 0

  ((EUID == 0)) || as_root=(sudo)
  as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o=Dpkg::Use-Pty=0)
  if command -v apt-get >/dev/null; then
    echo "lrqat: installing ${missing[*]}" >&2
    local log
    log=$(mktemp)
    if { "${as_root[@]}" update &&
      "${as_root[@]}" install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
      rm "$log"
      return
    fi
    tail -n 5 "$log" >&2
    rm "$log"
  fi
  echo "lrqat: please install what Debian calls: ${missing[*]}" >&2
  for name in cmake ninja c++; do
    command -v "$name" >/dev/null || stop "there is no $name, so nothing can be built."
  done
}

# configure <part>...: TESTS, BENCHMARKS, EXAMPLES. Parts that an earlier call asked for stay.
configure() {
  local part options=()
  if [[ ! -f $build/build.ninja ]]; then
    options=(-DLRQAT_BUILD_TESTS=OFF -DLRQAT_BUILD_BENCHMARKS=OFF -DLRQAT_BUILD_EXAMPLES=OFF)
  fi
  for part in "$@"; do options+=("-DLRQAT_BUILD_$part=ON"); done
  # shellcheck disable=SC2086
  (cd "$project" && cmake --preset "$preset" "${options[@]}" ${LRQAT_CMAKE_OPTIONS:-} >/dev/null) ||
    stop "cmake could not configure $build"
}

# compile [target]...: without a target, everything that is configured.
compile() {
  cmake --build "$build" --parallel "$jobs" ${1:+--target "$@"} >&2 || stop "the build failed"
}
