#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Does capability.sh notice a number that we don't know? Shows it files made for this; nothing is fetched.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
def="$here/../../lib/include/ts2021/msg/capability.def"
ours=$(sed -n 's/^TS2021_CAPABILITY(\([0-9]*\),.*/\1/p' "$def" | sort -n | tail -n 1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

file() { # NUMBER: with an entry on it and one on the number before
  {
    echo 'package tailcfg'
    echo "//   - $(($1 - 1)): 2026-01-01: the old one"
    echo "//   - $1: 2026-01-02: the new one,"
    echo '//     on two lines'
    echo "const CurrentCapabilityVersion CapabilityVersion = $1"
  } > "$work/tailcfg.go"
}
expect() { # STATUS TEXT: what it ends with, and all it prints after the first line
  status=0
  sh "$here/capability.sh" "$work/tailcfg.go" > "$work/said" 2> /dev/null || status=$?
  said=$(tail -n +2 "$work/said")
  if [ "$status" != "$1" ] || [ "$said" != "$2" ]; then
    echo "capability.sh ended with $status, not $1, and said:" "$said" >&2
    exit 1
  fi
}

file $((ours + 1))
expect 1 "//   - $((ours + 1)): 2026-01-02: the new one,
//     on two lines"
file "$ours"
expect 0 ''
file $((ours - 5))
expect 0 ''
echo 'package tailcfg' > "$work/tailcfg.go"
expect 2 ''
rm "$work/tailcfg.go"
expect 2 ''
