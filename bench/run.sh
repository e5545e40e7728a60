#!/bin/sh
# Builds the benches and prints every ratio with its budget: sh bench/run.sh [build folder]
# TS2021_CRYPTO=awslc AWSLC_ROOT=<folder> sh bench/run.sh build/bench-awslc measures the other backend.
# The official Go code is measured in turns with ours; without Go it is left out with a message. The handshake stands
# there with both backends; without cargo, which brings AWS-LC, with the one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/build.sh"
cd "$root"
build=${1:-build/bench}
build_ours "$build"
build=$(cd "$build" && pwd)
status=0
for bench in "$build"/bin/*_bench; do
  echo "== $(basename "$bench")"
  "$bench" 2> /dev/null || status=1
done

if ! has_go; then
  echo "== the official Go code: skipped, there is no go here"
  exit $status
fi
echo "== the official Go code (tailscale.com $(cd bench/go && go list -m -f '{{.Version}}' tailscale.com), $(go env GOVERSION))"
build_go_reference "$build/bin/go_reference"
request=tests/vectors/msg/captures/v1.98.1/009-map-req.json
map=$build/map_of_1000_peers.json
fast=$(build_awslc_handshake "$build/awslc") || fast=
"$build/bin/json_bench" --map "$map"
for turn in 1 2 3; do
  "$build/bin/handshake_bench" --benchmark_filter='_?responder$' --benchmark_repetitions=5 2> /dev/null
  [ -z "$fast" ] || "$fast" --benchmark_filter='_?responder$' --benchmark_repetitions=5 2> /dev/null | sed 's/^best /best awslc_/'
  "$build/bin/go_reference" handshake
  "$build/bin/json_bench" --benchmark_filter='^(decode|encode)_' --benchmark_repetitions=5 2> /dev/null
  "$build/bin/go_reference" json "$request" "$map"
done | awk -v fast="$fast" '
  $1 == "best" && (!($2 in best) || $3 < best[$2]) { best[$2] = $3 }
  function show(what, ours, go, times, judged, ratio) {
    if (!(ours in best) || !(go in best)) { print "no time of " what; return 0 }
    ratio = best[ours] / best[go]
    printf "ratio %-58s %.3f  (budget %.3f) %s; %d against %d ns, %.2f times as fast\n", what " / Go", ratio, 1 / times,
      ratio <= 1 / times ? "good" : judged ? "ABOVE" : "above, not judged", best[ours], best[go], 1 / ratio
    return ratio <= 1 / times || !judged
  }
  END {
    # The official responder keeps nothing between handshakes.
    good = show("first-time machine", "responder", "go_responder", 2.8, 0)
    if (fast != "") good = show("first-time machine, AWS-LC", "awslc_responder", "go_responder", 4, 1) && good
    good = show("known machine", "known_responder", "go_responder", 2.8, 1) && good
    good = show("known machine, ephemeral key made ahead", "prepared_responder", "go_responder", 2.8, 1) && good
    good = show("decoding a map request", "decode_request", "go_decode_request", 5, 1) && good
    good = show("encoding a map of 1,000 peers", "encode_map", "go_encode_map", 5, 1) && good
    good = show("decoding a map of 1,000 peers", "decode_map", "go_decode_map", 5, 0) && good
    exit !good
  }' || status=1
exit $status
