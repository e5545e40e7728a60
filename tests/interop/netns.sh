#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Runs a command in a closed network of its own: loopback, and a veth pair whose both ends are inside with a
# default route to nowhere. Programs believe that the network is up, and nothing can leave it. control.tailscale is a name
# of this machine there.
#   netns.sh COMMAND [ARGUMENT...]    ends as the command ends; 77 where no namespace can be made
set -eu

if [ "${1-}" = --inside ]; then
  shift
  ip link set lo up
  ip link add veth0 type veth peer name veth1
  ip address add 192.0.2.1/24 dev veth0
  ip link set veth0 up
  ip link set veth1 up
  ip route add default via 192.0.2.2
  hosts=$(mktemp)
  { cat /etc/hosts; echo '127.0.0.1 control.tailscale'; } > "$hosts"
  mount --bind "$hosts" /etc/hosts
  rm "$hosts"
  # No proxy is there, and every address is local or nowhere.
  unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
  exec "$@"
fi

PATH=$PATH:/usr/sbin:/sbin
if ! command -v ip > /dev/null || ! command -v unshare > /dev/null; then
  echo "skip: a network namespace needs the programs ip and unshare" >&2
  exit 77
fi
probe='ip link set lo up && ip link add veth0 type veth peer name veth1'
if unshare --net --mount sh -c "$probe" 2> /dev/null; then
  exec unshare --net --mount sh "$0" --inside "$@"
elif unshare --net --mount --user --map-root-user sh -c "$probe" 2> /dev/null; then
  exec unshare --net --mount --user --map-root-user sh "$0" --inside "$@"
fi
echo "skip: this user can't make a network namespace" >&2
exit 77
