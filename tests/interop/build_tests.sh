#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# build_tests.sh GO FOLDER VERSION...: the real clients into their cache, the Go tests into FOLDER/interop.test.
set -eu
go=$1 work=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
PATH="$(dirname "$go"):$PATH"
sh "$here/build_clients.sh" "$@"
# What an earlier run noted says nothing about this one.
rm -rf "$work/joined"
mkdir -p "$work/joined"
cd "$here"
# go.mod asks for the Go release of the newest client; an older Go fetches it.
export GOTOOLCHAIN=auto GOFLAGS=-buildvcs=false CGO_ENABLED=0
module=$("$go" list -m -f '{{.Version}}' tailscale.com)
"$go" test -c -ldflags "-X ts2021.invalid/interop.moduleVersion=$module" -o "$work/interop.test" .
