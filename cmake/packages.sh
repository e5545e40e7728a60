#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Installs what is missing of the packages (Debian 12 names) that the build and the tests use; calls apt-get only
# when something is missing, and says what to install where it can't.
#   packages.sh build | test
set -eu

packages="g++ cmake ninja-build pkg-config libsodium-dev libssl-dev libb2-dev libargon2-dev libcbor-dev libnghttp2-dev
  libboost-dev libwslay-dev libsimdjson-dev libzstd-dev libcli11-dev libspdlog-dev libfmt-dev ca-certificates iproute2 util-linux
  openssl"
if [ "${1-build}" = test ]; then
  packages="$packages ccache clang-14 clang-format-14 libclang-rt-14-dev llvm-14 catch2 libbenchmark-dev
    librapidcheck-dev python3 curl jq golang-inet-netstack-dev nginx-light haproxy"
fi

if ! command -v dpkg-query > /dev/null; then
  echo "packages.sh: this is no Debian; the build wants what these packages hold:" $packages >&2
  exit 0
fi
missing=
for package in $packages; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2> /dev/null || true)
  [ "$status" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "installing:$missing" >&2
if [ "$(id -u)" = 0 ]; then
  as_root=
elif command -v sudo > /dev/null; then
  as_root=sudo
else
  echo "packages.sh: neither root nor sudo; please install:$missing" >&2
  exit 1
fi
install="$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends"
# The lists of a fresh machine may be empty or old.
{ $as_root apt-get update -q && $install $missing; } >&2
