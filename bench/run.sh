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
  "$build/bin/handshake_bench" --benchmark_filter='^responder$' --benchmark_repetitions=5 2> /dev/null
  "$build/bin/go_handshake"
done | awk '
  $1 == "best" && $2 == "responder" && (ours == 0 || $3 < ours) { ours = $3 }
  $1 == "best" && $2 == "go_responder" && (theirs == 0 || $3 < theirs) { theirs = $3 }
  END {
    good = ours > 0 && theirs > 0 && ours / theirs <= 1 / 2.8
    printf "ratio %-58s %.3f  (budget %.3f) %s\n", "our responder / the official Go responder", ours / theirs, 1 / 2.8, good ? "good" : "ABOVE"
    printf "best ours %d ns, Go %d ns: %.2f times\n", ours, theirs, theirs / ours
    exit !good
  }' || status=1
exit $status
