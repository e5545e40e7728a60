#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Builds the Rust client of rust/ into ${XDG_CACHE_HOME:-$HOME/.cache}/libts2021/rust and prints the program's path.
# Where cargo is missing it says that it skips, and prints nothing.
set -eu
PATH=$PATH:$HOME/.cargo/bin
if ! command -v cargo > /dev/null; then
  echo "skip: the Rust client needs cargo" >&2
  exit 0
fi
target="${XDG_CACHE_HOME:-$HOME/.cache}/libts2021/rust"
cargo build --locked --quiet --manifest-path "$(dirname "$0")/rust/Cargo.toml" --target-dir "$target" >&2
echo "$target/debug/ts2021-rust-node"
