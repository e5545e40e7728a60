#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Has the protocol moved on? Asks the Go module registry for the newest official release and prints the history of
# its capability versions above the newest row of capability.def, in its own words. Exit status 1 when there are any.
#   capability.sh [VERSION]     VERSION: look at that release instead of the newest
#   capability.sh ./tailcfg.go  look at that file; nothing is asked for
set -eu
here=$(cd "$(dirname "$0")" && pwd)
def="$here/../../lib/include/ts2021/msg/capability.def"
ours=$(sed -n 's/^TS2021_CAPABILITY(\([0-9]*\),.*/\1/p' "$def" | sort -n | tail -n 1)

# Asked for from an empty folder, so that our own go.mod has no say.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
file=$(realpath -m "${1-.}")
cd "$work"
export GOTOOLCHAIN=local GOFLAGS=-mod=mod
case "${1-latest}" in
  */*) name=$1 source=$file ;;
  *)
    # A release that wants a newer Go than ours is still fetched, with an error beside it: read its zip.
    answer=$(go mod download -json "tailscale.com@${1-latest}" || true)
    field() { printf '%s\n' "$answer" | sed -n "s/^[[:space:]]*\"$1\": \"\\(.*\\)\",*\$/\\1/p"; }
    name="tailscale.com $(field Version)" source=$work/tailcfg.go
    python3 -c '
import sys, zipfile
path, version = sys.argv[1:]
sys.stdout.buffer.write(zipfile.ZipFile(path).read(f"tailscale.com@{version}/tailcfg/tailcfg.go"))
' "$(field Zip)" "$(field Version)" > "$source" ;;
esac
theirs=$(sed -n 's/^const CurrentCapabilityVersion CapabilityVersion = \([0-9]*\).*/\1/p' "$source")
[ -n "$ours" ] && [ -n "$theirs" ] || { echo "capability.sh: a version was not found" >&2; exit 2; }

echo "$name is at $theirs, capability.def at $ours"
[ "$theirs" -gt "$ours" ] || exit 0
awk -v ours="$ours" '
  /^\/\/ *- [0-9]+:/ { line = $0; sub(/^\/\/ *- /, "", line); shown = (line + 0 > ours) }
  !/^\/\// { shown = 0 }
  shown' "$source"
exit 1
