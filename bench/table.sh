#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Fills the table of what is to be reached, side by side with the rivals, in one run of about 40 minutes: sh bench/table.sh [--bin FOLDER]
# [--quick] [--rounds 1] [--cases register,storm] [--readme bench/README.md] [--markdown FILE] [--plot FILE] [--json FILE]
# --bin has our programs and benches; without it they are built, optimised, in build/bench. The rivals are Go modules of pinned versions (rivals/),
# built once into the user's cache; headscale takes minutes. What can't be built, for want of Go or cargo, is left out.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/build.sh"

if [ "${1-}" = --bin ]; then
  bin=$(cd "$2" && pwd)
  shift 2
else
  build_ours "$root/build/bench" -DTS2021_APPS=ON
  bin=$root/build/bench/bin
fi
for program in ts2021d ts2021 handshake_bench memory_bench; do
  [ ! -x "$bin/$program" ] || set -- "$@" "--$(echo $program | tr _ -)" "$bin/$program"
done
if fast=$(build_awslc_handshake "$root/build/bench-awslc"); then
  set -- "$@" --awslc-handshake-bench "$fast"
fi
if has_go; then
  mkdir -p "$cache"
  for rival in bare:tailscale.com:. testcontrol:tailscale.com:. headscale:github.com/juanfont/headscale:github.com/juanfont/headscale/cmd/headscale; do
    name=${rival%%:*} module=${rival#*:}
    if program=$(build_rival "$name" "${module%%:*}" "${rival##*:}"); then
      set -- "$@" "--$name" "$program"
    fi
  done
  build_go_reference "$cache/go_reference"
  set -- "$@" --go-reference "$cache/go_reference"
else
  echo "the rivals are Go programs, and there is no go here" >&2
fi
exec python3 -B "$here/table/main.py" "$@"
