#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Builds AWS-LC's libcrypto once, from the sources in the Rust crate aws-lc-sys, and prints the folder to give as
# AWSLC_ROOT. A few minutes on two cores; kept in ${XDG_CACHE_HOME:-$HOME/.cache}/libts2021/aws-lc/<crate version>.
#   sh cmake/awslc.sh             builds it when it is missing; exit status 3: there is no cargo
#   sh cmake/awslc.sh --cached    prints the folder only if it is there
set -eu
crate=0.47.0
root="${XDG_CACHE_HOME:-$HOME/.cache}/libts2021/aws-lc/$crate"
if [ -f "$root/lib/libcrypto.a" ]; then
  echo "$root"
  exit 0
fi
[ "${1-}" != --cached ] || exit 1
command -v cargo > /dev/null 2>&1 || { echo "awslc.sh: there is no cargo to get AWS-LC with" >&2; exit 3; }

mkdir -p "${root%/*}"
work=$(mktemp -d "${root%/*}/.build.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/src"
printf '[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\naws-lc-sys = "=%s"\n' "$crate" \
  > "$work/Cargo.toml"
: > "$work/src/lib.rs"
(cd "$work" && cargo vendor --quiet vendor) > /dev/null
cmake -S "$work/vendor/aws-lc-sys/aws-lc" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF \
  -DBUILD_TOOL=OFF -DDISABLE_GO=ON -DDISABLE_PERL=ON -DBUILD_LIBSSL=OFF -DCMAKE_INSTALL_PREFIX="$work/install" > "$work/log" 2>&1 &&
  cmake --build "$work/build" >> "$work/log" 2>&1 && cmake --install "$work/build" >> "$work/log" 2>&1 ||
  { tail -n 20 "$work/log" >&2; echo "awslc.sh: AWS-LC could not be built" >&2; exit 1; }
mv "$work/install" "$root"
echo "$root"
