#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Where the server's time goes, with perf, in about two minutes: sh bench/profile.sh [--bin FOLDER] [--only storm] [--readme bench/README.md]
# --bin has our programs; without it they are built, optimised, in build/bench.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/build.sh"

command -v perf > /dev/null || {
  echo "there is no perf here (Debian: linux-perf)" >&2
  exit 2
}
if [ "${1-}" = --bin ]; then
  bin=$(cd "$2" && pwd)
  shift 2
else
  build_ours "$root/build/bench" -DTS2021_APPS=ON
  bin=$root/build/bench/bin
fi
exec python3 -B "$here/table/hot_spots.py" --ts2021d "$bin/ts2021d" --ts2021 "$bin/ts2021" "$@"
