#!/bin/sh
# Builds the benches and prints every ratio with its budget: sh bench/run.sh [build folder]
# TS2021_CRYPTO=awslc AWSLC_ROOT=<folder> sh bench/run.sh build/bench-awslc measures the other backend.
# The official Go handshake is measured in turns with ours; without Go it is left out with a message.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build/bench}
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DTS2021_TESTS=OFF -DTS2021_APPS=OFF \
  -DTS2021_EXAMPLES=OFF -DTS2021_BENCH=ON -DTS2021_CRYPTO="${TS2021_CRYPTO:-system}" > /dev/null
cmake --build "$build" > /dev/null
build=$(cd "$build" && pwd)
status=0
for bench in "$build"/bin/*_bench; do
  echo "== $(basename "$bench")"
  "$bench" 2> /dev/null || status=1
done

if ! command -v go > /dev/null 2>&1; then
  echo "== handshake of the official Go server: skipped, there is no go here"
  exit $status
fi
echo "== handshake of the official Go server (tailscale.com $(cd bench/go && go list -m -f '{{.Version}}' tailscale.com))"
(cd bench/go && go build -o "$build/bin/go_handshake" .)
for turn in 1 2 3; do
  "$build/bin/handshake_bench" --benchmark_filter='_?responder$' --benchmark_repetitions=5 2> /dev/null
  "$build/bin/go_handshake"
done | awk '
  $1 == "best" && (!($2 in best) || $3 < best[$2]) { best[$2] = $3 }
  function show(what, name, judged, ratio) {
    if (!(name in best)) { print "no time of " what; return 0 }
    ratio = best[name] / best[go]
    printf "ratio %-58s %.3f  (budget %.3f) %s; %d ns, %.2f times as fast\n", what " / Go", ratio, 1 / 2.8,
      ratio <= 1 / 2.8 ? "good" : judged ? "ABOVE" : "above, not judged", best[name], 1 / ratio
    return ratio <= 1 / 2.8 || !judged
  }
  BEGIN { go = "go_responder" }
  END {
    if (!(go in best)) { print "no time of the official server"; exit 1 }
    printf "the official Go responder, which keeps nothing between handshakes: %d ns\n", best[go]
    good = show("first-time machine", "responder", 0)
    good = show("known machine", "known_responder", 1) && good
    good = show("known machine, ephemeral key made ahead", "prepared_responder", 1) && good
    exit !good
  }' || status=1
exit $status
