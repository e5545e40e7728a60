#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The interop matrix: real clients of many generations in one tailnet. Builds what is missing, joins them all and
# prints a table, client by check: ok, FAIL, or n.a. where a client can't do it. Ends with 1 when a cell failed.
#   matrix.sh                all clients; the first time builds them, some 40 minutes on two cores
#   matrix.sh VERSION...     only these, as v1.60.1 or v1.60.1/TS2019, and no Rust client
#   matrix.sh --newest       the quick part with the newest release of the day in the place of the newest pinned
# INTEROP_CHECKS="login https" leaves out the other columns but the first.
# INTEROP_BIN names the folder of ts2021d and ts2021; without it they are built with the preset dev.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
# Where Go was unpacked by hand it is seldom in the path of a plain shell.
PATH=$PATH:/usr/local/go/bin

all='v1.20.4 v1.32.3 v1.50.1 v1.60.1 v1.60.1/TS2019 v1.70.0 v1.80.3 v1.90.9 v1.98.1 v1.104.5'
rust=yes
tests='^(TestGolden|TestMatrix)$'
case "${1-}" in
  '') set -- $all ;;
  --newest)
    empty=$(mktemp -d)
    newest=$(cd "$empty" && go list -m -versions tailscale.com | tr ' ' '\n' | grep -E '^v[0-9.]+$' | tail -n 1)
    rmdir "$empty"
    [ -n "$newest" ] || { echo "matrix.sh: the registry names no release" >&2; exit 2; }
    echo "the newest release is $newest" >&2
    set -- v1.20.4 v1.98.1 "$newest"
    rust=no tests='^TestMatrix$' ;;
  -*) sed -n 's/^#   //p' "$0" >&2; exit 2 ;;
  *) rust=no tests='^TestMatrix$' ;;
esac

for program in chromium chromedriver; do # a login wants a person with a browser
  command -v $program > /dev/null || { echo "matrix.sh: please install the packages chromium and chromium-driver" >&2; exit 2; }
done

bin=${INTEROP_BIN-}
if [ -z "$bin" ]; then
  cmake -S "$root" --preset dev -Wno-dev --log-level=WARNING > /dev/null
  cmake --build "$root/build/dev" --target ts2021d ts2021 >&2
  bin=$root/build/dev/bin
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
versions=$(printf '%s\n' "$@" | sed 's|/.*||' | sort -u)
# The tests take relay and reference from v1.98.1, whose module they are linked with.
sh "$here/build_tests.sh" "$(command -v go)" "$work" v1.98.1 $versions
export INTEROP_RUST=
if [ "$rust" = yes ]; then INTEROP_RUST=$(sh "$here/build_rust.sh"); fi

INTEROP_PEBBLE=${XDG_CACHE_HOME:-$HOME/.cache}/libts2021/pebble/pebble
if [ ! -x "$INTEROP_PEBBLE" ]; then
  (cd "$work" && GOFLAGS= GOTOOLCHAIN=auto CGO_ENABLED=0 GOBIN=$(dirname "$INTEROP_PEBBLE") go install github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.1)
fi
export INTEROP_PEBBLE

export INTEROP_BIN="$bin" INTEROP_CLIENTS="$(sh "$here/build_clients.sh" --dir)" INTEROP_MATRIX="$*"
export INTEROP_MATRIX_TABLE="$work/table" INTEROP_RELEASES="$versions"
result=0
(cd "$here" && sh "$here/netns.sh" "$work/interop.test" -test.run "$tests" -test.timeout 60m) > "$work/log" 2>&1 || result=$?
if [ "$result" -ne 0 ]; then cat "$work/log"; fi
if [ -e "$work/table" ]; then cat "$work/table"; fi
exit "$result"
