#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Shows the main job: builds the programs, starts ts2021d, lets two nodes join with an auth key, and shows that
# each has the other in its map. Where Go is present the nodes are real tailscaleds of the official release, in
# a closed network namespace; elsewhere our own client plays them. Everything it starts is ended. Exit status 0
# means that both nodes saw each other.
#   sh apps/demo.sh [--own]      --own: our own client even where Go is present
set -eu
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/local/go/bin:/usr/sbin:/sbin
version=v1.98.1
bin=build/release/bin

say() { printf '\n== %s\n' "$*"; }

# Ends what was started, by pid, newest first.
pids=
cleanup() {
  for pid in $pids; do kill "$pid" 2> /dev/null || true; done
  for pid in $pids; do wait "$pid" 2> /dev/null || true; done
  [ -z "${work-}" ] || rm -rf "$work"
}

give_up() {
  echo "demo failed: $*" >&2
  for log in "$work"/*.log; do
    echo "--- last lines of ${log##*/}" >&2
    tail -n 15 "$log" >&2
  done
  exit 1
}

# until_true SECONDS COMMAND...
until_true() {
  tries=$(($1 * 5))
  shift
  until "$@"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    sleep 0.2
  done
}

# The official relay with a certificate made here: a real client calls itself running only when it has one.
start_relay() {
  say "a relay"
  relay=4443 stun=3478 # this namespace is ours alone
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 \
    -addext subjectAltName=IP:127.0.0.1 -keyout "$work/127.0.0.1.key" -out "$work/127.0.0.1.crt" 2> /dev/null
  "$clients/derper" -a "127.0.0.1:$relay" -http-port -1 -stun-port "$stun" -certmode manual -certdir "$work" \
    -hostname 127.0.0.1 -c "$work/derper.json" > "$work/derper.log" 2>&1 &
  pids="$! $pids"
  cat > "$work/derp-map.json" << MAP
{"Regions":{"1":{"RegionID":1,"RegionCode":"demo","RegionName":"demo","Nodes":[{"Name":"d1","RegionID":1,
"HostName":"127.0.0.1","IPv4":"127.0.0.1","IPv6":"none","STUNPort":$stun,"DERPPort":$relay,
"InsecureForTests":true,"STUNTestIP":"127.0.0.1"}]}}}
MAP
  echo "derper listens on 127.0.0.1:$relay"
}

# Starts the server with the given flags and learns its address from the one line it prints.
start_server() {
  say "the server"
  key=tskey-auth-demo-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
  "$bin/ts2021d" --listen 127.0.0.1:0 --auth-key "$key" --json "$@" > "$work/server.json" 2> "$work/ts2021d.log" &
  pids="$! $pids"
  until_true 10 test -s "$work/server.json" || give_up "ts2021d does not start"
  url=$(sed -n 's/.*"url": *"\([^"]*\)".*/\1/p' "$work/server.json")
  [ -n "$url" ] || give_up "ts2021d names no address"
  echo "ts2021d listens on $url"
}

ts() { # ts NODE ARGUMENT...: the command line of that tailscaled
  node=$1
  shift
  "$clients/tailscale" --socket="$work/$node.sock" "$@"
}

sees() { ts "$1" status 2> /dev/null | grep -q "$2"; }
answers() { ts "$1" status --json > /dev/null 2>&1; }

real_nodes() {
  start_relay
  start_server --derp-map "$work/derp-map.json"
  for name in alpha beta; do
    say "a real tailscaled joins as $name: $("$clients/tailscaled" --version | head -n 1)"
    env TS_NO_LOGS_NO_SUPPORT=true TS_PANIC_IF_HIT_MAIN_CONTROL=1 TS_DISABLE_PORTMAPPER=1 \
      TS_ASSUME_NETWORK_UP_FOR_TEST=1 "$clients/tailscaled" --tun=userspace-networking --no-logs-no-support \
      --socket="$work/$name.sock" --statedir="$work/$name" --port=0 > "$work/$name.log" 2>&1 &
    pids="$! $pids"
    until_true 30 answers "$name" || give_up "$name does not start"
    ts "$name" up --login-server="$url" --auth-key="$key" --hostname="$name" --accept-dns=false --timeout=45s ||
      give_up "$name does not join"
    echo "$name has $(ts "$name" ip -4)"
  done
  until_true 20 sees alpha beta || give_up "alpha does not see beta"
  until_true 20 sees beta alpha || give_up "beta does not see alpha"
  for name in alpha beta; do
    say "the map of $name"
    ts "$name" status
  done
  say "alpha pings beta through WireGuard"
  ts alpha ping --tsmp --c=3 --timeout=10s "$(ts beta ip -4)" || give_up "no answer"
}

own_nodes() {
  start_server
  for name in alpha beta; do
    say "our client joins as $name"
    "$bin/ts2021" map "$url" --auth-key "$key" --hostname "$name" --seconds 6 > "$work/$name.map" 2> "$work/$name.log" &
    pids="$! $pids"
  done
  until_true 8 grep -q beta "$work/alpha.map" || give_up "alpha does not see beta"
  until_true 8 grep -q alpha "$work/beta.map" || give_up "beta does not see alpha"
  for name in alpha beta; do
    say "what $name was sent"
    cat "$work/$name.map"
  done
}

inside() { # inside real|own
  work=$(mktemp -d)
  trap cleanup EXIT
  trap 'exit 1' INT TERM HUP
  "$1_nodes"
  say "done: both nodes joined, and each has the other in its map"
}

case "${1-}" in
  --inside)
    clients=${3-}
    inside "$2"
    exit 0
    ;;
  '' | --own) ;;
  *) echo "usage: apps/demo.sh [--own]" >&2; exit 2 ;;
esac

say "building the programs"
sh cmake/packages.sh build
cmake --preset release -Wno-dev --log-level=WARNING
cmake --build --preset release

if [ "${1-}" != --own ] && command -v go > /dev/null; then
  if sh tests/interop/netns.sh true 2> /dev/null; then
    say "real clients: tailscaled $version (built once, a few minutes, then cached)"
    sh tests/interop/build_clients.sh "$version"
    exec sh tests/interop/netns.sh sh apps/demo.sh --inside real "$(sh tests/interop/build_clients.sh --dir)/$version"
  fi
  echo "no network namespace can be made here, so our own client plays the nodes"
fi
exec sh apps/demo.sh --inside own
