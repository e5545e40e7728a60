# SPDX-License-Identifier: BSD-3-Clause
# Read by run.sh and table.sh: how what they compare is built.
root=$(cd "$here/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/libts2021/rivals
PATH=$PATH:/usr/local/go/bin

has_go() {
  command -v go > /dev/null 2>&1
}

# build_ours FOLDER [FLAG…]: benches, optimised, and what the flags add.
build_ours() {
  folder=$1
  shift
  cmake -S "$root" -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release -DTS2021_TESTS=OFF -DTS2021_APPS=OFF -DTS2021_EXAMPLES=OFF \
    -DTS2021_BENCH=ON -DTS2021_CRYPTO="${TS2021_CRYPTO:-system}" "$@" > /dev/null
  cmake --build "$folder" > /dev/null
}

# build_awslc_handshake FOLDER: prints the path of handshake_bench with the other backend; fails without cargo, which brings AWS-LC.
build_awslc_handshake() {
  [ "${TS2021_CRYPTO:-system}" = system ] || return 1
  AWSLC_ROOT=$(sh "$root/cmake/awslc.sh") || return 1
  export AWSLC_ROOT
  cmake -S "$root" -B "$1" -G Ninja -DCMAKE_BUILD_TYPE=Release -DTS2021_TESTS=OFF -DTS2021_APPS=OFF -DTS2021_EXAMPLES=OFF \
    -DTS2021_BENCH=ON -DTS2021_CRYPTO=awslc > /dev/null || return 1
  cmake --build "$1" --target handshake_bench > /dev/null || return 1
  echo "$1/bin/handshake_bench"
}

# build_go_reference PATH: the official code at our tasks.
build_go_reference() {
  (cd "$here/go" && go build -o "$1" .)
}

# build_rival NAME MODULE PACKAGE: prints the program's path.
build_rival() {
  version=$(cd "$here/rivals/$1" && go list -m -f '{{.Version}}' "$2") || return 1
  if [ ! -x "$cache/$1-$version" ]; then
    echo "building $1 $version" >&2
    (cd "$here/rivals/$1" && CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOTOOLCHAIN=auto go build -o "$cache/$1-$version" "$3") >&2 || return 1
  fi
  echo "$cache/$1-$version"
}
