#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The same fleet against ts2021d, the official test server and headscale in turn: sh bench/rivals/run.sh [--bin FOLDER]
# [flags of rivals.py: --nodes 200 --rounds 3 --servers testcontrol,headscale --json FILE …]
# --bin has ts2021d and ts2021; without it they are built, optimised, in build/rivals. The rivals are Go modules of pinned
# versions (testcontrol/go.mod, headscale/go.mod), built once into the user's cache; headscale takes minutes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
PATH=$PATH:/usr/local/go/bin
if ! command -v go > /dev/null 2>&1; then
  echo "skip: the rivals are Go programs, and there is no go here" >&2
  exit 77
fi

bin= servers=testcontrol,headscale
if [ "${1-}" = --bin ]; then
  bin=$(cd "$2" && pwd)
  shift 2
fi
last=
for word in "$@"; do
  [ "$last" != --servers ] || servers=$word
  last=$word
done

if [ -z "$bin" ]; then
  cmake -S "$root" -B "$root/build/rivals" -G Ninja -DCMAKE_BUILD_TYPE=Release -DTS2021_TESTS=OFF -DTS2021_EXAMPLES=OFF > /dev/null
  cmake --build "$root/build/rivals" --target ts2021d ts2021 > /dev/null
  bin=$root/build/rivals/bin
fi

cache=${XDG_CACHE_HOME:-$HOME/.cache}/libts2021/rivals
mkdir -p "$cache"
# build NAME MODULE PACKAGE: prints the program's path.
build() {
  version=$(cd "$here/$1" && go list -m -f '{{.Version}}' "$2")
  if [ ! -x "$cache/$1-$version" ]; then
    echo "building $1 $version" >&2
    (cd "$here/$1" && CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOTOOLCHAIN=auto go build -o "$cache/$1-$version" "$3") >&2
  fi
  echo "$cache/$1-$version"
}
set -- "$@" --ours "$bin/ts2021d" --fleet "$bin/ts2021"
case ,$servers, in *,testcontrol,*)
  program=$(build testcontrol tailscale.com .)
  set -- "$@" --testcontrol "$program" ;;
esac
case ,$servers, in *,headscale,*)
  program=$(build headscale github.com/juanfont/headscale github.com/juanfont/headscale/cmd/headscale)
  set -- "$@" --headscale "$program" ;;
esac
exec python3 -B "$here/rivals.py" "$@"
